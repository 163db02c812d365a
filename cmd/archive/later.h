/* Bags of the catalogue by the day from which they may be destroyed, and what later bags have to do
 * with it: a patient's chart is kept as a whole, from the last treatment on.
 */
#ifndef CHART_ARCHIVE_LATER_H
#define CHART_ARCHIVE_LATER_H

#include "common/fhir/fhir.h"
#include "common/store/store.h"

/* Is it a day (not `never`, `undecided`, or less than a day), and reached? */
bool bag_day_reached(ct_str destroy_after, const ct_date *today);
/* Is a later chart of one of the bag's patients, or of somebody linked with them, in another bag
 * that is not destroyed and whose own day is not reached? `*why` then says in which (in `a`), else
 * it is empty. */
CT_USE bool bag_later(ct_db *db, ct_str hash, const ct_date *today, ct_arena *a, ct_str *why,
                      ct_err *err);

#endif
