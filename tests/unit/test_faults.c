/* What the system refuses: each system call that reading, grouping and writing make fails once, at
 * every place in turn; is interrupted; does less than it was asked for. A fault must be reported,
 * and leave what stood there as it was. The calls are this program's own, in front of libc's. */
#define _GNU_SOURCE /* RTLD_NEXT, O_TMPFILE */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/stream/internal.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- the calls ---- */

enum call { NONE, READ, PREAD, WRITE, FSYNC, RENAME, CLOSE, CALLS };

/* How a file that is written gets its name: it has none before; it has one from the start, where
 * the system knows no others; it is copied to one that has, where it cannot be named after all. */
enum way { NAMELESS, NAMED, COPIED, WAYS };

static struct {
    enum call what; /* fails with EIO … */
    int left;       /* … when this reaches 0 */
    bool hit;
    bool weak; /* calls are interrupted, or do one byte at a time */
    enum way way;
    unsigned calls;
} fault;

static bool strikes(enum call what)
{
    if (fault.weak && what <= WRITE && ++fault.calls % 2) {
        errno = EINTR;
        return true;
    }
    if (fault.what != what || --fault.left != 0)
        return false;
    fault.hit = true;
    errno = EIO;
    return true;
}

static size_t less(size_t n)
{
    return fault.weak && n > 1 ? n / 2 : n;
}

/* libc's own; a union, as C has no cast from an object pointer to a function. */
#define LIBC(type, name)                                                                           \
    union {                                                                                        \
        void *object;                                                                              \
        type;                                                                                      \
    } libc = {dlsym(RTLD_NEXT, name)}

ssize_t read(int fd, void *to, size_t n)
{
    LIBC(ssize_t(*call)(int, void *, size_t), "read");
    return strikes(READ) ? -1 : libc.call(fd, to, less(n));
}

ssize_t pread(int fd, void *to, size_t n, off_t at)
{
    LIBC(ssize_t(*call)(int, void *, size_t, off_t), "pread");
    return strikes(PREAD) ? -1 : libc.call(fd, to, less(n), at);
}

ssize_t write(int fd, const void *from, size_t n)
{
    LIBC(ssize_t(*call)(int, const void *, size_t), "write");
    return strikes(WRITE) ? -1 : libc.call(fd, from, less(n));
}

int fsync(int fd)
{
    (void)fd;
    return strikes(FSYNC) ? -1 : 0;
}

int rename(const char *from, const char *to)
{
    LIBC(int (*call)(const char *, const char *), "rename");
    return strikes(RENAME) ? -1 : libc.call(from, to);
}

int close(int fd)
{
    LIBC(int (*call)(int), "close");
    int result = libc.call(fd);
    return strikes(CLOSE) ? -1 : result;
}

int open(const char *path, int flags, ...)
{
    LIBC(int (*call)(const char *, int, ...), "open");
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (fault.way == NAMED && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return libc.call(path, flags, mode);
}

int linkat(int a, const char *from, int b, const char *to, int flags)
{
    LIBC(int (*call)(int, const char *, int, const char *, int), "linkat");
    if (fault.way == COPIED) {
        errno = EPERM;
        return -1;
    }
    return libc.call(a, from, b, to, flags);
}

static void set_fault(enum call what, int nth)
{
    fault.what = what;
    fault.left = nth;
    fault.hit = fault.weak = false;
}

/* ---- files ---- */

static char folder[] = "/tmp/chart-test.XXXXXX";
static char input[64], output[64], packed[64];
static const char *const paths[] = {input};

static void put_file(const char *path, ct_str s)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(s.p, 1, s.n, f), s.n);
    assert_int_equal(fclose(f), 0);
}

static void assert_holds(const char *path, ct_str want)
{
    ct_buf b = {0};
    ct_err err;
    set_fault(NONE, 0);
    assert_true(ct_slurp(path, 1 << 24, &b, &err));
    assert_true(ct_str_eq(ct_buf_str(&b), want));
    ct_buf_free(&b);
}

static size_t count_files(void)
{
    size_t n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    assert_int_equal(closedir(d), 0);
    return n;
}

/* ---- reading and grouping ---- */

/* The sum of what comes out, chart by chart; with so little memory that runs are merged twice. */
static ct_got group(ct_side *out, ct_err *err)
{
    ct_blocks *r = ct_blocks_new(paths, 1);
    ct_charts *c = ct_charts_new(r, 1, 20000, NULL, NULL, NULL);
    ct_chart chart = {0};
    ct_got got;
    ct_charts_fanin(c, 4);
    while ((got = ct_charts_next(c, &chart, err)) == CT_GOT_RECORD)
        for (size_t i = 0; i < chart.n; i++)
            ct_side_add(out, chart.records[i].line, chart.records[i].type);
    ct_chart_free(&chart);
    ct_charts_free(c);
    ct_blocks_free(r);
    return got;
}

static void make_input(ct_buf *b)
{
    for (int i = 0; i < 1500; i++)
        ct_buf_printf(b,
                      "{\"resourceType\":\"Encounter\",\"id\":\"%d\",\"subject\":{\"reference\":"
                      "\"Patient/p%d\"}}\n",
                      i, i * 7 % 41);
}

