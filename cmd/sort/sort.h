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
    ct_progress progress; /* of all inputs of a merge; of the output */
    /* --shard */
    size_t nshards; /* 0: one output */
    char **names;
    ct_out **outs;
    ct_buf chart; /* that is being written … */
    size_t shard; /* … and where it goes */
} sort_run;

/* The tag of entries of that type. */
uint32_t sort_tag(sort_run *s, ct_str kind);

/* Opens what the entries go to. */
void sort_open(sort_run *s);
/* The next line of the output, in order; false after a write error. */
bool sort_put(sort_run *s, const ct_entry *e);
/* Closes the files of --shard, before ct_cli_finish. */
void sort_close(sort_run *s);

/* --check: the status says whether the inputs, one after another, are in order. */
void sort_check(sort_run *s);
/* --merge: of inputs each of which is in order. */
void sort_merge(sort_run *s);
/* Reads everything, into the sorter where there is one (else NULL). `each` as in ct_intake, with
 * `ctx`. False where it ended early, `*err` filled. */
bool sort_take_in(sort_run *s, ct_sorter *sorter,
                  bool (*each)(void *ctx, const ct_record *rec, ct_entry *e, ct_err *err),
                  void *ctx, ct_err *err);
/* Takes in everything, sorts it, and puts it out; where `ordered`, each input must be in order. */
void sort_all(sort_run *s, bool ordered);

#endif
