/* Periods of retention and the days that they end with. */
#include "cmd/archive/schedule.h"

enum { PERIOD_MAX = 1000 /* years */, YEAR_LAST = 9999 };

bool bag_period_parse(ct_str text, bag_period *p)
{
    static const struct {
        const char *one, *many;
        uint32_t months, days;
    } units[] = {{"year", "years", 12, 0},
                 {"month", "months", 1, 0},
                 {"week", "weeks", 0, 7},
                 {"day", "days", 0, 1}};
    ct_str rest = text, number = ct_str_cut(&rest, ' ');
    ct_str unit = rest.p ? ct_str_trim(rest) : CT_S("");
    uint64_t n;

    *p = (bag_period){.permanent = ct_str_is(text, "permanent")};
    if (p->permanent)
        return true;
    if (!ct_str_u64(number, &n) || n > PERIOD_MAX * 366)
        return false;
    for (size_t i = 0; i < CT_LEN(units); i++)
        if (ct_str_is(unit, units[i].one) || ct_str_is(unit, units[i].many)) {
            p->months = (uint32_t)n * units[i].months;
            p->days = (uint32_t)n * units[i].days;
            return p->months <= PERIOD_MAX * 12 && p->days <= PERIOD_MAX * 366;
        }
    return false;
}

static ct_date date_of(int64_t day)
{
    const ct_date epoch = {.precision = CT_P_DAY, .year = 1970, .month = 1, .day = 1};

    return ct_date_add_days(&epoch, day);
}

/* The first day of the month that lies `months` after; CT_P_NONE after the last year. */
static ct_date month_after(const ct_date *d, uint32_t months)
{
    uint32_t m = (uint32_t)d->month - 1 + months, year = (uint32_t)d->year + m / 12;

    if (year > YEAR_LAST)
        return (ct_date){.precision = CT_P_NONE};
    return (ct_date){
        .precision = CT_P_DAY, .year = (int16_t)year, .month = (uint8_t)(m % 12 + 1), .day = 1};
}

int64_t bag_period_end(bag_period p, int64_t day)
{
    ct_date from = date_of(day), first, next, end;
    int64_t last;

    if (p.permanent || from.precision == CT_P_NONE)
        return BAG_NEVER;
    first = month_after(&from, p.months);
    next = month_after(&from, p.months + 1);
    if (next.precision == CT_P_NONE)
        return BAG_NEVER;
    last = ct_date_days(&first) + from.day - 1;
    if (last > ct_date_days(&next))
        last = ct_date_days(&next);
    end = date_of(last);
    end = ct_date_add_days(&end, p.days);
    return end.precision == CT_P_NONE ? BAG_NEVER : ct_date_days(&end);
}
