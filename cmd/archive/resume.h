/* What a pass over a bag has behind it, in a file, so that one that was stopped goes on where it
 * was: files that were read are not read again as long as the bag is the same file or folder.
 */
#ifndef CHART_ARCHIVE_RESUME_H
#define CHART_ARCHIVE_RESUME_H

#include "cmd/archive/digest.h"

typedef struct bag_resume bag_resume;

/* Opens or makes the notes at `path`. Those of another bag, or of this one before it was changed
 * (size, dates and inode of a container, inode of a folder), or with other checksums, are begun
 * anew. A file that holds no such notes is refused. */
CT_USE bag_resume *bag_resume_open(const char *path, const char *bag, unsigned algs, ct_err *err);
/* Was the file at this place read before, whole? Then its size and checksums are filled in. */
bool bag_resume_get(bag_resume *r, ct_str path, uint64_t position, bag_file *file);
/* Notes a file that was read. A failure sticks and shows when the notes are closed. */
void bag_resume_put(bag_resume *r, const bag_file *file);
/* Keeps the notes, or removes them where the pass is `done`. False where they could not be kept.
 * Frees it whatever the result; NULL is allowed. */
CT_USE bool bag_resume_close(bag_resume *r, bool done, ct_err *err);

#endif
