/* Edits as patches. A request is kept as it was made; applying turns each into the stretch of text
 * it stands for, which for members and items depends on their siblings: a comma goes with what is
 * taken out, and none is left dangling whatever set of siblings goes. */
#include "common/json/json.h"

#include <stdlib.h>

typedef enum op_kind { OP_REMOVE, OP_ADD, OP_REPLACE } op_kind;

typedef struct op {
    ct_val parent; /* CT_NONE for a replacement */
    op_kind kind;
    ct_val v;       /* what is removed or replaced; for an addition its rank */
    size_t from, n; /* new text in `pool` */
} op;

/* Replaces text[from, to) by `n` bytes from `pool`. */
typedef struct patch {
    size_t from, to, rank;
    size_t at, n;
    bool comma; /* ahead of the new text */
} patch;

struct ct_edit {
    const ct_doc *doc;
    op *ops;
    size_t nops, capops;
    patch *patches;
    size_t n, cap;
    ct_buf pool;
};

ct_edit *ct_edit_new(void)
{
    return ct_calloc(1, sizeof(ct_edit));
}

void ct_edit_start(ct_edit *e, const ct_doc *doc)
{
    e->doc = doc;
    e->nops = e->n = e->pool.n = 0;
}

void ct_edit_free(ct_edit *e)
{
    if (!e)
        return;
    free(e->ops);
    free(e->patches);
    ct_buf_free(&e->pool);
    free(e);
}

bool ct_edit_dirty(const ct_edit *e)
{
    return e->nops > 0;
}

/* ---- requests ---- */

static void request(ct_edit *e, op o, size_t from)
{
    if (e->nops == e->capops) {
        e->capops = e->capops ? 2 * e->capops : 16;
        e->ops = ct_realloc(e->ops, e->capops, sizeof *e->ops);
    }
    o.from = from;
    o.n = e->pool.n - from;
    e->ops[e->nops++] = o;
}

void ct_edit_replace(ct_edit *e, ct_val v, ct_str json)
{
    size_t from = e->pool.n;
    ct_buf_put(&e->pool, json);
    request(e, (op){.parent = CT_NONE, .kind = OP_REPLACE, .v = v}, from);
}

void ct_edit_remove(ct_edit *e, ct_val parent, ct_val v)
{
    request(e, (op){.parent = parent, .kind = OP_REMOVE, .v = v}, e->pool.n);
}

void ct_edit_add_member(ct_edit *e, ct_val obj, ct_str name, ct_str json)
{
    size_t from = e->pool.n;
    ct_put_string(&e->pool, name);
    ct_buf_c(&e->pool, ':');
    ct_buf_put(&e->pool, json);
    request(e, (op){.parent = obj, .kind = OP_ADD, .v = (ct_val)e->nops}, from);
}

void ct_edit_add_item(ct_edit *e, ct_val array, ct_str json)
{
    size_t from = e->pool.n;
    ct_buf_put(&e->pool, json);
    request(e, (op){.parent = array, .kind = OP_ADD, .v = (ct_val)e->nops}, from);
}

/* ---- from requests to patches ---- */

static patch *patch_new(ct_edit *e, size_t from, size_t to)
{
    if (e->n == e->cap) {
        e->cap = e->cap ? 2 * e->cap : 16;
        e->patches = ct_realloc(e->patches, e->cap, sizeof *e->patches);
    }
    patch *p = &e->patches[e->n];
    *p = (patch){.from = from, .to = to, .rank = e->n};
    e->n++;
    return p;
}

/* Where a child starts, its name included, and where it ends. */
static size_t child_start(const ct_doc *d, ct_val v, bool member)
{
    return member ? d->tape[v].key - 1 : d->tape[v].at;
}

static size_t child_end(const ct_doc *d, ct_val v)
{
    return (size_t)d->tape[v].at + d->tape[v].len;
}

/* One patch for each run of children that go: from the end of the child before the run to the end
 * of the run, or, where no child stays before it, from its start to the start of the next child.
 * `ops` name the children in order. Returns how many of them were found; `*kept` says whether any
 * child stays. */
