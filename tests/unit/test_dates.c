/* FHIR dates: what is one, how precise, what stands before what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/fhir/fhir.h"

static const struct parse_row {
    const char *text;
    ct_precision precision;
    const char *written; /* by ct_date_put, where it is not `text` */
} parse_table[] = {
    {"2020", CT_P_YEAR, NULL},
    {"202", CT_P_NONE, NULL},
    {"20200", CT_P_NONE, NULL},
    {"0001", CT_P_YEAR, NULL},
    {"0000", CT_P_NONE, NULL},
    {"9999", CT_P_YEAR, NULL},
    {"-2020", CT_P_NONE, NULL},
    {"2O20", CT_P_NONE, NULL},
    {"", CT_P_NONE, NULL},
    {"2020-", CT_P_NONE, NULL},
    {"2020-03", CT_P_MONTH, NULL},
    {"2020-3", CT_P_NONE, NULL},
    {"2020-00", CT_P_NONE, NULL},
    {"2020-12", CT_P_MONTH, NULL},
    {"2020-13", CT_P_NONE, NULL},
    {"202003", CT_P_NONE, NULL},
    {"2020-03-31", CT_P_DAY, NULL},
    {"2020-03-00", CT_P_NONE, NULL},
    {"2020-03-32", CT_P_NONE, NULL},
    {"2020-04-30", CT_P_DAY, NULL},
    {"2020-04-31", CT_P_NONE, NULL},
    {"2020-02-29", CT_P_DAY, NULL},
    {"2021-02-29", CT_P_NONE, NULL},
    {"2000-02-29", CT_P_DAY, NULL},
    {"1900-02-29", CT_P_NONE, NULL},
    {"2020-02-30", CT_P_NONE, NULL},
    {"20200229", CT_P_NONE, NULL},
    {"2020-03-31 ", CT_P_NONE, NULL},
    {" 2020-03-31", CT_P_NONE, NULL},
    {"2020-03-31Z", CT_P_NONE, NULL},
    {"2020-03T10:00:00Z", CT_P_NONE, NULL},
    {"2020-03-31T", CT_P_NONE, NULL},
    {"2020-03-31T10", CT_P_NONE, NULL},
    {"2020-03-31T10:30", CT_P_NONE, NULL},
    {"2020-03-31T10:30:15", CT_P_SECOND, NULL},
    {"2020-03-31t10:30:15", CT_P_NONE, NULL},
    {"2020-03-31 10:30:15", CT_P_NONE, NULL},
    {"2020-03-31T10:30:15Z", CT_P_SECOND, NULL},
    {"2020-03-31T10:30:15z", CT_P_NONE, NULL},
    {"2020-03-31T10:30Z", CT_P_NONE, NULL},
    {"2020-03-31T00:00:00Z", CT_P_SECOND, NULL},
    {"2020-03-31T24:00:00Z", CT_P_NONE, NULL},
    {"2020-03-31T23:59:59Z", CT_P_SECOND, NULL},
    {"2020-03-31T23:60:00Z", CT_P_NONE, NULL},
    {"2016-12-31T23:59:60Z", CT_P_SECOND, NULL},
    {"2016-12-31T23:59:61Z", CT_P_NONE, NULL},
    {"2020-03-31T10:30:15+01:00", CT_P_SECOND, NULL},
    {"2020-03-31T10:30:15+0100", CT_P_NONE, NULL},
    {"2020-03-31T10:30:15+01", CT_P_NONE, NULL},
    {"2020-03-31T10:30:15-05:00", CT_P_SECOND, NULL},
    {"2020-03-31T10:30:15+05:45", CT_P_SECOND, NULL},
    {"2020-03-31T10:30:15+05:60", CT_P_NONE, NULL},
    {"2020-03-31T10:30:15+14:00", CT_P_SECOND, NULL},
    {"2020-03-31T10:30:15+14:01", CT_P_NONE, NULL},
    {"2020-03-31T10:30:15+15:00", CT_P_NONE, NULL},
    {"2020-03-31T10:30:15-00:00", CT_P_SECOND, "2020-03-31T10:30:15Z"},
    {"2020-03-31T10:30:15+00:00", CT_P_SECOND, "2020-03-31T10:30:15Z"},
    {"2020-03-31T10:30:15-00:30", CT_P_SECOND, NULL},
    {"2020-03-31T10:30:15-Z", CT_P_NONE, NULL},
    {"2020-03-31T10:30:15Z+01:00", CT_P_NONE, NULL},
    {"2020-03-31T10:30:15.", CT_P_NONE, NULL},
    {"2020-03-31T10:30:15.Z", CT_P_NONE, NULL},
    {"2020-03-31T10:30:15.5Z", CT_P_FRACTION, "2020-03-31T10:30:15.500Z"},
    {"2020-03-31T10:30:15,5Z", CT_P_NONE, NULL},
    {"2020-03-31T10:30:15.000", CT_P_FRACTION, NULL},
    {"2020-03-31T10:30:15.123456Z", CT_P_FRACTION, NULL},
    {"2020-03-31T10:30:15.123456789Z", CT_P_FRACTION, NULL},
    {"2020-03-31T10:30:15.1234567891234567890Z", CT_P_FRACTION, "2020-03-31T10:30:15.123456789Z"},
    {"10:30:15", CT_P_NONE, NULL},
};

