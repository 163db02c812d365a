/* Finds a file in a zip by its directory, which is gone through once for each and once for the
 * manifests: a hundred thousand files take some milliseconds. */
#include "cmd/archive/bagit.h"
#include "cmd/archive/lookup.h"
#include "cmd/archive/zip_directory.h"

#include <stdlib.h>
#include <unistd.h>

typedef struct zip {
    bag_lookup base;
    int fd;
    bag_zip *directory;
    ct_buf folder; /* what stands before every path */
    bag_stretch *stretch;
    const bag_spot *current; /* the file in the stretch */
    struct {
        bag_found found;
        bag_spot spot;
    } manifests[BAG_ALGS]; /* found once */
} zip;

/* Fills the spot; false where the file cannot be read as it stands. */
static bool set_spot(zip *z, const bag_zip_entry *e, bag_spot *spot)
{
    uint64_t data;

    if (bag_zip_compare(z->directory, e, &data) || (e->flags & BAG_ZIP_SECRET) ||
        (e->method != BAG_ZIP_STORED && e->method != BAG_ZIP_DEFLATED))
        return false;
    *spot = (bag_spot){.at = e->offset,
                       .size = e->size,
                       .piece = {.fd = z->fd,
                                 .method = e->method ? BAG_DEFLATED : BAG_STORED,
                                 .at = data,
                                 .packed = e->packed,
                                 .size = e->size}};
    return e->method != BAG_ZIP_STORED || e->packed == e->size;
}

/* The path from the base; false outside of it. */
static bool from_base(const zip *z, const bag_zip_entry *e, ct_str *path)
{
    *path = ct_str_from(e->name, z->folder.n);
    return ct_str_starts(e->name, ct_buf_str(&z->folder));
}

/* A name that is there twice has no one place. */
static bag_found found_again(zip *z, const bag_zip_entry *e, bag_found before, bag_spot *spot)
{
    return before == BAG_NOT_FOUND && set_spot(z, e, spot) ? BAG_FOUND : BAG_UNKNOWN;
}

static bag_found zip_find(bag_lookup *l, ct_str path, bag_spot *spot)
{
    zip *z = (zip *)l;
    bag_found found = BAG_NOT_FOUND;
    bag_zip_entry e;
    bag_alg alg;
    ct_str name;

    if (bag_kind_of(path, &alg) == BAG_MANIFEST && alg != BAG_ALGS) {
        *spot = z->manifests[alg].spot;
        return z->manifests[alg].found;
    }
    if (!bag_zip_rewind(z->directory))
        return BAG_UNKNOWN;
    for (uint64_t i = bag_zip_count(z->directory); i-- > 0;) {
        if (!bag_zip_next(z->directory, &e))
            return BAG_UNKNOWN;
        if (e.name.n == z->folder.n + path.n && from_base(z, &e, &name) && ct_str_eq(name, path))
            found = found_again(z, &e, found, spot);
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

/* Manifests that are packed cannot be searched. */
static bool find_manifests(zip *z)
{
    bag_zip_entry e;
    ct_str path;
    bag_alg alg;

    for (size_t i = 0; i < BAG_ALGS; i++)
        z->manifests[i].found = BAG_NOT_FOUND;
    if (!bag_zip_rewind(z->directory))
        return false;
    for (uint64_t i = bag_zip_count(z->directory); i-- > 0;) {
        if (!bag_zip_next(z->directory, &e))
            return false;
        if (!from_base(z, &e, &path) || !ct_str_starts(path, CT_S("manifest-")) ||
            bag_kind_of(path, &alg) != BAG_MANIFEST || alg == BAG_ALGS)
            continue;
        z->manifests[alg].found =
            found_again(z, &e, z->manifests[alg].found, &z->manifests[alg].spot);
        if (e.method != BAG_ZIP_STORED)
            z->manifests[alg].found = BAG_UNKNOWN;
    }
    return bag_zip_at_end(z->directory);
}

bag_lookup *bag_zip_lookup(int fd)
{
    zip *z = ct_calloc(1, sizeof(*z));

    z->base = (bag_lookup){.find = zip_find, .read = zip_read, .close = zip_close};
    z->fd = fd;
    z->directory = bag_zip_open(fd);
    z->stretch = bag_stretch_new();
    if (find_folder(z) && find_manifests(z))
        return &z->base;
    zip_close(&z->base);
    return NULL;
}
