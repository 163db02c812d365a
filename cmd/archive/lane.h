/* A lane: what one thread hashes by one algorithm, of files whose bytes stand in a ring of blocks.
 *
 * Files go side by side where the processor can and the ring holds enough of them whole, the others
 * alone, by libcrypto. Threads share the files of an algorithm through its front. What takes up
 * files needs the lock of all that is shared; the work itself does not, for nobody else touches
 * what a lane has taken.
 */
#ifndef CHART_ARCHIVE_LANE_H
#define CHART_ARCHIVE_LANE_H

#include "cmd/archive/abreast.h"
#include "cmd/archive/digest.h"

#include <openssl/evp.h>

/* Blocks that do not end a file are full, and so made of whole blocks of every algorithm. */
enum { BAG_BLOCK = 128 * 1024 };
/* A file of more blocks goes alone: beside it the ring would not hold others. */
enum { BAG_SHORT_FILE = 12 };
/* No block. */
#define BAG_NOWHERE UINT64_MAX

typedef struct bag_block {
    char *bytes;
    size_t n;
    bool last; /* the file ends with this block */
    bag_file file;
} bag_block;

/* Blocks are counted from the first one there was; those from `given` on cannot be read yet. */
typedef struct bag_ring {
    bag_block *blocks;
    size_t n;
    uint64_t given;
} bag_ring;

typedef struct bag_lane bag_lane;

/* How far an algorithm has got. */
typedef struct bag_front {
    bag_alg alg;
    uint64_t next;          /* the first block that no lane has taken up */
    const bag_lane *within; /* whose file goes on there, or NULL */
} bag_front;

struct bag_lane {
    bag_alg alg;
    EVP_MD *md;
    EVP_MD_CTX *ctx;
    size_t len;
    bool failed;               /* libcrypto, in the file that goes alone */
    bag_abreast *abreast;      /* NULL: each file goes alone */
    uint64_t seats[BAG_SEATS]; /* the blocks that the files side by side are at, or BAG_NOWHERE */
    uint64_t alone, stop;      /* the next block of a file that goes alone, and one too many */
    uint64_t oldest;           /* the first of all these blocks, or BAG_NOWHERE */
};

/* To be closed in any case. False where libcrypto lacks the algorithm. */
CT_USE bool bag_lane_open(bag_lane *l, bag_alg alg, ct_err *err);
void bag_lane_close(bag_lane *l);

bag_block *bag_ring_at(const bag_ring *r, uint64_t n);

/* Takes up what there is; false where the lane has nothing to do. With the lock. Seats stay empty
 * for a while rather than be half filled, unless somebody waits for blocks before `wanted`. A file
 * whose end is not given is begun only where `may_begin`. */
CT_USE bool bag_lane_take(bag_lane *l, bag_front *f, const bag_ring *r, uint64_t wanted,
                          bool may_begin);
/* Some of the work that was taken up, the oldest: a block, or until a seat is through with one.
 * Without the lock. */
void bag_lane_work(bag_lane *l, const bag_ring *r);
/* Says in `oldest` how far that came. With the lock. */
void bag_lane_tell(bag_lane *l);

#endif
