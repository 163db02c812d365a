/* Whom does a record name? Another patient may stand anywhere in it: in the compartment, in an
 * extension, in a contained resource, as an address. What may mean a patient and does not say which
 * keeps the record back as well. */
#include "release.h"

#include <strings.h>

typedef struct naming {
    const release_case *k;
    const ct_record *rec;
    release_why why;
} naming;

/* May a record of this chart name that patient? Only one who is asked for by name. */
static bool may_name(const naming *n, ct_str id)
{
    const release_case *k = n->k;

    return (k->chart->id.n && ct_str_eq(id, k->chart->id)) ||
           (k->r->npatients && release_asked(k->r, id));
}

static void note_why(naming *n, release_why why)
{
    if (n->why == RELEASE_GOES || why < n->why)
        n->why = why;
}

static void note_patient(void *ctx, ct_str id)
{
    naming *n = ctx;

    if (!may_name(n, id))
        note_why(n, RELEASE_OTHERS);
}

/* May a resource of this type be inside of the record? */
static void note_resource(naming *n, ct_str type)
{
    release_type t;
    bool may = n->k->chart->id.n ? !ct_str_is(type, "Patient")
                                 : release_type_find(n->k->r->tables, type, &t) && t.shared;

    if (!may)
        note_why(n, RELEASE_OTHERS);
}

static ct_str member_text(const naming *n, ct_val object, const char *name)
{
    ct_val v = ct_member(&n->rec->doc, object, ct_str_z(name));

    return v != CT_NONE && ct_type(&n->rec->doc, v) == CT_STRING ? ct_text(&n->rec->doc, v, n->k->a)
                                                                 : CT_S("");
}

/* Reference.type: a name, or the address of its definition. */
static bool says_patient(const naming *n, ct_val object)
{
    ct_str type = member_text(n, object, "type"), last = type;

    while (type.p)
        last = ct_str_cut(&type, '/');
    return last.p && last.n == 7 && strncasecmp(last.p, "Patient", 7) == 0;
}

/* Text that is no literal reference is understood where it begins with a type that is not Patient,
 * as `Practitioner?identifier=1` does. */
static bool begins_otherwise(const naming *n, ct_str text)
{
    size_t i = 0;

    while (i < text.n && text.p[i] != '/' && text.p[i] != '?')
        i++;
    const ct_ftype *t = ct_model_type(n->k->r->model, ct_str_head(text, i));
    return i < text.n && t && t->kind == CT_F_RESOURCE && !ct_str_is(t->name, "Patient");
}

static void note_reference(naming *n, ct_val object, ct_str text)
{
    ct_ref ref;

    if (!ct_ref_parse(text, &ref)) {
        if (!begins_otherwise(n, text))
            note_why(n, RELEASE_OTHERS_UNKNOWN);
    } else if (!ref.contained && (ct_str_is(ref.type, "Patient") || says_patient(n, object))) {
        note_patient(n, ref.id);
    }
}

static void note_reference_value(naming *n, ct_val object, ct_val v)
{
    ct_jtype type = ct_type(&n->rec->doc, v);

    if (type == CT_STRING)
        note_reference(n, object, ct_text(&n->rec->doc, v, n->k->a));
    else if (type != CT_OBJECT) /* an element of this name that holds a Reference */
        note_why(n, RELEASE_OTHERS_UNKNOWN);
}

/* An address that leads to a patient's record, or to something below it. */
static void note_address(naming *n, ct_val v)
{
    const ct_str folder = CT_S("Patient/");
    ct_str rest, id;
    size_t at;

    if (v == CT_NONE || ct_type(&n->rec->doc, v) != CT_STRING)
        return;
    rest = ct_text(&n->rec->doc, v, n->k->a);
    while ((at = ct_str_find(rest, folder)) != SIZE_MAX) {
        bool whole = !at || rest.p[at - 1] == '/';
        id = rest = ct_str_from(rest, at + folder.n);
        for (id.n = 0; id.n < rest.n && !strchr("/?#|", rest.p[id.n]); id.n++)
            ;
        if (whole && id.n)
            note_patient(n, id);
    }
}

