/* FHIR's date and dateTime (http://hl7.org/fhir/R4/datatypes.html#dateTime), compared as FHIRPath
 * compares them. The calendar is the proleptic Gregorian one, years 0001 to 9999. */
#include "common/fhir/fhir.h"

enum {
    YEAR_MIN = 1,
    YEAR_MAX = 9999,
    /* Local time is at most these minutes from UTC anywhere (Baker Island, Line Islands). */
    ZONE_WEST = -12 * 60,
    ZONE_EAST = 14 * 60,
    NANOS_DIGITS = 9,
};

/* ---- the calendar ---- */

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_days(int year, int month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days before the first of January of `year`, counted from 0001-01-01. */
static int64_t days_before_year(int year)
{
    int64_t y = year - 1;
    return 365 * y + y / 4 - y / 100 + y / 400;
}

static int64_t day_number(int year, int month, int day)
{
    int64_t days = days_before_year(year) - days_before_year(1970) + day - 1;
    for (int m = 1; m < month; m++)
        days += month_days(year, m);
    return days;
}

int64_t ct_date_days(const ct_date *d)
{
    return day_number(d->year, d->month ? d->month : 1, d->day ? d->day : 1);
}

ct_date ct_date_add_days(const ct_date *d, int64_t days)
{
    int64_t first = day_number(YEAR_MIN, 1, 1), last = day_number(YEAR_MAX, 12, 31);
    int64_t from = ct_date_days(d);
    if (days < first - from || days > last - from)
        return (ct_date){.precision = CT_P_NONE};
    int64_t to = from + days;
    ct_date sum = *d;
    /* 146097 days are 400 years: the guess is at most one year off. */
    sum.year = (int16_t)((to - first) * 400 / 146097 + 1);
    while (sum.year > YEAR_MIN && day_number(sum.year, 1, 1) > to)
        sum.year--;
    while (sum.year < YEAR_MAX && day_number(sum.year + 1, 1, 1) <= to)
        sum.year++;
    int64_t left = to - day_number(sum.year, 1, 1);
    for (sum.month = 1; left >= month_days(sum.year, sum.month); sum.month++)
        left -= month_days(sum.year, sum.month);
    sum.day = (uint8_t)(left + 1);
    if (sum.precision < CT_P_DAY)
        sum.precision = CT_P_DAY;
    return sum;
}

/* ---- reading ---- */

/* Takes a number of exactly `digits` digits, from `low` to `high`, off the front of `*s`. */
static bool take(ct_str *s, size_t digits, int low, int high, int *value)
{
    *value = 0;
    if (s->n < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        *value = *value * 10 + (s->p[i] - '0');
    }
    *s = ct_str_from(*s, digits);
    return *value >= low && *value <= high;
}

static bool take_char(ct_str *s, char c)
{
    if (!s->n || s->p[0] != c)
        return false;
    *s = ct_str_from(*s, 1);
    return true;
}

static bool take_fraction(ct_str *s, ct_date *d)
{
    size_t n = 0;
    for (; n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++)
        if (n < NANOS_DIGITS)
            d->nanos = d->nanos * 10 + (s->p[n] - '0');
    for (size_t i = n; i < NANOS_DIGITS; i++)
        d->nanos *= 10;
    *s = ct_str_from(*s, n);
    d->precision = CT_P_FRACTION;
    return n > 0;
}

static bool take_zone(ct_str *s, ct_date *d)
{
    int hours, minutes, sign = take_char(s, '-') ? -1 : 1;
    d->zoned = true;
    if (sign > 0 && take_char(s, 'Z'))
        return true;
    if ((sign > 0 && !take_char(s, '+')) || !take(s, 2, 0, 14, &hours) || !take_char(s, ':') ||
        !take(s, 2, 0, 59, &minutes) || (hours == 14 && minutes))
        return false;
    d->offset = (int16_t)(sign * (hours * 60 + minutes));
    return true;
}

/* hh:mm:ss, a fraction, a zone. */
static bool take_time(ct_str *s, ct_date *d)
{
    int hour, minute, second;
    if (!take(s, 2, 0, 23, &hour) || !take_char(s, ':') || !take(s, 2, 0, 59, &minute) ||
        !take_char(s, ':') || !take(s, 2, 0, 60, &second))
        return false;
    d->hour = (uint8_t)hour;
    d->minute = (uint8_t)minute;
    d->second = (uint8_t)second;
    d->precision = CT_P_SECOND;
    if (take_char(s, '.') && !take_fraction(s, d))
        return false;
    return s->n == 0 || take_zone(s, d);
}

static bool take_date(ct_str *s, ct_date *d)
{
    int year, month, day;
    if (!take(s, 4, YEAR_MIN, YEAR_MAX, &year))
        return false;
    d->year = (int16_t)year;
    d->precision = CT_P_YEAR;
    if (!take_char(s, '-'))
        return true;
    if (!take(s, 2, 1, 12, &month))
        return false;
    d->month = (uint8_t)month;
    d->precision = CT_P_MONTH;
    if (!take_char(s, '-'))
        return true;
    if (!take(s, 2, 1, month_days(year, month), &day))
        return false;
    d->day = (uint8_t)day;
    d->precision = CT_P_DAY;
    return true;
}

bool ct_date_parse(ct_str text, ct_date *d)
{
    *d = (ct_date){0};
    if (take_date(&text, d) &&
        (d->precision < CT_P_DAY || !take_char(&text, 'T') || take_time(&text, d)) && text.n == 0)
        return true;
    *d = (ct_date){0};
    return false;
}

/* ---- comparing ---- */

/* Minutes since 1970-01-01 by the clock on the wall. */
static int64_t wall_minutes(const ct_date *d)
{
    int64_t days = d->year ? ct_date_days(d) : 0;
    return days * 24 * 60 + d->hour * 60 + d->minute;
}

static int64_t whole_hours(int64_t minutes)
{
    int64_t past = minutes % 60;
    return (minutes - (past < 0 ? past + 60 : past)) / 60;
}

/* Seconds and their fraction are one precision, as in FHIRPath: without a fraction means .0. */
static ct_precision precision_of(const ct_date *d)
{
    return d->precision == CT_P_SECOND ? CT_P_FRACTION : d->precision;
}

/* Compares `n` pairs; where all are equal, the dates' precisions must be, too. */
static int cmp_pairs(const int64_t (*pairs)[2], int n, const ct_date *a, const ct_date *b)
{
    for (int i = 0; i < n; i++)
        if (pairs[i][0] != pairs[i][1])
            return pairs[i][0] < pairs[i][1] ? -1 : 1;
    return precision_of(a) == precision_of(b) ? 0 : CT_DATE_UNDECIDED;
}

static int least_precision(const ct_date *a, const ct_date *b)
{
    return (int)(precision_of(a) < precision_of(b) ? precision_of(a) : precision_of(b));
}

static int cmp_as_written(const ct_date *a, const ct_date *b)
{
    const int64_t pairs[][2] = {
        {a->year, b->year},     {a->month, b->month},   {a->day, b->day},     {a->hour, b->hour},
        {a->minute, b->minute}, {a->second, b->second}, {a->nanos, b->nanos},
    };
    return cmp_pairs(pairs, least_precision(a, b), a, b);
}

static int cmp_in_utc(const ct_date *a, const ct_date *b)
{
    int64_t x = wall_minutes(a) - a->offset, y = wall_minutes(b) - b->offset;
    const int64_t pairs[][2] = {
        {whole_hours(x), whole_hours(y)},
        {x, y},
        {a->second, b->second},
        {a->nanos, b->nanos},
    };
    return cmp_pairs(pairs, least_precision(a, b) - CT_P_DAY, a, b);
}

/* A time that tells its zone against one that does not: decided only where no zone could change it.
 */
static int cmp_to_local(const ct_date *zoned, const ct_date *local)
{
    int64_t apart = wall_minutes(zoned) - zoned->offset - wall_minutes(local);
    /* An hour or a minute may be as late as its end. */
    int64_t slack = least_precision(zoned, local) == CT_P_HOUR ? 60 : 1;
    if (apart < -ZONE_EAST - slack)
        return -1;
    return apart > -ZONE_WEST + slack ? 1 : CT_DATE_UNDECIDED;
}

int ct_date_cmp(const ct_date *a, const ct_date *b)
{
    if (a->precision == CT_P_NONE || b->precision == CT_P_NONE || !a->year != !b->year)
        return CT_DATE_UNDECIDED;
    /* A day has no zone: it is compared with the day on the other's own calendar. */
    if (a->precision < CT_P_HOUR || b->precision < CT_P_HOUR || (!a->zoned && !b->zoned))
        return cmp_as_written(a, b);
    if (a->zoned && b->zoned)
        return cmp_in_utc(a, b);
    if (a->zoned)
        return cmp_to_local(a, b);
    int reversed = cmp_to_local(b, a);
    return reversed == CT_DATE_UNDECIDED ? reversed : -reversed;
}

/* ---- writing ---- */

/* In thousandths, millionths or billionths, whichever loses nothing. */
static void put_fraction(ct_buf *b, int32_t nanos)
{
    if (nanos % 1000000 == 0)
        ct_buf_printf(b, ".%03d", (int)(nanos / 1000000));
    else if (nanos % 1000 == 0)
        ct_buf_printf(b, ".%06d", (int)(nanos / 1000));
    else
        ct_buf_printf(b, ".%09d", (int)nanos);
}

static void put_zone(ct_buf *b, int offset)
{
    int distance = offset < 0 ? -offset : offset;
    if (!offset)
        ct_buf_c(b, 'Z');
    else
        ct_buf_printf(b, "%c%02d:%02d", offset < 0 ? '-' : '+', distance / 60, distance % 60);
}

void ct_date_put(ct_buf *b, const ct_date *d)
{
    if (d->precision == CT_P_NONE)
        return;
    if (d->year) {
        ct_buf_printf(b, "%04d", d->year);
        if (d->precision >= CT_P_MONTH)
            ct_buf_printf(b, "-%02d", d->month);
        if (d->precision >= CT_P_DAY)
            ct_buf_printf(b, "-%02d", d->day);
        if (d->precision >= CT_P_HOUR)
            ct_buf_c(b, 'T');
    }
    if (d->precision >= CT_P_HOUR)
        ct_buf_printf(b, "%02d", d->hour);
    if (d->precision >= CT_P_MINUTE)
        ct_buf_printf(b, ":%02d", d->minute);
    if (d->precision >= CT_P_SECOND)
        ct_buf_printf(b, ":%02d", d->second);
    if (d->precision == CT_P_FRACTION)
        put_fraction(b, d->nanos);
    if (d->zoned)
        put_zone(b, d->offset);
}
