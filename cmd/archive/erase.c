/* Overwriting and removing files and folders. */
#include "cmd/archive/erase.h"
#include "cmd/archive/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_FOLDERS = 16, CHUNK = 256 * 1024, MARK = 16 /* digits of a bag's hash */ };

static const char *obstacle; /* nftw() takes no context */

static bool is_there(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

/* `dir/2012.zip` becomes `dir/.2012.zip.0123456789abcdef.destroying`, by the bag's hash: the same
 * each time, so that it is found again. */
static char *doomed_name(const char *path, ct_str bag)
{
    const char *slash = strrchr(path, '/');
    ct_str mark = ct_str_head(bag, MARK);
    ct_buf b = {0};

    ct_buf_put(&b, (ct_str){path, slash ? (size_t)(slash - path) + 1 : 0});
    ct_buf_printf(&b, ".%s.%.*s.destroying", slash ? slash + 1 : path, (int)mark.n, mark.p);
    ct_buf_c(&b, '\0');
    return b.p;
}

bool bag_erase_begun(const char *path, ct_str bag)
{
    char *doomed = doomed_name(path, bag);
    bool begun = is_there(doomed);

    free(doomed);
    return begun;
}

bool bag_erase_needed(const char *path, ct_str bag)
{
    return is_there(path) || bag_erase_begun(path, bag);
}

/* ---- what stands in the way ---- */

static int look_at(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)path;
    (void)at;
    if (type == FTW_DNR || type == FTW_NS)
        obstacle = "a part of it cannot be looked at";
    else if (S_ISREG(st->st_mode) && st->st_nlink > 1)
        obstacle = "a file of it has a second name (hard link), under which it would remain";
    else if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
        obstacle = "it is or holds a link or a device";
    return obstacle != NULL;
}

bool bag_erase_allowed(const char *path, const char **why, ct_err *err)
{
    bool ok;

    obstacle = NULL;
    ok = !is_there(path) || nftw(path, look_at, OPEN_FOLDERS, FTW_PHYS) >= 0 ||
         ct_fail_sys(err, errno, "cannot look at it");
    *why = obstacle;
    return ok;
}

/* ---- erasing ---- */

static bool overwrite(int fd, off_t size)
{
    static const char zeros[CHUNK];

    while (size > 0) {
        ssize_t n = write(fd, zeros, size < CHUNK ? (size_t)size : CHUNK);

        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0)
            size -= n;
    }
    return fsync(fd) == 0;
}

static bool erase_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    bool ok;

    if (fd < 0 && errno == EACCES && chmod(path, 0600) == 0)
        fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    ok = fstat(fd, &st) == 0 && overwrite(fd, st.st_size) && ftruncate(fd, 0) == 0;
    return close(fd) == 0 && ok;
}

static int erase_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)type;
    (void)at;
    return S_ISDIR(st->st_mode) || erase_file(path) ? 0 : -1;
}

bool bag_erase(const char *path, ct_str bag, ct_err *err)
{
    char *doomed = doomed_name(path, bag);
    bool ok = true;

    if (is_there(path))
        ok = (rename(path, doomed) == 0 || ct_fail_sys(err, errno, "cannot take its name away")) &&
             bag_sync_parent(path, err);
    free(doomed);
    return ok && bag_erase_again(path, bag, err);
}

bool bag_erase_again(const char *path, ct_str bag, ct_err *err)
{
    char *doomed = doomed_name(path, bag);
    const char *why = NULL;
    bool ok = bag_erase_allowed(doomed, &why, err);

    if (ok && why)
        ok = ct_fail(err, CT_E_DATA, why);
    if (ok && is_there(doomed))
        ok = nftw(doomed, erase_one, OPEN_FOLDERS, FTW_PHYS) == 0 ||
             ct_fail_sys(err, errno, "cannot overwrite it");
    free(doomed);
    return ok;
}

bool bag_erase_rest(const char *path, ct_str bag, ct_err *err)
{
    char *doomed = doomed_name(path, bag);
    bool ok = true;

    if (is_there(doomed))
        ok = (bag_tree_remove(doomed) ||
              ct_fail_sys(err, errno, "cannot remove what is left of it")) &&
             bag_sync_parent(path, err);
    free(doomed);
    return ok;
}
