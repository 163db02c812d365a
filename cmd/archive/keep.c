/* How long a chart must be kept: every class of a schedule is asked whether it applies, and from
 * which day it counts. A date that is vague counts to its end; one that is missing decides nothing.
 */
#include "cmd/archive/schedule.h"

/* The latest day that was found, or why there is none. */
struct latest {
    bool any, missing;
    int64_t day;
    const char *why;
    char where[32];
};

/* A chart under evaluation. */
struct subject {
    const bag_schedule *schedule;
    ct_chart *chart;
    ct_context context; /* of the chart; a class on records changes `doc` */
    struct latest care; /* take_care() */
    ct_arena *a;
};

static void take_day(struct latest *l, int64_t day)
{
    if (!l->any || day > l->day)
        l->day = day;
    l->any = true;
}

/* Once something is missing, no other date makes up for it. */
static void miss(struct latest *l, const char *why)
{
    if (!l->missing)
        l->why = why;
    l->missing = true;
}

static void take_where(char to[32], const ct_err *err)
{
    to[0] = '\0';
    if (err->kind != CT_OK && strlen(err->where) < 32)
        memcpy(to, err->where, strlen(err->where) + 1);
}

/* ---- the days of a record ---- */

static bool take_text(struct latest *l, ct_str text)
{
    ct_days d;

    if (!ct_days_parse(text, &d))
        return false;
    take_day(l, d.last);
    return true;
}

/* The last day of a time; where it ends before it begins, the later of the two. INT64_MAX where
 * neither is known. */
static int64_t last_day(const ct_span *span)
{
    if (span->until.last == INT64_MAX)
        return span->from.last;
    return span->until.last > span->from.first ? span->until.last : span->from.first;
}

/* The day of a record: when what it tells of ended, or began where that is not known; else when it
 * was entered. False where it has none. */
static bool take_record(const struct subject *s, struct latest *l, ct_str type, const ct_doc *doc)
{
    ct_times t = ct_times_of(s->schedule->model, type, doc, s->a);
    bool any = false;

    for (size_t i = 0; i < t.n; i++) {
        int64_t day = last_day(&t.v[i]);

        if (day != INT64_MAX) {
            take_day(l, day);
            any = true;
        }
    }
    return any || take_text(l, ct_text_at(doc, CT_ROOT, "meta.lastUpdated", s->a));
}

/* ---- stays and visits ---- */

static bool is_one_of(ct_str code, const char *const *codes)
{
    for (; *codes; codes++)
        if (ct_str_is(code, *codes))
            return true;
    return false;
}

/* A visit that is over: without an end, it ended on the day when it began. */
static bool is_visit(const ct_doc *doc, ct_str status, ct_arena *a)
{
    static const char *const visits[] = {"AMB", "VR", "HH", "FLD", NULL};

    return ct_str_is(status, "finished") &&
           is_one_of(ct_text_at(doc, CT_ROOT, "class.code", a), visits);
}

static void take_encounter(const struct subject *s, struct latest *l, const ct_doc *doc,
                           bool discharge)
{
    static const char *const void_[] = {"cancelled", "entered-in-error", NULL};
    static const char *const open[] = {"arrived", "triaged", "in-progress", "onleave", NULL};
    ct_str status = ct_text_at(doc, CT_ROOT, "status", s->a);
    ct_times t = ct_times_of(s->schedule->model, CT_S("Encounter"), doc, s->a);
    const ct_span *span = t.n ? &t.v[0] : NULL;

    if (is_one_of(status, void_))
        return;
    if (is_one_of(status, open))
        miss(l, "a stay or visit is not over");
    else if (span && span->until.last != INT64_MAX)
        take_day(l, last_day(span));
    else if (ct_str_is(status, "planned")) {
        if (span && span->from.last != INT64_MAX)
            take_day(l, span->from.last);
    } else if (!discharge && span && span->from.last != INT64_MAX && is_visit(doc, status, s->a))
        take_day(l, span->from.last);
    else
        miss(l, "a stay or visit has no end");
}

/* What is written about a chart, and not into it: that somebody looked at it is no entry. */
static bool is_about(ct_str type)
{
    static const char *const about[] = {"AuditEvent", "Provenance", "DetectedIssue", "Task",
                                        "Flag",       "Coverage",   "Account",       NULL};

    return is_one_of(type, about);
}

