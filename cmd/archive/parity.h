/* Parity: what a bag's sidecar BAG.parity holds, so that lost bytes of the bag can be computed from
 * those that are left. The format is laid down in chart-parity(5).
 *
 * The bag's bytes (see extent.h) are cut into blocks, each with its SHA-256, so that damage is
 * known by its place. Block number c * stripes + s is member c of stripe s, so that neighbours
 * belong to different stripes; each stripe has its parity blocks by a Reed-Solomon code, and any of
 * its blocks can be computed as long as no more are lost than it has parity blocks.
 */
#ifndef CHART_ARCHIVE_PARITY_H
#define CHART_ARCHIVE_PARITY_H

#include "cmd/archive/extent.h"

typedef uint8_t bag_digest[CT_SHA256_LEN];

typedef struct bag_parity {
    unsigned percent;
    uint32_t block;         /* bytes in a block */
    uint64_t blocks;        /* of the bag */
    uint64_t stripes;       /* how many, each of */
    unsigned data, parity;  /* so many blocks of the bag and of parity */
    bag_extent was;         /* the bag as it was: size, and members of a folder; not open */
    bag_digest *digests;    /* of the bag's blocks, then of the parity blocks */
    int fd;                 /* of the sidecar, or -1 */
    uint64_t table, rows;   /* bytes of the table; where the parity blocks start */
    uint64_t damaged_parts; /* heads and pages of the table that do not hold, one copy each */
} bag_parity;

/* ---- the sidecar, sidecar.c ---- */

/* The name of the sidecar. Free it. */
char *bag_parity_name(const char *bag);
/* Is one there? */
bool bag_parity_there(const char *bag);
/* Lays out blocks and stripes for the extent, which stays the caller's. */
CT_USE bool bag_parity_plan(bag_parity *p, const bag_extent *x, unsigned percent, ct_err *err);
/* CT_E_DATA where it is none, or where both copies of a part of it are damaged. */
CT_USE bool bag_parity_load(bag_parity *p, const char *sidecar, ct_err *err);
/* Writes heads and tables around the parity blocks into p->fd. */
CT_USE bool bag_parity_frame(const bag_parity *p, const bag_extent *x, ct_err *err);
uint64_t bag_parity_blocks(const bag_parity *p); /* parity blocks in all */
/* Where parity block `row` of a stripe stands in the sidecar. */
uint64_t bag_parity_at(const bag_parity *p, unsigned row, uint64_t stripe);
void bag_parity_close(bag_parity *p);

/* ---- stripes, stripes.c ---- */

typedef struct bag_meter {
    void (*progress)(void *ctx, uint64_t bytes); /* may be NULL */
    void *ctx;
} bag_meter;

/* Takes the digests of all blocks and writes the parity blocks to p->fd. */
CT_USE bool bag_stripes_encode(bag_parity *p, const bag_extent *x, int jobs, bag_meter meter,
                               ct_err *err);

/* Where the bytes of each block are to be had. */
enum { BAG_LOST, BAG_HERE, BAG_IN_COPY };

typedef struct bag_damage {
    uint8_t *from;        /* of the bag's blocks, BAG_… */
    uint8_t *parity;      /* of the parity blocks, BAG_LOST or BAG_HERE */
    uint64_t lost;        /* blocks of the bag that are not BAG_HERE, */
    uint64_t in_copy;     /* and of these, in the copy */
    uint64_t parity_lost; /* parity blocks */
    uint64_t beyond;      /* blocks in stripes that have lost more than can be computed */
} bag_damage;

/* Holds every block against its digest. */
CT_USE bool bag_stripes_check(const bag_parity *p, const bag_extent *x, int jobs, bag_meter meter,
                              bag_damage *d, ct_err *err);
/* Looks for the lost blocks in another extent of the same layout. */
CT_USE bool bag_stripes_find(const bag_parity *p, const bag_extent *copy, int jobs, bag_damage *d,
                             ct_err *err);
/* Computes what was lost and writes it to `to`, which holds the rest already. `copy` may be NULL
 * where nothing is BAG_IN_COPY. */
CT_USE bool bag_stripes_rebuild(const bag_parity *p, const bag_damage *d, const bag_extent *x,
                                const bag_extent *copy, const bag_extent *to, int jobs,
                                ct_err *err);
void bag_damage_free(bag_damage *d);

/* ---- the whole, shield.c ---- */

enum { BAG_PARITY_PERCENT = 5 };

/* Makes the sidecar of a bag. Refuses where there is one, but for `force`. */
CT_USE bool bag_parity_make(const char *bag, unsigned percent, bool force, int jobs,
                            bag_meter meter, ct_err *err);

/* Removes the sidecar of a bag that is being replaced. True where there is none. */
CT_USE bool bag_parity_drop(const char *bag, ct_err *err);

/* Another name for the sidecar of a bag that is about to get it too. True where there is none. */
CT_USE bool bag_parity_move(const char *from, const char *to, ct_err *err);

/* How a bag and its sidecar are. */
typedef struct bag_health {
    unsigned percent;
    uint64_t blocks, lost, beyond;         /* of the bag; see bag_damage */
    uint64_t parity_blocks, parity_damage; /* of the sidecar: blocks, heads, pages */
    bool other_size;                       /* bytes were added to the bag, or cut off */
} bag_health;

/* Holds a bag against its sidecar. False where that could not be done; CT_E_DATA where the sidecar
 * is too damaged to say. */
CT_USE bool bag_parity_check(const char *bag, int jobs, bag_meter meter, bag_health *health,
                             ct_err *err);

#endif
