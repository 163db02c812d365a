/* Writes a bag: payload first, then, when they are known, bag-info.txt, the manifests and the tag
 * manifests.
 */
#ifndef CHART_ARCHIVE_WRITER_H
#define CHART_ARCHIVE_WRITER_H

#include "cmd/archive/key.h"
#include "cmd/archive/profile.h"
#include "cmd/archive/seal.h"
#include "common/stream/stream.h"

/* The checksums every file of our bags has. All zero to begin with. */
typedef struct bag_sums {
    ct_sha *sha256, *sha512;
    uint8_t digest256[CT_SHA256_LEN], digest512[CT_SHA512_LEN];
} bag_sums;

void bag_sums_add(bag_sums *s, ct_str bytes);
void bag_sums_end(bag_sums *s);
/* Both of the above. */
void bag_sums_take(bag_sums *s, ct_str bytes);
void bag_sums_free(bag_sums *s);

/* Adds a line to bag-info.txt from `KEY=VALUE`. False for what is none: a line break, no key, or
 * one that the writer fills in itself. */
CT_USE bool bag_info_add(ct_buf *info, ct_str pair);

typedef struct bag_writer bag_writer;

/* How a bag is made, but for what is in it. */
typedef struct bag_making {
    bool force;   /* replace a bag that is there */
    int jobs;     /* threads that pack */
    ct_date date; /* the Bagging-Date, and that of the files */
    ct_str info;  /* of bag-info.txt, before what is filled in */
    bool encrypt;
    bag_keys keys; /* where the key of an encrypted one is kept, before the bag gets its name */
} bag_making;

CT_USE bag_writer *bag_writer_open(const char *out, const bag_making *making, ct_err *err);
/* What a payload file is. */
typedef struct bag_holds {
    uint64_t records;
    bool chart;      /* the records of one patient */
    bool attachment; /* what is attached to records */
    bool readable;   /* a copy of records for people to read */
} bag_holds;

/* A payload file with its sums. */
CT_USE bool bag_writer_payload(bag_writer *w, const char *path, ct_str bytes, const bag_sums *sums,
                               const bag_holds *holds, ct_err *err);
/* The bag is to be as the profile wants it: bag_writer_close fails with CT_E_DATA where it is not,
 * when `tell` has been told why. Borrowed until then; before the first payload file. */
void bag_writer_profile(bag_writer *w, bag_profile *profile, const char *path, bag_profile_fn *tell,
                        void *ctx);
/* Adds a line to bag-info.txt, behind all others. */
CT_PRINTF(3, 4) void bag_writer_info(bag_writer *w, const char *key, const char *format, ...);
/* Payload files so far; bytes of the manifests that list them. */
uint64_t bag_writer_files(const bag_writer *w);
uint64_t bag_writer_listed(const bag_writer *w);
/* Bytes written so far, as bag_sink_written. */
CT_USE bool bag_writer_written(bag_writer *w, bool exact, uint64_t *bytes, ct_err *err);
/* A tag file (a path outside data/) of the text that was spooled, which is read to its end. */
CT_USE bool bag_writer_tag(bag_writer *w, const char *path, ct_spool *text, ct_err *err);
/* What a bag is that was written. */
typedef struct bag_written {
    char identity[2 * CT_SHA256_LEN + 1]; /* see identity.h */
    ct_buf info;                          /* the text of its bag-info.txt; to be freed */
    uint64_t records, bytes;              /* of the payload */
} bag_written;

/* Has it signed at the end, by a signer that must live until then. */
void bag_writer_sign(bag_writer *w, const bag_signer *signer);
/* Writes the other tag files; gives the bag its name, and says what it is (`written` may be NULL).
 * The writer is gone whatever the result. */
CT_USE bool bag_writer_close(bag_writer *w, bag_written *written, ct_err *err);
void bag_writer_abandon(bag_writer *w);

#endif
