/* Is a bag complete and valid? What goes by in one pass over it, in any order, is noted in a
 * private database without a name, which spills to $TMPDIR when it grows; at the end the manifests
 * and the files are held against each other. Memory does not grow with the bag.
 */
#ifndef CHART_ARCHIVE_CHECK_H
#define CHART_ARCHIVE_CHECK_H

#include "cmd/archive/digest.h"
#include "cmd/archive/profile.h"

typedef enum bag_severity {
    BAG_WARNING,    /* allowed, but asking for trouble */
    BAG_PROFILE,    /* not as the profile wants it, whatever BagIt says */
    BAG_STRICT,     /* wrong from 1.0 on, a warning in the drafts before it */
    BAG_INCOMPLETE, /* something that must be there is not, or the other way round */
    BAG_INVALID,    /* wrong */
} bag_severity;

typedef struct bag_finding {
    bag_severity severity; /* never BAG_STRICT */
    const char *where;     /* a tag file, or "file" */
    uint64_t line;         /* line of the tag file, or position of the file in the bag */
    const char *reason;
    ct_str path; /* may name a patient; empty where it does not say more */
} bag_finding;

typedef struct bag_summary {
    uint64_t charts, files, bytes; /* of the payload */
    unsigned version;              /* as in bag_declaration; 0 without bagit.txt */
    unsigned algs;                 /* of the payload manifests */
    uint64_t warnings, unlike_profile, incomplete, invalid;
} bag_summary;

typedef struct bag_check bag_check;

CT_USE bag_check *bag_check_new(ct_err *err);
/* The constant texts `where` and `reason`; see bag_finding. */
void bag_check_note(bag_check *c, bag_severity severity, const char *where, uint64_t line,
                    const char *reason, ct_str path);
/* Bytes of a file outside data/, in order; and its end. */
void bag_check_tag(bag_check *c, ct_str path, ct_str bytes);
void bag_check_tag_end(bag_check *c);
/* The bag has a payload folder. */
void bag_check_payload(bag_check *c);
/* The container cannot be read any further: all that is said of what is missing would be noise. */
void bag_check_broken(bag_check *c, const char *reason);
/* The bag (at `path`, a folder or packed) is to be held against a profile too; borrowed. Before the
 * first file. */
void bag_check_profile(bag_check *c, bag_profile *profile, const char *path, bool folder);
/* Its files are to be unpacked: names that clash on some systems are then no mere warning. */
void bag_check_to_unpack(bag_check *c);
/* A file has gone by, with these checksums. A bag_hashed_fn with the check as `ctx`. */
void bag_check_file(void *check, const bag_file *file);
/* The set of algorithms that the manifests seen so far ask for. */
unsigned bag_check_algs(const bag_check *c);
/* How many readable copies and attachments it has, by its bag-info.txt. */
uint64_t bag_check_copies(const bag_check *c);
/* There was a bagit.txt; the container could be read to its end. */
bool bag_check_declared(const bag_check *c);
bool bag_check_whole(const bag_check *c);

typedef void bag_finding_fn(void *ctx, const bag_finding *finding);
/* Judges and gives every finding. `partial`: only some payload files were read, so
 * that nothing is said about what is missing. False where the private database failed. */
CT_USE bool bag_check_end(bag_check *c, bool partial, bag_finding_fn *each, void *ctx,
                          bag_summary *summary, ct_err *err);
/* After that: how many payload files are neither records (`.ndjson`) nor what `create` derives from
 * records: a readable copy with its records beside it, an attachment named by its SHA-256. */
CT_USE bool bag_check_foreign(bag_check *c, uint64_t *n, ct_err *err);
void bag_check_free(bag_check *c);

#endif
