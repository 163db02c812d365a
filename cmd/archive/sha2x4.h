/* The compression functions of SHA-2 for four messages side by side (FIPS 180-4, 6.2 and 6.4). */
#ifndef CHART_ARCHIVE_SHA2X4_H
#define CHART_ARCHIVE_SHA2X4_H

#include "common/base/base.h"

enum { BAG_SHA2_WORDS = 8, BAG_SEATS = 4 };

typedef struct bag_sha2x4 {
    size_t word;                    /* bytes: a block is 16 words, a digest 8 */
    uint64_t first[BAG_SHA2_WORDS]; /* 5.3 */
    bool (*able)(void);             /* can this processor? NULL: none of its kind */
    /* So many blocks of each message, from where each of them stands. */
    void (*compress)(uint64_t state[BAG_SHA2_WORDS][BAG_SEATS],
                     const uint8_t *const from[BAG_SEATS], size_t blocks);
} bag_sha2x4;

extern const bag_sha2x4 bag_sha256x4, bag_sha512x4;

#endif
