/* encode(), decode(), escape(), unescape(): strings in the clothes of other formats. */
#include "common/fhirpath/internal.h"

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char hexadecimal[] = "0123456789abcdef";

/* Writes `s` to `out` in the format; false where `s` is not in it. */
typedef bool format_fn(struct fp_call *c, ct_str s, struct fp_text *out);

static bool add_char(struct fp_call *c, struct fp_text *t, char ch)
{
    return ct_fp_text_add(c->r, c->n, t, (ct_str){&ch, 1});
}

/* ---- hex ---- */

static int hex_digit(char c)
{
    if (c >= 'A' && c <= 'F')
        c = (char)(c | 0x20);
    const char *at = c ? strchr(hexadecimal, c) : NULL;
    return at ? (int)(at - hexadecimal) : -1;
}

static bool to_hex(struct fp_call *c, ct_str s, struct fp_text *out)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char b = (unsigned char)s.p[i];
        if (!add_char(c, out, hexadecimal[b >> 4]) || !add_char(c, out, hexadecimal[b & 15]))
            return false;
    }
    return true;
}

static bool from_hex(struct fp_call *c, ct_str s, struct fp_text *out)
{
    if (s.n % 2)
        return false;
    for (size_t i = 0; i < s.n; i += 2) {
        int high = hex_digit(s.p[i]), low = hex_digit(s.p[i + 1]);
        if (high < 0 || low < 0 || !add_char(c, out, (char)(high << 4 | low)))
            return false;
    }
    return true;
}

/* ---- base64 (RFC 4648, sections 4 and 5) ---- */

static bool put_base64(struct fp_call *c, ct_str s, struct fp_text *out, bool url)
{
    for (size_t i = 0; i < s.n; i += 3) {
        uint32_t bits = 0;
        size_t n = s.n - i < 3 ? s.n - i : 3;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < n ? (unsigned char)s.p[i + k] : 0);
        for (size_t k = 0; k < 4; k++) {
            char ch = k <= n ? base64[bits >> (18 - 6 * k) & 63] : '=';
            if (url)
                ch = ch == '+' ? '-' : ch == '/' ? '_' : ch;
            if (!add_char(c, out, ch))
                return false;
        }
    }
    return true;
}

static bool get_base64(struct fp_call *c, ct_str s, struct fp_text *out, bool url)
{
    uint32_t bits = 0;
    size_t have = 0, digits = 0;
    if (s.n % 4)
        return false;
    while (s.n > 0 && digits < 2 && s.p[s.n - 1] == '=') {
        s.n--;
        digits++;
    }
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        if (url ? ch == '+' || ch == '/' : ch == '-' || ch == '_')
            return false;
        ch = ch == '-' ? '+' : ch == '_' ? '/' : ch;
        const char *at = ch ? strchr(base64, ch) : NULL;
        if (!at)
            return false;
        bits = bits << 6 | (uint32_t)(at - base64);
        have += 6;
        if (have >= 8) {
            have -= 8;
            if (!add_char(c, out, (char)(bits >> have)))
                return false;
        }
    }
    return true;
}

static bool to_base64(struct fp_call *c, ct_str s, struct fp_text *out)
{
    return put_base64(c, s, out, false);
}

static bool from_base64(struct fp_call *c, ct_str s, struct fp_text *out)
{
    return get_base64(c, s, out, false);
}

static bool to_urlbase64(struct fp_call *c, ct_str s, struct fp_text *out)
{
    return put_base64(c, s, out, true);
}

static bool from_urlbase64(struct fp_call *c, ct_str s, struct fp_text *out)
{
    return get_base64(c, s, out, true);
}

/* ---- HTML and JSON ---- */

/* A character and what stands for it. */
struct pair {
    char ch;
    const char *text;
};

static const struct pair html[] = {{'&', "&amp;"},  {'<', "&lt;"},   {'>', "&gt;"},
                                   {'"', "&quot;"}, {'\'', "&#39;"}, {0, NULL}};
static const struct pair json[] = {{'"', "\\\""}, {'\\', "\\\\"}, {'\b', "\\b"}, {'\f', "\\f"},
                                   {'\n', "\\n"}, {'\r', "\\r"},  {'\t', "\\t"}, {0, NULL}};

