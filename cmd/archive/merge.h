/* A whole bag out of two that may both be damaged, file by file, however they are packed. */
#ifndef CHART_ARCHIVE_MERGE_H
#define CHART_ARCHIVE_MERGE_H

#include "common/base/base.h"

typedef struct bag_merge {
    const char *bags[2]; /* the damaged bag, and the copy */
    const char *place;   /* an empty folder to work in, on the disk where `out` is */
    const char *out;     /* the new bag, whose name tells how it is packed; in `place` */
    int jobs;
    uint64_t missing; /* files that are right in neither of them, where that is why it failed */
} bag_merge;

/* Every file of the new bag is in one of the two with the checksums that the manifests of one of
 * them ask for, and these manifests have those of its tag manifests. False, with CT_E_DATA, where
 * that cannot be. */
CT_USE bool bag_merge_run(bag_merge *m, ct_err *err);

#endif
