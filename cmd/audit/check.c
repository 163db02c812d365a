/* Checks charts against rules. Three outcomes: passed, a finding, or undecided; whether a rule
 * applies at all may be undecided too, and then so is the outcome. */
#include "cmd/audit/audit.h"

#include <stdlib.h>

void audit_checker_start(audit_checker *k, const audit_rules *rules, ct_date today)
{
    *k = (audit_checker){.rules = rules, .today = today};
    k->arena = ct_arena_new();
    k->scratch = ct_arena_new();
    k->counts = ct_calloc(rules->n ? rules->n : 1, sizeof(*k->counts));
}

void audit_checker_stop(audit_checker *k)
{
    ct_arena_free(k->arena);
    ct_arena_free(k->scratch);
    free(k->counts);
    free(k->findings);
}

/* A rule on a record, under way. */
struct trial {
    audit_checker *k;
    const audit_rule *rule;
    const ct_record *record;
    ct_context context;
    const char *why; /* set where something could not be decided */
    char where[32];
};

static void undecided(struct trial *t, const char *what, const ct_err *err)
{
    t->why = what;
    t->where[0] = '\0';
    if (err && err->kind != CT_OK && strlen(err->where) < sizeof(t->where))
        memcpy(t->where, err->where, strlen(err->where) + 1);
}

static ct_truth test(struct trial *t, const ct_path *p, bool guard)
{
    ct_err err = {0};
    ct_truth truth;

    t->context.unresolved = 0;
    truth = ct_path_test(p, &t->context, &err);
    if (truth != CT_UNDECIDED)
        return truth;
    if (err.kind != CT_OK)
        undecided(t,
                  guard ? "whether the rule applies: the expression fails"
                        : "the expression fails on this record",
                  &err);
    else if (t->context.unresolved)
        undecided(t,
                  guard ? "whether the rule applies: a reference does not resolve"
                        : "a reference does not resolve",
                  NULL);
    else
        undecided(t,
                  guard ? "whether the rule applies: an element is missing or too vague"
                        : "an element is missing or too vague",
                  NULL);
    return CT_UNDECIDED;
}

/* The one date that an expression gives; false where there is none, several, or no date. */
static bool date_of(struct trial *t, const ct_path *p, ct_date *d)
{
    ct_items items = {0};
    ct_err err = {0};

    return ct_path_eval(p, &t->context, &items, &err) && items.n == 1 &&
           ct_date_parse(ct_item_text(&items.v[0], t->k->scratch), d);
}

/* Did the rule hold on the date of service? */
static ct_truth in_force(struct trial *t)
{
    const audit_holds *h = &t->rule->holds;
    ct_date service;
    int from = 1, to = -1;

    if (!h->at)
        return CT_TRUE_;
    if (!date_of(t, h->at, &service)) {
        undecided(t, "whether the rule held: no date of service", NULL);
        return CT_UNDECIDED;
    }
    if (service.precision > CT_P_DAY) /* rules begin and end by the day, wherever it was written */
        service = (ct_date){.precision = CT_P_DAY,
                            .year = service.year,
                            .month = service.month,
                            .day = service.day};
    if (h->from.precision)
        from = ct_date_cmp(&service, &h->from);
    if (h->to.precision)
        to = ct_date_cmp(&service, &h->to);
    if (from < 0 || to == 1)
        return CT_FALSE_;
    if (from != CT_DATE_UNDECIDED && to != CT_DATE_UNDECIDED)
        return CT_TRUE_;
    undecided(t, "whether the rule held: the date of service is too vague", NULL);
    return CT_UNDECIDED;
}

static ct_truth applies(struct trial *t)
{
    ct_truth guard = t->rule->guard ? test(t, t->rule->guard, true) : CT_TRUE_;

    return guard == CT_TRUE_ ? in_force(t) : guard;
}

/* Who must mend it: the reference that the owner expression gives, as written. */
static ct_str owner_of(struct trial *t)
{
    ct_items items = {0};
    ct_err err = {0};
    const ct_item *item;
    ct_val text;

    if (!t->rule->owner || !ct_path_eval(t->rule->owner, &t->context, &items, &err) || items.n == 0)
        return (ct_str){"", 0};
    item = &items.v[0];
    if (item->type != CT_I_NODE)
        return ct_arena_copy(t->k->arena, ct_item_text(item, t->k->scratch));
    text = ct_type(item->doc, item->node) == CT_OBJECT
               ? ct_member(item->doc, item->node, CT_S("reference"))
               : item->node;
    if (text == CT_NONE)
        return (ct_str){"", 0};
    return ct_arena_copy(t->k->arena, ct_text(item->doc, text, t->k->scratch));
}

static ct_date due_of(struct trial *t)
{
    ct_date from;

    if (!t->rule->due.from || !date_of(t, t->rule->due.from, &from) || from.precision < CT_P_DAY)
        return (ct_date){0};
    return audit_hours_after(&from, t->rule->due.hours);
}

static void add_finding(struct trial *t, bool is_undecided)
{
    audit_checker *k = t->k;
    audit_finding *f;

    if (k->n == k->cap) {
        k->cap = k->cap ? 2 * k->cap : 32;
        k->findings = ct_realloc(k->findings, k->cap, sizeof(*k->findings));
    }
    f = &k->findings[k->n++];
    *f = (audit_finding){.rule = t->rule, .record = t->record, .undecided = is_undecided};
    if (is_undecided) {
        f->why = t->why;
        memcpy(f->where, t->where, sizeof(f->where));
    }
    f->owner = owner_of(t);
    f->due = due_of(t);
}

static void try_rule(struct trial *t)
{
    audit_count *count = &t->k->counts[t->rule - t->k->rules->v];
    ct_truth truth = applies(t);

    if (truth == CT_FALSE_)
        return;
    if (truth == CT_TRUE_)
        truth = test(t, t->rule->require, false);
    count->checked++;
    if (truth == CT_TRUE_) {
        count->passed++;
        return;
    }
    *(truth == CT_FALSE_ ? &count->findings : &count->undecided) += 1;
    add_finding(t, truth == CT_UNDECIDED);
}

static void try_group(audit_checker *k, const ct_record *rec, const struct audit_group *g,
                      ct_context *context)
{
    for (size_t i = 0; g && i < g->n; i++) {
        struct trial t = {
            .k = k, .rule = &k->rules->v[g->rules[i]], .record = rec, .context = *context};

        ct_arena_reset(k->scratch);
        t.context.doc = &rec->doc;
        t.context.node = CT_ROOT;
        try_rule(&t);
    }
}

static void check_current(audit_checker *k, ct_chart *chart)
{
    ct_context context = {.model = k->rules->model,
                          .arena = k->scratch,
                          .now = k->today,
                          .resolve = ct_chart_resolve,
                          .resolve_ctx = chart,
                          .chart = ct_chart_items(chart, k->rules->model, k->arena)};

    context.chart_types = ct_items_by_type(context.chart, k->arena, &context.nchart_types);
    if (chart->id.n)
        try_group(k, &chart->records[0], audit_rules_of(k->rules, (ct_str){"", 0}), &context);
    for (size_t i = 0; i < chart->n; i++)
        try_group(k, &chart->records[i], audit_rules_of(k->rules, chart->records[i].type),
                  &context);
}

void audit_check(audit_checker *k, const ct_chart *chart)
{
    ct_chart current;

    k->n = k->outdated = 0;
    ct_arena_reset(k->arena);
    if (chart->n == 0)
        return;
    current = ct_chart_current(chart, NULL);
    k->outdated = chart->n - current.n;
    check_current(k, &current);
}
