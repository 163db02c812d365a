/* What the files of chart-release share. */
#ifndef RELEASE_H
#define RELEASE_H

#include "common/cli/cli.h"
#include "common/fhirpath/fhirpath.h"
#include "common/store/store.h"

extern const ct_datafile ct_cmd_data[];

/* ---- the tables that are built in (tables.c) ---- */

enum { RELEASE_COLUMNS = 4 };

/* Rows of a data file, found by their first column. */
typedef struct release_table {
    ct_str (*rows)[RELEASE_COLUMNS]; /* columns that a row lacks are empty */
    size_t n;
} release_table;

typedef struct release_tables {
    release_table purposes, types, labels;
} release_tables;

release_tables release_tables_load(ct_arena *a);

/* What a release is for. */
typedef struct release_purpose {
    ct_str code, display;
    ct_str
        excluded;  /* by which paragraph of 164.528(a)(1) no accounting is due; empty: it is due */
    ct_str policy; /* decides where none is named */
} release_purpose;

/* The following are false where the table does not know it. */
bool release_purpose_find(const release_tables *t, ct_str code, release_purpose *found);

typedef struct release_type {
    bool shared; /* belongs to nobody, may go with a chart */
} release_type;

bool release_type_find(const release_tables *t, ct_str type, release_type *found);

typedef enum release_verdict {
    RELEASE_L_PASS,
    RELEASE_L_WITHHOLD,
    RELEASE_L_PSYCHOTHERAPY, /* a policy must name it */
} release_verdict;

typedef struct release_label {
    release_verdict verdict;
} release_label;

bool release_label_find(const release_tables *t, ct_str system, ct_str code, release_label *found);
/* Does any system of the table have the code? */
bool release_label_known(const release_tables *t, ct_str code);

/* ---- dates (dates.c) ---- */

/* Days since 1970-01-01; open ends are the least and the greatest number. */
typedef struct release_range {
    int64_t from, until;
} release_range;

#define RELEASE_ALWAYS ((release_range){INT64_MIN, INT64_MAX})

/* Did what a record tells of happen within the range? */
ct_truth release_within(const ct_times *when, release_range range);

/* ---- policies (policy.c) ---- */

/* A line of a policy about types. */
typedef struct release_rule {
    ct_str type;    /* or "*" */
    ct_path *where; /* NULL: always */
    bool withhold;
} release_rule;

/* A line of a policy about labels; code "*" for all that are not psychotherapy; an empty system
 * for those that the table has the code of. */
typedef struct release_labelrule {
    ct_str system, code;
    bool permit;
} release_labelrule;

typedef struct release_policy {
    ct_arena *arena;
    ct_str name, version, title;
    char hash[2 * CT_SHA256_LEN + 1]; /* of its text */
    release_range range;
    ct_str *purposes; /* none: any */
    size_t npurposes;
    release_rule *rules;
    size_t nrules;
    release_labelrule *labels;
    size_t nlabels;
    bool conditional; /* some rule has an expression */
} release_policy;

/* Reads a policy: a file where `name` has a slash or a dot, else one that is built in. On failure
 * `err` has file and line. NULL where it cannot. */
release_policy *release_policy_load(const release_tables *t, const char *name, ct_err *err);
/* May the policy be used for this purpose? */
bool release_policy_serves(const release_policy *p, ct_str purpose);
void release_policy_free(release_policy *p);

/* ---- judging a record (judge.c) ---- */

/* Why a record is kept back: the first of these that holds. */
typedef enum release_why {
    RELEASE_GOES,
    RELEASE_PATIENT,
    RELEASE_NOBODY,
    RELEASE_OTHERS,
    RELEASE_OTHERS_UNKNOWN,
    RELEASE_TYPE,
    RELEASE_PSYCHOTHERAPY,
    RELEASE_LABEL,
    RELEASE_LABEL_UNKNOWN,
    RELEASE_PATIENT_LABEL,
    RELEASE_PATIENT_MISSING,
    RELEASE_STAY_LABEL,
    RELEASE_DATE,
    RELEASE_DATE_UNKNOWN,
    RELEASE_CONDITION,
    RELEASE_UNDECIDED,
    RELEASE_ALONE,
    RELEASE_WHYS,
} release_why;

/* In a few words, for the summary. */
extern const char *const release_why_text[RELEASE_WHYS];

