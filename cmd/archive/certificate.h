/* The certificate of destruction: what AHIMA's practice brief "Retention and Destruction of Health
 * Information" (2013) wants of one: date, method, description of the series, dates covered, a
 * statement of the normal course of business, signatures of who destroyed and who witnessed. It
 * names no patient: whose charts a bag held is kept by the catalogue.
 */
#ifndef CHART_ARCHIVE_CERTIFICATE_H
#define CHART_ARCHIVE_CERTIFICATE_H

#include "cmd/archive/readable/view.h"

/* What became of a copy. */
typedef struct bag_fate {
    ct_str place;     /* where it stood, absolute */
    bool gone;        /* somebody answers for that it is no more */
    bool overwritten; /* gone: by this program */
    ct_str when;      /* gone: when it was overwritten, or said to be gone; RFC 3339 UTC */
    ct_str outcome;   /* how it went, by whom; or why it was not reached */
} bag_fate;

/* Who destroyed, before whose eyes. */
typedef struct bag_pair {
    ct_str by, witness;
} bag_pair;

typedef struct bag_certificate {
    int64_t number;   /* of the custody row that began the destruction */
    ct_str began;     /* RFC 3339 UTC */
    ct_str completed; /* the same; empty as long as something remains */
    ct_str name, identity;
    const ct_str *reasons;
    size_t nreasons;
    ct_str from, to; /* dates covered; empty where not known */
    uint64_t charts, records, bytes;
    ct_str retention_class, authority, destroy_after;
    bool encrypted, key_gone; /* by a key in the database */
    bool key_file;            /* by one in a file */
    const bag_pair *people;
    size_t npeople;
    const bag_fate *fates;
    size_t nfates;
} bag_certificate;

/* Fills an empty page; its texts live in the page's arena. */
void bag_certificate_view(bag_view *view, const bag_certificate *c);

#endif
