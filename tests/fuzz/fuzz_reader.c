/* Any bytes as an input, plain or packed: the reader says the same whatever the size of reads and
 * blocks, and grouping gives out exactly the records that the reader gave. */
#include "common/stream/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void must(bool holds)
{
    if (!holds)
        abort();
}

static char path[] = "/tmp/chart-fuzz.XXXXXX";
static const char *const paths[] = {path};

static void remove_path(void)
{
    unlink(path);
}

/* The harness has no main of its own: the file is made at the first call. */
static void put_input(const uint8_t *bytes, size_t n)
{
    static int fd = -1;
    if (fd < 0) {
        fd = mkstemp(path);
        must(fd >= 0 && atexit(remove_path) == 0);
    }
    must(ftruncate(fd, 0) == 0 && pwrite(fd, bytes, n, 0) == (ssize_t)n);
}

/* What the reader says, as text; the records go into the books. */
static ct_buf say(size_t read, size_t block, ct_side *side)
{
    ct_blocks *in = ct_blocks_new(paths, 1);
    ct_reader *r = ct_reader_new(ct_model_r4(), in);
    ct_blocks_limits(in, read, block, 4096);
    ct_buf said = {0};
    ct_record rec;
    ct_err err;
    ct_got got;
    do {
        err = (ct_err){0};
        got = ct_reader_next(r, &rec, &err);
        if (got == CT_GOT_RECORD || got == CT_GOT_BAD) { /* else there is no record to tell of */
            ct_buf_printf(&said, "%d %u %d:", (int)got, (unsigned)rec.number, (int)err.kind);
            ct_buf_put(&said, rec.line);
        }
        if (got == CT_GOT_RECORD)
            ct_side_add(side, rec.line, rec.type);
    } while (got == CT_GOT_RECORD || got == CT_GOT_BAD);
    must((got == CT_GOT_FATAL) == (err.kind != CT_OK));
    ct_buf_printf(&said, "=%d %d", (int)got, (int)err.kind);
    ct_reader_free(r);
    ct_blocks_free(in);
    return said;
}

static ct_got group(int jobs, size_t memory, ct_side *side)
{
    ct_blocks *in = ct_blocks_new(paths, 1);
    ct_blocks_limits(in, 0, 16, 4096);
    ct_charts *c = ct_charts_new(in, jobs, memory, NULL, NULL, NULL);
    ct_charts_fanin(c, 2);
    ct_chart chart = {0};
    ct_err err;
    ct_got got;
    while ((got = ct_charts_next(c, &chart, &err)) == CT_GOT_RECORD)
        for (size_t i = 0; i < chart.n; i++)
            ct_side_add(side, chart.records[i].line, chart.records[i].type);
    ct_chart_free(&chart);
    ct_charts_free(c);
    ct_blocks_free(in);
    return got;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    ct_side one = {0}, two = {0}, three = {0};
    put_input(bytes, n);
    ct_buf large = say(0, 0, &one), small = say(1, 3, &two);
    must(ct_str_eq(ct_buf_str(&large), ct_buf_str(&small)));
    if (group(1 + (int)(n % 2), 64, &three) == CT_GOT_END) {
        must(one.records == three.records && one.bytes == three.bytes);
        must(memcmp(one.sum, three.sum, sizeof one.sum) == 0);
    } else {
        must(three.records == 0);
    }
    ct_buf_free(&large);
    ct_buf_free(&small);
    ct_side_free(&one);
    ct_side_free(&two);
    ct_side_free(&three);
    return 0;
}
