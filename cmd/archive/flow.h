/* The records of a bag as a stream that charts are read from: a thread reads the bag from one end
 * to the other and writes its records into a pipe.
 */
#ifndef CHART_ARCHIVE_FLOW_H
#define CHART_ARCHIVE_FLOW_H

#include "cmd/archive/identity.h"
#include "common/stream/stream.h"

typedef struct bag_flow bag_flow;

/* Starts reading the bag at `path`; `keys` is for one that is encrypted (both borrowed). */
CT_USE bag_flow *bag_flow_open(const char *path, int jobs, const bag_keys *keys, ct_err *err);
/* Its records: what is nobody's first, then chart by chart. Borrowed. */
ct_blocks *bag_flow_blocks(bag_flow *f);
/* To be called when all was read, or nothing more is wanted. True where all of the bag went by and
 * it is valid; `identity` (room for 65 bytes) tells which one it is, `*foreign` how many files of
 * its payload are no records (bag_check_foreign). What is wrong with it is CT_E_DATA. Frees it
 * whatever the result. */
CT_USE bool bag_flow_close(bag_flow *f, char *identity, uint64_t *foreign, ct_err *err);

#endif