static void test_grouping_faults(void **state)
{
    (void)state;
    static const enum call calls[] = {READ, PREAD, WRITE};
    ct_side want = {0};
    ct_err err;
    assert_int_equal(group(&want, &err), CT_GOT_END);
    for (size_t k = 0; k < CT_LEN(calls); k++) {
        int nth = 0;
        do {
            ct_side side = {0};
            err = (ct_err){0};
            set_fault(calls[k], ++nth);
            ct_got got = group(&side, &err);
            if (fault.hit) {
                assert_int_equal(got, CT_GOT_FATAL);
                assert_int_equal(err.kind, CT_E_IO);
                assert_int_equal(err.sys, EIO);
            } else {
                assert_int_equal(got, CT_GOT_END);
                assert_memory_equal(side.sum, want.sum, sizeof side.sum);
            }
            ct_side_free(&side);
        } while (fault.hit);
        assert_true(nth > 2);
    }
    ct_side_free(&want);
}

static void test_weak_calls(void **state)
{
    (void)state;
    ct_side want = {0}, side = {0};
    ct_err err;
    set_fault(NONE, 0);
    assert_int_equal(group(&want, &err), CT_GOT_END);
    fault.weak = true;
    assert_int_equal(group(&side, &err), CT_GOT_END);
    fault.weak = false;
    assert_int_equal(side.records, 1500);
    assert_memory_equal(side.sum, want.sum, sizeof side.sum);
    ct_side_free(&want);
    ct_side_free(&side);
}

/* ---- writing ---- */

static bool write_file(const char *path, ct_str s, ct_err *err)
{
    ct_out *out = ct_out_open(path, err);
    if (!out)
        return false;
    for (size_t at = 0; at < s.n; at += 100000)
        ct_out_put(out, ct_str_head(ct_str_from(s, at), 100000));
    return ct_out_close(out, err);
}

/* The `nth` call fails, where there is one; else false. */
static bool write_with_fault(const char *path, ct_str text, enum call what, int nth)
{
    ct_err err = {0};
    put_file(path, CT_S("before"));
    size_t files = count_files();
    set_fault(what, nth);
    bool ok = write_file(path, text, &err), hit = fault.hit;
    assert_int_equal(ok, !hit);
    assert_int_equal(count_files(), files);
    if (hit) {
        assert_int_equal(err.kind, CT_E_IO);
        assert_int_equal(err.sys, EIO);
        assert_string_equal(err.file, path);
    }
    /* When the file is there and only its folder was not synced, it is whole. */
    bool named = !hit || (what == FSYNC && nth == (fault.way == COPIED ? 3 : 2));
    assert_holds(path, named ? text : CT_S("before"));
    return hit;
}

/* What cannot be made small by packing. */
static void make_text(ct_buf *text)
{
    for (unsigned x = 1; text->n < 1000000;)
        ct_buf_printf(text, "%u\n", x = x * 1664525 + 1013904223);
}

static void test_output_faults(void **state)
{
    (void)state;
    const char *const names[] = {output, packed};
    ct_buf text = {0};
    make_text(&text);
    for (fault.way = 0; fault.way < WAYS; fault.way++)
        for (size_t k = 0; k < CT_LEN(names); k++) {
            for (enum call what = PREAD; what < CLOSE; what++) {
                int nth = 0;
                while (write_with_fault(names[k], ct_buf_str(&text), what, ++nth))
                    ;
                assert_true(nth > 1 || (what == PREAD && fault.way != COPIED));
            }
            /* What was copied is closed first, which matters to nobody; the folder last. */
            assert_true(
                write_with_fault(names[k], ct_buf_str(&text), CLOSE, fault.way == COPIED ? 2 : 1));
            put_file(names[k], CT_S("before"));
            ct_err err;
            set_fault(NONE, 0);
            fault.weak = true;
            bool ok = write_file(names[k], ct_buf_str(&text), &err);
            fault.weak = false;
            assert_true(ok);
            assert_holds(names[k], ct_buf_str(&text));
        }
    fault.way = NAMELESS;
    ct_buf_free(&text);
}

/* While it is written there is nothing, or something that a handler of signals removes. */
static void test_unfinished(void **state)
{
    (void)state;
    for (fault.way = 0; fault.way < WAYS; fault.way++) {
        ct_err err = {0};
        size_t files = count_files();
        set_fault(NONE, 0);
        ct_out *out = ct_out_open(output, &err);
        assert_non_null(out);
        assert_int_equal(count_files(), files + (fault.way == NAMED));
        ct_out_cleanup();
        assert_int_equal(count_files(), files);
        ct_out_abandon(out);
        assert_int_equal(count_files(), files);
    }
    fault.way = NAMELESS;
}

/* A name that a process left that had the same number. */
static void test_name_taken(void **state)
{
    (void)state;
    char taken[96];
    ct_err err = {0};
    snprintf(taken, sizeof taken, "%s/.out.%jd-0", folder, (intmax_t)getpid());
    put_file(taken, CT_S("another's"));
    assert_true(write_file(output, CT_S("text"), &err));
    assert_holds(output, CT_S("text"));
    assert_holds(taken, CT_S("another's"));
    assert_int_equal(unlink(taken), 0);
}

static int set_up(void **state)
{
    (void)state;
    ct_buf b = {0};
    if (!mkdtemp(folder))
        return -1;
    snprintf(input, sizeof input, "%s/in.ndjson", folder);
    snprintf(output, sizeof output, "%s/out", folder);
    snprintf(packed, sizeof packed, "%s/out.gz", folder);
    make_input(&b);
    put_file(input, ct_buf_str(&b));
    ct_buf_free(&b);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(input) || unlink(output) || unlink(packed) || rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grouping_faults), cmocka_unit_test(test_weak_calls),
        cmocka_unit_test(test_output_faults),   cmocka_unit_test(test_unfinished),
        cmocka_unit_test(test_name_taken),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
