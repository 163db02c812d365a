/* Grouping into charts, in memory and by way of the disk, and references inside a chart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/stream/internal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static char path[] = "/tmp/chart-test.XXXXXX";
static const char *const paths[] = {path, path};

static void put_input(ct_str s)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(s.p, 1, s.n, f), s.n);
    assert_int_equal(fclose(f), 0);
}

static bool as_sorted; /* the input is */

/* What came, as lines: "[id]" for a chart, "[id+]" where its Patient is there, then its records. */
static ct_got group(size_t memory, size_t fanin, ct_side *in, ct_bad_fn *bad, void *bad_ctx,
                    ct_buf *said, ct_err *err)
{
    ct_blocks *r = ct_blocks_new(paths, 1);
    ct_charts *c = ct_charts_new(r, 1, memory, in, bad, bad_ctx);
    ct_charts_fanin(c, fanin);
    if (as_sorted)
        ct_charts_sorted(c);
    ct_chart chart = {0};
    ct_got got;
    while ((got = ct_charts_next(c, &chart, err)) == CT_GOT_RECORD) {
        ct_buf_c(said, '[');
        ct_buf_put(said, chart.id);
        ct_buf_z(said, chart.has_patient ? "+]\n" : "]\n");
        for (size_t i = 0; i < chart.n; i++) {
            const ct_record *rec = &chart.records[i];
            assert_ptr_equal(rec->file, path);
            assert_ptr_equal(rec->doc.text.p, rec->line.p);
            assert_true(ct_str_eq(rec->type, ct_resource_type(&rec->doc)));
            ct_buf_put(said, rec->line);
            ct_buf_c(said, '\n');
        }
    }
    assert_int_equal(ct_charts_next(c, &chart, err), got);
    ct_chart_free(&chart);
    ct_charts_free(c);
    ct_blocks_free(r);
    return got;
}

/* ---- what is grouped how ---- */

#define PAT(id) "{\"resourceType\":\"Patient\",\"id\":\"" id "\"}\n"
#define ENC(id, of)                                                                                \
    "{\"resourceType\":\"Encounter\",\"id\":\"" id "\",\"subject\":{\"reference\":\"" of "\"}}\n"
#define SHARED(id) "{\"resourceType\":\"Practitioner\",\"id\":\"" id "\"}\n"

static const struct group_row {
    const char *name, *input, *want;
} group_table[] = {
    {"nothing", "", ""},
    {"one", PAT("a"), "[a+]\n" PAT("a")},
    {"shared first", PAT("a") SHARED("x"), "[]\n" SHARED("x") "[a+]\n" PAT("a")},
    {"the Patient first", ENC("1", "Patient/a") ENC("2", "Patient/a") PAT("a"),
     "[a+]\n" PAT("a") ENC("1", "Patient/a") ENC("2", "Patient/a")},
    {"no Patient", ENC("1", "Patient/a"), "[a]\n" ENC("1", "Patient/a")},
    {"charts by id", PAT("b") PAT("ab") PAT("a") PAT("B"),
     "[B+]\n" PAT("B") "[a+]\n" PAT("a") "[ab+]\n" PAT("ab") "[b+]\n" PAT("b")},
    {"ids that begin alike",
     PAT("0123456789b") ENC("1", "Patient/0123456789a") PAT("01234567") PAT("0123456789a"),
     "[01234567+]\n" PAT("01234567") "[0123456789a+]\n" PAT("0123456789a")
         ENC("1", "Patient/0123456789a") "[0123456789b+]\n" PAT("0123456789b")},
    {"urn:uuid", ENC("1", "urn:uuid:a") PAT("a"), "[a+]\n" PAT("a") ENC("1", "urn:uuid:a")},
    {"twice the same", PAT("a") ENC("1", "Patient/a") PAT("a") ENC("1", "Patient/a"),
     "[a+]\n" PAT("a") PAT("a") ENC("1", "Patient/a") ENC("1", "Patient/a")},
    {"belongs to nobody", ENC("1", "Group/a") PAT("a"),
     "[]\n" ENC("1", "Group/a") "[a+]\n" PAT("a")},
    {"a Patient without id", "{\"resourceType\":\"Patient\"}\n" PAT("a"),
     "[]\n{\"resourceType\":\"Patient\"}\n[a+]\n" PAT("a")},
};

