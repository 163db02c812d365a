/* Judges a chart: what the schedule says, and what stops it whatever that says. */
#include "cmd/archive/due.h"
#include "cmd/archive/topics.h"

#include <stdlib.h>

const char *const bag_may_word[] = {
    [BAG_MAY_DESTROY] = "destroy", [BAG_MAY_RETIRE] = "retire", [BAG_MAY_NOT] = "keep"};

/* What may stand in a chart that stops it. A status that is missing does not close anything. */
static const struct stop {
    const char *expression, *why;
    bool hold; /* it may be retired, and not destroyed */
} stops[] = {
    {"%chart.ofType(Flag).where(status.where($this in ('inactive' | 'entered-in-error')).empty() "
     "and "
     "(code.text | code.coding.display | code.coding.code | category.text | "
     "category.coding.display | category.coding.code)"
     ".where(lower().matches('(legal|litigation|evidence)[^a-z]*hold|do not destroy')).exists())"
     ".exists()",
     "legal hold: a flag in the chart", true},
    {"%chart.ofType(Encounter).where(status in ('arrived' | 'triaged' | 'in-progress' | "
     "'onleave')).exists()",
     "open: a stay or visit is not over", false},
    {"%chart.ofType(Encounter).where(status = 'planned' and (period.start.empty() or period.start "
     ">= "
     "today())).exists()",
     "open: a stay or visit that is planned", false},
    {"%chart.ofType(EpisodeOfCare).where(status in ('planned' | 'waitlist' | 'active' | 'onhold') "
     "and "
     "(period.end.empty() or period.end >= today())).exists()",
     "open: an episode of care that is not over", false},
    {"%chart.ofType(Appointment).where(status in ('proposed' | 'pending' | 'booked' | 'arrived' | "
     "'checked-in' | 'waitlist') and (start.empty() or start >= today())).exists()",
     "open: an appointment", false},
    {"%chart.ofType(Task).where(status.where($this in ('completed' | 'cancelled' | "
     "'entered-in-error')).empty()).exists()",
     "open: a task that is not completed", false},
    /* chart audit says in `mitigation` who must act; a date says that it was done. */
    {"%chart.ofType(DetectedIssue).where(status.where($this in ('cancelled' | "
     "'entered-in-error')).empty() and mitigation.where(date.exists()).empty()).exists()",
     "open: a finding that is not mended", false},
};

struct bag_judge {
    const bag_schedule *schedule;
    ct_date today;
    ct_path *stops[CT_LEN(stops)];
    bag_watch *watch; /* NULL: no database */
};

bag_judge *bag_judge_new(const bag_schedule *schedule, const ct_date *today)
{
    bag_judge *j = ct_calloc(1, sizeof(*j));

    j->schedule = schedule;
    j->today = *today;
    for (size_t i = 0; i < CT_LEN(stops); i++)
        j->stops[i] = ct_path_compile(ct_model_r4(), ct_str_z(stops[i].expression), NULL);
    return j;
}

bool bag_judge_database(bag_judge *j, ct_db *db, ct_err *err)
{
    bag_watch_free(j->watch);
    j->watch = bag_watch_read(db, err);
    return j->watch != NULL;
}

const bag_watch *bag_judge_watch(const bag_judge *j)
{
    return j->watch;
}

void bag_judge_free(bag_judge *j)
{
    if (!j)
        return;
    bag_watch_free(j->watch);
    for (size_t i = 0; i < CT_LEN(stops); i++)
        ct_path_free(j->stops[i]);
    free(j);
}

/* A chart being judged. */
struct trial {
    const bag_judge *judge;
    bag_judgement due;
    size_t cap;
    ct_arena *a;
};

static void because(struct trial *t, ct_str why)
{
    bag_judgement *d = &t->due;

    for (size_t i = 0; i < d->nwhy; i++)
        if (ct_str_eq(d->why[i], why))
            return;
    if (d->nwhy == t->cap) {
        ct_str *more = ct_arena_alloc(t->a, (t->cap ? 2 * t->cap : 8) * sizeof(*more));

        if (d->nwhy)
            memcpy(more, d->why, d->nwhy * sizeof(*more));
        d->why = more;
        t->cap = t->cap ? 2 * t->cap : 8;
    }
    d->why[d->nwhy++] = why;
}

