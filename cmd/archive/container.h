/* The file that a bag in a container is written to, and the folder in which the bag is there (RFC
 * 8493, 4.2): what tar and zip have in common. */
#ifndef CHART_ARCHIVE_CONTAINER_H
#define CHART_ARCHIVE_CONTAINER_H

#include "cmd/archive/sink.h"

typedef struct bag_container {
    int fd;
    ct_buf path;
    size_t folder; /* of `path`: the folder with its slash */
} bag_container;

/* Makes the sink's unfinished file; dropped in any case. */
CT_USE bool bag_container_make(bag_container *c, const bag_sink *s, ct_str base, ct_err *err);
/* The path in the container of what is `path` in the bag; a NUL stands behind it. Until the next
 * call. */
ct_str bag_container_path(bag_container *c, const char *path, bool folder);
/* All is on the disk. */
CT_USE bool bag_container_end(bag_container *c, ct_err *err);
/* Closes the file, and removes it unless it got its name. */
void bag_container_drop(bag_container *c, const bag_sink *s);

#endif
