/* The external sorter against a plain sort in memory: any keys, any budget, packed and plain, runs
 * that are merged more than once, and temporary files that give back something else. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/stream/internal.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- a disk that errs: this program's pread(2) in front of libc's ---- */

static struct {
    enum { NO_DAMAGE, FLIP, STALE, SHORT } what;
    uint64_t at; /* of the bytes read so far; for STALE and SHORT the number of the call */
    uint64_t seen;
    bool hit;
} damage;

static ssize_t spoil(char *to, ssize_t got)
{
    uint64_t start = damage.seen;
    damage.seen += damage.what == FLIP ? (uint64_t)got : 1;
    if (damage.what == NO_DAMAGE || damage.at < start || damage.at >= damage.seen)
        return got;
    damage.hit = true;
    if (damage.what == FLIP)
        to[damage.at - start] ^= (char)(1 << (damage.at % 8));
    else if (damage.what == STALE)
        memset(to, 0, (size_t)got); /* a hole where a block was written */
    else
        return 0;
    return got;
}

ssize_t pread(int fd, void *to, size_t n, off_t at)
{
    union {
        void *object;
        ssize_t (*call)(int, void *, size_t, off_t);
    } libc = {dlsym(RTLD_NEXT, "pread")};
    ssize_t got = libc.call(fd, to, n, at);
    return got > 0 ? spoil(to, got) : got;
}

static bool slow; /* write(2) takes its time */

ssize_t write(int fd, const void *from, size_t n)
{
    union {
        void *object;
        ssize_t (*call)(int, const void *, size_t);
    } libc = {dlsym(RTLD_NEXT, "write")};
    if (slow) /* 100 MB/s at most */
        nanosleep(&(struct timespec){.tv_nsec = (long)n * 10}, NULL);
    return libc.call(fd, from, n);
}

/* ---- entries ---- */

static uint32_t state = 1;

static uint32_t random_below(uint32_t n)
{
    state = state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(state >> 8) * n >> 24);
}

enum { KEY_MAX = 64 };

/* A kind of keys, by number; several of each, so that charts have many records. */
static size_t make_key(int kind, char key[KEY_MAX])
{
    unsigned i = random_below(60);
    switch (random_below(8) == 0 ? 0 : kind) {
    case 0:
        return 0; /* shared */
    case 1:       /* as UUIDs */
        return (size_t)snprintf(key, KEY_MAX, "%08x-0000-4000-8000-%012x", i * 2654435761U, i);
    case 2: /* that begin all alike */
        return (size_t)snprintf(key, KEY_MAX, "patient-of-the-house-%u", i);
    case 3: /* some of which begin alike, some of which are the start of others */
        return (size_t)snprintf(key, KEY_MAX, "%.*s%u", (int)(i % 20), "zzzzzzzzzzzzzzzzzzzz",
                                i % 3);
    case 4: /* one chart */
        return (size_t)snprintf(key, KEY_MAX, "p");
    default: /* any bytes, NUL too, and above 127 */
        for (unsigned j = 0; j < i % 5; j++)
            key[j] = (char)random_below(256);
        return i % 5;
    }
}

enum { KINDS = 6, LINE_MAX_N = 40000 };

typedef struct set {
    ct_entry *v;
    size_t n;
    ct_arena *a;
} set;

static void make_set(set *s, size_t n, int kind)
{
    s->a = ct_arena_new();
    s->v = ct_calloc(n, sizeof *s->v);
    s->n = n;
    for (size_t i = 0; i < n; i++) {
        char key[KEY_MAX];
        size_t key_n = make_key(kind, key);
        size_t line_n = random_below(100) == 0 ? random_below(LINE_MAX_N) : random_below(300);
        char *line = ct_arena_alloc(s->a, line_n + 1);
        memset(line, (int)('a' + i % 26), line_n);
        if (line_n > 12)
            snprintf(line, 12, "%u", (unsigned)i);
        s->v[i] = (ct_entry){.key = ct_arena_copy(s->a, (ct_str){key, key_n}),
                             .line = {line, line_n},
                             .number = i,
                             .file = random_below(3),
                             .tag = random_below(UINT32_C(1) << 20) << 11,
                             .patient = random_below(20) == 0};
        s->v[i].tag &= INT32_MAX;
    }
}

static void free_set(set *s)
{
    free(s->v);
    ct_arena_free(s->a);
}

