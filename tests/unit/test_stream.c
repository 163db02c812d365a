/* Bytes in and out, the books, and the record reader. Every input is read in pieces of several
 * sizes, cut at every byte and damaged at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/stream/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const packed[] = {"t.gz", "t.zst", "t.xz", "t.bz2"};
static const size_t read_sizes[] = {1, 4095, 4096, 4097, 0};

/* ---- helpers ---- */

static void put_file(const char *path, ct_str s)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(s.p, 1, s.n, f), s.n);
    assert_int_equal(fclose(f), 0);
}

/* Writes through ct_out, which packs by name. */
static void put_out(const char *path, ct_str s)
{
    ct_err err = {0};
    ct_out *out = ct_out_open(path, &err);
    assert_non_null(out);
    assert_true(ct_out_put(out, s));
    assert_true(ct_out_close(out, &err));
}

static bool read_whole(ct_in *in, size_t cap, ct_buf *to, ct_err *err)
{
    size_t got;
    bool ok;
    to->n = 0;
    while ((ok = ct_in_read(in, ct_buf_room(to, cap), cap, &got, err)) && got)
        to->n += got;
    return ok;
}

/* Reads a whole input in calls of `cap` bytes. */
static bool get_in(const char *path, size_t limit, size_t cap, ct_buf *to, ct_err *err)
{
    ct_in *in = ct_in_open(path, err);
    if (!in)
        return false;
    ct_in_limit(in, limit);
    bool ok = read_whole(in, cap, to, err);
    ct_in_close(in);
    return ok;
}

/* Writes a text into a pipe, and closes it. */
struct feeder {
    pthread_t thread;
    int fd;
    ct_str text;
};

static void *feed(void *arg)
{
    struct feeder *f = arg;
    ct_err err = {0};
    assert_true(ct_write_all(f->fd, f->text, &err));
    assert_int_equal(close(f->fd), 0);
    return NULL;
}

static ct_buf slurp_raw(const char *path)
{
    ct_buf b = {0};
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t got;
    while ((got = fread(ct_buf_room(&b, 65536), 1, 65536, f)))
        b.n += got;
    fclose(f);
    return b;
}

/* Text that packs, but not to nothing. */
static ct_buf sample(size_t n)
{
    ct_buf b = {0};
    uint32_t x = 1;
    while (b.n < n) {
        x = x * 1664525 + 1013904223;
        ct_buf_printf(&b, "%u some text\n", x >> 16);
    }
    b.n = n;
    return b;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Hidden files that were left behind in this folder. */
static int leftovers(void)
{
    return system("ls -A | grep -q '^\\.t'") == 0;
}

/* ---- bytes in ---- */

static void test_read_sizes(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 5, 6, 7, 100, 20000, 300000};
    static const char *const names[] = {"t.txt", "t.gz", "t.zst", "t.xz", "t.bz2"};
    for (size_t i = 0; i < CT_LEN(lengths); i++)
        for (size_t k = 0; k < CT_LEN(names); k++) {
            ct_buf want = sample(lengths[i]), got = {0};
            put_out(names[k], ct_buf_str(&want));
            for (size_t s = 0; s < CT_LEN(read_sizes); s++) {
                ct_err err = {0};
                size_t cap = read_sizes[s] ? read_sizes[s] : 1 << 20;
                assert_true(get_in(names[k], read_sizes[s], cap, &got, &err));
                assert_true(ct_str_eq(ct_buf_str(&want), ct_buf_str(&got)));
            }
            ct_buf_free(&want);
            ct_buf_free(&got);
        }
}

