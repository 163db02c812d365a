/* Checksums of many files at once: the same as those of each by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/archive/abreast.c"
#include "cmd/archive/bagit.c"
#include "cmd/archive/digest.c"
#include "cmd/archive/lane.c"
#include "cmd/archive/sha256x4.c"
#include "cmd/archive/sha512x4.c"

/* The content of file `i` is told by its number alone. */
static char byte_at(size_t i, uint64_t at)
{
    return (char)(at * 31 + at / 251 + i * 7);
}

static void fill(char *to, size_t i, uint64_t from, size_t n)
{
    for (size_t k = 0; k < n; k++)
        to[k] = byte_at(i, from + k);
}

/* By libcrypto alone, in one go. */
static void expect(size_t i, const bag_file *file, bag_alg alg)
{
    char *all = ct_alloc(file->size + 1);
    uint8_t digest[BAG_DIGEST_MAX];
    size_t len;

    fill(all, i, 0, file->size);
    assert_int_equal(
        EVP_Q_digest(NULL, bag_algorithms[alg].name, NULL, all, file->size, digest, &len), 1);
    assert_int_equal(len, bag_algorithms[alg].len);
    assert_memory_equal(file->digest[alg], digest, len);
    free(all);
}

typedef struct run {
    const size_t *sizes;
    unsigned algs;
    size_t n, back; /* files, and those that came back */
} run;

static void take(void *ctx, const bag_file *file)
{
    run *r = ctx;
    size_t i = r->back++;

    assert_true(i < r->n);
    assert_int_equal(file->position, i + 1);
    assert_int_equal(file->size, r->sizes[i]);
    for (int alg = 0; alg < BAG_ALGS; alg++)
        if (r->algs & 1U << alg)
            expect(i, file, (bag_alg)alg);
}

static void count(void *ctx, const bag_file *file)
{
    (void)file;
    ((run *)ctx)->back++;
}

/* Each file in pieces of at most `piece` bytes. */
static void hash_all(const size_t *sizes, size_t n, size_t piece, unsigned algs, int jobs)
{
    run r = {.sizes = sizes, .algs = algs, .n = n};
    ct_err err = {0};
    bag_hasher *h = bag_hasher_new(algs, jobs, take, &r, &err);

    assert_non_null(h);
    for (size_t i = 0; i < n; i++) {
        for (size_t at = 0; at < sizes[i];) {
            size_t cap, rest = sizes[i] - at;
            char *room = bag_hasher_room(h, &cap);

            cap = cap < piece ? cap : piece;
            cap = cap < rest ? cap : rest;
            fill(room, i, at, cap);
            bag_hasher_put(h, cap);
            at += cap;
        }
        bag_hasher_end(h, CT_S("file"), sizes[i], i + 1, false);
    }
    bag_hasher_flush(h);
    assert_int_equal(r.back, n);
    bag_hasher_free(h);
}

/* One thread, two, and more than there are checksums; two checksums, and one that no kernel takes
 * side by side. */
static void hash_in_every_way(const size_t *sizes, size_t n, size_t piece)
{
    static const unsigned algs[] = {1U << BAG_SHA256 | 1U << BAG_SHA512, 1U << BAG_MD5,
                                    1U << BAG_MD5 | 1U << BAG_SHA1 | 1U << BAG_SHA512};

    for (size_t i = 0; i < CT_LEN(algs); i++)
        for (int jobs = 1; jobs <= THREADS_MAX; jobs *= 2)
            hash_all(sizes, n, piece, algs[i], jobs);
}

/* The end of a message has two forms of padding, and each seat is at another point of it. */
static void every_length(void **state)
{
    size_t sizes[600];

    (void)state;
    for (size_t i = 0; i < CT_LEN(sizes); i++)
        sizes[i] = i;
    hash_in_every_way(sizes, CT_LEN(sizes), 100);
}

static void files_of_several_blocks(void **state)
{
    static const size_t sizes[] = {BAG_BLOCK - 1,
                                   BAG_BLOCK,
                                   BAG_BLOCK + 1,
                                   0,
                                   2 * BAG_BLOCK,
                                   2 * BAG_BLOCK - 1,
                                   5,
                                   3 * BAG_BLOCK + 127,
                                   7 * BAG_BLOCK,
                                   1,
                                   2 * BAG_BLOCK,
                                   BAG_BLOCK,
                                   0,
                                   0,
                                   0,
                                   9,
                                   12 * BAG_BLOCK + 112};

    (void)state;
    hash_in_every_way(sizes, CT_LEN(sizes), SIZE_MAX);
    hash_in_every_way(sizes, CT_LEN(sizes), 4097);
}

/* They do not fit into the ring, or leave no room for others. */
static void large_among_small(void **state)
{
    static const size_t sizes[] = {100,
                                   BLOCKS * (size_t)BAG_BLOCK + 1,
                                   100,
                                   200,
                                   300,
                                   (BLOCKS - 2) * (size_t)BAG_BLOCK,
                                   BAG_BLOCK,
                                   BLOCKS * (size_t)BAG_BLOCK,
                                   BAG_BLOCK * 20,
                                   BAG_BLOCK * 20 + 5,
                                   BAG_BLOCK * 20 + 6,
                                   BAG_SHORT_FILE * (size_t)BAG_BLOCK,
                                   BAG_SHORT_FILE * (size_t)BAG_BLOCK + 1,
                                   5,
                                   (BAG_SHORT_FILE - 1) * (size_t)BAG_BLOCK + 1,
                                   6};

    (void)state;
    hash_in_every_way(sizes, CT_LEN(sizes), SIZE_MAX);
}

static void few_files(void **state)
{
    static const size_t sizes[] = {1000, 2000, 3000, 4000, 5000};

    (void)state;
    for (size_t n = 0; n <= CT_LEN(sizes); n++)
        hash_in_every_way(sizes, n, 999);
}

/* A hasher that is given up in the middle ends its threads, wherever they are: files side by side,
 * a long one, both. */
static void given_up(void **state)
{
    const size_t sizes[] = {BAG_BLOCK, 3 * BAG_BLOCK, 40 * BAG_BLOCK, 100};

    (void)state;
    for (size_t n = 0; n < 300; n += 7) {
        run r = {.sizes = sizes, .n = SIZE_MAX};
        ct_err err = {0};
        bag_hasher *h =
            bag_hasher_new(1U << BAG_MD5 | 1U << BAG_SHA512, 1 + (int)n % 4, count, &r, &err);
        size_t file = 0, left = sizes[0];

        assert_non_null(h);
        for (size_t block = 0; block < n; block++) {
            size_t cap;
            char *room = bag_hasher_room(h, &cap);

            cap = cap < left ? cap : left;
            memset(room, 0, cap);
            bag_hasher_put(h, cap);
            left -= cap;
            if (left == 0) {
                bag_hasher_end(h, CT_S("file"), 0, 0, false);
                left = sizes[++file % CT_LEN(sizes)];
            }
        }
        assert_true(r.back <= file);
        bag_hasher_free(h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length),      cmocka_unit_test(files_of_several_blocks),
        cmocka_unit_test(large_among_small), cmocka_unit_test(few_files),
        cmocka_unit_test(given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