/* That a visit was agreed on does not tell that anybody came. */
static bool is_agreed(ct_str type)
{
    static const char *const agreed[] = {"Appointment", "AppointmentResponse", NULL};

    return is_one_of(type, agreed);
}

/* Care of which no stay or visit tells. What lasts beyond today, as a plan does, counts as of
 * today. */
static void take_care(struct subject *s)
{
    int64_t today = ct_date_days(&s->context.now);

    for (size_t i = 0; i < s->chart->n; i++) {
        const ct_record *rec = &s->chart->records[i];

        if (!ct_str_is(rec->type, "Encounter") && !is_about(rec->type) && !is_agreed(rec->type) &&
            !ct_times_of(s->schedule->model, rec->type, &rec->doc, s->a).timeless)
            (void)take_record(s, &s->care, rec->type, &rec->doc);
    }
    if (s->care.day > today)
        s->care.day = today;
}

static void take_encounters(const struct subject *s, struct latest *l, bool discharge)
{
    for (size_t i = 0; i < s->chart->n; i++)
        if (ct_str_is(s->chart->records[i].type, "Encounter"))
            take_encounter(s, l, &s->chart->records[i].doc, discharge);
    if (!l->any)
        miss(l, "there is no stay or visit in the chart");
    if (s->care.any)
        take_day(l, s->care.day);
}

/* ---- entries ---- */

static void take_entries(const struct subject *s, struct latest *l)
{
    for (size_t i = 0; i < s->chart->n; i++) {
        const ct_record *rec = &s->chart->records[i];

        if (ct_str_is(rec->type, "Encounter"))
            take_encounter(s, l, &rec->doc, false);
        else if (!is_about(rec->type) &&
                 !ct_times_of(s->schedule->model, rec->type, &rec->doc, s->a).timeless &&
                 !take_record(s, l, rec->type, &rec->doc))
            miss(l, "a record has no date");
    }
    if (!l->any)
        miss(l, "there is no entry in the chart");
}

/* ---- the person ---- */

static const ct_doc *patient(const struct subject *s)
{
    return s->chart->has_patient ? &s->chart->records[0].doc : NULL;
}

static void take_death(const struct subject *s, struct latest *l)
{
    const ct_doc *p = patient(s);

    if (!p)
        miss(l, "the Patient record is missing");
    else if (!take_text(l, ct_text_at(p, CT_ROOT, "deceasedDateTime", s->a)))
        miss(l, "there is no date of death");
}

static void take_birthday(const struct subject *s, struct latest *l, unsigned age)
{
    const ct_doc *p = patient(s);

    if (!p)
        miss(l, "the Patient record is missing");
    else if (!take_text(l, ct_text_at(p, CT_ROOT, "birthDate", s->a)))
        miss(l, "there is no birth date");
    else
        l->day = bag_period_end((bag_period){.months = 12 * age}, l->day);
}

/* ---- expressions ---- */

/* A record, a Period, or a date. */
static void take_item(const struct subject *s, struct latest *l, const ct_item *item)
{
    bool node = item->type == CT_I_NODE;
    ct_str text;

    if (node && item->node == CT_ROOT) {
        if (!take_record(s, l, ct_resource_type(item->doc), item->doc))
            miss(l, "a record has no date");
        return;
    }
    if (node && ct_type(item->doc, item->node) == CT_OBJECT)
        text = ct_text(item->doc, ct_member(item->doc, item->node, CT_S("end")), s->a);
    else
        text = ct_item_text(item, s->a);
    if (!take_text(l, text))
        miss(l, "a value is no date");
}

static void take_dates(struct subject *s, struct latest *l, const ct_path *p)
{
    ct_items items = {0};
    ct_err err = {0};

    s->context.unresolved = 0;
    if (!ct_path_eval(p, &s->context, &items, &err)) {
        miss(l, "the expression for the date fails");
        take_where(l->where, &err);
        return;
    }
    for (size_t i = 0; i < items.n; i++)
        take_item(s, l, &items.v[i]);
    if (s->context.unresolved)
        miss(l, "a reference does not resolve");
    else if (items.n == 0)
        miss(l, "there is no date to count from");
}

/* ---- classes ---- */

ct_truth bag_chart_test(const ct_path *p, ct_context *c, const char **why, char where[32])
{
    ct_err err = {0};
    ct_truth truth;

    c->unresolved = 0;
    truth = ct_path_test(p, c, &err);
    if (truth != CT_UNDECIDED)
        return truth;
    *why = err.kind != CT_OK ? "it may apply: the expression fails"
           : c->unresolved   ? "it may apply: a reference does not resolve"
                             : "it may apply: an element is missing or too vague";
    take_where(where, &err);
    return truth;
}

