/* chart-classify: chapter and block of ICD-10-CM for every coded condition, and the Charlson index
 * of every chart. */
#include "cmd/classify/classify.h"
#include "common/cli/cli.h"

#include <inttypes.h>
#include <stdlib.h>

extern const ct_datafile ct_cmd_data[];

enum { OPT_EXPLAIN = CT_OPT_OWN };

static const ct_opt options[] = {
    {OPT_EXPLAIN, "explain", "FILE", "write which code decided what to FILE (TSV)"},
    {0},
};

static const ct_command command = {
    .name = "classify",
    .summary =
        "Adds ICD-10-CM chapters and blocks to conditions, and the Charlson index to charts.",
    .synopsis = "[OPTION]... [FILE]...",
    .common = CT_HAS_OUTPUT | CT_HAS_REJECT | CT_HAS_TALLY | CT_HAS_JOBS | CT_HAS_PROGRESS |
              CT_HAS_SORTED,
    .options = options,
    .examples = "  chart classify charts.ndjson >classified.ndjson\n"
                "  chart classify --explain why.tsv -o classified.ndjson.zst charts.ndjson\n",
};

/* The run. */
struct classify {
    ct_cli cli;
    classify_tables tables;
    const char *explain_path;
    ct_out *explain;
    uint64_t looked, undecided;
};

/* What one thread works with at a time. */
struct slot {
    classify_case found;
    ct_edit *edit;
    ct_lines lines;
    ct_buf scratch, explain;
    uint64_t created, changed;
};

/* ---- work ---- */

static bool is_assessment(struct slot *s, const ct_record *rec, ct_str id)
{
    return ct_str_is(rec->type, "RiskAssessment") &&
           ct_str_eq(ct_text_at(&rec->doc, CT_ROOT, "id", s->found.arena), id);
}

/* The record as it must leave; false where it leaves as it came. */
static bool changed_line(struct slot *s, const ct_chart *chart, size_t i, ct_str assessment_id,
                         bool scored)
{
    const ct_record *rec = &chart->records[i];

    s->scratch.n = 0;
    if (ct_str_is(rec->type, "Condition"))
        return classify_condition(&s->found, i, s->edit, &s->scratch);
    if (!scored || !is_assessment(s, rec, assessment_id))
        return false;
    classify_assessment_put(&s->found, &s->scratch);
    return !ct_str_eq(ct_buf_str(&s->scratch), rec->line);
}

static void put_new_assessment(struct slot *s)
{
    s->scratch.n = 0;
    classify_assessment_put(&s->found, &s->scratch);
    ct_lines_add(&s->lines, ct_buf_str(&s->scratch), CT_S("RiskAssessment"));
    s->created++;
}

static void work(void *ctx, void *slot, ct_chart *chart)
{
    const struct classify *c = ctx;
    struct slot *s = slot;
    bool scored, there = false;
    ct_str id;

    ct_arena_reset(s->found.arena);
    classify_collect(&s->found, chart);
    classify_score(&s->found);
    id = classify_assessment_id(s->found.arena, chart->id);
    scored = chart->id.n && s->found.looked;
    for (size_t i = 0; i < chart->n; i++) {
        const ct_record *rec = &chart->records[i];
        bool changed = changed_line(s, chart, i, id, scored);

        there |= is_assessment(s, rec, id);
        s->changed += changed;
        ct_lines_add(&s->lines, changed ? ct_buf_str(&s->scratch) : rec->line, rec->type);
    }
    if (scored && !there)
        put_new_assessment(s);
    if (c->explain)
        classify_explain_put(&s->explain, &s->found);
}

static bool done(void *ctx, void *slot, const ct_chart *chart)
{
    struct classify *c = ctx;
    struct slot *s = slot;
    bool ok = !c->explain || ct_out_put(c->explain, ct_buf_str(&s->explain));

    (void)chart;
    s->explain.n = 0;
    c->cli.tally.created += s->created;
    c->cli.tally.changed += s->changed;
    s->created = s->changed = 0;
    c->looked += s->found.looked;
    c->undecided += s->found.undecided;
    return ct_cli_lines(&c->cli, &s->lines) && ok;
}

/* ---- the run ---- */

