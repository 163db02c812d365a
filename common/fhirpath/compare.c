/* Equality (=), equivalence (~) and order (<), as the specification defines each. */
#include "common/fhirpath/internal.h"

/* ---- structures ---- */

static bool same_json(const ct_doc *a, ct_val x, const ct_doc *b, ct_val y, struct fp_run *r);

static bool same_object(const ct_doc *a, ct_val x, const ct_doc *b, ct_val y, struct fp_run *r)
{
    size_t n = ct_count(a, x);
    if (n != ct_count(b, y))
        return false;
    for (ct_val v = ct_first(a, x); v != CT_NONE; v = ct_next(a, x, v)) {
        ct_val w =
            ct_name(a, v) ? ct_member_id(b, y, ct_name(a, v)) : ct_member(b, y, ct_key(a, v));
        ct_fp_charge(r, n);
        if (w == CT_NONE || r->steps == 0 || !same_json(a, v, b, w, r))
            return false;
    }
    return true;
}

static bool same_array(const ct_doc *a, ct_val x, const ct_doc *b, ct_val y, struct fp_run *r)
{
    ct_val v = ct_first(a, x), w = ct_first(b, y);
    while (v != CT_NONE && w != CT_NONE) {
        if (!same_json(a, v, b, w, r))
            return false;
        v = ct_next(a, x, v);
        w = ct_next(b, y, w);
    }
    return v == w;
}

static bool same_number(ct_str a, ct_str b)
{
    struct fp_dec x, y;
    int cmp;
    if (!ct_dec_parse(a, &x) || !ct_dec_parse(b, &y))
        return ct_str_eq(a, b);
    return ct_dec_cmp(x, y, &cmp) && cmp == 0;
}

/* Recursion is bounded by the parser's CT_JSON_DEPTH. */
static bool same_json(const ct_doc *a, ct_val x, const ct_doc *b, ct_val y, struct fp_run *r)
{
    ct_jtype t = ct_type(a, x);
    ct_fp_charge(r, 1);
    if (t != ct_type(b, y) || r->steps == 0)
        return false;
    switch (t) {
    case CT_OBJECT:
        return same_object(a, x, b, y, r);
    case CT_ARRAY:
        return same_array(a, x, b, y, r);
    case CT_NUMBER:
        return same_number(ct_raw(a, x), ct_raw(b, y));
    case CT_STRING:
        return ct_str_eq(ct_raw(a, x), ct_raw(b, y)) ||
               ct_str_eq(ct_text(a, x, r->a), ct_text(b, y, r->a));
    default:
        return true;
    }
}

static bool same_node(struct fp_run *r, const ct_item *a, const ct_item *b)
{
    if (a->type != CT_I_NODE || b->type != CT_I_NODE)
        return false;
    if (a->doc == b->doc && a->node == b->node)
        return true;
    return same_json(a->doc, a->node, b->doc, b->node, r);
}

/* ---- quantities ---- */

/* The units of two quantities; false where one is not known or the two are not comparable. */
static bool units_of(const ct_item *a, const ct_item *b, struct fp_unit *u, struct fp_unit *v)
{
    return ct_fp_unit(a->unit, u) && ct_fp_unit(b->unit, v) && ct_fp_unit_comparable(u, v);
}

static int compare_quantities(const ct_item *a, const ct_item *b)
{
    struct fp_unit u, v;
    struct fp_dec x, y;
    struct fp_ratio p, q;
    int cmp;
    if (!ct_dec_of(a, &x) || !ct_dec_of(b, &y))
        return CT_DATE_UNDECIDED;
    /* The same unit need not be known. */
    if (ct_str_eq(a->unit, b->unit))
        return ct_dec_cmp(x, y, &cmp) ? cmp : CT_DATE_UNDECIDED;
    return units_of(a, b, &u, &v) && ct_fp_unit_value(x, &u, &p) && ct_fp_unit_value(y, &v, &q) &&
                   ct_fp_ratio_cmp(p, q, &cmp)
               ? cmp
               : CT_DATE_UNDECIDED;
}

static int compare_numbers(const ct_item *a, const ct_item *b)
{
    struct fp_dec x, y;
    int cmp;
    if (a->type == CT_I_INTEGER && b->type == CT_I_INTEGER)
        return (a->integer > b->integer) - (a->integer < b->integer);
    if (a->type == CT_I_QUANTITY || b->type == CT_I_QUANTITY) {
        ct_item p = *a, q = *b;
        /* A bare number is a quantity of unit 1. */
        if (p.type != CT_I_QUANTITY)
            p.unit = CT_S("1");
        if (q.type != CT_I_QUANTITY)
            q.unit = CT_S("1");
        return compare_quantities(&p, &q);
    }
    return ct_dec_of(a, &x) && ct_dec_of(b, &y) && ct_dec_cmp(x, y, &cmp) ? cmp : CT_DATE_UNDECIDED;
}

