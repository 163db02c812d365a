/* A bag written as a folder. */
#include "cmd/archive/sink.h"
#include "cmd/archive/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_FOLDERS = 16, MANY_FILES = 1000 };

typedef struct folder_sink {
    bag_sink base;
    int root, file;
    uint64_t files, written;
    ct_buf made; /* the last folder that was made sure of */
} folder_sink;

/* ---- trees ---- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

bool bag_tree_remove(const char *path)
{
    return nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) == 0;
}

static int sync_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    bool ok;

    (void)st;
    (void)type;
    (void)at;
    if (fd < 0)
        return -1;
    ok = fsync(fd) == 0 || errno == EINVAL;
    return close(fd) == 0 && ok ? 0 : -1;
}

bool bag_tree_sync(const char *path, ct_err *err)
{
    return nftw(path, sync_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) == 0 ||
           ct_fail_sys(err, errno, "cannot sync the bag");
}

/* ---- writing ---- */

/* A file and a folder of one name, two files of one name, a name that is too long: the bag's fault,
 * not the system's. */
static bool cannot(ct_err *err, const char *text)
{
    if (errno == EEXIST || errno == ENOTDIR || errno == EISDIR || errno == ENAMETOOLONG)
        return ct_fail(err, CT_E_DATA, "a name of the bag is too long or taken here");
    return ct_fail_sys(err, errno, text);
}

/* What is longer, from here, than a path can be could be made step by step, and not be removed. */
static bool short_enough(const folder_sink *f, const char *path, ct_err *err)
{
    errno = ENAMETOOLONG;
    return strlen(f->base.unfinished) + strlen("/") + strlen(path) < PATH_MAX ||
           cannot(err, "cannot make a folder");
}

/* Makes every folder on the way to `path`, one by one below the root. */
static bool make_way(folder_sink *f, const char *path, ct_err *err)
{
    const char *last = strrchr(path, '/');
    ct_str way = {path, last ? (size_t)(last - path) : 0};
    ct_buf step = {0};
    bool ok = true;

    if (!short_enough(f, path, err))
        return false;
    if (way.n == 0 || ct_str_eq(way, ct_buf_str(&f->made)))
        return true;
    for (size_t i = 0; ok && i < way.n; i = step.n) {
        const char *slash = memchr(path + i + 1, '/', way.n - i - 1);

        step.n = 0;
        ct_buf_put(&step, (ct_str){path, slash ? (size_t)(slash - path) : way.n});
        ct_buf_c(&step, '\0');
        ok = mkdirat(f->root, step.p, 0700) == 0 || errno == EEXIST ||
             cannot(err, "cannot make a folder");
        step.n--;
    }
    f->made.n = 0;
    if (ok)
        ct_buf_put(&f->made, way);
    ct_buf_free(&step);
    return ok;
}

static bool folder_folder(bag_sink *s, const char *path, ct_err *err)
{
    folder_sink *f = (folder_sink *)s;

    if (!make_way(f, path, err))
        return false;
    return mkdirat(f->root, path, 0700) == 0 || errno == EEXIST ||
           ct_fail_sys(err, errno, "cannot make a folder");
}

static bool folder_begin(bag_sink *s, const char *path, uint64_t size, ct_err *err)
{
    folder_sink *f = (folder_sink *)s;

    (void)size;
    if (!make_way(f, path, err))
        return false;
    f->file = openat(f->root, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return f->file >= 0 || cannot(err, "cannot make a file");
}

static bool folder_put(bag_sink *s, ct_str bytes, ct_err *err)
{
    folder_sink *f = (folder_sink *)s;

    f->written += bytes.n;
    while (bytes.n) {
        ssize_t n = write(f->file, bytes.p, bytes.n);

        if (n < 0 && errno != EINTR)
            return ct_fail_sys(err, errno, "cannot write");
        if (n > 0)
            bytes = ct_str_from(bytes, (size_t)n);
    }
    return true;
}

static bool folder_end(bag_sink *s, ct_err *err)
{
    folder_sink *f = (folder_sink *)s;
    const struct timespec times[2] = {{.tv_sec = (time_t)s->opts.mtime},
                                      {.tv_sec = (time_t)s->opts.mtime}};
    bool ok = s->opts.mtime == BAG_NO_DATE || futimens(f->file, times) == 0;

    ok &= close(f->file) == 0;
    f->file = -1;
    f->files++;
    return ok || ct_fail_sys(err, errno, "cannot write");
}

static bool folder_written(bag_sink *s, bool exact, uint64_t *bytes, ct_err *err)
{
    (void)exact;
    (void)err;
    *bytes = ((folder_sink *)s)->written;
    return true;
}

/* Synced at the end: of many files, sync(2) writes all at once what fsync(2) would wait for one by
 * one, and leaves fsync little to do but to say whether it went well. */
static bool folder_finish(bag_sink *s, ct_err *err)
{
    if (((folder_sink *)s)->files > MANY_FILES)
        sync();
    return bag_tree_sync(s->unfinished, err);
}

static void folder_discard(bag_sink *s)
{
    folder_sink *f = (folder_sink *)s;

    if (f->file >= 0)
        close(f->file);
    if (f->root >= 0)
        close(f->root);
    ct_buf_free(&f->made);
    if (access(s->unfinished, F_OK) == 0)
        bag_tree_remove(s->unfinished);
    bag_sweep_drop(s->unfinished);
}

bag_sink *bag_folder_sink(const bag_sink *like, ct_err *err)
{
    folder_sink *f;
    int root = bag_sweep_make(like->unfinished, true);

    if (root < 0) {
        ct_fail_sys(err, errno, "cannot write there");
        return NULL;
    }
    f = ct_calloc(1, sizeof(*f));
    f->base = *like;
    f->base.folder = folder_folder;
    f->base.begin = folder_begin;
    f->base.put = folder_put;
    f->base.end = folder_end;
    f->base.written = folder_written;
    f->base.finish = folder_finish;
    f->base.discard = folder_discard;
    f->file = -1;
    f->root = root;
    return &f->base;
}
