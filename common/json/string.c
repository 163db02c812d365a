/* Strings, where something in them is no plain character, and the scan ahead for what that is. */
#include "common/json/parser.h"

/* ---- refusing ---- */

const char *ct_json_limit(ct_parser *s, const char *p, const char *text)
{
    ct_fail(s->err, CT_E_LIMIT, text);
    if (s->err)
        s->err->offset = (uint64_t)(p - s->text);
    return NULL;
}

const char *ct_json_refuse(ct_parser *s, const char *p, const char *text)
{
    if (p == s->end)
        ct_fail(s->err, CT_E_CUT, "unexpected end of text");
    else
        ct_fail(s->err, CT_E_DATA, text);
    if (s->err)
        s->err->offset = (uint64_t)(p - s->text);
    return NULL;
}

/* The byte at `p`; NUL, which no rule accepts, at the end. */
static inline char peek(const ct_parser *s, const char *p)
{
    return p < s->end ? *p : '\0';
}

/* ---- characters ---- */

/* Reads four hexadecimal digits; returns what follows them. */
static const char *hex4(ct_parser *s, const char *p, uint32_t *value)
{
    *value = 0;
    for (int i = 0; i < 4; i++, p++) {
        char c = peek(s, p);
        char low = (char)(c | 0x20);
        if (c >= '0' && c <= '9')
            *value = *value << 4 | (uint32_t)(c - '0');
        else if (low >= 'a' && low <= 'f')
            *value = *value << 4 | (uint32_t)(low - 'a' + 10);
        else
            return ct_json_refuse(s, p, "invalid escape in string");
    }
    return p;
}

/* Steps over the second half of a surrogate pair, which must be there. */
static const char *low_surrogate(ct_parser *s, const char *p)
{
    static const char start[] = "\\u";
    for (int i = 0; i < 2; i++, p++)
        if (peek(s, p) != start[i])
            return ct_json_refuse(s, p, "unpaired surrogate in string");
    uint32_t c;
    const char *next = hex4(s, p, &c);
    if (next && (c < 0xdc00 || c > 0xdfff))
        return ct_json_refuse(s, p, "unpaired surrogate in string");
    return next;
}

/* Steps over the escape whose backslash is at `p`. */
static const char *escape(ct_parser *s, const char *p)
{
    char c = peek(s, ++p);
    if (c != 'u' && c && strchr("\"\\/bfnrt", c))
        return p + 1;
    if (c != 'u')
        return ct_json_refuse(s, p, "invalid escape in string");
    uint32_t unit;
    const char *next = hex4(s, p + 1, &unit);
    if (!next || unit < 0xd800 || unit > 0xdfff)
        return next;
    if (unit > 0xdbff)
        return ct_json_refuse(s, p, "unpaired surrogate in string");
    return low_surrogate(s, next);
}

/* Steps over a run of characters beyond ASCII. */
static const char *foreign(ct_parser *s, const char *p)
{
    while (p < s->end && (uint8_t)*p >= 0x80) {
        int n = ct_utf8_step(p, s->end);
        if (n <= 0)
            return ct_json_refuse(s, n ? s->end : p, "invalid UTF-8 in string");
        p += n;
    }
    return p;
}

/* What stops the scan and is no quote. */
static const char *special(ct_parser *s, const char *p, bool *escaped)
{
    if (p == s->end)
        return ct_json_refuse(s, p, "");
    if ((uint8_t)*p >= 0x80)
        return foreign(s, p);
    if (*p != '\\')
        return ct_json_refuse(s, p, "control character in string");
    *escaped = true;
    return escape(s, p);
}

/* ---- stops ---- */

void ct_json_scan_from(ct_parser *s, const char *block, const char *end, size_t scanned,
                       uint32_t behind)
{
    s->block = block;
    s->end = end;
    s->scanned = scanned;
    s->state = (ct_scan){0};
    s->stops[0] = s->behind = behind;
    s->stop = s->last_stop = s->stops;
}

/* Makes s->stop the first one not before `p`, scanning on as far as it needs; returns where it is,
 * or the end. */
static const char *stop_from(ct_parser *s, const char *p)
{
    size_t end = (size_t)(s->end - s->block);
    uint32_t at = (uint32_t)(p - s->block);
    for (;;) {
        while (s->stop < s->last_stop && *s->stop < at)
            s->stop++;
        if (s->stop < s->last_stop)
            return s->block + *s->stop;
        if (s->scanned == end)
            return s->end;
        size_t to = end - s->scanned < CT_SCAN_PART ? end : s->scanned + CT_SCAN_PART;
        size_t n = s->scan(&s->state, s->block, s->scanned, to, s->stops);
        s->scanned = to;
        s->stops[n] = s->behind;
        s->stop = s->stops;
        s->last_stop = s->stops + n;
    }
}

const char *ct_json_string(ct_parser *s, const char *p, const uint32_t *stop, bool *escaped)
{
    s->stop = stop;
    for (;;) {
        p = stop_from(s, p);
        if (peek(s, p) == '"') {
            s->stop++;
            return p;
        }
        p = special(s, p, escaped);
        if (!p)
            return NULL;
    }
}
