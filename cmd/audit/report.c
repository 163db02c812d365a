/* Findings as text for people and as TSV. */
#include "cmd/audit/audit.h"

#include <inttypes.h>

void audit_record_name(ct_buf *b, const ct_record *rec)
{
    ct_val id = ct_member(&rec->doc, CT_ROOT, CT_S("id"));

    ct_buf_put(b, rec->type);
    if (id != CT_NONE && ct_type(&rec->doc, id) == CT_STRING) {
        ct_buf_c(b, '/');
        ct_buf_put(b,
                   ct_str_head(ct_str_from(ct_raw(&rec->doc, id), 1), ct_raw(&rec->doc, id).n - 2));
    }
}

void audit_due_put(ct_buf *b, const audit_finding *f)
{
    const ct_date *day = &f->due;

    if (day->precision)
        ct_date_put(
            b, &(ct_date){
                   .precision = CT_P_DAY, .year = day->year, .month = day->month, .day = day->day});
}

/* Without control characters: they would break rows and could drive a terminal. */
static void put_clean(ct_buf *b, ct_str s)
{
    for (size_t i = 0; i < s.n; i++)
        ct_buf_c(b, (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f ? ' ' : s.p[i]);
}

/* ---- text ---- */

/* What --show-values adds to the head of a chart: name, birth date, first identifier. */
static void put_person(ct_buf *b, const ct_chart *chart)
{
    static const char *const paths[] = {"name.family", "name.given", "name.text", "birthDate",
                                        "identifier.value"};

    if (!chart->has_patient)
        return;
    for (size_t i = 0; i < CT_LEN(paths); i++) {
        ct_str s = ct_text_at(&chart->records[0].doc, CT_ROOT, paths[i], chart->arena);

        if (s.n) {
            ct_buf_z(b, "  ");
            put_clean(b, s);
        }
    }
}

static void text_head(audit_report *r, const ct_chart *chart)
{
    ct_buf *b = &r->lines.buf;

    if (chart->id.n) {
        ct_buf_z(b, "Patient/");
        put_clean(b, chart->id);
    } else {
        ct_buf_z(b, "(no patient)");
    }
    if (r->show_values)
        put_person(b, chart);
    ct_buf_c(b, '\n');
}

static void text_duty(audit_report *r, const audit_finding *f)
{
    ct_buf *b = &r->lines.buf;
    int64_t over = audit_days_over(&f->due, &r->today);

    ct_buf_z(b, "      ");
    ct_buf_put(b, f->rule->cite);
    ct_buf_z(b, "; ");
    ct_buf_put(b, f->rule->role);
    if (f->owner.n) {
        ct_buf_c(b, ' ');
        put_clean(b, f->owner);
    }
    if (f->due.precision) {
        ct_buf_z(b, ", due ");
        audit_due_put(b, f);
        if (over)
            ct_buf_printf(b, ", %" PRId64 " day%s over", over, over == 1 ? "" : "s");
    } else if (f->rule->due.text.n) {
        ct_buf_z(b, ", due ");
        ct_buf_put(b, f->rule->due.text);
    }
    ct_buf_c(b, '\n');
}

static void text_finding(audit_report *r, const audit_finding *f)
{
    ct_buf *b = &r->lines.buf;

    ct_buf_printf(b, "  %s:%" PRIu64 ": ", f->record->file, f->record->number);
    if (f->rule->type.n)
        audit_record_name(b, f->record);
    else
        ct_buf_z(b, "chart");
    ct_buf_printf(b, ": %s: ", f->undecided ? "undecided" : audit_severity_name(f->rule->severity));
    ct_buf_put(b, f->rule->message);
    if (f->undecided) {
        ct_buf_printf(b, "? (%s", f->why);
        ct_buf_printf(b, f->where[0] ? ", %s)" : "%s)", f->where);
    }
    ct_buf_z(b, " [");
    ct_buf_put(b, f->rule->id);
    ct_buf_z(b, "]\n");
    text_duty(r, f);
}

/* ---- TSV ---- */

static const char tsv_head[] = "patient\tfile\tline\trecord\toutcome\tseverity\trule\tmessage\tcite"
                               "\trole\towner\tdue\tdays_over\n";

static void put_column(ct_buf *b, ct_str s)
{
    ct_buf_c(b, '\t');
    put_clean(b, s);
}

static void tsv_finding(audit_report *r, const ct_chart *chart, const audit_finding *f)
{
    ct_buf *b = &r->lines.buf;
    ct_buf name = {0};
    int64_t over = audit_days_over(&f->due, &r->today);

    audit_record_name(&name, f->record);
    put_clean(b, chart->id);
    put_column(b, ct_str_z(f->record->file));
    ct_buf_printf(b, "\t%" PRIu64, f->record->number);
    put_column(b, f->rule->type.n ? ct_buf_str(&name) : CT_S("chart"));
    ct_buf_z(b, f->undecided ? "\tundecided" : "\tfinding");
    put_column(b, ct_str_z(audit_severity_name(f->rule->severity)));
    put_column(b, f->rule->id);
    put_column(b, f->rule->message);
    put_column(b, f->rule->cite);
    put_column(b, f->rule->role);
    put_column(b, f->owner);
    ct_buf_c(b, '\t');
    audit_due_put(b, f);
    ct_buf_c(b, '\t');
    if (over)
        ct_buf_printf(b, "%" PRId64, over);
    ct_buf_c(b, '\n');
    ct_buf_free(&name);
}

/* ---- all ---- */

void audit_report_head(audit_report *r)
{
    if (r->format == AUDIT_TSV)
        ct_buf_z(&r->lines.buf, tsv_head);
}

static void ndjson_finding(audit_report *r, const ct_chart *chart, const audit_finding *f)
{
    ct_buf b = {0};

    audit_issue_put(&b, r, chart, f);
    ct_lines_add(&r->lines, ct_buf_str(&b), CT_S("DetectedIssue"));
    ct_buf_free(&b);
}

void audit_report_chart(audit_report *r, const ct_chart *chart, const audit_finding *v, size_t n)
{
    if (n && r->format == AUDIT_TEXT)
        text_head(r, chart);
    for (size_t i = 0; i < n; i++) {
        if (r->format == AUDIT_TEXT)
            text_finding(r, &v[i]);
        else if (r->format == AUDIT_TSV)
            tsv_finding(r, chart, &v[i]);
        else
            ndjson_finding(r, chart, &v[i]);
    }
}
