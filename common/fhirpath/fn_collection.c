/* Functions on collections: existence, filters, subsets, combination, flow. */
#include "common/fhirpath/internal.h"

static bool give(struct fp_call *c, bool value)
{
    ct_fp_bool(c->r, c->out, value);
    return true;
}

/* The items from `from` to before `to`, borrowed. */
static bool give_part(struct fp_call *c, size_t from, size_t to)
{
    if (from < to && from < c->in->n)
        *c->out = (struct fp_coll){c->in->v + from, (to < c->in->n ? to : c->in->n) - from, 0};
    return true;
}

/* The condition `n` on item `i`. */
static bool holds(struct fp_call *c, const struct fp_node *n, size_t i, int *truth)
{
    struct fp_coll result;
    return ct_fp_each(c->r, n, c->s, &c->in->v[i], i, &result) &&
           ct_fp_truth(c->r, n, &result, truth);
}

/* ---- existence ---- */

bool ct_fn_empty(struct fp_call *c)
{
    return give(c, c->in->n == 0);
}

bool ct_fn_exists(struct fp_call *c)
{
    int truth;
    if (c->n->nargs == 0)
        return give(c, c->in->n > 0);
    for (size_t i = 0; i < c->in->n; i++) {
        if (!holds(c, c->n->args[0], i, &truth))
            return false;
        if (truth == 1)
            return give(c, true);
    }
    return give(c, false);
}

bool ct_fn_all(struct fp_call *c)
{
    int truth;
    for (size_t i = 0; i < c->in->n; i++) {
        if (!holds(c, c->n->args[0], i, &truth))
            return false;
        if (truth != 1)
            return give(c, false);
    }
    return give(c, true);
}

/* Is there a `wanted` among booleans only? */
static bool find_truth(struct fp_call *c, bool wanted, bool *found)
{
    ct_item v;
    *found = false;
    for (size_t i = 0; i < c->in->n; i++) {
        if (!ct_fp_value(c->r, &c->in->v[i], &v) || v.type != CT_I_BOOLEAN)
            return ct_fp_call_error(c, "an item that is no boolean");
        if (v.boolean == wanted)
            *found = true;
    }
    return true;
}

bool ct_fn_all_true(struct fp_call *c)
{
    bool found;
    return find_truth(c, false, &found) && give(c, !found);
}

bool ct_fn_any_true(struct fp_call *c)
{
    bool found;
    return find_truth(c, true, &found) && give(c, found);
}

bool ct_fn_all_false(struct fp_call *c)
{
    bool found;
    return find_truth(c, true, &found) && give(c, !found);
}

bool ct_fn_any_false(struct fp_call *c)
{
    bool found;
    return find_truth(c, false, &found) && give(c, found);
}

bool ct_fn_count(struct fp_call *c)
{
    ct_fp_int(c->r, c->out, (int64_t)c->in->n);
    return true;
}

bool ct_fn_not(struct fp_call *c)
{
    int truth;
    if (!ct_fp_truth(c->r, c->n, c->in, &truth))
        return false;
    return truth < 0 || give(c, !truth);
}

/* The value of a primitive, as FHIR's hasValue() and getValue() look at it. */
static bool has_value(struct fp_run *r, const ct_item *item)
{
    ct_item v;
    if (item->type == CT_I_NODE) {
        ct_jtype t = ct_type(item->doc, item->node);
        if (t == CT_OBJECT || t == CT_ARRAY)
            return false;
    }
    return ct_fp_value(r, item, &v);
}

bool ct_fn_has_value(struct fp_call *c)
{
    return give(c, c->in->n == 1 && has_value(c->r, &c->in->v[0]));
}

bool ct_fn_get_value(struct fp_call *c)
{
    ct_item v;
    if (c->in->n == 1 && has_value(c->r, &c->in->v[0]) && ct_fp_value(c->r, &c->in->v[0], &v))
        ct_fp_one(c->r, c->out, v);
    return true;
}

/* ---- filters and projection ---- */

bool ct_fn_where(struct fp_call *c)
{
    int truth;
    for (size_t i = 0; i < c->in->n; i++) {
        if (!holds(c, c->n->args[0], i, &truth) ||
            (truth == 1 && !ct_fp_push(c->r, c->n, c->out, &c->in->v[i])))
            return false;
    }
    return true;
}

bool ct_fn_select(struct fp_call *c)
{
    struct fp_coll part;
    for (size_t i = 0; i < c->in->n; i++) {
        if (!ct_fp_each(c->r, c->n->args[0], c->s, &c->in->v[i], i, &part) ||
            !ct_fp_append(c->r, c->n, c->out, &part))
            return false;
    }
    return true;
}

/* Adds what the projection gives for an item, as far as it is new. */
static bool project(struct fp_call *c, const ct_item *item, size_t index, struct fp_set *found)
{
    struct fp_coll part;
    if (!ct_fp_each(c->r, c->n->args[0], c->s, item, index, &part))
        return false;
    for (size_t i = 0; i < part.n; i++) {
        if (!ct_fp_set_add(c->r, c->n, found, &part.v[i]))
            return false;
    }
    return true;
}

