/* gzip (RFC 1952) by zlib, one or many members. Not by libarchive: its filter does not check the
 * CRC and takes a cut or damaged header of a later member for the end. */
#include "common/stream/internal.h"

#include <stdlib.h>
#include <zlib.h>

enum { STORED = 128 * 1024, WINDOW_GZIP = 15 + 16, MAGIC = 0x1f };

typedef struct gunzip {
    ct_in *in;
    z_stream z;
    enum { MEMBER, BETWEEN, PADDING } at; /* padding: zeros that fill up a tape's block */
    ct_err fault;                         /* found, but what came before it goes first */
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

static void inflate_some(gunzip *g, ct_err *err)
{
    int result = inflate(&g->z, Z_NO_FLUSH);
    if (result == Z_STREAM_END)
        g->at = BETWEEN;
    else if (result != Z_OK && result != Z_BUF_ERROR) /* which wants input or room */
        ct_fail(err, CT_E_DATA, "the gzip stream is corrupt");
}

/* Behind a member: another one, or padding up to the end. */
static void pass_between(gunzip *g, ct_err *err)
{
    if (g->at == BETWEEN && *g->z.next_in == MAGIC) {
        g->at = MEMBER;
        inflateReset(&g->z);
        return;
    }
    g->at = PADDING;
    while (g->z.avail_in && *g->z.next_in == 0) {
        g->z.next_in++;
        g->z.avail_in--;
    }
    if (g->z.avail_in)
        ct_fail(err, CT_E_DATA, "something else stands behind the gzip stream");
}

/* One step: more input where it is needed, then output or what stands between members. */
static void advance(gunzip *g, bool *end, ct_err *err)
{
    if (!refill(g, end, err))
        return;
    if (*end && g->at == MEMBER)
        ct_fail(err, CT_E_CUT, "the gzip stream is cut");
    else if (g->at == MEMBER)
        inflate_some(g, err);
    else if (!*end)
        pass_between(g, err);
}

static bool gunzip_read(void *state, char *to, size_t cap, size_t *got, ct_err *err)
{
    gunzip *g = state;
    bool end = false;
    if (cap > UINT32_MAX / 2)
        cap = UINT32_MAX / 2;
    g->z.next_out = (Bytef *)to;
    g->z.avail_out = (uInt)cap;
    *got = 0;
    while (*got == 0 && !end && g->fault.kind == CT_OK) {
        advance(g, &end, &g->fault);
        *got = cap - g->z.avail_out;
    }
    if (*got == 0 && g->fault.kind) {
        *err = g->fault;
        return false;
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
