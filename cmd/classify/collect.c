/* Finds the diagnoses of a chart: Condition.code, and diagnosis codes of claims and explanations of
 * benefit. */
#include "cmd/classify/classify.h"

#include <stdlib.h>

/* What the codes of one record have in common. */
struct source {
    size_t record;
    const ct_doc *doc;
    ct_date service;
    const char *ignored;
    classify_doubt doubt; /* about each of them */
};

static bool date_at(classify_case *k, const ct_doc *doc, const char *path, ct_date *d)
{
    if (!ct_date_parse(ct_text_at(doc, CT_ROOT, path, k->arena), d))
        return false;
    if (d->precision > CT_P_DAY) /* tables begin and end by the day, wherever it was written */
        *d = (ct_date){.precision = CT_P_DAY, .year = d->year, .month = d->month, .day = d->day};
    return true;
}

/* The end of the stay or visit, else its start, else the day it was recorded. */
static ct_date condition_service(classify_case *k, const ct_doc *doc)
{
    ct_str reference = ct_text_at(doc, CT_ROOT, "encounter.reference", k->arena);
    const ct_doc *encounter = reference.n ? ct_chart_resolve(&k->current, reference) : NULL;
    ct_date d;

    if (encounter &&
        (date_at(k, encounter, "period.end", &d) || date_at(k, encounter, "period.start", &d)))
        return d;
    if (date_at(k, doc, "recordedDate", &d))
        return d;
    return (ct_date){0};
}

static ct_date claim_service(classify_case *k, const ct_doc *doc)
{
    ct_date d;

    if (date_at(k, doc, "billablePeriod.end", &d) || date_at(k, doc, "billablePeriod.start", &d) ||
        date_at(k, doc, "created", &d))
        return d;
    return (ct_date){0};
}

static bool has_code(classify_case *k, const ct_doc *doc, const char *concept, const char *code)
{
    ct_val codings = ct_at(doc, CT_ROOT, concept), c;

    if (codings == CT_NONE || ct_type(doc, codings) != CT_ARRAY)
        return false;
    for (c = ct_first(doc, codings); c != CT_NONE; c = ct_next(doc, codings, c))
        if (ct_str_is(ct_text_at(doc, c, "code", k->arena), code))
            return true;
    return false;
}

static const char *condition_ignored(classify_case *k, const ct_doc *doc)
{
    if (has_code(k, doc, "verificationStatus.coding", "entered-in-error"))
        return "entered in error";
    if (has_code(k, doc, "verificationStatus.coding", "refuted"))
        return "refuted";
    return NULL;
}

/* Is it a diagnosis at all? Without verification status it is taken for one. */
static classify_doubt condition_doubt(classify_case *k, const ct_doc *doc)
{
    static const char *const stated[] = {"unconfirmed", "provisional", "confirmed", "refuted",
                                         "entered-in-error"};

    if (ct_member(doc, CT_ROOT, CT_S("verificationStatus")) == CT_NONE)
        return CLASSIFY_DECIDED;
    for (size_t i = 0; i < CT_LEN(stated); i++)
        if (has_code(k, doc, "verificationStatus.coding", stated[i]))
            return CLASSIFY_DECIDED;
    return has_code(k, doc, "verificationStatus.coding", "differential") ? CLASSIFY_DIFFERENTIAL
                                                                         : CLASSIFY_UNVERIFIED;
}

static const char *claim_ignored(classify_case *k, const ct_doc *doc)
{
    ct_str status = ct_text_at(doc, CT_ROOT, "status", k->arena);
    ct_str use = ct_text_at(doc, CT_ROOT, "use", k->arena);

    if (ct_str_is(status, "entered-in-error") || ct_str_is(status, "cancelled"))
        return "claim cancelled or entered in error";
    if (use.n && !ct_str_is(use, "claim")) /* older exports do not say */
        return "no claim for payment";
    return NULL;
}

