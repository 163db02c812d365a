/* chart-path: evaluates FHIRPath expressions on each record and prints what they give, as values or
 * as a table. */
#include "cmd/path/path.h"
#include "common/cli/cli.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { OPT_FORMAT = CT_OPT_OWN, OPT_NO_HEADER, OPT_STRICT };

static const ct_opt options[] = {
    {'e', "expr", "NAME=EXPR", "a column of a table, again for more"},
    {OPT_FORMAT, "format", "FORMAT", "of the table: tsv (default) or csv"},
    {OPT_NO_HEADER, "no-header", NULL, "leave out the row of names"},
    {'t', "types", NULL, "print each value's type and a tab ahead of it"},
    {OPT_STRICT, "strict", NULL, "refuse what has a meaning only by leniency"},
    {0},
};

static const ct_command command = {
    .name = "path",
    .summary = "Evaluates a FHIRPath expression on each record and prints the items it gives as\n"
               "JSON, one a line; with -e, a table with a row for each record.",
    .synopsis = "[OPTION]... EXPR [FILE]...\n"
                "[OPTION]... -e NAME=EXPR... [FILE]...",
    .common =
        CT_HAS_OUTPUT | CT_HAS_REJECT | CT_HAS_TALLY | CT_HAS_JOBS | CT_HAS_ASOF | CT_HAS_PROGRESS,
    .options = options,
    .examples = "  chart path Patient.name.given charts.ndjson\n"
                "  chart path -t 'Observation.value' charts.ndjson\n"
                "  chart path --format csv -e id=Patient.id -e born=Patient.birthDate \\\n"
                "      -e 'name=Patient.name.first().family' charts.ndjson >patients.csv\n",
};

/* The run. */
struct run {
    ct_cli cli;
    path_query query;
    ct_arena *arena; /* of the query */
    bool format_given, no_header, strict;
    uint64_t items, nproblems, told, unresolved;
};

/* ---- options ---- */

/* More closing than opening brackets, or half a string: the `=` that was taken for the end of the
 * name stands inside of an expression. */
static bool is_torn(ct_str name)
{
    int depth = 0, quotes = 0;

    for (size_t i = 0; i < name.n; i++) {
        depth += (name.p[i] == '(') - (name.p[i] == ')');
        quotes += name.p[i] == '\'';
    }
    return depth != 0 || quotes % 2 != 0;
}

static bool has_controls(ct_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return true;
    return false;
}

static ct_str column_name(struct run *r, ct_str name)
{
    ct_cli *c = &r->cli;

    name = ct_str_trim(name);
    if (name.n == 0)
        ct_cli_usage(c, "--expr takes NAME=EXPR, as in -e id=Patient.id; the name is missing");
    if (has_controls(name))
        ct_cli_usage(c, "the name of a column cannot hold control characters");
    for (size_t i = 0; i < r->query.n; i++)
        if (ct_str_eq(r->query.columns[i].name, name))
            ct_cli_usage(c, "two columns are called %.*s", (int)name.n, name.p);
    return name;
}

static void add_column(struct run *r, ct_str name, ct_str source)
{
    path_query *q = &r->query;

    q->columns = ct_grow(q->columns, q->n, sizeof(*q->columns));
    q->columns[q->n++] = (path_column){.name = name, .source = source};
}

static void add_named(struct run *r)
{
    ct_str source = ct_str_z(r->cli.arg), name = ct_str_cut(&source, '=');

    if (!source.p || is_torn(name))
        ct_cli_usage(&r->cli, "--expr takes NAME=EXPR, as in -e id=Patient.id; an expression alone "
                              "needs no option");
    add_column(r, column_name(r, name), source);
}

