/* What is known of the types of records: under which heading a readable copy shows them, with which
 * columns, and which of their elements say when care took place. The facts are in topics.tsv.
 */
#ifndef CHART_ARCHIVE_TOPICS_H
#define CHART_ARCHIVE_TOPICS_H

#include "common/fhirpath/fhirpath.h"

enum { BAG_COLUMNS = 16 };

typedef struct bag_column {
    ct_str label;
    ct_path *path; /* what stands in it */
} bag_column;

typedef struct bag_topic {
    const ct_ftype *type; /* NULL: every type that has no line of its own */
    ct_str section;
    ct_str dates; /* as in the file; empty where it covers none */
    bag_column columns[BAG_COLUMNS];
    size_t n;
    struct bag_when *when; /* private to span.c */
    size_t nwhen;
} bag_topic;

typedef struct bag_topics {
    bag_topic *v; /* in the order of the file; the last has no type */
    size_t n;
} bag_topics;

/* Reads the table that comes with the program; with its columns only where they are wanted, as to
 * compile them takes some milliseconds. Read-only afterwards, for any number of threads. NULL where
 * the table has a mistake. */
CT_USE bag_topics *bag_topics_new(const ct_model *m, bool columns, ct_err *err);
/* The line of a type of resource; the last line where it has none. */
const bag_topic *bag_topics_find(const bag_topics *k, ct_str type);
void bag_topics_free(bag_topics *k);

/* ---- dates covered ---- */

/* From the first day to the last, in days since 1970-01-01. All zero is the empty span. */
typedef struct bag_span {
    bool any;
    int64_t first, last;
} bag_span;

/* Widens the span to the days on which the record says that care took place. A date as vague as a
 * year or a month covers all of it; a day is taken as it is written, whatever the zone. */
void bag_span_add(bag_span *s, const bag_topic *topic, const ct_doc *doc);
void bag_span_join(bag_span *s, const bag_span *other);
/* Appends a day, YYYY-MM-DD. */
void bag_day_put(ct_buf *to, int64_t day);

/* For bag_topics_new: makes topic->when from topic->dates. */
CT_USE bool bag_when_compile(bag_topic *topic, const ct_model *m, ct_err *err);

#endif
