/* The chart as it stands: of several records with one type and id the newest one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/stream/stream.h"

enum { LINES_MAX = 8 };

/* Charts as lists of Type/id, with a - behind it tagged SUBSETTED, with @ and # the
 * meta.lastUpdated and meta.versionId, and the numbers of the records that stay, Patient first. */
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
    /* by meta.lastUpdated, as instants */
    {"1", {"Encounter/2@2026-01-01T00:00:00Z", "Encounter/2@2010-01-01T00:00:00Z"}, "0"},
    {"1", {"Encounter/2@2010-01-01T00:00:00Z", "Encounter/2@2026-01-01T00:00:00Z"}, "1"},
    {"1", {"Encounter/2@2010-06-01T09:00:00Z", "Encounter/2@2010-06-01T10:00:00+02:00"}, "0"},
    {"1", {"Encounter/2@2010-06-01T09:00:00.25Z", "Encounter/2@2010-06-01T09:00:00Z"}, "0"},
    {"1", {"Encounter/2@2012-01-01T00:00:00Z#1", "Encounter/2@2010-01-01T00:00:00Z#7"}, "0"},
    {"1",
     {"Encounter/2@2011-01-01T00:00:00Z", "Encounter/2@2012-01-01T00:00:00Z",
      "Encounter/2@2010-01-01T00:00:00Z"},
     "1"},
    {"1",
     {"Patient/1@2026-01-01T00:00:00Z", "Encounter/2", "Patient/1@2010-01-01T00:00:00Z"},
     "01"},
    /* of one instant, or where that is not told: by a numeric meta.versionId */
    {"1", {"Encounter/2@2010-01-01T00:00:00Z#10", "Encounter/2@2010-01-01T00:00:00Z#9"}, "0"},
    {"1", {"Encounter/2#10", "Encounter/2#9"}, "0"},
    {"1", {"Encounter/2@2010-01-01T00:00:00Z#10", "Encounter/2#9"}, "0"},
    {"1", {"Encounter/2@2010-06-01T09:00:00#10", "Encounter/2@2010-06-01T10:00:00Z#9"}, "0"},
    /* else by the order of the input */
    {"1", {"Encounter/2#b", "Encounter/2#a"}, "1"},
    {"1", {"Encounter/2#10", "Encounter/2#a"}, "1"},
    {"1", {"Encounter/2#10", "Encounter/2"}, "1"},
    {"1", {"Encounter/2#7", "Encounter/2#7"}, "1"},
    {"1", {"Encounter/2@soon", "Encounter/2@2010-01-01T00:00:00Z"}, "1"},
    {"1", {"Encounter/2@2026-01-01T00:00:00Z", "Encounter/2"}, "1"},
    /* of what is told in part, too, but never against the whole */
    {"1", {"Encounter/2-@2026-01-01T00:00:00Z", "Encounter/2-@2010-01-01T00:00:00Z"}, "0"},
    {"1", {"Encounter/2@2010-01-01T00:00:00Z", "Encounter/2-@2026-01-01T00:00:00Z#9"}, "0"},
    {"1", {"Encounter/2-@2026-01-01T00:00:00Z#9", "Encounter/2@2010-01-01T00:00:00Z"}, "1"},
};

/* The text behind a mark of the name, up to the next mark. */
static ct_str behind(const char *name, char mark)
{
    const char *at = strchr(name, mark);

    return at ? (ct_str){at + 1, strcspn(at + 1, "@#")} : (ct_str){NULL, 0};
}

static ct_str record_line(ct_arena *a, const char *name)
{
    ct_str id = {name, strcspn(name, "-@#")}, updated = behind(name, '@');
    ct_str version = behind(name, '#');
    ct_buf b = {0};
    ct_str line;

    ct_buf_z(&b, "{\"meta\":{");
    if (updated.n)
        ct_buf_printf(&b, "\"lastUpdated\":\"%.*s\",", (int)updated.n, updated.p);
    if (version.n)
        ct_buf_printf(&b, "\"versionId\":\"%.*s\",", (int)version.n, version.p);
    ct_buf_printf(&b, "\"tag\":[{\"code\":\"x\"}%s]}",
                  name[id.n] == '-' ? ",{\"code\":\"SUBSETTED\"}" : "");
    if (id.n)
        ct_buf_printf(&b, ",\"id\":\"%.*s\"", (int)id.n, id.p);
    ct_buf_z(&b, "}");
    line = ct_arena_copy(a, ct_buf_str(&b));
    ct_buf_free(&b);
    return line;
}

static void keep_record(ct_chart *chart, ct_parser *p, const char *name)
{
    ct_record *rec = &chart->records[chart->n++];
    size_t slash = strcspn(name, "/");
    ct_err err;

    rec->line = record_line(chart->arena, name + slash + 1);
    assert_true(ct_parse(p, rec->line, &rec->doc, &err));
    rec->doc = ct_doc_keep(&rec->doc, chart->arena);
    rec->type = ct_arena_copy(chart->arena, (ct_str){name, slash});
    rec->number = chart->n - 1;
}

static void newest_one_stands(void **state)
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(newest_one_stands)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
