/* Threads that take the next piece each time they are done with one. The caller's is one of them,
 * so that work gets done where no other thread is to be had. */
#include "cmd/archive/crew.h"

#include <pthread.h>
#include <stdlib.h>

enum { JOBS_MAX = 256 };

typedef struct shift {
    const bag_crew *crew;
    pthread_mutex_t lock;
    uint64_t next, done;
    ct_err failed;
} shift;

static bool take(shift *s, uint64_t *piece)
{
    bool any;

    pthread_mutex_lock(&s->lock);
    any = s->failed.kind == CT_OK && s->next < s->crew->pieces;
    if (any)
        *piece = s->next++;
    pthread_mutex_unlock(&s->lock);
    return any;
}

static uint64_t give(shift *s, bool ok, const ct_err *err)
{
    uint64_t done;

    pthread_mutex_lock(&s->lock);
    done = ++s->done;
    if (!ok && s->failed.kind == CT_OK)
        s->failed = *err;
    pthread_mutex_unlock(&s->lock);
    return done;
}

static void work(shift *s, bool caller)
{
    const bag_crew *c = s->crew;
    uint8_t *room = ct_alloc(c->room ? c->room : 1);
    uint64_t piece, done;

    while (take(s, &piece)) {
        ct_err err = {0};
        bool ok = c->each(c->ctx, piece, room, &err);

        done = give(s, ok, &err);
        if (caller && c->progress)
            c->progress(c->progress_ctx, done);
    }
    free(room);
}

static void *hand(void *arg)
{
    work(arg, false);
    return NULL;
}

bool bag_crew_run(const bag_crew *crew, ct_err *err)
{
    shift s = {.crew = crew, .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[JOBS_MAX];
    int n = 0, most = crew->jobs < JOBS_MAX ? crew->jobs : JOBS_MAX;

    while (n + 1 < most && (uint64_t)n + 1 < crew->pieces &&
           pthread_create(&threads[n], NULL, hand, &s) == 0)
        n++;
    work(&s, true);
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&s.lock);
    if (s.failed.kind == CT_OK)
        return true;
    if (err)
        *err = s.failed;
    return false;
}
