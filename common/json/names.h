/* The table of known names, laid open for the parser, which looks up every key it reads. */
#ifndef CT_JSON_NAMES_H
#define CT_JSON_NAMES_H

#include "common/json/json.h"

#include <stdalign.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { CT_NAME_WIDE = 16, CT_NAME_LONG = 2 * CT_NAME_WIDE };

#define CT_NAME_NOT_WHOLE UINT32_MAX

/* A name: for most names this is all of it, so that a look-up touches no text. */
typedef struct ct_name_slot {
    alignas(32) uint64_t words[2]; /* its first 16 bytes, filled up with NUL */
    uint32_t whole; /* the length where the words have all of it, else CT_NAME_NOT_WHOLE */
    uint16_t id;    /* 0: the slot is free */
    uint16_t rest;  /* of the bytes of the words, those that do not count: a bit for each */
} ct_name_slot;

struct ct_names {
    ct_name_slot *slots; /* the last one is always free: nobody looks behind it */
    size_t mask;         /* of a hash, to a place */
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

static inline const ct_name_slot *ct_names_place(const ct_names *t, uint64_t hash)
{
    return t->slots + ((hash >> 40) & t->mask);
}

/* Is the name of `s`, one of up to 16 bytes, the `n` bytes at `p`? Reads 16 bytes whatever `n` is.
 */
static inline bool ct_name_is(const ct_name_slot *s, const char *p, size_t n)
{
    if (s->whole != n)
        return false;
#if defined(__SSE2__)
    __m128i name = _mm_load_si128((const __m128i *)(const void *)s->words);
    __m128i same = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), name);
    return (_mm_movemask_epi8(same) | s->rest) == 0xffff;
#else
    static const char ones[2 * CT_NAME_WIDE] = "\xff\xff\xff\xff\xff\xff\xff\xff"
                                               "\xff\xff\xff\xff\xff\xff\xff\xff";
    const char *mask = ones + CT_NAME_WIDE - n;
    return (((ct_name_word(p) ^ s->words[0]) & ct_name_word(mask)) |
            ((ct_name_word(p + 8) ^ s->words[1]) & ct_name_word(mask + 8))) == 0;
#endif
}

/* The same for a longer one, up to 32 bytes. */
static inline bool ct_name_is_long(const ct_names *t, const ct_name_slot *s, const char *p,
                                   size_t n)
{
    if (n <= CT_NAME_WIDE || t->texts[s->id].n != n)
        return false;
    const char *q = t->texts[s->id].p;
    return ((ct_name_word(p) ^ s->words[0]) | (ct_name_word(p + 8) ^ s->words[1]) |
            (ct_name_word(p + n - 16) ^ ct_name_word(q + n - 16)) |
            (ct_name_word(p + n - 8) ^ ct_name_word(q + n - 8))) == 0;
}

/* The id of the `n` bytes at `p`, 2 to CT_NAME_LONG, which stand between quotes; CT_NAME_WIDE can
 * be read whatever `n` is. */
static inline uint16_t ct_names_here(const ct_names *t, const char *p, size_t n)
{
    const ct_name_slot *s = ct_names_place(t, ct_name_hash(p, n));
    while (__builtin_expect(!ct_name_is(s, p, n) && s->id && !ct_name_is_long(t, s, p, n), 0))
        s++;
    return s->id;
}

/* The slot of any name, wherever it stands; a free one where the table does not know it. */
const ct_name_slot *ct_names_look_up(const ct_names *t, ct_str name);

#endif
