/* What values became: a table by their text. */
#include "cmd/import/hl7v2/memo.h"
#include "cmd/import/import.h"

#include <stdlib.h>

enum {
    BUCKETS = 4096,
    ONCE = 8192, /* hashes of values that came once; a newer one takes an older one's place */
    SIZE_MAX_ = 2 << 20, /* of all that is kept */
    SETTINGS = 64
};

struct import_memo {
    ct_arena *arena;
    import_known *buckets[BUCKETS];
    uint32_t once[ONCE];
    ct_str settings[SETTINGS];
    uint32_t nsettings, setting; /* the message's: index */
    size_t size;
};

import_memo *import_memo_new(void)
{
    import_memo *m = ct_calloc(1, sizeof *m);

    m->arena = ct_arena_new();
    return m;
}

void import_memo_free(import_memo *m)
{
    if (m)
        ct_arena_free(m->arena);
    free(m);
}

static void forget(import_memo *m)
{
    ct_arena_reset(m->arena);
    memset(m->buckets, 0, sizeof m->buckets);
    m->nsettings = m->setting = 0;
    m->size = 0;
}

void import_memo_start(import_memo *m, ct_str setting)
{
    if (m->size > SIZE_MAX_)
        forget(m);
    if (m->setting < m->nsettings && ct_str_eq(m->settings[m->setting], setting))
        return;
    for (m->setting = 0; m->setting < m->nsettings; m->setting++)
        if (ct_str_eq(m->settings[m->setting], setting))
            return;
    if (m->nsettings == SETTINGS)
        forget(m);
    m->settings[m->nsettings++] = ct_arena_copy(m->arena, setting);
}

static bool same_question(const import_known *a, const import_known *b)
{
    return a->hash == b->hash && a->map == b->map && a->table == b->table &&
           a->setting == b->setting && a->value.level == b->value.level &&
           ct_str_eq(a->value.raw, b->value.raw);
}

static uint64_t hash_of(const import_known *k)
{
    uint64_t h = ct_hash(k->value.raw);

    h = (h ^ (uintptr_t)k->map) * 0x9e3779b97f4a7c15u;
    h = (h ^ (uintptr_t)k->table) * 0x9e3779b97f4a7c15u;
    return (h ^ (uint64_t)k->setting << 8 ^ (uint64_t)k->value.level) * 0x9e3779b97f4a7c15u;
}

const import_known *import_memo_find(import_memo *m, import_known *k, bool *again)
{
    k->setting = m->setting;
    k->hash = hash_of(k);
    for (const import_known *c = m->buckets[k->hash >> 32 & (BUCKETS - 1)]; c; c = c->chain)
        if (same_question(c, k))
            return c;
    uint32_t *once = &m->once[k->hash >> 20 & (ONCE - 1)];
    *again = *once == (uint32_t)k->hash && m->size <= SIZE_MAX_;
    *once = (uint32_t)k->hash;
    return NULL;
}

void import_memo_keep(import_memo *m, const import_known *k)
{
    import_known *c = ct_arena_alloc(m->arena, sizeof *c), **bucket;
    size_t n = k->value.raw.n;
    bool *made = ct_arena_alloc(m->arena, n);

    *c = *k;
    c->value.raw = ct_arena_copy(m->arena, k->value.raw);
    c->id = ct_arena_copy(m->arena, k->id);
    if (n)
        memcpy(made, k->made, n);
    c->made = made;
    if (k->tree) {
        ct_buf json = {0};
        if (ct_tree_type(k->tree) >= CT_ARRAY)
            ct_tree_write(&json, k->tree);
        c->tree = ct_tree_copy(m->arena, k->tree);
        c->json = ct_arena_copy(m->arena, ct_buf_str(&json));
        ct_buf_free(&json);
    }
    c->mentions = ct_arena_alloc(m->arena, k->nmentions * sizeof *c->mentions);
    if (k->nmentions)
        memcpy(c->mentions, k->mentions, k->nmentions * sizeof *c->mentions);
    m->size += sizeof *c + 2 * n + 8 * c->json.n + k->nmentions * sizeof *c->mentions;
    bucket = &m->buckets[k->hash >> 32 & (BUCKETS - 1)];
    c->chain = *bucket;
    *bucket = c;
}
