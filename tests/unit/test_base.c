/* The ground floor: slices, buffers, arenas, errors, hashes, TSV. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/base.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>

static void assert_str(ct_str s, const char *expected)
{
    if (!ct_str_is(s, expected))
        fail_msg("got \"%.*s\", expected \"%s\"", (int)s.n, s.p, expected);
}

/* ---- slices ---- */

static const struct cmp_row {
    const char *a, *b;
    int order;
} cmp_table[] = {
    {"", "", 0},          {"", "a", -1},    {"a", "", 1},    {"a", "a", 0},
    {"a", "b", -1},       {"ab", "a", 1},   {"a", "ab", -1}, {"b", "ab", 1},
    {"\x7f", "\x80", -1}, {"\xff", "a", 1}, {"Z", "a", -1},  {"10", "9", -1},
};

static void str_cmp(void **state)
{
    (void)state;
    for (size_t i = 0; i < CT_LEN(cmp_table); i++) {
        int order = ct_str_cmp(ct_str_z(cmp_table[i].a), ct_str_z(cmp_table[i].b));
        assert_int_equal((order > 0) - (order < 0), cmp_table[i].order);
    }
    assert_int_equal(ct_str_cmp((ct_str){NULL, 0}, CT_S("")), 0);
    assert_true(ct_str_cmp(CT_S("a\0b"), CT_S("a\0c")) < 0);
}

static const struct affix_row {
    const char *s, *affix;
    bool starts, ends;
} affix_table[] = {
    {"Patient.name", "Patient", true, false},
    {"Patient.name", "name", false, true},
    {"name", "name", true, true},
    {"name", "names", false, false},
    {"name", "", true, true},
    {"", "", true, true},
    {"", "x", false, false},
    {"aXa", "a", true, true},
};

static void str_affixes(void **state)
{
    (void)state;
    for (size_t i = 0; i < CT_LEN(affix_table); i++) {
        const struct affix_row *row = &affix_table[i];
        assert_int_equal(ct_str_starts(ct_str_z(row->s), ct_str_z(row->affix)), row->starts);
        assert_int_equal(ct_str_ends(ct_str_z(row->s), ct_str_z(row->affix)), row->ends);
    }
}

static const char *const trim_table[][2] = {
    {"", ""},
    {" ", ""},
    {"\t\r\n\v\f ", ""},
    {"a", "a"},
    {" a", "a"},
    {"a ", "a"},
    {" a b ", "a b"},
    {"\na\n", "a"},
    {"a\tb", "a\tb"},
    {"\xc2\xa0 a", "\xc2\xa0 a"},
};

static void str_trim(void **state)
{
    (void)state;
    for (size_t i = 0; i < CT_LEN(trim_table); i++)
        assert_str(ct_str_trim(ct_str_z(trim_table[i][0])), trim_table[i][1]);
}

static const struct cut_row {
    const char *s;
    const char *parts[5];
} cut_table[] = {
    {"", {""}},        {"a", {"a"}},      {"a|b", {"a", "b"}},  {"|", {"", ""}},
    {"a|", {"a", ""}}, {"|a", {"", "a"}}, {"||", {"", "", ""}}, {"a|bc|d", {"a", "bc", "d"}},
};

static void str_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < CT_LEN(cut_table); i++) {
        ct_str rest = ct_str_z(cut_table[i].s);
        size_t n = 0;
        while (rest.p) {
            assert_non_null(cut_table[i].parts[n]);
            assert_str(ct_str_cut(&rest, '|'), cut_table[i].parts[n++]);
        }
        assert_null(cut_table[i].parts[n]);
    }
}

static const struct find_row {
    const char *s, *needle;
    size_t at;
} find_table[] = {
    {"", "", 0},        {"abc", "", 0},          {"", "a", SIZE_MAX},
    {"abc", "a", 0},    {"abc", "c", 2},         {"abc", "d", SIZE_MAX},
    {"abc", "bc", 1},   {"abc", "bd", SIZE_MAX}, {"abc", "abcd", SIZE_MAX},
    {"aaab", "aab", 1}, {"ababac", "abac", 2},   {"abab", "aba", 0},
};

