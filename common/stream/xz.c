/* xz by liblzma: libarchive's filter takes a dictionary of up to 4 GB, which a few bytes can ask
 * for. */
#include "common/stream/internal.h"

#include <lzma.h>
#include <stdlib.h>

/* What xz's own presets ask for, up to -9, takes 65 MB. */
enum { STORED = 128 * 1024, MEMORY = 256 * 1024 * 1024 };

typedef struct xz {
    ct_in *in;
    lzma_stream z;
    bool input_ended, done;
    uint8_t stored[STORED];
} xz;

static bool refill(xz *x, ct_err *err)
{
    size_t got;

    if (x->z.avail_in || x->input_ended)
        return true;
    if (!ct_in_raw(x->in, (char *)x->stored, sizeof(x->stored), &got, err))
        return false;
    x->z.next_in = x->stored;
    x->z.avail_in = got;
    x->input_ended = got == 0;
    return true;
}

static bool failed(lzma_ret result, ct_err *err)
{
    switch (result) {
    case LZMA_MEMLIMIT_ERROR:
    case LZMA_MEM_ERROR:
        return ct_fail(err, CT_E_LIMIT, "unpacking it takes more memory than is allowed");
    case LZMA_BUF_ERROR:
        return ct_fail(err, CT_E_CUT, "the xz stream is cut");
    case LZMA_FORMAT_ERROR: /* the first stream is one: in.c saw that */
        return ct_fail(err, CT_E_DATA, "something else stands behind the xz stream");
    default:
        return ct_fail(err, CT_E_DATA, "the xz stream is corrupt");
    }
}

static bool xz_read(void *state, char *to, size_t cap, size_t *got, ct_err *err)
{
    xz *x = state;

    x->z.next_out = (uint8_t *)to;
    x->z.avail_out = cap;
    while (x->z.avail_out == cap && !x->done) {
        lzma_ret result;

        if (!refill(x, err))
            return false;
        result = lzma_code(&x->z, x->input_ended ? LZMA_FINISH : LZMA_RUN);
        x->done = result == LZMA_STREAM_END;
        if (result != LZMA_OK && !x->done)
            return failed(result, err);
    }
    *got = cap - x->z.avail_out;
    return true;
}

static void xz_close(void *state)
{
    xz *x = state;

    lzma_end(&x->z);
    free(x);
}

bool ct_unxz_open(ct_decoder *d, ct_in *in, ct_err *err)
{
    xz *x = ct_calloc(1, sizeof(*x));
    lzma_ret result;

    x->in = in;
    x->z = (lzma_stream)LZMA_STREAM_INIT;
    *d = (ct_decoder){xz_read, xz_close, x};
    result = lzma_stream_decoder(&x->z, MEMORY, LZMA_CONCATENATED);
    return result == LZMA_OK || failed(result, err);
}