/* What comes of sorted input as it is read, chart by chart, must be what comes of sorting it. */
static void test_sorted(void **state)
{
    (void)state;
    put_input(CT_S(SHARED("x") SHARED("y") PAT("a") ENC("1", "Patient/a") ENC("2", "Patient/b")
                       PAT("c") ENC("3", "Patient/c")));
    ct_buf sorted = {0}, streamed = {0};
    ct_side in = {0}, again = {0};
    ct_err err = {0};
    assert_int_equal(group(0, 2, &in, NULL, NULL, &sorted, &err), CT_GOT_END);
    as_sorted = true;
    assert_int_equal(group(0, 2, &again, NULL, NULL, &streamed, &err), CT_GOT_END);
    assert_true(ct_str_eq(ct_buf_str(&sorted), ct_buf_str(&streamed)));
    assert_int_equal(in.records, again.records);
    assert_memory_equal(in.sum, again.sum, sizeof in.sum);

    /* Out of order: what came before it goes out, and it is told where. */
    put_input(CT_S(PAT("b") PAT("c") ENC("1", "Patient/b")));
    streamed.n = 0;
    assert_int_equal(group(0, 2, NULL, NULL, NULL, &streamed, &err), CT_GOT_FATAL);
    assert_int_equal(err.line, 3);
    assert_true(ct_str_is(ct_buf_str(&streamed), "[b+]\n" PAT("b")));
    as_sorted = false;
    ct_buf_free(&sorted);
    ct_buf_free(&streamed);
    ct_side_free(&in);
    ct_side_free(&again);
}

static const size_t memories[] = {1, 100, 300, 0};

static void test_grouping(void **state)
{
    (void)state;
    for (size_t i = 0; i < CT_LEN(group_table); i++)
        for (size_t m = 0; m < CT_LEN(memories); m++)
            for (size_t fanin = 2; fanin <= 64; fanin *= 4) {
                ct_buf said = {0};
                ct_err err = {0};
                put_input(ct_str_z(group_table[i].input));
                assert_int_equal(group(memories[m], fanin, NULL, NULL, NULL, &said, &err),
                                 CT_GOT_END);
                if (!ct_str_is(ct_buf_str(&said), group_table[i].want))
                    fail_msg("%s, memory %zu: %.*s", group_table[i].name, memories[m], (int)said.n,
                             said.p);
                ct_buf_free(&said);
            }
}

/* ---- many records: the same answer whatever fits in memory ---- */

static void make_many(ct_buf *b, int n)
{
    uint32_t x = 7;
    for (int i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        unsigned chart = (x >> 16) % 37;
        if (x >> 28 == 0)
            ct_buf_printf(b, SHARED("s%d"), i);
        else if (x >> 28 == 1)
            ct_buf_printf(b, PAT("chart-%u"), chart);
        else
            ct_buf_printf(b, ENC("%d%*s", "Patient/chart-%u"), i, (int)(x >> 8 & 255), "", chart);
    }
}

static void test_many(void **state)
{
    (void)state;
    static const struct {
        size_t memory, fanin;
    } rows[] = {{1, 2}, {1, 64}, {2000, 3}, {50000, 64}, {100000, 2}, {1 << 22, 64}};
    ct_buf input = {0}, want = {0};
    ct_err err = {0};
    ct_side in = {0};
    make_many(&input, 2000);
    put_input(ct_buf_str(&input));
    assert_int_equal(group(0, 64, &in, NULL, NULL, &want, &err), CT_GOT_END);
    assert_int_equal(in.records, 2000);
    assert_int_equal(in.bytes, input.n);
    for (size_t i = 0; i < CT_LEN(rows); i++) {
        ct_buf said = {0};
        assert_int_equal(group(rows[i].memory, rows[i].fanin, NULL, NULL, NULL, &said, &err),
                         CT_GOT_END);
        assert_true(ct_str_eq(ct_buf_str(&want), ct_buf_str(&said)));
        ct_buf_free(&said);
    }
    ct_side_free(&in);
    ct_buf_free(&input);
    ct_buf_free(&want);
}

/* Lines that are longer than every buffer of the merge. */
static void test_long_lines(void **state)
{
    (void)state;
    ct_buf input = {0}, want = {0}, said = {0};
    ct_err err = {0};
    for (int i = 0; i < 40; i++)
        ct_buf_printf(&input, ENC("%d%*s", "Patient/%d"), i, i % 4 * 100000, "", i % 3);
    put_input(ct_buf_str(&input));
    assert_int_equal(group(0, 64, NULL, NULL, NULL, &want, &err), CT_GOT_END);
    assert_int_equal(group(250000, 2, NULL, NULL, NULL, &said, &err), CT_GOT_END);
    assert_true(want.n > 5000000);
    assert_true(ct_str_eq(ct_buf_str(&want), ct_buf_str(&said)));
    ct_buf_free(&input);
    ct_buf_free(&want);
    ct_buf_free(&said);
}

