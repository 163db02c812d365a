/* precision(), lowBoundary(), highBoundary(): how exactly a value is known, and the least and the
 * greatest that it may stand for. The precision of a number counts its places behind the point;
 * that of a date or time counts its digits (YYYY 4, YYYYMM 6, … 17 with milliseconds; times 2 … 9).
 */
#include "common/fhirpath/internal.h"

enum { PLACES_MAX = 31, PLACES_DEFAULT = 8 };

/* ---- precision ---- */

/* Digits of a date or dateTime at each precision; a time's are 8 less. */
static const struct {
    ct_precision precision;
    int digits;
} date_digits[] = {{CT_P_YEAR, 4},    {CT_P_MONTH, 6},   {CT_P_DAY, 8},      {CT_P_HOUR, 10},
                   {CT_P_MINUTE, 12}, {CT_P_SECOND, 14}, {CT_P_FRACTION, 17}};

static int digits_of(const ct_item *v)
{
    for (size_t i = 0; i < CT_LEN(date_digits); i++) {
        if (date_digits[i].precision == v->date.precision)
            return date_digits[i].digits - (v->type == CT_I_TIME ? 8 : 0);
    }
    return 0;
}

/* The precision that has so many digits, CT_P_NONE for none. */
static ct_precision precision_of(ct_itype type, int64_t digits)
{
    digits += type == CT_I_TIME ? 8 : 0;
    for (size_t i = 0; i < CT_LEN(date_digits); i++) {
        bool day = date_digits[i].precision <= CT_P_DAY;
        if (date_digits[i].digits == digits && !(day && type == CT_I_TIME) &&
            !(!day && type == CT_I_DATE))
            return date_digits[i].precision;
    }
    return CT_P_NONE;
}

static bool is_number(const ct_item *v)
{
    return v->type == CT_I_INTEGER || v->type == CT_I_DECIMAL || v->type == CT_I_QUANTITY;
}

static bool is_time(const ct_item *v)
{
    return v->type == CT_I_DATE || v->type == CT_I_DATETIME || v->type == CT_I_TIME;
}

bool ct_fn_precision(struct fp_call *c)
{
    ct_item v;
    struct fp_dec d;
    int got = ct_fp_single(c->r, c->n, c->in, &v);
    if (got <= 0)
        return got == 0;
    if (is_time(&v))
        ct_fp_int(c->r, c->out, digits_of(&v));
    else if (is_number(&v) && ct_dec_of(&v, &d))
        ct_fp_int(c->r, c->out, d.scale);
    return true;
}

/* ---- boundaries of numbers ---- */

/* Half a unit of the last place away, then rounded outwards. What is nothing at the places asked
 * for is 0, as HL7's tests have it. */
static bool number_boundary(struct fp_call *c, const ct_item *v, int64_t places, bool high)
{
    struct fp_dec d, shown, half = {high ? 5 : -5, 0}, zero = {0, 0};
    ct_item out = *v;
    int sign;
    if (places < 0 || places > PLACES_MAX || !ct_dec_of(v, &d))
        return true;
    half.scale = d.scale + 1;
    if (!ct_dec_round(d, (int)places, ROUND_TRUNCATE, &shown) || !ct_dec_cmp(shown, zero, &sign))
        return true;
    if (sign == 0 && d.c != 0 && d.scale > places)
        d = (struct fp_dec){0, (int)places};
    else if (!ct_dec_add(d, half, &d) ||
             !ct_dec_round(d, (int)places, high ? ROUND_CEILING : ROUND_FLOOR, &d))
        return true;
    /* Zeros are added up to the places asked for, where the digits suffice. */
    half = (struct fp_dec){0, (int)places};
    if (!ct_dec_add(d, half, &d))
        return true;
    if (out.type == CT_I_INTEGER)
        out.type = CT_I_DECIMAL;
    out.text = ct_dec_text(c->r->a, d);
    ct_fp_one(c->r, c->out, out);
    return true;
}

/* ---- boundaries of dates and times ---- */

static int last_day(const ct_date *d)
{
    ct_date next = *d;
    next.day = 1;
    next.precision = CT_P_DAY;
    /* 31 days after the first is in the next month, by as many days as this one is shorter. */
    next = ct_date_add_days(&next, 31);
    return next.precision == CT_P_NONE ? 31 : 32 - next.day;
}

/* Fills what is finer than the precision with the least or the greatest that it can be. Where only
 * an hour is given the minute is 0: FHIR has no times of hours alone. */
static void fill(ct_date *d, bool high)
{
    ct_precision p = d->precision;
    bool day = d->year != 0;
    if (day && p < CT_P_MONTH)
        d->month = high ? 12 : 1;
    if (day && p < CT_P_DAY)
        d->day = (uint8_t)(high ? last_day(d) : 1);
    if (p < CT_P_HOUR)
        d->hour = high ? 23 : 0;
    if (p < CT_P_MINUTE)
        d->minute = high && p < CT_P_HOUR ? 59 : 0;
    if (p < CT_P_SECOND)
        d->second = high ? 59 : 0;
    if (p < CT_P_SECOND || (p == CT_P_SECOND && high))
        d->nanos = high ? 999000000 : 0;
}

/* A time of an unknown zone is earliest in the zone furthest east, and latest furthest west. */
static void fill_zone(ct_date *d, bool high)
{
    if (d->zoned || d->year == 0 || d->precision < CT_P_HOUR)
        return;
    d->zoned = true;
    d->offset = (int16_t)(high ? -12 * 60 : 14 * 60);
}

static bool time_boundary(struct fp_call *c, const ct_item *v, int64_t digits, bool high)
{
    ct_date d = v->date;
    ct_precision to = precision_of(v->type, digits);
    if (to == CT_P_NONE)
        return true;
    fill(&d, high);
    d.precision = to;
    if (to < CT_P_HOUR)
        d.zoned = false;
    fill_zone(&d, high);
    ct_fp_one(c->r, c->out, ct_fp_date_item(c->r->a, v->type, d));
    return true;
}

/* ---- the functions ---- */

static bool boundary(struct fp_call *c, bool high)
{
    struct fp_coll arg;
    ct_item v;
    int64_t precision;
    int got = ct_fp_single(c->r, c->n, c->in, &v);
    if (got <= 0)
        return got == 0;
    precision = v.type == CT_I_DATE       ? 8
                : v.type == CT_I_DATETIME ? 17
                : v.type == CT_I_TIME     ? 9
                                          : PLACES_DEFAULT;
    if (c->n->nargs > 0) {
        if (!ct_fp_arg(c, 0, &arg))
            return false;
        got = ct_fp_single_int(c->r, c->n, &arg, &precision);
        if (got <= 0)
            return got == 0;
    }
    if (is_time(&v))
        return time_boundary(c, &v, precision, high);
    if (is_number(&v))
        return number_boundary(c, &v, precision, high);
    return ct_fp_call_error(c, "neither a number nor a date or time");
}

bool ct_fn_low_boundary(struct fp_call *c)
{
    return boundary(c, false);
}

bool ct_fn_high_boundary(struct fp_call *c)
{
    return boundary(c, true);
}
