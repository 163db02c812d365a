/* The interpreter: applies the mapping tables to one message.
 *
 *     run.c        segments in order, rules, resources
 *     run_row.c    rows: repetitions, conditions, targets
 *     run_value.c  what a row puts there
 *     run_nested.c what a table of a type of data makes of a value
 *     run_ref.c    references to parts of the message; where an error is
 *     run_id.c     identities
 *     run_label.c  security labels
 *     run_same.c   identifiers that are told again
 */
#ifndef CHART_IMPORT_RUN_H
#define CHART_IMPORT_RUN_H

#include "cmd/import/hl7v2/memo.h"

typedef struct import_line {
    struct import_line *next;
    ct_str text;
} import_line;

typedef struct import_resource {
    ct_str type, id;
    ct_tree *tree;
    const import_map *map; /* that it was made by */
    size_t segment;        /* of the message, that it was made of */
    ct_str raw;            /* the value that it was made of, where it was no segment */
    ct_tree *before;       /* what an earlier segment said of the same thing */
    bool making;           /* right now */
    size_t size;           /* as written, of such a one that was mentioned again */
    uint32_t copies;       /* derived identities that were like this one */
    ct_tree *attachment;   /* that lines of text go to */
    import_line *lines, **end;
} import_resource;

/* What is noted while a value is mapped, to be kept for when it comes again. */
typedef struct import_recording {
    struct import_recording *up;
    import_part value;
    bool *before; /* by byte of it: something had been made of what starts there */
    bool *others; /* the same by resources that it mentions, since */
    bool aside;   /* something beside the value was looked at */
    bool paused;
    uint64_t assumed;   /* times with the run's zone before it */
    uint64_t elsewhere; /* those since that resources tell of which it mentions */
    import_mention mentions[8];
    size_t n;
} import_recording;

typedef struct import_run {
    const import_maps *maps;
    import_memo *memo;
    import_recording *recording; /* NULL: none */
    ct_arena *a;
    ct_err *err;
    import_er7 message;
    size_t at; /* the segment being mapped */
    import_resource **resources;
    size_t n, cap;
    uint32_t *buckets; /* resources by type and id: index + 1 */
    size_t nbuckets;
    import_resource *slots[32]; /* the current resource of each type */
    size_t nslots;
    import_resource *previous; /* the current one of its type before the one being made */
    ct_str key;                /* of a message without a number, once it was needed */
    size_t *last;              /* by segment id: index + 1 of the last one before `at` */
    ct_str group, after;
    ct_tree *labels;  /* whose security labels are those of all; NULL: none */
    char zone[7];     /* for times without one */
    uint64_t looked;  /* bytes of long values, each time */
    uint64_t assumed; /* how often the run's own default zone was used */
    bool zone_is_default;
    ct_str raw;       /* the message as it came */
    bool keep_source; /* what tells of the message itself is made too */
    unsigned depth;
    import_part reads[64]; /* values that the row being applied has looked at */
    size_t nreads;
} import_run;

/* A map being applied. */
typedef struct import_frame {
    const struct import_frame *up;
    const import_ref *via;     /* what the value is, in `up` */
    import_part value;         /* $ */
    const import_cuts *cuts;   /* its parts; NULL where there are none */
    uint16_t field;            /* whose repetitions are gone through; 0: none */
    size_t repetition;         /* which one, from 1 */
    ct_str current;            /* and what it is */
    const import_table *table; /* the caller's */
    ct_tree *root, *result;    /* `result`: what `.` was set to */
    import_resource *resource;
    bool no_new; /* the last [+] of this repetition made nothing */
} import_frame;

/* Maps a message. The resources stand in run->resources, in order; all live in run->a. False, with
 * the segment and field in `err`, where the message is refused. */
CT_USE bool import_run_message(import_run *run, ct_str raw);

/* ---- shared by the run_*.c files ---- */

import_resource *import_run_slot(const import_run *run, ct_str type);
import_resource *import_run_find(const import_run *run, ct_str type, ct_str id);
/* A tree that has its type and id. */
ct_tree *import_resource_tree(import_run *run, ct_str type, ct_str id);
import_resource *import_run_add(import_run *run, ct_str type, ct_str id, const import_map *map);