static classify_diagnosis *add(classify_case *k, const struct source *s)
{
    if (k->n == k->cap) {
        k->cap = k->cap ? 2 * k->cap : 32;
        k->v = ct_realloc(k->v, k->cap, sizeof(*k->v));
    }
    k->v[k->n] = (classify_diagnosis){.record = s->record,
                                      .service = s->service,
                                      .ignored = s->ignored,
                                      .category = CLASSIFY_NO_CATEGORY};
    return &k->v[k->n++];
}

static void decide(const classify_tables *t, classify_diagnosis *d)
{
    char code[8];

    if (!classify_normalize(d->code, code)) {
        d->doubt = d->block_doubt = CLASSIFY_BAD_FORM;
        return;
    }
    d->category = classify_category_of(t, code, &d->doubt);
    if (d->system != CLASSIFY_ICD10CM)
        return;
    d->block = classify_range_of(&t->blocks, code, &d->service, &d->block_doubt);
    if (d->block)
        d->chapter = classify_range_of(&t->chapters, code, &d->service, &d->block_doubt);
    /* In no category because the code is not known is not "no comorbidity". */
    if (d->category == CLASSIFY_NO_CATEGORY && d->doubt == CLASSIFY_DECIDED)
        d->doubt = d->block_doubt;
}

static void collect_concept(classify_case *k, const struct source *s, ct_val concept)
{
    ct_val codings = ct_member(s->doc, concept, CT_S("coding")), c;
    bool any = false;

    if (codings != CT_NONE && ct_type(s->doc, codings) == CT_ARRAY)
        for (c = ct_first(s->doc, codings); c != CT_NONE; c = ct_next(s->doc, codings, c)) {
            classify_system system = classify_system_of(ct_text_at(s->doc, c, "system", k->arena));
            classify_diagnosis *d;

            if (system == CLASSIFY_OTHER)
                continue;
            any = true;
            d = add(k, s);
            d->system = system;
            d->code = ct_text_at(s->doc, c, "code", k->arena);
            decide(k->tables, d);
            if (s->doubt != CLASSIFY_DECIDED && d->category != CLASSIFY_NO_CATEGORY) {
                d->category = CLASSIFY_NO_CATEGORY;
                d->doubt = s->doubt;
            }
        }
    if (!any)
        add(k, s)->doubt = CLASSIFY_NO_ICD;
}

static void collect_claim(classify_case *k, const struct source *s)
{
    ct_val list = ct_member(s->doc, CT_ROOT, CT_S("diagnosis")), d;

    if (list == CT_NONE || ct_type(s->doc, list) != CT_ARRAY)
        return;
    for (d = ct_first(s->doc, list); d != CT_NONE; d = ct_next(s->doc, list, d)) {
        ct_val concept = ct_member(s->doc, d, CT_S("diagnosisCodeableConcept"));

        if (concept != CT_NONE)
            collect_concept(k, s, concept);
    }
}

static void collect_record(classify_case *k, size_t i, bool outdated)
{
    const ct_record *rec = &k->chart->records[i];
    struct source s = {.record = i, .doc = &rec->doc};
    bool condition = ct_str_is(rec->type, "Condition");

    if (condition) {
        s.service = condition_service(k, s.doc);
        s.ignored = condition_ignored(k, s.doc);
        s.doubt = condition_doubt(k, s.doc);
    } else {
        s.service = claim_service(k, s.doc);
        s.ignored = claim_ignored(k, s.doc);
    }
    if (outdated)
        s.ignored = "a later record took its place";
    if (condition)
        collect_concept(k, &s, ct_member(s.doc, CT_ROOT, CT_S("code")));
    else
        collect_claim(k, &s);
}

void classify_collect(classify_case *k, const ct_chart *chart)
{
    const bool *outdated;

    k->chart = chart;
    k->current = ct_chart_current(chart, &outdated);
    k->n = 0;
    for (size_t i = 0; i < chart->n; i++) {
        ct_str type = chart->records[i].type;

        if (ct_str_is(type, "Condition") || ct_str_is(type, "Claim") ||
            ct_str_is(type, "ExplanationOfBenefit"))
            collect_record(k, i, outdated[i]);
    }
}
