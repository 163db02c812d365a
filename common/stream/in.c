/* Bytes in: opens a file or stdin, looks at the first bytes, and hands out what is meant, whatever
 * it is packed with. Plain input goes from read(2) to the caller's memory without a copy. */
#include "common/stream/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_MAX = 6 }; /* the longest magic */

struct ct_in {
    int fd;
    const char *name;
    size_t limit;        /* bytes a read(2); 0: as asked */
    char head[HEAD_MAX]; /* bytes that were looked at and not handed out yet: [head_at, head_n) */
    size_t head_at, head_n;
    bool known;     /* what it is packed with was found out */
    bool ended;     /* read(2) said so; a terminal is not asked twice */
    ct_decoder dec; /* read NULL: plain */
    ct_err failed;  /* errors stick */
};

/* The first bytes by which a packing is known: RFC 1952, RFC 8878, the .xz file format 1.2.1 and
 * bzip2's "BZh" and block size (which stands for '1' to '9'). From `sure` bytes on it can be no
 * text, so that a file which ends there is cut. */
static const struct magic {
    const char *bytes;
    size_t n, sure;
} magics[] = {
    {"\x1f\x8b", 2, 1},
    {"\x28\xb5\x2f\xfd", 4, 2},
    {"\xfd\x37\x7a\x58\x5a\x00", 6, 1},
    {"BZh9", 4, 4},
};
enum { GZIP, ZSTD, XZ, BZIP2 };

ct_in *ct_in_open(const char *path, ct_err *err)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat st = {0};
    if (fd < 0 || fstat(fd, &st) < 0 || S_ISDIR(st.st_mode)) {
        ct_fail_sys(err, fd < 0 || !S_ISDIR(st.st_mode) ? errno : EISDIR, "cannot open");
        if (err)
            err->file = standard ? "(standard input)" : path;
        if (fd > STDIN_FILENO)
            close(fd);
        return NULL;
    }
    ct_in *in = ct_calloc(1, sizeof *in);
    in->fd = fd;
    in->name = standard ? "(standard input)" : path;
    return in;
}

const char *ct_in_name(const ct_in *in)
{
    return in->name;
}

void ct_in_limit(ct_in *in, size_t n)
{
    in->limit = n;
}

/* read(2), begun again after a signal and after waiting for a descriptor that does not block. */
static ssize_t read_some(int fd, char *to, size_t cap)
{
    for (;;) {
        ssize_t n = read(fd, to, cap);
        if (n >= 0 || (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK))
            return n;
        if (errno != EINTR)
            (void)poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1);
    }
}

static bool read_fd(ct_in *in, char *to, size_t cap, size_t *got, ct_err *err)
{
    *got = 0;
    if (in->ended)
        return true;
    if (in->limit && cap > in->limit)
        cap = in->limit;
    ssize_t n = read_some(in->fd, to, cap);
    if (n < 0)
        return ct_fail_sys(err, errno, "cannot read");
    in->ended = n == 0;
    *got = (size_t)n;
    return true;
}

bool ct_in_raw(ct_in *in, char *to, size_t cap, size_t *got, ct_err *err)
{
    size_t n = in->head_n - in->head_at;
    if (n == 0)
        return read_fd(in, to, cap, got, err);
    if (n > cap)
        n = cap;
    memcpy(to, in->head + in->head_at, n);
    in->head_at += n;
    *got = n;
    return true;
}

/* How many bytes of a magic the head has: as many as it holds or the magic is long, else 0. */
static size_t matches(const ct_in *in, size_t which)
{
    const struct magic *m = &magics[which];
    size_t n = in->head_n < m->n ? in->head_n : m->n;
    for (size_t i = 0; i < n; i++) {
        bool level = which == BZIP2 && i == 3 && in->head[i] >= '1' && in->head[i] <= '9';
        if (in->head[i] != m->bytes[i] && !level)
            return 0;
    }
    return n;
}

static bool open_decoder(ct_in *in, size_t which, ct_err *err)
{
    static const ct_packing packing[] = {
        [ZSTD] = CT_PACK_ZSTD, [XZ] = CT_PACK_XZ, [BZIP2] = CT_PACK_BZIP2};
    return which == GZIP ? ct_gunzip_open(&in->dec, in, err)
                         : ct_unpack_open(&in->dec, in, packing[which], err);
}

/* Takes as many bytes as it needs to tell, and no more: a pipe may be slow. */
static bool sniff(ct_in *in, ct_err *err)
{
    for (;;) {
        size_t maybe = 0; /* some magic could still be completed */
        for (size_t i = 0; i < CT_LEN(magics); i++) {
            size_t n = matches(in, i);
            if (n == magics[i].n)
                return open_decoder(in, i, err);
            if (n >= magics[i].sure && in->ended)
                return ct_fail(err, CT_E_CUT, "the compressed stream is cut");
            maybe |= n;
        }
        if ((in->head_n && !maybe) || in->ended)
            return true;
        size_t got;
        if (!read_fd(in, in->head + in->head_n, 1, &got, err))
            return false;
        in->head_n += got;
    }
}

static bool read_any(ct_in *in, char *to, size_t cap, size_t *got, ct_err *err)
{
    if (!in->known && !sniff(in, err))
        return false;
    in->known = true;
    if (in->dec.read)
        return in->dec.read(in->dec.state, to, cap, got, err);
    if (in->head_at == in->head_n)
        return read_fd(in, to, cap, got, err);
    return ct_in_raw(in, to, cap, got, err);
}

bool ct_in_read(ct_in *in, char *to, size_t cap, size_t *got, ct_err *err)
{
    *got = 0;
    if (in->failed.kind == CT_OK && read_any(in, to, cap, got, &in->failed))
        return true;
    *got = 0;
    in->failed.file = in->name;
    if (err)
        *err = in->failed;
    return false;
}

void ct_in_close(ct_in *in)
{
    if (!in)
        return;
    if (in->dec.close)
        in->dec.close(in->dec.state);
    if (in->fd != STDIN_FILENO)
        close(in->fd);
    free(in);
}

static bool slurp_open(ct_in *in, size_t max, ct_buf *to, ct_err *err)
{
    size_t start = to->n, got;
    do {
        /* One byte over the bound tells a file that fills it from one that passes it. */
        size_t room = max - (to->n - start) + 1;
        if (room > 64 * 1024)
            room = 64 * 1024;
        if (!ct_in_read(in, ct_buf_room(to, room), room, &got, err))
            return false;
        to->n += got;
        if (to->n - start > max) {
            ct_fail(err, CT_E_LIMIT, "too long");
            if (err)
                err->file = in->name;
            return false;
        }
    } while (got);
    return true;
}

bool ct_slurp(const char *path, size_t max, ct_buf *to, ct_err *err)
{
    ct_in *in = ct_in_open(path, err);
    if (!in)
        return false;
    bool ok = slurp_open(in, max, to, err);
    ct_in_close(in);
    return ok;
}