/* What comes through a pipe, as it is or packed, is the same when it is read ahead. */
static void test_read_ahead(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 6, 20000, 6000000};
    static const char *const names[] = {"t.txt", "t.gz"};
    for (size_t i = 0; i < CT_LEN(lengths) * CT_LEN(names); i++) {
        const char *name = names[i % CT_LEN(names)];
        ct_buf want = sample(lengths[i / CT_LEN(names)]), got = {0};
        put_out(name, ct_buf_str(&want));
        ct_buf stored = slurp_raw(name);
        for (size_t s = want.n > 1000000; s < CT_LEN(read_sizes); s++) {
            int ends[2];
            char path[32];
            ct_err err = {0};
            assert_int_equal(pipe(ends), 0);
            struct feeder f = {.fd = ends[1], .text = ct_buf_str(&stored)};
            assert_int_equal(pthread_create(&f.thread, NULL, feed, &f), 0);
            snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
            ct_in *in = ct_in_open(path, &err);
            assert_non_null(in);
            ct_in_limit(in, read_sizes[s]);
            ct_in_ahead(in);
            assert_true(read_whole(in, 70000, &got, &err));
            assert_true(ct_str_eq(ct_buf_str(&want), ct_buf_str(&got)));
            assert_int_equal(ct_in_stored(in), stored.n);
            ct_in_close(in);
            pthread_join(f.thread, NULL);
            close(ends[0]);
        }
        ct_buf_free(&stored);
        ct_buf_free(&want);
        ct_buf_free(&got);
    }
}

/* An input is closed at once, although its thread waits for a writer who says no more. */
static void test_close_ahead(void **state)
{
    (void)state;
    int ends[2];
    char path[32], byte;
    size_t got;
    ct_err err = {0};
    assert_int_equal(pipe(ends), 0);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    ct_in *in = ct_in_open(path, &err);
    assert_non_null(in);
    ct_in_ahead(in);
    assert_true(ct_write_all(ends[1], CT_S("some text"), &err));
    assert_true(ct_in_read(in, &byte, 1, &got, &err));
    assert_int_equal(got, 1);
    ct_in_close(in);
    close(ends[0]);
    close(ends[1]);
}

/* From so many bytes on, a cut file is known to be no plain text. */
static size_t known_from(const char *name)
{
    return strstr(name, ".bz2") ? 4 : strstr(name, ".zst") ? 2 : 1;
}

static void test_cut_everywhere(void **state)
{
    (void)state;
    ct_buf text = sample(700), got = {0};
    for (size_t k = 0; k < CT_LEN(packed); k++) {
        put_out(packed[k], ct_buf_str(&text));
        ct_buf one = slurp_raw(packed[k]), two = {0};
        ct_buf_put(&two, ct_buf_str(&one));
        ct_buf_put(&two, ct_buf_str(&one));
        for (size_t n = known_from(packed[k]); n < two.n; n++) {
            ct_err err = {0};
            put_file("cut", (ct_str){two.p, n});
            bool ok = get_in("cut", n % 3, 4096, &got, &err);
            if (ok != (n == one.n) || (!ok && err.kind != CT_E_CUT))
                fail_msg("%s cut at %zu of %zu+%zu: %d, kind %d", packed[k], n, one.n, one.n, ok,
                         (int)err.kind);
            if (!ok)
                assert_string_equal(err.file, "cut");
        }
        ct_buf_free(&one);
        ct_buf_free(&two);
    }
    ct_buf_free(&text);
    ct_buf_free(&got);
}

/* zstd streams without a checksum may be damaged without notice; libarchive writes none. */
static void test_damaged_everywhere(void **state)
{
    (void)state;
    static const char *const checked[] = {"t.gz", "t.xz", "t.bz2"};
    ct_buf text = sample(700), got = {0};
    for (size_t k = 0; k < CT_LEN(checked); k++) {
        put_out(checked[k], ct_buf_str(&text));
        ct_buf bytes = slurp_raw(checked[k]);
        for (size_t i = 6; i < bytes.n; i++) {
            ct_err err = {0};
            bytes.p[i] ^= (char)(1 << i % 8);
            put_file("bad", ct_buf_str(&bytes));
            bool ok = get_in("bad", 0, 4096, &got, &err);
            if (ok && !ct_str_eq(ct_buf_str(&text), ct_buf_str(&got)))
                fail_msg("%s damaged at %zu was not noticed", checked[k], i);
            if (!ok && err.kind != CT_E_DATA && err.kind != CT_E_CUT && err.kind != CT_E_LIMIT)
                fail_msg("%s damaged at %zu: kind %d", checked[k], i, (int)err.kind);
            bytes.p[i] ^= (char)(1 << i % 8);
        }
        ct_buf_free(&bytes);
    }
    ct_buf_free(&text);
    ct_buf_free(&got);
}