static void test_shared_in_pieces(void **state)
{
    (void)state;
    ct_buf input = {0};
    ct_err err = {0};
    for (int i = 0; i < 2500; i++)
        ct_buf_printf(&input, SHARED("%d"), i);
    for (int i = 0; i < 3; i++)
        ct_buf_printf(&input, SHARED("%*s"), 3000000, "");
    put_input(ct_buf_str(&input));
    ct_blocks *r = ct_blocks_new(paths, 1);
    ct_charts *c = ct_charts_new(r, 1, 0, NULL, NULL, NULL);
    ct_chart chart = {0};
    static const size_t want[] = {1000, 1000, 501, 1, 1};
    for (size_t i = 0; i < CT_LEN(want); i++) {
        assert_int_equal(ct_charts_next(c, &chart, &err), CT_GOT_RECORD);
        assert_int_equal(chart.id.n, 0);
        assert_int_equal(chart.n, want[i]);
    }
    assert_int_equal(ct_charts_next(c, &chart, &err), CT_GOT_END);
    ct_chart_free(&chart);
    ct_charts_free(c);
    ct_blocks_free(r);
    ct_buf_free(&input);
}

/* ---- what goes wrong ---- */

static void note_bad(void *ctx, const ct_record *rec, const ct_err *err)
{
    ct_buf_printf(ctx, "%u/%d ", (unsigned)rec->number, (int)err->kind);
}

static void test_bad_records(void **state)
{
    (void)state;
    ct_buf bad = {0}, said = {0};
    ct_err err = {0};
    ct_side in = {0};
    put_input(CT_S(PAT("a") "junk\n" ENC("1", "Patient/a") "\n"));
    assert_int_equal(group(1, 2, &in, note_bad, &bad, &said, &err), CT_GOT_END);
    assert_true(ct_str_is(ct_buf_str(&bad), "2/1 4/1 "));
    assert_true(ct_str_is(ct_buf_str(&said), "[a+]\n" PAT("a") ENC("1", "Patient/a")));
    assert_int_equal(in.records, 2);
    assert_int_equal(group(0, 2, NULL, NULL, NULL, &said, &err), CT_GOT_END);
    ct_side_free(&in);
    ct_buf_free(&bad);
    ct_buf_free(&said);
}

static void test_cut_input_gives_nothing(void **state)
{
    (void)state;
    ct_buf said = {0};
    ct_err err = {0};
    put_input(CT_S(PAT("a") "{\"resourceType\":"));
    for (size_t m = 0; m < CT_LEN(memories); m++) {
        assert_int_equal(group(memories[m], 2, NULL, NULL, NULL, &said, &err), CT_GOT_FATAL);
        assert_int_equal(err.kind, CT_E_CUT);
        assert_int_equal(err.line, 2);
        assert_int_equal(said.n, 0);
    }
    ct_buf_free(&said);
}

static void test_no_temporary_folder(void **state)
{
    (void)state;
    ct_buf said = {0};
    ct_err err = {0};
    setenv("TMPDIR", "/no/such/folder", 1);
    put_input(CT_S(PAT("a") PAT("b")));
    assert_int_equal(group(0, 2, NULL, NULL, NULL, &said, &err), CT_GOT_END);
    assert_int_equal(group(1, 2, NULL, NULL, NULL, &said, &err), CT_GOT_FATAL);
    assert_int_equal(err.kind, CT_E_IO);
    assert_int_equal(err.sys, ENOENT);
    unsetenv("TMPDIR");
    ct_buf_free(&said);
}