static size_t remove_runs(ct_edit *e, ct_val parent, const op *ops, size_t n, bool *kept)
{
    const ct_doc *d = e->doc;
    bool member = ct_type(d, parent) == CT_OBJECT;
    size_t found = 0;
    ct_val before = CT_NONE; /* last child that stays */
    *kept = false;
    for (ct_val v = ct_first(d, parent); v != CT_NONE;) {
        ct_val last = CT_NONE; /* of the run that starts at v */
        for (; v != CT_NONE && found < n && ops[found].v == v; v = ct_next(d, parent, v)) {
            last = v;
            found++;
        }
        if (last != CT_NONE && before != CT_NONE)
            patch_new(e, child_end(d, before), child_end(d, last));
        else if (last != CT_NONE)
            patch_new(e, child_start(d, ops[0].v, member),
                      v != CT_NONE ? child_start(d, v, member) : child_end(d, last));
        if (v == CT_NONE)
            break;
        before = v;
        *kept = true;
        v = ct_next(d, parent, v);
    }
    return found;
}

/* Where additions go: behind the last child, or behind the opening bracket. */
static size_t tail_of(const ct_doc *d, ct_val parent)
{
    size_t tail = (size_t)d->tape[parent].at + 1;
    for (ct_val v = ct_first(d, parent); v != CT_NONE; v = ct_next(d, parent, v))
        tail = child_end(d, v);
    return tail;
}

static bool plan_container(ct_edit *e, const op *ops, size_t n, ct_err *err)
{
    ct_val parent = ops->parent;
    if (parent >= e->doc->n || ct_type(e->doc, parent) < CT_ARRAY)
        return ct_fail(err, CT_E_USAGE, "edit of the children of what has none");
    size_t removals = 0;
    while (removals < n && ops[removals].kind == OP_REMOVE)
        removals++;
    bool comma;
    if (remove_runs(e, parent, ops, removals, &comma) != removals)
        return ct_fail(err, CT_E_USAGE, "removal of a value that is not there or twice");
    if (removals == n)
        return true;
    size_t tail = tail_of(e->doc, parent);
    for (size_t i = removals; i < n; i++, comma = true) {
        patch *p = patch_new(e, tail, tail);
        p->at = ops[i].from;
        p->n = ops[i].n;
        p->comma = comma;
    }
    return true;
}

static int by_container(const void *a, const void *b)
{
    const op *x = a, *y = b;
    if (x->parent != y->parent)
        return x->parent < y->parent ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return (x->v > y->v) - (x->v < y->v);
}

static bool plan_replacement(ct_edit *e, const op *o, ct_err *err)
{
    if (o->v >= e->doc->n)
        return ct_fail(err, CT_E_USAGE, "edit of a value that is not there");
    patch *p = patch_new(e, e->doc->tape[o->v].at, child_end(e->doc, o->v));
    p->at = o->from;
    p->n = o->n;
    return true;
}

static bool plan(ct_edit *e, ct_err *err)
{
    e->n = 0;
    if (e->nops)
        qsort(e->ops, e->nops, sizeof *e->ops, by_container);
    for (size_t i = 0, n; i < e->nops; i += n) {
        const op *o = &e->ops[i];
        n = 1;
        if (o->kind == OP_REPLACE) {
            if (!plan_replacement(e, o, err))
                return false;
            continue;
        }
        while (i + n < e->nops && o[n].parent == o->parent)
            n++;
        if (!plan_container(e, o, n, err))
            return false;
    }
    return true;
}

/* ---- applying ---- */

/* By place; at one place the order of the container's plan, in which additions come last. */
static int by_place(const void *a, const void *b)
{
    const patch *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

static bool overlaps(const ct_edit *e)
{
    size_t end = 0;
    for (size_t i = 0; i < e->n; i++) {
        if (e->patches[i].from < end)
            return true;
        end = e->patches[i].to;
    }
    return false;
}

bool ct_edit_apply(ct_edit *e, ct_buf *out, ct_err *err)
{
    if (!plan(e, err))
        return false;
    if (e->n)
        qsort(e->patches, e->n, sizeof *e->patches, by_place);
    if (overlaps(e))
        return ct_fail(err, CT_E_USAGE, "edits that overlap");
    ct_str text = e->doc->text, pool = ct_buf_str(&e->pool);
    size_t done = 0;
    ct_buf_room(out, text.n + e->pool.n + e->n);
    for (size_t i = 0; i < e->n; i++) {
        const patch *p = &e->patches[i];
        ct_buf_put(out, (ct_str){text.p + done, p->from - done});
        if (p->comma)
            ct_buf_c(out, ',');
        ct_buf_put(out, ct_str_head(ct_str_from(pool, p->at), p->n));
        done = p->to;
    }
    ct_buf_put(out, ct_str_from(text, done));
    return true;
}
