/* catalogue FILE CHARTS: makes a catalogue with one bag of so many made-up charts, and prints the
 * wall seconds, CPU seconds and peak memory of it. The same people on every machine. */
#include "common/store/store.h"
#include "tests/bench/timing.h"

static uint64_t state = 88172645463325252U;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void put_word(ct_buf *b)
{
    static const char *const syllables[] = {"ma",  "ri",  "ko", "lan", "ter", "son", "mül",
                                            "ler", "ber", "ga", "o",   "shi", "ve",  "ra",
                                            "dan", "el",  "pe", "tro", "vi",  "ć"};

    for (uint64_t n = 3 + next() % 2; n > 0; n--)
        ct_buf_z(b, syllables[next() % CT_LEN(syllables)]);
}

/* Chart number `n`: record number n, id and path in no order, 18 years of care at most. */
static bool put_chart(ct_db *db, uint64_t n, ct_arena *a, ct_err *err)
{
    ct_str id = ct_arena_printf(a, "p%016llx", (unsigned long long)next());
    ct_number numbers[] = {
        {CT_S("urn:mrn"), ct_arena_printf(a, "%08llu", (unsigned long long)n)},
        {CT_S("urn:ssn"), ct_arena_printf(a, "%09llu", (unsigned long long)(next() % 1000000000))}};
    unsigned year = (unsigned)(1990 + next() % 20), years = (unsigned)(next() % 18);
    ct_buf text = {0};
    ct_str name;
    bool ok;

    put_word(&text);
    ct_buf_z(&text, ", ");
    put_word(&text);
    ct_buf_c(&text, ' ');
    put_word(&text);
    name = ct_buf_str(&text);
    ok = ct_bag_chart(db,
                      &(ct_bagged){.path = ct_arena_printf(a, "data/charts/%s.ndjson", id.p),
                                   .patient = id,
                                   .born = ct_arena_printf(
                                       a, "%04u-%02u-%02u", (unsigned)(1920 + next() % 90),
                                       (unsigned)(1 + next() % 12), (unsigned)(1 + next() % 28)),
                                   .first = ct_arena_printf(a, "%u-01-05", year),
                                   .last = ct_arena_printf(a, "%u-03-05", year + years),
                                   .records = 100,
                                   .bytes = 100000,
                                   .names = &name,
                                   .nnames = 1,
                                   .numbers = numbers,
                                   .nnumbers = CT_LEN(numbers)},
                      err);
    ct_buf_free(&text);
    ct_arena_reset(a);
    return ok;
}

static bool fill(ct_db *db, uint64_t charts, ct_err *err)
{
    ct_arena *a = ct_arena_new();
    ct_bag bag = {.hash = CT_S("0000000000000000000000000000000000000000000000000000000000000000"),
                  .name = CT_S("bench")};
    ct_copy copy = {.path = CT_S("/bench.zip"), .packing = CT_S("zip")};
    bool ok = ct_bag_gather(db, err);

    for (uint64_t i = 0; ok && i < charts; i++)
        ok = put_chart(db, i, a, err);
    ct_arena_free(a);
    return ok && ct_bag_enter(db, &bag, &copy, NULL, err);
}

int main(int argc, char **argv)
{
    uint64_t charts;
    timing start = timing_now(), took;
    struct rusage use;
    ct_err err = {0};
    ct_db *db;

    if (argc != 3 || !ct_str_u64(ct_str_z(argv[2]), &charts)) {
        fputs("usage: catalogue FILE CHARTS\n", stderr);
        return 2;
    }
    db = ct_db_open(argv[1], &err);
    if (!db || !fill(db, charts, &err)) {
        fprintf(stderr, "catalogue: %s\n", err.text);
        return 2;
    }
    ct_db_close(db);
    took = timing_since(start);
    getrusage(RUSAGE_SELF, &use);
    timing_print(&took, 1, (double)use.ru_maxrss / 1024);
    return 0;
}
