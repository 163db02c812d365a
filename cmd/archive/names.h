/* Where a chart is in a bag: its name, and its place in the order of files. */
#ifndef CHART_ARCHIVE_NAMES_H
#define CHART_ARCHIVE_NAMES_H

#include "cmd/archive/bagit.h"

/* Appends the path of a patient's chart, `data/charts/ID.ndjson`, and a NUL that is not counted. It
 * is found from the id alone, stays in its folder whatever the id is, and differs from every other
 * one even where a file system ignores case:
 *
 * - an id of lower-case letters, digits, `.` and `-` that starts with a letter or digit is the
 * name;
 * - one with capitals, or one that Windows takes for a device, gets `~` and 8 digits of its
 * SHA-256;
 * - anything else, longer than 64 bytes or not a FHIR id, is `~` and its whole SHA-256.
 */
void bag_chart_path(ct_buf *to, ct_str id);
/* The n-th file (from 1) of records that belong to nobody: `data/shared/00001.ndjson`. */
void bag_shared_path(ct_buf *to, uint64_t n);

/* The order of files in our bags: bagit.txt, shared records by number, charts by id, and behind all
 * payload bag-info.txt and the manifests. Not every file has a place in it. */
typedef struct bag_place {
    int part;
    ct_str key; /* of the path it was made of */
} bag_place;

enum { BAG_PART_END = 3 };

/* False for a path that has no place: any file of another kind, and a chart whose id cannot be seen
 * from its name. */
CT_USE bool bag_place_of(ct_str path, bag_place *place);
/* <0, 0, >0 */
int bag_place_cmp(const bag_place *a, const bag_place *b);

#endif
