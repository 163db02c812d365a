/* What stands at the place of a copy that is to be destroyed: the bag, something else, nothing; and
 * which files belong to it.
 */
#ifndef CHART_ARCHIVE_PLACE_H
#define CHART_ARCHIVE_PLACE_H

#include "cmd/archive/key.h"

/* The bag that is looked for. */
typedef struct bag_sought {
    ct_arena *arena; /* for names */
    ct_str hash;     /* its identity, hex */
    bag_keys keys;   /* by which it is read where it is encrypted */
    bool key_gone;   /* an encrypted copy is told by its label, as it can be read no more */
} bag_sought;

/* Is there anything of that name? */
bool bag_place_taken(const char *path);
/* Does the bag stand there? Something else of that name must not be touched: then `*why` says so.
 */
bool bag_place_has(const bag_sought *bag, const char *path, const char **why);
/* Why what stands there cannot be destroyed, or is not the bag; NULL where it can. */
const char *bag_place_obstacle(const bag_sought *bag, const char *path);
/* Is the copy gone whose parity file or damaged predecessor is not? Nothing tells that those are
 * the bag's, so they are not touched. */
bool bag_place_left(const bag_sought *bag, const char *path);

/* Takes a step (of erase.h) for what `create` and `repair` leave beside a copy and could give it
 * back, then for the copy. */
typedef bool bag_erase_step(const char *path, ct_str bag, ct_err *err);
CT_USE bool bag_place_each(const bag_sought *bag, const char *path, bag_erase_step *step,
                           ct_err *err);

#endif
