/* A repaired bag in the place of the damaged one, which is kept. */
#ifndef CHART_ARCHIVE_SWAP_H
#define CHART_ARCHIVE_SWAP_H

#include "common/base/base.h"

/* Gives what stands beside it under an unfinished name the name `bag`; what had that name is called
 * `*kept` then: BAG.damaged, or BAG.damaged-2 … where there is one already. Where the system can,
 * something has the name at every moment. Free `*kept`. */
CT_USE bool bag_swap(const char *unfinished, const char *bag, char **kept, ct_err *err);
/* Keeps a copy of a file, by another name, as `*kept`. */
CT_USE bool bag_keep_damaged(const char *file, char **kept, ct_err *err);
/* Gives it the name `out`, which nothing may have. */
CT_USE bool bag_settle(const char *unfinished, const char *out, ct_err *err);

#endif
