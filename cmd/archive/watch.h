/* What a database says of charts: legal holds in force, and disclosures that are not over. */
#ifndef CHART_ARCHIVE_WATCH_H
#define CHART_ARCHIVE_WATCH_H

#include "common/store/store.h"

typedef struct bag_watch bag_watch;

/* Reads all of it; threads may share it. NULL where that cannot be done: the holds are not what the
 * log of custody says (CT_E_DATA), or the condition of one is none. */
CT_USE bag_watch *bag_watch_read(ct_db *db, ct_err *err);
void bag_watch_free(bag_watch *w);

/* Told of what stops a chart, or may: a legal hold, or else something that is open. */
typedef void bag_stop_fn(void *ctx, bool hold, ct_str why);
/* By the lists of patients. */
void bag_watch_patient(const bag_watch *w, ct_str patient, bag_stop_fn *each, void *ctx);
/* By lists, of the chart's own id and of those that its Patient is linked with or its records are
 * about as well, and by conditions; the same reason may come again. `c` as of bag_chart_context. */
void bag_watch_chart(const bag_watch *w, const ct_chart *chart, ct_context *c, bag_stop_fn *each,
                     void *ctx);
/* The holds by condition, which only the records can decide: their matters. */
void bag_watch_conditions(const bag_watch *w, ct_arena *a, bag_stop_fn *each, void *ctx);

#endif