/* The same without a look at what is there already. */
bool ct_fn_repeat_all(struct fp_call *c)
{
    struct fp_coll part;
    if (!ct_fn_select(c))
        return false;
    for (size_t i = 0; i < c->out->n; i++) {
        ct_item item = c->out->v[i];
        if (!ct_fp_each(c->r, c->n->args[0], c->s, &item, i, &part) ||
            !ct_fp_append(c->r, c->n, c->out, &part))
            return false;
    }
    return true;
}

/* The result is also the list of what is still to do. */
bool ct_fn_repeat(struct fp_call *c)
{
    struct fp_set found;
    ct_fp_set_of(c->r, &found, c->out);
    for (size_t i = 0; i < c->in->n; i++) {
        if (!project(c, &c->in->v[i], i, &found))
            return false;
    }
    for (size_t i = 0; i < c->out->n; i++) {
        ct_item item = c->out->v[i];
        if (!project(c, &item, i, &found))
            return false;
    }
    return true;
}

const ct_items *ct_items_by_type(const ct_items *items, ct_arena *a, size_t *n)
{
    ct_items *groups = ct_arena_alloc(a, (items->n + 1) * sizeof *groups);
    size_t *group = ct_arena_alloc(a, (items->n + 1) * sizeof *group);
    *n = 0;
    for (size_t i = 0; i < items->n; i++) {
        size_t g = 0;
        while (g < *n && groups[g].v->ftype != items->v[i].ftype)
            g++;
        if (g == *n)
            groups[(*n)++] = (ct_items){items->v + i, 0};
        groups[g].n++;
        group[i] = g;
    }
    for (size_t g = 0; g < *n; g++)
        groups[g] = (ct_items){ct_arena_alloc(a, groups[g].n * sizeof(ct_item)), 0};
    for (size_t i = 0; i < items->n; i++)
        groups[group[i]].v[groups[group[i]].n++] = items->v[i];
    return groups;
}

/* The one group of the chart that is of the type; NULL where none or several are, or no groups are
 * known. */
static const ct_items *chart_group(const struct fp_call *c)
{
    const ct_context *context = c->r->c;
    const ct_items *found = NULL;
    if (!c->n->a || c->n->a->op != OP_CHART)
        return NULL;
    for (size_t g = 0; g < context->nchart_types; g++) {
        const ct_items *group = &context->chart_types[g];
        if (!ct_fp_is(&group->v[0], &c->n->u.type, true))
            continue;
        if (found)
            return NULL;
        found = group;
    }
    return found;
}

bool ct_fn_of_type(struct fp_call *c)
{
    const ct_items *group = chart_group(c);
    if (group) {
        *c->out = (struct fp_coll){group->v, group->n, 0};
        return true;
    }
    for (size_t i = 0; i < c->in->n; i++) {
        if (ct_fp_is(&c->in->v[i], &c->n->u.type, true) &&
            !ct_fp_push(c->r, c->n, c->out, &c->in->v[i]))
            return false;
    }
    return true;
}

bool ct_fn_is(struct fp_call *c)
{
    if (c->in->n > 1)
        return ct_fp_call_error(c, "several items where one is asked for");
    return c->in->n == 0 || give(c, ct_fp_is(&c->in->v[0], &c->n->u.type, false));
}

bool ct_fn_as(struct fp_call *c)
{
    if (c->in->n > 1)
        return ct_fp_call_error(c, "several items where one is asked for");
    return ct_fn_of_type(c);
}

/* ---- subsets ---- */

bool ct_fn_first(struct fp_call *c)
{
    return give_part(c, 0, 1);
}

bool ct_fn_last(struct fp_call *c)
{
    return c->in->n == 0 || give_part(c, c->in->n - 1, c->in->n);
}

bool ct_fn_tail(struct fp_call *c)
{
    return give_part(c, 1, SIZE_MAX);
}

bool ct_fn_single(struct fp_call *c)
{
    if (c->in->n > 1)
        return ct_fp_call_error(c, "several items where one is asked for");
    return give_part(c, 0, 1);
}

/* The argument as a number of items; what is below 0 counts as 0. */
static bool amount(struct fp_call *c, bool *known, size_t *n)
{
    struct fp_coll arg;
    int64_t v = 0;
    if (!ct_fp_arg(c, 0, &arg))
        return false;
    int got = ct_fp_single_int(c->r, c->n, &arg, &v);
    *known = got > 0;
    *n = v < 0 ? 0 : (size_t)v;
    return got >= 0;
}

bool ct_fn_skip(struct fp_call *c)
{
    bool known;
    size_t n;
    return amount(c, &known, &n) && (!known || give_part(c, n, SIZE_MAX));
}

bool ct_fn_take(struct fp_call *c)
{
    bool known;
    size_t n;
    return amount(c, &known, &n) && (!known || give_part(c, 0, n));
}

/* ---- sets ---- */

