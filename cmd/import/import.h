/* chart-import's own pieces.
 *
 *     main.c          options, the run, what is said at its end
 *     feed.c          the inputs, in blocks that hold whole records
 *     mllp.c          the run on a connection: a message, its records, its answer
 *     fhir/           FHIR JSON: values, Bundles
 *     hl7v2/          HL7 v2: messages by mapping tables
 *
 * A block is worked on by any thread; what comes of it is written in order.
 */
#ifndef CHART_IMPORT_H
#define CHART_IMPORT_H

#include "common/cli/cli.h"

/* FORMAT_MLLP is asked for only: what it frames is HL7 v2. */
typedef enum import_format { FORMAT_UNKNOWN, FORMAT_FHIR, FORMAT_HL7V2, FORMAT_MLLP } import_format;

extern const ct_datafile ct_cmd_data[];

/* Something in a block that could not be used. */
typedef struct import_problem {
    struct import_problem *next;
    ct_err err; /* its line counts from the block's first, from 0 */
    ct_str raw; /* what is kept in --reject */
    bool fatal; /* the input ends here */
} import_problem;

/* How often there was a value in a field, a component or a subcomponent, and what became of it. */
typedef struct import_count {
    struct import_count *next, *chain; /* of all; of its bucket */
    uint64_t
        place;    /* as in hl7v2/values.h; 0: those beyond the IMPORT_COUNTS that are told apart */
    bool ignored; /* it says nothing of the patient */
    uint64_t mapped, lost; /* something was made of it; nothing */
} import_count;

enum { IMPORT_COUNTS = 16384, IMPORT_BUCKETS = 2048 };

typedef struct import_counts {
    ct_arena *arena;
    import_count *all, **buckets;
    size_t n;
} import_counts;

/* HL7's batch headers in a block: how many messages stand before them, and what a trailer claims.
 */
typedef struct import_batch {
    struct import_batch *next;
    uint64_t line, messages;
    bool starts, claims;
    uint64_t claimed;
} import_batch;

struct import_fhir_tools;

/* A block: whole records of one input, and what became of them. */
typedef struct import_block {
    /* filled */
    import_format format;
    const char *file; /* as the user named it */
    bool first, last; /* of its input */
    ct_buf text;
    /* worked */
    ct_arena *arena, *scratch; /* of the block; of one record */
    ct_lines lines;
    ct_side in;
    uint64_t nlines; /* line ends in the block */
    uint64_t created, consumed, changed;
    import_problem *problems, **end;
    import_batch *batches, **batches_end;
    uint64_t messages;              /* all of them, also those refused */
    uint64_t assumed;               /* times whose zone was the run's default */
    import_counts counts;           /* of values: those lost, or with --tally all */
    struct import_fhir_tools *fhir; /* kept from block to block */
} import_block;

/* What does not change during a run. */
typedef struct import_setup {
    const ct_model *model;
    const struct import_maps *maps; /* NULL until an HL7 v2 input is met */
    struct import_memos *memos;     /* the same */
    char zone[7];                   /* --timezone */
    bool zone_given;
    bool keep_source; /* --keep-source */
    bool strict;      /* --strict */
    bool count_all;   /* --tally: values of which something was made are counted too */
} import_setup;

/* A run (main.c). */
typedef struct import_job {
    ct_cli *c;
    struct import_feed *feed; /* NULL: MLLP */
    import_setup setup;
    struct import_site *site; /* --map; NULL for none */
    struct import_maps *maps;
    ct_buf version;       /* of the mapping tables */
    uint64_t line;        /* of the next block's first, in its input */
    uint64_t messages;    /* in the input so far */
    uint64_t batch_start; /* messages before the batch */
    uint64_t assumed;
    const char *unmapped_path;
    const char *ack, *seen_path; /* --ack, --seen */
    import_counts counts;        /* over all of the run */
} import_job;

/* Compiles the mapping tables, once. */
CT_USE bool import_job_maps(import_job *job, ct_err *err);
/* Writes what came of a block and enters it in the books; false after a write error. */
bool import_job_done(import_job *job, import_block *b);

/* ---- mllp.c ---- */

/* Takes in what arrives on the standard input by MLLP, one message after another. */
void import_job_mllp(import_job *job);

/* ---- feed.c ---- */

typedef struct import_feed import_feed;

/* `format` FORMAT_UNKNOWN: each input's own, by its content. */
import_feed *import_feed_new(const char *const *paths, size_t n, import_format format);
/* The next block into `b`, which is emptied first. */
ct_got import_feed_next(import_feed *f, import_block *b, ct_err *err);
/* Makes a block ready to be filled. */
void import_block_empty(import_block *b);
/* How far it has come; records are not counted. */
ct_progress import_feed_progress(const import_feed *f);
void import_feed_free(import_feed *f);

void import_block_free(import_block *b);
/* Notes what could not be used; `raw` is copied. */
void import_block_problem(import_block *b, const ct_err *err, ct_str raw, bool fatal);
/* Does a line of a --reject file stand here, that tells a reason? */
bool import_is_reason(ct_str text);

/* ---- formats ---- */

/* How far a text was searched for the end of a JSON value, so that one that grows is searched once.
 */
typedef struct import_scan {
    size_t at, depth;
    size_t good; /* behind the last value that ended at the top */
    bool string, escape;
} import_scan;

/* The length of the whole records at the front of `text`, 0 where not even one ends in it. */
size_t import_fhir_cut(ct_str text, import_scan *scan);
size_t import_hl7v2_cut(ct_str text);

void import_fhir_work(const import_setup *setup, import_block *b);
void import_hl7v2_work(const import_setup *setup, import_block *b);
void import_fhir_tools_free(struct import_fhir_tools *tools);

#endif
