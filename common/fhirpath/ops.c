/* The binary operators, and the signs. */
#include "common/fhirpath/internal.h"

/* ---- three-valued logic: -1 is unknown ---- */

static int logic(enum fp_op op, int a, int b)
{
    switch (op) {
    case OP_AND:
        return a == 0 || b == 0 ? 0 : a < 0 || b < 0 ? -1 : 1;
    case OP_OR:
        return a == 1 || b == 1 ? 1 : a < 0 || b < 0 ? -1 : 0;
    case OP_XOR:
        return a < 0 || b < 0 ? -1 : a != b;
    default:
        return a == 0 || b == 1 ? 1 : a < 0 || b < 0 ? -1 : b;
    }
}

/* The right side is not evaluated where the left has decided. */
static bool logical(struct fp_run *r, const struct fp_node *n, const struct fp_scope *s,
                    struct fp_coll *out)
{
    struct fp_coll left = {0}, right = {0};
    int a, b;
    if (!ct_fp_eval(r, n->a, s, &left) || !ct_fp_truth(r, n, &left, &a))
        return false;
    int result = logic((enum fp_op)n->op, a, -1);
    if (result < 0) {
        if (!ct_fp_eval(r, n->b, s, &right) || !ct_fp_truth(r, n, &right, &b))
            return false;
        result = logic((enum fp_op)n->op, a, b);
    }
    if (result >= 0)
        ct_fp_bool(r, out, result);
    return true;
}

/* ---- comparison ---- */

static bool equality(struct fp_run *r, const struct fp_node *n, const struct fp_coll *a,
                     const struct fp_coll *b, struct fp_coll *out)
{
    int equal = n->op == OP_EQUIVALENT || n->op == OP_NOT_EQUIVALENT ? ct_fp_equivalent_all(r, a, b)
                                                                     : ct_fp_equal_all(r, a, b);
    bool negated = n->op == OP_NOT_EQUAL || n->op == OP_NOT_EQUIVALENT;
    if (equal >= 0)
        ct_fp_bool(r, out, equal != (int)negated);
    return true;
}

static bool ordering(struct fp_run *r, const struct fp_node *n, const struct fp_coll *a,
                     const struct fp_coll *b, struct fp_coll *out)
{
    if (a->n == 0 || b->n == 0)
        return true;
    if (a->n > 1 || b->n > 1)
        return ct_fp_fail(r, n, "several items where one is asked for");
    int cmp = ct_fp_order(r, &a->v[0], &b->v[0]);
    if (cmp == FP_MISMATCH)
        return ct_fp_fail(r, n, "values that have no order between them");
    if (cmp == CT_DATE_UNDECIDED)
        return true;
    bool result = n->op == OP_LESS      ? cmp < 0
                  : n->op == OP_LESS_EQ ? cmp <= 0
                  : n->op == OP_GREATER ? cmp > 0
                                        : cmp >= 0;
    ct_fp_bool(r, out, result);
    return true;
}

static bool membership(struct fp_run *r, const struct fp_node *n, const struct fp_coll *item,
                       const struct fp_coll *in, struct fp_coll *out)
{
    if (item->n == 0)
        return true;
    if (item->n > 1)
        return ct_fp_fail(r, n, "several items where one is asked for");
    bool undecided = false;
    for (size_t i = 0; i < in->n; i++) {
        int equal = ct_fp_equal(r, &item->v[0], &in->v[i]);
        if (equal == 1) {
            ct_fp_bool(r, out, true);
            return true;
        }
        undecided = undecided || equal < 0;
    }
    if (!undecided)
        ct_fp_bool(r, out, false);
    return true;
}

static bool add_all(struct fp_run *r, const struct fp_node *n, struct fp_set *set,
                    const struct fp_coll *items)
{
    for (size_t i = 0; i < items->n; i++) {
        if (!ct_fp_set_add(r, n, set, &items->v[i]))
            return false;
    }
    return true;
}

