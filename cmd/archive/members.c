/* Packs a stream in members, side by side, and writes them in order. Where a member ends depends on
 * what is put and where cuts are allowed, on nothing else. */
#include "cmd/archive/members.h"
#include "cmd/archive/members_format.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

/* Small members pack worse; large ones make whoever wants one chart unpack more before it. */
enum { MEMBER_MIN = 1 << 20, MEMBER_MAX = 4 << 20, SLOTS_PER_JOB = 2, JOBS_MAX = 64 };
enum { ZSTD_LEVEL = 3, GZIP_LEVEL = 6, GZIP_WINDOW = 15 + 16, GZIP_MEMORY = 8 };

typedef struct packer {
    bag_members *members;
    ZSTD_CCtx *zstd;
    z_stream gzip;
    pthread_t thread;
} packer;

typedef struct slot {
    ct_buf raw, packed;
    bool done, failed;
} slot;

struct bag_members {
    bag_put_fn *put;
    void *ctx;
    bag_method method;
    packer packers[JOBS_MAX];
    size_t npackers, nthreads;
    slot slots[JOBS_MAX * SLOTS_PER_JOB];
    size_t nslots;
    uint64_t given, taken, written; /* members */
    bool quit;
    pthread_mutex_t lock;
    pthread_cond_t more, done;
    uint64_t size; /* of the file so far */
    ct_buf table;  /* of the members written: packed and unpacked size */
};

/* ---- packing one ---- */

static bool packer_open(packer *p, bag_members *m)
{
    p->members = m;
    if (m->method == BAG_GZIPPED)
        return deflateInit2(&p->gzip, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
                            Z_DEFAULT_STRATEGY) == Z_OK;
    p->zstd = ZSTD_createCCtx();
    return p->zstd &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_checksumFlag, 1));
}

static void packer_close(packer *p)
{
    if (p->members->method == BAG_GZIPPED)
        deflateEnd(&p->gzip);
    ZSTD_freeCCtx(p->zstd);
}

static bool pack_gzip(packer *p, slot *s)
{
    size_t cap = deflateBound(&p->gzip, s->raw.n);

    p->gzip.next_in = (Bytef *)s->raw.p;
    p->gzip.avail_in = (uInt)s->raw.n;
    p->gzip.next_out = (Bytef *)ct_buf_room(&s->packed, cap);
    p->gzip.avail_out = (uInt)cap;
    if (deflate(&p->gzip, Z_FINISH) != Z_STREAM_END)
        return false;
    s->packed.n = cap - p->gzip.avail_out;
    return deflateReset(&p->gzip) == Z_OK;
}

static bool pack_zstd(packer *p, slot *s)
{
    size_t cap = ZSTD_compressBound(s->raw.n);

    s->packed.n = ZSTD_compress2(p->zstd, ct_buf_room(&s->packed, cap), cap, s->raw.p, s->raw.n);
    return !ZSTD_isError(s->packed.n);
}

static void pack(packer *p, slot *s)
{
    s->packed.n = 0;
    s->failed = !(p->members->method == BAG_GZIPPED ? pack_gzip(p, s) : pack_zstd(p, s));
    s->done = true;
}

static void *packer_run(void *arg)
{
    packer *p = arg;
    bag_members *m = p->members;

    pthread_mutex_lock(&m->lock);
    for (;;) {
        slot *s;

        while (m->taken == m->given && !m->quit)
            pthread_cond_wait(&m->more, &m->lock);
        if (m->quit)
            break;
        s = &m->slots[m->taken++ % m->nslots];
        pthread_mutex_unlock(&m->lock);
        pack(p, s);
        pthread_mutex_lock(&m->lock);
        pthread_cond_signal(&m->done);
    }
    pthread_mutex_unlock(&m->lock);
    return NULL;
}

/* ---- writing ---- */

/* Waits for the oldest member, and writes it. */
static bool write_oldest(bag_members *m, ct_err *err)
{
    slot *s = &m->slots[m->written % m->nslots];

    pthread_mutex_lock(&m->lock);
    while (!s->done)
        pthread_cond_wait(&m->done, &m->lock);
    pthread_mutex_unlock(&m->lock);
    if (s->failed)
        return ct_fail_sys(err, ENOMEM, "cannot pack the container");
    if (!m->put(m->ctx, ct_buf_str(&s->packed), err))
        return false;
    bag_put32(&m->table, (uint32_t)s->packed.n);
    bag_put32(&m->table, (uint32_t)s->raw.n);
    m->written++;
    m->size += s->packed.n;
    s->raw.n = 0;
    s->done = false;
    return true;
}

