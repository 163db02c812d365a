/* Conversions: toX() gives the value or nothing, convertsToX() says whether it would. */
#include "common/fhirpath/internal.h"

/* Fills `out` where the value can be converted. */
typedef bool convert_fn(struct fp_run *r, const ct_item *in, ct_item *out);

static bool to_boolean(struct fp_run *r, const ct_item *in, ct_item *out)
{
    static const char *const words[][2] = {{"false", "true"}, {"f", "t"}, {"no", "yes"},
                                           {"n", "y"},        {"0", "1"}, {"0.0", "1.0"}};
    struct fp_dec d;
    int64_t v;
    (void)r;
    *out = ct_fp_item_bool(in->boolean);
    if (in->type == CT_I_BOOLEAN)
        return true;
    if (in->type == CT_I_INTEGER || in->type == CT_I_DECIMAL) {
        if (!ct_dec_of(in, &d) || !ct_dec_to_int(d, &v) || v < 0 || v > 1)
            return false;
        out->boolean = v == 1;
        return true;
    }
    for (size_t i = 0; in->type == CT_I_STRING && i < CT_LEN(words); i++) {
        for (int truth = 0; truth < 2; truth++) {
            ct_str w = ct_str_z(words[i][truth]);
            bool same = w.n == in->text.n;
            for (size_t k = 0; same && k < w.n; k++)
                same = (in->text.p[k] | (w.p[k] >= 'a' ? 0x20 : 0)) == w.p[k];
            if (same) {
                out->boolean = truth;
                return true;
            }
        }
    }
    return false;
}

/* A whole string of sign and digits (and, for a decimal, a fraction): no exponent. */
static bool is_numeral(ct_str s, bool fraction)
{
    size_t i = s.n && (s.p[0] == '-' || s.p[0] == '+');
    size_t from = i;
    while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
        i++;
    if (i == from)
        return false;
    if (fraction && i + 1 < s.n && s.p[i] == '.') {
        from = ++i;
        while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
            i++;
    }
    return i == s.n && i > from;
}

static bool to_integer(struct fp_run *r, const ct_item *in, ct_item *out)
{
    struct fp_dec d;
    (void)r;
    *out = ct_fp_item_int(in->type == CT_I_BOOLEAN ? in->boolean : in->integer);
    if (in->type == CT_I_INTEGER || in->type == CT_I_BOOLEAN)
        return true;
    return in->type == CT_I_STRING && is_numeral(in->text, false) && ct_dec_parse(in->text, &d) &&
           ct_dec_to_int(d, &out->integer) && out->integer >= INT32_MIN &&
           out->integer <= INT32_MAX;
}

static bool to_decimal(struct fp_run *r, const ct_item *in, ct_item *out)
{
    *out = (ct_item){.type = CT_I_DECIMAL, .text = in->text};
    switch (in->type) {
    case CT_I_DECIMAL:
        return true;
    case CT_I_INTEGER:
        out->text = ct_dec_text(r->a, ct_dec_int(in->integer));
        return true;
    case CT_I_BOOLEAN:
        out->text = in->boolean ? CT_S("1.0") : CT_S("0.0");
        return true;
    case CT_I_STRING: {
        struct fp_dec d;
        if (!is_numeral(in->text, true) || !ct_dec_parse(in->text, &d))
            return false;
        out->text = ct_dec_text(r->a, d);
        return true;
    }
    default:
        return false;
    }
}

static bool to_string(struct fp_run *r, const ct_item *in, ct_item *out)
{
    *out = ct_fp_item_string(ct_fp_spell(r->a, in));
    return in->type != CT_I_TYPE;
}

static bool to_date(struct fp_run *r, const ct_item *in, ct_item *out)
{
    ct_date d = in->date;
    if (in->type != CT_I_DATE && in->type != CT_I_DATETIME &&
        (in->type != CT_I_STRING || !ct_fp_date_parse(in->text, CT_I_DATETIME, &d)))
        return false;
    d = (ct_date){.precision = d.precision < CT_P_DAY ? d.precision : CT_P_DAY,
                  .year = d.year,
                  .month = d.month,
                  .day = d.day};
    *out = ct_fp_date_item(r->a, CT_I_DATE, d);
    return true;
}

static bool to_datetime(struct fp_run *r, const ct_item *in, ct_item *out)
{
    (void)r;
    *out = (ct_item){.type = CT_I_DATETIME, .text = in->text, .date = in->date};
    return in->type == CT_I_DATE || in->type == CT_I_DATETIME ||
           (in->type == CT_I_STRING && ct_fp_date_parse(in->text, CT_I_DATETIME, &out->date));
}

static bool to_time(struct fp_run *r, const ct_item *in, ct_item *out)
{
    (void)r;
    *out = (ct_item){.type = CT_I_TIME, .text = in->text, .date = in->date};
    return in->type == CT_I_TIME ||
           (in->type == CT_I_STRING && ct_fp_date_parse(in->text, CT_I_TIME, &out->date));
}

