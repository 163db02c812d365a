/* Text that waits, in memory or in a temporary file. */
#include "common/stream/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { IN_MEMORY = 1024 * 1024 };

struct ct_spool {
    ct_buf buf; /* what is not in the file: the end of the text */
    int fd;     /* -1: all is in memory */
    off_t filed, read;
};

ct_spool *ct_spool_new(void)
{
    ct_spool *s = ct_calloc(1, sizeof *s);
    s->fd = -1;
    return s;
}

static bool to_file(ct_spool *s, ct_err *err)
{
    if (s->fd < 0 && (s->fd = ct_temp_open(err)) < 0)
        return false;
    for (ct_str rest = ct_buf_str(&s->buf); rest.n;) {
        ssize_t n = pwrite(s->fd, rest.p, rest.n, s->filed);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ct_fail_sys(err, n ? errno : ENOSPC, "temporary file: cannot write");
        s->filed += n;
        rest = ct_str_from(rest, (size_t)n);
    }
    s->buf.n = 0;
    return true;
}

bool ct_spool_put(ct_spool *s, ct_str text, ct_err *err)
{
    ct_buf_put(&s->buf, text);
    return s->buf.n < IN_MEMORY || to_file(s, err);
}

uint64_t ct_spool_size(const ct_spool *s)
{
    return (uint64_t)s->filed + s->buf.n;
}

bool ct_spool_read(ct_spool *s, char *to, size_t cap, size_t *got, ct_err *err)
{
    ssize_t n;
    if (s->read >= s->filed) {
        ct_str rest =
            ct_str_head(ct_str_from(ct_buf_str(&s->buf), (size_t)(s->read - s->filed)), cap);
        if (rest.n)
            memcpy(to, rest.p, rest.n);
        *got = rest.n;
    } else {
        size_t want = (uint64_t)(s->filed - s->read) < cap ? (size_t)(s->filed - s->read) : cap;
        do
            n = pread(s->fd, to, want, s->read);
        while (n < 0 && errno == EINTR);
        if (n <= 0)
            return ct_fail_sys(err, n ? errno : EIO, "temporary file: cannot read");
        *got = (size_t)n;
    }
    s->read += (off_t)*got;
    return true;
}

void ct_spool_free(ct_spool *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    ct_buf_free(&s->buf);
    free(s);
}
