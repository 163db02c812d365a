/* Records by several threads: what comes of them, and what is wrong, is told in the order of the
 * input with the numbers of its lines, as one thread that reads one record after another sees it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/stream/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILES = 3, LINES = 700, MOST_JOBS = 5 };

static char folder[] = "/tmp/chart-test.XXXXXX";
static char names[FILES + 1][64];
static const char *paths[FILES + 1];
static size_t npaths = FILES;

static unsigned any(unsigned n)
{
    static uint64_t state = 1;
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(state >> 33) % n;
}

/* Records of all lengths, bad lines, reasons, CRs; the last file ends without LF. */
static void write_file(const char *path, bool last)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (int i = 0; i < LINES; i++) {
        const char *end = last && i == LINES - 1 ? "" : any(5) ? "\n" : "\r\n";
        unsigned kind = *end ? any(12) : 5;
        if (kind == 0)
            fprintf(f, "{\"resourceType\":\"Patient\",%s", end);
        else if (kind == 1)
            fprintf(f, "# chart-import: why not%s", end);
        else if (kind == 2)
            fputs(end, f);
        else
            fprintf(f, "{\"resourceType\":\"Patient\",\"id\":\"%d\",\"x\":\"%*d\"}%s", i,
                    (int)any(any(20) ? 90 : 3000), 1, end);
    }
    assert_int_equal(fclose(f), 0);
}

static int make_files(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    for (size_t i = 0; i <= FILES; i++) {
        snprintf(names[i], sizeof names[i], "%s/%zu", folder, i);
        paths[i] = names[i];
        if (i < FILES)
            write_file(paths[i], i == FILES - 1);
    }
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILES; i++)
        unlink(paths[i]);
    return rmdir(folder);
}

/* ---- what is told ---- */

static void tell(ct_buf *said, const char *what, const char *file, uint64_t line, const ct_err *err)
{
    ct_buf_printf(said, "%s %s:%u", what, file ? strrchr(file, '/') : "-", (unsigned)line);
    if (err)
        ct_buf_printf(said, " %d/%u %s", (int)err->kind, (unsigned)err->offset, err->text);
    ct_buf_c(said, '\n');
}

/* By one thread, record by record. Each seventh record is noted as if something were wrong. */
static ct_got by_reader(ct_buf *said, size_t block)
{
    ct_blocks *in = ct_blocks_new(paths, npaths);
    ct_reader *r = ct_reader_new(ct_model_r4(), in);
    ct_record rec;
    ct_err err = {0};
    ct_got got;
    ct_blocks_limits(in, 0, block, 0);
    while ((got = ct_reader_next(r, &rec, &err)) == CT_GOT_RECORD || got == CT_GOT_BAD)
        if (got == CT_GOT_BAD)
            tell(said, "bad", rec.file, rec.number, &err);
        else if (rec.line.n % 7 == 0)
            tell(said, "note", rec.file, rec.number, NULL);
    if (got == CT_GOT_FATAL)
        tell(said, "fatal", err.file, err.line, &err);
    ct_reader_free(r);
    ct_blocks_free(in);
    return got;
}

typedef struct slot {
    size_t n;
} slot;

typedef struct run {
    ct_buf *said;
    size_t records, stop; /* `done` ends the run at so many records; 0: never */
} run;

static void work(void *ctx, void *s, ct_batch *batch)
{
    (void)ctx;
    ct_record rec;
    const ct_err nothing = {.text = ""};
    while (ct_batch_next(batch, &rec)) {
        ((slot *)s)->n++;
        if (rec.line.n % 7 == 0)
            ct_batch_note(batch, &rec, &nothing);
    }
}

static bool done(void *ctx, void *s, uint64_t before)
{
    run *r = ctx;
    (void)before;
    r->records += ((slot *)s)->n;
    ((slot *)s)->n = 0;
    return !r->stop || r->records < r->stop;
}

static void on_note(void *ctx, const ct_err *err)
{
    tell(((run *)ctx)->said, "note", err->file, err->line, NULL);
}

static void on_bad(void *ctx, const ct_record *rec, const ct_err *err)
{
    assert_int_equal(err->line, rec->number);
    tell(ctx, "bad", err->file, err->line, err);
}

