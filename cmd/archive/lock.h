/* One at a time: a lock that a file stands for. It ends with the process, however that ends. */
#ifndef CHART_ARCHIVE_LOCK_H
#define CHART_ARCHIVE_LOCK_H

#include "common/base/base.h"

typedef struct bag_lock {
    char *path; /* NULL: not held */
    int fd;
} bag_lock;

/* Takes it, without waiting; `*taken` is false where another process has it. */
CT_USE bool bag_lock_take(bag_lock *lock, const char *path, bool *taken, ct_err *err);
/* Gives it back, and removes the file. All zero is allowed. */
void bag_lock_drop(bag_lock *lock);

#endif
