/* Opens a bag and passes on to what reads its kind. */
#include "cmd/archive/source.h"

#include <errno.h>
#include <sys/stat.h>

bag_source *bag_source_open(const char *path, const bag_keys *keys, ct_err *err)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        ct_fail_sys(err, errno, "cannot open");
        return NULL;
    }
    if (S_ISDIR(st.st_mode))
        return bag_folder_open(path, err);
    if (S_ISREG(st.st_mode)) {
        bag_source *zip = bag_zip_source(path);

        return zip ? zip : bag_packed_open(path, keys, err);
    }
    ct_fail(err, CT_E_USAGE, "neither a folder nor a file"); /* a pipe cannot be read twice */
    return NULL;
}

bag_got bag_source_next(bag_source *s, bag_item *item, ct_err *err)
{
    bag_got got = s->next(s, item, err);

    while (ct_str_starts(item->path, CT_S("./")))
        item->path = ct_str_from(item->path, 2);
    while (item->path.n && item->path.p[item->path.n - 1] == '/' && item->type == BAG_DIRECTORY)
        item->path.n--;
    item->position = ++s->position;
    return got;
}

bool bag_source_read(bag_source *s, char *to, size_t cap, size_t *got, ct_err *err)
{
    *got = 0;
    return s->read(s, to, cap, got, err);
}

unsigned bag_source_algs(const bag_source *s)
{
    return s->algs;
}

bool bag_source_is_directory(const bag_source *s)
{
    return s->directory;
}

const char *bag_source_complaint(const bag_source *s, uint64_t *entry, ct_err *err)
{
    *entry = 0;
    return s->complaint ? s->complaint(s, entry, err) : NULL;
}

uint64_t bag_source_bytes(const bag_source *s)
{
    return s->bytes;
}

void bag_source_close(bag_source *s)
{
    if (s)
        s->close(s);
}