static void str_find(void **state)
{
    (void)state;
    for (size_t i = 0; i < CT_LEN(find_table); i++)
        assert_int_equal(ct_str_find(ct_str_z(find_table[i].s), ct_str_z(find_table[i].needle)),
                         find_table[i].at);
    assert_int_equal(ct_str_find(CT_S("a\0b"), CT_S("\0b")), 1);
}

static const struct u64_row {
    const char *s;
    bool good;
    uint64_t value;
} u64_table[] = {
    {"0", true, 0},
    {"", false, 0},
    {"7", true, 7},
    {"007", true, 7},
    {"-1", false, 0},
    {"+1", false, 0},
    {" 1", false, 0},
    {"1 ", false, 0},
    {"1.0", false, 0},
    {"18446744073709551615", true, UINT64_MAX},
    {"18446744073709551616", false, 0},
    {"18446744073709551620", false, 0},
    {"99999999999999999999", false, 0},
    {"000000000000000000000000001", true, 1},
    {"0x10", false, 0},
};

static void str_u64(void **state)
{
    (void)state;
    for (size_t i = 0; i < CT_LEN(u64_table); i++) {
        uint64_t value = 0;
        assert_int_equal(ct_str_u64(ct_str_z(u64_table[i].s), &value), u64_table[i].good);
        assert_int_equal(value, u64_table[i].value);
    }
}

static void str_parts(void **state)
{
    (void)state;
    ct_str s = CT_S("chart");
    assert_str(ct_str_from(s, 2), "art");
    assert_str(ct_str_from(s, 5), "");
    assert_str(ct_str_from(s, 50), "");
    assert_str(ct_str_from((ct_str){NULL, 0}, 3), "");
    assert_str(ct_str_head(s, 2), "ch");
    assert_str(ct_str_head(s, 50), "chart");
    assert_true(ct_str_eq((ct_str){NULL, 0}, CT_S("")));
}

/* ---- buffers ---- */

static void buf_grows(void **state)
{
    (void)state;
    ct_buf b = {0};
    assert_str(ct_buf_str(&b), "");
    ct_buf_put(&b, (ct_str){NULL, 0});
    for (int i = 0; i < 1000; i++) {
        ct_buf_c(&b, (char)('a' + i % 26));
        ct_buf_z(&b, "--");
        ct_buf_put(&b, CT_S("\0!"));
    }
    assert_int_equal(b.n, 5000);
    assert_true(b.cap >= b.n);
    assert_memory_equal(b.p + 5 * 27, "b--\0!", 5);
    char *room = ct_buf_room(&b, 1 << 20);
    memset(room, 'x', 1 << 20);
    assert_int_equal(b.n, 5000);
    assert_true(b.cap >= 5000 + (1 << 20));
    ct_buf_free(&b);
    assert_null(b.p);
    assert_non_null(ct_buf_room(&b, 0));
    ct_buf_free(&b);
}

static void buf_printf(void **state)
{
    (void)state;
    ct_buf b = {0};
    ct_buf_printf(&b, "%s:%d", "a", 7);
    assert_str(ct_buf_str(&b), "a:7");
    ct_buf_printf(&b, "%500d", 1);
    assert_int_equal(b.n, 503);
    assert_int_equal(b.p[502], '1');
    ct_buf_printf(&b, "%s", "");
    assert_int_equal(b.n, 503);
    ct_buf_free(&b);
}

/* ---- memory ---- */

static jmp_buf out_of_memory;

static void on_oom(void)
{
    longjmp(out_of_memory, 1);
}

static void sizes_that_overflow(void **state)
{
    (void)state;
    ct_on_oom(on_oom);
    if (setjmp(out_of_memory) == 0) {
        free(ct_realloc(NULL, SIZE_MAX / 2, 3));
        fail_msg("came back");
    }
    ct_buf b = {0};
    if (setjmp(out_of_memory) == 0) {
        ct_buf_room(&b, SIZE_MAX - 1);
        fail_msg("came back");
    }
    ct_on_oom(NULL);
}

static void nothing_is_not_null(void **state)
{
    (void)state;
    void *a = ct_alloc(0), *b = ct_calloc(0, 8), *c = ct_realloc(NULL, 0, 8);
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    free(a);
    free(b);
    free(c);
}

