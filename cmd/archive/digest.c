/* Checksums: a ring of blocks that the caller fills, and threads, the caller's among them, that
 * hash what stands there. */
#include "cmd/archive/digest.h"
#include "cmd/archive/lane.h"

#include <pthread.h>
#include <stdlib.h>

/* Blocks for each thread: whole files enough that its seats are taken. */
enum { BLOCKS = 48 };
/* More would be kept waiting by the one that reads. */
enum { THREADS_MAX = 4 };
/* Threads are woken for so many blocks rather than for each, and as many are waited for. */
enum { BATCH = 12 };

typedef struct worker {
    bag_hasher *hasher;
    bag_lane lanes[BAG_ALGS];
    pthread_t thread;
} worker;

struct bag_hasher {
    bag_ring ring;
    bag_front fronts[BAG_ALGS];
    size_t nfronts;
    worker workers[THREADS_MAX]; /* the first is the caller's */
    size_t nworkers, nthreads;
    uint64_t retired; /* blocks that may be filled anew */
    uint64_t wanted;  /* the caller waits until all before this block are done; 0: it does not */
    bool quit;
    pthread_mutex_t lock;
    pthread_cond_t more, less;
    bag_hashed_fn *done;
    void *ctx;
};

/* ---- threads ---- */

/* Is the thread at a file that goes alone and on in the next blocks? */
static bool is_within(const worker *w)
{
    const bag_hasher *h = w->hasher;
    bool within = false;

    for (size_t i = 0; i < h->nfronts; i++)
        within |= h->fronts[i].within == &w->lanes[i];
    return within;
}

/* Such a file is left to threads that are at none and do not read, if there are any. */
static bool may_begin(const worker *w)
{
    const bag_hasher *h = w->hasher;
    bool others = false;

    for (size_t k = 1; k < h->nworkers; k++)
        others |= !is_within(&h->workers[k]);
    return !others || (w != &h->workers[0] && !is_within(w));
}

/* The lane with the oldest blocks of those that have something to do, or NULL. The longest checksum
 * takes longest and is looked at first. */
static bag_lane *choose(worker *w)
{
    bag_hasher *h = w->hasher;
    bag_lane *best = NULL;

    for (size_t i = h->nfronts; i-- > 0;) {
        bag_lane *l = &w->lanes[i];

        if (bag_lane_take(l, &h->fronts[i], &h->ring, h->wanted, may_begin(w)) &&
            (!best || l->oldest < best->oldest))
            best = l;
    }
    return best;
}

/* Some of the work that there is, without the lock while it lasts; false where there is none. */
static bool work(worker *w)
{
    bag_hasher *h = w->hasher;
    bag_lane *l = choose(w);

    if (!l)
        return false;
    pthread_mutex_unlock(&h->lock);
    bag_lane_work(l, &h->ring);
    pthread_mutex_lock(&h->lock);
    bag_lane_tell(l);
    if (h->wanted)
        pthread_cond_signal(&h->less);
    return true;
}

