/* Text that is written while a bag grows and read back once, with its checksums: a manifest. It is
 * kept in a file in $TMPDIR that has no name.
 */
#ifndef CHART_ARCHIVE_SPOOL_H
#define CHART_ARCHIVE_SPOOL_H

#include "cmd/archive/bagit.h"

typedef struct bag_spool bag_spool;

CT_USE bag_spool *bag_spool_new(ct_err *err);
CT_USE bool bag_spool_put(bag_spool *s, ct_str text, ct_err *err);
uint64_t bag_spool_size(const bag_spool *s);
/* Reads from the start, `*got` 0 at the end; nothing is put any more. */
CT_USE bool bag_spool_read(bag_spool *s, char *to, size_t cap, size_t *got, ct_err *err);
void bag_spool_free(bag_spool *s);

#endif