/* A number, then (after white space) 'unit' in quotes or a calendar word, or nothing. */
static bool quantity_from_text(ct_arena *a, ct_str s, ct_item *out)
{
    struct fp_dec d;
    size_t i = 0;
    bool calendar = false;
    while (i < s.n && s.p[i] != ' ' && s.p[i] != '\'')
        i++;
    ct_str number = ct_str_head(s, i), unit = ct_str_trim(ct_str_from(s, i));
    if (!is_numeral(number, true) || !ct_dec_parse(number, &d))
        return false;
    *out = (ct_item){.type = CT_I_QUANTITY, .text = ct_dec_text(a, d), .unit = CT_S("1")};
    if (unit.n == 0)
        return i == s.n;
    if (unit.n > 2 && unit.p[0] == '\'' && unit.p[unit.n - 1] == '\'') {
        out->unit = (ct_str){unit.p + 1, unit.n - 2};
        return memchr(out->unit.p, '\'', out->unit.n) == NULL;
    }
    out->unit = unit;
    return ct_fp_time_unit(unit, &calendar) && calendar;
}

static bool to_quantity(struct fp_run *r, const ct_item *in, ct_item *out)
{
    if (in->type == CT_I_QUANTITY) {
        *out = *in;
        return true;
    }
    if (in->type == CT_I_STRING)
        return quantity_from_text(r->a, in->text, out);
    if (!to_decimal(r, in, out))
        return false;
    if (in->type == CT_I_INTEGER)
        out->text = ct_fp_spell(r->a, in);
    out->type = CT_I_QUANTITY;
    out->unit = CT_S("1");
    return true;
}

/* ---- the functions ---- */

/* 1 converted, 0 nothing to convert, -1 an error, -2 it cannot be converted. */
static int convert(struct fp_call *c, convert_fn *fn, ct_item *out)
{
    ct_item v;
    if (c->in->n == 0)
        return 0;
    if (c->in->n > 1) {
        ct_fp_call_error(c, "several items where one is asked for");
        return -1;
    }
    return ct_fp_value(c->r, &c->in->v[0], &v) && fn(c->r, &v, out) ? 1 : -2;
}

static bool give(struct fp_call *c, convert_fn *fn)
{
    ct_item v;
    int done = convert(c, fn, &v);
    if (done == 1)
        ct_fp_one(c->r, c->out, v);
    return done != -1;
}

bool ct_fn_to_boolean(struct fp_call *c)
{
    return give(c, to_boolean);
}

bool ct_fn_to_integer(struct fp_call *c)
{
    return give(c, to_integer);
}

bool ct_fn_to_decimal(struct fp_call *c)
{
    return give(c, to_decimal);
}

bool ct_fn_to_string(struct fp_call *c)
{
    return give(c, to_string);
}

bool ct_fn_to_date(struct fp_call *c)
{
    return give(c, to_date);
}

bool ct_fn_to_datetime(struct fp_call *c)
{
    return give(c, to_datetime);
}

bool ct_fn_to_time(struct fp_call *c)
{
    return give(c, to_time);
}

/* The quantity in another unit; empty where that cannot be. */
static void give_in_unit(struct fp_call *c, const ct_item *v, ct_str unit)
{
    struct fp_unit from, to;
    struct fp_dec d;
    ct_item converted = *v;
    converted.unit = unit;
    if (!ct_str_eq(unit, v->unit)) {
        if (!ct_fp_unit(v->unit, &from) || !ct_fp_unit(unit, &to) || !ct_dec_of(v, &d) ||
            !ct_fp_unit_convert(d, &from, &to, &d))
            return;
        converted.text = ct_dec_text(c->r->a, d);
    }
    ct_fp_one(c->r, c->out, converted);
}

bool ct_fn_to_quantity(struct fp_call *c)
{
    struct fp_coll arg;
    ct_str unit;
    ct_item v;
    int done = convert(c, to_quantity, &v);
    if (done != 1)
        return done != -1;
    if (c->n->nargs == 0) {
        ct_fp_one(c->r, c->out, v);
        return true;
    }
    if (!ct_fp_arg(c, 0, &arg))
        return false;
    int got = ct_fp_single_string(c->r, c->n, &arg, &unit);
    if (got > 0)
        give_in_unit(c, &v, unit);
    return got >= 0;
}

bool ct_fn_converts(struct fp_call *c)
{
    static const struct {
        const char *to;
        convert_fn *fn;
    } kinds[] = {{"Boolean", to_boolean}, {"Integer", to_integer},  {"Decimal", to_decimal},
                 {"String", to_string},   {"Date", to_date},        {"DateTime", to_datetime},
                 {"Time", to_time},       {"Quantity", to_quantity}};
    ct_item v;
    ct_str to = ct_str_from(c->n->name, strlen("convertsTo"));
    for (size_t i = 0; i < CT_LEN(kinds); i++) {
        if (!ct_str_is(to, kinds[i].to))
            continue;
        int done = convert(c, kinds[i].fn, &v);
        if (done == 1 || done == -2)
            ct_fp_bool(c->r, c->out, done == 1);
        return done != -1;
    }
    return true;
}