static void look_at(naming *n, ct_val object, bool extension)
{
    const ct_doc *d = &n->rec->doc;
    const release_names *names = &n->k->r->names;
    ct_val reference = CT_NONE, identifier = CT_NONE;
    bool resource = false;

    for (ct_val v = ct_first(d, object); v != CT_NONE; v = ct_next(d, object, v)) {
        uint16_t name = ct_name(d, v);
        if (name == names->resource_type && ct_type(d, v) == CT_STRING) {
            resource = true;
            if (object != CT_ROOT)
                note_resource(n, ct_text(d, v, n->k->a));
        } else if (name == names->reference) {
            reference = v;
        } else if (name == names->identifier) {
            identifier = v;
        } else if ((name == names->url && !extension) || name == names->full_url ||
                   name == names->value_uri || name == names->value_url ||
                   name == names->value_canonical) {
            note_address(n, v);
        }
    }
    /* A resource's own `reference` (DetectedIssue) is an address. */
    if (resource)
        note_address(n, reference);
    else if (reference != CT_NONE)
        note_reference_value(n, object, reference);
    else if (identifier != CT_NONE && says_patient(n, object))
        note_why(n, RELEASE_OTHERS_UNKNOWN);
}

static bool is_extension(const naming *n, ct_val list)
{
    uint16_t name = ct_name(&n->rec->doc, list);

    return name && (name == n->k->r->names.extension || name == n->k->r->names.modifier_extension);
}

static void look_into(naming *n, ct_val at, bool extension);

/* Patient.link.other tells of the same person, and stays. */
static bool is_own_link(const naming *n, ct_val at, ct_val child)
{
    const ct_doc *d = &n->rec->doc;
    ct_val links =
        ct_str_is(n->rec->type, "Patient") ? ct_member(d, CT_ROOT, CT_S("link")) : CT_NONE;

    return links != CT_NONE && links < at && at < d->tape[links].next &&
           ct_str_is(ct_key(d, child), "other");
}

static void look_into(naming *n, ct_val at, bool extension)
{
    const ct_doc *d = &n->rec->doc;
    bool list = ct_type(d, at) == CT_ARRAY;

    if (ct_type(d, at) == CT_OBJECT)
        look_at(n, at, extension);
    for (ct_val v = ct_first(d, at); v != CT_NONE; v = ct_next(d, at, v))
        if ((ct_type(d, v) == CT_OBJECT || ct_type(d, v) == CT_ARRAY) && !is_own_link(n, at, v))
            look_into(n, v, list ? extension : is_extension(n, v));
}

release_why release_judge_names(const release_case *k, const ct_record *rec)
{
    naming n = {k, rec, RELEASE_GOES};

    ct_owners(k->r->model, &rec->doc, k->a, note_patient, &n);
    look_into(&n, CT_ROOT, false);
    return n.why;
}

release_names release_names_load(const ct_model *m)
{
    const ct_names *t = ct_model_names(m);

    return (release_names){.resource_type = ct_names_find(t, CT_S("resourceType")),
                           .reference = ct_names_find(t, CT_S("reference")),
                           .identifier = ct_names_find(t, CT_S("identifier")),
                           .url = ct_names_find(t, CT_S("url")),
                           .full_url = ct_names_find(t, CT_S("fullUrl")),
                           .value_uri = ct_names_find(t, CT_S("valueUri")),
                           .value_url = ct_names_find(t, CT_S("valueUrl")),
                           .value_canonical = ct_names_find(t, CT_S("valueCanonical")),
                           .extension = ct_names_find(t, CT_S("extension")),
                           .modifier_extension = ct_names_find(t, CT_S("modifierExtension")),
                           .security = ct_names_find(t, CT_S("security")),
                           .security_label = ct_names_find(t, CT_S("securityLabel")),
                           .confidentiality = ct_names_find(t, CT_S("confidentiality")),
                           .meta = ct_names_find(t, CT_S("meta"))};
}
