/* May this record go? Everything that cannot be decided keeps it back. */
#include "release.h"

const char *const release_why_text[RELEASE_WHYS] = {
    [RELEASE_GOES] = "released",
    [RELEASE_PATIENT] = "patient not asked for",
    [RELEASE_NOBODY] = "belongs to no patient known",
    [RELEASE_OTHERS] = "names another patient",
    [RELEASE_OTHERS_UNKNOWN] = "may name another patient",
    [RELEASE_TYPE] = "type not in the policy",
    [RELEASE_PSYCHOTHERAPY] = "psychotherapy note",
    [RELEASE_LABEL] = "confidentiality label",
    [RELEASE_LABEL_UNKNOWN] = "label not known",
    [RELEASE_PATIENT_LABEL] = "confidentiality label of the patient",
    [RELEASE_STAY_LABEL] = "confidentiality label of the stay",
    [RELEASE_PATIENT_MISSING] = "the Patient record is not in the input",
    [RELEASE_DATE] = "outside the dates",
    [RELEASE_DATE_UNKNOWN] = "date not known",
    [RELEASE_CONDITION] = "condition of the policy",
    [RELEASE_UNDECIDED] = "condition not decided",
    [RELEASE_ALONE] = "shared, without a chart to go with",
};

typedef struct judging {
    const release_request *r;
    const release_case *k;
    const ct_record *rec;
    ct_chart *chart;
    ct_arena *a;
} judging;

/* ---- whose ---- */

bool release_asked(const release_request *r, ct_str patient)
{
    for (size_t i = 0; i < r->npatients; i++)
        if (ct_str_eq(r->patients[i], patient))
            return true;
    return r->npatients == 0;
}

static release_why judge_owner(const judging *j)
{
    release_type t;

    if (j->chart->id.n && !release_asked(j->r, j->chart->id))
        return RELEASE_PATIENT;
    if (!j->chart->id.n && (!release_type_find(j->r->tables, j->rec->type, &t) || !t.shared))
        return RELEASE_NOBODY;
    return release_judge_names(j->k, j->rec);
}

/* ---- what ---- */

/* Shared types have to be named. */
static bool covers(const judging *j, const release_rule *rule)
{
    return ct_str_eq(rule->type, j->rec->type) || (j->chart->id.n && ct_str_is(rule->type, "*"));
}

static release_why judge_type(const judging *j)
{
    const release_policy *p = j->r->policy;
    bool listed = false;

    for (size_t i = 0; i < p->nrules; i++) {
        if (!covers(j, &p->rules[i]))
            continue;
        if (p->rules[i].withhold && !p->rules[i].where)
            return RELEASE_TYPE;
        listed = listed || !p->rules[i].withhold;
    }
    return listed ? RELEASE_GOES : RELEASE_TYPE;
}

static ct_truth holds(const judging *j, const release_rule *rule)
{
    ct_context c = {.model = j->r->model,
                    .arena = j->a,
                    .doc = &j->rec->doc,
                    .node = CT_ROOT,
                    .now = j->r->today,
                    .resolve = ct_chart_resolve,
                    .resolve_ctx = j->chart,
                    .chart = j->k->records};
    ct_err err = {0};

    return rule->where ? ct_path_test(rule->where, &c, &err) : CT_TRUE_;
}

/* Any withholding condition that is not false keeps it back; of the releasing ones one must be
 * true. */
static release_why judge_conditions(const judging *j)
{
    const release_policy *p = j->r->policy;
    release_why why = RELEASE_CONDITION;

    for (size_t i = 0; i < p->nrules; i++)
        if (p->rules[i].withhold && covers(j, &p->rules[i])) {
            ct_truth truth = holds(j, &p->rules[i]);
            if (truth != CT_FALSE_)
                return truth == CT_TRUE_ ? RELEASE_CONDITION : RELEASE_UNDECIDED;
        }
    for (size_t i = 0; i < p->nrules; i++)
        if (!p->rules[i].withhold && covers(j, &p->rules[i])) {
            ct_truth truth = holds(j, &p->rules[i]);
            if (truth == CT_TRUE_)
                return RELEASE_GOES;
            if (truth == CT_UNDECIDED)
                why = RELEASE_UNDECIDED;
        }
    return why;
}

/* ---- how confidential ---- */

static release_why judge_labels(const judging *j)
{
    return release_judge_labels(j->k, j->rec);
}

/* ---- when ---- */

static release_why judge_date(const judging *j)
{
    release_range always = RELEASE_ALWAYS;
    ct_times when;
    ct_truth within;

    if (j->r->range.from == always.from && j->r->range.until == always.until)
        return RELEASE_GOES;
    when = ct_times_of(j->r->model, j->rec->type, &j->rec->doc, j->a);
    within = release_within(&when, j->r->range);
    if (within == CT_UNDECIDED)
        return RELEASE_DATE_UNKNOWN;
    return within == CT_TRUE_ ? RELEASE_GOES : RELEASE_DATE;
}

release_why release_judge(const release_case *k, const ct_record *rec)
{
    static release_why (*const judges[])(const judging *) = {
        judge_owner, judge_type, judge_labels, judge_date, judge_conditions,
    };
    judging j = {k->r, k, rec, k->chart, k->a};
    release_why why = RELEASE_GOES;

    for (size_t i = 0; why == RELEASE_GOES && i < CT_LEN(judges); i++)
        why = judges[i](&j);
    return why;
}
