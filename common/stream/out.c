/* Bytes out: stdout, or a file that is written beside its final place and gets its name when it is
 * whole and on the disk. Until then what stands under the name stays as it is.
 *
 * While it is written the file has no name at all where the system knows such files (O_TMPFILE), so
 * that nothing is left of it, and of the records in it, after kill -9 either. linkat(2) cannot put
 * it in the place of another file: in the end it gets a hidden name beside that place, and at once
 * the final one. Where the system has no nameless files, or no /proc by which to name one, it has
 * the hidden name from the start; where it turns out that it cannot be named after all, it is
 * copied. */
#define _GNU_SOURCE /* O_TMPFILE */
#include "common/stream/internal.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 256 * 1024 };

struct ct_out {
    int fd;
    const char *name;       /* as the caller called it */
    char *path;             /* the final name; NULL: written straight */
    char *temporary;        /* the hidden one, while it has that */
    bool anew;              /* what stands under the final name goes at once */
    struct archive *packer; /* NULL: plain */
    bool dropped;
    bool eager;    /* a terminal: somebody waits for it */
    ct_err failed; /* errors stick */
    size_t n;
    char buffer[BUFFER];
};

/* ---- writing ---- */

bool ct_write_all(int fd, ct_str s, ct_err *err)
{
    while (s.n) {
        ssize_t n = write(fd, s.p, s.n);
        if (n >= 0)
            s = ct_str_from(s, (size_t)n);
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            (void)poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        else if (errno != EINTR)
            return ct_fail_sys(err, errno, "cannot write");
    }
    return true;
}

/* libarchive's error, or that of the write below it. */
static bool packer_failed(ct_out *out)
{
    if (out->failed.kind == CT_OK)
        ct_fail(&out->failed, CT_E_IO, "cannot compress");
    return false;
}

static la_ssize_t on_packed(struct archive *a, void *state, const void *bytes, size_t n)
{
    ct_out *out = state;
    (void)a;
    if (out->dropped)
        return (la_ssize_t)n;
    return ct_write_all(out->fd, (ct_str){bytes, n}, &out->failed) ? (la_ssize_t)n : -1;
}

static bool write_out(ct_out *out, ct_str s)
{
    if (!out->packer)
        return ct_write_all(out->fd, s, &out->failed);
    while (s.n) {
        la_ssize_t n = archive_write_data(out->packer, s.p, s.n);
        if (n <= 0)
            return packer_failed(out);
        s = ct_str_from(s, (size_t)n);
    }
    return true;
}

static bool flush(ct_out *out)
{
    size_t n = out->n;
    out->n = 0;
    return write_out(out, (ct_str){out->buffer, n});
}

bool ct_out_put(ct_out *out, ct_str s)
{
    if (out->failed.kind)
        return false;
    if (s.n > BUFFER - out->n && !flush(out))
        return false;
    if (s.n >= BUFFER)
        return write_out(out, s);
    if (s.n)
        memcpy(out->buffer + out->n, s.p, s.n);
    out->n += s.n;
    return !out->eager || flush(out);
}

bool ct_out_flush(ct_out *out)
{
    return out->failed.kind == CT_OK && (out->path || out->packer || flush(out));
}

/* Pipes and the like have no disk to be on. */
bool ct_out_sync(ct_out *out, ct_err *err)
{
    bool ok = ct_out_flush(out);

    if (ok && !out->path && fsync(out->fd) < 0 && errno != EINVAL && errno != EROFS &&
        errno != ENOTSUP)
        ok = ct_fail_sys(&out->failed, errno, "cannot sync");
    if (!ok)
        *err = out->failed;
    return ok;
}

/* ---- opening ---- */

/* The filter that the name asks for, or 0. */
static int filter_of(const char *name)
{
    static const struct {
        const char *suffix;
        int filter;
    } filters[] = {
        {".gz", ARCHIVE_FILTER_GZIP},
        {".zst", ARCHIVE_FILTER_ZSTD},
        {".xz", ARCHIVE_FILTER_XZ},
        {".bz2", ARCHIVE_FILTER_BZIP2},
    };
    for (size_t i = 0; i < CT_LEN(filters); i++)
        if (ct_str_ends(ct_str_z(name), ct_str_z(filters[i].suffix)))
            return filters[i].filter;
    return 0;
}

/* Bytes come out as they are made, not in blocks of a tape; a time stamp would make two runs
 * differ. */
static bool open_packer(ct_out *out, int filter)
{
    struct archive_entry *entry = archive_entry_new();
    struct archive *a = out->packer = archive_write_new();
    if (!a || !entry)
        ct_oom();
    archive_entry_set_filetype(entry, AE_IFREG);
    bool ok = archive_write_set_format_raw(a) == ARCHIVE_OK &&
              archive_write_add_filter(a, filter) == ARCHIVE_OK &&
              (filter != ARCHIVE_FILTER_GZIP ||
               archive_write_set_filter_option(a, "gzip", "timestamp", NULL) == ARCHIVE_OK) &&
              archive_write_set_bytes_per_block(a, 0) == ARCHIVE_OK &&
              archive_write_open(a, out, NULL, on_packed, NULL) == ARCHIVE_OK &&
              archive_write_header(a, entry) == ARCHIVE_OK;
    archive_entry_free(entry);
    return ok || packer_failed(out);
}

