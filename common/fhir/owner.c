/* Whose chart a record belongs to, by R4's patient compartment.
 *
 * The compartment lists Patient.link among its elements. A link says that another Patient record is
 * about the same person, or about a relative; it does not put this record into that one's chart. So
 * a Patient belongs to itself alone here.
 */
#include "common/fhir/internal.h"

typedef struct visit {
    const ct_model *m;
    const ct_doc *doc;
    ct_arena *arena;
    void (*each)(void *ctx, ct_str id);
    void *ctx;
    bool *nameless; /* a patient is meant whose id is not told; may be NULL */
} visit;

/* Does a reference without a type in its text (urn:uuid:…) mean a Patient? Reference.type decides
 * where it is given, else what the element may refer to. */
static bool untyped_is_patient(const visit *v, ct_val reference, const ct_member_path *path)
{
    ct_val type = ct_member_id(v->doc, reference, v->m->type);
    return type == CT_NONE ? path->patient : ct_is(v->doc, type, CT_S("Patient"));
}

static void visit_reference(const visit *v, ct_val reference, const ct_member_path *path)
{
    ct_val text = ct_member_id(v->doc, reference, v->m->reference);
    ct_ref ref;
    if (text == CT_NONE || ct_type(v->doc, text) != CT_STRING ||
        !ct_ref_parse(ct_text(v->doc, text, v->arena), &ref) || ref.contained) {
        if (v->nameless && untyped_is_patient(v, reference, path))
            *v->nameless = true;
        return;
    }
    if (ref.type.n ? ct_str_is(ref.type, "Patient") : untyped_is_patient(v, reference, path))
        v->each(v->ctx, ref.id);
}

static void walk(const visit *v, ct_val at, const ct_member_path *path, size_t step);

static void walk_items(const visit *v, ct_val at, const ct_member_path *path, size_t step)
{
    if (at == CT_NONE)
        return;
    if (ct_type(v->doc, at) != CT_ARRAY) {
        walk(v, at, path, step);
        return;
    }
    for (ct_val i = ct_first(v->doc, at); i != CT_NONE; i = ct_next(v->doc, at, i))
        walk(v, i, path, step);
}

/* `at` is what the steps before `step` lead to, no array. */
static void walk(const visit *v, ct_val at, const ct_member_path *path, size_t step)
{
    if (ct_type(v->doc, at) != CT_OBJECT)
        return;
    if (step == path->n)
        visit_reference(v, at, path);
    else
        walk_items(v, ct_member_id(v->doc, at, path->steps[step]), path, step + 1);
}

static bool is_patient(const ct_doc *doc)
{
    return ct_str_is(ct_resource_type(doc), "Patient");
}

static void visit_owners(const visit *v)
{
    if (is_patient(v->doc)) {
        ct_val id = ct_member_id(v->doc, CT_ROOT, v->m->id_name);
        if (id != CT_NONE && ct_type(v->doc, id) == CT_STRING)
            v->each(v->ctx, ct_text(v->doc, id, v->arena));
        return;
    }
    const ct_type_node *t = ct_index_find(&v->m->by_name, ct_resource_type(v->doc));
    for (size_t i = 0; t && i < t->ncompartment; i++)
        walk(v, CT_ROOT, &t->compartment[i], 0);
}

void ct_owners(const ct_model *m, const ct_doc *doc, ct_arena *a,
               void (*each)(void *ctx, ct_str id), void *ctx)
{
    visit_owners(&(visit){m, doc, a, each, ctx, NULL});
}

static void note_owner(void *ctx, ct_str id)
{
    ct_owner *owner = ctx;
    if (!owner->id.n)
        owner->id = id;
    else if (!ct_str_eq(owner->id, id))
        owner->others = true;
}

ct_owner ct_owner_of(const ct_model *m, const ct_doc *doc, ct_arena *a)
{
    ct_owner owner = {.patient = is_patient(doc)};
    bool nameless = owner.patient;
    visit_owners(&(visit){m, doc, a, note_owner, &owner, &nameless});
    owner.unplaced = nameless && !owner.id.n;
    return owner;
}

/* ---- resources ---- */

ct_str ct_resource_type(const ct_doc *doc)
{
    ct_val v = ct_member(doc, CT_ROOT, CT_S("resourceType"));
    if (v == CT_NONE || ct_type(doc, v) != CT_STRING)
        return CT_S("");
    ct_str quoted = ct_raw(doc, v);
    return (ct_str){quoted.p + 1, quoted.n - 2};
}

static const ct_ftype *no_resource(ct_err *err, const char *text)
{
    ct_fail(err, CT_E_DATA, text);
    return NULL;
}

const ct_ftype *ct_resource_check(const ct_model *m, const ct_doc *doc, ct_err *err)
{
    if (ct_type(doc, CT_ROOT) != CT_OBJECT)
        return no_resource(err, "not a JSON object");
    ct_val type = ct_member(doc, CT_ROOT, CT_S("resourceType"));
    if (type == CT_NONE)
        return no_resource(err, "no resourceType");
    if (ct_type(doc, type) != CT_STRING)
        return no_resource(err, "resourceType is not text");
    ct_str quoted = ct_raw(doc, type);
    const ct_ftype *t = ct_model_type(m, (ct_str){quoted.p + 1, quoted.n - 2});
    if (!t || t->kind != CT_F_RESOURCE || t->abstract)
        return no_resource(err, "not an R4 resource type");
    return t;
}
