/* What the log of custody says of a bag's destruction: when and by whom it was begun and taken up
 * again, which of its copies went, which certificates are its own. What was over before, and began
 * anew when another copy was found, is left out, but for the copies that went then.
 */
#ifndef CHART_ARCHIVE_PAST_H
#define CHART_ARCHIVE_PAST_H

#include "cmd/archive/certificate.h"
#include "common/store/store.h"

/* How a copy went, as custody has it. */
#define BAG_OVERWRITTEN "overwritten and removed"
#define BAG_SAID_GONE   "said to be gone"

typedef struct bag_past {
    ct_arena *arena;
    int64_t number; /* of the row that began it; 0: none did */
    ct_str began;
    bag_pair *people; /* each two once */
    size_t npeople;
    ct_str *reasons; /* each once */
    size_t nreasons;
    ct_str *certificates; /* SHA-256 of their texts, hex */
    size_t ncertificates;
    bag_fate *gone; /* the copies that two people answer for */
    size_t ngone;
    bool shredded; /* it had a key, which was destroyed */
} bag_past;

/* `past` is all zero or loaded before. */
CT_USE bool bag_past_load(bag_past *past, ct_db *db, ct_str bag, ct_err *err);
/* What became of the copy, or NULL: nobody answers for its end. */
const bag_fate *bag_past_gone(const bag_past *past, ct_str path);
bool bag_past_certificate(const bag_past *past, ct_str sha256);
void bag_past_free(bag_past *past);

/* The fate of a copy that went (BAG_…): it says who answers for that. */
bag_fate bag_fate_of(ct_arena *arena, ct_str place, ct_str when, ct_str how, bag_pair who);

#endif
