/* What the files of chart-path share.
 *
 *     main.c     options, the run
 *     group.c    which columns are about which type of record
 *     record.c   one record: what is evaluated on it, and what goes wrong
 *     cell.c     a column's result as a cell of TSV or CSV
 */
#ifndef PATH_PATH_H
#define PATH_PATH_H

#include "common/stream/stream.h"

/* An expression, with its name where it is a column of a table. */
typedef struct path_column {
    ct_str name;   /* empty for the expression of an output without columns */
    ct_str source; /* as the command line has it */
    ct_str about;  /* the resource type that the expression is restricted to, else empty */
    ct_path *path;
} path_column;

/* The columns that are to be evaluated on records of a type, in their order. */
typedef struct path_group {
    ct_str type;
    const size_t *columns;
    size_t n;
} path_group;

typedef enum path_format { PATH_TSV, PATH_CSV, PATH_VALUES } path_format;

/* What is asked of every record. Read-only once it is made: slots share it. */
typedef struct path_query {
    const ct_model *model;
    path_column *columns;
    size_t n;
    path_group *groups; /* by the types that columns are about, in the order of their names */
    size_t ngroups;
    path_group others; /* of every other type */
    path_format format;
    bool types;  /* PATH_VALUES: each item's type ahead of it */
    ct_date now; /* now() and today() */
} path_query;

enum { PATH_SHOWN = 20 /* problems that are told one by one */ };

/* What one thread works with at a time, and what came of it. */
typedef struct path_slot {
    const path_query *query;
    ct_context context;
    ct_buf out;          /* whole lines */
    ct_buf cell;         /* scratch */
    ct_side side;        /* of the records */
    uint64_t items;      /* in the results */
    ct_batch *batch;     /* that the records are of, for notes */
    uint64_t nproblems;  /* evaluations that failed: one more than PATH_SHOWN are noted */
    uint64_t unresolved; /* references that nothing was found for */
} path_slot;

void path_slot_start(path_slot *s, const path_query *q);
void path_slot_stop(path_slot *s);
/* Forgets what came of the records so far. */
void path_slot_clear(path_slot *s);
/* Evaluates the query on a record and adds what comes of it to the slot. Two slots may be at work
 * at once. */
void path_record(path_slot *s, const ct_record *rec);

/* Fills the query's groups, once its columns are compiled. */
void path_group_columns(path_query *q, ct_arena *a);
/* The group for records of the type. */
const path_group *path_group_of(const path_query *q, ct_str type);

/* Appends the row of names. */
void path_head_put(ct_buf *b, const path_query *q);
/* Appends a column's result as a cell: nothing for an empty one; the bare characters of one
 * primitive; JSON (an array, an object) for everything else. A string that could be taken for JSON,
 * or for nothing, is written as a JSON string. `scratch` is written over. */
void path_cell_put(ct_buf *b, path_format format, const ct_items *items, ct_arena *a,
                   ct_buf *scratch);
/* The cell of an evaluation that failed: `[null]`, which no result is. */
void path_failed_put(ct_buf *b);

#endif
