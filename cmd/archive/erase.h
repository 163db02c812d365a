/* Makes a copy of a bag unreadable and gone: what 45 CFR 164.310(d)(2)(i) asks for, by overwriting
 * (NIST SP 800-88 r1, "Clear") before removing.
 */
#ifndef CHART_ARCHIVE_ERASE_H
#define CHART_ARCHIVE_ERASE_H

#include "common/base/base.h"

/* In all of them `bag` is the hash of the bag that is destroyed: it stands in the name that is
 * given to what is being erased, so that it is never taken for what others left. */

/* Is there something of that name, or what an interrupted erasure left of it? */
bool bag_erase_needed(const char *path, ct_str bag);
/* Has it lost its name to an erasure that was interrupted? Then something else may have it. */
bool bag_erase_begun(const char *path, ct_str bag);
/* Why the bytes of what has the name would outlast an erasure, or it would hit more than this copy:
 * a link, a device, a file with a second name. NULL where nothing stands in the way; also where
 * nothing is there. */
CT_USE bool bag_erase_allowed(const char *path, const char **why, ct_err *err);
/* Takes the name away first, so that no half of a bag is ever found under it, then erases it as
 * bag_erase_again does. Nothing there is no error. */
CT_USE bool bag_erase(const char *path, ct_str bag, ct_err *err);
/* Writes zeros over every file of what has lost its name, syncs and empties it; what has the name
 * is left alone. Nothing there is no error. */
CT_USE bool bag_erase_again(const char *path, ct_str bag, ct_err *err);
/* Removes the empty rest: apart from the others, so that a run that was killed in between can be
 * told from a copy that is not there. */
CT_USE bool bag_erase_rest(const char *path, ct_str bag, ct_err *err);

#endif
