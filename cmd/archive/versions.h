/* in-force.tsv: which formats, programs, tables and rules a bag's records were made by, and in
 * which versions.
 */
#ifndef CHART_ARCHIVE_VERSIONS_H
#define CHART_ARCHIVE_VERSIONS_H

#include "cmd/archive/writer.h"

typedef struct bag_versions {
    ct_buf rows;
} bag_versions;

/* Adds a line unless it is there: what it is (`table`, `schedule` …), its name and version. */
void bag_versions_add(bag_versions *v, const char *what, ct_str name, ct_str version);
/* Adds the program and the tables of a tally (`path`, as --tally writes it). */
CT_USE bool bag_versions_tally(bag_versions *v, const char *path, ct_err *err);
/* Puts the file into the bag, our own formats and program first. */
CT_USE bool bag_versions_put(const bag_versions *v, bag_writer *w, ct_err *err);
void bag_versions_free(bag_versions *v);

#endif
