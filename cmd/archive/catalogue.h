/* A bag on its way into the catalogue: whose charts are in it, as people look for them.
 */
#ifndef CHART_ARCHIVE_CATALOGUE_H
#define CHART_ARCHIVE_CATALOGUE_H

#include "cmd/archive/topics.h"
#include "cmd/archive/writer.h"
#include "common/store/store.h"

/* Opens a database that must be there: who asks a catalogue does not make one. */
CT_USE ct_db *bag_catalogue_open(const char *path, ct_err *err);
/* The path of a copy as the catalogue has it: absolute and without links, as far as it is there.
 * Free it. */
char *bag_catalogue_path(const char *path);

/* ---- a person ---- */

/* What Patient records say of whose chart it is. All zero to begin with. */
typedef struct bag_person {
    ct_arena *arena;
    ct_str born;
    ct_str *names; /* `Family, Given Given`, and as one text where the record has that */
    size_t nnames, names_cap;
    ct_number *numbers;
    size_t nnumbers, numbers_cap;
    ct_link *links; /* with other Patient records */
    size_t nlinks, links_cap;
} bag_person;

/* Forgets everything. */
void bag_person_reset(bag_person *p);
/* Adds what a Patient record says; a date of birth that is none is left out. */
void bag_person_add(bag_person *p, const ct_doc *patient);
void bag_person_free(bag_person *p);

/* ---- a chart ---- */

typedef struct bag_chart_facts {
    ct_str path, id;
    uint64_t records, bytes;
    const bag_span *span;
    ct_str destroy_after; /* a day, `never`, `undecided`, or empty */
    const bag_person *person;
} bag_chart_facts;

/* Gathers a chart for the entry of its bag. */
CT_USE bool bag_catalogue_chart(ct_db *db, const bag_chart_facts *chart, ct_err *err);

/* ---- a bag ---- */

typedef struct bag_facts {
    const char *path;     /* as it was named */
    const char *identity; /* hex */
    ct_str info;          /* text of its bag-info.txt */
    uint64_t records;     /* where that does not say */
    uint64_t bytes;       /* of the payload */
    ct_str result;        /* of a check that it just went through, or empty */
} bag_facts;

/* What is said of a bag that was entered as CT_ENTERED_DOOMED. */
#define BAG_DOOMED                                                                                 \
    "the bag was destroyed, or its destruction has begun: this copy is to be destroyed"

/* Enters the bag with the charts that were gathered. */
CT_USE bool bag_catalogue_enter(ct_db *db, const bag_facts *bag, ct_entered *entered, ct_err *err);

#endif