static void own_option(struct run *r, int opt)
{
    static const char *const formats[] = {"tsv", "csv", NULL};

    switch (opt) {
    case 'e':
        r->cli.ahead = 0;
        add_named(r);
        break;
    case OPT_FORMAT:
        r->query.format = (path_format)ct_cli_word(&r->cli, formats);
        r->format_given = true;
        break;
    case OPT_NO_HEADER:
        r->no_header = true;
        break;
    case 't':
        r->query.types = true;
        break;
    case OPT_STRICT:
        r->strict = true;
        break;
    }
}

/* The expression that stands ahead of the files. */
static void take_expression(struct run *r)
{
    ct_cli *c = &r->cli;

    if (c->nargs == 0)
        ct_cli_usage(c, "name an expression, as in chart path Patient.id");
    if (r->format_given || r->no_header)
        ct_cli_usage(c, "--format and --no-header are for tables: name columns by -e NAME=EXPR");
    r->query.format = PATH_VALUES;
    add_column(r, (ct_str){"", 0}, ct_str_z(c->args[0]));
    c->args++;
    c->nargs--;
}

/* Does not come back from an expression that is not right. */
static void compile(struct run *r, path_column *column)
{
    const ct_model *m = r->query.model;
    ct_str source = column->source;
    ct_err err = {0};

    column->path =
        r->strict ? ct_path_compile_strict(m, source, &err) : ct_path_compile(m, source, &err);
    if (column->path) {
        column->about = ct_path_context(column->path);
        return;
    }
    if (column->name.n)
        ct_cli_die(&r->cli, ct_arena_copy(r->arena, column->name).p, &err);
    if (access(source.p, F_OK) == 0)
        ct_cli_usage(&r->cli,
                     "the expression comes ahead of the files, and the first argument is a "
                     "file");
    ct_cli_die(&r->cli, "expression", &err);
}

static void read_options(struct run *r)
{
    int opt;

    r->cli.ahead = 1;
    while ((opt = ct_cli_option(&r->cli)) != CT_CLI_DONE)
        own_option(r, opt);
    if (r->query.n == 0)
        take_expression(r);
    else if (r->query.types)
        ct_cli_usage(&r->cli, "--types goes with values, not with a table");
    for (size_t i = 0; i < r->query.n; i++)
        compile(r, &r->query.columns[i]);
    path_group_columns(&r->query, r->arena);
}

/* ---- the clock ---- */

/* Minutes east of UTC, as strftime(3) spells them: +0130. */
static int16_t zone_of(const struct tm *tm)
{
    char text[8] = "";
    int n;

    if (strftime(text, sizeof(text), "%z", tm) != 5)
        return 0;
    n = (int)strtol(text, NULL, 10);
    return (int16_t)(n / 100 * 60 + n % 100);
}

/* --as-of is a day without a time; else the whole run sees the moment at which it started. */
static ct_date now(const ct_cli *c)
{
    time_t t = time(NULL);
    struct tm tm;

    if (c->as_of_given || !localtime_r(&t, &tm))
        return c->as_of;
    return (ct_date){.precision = CT_P_SECOND,
                     .year = (int16_t)(tm.tm_year + 1900),
                     .month = (uint8_t)(tm.tm_mon + 1),
                     .day = (uint8_t)tm.tm_mday,
                     .hour = (uint8_t)tm.tm_hour,
                     .minute = (uint8_t)tm.tm_min,
                     .second = (uint8_t)(tm.tm_sec < 60 ? tm.tm_sec : 59), /* a leap second */
                     .zoned = true,
                     .offset = zone_of(&tm)};
}

/* ---- the run ---- */

/* Tells of the first ones. */
static void tell_problem(void *ctx, const ct_err *err)
{
    struct run *r = ctx;

    if (r->told++ < PATH_SHOWN)
        ct_cli_error(&r->cli, CT_NO, NULL, err);
    else if (r->told == PATH_SHOWN + 1)
        ct_cli_problem(&r->cli, CT_NO,
                       "more could not be evaluated; from here on it is only counted");
}