/* Ids of the element names that are looked for in every record. */
typedef struct release_names {
    uint16_t resource_type, reference, identifier, url, full_url, value_uri, value_url,
        value_canonical, extension, modifier_extension, security, security_label, confidentiality,
        meta;
} release_names;

release_names release_names_load(const ct_model *m);

/* What the release was asked to be; the same for all records. */
typedef struct release_request {
    const ct_model *model;
    release_names names;
    const release_tables *tables;
    const release_policy *policy;
    release_range range;    /* the policy's and the command line's together */
    const ct_str *patients; /* none: all */
    size_t npatients;
    ct_date today;
} release_request;

bool release_asked(const release_request *r, ct_str patient);

/* What the versions of a record have in common. */
typedef struct release_version {
    ct_str type, id;
} release_version;

/* A chart with what its records are judged by (empty id: the records are nobody's). */
typedef struct release_case {
    const release_request *r;
    ct_chart *chart;
    const ct_items *records; /* %chart, or NULL */
    bool closed;             /* a label of the Patient record keeps all of it back */
    release_version
        *restricted; /* that a label keeps back: stays, and where records have versions all */
    size_t nrestricted;
    ct_arena *a; /* scratch */
} release_case;

release_why release_judge(const release_case *k, const ct_record *rec);

/* names.c: does it name other patients, or may it? */
release_why release_judge_names(const release_case *k, const ct_record *rec);

/* labels.c: looks at the chart as a whole: sets `closed` and `restricted`. */
void release_judge_chart_labels(release_case *k);
release_why release_judge_labels(const release_case *k, const ct_record *rec);

/* ---- records held back until a chart goes (held.c) ---- */

typedef struct release_held release_held;

/* `counted`: keep books of types and sums. */
release_held *release_held_new(bool counted);
/* Takes what is in `l`, and empties it. */
CT_USE bool release_held_add(release_held *h, ct_lines *l, ct_err *err);
uint64_t release_held_records(const release_held *h);
/* Gives all of it to `give`, piece by piece, and its books to `side`; once. */
CT_USE bool release_held_give(release_held *h, ct_side *side, bool (*give)(void *ctx, ct_str piece),
                              void *ctx, ct_err *err);
void release_held_free(release_held *h);

/* ---- judging a chart (chart.c) ---- */

/* Records counted by a name: one patient's line in the ledger, or a resource type. */
typedef struct release_entry {
    ct_str name, description;
    uint64_t records;
    size_t last; /* the record that was counted last */
} release_entry;

typedef struct release_entries {
    release_entry *v;
    size_t n, cap;
} release_entries;

void release_entry_add(release_entries *e, release_entry added);

/* One chart, or a chunk of shared records, on its way, and what became of it. */
typedef struct release_slot {
    const release_request *r;
    ct_chart *chart;
    ct_lines out;          /* the records that go */
    release_entries kinds; /* how many of which type */
    release_entries named; /* other patients whom they name */
    uint64_t why[RELEASE_WHYS];
    bool explains;
    ct_buf explain;   /* a row for each record that is decided ... */
    ct_lines waiting; /* ... and the beginning of one for those that wait for a chart */
    size_t record;    /* being judged, from 1 */
    ct_arena *arena, *scratch;
} release_slot;

release_slot *release_slots_new(size_t n, const release_request *r, bool counted, bool explains);
/* Fits ct_chartwork.work. */
void release_judge_chart(void *ctx, void *slot, ct_chart *chart);
void release_slots_free(release_slot *s, size_t n);

/* ---- the two things it does ---- */

/* Releases (disclose.c): reads c->args, fills in `d` as it goes. `explain` (may be NULL) is a file
 * for what became of each record. */
void release_disclose(ct_cli *c, const release_request *r, ct_disclosure *d, const char *explain);

typedef struct release_accounting_options {
    ct_str patient;
    const char *from;       /* or NULL: six years */
    const char *known_head; /* --check-ledger: or NULL */
    int format;             /* of release_formats */
    bool all;
} release_accounting_options;

extern const char *const release_formats[];

/* accounting.c */

/* Text that people see on a terminal, or that keeps to its column: control characters become
 * blanks. */
void release_put_plain(ct_buf *b, ct_str s);
void release_account(ct_cli *c, const release_tables *t, const release_accounting_options *o);
void release_check_ledger(ct_cli *c, const release_accounting_options *o);

#endif
