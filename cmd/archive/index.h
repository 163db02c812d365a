/* charts.tsv: which chart is where in a bag, how much it is, which days it covers, and when it may
 * be destroyed. */
#ifndef CHART_ARCHIVE_INDEX_H
#define CHART_ARCHIVE_INDEX_H

#include "cmd/archive/topics.h"
#include "cmd/archive/writer.h"

typedef struct bag_index bag_index;

bag_index *bag_index_new(void);
/* Days that records cover which are nobody's chart. */
void bag_index_cover(bag_index *x, const bag_span *span);
/* `destroy_after` is empty where no schedule said. */
CT_USE bool bag_index_chart(bag_index *x, ct_str path, ct_str id, uint64_t records, uint64_t bytes,
                            const bag_span *span, ct_str destroy_after, ct_err *err);
/* Puts it into the bag, with the days that all records cover as Date-Range in bag-info.txt. */
CT_USE bool bag_index_put(bag_index *x, bag_writer *w, ct_err *err);
void bag_index_free(bag_index *x);

/* Appends text that may come from outside as the cell of a table: control characters as `?`. */
void bag_cell_put(ct_buf *to, ct_str text);

#endif
