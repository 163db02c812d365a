/* What the files of this layer share about JSON's characters: scanning, UTF-8, escapes. */
#ifndef CT_JSON_LEX_H
#define CT_JSON_LEX_H

#include "common/json/json.h"

/* ---- UTF-8 (RFC 3629) ---- */

/* The length of the character at `p` (p < end); 0 where it is malformed, -1 where it is cut by the
 * end. */
int ct_utf8_step(const char *p, const char *end);

/* ---- escapes ---- */

/* Decodes the text between the quotes of a parsed string to `to`, which has room for `raw.n` bytes.
 * Returns the length. */
size_t ct_unescape(char *to, ct_str raw);
/* Does `raw` decode to `text`? */
bool ct_unescape_eq(ct_str raw, ct_str text);

/* ---- scanning ---- */

static inline bool ct_lex_is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Can `c` stand for itself in a string, without a closer look? */
static inline bool ct_lex_is_plain(char c)
{
    return (uint8_t)c >= 0x20 && (uint8_t)c < 0x80 && c != '"' && c != '\\';
}

enum { CT_LEX_STEP = 8 };

static inline uint64_t ct_lex_word(const char *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

/* Is there one among 8 bytes that is not plain? (A borrow can mark a plain byte only above one that
 * is rightly marked: that there is none is exact, not which one it is.) */
static inline bool ct_lex_stops(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    uint64_t quote = w ^ ones * '"', slash = w ^ ones * '\\';
    uint64_t stop = w | (w - ones * 0x20) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash);
    return (stop & tops) != 0;
}

/* How many of the 8 bytes at `p` are plain before one that is not. */
static inline unsigned ct_lex_plain_step(const char *p)
{
    if (!ct_lex_stops(ct_lex_word(p)))
        return CT_LEX_STEP;
    unsigned n = 0;
    while (n < CT_LEX_STEP && ct_lex_is_plain(p[n]))
        n++;
    return n;
}

/* Copies `s`, and tells whether it is plain to its end; what is at `to` means nothing where it is
 * not. What is shorter than a word is read as one whose ends overlap. */
static inline bool ct_lex_copy_plain(char *to, ct_str s)
{
    if (s.n >= CT_LEX_STEP) {
        uint64_t w = ct_lex_word(s.p + s.n - CT_LEX_STEP);
        bool stops = ct_lex_stops(w);
        memcpy(to + s.n - CT_LEX_STEP, &w, sizeof w);
        for (size_t i = 0; i + CT_LEX_STEP < s.n && !stops; i += CT_LEX_STEP) {
            w = ct_lex_word(s.p + i);
            stops = ct_lex_stops(w);
            memcpy(to + i, &w, sizeof w);
        }
        return !stops;
    }
    if (s.n >= 4) {
        uint32_t first, last;
        memcpy(&first, s.p, sizeof first);
        memcpy(&last, s.p + s.n - 4, sizeof last);
        memcpy(to, &first, sizeof first);
        memcpy(to + s.n - 4, &last, sizeof last);
        return !ct_lex_stops((uint64_t)last << 32 | first);
    }
    size_t i = 0;
    for (; i < s.n && ct_lex_is_plain(s.p[i]); i++)
        to[i] = s.p[i];
    return i == s.n;
}

/* The first byte from `p` on that is not plain, or `end`. */
static inline const char *ct_lex_plain(const char *p, const char *end)
{
    while (end - p >= CT_LEX_STEP) {
        unsigned n = ct_lex_plain_step(p);
        p += n;
        if (n < CT_LEX_STEP)
            return p;
    }
    while (p < end && ct_lex_is_plain(*p))
        p++;
    return p;
}

static inline const char *ct_lex_space(const char *p, const char *end)
{
    while (p < end && ct_lex_is_space(*p))
        p++;
    return p;
}

/* ---- names that stand twice ---- */

/* What finding them needs, kept from one object to the next. */
typedef struct ct_unique {
    uint32_t *stamps; /* by name id: the round in which it was last seen */
    uint32_t round;
    struct ct_unique_name {
        ct_str name;
        uint32_t node;
    } * unknown;
    size_t cap;
    ct_buf decoded;
} ct_unique;

/* The first member found whose name another one in `obj` before it has, or CT_NONE. `stop` is the
 * index behind the object's last member. */
ct_val ct_unique_check(ct_unique *u, const char *text, const ct_node *tape, ct_val obj,
                       ct_val stop);
void ct_unique_free(ct_unique *u);

#endif
