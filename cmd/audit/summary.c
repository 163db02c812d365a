/* Counts over a run, and the list of rules. */
#include "cmd/audit/audit.h"

#include <inttypes.h>

static void put_number_of(ct_buf *b, uint64_t n, const char *one, const char *many)
{
    ct_buf_printf(b, "%" PRIu64 " %s", n, n == 1 ? one : many);
}

void audit_totals_line(ct_buf *b, const audit_totals *t)
{
    uint64_t by[AUDIT_SEVERITIES] = {0}, undecided = 0;

    for (size_t i = 0; i < t->rules->n; i++) {
        by[t->rules->v[i].severity] += t->counts[i].findings;
        undecided += t->counts[i].undecided;
    }
    put_number_of(b, t->charts, "chart, ", "charts, ");
    put_number_of(b, t->records, "record", "records");
    if (t->outdated)
        ct_buf_printf(b, " (%" PRIu64 " outdated)", t->outdated);
    ct_buf_z(b, ": ");
    put_number_of(b, by[AUDIT_ERROR], "error, ", "errors, ");
    put_number_of(b, by[AUDIT_WARNING], "warning, ", "warnings, ");
    put_number_of(b, by[AUDIT_INFORMATION], "information, ", "information, ");
    ct_buf_printf(b, "%" PRIu64 " undecided", undecided);
}

static size_t longest_id(const audit_rules *r)
{
    size_t n = strlen("rule");

    for (size_t i = 0; i < r->n; i++)
        n = r->v[i].id.n > n ? r->v[i].id.n : n;
    return n;
}

void audit_summary_put(ct_buf *b, const audit_totals *t)
{
    int width = (int)longest_id(t->rules);

    ct_buf_printf(b, "%-*s  %-11s  %9s  %9s  %9s  %9s\n", width, "rule", "severity", "checked",
                  "passed", "findings", "undecided");
    for (size_t i = 0; i < t->rules->n; i++) {
        const audit_rule *rule = &t->rules->v[i];
        const audit_count *c = &t->counts[i];

        ct_buf_printf(b, "%-*.*s  %-11s  %9" PRIu64 "  %9" PRIu64 "  %9" PRIu64 "  %9" PRIu64 "\n",
                      width, (int)rule->id.n, rule->id.p, audit_severity_name(rule->severity),
                      c->checked, c->passed, c->findings, c->undecided);
    }
}

void audit_list_rules(ct_buf *b, const audit_rules *r)
{
    int width = (int)longest_id(r);

    for (size_t i = 0; i < r->n; i++) {
        const audit_rule *rule = &r->v[i];
        ct_str type = rule->type.n ? rule->type : CT_S("chart");

        ct_buf_printf(b, "%-*.*s  %-11s  %-18.*s  %.*s  [%.*s]\n", width, (int)rule->id.n,
                      rule->id.p, audit_severity_name(rule->severity), (int)type.n, type.p,
                      (int)rule->message.n, rule->message.p, (int)rule->cite.n, rule->cite.p);
    }
}
