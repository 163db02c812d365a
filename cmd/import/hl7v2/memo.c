/* What values became: a table by their text. */
#include "cmd/import/hl7v2/memo.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    BUCKETS = 16384,
    ONCE = 16384, /* hashes of values that came once; a newer one takes an older one's place */
    SETTINGS = 64,
    ALL_MAX = 8 << 20, /* bytes that all of a run may keep, about */
    ONE_MIN = 1 << 20,
    ONE_MAX = 4 << 20
};

struct import_memo {
    import_memo *next; /* of those that nobody uses */
    ct_arena *arena;
    import_known *buckets[BUCKETS];
    uint32_t once[ONCE];
    ct_str settings[SETTINGS];
    uint32_t nsettings, setting; /* the message's: index */
    size_t size, max;
};

struct import_memos {
    pthread_mutex_t lock;
    import_memo *spare;
    size_t max; /* of one */
};

import_memos *import_memos_new(int users)
{
    import_memos *all = ct_calloc(1, sizeof *all);
    size_t share = ALL_MAX / (users > 0 ? (size_t)users : 1);

    all->max = share < ONE_MIN ? ONE_MIN : share > ONE_MAX ? ONE_MAX : share;
    pthread_mutex_init(&all->lock, NULL);
    return all;
}

void import_memos_free(import_memos *all)
{
    if (!all)
        return;
    for (import_memo *m = all->spare, *next; m; m = next) {
        next = m->next;
        ct_arena_free(m->arena);
        free(m);
    }
    pthread_mutex_destroy(&all->lock);
    free(all);
}

import_memo *import_memo_take(import_memos *all)
{
    pthread_mutex_lock(&all->lock);
    import_memo *m = all->spare;
    if (m)
        all->spare = m->next;
    pthread_mutex_unlock(&all->lock);
    if (!m) {
        m = ct_calloc(1, sizeof *m);
        m->arena = ct_arena_new();
        m->max = all->max;
    }
    return m;
}

void import_memo_give(import_memos *all, import_memo *m)
{
    pthread_mutex_lock(&all->lock);
    m->next = all->spare;
    all->spare = m;
    pthread_mutex_unlock(&all->lock);
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
    if (m->size > m->max)
        forget(m);
    if (m->setting < m->nsettings && ct_str_eq(m->settings[m->setting], setting))
        return;
    for (m->setting = 0; m->setting < m->nsettings; m->setting++)
        if (ct_str_eq(m->settings[m->setting], setting))
            return;
    if (m->nsettings == SETTINGS)
        forget(m);
    m->settings[m->nsettings++] = ct_arena_copy(m->arena, setting);
    m->size += setting.n;
}

static bool same_question(const import_known *a, const import_known *b)
{
    return a->hash == b->hash && a->map == b->map && a->table == b->table &&
           a->resource == b->resource && a->setting == b->setting &&
           a->value.level == b->value.level && ct_str_eq(a->value.raw, b->value.raw);
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
    *again = *once == (uint32_t)k->hash && m->size <= m->max;
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
