/* Bytes in: opens a file or stdin, looks at the first bytes, and hands out what is meant, whatever
 * it is packed with. Plain input goes from read(2) to the caller's memory without a copy. */
#define _GNU_SOURCE /* F_SETPIPE_SZ */
#include "common/stream/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HEAD_MAX = 6, /* the longest magic */
    PIPE_SIZE = 1024 * 1024,
    PIECES_PIPE = 16, /* 4 MiB: a chart or two */
    PIECES_UNPACKED = 4,
};

struct ct_in {
    int fd;
    const char *name;
    size_t limit;        /* bytes a read(2); 0: as asked */
    char head[HEAD_MAX]; /* bytes that were looked at and not handed out yet: [head_at, head_n) */
    size_t head_at, head_n;
    bool known;    /* what it is packed with was found out */
    bool ended;    /* read(2) said so; a terminal is not asked twice */
    bool ahead;    /* a pipe, and to be read ahead of the caller */
    ct_pump *pump; /* NULL: plain, and not read ahead */
    ct_err failed; /* errors stick */
    bool regular, pipe;
    _Atomic uint64_t stored; /* bytes of the file, read by whichever thread reads it */
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

/* A pipe that holds more makes both ends wait less often. Where that is refused it stays as it is.
 * The reader asks for it: what a writer has put into a pipe that nobody reads is not known to have
 * arrived. */
static void widen_pipe(int fd)
{
#ifdef F_SETPIPE_SZ
    (void)fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
#else
    (void)fd;
#endif
}

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
    in->regular = S_ISREG(st.st_mode);
    in->pipe = S_ISFIFO(st.st_mode);
    if (in->pipe)
        widen_pipe(fd);
    in->name = standard ? "(standard input)" : path;
    return in;
}

const char *ct_in_name(const ct_in *in)
{
    return in->name;
}

void ct_in_ahead(ct_in *in)
{
    in->ahead = in->pipe;
}

void ct_in_limit(ct_in *in, size_t n)
{
    in->limit = n;
}

uint64_t ct_in_stored(const ct_in *in)
{
    return atomic_load(&in->stored);
}

uint64_t ct_in_stored_total(const char *const *paths, size_t n)
{
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        bool standard = strcmp(paths[i], "-") == 0;
        int result = standard ? fstat(STDIN_FILENO, &st) : stat(paths[i], &st);
        if (result < 0 || !S_ISREG(st.st_mode))
            return 0;
        total += (uint64_t)st.st_size;
    }
    return total;
}

/* Waits for input; false where the pump's thread, which reads then, must end. */
static bool wait_for(const ct_in *in)
{
    struct pollfd fds[2] = {{.fd = in->fd, .events = POLLIN},
                            {.fd = in->pump ? ct_pump_wake(in->pump) : -1, .events = POLLIN}};
    (void)poll(fds, 2, -1);
    return fds[1].revents == 0;
}

/* read(2), begun again after a signal and after waiting for a descriptor that does not block. */
static ssize_t read_some(const ct_in *in, char *to, size_t cap)
{
    if (in->pump && !in->regular && !wait_for(in)) {
        errno = ECANCELED;
        return -1;
    }
    for (;;) {
        ssize_t n = read(in->fd, to, cap);
        if (n >= 0 || (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK))
            return n;
        if (errno != EINTR && !wait_for(in))
            errno = ECANCELED;
        if (errno == ECANCELED)
            return -1;
    }
}

static bool read_fd(ct_in *in, char *to, size_t cap, size_t *got, ct_err *err)
{
    *got = 0;
    if (in->ended)
        return true;
    if (in->limit && cap > in->limit)
        cap = in->limit;
    ssize_t n = read_some(in, to, cap);
    if (n < 0)
        return ct_fail_sys(err, errno, "cannot read");
    in->ended = n == 0;
    *got = (size_t)n;
    atomic_fetch_add(&in->stored, (uint64_t)n);
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
    ct_decoder d = {0};
    bool ok = which == GZIP ? ct_gunzip_open(&d, in, err)
              : which == XZ
                  ? ct_unxz_open(&d, in, err)
                  : ct_unpack_open(&d, in, which == ZSTD ? CT_PACK_ZSTD : CT_PACK_BZIP2, err);

    if (ok || d.close)
        in->pump = ct_pump_new(&d, PIECES_UNPACKED);
    return ok;
}

/* Fits ct_decoder. */
static bool read_plain(void *state, char *to, size_t cap, size_t *got, ct_err *err)
{
    return ct_in_raw(state, to, cap, got, err);
}

/* Fits ct_decoder: the input is its caller's. */
static void close_plain(void *state)
{
    (void)state;
}

static void read_ahead(ct_in *in)
{
    ct_decoder d = {.read = read_plain, .close = close_plain, .state = in};
    in->pump = ct_pump_new(&d, PIECES_PIPE);
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
    if (!in->known && !in->pump && in->ahead)
        read_ahead(in);
    in->known = true;
    if (in->pump)
        return ct_pump_read(in->pump, to, cap, got, err);
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

bool ct_in_ready(ct_in *in)
{
    if (in->pump)
        return ct_pump_ready(in->pump);
    struct pollfd fd = {.fd = in->fd, .events = POLLIN};
    return in->regular || in->head_at < in->head_n || poll(&fd, 1, 0) != 0;
}

void ct_in_close(ct_in *in)
{
    if (!in)
        return;
    if (in->pump)
        ct_pump_free(in->pump);
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