bool ct_fp_union(struct fp_run *r, const struct fp_node *n, const struct fp_coll *a,
                 const struct fp_coll *b, struct fp_coll *out)
{
    struct fp_set set;
    ct_fp_set_of(r, &set, out);
    return add_all(r, n, &set, a) && add_all(r, n, &set, b);
}

/* a | b | c ... into one set: a list of a hundred codes would be copied for each of them. */
static bool add_operand(struct fp_run *r, const struct fp_node *n, const struct fp_scope *s,
                        struct fp_set *set)
{
    struct fp_coll items = {0};
    if (n->op == OP_UNION && !n->memo)
        return add_operand(r, n->a, s, set) && add_operand(r, n->b, s, set);
    return ct_fp_eval(r, n, s, &items) && add_all(r, n, set, &items);
}

static bool unite(struct fp_run *r, const struct fp_node *n, const struct fp_scope *s,
                  struct fp_coll *out)
{
    struct fp_set set;
    ct_fp_set_of(r, &set, out);
    return add_operand(r, n->a, s, &set) && add_operand(r, n->b, s, &set);
}

/* ---- arithmetic ---- */

static bool put_decimal(struct fp_run *r, struct fp_coll *out, struct fp_dec d)
{
    ct_fp_one(r, out, (ct_item){.type = CT_I_DECIMAL, .text = ct_dec_text(r->a, d)});
    return true;
}

/* An integer beyond 32 bits is an overflow: empty. */
static bool put_integer(struct fp_run *r, struct fp_coll *out, struct fp_dec d)
{
    int64_t v;
    if (ct_dec_to_int(d, &v) && v >= INT32_MIN && v <= INT32_MAX)
        ct_fp_int(r, out, v);
    return true;
}

static bool compute(enum fp_op op, struct fp_dec a, struct fp_dec b, struct fp_dec *out)
{
    struct fp_dec q;
    switch (op) {
    case OP_ADD:
        return ct_dec_add(a, b, out);
    case OP_SUBTRACT:
        b.c = -b.c;
        return ct_dec_add(a, b, out);
    case OP_MULTIPLY:
        return ct_dec_mul(a, b, out);
    case OP_DIVIDE:
        return ct_dec_div(a, b, out);
    case OP_DIV:
        return ct_dec_quotient(a, b, out);
    default: /* a - b * (a div b) */
        if (!ct_dec_quotient(a, b, &q) || !ct_dec_mul(q, b, &q))
            return false;
        q.c = -q.c;
        return ct_dec_add(a, q, out);
    }
}

static ct_str unit_of(const ct_item *v)
{
    return v->type == CT_I_QUANTITY ? v->unit : CT_S("1");
}

/* Brings two numbers to the smaller of their units; false where they have none in common, or a
 * scale that begins elsewhere, on which a difference is no value. */
static bool common_unit(struct fp_dec *x, ct_str of_x, struct fp_dec *y, ct_str of_y, ct_str *unit)
{
    struct fp_unit u, v;
    int cmp;
    *unit = of_x;
    if (ct_str_eq(of_x, of_y))
        return true;
    if (!ct_fp_unit(of_x, &u) || !ct_fp_unit(of_y, &v) || !ct_fp_unit_comparable(&u, &v) ||
        u.offset.c != 0 || v.offset.c != 0 || !ct_fp_ratio_cmp(u.factor, v.factor, &cmp))
        return false;
    if (cmp <= 0)
        return ct_fp_unit_convert(*y, &v, &u, y);
    *unit = of_y;
    return ct_fp_unit_convert(*x, &u, &v, x);
}

/* The unit of a sum is the smaller one; the quotient of what can be compared has none. A product
 * has the product of the units, which need not be known where one is a bare number. */
