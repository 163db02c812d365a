/* ER7: character sets (MSH-18) and escape sequences. */
#include "cmd/import/hl7v2/er7.h"

/* Names of table 0211 that mean what we can read. Others are refused where the message uses more
 * than ASCII. */
static bool is_one_of(ct_str s, const char *const *names)
{
    for (; *names; names++)
        if (ct_str_is(s, *names))
            return true;
    return false;
}

static bool all_ascii(ct_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    return true;
}

/* The length of the character at the front of `s`; 0 where it is no UTF-8 (RFC 3629). */
static size_t utf8_length(const unsigned char *s, size_t n)
{
    size_t want = *s < 0x80 ? 1 : *s < 0xc2 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : *s < 0xf5 ? 4 : 0;

    if (want == 0 || want > n)
        return 0;
    for (size_t i = 1; i < want; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) || (*s == 0xf0 && s[1] < 0x90) ||
        (*s == 0xf4 && s[1] > 0x8f))
        return 0;
    return want;
}

bool import_utf8_valid(ct_str s)
{
    for (size_t i = 0, step; i < s.n; i += step)
        if (!(step = utf8_length((const unsigned char *)s.p + i, s.n - i)))
            return false;
    return true;
}

static void put_latin1(ct_buf *b, unsigned char c)
{
    if (c < 0x80) {
        ct_buf_c(b, (char)c);
    } else {
        ct_buf_c(b, (char)(0xc0 | c >> 6));
        ct_buf_c(b, (char)(0x80 | (c & 0x3f)));
    }
}

static ct_str from_latin1(ct_str s, ct_arena *a)
{
    ct_buf b = {0};
    for (size_t i = 0; i < s.n; i++)
        put_latin1(&b, (unsigned char)s.p[i]);
    ct_str text = ct_arena_copy(a, ct_buf_str(&b));
    ct_buf_free(&b);
    return text;
}

static bool has_control(ct_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < ' ' && c != '\t' && c != '\r' && c != '\n' && c != '\v' && c != '\x1c')
            return true;
    }
    return false;
}

bool import_er7_charset(ct_str *raw, ct_str charset, bool *latin1, ct_arena *a, ct_err *err)
{
    static const char *const latin[] = {"8859/1", "ISO-8859-1", "ISO8859/1", NULL};
    static const char *const utf8[] = {"",     "ASCII",   "UNICODE UTF-8", "UTF-8",
                                       "UTF8", "UNICODE", "US-ASCII",      NULL};

    *latin1 = is_one_of(charset, latin);
    if (has_control(*raw))
        return ct_fail(err, CT_E_DATA, "a control character");
    if (all_ascii(*raw))
        return true;
    if (*latin1) {
        *raw = from_latin1(*raw, a);
        return true;
    }
    if (!is_one_of(charset, utf8))
        return ct_fail_at(err, CT_E_DATA, "a character set that is not supported", "MSH-18");
    return import_utf8_valid(*raw) ||
           ct_fail(err, CT_E_DATA, "not UTF-8, and MSH-18 does not say what");
}

/* ---- escapes ---- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

static bool put_hex(const import_er7 *m, ct_buf *b, ct_str digits)
{
    if (digits.n == 0 || digits.n % 2)
        return false;
    for (size_t i = 0; i < digits.n; i += 2) {
        int high = hex_digit(digits.p[i]), low = hex_digit(digits.p[i + 1]);
        if (high < 0 || low < 0)
            return false;
        unsigned char c = (unsigned char)(high << 4 | low);
        if (m->latin1)
            put_latin1(b, c);
        else
            ct_buf_c(b, (char)c);
    }
    return true;
}

/* Formatting of FT: what breaks a line does, the rest only changes its looks. */
static void put_format(ct_buf *b, ct_str command)
{
    if (ct_str_starts(command, CT_S("br")) || ct_str_starts(command, CT_S("sp")) ||
        ct_str_starts(command, CT_S("ce")))
        ct_buf_c(b, '\n');
    else if (ct_str_starts(command, CT_S("sk")) || ct_str_starts(command, CT_S("ti")))
        ct_buf_c(b, ' ');
}

/* Hexadecimal bytes: nothing is put where they are not. */
static bool put_bytes(const import_er7 *m, ct_buf *b, ct_str digits)
{
    size_t before = b->n;

    if (put_hex(m, b, digits))
        return true;
    b->n = before;
    return false;
}

/* Puts what the sequence between two escape characters stands for. */
static bool put_sequence(const import_er7 *m, ct_buf *b, ct_str s, ct_err *err)
{
    static const char single[] = {'F', 'S', 'R', 'E', 'T'};
    const char means[] = {m->field, m->component, m->repetition, m->escape, m->subcomponent};
    const char *at = s.n == 1 ? memchr(single, *s.p, sizeof single) : NULL;

    if (s.n > 1 && (*s.p == 'C' || *s.p == 'M'))
        return ct_fail(err, CT_E_DATA, "an escape to another character set");
    if (ct_str_is(s, "H") || ct_str_is(s, "N")) /* highlighting on and off */
        return true;
    if (s.n > 1 && *s.p == 'X' && put_bytes(m, b, ct_str_from(s, 1)))
        return true;
    if (at && means[at - single]) {
        ct_buf_c(b, means[at - single]);
    } else if (s.n > 1 && *s.p == '.') {
        put_format(b, ct_str_from(s, 1));
    } else { /* not a sequence: it stays as it was sent */
        ct_buf_c(b, m->escape);
        ct_buf_put(b, s);
        ct_buf_c(b, m->escape);
    }
    return true;
}

static bool text_is_clean(ct_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' && !memchr("\t\r\n", s.p[i], 3))
            return false;
    return import_utf8_valid(s);
}

bool import_er7_unescape(const import_er7 *m, ct_str raw, ct_arena *a, ct_str *text, ct_err *err)
{
    ct_buf b = {0};
    bool ok = true;

    *text = raw;
    if (!m->escape || !raw.n || !memchr(raw.p, m->escape, raw.n))
        return true;
    while (raw.n && ok) {
        const char *start = memchr(raw.p, m->escape, raw.n);
        size_t before = start ? (size_t)(start - raw.p) : raw.n;
        ct_buf_put(&b, ct_str_head(raw, before));
        raw = ct_str_from(raw, before);
        const char *end = raw.n > 1 ? memchr(raw.p + 1, m->escape, raw.n - 1) : NULL;
        if (!raw.n)
            break;
        if (!end) { /* a lone escape character */
            ct_buf_put(&b, raw);
            break;
        }
        ok = put_sequence(m, &b, (ct_str){raw.p + 1, (size_t)(end - raw.p) - 1}, err);
        raw = ct_str_from(raw, (size_t)(end - raw.p) + 1);
    }
    if (ok && !text_is_clean(ct_buf_str(&b)))
        ok = ct_fail(err, CT_E_DATA, "an escape that makes no text");
    if (ok)
        *text = ct_arena_copy(a, ct_buf_str(&b));
    ct_buf_free(&b);
    return ok;
}
