/* Unpacks by zlib and libzstd. */
#include "cmd/archive/stretch.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum {
    STORED = 64 * 1024, /* read at once, pieces that follow among it */
    SKIP = 64 * 1024,
    WINDOW_RAW = -15,
    WINDOW_GZIP = 15 + 16
};

struct bag_stretch {
    bag_piece piece;
    uint64_t taken;     /* packed bytes that are unpacked, or next to be */
    uint64_t pos;       /* bytes that were unpacked */
    size_t next, left;  /* of the bytes in `stored`, those of the piece */
    uint64_t stored_at; /* where they stand in the file */
    size_t nstored;
    z_stream z;
    bool z_open;
    ZSTD_DStream *zstd;
    char stored[STORED];
    char skipped[SKIP];
};

bag_stretch *bag_stretch_new(void)
{
    return ct_calloc(1, sizeof(bag_stretch));
}

void bag_stretch_free(bag_stretch *s)
{
    if (!s)
        return;
    if (s->z_open)
        inflateEnd(&s->z);
    ZSTD_freeDStream(s->zstd);
    free(s);
}

static void restart(bag_stretch *s)
{
    s->taken = s->pos = s->left = 0;
    if (s->piece.method == BAG_ZSTD) {
        if (!s->zstd)
            s->zstd = ZSTD_createDStream();
        if (!s->zstd || ZSTD_isError(ZSTD_initDStream(s->zstd)))
            ct_oom();
    } else if (s->piece.method != BAG_STORED) {
        int window = s->piece.method == BAG_GZIPPED ? WINDOW_GZIP : WINDOW_RAW;

        if ((s->z_open ? inflateReset2(&s->z, window) : inflateInit2(&s->z, window)) != Z_OK)
            ct_oom();
        s->z_open = true;
    }
}

void bag_stretch_set(bag_stretch *s, const bag_piece *piece)
{
    if (piece->fd != s->piece.fd)
        s->nstored = 0;
    s->piece = *piece;
    restart(s);
}

static bool read_file(bag_stretch *s, uint64_t at, void *to, size_t n, ct_err *err)
{
    int sys;

    if (bag_read_at(s->piece.fd, at, to, n, &sys))
        return true;
    return sys ? ct_fail_sys(err, sys, "cannot read")
               : ct_fail(err, CT_E_DATA, "the container is cut or corrupt");
}

static bool load(bag_stretch *s, uint64_t at, ct_err *err)
{
    ssize_t n;

    do
        n = pread(s->piece.fd, s->stored, STORED, (off_t)at);
    while (n < 0 && errno == EINTR);
    s->stored_at = at;
    s->nstored = n > 0 ? (size_t)n : 0;
    if (n < 0)
        return ct_fail_sys(err, errno, "cannot read");
    return n > 0 || ct_fail(err, CT_E_DATA, "the container is cut or corrupt");
}

/* Small pieces stand one behind the other: what was read with the one ahead is not read again. */
static bool refill(bag_stretch *s, ct_err *err)
{
    uint64_t rest = s->piece.packed - s->taken, at = s->piece.at + s->taken;

    if (s->left || rest == 0)
        return true;
    if ((at < s->stored_at || at >= s->stored_at + s->nstored) && !load(s, at, err))
        return false;
    s->next = (size_t)(at - s->stored_at);
    s->left = s->nstored - s->next;
    if (s->left > rest)
        s->left = (size_t)rest;
    s->taken += s->left;
    return true;
}

/* Some of the next bytes, at most `cap`. */
static bool inflate_some(bag_stretch *s, char *to, size_t cap, size_t *got)
{
    int r;

    s->z.next_in = (Bytef *)s->stored + s->next;
    s->z.avail_in = (uInt)s->left;
    s->z.next_out = (Bytef *)to;
    s->z.avail_out = (uInt)cap;
    r = inflate(&s->z, Z_NO_FLUSH);
    s->next += s->left - s->z.avail_in;
    s->left = s->z.avail_in;
    *got = cap - s->z.avail_out;
    return r == Z_OK || r == Z_BUF_ERROR || (r == Z_STREAM_END && *got);
}

static bool zstd_some(bag_stretch *s, char *to, size_t cap, size_t *got)
{
    ZSTD_inBuffer in = {s->stored + s->next, s->left, 0};
    ZSTD_outBuffer out = {to, cap, 0};
    size_t r = ZSTD_decompressStream(s->zstd, &out, &in);

    s->next += in.pos;
    s->left -= in.pos;
    *got = out.pos;
    return !ZSTD_isError(r);
}

static bool unpack(bag_stretch *s, char *to, size_t n, ct_err *err)
{
    while (n) {
        size_t got, cap = n < SKIP ? n : SKIP;

        if (!refill(s, err))
            return false;
        if (!(s->piece.method == BAG_ZSTD ? zstd_some(s, to, cap, &got)
                                          : inflate_some(s, to, cap, &got)) ||
            (got == 0 && s->left == 0 && s->taken == s->piece.packed))
            return ct_fail(err, CT_E_DATA, "cannot be unpacked");
        s->pos += got;
        to += got;
        n -= got;
    }
    return true;
}

bool bag_stretch_read(bag_stretch *s, uint64_t from, char *to, size_t n, ct_err *err)
{
    if (from > s->piece.size || n > s->piece.size - from)
        return ct_fail(err, CT_E_DATA, "the container is cut or corrupt");
    if (s->piece.method == BAG_STORED)
        return read_file(s, s->piece.at + from, to, n, err);
    if (from < s->pos)
        restart(s);
    while (s->pos < from) {
        size_t skip = from - s->pos < SKIP ? (size_t)(from - s->pos) : SKIP;

        if (!unpack(s, s->skipped, skip, err))
            return false;
    }
    return unpack(s, to, n, err);
}
