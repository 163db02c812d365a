/* What a BagIt profile asks of a bag beyond BagIt itself (BagIt Profiles Specification 1.3 and 1.4,
 * https://bagit-profiles.github.io/bagit-profiles-specification/): fields of bag-info.txt,
 * checksums, files, packing. The bag goes by once, in any order:
 *
 *     bag_profile_start, then bag_profile_file and bag_profile_info for each, then bag_profile_end
 */
#ifndef CHART_ARCHIVE_PROFILE_H
#define CHART_ARCHIVE_PROFILE_H

#include "cmd/archive/bagit.h"

typedef struct bag_profile bag_profile;

/* What is not as the profile wants it: `where` and `reason` live as long as the profile. */
typedef void bag_profile_fn(void *ctx, const char *where, uint64_t line, const char *reason,
                            ct_str path);

typedef struct bag_profile_facts {
    const char *path;                 /* of the bag: its suffix tells how it is packed */
    bool folder;                      /* not packed at all */
    unsigned version;                 /* of BagIt, 100 for 1.0 */
    unsigned manifests, tagmanifests; /* sets of algorithms */
    bool fetch;                       /* there is a fetch.txt */
    uint64_t files, bytes;            /* of the payload */
} bag_profile_facts;

/* Reads a profile's JSON. NULL where it is none. */
CT_USE bag_profile *bag_profile_read(const char *path, ct_err *err);
/* The profile's own address, for BagIt-Profile-Identifier. */
ct_str bag_profile_identifier(const bag_profile *p);
/* A bag begins; what is found is told to `tell`. */
void bag_profile_start(bag_profile *p, bag_profile_fn *tell, void *ctx);
/* A file of the bag. */
void bag_profile_file(bag_profile *p, ct_str path, uint64_t position);
/* A field of bag-info.txt. */
void bag_profile_info(bag_profile *p, ct_str label, ct_str value, uint64_t line);
/* The same for all of a bag-info.txt without folded lines. */
void bag_profile_info_text(bag_profile *p, ct_str text);
void bag_profile_end(bag_profile *p, const bag_profile_facts *facts);
void bag_profile_free(bag_profile *p);

#endif
