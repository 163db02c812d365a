/* Walks the checked tree over a record.
 *
 * A budget of steps bounds the work of one evaluation; the depth of the tree was bounded when it
 * was parsed. All memory comes from the context's arena.
 */
#include "common/fhirpath/internal.h"

#include <assert.h>

/* ---- errors and the budget ---- */

bool ct_fp_fail(struct fp_run *r, const struct fp_node *n, const char *text)
{
    return ct_fp_refuse(r->err, CT_E_DATA, n->at, text);
}

bool ct_fp_spend(struct fp_run *r, const struct fp_node *n, size_t k)
{
    if (r->steps < k)
        return ct_fp_refuse(r->err, CT_E_LIMIT, n->at, "evaluation takes too many steps");
    r->steps -= k;
    return true;
}

void ct_fp_charge(struct fp_run *r, size_t k)
{
    r->steps -= r->steps < k ? r->steps : k;
}

bool ct_fp_spend_text(struct fp_run *r, const struct fp_node *n, size_t bytes)
{
    return ct_fp_spend(r, n, bytes / FP_TEXT_STEP + 1);
}

/* ---- collections ---- */

static void grow(struct fp_run *r, struct fp_coll *c, size_t need)
{
    size_t cap = c->n < 2 ? 2 : c->n * 2;
    if (cap < need)
        cap = need;
    ct_item *v = ct_arena_alloc(r->a, cap * sizeof *v);
    if (c->n > 0 && c->v)
        memcpy(v, c->v, c->n * sizeof *v);
    c->v = v;
    c->cap = cap;
}

bool ct_fp_push(struct fp_run *r, const struct fp_node *n, struct fp_coll *c, const ct_item *item)
{
    if (c->n >= FP_ITEMS_MAX)
        return ct_fp_refuse(r->err, CT_E_LIMIT, n->at, "collection with too many items");
    if (!ct_fp_spend(r, n, FP_ITEM_STEPS))
        return false;
    if (c->n >= c->cap)
        grow(r, c, c->n + 1);
    c->v[c->n++] = *item;
    return true;
}

bool ct_fp_append(struct fp_run *r, const struct fp_node *n, struct fp_coll *c,
                  const struct fp_coll *more)
{
    if (more->n == 0)
        return true;
    if (c->n == 0 && c->cap == 0) {
        *c = (struct fp_coll){more->v, more->n, 0};
        return ct_fp_spend(r, n, 1);
    }
    for (size_t i = 0; i < more->n; i++) {
        if (!ct_fp_push(r, n, c, &more->v[i]))
            return false;
    }
    return true;
}

void ct_fp_one(struct fp_run *r, struct fp_coll *c, ct_item item)
{
    c->v = ct_arena_alloc(r->a, sizeof item);
    c->v[0] = item;
    c->n = c->cap = 1;
}

void ct_fp_bool(struct fp_run *r, struct fp_coll *c, bool value)
{
    static const ct_item truths[] = {{.type = CT_I_BOOLEAN, .boolean = false},
                                     {.type = CT_I_BOOLEAN, .boolean = true}};
    (void)r;
    /* cap 0: borrowed, nobody writes to it */
    *c = (struct fp_coll){(ct_item *)&truths[value], 1, 0};
}

void ct_fp_int(struct fp_run *r, struct fp_coll *c, int64_t value)
{
    ct_fp_one(r, c, ct_fp_item_int(value));
}

void ct_fp_string(struct fp_run *r, struct fp_coll *c, ct_str s)
{
    ct_fp_one(r, c, ct_fp_item_string(s));
}

bool ct_fp_text_add(struct fp_run *r, const struct fp_node *n, struct fp_text *t, ct_str s)
{
    if (!ct_fp_spend_text(r, n, s.n))
        return false;
    if (t->cap - t->n < s.n || !t->p) {
        t->cap = (t->cap + s.n) * 2 + 16;
        char *p = ct_arena_alloc(r->a, t->cap);
        if (t->n > 0 && t->p)
            memcpy(p, t->p, t->n);
        t->p = p;
    }
    if (s.n > 0)
        memcpy(t->p + t->n, s.p, s.n);
    t->n += s.n;
    return true;
}

