/* A compressed stream in members: gzip members (RFC 1952) or zstd frames (RFC 8878), each packed by
 * itself, and a table of them at the end, so that any place in the stream can be gone to. Programs
 * that know nothing of it read them as one stream: the table stands in what they pass over.
 *
 * zstd: the table is the skippable frame of zstd's seekable format (contrib/seekable_format,
 * version 0.1.0), without checksums, as every frame has its own. gzip: empty members whose extra
 * field has a subfield `ct`: pairs of packed and unpacked size, 32 bits each, little endian, as
 * many as go into one field; in the last one their number and a mark.
 */
#ifndef CHART_ARCHIVE_MEMBERS_H
#define CHART_ARCHIVE_MEMBERS_H

#include "common/base/base.h"

typedef enum bag_method {
    BAG_STORED,
    BAG_DEFLATED, /* without head and sum, as in a zip */
    BAG_GZIPPED,
    BAG_ZSTD,
} bag_method;

/* ---- writing ---- */

typedef struct bag_members bag_members;

/* Where the packed bytes go, in order, on the thread of the caller. False ends it. */
typedef bool bag_put_fn(void *ctx, ct_str bytes, ct_err *err);

/* BAG_GZIPPED or BAG_ZSTD; packed by `jobs` threads. The bytes do not depend on their number. NULL
 * where no thread can be had. */
CT_USE bag_members *bag_members_new(bag_method method, int jobs, bag_put_fn *put, void *ctx,
                                    ct_err *err);
/* A member may end here: what comes next is what somebody would go to. */
CT_USE bool bag_members_may_cut(bag_members *m, ct_err *err);
CT_USE bool bag_members_put(bag_members *m, ct_str bytes, ct_err *err);
/* Bytes of the file so far, and those that are not packed yet. Not `exact`: without waiting for
 * members that are being packed, which count as what they hold. */
CT_USE bool bag_members_size(bag_members *m, bool exact, uint64_t *size, ct_err *err);
/* Writes what is left, and the table. */
CT_USE bool bag_members_end(bag_members *m, ct_err *err);
/* NULL is allowed. */
void bag_members_free(bag_members *m);

/* ---- the table ---- */

typedef struct bag_member {
    uint64_t at;    /* where it starts in the file */
    uint64_t start; /* where what it holds starts in the stream */
} bag_member;

/* The members in order; one more behind them tells where they end. */
typedef struct bag_table {
    bag_member *members;
    size_t n;
} bag_table;

/* Reads the table of a file. `t->n` 0 where it has none. False where it cannot be read (*err), or
 * has a table that is none of ours (CT_E_DATA). */
CT_USE bool bag_table_load(int fd, bag_method method, bag_table *t, ct_err *err);
void bag_table_free(bag_table *t);
/* Why the table of a container does not tell what it holds, or NULL, also where it has none; NULL
 * and `*err` filled where it cannot be read. */
const char *bag_members_complaint(const char *path, ct_err *err);

/* Reads `n` bytes at `at`; false where there are fewer, or (errno in `*sys`, else 0) it failed. */
bool bag_read_at(int fd, uint64_t at, void *to, size_t n, int *sys);

#endif
