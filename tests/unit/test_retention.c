/* Retention: periods and the days they end with, and files of schedules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/archive/period.c"
#include "cmd/archive/schedule.c"

/* Instead of the program's own: a schedule, and ages of majority. */
static const char base[] = "schedule base\nversion 7\ntitle Base\n"
                           "class one\n  title One\n  applies chart\n  keep 5 years\n"
                           "  from last-encounter\n  jurisdiction US\n  authority Law 1\n"
                           "  reviewed 2026-01-01\n";
static const char ages[] = "US-A\t18\tx\nUS-B\t21\ty\n";
const ct_datafile ct_cmd_data[] = {{"schedules/base.retention", base, sizeof(base) - 1},
                                   {"schedules/federal.retention", base, sizeof(base) - 1},
                                   {"schedules/majority.tsv", ages, sizeof(ages) - 1},
                                   {NULL, NULL, 0}};

/* ---- periods ---- */

static void ends_periods(void **state)
{
    static const struct {
        const char *period, *from, *end;
    } cases[] = {
        {"5 years", "2020-03-10", "2025-03-10"},
        {"1 year", "2019-12-31", "2020-12-31"},
        /* leap days */
        {"5 years", "2020-02-29", "2025-03-01"},
        {"4 years", "2020-02-29", "2024-02-29"},
        {"100 years", "2000-02-29", "2100-03-01"},
        {"10 years", "2010-02-28", "2020-02-28"},
        {"10 years", "2010-03-01", "2020-03-01"},
        {"216 months", "2008-02-29", "2026-03-01"},
        /* months of other lengths */
        {"1 month", "2026-01-31", "2026-03-01"},
        {"1 month", "2024-01-31", "2024-03-01"},
        {"1 month", "2024-01-29", "2024-02-29"},
        {"3 months", "2026-03-31", "2026-07-01"},
        {"1 month", "2026-12-31", "2027-01-31"},
        {"18 months", "2026-08-31", "2028-03-01"},
        /* days */
        {"0 days", "2026-02-28", "2026-02-28"},
        {"1 day", "2026-02-28", "2026-03-01"},
        {"2 weeks", "2026-12-25", "2027-01-08"},
        {"366 days", "2024-02-29", "2025-03-01"},
        /* no end */
        {"permanent", "2026-01-01", NULL},
        {"8000 days", "9999-01-01", NULL},
        {"1000 years", "9000-01-01", NULL},
    };

    (void)state;
    for (size_t i = 0; i < CT_LEN(cases); i++) {
        bag_period p;
        ct_days from, end = {0, BAG_NEVER};
        int64_t got;

        assert_true(bag_period_parse(ct_str_z(cases[i].period), &p));
        assert_true(ct_days_parse(ct_str_z(cases[i].from), &from));
        assert_true(!cases[i].end || ct_days_parse(ct_str_z(cases[i].end), &end));
        got = bag_period_end(p, from.last);
        if (got != end.last)
            fail_msg("%s from %s: %lld days off", cases[i].period, cases[i].from,
                     (long long)(got - end.last));
    }
}

/* Never earlier than the last year's anniversary, and a day longer for each later start. */
static void never_ends_early(void **state)
{
    const bag_period years = {.months = 12 * 7};
    int64_t last = INT64_MIN;

    (void)state;
    for (int64_t day = 10000; day < 10000 + 3 * 1461; day++) {
        int64_t end = bag_period_end(years, day);

        assert_true(end >= last);
        assert_in_range(end - day, 7 * 365 + 1, 7 * 365 + 2 + 1);
        last = end;
    }
}

static void refuses_periods(void **state)
{
    static const char *const bad[] = {"",
                                      "5",
                                      "years",
                                      "5years",
                                      "five years",
                                      "-5 years",
                                      "5 Years",
                                      "5 years ago",
                                      "1.5 years",
                                      "1001 years",
                                      "99999999999999999999 days",
                                      "366001 days",
                                      "for ever"};

    (void)state;
    for (size_t i = 0; i < CT_LEN(bad); i++) {
        bag_period p;

        if (bag_period_parse(ct_str_z(bad[i]), &p))
            fail_msg("%s", bad[i]);
    }
}

/* ---- files ---- */

struct heard {
    size_t n;
    uint64_t line;
};

static void hear(void *ctx, const ct_err *err)
{
    struct heard *h = ctx;

    if (h->n++ == 0)
        h->line = err->line;
}

static bag_schedule *empty(void)
{
    bag_schedule *s = ct_calloc(1, sizeof(*s));

    s->arena = ct_arena_new();
    s->model = ct_model_r4();
    return s;
}

