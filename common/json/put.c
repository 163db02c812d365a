/* Writing JSON text. */
#include "common/json/lex.h"

static void put_escape(ct_buf *b, uint8_t c)
{
    static const char special[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *at = c ? strchr(special, c) : NULL;
    if (at) {
        ct_buf_c(b, '\\');
        ct_buf_c(b, letters[at - special]);
    } else {
        ct_buf_printf(b, "\\u%04x", c);
    }
}

/* Appends the character beyond ASCII at `p`, or U+FFFD for a byte that starts none. */
static const char *put_foreign(ct_buf *b, const char *p, const char *end)
{
    int n = ct_utf8_step(p, end);
    if (n > 0) {
        ct_buf_put(b, (ct_str){p, (size_t)n});
        return p + n;
    }
    ct_buf_put(b, CT_S("\xef\xbf\xbd"));
    return p + 1;
}

static void put_escaped(ct_buf *b, const char *p, const char *end)
{
    while (p < end) {
        const char *stop = ct_lex_plain(p, end);
        ct_buf_put(b, (ct_str){p, (size_t)(stop - p)});
        p = stop;
        if (p < end && (uint8_t)*p >= 0x80)
            p = put_foreign(b, p, end);
        else if (p < end)
            put_escape(b, (uint8_t)*p++);
    }
}

void ct_put_string(ct_buf *b, ct_str s)
{
    char *to = ct_buf_room(b, s.n + 2);
    to[0] = '"';
    if (ct_lex_copy_plain(to + 1, s)) {
        to[s.n + 1] = '"';
        b->n += s.n + 2;
        return;
    }
    b->n++;
    put_escaped(b, s.p, s.p + s.n);
    ct_buf_c(b, '"');
}

/* Behind the string that starts at `p`, in a text that was parsed. */
static const char *string_end(const char *p, const char *end)
{
    for (p++; *p != '"'; p = ct_lex_plain(p, end))
        p += *p == '\\' ? 2 : 1;
    return p + 1;
}

/* Everything up to white space that is not in a string. */
static const char *solid_end(const char *p, const char *end)
{
    while (p < end && !ct_lex_is_space(*p))
        p = *p == '"' ? string_end(p, end) : p + 1;
    return p;
}

void ct_put_compact(ct_buf *b, const ct_doc *d, ct_val v)
{
    ct_str raw = ct_raw(d, v);
    const char *p = raw.p, *end = raw.p + raw.n;
    while (p < end) {
        const char *stop = solid_end(p, end);
        ct_buf_put(b, (ct_str){p, (size_t)(stop - p)});
        p = ct_lex_space(stop, end);
    }
}