static bool by_batches(run *r, int jobs, size_t block)
{
    ct_blocks *in = ct_blocks_new(paths, npaths);
    slot slots[MOST_JOBS * CT_SLOTS_PER_JOB] = {{0}};
    ct_err err = {0};
    ct_blocks_limits(in, 0, block, 0);
    ct_batches w = {.model = ct_model_r4(),
                    .in = in,
                    .jobs = jobs,
                    .slots = slots,
                    .slot_size = sizeof slots[0],
                    .work = work,
                    .done = done,
                    .ctx = r,
                    .note = on_note,
                    .bad = on_bad,
                    .bad_ctx = r->said};
    bool ok = ct_batches_run(&w, &err);
    if (err.kind)
        tell(r->said, "fatal", err.file, err.line, &err);
    ct_blocks_free(in);
    return ok;
}

/* ---- the tests ---- */

static void assert_same(const ct_buf *wanted, const ct_buf *got, int jobs, size_t block)
{
    if (!ct_str_eq(ct_buf_str(wanted), ct_buf_str(got)))
        fail_msg("%d jobs, blocks of %zu:\n%.*s\ninstead of\n%.*s", jobs, block, (int)got->n,
                 got->p, (int)wanted->n, wanted->p);
}

static const size_t blocks[] = {1, 100, 5000, 0};

static void any_number_of_threads(void **state)
{
    (void)state;
    ct_buf wanted = {0};
    assert_int_equal(by_reader(&wanted, 0), CT_GOT_END);
    assert_true(wanted.n > 1000);
    for (size_t i = 0; i < CT_LEN(blocks); i++)
        for (int jobs = 1; jobs <= MOST_JOBS; jobs += 2) {
            ct_buf got = {0};
            run r = {.said = &got};
            assert_true(by_batches(&r, jobs, blocks[i]));
            assert_same(&wanted, &got, jobs, blocks[i]);
            assert_true(r.records > LINES);
            ct_buf_free(&got);
        }
    ct_buf_free(&wanted);
}

/* All that came before is done; then it is told what was wrong, and where. */
static void fatal_inputs(void **state)
{
    (void)state;
    static const char *const inputs[] = {"{\"resourceType\":\"Patient\"}\n\n{\"resourceType\":",
                                         "<x/>\n", NULL /* it is not there */};
    npaths = FILES + 1;
    for (size_t k = 0; k < CT_LEN(inputs); k++) {
        FILE *f = inputs[k] ? fopen(paths[FILES], "w") : NULL;
        if (f) {
            fputs(inputs[k], f);
            assert_int_equal(fclose(f), 0);
        } else {
            unlink(paths[FILES]);
        }
        for (size_t i = 0; i < CT_LEN(blocks); i++)
            for (int jobs = 1; jobs <= MOST_JOBS; jobs += 2) {
                ct_buf wanted = {0}, got = {0};
                run r = {.said = &got};
                assert_int_equal(by_reader(&wanted, blocks[i]), CT_GOT_FATAL);
                assert_false(by_batches(&r, jobs, blocks[i]));
                assert_same(&wanted, &got, jobs, blocks[i]);
                ct_buf_free(&wanted);
                ct_buf_free(&got);
            }
    }
    npaths = FILES;
}

static void done_ends_the_run(void **state)
{
    (void)state;
    for (int jobs = 1; jobs <= MOST_JOBS; jobs += 2) {
        ct_buf got = {0};
        run r = {.said = &got, .stop = 100};
        assert_false(by_batches(&r, jobs, 1000));
        assert_in_range(r.records, 100, 300);
        assert_true(ct_str_find(ct_buf_str(&got), CT_S("fatal")) == SIZE_MAX);
        ct_buf_free(&got);
    }
}

static void count_bytes(void *ctx, const ct_progress *p)
{
    *(ct_progress *)ctx = *p;
}

static void progress(void **state)
{
    (void)state;
    ct_progress seen = {0};
    ct_blocks *in = ct_blocks_new(paths, npaths);
    ct_blocks_watch(in, count_bytes, &seen);
    ct_reader *r = ct_reader_new(ct_model_r4(), in);
    ct_record rec;
    while (ct_reader_next(r, &rec, NULL) != CT_GOT_END)
        ;
    assert_true(seen.total > 0);
    assert_int_equal(seen.bytes, seen.total);
    assert_int_equal(seen.stored, seen.total);
    assert_int_equal(ct_blocks_progress(in)->records, FILES * LINES);
    ct_reader_free(r);
    ct_blocks_free(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_threads),
        cmocka_unit_test(fatal_inputs),
        cmocka_unit_test(done_ends_the_run),
        cmocka_unit_test(progress),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
