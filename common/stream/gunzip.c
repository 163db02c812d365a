/* gzip (RFC 1952) by zlib, one or many members. Not by libarchive: its filter does not check the
 * CRC and takes a cut or damaged header of a later member for the end. */
#include "common/stream/internal.h"

#include <stdlib.h>
#include <zlib.h>

enum { STORED = 128 * 1024, WINDOW_GZIP = 15 + 16 };

typedef struct gunzip {
    ct_in *in;
    z_stream z;
    enum { MEMBER, BETWEEN, PADDING } at; /* padding: zeros that fill up a tape's block */
    char stored[STORED];
} gunzip;

/* zlib's own failure for want of memory would look like a fault of the data. */
static void *z_alloc(void *opaque, unsigned n, unsigned size)
{
    (void)opaque;
    return ct_calloc(n, size);
}

static void z_free(void *opaque, void *p)
{
    (void)opaque;
    free(p);
}

/* More stored bytes, where none are left; `*end` where there are no more. */
static bool refill(gunzip *g, bool *end, ct_err *err)
{
    *end = false;
    if (g->z.avail_in)
        return true;
    size_t got;
    if (!ct_in_raw(g->in, g->stored, sizeof g->stored, &got, err))
        return false;
    g->z.next_in = (Bytef *)g->stored;
    g->z.avail_in = (uInt)got;
    *end = got == 0;
    return true;
}

static bool inflate_some(gunzip *g, ct_err *err)
{
    switch (inflate(&g->z, Z_NO_FLUSH)) {
    case Z_OK:
    case Z_BUF_ERROR: /* wants input or room */
        return true;
    case Z_STREAM_END:
        g->at = BETWEEN;
        return true;
    default:
        return ct_fail(err, CT_E_DATA, "the gzip stream is corrupt");
    }
}

/* Behind a member: another one, or padding up to the end. */
static bool pass_between(gunzip *g, ct_err *err)
{
    if (*g->z.next_in == 0x1f && g->at == BETWEEN) {
        g->at = MEMBER;
        return inflateReset(&g->z) == Z_OK || ct_fail(err, CT_E_DATA, "the gzip stream is corrupt");
    }
    g->at = PADDING;
    while (g->z.avail_in && *g->z.next_in == 0) {
        g->z.next_in++;
        g->z.avail_in--;
    }
    return g->z.avail_in == 0 ||
           ct_fail(err, CT_E_DATA, "something else stands behind the gzip stream");
}

static bool gunzip_read(void *state, char *to, size_t cap, size_t *got, ct_err *err)
{
    gunzip *g = state;
    if (cap > UINT32_MAX / 2)
        cap = UINT32_MAX / 2;
    g->z.next_out = (Bytef *)to;
    g->z.avail_out = (uInt)cap;
    *got = 0;
    while (*got == 0) {
        bool end;
        if (!refill(g, &end, err))
            return false;
        if (end)
            return g->at != MEMBER || ct_fail(err, CT_E_CUT, "the gzip stream is cut");
        bool ok = g->at == MEMBER ? inflate_some(g, err) : pass_between(g, err);
        *got = cap - g->z.avail_out;
        if (!ok && *got == 0)
            return false;
        if (!ok) /* what came before the fault goes first; zlib says so again at the next call */
            *err = (ct_err){0};
    }
    return true;
}

static void gunzip_close(void *state)
{
    gunzip *g = state;
    inflateEnd(&g->z);
    free(g);
}

bool ct_gunzip_open(ct_decoder *d, ct_in *in, ct_err *err)
{
    gunzip *g = ct_calloc(1, sizeof *g);
    g->in = in;
    g->z.zalloc = z_alloc;
    g->z.zfree = z_free;
    if (inflateInit2(&g->z, WINDOW_GZIP) != Z_OK) {
        free(g);
        return ct_fail(err, CT_E_USAGE, "this zlib cannot read gzip");
    }
    *d = (ct_decoder){gunzip_read, gunzip_close, g};
    return true;
}
