/* Characters: UTF-8 and the escapes of JSON strings. */
#include "common/json/lex.h"

/* The table of well-formed byte sequences: what may follow a lead byte. */
static int lead(uint8_t c, uint8_t *low, uint8_t *high)
{
    *low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    *high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (c < 0xc2 || c > 0xf4)
        return 0;
    return c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

int ct_utf8_step(const char *p, const char *end)
{
    uint8_t low, high;
    if ((uint8_t)*p < 0x80)
        return 1;
    int n = lead((uint8_t)*p, &low, &high);
    for (int i = 1; i < n; i++) {
        if (p + i == end)
            return -1;
        if ((uint8_t)p[i] < low || (uint8_t)p[i] > high)
            return 0;
        low = 0x80;
        high = 0xbf;
    }
    return n;
}

static int utf8_put(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xc0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xe0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 0x3f));
        to[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 0x3f));
    to[2] = (char)(0x80 | (c >> 6 & 0x3f));
    to[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

static uint32_t hex4(const char *p)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        unsigned c = (uint8_t)p[i];
        v = v << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return v;
}

/* Decodes the escape at `p`, which the parser has checked; returns what follows it. */
static const char *escape(const char *p, char out[4], int *n)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    if (p[1] != 'u') {
        out[0] = meant[strchr(letters, p[1]) - letters];
        *n = 1;
        return p + 2;
    }
    uint32_t c = hex4(p + 2);
    p += 6;
    if (c >= 0xd800 && c < 0xdc00) {
        c = 0x10000 + ((c - 0xd800) << 10) + (hex4(p + 2) - 0xdc00);
        p += 6;
    }
    *n = utf8_put(out, c);
    return p;
}

size_t ct_unescape(char *to, ct_str raw)
{
    char *out = to;
    const char *p = raw.p, *end = raw.p + raw.n;
    while (p < end) {
        const char *slash = memchr(p, '\\', (size_t)(end - p));
        size_t plain = (size_t)((slash ? slash : end) - p);
        memcpy(out, p, plain);
        out += plain;
        p += plain;
        if (slash) {
            int n;
            char c[4];
            p = escape(p, c, &n);
            memcpy(out, c, (size_t)n);
            out += n;
        }
    }
    return (size_t)(out - to);
}

bool ct_unescape_eq(ct_str raw, ct_str text)
{
    const char *p = raw.p, *end = raw.p + raw.n;
    size_t at = 0;
    while (p < end) {
        char c[4] = {*p};
        int n = 1;
        if (*p == '\\')
            p = escape(p, c, &n);
        else
            p++;
        if (text.n - at < (size_t)n || memcmp(text.p + at, c, (size_t)n) != 0)
            return false;
        at += (size_t)n;
    }
    return at == text.n;
}
