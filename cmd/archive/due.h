/* May a chart be retired, may it be destroyed? The schedule, legal holds, and what is open in it.
 */
#ifndef CHART_ARCHIVE_DUE_H
#define CHART_ARCHIVE_DUE_H

#include "cmd/archive/schedule.h"
#include "cmd/archive/watch.h"

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
    bool held;   /* a legal hold is on it, or may be */
    ct_str *why; /* what stops it, or at least one reason why nothing does */
    size_t nwhy;
} bag_judgement;

/* What charts are judged by; read-only while threads use it. */
typedef struct bag_judge bag_judge;

/* `schedule` is borrowed. */
bag_judge *bag_judge_new(const bag_schedule *schedule, const ct_date *today);
/* From now on the legal holds and open disclosures of a database count as well; they are read now.
 * False where that cannot be done. */
CT_USE bool bag_judge_database(bag_judge *j, ct_db *db, ct_err *err);
/* NULL where there is no database. */
const bag_watch *bag_judge_watch(const bag_judge *j);
void bag_judge_free(bag_judge *j);
/* Why a chart may lack some of its records, or NULL: records of the input could not be read, or it
 * is not known whose they are (ct_charts_unplaced). */
const char *bag_incomplete(uint64_t unread, uint64_t unplaced);
/* Judges a chart, which may lack records (`incomplete`: bag_incomplete). All is in `a`. */
bag_judgement bag_judge_chart(const bag_judge *j, const ct_chart *chart, const char *incomplete,
                              ct_arena *a);

/* ---- the term of a bag: the longest of its charts' (term.c) ---- */

typedef struct bag_term {
    bool any; /* a chart was judged */
    bool undecided;
    int64_t until;          /* the last day of keeping, BAG_NEVER */
    const bag_class *class; /* that decides; of the schedule; or NULL */
    uint64_t held;          /* charts with a legal hold */
} bag_term;

/* That of one chart. */
bag_term bag_term_of(const bag_judgement *j);
void bag_term_join(bag_term *t, const bag_term *other);
/* Appends the first day on which it may be destroyed as far as the schedule goes, or `never` or
 * `undecided`. */
void bag_term_put(ct_buf *b, const bag_term *t);

#endif