static bool all_zero(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return false;
    return true;
}

static void arena_gives_zeroed_aligned_memory(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 7, 8, 0, 4096, 3, 100000, 1 << 20, 17, 3 << 20, 1};
    ct_arena *a = ct_arena_new();
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < CT_LEN(sizes); i++) {
            char *p = ct_arena_alloc(a, sizes[i]);
            assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
            assert_true(all_zero(p, sizes[i]));
            memset(p, 0xa5, sizes[i]);
        }
        ct_arena_reset(a);
    }
    ct_arena_free(a);
    ct_arena_free(NULL);
}

static void arena_keeps_what_it_gave(void **state)
{
    (void)state;
    ct_arena *a = ct_arena_new();
    ct_str copies[2000];
    for (size_t i = 0; i < CT_LEN(copies); i++)
        copies[i] = ct_arena_printf(a, "%0*zu", (int)(i % 97 + 1), i);
    for (size_t i = 0; i < CT_LEN(copies); i++) {
        assert_int_equal(strtoul(copies[i].p, NULL, 10), i);
        assert_int_equal(copies[i].p[copies[i].n], '\0');
    }
    ct_str copy = ct_arena_copy(a, CT_S("a\0b"));
    assert_int_equal(copy.n, 3);
    assert_memory_equal(copy.p, "a\0b", 4);
    assert_str(ct_arena_copy(a, (ct_str){NULL, 0}), "");
    ct_arena_free(a);
}

/* ---- errors ---- */

static void errors(void **state)
{
    (void)state;
    ct_err e;
    memset(&e, 0xff, sizeof e);
    assert_false(ct_fail(&e, CT_E_CUT, "unexpected end"));
    assert_int_equal(e.kind, CT_E_CUT);
    assert_string_equal(e.text, "unexpected end");
    assert_int_equal(e.line, 0);
    assert_null(e.file);
    assert_string_equal(e.where, "");
    assert_false(ct_fail_sys(&e, ENOENT, "does not open"));
    assert_int_equal(e.kind, CT_E_IO);
    assert_int_equal(e.sys, ENOENT);
    assert_false(ct_fail_at(&e, CT_E_DATA, "not a date", "PID-%d", 7));
    assert_string_equal(e.where, "PID-7");
    assert_false(ct_fail_at(&e, CT_E_DATA, "too long", "%s.%0*d", e.where, 200, 1));
    assert_int_equal(strlen(e.where), sizeof e.where - 1);
    assert_memory_equal(e.where, "PID-7.000", 9);
    assert_false(ct_fail(NULL, CT_E_DATA, "x"));
    assert_false(ct_fail_sys(NULL, 1, "x"));
    assert_false(ct_fail_at(NULL, CT_E_DATA, "x", "y"));
}

/* ---- hashes ---- */

