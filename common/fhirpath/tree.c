/* From an item to its elements: steps by name, choices, the _name objects of primitives, children.
 *
 * A primitive that has a value is the value's node; its id and extensions are looked up beside it,
 * in
 * `_name`, when they are asked for. A primitive without a value is the node of its `_name` object.
 */
#include "common/fhirpath/internal.h"

static ct_val member(const ct_doc *d, ct_val obj, uint16_t id)
{
    return id ? ct_member_id(d, obj, id) : CT_NONE;
}

/* What resourceType says, without its quotes; empty where there is none. */
static ct_str type_name(const ct_path *p, const ct_doc *d, ct_val v)
{
    ct_val type = ct_type(d, v) == CT_OBJECT ? member(d, v, p->id_resourcetype) : CT_NONE;
    if (type == CT_NONE || ct_type(d, type) != CT_STRING || d->tape[type].flags & CT_J_ESCAPED)
        return (ct_str){"", 0};
    ct_str raw = ct_raw(d, type);
    return (ct_str){raw.p + 1, raw.n - 2};
}

bool ct_fp_about(const ct_path *p, const ct_doc *d)
{
    return ct_str_eq(type_name(p, d, CT_ROOT), p->context->name);
}

/* An abstract resource type is what resourceType says. */
static const ct_ftype *actual_type(const ct_path *p, const ct_doc *d, ct_val v, const ct_ftype *t)
{
    if (t && (t->kind != CT_F_RESOURCE || !t->abstract))
        return t;
    ct_str name = type_name(p, d, v);
    if (name.n == 0)
        return t;
    if (p->likely && ct_str_eq(name, p->likely->name))
        return p->likely;
    const ct_ftype *found = ct_model_type(p->model, name);
    return found && found->kind == CT_F_RESOURCE ? found : t;
}

static ct_item make(const ct_path *p, const ct_doc *d, ct_val v, ct_val parent, const ct_ftype *t)
{
    return (ct_item){
        .type = CT_I_NODE, .doc = d, .node = v, .parent = parent, .ftype = actual_type(p, d, v, t)};
}

/* ---- primitives' other half ---- */

/* The name without the escapes that no element name has; empty where it has some. */
static ct_str plain_key(const ct_doc *d, ct_val v)
{
    return d->tape[v].flags & CT_J_KEY_ESCAPED ? (ct_str){"", 0} : ct_key(d, v);
}

/* The member _NAME of `obj`, for the member NAME at `v`. */
static ct_val underscored(struct fp_run *r, const ct_doc *d, ct_val obj, ct_val v)
{
    char name[80] = "_";
    ct_str key = plain_key(d, v);
    if (key.n == 0 || key.n >= sizeof name)
        return CT_NONE;
    memcpy(name + 1, key.p, key.n);
    uint16_t id = ct_names_find(r->path->names, (ct_str){name, key.n + 1});
    return member(d, obj, id);
}

/* The child of `obj` that holds `node`. */
static ct_val holder(const ct_doc *d, ct_val obj, ct_val node)
{
    ct_val v = ct_first(d, obj);
    while (v != CT_NONE && node >= d->tape[v].next)
        v = ct_next(d, obj, v);
    return v;
}

static size_t position(const ct_doc *d, ct_val array, ct_val node)
{
    size_t i = 0;
    for (ct_val v = ct_first(d, array); v != CT_NONE && v < node; v = ct_next(d, array, v))
        i++;
    return i;
}

static ct_val nth(const ct_doc *d, ct_val array, size_t i)
{
    ct_val v = ct_first(d, array);
    while (v != CT_NONE && i-- > 0)
        v = ct_next(d, array, v);
    return v;
}

ct_val ct_fp_underscore(struct fp_run *r, const ct_item *item)
{
    const ct_doc *d = item->doc;
    if (item->type != CT_I_NODE || item->parent == CT_NONE)
        return CT_NONE;
    if (ct_type(d, item->node) == CT_OBJECT)
        return item->ftype && item->ftype->kind == CT_F_PRIMITIVE ? item->node : CT_NONE;
    ct_val v = holder(d, item->parent, item->node);
    ct_val under = v == CT_NONE ? CT_NONE : underscored(r, d, item->parent, v);
    if (under != CT_NONE && ct_type(d, under) == CT_ARRAY)
        under = v == item->node ? CT_NONE : nth(d, under, position(d, v, item->node));
    return under != CT_NONE && ct_type(d, under) == CT_OBJECT ? under : CT_NONE;
}

