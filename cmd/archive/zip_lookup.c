/* Finds a file in a zip by its directory, which is gone through once for each: a hundred thousand
 * files take some milliseconds. */
#include "cmd/archive/bagit.h"
#include "cmd/archive/lookup.h"
#include "cmd/archive/zip_directory.h"

#include <stdlib.h>
#include <unistd.h>

enum { METHOD_STORED = 0, METHOD_DEFLATED = 8 };

typedef struct zip {
    bag_lookup base;
    int fd;
    bag_zip *directory;
    ct_buf folder; /* what stands before every path */
    bag_stretch *stretch;
    const bag_spot *current; /* the file in the stretch */
} zip;

/* Fills the spot; false where the file cannot be read as it stands. */
static bool set_spot(zip *z, const bag_zip_entry *e, bag_spot *spot)
{
    uint64_t data;

    if (bag_zip_compare(z->directory, e, &data) || (e->flags & BAG_ZIP_SECRET) ||
        (e->method != METHOD_STORED && e->method != METHOD_DEFLATED))
        return false;
    *spot = (bag_spot){.at = e->offset,
                       .size = e->size,
                       .piece = {.fd = z->fd,
                                 .method = e->method ? BAG_DEFLATED : BAG_STORED,
                                 .at = data,
                                 .packed = e->packed,
                                 .size = e->size}};
    return e->method || e->packed == e->size;
}

/* All of the directory is looked at: a name that is there twice has no one place. */
static bag_found zip_find(bag_lookup *l, ct_str path, bag_spot *spot)
{
    zip *z = (zip *)l;
    size_t folder = z->folder.n;
    bag_found found = BAG_NOT_FOUND;
    bag_zip_entry e;

    if (!bag_zip_rewind(z->directory))
        return BAG_UNKNOWN;
    for (uint64_t i = bag_zip_count(z->directory); i-- > 0;) {
        if (!bag_zip_next(z->directory, &e))
            return BAG_UNKNOWN;
        if (e.name.n != folder + path.n || memcmp(e.name.p + folder, path.p, path.n) != 0 ||
            memcmp(e.name.p, z->folder.p, folder) != 0)
            continue;
        if (found == BAG_FOUND || !set_spot(z, &e, spot))
            return BAG_UNKNOWN;
        found = BAG_FOUND;
    }
    return bag_zip_at_end(z->directory) ? found : BAG_UNKNOWN;
}

static bool zip_read(bag_lookup *l, const bag_spot *spot, uint64_t from, char *to, size_t n)
{
    zip *z = (zip *)l;
    ct_err err;

    if (z->current != spot)
        bag_stretch_set(z->stretch, &spot->piece);
    z->current = spot;
    return bag_stretch_read(z->stretch, from, to, n, &err);
}

static void zip_close(bag_lookup *l)
{
    zip *z = (zip *)l;

    bag_zip_close(z->directory);
    bag_stretch_free(z->stretch);
    ct_buf_free(&z->folder);
    close(z->fd);
    free(z);
}

/* The first file is FOLDER/bagit.txt, or bagit.txt. */
static bool find_folder(zip *z)
{
    ct_str declaration = CT_S("bagit.txt");
    bag_zip_entry e;

    if (!bag_zip_rewind(z->directory) || !bag_zip_next(z->directory, &e) ||
        !ct_str_ends(e.name, declaration))
        return false;
    e.name.n -= declaration.n;
    ct_buf_put(&z->folder, e.name);
    ct_buf_c(&z->folder, '\0');
    z->folder.n--;
    return e.name.n == 0 || memchr(e.name.p, '/', e.name.n) == e.name.p + e.name.n - 1;
}

bag_lookup *bag_zip_lookup(int fd)
{
    zip *z = ct_calloc(1, sizeof(*z));

    z->base = (bag_lookup){.find = zip_find, .read = zip_read, .close = zip_close};
    z->fd = fd;
    z->directory = bag_zip_open(fd);
    z->stretch = bag_stretch_new();
    if (find_folder(z))
        return &z->base;
    zip_close(&z->base);
    return NULL;
}
