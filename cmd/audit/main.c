/* chart-audit: checks charts against rules and reports what is missing, wrong or late. */
#include "cmd/audit/audit.h"
#include "common/cli/cli.h"

#include <stdlib.h>

enum { RULES_MAX = 4 << 20 /* bytes of one rule file */ };

enum option {
    OPT_LIST = CT_OPT_OWN,
    OPT_SHOW,
    OPT_RULE,
    OPT_EXCEPT,
    OPT_FORMAT,
    OPT_SUMMARY,
    OPT_FAIL_ON,
    OPT_PASS,
    OPT_FINDINGS,
};

static const ct_opt options[] = {
    {'r', "rules", "NAME|FILE", "use this pack or file, again for more (default: core)"},
    {OPT_RULE, "rule", "ID", "check this rule only, again for more"},
    {OPT_EXCEPT, "except", "ID", "leave this rule out, again for more"},
    {OPT_LIST, "list-rules", NULL, "list the rules and end"},
    {OPT_SHOW, "show-rules", "NAME", "print a shipped pack, to begin your own with"},
    {OPT_FORMAT, "format", "FORMAT", "of findings: text (default), tsv or ndjson"},
    {OPT_SUMMARY, "summary", NULL, "add a table by rule, behind the text or else on stderr"},
    {OPT_FAIL_ON, "fail-on", "LEVEL",
     "exit 1 from error (default), warning, information, undecided, never"},
    {OPT_PASS, "pass", NULL, "write the records unchanged; findings go to --findings"},
    {OPT_FINDINGS, "findings", "FILE", "with --pass: write the findings to FILE"},
    {0},
};

static const ct_command command = {
    .name = "audit",
    .summary = "Checks charts for completeness, accuracy and timeliness by rule files.",
    .synopsis = "[OPTION]... [FILE]...",
    .common = CT_HAS_OUTPUT | CT_HAS_REJECT | CT_HAS_TALLY | CT_HAS_JOBS | CT_HAS_ASOF |
              CT_HAS_PROGRESS | CT_HAS_SORTED,
    .options = options,
    .examples = "  chart audit charts.ndjson\n"
                "  chart audit --format tsv --fail-on warning charts.ndjson\n"
                "  chart import feed.hl7 | chart audit --pass --findings found.txt >records\n",
};

enum fail_on { FAIL_ERROR, FAIL_WARNING, FAIL_INFORMATION, FAIL_UNDECIDED, FAIL_NEVER };

struct list {
    ct_str *v;
    size_t n;
};

/* The run. */
struct audit {
    ct_cli cli;
    audit_rules *rules;
    audit_totals totals;
    audit_format format;
    enum fail_on fail_on;
    bool dated, pass, list, summary;
    const char *findings_path, *show;
    ct_out *findings;
    struct list packs, only, except;
    size_t wrong; /* with the rules */
};

/* What one thread works with at a time. */
struct slot {
    const struct audit *run;
    audit_checker checker;
    audit_report report;
    ct_lines records;
};

/* ---- options ---- */

static void push(struct list *l, const char *z)
{
    l->v = ct_grow(l->v, l->n, sizeof(*l->v));
    l->v[l->n++] = ct_str_z(z);
}

static void own_option(struct audit *a, int opt)
{
    static const char *const formats[] = {"text", "tsv", "ndjson", NULL};
    static const char *const levels[] = {"error",     "warning", "information",
                                         "undecided", "never",   NULL};

    switch (opt) {
    case 'r':
        push(&a->packs, a->cli.arg);
        break;
    case OPT_RULE:
        push(&a->only, a->cli.arg);
        break;
    case OPT_EXCEPT:
        push(&a->except, a->cli.arg);
        break;
    case OPT_LIST:
        a->list = true;
        break;
    case OPT_SHOW:
        a->show = a->cli.arg;
        break;
    case OPT_FORMAT:
        a->format = (audit_format)ct_cli_word(&a->cli, formats);
        break;
    case OPT_SUMMARY:
        a->summary = true;
        break;
    case OPT_FAIL_ON:
        a->fail_on = (enum fail_on)ct_cli_word(&a->cli, levels);
        break;
    case OPT_PASS:
        a->pass = true;
        break;
    case OPT_FINDINGS:
        a->findings_path = a->cli.arg;
        break;
    }
}

static void read_options(struct audit *a)
{
    int opt;

    while ((opt = ct_cli_option(&a->cli)) != CT_CLI_DONE)
        own_option(a, opt);
    if (a->findings_path && !a->pass)
        ct_cli_usage(&a->cli, "--findings goes with --pass; without it findings are the output");
    ct_cli_apart(&a->cli, "findings", a->findings_path);
    a->dated = a->cli.as_of_given;
}

/* ---- rules ---- */

enum { WRONG_SHOWN = 50 };

static void on_wrong(void *audit, const ct_err *err)
{
    struct audit *a = audit;

    if (a->wrong++ < WRONG_SHOWN)
        ct_cli_error(&a->cli, CT_FAULT, NULL, err);
    else if (a->wrong == WRONG_SHOWN + 1)
        ct_cli_problem(&a->cli, CT_FAULT, "more is wrong with the rules");
}

