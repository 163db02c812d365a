/* Random edits of a text by ct_edit, judged by yajl's reading of the text and of what became of it.
 */
#ifndef TESTS_RANDOM_EDIT_H
#define TESTS_RANDOM_EDIT_H

#include "tests/helpers/random_json.h"
#include "tests/helpers/seen.h"

#include <stdio.h>

/* One thing asked of ct_edit. */
typedef struct edit_request {
    enum { EDIT_REMOVE, EDIT_REPLACE, EDIT_ADD } kind;
    uint32_t v;  /* what goes; where an item or member is added, its container */
    ct_str name; /* of a new member, decoded */
    ct_str json; /* the new text */
} edit_request;

typedef struct random_edit random_edit;

random_edit *random_edit_new(const ct_names *names);
void random_edit_free(random_edit *e);
/* Chooses edits of `text` by `seed`, makes them and judges the result. NULL where all is as it must
 * be, else what is wrong, in a few constant words; the edits are then cut down to those that it
 * takes. */
const char *random_edit_try(random_edit *e, ct_str text, uint64_t seed);
/* Writes the text, the edits and what became of it, as comment lines. */
void random_edit_show(const random_edit *e, FILE *out);
/* How many edits were made so far, and how many sets of edits were rightly refused. */
size_t random_edit_made(const random_edit *e);
size_t random_edit_refused(const random_edit *e);

/* What is wrong with `result` where it ought to be `text` after the edits of the last try: for
 * tests of the judge. */
const char *random_edit_judge(random_edit *e, ct_str result);

#endif
