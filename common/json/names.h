/* The table of known names, laid open for the parser, which looks up every key it reads.
 *
 * A name is held as its first and its last eight bytes and its length: up to 16 bytes that is all
 * of it, so that most look-ups compare three numbers and touch no text. */
#ifndef CT_JSON_NAMES_H
#define CT_JSON_NAMES_H

#include "common/json/json.h"

typedef struct ct_name_slot {
    uint64_t first, last;
    uint32_t n;
    uint16_t id; /* 0: the slot is free */
} ct_name_slot;

struct ct_names {
    ct_name_slot *slots;
    size_t mask;   /* slots - 1; a power of 2 */
    ct_str *texts; /* by id; 0 is not used */
    size_t count, cap;
};

/* Eight bytes of ones and eight of zeros: read from 8 - n on, a mask for n bytes in either byte
 * order. */
extern const uint8_t ct_name_masks[16];

static inline uint64_t ct_name_word(const void *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

static inline size_t ct_name_place(uint64_t first, uint64_t last, size_t n)
{
    uint64_t h = (first ^ (last * 0x9e3779b97f4a7c15 + n)) * 0xc2b2ae3d27d4eb4f;
    return (size_t)(h >> 32);
}

/* The id of the `n` bytes at `p`, of which at least eight can be read whatever `n` is. */
static inline uint16_t ct_names_find_wide(const ct_names *t, const char *p, size_t n)
{
    size_t covered = n < 8 ? n : 8;
    uint64_t mask = ct_name_word(ct_name_masks + 8 - covered);
    uint64_t first = ct_name_word(p) & mask;
    uint64_t last = ct_name_word(p + n - covered) & mask;
    for (size_t i = ct_name_place(first, last, n);; i++) {
        const ct_name_slot *s = &t->slots[i & t->mask];
        if (s->first == first && s->last == last && s->n == n &&
            (n <= 16 || memcmp(t->texts[s->id].p, p, n) == 0))
            return s->id;
        if (s->id == 0)
            return 0;
    }
}

#endif
