/* chart archive due: which charts may be retired or destroyed, and why the others may not. */
#include "cmd/archive/due.h"
#include "cmd/archive/archive.h"
#include "cmd/archive/due_bags.h"
#include "cmd/archive/index.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { OPT_SCHEDULE = CT_OPT_OWN, OPT_LIST, OPT_SHOW, OPT_EXPLAIN, OPT_FORMAT, OPT_BAGS };

static const ct_opt options[] = {
    {OPT_SCHEDULE, "schedule", "NAME|FILE", "of retention; again for more (default: federal)"},
    {OPT_LIST, "list-schedule", NULL, "list the classes of the schedule and end"},
    {OPT_SHOW, "show-schedule", "NAME",
     "print a schedule that is built in, to begin your own with"},
    {OPT_EXPLAIN, "explain", NULL, "add what each class says of each chart"},
    {OPT_BAGS, "bags", NULL, "list the bags of the catalogue instead of reading charts"},
    {OPT_FORMAT, "format", "FORMAT", "tsv (default) or ndjson"},
    {0},
};

static const ct_command command = {
    .name = "archive due",
    .summary =
        "Lists which charts may be retired or destroyed on a day, and why the others may not: by\n"
        "retention schedule, legal hold, or what is open in the chart. Changes nothing.",
    .synopsis = "[OPTION]... [FILE]...\n"
                "--bags [OPTION]...",
    .common = CT_HAS_OUTPUT | CT_HAS_JOBS | CT_HAS_DB | CT_HAS_ASOF | CT_HAS_REJECT | CT_HAS_TALLY |
              CT_HAS_PROGRESS,
    .options = options,
    .examples = "  chart archive due --as-of 2026-01-31 charts.ndjson\n"
                "  chart archive due --schedule us-ma --explain charts.ndjson\n"
                "  chart archive due --bags --db charts.db\n"
                "  chart archive due charts.ndjson | awk -F '\\t' '$2 == \"destroy\" {print $1}'\n",
};

enum format { TSV, NDJSON };

typedef struct job {
    ct_cli *cli;
    const bag_judge *judge;
    const ct_charts *charts;
    enum format format;
    bool explain;
    bool bags;
    const char **names; /* of schedules */
    size_t nnames;
    const char *show;
    bool list;
    uint64_t destroy; /* charts that may be destroyed */
} job;

typedef struct slot {
    ct_buf line;
    bag_may may;
} slot;

/* ---- a chart's line ---- */

/* NULL where it is not known which one decides. */
static const bag_kept *deciding(const bag_keeping *k)
{
    return k->undecided ? NULL : k->longest;
}

static const char *applies_word(ct_truth t)
{
    return t == CT_TRUE_ ? "yes" : t == CT_FALSE_ ? "no" : "may";
}

static void put_day(ct_buf *b, const bag_kept *k, int64_t day)
{
    if (!k->dated || (k->class->keep.permanent && day != BAG_NEVER))
        ct_buf_c(b, '-');
    else if (day == BAG_NEVER)
        ct_buf_z(b, "never");
    else
        bag_day_put(b, day);
}

static void explain_tsv(ct_buf *b, const bag_kept *k)
{
    ct_buf_c(b, '\t');
    bag_cell_put(b, k->class->name);
    ct_buf_printf(b, "\t%s\t", applies_word(k->applies));
    put_day(b, k, k->from);
    ct_buf_c(b, '\t');
    put_day(b, k, k->until);
    ct_buf_c(b, '\t');
    bag_cell_put(b, k->class->authority);
    ct_buf_printf(b, "\t%s%s%s\n", k->why ? k->why : "", k->where[0] ? ", " : "", k->where);
}

static void put_tsv(const job *j, ct_buf *b, ct_str id, const bag_judgement *d)
{
    const bag_kept *longest = deciding(&d->keeping);
    bag_term term = bag_term_of(d);

    bag_cell_put(b, id);
    ct_buf_printf(b, "\t%s\t", bag_may_word[d->may]);
    bag_term_put(b, &term);
    ct_buf_c(b, '\t');
    bag_cell_put(b, longest ? longest->class->name : CT_S("-"));
    ct_buf_c(b, '\t');
    bag_cell_put(b, longest ? longest->class->authority : CT_S("-"));
    for (size_t i = 0; i < d->nwhy; i++) {
        ct_buf_z(b, i ? "; " : "\t");
        bag_cell_put(b, d->why[i]);
    }
    ct_buf_c(b, '\n');
    for (size_t i = 0; j->explain && i < d->keeping.n; i++)
        explain_tsv(b, &d->keeping.v[i]);
}

