/* The file of a container. */
#include "cmd/archive/container.h"
#include "cmd/archive/sweep.h"

#include <errno.h>
#include <unistd.h>

/* The base folder's name as every system can write it. */
static void set_folder(bag_container *c, ct_str base)
{
    for (size_t i = 0; i < base.n; i++) {
        char b = base.p[i];
        bool plain = (b >= '0' && b <= '9') || (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z') ||
                     b == '.' || b == '-' || b == '_';

        ct_buf_c(&c->path, plain ? b : '_');
    }
    ct_buf_c(&c->path, '/');
    c->folder = c->path.n;
}

bool bag_container_make(bag_container *c, const bag_sink *s, ct_str base, ct_err *err)
{
    set_folder(c, base);
    c->fd = bag_sweep_make(s->unfinished, false);
    return c->fd >= 0 || ct_fail_sys(err, errno, "cannot write there");
}

ct_str bag_container_path(bag_container *c, const char *path, bool folder)
{
    c->path.n = c->folder;
    ct_buf_z(&c->path, path);
    if (folder)
        ct_buf_c(&c->path, '/');
    ct_buf_c(&c->path, '\0');
    return (ct_str){c->path.p, c->path.n - 1};
}

bool bag_container_end(bag_container *c, ct_err *err)
{
    int fd = c->fd;

    c->fd = -1;
    if (fsync(fd) != 0) {
        ct_fail_sys(err, errno, "cannot sync the bag");
        close(fd);
        return false;
    }
    return close(fd) == 0 || ct_fail_sys(err, errno, "cannot write the container");
}

void bag_container_drop(bag_container *c, const bag_sink *s)
{
    if (c->fd >= 0)
        close(c->fd);
    unlink(s->unfinished); /* gone where it got its name */
    bag_sweep_drop(s->unfinished);
    ct_buf_free(&c->path);
}