static void trigger(struct subject *s, const bag_class *c, const ct_record *rec, struct latest *l)
{
    switch (c->from) {
    case BAG_LAST_ENCOUNTER:
        take_encounters(s, l, false);
        break;
    case BAG_DISCHARGE:
        take_encounters(s, l, true);
        break;
    case BAG_LAST_ENTRY:
        take_entries(s, l);
        break;
    case BAG_DEATH:
        take_death(s, l);
        break;
    case BAG_BIRTH:
        take_birthday(s, l, c->age);
        break;
    case BAG_CREATION:
        if (!take_record(s, l, rec->type, &rec->doc))
            miss(l, "a record has no date");
        break;
    case BAG_LATEST:
        take_dates(s, l, c->dates);
        break;
    }
}

/* Does the class apply to the record (or, by its first one, to the chart), and from when does it
 * count? */
static void ask(struct subject *s, bag_kept *k, const ct_record *rec, struct latest *l)
{
    const bag_class *c = k->class;
    ct_truth truth = CT_TRUE_;

    s->context.doc = &rec->doc;
    s->context.node = CT_ROOT;
    if (c->where)
        truth = bag_chart_test(c->where, &s->context, &k->why, k->where);
    if (truth == CT_FALSE_)
        return;
    if (k->applies != CT_TRUE_)
        k->applies = truth;
    if (!c->keep.permanent)
        trigger(s, c, rec, l);
}

static bag_kept keep_class(struct subject *s, const bag_class *c)
{
    bag_kept k = {.class = c, .applies = CT_FALSE_};
    struct latest l = {0};

    if (!c->type.n)
        ask(s, &k, &s->chart->records[0], &l);
    for (size_t i = 0; c->type.n && i < s->chart->n; i++)
        if (ct_str_eq(s->chart->records[i].type, c->type))
            ask(s, &k, &s->chart->records[i], &l);
    if (k.applies == CT_FALSE_)
        return (bag_kept){.class = c, .applies = CT_FALSE_};
    if (k.applies == CT_TRUE_)
        k.why = NULL;
    if (l.missing) {
        k.why = l.why;
        memcpy(k.where, l.where, sizeof(k.where));
        return k;
    }
    k.dated = true;
    k.from = l.day;
    k.until = c->keep.permanent ? BAG_NEVER : bag_period_end(c->keep, l.day);
    return k;
}

/* ---- the chart ---- */

ct_context bag_chart_context(ct_chart *chart, const ct_date *today, ct_arena *a)
{
    const ct_model *m = ct_model_r4();
    ct_context c = {.model = m,
                    .arena = a,
                    .doc = &chart->records[0].doc,
                    .node = CT_ROOT,
                    .now = *today,
                    .resolve = ct_chart_resolve,
                    .resolve_ctx = chart,
                    .chart = ct_chart_items(chart, m, a)};

    c.chart_types = ct_items_by_type(c.chart, a, &c.nchart_types);
    return c;
}

/* The longest wins; what is not dated leaves it open. */
static void sum_up(bag_keeping *k)
{
    bool any = false;

    for (size_t i = 0; i < k->n; i++) {
        const bag_kept *one = &k->v[i];

        any |= one->applies != CT_FALSE_;
        k->undecided |= one->applies != CT_FALSE_ && !one->dated;
        if (one->dated && (!k->longest || one->until > k->longest->until))
            k->longest = one;
    }
    k->undecided |= !any;
    if (k->longest)
        k->until = k->longest->until;
    if (k->until == BAG_NEVER)
        k->undecided = false;
}

bag_keeping bag_keep(const bag_schedule *schedule, const ct_chart *chart, const ct_date *today,
                     ct_arena *a)
{
    ct_chart current = ct_chart_current(chart, NULL);
    bag_kept *v = ct_arena_alloc(a, (schedule->n + 1) * sizeof(*v));
    struct subject s = {.schedule = schedule, .chart = &current, .a = a};
    bag_keeping k = {.v = v, .n = schedule->n};

    s.context = bag_chart_context(&current, today, a);
    take_care(&s);
    for (size_t i = 0; i < schedule->n; i++)
        v[i] = keep_class(&s, &schedule->v[i]);
    sum_up(&k);
    return k;
}
