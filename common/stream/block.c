/* Blocks of a temporary file. Each is checked when it is read back, so that a disk that forgets or
 * mixes up what was written is noticed here, whatever the blocks hold.
 *
 * On a fast disk plain blocks are soonest written and read, on a slow one packed ones: the disk's
 * speed is measured while plain ones are written, and decides about those to come. What is read
 * back is the same. */
#include "common/stream/spill.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

enum {
    LEVEL = 1,                  /* of zstd: the fastest that is sure to shrink text */
    MEASURE = 32 * 1024 * 1024, /* bytes that tell how fast the disk is */
    SLOW = 400,                 /* bytes in a microsecond; packing and unpacking takes about that */
};

struct ct_packer {
    bool measures, packs;
    uint64_t bytes, ns; /* of plain blocks since the last look */
    ZSTD_CCtx *in;
    ZSTD_DCtx *out;
    ct_buf packed; /* with its head */
};

/* In front of each block. */
typedef struct head {
    uint64_t check;       /* of what follows in the head */
    uint64_t body;        /* of the bytes that follow the head */
    uint64_t at;          /* where in the file it belongs */
    uint32_t stored, raw; /* bytes; stored is less where it is packed */
} head;

_Static_assert(sizeof(head) == CT_BLOCK_HEAD, "a head has no padding");

ct_packer *ct_packer_new(ct_when when)
{
    ct_packer *p = ct_calloc(1, sizeof *p);
    p->measures = when == CT_WHEN_SLOW;
    p->packs = when == CT_ALWAYS;
    return p;
}

void ct_packer_free(ct_packer *p)
{
    if (!p)
        return;
    ZSTD_freeCCtx(p->in);
    ZSTD_freeDCtx(p->out);
    ct_buf_free(&p->packed);
    free(p);
}

static bool damaged(ct_err *err)
{
    return ct_fail(err, CT_E_IO, "temporary file: it is not what was written");
}

/* ---- checks ---- */

/* An odd constant with about half of its bits set. */
static const uint64_t ODD = 0x9e3779b97f4a7c15;

/* Each step has its own outcome for each word, so that no change of a single word goes unseen. */
static uint64_t mix(uint64_t h, uint64_t word)
{
    h ^= word;
    return (h << 29 | h >> 35) * ODD;
}

/* Four lanes that do not wait for each other: as fast as memory, where ct_hash is not. */
static void mix_lanes(uint64_t lanes[4], const char *p)
{
    uint64_t words[4];
    memcpy(words, p, sizeof words);
    for (size_t i = 0; i < CT_LEN(words); i++)
        lanes[i] = mix(lanes[i], words[i]);
}

static uint64_t check_sum(ct_str s)
{
    uint64_t lanes[4] = {s.n, 1, 2, 3};
    char last[sizeof lanes] = {0};
    size_t at = 0;
    for (; s.n - at >= sizeof lanes; at += sizeof lanes)
        mix_lanes(lanes, s.p + at);
    if (s.n > at)
        memcpy(last, s.p + at, s.n - at);
    mix_lanes(lanes, last);
    return mix(mix(mix(lanes[0], lanes[1]), lanes[2]), lanes[3]);
}

static uint64_t check_of(const head *h)
{
    return check_sum((ct_str){(const char *)h + sizeof h->check, sizeof *h - sizeof h->check});
}

/* ---- writing ---- */

/* The packed bytes behind room for a head in `p->packed`; 0 where packing does not make it smaller.
 */
static size_t pack(ct_packer *p, ct_str raw)
{
    if (!p->in && !(p->in = ZSTD_createCCtx()))
        ct_oom();
    p->packed.n = 0;
    char *to = ct_buf_room(&p->packed, CT_BLOCK_HEAD + raw.n) + CT_BLOCK_HEAD;
    size_t n = ZSTD_compressCCtx(p->in, to, raw.n, raw.p, raw.n, LEVEL);
    return ZSTD_isError(n) || n >= raw.n ? 0 : n;
}