static void hash_tells_apart(void **state)
{
    (void)state;
    char text[80];
    uint64_t seen[80 * 9];
    size_t n = 0;
    memset(text, 'a', sizeof text);
    for (size_t len = 0; len < sizeof text; len++) {
        seen[n++] = ct_hash((ct_str){text, len});
        for (size_t bit = 0; len && bit < 8; bit++) {
            text[len - 1] ^= (char)(1 << bit);
            seen[n++] = ct_hash((ct_str){text, len});
            text[len - 1] ^= (char)(1 << bit);
        }
    }
    for (size_t i = 1; i < n; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(seen[i] != seen[j]);
    assert_true(ct_hash(CT_S("same")) == ct_hash((ct_str){"samest", 4}));
    assert_true(ct_hash((ct_str){NULL, 0}) == ct_hash(CT_S("")));
    assert_true(ct_hash(CT_S("\0")) != ct_hash(CT_S("\0\0")));
}

/* Low and high bits must both do for the index of a table. */
static void hash_spreads(void **state)
{
    (void)state;
    enum { KEYS = 1 << 14, SLOTS = 1 << 10 };
    unsigned low[SLOTS] = {0}, high[SLOTS] = {0};
    for (uint32_t i = 0; i < KEYS; i++) {
        uint64_t h = ct_hash((ct_str){(const char *)&i, sizeof i});
        low[h % SLOTS]++;
        high[h >> 54]++;
    }
    for (size_t i = 0; i < SLOTS; i++) {
        assert_in_range(low[i], 1, 3 * KEYS / SLOTS);
        assert_in_range(high[i], 1, 3 * KEYS / SLOTS);
    }
}

/* Digests of "abc" and of nothing as FIPS 180-4's examples have them. */
static const char abc256[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char nil256[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char abc512[] = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                             "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

static void assert_hex(const uint8_t *digest, size_t n, const char *expected)
{
    ct_buf b = {0};
    ct_hex(&b, digest, n);
    assert_str(ct_buf_str(&b), expected);
    ct_buf_free(&b);
}

static void sha2(void **state)
{
    (void)state;
    uint8_t digest[CT_SHA512_LEN];
    ct_sha256(CT_S("abc"), digest);
    assert_hex(digest, CT_SHA256_LEN, abc256);
    ct_sha256((ct_str){NULL, 0}, digest);
    assert_hex(digest, CT_SHA256_LEN, nil256);
    ct_sha *h = ct_sha_new(256);
    ct_sha_add(h, CT_S("a"));
    ct_sha_add(h, CT_S(""));
    ct_sha_add(h, CT_S("bc"));
    ct_sha_end(h, digest);
    assert_hex(digest, CT_SHA256_LEN, abc256);
    ct_sha_end(h, digest);
    assert_hex(digest, CT_SHA256_LEN, nil256);
    ct_sha_free(h);
    h = ct_sha_new(512);
    ct_sha_add(h, CT_S("abc"));
    ct_sha_end(h, digest);
    assert_hex(digest, CT_SHA512_LEN, abc512);
    ct_sha_free(h);
    ct_sha_free(NULL);
}

/* ---- data files ---- */

static void tsv(void **state)
{
    (void)state;
    ct_str rest = CT_S("# head\n\na\tb\tc\td\r\n \t \n\t\tx\n#\ne\nlast\t");
    ct_str cols[3];
    uint64_t line = 0;
    assert_int_equal(ct_tsv_next(&rest, cols, 3, &line), 3);
    assert_int_equal(line, 3);
    assert_str(cols[0], "a");
    assert_str(cols[1], "b");
    assert_str(cols[2], "c\td");
    assert_int_equal(ct_tsv_next(&rest, cols, 3, &line), 3);
    assert_int_equal(line, 5);
    assert_str(cols[0], "");
    assert_str(cols[2], "x");
    assert_int_equal(ct_tsv_next(&rest, cols, 1, NULL), 1);
    assert_str(cols[0], "e");
    assert_int_equal(ct_tsv_next(&rest, cols, 3, &line), 2);
    assert_str(cols[0], "last");
    assert_str(cols[1], "");
    assert_int_equal(ct_tsv_next(&rest, cols, 3, &line), 0);
    assert_int_equal(ct_tsv_next(&rest, cols, 3, &line), 0);
}

static void datafiles(void **state)
{
    (void)state;
    static const ct_datafile table[] = {{"a.tsv", "A", 1}, {"rules/b.rules", "B", 1}, {0}};
    assert_ptr_equal(ct_datafile_find(table, "rules/b.rules"), &table[1]);
    assert_null(ct_datafile_find(table, "b.rules"));
    assert_null(ct_datafile_find(table + 2, "a.tsv"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(str_cmp),
        cmocka_unit_test(str_affixes),
        cmocka_unit_test(str_trim),
        cmocka_unit_test(str_cut),
        cmocka_unit_test(str_find),
        cmocka_unit_test(str_u64),
        cmocka_unit_test(str_parts),
        cmocka_unit_test(buf_grows),
        cmocka_unit_test(buf_printf),
        cmocka_unit_test(sizes_that_overflow),
        cmocka_unit_test(nothing_is_not_null),
        cmocka_unit_test(arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(arena_keeps_what_it_gave),
        cmocka_unit_test(errors),
        cmocka_unit_test(hash_tells_apart),
        cmocka_unit_test(hash_spreads),
        cmocka_unit_test(sha2),
        cmocka_unit_test(datafiles),
        cmocka_unit_test(tsv),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
