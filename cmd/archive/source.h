/* A bag being read, file by file, in whatever it is packed: a directory, or a tar (plain, gzip,
 * zstd, xz, bzip2) or zip container, of which nothing is unpacked.
 */
#ifndef CHART_ARCHIVE_SOURCE_H
#define CHART_ARCHIVE_SOURCE_H

#include "cmd/archive/bagit.h"
#include "cmd/archive/key.h"

typedef enum bag_type {
    BAG_FILE,
    BAG_DIRECTORY,
    BAG_OTHER /* a link, a device, a socket … */
} bag_type;

typedef struct bag_item {
    ct_str
        path; /* as the container has it, without `./` before and `/` behind; until the next call */
    bag_type type;
    uint64_t position; /* from 1 */
} bag_item;

typedef enum bag_got {
    BAG_GOT_ITEM,
    BAG_GOT_END,
    BAG_GOT_DAMAGED, /* the container cannot be read any further */
} bag_got;

typedef struct bag_source bag_source;

/* NULL where there is no bag to read: no such file, not a directory, tar or zip, or no key for one
 * that is encrypted. `keys` may be NULL. */
CT_USE bag_source *bag_source_open(const char *path, const bag_keys *keys, ct_err *err);
/* A directory gives the files of a folder before its subfolders, each in the order of their names,
 * so that manifests come first; a container its own order. */
bag_got bag_source_next(bag_source *s, bag_item *item, ct_err *err);
/* The next bytes of the current file, `*got` 0 at its end. False where it cannot be read: damaged.
 */
CT_USE bool bag_source_read(bag_source *s, char *to, size_t cap, size_t *got, ct_err *err);
/* The checksums that its manifests ask for, as far as that is known before reading. */
unsigned bag_source_algs(const bag_source *s);
/* Is the bag's base folder not part of the paths? */
bool bag_source_is_directory(const bag_source *s);
/* What is wrong with the container itself although it can be read, or NULL; `*entry` is the file's
 * number in its directory, or 0. Looks when it is called. NULL and `*err` filled where it could not
 * look. */
const char *bag_source_complaint(const bag_source *s, uint64_t *entry, ct_err *err);
/* Bytes taken from the container so far, for progress. */
uint64_t bag_source_bytes(const bag_source *s);
void bag_source_close(bag_source *s);

/* ---- for the two kinds ---- */

struct bag_source {
    bag_got (*next)(bag_source *s, bag_item *item, ct_err *err);
    bool (*read)(bag_source *s, char *to, size_t cap, size_t *got, ct_err *err);
    const char *(*complaint)(const bag_source *s, uint64_t *entry, ct_err *err);
    void (*close)(bag_source *s);
    unsigned algs;
    bool directory;
    uint64_t position, bytes;
};

/* NULL where the zip is not as ours are. */
bag_source *bag_zip_source(const char *path);
bag_source *bag_folder_open(const char *path, ct_err *err);
bag_source *bag_packed_open(const char *path, const bag_keys *keys, ct_err *err);

#endif
