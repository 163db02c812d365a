/* Reading or unpacking in a thread of its own: what a decoder gives is made ahead into a ring of
 * buffers, while the caller works on what came before. */
#include "common/stream/internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE = 256 * 1024 };

typedef struct piece {
    size_t n; /* 0: the end, or what failed */
    ct_err err;
    char *bytes;
} piece;

struct ct_pump {
    ct_decoder d;
    int wake[2]; /* a pipe: its writing end is closed when the thread must end */
    pthread_t thread;
    bool threaded, ended; /* ended: the last piece, which has no bytes, was taken */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stop;
    size_t made, taken; /* pieces, counted from the start */
    size_t at;          /* of the piece that is taken: so much is handed out */
    size_t n;           /* how many there are at a time */
    piece pieces[];
};

/* Makes the next piece; false where it is the last. */
static bool make(ct_pump *p, piece *to)
{
    to->err = (ct_err){0};
    if (!p->d.read(p->d.state, to->bytes, PIECE, &to->n, &to->err))
        to->n = 0;
    return to->n > 0;
}

static void *run(void *arg)
{
    ct_pump *p = arg;
    bool more = true;
    pthread_mutex_lock(&p->lock);
    while (more) {
        while (p->made - p->taken == p->n && !p->stop)
            pthread_cond_wait(&p->changed, &p->lock);
        if (p->stop)
            break;
        pthread_mutex_unlock(&p->lock);
        more = make(p, &p->pieces[p->made % p->n]);
        pthread_mutex_lock(&p->lock);
        p->made++;
        pthread_cond_broadcast(&p->changed);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

ct_pump *ct_pump_new(const ct_decoder *d, size_t pieces)
{
    ct_pump *p = ct_calloc(1, sizeof *p + pieces * sizeof p->pieces[0]);
    p->d = *d;
    p->n = pieces;
    p->wake[0] = p->wake[1] = -1;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    for (size_t i = 0; i < p->n; i++)
        p->pieces[i].bytes = ct_alloc(PIECE);
    if (pipe(p->wake) == 0) {
        fcntl(p->wake[0], F_SETFD, FD_CLOEXEC);
        fcntl(p->wake[1], F_SETFD, FD_CLOEXEC);
    }
    return p;
}

int ct_pump_wake(const ct_pump *p)
{
    return p->wake[0];
}

/* The piece to take from: waits for it, or makes it. */
static const piece *current(ct_pump *p)
{
    pthread_mutex_lock(&p->lock);
    while (p->threaded && p->made == p->taken)
        pthread_cond_wait(&p->changed, &p->lock);
    pthread_mutex_unlock(&p->lock);
    if (!p->threaded && p->made == p->taken)
        make(p, &p->pieces[p->made++ % p->n]);
    return &p->pieces[p->taken % p->n];
}

static void pass(ct_pump *p)
{
    p->at = 0;
    pthread_mutex_lock(&p->lock);
    p->taken++;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

bool ct_pump_read(ct_pump *p, char *to, size_t cap, size_t *got, ct_err *err)
{
    *got = 0;
    if (!p->threaded && p->made == 0 && p->wake[0] >= 0)
        p->threaded = ct_thread_start(&p->thread, run, p);
    if (p->ended)
        return true;
    const piece *from = current(p);
    if (from->n == 0) {
        p->ended = true;
        *err = from->err;
        return from->err.kind == CT_OK;
    }
    *got = from->n - p->at < cap ? from->n - p->at : cap;
    memcpy(to, from->bytes + p->at, *got);
    p->at += *got;
    if (p->at == from->n)
        pass(p);
    return true;
}

bool ct_pump_ready(ct_pump *p)
{
    pthread_mutex_lock(&p->lock);
    bool ready = p->made > p->taken;
    pthread_mutex_unlock(&p->lock);
    return ready;
}

static void stop(ct_pump *p)
{
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    close(p->wake[1]); /* which cannot be interrupted or find it full, as write(2) may */
    p->wake[1] = -1;
    pthread_join(p->thread, NULL);
}

void ct_pump_free(ct_pump *p)
{
    if (p->threaded)
        stop(p);
    p->d.close(p->d.state);
    for (size_t i = 0; i < p->n; i++)
        free(p->pieces[i].bytes);
    for (size_t i = 0; i < 2; i++)
        if (p->wake[i] >= 0)
            close(p->wake[i]);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->changed);
    free(p);
}