static bool put_pairs(struct fp_call *c, ct_str s, struct fp_text *out, const struct pair *pairs)
{
    for (size_t i = 0; i < s.n; i++) {
        const struct pair *p = pairs;
        while (p->text && p->ch != s.p[i])
            p++;
        if (!ct_fp_text_add(c->r, c->n, out, p->text ? ct_str_z(p->text) : (ct_str){s.p + i, 1}))
            return false;
    }
    return true;
}

static bool get_pairs(struct fp_call *c, ct_str s, struct fp_text *out, const struct pair *pairs)
{
    for (size_t i = 0; i < s.n;) {
        const struct pair *p = pairs;
        while (p->text && !ct_str_starts(ct_str_from(s, i), ct_str_z(p->text)))
            p++;
        if (!add_char(c, out, p->text ? p->ch : s.p[i]))
            return false;
        i += p->text ? strlen(p->text) : 1;
    }
    return true;
}

static bool to_html(struct fp_call *c, ct_str s, struct fp_text *out)
{
    return put_pairs(c, s, out, html);
}

static bool from_html(struct fp_call *c, ct_str s, struct fp_text *out)
{
    return get_pairs(c, s, out, html);
}

static bool to_json(struct fp_call *c, ct_str s, struct fp_text *out)
{
    return put_pairs(c, s, out, json);
}

static bool from_json(struct fp_call *c, ct_str s, struct fp_text *out)
{
    return get_pairs(c, s, out, json);
}

/* ---- the functions ---- */

struct format {
    const char *name;
    format_fn *to, *from;
};

static const struct format encodings[] = {{"hex", to_hex, from_hex},
                                          {"base64", to_base64, from_base64},
                                          {"urlbase64", to_urlbase64, from_urlbase64},
                                          {NULL, NULL, NULL}};
static const struct format escapes[] = {
    {"html", to_html, from_html}, {"json", to_json, from_json}, {NULL, NULL, NULL}};

/* What was decoded may be no text; then there is no result. */
static bool is_utf8(ct_str s)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    for (size_t i = 0; i < s.n;) {
        unsigned char b = (unsigned char)s.p[i];
        size_t n = b < 0x80 ? 1 : b >> 5 == 6 ? 2 : b >> 4 == 14 ? 3 : b >> 3 == 30 ? 4 : 0;
        uint32_t ch = n == 1 ? b : b & (0x7Fu >> n);
        if (n == 0 || s.n - i < n)
            return false;
        for (size_t k = 1; k < n; k++) {
            unsigned char next = (unsigned char)s.p[i + k];
            if (next >> 6 != 2)
                return false;
            ch = ch << 6 | (next & 0x3Fu);
        }
        if (ch < least[n] || ch > 0x10FFFF || (ch >= 0xD800 && ch < 0xE000))
            return false;
        i += n;
    }
    return true;
}

static bool transform(struct fp_call *c, const struct format *formats, bool from)
{
    struct fp_coll arg;
    struct fp_text out = {0};
    ct_str s, name;
    int got = ct_fp_single_string(c->r, c->n, c->in, &s);
    if (got <= 0)
        return got == 0;
    if (!ct_fp_arg(c, 0, &arg))
        return false;
    got = ct_fp_single_string(c->r, c->n, &arg, &name);
    if (got <= 0)
        return got == 0;
    while (formats->name && !ct_str_is(name, formats->name))
        formats++;
    if (!formats->name)
        return ct_fp_call_error(c, "unknown format");
    if (!(from ? formats->from : formats->to)(c, s, &out))
        return c->r->steps > 0; /* not in that format, unless the budget is used up */
    ct_str text = {out.p ? out.p : "", out.n};
    if (is_utf8(text))
        ct_fp_string(c->r, c->out, text);
    return true;
}

bool ct_fn_encode(struct fp_call *c)
{
    return transform(c, encodings, false);
}

bool ct_fn_decode(struct fp_call *c)
{
    return transform(c, encodings, true);
}

bool ct_fn_escape(struct fp_call *c)
{
    return transform(c, escapes, false);
}

bool ct_fn_unescape(struct fp_call *c)
{
    return transform(c, escapes, true);
}
