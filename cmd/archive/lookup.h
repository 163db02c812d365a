/* Where a file of a bag is, and its bytes, without reading the bag: by the directory of a zip, by
 * the order of charts in a tar (compressed: in members with a table), by name in a folder. For the
 * charts of bags as ours are; of any other bag it says that it does not know.
 */
#ifndef CHART_ARCHIVE_LOOKUP_H
#define CHART_ARCHIVE_LOOKUP_H

#include "cmd/archive/stretch.h"

/* Where the bytes of a file are. */
typedef struct bag_spot {
    uint64_t at, size; /* in the container or in the unpacked tar; in a folder 0 */
    bag_piece
        piece; /* zip and folder: the file as it is packed; its fd is the spot's in a folder */
} bag_spot;

typedef enum bag_found {
    BAG_FOUND,
    BAG_NOT_FOUND, /* where it would have to be, if all is in order */
    BAG_UNKNOWN,   /* this bag cannot be looked into */
} bag_found;

typedef struct bag_lookup bag_lookup;

/* NULL where the bag can only be read from one end to the other. */
CT_USE bag_lookup *bag_lookup_open(const char *path);
/* Looks for a file by its path from the bag's base. */
bag_found bag_lookup_find(bag_lookup *l, ct_str path, bag_spot *spot);
/* `n` bytes of the file from `from` on. False where they cannot be had. */
CT_USE bool bag_lookup_read(bag_lookup *l, const bag_spot *spot, uint64_t from, char *to, size_t n);
void bag_lookup_drop(bag_lookup *l, bag_spot *spot);
/* NULL is allowed. */
void bag_lookup_close(bag_lookup *l);

/* ---- for the three kinds ---- */

struct bag_lookup {
    bag_found (*find)(bag_lookup *l, ct_str path, bag_spot *spot);
    bool (*read)(bag_lookup *l, const bag_spot *spot, uint64_t from, char *to, size_t n);
    void (*drop)(bag_lookup *l, bag_spot *spot); /* may be NULL */
    void (*close)(bag_lookup *l);
};

/* They take over `fd`; NULL (and it is closed) where the bag is not as ours are. */
bag_lookup *bag_tar_lookup(int fd, bag_method method);
bag_lookup *bag_zip_lookup(int fd);
bag_lookup *bag_folder_lookup(int fd);

#endif
