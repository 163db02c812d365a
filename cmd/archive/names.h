/* Where a chart is in a bag. */
#ifndef CHART_ARCHIVE_NAMES_H
#define CHART_ARCHIVE_NAMES_H

#include "common/base/base.h"

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

#endif
