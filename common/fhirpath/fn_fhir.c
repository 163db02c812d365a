/* Functions that FHIR adds: profiles and value sets, as far as the tables of R4 answer. */
#include "common/fhirpath/internal.h"

/* A canonical without the version behind it. */
static ct_str without_version(ct_str url)
{
    const char *bar = url.n ? memchr(url.p, '|', url.n) : NULL;
    return bar ? ct_str_head(url, (size_t)(bar - url.p)) : url;
}

/* The argument, a string: 1, or 0 for empty, -1 for an error. */
static int argument(struct fp_call *c, ct_str *s)
{
    struct fp_coll arg;
    return ct_fp_arg(c, 0, &arg) ? ct_fp_single_string(c->r, c->n, &arg, s) : -1;
}

/* ---- profiles ---- */

const ct_ftype *ct_fp_profile(const ct_model *m, ct_str url)
{
    static const ct_str base = {"http://hl7.org/fhir/StructureDefinition/", 40};
    url = without_version(url);
    if (!ct_str_starts(url, base))
        return NULL;
    const ct_ftype *t = ct_model_type(m, ct_str_from(url, base.n));
    return t && t->kind != CT_F_BACKBONE ? t : NULL;
}

/* The definition of a type says what is of it; whether its elements are right is not looked at. */
bool ct_fn_conforms_to(struct fp_call *c)
{
    struct fp_type type = c->n->u.type;
    ct_str url;
    int got = type.fhir ? 1 : argument(c, &url);
    if (got <= 0 || c->in->n != 1)
        return got >= 0;
    if (!type.fhir)
        type.fhir = ct_fp_profile(c->r->path->model, url);
    if (!type.fhir)
        return ct_fp_call_error(c, "not the StructureDefinition of a type of R4");
    ct_fp_bool(c->r, c->out, ct_fp_is(&c->in->v[0], &type, false));
    return true;
}

/* ---- value sets ---- */

const ct_codeset *ct_fp_codes(const ct_model *m, ct_str url)
{
    return ct_model_codes(m, without_version(url));
}

static bool is_among(const ct_codeset *set, ct_str code)
{
    for (size_t i = 0; i < set->n; i++) {
        if (ct_str_eq(set->codes[i], code))
            return true;
    }
    return false;
}

/* Of Codings only the code is known to be in the value set, not its system: 0 for none of them, -1
 * where that does not decide. */
static int coding_among(struct fp_call *c, const ct_doc *d, ct_val v, const ct_codeset *set)
{
    ct_val code = ct_member_id(d, v, c->r->path->id_code);
    if (code == CT_NONE || ct_type(d, code) != CT_STRING)
        return -1;
    return is_among(set, ct_text(d, code, c->r->a)) ? -1 : 0;
}

static int concept_among(struct fp_call *c, const ct_item *item, const ct_codeset *set)
{
    const ct_doc *d = item->doc;
    ct_val codings = ct_member(d, item->node, CT_S("coding"));
    if (codings == CT_NONE)
        return item->ftype && ct_str_is(item->ftype->name, "Coding")
                   ? coding_among(c, d, item->node, set)
                   : -1;
    int among = -1;
    if (ct_type(d, codings) != CT_ARRAY)
        return -1;
    for (ct_val v = ct_first(d, codings); v != CT_NONE; v = ct_next(d, codings, v)) {
        among = ct_type(d, v) == CT_OBJECT ? coding_among(c, d, v, set) : -1;
        if (among != 0)
            return among;
    }
    return among;
}

bool ct_fn_member_of(struct fp_call *c)
{
    const ct_codeset *set = c->n->u.codes;
    ct_str url;
    ct_item v;
    int got = set ? 1 : argument(c, &url), among;
    if (got <= 0 || c->in->n != 1)
        return got >= 0;
    if (!set)
        set = ct_fp_codes(c->r->path->model, url);
    if (!set)
        return ct_fp_call_error(c, "value set whose codes are not known here");
    const ct_item *item = &c->in->v[0];
    if (ct_fp_value(c->r, item, &v) && v.type == CT_I_STRING)
        among = is_among(set, v.text);
    else if (item->type == CT_I_NODE && ct_type(item->doc, item->node) == CT_OBJECT)
        among = concept_among(c, item, set);
    else
        return ct_fp_call_error(c, "no code where one is asked for");
    if (among >= 0)
        ct_fp_bool(c->r, c->out, among);
    return true;
}