static ct_tree *day_tree(const bag_kept *k, int64_t day, ct_arena *a)
{
    ct_buf b = {0};
    ct_tree *t;

    put_day(&b, k, day);
    t = ct_tree_string(a, ct_arena_copy(a, ct_buf_str(&b)));
    ct_buf_free(&b);
    return t;
}

static ct_tree *explain_tree(const bag_kept *k, ct_arena *a)
{
    ct_tree *t = ct_tree_object(a);

    ct_tree_set(t, CT_S("class"), ct_tree_string(a, k->class->name));
    ct_tree_set(t, CT_S("applies"), ct_tree_string(a, ct_str_z(applies_word(k->applies))));
    if (k->dated && !k->class->keep.permanent)
        ct_tree_set(t, CT_S("from"), day_tree(k, k->from, a));
    if (k->dated)
        ct_tree_set(t, CT_S("until"), day_tree(k, k->until, a));
    ct_tree_set(t, CT_S("authority"), ct_tree_string(a, k->class->authority));
    if (k->why)
        ct_tree_set(t, CT_S("why"),
                    ct_tree_string(a, ct_arena_printf(a, "%s%s%s", k->why, k->where[0] ? ", " : "",
                                                      k->where)));
    return t;
}

static void put_ndjson(const job *j, ct_buf *b, ct_str id, const bag_judgement *d, ct_arena *a)
{
    const bag_kept *longest = deciding(&d->keeping);
    bag_term term = bag_term_of(d);
    ct_tree *t = ct_tree_object(a), *why = ct_tree_array(a), *classes = ct_tree_array(a);
    ct_buf after = {0};

    bag_term_put(&after, &term);
    ct_tree_set(t, CT_S("patient"), ct_tree_string(a, id));
    ct_tree_set(t, CT_S("answer"), ct_tree_string(a, ct_str_z(bag_may_word[d->may])));
    ct_tree_set(t, CT_S("destroyAfter"), ct_tree_string(a, ct_arena_copy(a, ct_buf_str(&after))));
    if (longest) {
        ct_tree_set(t, CT_S("class"), ct_tree_string(a, longest->class->name));
        ct_tree_set(t, CT_S("authority"), ct_tree_string(a, longest->class->authority));
    }
    for (size_t i = 0; i < d->nwhy; i++)
        ct_tree_push(why, ct_tree_string(a, d->why[i]));
    ct_tree_set(t, CT_S("why"), why);
    for (size_t i = 0; j->explain && i < d->keeping.n; i++)
        ct_tree_push(classes, explain_tree(&d->keeping.v[i], a));
    ct_tree_set(t, CT_S("classes"), classes);
    ct_tree_write(b, t);
    ct_buf_c(b, '\n');
    ct_buf_free(&after);
}

/* ---- work ---- */

static void work(void *ctx, void *unit, ct_chart *chart)
{
    const job *j = ctx;
    slot *s = unit;
    bag_judgement d;

    s->line.n = 0;
    s->may = BAG_MAY_NOT;
    if (!chart->id.n)
        return;
    /* All input is read before the first chart comes: what is bad is known. */
    d = bag_judge_chart(j->judge, chart, bag_incomplete(j->cli->bad, ct_charts_unplaced(j->charts)),
                        chart->arena);
    s->may = d.may;
    if (j->format == TSV)
        put_tsv(j, &s->line, chart->id, &d);
    else
        put_ndjson(j, &s->line, chart->id, &d, chart->arena);
}

static bool done(void *ctx, void *unit, const ct_chart *chart)
{
    job *j = ctx;
    slot *s = unit;

    j->cli->tally.consumed += chart->n;
    j->destroy += s->may == BAG_MAY_DESTROY;
    return ct_out_put(ct_cli_out(j->cli), ct_buf_str(&s->line));
}

