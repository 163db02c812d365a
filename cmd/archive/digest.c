/* Checksums: a ring of blocks that the caller fills and one lane per algorithm reads. They are
 * libcrypto's; but files whose ends are in the ring, so that they can be taken together, are hashed
 * side by side where the processor can. */
#include "cmd/archive/digest.h"
#include "cmd/archive/abreast.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

/* Blocks that do not end a file are full, and so made of whole blocks of every algorithm. */
enum { BLOCK = 128 * 1024, RING = 48 };
/* Threads wake one another for so many blocks rather than for each. */
enum { BATCH = RING / 4 };
/* A file of more blocks is hashed by itself: with it in the ring there may be no others beside it.
 */
enum { SHORT = RING / 4 };
_Static_assert(BLOCK % BAG_ABREAST_PIECE == 0, "whole blocks of SHA-2");
#define NOWHERE UINT64_MAX

/* ---- one algorithm ---- */

typedef struct hash {
    EVP_MD *md;
    EVP_MD_CTX *ctx;
    size_t len;
} hash;

static bool hash_open(hash *h, bag_alg alg, ct_err *err)
{
    *h = (hash){.md = EVP_MD_fetch(NULL, bag_algorithms[alg].name, NULL),
                .ctx = EVP_MD_CTX_new(),
                .len = bag_algorithms[alg].len};
    if (h->md && h->ctx && EVP_DigestInit_ex2(h->ctx, h->md, NULL) == 1)
        return true;
    return ct_fail_at(err, CT_E_USAGE, "libcrypto does not have this checksum", "%s",
                      bag_algorithms[alg].name);
}

/* A digest that fails half way (a provider taken away) comes out as zeros, which verify nothing. */
static void hash_end(hash *h, uint8_t *digest)
{
    if (EVP_DigestFinal_ex(h->ctx, digest, NULL) != 1 ||
        EVP_DigestInit_ex2(h->ctx, h->md, NULL) != 1)
        memset(digest, 0, h->len);
}

static void hash_close(hash *h)
{
    EVP_MD_CTX_free(h->ctx);
    EVP_MD_free(h->md);
}

/* ---- the ring ---- */

typedef struct block {
    char *bytes;
    size_t n;
    bool last; /* the file ends with this block */
    bag_file file;
} block;

typedef struct lane {
    bag_hasher *hasher;
    hash hash;
    bag_alg alg;
    uint64_t next; /* the first block that is not taken up yet */
    uint64_t done; /* blocks that the lane is through with, for others to read */
    pthread_t thread;
    bag_abreast *abreast;      /* NULL: one file after the other */
    uint64_t seats[BAG_SEATS]; /* the blocks that they are at, or NOWHERE */
    bool within;               /* a file that libcrypto began goes on in `next` */
} lane;

struct bag_hasher {
    block ring[RING];
    lane lanes[BAG_ALGS];
    size_t nlanes, nthreads;
    uint64_t given;   /* blocks that the lanes may read */
    uint64_t retired; /* blocks that may be filled anew */
    uint64_t wanted;  /* the caller waits until all before this block are done: nobody waits for
                         more;  0: it does not wait */
    bool quit;
    pthread_mutex_t lock;
    pthread_cond_t more, less;
    bag_hashed_fn *done;
    void *ctx;
};

/* ---- one file after the other ---- */

static block *block_at(lane *l, uint64_t n)
{
    return &l->hasher->ring[n % RING];
}

static void hash_next(lane *l)
{
    block *b = block_at(l, l->next++);

    EVP_DigestUpdate(l->hash.ctx, b->bytes, b->n);
    if (b->last)
        hash_end(&l->hash, b->file.digest[l->alg]);
    l->within = !b->last;
}

/* ---- files side by side ---- */

static void feed(lane *l, int seat)
{
    const block *b = block_at(l, l->seats[seat]);

    bag_abreast_feed(l->abreast, seat, (ct_str){b->bytes, b->n}, b->last);
}

/* Where the short file ends that starts with block `from`, or NOWHERE: that is not given yet, or
 * the file is longer. */
static uint64_t end_of_file(lane *l, uint64_t from, uint64_t given)
{
    uint64_t stop = given - from > SHORT ? from + SHORT : given;

    while (from < stop && !block_at(l, from)->last)
        from++;
    return from < stop ? from : NOWHERE;
}

