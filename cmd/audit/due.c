/* When a deficiency is due. */
#include "cmd/audit/audit.h"

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

ct_date audit_hours_after(const ct_date *from, int64_t hours)
{
    ct_date due;

    if (from->precision < CT_P_HOUR) {
        ct_date day = ct_date_add_days(from, hours >= 0 ? (hours + 23) / 24 : hours / 24);

        day.precision = CT_P_DAY;
        return day;
    }
    hours += from->hour;
    due = ct_date_add_days(from, floor_div(hours, 24));
    due.precision = from->precision;
    due.hour = (uint8_t)(hours - 24 * floor_div(hours, 24));
    due.minute = from->minute;
    due.second = from->second;
    due.nanos = from->nanos;
    due.zoned = from->zoned;
    due.offset = from->offset;
    return due;
}

int64_t audit_days_over(const ct_date *due, const ct_date *today)
{
    int64_t days;

    if (due->precision < CT_P_DAY)
        return 0;
    days = ct_date_days(today) - ct_date_days(due);
    return days > 0 ? days : 0;
}
