/* Checksums by libcrypto: a ring of blocks that the caller fills and one lane per algorithm reads.
 */
#include "cmd/archive/digest.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

enum { BLOCK = 256 * 1024, RING = 12 };

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
    uint64_t done; /* blocks */
    pthread_t thread;
} lane;

struct bag_hasher {
    block ring[RING];
    lane lanes[BAG_ALGS];
    size_t nlanes, nthreads;
    uint64_t given;   /* blocks that the lanes may read */
    uint64_t retired; /* blocks that may be filled anew */
    bool quit;
    pthread_mutex_t lock;
    pthread_cond_t more, less;
    bag_hashed_fn *done;
    void *ctx;
};

static void lane_block(lane *l, block *b)
{
    EVP_DigestUpdate(l->hash.ctx, b->bytes, b->n);
    if (b->last)
        hash_end(&l->hash, b->file.digest[l->alg]);
}

static void *lane_run(void *arg)
{
    lane *l = arg;
    bag_hasher *h = l->hasher;

    pthread_mutex_lock(&h->lock);
    for (;;) {
        while (l->done == h->given && !h->quit)
            pthread_cond_wait(&h->more, &h->lock);
        if (l->done == h->given)
            break;
        pthread_mutex_unlock(&h->lock);
        lane_block(l, &h->ring[l->done % RING]);
        pthread_mutex_lock(&h->lock);
        l->done++;
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

static bool all_lanes_past(const bag_hasher *h, uint64_t n)
{
    for (size_t i = 0; i < h->nlanes; i++)
        if (h->lanes[i].done <= n)
            return false;
    return true;
}

/* Waits until every lane is through with the oldest block, and hands back the file it ends. */
static void retire(bag_hasher *h)
{
    block *b = &h->ring[h->retired % RING];

    if (h->nthreads) {
        pthread_mutex_lock(&h->lock);
        while (!all_lanes_past(h, h->retired))
            pthread_cond_wait(&h->less, &h->lock);
        pthread_mutex_unlock(&h->lock);
    }
    if (b->last)
        h->done(h->ctx, &b->file);
    b->n = 0;
    b->last = false;
    h->retired++;
}

char *bag_hasher_room(bag_hasher *h, size_t *cap)
{
    block *b = &h->ring[h->given % RING];

    if (h->given - h->retired == RING)
        retire(h);
    *cap = BLOCK - b->n;
    return b->bytes + b->n;
}

static void give(bag_hasher *h)
{
    block *b = &h->ring[h->given % RING];

    if (!h->nthreads) {
        for (size_t i = 0; i < h->nlanes; i++) {
            lane_block(&h->lanes[i], b);
            h->lanes[i].done++;
        }
        h->given++;
        return;
    }
    pthread_mutex_lock(&h->lock);
    h->given++;
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
    while (h->retired < h->given)
        retire(h);
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
    for (size_t i = 0; i < h->nlanes; i++)
        hash_close(&h->lanes[i].hash);
    for (size_t i = 0; i < RING; i++) {
        free(h->ring[i].bytes);
        ct_buf_free(&h->ring[i].file.path);
    }
    pthread_cond_destroy(&h->less);
    pthread_cond_destroy(&h->more);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
