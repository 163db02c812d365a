/* chart archive due --bags: what the catalogue says of its bags. */
#ifndef CHART_ARCHIVE_DUE_BAGS_H
#define CHART_ARCHIVE_DUE_BAGS_H

#include "cmd/archive/due.h"
#include "common/cli/cli.h"

/* Writes a line for each bag that is kept, or whose destruction has begun; the number of those that
 * may be destroyed as far as the catalogue knows. The judge has a database. */
uint64_t bag_due_bags(ct_cli *c, ct_db *db, const bag_judge *judge, bool ndjson);

#endif