static uint64_t now_ns(void)
{
    struct timespec t = {0};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The system takes much of what is written into memory first: only what was written lately tells
 * how fast the disk is. */
static void measure(ct_packer *p, size_t bytes, uint64_t ns)
{
    p->bytes += bytes;
    p->ns += ns;
    if (p->bytes < MEASURE)
        return;
    p->packs = p->bytes < p->ns / 1000 * SLOW;
    p->measures = !p->packs;
    p->bytes = p->ns = 0;
}

static bool write_block(ct_packer *p, ct_blockfile *f, char *room, size_t stored, size_t raw,
                        ct_err *err)
{
    head h = {.body = check_sum((ct_str){room + CT_BLOCK_HEAD, stored}),
              .at = f->size,
              .stored = (uint32_t)stored,
              .raw = (uint32_t)raw};
    size_t n = CT_BLOCK_HEAD + stored;
    h.check = check_of(&h);
    memcpy(room, &h, sizeof h);
    uint64_t start = p->measures ? now_ns() : 0;
    if (!ct_write_all(f->fd, (ct_str){room, n}, err))
        return ct_fail_sys(err, err->sys, "temporary file: cannot write");
    f->size += n;
    if (p->measures)
        measure(p, n, now_ns() - start);
    return true;
}

bool ct_block_write(ct_packer *p, ct_blockfile *f, char *room, size_t n, ct_err *err)
{
    if (f->fd < 0 && (f->fd = ct_temp_open(err)) < 0)
        return false;
    size_t packed = p->packs ? pack(p, (ct_str){room + CT_BLOCK_HEAD, n}) : 0;
    return packed ? write_block(p, f, p->packed.p, packed, n, err)
                  : write_block(p, f, room, n, n, err);
}

/* ---- reading ---- */

static bool read_at(int fd, char *to, size_t n, uint64_t at, ct_err *err)
{
    while (n) {
        ssize_t got = pread(fd, to, n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ct_fail_sys(err, errno, "temporary file: cannot read");
        if (got == 0)
            return damaged(err);
        to += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return true;
}

static bool read_head(const ct_blockfile *f, uint64_t at, uint64_t end, head *h, ct_err *err)
{
    if (end - at < sizeof *h)
        return damaged(err);
    if (!read_at(f->fd, (char *)h, sizeof *h, at, err))
        return false;
    return (h->check == check_of(h) && h->at == at && h->stored <= h->raw &&
            h->stored <= end - at - sizeof *h) ||
           damaged(err);
}

static bool read_body(const ct_blockfile *f, const head *h, char *to, ct_err *err)
{
    if (!read_at(f->fd, to, h->stored, h->at + sizeof *h, err))
        return false;
    return check_sum((ct_str){to, h->stored}) == h->body || damaged(err);
}

static bool unpack(ct_packer *p, const head *h, char *to, ct_err *err)
{
    if (!p->out && !(p->out = ZSTD_createDCtx()))
        ct_oom();
    return ZSTD_decompressDCtx(p->out, to, h->raw, p->packed.p, h->stored) == h->raw ||
           damaged(err);
}

bool ct_block_read(ct_packer *p, const ct_blockfile *f, uint64_t *at, uint64_t end, ct_buf *to,
                   ct_err *err)
{
    head h = {0};
    if (!read_head(f, *at, end, &h, err))
        return false;
    to->n = p->packed.n = 0;
    char *raw = ct_buf_room(to, h.raw);
    if (h.stored == h.raw) {
        if (!read_body(f, &h, raw, err))
            return false;
    } else if (!read_body(f, &h, ct_buf_room(&p->packed, h.stored), err) ||
               !unpack(p, &h, raw, err))
        return false;
    to->n = h.raw;
    *at += sizeof h + h.stored;
    return true;
}
