/* Allocation that never returns NULL. */
#include "common/base/base.h"

#include <stdlib.h>

static void (*oom_hook)(void);

void ct_on_oom(void (*hook)(void))
{
    oom_hook = hook;
}

_Noreturn void ct_oom(void)
{
    if (oom_hook)
        oom_hook();
    abort();
}

void *ct_alloc(size_t n)
{
    void *p = malloc(n ? n : 1);
    if (!p)
        ct_oom();
    return p;
}

void *ct_calloc(size_t n, size_t size)
{
    void *p = n && size ? calloc(n, size) : calloc(1, 1);
    if (!p)
        ct_oom();
    return p;
}

void *ct_realloc(void *p, size_t n, size_t size)
{
    if (size && n > SIZE_MAX / size)
        ct_oom();
    size_t bytes = n * size;
    p = realloc(p, bytes ? bytes : 1);
    if (!p)
        ct_oom();
    return p;
}

void *ct_grow(void *p, size_t n, size_t size)
{
    if (n & (n - 1))
        return p;
    return ct_realloc(p, n ? 2 * n : 1, size);
}