/* ---- kinds of values ---- */

enum kind { K_NUMBER, K_TEXT, K_DAY, K_CLOCK, K_TRUTH, K_TYPE, K_NODE };

static enum kind kind_of(const ct_item *v)
{
    switch (v->type) {
    case CT_I_INTEGER:
    case CT_I_DECIMAL:
    case CT_I_QUANTITY:
        return K_NUMBER;
    case CT_I_STRING:
        return K_TEXT;
    case CT_I_DATE:
    case CT_I_DATETIME:
        return K_DAY;
    case CT_I_TIME:
        return K_CLOCK;
    case CT_I_BOOLEAN:
        return K_TRUTH;
    case CT_I_TYPE:
        return K_TYPE;
    default:
        return K_NODE;
    }
}

/* The values of two items; what had to be read from a node stands in `store`. */
struct pair {
    const ct_item *x, *y;
    ct_item store[2];
};

static const ct_item *value_of(struct fp_run *r, const ct_item *in, ct_item *store)
{
    if (in->type != CT_I_NODE)
        return in;
    return ct_fp_value(r, in, store) ? store : NULL;
}

/* A string whose element's type is not known is a date where it is compared with one. */
static void adapt(const ct_item *node, ct_item *v, const ct_item *other)
{
    if (node->type == CT_I_NODE && !node->ftype && v->type == CT_I_STRING &&
        other->type >= CT_I_DATE && other->type <= CT_I_TIME &&
        ct_fp_date_parse(v->text, other->type, &v->date))
        v->type = other->type;
}

/* Units that differ have to be taken apart, which a hostile one makes long. */
static void charge_units(struct fp_run *r, const ct_item *a, const ct_item *b)
{
    if (a->type == CT_I_QUANTITY && b->type == CT_I_QUANTITY && !ct_str_eq(a->unit, b->unit))
        ct_fp_charge(r, a->unit.n + b->unit.n);
}

/* False where one of the two has no value. */
static bool values(struct fp_run *r, const ct_item *a, const ct_item *b, struct pair *v)
{
    v->x = value_of(r, a, &v->store[0]);
    v->y = v->x ? value_of(r, b, &v->store[1]) : NULL;
    if (!v->y)
        return false;
    adapt(a, &v->store[0], v->y);
    adapt(b, &v->store[1], v->x);
    charge_units(r, v->x, v->y);
    return true;
}

static int equal_values(const ct_item *a, const ct_item *b)
{
    enum kind k = kind_of(a);
    int cmp;
    if (k != kind_of(b))
        return 0;
    switch (k) {
    case K_NUMBER:
        cmp = compare_numbers(a, b);
        return cmp == CT_DATE_UNDECIDED ? -1 : cmp == 0;
    case K_TEXT:
        return ct_str_eq(a->text, b->text);
    case K_DAY:
    case K_CLOCK:
        cmp = ct_fp_date_cmp(a, b);
        return cmp == CT_DATE_UNDECIDED ? -1 : cmp == 0;
    case K_TRUTH:
        return a->boolean == b->boolean;
    default:
        return ct_str_eq(a->text, b->text) && ct_str_eq(a->unit, b->unit);
    }
}

/* Is there a value that could not be read (a FHIR date that is none, a Quantity with a comparator)?
 */
static bool unreadable(struct fp_run *r, const ct_item *item)
{
    const ct_ftype *t = item->ftype;
    ct_item v;
    if (item->type != CT_I_NODE || ct_fp_value(r, item, &v))
        return false;
    if (t && t->kind == CT_F_PRIMITIVE)
        return true;
    while (t && t != r->path->t_quantity)
        t = t->base;
    return t != NULL;
}

static bool is_object(const ct_item *item)
{
    return item->type == CT_I_NODE && ct_type(item->doc, item->node) == CT_OBJECT;
}

int ct_fp_equal(struct fp_run *r, const ct_item *a, const ct_item *b)
{
    struct pair v;
    ct_fp_charge(r, 1);
    if (r->steps == 0)
        return 0;
    if (values(r, a, b, &v))
        return equal_values(v.x, v.y);
    if (is_object(a) && is_object(b))
        return same_node(r, a, b);
    return unreadable(r, a) || unreadable(r, b) ? -1 : 0;
}

/* ---- equivalence ---- */