static bool unit_of_result(struct fp_run *r, enum fp_op op, const ct_item *a, const ct_item *b,
                           struct fp_dec *x, struct fp_dec *y, ct_str *unit)
{
    ct_str u = unit_of(a), v = unit_of(b);
    if (op == OP_ADD || op == OP_SUBTRACT)
        return common_unit(x, u, y, v, unit);
    if (b->type != CT_I_QUANTITY || (op == OP_MULTIPLY && a->type != CT_I_QUANTITY)) {
        *unit = b->type != CT_I_QUANTITY ? u : v;
        return true;
    }
    if (op == OP_DIVIDE && a->type == CT_I_QUANTITY && common_unit(x, u, y, v, unit)) {
        *unit = CT_S("1");
        return true;
    }
    return ct_fp_unit_product(r->a, u, v, op == OP_DIVIDE, unit);
}

/* What the units do not allow is empty. */
static bool quantities(struct fp_run *r, const struct fp_node *n, const ct_item *a,
                       const ct_item *b, struct fp_coll *out)
{
    enum fp_op op = (enum fp_op)n->op;
    struct fp_dec x, y, result;
    ct_str unit;
    bool both = a->type == CT_I_QUANTITY && b->type == CT_I_QUANTITY;
    if (op == OP_DIV || op == OP_MOD || (!both && (op == OP_ADD || op == OP_SUBTRACT)))
        return ct_fp_fail(r, n, "operands of types that the operator does not take");
    if (ct_dec_of(a, &x) && ct_dec_of(b, &y) && unit_of_result(r, op, a, b, &x, &y, &unit) &&
        compute(op, x, y, &result))
        ct_fp_one(
            r, out,
            (ct_item){.type = CT_I_QUANTITY, .text = ct_dec_text(r->a, result), .unit = unit});
    return true;
}

static bool is_number(const ct_item *v)
{
    return v->type == CT_I_INTEGER || v->type == CT_I_DECIMAL || v->type == CT_I_QUANTITY;
}

static bool numbers(struct fp_run *r, const struct fp_node *n, const ct_item *a, const ct_item *b,
                    struct fp_coll *out)
{
    struct fp_dec x, y, result;
    if (a->type == CT_I_QUANTITY || b->type == CT_I_QUANTITY)
        return quantities(r, n, a, b, out);
    if (!ct_dec_of(a, &x) || !ct_dec_of(b, &y) || !compute((enum fp_op)n->op, x, y, &result))
        return true;
    bool integers = a->type == CT_I_INTEGER && b->type == CT_I_INTEGER;
    if (n->op == OP_DIV || (integers && n->op != OP_DIVIDE))
        return put_integer(r, out, result);
    return put_decimal(r, out, result);
}

/* A date, dateTime or time plus or minus a quantity of time; fractions of it are dropped. */
static bool dates(struct fp_run *r, const struct fp_node *n, const ct_item *a, const ct_item *b,
                  struct fp_coll *out)
{
    struct fp_dec d;
    ct_item moved = *a;
    int64_t k;
    if (b->type != CT_I_QUANTITY || (n->op != OP_ADD && n->op != OP_SUBTRACT))
        return ct_fp_fail(r, n, "operands of types that the operator does not take");
    if (!ct_dec_of(b, &d) || !ct_dec_round(d, 0, ROUND_TRUNCATE, &d) || !ct_dec_to_int(d, &k) ||
        k == INT64_MIN)
        return true;
    int done = ct_fp_date_add(&moved, n->op == OP_ADD ? k : -k, b->unit, r->a);
    if (done < 0)
        return ct_fp_fail(r, n, "unit that is no unit of time");
    if (done > 0)
        ct_fp_one(r, out, moved);
    return true;
}

static bool concat(struct fp_run *r, const struct fp_node *n, ct_str a, ct_str b,
                   struct fp_coll *out)
{
    if (!ct_fp_spend_text(r, n, a.n + b.n))
        return false;
    char *to = ct_arena_alloc(r->a, a.n + b.n + 1);
    if (a.n)
        memcpy(to, a.p, a.n);
    if (b.n)
        memcpy(to + a.n, b.p, b.n);
    ct_fp_string(r, out, (ct_str){to, a.n + b.n});
    return true;
}

