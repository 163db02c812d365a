/* Arenas: chained blocks that double in size up to a bound. A reset keeps some of them for what
 * comes next and gives back the rest. What would fill a block by itself gets one of its own, which
 * the reset gives back too, so that one huge record does not stay in memory. */
#include "common/base/base.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BLOCK_FIRST = 4 * 1024,
    BLOCK_MAX = 1024 * 1024,
    ALONE = BLOCK_MAX / 4,
    KEPT_MAX = 2 * BLOCK_MAX,
};

typedef struct ct_arena_block {
    struct ct_arena_block *next;
    size_t cap; /* whole steps of the alignment */
    alignas(CT_ARENA_ALIGN) char bytes[];
} block;

_Static_assert(CT_ARENA_ALIGN % alignof(max_align_t) == 0, "any type can stand there");

ct_arena *ct_arena_new(void)
{
    return ct_calloc(1, sizeof(ct_arena));
}

static block *block_push(block **list, size_t cap)
{
    if (cap > SIZE_MAX / 2)
        ct_oom();
    block *b = ct_alloc(sizeof *b + cap);
    b->cap = cap;
    b->next = *list;
    *list = b;
    return b;
}

static void blocks_free(block *b)
{
    while (b) {
        block *next = b->next;
        free(b);
        b = next;
    }
}

/* Takes a spare block that has room for `n` bytes; false where there is none. */
static bool take_spare(ct_arena *a, size_t n)
{
    for (block **at = &a->spare; *at; at = &(*at)->next) {
        block *b = *at;
        if (b->cap < n)
            continue;
        *at = b->next;
        b->next = a->blocks;
        a->blocks = b;
        return true;
    }
    return false;
}

char *ct_arena_more(ct_arena *a, size_t n)
{
    if (n > ALONE)
        return block_push(&a->alone, n)->bytes;
    size_t cap = a->blocks ? a->blocks->cap * 2 : BLOCK_FIRST;
    while (cap < n)
        cap *= 2;
    if (!take_spare(a, n))
        block_push(&a->blocks, cap < BLOCK_MAX ? cap : BLOCK_MAX);
    a->at = a->blocks->bytes;
    a->end = a->at + a->blocks->cap;
    return ct_arena_take(a, n);
}

ct_str ct_arena_copy(ct_arena *a, ct_str s)
{
    char *p = ct_arena_take(a, s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return (ct_str){p, s.n};
}

ct_str ct_arena_join(ct_arena *a, const ct_str *parts, size_t n)
{
    size_t size = 0;

    for (size_t i = 0; i < n; i++)
        size += parts[i].n;
    char *p = ct_arena_take(a, size + 1), *to = p;
    for (size_t i = 0; i < n; to += parts[i++].n)
        if (parts[i].n)
            memcpy(to, parts[i].p, parts[i].n);
    *to = '\0';
    return (ct_str){p, size};
}

ct_str ct_arena_printf(ct_arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        return CT_S("");
    char *p = ct_arena_take(a, (size_t)n + 1);
    va_start(args, format);
    vsnprintf(p, (size_t)n + 1, format, args);
    va_end(args);
    return (ct_str){p, (size_t)n};
}

/* Moves blocks to `*kept` as long as they are not too many, and frees the others. */
static void keep_some(block *b, block **kept, size_t *size)
{
    while (b) {
        block *next = b->next;
        if (*size + b->cap <= KEPT_MAX) {
            *size += b->cap;
            b->next = *kept;
            *kept = b;
        } else {
            free(b);
        }
        b = next;
    }
}

void ct_arena_reset(ct_arena *a)
{
    block *kept = NULL;
    size_t size = 0;
    blocks_free(a->alone);
    keep_some(a->blocks, &kept, &size);
    keep_some(a->spare, &kept, &size);
    *a = (ct_arena){.spare = kept};
}

void ct_arena_free(ct_arena *a)
{
    if (!a)
        return;
    blocks_free(a->alone);
    blocks_free(a->blocks);
    blocks_free(a->spare);
    free(a);
}