/* The folder that holds `path`. */
static ct_str folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return CT_S(".");
    return slash == path ? CT_S("/") : (ct_str){path, (size_t)(slash - path)};
}

static char *zstring(ct_str s)
{
    char *z = ct_alloc(s.n + 1);
    memcpy(z, s.p, s.n);
    z[s.n] = '\0';
    return z;
}

/* FOLDER/.NAME.XXXXXX; a long name is shortened, as the folder may bound its length. */
static char *temporary_name(const char *path)
{
    ct_str folder = folder_of(path);
    const char *slash = strrchr(path, '/');
    ct_str name = ct_str_head(ct_str_z(slash ? slash + 1 : path), 200);
    ct_buf b = {0};
    ct_buf_put(&b, folder);
    ct_buf_z(&b, "/.");
    ct_buf_put(&b, name);
    ct_buf_put(&b, (ct_str){".XXXXXX", sizeof ".XXXXXX"});
    return b.p;
}

static bool is_descriptor(const char *path)
{
    ct_str s = ct_str_z(path);
    return ct_str_starts(s, CT_S("/dev/fd/")) || ct_str_starts(s, CT_S("/dev/std")) ||
           ct_str_starts(s, CT_S("/proc/"));
}

/* Does output to `path` go straight to what is there: a device, a pipe, a descriptor? */
static bool is_special(const char *path, const struct stat *st)
{
    return !S_ISREG(st->st_mode) || is_descriptor(path);
}

static bool open_straight(ct_out *out, const char *path)
{
    out->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    return out->fd >= 0 || ct_fail_sys(&out->failed, errno, "cannot open for writing");
}

static void forget_temporary(ct_out *out)
{
    ct_cleanup_drop(out->temporary);
    free(out->temporary);
    out->temporary = NULL;
}

/* Entered for removal before it is there, so that no signal comes in between. */
static bool enter_temporary(ct_out *out, char *name)
{
    out->temporary = name;
    if (ct_cleanup_add(name))
        return true;
    forget_temporary(out);
    return ct_fail(&out->failed, CT_E_LIMIT, "too many files are being written at once");
}

