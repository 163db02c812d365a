/* The bytes of a bag as one run, for parity: those of its container, or those of all files in its
 * folder, one file behind the other. What is not there reads as zero bytes, so that what was lost
 * does not move what is behind it.
 */
#ifndef CHART_ARCHIVE_EXTENT_H
#define CHART_ARCHIVE_EXTENT_H

#include "common/base/base.h"

/* A file of a folder. */
typedef struct bag_member {
    uint64_t at, size; /* in the run */
    size_t name;       /* of its path from the bag's base, in `names`, with a NUL behind it */
    size_t instead;    /* of the path where its bytes are found now; the same unless it moved */
    uint8_t digest[CT_SHA256_LEN]; /* SHA-256 of the file */
} bag_member;

typedef struct bag_extent {
    uint64_t size;
    bool folder;
    bag_member *members; /* of a folder, in order of the run */
    size_t n;
    ct_buf names;
    int fd;        /* of the container or the folder */
    uint64_t held; /* the size that a container has in truth */
} bag_extent;

/* Opens what is there. In a folder the files come in order of the bytes of their paths; their
 * digests are not taken. A link or a device in it is refused: no bag holds any. */
CT_USE bool bag_extent_open(bag_extent *x, const char *path, ct_err *err);
/* Fills in the digests of a folder's files. */
CT_USE bool bag_extent_hash(bag_extent *x, int jobs, ct_err *err);
/* Opens what may be damaged as what it was: `x` holds size, members and names. */
CT_USE bool bag_extent_attach(bag_extent *x, const char *path, ct_err *err);
/* The same size and members, not open. */
void bag_extent_layout(bag_extent *x, const bag_extent *like);
/* Looks where the files of a folder went that are not in their place: swapped, or renamed. */
CT_USE bool bag_extent_seek(bag_extent *x, const char *path, int jobs, ct_err *err);
/* Makes the files of `like` in an empty folder, or lets an empty file have its size. `fd` becomes
 * the extent's. */
CT_USE bool bag_extent_make(bag_extent *x, const bag_extent *like, int fd, ct_err *err);

/* Bytes of the run. Several threads may read and write at once. False where the system refused for
 * a reason that is not damage. */
CT_USE bool bag_extent_read(const bag_extent *x, uint64_t at, uint8_t *to, size_t n, ct_err *err);
CT_USE bool bag_extent_write(const bag_extent *x, uint64_t at, const uint8_t *from, size_t n,
                             ct_err *err);
void bag_extent_close(bag_extent *x);

#endif
