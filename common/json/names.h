/* The table of known names, laid open for the parser, which looks up every key it reads. */
#ifndef CT_JSON_NAMES_H
#define CT_JSON_NAMES_H

#include "common/json/json.h"

#include <stdalign.h>

enum {
    CT_NAME_WIDE = 16,
    CT_NAME_UNKNOWN = 1, /* the bit of free slots */
};

/* A name: its first 16 bytes in two words, and masks of the bytes that count. For most names that
 * is all of it, so that a look-up touches no text. One slot fills a line of the processor's cache.
 */
typedef struct ct_name_slot {
    alignas(64) uint64_t words[2];
    uint64_t masks[2];
    uint64_t bit; /* one of 64, spread over the names */
    uint32_t n;
    uint16_t id; /* 0: the slot is free */
} ct_name_slot;

struct ct_names {
    ct_name_slot *slots; /* the last one is always free: nobody looks behind it */
    int shift;           /* of a hash, to a place */
    ct_str *texts;       /* by id; 0 is not used */
    size_t count, cap;
};

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

/* The slot of the `n` bytes at `p`, 2 to CT_NAME_WIDE, which stand between quotes; CT_NAME_WIDE can
 * be read whatever `n` is. A free slot where the name is not known. */
static inline const ct_name_slot *ct_names_slot(const ct_names *t, const char *p, size_t n)
{
    uint64_t first = ct_name_word(p), second = ct_name_word(p + 8);
    const ct_name_slot *s = t->slots + (ct_name_hash(p, n) >> t->shift);
    while (__builtin_expect(s->id && (s->n != n || ((first ^ s->words[0]) & s->masks[0]) |
                                                       ((second ^ s->words[1]) & s->masks[1])),
                            0))
        s++;
    return s;
}

/* The same for any name, wherever it stands. */
const ct_name_slot *ct_names_look_up(const ct_names *t, ct_str name);

#endif
