/* chart-audit: what its files share.
 *
 *     .rules files --parse.c--> rules --check.c--> findings --report.c, issue.c--> output
 *
 * clause.c reads `holds`, `owner` and `due`, packs.c selects among rules, shipped.c has those that
 * the program carries.
 */
#ifndef AUDIT_H
#define AUDIT_H

#include "common/fhirpath/fhirpath.h"
#include "common/stream/stream.h"

/* ---- rules (parse.c, clause.c, packs.c, shipped.c) ---- */

typedef enum audit_severity {
    AUDIT_ERROR,
    AUDIT_WARNING,
    AUDIT_INFORMATION,
    AUDIT_SEVERITIES,
} audit_severity;

const char *audit_severity_name(audit_severity s);

/* `30 days after period.end` */
typedef struct audit_due {
    ct_str text;
    int64_t hours; /* negative: before */
    ct_path *from;
} audit_due;

/* `from 2007-01-26 to 2026-06-30 at period.start` */
typedef struct audit_holds {
    ct_date from, to; /* precision CT_P_NONE where not given */
    ct_path *at;
} audit_holds;

typedef struct audit_rule {
    ct_str id;
    ct_str pack, version;
    const char *file;
    uint64_t line;
    audit_severity severity;
    ct_str type; /* resource type; empty for a rule about the chart */
    ct_path *guard, *require;
    ct_str message, cite, link;
    ct_str role; /* who must mend it … */
    ct_path *owner;
    audit_due due;
    audit_holds holds;
} audit_rule;

typedef struct audit_rules {
    ct_arena *arena;
    const ct_model *model;
    audit_rule *v;
    size_t n, cap;
    /* The rules of one type, as indexes in order; the empty type is the chart. Made by
     * audit_rules_index. */
    struct audit_group {
        ct_str type;
        uint32_t *rules;
        size_t n;
    } * groups;
    size_t ngroups;
} audit_rules;

/* Told of everything that is wrong in rule files: `err` has file, line and column. */
typedef void audit_wrong_fn(void *ctx, const ct_err *err);

audit_rules *audit_rules_new(const ct_model *m);
/* Adds the rules of a file; all that is wrong is reported. */
void audit_rules_parse(audit_rules *r, const char *file, ct_str text, audit_wrong_fn *wrong,
                       void *ctx);
/* Adds the rules of a shipped pack, or appends its text; false where there is no such pack. */
CT_USE bool audit_shipped_parse(audit_rules *r, const char *name, audit_wrong_fn *wrong, void *ctx);
CT_USE bool audit_shipped_put(ct_buf *b, const char *name);
const audit_rule *audit_rules_find(const audit_rules *r, ct_str id);
/* Keeps those that `only` names (NULL or empty: all), and not those of `except`. */
void audit_rules_select(audit_rules *r, const ct_str *only, size_t nonly, const ct_str *except,
                        size_t nexcept);
void audit_rules_index(audit_rules *r);
/* NULL where there is none. */
const struct audit_group *audit_rules_of(const audit_rules *r, ct_str type);
void audit_rules_free(audit_rules *r);

/* A rule being read. */
struct audit_clause {
    audit_rules *rules;
    const ct_stanza *stanza;
    const ct_ftype *on; /* what the rule applies to; NULL: the chart */
};

void audit_read_holds(struct audit_clause *c, const ct_placed *t, audit_holds *h);
void audit_read_due(struct audit_clause *c, const ct_placed *t, audit_due *d);
void audit_read_owner(struct audit_clause *c, const ct_placed *t, audit_rule *r);

/* ---- checking (check.c, due.c) ---- */

typedef struct audit_finding {
    const audit_rule *rule;
    const ct_record *record;
    bool undecided;
    const char *why; /* of undecided: constant text */
    char where[32];  /* of undecided: the column, or empty */
    ct_str owner;    /* reference of who must mend it, or empty */
    ct_date due;     /* precision CT_P_NONE where the rule has none or it cannot be told */
} audit_finding;

typedef struct audit_count {
    uint64_t checked, passed, findings, undecided;
} audit_count;

/* What one thread needs to check charts. */
typedef struct audit_checker {
    const audit_rules *rules;
    ct_date today;
    ct_arena *arena, *scratch;
    audit_count *counts; /* one for each rule */
    audit_finding *findings;
    size_t n, cap;
    size_t outdated; /* records of the chart that a newer one took the place of */
} audit_checker;

void audit_checker_start(audit_checker *k, const audit_rules *rules, ct_date today);
/* Checks a chart as it stands (ct_chart_current): its findings in k->findings, in the order of the
 * records, then of the rules, valid until the next chart. Counts are added up. */
void audit_check(audit_checker *k, const ct_chart *chart);
void audit_checker_stop(audit_checker *k);

/* The date (or, where it counts hours and `from` has a time, the minute) that lies `hours` after.
 */
ct_date audit_hours_after(const ct_date *from, int64_t hours);
/* Days from due to today; 0 where it is not over or not known. */
int64_t audit_days_over(const ct_date *due, const ct_date *today);

/* ---- output (report.c, issue.c, summary.c) ---- */

typedef enum audit_format { AUDIT_TEXT, AUDIT_TSV, AUDIT_NDJSON } audit_format;

typedef struct audit_report {
    audit_format format;
    bool show_values;
    bool dated; /* --as-of was given: findings carry the date */
    ct_date today;
    ct_lines lines; /* finished lines; only NDJSON is entered in the books */
} audit_report;

/* Lines that go before and behind all findings. */
void audit_report_head(audit_report *r);
/* Appends the findings of a chart to r->lines. */
void audit_report_chart(audit_report *r, const ct_chart *chart, const audit_finding *v, size_t n);
/* A finding as DetectedIssue, one line. */
void audit_issue_put(ct_buf *b, const audit_report *r, const ct_chart *chart,
                     const audit_finding *f);
/* What a record is called: Type/id, or Type where it has no id. */
void audit_record_name(ct_buf *b, const ct_record *rec);

/* The day a finding is due; nothing where it has none. */
void audit_due_put(ct_buf *b, const audit_finding *f);

/* Counts over a run. */
typedef struct audit_totals {
    const audit_rules *rules;
    uint64_t charts, records, outdated;
    audit_count *counts;
} audit_totals;

void audit_totals_line(ct_buf *b, const audit_totals *t);
void audit_summary_put(ct_buf *b, const audit_totals *t);
void audit_list_rules(ct_buf *b, const audit_rules *r);

#endif
