/* The log of custody, for commands that work on bags whether a catalogue knows them or not.
 */
#ifndef CHART_ARCHIVE_LOG_H
#define CHART_ARCHIVE_LOG_H

#include "cmd/archive/archive.h"
#include "common/store/store.h"

/* Opens the database of the command line: where it was named, or there is one of the default's
 * name. NULL without an error (`err->kind` CT_OK): there is no log to keep. */
CT_USE ct_db *bag_log_open(const ct_cli *c, ct_err *err);
/* Enters, durably, what is done with the bag at `path`: the row gets the path and, where the
 * catalogue knows this copy, which bag it is of; `charts` 0 becomes the number of charts in it. */
CT_USE bool bag_log_enter(ct_db *db, const char *path, const ct_custody *row, ct_err *err);
/* The argument of --head, the hash of a row of the log that was noted elsewhere; else a usage
 * error, as one that is empty would check nothing. */
ct_str bag_log_head(ct_cli *c);

#endif
