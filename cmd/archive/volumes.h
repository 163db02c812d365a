/* Where `create` puts a bag, or (with a size) a group of bags: NAME-001.zip, NAME-002.zip … Each is
 * a whole bag. They are made in a hidden folder beside their place, and take their names when all
 * are whole, one after the other: the last one, which alone tells how many there are, comes last.
 */
#ifndef CHART_ARCHIVE_VOLUMES_H
#define CHART_ARCHIVE_VOLUMES_H

#include "cmd/archive/writer.h"

enum { BAG_VOLUME_MIN = 128 * 1024 };

typedef struct bag_volumes bag_volumes;

/* A number of bytes with k, M, G or T (1024) behind it. False for what is none, or less than
 * BAG_VOLUME_MIN. */
CT_USE bool bag_volume_size(const char *text, uint64_t *size);

/* `size` 0: one bag, named `out`. Both strings are borrowed. */
CT_USE bag_volumes *bag_volumes_new(const char *out, uint64_t size, ct_err *err);
/* The path to write the next bag to, until the next call; NULL where its name is taken (*err). */
const char *bag_volumes_next(bag_volumes *v, ct_err *err);
/* Adds what tells of the group to the bag-info.txt of the bag that was last begun; `last`: none
 * follows. */
void bag_volumes_info(const bag_volumes *v, bag_writer *w, bool last);
/* Is there room in the bag for `bytes` more of payload? An empty one has room for anything. */
CT_USE bool bag_volumes_room(const bag_volumes *v, bag_writer *w, uint64_t bytes, bool *room,
                             ct_err *err);
/* Number of the bag that was last begun, 0 where there is one only. */
unsigned bag_volumes_number(const bag_volumes *v);
/* Where the bag of that number (from 1) is once it has its name, until the next call. */
const char *bag_volumes_path(bag_volumes *v, unsigned number);
/* All bags are whole: gives them their names. */
CT_USE bool bag_volumes_close(bag_volumes *v, ct_err *err);
/* Leaves nothing behind of bags that have no names yet. NULL is allowed. */
void bag_volumes_free(bag_volumes *v);

#endif