/* Hands the current member on, and sees that there is room for the next one. */
static bool give(bag_members *m, ct_err *err)
{
    slot *s = &m->slots[m->given % m->nslots];

    pthread_mutex_lock(&m->lock);
    m->given++;
    pthread_cond_signal(&m->more);
    pthread_mutex_unlock(&m->lock);
    if (!m->nthreads)
        pack(&m->packers[0], s);
    return m->given - m->written < m->nslots || write_oldest(m, err);
}

bool bag_members_may_cut(bag_members *m, ct_err *err)
{
    return m->slots[m->given % m->nslots].raw.n < MEMBER_MIN || give(m, err);
}

bool bag_members_put(bag_members *m, ct_str bytes, ct_err *err)
{
    while (bytes.n) {
        slot *s = &m->slots[m->given % m->nslots];
        ct_str part = ct_str_head(bytes, MEMBER_MAX - s->raw.n);

        ct_buf_put(&s->raw, part);
        bytes = ct_str_from(bytes, part.n);
        if (s->raw.n == MEMBER_MAX && !give(m, err))
            return false;
    }
    return true;
}

bool bag_members_size(bag_members *m, bool exact, uint64_t *size, ct_err *err)
{
    while (exact && m->written < m->given)
        if (!write_oldest(m, err))
            return false;
    *size = m->size + m->table.n;
    for (uint64_t i = m->written; i <= m->given; i++)
        *size += m->slots[i % m->nslots].raw.n;
    return true;
}

bool bag_members_end(bag_members *m, ct_err *err)
{
    ct_buf end = {0};
    bool ok = m->slots[m->given % m->nslots].raw.n == 0 || give(m, err);

    while (ok && m->written < m->given)
        ok = write_oldest(m, err);
    if (ok)
        bag_table_put(&end, m->method, ct_buf_str(&m->table));
    ok = ok && m->put(m->ctx, ct_buf_str(&end), err);
    ct_buf_free(&end);
    return ok;
}

/* ---- life ---- */

static bool start(bag_members *m, int jobs, ct_err *err)
{
    size_t n = jobs < 1 ? 1 : jobs > JOBS_MAX ? JOBS_MAX : (size_t)jobs;

    m->nslots = n > 1 ? n * SLOTS_PER_JOB : 1;
    for (; m->npackers < n; m->npackers++)
        if (!packer_open(&m->packers[m->npackers], m))
            ct_oom();
    while (n > 1 && m->nthreads < n) {
        packer *p = &m->packers[m->nthreads];
        int sys = pthread_create(&p->thread, NULL, packer_run, p);

        if (sys != 0)
            return ct_fail_sys(err, sys, "cannot start a thread");
        m->nthreads++;
    }
    return true;
}

bag_members *bag_members_new(bag_method method, int jobs, bag_put_fn *put, void *ctx, ct_err *err)
{
    bag_members *m = ct_calloc(1, sizeof(*m));

    m->put = put;
    m->ctx = ctx;
    m->method = method;
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->more, NULL);
    pthread_cond_init(&m->done, NULL);
    if (start(m, jobs, err))
        return m;
    bag_members_free(m);
    return NULL;
}

void bag_members_free(bag_members *m)
{
    if (!m)
        return;
    pthread_mutex_lock(&m->lock);
    m->quit = true;
    pthread_cond_broadcast(&m->more);
    pthread_mutex_unlock(&m->lock);
    for (size_t i = 0; i < m->nthreads; i++)
        pthread_join(m->packers[i].thread, NULL);
    for (size_t i = 0; i < m->npackers; i++)
        packer_close(&m->packers[i]);
    for (size_t i = 0; i < m->nslots; i++) {
        ct_buf_free(&m->slots[i].raw);
        ct_buf_free(&m->slots[i].packed);
    }
    pthread_cond_destroy(&m->done);
    pthread_cond_destroy(&m->more);
    pthread_mutex_destroy(&m->lock);
    ct_buf_free(&m->table);
    free(m);
}
