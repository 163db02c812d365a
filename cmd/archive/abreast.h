/* SHA-256 or SHA-512 of up to four messages side by side.
 *
 * A message's blocks depend on one another, so that one message keeps a core waiting for itself.
 * Four that do not depend on one another fill its units: they take half of the time that libcrypto
 * takes for one after the other (SHA-256 with the SHA instructions of x86, SHA-512 with AVX2). With
 * fewer than three libcrypto is as fast. (Of libraries, Intel's IPsec Multi-Buffer takes messages
 * side by side, but none of 64 KiB and more.)
 */
#ifndef CHART_ARCHIVE_ABREAST_H
#define CHART_ARCHIVE_ABREAST_H

#include "cmd/archive/bagit.h"
#include "cmd/archive/sha2x4.h"

enum { BAG_SEATS_WORTH = 3, BAG_ABREAST_PIECE = 128 };

typedef struct bag_abreast bag_abreast;

/* NULL where this processor cannot, or not by this algorithm. */
CT_USE bag_abreast *bag_abreast_new(bag_alg alg);
void bag_abreast_free(bag_abreast *x);
/* A message begins in a free seat, 0 to BAG_SEATS - 1. */
void bag_abreast_begin(bag_abreast *x, int seat);
/* The next bytes of the message in `seat`, a multiple of BAG_ABREAST_PIECE but for those of the
 * `last` piece, which may be none at all. They must stay where they are until bag_abreast_run()
 * returns the seat. */
void bag_abreast_feed(bag_abreast *x, int seat, ct_str piece, bool last);
/* Works until a seat is through with its piece, and returns it. After the last piece `*ended` is
 * set, `digest` written, and the seat free. Each seat that is not free must have been fed, and one
 * must not be free. */
CT_USE int bag_abreast_run(bag_abreast *x, bool *ended, uint8_t digest[BAG_DIGEST_MAX]);

#endif
