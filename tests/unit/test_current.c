/* The chart as it stands: of several records with one type and id the last one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/stream/stream.h"

enum { LINES_MAX = 8 };

/* Charts as lists of Type/id, with a - behind it tagged SUBSETTED, and the numbers of the records
 * that stay, Patient first. */
static const struct {
    const char *id;
    const char *records[LINES_MAX];
    const char *current;
} cases[] = {
    {"1", {"Patient/1", "Encounter/2"}, "01"},
    {"1", {"Patient/1", "Encounter/2", "Patient/1", "Encounter/2"}, "23"},
    {"1", {"Patient/1", "Encounter/2", "Encounter/2", "Encounter/3"}, "023"},
    {"1", {"Encounter/2", "Patient/1", "Encounter/2"}, "12"},
    {"1", {"Patient/1", "Encounter/1", "Observation/1"}, "012"},
    {"1", {"Patient/1", "Encounter/", "Encounter/"}, "012"},
    {"1", {"Encounter/2", "Encounter/2"}, "1"},
    {"", {"Patient/1", "Organization/1", "Patient/1"}, "12"},
    {"1", {"Patient/1", "Encounter/2", "Encounter/2-"}, "01"},
    {"1", {"Patient/1", "Encounter/2-", "Encounter/2"}, "02"},
    {"1", {"Patient/1", "Encounter/2-", "Encounter/2-"}, "02"},
    {"1", {"Patient/1", "Encounter/2", "Encounter/2", "Encounter/2-"}, "02"},
    {"1", {"Patient/1", "Patient/1-", "Encounter/2-"}, "02"},
    {"", {0}, ""},
};

static void keep_record(ct_chart *chart, ct_parser *p, const char *name)
{
    ct_record *rec = &chart->records[chart->n++];
    const char *slash = strchr(name, '/');
    size_t n = strcspn(slash + 1, "-");
    ct_err err;

    rec->line = n == 0 ? ct_arena_printf(chart->arena, "{}")
                       : ct_arena_printf(chart->arena, "{\"id\":\"%.*s\"%s}", (int)n, slash + 1,
                                         slash[1 + n] ? ",\"meta\":{\"tag\":[{\"code\":\"x\"},"
                                                        "{\"code\":\"SUBSETTED\"}]}"
                                                      : "");
    assert_true(ct_parse(p, rec->line, &rec->doc, &err));
    rec->doc = ct_doc_keep(&rec->doc, chart->arena);
    rec->type = ct_arena_copy(chart->arena, (ct_str){name, (size_t)(slash - name)});
    rec->number = chart->n - 1;
}

static void last_one_stands(void **state)
{
    ct_parser *p = ct_parser_new(NULL);

    (void)state;
    for (size_t i = 0; i < CT_LEN(cases); i++) {
        ct_record records[LINES_MAX];
        ct_chart chart = {.id = ct_str_z(cases[i].id), .records = records};
        const bool *outdated;
        ct_chart view;

        chart.arena = ct_arena_new();
        chart.has_patient = chart.id.n > 0;
        for (size_t r = 0; r < LINES_MAX && cases[i].records[r]; r++)
            keep_record(&chart, p, cases[i].records[r]);
        view = ct_chart_current(&chart, &outdated);
        if (view.n != strlen(cases[i].current))
            fail_msg("case %zu: %zu records", i, view.n);
        for (size_t r = 0; r < view.n; r++) {
            assert_int_equal(view.records[r].number, cases[i].current[r] - '0');
            assert_false(outdated[view.records[r].number]);
        }
        ct_arena_free(chart.arena);
    }
    ct_parser_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(last_one_stands)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
