/* chart-classify: what its files share.
 *
 *     chart --collect.c--> diagnoses --icd.c--> blocks, categories --charlson.c--> scores
 *           --category.c--> edited Conditions          --assess.c--> RiskAssessment
 *
 * tables.c reads the tables that the program carries; explain.c says what decided.
 */
#ifndef CLASSIFY_H
#define CLASSIFY_H

#include "common/stream/stream.h"

/* ---- tables (tables.c) ---- */

enum {
    CLASSIFY_CATEGORIES = 32, /* comorbidities at most */
    CLASSIFY_SETS = 2,        /* sets of weights */
    CLASSIFY_NO_CATEGORY = -1,
    CLASSIFY_NOT_TOLD = -2, /* of a prefix: the algorithm cannot tell */
};

/* A chapter or block of ICD-10-CM: categories from `first` to `last`, in use from `from` to `to`.
 */
typedef struct classify_range {
    ct_str code, first, last, version, title;
    ct_date from, to; /* precision CT_P_NONE where open */
} classify_range;

typedef struct classify_ranges {
    classify_range *v;
    size_t n;
    ct_str version; /* of the table */
} classify_ranges;

/* Codes that start so belong to the category. */
typedef struct classify_prefix {
    char text[8];
    int category; /* or CLASSIFY_NO_CATEGORY, CLASSIFY_NOT_TOLD */
} classify_prefix;

typedef struct classify_comorbidity {
    ct_str id, name;
    int weights[CLASSIFY_SETS];
    int less_than; /* category that takes the place of this one, or CLASSIFY_NO_CATEGORY */
} classify_comorbidity;

typedef struct classify_tables {
    classify_ranges chapters, blocks;
    classify_prefix *prefixes; /* sorted by text */
    size_t nprefixes;
    ct_str coding_version;
    classify_comorbidity comorbidities[CLASSIFY_CATEGORIES];
    size_t ncomorbidities;
    ct_str weights_version, sets[CLASSIFY_SETS];
} classify_tables;

/* Reads the tables; `err` tells the file and line of what is wrong in them. */
CT_USE bool classify_tables_read(classify_tables *t, const ct_datafile *files, ct_err *err);
void classify_tables_free(classify_tables *t);

/* ---- codes (icd.c) ---- */

/* Why something was not decided; CLASSIFY_DECIDED is 0. */
typedef enum classify_doubt {
    CLASSIFY_DECIDED,
    CLASSIFY_NO_ICD,       /* no ICD-10 code, only others or text */
    CLASSIFY_BAD_FORM,     /* not the form of an ICD-10 code */
    CLASSIFY_UNKNOWN,      /* no block has such a category */
    CLASSIFY_OUT_OF_TABLE, /* no table holds for the date of service */
    CLASSIFY_VAGUE_DATE,   /* the date does not tell which table holds */
    CLASSIFY_VAGUE_CODE,   /* shorter than what the coding algorithm tells apart */
    CLASSIFY_NEW_CODE,     /* made after the coding algorithm */
    CLASSIFY_DIFFERENTIAL, /* one of several diagnoses that are possible */
    CLASSIFY_UNVERIFIED,   /* whether it was refuted is not to be read */
    CLASSIFY_DOUBTS,
} classify_doubt;

const char *classify_doubt_text(classify_doubt d);

typedef enum classify_system { CLASSIFY_OTHER, CLASSIFY_ICD10, CLASSIFY_ICD10CM } classify_system;

classify_system classify_system_of(ct_str uri);

/* The code without its dot, checked for its form. `to` has room for 8 bytes. */
CT_USE bool classify_normalize(ct_str code, char to[8]);
/* The range that holds a code on a date of service (precision CT_P_NONE: the newest). */
const classify_range *classify_range_of(const classify_ranges *r, const char *code,
                                        const ct_date *service, classify_doubt *doubt);
/* The comorbidity of a code, or CLASSIFY_NO_CATEGORY; CLASSIFY_VAGUE_CODE where longer codes that
 * start so have one. */
int classify_category_of(const classify_tables *t, const char *code, classify_doubt *doubt);

/* ---- what a chart says (collect.c) ---- */

typedef struct classify_diagnosis {
    size_t record; /* index in the chart */
    classify_system system;
    ct_str code; /* as written; empty where there is no ICD-10 code */
    ct_date service;
    const char *ignored;  /* constant text: why it does not count (refuted …), or NULL */
    classify_doubt doubt; /* about the comorbidity */
    int category;
    const classify_range *chapter, *block;
    classify_doubt block_doubt;
} classify_diagnosis;

typedef struct classify_case {
    const classify_tables *tables;
    ct_arena *arena;
    const ct_chart *chart;
    ct_chart current; /* of it: what references are resolved in */
    classify_diagnosis *v;
    size_t n, cap;
    /* counts of diagnoses that are not ignored */
    size_t looked, counted, undecided;
    bool has[CLASSIFY_CATEGORIES];
    int scores[CLASSIFY_SETS];
} classify_case;

/* Collects and decides every diagnosis of the chart. */
void classify_collect(classify_case *k, const ct_chart *chart);
/* Does the category count, no graver form taking its place? */
bool classify_counts(const classify_case *k, int category);
/* Fills counts, `has` and scores. */
void classify_score(classify_case *k);

/* ---- results (category.c, assess.c, explain.c) ---- */

/* Appends the Condition with chapter and block in its category; false where nothing changes. */
bool classify_condition(const classify_case *k, size_t record, ct_edit *edit, ct_buf *out);
/* The id of the chart's RiskAssessment. */
ct_str classify_assessment_id(ct_arena *a, ct_str patient);
/* Appends the chart's RiskAssessment as one line. */
void classify_assessment_put(const classify_case *k, ct_buf *out);
void classify_explain_head(ct_buf *b);
void classify_explain_put(ct_buf *b, const classify_case *k);

#endif