static int in_order(const void *a, const void *b)
{
    const ct_entry *x = a, *y = b;
    size_t n = x->key.n < y->key.n ? x->key.n : y->key.n;
    int order = n ? memcmp(x->key.p, y->key.p, n) : 0;
    if (order)
        return order;
    if (x->key.n != y->key.n)
        return x->key.n < y->key.n ? -1 : 1;
    if (x->patient != y->patient)
        return x->patient ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

static bool same(const ct_entry *a, const ct_entry *b)
{
    return ct_str_eq(a->key, b->key) && ct_str_eq(a->line, b->line) && a->number == b->number &&
           a->file == b->file && a->tag == b->tag && a->patient == b->patient;
}

/* ---- sorting ---- */

typedef struct how {
    size_t memory, fanin;
    ct_when pack;
} how;

static ct_sorter *fill(const set *s, const how *h)
{
    ct_sorter *sorter = ct_sorter_new(h->memory);
    ct_err err = {0};
    ct_sorter_fanin(sorter, h->fanin);
    ct_sorter_pack(sorter, h->pack);
    for (size_t i = 0; i < s->n; i++)
        if (!ct_sorter_add(sorter, &s->v[i], &err))
            fail_msg("%s", err.text);
    return sorter;
}

/* How many came as wanted before the end, or an error. */
static size_t drain(ct_sorter *sorter, const set *want, ct_got *got, ct_err *err)
{
    size_t n = 0;
    ct_entry e;
    while ((*got = ct_sorter_next(sorter, &e, err)) == CT_GOT_RECORD) {
        if (n == want->n || !same(&e, &want->v[n]))
            fail_msg("entry %zu is another one", n);
        n++;
    }
    return n;
}

static const how hows[] = {
    {1, 2, CT_NEVER},
    {1, 100, CT_ALWAYS},
    {20000, 2, CT_NEVER},
    {20000, 100, CT_ALWAYS},
    {100000, 3, CT_NEVER},
    {100000, 3, CT_ALWAYS},
    {400000, 100, CT_WHEN_SLOW},
    {400000, 2, CT_ALWAYS},
    {1 << 25, 100, CT_WHEN_SLOW},
};

static void test_against_a_plain_sort(void **unused)
{
    (void)unused;
    for (int kind = 0; kind < KINDS; kind++)
        for (size_t i = 0; i < CT_LEN(hows); i++) {
            set s;
            ct_err err = {0};
            ct_got got;
            make_set(&s, 3000, kind);
            ct_sorter *sorter = fill(&s, &hows[i]);
            qsort(s.v, s.n, sizeof *s.v, in_order);
            assert_int_equal(drain(sorter, &s, &got, &err), s.n);
            assert_int_equal(got, CT_GOT_END);
            assert_int_equal(drain(sorter, &s, &got, &err), 0);
            assert_int_equal(got, CT_GOT_END);
            assert_int_equal(ct_sorter_spilled(sorter) > 0, hows[i].memory < 1 << 25);
            ct_sorter_free(sorter);
            free_set(&s);
        }
}

/* Sizes around those at which a run is full, and none at all. */
static void test_sizes(void **unused)
{
    (void)unused;
    for (size_t n = 0; n < 400; n += n < 20 ? 1 : 17) {
        set s;
        ct_err err = {0};
        ct_got got;
        make_set(&s, n, (int)(n % KINDS));
        ct_sorter *sorter = fill(&s, &(how){30000, 3, CT_NEVER});
        qsort(s.v, s.n, sizeof *s.v, in_order);
        assert_int_equal(drain(sorter, &s, &got, &err), n);
        assert_int_equal(got, CT_GOT_END);
        ct_sorter_free(sorter);
        free_set(&s);
    }
}

/* What is there already in order stays so. */
static void test_sorted_input(void **unused)
{
    (void)unused;
    set s;
    ct_err err = {0};
    ct_got got;
    make_set(&s, 3000, 2);
    qsort(s.v, s.n, sizeof *s.v, in_order);
    for (size_t i = 0; i < s.n; i++)
        s.v[i].number = i;
    ct_sorter *sorter = fill(&s, &(how){50000, 4, CT_NEVER});
    assert_int_equal(drain(sorter, &s, &got, &err), s.n);
    ct_sorter_free(sorter);
    free_set(&s);
}

static void test_packing_shrinks(void **unused)
{
    (void)unused;
    set s;
    make_set(&s, 3000, 1);
    ct_sorter *plain = fill(&s, &(how){50000, 4, CT_NEVER});
    ct_sorter *packed = fill(&s, &(how){50000, 4, CT_ALWAYS});
    assert_true(ct_sorter_spilled(packed) < ct_sorter_spilled(plain) / 2);
    ct_sorter_free(plain);
    ct_sorter_free(packed);
    free_set(&s);
}

/* A slow disk is noticed, and what follows is packed. */
static void test_slow_disk(void **unused)
{
    (void)unused;
    enum { LINES = 70, LINE = 1000000 };
    static char line[LINE];
    ct_sorter *sorter = ct_sorter_new(1 << 22);
    ct_entry e = {.key = CT_S("p"), .line = {line, LINE}};
    ct_err err = {0};
    memset(line, 'x', sizeof line);
    slow = true;
    for (e.number = 0; e.number < LINES; e.number++)
        assert_true(ct_sorter_add(sorter, &e, &err));
    slow = false;
    assert_in_range(ct_sorter_spilled(sorter), 30 * LINE, 40 * LINE);
    for (uint64_t i = 0; i < LINES; i++) {
        assert_int_equal(ct_sorter_next(sorter, &e, &err), CT_GOT_RECORD);
        assert_int_equal(e.number, i);
        assert_int_equal(e.line.n, LINE);
        assert_memory_equal(e.line.p, line, LINE);
    }
    assert_int_equal(ct_sorter_next(sorter, &e, &err), CT_GOT_END);
    ct_sorter_free(sorter);
}

/* ---- damage ---- */

/* Whatever is changed in what comes back from the disk: what was given out before is right, then
 * comes the error, and it stays. */
static void spoiled(const set *s, const set *want, const how *h)
{
    ct_err err = {0};
    ct_entry e;
    ct_got got;
    damage.seen = 0;
    damage.hit = false;
    ct_sorter *sorter = fill(s, h);
    size_t n = drain(sorter, want, &got, &err);
    if (damage.hit) {
        assert_int_equal(got, CT_GOT_FATAL);
        assert_int_equal(err.kind, CT_E_IO);
        assert_string_equal(err.text, "temporary file: it is not what was written");
        assert_int_equal(ct_sorter_next(sorter, &e, &err), CT_GOT_FATAL);
        assert_false(ct_sorter_add(sorter, &s->v[0], &err));
    } else {
        assert_int_equal(got, CT_GOT_END);
        assert_int_equal(n, want->n);
    }
    ct_sorter_free(sorter);
}

static void test_damage(void **unused)
{
    (void)unused;
    static const how ways[] = {{60000, 3, CT_NEVER}, {60000, 3, CT_ALWAYS}};
    set s, want;
    make_set(&s, 600, 1);
    want = s;
    want.v = ct_calloc(s.n, sizeof *s.v);
    memcpy(want.v, s.v, s.n * sizeof *s.v);
    qsort(want.v, want.n, sizeof *want.v, in_order);
    for (size_t i = 0; i < CT_LEN(ways); i++)
        for (int what = FLIP; what <= SHORT; what++) {
            uint64_t step = what == FLIP ? 211 : 1, hits = 0;
            damage.what = what;
            damage.hit = true;
            for (damage.at = 0; damage.hit; damage.at += step, hits += damage.hit)
                spoiled(&s, &want, &ways[i]);
            damage.what = NO_DAMAGE;
            assert_true(hits > 4);
        }
    free(want.v);
    free_set(&s);
}

/* ---- the name that a temporary file has for a moment ---- */

static char folder[] = "/tmp/chart-test.XXXXXX";

static void touch(const char *format, long pid)
{
    char path[128];
    int n = snprintf(path, sizeof path, "%s/", folder);
    snprintf(path + n, sizeof path - (size_t)n, format, pid);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
}

/* The number of files; all of them are removed. */
static size_t clear_folder(void)
{
    size_t n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.') {
            assert_int_equal(unlinkat(dirfd(d), e->d_name, 0), 0);
            n++;
        }
    assert_int_equal(closedir(d), 0);
    return n;
}