static bool ampersand(struct fp_run *r, const struct fp_node *n, const struct fp_coll *a,
                      const struct fp_coll *b, struct fp_coll *out)
{
    ct_str x = {"", 0}, y = {"", 0};
    return ct_fp_single_string(r, n, a, &x) >= 0 && ct_fp_single_string(r, n, b, &y) >= 0 &&
           concat(r, n, x, y, out);
}

static bool arithmetic(struct fp_run *r, const struct fp_node *n, const struct fp_coll *a,
                       const struct fp_coll *b, struct fp_coll *out)
{
    ct_item x, y;
    int left = ct_fp_single(r, n, a, &x), right = left < 0 ? -1 : ct_fp_single(r, n, b, &y);
    if (left < 0 || right < 0)
        return false;
    if (left == 0 || right == 0)
        return true;
    if (is_number(&x) && is_number(&y))
        return numbers(r, n, &x, &y, out);
    if (x.type == CT_I_DATE || x.type == CT_I_DATETIME || x.type == CT_I_TIME)
        return dates(r, n, &x, &y, out);
    if (n->op == OP_ADD && x.type == CT_I_STRING && y.type == CT_I_STRING)
        return concat(r, n, x.text, y.text, out);
    return ct_fp_fail(r, n, "operands of types that the operator does not take");
}

bool ct_fp_negate(struct fp_run *r, const struct fp_node *n, const struct fp_coll *in,
                  struct fp_coll *out)
{
    ct_item v;
    struct fp_dec d;
    int got = ct_fp_single(r, n, in, &v);
    if (got <= 0)
        return got == 0;
    if (!is_number(&v))
        return ct_fp_fail(r, n, "sign before what is no number");
    if (n->op == OP_NEGATE) {
        v.integer = -v.integer;
        if (v.type != CT_I_INTEGER) {
            if (!ct_dec_of(&v, &d))
                return true;
            d.c = -d.c;
            v.text = ct_dec_text(r->a, d);
        }
    }
    ct_fp_one(r, out, v);
    return true;
}

/* ---- types ---- */

static bool types(struct fp_run *r, const struct fp_node *n, const struct fp_coll *in,
                  struct fp_coll *out)
{
    if (in->n == 0)
        return true;
    if (in->n > 1)
        return ct_fp_fail(r, n, "several items where one is asked for");
    if (n->op == OP_IS)
        ct_fp_bool(r, out, ct_fp_is(&in->v[0], &n->u.type, false));
    else if (ct_fp_is(&in->v[0], &n->u.type, true))
        return ct_fp_push(r, n, out, &in->v[0]);
    return true;
}

/* ---- all of them ---- */

bool ct_fp_binary(struct fp_run *r, const struct fp_node *n, const struct fp_scope *s,
                  struct fp_coll *out)
{
    struct fp_coll a = {0}, b = {0};
    if (n->op >= OP_AND)
        return logical(r, n, s, out);
    if (n->op == OP_UNION)
        return unite(r, n, s, out);
    if (!ct_fp_eval(r, n->a, s, &a))
        return false;
    if (n->op == OP_IS || n->op == OP_AS)
        return types(r, n, &a, out);
    if (!ct_fp_eval(r, n->b, s, &b))
        return false;
    switch (n->op) {
    case OP_LESS:
    case OP_LESS_EQ:
    case OP_GREATER:
    case OP_GREATER_EQ:
        return ordering(r, n, &a, &b, out);
    case OP_EQUAL:
    case OP_NOT_EQUAL:
    case OP_EQUIVALENT:
    case OP_NOT_EQUIVALENT:
        return equality(r, n, &a, &b, out);
    case OP_IN:
        return membership(r, n, &a, &b, out);
    case OP_CONTAINS:
        return membership(r, n, &b, &a, out);
    case OP_CONCAT:
        return ampersand(r, n, &a, &b, out);
    default:
        return arithmetic(r, n, &a, &b, out);
    }
}
