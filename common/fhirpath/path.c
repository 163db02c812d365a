/* A compiled path: made, asked, freed. */
#include "common/fhirpath/internal.h"

/* The types and names that evaluation compares with. */
static void bind_model(ct_path *p)
{
    const struct {
        const char *name;
        const ct_ftype **type;
    } types[] = {{"boolean", &p->t_boolean},
                 {"decimal", &p->t_decimal},
                 {"integer", &p->t_integer},
                 {"positiveInt", &p->t_positive},
                 {"unsignedInt", &p->t_unsigned},
                 {"date", &p->t_date},
                 {"dateTime", &p->t_datetime},
                 {"instant", &p->t_instant},
                 {"time", &p->t_time},
                 {"Quantity", &p->t_quantity},
                 {"Extension", &p->t_extension}};
    const struct {
        const char *name;
        uint16_t *id;
    } names[] = {{"resourceType", &p->id_resourcetype},
                 {"extension", &p->id_extension},
                 {"url", &p->id_url},
                 {"id", &p->id_id},
                 {"value", &p->id_value},
                 {"code", &p->id_code},
                 {"system", &p->id_system},
                 {"unit", &p->id_unit},
                 {"comparator", &p->id_comparator},
                 {"reference", &p->id_reference},
                 {"contained", &p->id_contained}};
    for (size_t i = 0; i < CT_LEN(types); i++)
        *types[i].type = ct_model_type(p->model, ct_str_z(types[i].name));
    for (size_t i = 0; i < CT_LEN(names); i++)
        *names[i].id = ct_names_find(p->names, ct_str_z(names[i].name));
}

static ct_path *compile(const ct_model *m, const ct_ftype *type, bool strict, ct_str source,
                        ct_err *err)
{
    ct_arena *a = ct_arena_new();
    ct_path *p = ct_arena_alloc(a, sizeof *p);
    p->a = a;
    p->model = m;
    p->names = ct_model_names(m);
    p->strict = strict;
    if (source.n <= FP_SOURCE_MAX)
        source = ct_arena_copy(a, source);
    bind_model(p);
    if (ct_fp_parse(source, a, &p->root, err) && ct_fp_resolve(p, type, err))
        return p;
    ct_path_free(p);
    return NULL;
}

ct_path *ct_path_compile(const ct_model *m, ct_str source, ct_err *err)
{
    return compile(m, NULL, false, source, err);
}

ct_path *ct_path_compile_on(const ct_model *m, const ct_ftype *type, ct_str source, ct_err *err)
{
    return compile(m, type, false, source, err);
}

ct_path *ct_path_compile_strict(const ct_model *m, ct_str source, ct_err *err)
{
    return compile(m, NULL, true, source, err);
}

ct_str ct_path_context(const ct_path *p)
{
    return p->context ? p->context->name : (ct_str){"", 0};
}

/* Does it start at a record, or at what a record may have led to? Those functions count that have
 * no input of their own, as today(). */
static bool starts_somewhere(const struct fp_node *n)
{
    switch (n->op) {
    case OP_THIS:
    case OP_RESOURCE:
    case OP_CONTEXT:
    case OP_CHART:
    case OP_NAME:
    case OP_TYPESTEP:
        return true;
    case OP_STEP:
    case OP_CALL:
    case OP_INDEXER:
        return !n->a;
    default:
        return false;
    }
}

static bool is_constant(const struct fp_node *n)
{
    if (starts_somewhere(n) || (n->a && !is_constant(n->a)) || (n->b && !is_constant(n->b)))
        return false;
    for (size_t i = 0; i < n->nargs; i++)
        if (!is_constant(n->args[i]))
            return false;
    return true;
}

bool ct_path_is_constant(const ct_path *p)
{
    return is_constant(p->root);
}

void ct_path_free(ct_path *p)
{
    if (!p)
        return;
    for (struct fp_regexes *k = p->regexes; k; k = k->next)
        ct_fp_regex_free(k->re);
    ct_arena_free(p->a);
}
