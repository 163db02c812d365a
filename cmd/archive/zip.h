/* Does a zip say the same twice? Each file of it has a header before it and another one in the
 * directory at the end, and programs differ in which they believe: one that contradicts itself
 * holds different files for different readers.
 */
#ifndef CHART_ARCHIVE_ZIP_H
#define CHART_ARCHIVE_ZIP_H

#include "common/base/base.h"

/* Why the zip is not one, or contradicts itself, or NULL; `*entry` is the file's number in its
 * directory, from 1, or 0. NULL and `*err` filled where it cannot be read. */
const char *bag_zip_complaint(const char *path, uint64_t *entry, ct_err *err);

/* Do files of it share bytes? So a few of them can stand for terabytes, each of which agrees with
 * its headers. False as well where that cannot be told: it then is damaged. `fd` is borrowed. */
bool bag_zip_overlaps(int fd);

#endif