static void test_behind_the_end(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        ct_str behind;
        ct_errkind kind;
    } rows[] = {
        {"t.gz", {"", 0}, CT_OK},
        {"t.gz", {"\0\0\0\0\0\0\0", 7}, CT_OK},
        {"t.gz", {"\0\0\0x", 4}, CT_E_DATA},
        {"t.gz", {"\0\0\0\x1f\x8b", 5}, CT_E_DATA},
        {"t.gz", {"x", 1}, CT_E_DATA},
        {"t.gz", {"\x1f", 1}, CT_E_CUT},
        {"t.gz", {"\x1f\x8c", 2}, CT_E_DATA},
        {"t.zst", {"x", 1}, CT_E_DATA},
        {"t.zst", {"\x28", 1}, CT_E_CUT},
        {"t.zst", {"xxxxxxxxxxxx", 12}, CT_E_DATA},
        {"t.xz", {"\0\0\0\0", 4}, CT_OK},
        {"t.xz", {"xxxxxxxxxxxxxxxx", 16}, CT_E_DATA},
        {"t.bz2", {"B", 1}, CT_E_CUT},
        {"t.bz2", {"BZh5\x31", 5}, CT_E_CUT},
        {"t.bz2", {"x", 1}, CT_E_DATA},
        {"t.bz2", {"BZx", 3}, CT_E_DATA},
        {"t.bz2", {"xxxxxxxxxxxxxxxxxxxxxxxxxxxx", 28}, CT_E_DATA},
    };
    ct_buf text = sample(5000), got = {0};
    for (size_t i = 0; i < CT_LEN(rows); i++)
        for (size_t s = 0; s < CT_LEN(read_sizes); s++) {
            put_out(rows[i].name, ct_buf_str(&text));
            ct_buf bytes = slurp_raw(rows[i].name);
            ct_buf_put(&bytes, rows[i].behind);
            put_file("behind", ct_buf_str(&bytes));
            ct_err err = {0};
            bool ok = get_in("behind", read_sizes[s], 4096, &got, &err);
            if (ok != (rows[i].kind == CT_OK) || err.kind != rows[i].kind)
                fail_msg("row %zu, reads of %zu: %d, kind %d", i, read_sizes[s], ok, (int)err.kind);
            if (ok)
                assert_true(ct_str_eq(ct_buf_str(&text), ct_buf_str(&got)));
            ct_buf_free(&bytes);
        }
    ct_buf_free(&text);
    ct_buf_free(&got);
}

static void test_does_not_open(void **state)
{
    (void)state;
    ct_err err = {0};
    assert_null(ct_in_open("missing", &err));
    assert_int_equal(err.kind, CT_E_IO);
    assert_int_equal(err.sys, ENOENT);
    assert_string_equal(err.file, "missing");
    assert_null(ct_in_open(".", &err));
    assert_int_equal(err.sys, EISDIR);
}

static void test_slurp(void **state)
{
    (void)state;
    static const struct {
        size_t n, max;
        bool ok;
    } rows[] = {{0, 0, true},
                {1, 0, false},
                {10, 10, true},
                {11, 10, false},
                {100000, 100000, true},
                {100001, 100000, false},
                {100000, SIZE_MAX / 2, true}};
    for (size_t i = 0; i < CT_LEN(rows); i++) {
        ct_buf want = sample(rows[i].n), got = {0};
        ct_err err = {0};
        put_out("t.gz", ct_buf_str(&want));
        ct_buf_z(&got, "+");
        assert_int_equal(ct_slurp("t.gz", rows[i].max, &got, &err), rows[i].ok);
        assert_int_equal(err.kind, rows[i].ok ? CT_OK : CT_E_LIMIT);
        if (rows[i].ok)
            assert_true(ct_str_eq(ct_str_from(ct_buf_str(&got), 1), ct_buf_str(&want)));
        ct_buf_free(&want);
        ct_buf_free(&got);
    }
}

/* ---- bytes out ---- */