static void at_most(struct trial *t, bag_may may)
{
    if (may > t->due.may)
        t->due.may = may;
}

static void because_class(struct trial *t, const bag_kept *k)
{
    because(t, ct_arena_printf(t->a, "%.*s: %s%s%s", (int)k->class->name.n, k->class->name.p,
                               k->why, k->where[0] ? ", " : "", k->where));
}

/* ---- the schedule ---- */

static void judge_undecided(struct trial *t)
{
    const bag_keeping *k = &t->due.keeping;
    bool any = false;

    at_most(t, BAG_MAY_RETIRE);
    for (size_t i = 0; i < k->n; i++)
        if (k->v[i].applies != CT_FALSE_ && !k->v[i].dated) {
            because_class(t, &k->v[i]);
            any = true;
        }
    if (!any)
        because(t, CT_S("no class of the schedule applies"));
}

static void because_until(struct trial *t, const char *what)
{
    ct_buf b = {0};

    ct_buf_z(&b, what);
    bag_day_put(&b, t->due.keeping.until);
    because(t, ct_arena_copy(t->a, ct_buf_str(&b)));
    ct_buf_free(&b);
}

static void judge_dated(struct trial *t)
{
    const bag_keeping *k = &t->due.keeping;

    if (k->until < ct_date_days(&t->judge->today))
        return;
    at_most(t, BAG_MAY_RETIRE);
    if (k->until == BAG_NEVER)
        because(t, CT_S("to be kept for ever"));
    else
        because_until(t, "to be kept until ");
    if (k->longest->applies != CT_TRUE_)
        because_class(t, k->longest);
}

const char *bag_incomplete(uint64_t unread, uint64_t unplaced)
{
    if (unread)
        return "records of the input cannot be read, and may be of this chart";
    return unplaced ? "records name their patient by no id, and may be of this chart" : NULL;
}

static void judge_schedule(struct trial *t, const ct_chart *chart, const char *incomplete)
{
    t->due.keeping = bag_keep(t->judge->schedule, chart, &t->judge->today, t->a);
    if (t->due.keeping.undecided)
        judge_undecided(t);
    else
        judge_dated(t);
    if (incomplete) {
        at_most(t, BAG_MAY_RETIRE);
        because(t, ct_str_z(incomplete));
    }
}

/* ---- what stops it ---- */

static void stop(void *ctx, bool hold, ct_str why)
{
    struct trial *t = ctx;

    at_most(t, hold ? BAG_MAY_RETIRE : BAG_MAY_NOT);
    t->due.held |= hold;
    because(t, why);
}

static void judge_stops(struct trial *t, ct_context *c)
{
    for (size_t i = 0; i < CT_LEN(stops); i++) {
        const char *undecided;
        char where[32];
        ct_truth truth = bag_chart_test(t->judge->stops[i], c, &undecided, where);

        if (truth != CT_FALSE_)
            stop(t, stops[i].hold,
                 truth == CT_TRUE_ ? ct_str_z(stops[i].why)
                                   : ct_arena_printf(t->a, "%s, or not", stops[i].why));
    }
}

bag_judgement bag_judge_chart(const bag_judge *j, const ct_chart *chart, const char *incomplete,
                              ct_arena *a)
{
    struct trial t = {.judge = j, .a = a};
    ct_chart current = ct_chart_current(chart, NULL);
    ct_context c = bag_chart_context(&current, &j->today, a);

    judge_schedule(&t, chart, incomplete);
    judge_stops(&t, &c);
    if (j->watch)
        bag_watch_chart(j->watch, &current, &c, stop, &t);
    if (t.due.may == BAG_MAY_DESTROY)
        because_until(&t, "was to be kept until ");
    return t.due;
}