static void reads_and_writes(void **state)
{
    (void)state;
    for (size_t i = 0; i < CT_LEN(parse_table); i++) {
        const struct parse_row *row = &parse_table[i];
        ct_date d;
        bool good = ct_date_parse(ct_str_z(row->text), &d);
        if (good != (row->precision != CT_P_NONE) || d.precision != row->precision)
            fail_msg("%s: precision %d", row->text, (int)d.precision);
        ct_buf b = {0};
        ct_date_put(&b, &d);
        const char *written = !good ? "" : row->written ? row->written : row->text;
        if (!ct_str_is(ct_buf_str(&b), written))
            fail_msg("%s: written %.*s", row->text, (int)b.n, b.p);
        ct_buf_free(&b);
    }
}

static void keeps_every_field(void **state)
{
    (void)state;
    ct_date d;
    assert_true(ct_date_parse(CT_S("1987-06-05T04:03:02.01-03:30"), &d));
    assert_int_equal(d.year, 1987);
    assert_int_equal(d.month, 6);
    assert_int_equal(d.day, 5);
    assert_int_equal(d.hour, 4);
    assert_int_equal(d.minute, 3);
    assert_int_equal(d.second, 2);
    assert_int_equal(d.nanos, 10000000);
    assert_true(d.zoned);
    assert_int_equal(d.offset, -210);
    assert_false(ct_date_parse((ct_str){"2020\0-01", 8}, &d));
    assert_int_equal(d.year, 0);
}

enum { LESS = -1, SAME = 0, MORE = 1, OPEN = CT_DATE_UNDECIDED };

