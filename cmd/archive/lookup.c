/* Tells by its first bytes what a bag is packed in. */
#include "cmd/archive/lookup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bag_lookup *packed_lookup(int fd)
{
    char head[4];
    int sys;

    if (!bag_read_at(fd, 0, head, sizeof(head), &sys)) {
        close(fd);
        return NULL;
    }
    if (memcmp(head, "PK\3\4", 4) == 0)
        return bag_zip_lookup(fd);
    if (memcmp(head, "\x1f\x8b", 2) == 0)
        return bag_tar_lookup(fd, BAG_GZIPPED);
    return bag_tar_lookup(fd, memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0 ? BAG_ZSTD : BAG_STORED);
}

bag_lookup *bag_lookup_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a pipe is not waited for */
    struct stat st;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        return bag_folder_lookup(fd);
    return packed_lookup(fd);
}

bag_found bag_lookup_find(bag_lookup *l, ct_str path, bag_spot *spot)
{
    return l->find(l, path, spot);
}

bool bag_lookup_read(bag_lookup *l, const bag_spot *spot, uint64_t from, char *to, size_t n)
{
    return l->read(l, spot, from, to, n);
}

void bag_lookup_drop(bag_lookup *l, bag_spot *spot)
{
    if (l->drop)
        l->drop(l, spot);
}

void bag_lookup_close(bag_lookup *l)
{
    if (l)
        l->close(l);
}
