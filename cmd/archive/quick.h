/* Charts out of a bag of ours without reading all of it: found by bag_lookup, and held against the
 * SHA-256 and SHA-512 manifests, which are searched, not read. What stands nowhere near is not
 * looked at: the other files, and whether the tag manifests hold.
 *
 * It answers only where all is right. Anything else (another kind of bag, damage, a checksum that
 * does not match) is for a pass over all of the bag to tell.
 */
#ifndef CHART_ARCHIVE_QUICK_H
#define CHART_ARCHIVE_QUICK_H

#include "cmd/archive/lookup.h"
#include "common/stream/stream.h"

typedef struct bag_quick bag_quick;

/* NULL where the bag can only be read as a whole. */
CT_USE bag_quick *bag_quick_open(const char *path);
/* Looks for a file. BAG_NOT_FOUND: no manifest lists it. */
bag_found bag_quick_find(bag_quick *q, ct_str path, bag_spot *spot);
/* Appends the file to `to` once it has proved to be what the manifests say; else false. */
CT_USE bool bag_quick_take(bag_quick *q, ct_str path, const bag_spot *spot, ct_spool *to);
void bag_quick_drop(bag_quick *q, bag_spot *spot);
/* NULL is allowed. */
void bag_quick_close(bag_quick *q);

#endif