static void *worker_run(void *arg)
{
    worker *w = arg;
    bag_hasher *h = w->hasher;

    pthread_mutex_lock(&h->lock);
    while (!h->quit)
        if (!work(w))
            pthread_cond_wait(&h->more, &h->lock);
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

static bool lanes_open(worker *w, ct_err *err)
{
    bool ok = true;

    for (size_t i = 0; i < w->hasher->nfronts; i++) /* all of them, as all are closed */
        ok = bag_lane_open(&w->lanes[i], w->hasher->fronts[i].alg, ok ? err : NULL) && ok;
    return ok;
}

static bool workers_open(bag_hasher *h, int jobs, ct_err *err)
{
    bool ok = true;

    do {
        worker *w = &h->workers[h->nworkers++];

        w->hasher = h;
        ok = lanes_open(w, ok ? err : NULL) && ok;
    } while (h->nworkers < THREADS_MAX && h->nworkers < (size_t)jobs);
    return ok;
}

static bool threads_start(bag_hasher *h, ct_err *err)
{
    while (h->nthreads + 1 < h->nworkers) {
        worker *w = &h->workers[h->nthreads + 1];
        int sys = pthread_create(&w->thread, NULL, worker_run, w);

        if (sys != 0)
            return ct_fail_sys(err, sys, "cannot start a thread");
        h->nthreads++;
    }
    return true;
}

bag_hasher *bag_hasher_new(unsigned algs, int jobs, bag_hashed_fn *done, void *ctx, ct_err *err)
{
    bag_hasher *h = ct_calloc(1, sizeof(*h));
    bool ok;

    h->done = done;
    h->ctx = ctx;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->more, NULL);
    pthread_cond_init(&h->less, NULL);
    for (int i = 0; i < BAG_ALGS; i++)
        if (algs & 1U << i)
            h->fronts[h->nfronts++].alg = (bag_alg)i;
    ct_sha_ready();
    ok = workers_open(h, jobs, err);
    h->ring.n = BLOCKS * h->nworkers;
    h->ring.blocks = ct_calloc(h->ring.n, sizeof(*h->ring.blocks));
    if (!ok || !threads_start(h, err)) {
        bag_hasher_free(h);
        return NULL;
    }
    return h;
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
        pthread_join(h->workers[i + 1].thread, NULL);
    for (size_t k = 0; k < h->nworkers; k++)
        for (size_t i = 0; i < h->nfronts; i++)
            bag_lane_close(&h->workers[k].lanes[i]);
    for (size_t i = 0; i < h->ring.n; i++) {
        free(h->ring.blocks[i].bytes);
        ct_buf_free(&h->ring.blocks[i].file.path);
    }
    free(h->ring.blocks);
    pthread_cond_destroy(&h->less);
    pthread_cond_destroy(&h->more);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

/* ---- the caller's side ---- */

/* All blocks before this one are done. */
static uint64_t through(const bag_hasher *h)
{
    uint64_t n = h->ring.given;

    for (size_t i = 0; i < h->nfronts; i++) {
        if (h->fronts[i].next < n)
            n = h->fronts[i].next;
        for (size_t k = 0; k < h->nworkers; k++)
            if (h->workers[k].lanes[i].oldest < n)
                n = h->workers[k].lanes[i].oldest;
    }
    return n;
}

/* Works with the others until all before block `wanted` are done. */
static void finish(bag_hasher *h, uint64_t wanted)
{
    pthread_mutex_lock(&h->lock);
    h->wanted = wanted;
    pthread_cond_broadcast(&h->more);
    while (through(h) < wanted) {
        if (work(&h->workers[0]))
            continue;
        pthread_cond_broadcast(&h->more); /* for what has been left to others */
        pthread_cond_wait(&h->less, &h->lock);
    }
    h->wanted = 0;
    pthread_mutex_unlock(&h->lock);
}

/* Hands back the files that end in the `n` oldest blocks, which can then be filled anew. */
static void retire(bag_hasher *h, uint64_t n)
{
    uint64_t wanted = h->retired + n;

    finish(h, wanted);
    for (; h->retired < wanted; h->retired++) {
        bag_block *b = bag_ring_at(&h->ring, h->retired);

        if (b->last)
            h->done(h->ctx, &b->file);
        b->n = 0;
        b->last = false;
    }
}

char *bag_hasher_room(bag_hasher *h, size_t *cap)
{
    bag_block *b = bag_ring_at(&h->ring, h->ring.given);

    if (h->ring.given - h->retired == h->ring.n)
        retire(h, BATCH);
    if (!b->bytes)
        b->bytes = ct_alloc(BAG_BLOCK);
    *cap = BAG_BLOCK - b->n;
    return b->bytes + b->n;
}

static void give(bag_hasher *h)
{
    pthread_mutex_lock(&h->lock);
    h->ring.given++;
    if (h->ring.given % BATCH == 0)
        pthread_cond_broadcast(&h->more);
    pthread_mutex_unlock(&h->lock);
}

void bag_hasher_put(bag_hasher *h, size_t n)
{
    bag_block *b = bag_ring_at(&h->ring, h->ring.given);

    b->n += n;
    if (b->n == BAG_BLOCK)
        give(h);
}

void bag_hasher_end(bag_hasher *h, ct_str path, uint64_t size, uint64_t position, bool damaged)
{
    size_t cap;
    bag_block *b;

    bag_hasher_room(h, &cap); /* an empty file, or one that filled its last block, needs one more */
    b = bag_ring_at(&h->ring, h->ring.given);
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
    retire(h, h->ring.given - h->retired);
}
