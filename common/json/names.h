/* The table of known names, laid open for the parser, which looks up every key it reads. */
#ifndef CT_JSON_NAMES_H
#define CT_JSON_NAMES_H

#include "common/json/json.h"

#include <stdalign.h>

enum { CT_NAME_WIDE = 16, CT_NAME_LONG = 2 * CT_NAME_WIDE };

#define CT_NAME_NOT_WHOLE UINT32_MAX

/* A name: its first 16 bytes in two words, and masks of the bytes that count. For most names that
 * is all of it, so that a look-up touches no text. One slot fills a line of the processor's cache.
 */
typedef struct ct_name_slot {
    alignas(64) uint64_t words[2];
    uint64_t masks[2];
    uint32_t whole; /* the length where the words have all of it, else CT_NAME_NOT_WHOLE */
    uint16_t id;    /* 0: the slot is free */
    ct_str text;
} ct_name_slot;

struct ct_names {
    ct_name_slot *slots; /* the last one is always free: nobody looks behind it */
    int shift;           /* of a hash, to a place */
    ct_str *texts;       /* by id; 0 is not used */
    size_t count, cap;
};

/* A table without names. */
extern const ct_names ct_names_none;

static inline uint64_t ct_name_word(const char *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

/* Of the name of `n` bytes at `p` and the quotes around it: the first four bytes and the last four.
 * (They are not only the name's own where it is shorter than two. Such a name is looked up where it
 * stands between quotes, and nothing else.) */
static inline uint64_t ct_name_hash(const char *p, size_t n)
{
    uint32_t first, last;
    memcpy(&first, p - 1, sizeof first);
    memcpy(&last, p + n - 3, sizeof last);
    return (first + ((uint64_t)last << 32)) * UINT64_C(0x9e3779b97f4a7c15);
}

/* Where a name of at least two bytes stands that nothing has crowded out. `p` as below. */
static inline const ct_name_slot *ct_names_slot(const ct_names *t, const char *p, size_t n)
{
    return t->slots + (ct_name_hash(p, n) >> t->shift);
}

/* Is the name of `s`, one of up to 16 bytes, the `n` bytes at `p`? Reads 16 bytes whatever `n` is.
 */
static inline bool ct_name_is(const ct_name_slot *s, const char *p, size_t n)
{
    return s->whole == n && (((ct_name_word(p) ^ s->words[0]) & s->masks[0]) |
                             ((ct_name_word(p + 8) ^ s->words[1]) & s->masks[1])) == 0;
}

/* The same for one of 17 to 32 bytes. */
static inline bool ct_name_is_long(const ct_name_slot *s, const char *p, size_t n)
{
    if (s->text.n != n || n <= CT_NAME_WIDE || n > CT_NAME_LONG)
        return false;
    const char *q = s->text.p + n - CT_NAME_WIDE;
    return ((ct_name_word(p) ^ s->words[0]) | (ct_name_word(p + 8) ^ s->words[1]) |
            (ct_name_word(p + n - 16) ^ ct_name_word(q)) |
            (ct_name_word(p + n - 8) ^ ct_name_word(q + 8))) == 0;
}

/* The slot of any name, wherever it stands; a free one where the table does not know it. */
const ct_name_slot *ct_names_look_up(const ct_names *t, ct_str name);

#endif
