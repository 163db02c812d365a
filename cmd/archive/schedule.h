/* Retention schedules (chart-retention(5)): how long a chart must be kept, and by what rule.
 *
 *     .retention files --schedule.c, period.c--> classes --keep.c--> how long this chart is kept
 *
 * Days are numbers since 1970-01-01. Three answers, never two: a class applies to a chart, does not
 * apply, or may; and what it is counted from is known or not. What is not known never shortens.
 */
#ifndef CHART_ARCHIVE_SCHEDULE_H
#define CHART_ARCHIVE_SCHEDULE_H

#include "common/stream/stream.h"

/* ---- periods (period.c) ---- */

/* `5 years`, `18 months`, `30 days`. */
typedef struct bag_period {
    uint32_t months, days;
    bool permanent;
} bag_period;

/* `N days|weeks|months|years` or `permanent`. */
CT_USE bool bag_period_parse(ct_str text, bag_period *p);
/* The last day of a period that is counted from `day`, which is not in it: five years from
 * 2020-03-10 end with 2025-03-10. A day that the last month does not have is the first of the next:
 * five years from 2020-02-29 end with 2025-03-01. BAG_NEVER for a permanent one, and after the year
 * 9999. */
int64_t bag_period_end(bag_period p, int64_t day);
#define BAG_NEVER INT64_MAX

/* ---- schedules (schedule.c) ---- */

typedef enum bag_trigger {
    BAG_LAST_ENCOUNTER, /* the last stay or visit; one without an end counts by its start */
    BAG_DISCHARGE,      /* the end of the last stay or visit */
    BAG_LAST_ENTRY,     /* the last that was entered into the chart */
    BAG_DEATH,
    BAG_BIRTH, /* or a birthday */
    BAG_CREATION,
    BAG_LATEST, /* of the dates, or of the records, that an expression gives */
} bag_trigger;

/* A file of a schedule. */
typedef struct bag_pack {
    ct_str name, version, title;
    char hash[2 * CT_SHA256_LEN + 1]; /* SHA-256 of its text */
} bag_pack;

typedef struct bag_class {
    ct_str name, title, jurisdiction, authority, reviewed;
    ct_str keep_text, from_text; /* as they stand in the file */
    size_t pack;
    ct_str type;    /* of the records it is about; empty: the chart */
    ct_path *where; /* NULL: always */
    bag_period keep;
    bag_trigger from;
    unsigned age;   /* with BAG_BIRTH: which birthday */
    ct_path *dates; /* with BAG_LATEST */
} bag_class;

typedef struct bag_schedule {
    ct_arena *arena;
    const ct_model *model;
    bag_class *v;
    size_t n, cap;
    bag_pack *packs;
    size_t npacks;
} bag_schedule;

/* Told of everything that is wrong in schedule files: `err` has file, line and column. */
typedef void bag_wrong_fn(void *ctx, const ct_err *err);

/* Reads schedules: a file where a name has a slash or a dot, else one that is built in; what they
 * include too, each once; `federal` where none is named. What is wrong is told to `wrong`, and
 * nothing must be decided by what comes back then. Free it. */
bag_schedule *bag_schedule_load(const char *const *names, size_t n, bag_wrong_fn *wrong, void *ctx);
void bag_schedule_free(bag_schedule *s);
/* Is the schedule of that name in it? */
bool bag_schedule_has(const bag_schedule *s, const char *name);
/* Appends a line for each file in force: name, version, SHA-256, with tabs. */
void bag_schedule_put_packs(ct_buf *b, const bag_schedule *s);
/* Appends a line for each class: name, keep, from, jurisdiction, authority, reviewed, title, with
 * tabs. */
void bag_schedule_put_classes(ct_buf *b, const bag_schedule *s);
/* The text of a schedule that is built in, or a NULL slice. */
ct_str bag_schedule_shipped(const char *name);

/* ---- how long a chart is kept (keep.c) ---- */

/* What a class says of a chart. */
typedef struct bag_kept {
    const bag_class *class;
    ct_truth applies; /* CT_FALSE_: nothing else is set */
    bool dated;       /* `from` and `until` are known */
    int64_t from;     /* the day it is counted from: the last that it may mean */
    int64_t until;    /* the last day of keeping, BAG_NEVER */
    const char *why;  /* it may apply, or is not dated: constant text, or NULL */
    char where[32];   /* the column of an expression that failed, or empty */
} bag_kept;

typedef struct bag_keeping {
    const bag_kept *v; /* one for each class of the schedule */
    size_t n;
    const bag_kept *longest; /* the dated one that is kept longest, or NULL */
    bool undecided;          /* some class that applies or may has no date, or none applies */
    int64_t until;           /* the last day of keeping as far as it is known; BAG_NEVER */
} bag_keeping;

/* Evaluates all classes on a chart as it stands; `today` is today(). In `a`. */
bag_keeping bag_keep(const bag_schedule *s, const ct_chart *chart, const ct_date *today,
                     ct_arena *a);
/* An expression about a chart, evaluated on its first record, as classes and holds are. `*why`
 * becomes the reason where that is not decided. */
ct_truth bag_chart_test(const ct_path *p, ct_context *c, const char **why, char where[32]);
/* The context in which a chart's expressions are evaluated; it borrows all. */
ct_context bag_chart_context(ct_chart *chart, const ct_date *today, ct_arena *a);

#endif