/* Then nothing is to be waited for. */
static bool is_long(lane *l, uint64_t given)
{
    return given - l->next > SHORT && end_of_file(l, l->next, given) == NOWHERE;
}

static int whole_files(lane *l, uint64_t given)
{
    int n = 0;

    for (uint64_t at = l->next; n < BAG_SEATS; n++) {
        uint64_t end = end_of_file(l, at, given);

        if (end == NOWHERE)
            break;
        at = end + 1;
    }
    return n;
}

static int taken_seats(const lane *l)
{
    int n = 0;

    for (int i = 0; i < BAG_SEATS; i++)
        n += l->seats[i] != NOWHERE;
    return n;
}

static void take_seats(lane *l, uint64_t given)
{
    for (int i = 0; i < BAG_SEATS; i++) {
        uint64_t end = end_of_file(l, l->next, given);

        if (l->seats[i] != NOWHERE || end == NOWHERE)
            continue;
        l->seats[i] = l->next;
        l->next = end + 1;
        bag_abreast_begin(l->abreast, i);
        feed(l, i);
    }
}

/* Until one seat needs another block or another file. */
static void go_on_abreast(lane *l)
{
    uint8_t digest[BAG_DIGEST_MAX];
    bool ended;
    int i = bag_abreast_run(l->abreast, &ended, digest);

    if (ended) {
        memcpy(block_at(l, l->seats[i])->file.digest[l->alg], digest, l->hash.len);
        l->seats[i] = NOWHERE;
    } else {
        l->seats[i]++;
        feed(l, i);
    }
}

/* ---- lanes ---- */

/* Is there something to do? Seats stay empty for a while rather than be half filled, unless the
 * caller waits. */
static bool may_go_on(lane *l, uint64_t given, bool hurry)
{
    int taken = taken_seats(l);

    if (!l->abreast || l->within)
        return l->next < given;
    return taken + whole_files(l, given) >= BAG_SEATS || is_long(l, given) ||
           (hurry && (taken || l->next < given));
}

/* Some of the work that there is. */
static void go_on(lane *l, uint64_t given)
{
    int taken = l->abreast ? taken_seats(l) : 0;

    if (l->within || !l->abreast || (!taken && whole_files(l, given) < BAG_SEATS_WORTH)) {
        hash_next(l);
        return;
    }
    take_seats(l, given);
    go_on_abreast(l);
}

/* All blocks before this one are done. */
static uint64_t through(const lane *l)
{
    uint64_t n = l->next;

    for (int i = 0; i < BAG_SEATS; i++)
        if (l->seats[i] < n)
            n = l->seats[i];
    return n;
}