bool ct_fp_truth(struct fp_run *r, const struct fp_node *n, const struct fp_coll *c, int *truth)
{
    ct_item v;
    *truth = -1;
    if (c->n == 0)
        return true;
    if (c->n > 1)
        return ct_fp_fail(r, n, "several items where a condition is asked for");
    if (ct_fp_value(r, &c->v[0], &v))
        *truth = v.type != CT_I_BOOLEAN || v.boolean;
    else /* a primitive whose value is absent, or is none, tells nothing */
        *truth = c->v[0].ftype && c->v[0].ftype->kind == CT_F_PRIMITIVE ? -1 : 1;
    return true;
}

/* ---- nodes ---- */

bool ct_fp_each(struct fp_run *r, const struct fp_node *n, const struct fp_scope *s,
                const ct_item *item, size_t index, struct fp_coll *out)
{
    struct fp_scope inner = {
        .self = {(ct_item *)item, 1, 0}, .index = (int64_t)index, .total = s->total};
    *out = (struct fp_coll){0};
    return ct_fp_eval(r, n, &inner, out);
}

/* The input of a step or call: what stands before it, or $this. */
static bool input(struct fp_run *r, const struct fp_node *n, const struct fp_scope *s,
                  struct fp_coll *in)
{
    *in = (struct fp_coll){0};
    if (n->a)
        return ct_fp_eval(r, n->a, s, in);
    *in = (struct fp_coll){s->self.v, s->self.n, 0};
    return true;
}

static bool step(struct fp_run *r, const struct fp_node *n, const struct fp_scope *s,
                 struct fp_coll *out)
{
    struct fp_coll in;
    if (!input(r, n, s, &in))
        return false;
    for (size_t i = 0; i < in.n; i++) {
        if (!ct_fp_step(r, n, &in.v[i], out))
            return false;
    }
    return true;
}

static bool type_step(struct fp_run *r, const struct fp_node *n, const struct fp_scope *s,
                      struct fp_coll *out)
{
    for (size_t i = 0; i < s->self.n; i++) {
        if (ct_fp_is(&s->self.v[i], &n->u.type, false) && !ct_fp_push(r, n, out, &s->self.v[i]))
            return false;
    }
    return true;
}

static bool call(struct fp_run *r, const struct fp_node *n, const struct fp_scope *s,
                 struct fp_coll *out)
{
    struct fp_coll in;
    struct fp_call c = {r, n, s, &in, out};
    return input(r, n, s, &in) && n->fn->fn(&c);
}

static bool indexer(struct fp_run *r, const struct fp_node *n, const struct fp_scope *s,
                    struct fp_coll *out)
{
    struct fp_coll in, at = {0};
    int64_t i;
    if (!input(r, n, s, &in) || !ct_fp_eval(r, n->b, s, &at))
        return false;
    int got = ct_fp_single_int(r, n, &at, &i);
    if (got < 0)
        return false;
    if (got > 0 && i >= 0 && (uint64_t)i < in.n)
        *out = (struct fp_coll){&in.v[i], 1, 0};
    return true;
}

static bool negate(struct fp_run *r, const struct fp_node *n, const struct fp_scope *s,
                   struct fp_coll *out)
{
    struct fp_coll in;
    return input(r, n, s, &in) && ct_fp_negate(r, n, &in, out);
}

static bool chart(struct fp_run *r, const struct fp_node *n, struct fp_coll *out)
{
    const ct_items *items = r->c->chart;
    if (!items)
        return ct_fp_fail(r, n, "%chart is not known here");
    *out = (struct fp_coll){items->v, items->n, 0};
    return true;
}

