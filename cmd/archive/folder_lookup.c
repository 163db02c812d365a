/* Finds a file in a folder by its name. No link is followed. */
#include "cmd/archive/lookup.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct folder {
    bag_lookup base;
    int fd;
} folder;

/* Opens step after step; takes over `fd`. -1 with errno. A pipe is not waited for. */
static int open_path(int fd, ct_str path)
{
    while (path.p && fd >= 0) {
        ct_str step = ct_str_cut(&path, '/');
        ct_buf z = {0};
        int next;

        ct_buf_put(&z, step);
        ct_buf_c(&z, '\0');
        next = openat(fd, z.p,
                      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (path.p ? O_DIRECTORY : 0));
        ct_buf_free(&z);
        close(fd);
        fd = next;
    }
    return fd;
}

static bag_found folder_find(bag_lookup *l, ct_str path, bag_spot *spot)
{
    int fd = open_path(dup(((folder *)l)->fd), path);
    struct stat st;

    if (fd < 0)
        return BAG_NOT_FOUND;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return BAG_UNKNOWN;
    }
    *spot = (bag_spot){.size = (uint64_t)st.st_size, .piece = {.fd = fd}};
    return BAG_FOUND;
}

static bool folder_read(bag_lookup *l, const bag_spot *spot, uint64_t from, char *to, size_t n)
{
    int sys;

    (void)l;
    return bag_read_at(spot->piece.fd, from, to, n, &sys);
}

static void folder_drop(bag_lookup *l, bag_spot *spot)
{
    (void)l;
    close(spot->piece.fd);
}

static void folder_close(bag_lookup *l)
{
    close(((folder *)l)->fd);
    free(l);
}

bag_lookup *bag_folder_lookup(int fd)
{
    folder *f = ct_calloc(1, sizeof(*f));
    struct stat st;

    f->base = (bag_lookup){
        .find = folder_find, .read = folder_read, .drop = folder_drop, .close = folder_close};
    f->fd = fd;
    if (fstatat(fd, "bagit.txt", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
        return &f->base;
    folder_close(&f->base);
    return NULL;
}