static void test_out_replaces_when_whole(void **state)
{
    (void)state;
    ct_err err = {0};
    put_file("t", CT_S("old"));
    ct_out *out = ct_out_open("t", &err);
    assert_non_null(out);
    assert_true(ct_out_put(out, CT_S("new")));
    ct_buf now = slurp_raw("t");
    assert_true(ct_str_is(ct_buf_str(&now), "old"));
    ct_buf_free(&now);
    assert_true(ct_out_close(out, &err));
    now = slurp_raw("t");
    assert_true(ct_str_is(ct_buf_str(&now), "new"));
    ct_buf_free(&now);
    struct stat st;
    assert_int_equal(stat("t", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_false(leftovers());
}

/* What an earlier run left does not outlive the start of this one, nor what a link leads to; a
 * descriptor is no name. */
static void test_out_anew(void **state)
{
    (void)state;
    static const char *const names[] = {"t", "link"};
    ct_err err = {0};
    assert_int_equal(symlink("t", "link"), 0);
    for (size_t i = 0; i < CT_LEN(names); i++)
        for (int whole = 0; whole < 2; whole++) {
            put_file("t", CT_S("old"));
            ct_out *out = ct_out_open_anew(names[i], &err);
            assert_non_null(out);
            assert_false(exists("t"));
            assert_true(ct_out_put(out, CT_S("new")));
            if (whole)
                assert_true(ct_out_close(out, &err));
            else
                ct_out_abandon(out);
            assert_int_equal(exists("t"), whole);
        }
    ct_out *out = ct_out_open_anew("/dev/null", &err);
    assert_non_null(out);
    assert_true(ct_out_close(out, &err));
    assert_true(exists("/dev/null"));
    assert_int_equal(unlink("link"), 0);
}

static void test_out_abandoned(void **state)
{
    (void)state;
    ct_err err = {0};
    static const char *const names[] = {"t", "t.gz", "t.zst"};
    for (size_t i = 0; i < CT_LEN(names); i++) {
        put_file(names[i], CT_S("old"));
        ct_out *out = ct_out_open(names[i], &err);
        assert_non_null(out);
        assert_true(ct_out_put(out, CT_S("new")));
        ct_out_abandon(out);
        ct_buf now = slurp_raw(names[i]);
        assert_true(ct_str_is(ct_buf_str(&now), "old"));
        ct_buf_free(&now);
        assert_false(leftovers());
    }
    ct_out_abandon(NULL);
}

static void test_out_cleanup(void **state)
{
    (void)state;
    put_file("mine", CT_S(""));
    put_file("forgotten", CT_S(""));
    static const char mine[] = "mine", forgotten[] = "forgotten";
    assert_true(ct_cleanup_add(mine));
    assert_true(ct_cleanup_add(forgotten));
    ct_cleanup_drop(forgotten);
    ct_out_cleanup();
    assert_false(exists("mine"));
    assert_true(exists("forgotten"));
    ct_cleanup_drop(mine);
    size_t n = 0;
    while (n < 1000 && ct_cleanup_add("x"))
        n++;
    assert_true(n >= 32 && n < 1000);
    while (n--)
        ct_cleanup_drop("x");
}

static void test_out_errors(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        size_t n;
        bool opens, closes;
        int sys;
    } rows[] = {
        {"no/such/folder/t", 1, false, false, ENOENT},
        {".", 1, false, false, EISDIR},
        {"/dev/null", 1000000, true, true, 0},
        {"/dev/full", 0, true, true, 0},
        {"/dev/full", 1, true, false, ENOSPC},
        {"/dev/full", 1000000, true, false, ENOSPC},
        {"link", 10, true, true, 0},
        {"t", 1000000, true, true, 0},
    };
    assert_int_equal(symlink("target", "link"), 0);
    put_file("target", CT_S("old"));
    for (size_t i = 0; i < CT_LEN(rows); i++) {
        ct_err err = {0};
        ct_buf text = sample(rows[i].n);
        ct_out *out = ct_out_open(rows[i].path, &err);
        assert_int_equal(out != NULL, rows[i].opens);
        if (out) {
            bool put = ct_out_put(out, ct_buf_str(&text));
            assert_true(put || !rows[i].closes);
            assert_int_equal(ct_out_put(out, CT_S("")), put);
            assert_int_equal(ct_out_close(out, &err), rows[i].closes);
        }
        assert_int_equal(err.sys, rows[i].sys);
        if (rows[i].sys)
            assert_string_equal(err.file, rows[i].path);
        ct_buf_free(&text);
    }
    struct stat st;
    assert_int_equal(lstat("link", &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(stat("target", &st), 0);
    assert_int_equal(st.st_size, 10);
}

/* The same bytes whenever it runs, and of the kind that the name says. */
static void test_out_packed(void **state)
{
    (void)state;
    static const char *const magic[] = {"\x1f\x8b", "\x28\xb5\x2f\xfd", "\xfd\x37zXZ", "BZh"};
    ct_buf text = sample(100000);
    for (size_t k = 0; k < CT_LEN(packed); k++) {
        put_out(packed[k], ct_buf_str(&text));
        ct_buf one = slurp_raw(packed[k]);
        put_out(packed[k], ct_buf_str(&text));
        ct_buf two = slurp_raw(packed[k]);
        assert_true(ct_str_starts(ct_buf_str(&one), ct_str_z(magic[k])));
        assert_true(one.n < text.n);
        assert_true(ct_str_eq(ct_buf_str(&one), ct_buf_str(&two)));
        if (k == 0)
            assert_memory_equal(one.p + 4, "\0\0\0\0", 4); /* no time stamp */
        ct_buf_free(&one);
        ct_buf_free(&two);
    }
    ct_buf_free(&text);
}

/* ---- the books ---- */

static void test_side(void **state)
{
    (void)state;
    static const char *const lines[] = {"abc", "", "{\"a\":1}", "abc", "x"};
    static const char *const kinds[] = {"Patient", "Encounter", "Patient", "Patient", "Condition"};
    ct_side forth = {0}, back = {0}, part = {0};
    for (size_t i = 0; i < CT_LEN(lines); i++) {
        size_t k = CT_LEN(lines) - 1 - i;
        ct_side_add(&forth, ct_str_z(lines[i]), ct_str_z(kinds[i]));
        ct_side_add(i % 2 ? &back : &part, ct_str_z(lines[k]), ct_str_z(kinds[k]));
    }
    ct_side_merge(&back, &part);
    assert_int_equal(forth.records, 5);
    assert_int_equal(forth.bytes, 3 + 0 + 7 + 3 + 1 + 5);
    assert_int_equal(back.bytes, forth.bytes);
    assert_memory_equal(forth.sum, back.sum, sizeof forth.sum);
    assert_int_equal(back.nkinds, 3);
    for (size_t i = 0; i < back.nkinds; i++)
        assert_int_equal(back.kinds[i].n, ct_str_is(back.kinds[i].kind, "Patient") ? 3 : 1);
    ct_side_clear(&part);
    assert_int_equal(part.records + part.bytes + part.nkinds, 0);
    ct_side_add(&part, CT_S("abc"), CT_S("Patient"));
    ct_buf hex = {0}; /* FIPS 180-4's example */
    ct_hex(&hex, part.sum, sizeof part.sum);
    assert_true(ct_str_is(ct_buf_str(&hex),
                          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    ct_side_add(&part, CT_S("abc"), CT_S("Patient"));
    hex.n = 0; /* twice the number, modulo 2^256 */
    ct_hex(&hex, part.sum, sizeof part.sum);
    assert_true(ct_str_is(ct_buf_str(&hex),
                          "74f02d7f1e039fd4828281bcbb5c44476006c3472c2ef5396821fec3e4002b5a"));
    ct_buf_free(&hex);
    ct_side_free(&forth);
    ct_side_free(&back);
    ct_side_free(&part);
}

static void test_side_off(void **state)
{
    (void)state;
    ct_lines l = {.side = {.off = true}};
    ct_lines_add(&l, CT_S("{}"), CT_S("Patient"));
    ct_lines_add(&l, CT_S(""), CT_S("Patient"));
    assert_true(ct_str_is(ct_buf_str(&l.buf), "{}\n\n"));
    assert_int_equal(l.side.records, 2);
    assert_int_equal(l.side.bytes, 4);
    assert_int_equal(l.side.nkinds, 0);
    ct_side_clear(&l.side);
    assert_true(l.side.off);
    ct_side_free(&l.side);
    ct_buf_free(&l.buf);
}

static void test_balance(void **state)
{
    (void)state;
    static const struct {
        uint64_t in, created, out, rejected, withheld, consumed;
        bool balanced;
    } rows[] = {
        {0, 0, 0, 0, 0, 0, true}, {5, 0, 5, 0, 0, 0, true}, {5, 0, 4, 0, 0, 0, false},
        {5, 0, 3, 1, 1, 0, true}, {5, 2, 7, 0, 0, 0, true}, {5, 2, 5, 0, 0, 0, false},
        {5, 2, 2, 1, 1, 3, true},
    };
    for (size_t i = 0; i < CT_LEN(rows); i++) {
        ct_tally t = {.in.records = rows[i].in,
                      .out.records = rows[i].out,
                      .created = rows[i].created,
                      .rejected = rows[i].rejected,
                      .withheld = rows[i].withheld,
                      .consumed = rows[i].consumed};
        assert_int_equal(ct_tally_balanced(&t), rows[i].balanced);
    }
}

/* ---- records ---- */

#define P "{\"resourceType\":\"Patient\",\"id\":\"p\"}"
#define E "{\"resourceType\":\"Encounter\"}"

static const struct reader_row {
    const char *name;
    ct_str input;
    const char *want; /* line:what … */
} reader_table[] = {
    {"empty", {"", 0}, "end"},
    {"one", CT_S(P "\n"), "1:Patient end"},
    {"no LF at the end", CT_S(P "\n" E), "1:Patient 2:Encounter end"},
    {"CRLF", CT_S(P "\r\n" E "\r\n"), "1:Patient 2:Encounter end"},
    {"CR at the end", CT_S(P "\r"), "1:Patient end"},
    {"white space", CT_S("  " P "\t \n"), "1:Patient end"},
    {"byte order mark", CT_S("\xef\xbb\xbf" P "\n" E "\n"), "1:Patient 2:Encounter end"},
    {"byte order mark alone", CT_S("\xef\xbb\xbf"), "end"},
    {"byte order mark later", CT_S(P "\n\xef\xbb\xbf" P "\n"), "1:Patient 2:bad/1 end"},
    {"blank lines", CT_S("\n" P "\n\n  \r\n" E "\n"),
     "1:bad/1 2:Patient 3:bad/1 4:bad/1 5:Encounter end"},
    {"only LF", CT_S("\n"), "1:bad/1 end"},
    {"only CR", CT_S("\r"), "end"},
    {"cut", CT_S(P "\n{\"resourceType\":\"Pat"), "1:Patient 2:fatal/2"},
    {"cut, one byte short", CT_S(P "\n{\"resourceType\":\"Patient\""), "1:Patient 2:fatal/2"},
    {"junk without LF", CT_S("junk"), "1:fatal/2"},
    {"junk", CT_S("junk\n" P "\n"), "1:bad/1 2:Patient end"},
    {"cut in the middle", CT_S("{\"resourceType\"\n" P "\n"), "1:bad/2 2:Patient end"},
    {"NUL", CT_S("{\"resourceType\":\"Patient\",\"id\":\"\0\"}\n" P "\n"), "1:bad/1 2:Patient end"},
    {"invalid UTF-8", CT_S("{\"resourceType\":\"Patient\",\"id\":\"\xff\"}\n"), "1:bad/1 end"},
    {"no resource", CT_S("{}\n[]\n1\n" P "\n"), "1:bad/1 2:bad/1 3:bad/1 4:Patient end"},
    {"no resource, no LF", CT_S("12"), "1:bad/1 end"},
    {"unknown type", CT_S("{\"resourceType\":\"Dog\"}\n"), "1:bad/1 end"},
    {"reasons", CT_S("# chart-import: f:1: x\n" P "\n# chart-audit: y\n"), "2:Patient end"},
    {"reason cut", CT_S(P "\n# chart-import: f:1"), "1:Patient 2:fatal/2"},
    {"other comment", CT_S("# hello\n"), "1:bad/1 end"},
    {"HL7 v2", CT_S("MSH|^~\\&|A|B\rPID|1\r"), "1:fatal/1"},
    {"HL7 v2 behind a record", CT_S(P "\nMSH|^~\\&\n"), "1:Patient 2:bad/1 end"},
    {"XML", CT_S("<Patient/>\n"), "1:fatal/1"},
    {"on several lines", CT_S("{\n  \"resourceType\": \"Patient\"\n}\n"), "1:fatal/1"},
    {"Bundle", CT_S("{\"resourceType\":\"Bundle\"}\n" P "\n"), "1:bad/1 2:Patient end"},
    {"two on a line", CT_S(P P "\n"), "1:bad/1 end"},
    {"line of 100",
     CT_S(P "                                                                 \n" P "\n"),
     "1:Patient 2:Patient end"},
    {"line of 101",
     CT_S(P "                                                                  \n" P "\n"),
     "1:bad/3 2:Patient end"},
    {"long line without LF",
     CT_S(P "\n" P "                                                                  "),
     "1:Patient 2:bad/3 end"},
    {"very long line",
     CT_S(P "\n" P P P P P P P P P P P P P P P P P P P P P P P P P P P P P P P P P P "\n" E "\n"),
     "1:Patient 2:bad/3 3:Encounter end"},
};

/* What the reader says about its inputs, as one line. */
static void read_all(ct_reader *r, ct_buf *said)
{
    ct_record rec;
    ct_err err = {0};
    ct_got got;
    while (err = (ct_err){0}, (got = ct_reader_next(r, &rec, &err)) != CT_GOT_END) {
        ct_buf_printf(said, "%u:", (unsigned)rec.number);
        if (got == CT_GOT_RECORD)
            ct_buf_put(said, rec.type);
        else
            ct_buf_printf(said, "%s/%d", got == CT_GOT_BAD ? "bad" : "fatal", (int)err.kind);
        if (got != CT_GOT_RECORD) {
            assert_int_equal(err.line, rec.number);
            assert_ptr_equal(err.file, rec.file);
        }
        if (got == CT_GOT_FATAL) {
            assert_int_equal(ct_reader_next(r, &rec, &err), CT_GOT_FATAL);
            return;
        }
        assert_true(got == CT_GOT_RECORD || rec.line.p);
        ct_buf_c(said, ' ');
    }
    assert_int_equal(err.kind, CT_OK);
    ct_buf_z(said, "end");
}

static void test_reader(void **state)
{
    (void)state;
    const char *path = "in";
    for (size_t i = 0; i < CT_LEN(reader_table); i++)
        for (size_t s = 0; s < CT_LEN(read_sizes); s++)
            for (size_t block = 1; block <= 1024; block = block * 2 + 1) {
                const struct reader_row *row = &reader_table[i];
                put_file(path, row->input);
                ct_blocks *in = ct_blocks_new(&path, 1);
                ct_reader *r = ct_reader_new(ct_model_r4(), in);
                ct_blocks_limits(in, read_sizes[s], block, 100);
                ct_buf said = {0};
                read_all(r, &said);
                if (!ct_str_is(ct_buf_str(&said), row->want))
                    fail_msg("%s, reads of %zu, block %zu: %.*s", row->name, read_sizes[s], block,
                             (int)said.n, said.p);
                ct_buf_free(&said);
                ct_reader_free(r);
                ct_blocks_free(in);
            }
}

/* Lines come out byte for byte, also those that straddle reads and blocks. */
static void test_reader_bytes(void **state)
{
    (void)state;
    static const char *const names[] = {"in", "in.gz"};
    ct_buf text = {0};
    for (int i = 0; i < 400; i++)
        ct_buf_printf(&text, "{\"resourceType\":\"Patient\",\"id\":\"%d\",\"n\":[%*d]}\n", i,
                      1 + i * 7 % 300, 1);
    for (size_t k = 0; k < CT_LEN(names); k++)
        for (size_t s = 0; s < CT_LEN(read_sizes); s++) {
            put_out(names[k], ct_buf_str(&text));
            ct_blocks *in = ct_blocks_new(&names[k], 1);
            ct_reader *r = ct_reader_new(ct_model_r4(), in);
            ct_blocks_limits(in, read_sizes[s], s % 2 ? 64 : 0, 0);
            ct_lines l = {.side.off = true};
            ct_record rec;
            ct_err err = {0};
            ct_got got;
            while ((got = ct_reader_next(r, &rec, &err)) == CT_GOT_RECORD)
                ct_lines_add(&l, rec.line, rec.type);
            assert_int_equal(got, CT_GOT_END);
            assert_true(ct_str_eq(ct_buf_str(&text), ct_buf_str(&l.buf)));
            assert_int_equal(ct_blocks_progress(in)->bytes, text.n);
            ct_buf_free(&l.buf);
            ct_reader_free(r);
            ct_blocks_free(in);
        }
    ct_buf_free(&text);
}

static void test_reader_inputs(void **state)
{
    (void)state;
    static const struct {
        const char *paths[3];
        const char *want;
    } rows[] = {
        {{"a", "empty", "b"}, "1:Patient 1:Encounter 2:bad/1 end"},
        {{"b", "a", "a"}, "1:Encounter 2:bad/1 1:Patient 1:Patient end"},
        {{"a", "missing", "b"}, "1:Patient 0:fatal/4"},
        {{"a", ".", "b"}, "1:Patient 0:fatal/4"},
        {{"a", "cut", "b"}, "1:Patient 1:fatal/2"},
        {{"a", "cut.gz", "b"}, "1:Patient 1:Patient 2:Patient 3:fatal/2"},
    };
    put_file("a", CT_S(P "\n"));
    put_file("b", CT_S(E "\n\n"));
    put_file("empty", CT_S(""));
    put_file("cut", CT_S("{"));
    put_out("t.gz", CT_S(P "\n" P "\n"));
    ct_buf gz = slurp_raw("t.gz");
    gz.n -= 5; /* in the trailer: all data is there, and yet it is not whole */
    put_file("cut.gz", ct_buf_str(&gz));
    ct_buf_free(&gz);
    for (size_t i = 0; i < CT_LEN(rows); i++) {
        ct_blocks *in = ct_blocks_new(rows[i].paths, 3);
        ct_reader *r = ct_reader_new(ct_model_r4(), in);
        ct_buf said = {0};
        read_all(r, &said);
        if (!ct_str_is(ct_buf_str(&said), rows[i].want))
            fail_msg("row %zu: %.*s", i, (int)said.n, said.p);
        ct_buf_free(&said);
        ct_reader_free(r);
        ct_blocks_free(in);
    }
}

/* Written in pieces, below and beyond what is kept in memory; read back in others. */
static void test_spool(void **state)
{
    static const size_t sizes[] = {0, 1, 1000, 1 << 20, (1 << 20) + 1, 3 << 20};
    (void)state;
    for (size_t i = 0; i < CT_LEN(sizes); i++) {
        ct_spool *s = ct_spool_new();
        ct_buf text = {0}, back = {0};
        ct_err err = {0};
        size_t got;
        while (text.n < sizes[i])
            ct_buf_c(&text, (char)('a' + text.n % 23));
        for (size_t at = 0; at < text.n; at += 70001)
            assert_true(
                ct_spool_put(s, ct_str_head(ct_str_from(ct_buf_str(&text), at), 70001), &err));
        assert_int_equal(ct_spool_size(s), text.n);
        do {
            assert_true(ct_spool_read(s, ct_buf_room(&back, 65537), 65537, &got, &err));
            back.n += got;
        } while (got);
        assert_true(ct_str_eq(ct_buf_str(&back), ct_buf_str(&text)));
        ct_buf_free(&text);
        ct_buf_free(&back);
        ct_spool_free(s);
    }
}

/* ---- a folder of its own ---- */

static char folder[] = "/tmp/chart-test.XXXXXX";

static int enter(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
    ct_buf b = {0};
    ct_buf_printf(&b, "rm -rf %s", folder);
    ct_buf_c(&b, '\0');
    int status = chdir("/") == 0 ? system(b.p) : -1;
    ct_buf_free(&b);
    return status;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_sizes),
        cmocka_unit_test(test_read_ahead),
        cmocka_unit_test(test_close_ahead),
        cmocka_unit_test(test_cut_everywhere),
        cmocka_unit_test(test_damaged_everywhere),
        cmocka_unit_test(test_behind_the_end),
        cmocka_unit_test(test_does_not_open),
        cmocka_unit_test(test_slurp),
        cmocka_unit_test(test_out_replaces_when_whole),
        cmocka_unit_test(test_out_anew),
        cmocka_unit_test(test_out_abandoned),
        cmocka_unit_test(test_out_cleanup),
        cmocka_unit_test(test_out_errors),
        cmocka_unit_test(test_out_packed),
        cmocka_unit_test(test_side),
        cmocka_unit_test(test_side_off),
        cmocka_unit_test(test_balance),
        cmocka_unit_test(test_reader),
        cmocka_unit_test(test_reader_bytes),
        cmocka_unit_test(test_reader_inputs),
        cmocka_unit_test(test_spool),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
