/* Checksums of a run of files, several algorithms at once.
 *
 * The caller reads into room that the hasher gives. Threads follow behind, each with whatever file
 * and algorithm is next, and the caller's thread joins them where there is no room. A file's
 * digests are handed back some blocks later, in the order of the files, on the caller's thread.
 */
#ifndef CHART_ARCHIVE_DIGEST_H
#define CHART_ARCHIVE_DIGEST_H

#include "cmd/archive/bagit.h"

/* A file whose bytes have gone by. */
typedef struct bag_file {
    ct_buf path; /* from the bag's base; the hasher's own copy */
    uint64_t size;
    uint64_t position; /* in the container, from 1 */
    bool damaged;      /* it could not be read to its end */
    uint8_t digest[BAG_ALGS][BAG_DIGEST_MAX];
} bag_file;

typedef struct bag_hasher bag_hasher;
typedef void bag_hashed_fn(void *ctx, const bag_file *file);

/* `algs` is a set of 1 << bag_alg; `jobs` counts the calling thread, and up to four are used. NULL
 * where libcrypto lacks an algorithm or no thread can be had. */
CT_USE bag_hasher *bag_hasher_new(unsigned algs, int jobs, bag_hashed_fn *done, void *ctx,
                                  ct_err *err);
/* Where the next bytes of the current file go. What was put there stays readable until the next
 * call. */
char *bag_hasher_room(bag_hasher *h, size_t *cap);
/* `n` bytes were put there. */
void bag_hasher_put(bag_hasher *h, size_t n);
/* The current file ends. */
void bag_hasher_end(bag_hasher *h, ct_str path, uint64_t size, uint64_t position, bool damaged);
/* Waits for all, and hands back what is left. */
void bag_hasher_flush(bag_hasher *h);
void bag_hasher_free(bag_hasher *h);

#endif
