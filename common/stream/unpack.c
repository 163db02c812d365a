/* zstd and bzip2 by libarchive's filters. Which filter it is was found out before, so that
 * libarchive's own guessing (which would unpack twice what was packed twice, and takes what it does
 * not know for plain bytes) stays out of it.
 *
 * libarchive 3.6 does not tell a cut stream from a corrupt one, its format "empty" takes an error
 * for no data, and its bzip2 filter takes a cut or damaged header for the end. All are told here by
 * what was asked of the input: an error after the input's end was seen is a cut; an end of data
 * before it is not the end. */
#include "common/stream/internal.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>

enum { STORED = 128 * 1024, BZIP2_MIN = 14 };

typedef struct unpack {
    ct_in *in;
    struct archive *a;
    ct_packing packing;
    uint64_t taken;   /* stored bytes given to libarchive */
    bool input_ended; /* it was told so */
    ct_err io;        /* reading the input failed */
    const char *data; /* unpacked and not handed out yet */
    size_t n;
    bool done;
    char tail[BZIP2_MIN]; /* the last bytes given to libarchive, at its end */
    char stored[STORED];
} unpack;

static const struct packing {
    int filter;
    const char *cut, *corrupt, *trailing;
} packings[] = {
    [CT_PACK_ZSTD] = {ARCHIVE_FILTER_ZSTD, "the zstd stream is cut", "the zstd stream is corrupt",
                      "something else stands behind the zstd stream"},
    [CT_PACK_BZIP2] = {ARCHIVE_FILTER_BZIP2, "the bzip2 stream is cut",
                       "the bzip2 stream is corrupt",
                       "something else stands behind the bzip2 stream"},
};

static void keep_tail(unpack *u, ct_str s)
{
    size_t n = s.n < sizeof u->tail ? s.n : sizeof u->tail;
    memmove(u->tail, u->tail + n, sizeof u->tail - n);
    memcpy(u->tail + sizeof u->tail - n, s.p + s.n - n, n);
}

static la_ssize_t on_read(struct archive *a, void *state, const void **bytes)
{
    unpack *u = state;
    size_t got;
    *bytes = u->stored;
    if (!ct_in_raw(u->in, u->stored, sizeof u->stored, &got, &u->io)) {
        archive_set_error(a, u->io.sys, "cannot read");
        return -1;
    }
    keep_tail(u, (ct_str){u->stored, got});
    u->taken += got;
    u->input_ended = got == 0;
    return (la_ssize_t)got;
}

static bool failed(unpack *u, ct_err *err)
{
    const struct packing *p = &packings[u->packing];
    if (u->io.kind) {
        *err = u->io;
        return false;
    }
    const char *why = archive_error_string(u->a);
    if (archive_errno(u->a) == ENOMEM || (why && strstr(why, "memory")))
        return ct_fail(err, CT_E_LIMIT, "unpacking it takes more memory than is allowed");
    return u->input_ended ? ct_fail(err, CT_E_CUT, p->cut) : ct_fail(err, CT_E_DATA, p->corrupt);
}

/* Are the last `n` bytes the beginning of a bzip2 stream that is too short for libarchive to know?
 * ("BZh", the block size, then the number pi or its square root in BCD.) */
static bool cut_bzip2(const unpack *u, size_t n)
{
    static const char *const starts[] = {"BZh9\x31\x41\x59\x26\x53\x59",
                                         "BZh9\x17\x72\x45\x38\x50\x90"};
    if (u->packing != CT_PACK_BZIP2 || n >= BZIP2_MIN)
        return false;
    char bytes[BZIP2_MIN];
    memcpy(bytes, u->tail + sizeof u->tail - n, n);
    if (n > 3 && bytes[3] >= '1' && bytes[3] <= '9')
        bytes[3] = '9';
    size_t known = n < 10 ? n : 10;
    return memcmp(bytes, starts[0], known) == 0 || memcmp(bytes, starts[1], known) == 0;
}

/* Nothing may stand behind the end: libarchive stops at what it takes for one. What it consumed of
 * the input tells. */
static bool check_end(unpack *u, ct_err *err)
{
    const struct packing *p = &packings[u->packing];
    char more;
    size_t got;
    uint64_t left = u->taken - (uint64_t)archive_filter_bytes(u->a, -1);
    if (!u->input_ended) {
        if (!ct_in_raw(u->in, &more, 1, &got, err))
            return false;
        left += got;
        u->input_ended = got == 0;
    }
    if (left == 0)
        return true;
    return u->input_ended && cut_bzip2(u, left) ? ct_fail(err, CT_E_CUT, p->cut)
                                                : ct_fail(err, CT_E_DATA, p->trailing);
}

/* The next piece of data, or the end. */
static bool next_block(unpack *u, ct_err *err)
{
    const void *data;
    la_int64_t offset;
    int result = archive_read_data_block(u->a, &data, &u->n, &offset);
    u->data = data;
    if (result == ARCHIVE_OK)
        return true;
    u->n = 0;
    if (result != ARCHIVE_EOF)
        return failed(u, err);
    u->done = true;
    return check_end(u, err);
}

static bool unpack_read(void *state, char *to, size_t cap, size_t *got, ct_err *err)
{
    unpack *u = state;
    while (u->n == 0 && !u->done)
        if (!next_block(u, err))
            return false;
    *got = u->n < cap ? u->n : cap;
    if (*got == 0)
        return true;
    memcpy(to, u->data, *got);
    u->data += *got;
    u->n -= *got;
    return true;
}

static void unpack_close(void *state)
{
    unpack *u = state;
    archive_read_free(u->a);
    free(u);
}

/* libarchive's formats "raw" (bytes) and "empty" (no bytes) are the only ones asked for. An error
 * that "empty" took for no data is seen by the message that it left. */
static int start(unpack *u)
{
    struct archive_entry *entry;
    int result = archive_read_support_format_raw(u->a);
    if (result == ARCHIVE_OK)
        result = archive_read_support_format_empty(u->a);
    if (result == ARCHIVE_OK)
        result = archive_read_append_filter(u->a, packings[u->packing].filter);
    if (result == ARCHIVE_OK)
        result = archive_read_open(u->a, u, NULL, on_read, NULL);
    if (result == ARCHIVE_OK && archive_errno(u->a) != 0)
        return ARCHIVE_FATAL;
    return result == ARCHIVE_OK ? archive_read_next_header(u->a, &entry) : result;
}

bool ct_unpack_open(ct_decoder *d, ct_in *in, ct_packing packing, ct_err *err)
{
    unpack *u = ct_calloc(1, sizeof *u);
    u->in = in;
    u->packing = packing;
    u->a = archive_read_new();
    if (!u->a)
        ct_oom();
    *d = (ct_decoder){unpack_read, unpack_close, u};
    int result = start(u);
    if (result == ARCHIVE_OK)
        return true;
    u->done = true;
    return result == ARCHIVE_EOF ? check_end(u, err) : failed(u, err);
}
