/* Dates, dateTimes and times as FHIRPath spells them (partial at every place), and their arithmetic
 * with quantities of time.
 */
#include "common/fhirpath/internal.h"

enum { MS_SECOND = 1000, MS_MINUTE = 60 * MS_SECOND, MS_HOUR = 60 * MS_MINUTE };
#define MS_DAY ((int64_t)24 * MS_HOUR)

/* ---- reading ---- */

/* `digits` digits from `low` to `high` at `*i`. */
static bool digits(ct_str s, size_t *i, size_t n, int low, int high, int *value)
{
    int v = 0;
    if (s.n - *i < n)
        return false;
    for (size_t k = 0; k < n; k++) {
        char c = s.p[*i + k];
        if (c < '0' || c > '9')
            return false;
        v = v * 10 + (c - '0');
    }
    if (v < low || v > high)
        return false;
    *i += n;
    *value = v;
    return true;
}

/* `mark` and then digits, or nothing of both: true only for both. */
static bool marked(ct_str s, size_t *i, char mark, size_t n, int low, int high, int *value)
{
    size_t at = *i;
    if (at >= s.n || s.p[at] != mark)
        return false;
    at++;
    if (!digits(s, &at, n, low, high, value))
        return false;
    *i = at;
    return true;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

static bool scan_day(ct_str s, size_t *i, ct_date *d)
{
    int v;
    if (!digits(s, i, 4, 1, 9999, &v))
        return false;
    d->year = (int16_t)v;
    d->precision = CT_P_YEAR;
    if (!marked(s, i, '-', 2, 1, 12, &v))
        return true;
    d->month = (uint8_t)v;
    d->precision = CT_P_MONTH;
    if (!marked(s, i, '-', 2, 1, month_days(d->year, d->month), &v))
        return true;
    d->day = (uint8_t)v;
    d->precision = CT_P_DAY;
    return true;
}

static void scan_fraction(ct_str s, size_t *i, ct_date *d)
{
    int32_t unit = 100000000;
    if (s.n - *i < 2 || s.p[*i] != '.' || s.p[*i + 1] < '0' || s.p[*i + 1] > '9')
        return;
    for (++*i; *i < s.n && s.p[*i] >= '0' && s.p[*i] <= '9'; ++*i, unit /= 10)
        d->nanos += (s.p[*i] - '0') * unit;
    d->precision = CT_P_FRACTION;
}

/* hh, hh:mm, hh:mm:ss, hh:mm:ss.f… */
static bool scan_time(ct_str s, size_t *i, ct_date *d)
{
    int v;
    if (!digits(s, i, 2, 0, 23, &v))
        return false;
    d->hour = (uint8_t)v;
    d->precision = CT_P_HOUR;
    if (!marked(s, i, ':', 2, 0, 59, &v))
        return true;
    d->minute = (uint8_t)v;
    d->precision = CT_P_MINUTE;
    if (!marked(s, i, ':', 2, 0, 59, &v))
        return true;
    d->second = (uint8_t)v;
    d->precision = CT_P_SECOND;
    scan_fraction(s, i, d);
    return true;
}

static void scan_zone(ct_str s, size_t *i, ct_date *d)
{
    size_t at = *i + 1;
    int hours, minutes;
    if (*i >= s.n)
        return;
    if (s.p[*i] == 'Z') {
        d->zoned = true;
        *i = at;
    } else if ((s.p[*i] == '+' || s.p[*i] == '-') && digits(s, &at, 2, 0, 14, &hours) &&
               marked(s, &at, ':', 2, 0, 59, &minutes)) {
        d->zoned = true;
        d->offset = (int16_t)((s.p[*i] == '-' ? -1 : 1) * (hours * 60 + minutes));
        *i = at;
    }
}

size_t ct_fp_date_scan(ct_str s, ct_date *d, ct_itype *type)
{
    size_t i = 0;
    *d = (ct_date){0};
    if (s.n && s.p[0] == 'T') {
        i = 1;
        *type = CT_I_TIME;
        return scan_time(s, &i, d) ? i : 0;
    }
    if (!scan_day(s, &i, d))
        return 0;
    *type = CT_I_DATE;
    if (i >= s.n || s.p[i] != 'T')
        return i;
    i++;
    *type = CT_I_DATETIME;
    if (d->precision == CT_P_DAY && scan_time(s, &i, d))
        scan_zone(s, &i, d);
    return i;
}

bool ct_fp_date_parse(ct_str s, ct_itype type, ct_date *d)
{
    ct_itype found;
    size_t i = 0;
    if (type == CT_I_TIME) {
        *d = (ct_date){0};
        return scan_time(s, &i, d) && i == s.n;
    }
    return ct_fp_date_scan(s, d, &found) == s.n && s.n > 0 && found != CT_I_TIME &&
           (type == CT_I_DATETIME || found == CT_I_DATE);
}

/* ---- comparing ---- */

int ct_fp_date_cmp(const ct_item *a, const ct_item *b)
{
    return ct_date_cmp(&a->date, &b->date);
}

ct_item ct_fp_date_item(ct_arena *a, ct_itype type, ct_date d)
{
    ct_buf b = {0};
    ct_date_put(&b, &d);
    ct_item item = {.type = type, .date = d, .text = ct_arena_copy(a, ct_buf_str(&b))};
    ct_buf_free(&b);
    return item;
}

/* ---- units of time ---- */

/* Calendar words and the UCUM codes that mean the same, or (year, month) nearly so. */
static const struct fp_time_unit time_units[] = {
    {"year", "a", 0},           {"month", "mo", 0},       {"week", "wk", 7 * MS_DAY},
    {"day", "d", MS_DAY},       {"hour", "h", MS_HOUR},   {"minute", "min", MS_MINUTE},
    {"second", "s", MS_SECOND}, {"millisecond", "ms", 1},
};

const struct fp_time_unit *ct_fp_time_unit(ct_str unit, bool *calendar)
{
    ct_str singular =
        unit.n > 2 && unit.p[unit.n - 1] == 's' ? ct_str_head(unit, unit.n - 1) : unit;
    for (size_t i = 0; i < CT_LEN(time_units); i++) {
        *calendar = ct_str_is(singular, time_units[i].word);
        if (*calendar || ct_str_is(unit, time_units[i].code))
            return &time_units[i];
    }
    return NULL;
}

/* ---- arithmetic ---- */

static bool add_months(ct_date *d, int64_t months)
{
    int64_t total = (int64_t)d->year * 12 + (d->month ? d->month - 1 : 0);
    if (months < -200000 || months > 200000)
        return false;
    total += months;
    if (total < 12 || total >= 120000)
        return false;
    d->year = (int16_t)(total / 12);
    if (d->precision < CT_P_MONTH)
        return true;
    d->month = (uint8_t)(total % 12 + 1);
    int last = month_days(d->year, d->month);
    if (d->day > last)
        d->day = (uint8_t)last;
    return true;
}

/* Moves the clock of a dateTime (or, without a year, a time of day, which goes round). */
static bool add_ms(ct_date *d, int64_t ms)
{
    int64_t of_day = d->hour * (int64_t)MS_HOUR + d->minute * (int64_t)MS_MINUTE +
                     d->second * (int64_t)MS_SECOND + d->nanos / 1000000 + ms % MS_DAY;
    int64_t days = ms / MS_DAY + (of_day < 0 ? -1 : of_day / MS_DAY);
    of_day = (of_day + MS_DAY) % MS_DAY;
    if (d->year != 0) {
        ct_date moved = ct_date_add_days(d, days);
        if (moved.precision == CT_P_NONE)
            return false;
        *d = moved;
    }
    d->hour = (uint8_t)(of_day / MS_HOUR);
    d->minute = (uint8_t)(of_day / MS_MINUTE % 60);
    d->second = (uint8_t)(of_day / MS_SECOND % 60);
    d->nanos = (int32_t)(of_day % MS_SECOND) * 1000000 + d->nanos % 1000000;
    return true;
}

/* What is finer than the date itself counts in whole units of the date's own precision. */
static bool add_fixed(ct_date *d, int64_t ms)
{
    int64_t days = ms / MS_DAY;
    switch (d->precision) {
    case CT_P_YEAR:
        return add_months(d, days / 365 * 12);
    case CT_P_MONTH:
        return add_months(d, days / 30);
    case CT_P_DAY: {
        ct_date moved = ct_date_add_days(d, days);
        *d = moved;
        return moved.precision != CT_P_NONE;
    }
    case CT_P_HOUR:
        return add_ms(d, ms - ms % MS_HOUR);
    case CT_P_MINUTE:
        return add_ms(d, ms - ms % MS_MINUTE);
    default:
        return add_ms(d, ms);
    }
}

int ct_fp_date_add(ct_item *value, int64_t n, ct_str unit, ct_arena *a)
{
    bool calendar, ok;
    ct_date d = value->date;
    const struct fp_time_unit *u = ct_fp_time_unit(unit, &calendar);
    /* A UCUM year or month is a mean of days, not a step of the calendar. */
    if (!u || (u->ms == 0 && (!calendar || value->type == CT_I_TIME)))
        return -1;
    if (u->ms != 0) {
        if (n > INT64_MAX / u->ms || n < INT64_MIN / u->ms)
            return 0;
        ok = add_fixed(&d, n * u->ms);
    } else {
        if (n > 200000 || n < -200000)
            return 0;
        bool months = strcmp(u->word, "month") == 0;
        ok = add_months(&d, !months ? n * 12 : d.precision == CT_P_YEAR ? n / 12 * 12 : n);
    }
    if (ok)
        *value = ct_fp_date_item(a, value->type, d);
    return ok;
}
