/* A piece of a file that is packed by itself, read from any place in it. Going back, or far ahead,
 * unpacks it from its start: the pieces are small, or read from one end to the other.
 */
#ifndef CHART_ARCHIVE_STRETCH_H
#define CHART_ARCHIVE_STRETCH_H

#include "cmd/archive/members.h"

typedef struct bag_piece {
    int fd; /* borrowed */
    bag_method method;
    uint64_t at, packed; /* where it stands in the file */
    uint64_t size;       /* of what it holds */
} bag_piece;

typedef struct bag_stretch bag_stretch;

bag_stretch *bag_stretch_new(void);
/* What is read from now on. */
void bag_stretch_set(bag_stretch *s, const bag_piece *piece);
/* `n` bytes from `from`, all of which it must hold. False where it cannot be read (CT_E_IO) or
 * unpacked (CT_E_DATA). */
CT_USE bool bag_stretch_read(bag_stretch *s, uint64_t from, char *to, size_t n, ct_err *err);
/* NULL is allowed. */
void bag_stretch_free(bag_stretch *s);

#endif