/* A class with one field changed (or left out, by a NULL value); the number of errors. */
static size_t errors_with(const char *field, const char *value, bag_class *got)
{
    static const struct {
        const char *name, *value;
    } plain[] = {{"title", "t"},
                 {"applies", "chart"},
                 {"keep", "1 year"},
                 {"from", "birth"},
                 {"jurisdiction", "US-A"},
                 {"authority", "a"},
                 {"reviewed", "2026-01-01"}};
    bag_schedule *s = empty();
    struct heard h = {0};
    ct_buf b = {0};

    ct_buf_z(&b, "class a\n");
    for (size_t i = 0; i < CT_LEN(plain); i++)
        if (strcmp(plain[i].name, field) != 0)
            ct_buf_printf(&b, "  %s %s\n", plain[i].name, plain[i].value);
    if (value)
        ct_buf_printf(&b, "  %s %s\n", field, value);
    parse(s, "f", ct_buf_str(&b), hear, &h);
    assert_int_equal(s->n, 1);
    *got = s->v[0];
    got->where = got->dates = NULL;
    bag_schedule_free(s);
    ct_buf_free(&b);
    return h.n;
}

static void reads_fields(void **state)
{
    static const struct {
        const char *field, *value;
        bool good;
    } cases[] = {
        {"title", NULL, false},
        {"applies", NULL, false},
        {"applies", "Consent", true},
        {"applies", "chart where %chart.exists()", true},
        {"applies", "Consent where status = 'active'", true},
        {"applies", "Consent where nonsense", false},
        {"applies", "HumanName", false},
        {"keep", NULL, false},
        {"keep", "10 years", true},
        {"keep", "ten years", false},
        {"from", NULL, false},
        {"from", "last-encounter", true},
        {"from", "discharge", true},
        {"from", "last-entry", true},
        {"from", "death", true},
        {"from", "majority", true},
        {"from", "age 30", true},
        {"from", "age", false},
        {"from", "age 151", false},
        {"from", "age 18 years", false},
        {"from", "age -1", false},
        {"from", "creation", false}, /* of a chart */
        {"from", "latest %chart", true},
        {"from", "latest", false},
        {"from", "latest nonsense(", false},
        {"from", "Discharge", false},
        {"from", "discharge date", false},
        {"jurisdiction", NULL, false},
        {"authority", NULL, false},
        {"reviewed", NULL, false},
        {"reviewed", "2026-01", false},
        {"reviewed", "2026-02-30", false},
        {"remark", "x", false},
    };
    bag_class got;

    (void)state;
    for (size_t i = 0; i < CT_LEN(cases); i++) {
        size_t errors = errors_with(cases[i].field, cases[i].value, &got);

        if ((errors == 0) != cases[i].good)
            fail_msg("%s %s: %zu errors", cases[i].field, cases[i].value ? cases[i].value : "-",
                     errors);
    }
}

static void knows_majority(void **state)
{
    static const struct {
        const char *jurisdiction;
        unsigned age;
    } cases[] = {{"US-A", 18}, {"US-B", 21}, {"US", 21}, {"US-C", 21}, {"", 21}};

    (void)state;
    for (size_t i = 0; i < CT_LEN(cases); i++)
        assert_int_equal(majority_of(ct_str_z(cases[i].jurisdiction)), cases[i].age);
}

static void reads_odd_files(void **state)
{
    static const struct {
        const char *text;
        size_t errors, classes;
        uint64_t line;
    } cases[] = {
        {"", 0, 0, 0},
        {"# nothing\n\n", 0, 0, 0},
        {"class", 8, 1, 1},
        {"class a\n", 7, 1, 1},
        {"  title t\n", 1, 0, 1},
        {"include base\n", 0, 1, 0},
        {"include base\ninclude base\ninclude federal\n", 0, 1, 0}, /* each text once */
        {"include none\n", 1, 0, 1},
        {"include ../base\n", 1, 0, 1},
        {"pack a\n", 1, 0, 1},
        {"include base\nclass one\n", 8, 2, 2}, /* its name is taken */
    };

    (void)state;
    for (size_t i = 0; i < CT_LEN(cases); i++) {
        bag_schedule *s = empty();
        struct heard h = {0};

        parse(s, "f", ct_str_z(cases[i].text), hear, &h);
        if (h.n != cases[i].errors || h.line != cases[i].line || s->n != cases[i].classes)
            fail_msg("case %zu: %zu errors, first in line %llu, %zu classes", i, h.n,
                     (unsigned long long)h.line, s->n);
        bag_schedule_free(s);
    }
}

static void names_what_is_in_force(void **state)
{
    static const char *const names[] = {"base"};
    struct heard h = {0};
    bag_schedule *s = bag_schedule_load(names, 1, hear, &h);
    ct_buf b = {0};
    uint8_t digest[CT_SHA256_LEN];
    ct_buf wanted = {0};

    (void)state;
    ct_sha256(CT_S(base), digest);
    ct_buf_z(&wanted, "base\t7\t");
    ct_hex(&wanted, digest, sizeof(digest));
    ct_buf_c(&wanted, '\n');
    bag_schedule_put_packs(&b, s);
    assert_int_equal(h.n, 0);
    assert_true(ct_str_eq(ct_buf_str(&b), ct_buf_str(&wanted)));
    ct_buf_free(&b);
    ct_buf_free(&wanted);
    bag_schedule_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_periods),           cmocka_unit_test(never_ends_early),
        cmocka_unit_test(refuses_periods),        cmocka_unit_test(reads_fields),
        cmocka_unit_test(knows_majority),         cmocka_unit_test(reads_odd_files),
        cmocka_unit_test(names_what_is_in_force),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