/* ---- members to items ---- */

/* Where elements go while they are found. */
struct sink {
    struct fp_run *r;
    const struct fp_node *n;
    struct fp_coll *out;
    const ct_doc *d;
    ct_val obj;
};

static bool emit(struct sink *k, ct_val v, const ct_ftype *type)
{
    ct_item item = make(k->r->path, k->d, v, k->obj, type);
    return ct_fp_push(k->r, k->n, k->out, &item);
}

static bool emit_object(struct sink *k, ct_val v, const ct_ftype *type)
{
    return v == CT_NONE || ct_type(k->d, v) != CT_OBJECT || emit(k, v, type);
}

/* Items of an array; where an item is null, or there is none any more, its `_name` object stands
 * for it. */
static bool emit_array(struct sink *k, ct_val array, ct_val under, const ct_ftype *type)
{
    bool paired = under != CT_NONE && ct_type(k->d, under) == CT_ARRAY;
    ct_val w = paired ? ct_first(k->d, under) : CT_NONE;
    for (ct_val v = ct_first(k->d, array); v != CT_NONE; v = ct_next(k->d, array, v)) {
        if (!(ct_type(k->d, v) == CT_NULL ? emit_object(k, w, type) : emit(k, v, type)))
            return false;
        w = w == CT_NONE ? w : ct_next(k->d, under, w);
    }
    for (; w != CT_NONE; w = ct_next(k->d, under, w)) {
        if (!emit_object(k, w, type))
            return false;
    }
    return true;
}

/* The element in member `v` (CT_NONE: only `under` is there). */
static bool emit_member(struct sink *k, ct_val v, uint16_t under_id, const ct_ftype *type)
{
    ct_val under = CT_NONE;
    if (v == CT_NONE || ct_type(k->d, v) == CT_NULL) {
        v = member(k->d, k->obj, under_id);
        if (v == CT_NONE)
            return true;
    } else if (ct_type(k->d, v) == CT_ARRAY) {
        under = member(k->d, k->obj, under_id);
    }
    switch (ct_type(k->d, v)) {
    case CT_NULL:
        return true;
    case CT_ARRAY:
        return emit_array(k, v, under, type);
    default:
        return emit(k, v, type);
    }
}

static const ct_ftype *only_type(const ct_felement *e)
{
    return e && e->ntypes > 0 ? e->types[0] : NULL;
}

/* A choice has one of its alternatives, so the first member that is one ends the search. */
static bool emit_choice(struct sink *k, const struct fp_step *st)
{
    for (ct_val v = ct_first(k->d, k->obj); v != CT_NONE; v = ct_next(k->d, k->obj, v)) {
        uint16_t name = ct_name(k->d, v);
        if (name < st->lowest || name > st->highest)
            continue;
        for (size_t i = 0; i < st->nalts; i++) {
            if (name == st->alts[i].id)
                return emit_member(k, v, st->alts[i].under, st->alts[i].type);
            if (name == st->alts[i].under && member(k->d, k->obj, st->alts[i].id) == CT_NONE)
                return emit_member(k, CT_NONE, name, st->alts[i].type);
        }
    }
    return true;
}

/* ---- steps ---- */

static const ct_felement *element_of(const struct fp_step *st, const ct_ftype *t)
{
    if (t == st->type && t)
        return st->element;
    for (size_t i = 0; t && i < t->n; i++) {
        if (t->elements[i].id == st->id)
            return &t->elements[i];
    }
    return NULL;
}

static bool step_object(struct sink *k, const struct fp_node *n, const ct_ftype *t)
{
    const struct fp_step *st = &n->u.step;
    const ct_felement *e = element_of(st, t);
    if (e && e->choice)
        return emit_choice(k, st);
    const ct_ftype *type = only_type(e);
    if (!e && t) {
        /* The JSON name of a choice, taken by those who know JSON better than FHIRPath. */
        if (!ct_model_element(t, n->name, &type))
            return true;
    }
    ct_val v = member(k->d, k->obj, st->id);
    if (v == CT_NONE && !t)
        return emit_choice(k, st);
    return st->id ? emit_member(k, v, st->under, type) : true;
}

