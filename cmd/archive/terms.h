/* Until when the charts of a bag in the making are kept: create --schedule. */
#ifndef CHART_ARCHIVE_TERMS_H
#define CHART_ARCHIVE_TERMS_H

#include "cmd/archive/due.h"
#include "cmd/archive/versions.h"

/* All zero: no schedule was named, and nothing is said. */
typedef struct bag_terms {
    const char **names;
    size_t n;
    bag_schedule *schedule;
    bag_judge *judge;
    bag_term bag; /* of all charts of the bag so far */
} bag_terms;

/* `name` is borrowed. */
void bag_terms_name(bag_terms *t, const char *name);
/* Reads the schedules that were named; their files are entered among the versions in force. */
void bag_terms_load(bag_terms *t, const ct_date *today, bag_versions *v, bag_wrong_fn *wrong,
                    void *ctx);
/* The legal holds of a database count from now on. False where they cannot be read. */
CT_USE bool bag_terms_database(bag_terms *t, ct_db *db, ct_err *err);
/* That of a chart; on any thread. */
bag_term bag_terms_of(const bag_terms *t, const ct_chart *chart);
/* Retention-Class, Retention-Authority, Destroy-After and Legal-Holds into bag-info.txt; the next
 * bag begins. `incomplete`: records of any chart may be missing (bag_incomplete). */
void bag_terms_put(bag_terms *t, bool incomplete, bag_writer *w);
void bag_terms_free(bag_terms *t);

#endif
