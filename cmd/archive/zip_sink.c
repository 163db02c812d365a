/* A bag written into a zip. */
#include "cmd/archive/bagit.h"
#include "cmd/archive/container.h"
#include "cmd/archive/zip_writer.h"

#include <stdlib.h>

typedef struct zip_sink {
    bag_sink base;
    bag_container file;
    bag_zip_writer *zip;
} zip_sink;

static bool zip_folder(bag_sink *s, const char *path, ct_err *err)
{
    zip_sink *z = (zip_sink *)s;

    return bag_zip_writer_folder(z->zip, bag_container_path(&z->file, path, true), err);
}

/* The manifests are not packed, so that they can be searched. */
static bool zip_begin(bag_sink *s, const char *path, uint64_t size, ct_err *err)
{
    zip_sink *z = (zip_sink *)s;
    bag_alg alg;
    bool manifest = bag_kind_of(ct_str_z(path), &alg) == BAG_MANIFEST;

    return bag_zip_writer_begin(z->zip, bag_container_path(&z->file, path, false), !manifest, size,
                                err);
}

static bool zip_put(bag_sink *s, ct_str bytes, ct_err *err)
{
    return bag_zip_writer_put(((zip_sink *)s)->zip, bytes, err);
}

static bool zip_end(bag_sink *s, ct_err *err)
{
    return bag_zip_writer_end(((zip_sink *)s)->zip, err);
}

static bool zip_written(bag_sink *s, bool exact, uint64_t *bytes, ct_err *err)
{
    (void)exact;
    (void)err;
    *bytes = bag_zip_writer_size(((zip_sink *)s)->zip);
    return true;
}

static bool zip_finish(bag_sink *s, ct_err *err)
{
    zip_sink *z = (zip_sink *)s;

    return bag_zip_writer_finish(z->zip, err) && bag_container_end(&z->file, err);
}

static void zip_discard(bag_sink *s)
{
    zip_sink *z = (zip_sink *)s;

    bag_zip_writer_free(z->zip);
    bag_container_drop(&z->file, s);
}

bag_sink *bag_zip_sink(const bag_sink *like, ct_str base, ct_err *err)
{
    zip_sink *z = ct_calloc(1, sizeof(*z));

    z->base = *like;
    z->base.folder = zip_folder;
    z->base.begin = zip_begin;
    z->base.put = zip_put;
    z->base.end = zip_end;
    z->base.written = zip_written;
    z->base.finish = zip_finish;
    z->base.discard = zip_discard;
    if (bag_container_make(&z->file, like, base, err)) {
        z->zip = bag_zip_writer_new(z->file.fd, like->opts.mtime);
        return &z->base;
    }
    zip_discard(&z->base);
    free(z);
    return NULL;
}
