/* SHA-512 of up to four messages side by side (FIPS 180-4, 6.4).
 *
 * A message's blocks depend on one another, so that one message keeps a core waiting for itself.
 * Four that do not depend on one another fill the registers of AVX2, and take less than two thirds
 * of the time that libcrypto takes for one after the other. With fewer than three libcrypto is the
 * faster.
 */
#ifndef CHART_ARCHIVE_SHA512X4_H
#define CHART_ARCHIVE_SHA512X4_H

#include "common/base/base.h"

enum { BAG_SEATS = 4, BAG_SEATS_WORTH = 3, BAG_SHA512_BLOCK = 128 };

typedef struct bag_sha512x4 bag_sha512x4;

/* NULL where this processor cannot. */
CT_USE bag_sha512x4 *bag_sha512x4_new(void);
void bag_sha512x4_free(bag_sha512x4 *x);
/* A message begins in a free seat, 0 to BAG_SEATS - 1. */
void bag_sha512x4_begin(bag_sha512x4 *x, int seat);
/* The next bytes of the message in `seat`, whole blocks but for those of the `last` piece, which
 * may be none at all. They must stay where they are until bag_sha512x4_run() returns the seat. */
void bag_sha512x4_feed(bag_sha512x4 *x, int seat, ct_str piece, bool last);
/* Works until a seat is through with its piece, and returns it. After the last piece `*ended` is
 * set, `digest` written, and the seat free. Each seat that is not free must have been fed, and one
 * must not be free. */
CT_USE int bag_sha512x4_run(bag_sha512x4 *x, bool *ended, uint8_t digest[CT_SHA512_LEN]);

#endif
