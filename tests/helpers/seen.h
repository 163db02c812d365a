/* JSON as an independent library reads it: yajl. Of the three that Debian has (jansson, json-c,
 * yajl) it is the one that hands numbers out as they are spelled (the others make 1.5 of 1.50 or
 * refuse 1e400), strings with their length (so that U+0000 may stand in them), members in their
 * order and twice where they stand twice, and that says where in the text each token ends: what
 * must stay byte for byte can be told without the parser under test. */
#ifndef TESTS_SEEN_H
#define TESTS_SEEN_H

#include "common/json/json.h"

/* A value; in the order of the text, a container followed by all it contains. */
typedef struct seen_node {
    ct_jtype type;
    size_t at, end;  /* the value's own text */
    size_t head;     /* where its member's name begins, quote included; `at` in arrays */
    ct_str name;     /* decoded */
    ct_str text;     /* a string decoded, a number as spelled */
    uint32_t next;   /* index behind the value and all in it */
    uint32_t parent; /* UINT32_MAX for the root */
} seen_node;

typedef struct seen {
    ct_str json;
    seen_node *v;
    uint32_t n, cap;
    ct_arena *arena;
    /* while it is read */
    void *yajl;
    size_t done; /* where the last token ended */
    ct_str name;
    size_t head;
    uint32_t open;
} seen;

/* Reads one text; false where yajl refuses it. `json` must live as long as `s` is used; an `s` that
 * is all zero is ready for use, and can be used again. */
CT_USE bool seen_read(seen *s, ct_str json);
void seen_free(seen *s);

/* Are they the same value: types, strings, spelling of numbers, names and their order? The name
 * that each has as a member does not count. */
bool seen_same(const seen *a, uint32_t v, const seen *b, uint32_t w);
/* The member of that name, UINT32_MAX where there is none. */
uint32_t seen_member(const seen *s, uint32_t v, ct_str name);

/* What ct_parse saw in another way in the same text, in a few constant words; NULL where they
 * agree. */
const char *seen_differs(const seen *s, const ct_doc *doc, ct_arena *a);

static inline ct_str seen_slice(const seen *s, size_t from, size_t to)
{
    return (ct_str){s->json.p + from, to - from};
}

static inline ct_str seen_raw(const seen *s, uint32_t v)
{
    return seen_slice(s, s->v[v].at, s->v[v].end);
}

/* The first child, and the one behind `c`; UINT32_MAX where there is none. */
static inline uint32_t seen_first(const seen *s, uint32_t v)
{
    return v + 1 < s->v[v].next ? v + 1 : UINT32_MAX;
}

static inline uint32_t seen_next(const seen *s, uint32_t c)
{
    uint32_t parent = s->v[c].parent;
    return parent != UINT32_MAX && s->v[c].next < s->v[parent].next ? s->v[c].next : UINT32_MAX;
}

#endif
