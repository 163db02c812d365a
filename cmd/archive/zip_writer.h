/* Writes a zip (PKWARE's APPNOTE.TXT 6.3: 4.3.7 local header, 4.3.12 central directory, 4.3.14 to
 * 4.3.16 its end, 4.5.3 zip64) of any number of files in memory that does not grow with it. Each
 * header tells sizes and checksum before the file, so that it can be read from a pipe as well.
 * Fields of zip64 stand only where a value needs them. Nothing but the names, the content and the
 * time decides about the bytes.
 */
#ifndef CHART_ARCHIVE_ZIP_WRITER_H
#define CHART_ARCHIVE_ZIP_WRITER_H

#include "common/base/base.h"

typedef struct bag_zip_writer bag_zip_writer;

/* Into an empty file that is not a pipe; `fd` is borrowed. `mtime`, seconds since 1970 UTC, is that
 * of all files. */
bag_zip_writer *bag_zip_writer_new(int fd, int64_t mtime);
/* A folder, for its user alone; the name ends with a slash. */
CT_USE bool bag_zip_writer_folder(bag_zip_writer *w, ct_str name, ct_err *err);
/* A file of `size` bytes, likewise, deflated where it is to be `packed`. */
CT_USE bool bag_zip_writer_begin(bag_zip_writer *w, ct_str name, bool packed, uint64_t size,
                                 ct_err *err);
CT_USE bool bag_zip_writer_put(bag_zip_writer *w, ct_str bytes, ct_err *err);
/* CT_E_DATA where the file did not have the size it was begun with. */
CT_USE bool bag_zip_writer_end(bag_zip_writer *w, ct_err *err);
/* Bytes of the zip so far, without its directory. */
uint64_t bag_zip_writer_size(const bag_zip_writer *w);
/* Writes the directory, and all that was not written yet. */
CT_USE bool bag_zip_writer_finish(bag_zip_writer *w, ct_err *err);
/* NULL is allowed. */
void bag_zip_writer_free(bag_zip_writer *w);

#endif
