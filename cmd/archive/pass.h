/* One pass over a bag: every file goes by once, its checksums are taken, its bytes are shown to
 * whoever wants them, and what it means for the bag is noted.
 */
#ifndef CHART_ARCHIVE_PASS_H
#define CHART_ARCHIVE_PASS_H

#include "cmd/archive/check.h"
#include "cmd/archive/key.h"

/* Who looks at the files as they go by. Any of the functions may be NULL. Paths are from the bag's
 * base and safe to follow. False from `begin`, `bytes` and `end` stops the pass; they may
 * fill `*err`. */
typedef struct bag_viewer {
    bool payload_only;
    /* Is this payload file wanted? The others are not read. */
    bool (*want)(void *ctx, ct_str path);
    bool (*begin)(void *ctx, ct_str path, ct_err *err);
    bool (*bytes)(void *ctx, ct_str bytes, ct_err *err);
    bool (*end)(void *ctx, bool damaged, ct_err *err);
    void *ctx;
} bag_viewer;

typedef struct bag_pass {
    const char *path;
    int jobs;
    const bag_keys *keys; /* for a bag that is encrypted; may be NULL */
    bool no_checksums;
    bag_profile *profile; /* to hold the bag against; may be NULL */
    bag_viewer viewer;
    void (*progress)(void *ctx, uint64_t bytes);
    void *progress_ctx;
    const char *resume; /* notes to go on by, see bag_resume_open; NULL: none */
    ct_buf base; /* what stands before every path in the container, with its slash; filled by the
                    run */
} bag_pass;

/* Runs it and hands over the check, to be ended and freed by the caller. One of our own bags is
 * read once. In a container that does not start with its bagit.txt the names are read before; one
 * that turns out to have other checksums than SHA-256 and SHA-512 is read again (without the
 * viewer). NULL where it could not be done, or the viewer stopped it; the container being damaged
 * is a finding. */
CT_USE bag_check *bag_pass_run(bag_pass *p, ct_err *err);

#endif
