/* Names of files as a file system sees them that ignores how a character is composed, or upper and
 * lower case: macOS and Windows do, and a bag may come from or go there.
 */
#ifndef CHART_ARCHIVE_UNICODE_H
#define CHART_ARCHIVE_UNICODE_H

#include "common/base/base.h"

typedef struct bag_unicode bag_unicode;

bag_unicode *bag_unicode_new(void);
/* Appends the name in normalization form D, with `fold` in lower case too. Bytes that are no UTF-8
 * stay as they are. */
void bag_unicode_put(const bag_unicode *u, ct_buf *to, ct_str name, bool fold);
void bag_unicode_free(bag_unicode *u);

#endif
