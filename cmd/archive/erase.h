/* Makes a copy of a bag unreadable and gone: what 45 CFR 164.310(d)(2)(i) asks for, by overwriting
 * (NIST SP 800-88 r1, "Clear") before removing.
 */
#ifndef CHART_ARCHIVE_ERASE_H
#define CHART_ARCHIVE_ERASE_H

#include "common/base/base.h"

/* Is there something of that name, or what an interrupted erasure left of it? */
bool bag_erase_needed(const char *path);
/* Why the bytes would outlast an erasure, or it would hit more than this copy: a link, a device, a
 * file with a second name. NULL where nothing stands in the way; also where nothing is there. */
CT_USE bool bag_erase_allowed(const char *path, const char **why, ct_err *err);
/* Takes the name away first, so that no half of a bag is ever found under it, then writes zeros
 * over every file, syncs and empties it. What an interrupted run left is finished. Nothing there is
 * no error. */
CT_USE bool bag_erase(const char *path, ct_err *err);
/* Removes the empty rest: apart from bag_erase, so that a run that was killed in between can be
 * told from a copy that is not there. */
CT_USE bool bag_erase_rest(const char *path, ct_err *err);

#endif