static void run(job *j)
{
    size_t n = (size_t)j->cli->jobs * CT_SLOTS_PER_JOB;
    slot *slots = ct_calloc(n, sizeof(*slots));
    ct_blocks *in = ct_cli_inputs(j->cli, 0);
    ct_charts *charts = ct_cli_charts(j->cli, in);
    ct_chartwork w = {.charts = charts,
                      .jobs = j->cli->jobs,
                      .slots = slots,
                      .slot_size = sizeof(*slots),
                      .work = work,
                      .done = done,
                      .ctx = j};
    ct_err err = {0};

    j->charts = charts;
    if (!ct_charts_run(&w, &err)) {
        if (err.kind != CT_OK)
            ct_cli_error(j->cli, CT_FAULT, NULL, &err);
        else
            j->cli->status = CT_FAULT; /* the write error is told by ct_cli_finish */
    }
    ct_charts_free(charts);
    ct_blocks_free(in);
    for (size_t i = 0; i < n; i++)
        ct_buf_free(&slots[i].line);
    free(slots);
}

/* ---- options ---- */

static void on_wrong(void *cli, const ct_err *err)
{
    ct_cli_error(cli, CT_FAULT, NULL, err);
}

static void read_options(job *j)
{
    static const char *const formats[] = {"tsv", "ndjson", NULL};
    int opt;

    while ((opt = ct_cli_option(j->cli)) != CT_CLI_DONE)
        switch (opt) {
        case OPT_SCHEDULE:
            j->names = ct_grow(j->names, j->nnames, sizeof(*j->names));
            j->names[j->nnames++] = j->cli->arg;
            break;
        case OPT_LIST:
            j->list = true;
            break;
        case OPT_SHOW:
            j->show = j->cli->arg;
            break;
        case OPT_EXPLAIN:
            j->explain = true;
            break;
        case OPT_BAGS:
            j->bags = true;
            break;
        case OPT_FORMAT:
            j->format = (enum format)ct_cli_word(j->cli, formats);
            break;
        }
}

static void show(job *j)
{
    ct_str text = bag_schedule_shipped(j->show);

    if (!text.p)
        ct_cli_usage(j->cli, "there is no schedule %s", j->show);
    ct_out_put(ct_cli_out(j->cli), text);
}

static void list(job *j, const bag_schedule *s)
{
    ct_buf b = {0};

    bag_schedule_put_classes(&b, s);
    ct_out_put(ct_cli_out(j->cli), ct_buf_str(&b));
    ct_buf_free(&b);
}

/* The database, where one is named or stands where `hold` makes it: its holds count. */
static ct_db *open_database(job *j, bag_judge *judge)
{
    ct_cli *c = j->cli;
    ct_err err = {0};
    ct_db *db = NULL;

    if (!c->db_given && !j->bags && access(c->db, F_OK) != 0 && errno == ENOENT)
        return NULL;
    db = ct_db_open_readonly(c->db, &err);
    if (!db || !bag_judge_database(judge, db, &err))
        ct_cli_die(c, c->db, &err);
    return db;
}

static void judge_all(job *j, const bag_schedule *s)
{
    bag_judge *judge = bag_judge_new(s, &j->cli->as_of);
    ct_db *db = open_database(j, judge);

    bag_warn_floor(j->cli, s);
    for (size_t i = 0; i < s->npacks && !j->bags; i++)
        ct_cli_table(j->cli, s->packs[i].name.p, s->packs[i].version.p);
    j->judge = judge;
    if (j->bags)
        j->destroy = bag_due_bags(j->cli, db, judge, j->format == NDJSON);
    else
        run(j);
    if (j->destroy == 0 && j->cli->status < CT_NO)
        j->cli->status = CT_NO;
    ct_db_close(db);
    bag_judge_free(judge);
}

int bag_due(int argc, char **argv)
{
    ct_cli c;
    job j = {.cli = &c};
    bag_schedule *s = NULL;
    int status;

    ct_cli_start(&c, &command, argc, argv);
    read_options(&j);
    if (j.bags && (c.nargs || j.nnames || j.explain))
        ct_cli_usage(&c, "--bags asks the catalogue: no files, --schedule or --explain with it");
    if (j.show) {
        show(&j);
    } else {
        s = bag_schedule_load(j.names, j.nnames, on_wrong, &c);
        if (c.status < CT_FAULT && j.list)
            list(&j, s);
        else if (c.status < CT_FAULT)
            judge_all(&j, s);
    }
    status = ct_cli_finish(&c);
    bag_schedule_free(s);
    free(j.names);
    return status;
}
