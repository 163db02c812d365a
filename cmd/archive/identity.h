/* Which bag is it, whatever it is called and packed in? The SHA-256 of its tagmanifest-sha512.txt:
 * by the manifests that it covers, it tells every byte.
 */
#ifndef CHART_ARCHIVE_IDENTITY_H
#define CHART_ARCHIVE_IDENTITY_H

#include "cmd/archive/pass.h"

/* Taken while the files of a bag go by: to be called by the viewer of a pass. All zero is the
 * start. */
typedef struct bag_identity {
    ct_sha *sha;
    bool here;                       /* the file that goes by is the one */
    char hex[2 * CT_SHA256_LEN + 1]; /* empty until it went by */
} bag_identity;

void bag_identity_begin(bag_identity *i, ct_str path);
void bag_identity_bytes(bag_identity *i, ct_str bytes);
void bag_identity_end(bag_identity *i, bool damaged);
void bag_identity_free(bag_identity *i);
/* A viewer that looks for nothing else and wants no payload; `i` must outlive the pass. */
bag_viewer bag_identity_viewer(bag_identity *i);

#endif