/* What system values have: the parts of a Quantity and of type(). */
static bool step_system(struct fp_run *r, const struct fp_node *n, const ct_item *item,
                        struct fp_coll *out)
{
    ct_item part = {.type = CT_I_STRING};
    bool first = item->type == CT_I_TYPE ? ct_str_is(n->name, "name") : ct_str_is(n->name, "value");
    bool second =
        item->type == CT_I_TYPE ? ct_str_is(n->name, "namespace") : ct_str_is(n->name, "unit");
    if (item->type != CT_I_TYPE && item->type != CT_I_QUANTITY)
        return true;
    if (!first && !second)
        return true;
    part.text = first ? item->text : item->unit;
    if (first && item->type == CT_I_QUANTITY)
        part.type = CT_I_DECIMAL;
    return ct_fp_push(r, n, out, &part);
}

bool ct_fp_step(struct fp_run *r, const struct fp_node *n, const ct_item *item, struct fp_coll *out)
{
    if (item->type != CT_I_NODE)
        return step_system(r, n, item, out);
    struct sink k = {r, n, out, item->doc, item->node};
    bool primitive = item->ftype && item->ftype->kind == CT_F_PRIMITIVE;
    if (primitive || ct_type(k.d, k.obj) != CT_OBJECT) {
        if (!n->u.step.on_primitive)
            return true;
        k.obj = ct_fp_underscore(r, item);
        if (k.obj == CT_NONE)
            return true;
    }
    return step_object(&k, n, item->ftype);
}

/* ---- children ---- */

/* A member's element; `_name` stands for the element where `name` is not there. */
static bool child(struct sink *k, const ct_ftype *t, ct_val v)
{
    const ct_ftype *type = NULL;
    ct_str key = plain_key(k->d, v);
    if (ct_name(k->d, v) == k->r->path->id_resourcetype)
        return true;
    bool under = key.n > 1 && key.p[0] == '_';
    ct_str name = under ? ct_str_from(key, 1) : key;
    if (under && ct_member(k->d, k->obj, name) != CT_NONE)
        return true;
    const ct_felement *e = t ? ct_model_element(t, name, &type) : NULL;
    if (!type)
        type = only_type(e);
    if (under)
        return emit_member(k, CT_NONE, ct_name(k->d, v), type);
    ct_val pair = ct_type(k->d, v) == CT_ARRAY ? underscored(k->r, k->d, k->obj, v) : CT_NONE;
    return emit_member(k, v, pair == CT_NONE ? 0 : ct_name(k->d, pair), type);
}

bool ct_fp_children(struct fp_run *r, const struct fp_node *n, const ct_item *item,
                    struct fp_coll *out)
{
    struct sink k = {r, n, out, item->doc, item->node};
    if (item->type != CT_I_NODE)
        return true;
    if (ct_type(k.d, k.obj) != CT_OBJECT) {
        k.obj = ct_fp_underscore(r, item);
        if (k.obj == CT_NONE)
            return true;
    }
    for (ct_val v = ct_first(k.d, k.obj); v != CT_NONE; v = ct_next(k.d, k.obj, v)) {
        if (!child(&k, item->ftype, v))
            return false;
    }
    return true;
}

/* ---- where an evaluation starts ---- */

/* Walks down from the root to the element at `node`, so that it gets its type. */
ct_item ct_fp_start(const ct_path *p, const ct_context *c, ct_val node)
{
    ct_item item = make(p, c->doc, CT_ROOT, CT_NONE, NULL);
    while (item.node != node && item.node != CT_NONE) {
        const ct_ftype *type = NULL;
        ct_val v = holder(c->doc, item.node, node);
        if (v == CT_NONE)
            break;
        const ct_felement *e =
            item.ftype ? ct_model_element(item.ftype, plain_key(c->doc, v), &type) : NULL;
        if (!type)
            type = only_type(e);
        ct_val parent = item.node;
        if (v != node && ct_type(c->doc, v) == CT_ARRAY)
            v = holder(c->doc, v, node);
        item = make(p, c->doc, v, parent, type);
    }
    return item;
}