static const struct cmp_row {
    const char *a, *b;
    int expected;
} cmp_table[] = {
    {"2020", "2020", SAME},
    {"2020", "2021", LESS},
    {"2020", "2020-03", OPEN},
    {"2020", "2021-03", LESS},
    {"2020-03", "2020-02-28", MORE},
    {"2020-02", "2020-02-28", OPEN},
    {"2020-02-28", "2020-02-28", SAME},
    {"2020-02-28", "2020-02-28T00:00:00Z", OPEN},
    {"2020-02-28", "2020-02-29T00:00:00Z", LESS},
    {"2020-02-28", "2020-02-29T00:30:00+14:00", LESS},
    {"2020", "2020-01-01T00:00:00", OPEN},
    {"2020-01-01T10:00:00", "2020-01-01T10:00:00", SAME},
    {"2020-01-01T10:00:00", "2020-01-01T10:00:00.000", SAME},
    {"2020-01-01T10:00:00", "2020-01-01T10:00:00.001", LESS},
    {"2020-01-01T10:00:01", "2020-01-01T10:00:00.999", MORE},
    {"2020-01-01T10:00:00.1", "2020-01-01T10:00:00.10", SAME},
    {"2020-01-01T10:00:00Z", "2020-01-01T11:00:00+01:00", SAME},
    {"2020-01-01T10:00:00Z", "2020-01-01T10:00:00+01:00", MORE},
    {"2020-01-01T23:30:00-01:00", "2020-01-02T00:30:00Z", SAME},
    {"2019-12-31T23:30:00-01:00", "2020-01-01T00:30:00Z", SAME},
    {"2020-03-01T00:15:00+05:45", "2020-02-29T18:30:00Z", SAME},
    {"9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z", MORE},
    {"0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", LESS},
    {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", LESS},
    {"2016-12-31T23:59:60Z", "2016-12-31T23:59:59.9Z", MORE},
    {"2016-12-31T23:59:60Z", "2017-01-01T00:59:60+01:00", SAME},
    {"2020-01-01T10:00:00Z", "2020-01-01T10:00:00", OPEN},
    {"2020-01-01T10:00:00Z", "2020-01-01T22:00:00", OPEN},
    {"2020-01-01T10:00:00Z", "2020-01-02T00:00:00", OPEN},
    {"2020-01-01T10:00:00Z", "2020-01-02T00:02:00", LESS},
    {"2020-01-01T10:00:00Z", "2019-12-31T22:00:00", OPEN},
    {"2020-01-01T10:00:00Z", "2019-12-31T21:58:00", MORE},
    {"2020-01-01T10:00:00Z", "2022-01-01T10:00:00", LESS},
};

static void orders(void **state)
{
    (void)state;
    for (size_t i = 0; i < CT_LEN(cmp_table); i++) {
        const struct cmp_row *row = &cmp_table[i];
        ct_date a, b;
        assert_true(ct_date_parse(ct_str_z(row->a), &a));
        assert_true(ct_date_parse(ct_str_z(row->b), &b));
        int back = row->expected == OPEN ? OPEN : -row->expected;
        if (ct_date_cmp(&a, &b) != row->expected || ct_date_cmp(&b, &a) != back)
            fail_msg("%s, %s: %d, reversed %d", row->a, row->b, ct_date_cmp(&a, &b),
                     ct_date_cmp(&b, &a));
    }
}

/* FHIRPath has hours and minutes without seconds, and times of day. */
static void orders_less_precise_times(void **state)
{
    (void)state;
    ct_date ten = {.precision = CT_P_HOUR, .year = 2020, .month = 1, .day = 1, .hour = 10};
    ct_date half = ten, later = ten, noon = {.precision = CT_P_MINUTE, .hour = 12},
            evening = {.precision = CT_P_SECOND, .hour = 19};
    half.precision = CT_P_MINUTE;
    half.minute = 30;
    later.hour = 11;
    assert_int_equal(ct_date_cmp(&ten, &ten), SAME);
    assert_int_equal(ct_date_cmp(&ten, &half), OPEN);
    assert_int_equal(ct_date_cmp(&later, &half), MORE);
    ten.zoned = half.zoned = later.zoned = true;
    assert_int_equal(ct_date_cmp(&ten, &half), OPEN);
    assert_int_equal(ct_date_cmp(&later, &half), MORE);
    assert_int_equal(ct_date_cmp(&noon, &noon), SAME);
    assert_int_equal(ct_date_cmp(&noon, &evening), LESS);
    assert_int_equal(ct_date_cmp(&noon, &ten), OPEN);
    ct_date none = {0};
    assert_int_equal(ct_date_cmp(&none, &none), OPEN);

    ct_buf b = {0};
    ct_date_put(&b, &noon);
    ct_buf_c(&b, ' ');
    ct_date_put(&b, &half);
    assert_true(ct_str_is(ct_buf_str(&b), "12:00 2020-01-01T10:30Z"));
    ct_buf_free(&b);
}

static const struct days_row {
    const char *date;
    int64_t days;
} days_table[] = {
    {"1970-01-01", 0},
    {"1970", 0},
    {"1970-02", 31},
    {"1969-12-31", -1},
    {"2000-02-29", 11016},
    {"2000-03-01", 11017},
    {"1900-03-01", -25508},
    {"2024-12-31", 20088},
    {"0001-01-01", -719162},
    {"9999-12-31", 2932896},
    {"2020-06-01T23:00:00-05:00", 18414},
};

static void counts_days(void **state)
{
    (void)state;
    ct_date epoch;
    assert_true(ct_date_parse(CT_S("1970"), &epoch));
    for (size_t i = 0; i < CT_LEN(days_table); i++) {
        const struct days_row *row = &days_table[i];
        ct_date d;
        assert_true(ct_date_parse(ct_str_z(row->date), &d));
        if (ct_date_days(&d) != row->days)
            fail_msg("%s: %lld", row->date, (long long)ct_date_days(&d));
        ct_date back = ct_date_add_days(&epoch, row->days);
        assert_int_equal(ct_date_days(&back), row->days);
        assert_int_equal(back.precision, CT_P_DAY);
    }
}

static const struct add_row {
    const char *from;
    int64_t days;
    const char *to; /* empty: out of the calendar */
} add_table[] = {
    {"2020-02-28", 1, "2020-02-29"},
    {"2020-02-28", 2, "2020-03-01"},
    {"2021-02-28", 1, "2021-03-01"},
    {"2020-03-01", -1, "2020-02-29"},
    {"2020", 0, "2020-01-01"},
    {"2020-12", 31, "2021-01-01"},
    {"2020-12-31T23:00:00+01:00", 1, "2021-01-01T23:00:00+01:00"},
    {"2000-01-01", 146097, "2400-01-01"},
    {"2000-01-01", -146097, "1600-01-01"},
    {"9999-12-31", 0, "9999-12-31"},
    {"9999-12-31", 1, ""},
    {"0001-01-01", -1, ""},
    {"0001-01-01", 3652058, "9999-12-31"},
    {"2020-01-01", INT64_MAX, ""},
    {"2020-01-01", INT64_MIN, ""},
    {"1960-01-01", INT64_MAX, ""},
};

static void adds_days(void **state)
{
    (void)state;
    for (size_t i = 0; i < CT_LEN(add_table); i++) {
        const struct add_row *row = &add_table[i];
        ct_date d;
        assert_true(ct_date_parse(ct_str_z(row->from), &d));
        ct_date sum = ct_date_add_days(&d, row->days);
        ct_buf b = {0};
        ct_date_put(&b, &sum);
        if (!ct_str_is(ct_buf_str(&b), row->to))
            fail_msg("%s + %lld: %.*s", row->from, (long long)row->days, (int)b.n, b.p);
        ct_buf_free(&b);
    }
}

/* Every day of the calendar, there and back. */
static void the_calendar_has_no_holes(void **state)
{
    (void)state;
    ct_date d = {.precision = CT_P_DAY, .year = 1, .month = 1, .day = 1};
    for (int64_t n = ct_date_days(&d); n < 2932896; n++) {
        ct_date next = ct_date_add_days(&d, 1);
        if (ct_date_days(&next) != n + 1 || ct_date_cmp(&d, &next) != LESS)
            fail_msg("%04d-%02d-%02d", d.year, d.month, d.day);
        d = next;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),
        cmocka_unit_test(keeps_every_field),
        cmocka_unit_test(orders),
        cmocka_unit_test(orders_less_precise_times),
        cmocka_unit_test(counts_days),
        cmocka_unit_test(adds_days),
        cmocka_unit_test(the_calendar_has_no_holes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