static void show_rules(struct audit *a)
{
    ct_buf b = {0};

    if (!audit_shipped_put(&b, a->show))
        ct_cli_usage(&a->cli, "there is no rule pack %s", a->show);
    ct_out_put(ct_cli_out(&a->cli), ct_buf_str(&b));
    ct_buf_free(&b);
}

static void load_file(struct audit *a, ct_str path)
{
    ct_buf text = {0};
    ct_err err = {0};

    if (!ct_slurp(path.p, RULES_MAX, &text, &err))
        ct_cli_die(&a->cli, path.p, &err);
    audit_rules_parse(a->rules, path.p, ct_buf_str(&text), on_wrong, a);
    ct_buf_free(&text);
}

static bool looks_like_path(ct_str s)
{
    return ct_str_find(s, CT_S("/")) != SIZE_MAX || ct_str_find(s, CT_S(".")) != SIZE_MAX;
}

static void require_known(struct audit *a, const struct list *ids)
{
    for (size_t i = 0; i < ids->n; i++)
        if (!audit_rules_find(a->rules, ids->v[i]))
            ct_cli_usage(&a->cli, "there is no rule %s", ids->v[i].p);
}

/* Every pack once in the books, with its version. */
static void name_packs(struct audit *a)
{
    for (size_t i = 0; i < a->rules->n; i++) {
        const audit_rule *r = &a->rules->v[i];
        bool seen = false;

        for (size_t j = 0; j < i && !seen; j++)
            seen = ct_str_eq(r->pack, a->rules->v[j].pack) &&
                   ct_str_eq(r->version, a->rules->v[j].version);
        if (!seen)
            ct_cli_table(&a->cli, ct_arena_copy(a->rules->arena, r->pack).p,
                         ct_arena_copy(a->rules->arena, r->version).p);
    }
}

static void load_rules(struct audit *a)
{
    a->rules = audit_rules_new(ct_model_r4());
    if (a->packs.n == 0)
        push(&a->packs, "core");
    for (size_t i = 0; i < a->packs.n; i++) {
        if (looks_like_path(a->packs.v[i]))
            load_file(a, a->packs.v[i]);
        else if (!audit_shipped_parse(a->rules, a->packs.v[i].p, on_wrong, a))
            ct_cli_usage(&a->cli, "there is no rule pack %s", a->packs.v[i].p);
    }
    if (a->cli.status == CT_FAULT)
        exit(ct_cli_finish(&a->cli));
    require_known(a, &a->only);
    require_known(a, &a->except);
    audit_rules_select(a->rules, a->only.v, a->only.n, a->except.v, a->except.n);
    audit_rules_index(a->rules);
    name_packs(a);
}

/* ---- work ---- */

static void work(void *ctx, void *slot, ct_chart *chart)
{
    const struct audit *a = ctx;
    struct slot *s = slot;

    audit_check(&s->checker, chart);
    audit_report_chart(&s->report, chart, s->checker.findings, s->checker.n);
    for (size_t i = 0; a->pass && i < chart->n; i++)
        ct_lines_add(&s->records, chart->records[i].line, chart->records[i].type);
}

static bool put_findings(struct audit *a, struct slot *s, const ct_chart *chart)
{
    ct_tally *tally = &a->cli.tally;
    bool ok;

    if (!a->pass) {
        tally->consumed += chart->n;
        tally->created += a->format == AUDIT_NDJSON ? s->checker.n : 0;
        return ct_cli_lines(&a->cli, &s->report.lines);
    }
    ok = !a->findings || ct_out_put(a->findings, ct_buf_str(&s->report.lines.buf));
    s->report.lines.buf.n = 0;
    ct_side_clear(&s->report.lines.side);
    return ct_cli_lines(&a->cli, &s->records) && ok;
}

static bool done(void *ctx, void *slot, const ct_chart *chart)
{
    struct audit *a = ctx;
    struct slot *s = slot;

    a->totals.charts += chart->id.n > 0;
    a->totals.records += chart->n;
    a->totals.outdated += s->checker.outdated;
    for (size_t i = 0; i < a->rules->n; i++) {
        audit_count *to = &a->totals.counts[i], *from = &s->checker.counts[i];

        to->checked += from->checked;
        to->passed += from->passed;
        to->findings += from->findings;
        to->undecided += from->undecided;
        *from = (audit_count){0};
    }
    return put_findings(a, s, chart);
}

static struct slot *make_slots(const struct audit *a, size_t n)
{
    struct slot *slots = ct_calloc(n, sizeof(*slots));

    for (size_t i = 0; i < n; i++) {
        slots[i].run = a;
        audit_checker_start(&slots[i].checker, a->rules, a->cli.as_of);
        slots[i].report = (audit_report){.format = a->format,
                                         .show_values = a->cli.show_values,
                                         .dated = a->dated,
                                         .today = a->cli.as_of};
        slots[i].report.lines.side.off = slots[i].records.side.off = a->cli.tally.out.off;
    }
    return slots;
}

