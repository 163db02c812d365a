/* May a chart be retired, may it be destroyed? The schedule, legal holds, and what is open in it.
 */
#ifndef CHART_ARCHIVE_DUE_H
#define CHART_ARCHIVE_DUE_H

#include "cmd/archive/schedule.h"

typedef enum bag_may {
    BAG_MAY_DESTROY, /* the last day of keeping is over, and nothing stops it */
    BAG_MAY_RETIRE,  /* it must be kept, but nothing in it is open */
    BAG_MAY_NOT,     /* something in it is open: a stay, a deficiency, a request */
} bag_may;

/* `destroy`, `retire`, `keep`. */
extern const char *const bag_may_word[];

typedef struct bag_judgement {
    bag_may may;
    bag_keeping keeping;
    ct_str *why; /* at least one reason */
    size_t nwhy;
} bag_judgement;

/* What charts are judged by; read-only while threads use it. */
typedef struct bag_judge bag_judge;

/* `schedule` is borrowed. */
bag_judge *bag_judge_new(const bag_schedule *schedule, const ct_date *today);
void bag_judge_free(bag_judge *j);
/* Judges a chart. `incomplete`: records of the input could not be read, and might be this chart's.
 * All is in `a`. */
bag_judgement bag_judge_chart(const bag_judge *j, const ct_chart *chart, bool incomplete,
                              ct_arena *a);

#endif
