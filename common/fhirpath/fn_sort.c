/* sort(): by the items themselves, or by keys; a minus before a key turns its order round (so the
 * signs of keys are no arithmetic: strings and dates may have one). Items without a key come first
 * in either order.
 */
#include "common/fhirpath/internal.h"

struct row {
    ct_item item;
    struct fp_coll *keys; /* one a key, of no item or one */
};

static bool is_descending(const struct fp_call *c, size_t key)
{
    return key < c->n->nargs && c->n->args[key]->op == OP_NEGATE;
}

/* The key of input item `index`. It may be the item itself, so it is taken from the input, which
 * stays where it is while rows are moved. */
static bool read_key(struct fp_call *c, size_t index, size_t key, struct fp_coll *out)
{
    ct_item *item = &c->in->v[index];
    if (c->n->nargs == 0) {
        *out = (struct fp_coll){item, 1, 0};
        return true;
    }
    const struct fp_node *by = c->n->args[key];
    if (!ct_fp_each(c->r, is_descending(c, key) ? by->a : by, c->s, item, index, out))
        return false;
    return out->n <= 1 || ct_fp_call_error(c, "several items where one is asked for");
}

/* <0, 0, >0, or FP_MISMATCH. What cannot be decided (vague dates) keeps its place. */
static int compare_keys(struct fp_call *c, const struct row *a, const struct row *b, size_t key)
{
    const struct fp_coll *x = &a->keys[key], *y = &b->keys[key];
    if (x->n == 0 || y->n == 0)
        return (int)x->n - (int)y->n;
    int cmp = ct_fp_order(c->r, &x->v[0], &y->v[0]);
    if (cmp == CT_DATE_UNDECIDED)
        return 0;
    return cmp != FP_MISMATCH && is_descending(c, key) ? -cmp : cmp;
}

/* Does `a` come before `b`, or stand level with it? */
static bool before(struct fp_call *c, const struct row *a, const struct row *b, size_t nkeys,
                   bool *yes)
{
    int cmp = 0;
    for (size_t k = 0; k < nkeys && cmp == 0; k++)
        cmp = compare_keys(c, a, b, k);
    *yes = cmp <= 0;
    return cmp != FP_MISMATCH || ct_fp_call_error(c, "values that have no order between them");
}

/* Merges from[lo..mid) and from[mid..hi) into `to`. Equal items keep their order. */
static bool merge(struct fp_call *c, const struct row *from, struct row *to, const size_t at[3],
                  size_t nkeys)
{
    size_t i = at[0], j = at[1];
    for (size_t k = at[0]; k < at[2]; k++) {
        bool left = j == at[2];
        if (i < at[1] && j < at[2] &&
            (!ct_fp_spend(c->r, c->n, 1) || !before(c, &from[i], &from[j], nkeys, &left)))
            return false;
        to[k] = left ? from[i++] : from[j++];
    }
    return true;
}

static bool sort_rows(struct fp_call *c, struct row **rows, struct row *spare, size_t nkeys)
{
    size_t n = c->in->n;
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t lo = 0; lo < n; lo += 2 * width) {
            size_t mid = lo + width < n ? lo + width : n;
            size_t hi = lo + 2 * width < n ? lo + 2 * width : n;
            if (!merge(c, *rows, spare, (const size_t[]){lo, mid, hi}, nkeys))
                return false;
        }
        struct row *sorted = spare;
        spare = *rows;
        *rows = sorted;
    }
    return true;
}

bool ct_fn_sort(struct fp_call *c)
{
    size_t n = c->in->n, nkeys = c->n->nargs ? c->n->nargs : 1;
    if (!ct_fp_spend(c->r, c->n, n * (2 + nkeys) * FP_ITEM_STEPS))
        return false;
    struct row *rows = ct_arena_alloc(c->r->a, n * sizeof *rows);
    struct row *spare = ct_arena_alloc(c->r->a, n * sizeof *spare);
    for (size_t i = 0; i < n; i++) {
        rows[i].item = c->in->v[i];
        rows[i].keys = ct_arena_alloc(c->r->a, nkeys * sizeof *rows[i].keys);
        for (size_t k = 0; k < nkeys; k++) {
            if (!read_key(c, i, k, &rows[i].keys[k]))
                return false;
        }
    }
    if (!sort_rows(c, &rows, spare, nkeys))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!ct_fp_push(c->r, c->n, c->out, &rows[i].item))
            return false;
    }
    return true;
}