/* The books: a record is used up here; values are no records. */
static void work(void *ctx, void *slot, ct_batch *batch)
{
    path_slot *s = slot;
    ct_record rec;

    (void)ctx;
    s->batch = batch;
    while (ct_batch_next(batch, &rec)) {
        ct_side_add(&s->side, rec.line, rec.type);
        path_record(s, &rec);
    }
}

/* Hands on what a slot has; false after a write error, which is told by ct_cli_finish. */
static bool done(void *ctx, void *slot, uint64_t before)
{
    struct run *r = ctx;
    path_slot *s = slot;
    bool ok = ct_out_put(ct_cli_out(&r->cli), ct_buf_str(&s->out));

    (void)before;
    r->nproblems += s->nproblems;
    r->items += s->items;
    r->unresolved += s->unresolved;
    r->cli.tally.consumed += s->side.records;
    ct_side_merge(&r->cli.tally.in, &s->side);
    path_slot_clear(s);
    return ok;
}

/* Whoever reads what was found so far need not wait with us for more. */
static bool hand_on(void *ctx)
{
    struct run *r = ctx;

    return ct_out_flush(ct_cli_out(&r->cli));
}

static void put_head(struct run *r)
{
    ct_buf b = {0};

    if (r->query.format != PATH_VALUES && !r->no_header)
        path_head_put(&b, &r->query);
    ct_out_put(ct_cli_out(&r->cli), ct_buf_str(&b));
    ct_buf_free(&b);
}

static void run(struct run *r)
{
    size_t n = (size_t)r->cli.jobs * CT_SLOTS_PER_JOB;
    path_slot *slots = ct_calloc(n, sizeof(*slots));
    ct_blocks *in = ct_cli_inputs(&r->cli, 0);
    ct_batches w = {.model = r->query.model,
                    .in = in,
                    .jobs = r->cli.jobs,
                    .slots = slots,
                    .slot_size = sizeof(*slots),
                    .work = work,
                    .done = done,
                    .ctx = r,
                    .note = tell_problem,
                    .idle = hand_on,
                    .bad = ct_cli_bad,
                    .bad_ctx = &r->cli};
    ct_err err = {0};

    for (size_t i = 0; i < n; i++) {
        path_slot_start(&slots[i], &r->query);
        slots[i].side.off = r->cli.tally.in.off;
    }
    put_head(r);
    if (!ct_batches_run(&w, &err)) {
        if (err.kind != CT_OK)
            ct_cli_error(&r->cli, CT_FAULT, NULL, &err);
        else
            r->cli.status = CT_FAULT; /* the write error is told by ct_cli_finish */
    }
    for (size_t i = 0; i < n; i++)
        path_slot_stop(&slots[i]);
    ct_blocks_free(in);
    free(slots);
}

/* ---- the end ---- */

static void say_totals(struct run *r)
{
    if (r->nproblems > 1)
        ct_cli_say(&r->cli, "%" PRIu64 " evaluations failed", r->nproblems);
    if (r->unresolved)
        ct_cli_problem(&r->cli, CT_NO,
                       "%" PRIu64 " reference%s not resolved: path looks at one "
                       "record at a time",
                       r->unresolved, r->unresolved == 1 ? "" : "s");
    if (r->items == 0 && r->cli.status == CT_DONE)
        r->cli.status = CT_NO;
}

static void free_query(path_query *q)
{
    for (size_t i = 0; i < q->n; i++)
        ct_path_free(q->columns[i].path);
    free(q->columns);
}

int main(int argc, char **argv)
{
    struct run r = {0};
    int status;

    ct_cli_start(&r.cli, &command, argc, argv);
    r.query.model = ct_model_r4();
    r.arena = ct_arena_new();
    read_options(&r);
    r.query.now = now(&r.cli);
    run(&r);
    say_totals(&r);
    status = ct_cli_finish(&r.cli);
    free_query(&r.query);
    ct_arena_free(r.arena);
    return status;
}
