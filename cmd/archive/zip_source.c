/* A bag of ours in a zip, read by its directory, which is gone through as it stands in the file:
 * libarchive would keep all of it in memory. What others may write (links, names in another
 * encoding, more ways to pack) is left to libarchive. */
#include "cmd/archive/source.h"
#include "cmd/archive/stretch.h"
#include "cmd/archive/zip.h"
#include "cmd/archive/zip_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

typedef struct zip {
    bag_source base;
    const char *path;
    int fd;
    bag_zip *directory;
    uint64_t left; /* entries to come */
    ct_buf name;
    bag_stretch *stretch;
    bag_zip_entry entry;
    uint64_t at; /* bytes of the entry that were read */
    uLong crc;
    const char *nowhere; /* the directory leads to no file */
} zip;

static bool is_folder(ct_str name)
{
    return name.n && name.p[name.n - 1] == '/';
}

static bag_got zip_next(bag_source *s, bag_item *item, ct_err *err)
{
    zip *z = (zip *)s;
    uint64_t data = 0;

    *item = (bag_item){.path = {"", 0}};
    if (z->left == 0)
        return BAG_GOT_END;
    z->left--;
    if (!bag_zip_next(z->directory, &z->entry)) {
        if (bag_zip_failed(z->directory))
            ct_fail_sys(err, bag_zip_failed(z->directory), "cannot read");
        else
            ct_fail(err, CT_E_DATA, "the container is cut or corrupt");
        return BAG_GOT_DAMAGED;
    }
    z->name.n = 0;
    ct_buf_put(&z->name, z->entry.name);
    item->path = ct_buf_str(&z->name);
    item->type = is_folder(item->path) ? BAG_DIRECTORY : BAG_FILE;
    /* What else is wrong with its header is told at the end, of all of them. */
    z->nowhere = bag_zip_compare(z->directory, &z->entry, &data);
    if (data)
        z->nowhere = NULL;
    z->at = 0;
    z->crc = crc32(0, NULL, 0);
    bag_stretch_set(z->stretch, &(bag_piece){.fd = z->fd,
                                             .method = z->entry.method ? BAG_DEFLATED : BAG_STORED,
                                             .at = data,
                                             .packed = z->entry.packed,
                                             .size = z->entry.size});
    return BAG_GOT_ITEM;
}

static bool zip_read(bag_source *s, char *to, size_t cap, size_t *got, ct_err *err)
{
    zip *z = (zip *)s;
    uint64_t rest = z->entry.size - z->at;
    size_t n = rest < cap ? (size_t)rest : cap;

    if (z->nowhere)
        return ct_fail(err, CT_E_DATA, z->nowhere);
    if (n == 0)
        return z->crc == z->entry.crc || ct_fail(err, CT_E_DATA, "cannot be unpacked");
    if (!bag_stretch_read(z->stretch, z->at, to, n, err))
        return false;
    z->crc = crc32(z->crc, (const Bytef *)to, (uInt)n);
    z->at += n;
    s->bytes += n;
    *got = n;
    return true;
}

static const char *zip_complaint(const bag_source *s, uint64_t *entry, ct_err *err)
{
    return bag_zip_complaint(((const zip *)s)->path, entry, err);
}

static void zip_close(bag_source *s)
{
    zip *z = (zip *)s;

    bag_zip_close(z->directory);
    bag_stretch_free(z->stretch);
    ct_buf_free(&z->name);
    if (z->fd >= 0)
        close(z->fd);
    free(z);
}

/* Files and folders as we pack them, one behind the other, the declaration first. */
static bool is_ours(bag_zip *d)
{
    bag_zip_entry e;
    uint64_t end = 0;
    bool first = true;

    if (!bag_zip_rewind(d))
        return false;
    for (uint64_t i = bag_zip_count(d); i-- > 0; first = false) {
        if (!bag_zip_next(d, &e) || !e.plain || (e.flags & BAG_ZIP_SECRET) ||
            (e.method != BAG_ZIP_STORED && e.method != BAG_ZIP_DEFLATED) ||
            (e.method == BAG_ZIP_STORED && e.packed != e.size) || e.offset < end ||
            (first && !ct_str_ends(e.name, CT_S("bagit.txt"))))
            return false;
        end = bag_zip_span_of(&e).end;
    }
    return !first && bag_zip_at_end(d) && bag_zip_rewind(d);
}

bag_source *bag_zip_source(const char *path)
{
    zip *z = ct_calloc(1, sizeof(*z));

    z->base = (bag_source){.next = zip_next,
                           .read = zip_read,
                           .close = zip_close,
                           .complaint = zip_complaint,
                           .algs = 1U << BAG_SHA256 | 1U << BAG_SHA512};
    z->path = path;
    z->stretch = bag_stretch_new();
    z->fd = open(path, O_RDONLY | O_CLOEXEC);
    z->directory = bag_zip_open(z->fd);
    z->left = z->fd >= 0 && is_ours(z->directory) ? bag_zip_count(z->directory) : 0;
    if (z->left)
        return &z->base;
    zip_close(&z->base);
    return NULL;
}