static void *lane_run(void *arg)
{
    lane *l = arg;
    bag_hasher *h = l->hasher;

    pthread_mutex_lock(&h->lock);
    while (!h->quit) {
        uint64_t given = h->given;

        if (!may_go_on(l, given, h->wanted > 0)) {
            pthread_cond_wait(&h->more, &h->lock);
            continue;
        }
        pthread_mutex_unlock(&h->lock);
        go_on(l, given);
        pthread_mutex_lock(&h->lock);
        l->done = through(l);
        if (h->wanted && l->done >= h->wanted)
            pthread_cond_signal(&h->less);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

static bool lanes_open(bag_hasher *h, unsigned algs, ct_err *err)
{
    for (int i = 0; i < BAG_ALGS; i++) {
        lane *l = &h->lanes[h->nlanes];

        if (!(algs & 1U << i))
            continue;
        l->hasher = h;
        l->alg = (bag_alg)i;
        for (int k = 0; k < BAG_SEATS; k++)
            l->seats[k] = NOWHERE;
        l->abreast = bag_abreast_new(l->alg);
        h->nlanes++;
        if (!hash_open(&l->hash, l->alg, err))
            return false;
    }
    return true;
}

static bool threads_start(bag_hasher *h, ct_err *err)
{
    while (h->nthreads < h->nlanes) {
        lane *l = &h->lanes[h->nthreads];
        int sys = pthread_create(&l->thread, NULL, lane_run, l);

        if (sys != 0)
            return ct_fail_sys(err, sys, "cannot start a thread");
        h->nthreads++;
    }
    return true;
}

bag_hasher *bag_hasher_new(unsigned algs, int jobs, bag_hashed_fn *done, void *ctx, ct_err *err)
{
    bag_hasher *h = ct_calloc(1, sizeof(*h));

    h->done = done;
    h->ctx = ctx;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->more, NULL);
    pthread_cond_init(&h->less, NULL);
    for (size_t i = 0; i < RING; i++)
        h->ring[i].bytes = ct_alloc(BLOCK);
    ct_sha_ready();
    if (!lanes_open(h, algs, err) || (jobs > 1 && !threads_start(h, err))) {
        bag_hasher_free(h);
        return NULL;
    }
    return h;
}

static bool any_lane_before(const bag_hasher *h, uint64_t n)
{
    for (size_t i = 0; i < h->nlanes; i++)
        if (h->lanes[i].done < n)
            return true;
    return false;
}

static void wait_for_lanes(bag_hasher *h, uint64_t wanted)
{
    pthread_mutex_lock(&h->lock);
    h->wanted = wanted;
    pthread_cond_broadcast(&h->more);
    while (any_lane_before(h, wanted))
        pthread_cond_wait(&h->less, &h->lock);
    h->wanted = 0;
    pthread_mutex_unlock(&h->lock);
}

/* On the calling thread. */
static void run_lanes(bag_hasher *h, uint64_t wanted)
{
    for (size_t i = 0; i < h->nlanes; i++) {
        lane *l = &h->lanes[i];

        for (; l->done < wanted; l->done = through(l))
            go_on(l, h->given);
    }
}

/* Waits until every lane is through with the `n` oldest blocks, and hands back the files they end.
 */
static void retire(bag_hasher *h, uint64_t n)
{
    uint64_t wanted = h->retired + n;

    if (h->nthreads)
        wait_for_lanes(h, wanted);
    else
        run_lanes(h, wanted);
    for (; h->retired < wanted; h->retired++) {
        block *b = &h->ring[h->retired % RING];

        if (b->last)
            h->done(h->ctx, &b->file);
        b->n = 0;
        b->last = false;
    }
}

char *bag_hasher_room(bag_hasher *h, size_t *cap)
{
    block *b = &h->ring[h->given % RING];

    if (h->given - h->retired == RING)
        retire(h, BATCH);
    *cap = BLOCK - b->n;
    return b->bytes + b->n;
}

static void give(bag_hasher *h)
{
    pthread_mutex_lock(&h->lock);
    h->given++;
    if (h->given % BATCH == 0)
        pthread_cond_broadcast(&h->more);
    pthread_mutex_unlock(&h->lock);
}

void bag_hasher_put(bag_hasher *h, size_t n)
{
    block *b = &h->ring[h->given % RING];

    b->n += n;
    if (b->n == BLOCK)
        give(h);
}

void bag_hasher_end(bag_hasher *h, ct_str path, uint64_t size, uint64_t position, bool damaged)
{
    size_t cap;
    block *b;

    bag_hasher_room(h, &cap); /* an empty file, or one that filled its last block, needs one more */
    b = &h->ring[h->given % RING];
    b->file.path.n = 0;
    ct_buf_put(&b->file.path, path);
    b->file.size = size;
    b->file.position = position;
    b->file.damaged = damaged;
    b->last = true;
    give(h);
}

void bag_hasher_flush(bag_hasher *h)
{
    retire(h, h->given - h->retired);
}

void bag_hasher_free(bag_hasher *h)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    h->quit = true;
    pthread_cond_broadcast(&h->more);
    pthread_mutex_unlock(&h->lock);
    for (size_t i = 0; i < h->nthreads; i++)
        pthread_join(h->lanes[i].thread, NULL);
    for (size_t i = 0; i < h->nlanes; i++) {
        hash_close(&h->lanes[i].hash);
        bag_abreast_free(h->lanes[i].abreast);
    }
    for (size_t i = 0; i < RING; i++) {
        free(h->ring[i].bytes);
        ct_buf_free(&h->ring[i].file.path);
    }
    pthread_cond_destroy(&h->less);
    pthread_cond_destroy(&h->more);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