static void free_slots(struct slot *slots, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        audit_checker_stop(&slots[i].checker);
        ct_buf_free(&slots[i].report.lines.buf);
        ct_side_free(&slots[i].report.lines.side);
        ct_buf_free(&slots[i].records.buf);
        ct_side_free(&slots[i].records.side);
    }
    free(slots);
}

static void run(struct audit *a)
{
    size_t n = (size_t)a->cli.jobs * CT_SLOTS_PER_JOB;
    struct slot *slots = make_slots(a, n);
    ct_blocks *in = ct_cli_inputs(&a->cli, 0);
    ct_charts *charts = ct_cli_charts(&a->cli, in);
    ct_chartwork w = {.charts = charts,
                      .jobs = a->cli.jobs,
                      .slots = slots,
                      .slot_size = sizeof(*slots),
                      .work = work,
                      .done = done,
                      .ctx = a};
    ct_err err = {0};

    if (!ct_charts_run(&w, &err)) {
        if (err.kind != CT_OK)
            ct_cli_error(&a->cli, CT_FAULT, NULL, &err);
        else
            a->cli.status = CT_FAULT; /* the write error is told by ct_cli_finish */
    }
    ct_charts_free(charts);
    ct_blocks_free(in);
    free_slots(slots, n);
}

/* ---- the end ---- */

static bool failed(const struct audit *a)
{
    bool any = false;

    for (size_t i = 0; i < a->rules->n; i++) {
        const audit_count *c = &a->totals.counts[i];

        any |= c->findings && (int)a->rules->v[i].severity <= (int)a->fail_on;
        any |= c->undecided && a->fail_on == FAIL_UNDECIDED;
    }
    return any && a->fail_on != FAIL_NEVER;
}

/* One message a line. */
static void say_lines(const struct audit *a, ct_str text)
{
    while (text.n) {
        ct_str line = ct_str_cut(&text, '\n');

        ct_cli_say(&a->cli, "%.*s", (int)line.n, line.p);
    }
}

/* Behind findings as text; on stderr where the output is data or is not there. */
static void put_end(struct audit *a)
{
    bool text = a->format == AUDIT_TEXT && (!a->pass || a->findings);
    ct_buf b = {0};

    if (a->summary)
        audit_summary_put(&b, &a->totals);
    if (!a->cli.quiet) {
        audit_totals_line(&b, &a->totals);
        ct_buf_c(&b, '\n');
    }
    if (text)
        ct_out_put(a->findings ? a->findings : ct_cli_out(&a->cli), ct_buf_str(&b));
    else if (a->summary || a->pass)
        say_lines(a, ct_buf_str(&b));
    ct_buf_free(&b);
}

static void open_findings(struct audit *a)
{
    ct_err err = {0};

    if (a->findings_path && !(a->findings = ct_out_open(a->findings_path, &err)))
        ct_cli_die(&a->cli, a->findings_path, &err);
}

static void close_findings(struct audit *a)
{
    ct_err err = {0};

    if (a->cli.status == CT_FAULT)
        ct_out_abandon(a->findings);
    else if (a->findings && !ct_out_close(a->findings, &err))
        ct_cli_error(&a->cli, CT_FAULT, a->findings_path, &err);
}

static void put_head(struct audit *a)
{
    audit_report head = {.format = a->format};

    audit_report_head(&head);
    if (!a->pass)
        ct_out_put(ct_cli_out(&a->cli), ct_buf_str(&head.lines.buf));
    else if (a->findings)
        ct_out_put(a->findings, ct_buf_str(&head.lines.buf));
    ct_buf_free(&head.lines.buf);
}

static void list_rules(struct audit *a)
{
    ct_buf b = {0};

    audit_list_rules(&b, a->rules);
    ct_out_put(ct_cli_out(&a->cli), ct_buf_str(&b));
    ct_buf_free(&b);
}

static void audit_all(struct audit *a)
{
    a->totals = (audit_totals){.rules = a->rules,
                               .counts = ct_calloc(a->rules->n + 1, sizeof(audit_count))};
    open_findings(a);
    put_head(a);
    run(a);
    if (a->cli.status < CT_FAULT)
        put_end(a);
    if (a->cli.status < CT_NO && failed(a))
        a->cli.status = CT_NO;
    close_findings(a);
    free(a->totals.counts);
}

int main(int argc, char **argv)
{
    struct audit a = {0};
    int status;

    ct_cli_start(&a.cli, &command, argc, argv);
    read_options(&a);
    if (a.show) {
        show_rules(&a);
        return ct_cli_finish(&a.cli);
    }
    load_rules(&a);
    if (a.list)
        list_rules(&a);
    else
        audit_all(&a);
    status = ct_cli_finish(&a.cli);
    audit_rules_free(a.rules);
    free(a.packs.v);
    free(a.only.v);
    free(a.except.v);
    return status;
}
