/* Shared by the files of cmd/sort. */
#ifndef CMD_SORT_H
#define CMD_SORT_H

#include "common/cli/cli.h"

enum { SORT_SHARDS_MAX = 256, SORT_KINDS_MAX = 512 };

/* The run. */
typedef struct sort_run {
    ct_cli cli;
    const ct_model *model;
    uint64_t memory;
    ct_str kinds[SORT_KINDS_MAX]; /* types of the records so far, by the tags of their entries */
    size_t nkinds;
    uint64_t bytes; /* done so far, for progress */
    /* --shard */
    size_t nshards; /* 0: one output */
    char **names;
    ct_out **outs;
    ct_buf chart; /* that is being written … */
    size_t shard; /* … and where it goes */
} sort_run;

/* A record as it is sorted, borrowed from it and from `a`; entered in the books as read. */
ct_entry sort_entry(sort_run *s, const ct_record *rec, ct_arena *a);

/* Opens what the entries go to. */
void sort_open(sort_run *s);
/* The next line of the output, in order; false after a write error. */
bool sort_put(sort_run *s, const ct_entry *e);
/* Closes the files of --shard, before ct_cli_finish. */
void sort_close(sort_run *s);

/* The record ahead, in an input that must be sorted. */
typedef struct sort_last {
    ct_buf key;
    bool patient;
    const char *file; /* NULL: none yet */
    uint64_t number;
} sort_last;

/* Is the record in order behind the one ahead? What is wrong with its place goes to `*err`. */
bool sort_in_order(sort_last *last, const ct_record *rec, const ct_entry *e, ct_err *err);

/* --check: the status says whether the inputs, one after another, are in order. */
void sort_check(sort_run *s);
/* --merge: of inputs each of which is in order. */
void sort_merge(sort_run *s);
/* Takes in everything, sorts it, and puts it out; where `ordered`, each input must be in order. */
void sort_all(sort_run *s, bool ordered);

#endif