static bool place(struct fp_run *r, const struct fp_node *n, const struct fp_scope *s,
                  struct fp_coll *out)
{
    switch (n->op) {
    case OP_RESOURCE:
        ct_fp_one(r, out, ct_fp_start(r->path, r->c, CT_ROOT));
        return true;
    case OP_CONTEXT:
        ct_fp_one(r, out, ct_fp_start(r->path, r->c, r->c->node));
        return true;
    case OP_CHART:
        return chart(r, n, out);
    case OP_VARIABLE:
        assert(r->vars); /* it is defined somewhere, or it would not have been resolved */
        *out = (struct fp_coll){r->vars[n->u.slot].v, r->vars[n->u.slot].n, 0};
        return true;
    case OP_INDEX:
        if (s->index >= 0)
            ct_fp_int(r, out, s->index);
        return true;
    case OP_TOTAL:
        if (s->total)
            *out = (struct fp_coll){s->total->v, s->total->n, 0};
        return true;
    default:
        *out = (struct fp_coll){s->self.v, s->self.n, 0};
        return true;
    }
}

static bool evaluate(struct fp_run *r, const struct fp_node *n, const struct fp_scope *s,
                     struct fp_coll *out)
{
    switch (n->op) {
    case OP_CONST:
        *out = (struct fp_coll){(ct_item *)&n->u.item, 1, 0};
        return true;
    case OP_EMPTY:
        return true;
    case OP_TYPESTEP:
        return type_step(r, n, s, out);
    case OP_STEP:
        return step(r, n, s, out);
    case OP_CALL:
        return call(r, n, s, out);
    case OP_INDEXER:
        return indexer(r, n, s, out);
    case OP_NEGATE:
    case OP_PLUS:
        return negate(r, n, s, out);
    case OP_THIS:
    case OP_RESOURCE:
    case OP_CONTEXT:
    case OP_CHART:
    case OP_VARIABLE:
    case OP_INDEX:
    case OP_TOTAL:
        return place(r, n, s, out);
    default:
        return ct_fp_binary(r, n, s, out);
    }
}

bool ct_fp_eval(struct fp_run *r, const struct fp_node *n, const struct fp_scope *s,
                struct fp_coll *out)
{
    if (!ct_fp_spend(r, n, 1))
        return false;
    if (!n->memo || !r->memo)
        return evaluate(r, n, s, out);
    struct fp_memo *m = &r->memo[n->memo - 1];
    if (!m->known && !evaluate(r, n, s, &m->value))
        return false;
    m->known = true;
    *out = (struct fp_coll){m->value.v, m->value.n, 0}; /* borrowed: others may ask again */
    return true;
}

/* ---- the public face ---- */

bool ct_path_eval(const ct_path *p, ct_context *c, ct_items *out, ct_err *err)
{
    struct fp_run r = {.path = p, .c = c, .a = c->arena, .err = err, .steps = FP_STEPS_MAX};
    struct fp_coll result = {0};
    *out = (ct_items){0};
    if (p->context && c->node == CT_ROOT && !ct_fp_about(p, c->doc))
        return true;
    if (p->nmemo)
        r.memo = ct_arena_alloc(c->arena, p->nmemo * sizeof *r.memo);
    if (p->nvars)
        r.vars = ct_arena_alloc(c->arena, p->nvars * sizeof *r.vars);
    ct_item self = ct_fp_start(p, c, c->node);
    if (p->context && self.type == CT_I_NODE && self.ftype != p->context)
        return true;
    struct fp_scope s = {.self = {&self, 1, 0}, .index = -1};
    if (!ct_fp_eval(&r, p->root, &s, &result) || !ct_fp_spend(&r, p->root, 1))
        return false;
    /* The start lives on this function's stack. */
    if (result.v == &self)
        ct_fp_one(&r, &result, self);
    *out = (ct_items){result.v, result.n};
    return true;
}

ct_truth ct_path_test(const ct_path *p, ct_context *c, ct_err *err)
{
    ct_items items;
    ct_err ignored;
    size_t unresolved = c->unresolved;
    int truth;
    if (!err)
        err = &ignored;
    *err = (ct_err){0};
    if (!ct_path_eval(p, c, &items, err))
        return CT_UNDECIDED;
    struct fp_run r = {.path = p, .c = c, .a = c->arena, .err = err, .steps = FP_STEPS_MAX};
    struct fp_coll result = {items.v, items.n, 0};
    if (!ct_fp_truth(&r, p->root, &result, &truth) || truth < 0 || c->unresolved != unresolved)
        return CT_UNDECIDED;
    return truth ? CT_TRUE_ : CT_FALSE_;
}
