/* Messages that were taken in: their digests, in memory and, where a file is named, there for other
 * processes too, so that a message that is sent again makes no records again.
 */
#ifndef CHART_IMPORT_SEEN_H
#define CHART_IMPORT_SEEN_H

#include "common/base/base.h"

typedef struct import_seen import_seen;

/* `path` NULL: in memory only. */
CT_USE import_seen *import_seen_open(const char *path, ct_err *err);
/* Waits until no other process holds the file, and learns what they put there. */
CT_USE bool import_seen_lock(import_seen *s, ct_err *err);
bool import_seen_has(const import_seen *s, const uint8_t digest[CT_SHA256_LEN]);
/* While it is locked; on the disk when it returns. */
CT_USE bool import_seen_add(import_seen *s, const uint8_t digest[CT_SHA256_LEN], ct_err *err);
void import_seen_unlock(import_seen *s);
void import_seen_close(import_seen *s);

#endif
