/* Shared records come before all charts, and go only when a chart goes. Until then they wait here:
 * in memory, and in a temporary file without a name where they are many. */
#include "release.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { IN_MEMORY = 1 << 20, PIECE = 1 << 16 };

struct release_held {
    ct_buf buf;
    ct_side side;
    int fd; /* -1: nothing was spilled */
    off_t spilled;
};

release_held *release_held_new(bool counted)
{
    release_held *h = ct_calloc(1, sizeof *h);

    h->side.off = !counted;
    h->fd = -1;
    return h;
}

static bool open_spill(release_held *h, ct_err *err)
{
    const char *folder = getenv("TMPDIR");
    ct_buf path = {0};

    ct_buf_printf(&path, "%s/chart-release.XXXXXX", folder && *folder ? folder : "/tmp");
    ct_buf_c(&path, '\0');
    h->fd = mkstemp(path.p);
    if (h->fd < 0 || unlink(path.p) != 0)
        ct_fail_sys(err, errno, "cannot make a temporary file");
    ct_buf_free(&path);
    return h->fd >= 0;
}

static bool spill(release_held *h, ct_err *err)
{
    ct_str rest = ct_buf_str(&h->buf);

    if (h->fd < 0 && !open_spill(h, err))
        return false;
    while (rest.n) {
        ssize_t n = pwrite(h->fd, rest.p, rest.n, h->spilled);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ct_fail_sys(err, n ? errno : ENOSPC, "cannot write a temporary file");
        h->spilled += n;
        rest = ct_str_from(rest, (size_t)n);
    }
    h->buf.n = 0;
    return true;
}

bool release_held_add(release_held *h, ct_lines *l, ct_err *err)
{
    ct_buf_put(&h->buf, ct_buf_str(&l->buf));
    ct_side_merge(&h->side, &l->side);
    ct_side_clear(&l->side);
    l->buf.n = 0;
    return h->buf.n < IN_MEMORY || spill(h, err);
}

uint64_t release_held_records(const release_held *h)
{
    return h->side.records;
}

static bool give_spilled(release_held *h, bool (*give)(void *ctx, ct_str piece), void *ctx,
                         ct_err *err)
{
    char piece[PIECE];

    for (off_t at = 0; at < h->spilled;) {
        ssize_t n = pread(h->fd, piece, sizeof piece, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ct_fail_sys(err, n ? errno : EIO, "cannot read a temporary file");
        if (!give(ctx, (ct_str){piece, (size_t)n}))
            return ct_fail(err, CT_E_IO, "cannot write");
        at += n;
    }
    return true;
}

bool release_held_give(release_held *h, ct_side *side, bool (*give)(void *ctx, ct_str piece),
                       void *ctx, ct_err *err)
{
    if (!give_spilled(h, give, ctx, err))
        return false;
    if (h->buf.n && !give(ctx, ct_buf_str(&h->buf)))
        return ct_fail(err, CT_E_IO, "cannot write");
    ct_side_merge(side, &h->side);
    ct_side_clear(&h->side);
    h->spilled = 0;
    h->buf.n = 0;
    return true;
}

void release_held_free(release_held *h)
{
    if (h->fd >= 0)
        close(h->fd);
    ct_buf_free(&h->buf);
    ct_side_free(&h->side);
    free(h);
}
