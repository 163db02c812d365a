/* ER7: character sets (MSH-18) and escape sequences. */
#include "cmd/import/hl7v2/er7.h"

#include <iconv.h>
#include <stdio.h>

/* Names of table 0211 that mean what we can read. Others are refused where the message uses more
 * than ASCII. */
static bool is_one_of(ct_str s, const char *const *names)
{
    for (; *names; names++)
        if (ct_str_is(s, *names))
            return true;
    return false;
}

/* ---- eight bytes at a time ---- */

#define ONES 0x0101010101010101u
#define TOPS 0x8080808080808080u

static uint64_t word_at(const char *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

static bool all_ascii(ct_str s)
{
    uint64_t bits = 0;
    size_t i = 0;

    for (; s.n - i >= 8; i += 8)
        bits |= word_at(s.p + i);
    for (; i < s.n; i++)
        bits |= (unsigned char)s.p[i];
    return !(bits & TOPS);
}

/* Where the first control character from `at` on is; s.n where there is none. */
static size_t control_at(ct_str s, size_t at)
{
    while (s.n - at >= 8) {
        uint64_t w = word_at(s.p + at);
        if ((w - ONES * ' ') & ~w & TOPS) /* one is below the blank */
            break;
        at += 8;
    }
    while (at < s.n && (unsigned char)s.p[at] >= ' ')
        at++;
    return at;
}

size_t import_line_end(ct_str s, size_t at)
{
    for (at = control_at(s, at); at < s.n && !import_ends_line(s.p[at]);)
        at = control_at(s, at + 1);
    return at;
}

size_t import_count_char(ct_str s, char c)
{
    size_t n = 0, i = 0;

    for (; s.n - i >= 8; i += 8) {
        uint64_t x = word_at(s.p + i) ^ ONES * (unsigned char)c;
        uint64_t zero =
            ~(((x & ~TOPS) + ~TOPS) | x | ~TOPS); /* the top bit of each byte of x that is 0 */
        n += (size_t)((zero >> 7) * ONES >> 56);
    }
    for (; i < s.n; i++)
        n += s.p[i] == c;
    return n;
}

/* ---- UTF-8 ---- */

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

/* ---- ISO 8859 ---- */

/* The part of ISO 8859 that a name of table 0211 (`8859/1`), or the way others spell it, means;
 * 0: none. */
static uint64_t part_of_8859(ct_str name)
{
    uint64_t part = 0;

    if (ct_str_starts(name, CT_S("ISO")))
        name = ct_str_from(name, 3);
    if (name.n && strchr("- ", *name.p))
        name = ct_str_from(name, 1);
    if (!ct_str_starts(name, CT_S("8859")) || name.n < 6 || !strchr("/-", name.p[4]) ||
        !ct_str_u64(ct_str_from(name, 5), &part) || part > 16)
        return 0;
    return part;
}

/* What the bytes from 0x80 on stand for, 0 for those that stand for nothing. NULL where there is
 * no such part (12 was given up), or the C library cannot read it. */
static const uint16_t *upper_half(uint64_t part, ct_arena *a)
{
    char name[16];
    snprintf(name, sizeof name, "ISO-8859-%u", (unsigned)part);
    iconv_t cd = iconv_open("UTF-16LE", name);
    if (cd == (iconv_t)-1)
        return NULL;
    uint16_t *upper = ct_arena_alloc(a, 128 * sizeof *upper);
    for (size_t i = 0; i < 128; i++) {
        char byte = (char)(0x80 + i), *in = &byte;
        unsigned char pair[2] = {0};
        char *out = (char *)pair;
        size_t in_left = 1, out_left = sizeof pair;
        if (iconv(cd, &in, &in_left, &out, &out_left) != (size_t)-1 && out_left == 0)
            upper[i] = (uint16_t)(pair[0] | pair[1] << 8);
        else
            iconv(cd, NULL, NULL, NULL, NULL);
    }
    iconv_close(cd);
    return upper;
}

/* Appends a byte as UTF-8; false where it stands for nothing. ISO 8859 has nothing beyond U+FFFF.
 */
static bool put_byte(ct_buf *b, const uint16_t *upper, unsigned char byte)
{
    unsigned c = byte < 0x80 ? byte : upper[byte - 0x80];

    if (byte >= 0x80 && !c)
        return false;
    if (c < 0x80) {
        ct_buf_c(b, (char)c);
        return true;
    }
    if (c >= 0x800)
        ct_buf_c(b, (char)(0xe0 | c >> 12));
    ct_buf_c(b, (char)(c < 0x800 ? 0xc0 | c >> 6 : 0x80 | (c >> 6 & 0x3f)));
    ct_buf_c(b, (char)(0x80 | (c & 0x3f)));
    return true;
}

static bool from_8859(ct_str *s, const uint16_t *upper, ct_arena *a)
{
    ct_buf b = {0};
    bool ok = true;

    for (size_t i = 0; ok && i < s->n; i++)
        ok = put_byte(&b, upper, (unsigned char)s->p[i]);
    if (ok)
        *s = ct_arena_copy(a, ct_buf_str(&b));
    ct_buf_free(&b);
    return ok;
}

/* ---- MSH-18 ---- */

static bool has_control(ct_str s)
{
    for (size_t i = control_at(s, 0); i < s.n; i = control_at(s, i + 1))
        if (s.p[i] != '\t' && !import_ends_line(s.p[i]))
            return true;
    return false;
}

bool import_er7_charset(ct_str *raw, ct_str charset, const uint16_t **upper, ct_arena *a,
                        ct_err *err)
{
    static const char *const utf8[] = {"",     "ASCII",   "UNICODE UTF-8", "UTF-8",
                                       "UTF8", "UNICODE", "US-ASCII",      NULL};
    uint64_t part = part_of_8859(charset);

    *upper = part ? upper_half(part, a) : NULL;
    if (has_control(*raw))
        return ct_fail(err, CT_E_DATA, "a control character");
    if (all_ascii(*raw))
        return true;
    if (*upper)
        return from_8859(raw, *upper, a) ||
               ct_fail_at(err, CT_E_DATA, "a byte that the character set does not have", "MSH-18");
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
        if (!m->upper)
            ct_buf_c(b, (char)c);
        else if (!put_byte(b, m->upper, c))
            return false;
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
    if (!m->escapes || !raw.n || !memchr(raw.p, m->escape, raw.n))
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