static void test_disk_full(void **state)
{
    (void)state;
    ct_buf input = {0}, said = {0};
    ct_err err = {0};
    struct rlimit old, low;
    make_many(&input, 2000);
    put_input(ct_buf_str(&input));
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    low = old;
    low.rlim_cur = 100000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    ct_got got = group(20000, 64, NULL, NULL, NULL, &said, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(got, CT_GOT_FATAL);
    assert_int_equal(err.kind, CT_E_IO);
    assert_int_equal(err.sys, EFBIG);
    ct_buf_free(&input);
    ct_buf_free(&said);
}

/* ---- references ---- */

static void test_resolve(void **state)
{
    (void)state;
    static const struct {
        const char *reference, *number; /* of the record, NULL where it does not resolve */
    } rows[] = {
        {"Patient/a", "1"},
        {"Encounter/1", "2"},
        {"Encounter/1/_history/3", "2"},
        {"urn:uuid:1", "2"},
        {"http://example.org/fhir/Encounter/2", "3"},
        {"Patient/1", NULL},
        {"Encounter/3", NULL},
        {"#1", NULL},
        {"1", NULL},
        {"", NULL},
        {"Condition/1", "5"},
    };
    ct_err err = {0};
    put_input(CT_S(PAT("a") ENC("1", "Patient/a") ENC("2", "Patient/a") ENC(
        "2", "Patient/a") "{\"resourceType\":\"Condition\",\"id\":\"\\u0031\",\"subject\":{"
                          "\"reference\":\"Patient/a\"}}\n"
                          "{\"resourceType\":\"Condition\",\"subject\":{\"reference\":\"Patient/"
                          "a\"}}\n"));
    ct_blocks *r = ct_blocks_new(paths, 1);
    ct_charts *c = ct_charts_new(r, 1, 0, NULL, NULL, NULL);
    ct_chart chart = {0};
    assert_int_equal(ct_charts_next(c, &chart, &err), CT_GOT_RECORD);
    for (size_t i = 0; i < CT_LEN(rows); i++) {
        const ct_doc *doc = ct_chart_resolve(&chart, ct_str_z(rows[i].reference));
        const ct_doc *want = rows[i].number ? &chart.records[atoi(rows[i].number) - 1].doc : NULL;
        if (doc != want)
            fail_msg("%s", rows[i].reference);
    }
    ct_chart_free(&chart);
    assert_null(ct_chart_resolve(&(ct_chart){.arena = chart.arena = ct_arena_new()}, CT_S("A/1")));
    ct_chart_free(&chart);
    ct_charts_free(c);
    ct_blocks_free(r);
}

static void test_resolve_in_large_chart(void **state)
{
    (void)state;
    enum { N = 20000 };
    ct_buf input = {0};
    ct_err err = {0};
    for (int i = 0; i < N; i++)
        ct_buf_printf(&input, ENC("%d", "Patient/a"), i);
    put_input(ct_buf_str(&input));
    ct_blocks *r = ct_blocks_new(paths, 1);
    ct_charts *c = ct_charts_new(r, 1, 0, NULL, NULL, NULL);
    ct_chart chart = {0};
    assert_int_equal(ct_charts_next(c, &chart, &err), CT_GOT_RECORD);
    for (int i = 0; i < N; i++) {
        input.n = 0;
        ct_buf_printf(&input, "Encounter/%d", i);
        assert_ptr_equal(ct_chart_resolve(&chart, ct_buf_str(&input)), &chart.records[i].doc);
    }
    ct_chart_free(&chart);
    ct_charts_free(c);
    ct_blocks_free(r);
    ct_buf_free(&input);
}

/* Records that all have one id, as a history has: the first is found, without looking at the rest.
 */
static void test_resolve_same_ids(void **state)
{
    (void)state;
    enum { N = 400000 };
    static ct_record records[N];
    static const char *const texts[] = {
        "{\"resourceType\":\"Encounter\",\"id\":\"1\"}",
        "{\"resourceType\":\"Condition\",\"id\":\"1\"}",
    };
    ct_chart chart = {.records = records, .n = N, .arena = ct_arena_new()};
    ct_parser *p = ct_parser_new(ct_model_names(ct_model_r4()));
    ct_err err;
    for (size_t i = 0; i < N; i++) {
        ct_doc doc;
        if (i < CT_LEN(texts) && !ct_parse(p, ct_str_z(texts[i]), &doc, &err))
            fail_msg("%s", err.text);
        records[i] =
            i < CT_LEN(texts) ? (ct_record){.doc = ct_doc_keep(&doc, chart.arena)} : records[1];
        records[i].type = ct_resource_type(&records[i].doc);
    }
    for (int i = 0; i < N; i++) {
        assert_ptr_equal(ct_chart_resolve(&chart, CT_S("urn:uuid:1")), &records[0].doc);
        assert_ptr_equal(ct_chart_resolve(&chart, CT_S("Condition/1")), &records[1].doc);
        assert_null(ct_chart_resolve(&chart, CT_S("Observation/1")));
    }
    ct_parser_free(p);
    ct_arena_free(chart.arena);
}

static int make_path(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grouping),
        cmocka_unit_test(test_sorted),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_shared_in_pieces),
        cmocka_unit_test(test_bad_records),
        cmocka_unit_test(test_cut_input_gives_nothing),
        cmocka_unit_test(test_no_temporary_folder),
        cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_resolve),
        cmocka_unit_test(test_resolve_in_large_chart),
        cmocka_unit_test(test_resolve_same_ids),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
