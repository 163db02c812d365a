/* How confidential is a record? Labels stand in meta.security of the record and of every resource
 * inside of it, in DocumentReference.securityLabel, Composition.confidentiality, and on single
 * elements, in the extension of HL7's DS4P guide. Each of them must allow it. */
#include "release.h"

#include <stdlib.h>

typedef struct labelled {
    const release_case *k;
    const ct_record *rec;
    release_why why;
} labelled;

/* ---- a label ---- */

/* The policy's last word on a label: 1 permitted by name, 2 by "*", -1 withheld, 0 nothing. A code
 * without a system in a policy means the systems that labels.tsv has it of. */
static int policy_on_label(const release_policy *p, ct_str system, ct_str code, bool known)
{
    int word = 0;

    for (size_t i = 0; i < p->nlabels; i++) {
        const release_labelrule *l = &p->labels[i];
        if (ct_str_is(l->code, "*") && !l->system.n) {
            if (!word)
                word = 2;
        } else if (ct_str_eq(l->code, code) &&
                   (l->system.n ? ct_str_eq(l->system, system) : known)) {
            word = l->permit ? 1 : -1;
        }
    }
    return word;
}

static release_why judge_label(const labelled *l, ct_str system, ct_str code)
{
    const release_request *r = l->k->r;
    release_label label;
    bool known = release_label_find(r->tables, system, code, &label);
    int word = code.n ? policy_on_label(r->policy, system, code, known) : 0;

    if (word == 1)
        return RELEASE_GOES;
    if (known && label.verdict == RELEASE_L_PSYCHOTHERAPY)
        return RELEASE_PSYCHOTHERAPY;
    if (word < 0)
        return RELEASE_LABEL;
    if (!known)
        return RELEASE_LABEL_UNKNOWN;
    return word == 2 || label.verdict == RELEASE_L_PASS ? RELEASE_GOES : RELEASE_LABEL;
}

static release_why judge_coding(const labelled *l, ct_val coding)
{
    const ct_doc *d = &l->rec->doc;

    return judge_label(l, ct_text_at(d, coding, "system", l->k->a),
                       ct_text_at(d, coding, "code", l->k->a));
}

/* The first reason in the order of the enum, so that the tally does not hang on the order of
 * labels. */
static release_why first_of(release_why x, release_why y)
{
    if (x == RELEASE_GOES || y == RELEASE_GOES)
        return x == RELEASE_GOES ? y : x;
    return x < y ? x : y;
}

/* A Coding or a CodeableConcept. The codings of a concept say the same in several systems: one that
 * is not known counts only where none is. */
static release_why judge_concept(const labelled *l, ct_val v)
{
    const ct_doc *d = &l->rec->doc;
    ct_val codings = ct_member(d, v, CT_S("coding"));
    release_why why = RELEASE_GOES;
    bool known = false;

    if (ct_member(d, v, CT_S("code")) != CT_NONE)
        return judge_coding(l, v);
    if (codings == CT_NONE || ct_type(d, codings) != CT_ARRAY)
        return RELEASE_LABEL_UNKNOWN;
    for (ct_val i = ct_first(d, codings); i != CT_NONE; i = ct_next(d, codings, i)) {
        release_why one = judge_coding(l, i);
        known = known || one != RELEASE_LABEL_UNKNOWN;
        if (one != RELEASE_LABEL_UNKNOWN)
            why = first_of(why, one);
    }
    return known ? why : RELEASE_LABEL_UNKNOWN;
}

static void judge_list(labelled *l, ct_val list)
{
    const ct_doc *d = &l->rec->doc;

    if (ct_type(d, list) != CT_ARRAY)
        l->why = first_of(l->why, RELEASE_LABEL_UNKNOWN);
    for (ct_val v = ct_first(d, list); ct_type(d, list) == CT_ARRAY && v != CT_NONE;
         v = ct_next(d, list, v))
        l->why = first_of(l->why, judge_concept(l, v));
}

/* ---- where labels stand ---- */

/* `confidentiality` of a Composition: a code of v3 Confidentiality. */
static release_why judge_confidentiality(const labelled *l, ct_val v)
{
    const ct_str system = CT_S("http://terminology.hl7.org/CodeSystem/v3-Confidentiality");

    if (ct_type(&l->rec->doc, v) != CT_STRING)
        return RELEASE_LABEL_UNKNOWN;
    return judge_label(l, system, ct_text(&l->rec->doc, v, l->k->a));
}

/* http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label. (The
 * flag that there are such, extension-has-inline-sec-label, says nothing by itself.) */
static void judge_extension(labelled *l, ct_val url)
{
    const ct_doc *d = &l->rec->doc;
    ct_str text = ct_text(d, url, l->k->a);
    ct_val parent = url, value;

    if (!ct_str_ends(text, CT_S("/extension-inline-sec-label")))
        return;
    do
        parent--;
    while (d->tape[parent].next <= url);
    value = ct_member(d, parent, CT_S("valueCoding"));
    l->why = first_of(l->why, value == CT_NONE ? RELEASE_LABEL_UNKNOWN : judge_concept(l, value));
}