CT_USE bool import_row_holds(import_run *run, const import_frame *f, const import_condition *when,
                             size_t n, bool *holds);
CT_USE bool import_map_apply(import_run *run, import_frame *f, const import_map *map, bool finally);

/* May the row apply, as far as that hangs on which parts of the value are valued? */
static inline bool import_row_may(const import_frame *f, const import_row *row)
{
    uint32_t valued = f->cuts ? f->cuts->valued : 0;
    return !(row->needs & ~valued) && !(row->lacks & valued);
}
/* What `ref` speaks of. Empty where it is not there. */
import_part import_ref_part(import_run *run, const import_frame *f, const import_ref *ref);
/* Starts going through the repetitions of a field; import_next_repetition takes the next one, false
 * behind the last. */
ct_str import_repetitions(import_run *run, import_frame *f, const import_ref *field);
bool import_next_repetition(import_run *run, import_frame *f, ct_str *rest);
/* Is `ref` the field whose repetitions are gone through? */
bool import_is_looped(const import_run *run, const import_frame *f, const import_ref *ref);
/* The same, of a field all repetitions. */
import_part import_ref_field(import_run *run, const import_frame *f, const import_ref *ref);
bool import_ref_valued(import_run *run, const import_frame *f, const import_ref *ref);
CT_USE bool import_ref_text(import_run *run, const import_frame *f, const import_ref *ref,
                            ct_str *text);
CT_USE bool import_term_text(import_run *run, const import_frame *f, const import_term *t,
                             ct_str *text);
/* Notes that the row being applied looks at all values of `p`. */
void import_run_read(import_run *run, import_part p);
/* Fills the run's error, saying where `ref` is. Returns false. */
bool import_run_fail(import_run *run, const import_frame *f, const import_ref *ref,
                     const char *text);
bool import_run_fail_again(import_run *run, const import_frame *f, const import_ref *ref);

/* Can the text be read as a decimal, a positive integer, a time or a dateTime? */
bool import_text_reads(import_valuekind kind, ct_str text);
/* The value of a row as a tree: NULL where there is none. */
CT_USE bool import_value_make(import_run *run, import_frame *f, const import_row *row,
                              ct_tree *into, ct_tree **value);
ct_tree *import_reference_tree(import_run *run, const import_resource *r);
/* The same by the row's own table of a type of data. */
CT_USE bool import_nested_make(import_run *run, import_frame *f, const import_row *row,
                               const import_ref *ref, ct_tree *into, ct_tree **value);
/* Notes that what is made depends on more than the value. */
static inline void import_run_aside(import_run *run)
{
    if (run->recording)
        run->recording->aside = true;
}
/* Is `raw` a part of the value that is recorded? */
static inline bool import_recording_holds(const import_recording *r, ct_str raw)
{
    ct_str all = r->value.raw;
    return raw.p >= all.p && raw.p + raw.n <= all.p + all.n;
}
/* The URI of a coding system's name; empty where there is none. */
ct_str import_system_uri(const import_maps *maps, ct_str name, ct_arena *a);

/* The identity that the map's id rows give, empty where they give none. `*derived`: it is no
 * identifier of the thing's own. */
CT_USE bool import_id_make(import_run *run, import_frame *f, const import_map *map, ct_str *id,
                           bool *derived);
/* The identity of last resort: message, patient and segment. */
ct_str import_id_of_segment(import_run *run, ct_str type);
/* The identity of the n-th of a kind. */
ct_str import_id_again(import_run *run, ct_str id, uint32_t n);

/* Leaves of identifiers that are the same one, which says what they all do. */
void import_identifiers_once(import_run *run, ct_tree *resource);

/* Adds the security labels of one resource to another that does not have them yet. */
CT_USE bool import_labels_add(import_run *run, ct_tree *to, const ct_tree *from);
/* Adds those of the message to what it tells of. */
CT_USE bool import_labels_add_all(import_run *run);

#endif
