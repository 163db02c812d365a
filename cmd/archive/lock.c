/* Locks by fcntl(), which network file systems know too. */
#include "cmd/archive/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whoever had it before removed the file when he was done: then the lock is on one that nobody else
 * will find. */
static bool still_there(int fd, const char *path)
{
    struct stat mine, found;

    return fstat(fd, &mine) == 0 && stat(path, &found) == 0 && mine.st_dev == found.st_dev &&
           mine.st_ino == found.st_ino;
}

bool bag_lock_take(bag_lock *lock, const char *path, bool *taken, ct_err *err)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    *taken = false;
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (fd < 0)
            return ct_fail_sys(err, errno, "cannot make the lock");
        if (fcntl(fd, F_SETLK, &whole) != 0) {
            bool busy = errno == EACCES || errno == EAGAIN;

            if (!busy)
                ct_fail_sys(err, errno, "cannot lock it");
            close(fd);
            return busy;
        }
        if (still_there(fd, path)) {
            ct_buf b = {0};

            ct_buf_printf(&b, "%s%c", path, 0);
            *lock = (bag_lock){b.p, fd};
            return *taken = true;
        }
        close(fd);
    }
}

void bag_lock_drop(bag_lock *lock)
{
    if (!lock->path)
        return;
    unlink(lock->path);
    close(lock->fd);
    free(lock->path);
    *lock = (bag_lock){0};
}
