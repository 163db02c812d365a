/* May a bag be destroyed? Its charts are read out of a copy that proves whole, and each is judged
 * as `due` does: by the schedule as it is today, legal holds, what is open.
 */
#ifndef CHART_ARCHIVE_CLEARANCE_H
#define CHART_ARCHIVE_CLEARANCE_H

#include "cmd/archive/due.h"
#include "cmd/archive/key.h"
#include "common/store/store.h"

/* Why charts may not go, and how many of them; 0: it is about the bag. */
typedef struct bag_bar {
    ct_str why;
    uint64_t charts;
} bag_bar;

typedef struct bag_clearance {
    ct_arena *arena;
    uint64_t charts; /* looked at */
    bag_bar *bars;   /* none: all of it may go. A chart may have several */
    size_t n;
    uint64_t more; /* reasons of charts that are not among them: there are too many */
    /* what decided of the charts, for the certificate: of the one that is kept longest */
    ct_str class, authority;
    int64_t until; /* the last day of keeping of all */
} bag_clearance;

/* Reads the copy at `path` (by one of the keys where it is encrypted), which must be valid and the
 * bag of that identity (hex). False where that cannot be done: CT_E_DATA where the copy is not what
 * it was. `c` is all zero or used before.
 */
CT_USE bool bag_clear(bag_clearance *c, const char *path, const char *identity,
                      const bag_judge *judge, int jobs, const bag_keys *keys, ct_err *err);
/* Then what the catalogue says of other bags (bag_later). */
CT_USE bool bag_clear_later(bag_clearance *c, ct_db *db, ct_str hash, const ct_date *today,
                            ct_err *err);
void bag_clearance_free(bag_clearance *c);

#endif
