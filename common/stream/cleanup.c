/* The unfinished files of this process, so that a signal handler can remove them: the one place of
 * the library where state is global, as a handler is given nothing else. */
#include "common/stream/stream.h"

#include <stdatomic.h>
#include <unistd.h>

enum { UNFINISHED_MAX = 512 };

static _Atomic(const char *) unfinished[UNFINISHED_MAX];

bool ct_cleanup_add(const char *path)
{
    for (size_t i = 0; i < UNFINISHED_MAX; i++) {
        const char *none = NULL;
        if (atomic_compare_exchange_strong(&unfinished[i], &none, path))
            return true;
    }
    return false;
}

void ct_cleanup_drop(const char *path)
{
    for (size_t i = 0; i < UNFINISHED_MAX; i++) {
        const char *same = path;
        if (atomic_compare_exchange_strong(&unfinished[i], &same, NULL))
            return;
    }
}

void ct_out_cleanup(void)
{
    for (size_t i = 0; i < UNFINISHED_MAX; i++) {
        const char *path = atomic_load(&unfinished[i]);
        if (path)
            unlink(path);
    }
}
