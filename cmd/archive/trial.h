/* Whom does the condition of a hold take in? It is asked of charts, as it will be when somebody is
 * about to destroy them.
 */
#ifndef CHART_ARCHIVE_TRIAL_H
#define CHART_ARCHIVE_TRIAL_H

#include "cmd/archive/archive.h"
#include "common/fhirpath/fhirpath.h"

typedef struct bag_trial {
    uint64_t charts;    /* that were read */
    uint64_t held;      /* of those: it is true */
    uint64_t undecided; /* it may be, and they are held as well */
} bag_trial;

/* Tries it on the charts of a file of records (`-` is stdin). What is wrong with the file is
 * reported, and in the exit status. */
bag_trial bag_trial_run(ct_cli *c, const ct_path *condition, const char *file);

#endif