static struct slot *make_slots(const struct classify *c, size_t n)
{
    struct slot *slots = ct_calloc(n, sizeof(*slots));

    for (size_t i = 0; i < n; i++) {
        slots[i].found = (classify_case){.tables = &c->tables, .arena = ct_arena_new()};
        slots[i].edit = ct_edit_new();
        slots[i].lines.side.off = c->cli.tally.out.off;
    }
    return slots;
}

static void free_slots(struct slot *slots, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ct_arena_free(slots[i].found.arena);
        free(slots[i].found.v);
        ct_edit_free(slots[i].edit);
        ct_buf_free(&slots[i].lines.buf);
        ct_side_free(&slots[i].lines.side);
        ct_buf_free(&slots[i].scratch);
        ct_buf_free(&slots[i].explain);
    }
    free(slots);
}

static void run(struct classify *c)
{
    size_t n = (size_t)c->cli.jobs * CT_SLOTS_PER_JOB;
    struct slot *slots = make_slots(c, n);
    ct_blocks *in = ct_cli_inputs(&c->cli, 0);
    ct_charts *charts = ct_cli_charts(&c->cli, in);
    ct_chartwork w = {.charts = charts,
                      .jobs = c->cli.jobs,
                      .slots = slots,
                      .slot_size = sizeof(*slots),
                      .work = work,
                      .done = done,
                      .ctx = c};
    ct_err err = {0};

    if (!ct_charts_run(&w, &err)) {
        if (err.kind != CT_OK)
            ct_cli_error(&c->cli, CT_FAULT, NULL, &err);
        else
            c->cli.status = CT_FAULT; /* the write error is told by ct_cli_finish */
    }
    ct_charts_free(charts);
    ct_blocks_free(in);
    free_slots(slots, n);
}

/* What could not be decided is said, whoever looks at the results or not. */
static void say_undecided(const struct classify *c)
{
    if (c->undecided && !c->cli.quiet)
        ct_cli_say(&c->cli, "%" PRIu64 " of %" PRIu64 " diagnoses not decided", c->undecided,
                   c->looked);
}

static const char *kept(ct_arena *a, ct_str s)
{
    return ct_arena_copy(a, s).p;
}

static void name_tables(struct classify *c, ct_arena *a)
{
    ct_cli_table(&c->cli, "icd10cm-chapters", kept(a, c->tables.chapters.version));
    ct_cli_table(&c->cli, "icd10cm-blocks", kept(a, c->tables.blocks.version));
    ct_cli_table(&c->cli, "charlson-quan2005", kept(a, c->tables.coding_version));
    ct_cli_table(&c->cli, "charlson-weights", kept(a, c->tables.weights_version));
}

static void open_explain(struct classify *c)
{
    ct_err err = {0};
    ct_buf head = {0};

    if (!c->explain_path)
        return;
    ct_cli_apart(&c->cli, "explain", c->explain_path);
    if (!(c->explain = ct_out_open(c->explain_path, &err)))
        ct_cli_die(&c->cli, c->explain_path, &err);
    classify_explain_head(&head);
    ct_out_put(c->explain, ct_buf_str(&head));
    ct_buf_free(&head);
}

static void close_explain(struct classify *c)
{
    ct_err err = {0};

    if (c->cli.status == CT_FAULT)
        ct_out_abandon(c->explain);
    else if (c->explain && !ct_out_close(c->explain, &err))
        ct_cli_error(&c->cli, CT_FAULT, c->explain_path, &err);
}

int main(int argc, char **argv)
{
    struct classify c = {0};
    ct_arena *names;
    ct_err err = {0};
    int status;

    ct_cli_start(&c.cli, &command, argc, argv);
    names = ct_arena_new();
    while (ct_cli_option(&c.cli) != CT_CLI_DONE)
        c.explain_path = c.cli.arg;
    if (!classify_tables_read(&c.tables, ct_cmd_data, &err))
        ct_cli_die(&c.cli, NULL, &err);
    name_tables(&c, names);
    open_explain(&c);
    run(&c);
    say_undecided(&c);
    close_explain(&c);
    status = ct_cli_finish(&c.cli);
    classify_tables_free(&c.tables);
    ct_arena_free(names);
    return status;
}
