/* What is attached to records (any Attachment of R4, and Binary) as files of its own, each content
 * once, and an index that says which record refers to which. The records stay as they are.
 */
#ifndef CHART_ARCHIVE_ATTACH_H
#define CHART_ARCHIVE_ATTACH_H

#include "cmd/archive/writer.h"

/* ---- of one chart: found on any thread ---- */

typedef struct bag_attachment {
    uint64_t record;    /* line in the file of records */
    size_t at, n;       /* its bytes */
    size_t name, nname; /* the file's path, and a NUL */
    size_t path, npath; /* where in the record */
    bool corrupt;       /* it is not base64: no file */
    uint8_t digest256[CT_SHA256_LEN], digest512[CT_SHA512_LEN];
} bag_attachment;

/* All zero to begin with; used again for the next chart. */
typedef struct bag_attached {
    ct_buf bytes, texts;
    bag_attachment *v;
    size_t n, cap;
    bag_sums sums;
} bag_attached;

/* Finds them; the chart is parsed. */
void bag_attached_find(bag_attached *a, const ct_chart *chart, ct_arena *arena);
void bag_attached_free(bag_attached *a);

/* ---- of a bag ---- */

typedef struct bag_attach bag_attach;

CT_USE bag_attach *bag_attach_new(ct_err *err);
/* Puts those into the bag that it has not yet, and all into the index; `path` is that of the
 * records. Counts in `*corrupt` those that are not base64. */
CT_USE bool bag_attach_put(bag_attach *b, bag_attached *a, bag_writer *w, ct_str path,
                           uint64_t *corrupt, ct_err *err);
/* Puts attachments.tsv into the bag. */
CT_USE bool bag_attach_index(bag_attach *b, bag_writer *w, ct_err *err);
void bag_attach_free(bag_attach *b);

#endif