static bool distinct(struct fp_call *c, struct fp_coll *out)
{
    struct fp_set once;
    ct_fp_set_of(c->r, &once, out);
    for (size_t i = 0; i < c->in->n; i++) {
        if (!ct_fp_set_add(c->r, c->n, &once, &c->in->v[i]))
            return false;
    }
    return true;
}

bool ct_fn_distinct(struct fp_call *c)
{
    return distinct(c, c->out);
}

bool ct_fn_is_distinct(struct fp_call *c)
{
    struct fp_coll once = {0};
    return distinct(c, &once) && give(c, once.n == c->in->n);
}

static bool within(struct fp_call *c, const struct fp_coll *part, const struct fp_coll *whole)
{
    struct fp_coll items = *whole;
    struct fp_set set;
    ct_fp_set_of(c->r, &set, &items);
    for (size_t i = 0; i < part->n; i++) {
        if (!ct_fp_set_has(c->r, &set, &part->v[i]))
            return give(c, false);
    }
    return give(c, true);
}

bool ct_fn_subset_of(struct fp_call *c)
{
    struct fp_coll other;
    return ct_fp_arg(c, 0, &other) && within(c, c->in, &other);
}

bool ct_fn_superset_of(struct fp_call *c)
{
    struct fp_coll other;
    return ct_fp_arg(c, 0, &other) && within(c, &other, c->in);
}

bool ct_fn_intersect(struct fp_call *c)
{
    struct fp_coll other;
    struct fp_set there, once;
    if (!ct_fp_arg(c, 0, &other))
        return false;
    ct_fp_set_of(c->r, &there, &other);
    ct_fp_set_of(c->r, &once, c->out);
    for (size_t i = 0; i < c->in->n; i++) {
        if (ct_fp_set_has(c->r, &there, &c->in->v[i]) &&
            !ct_fp_set_add(c->r, c->n, &once, &c->in->v[i]))
            return false;
    }
    return true;
}

bool ct_fn_exclude(struct fp_call *c)
{
    struct fp_coll other;
    struct fp_set there;
    if (!ct_fp_arg(c, 0, &other))
        return false;
    ct_fp_set_of(c->r, &there, &other);
    for (size_t i = 0; i < c->in->n; i++) {
        if (!ct_fp_set_has(c->r, &there, &c->in->v[i]) &&
            !ct_fp_push(c->r, c->n, c->out, &c->in->v[i]))
            return false;
    }
    return true;
}

bool ct_fn_union(struct fp_call *c)
{
    struct fp_coll other;
    return ct_fp_arg(c, 0, &other) && ct_fp_union(c->r, c->n, c->in, &other, c->out);
}

bool ct_fn_combine(struct fp_call *c)
{
    struct fp_coll other;
    return ct_fp_arg(c, 0, &other) && ct_fp_append(c->r, c->n, c->out, c->in) &&
           ct_fp_append(c->r, c->n, c->out, &other);
}

/* ---- flow ---- */

/* Only the branch that is taken is evaluated; $this is the input. */
bool ct_fn_iif(struct fp_call *c)
{
    struct fp_scope inner = *c->s;
    struct fp_coll condition = {0};
    int truth;
    if (c->in->n > 1)
        return ct_fp_call_error(c, "several items where one is asked for");
    if (c->n->a)
        inner.self = *c->in;
    if (!ct_fp_eval(c->r, c->n->args[0], &inner, &condition) ||
        !ct_fp_truth(c->r, c->n, &condition, &truth))
        return false;
    if (truth == 1)
        return ct_fp_eval(c->r, c->n->args[1], &inner, c->out);
    return c->n->nargs < 3 || ct_fp_eval(c->r, c->n->args[2], &inner, c->out);
}

/* The first argument that is not empty. */
bool ct_fn_coalesce(struct fp_call *c)
{
    for (size_t i = 0; i < c->n->nargs && c->out->n == 0; i++) {
        if (!ct_fp_arg(c, i, c->out))
            return false;
    }
    return true;
}

/* Keeps what the second argument gives for the input, or the input, and passes the input on. */
bool ct_fn_define_variable(struct fp_call *c)
{
    struct fp_scope inner = *c->s;
    struct fp_coll *kept = &c->r->vars[c->n->u.slot], value = {0};
    inner.self = (struct fp_coll){c->in->v, c->in->n, 0};
    if (c->n->nargs < 2)
        value = *c->in;
    else if (!ct_fp_eval(c->r, c->n->args[1], &inner, &value))
        return false;
    *kept = (struct fp_coll){value.v, value.n, 0};
    return ct_fp_append(c->r, c->n, c->out, c->in);
}

bool ct_fn_aggregate(struct fp_call *c)
{
    struct fp_coll total = {0};
    if (c->n->nargs > 1 && !ct_fp_arg(c, 1, &total))
        return false;
    for (size_t i = 0; i < c->in->n; i++) {
        struct fp_scope inner = {
            .self = {&c->in->v[i], 1, 0}, .index = (int64_t)i, .total = &total};
        struct fp_coll next = {0};
        if (!ct_fp_eval(c->r, c->n->args[0], &inner, &next))
            return false;
        total = next;
    }
    return ct_fp_append(c->r, c->n, c->out, &total);
}