static void test_temporary_file_has_no_name(void **unused)
{
    (void)unused;
    char c = 0;
    int fd = ct_temp_named(folder);
    assert_true(fd >= 0);
    assert_int_equal(clear_folder(), 0);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(pread(fd, &c, 1, 0), 1);
    assert_int_equal(c, 'x');
    assert_int_equal(close(fd), 0);
    assert_int_equal(ct_temp_named("/no/such/folder"), -1);
    assert_int_equal(errno, ENOENT);
}

/* Of all that lies there only what a process left that is gone. */
static void test_stale_files_go(void **unused)
{
    (void)unused;
    char link[128];
    int status;
    pid_t gone = fork();
    if (gone == 0)
        _exit(0);
    assert_true(gone > 0);
    assert_int_equal(waitpid(gone, &status, 0), gone);
    touch("chart.%ld.abcdef", gone);
    touch("chart.%ld.uvwxyz", gone);
    assert_int_equal(close(ct_temp_named(folder)), 0);
    assert_int_equal(clear_folder(), 0);
    touch("chart.%ld.abcdef", getpid()); /* it lives */
    touch("chart.%ld.abcdefg", gone);
    touch("chart.%ld", gone);
    touch("mychart.%ld.abcdef", gone);
    touch("chart.-%ld.abcdef", gone);
    snprintf(link, sizeof link, "%s/chart.%ld.linked", folder, (long)gone);
    assert_int_equal(symlink("/nowhere", link), 0);
    assert_int_equal(close(ct_temp_named(folder)), 0);
    assert_int_equal(clear_folder(), 6);
}

static int make_folder(void **unused)
{
    (void)unused;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **unused)
{
    (void)unused;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_plain_sort),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_sorted_input),
        cmocka_unit_test(test_packing_shrinks),
        cmocka_unit_test(test_slow_disk),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_temporary_file_has_no_name),
        cmocka_unit_test(test_stale_files_go),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
