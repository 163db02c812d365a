/* Ordered work by several threads.
 *
 * The slots are a ring. The calling thread fills them and takes them out in order; in between
 * workers take the filled ones in the same order and may finish in any:
 *
 *        done          next          filled
 *     ----|-------------|--------------|------->  units, counted from the start
 *         | being worked| waiting      |
 *         | or worked   |              |
 *
 * A unit's slot is its number modulo the slots; `filled - done` never passes their number. */
#include "common/stream/internal.h"

#include <signal.h>
#include <stdlib.h>

typedef struct pool {
    const ct_work *w;
    pthread_mutex_t lock;
    pthread_cond_t todo;   /* a unit was filled, or there will be no more */
    pthread_cond_t worked; /* a unit was worked */
    uint64_t done, next, filled;
    bool *finished; /* by slot: worked and not yet done */
    bool stop;      /* workers leave when nothing waits; or at once */
    bool now;
    pthread_t *threads;
    int nthreads;
} pool;

static size_t slot_of(const pool *p, uint64_t unit)
{
    return (size_t)(unit % p->w->nslots);
}

static void *worker(void *arg)
{
    pool *p = arg;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (p->next == p->filled && !p->stop)
            pthread_cond_wait(&p->todo, &p->lock);
        if (p->next == p->filled || p->now)
            break;
        uint64_t unit = p->next++;
        pthread_mutex_unlock(&p->lock);
        p->w->work(p->w->ctx, p->w->slots[slot_of(p, unit)]);
        pthread_mutex_lock(&p->lock);
        p->finished[slot_of(p, unit)] = true;
        if (unit == p->done)
            pthread_cond_signal(&p->worked);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

bool ct_thread_start(pthread_t *thread, void *(*run)(void *arg), void *arg)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(thread, NULL, run, arg) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

/* Where the system gives fewer threads, those do. */
static void start(pool *p)
{
    while (p->nthreads < p->w->jobs && ct_thread_start(&p->threads[p->nthreads], worker, p))
        p->nthreads++;
}

static void finish(pool *p, bool now)
{
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    p->now = now;
    pthread_cond_broadcast(&p->todo);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->nthreads; i++)
        pthread_join(p->threads[i], NULL);
}

/* Fills a slot and gives it to the workers. */
static ct_got give(pool *p, ct_err *err)
{
    ct_got got = p->w->fill(p->w->ctx, p->w->slots[slot_of(p, p->filled)], err);
    if (got == CT_GOT_RECORD) {
        pthread_mutex_lock(&p->lock);
        p->filled++;
        pthread_cond_signal(&p->todo);
        pthread_mutex_unlock(&p->lock);
    }
    return got;
}

/* Waits for the oldest unit, or only looks whether it is worked. */
static bool take(pool *p, bool wait)
{
    size_t slot = slot_of(p, p->done);
    pthread_mutex_lock(&p->lock);
    while (wait && !p->finished[slot])
        pthread_cond_wait(&p->worked, &p->lock);
    bool ready = p->finished[slot];
    pthread_mutex_unlock(&p->lock);
    return ready;
}

/* Hands the oldest unit, which is worked, to `done`. */
static bool put(pool *p)
{
    size_t slot = slot_of(p, p->done);
    bool ok = p->w->done(p->w->ctx, p->w->slots[slot]);
    pthread_mutex_lock(&p->lock);
    p->finished[slot] = false;
    p->done++;
    pthread_mutex_unlock(&p->lock);
    return ok;
}

/* Must more input be waited for? */
static bool must_wait(const ct_work *w)
{
    return w->ready && !w->ready(w->ctx);
}

/* Ahead of that; false where the run ends. */
static bool rest(const ct_work *w)
{
    return !w->idle || !must_wait(w) || w->idle(w->ctx);
}

/* What is ready goes out first, so that output does not wait for input. What `fill` failed with is
 * no news where the run ended ahead of it: that it came so far is chance. */
static bool run(pool *p, ct_err *err)
{
    ct_got got = CT_GOT_RECORD;
    ct_err failed = {0};
    while (got == CT_GOT_RECORD || p->done < p->filled) {
        bool full = got != CT_GOT_RECORD || p->filled - p->done == p->w->nslots;
        if (p->done < p->filled && (take(p, full) || (must_wait(p->w) && take(p, true)))) {
            if (!put(p))
                return false;
            continue;
        }
        if (p->done == p->filled && !rest(p->w))
            return false;
        got = give(p, &failed);
    }
    if (got == CT_GOT_FATAL && err)
        *err = failed;
    return got == CT_GOT_END;
}

/* One slot, one thread. */
static bool run_alone(const ct_work *w, ct_err *err)
{
    for (;;) {
        if (!rest(w))
            return false;
        ct_got got = w->fill(w->ctx, w->slots[0], err);
        if (got != CT_GOT_RECORD)
            return got == CT_GOT_END;
        w->work(w->ctx, w->slots[0]);
        if (!w->done(w->ctx, w->slots[0]))
            return false;
    }
}

bool ct_work_run(const ct_work *w, ct_err *err)
{
    if (w->jobs <= 1)
        return run_alone(w, err);
    pool p = {.w = w,
              .finished = ct_calloc(w->nslots, sizeof(bool)),
              .threads = ct_calloc((size_t)w->jobs, sizeof(pthread_t))};
    pthread_mutex_init(&p.lock, NULL);
    pthread_cond_init(&p.todo, NULL);
    pthread_cond_init(&p.worked, NULL);
    start(&p);
    bool ok = false;
    if (p.nthreads) {
        ok = run(&p, err);
        finish(&p, !ok);
    } else {
        ok = run_alone(w, err);
    }
    pthread_cond_destroy(&p.worked);
    pthread_cond_destroy(&p.todo);
    pthread_mutex_destroy(&p.lock);
    free(p.threads);
    free(p.finished);
    return ok;
}
