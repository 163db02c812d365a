/* May this record go? Everything that cannot be decided keeps it back. */
#include "release.h"

const char *const release_why_text[RELEASE_WHYS] = {
    [RELEASE_GOES] = "released",
    [RELEASE_PATIENT] = "patient not asked for",
    [RELEASE_NOBODY] = "belongs to no patient known",
    [RELEASE_OTHERS] = "names another patient",
    [RELEASE_TYPE] = "type not in the policy",
    [RELEASE_PSYCHOTHERAPY] = "psychotherapy note",
    [RELEASE_LABEL] = "confidentiality label",
    [RELEASE_LABEL_UNKNOWN] = "label not known",
    [RELEASE_PATIENT_LABEL] = "confidentiality label of the patient",
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

/* May a record of this chart name that patient? Only one who is asked for by name. */
static bool may_name(const judging *j, ct_str id)
{
    return (j->chart->id.n && ct_str_eq(id, j->chart->id)) ||
           (j->r->npatients && release_asked(j->r, id));
}

struct naming {
    const judging *j;
    bool others;
};

static void note_named(void *ctx, ct_str id)
{
    struct naming *n = ctx;

    n->others = n->others || !may_name(n->j, id);
}

/* May a resource of this type be inside of the record? */
static bool may_contain(const judging *j, ct_str type)
{
    release_type t;

    if (j->chart->id.n)
        return !ct_str_is(type, "Patient");
    return release_type_find(j->r->tables, type, &t) && t.shared;
}

/* References outside of the compartment name patients too: an extension, a contained resource. A
 * Patient's own links tell of the same person, or of a relative, and stay. */
static bool names_elsewhere(const judging *j)
{
    const ct_doc *d = &j->rec->doc;
    const ct_names *names = ct_model_names(j->r->model);
    uint16_t reference = ct_names_find(names, CT_S("reference"));
    uint16_t type = ct_names_find(names, CT_S("resourceType"));
    ct_val own_type = ct_member_id(d, CT_ROOT, type);
    bool linked = ct_str_is(j->rec->type, "Patient");
    ct_ref ref;

    for (ct_val v = 1; v < d->n; v++) {
        uint16_t name = ct_name(d, v);
        if ((name != reference && name != type) || v == own_type || ct_type(d, v) != CT_STRING)
            continue;
        ct_str text = ct_text(d, v, j->a);
        if (name == type && !may_contain(j, text))
            return true;
        if (name == reference && !linked && ct_ref_parse(text, &ref) &&
            ct_str_is(ref.type, "Patient") && !may_name(j, ref.id))
            return true;
    }
    return false;
}

static release_why judge_owner(const judging *j)
{
    struct naming n = {.j = j};
    release_type t;

    if (j->chart->id.n && !release_asked(j->r, j->chart->id))
        return RELEASE_PATIENT;
    if (!j->chart->id.n && (!release_type_find(j->r->tables, j->rec->type, &t) || !t.shared))
        return RELEASE_NOBODY;
    ct_owners(j->r->model, &j->rec->doc, j->a, note_named, &n);
    if (n.others || names_elsewhere(j))
        return RELEASE_OTHERS;
    return RELEASE_GOES;
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

/* The policy's last word on a label: 1 permitted by name, 2 by "*", -1 withheld, 0 nothing. */
static int policy_on_label(const release_policy *p, ct_str system, ct_str code)
{
    int word = 0;

    for (size_t i = 0; i < p->nlabels; i++) {
        const release_labelrule *l = &p->labels[i];
        if (ct_str_is(l->code, "*") && !l->system.n) {
            if (!word)
                word = 2;
        } else if (ct_str_eq(l->code, code) && (!system.n || ct_str_eq(l->system, system))) {
            word = l->permit ? 1 : -1;
        }
    }
    return word;
}

static release_why judge_label(const judging *j, ct_val coding)
{
    const ct_doc *d = &j->rec->doc;
    ct_str system = ct_text_at(d, coding, "system", j->a);
    ct_str code = ct_text_at(d, coding, "code", j->a);
    release_label label;
    bool known = code.n && release_label_find(j->r->tables, code, &label) &&
                 (!system.n || ct_str_eq(system, label.system));
    int word = code.n ? policy_on_label(j->r->policy, system, code) : 0;

    if (word == 1)
        return RELEASE_GOES;
    if (known && label.verdict == RELEASE_L_PSYCHOTHERAPY)
        return RELEASE_PSYCHOTHERAPY;
    if (word < 0)
        return RELEASE_LABEL;
    if (word == 2 && known)
        return RELEASE_GOES;
    if (!known)
        return RELEASE_LABEL_UNKNOWN;
    return label.verdict == RELEASE_L_PASS ? RELEASE_GOES : RELEASE_LABEL;
}

/* The first reason in the order of the enum, so that the tally does not hang on the order of
 * labels. */
static release_why first_of(release_why x, release_why y)
{
    if (x == RELEASE_GOES || y == RELEASE_GOES)
        return x == RELEASE_GOES ? y : x;
    return x < y ? x : y;
}

static release_why judge_security(const judging *j, ct_val resource)
{
    const ct_doc *d = &j->rec->doc;
    ct_val meta = ct_member(d, resource, CT_S("meta"));
    ct_val security = ct_member(d, meta, CT_S("security"));
    release_why why = RELEASE_GOES;

    if (security == CT_NONE)
        return meta == CT_NONE || ct_type(d, meta) == CT_OBJECT ? why : RELEASE_LABEL_UNKNOWN;
    if (ct_type(d, security) != CT_ARRAY)
        return RELEASE_LABEL_UNKNOWN;
    for (ct_val v = ct_first(d, security); v != CT_NONE; v = ct_next(d, security, v))
        why = first_of(why, judge_label(j, v));
    return why;
}

static release_why judge_own_labels(const judging *j)
{
    const ct_doc *d = &j->rec->doc;
    release_why why = judge_security(j, CT_ROOT);
    ct_val contained = ct_member(d, CT_ROOT, CT_S("contained"));

    if (contained == CT_NONE || ct_type(d, contained) != CT_ARRAY)
        return why;
    for (ct_val v = ct_first(d, contained); v != CT_NONE; v = ct_next(d, contained, v))
        why = first_of(why, judge_security(j, v));
    return why;
}

static release_why judge_labels(const judging *j)
{
    release_why why = judge_own_labels(j);

    return why == RELEASE_GOES && j->k->closed ? RELEASE_PATIENT_LABEL : why;
}

/* Who the patient is shows in every record of the chart: where the Patient record is confidential,
 * all of them are. */
void release_judge_patient(release_case *k)
{
    judging j = {k->r, k, NULL, k->chart, k->a};

    k->closed = false;
    for (size_t i = 0; k->chart->id.n && i < k->chart->n; i++) {
        j.rec = &k->chart->records[i];
        if (ct_str_is(j.rec->type, "Patient") && judge_own_labels(&j) != RELEASE_GOES)
            k->closed = true;
    }
}

/* ---- when ---- */

static release_why judge_date(const judging *j)
{
    release_range always = RELEASE_ALWAYS;
    release_type t;
    ct_truth within;

    if (j->r->range.from == always.from && j->r->range.until == always.until)
        return RELEASE_GOES;
    if (!release_type_find(j->r->tables, j->rec->type, &t))
        return RELEASE_DATE_UNKNOWN;
    within = release_within(&t, &j->rec->doc, j->r->range, j->a);
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