static int fold(int c)
{
    return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Case does not matter, and any white space is as good as any other. */
static bool similar_text(ct_str a, ct_str b)
{
    size_t i = 0, j = 0;
    a = ct_str_trim(a);
    b = ct_str_trim(b);
    while (i < a.n && j < b.n) {
        bool space = is_space(a.p[i]);
        if (space != is_space(b.p[j]))
            return false;
        if (!space && fold((unsigned char)a.p[i]) != fold((unsigned char)b.p[j]))
            return false;
        i++;
        j++;
        while (space && i < a.n && is_space(a.p[i]))
            i++;
        while (space && j < b.n && is_space(b.p[j]))
            j++;
    }
    return i == a.n && j == b.n;
}

/* A calendar's year or month is as good as UCUM's here. */
static ct_str definite(ct_str unit)
{
    bool calendar;
    const struct fp_time_unit *t = ct_fp_time_unit(unit, &calendar);
    return t ? ct_str_z(t->code) : unit;
}

/* The numbers of two quantities in the larger of their units. */
static bool in_larger_unit(ct_item a, ct_item b, struct fp_dec *x, struct fp_dec *y)
{
    struct fp_unit u, v;
    int cmp;
    a.unit = definite(a.unit);
    b.unit = definite(b.unit);
    if (!ct_dec_of(&a, x) || !ct_dec_of(&b, y))
        return false;
    if (ct_str_eq(a.unit, b.unit))
        return true;
    if (!units_of(&a, &b, &u, &v) || !ct_fp_ratio_cmp(u.factor, v.factor, &cmp))
        return false;
    return cmp > 0 ? ct_fp_unit_convert(*y, &v, &u, y) : ct_fp_unit_convert(*x, &u, &v, x);
}

/* Numbers are compared at the precision of the less precise. */
static bool similar_numbers(const ct_item *a, const ct_item *b)
{
    struct fp_dec x, y;
    int cmp;
    if (a->type == CT_I_QUANTITY || b->type == CT_I_QUANTITY) {
        if (a->type != b->type || !in_larger_unit(*a, *b, &x, &y))
            return false;
    } else if (!ct_dec_of(a, &x) || !ct_dec_of(b, &y)) {
        return false;
    }
    int places = ct_dec_places(x) < ct_dec_places(y) ? ct_dec_places(x) : ct_dec_places(y);
    return ct_dec_round(x, places, ROUND_HALF, &x) && ct_dec_round(y, places, ROUND_HALF, &y) &&
           ct_dec_cmp(x, y, &cmp) && cmp == 0;
}

bool ct_fp_equivalent(struct fp_run *r, const ct_item *a, const ct_item *b)
{
    struct pair v;
    ct_fp_charge(r, 1);
    if (r->steps == 0)
        return false;
    if (!values(r, a, b, &v))
        return same_node(r, a, b);
    if (kind_of(v.x) != kind_of(v.y))
        return false;
    switch (kind_of(v.x)) {
    case K_TEXT:
        return similar_text(v.x->text, v.y->text);
    case K_NUMBER:
        return similar_numbers(v.x, v.y);
    default:
        return equal_values(v.x, v.y) == 1;
    }
}

/* ---- collections ---- */

int ct_fp_equal_all(struct fp_run *r, const struct fp_coll *a, const struct fp_coll *b)
{
    int all = 1;
    if (a->n == 0 || b->n == 0)
        return -1;
    if (a->n != b->n)
        return 0;
    for (size_t i = 0; i < a->n; i++) {
        int one = ct_fp_equal(r, &a->v[i], &b->v[i]);
        if (one == 0)
            return 0;
        if (one < 0)
            all = -1;
    }
    return all;
}

/* The same items in any order: each is paired with one that was not taken yet. */
bool ct_fp_equivalent_all(struct fp_run *r, const struct fp_coll *a, const struct fp_coll *b)
{
    if (a->n != b->n)
        return false;
    bool *taken = ct_arena_alloc(r->a, a->n + 1);
    for (size_t i = 0; i < a->n; i++) {
        size_t j = 0;
        while (j < b->n && (taken[j] || !ct_fp_equivalent(r, &a->v[i], &b->v[j])))
            j++;
        if (j == b->n)
            return false;
        taken[j] = true;
    }
    return true;
}

/* ---- order ---- */

int ct_fp_order(struct fp_run *r, const ct_item *a, const ct_item *b)
{
    struct pair v;
    if (!values(r, a, b, &v))
        return unreadable(r, a) || unreadable(r, b) ? CT_DATE_UNDECIDED : FP_MISMATCH;
    enum kind k = kind_of(v.x);
    if (k != kind_of(v.y))
        return FP_MISMATCH;
    switch (k) {
    case K_NUMBER:
        return compare_numbers(v.x, v.y);
    case K_TEXT: {
        int cmp = ct_str_cmp(v.x->text, v.y->text);
        return (cmp > 0) - (cmp < 0);
    }
    case K_DAY:
    case K_CLOCK:
        return ct_fp_date_cmp(v.x, v.y);
    default:
        return FP_MISMATCH;
    }
}
