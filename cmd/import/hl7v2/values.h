/* What became of each value of a message: the books of --tally, --unmapped and --strict. A value is
 * what has no parts below it: a subcomponent, or a component or field that has none.
 */
#ifndef CHART_IMPORT_VALUES_H
#define CHART_IMPORT_VALUES_H

#include "cmd/import/hl7v2/er7.h"
#include "cmd/import/import.h"

/* Counts the values of a message that was mapped: those of which nothing was made, or all of them
 * (setup->count_all). */
void import_values_count(const import_setup *setup, import_block *b, const import_er7 *m);
/* Is there a value that would be lost? `err` says which is the first. */
bool import_values_lost(const struct import_maps *maps, const import_er7 *m, ct_err *err);

/* Adds to the count of the same place. */
void import_counts_add(import_counts *to, const import_count *count);
/* A place as it is written: `PID-5`, `PID-5.2`, `PID-5.1.3`. Places are in the order of segments'
 * names, and of numbers. */
void import_place_put(ct_buf *b, uint64_t place);

#endif
