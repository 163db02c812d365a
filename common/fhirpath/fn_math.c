/* Functions on numbers. What stays exact is computed exactly; roots and logarithms are not, and go
 * through floating point.
 */
#include <math.h>

#include "common/fhirpath/internal.h"

/* The input number: 1, or 0 for empty, -1 for an error. */
static int self(struct fp_call *c, ct_item *v, struct fp_dec *d)
{
    int got = ct_fp_single(c->r, c->n, c->in, v);
    if (got > 0 && v->type != CT_I_INTEGER && v->type != CT_I_DECIMAL && v->type != CT_I_QUANTITY)
        got = ct_fp_call_error(c, "no number where one is asked for") ? 1 : -1;
    if (got > 0 && !ct_dec_of(v, d))
        return 0;
    return got;
}

static int arg(struct fp_call *c, struct fp_dec *d)
{
    struct fp_coll v;
    ct_item item;
    if (!ct_fp_arg(c, 0, &v))
        return -1;
    int got = ct_fp_single(c->r, c->n, &v, &item);
    if (got <= 0 || ct_dec_of(&item, d))
        return got;
    return ct_fp_call_error(c, "no number where one is asked for") ? 1 : -1;
}

static bool give(struct fp_call *c, const ct_item *like, struct fp_dec d)
{
    ct_item v = *like;
    if (v.type == CT_I_INTEGER)
        return ct_dec_to_int(d, &v.integer) ? (ct_fp_one(c->r, c->out, v), true) : true;
    v.text = ct_dec_text(c->r->a, d);
    ct_fp_one(c->r, c->out, v);
    return true;
}

bool ct_fn_abs(struct fp_call *c)
{
    ct_item v;
    struct fp_dec d;
    int got = self(c, &v, &d);
    if (got <= 0)
        return got == 0;
    d.c = d.c < 0 ? -d.c : d.c;
    return give(c, &v, d);
}

/* To an integer (a Quantity keeps its unit). */
static bool whole(struct fp_call *c, enum fp_round mode)
{
    ct_item v;
    struct fp_dec d;
    int got = self(c, &v, &d);
    if (got <= 0)
        return got == 0;
    if (!ct_dec_round(d, 0, mode, &d))
        return true;
    if (v.type == CT_I_DECIMAL)
        v.type = CT_I_INTEGER;
    return give(c, &v, d);
}

bool ct_fn_ceiling(struct fp_call *c)
{
    return whole(c, ROUND_CEILING);
}

bool ct_fn_floor(struct fp_call *c)
{
    return whole(c, ROUND_FLOOR);
}

bool ct_fn_truncate(struct fp_call *c)
{
    return whole(c, ROUND_TRUNCATE);
}

bool ct_fn_round(struct fp_call *c)
{
    ct_item v;
    struct fp_dec d, places = {0};
    int64_t k = 0;
    int got = self(c, &v, &d);
    if (got > 0 && c->n->nargs > 0)
        got = arg(c, &places);
    if (got <= 0)
        return got == 0;
    if (!ct_dec_to_int(places, &k) || k < 0)
        return ct_fp_call_error(c, "number of places that is none");
    if (v.type == CT_I_INTEGER)
        v.type = CT_I_DECIMAL;
    return !ct_dec_round(d, k > 36 ? 36 : (int)k, ROUND_HALF, &d) || give(c, &v, d);
}

/* ---- quantities ---- */

/* Could the two be compared? What is in a unit that no table knows cannot. */
bool ct_fn_comparable(struct fp_call *c)
{
    struct fp_coll arg;
    struct fp_unit u, v;
    ct_item a, b;
    if (!ct_fp_arg(c, 0, &arg))
        return false;
    int left = ct_fp_single(c->r, c->n, c->in, &a);
    int right = left < 0 ? -1 : ct_fp_single(c->r, c->n, &arg, &b);
    if (left <= 0 || right <= 0)
        return left >= 0 && right >= 0;
    if (a.type != CT_I_QUANTITY || b.type != CT_I_QUANTITY)
        return ct_fp_call_error(c, "no Quantity where one is asked for");
    ct_fp_bool(c->r, c->out,
               ct_str_eq(a.unit, b.unit) || (ct_fp_unit(a.unit, &u) && ct_fp_unit(b.unit, &v) &&
                                             ct_fp_unit_comparable(&u, &v)));
    return true;
}

/* ---- by floating point ---- */

static bool give_double(struct fp_call *c, double v)
{
    ct_item item = {.type = CT_I_DECIMAL};
    if (ct_dec_from_double(c->r->a, v, &item.text))
        ct_fp_one(c->r, c->out, item);
    return true;
}

static bool by(struct fp_call *c, double (*fn)(double))
{
    ct_item v;
    struct fp_dec d;
    int got = self(c, &v, &d);
    if (got <= 0)
        return got == 0;
    return give_double(c, fn(ct_dec_double(d)));
}

bool ct_fn_sqrt(struct fp_call *c)
{
    return by(c, sqrt);
}

bool ct_fn_exp(struct fp_call *c)
{
    return by(c, exp);
}

bool ct_fn_ln(struct fp_call *c)
{
    return by(c, log);
}

bool ct_fn_log(struct fp_call *c)
{
    ct_item v;
    struct fp_dec d, base;
    int got = self(c, &v, &d);
    if (got > 0)
        got = arg(c, &base);
    if (got <= 0)
        return got == 0;
    return give_double(c, log(ct_dec_double(d)) / log(ct_dec_double(base)));
}

/* By multiplication where the exponent is a whole number, so that the result is exact. */
static bool exact_power(struct fp_dec base, int64_t n, struct fp_dec *out)
{
    *out = ct_dec_int(1);
    for (int64_t i = 0; i < n; i++) {
        if (!ct_dec_mul(*out, base, out))
            return false;
    }
    return true;
}

bool ct_fn_power(struct fp_call *c)
{
    ct_item v;
    struct fp_dec d, exponent, result;
    int64_t n;
    int got = self(c, &v, &d);
    if (got > 0)
        got = arg(c, &exponent);
    if (got <= 0)
        return got == 0;
    if (ct_dec_to_int(exponent, &n) && n >= 0 && n <= 128 && exact_power(d, n, &result))
        return give(c, &v, result);
    return give_double(c, pow(ct_dec_double(d), ct_dec_double(exponent)));
}