/* A file with a hidden name; -1 on failure. */
static int open_named(ct_out *out)
{
    if (!enter_temporary(out, temporary_name(out->path)))
        return -1;
    int fd = mkstemp(out->temporary);
    if (fd < 0) {
        ct_fail_sys(&out->failed, errno, "cannot create");
        forget_temporary(out);
        return -1;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

typedef struct fd_link {
    char path[sizeof "/proc/self/fd/" + 3 * sizeof(int)];
} fd_link;

static fd_link link_of(int fd)
{
    fd_link link;
    snprintf(link.path, sizeof link.path, "/proc/self/fd/%d", fd);
    return link;
}

/* A file without a name that can be given one; -1 where there is no such thing. */
static int open_nameless(const char *path)
{
    int fd = -1;
#ifdef O_TMPFILE
    struct stat own, linked;
    char *folder = zstring(folder_of(path));
    fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    free(folder);
    if (fd >= 0 && (fstat(fd, &own) < 0 || stat(link_of(fd).path, &linked) < 0 ||
                    own.st_dev != linked.st_dev || own.st_ino != linked.st_ino)) {
        close(fd);
        fd = -1;
    }
#else
    (void)path;
#endif
    return fd;
}

static bool open_hidden(ct_out *out, const char *path)
{
    out->path = zstring(ct_str_z(path));
    if (out->anew && unlink(path) < 0 && errno != ENOENT)
        return ct_fail_sys(&out->failed, errno, "cannot remove what an earlier run left there");
    out->fd = open_nameless(path);
    if (out->fd < 0)
        out->fd = open_named(out);
    return out->fd >= 0;
}

/* What a link points to is replaced, and the link stays. */
static bool open_target(ct_out *out, const char *link)
{
    char *path = realpath(link, NULL);
    if (!path)
        return ct_fail_sys(&out->failed, errno, "cannot open for writing");
    bool ok = open_hidden(out, path);
    free(path);
    return ok;
}

static bool open_file(ct_out *out, const char *path)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return errno == ENOENT ? open_hidden(out, path)
                               : ct_fail_sys(&out->failed, errno, "cannot open for writing");
    if (S_ISLNK(st.st_mode)) {
        if (stat(path, &st) < 0)
            return ct_fail_sys(&out->failed, errno, "cannot open for writing");
        if (!is_special(path, &st))
            return open_target(out, path);
    }
    return is_special(path, &st) ? open_straight(out, path) : open_hidden(out, path);
}

static bool open_any(ct_out *out, const char *path)
{
    if (path && strcmp(path, "-") != 0 && strcmp(path, "/dev/stdout") != 0)
        return open_file(out, path) && (filter_of(path) == 0 || open_packer(out, filter_of(path)));
    /* A copy, so that it can be closed, and late errors be seen, as with any other file. */
    out->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    out->eager = isatty(STDOUT_FILENO);
    return out->fd >= 0 || ct_fail_sys(&out->failed, errno, "cannot write");
}

static ct_out *open_out(const char *path, bool anew, ct_err *err)
{
    ct_out *out = ct_alloc(sizeof *out);
    memset(out, 0, offsetof(ct_out, buffer));
    out->fd = -1;
    out->anew = anew;
    out->name = path && strcmp(path, "-") != 0 ? path : "(standard output)";
    if (open_any(out, path))
        return out;
    out->failed.file = out->name;
    if (err)
        *err = out->failed;
    ct_out_abandon(out);
    return NULL;
}

ct_out *ct_out_open(const char *path, ct_err *err)
{
    return open_out(path, false, err);
}

ct_out *ct_out_open_anew(const char *path, ct_err *err)
{
    return open_out(path, true, err);
}

/* ---- a name ---- */

/* FOLDER/.NAME.PID-N: nobody else's but by chance. */
static char *link_name(const char *path, unsigned n)
{
    char *name = temporary_name(path);
    ct_buf b = {0};
    ct_buf_put(&b, ct_str_head(ct_str_z(name), strlen(name) - strlen("XXXXXX")));
    ct_buf_printf(&b, "%jd-%u", (intmax_t)getpid(), n);
    ct_buf_c(&b, '\0');
    free(name);
    return b.p;
}

/* False where it cannot be; `failed` tells where that is not the system's fault. */
static bool link_hidden(ct_out *out)
{
    enum { TRIES = 100 };
    for (unsigned n = 0; n < TRIES; n++) {
        if (!enter_temporary(out, link_name(out->path, n)))
            return false;
        if (linkat(AT_FDCWD, link_of(out->fd).path, AT_FDCWD, out->temporary, AT_SYMLINK_FOLLOW) ==
            0)
            return true;
        bool taken = errno == EEXIST;
        forget_temporary(out);
        if (!taken)
            break;
    }
    return false;
}

/* From the nameless file, to one with a name. */
static bool copy_bytes(ct_out *out, int to)
{
    off_t at = 0;
    for (ssize_t n; (n = pread(out->fd, out->buffer, BUFFER, at)) != 0; at += n > 0 ? n : 0) {
        if (n < 0 && errno != EINTR)
            return ct_fail_sys(&out->failed, errno, "cannot read what was written");
        if (n > 0 && !ct_write_all(to, (ct_str){out->buffer, (size_t)n}, &out->failed))
            return false;
    }
    return fsync(to) == 0 || ct_fail_sys(&out->failed, errno, "cannot sync");
}

static bool copy_hidden(ct_out *out)
{
    int to = open_named(out);
    if (to < 0)
        return false;
    bool ok = copy_bytes(out, to);
    close(out->fd); /* whatever it says: all that matters was read from it */
    out->fd = to;
    return ok;
}

/* The hidden name, where it has none yet. */
static bool name_hidden(ct_out *out)
{
    return out->temporary || link_hidden(out) || (out->failed.kind == CT_OK && copy_hidden(out));
}

/* ---- closing ---- */

static bool finish_packer(ct_out *out)
{
    if (!out->packer)
        return true;
    int result = archive_write_close(out->packer);
    return result == ARCHIVE_OK || packer_failed(out);
}

/* Some file systems cannot sync a folder, and say so. */
static bool sync_folder(const char *path, ct_err *err)
{
    char *folder = zstring(folder_of(path));
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    if (fd < 0)
        return errno == EACCES || ct_fail_sys(err, errno, "cannot sync its folder");
    bool ok =
        fsync(fd) == 0 || errno == EINVAL || ct_fail_sys(err, errno, "cannot sync its folder");
    close(fd);
    return ok;
}

static bool close_fd(ct_out *out)
{
    int fd = out->fd;
    out->fd = -1;
    return close(fd) == 0 || ct_fail_sys(&out->failed, errno, "cannot write");
}

static bool finish(ct_out *out)
{
    if (out->failed.kind || !flush(out) || !finish_packer(out))
        return false;
    if (!out->path)
        return close_fd(out);
    if (fsync(out->fd) < 0)
        return ct_fail_sys(&out->failed, errno, "cannot sync");
    if (!name_hidden(out) || !close_fd(out))
        return false;
    if (rename(out->temporary, out->path) < 0)
        return ct_fail_sys(&out->failed, errno, "cannot rename");
    forget_temporary(out);
    return sync_folder(out->path, &out->failed);
}

bool ct_out_close(ct_out *out, ct_err *err)
{
    bool ok = finish(out);
    if (!ok) {
        out->failed.file = out->name;
        if (err)
            *err = out->failed;
    }
    ct_out_abandon(out);
    return ok;
}

void ct_out_abandon(ct_out *out)
{
    if (!out)
        return;
    out->dropped = true; /* what the packer still writes when it ends */
    archive_write_free(out->packer);
    if (out->fd >= 0)
        close(out->fd);
    if (out->temporary) {
        unlink(out->temporary);
        forget_temporary(out);
    }
    free(out->path);
    free(out);
}
