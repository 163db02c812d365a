/* The directory of a zip: what it says of each file, and whether the file's own header says the
 * same (PKWARE's APPNOTE.TXT 6.3: 4.3.7 local header, 4.3.9 data descriptor, 4.3.12 central
 * directory, 4.3.14 to 4.3.16 its end, 4.5.3 zip64).
 */
#ifndef CHART_ARCHIVE_ZIP_DIRECTORY_H
#define CHART_ARCHIVE_ZIP_DIRECTORY_H

#include "cmd/archive/zip_format.h"
#include "common/base/base.h"

typedef struct bag_zip bag_zip;

/* A file, as the directory has it. */
typedef struct bag_zip_entry {
    uint16_t flags, method;
    uint32_t crc;
    uint64_t packed, size;
    uint64_t offset; /* of its header */
    ct_str name;     /* until the next call */
    bool plain;      /* a file or a folder by a Unix system, its name ASCII and nowhere else */
} bag_zip_entry;

/* Where a file stands, from its header on; at least up to `end`. */
typedef struct bag_zip_span {
    uint64_t start, end;
} bag_zip_span;

/* `fd` is borrowed. */
bag_zip *bag_zip_open(int fd);
/* Goes (back) to the start of the directory. False where it is cut or corrupt. */
CT_USE bool bag_zip_rewind(bag_zip *z);
/* Files that it says it has. */
uint64_t bag_zip_count(const bag_zip *z);
/* The next file; false where what stands there is none. */
CT_USE bool bag_zip_next(bag_zip *z, bag_zip_entry *e);
/* Is that all of the directory? */
bool bag_zip_at_end(const bag_zip *z);
bag_zip_span bag_zip_span_of(const bag_zip_entry *e);
/* Why the file's header says something else, or NULL; `*data` is where its bytes start. */
const char *bag_zip_compare(bag_zip *z, const bag_zip_entry *e, uint64_t *data);
/* errno of a read that failed, or 0. */
int bag_zip_failed(const bag_zip *z);
void bag_zip_close(bag_zip *z);

#endif