static void judge_member(labelled *l, ct_val v)
{
    const ct_doc *d = &l->rec->doc;
    const release_names *names = &l->k->r->names;
    uint16_t name = ct_name(d, v);

    if (name == names->url && ct_type(d, v) == CT_STRING)
        judge_extension(l, v);
    else if (name == names->meta && ct_type(d, v) != CT_OBJECT)
        l->why = first_of(l->why, RELEASE_LABEL_UNKNOWN);
    else if (name == names->confidentiality)
        l->why = first_of(l->why, judge_confidentiality(l, v));
    /* A Consent's labels say what it is about, not what it is. */
    else if (name == names->security ||
             (name == names->security_label && !ct_str_is(l->rec->type, "Consent")))
        judge_list(l, v);
}

static release_why judge_own(const release_case *k, const ct_record *rec)
{
    labelled l = {k, rec, RELEASE_GOES};

    for (ct_val v = 1; v < rec->doc.n; v++)
        if (ct_name(&rec->doc, v))
            judge_member(&l, v);
    return l.why;
}

/* ---- the chart ---- */

static release_version version_of(const ct_record *rec, ct_arena *a)
{
    return (release_version){rec->type, ct_text_at(&rec->doc, CT_ROOT, "id", a)};
}

static int by_type_and_id(const void *a, const void *b)
{
    const release_version *x = a, *y = b;
    int order = ct_str_cmp(x->type, y->type);

    return order ? order : ct_str_cmp(x->id, y->id);
}

static bool has_versions(const ct_chart *chart)
{
    const bool *outdated;

    ct_chart_current(chart, &outdated);
    for (size_t i = 0; i < chart->n; i++)
        if (outdated[i])
            return true;
    return false;
}

/* A record that is kept back keeps back the other versions of it: what was restricted later was in
 * the earlier ones too. And a stay keeps back what came of it. */
static void note_restricted(release_case *k)
{
    const ct_chart *chart = k->chart;
    bool all = has_versions(chart);

    k->restricted = ct_arena_alloc(chart->arena, chart->n * sizeof *k->restricted);
    for (size_t i = 0; i < chart->n; i++) {
        const ct_record *rec = &chart->records[i];
        if ((all || ct_str_is(rec->type, "Encounter")) && judge_own(k, rec) != RELEASE_GOES)
            k->restricted[k->nrestricted++] = version_of(rec, chart->arena);
    }
    qsort(k->restricted, k->nrestricted, sizeof *k->restricted, by_type_and_id);
}

static bool is_restricted(const release_case *k, ct_str type, ct_str id)
{
    release_version v = {type, id};

    return id.n && k->nrestricted &&
           bsearch(&v, k->restricted, k->nrestricted, sizeof v, by_type_and_id);
}

static bool is_restricted_stay(const release_case *k, const ct_doc *d, ct_val reference)
{
    ct_ref ref;

    return ct_type(d, reference) == CT_OBJECT &&
           ct_ref_parse(ct_text_at(d, reference, "reference", k->a), &ref) &&
           (!ref.type.n || ct_str_is(ref.type, "Encounter")) &&
           is_restricted(k, CT_S("Encounter"), ref.id);
}

/* Does the record come of a stay that is kept back? */
static bool has_restricted_stay(const release_case *k, const ct_record *rec)
{
    static const char *const paths[] = {"encounter", "context", "context.encounter", "partOf"};
    const ct_doc *d = &rec->doc;

    for (size_t i = 0; k->nrestricted && i < CT_LEN(paths); i++) {
        ct_val v = ct_at(d, CT_ROOT, paths[i]), item;
        if (v == CT_NONE)
            continue;
        if (is_restricted_stay(k, d, v))
            return true;
        if (ct_type(d, v) != CT_ARRAY)
            continue;
        for (item = ct_first(d, v); item != CT_NONE; item = ct_next(d, v, item))
            if (is_restricted_stay(k, d, item))
                return true;
    }
    return false;
}

/* Who the patient is shows in every record of the chart: where the Patient record is confidential,
 * all of them are; where it is not in the input nobody knows. */
void release_judge_chart_labels(release_case *k)
{
    for (size_t i = 0; k->chart->id.n && i < k->chart->n; i++) {
        const ct_record *rec = &k->chart->records[i];
        if (ct_str_is(rec->type, "Patient") && judge_own(k, rec) != RELEASE_GOES)
            k->closed = true;
    }
    note_restricted(k);
}

release_why release_judge_labels(const release_case *k, const ct_record *rec)
{
    release_why why = judge_own(k, rec);
    release_version v;

    if (why == RELEASE_GOES && k->closed)
        return RELEASE_PATIENT_LABEL;
    if (why == RELEASE_GOES && k->chart->id.n && !k->chart->has_patient)
        return RELEASE_PATIENT_MISSING;
    if (why == RELEASE_GOES && has_restricted_stay(k, rec))
        return RELEASE_STAY_LABEL;
    v = version_of(rec, k->a);
    return why == RELEASE_GOES && is_restricted(k, v.type, v.id) ? RELEASE_LABEL : why;
}
