/* Work on numbered pieces by several threads, in any order. */
#ifndef CHART_ARCHIVE_CREW_H
#define CHART_ARCHIVE_CREW_H

#include "common/base/base.h"

typedef struct bag_crew {
    int jobs;
    uint64_t pieces;
    size_t room; /* bytes that each thread has for itself */
    bool (*each)(void *ctx, uint64_t piece, uint8_t *room, ct_err *err); /* on any thread */
    void *ctx;
    void (*progress)(void *ctx, uint64_t pieces); /* on the calling thread; may be NULL */
    void *progress_ctx;
} bag_crew;

/* False where one failed: its error, and no more are begun. */
CT_USE bool bag_crew_run(const bag_crew *crew, ct_err *err);

#endif
