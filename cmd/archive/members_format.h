/* What members.c and members_table.c share. */
#ifndef CHART_ARCHIVE_MEMBERS_FORMAT_H
#define CHART_ARCHIVE_MEMBERS_FORMAT_H

#include "cmd/archive/members.h"

/* Little endian. */
void bag_put32(ct_buf *b, uint32_t n);
/* Appends the table as it stands at the end of the file; `sizes` is a pair of 32-bit numbers for
 * each member. */
void bag_table_put(ct_buf *b, bag_method method, ct_str sizes);

#endif
