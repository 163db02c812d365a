/* chart archive create: charts into a bag. */
#include "cmd/archive/archive.h"
#include "cmd/archive/names.h"
#include "cmd/archive/parity.h"
#include "cmd/archive/sweep.h"
#include "cmd/archive/writer.h"

#include <stdlib.h>

enum { OPT_INFO = CT_OPT_OWN, OPT_FORCE, OPT_PARITY };

static const ct_opt options[] = {
    {OPT_INFO, "info", "KEY=VALUE", "a line of bag-info.txt; may be given again"},
    {OPT_FORCE, "force", NULL, "replace a bag that is there already"},
    {OPT_PARITY, "parity", "N%", "make BAG.parity, from which so much of the bag can be restored"},
    {0},
};

static const ct_command command = {
    .name = "archive create",
    .summary =
        "Puts the charts of a stream of records into a new bag: one file a chart, SHA-256 and\n"
        "SHA-512 manifests. BAG ends in .tar, .tar.gz, .tar.zst or .zip; without a suffix or with\n"
        "a slash at its end it is a folder. The same records and date give the same bytes.",
    .synopsis = "[OPTION]... BAG [FILE]...",
    .common =
        CT_HAS_JOBS | CT_HAS_ASOF | CT_HAS_REJECT | CT_HAS_TALLY | CT_HAS_PROGRESS | CT_HAS_SORTED,
    .options = options,
    .examples = "  chart archive create 2019.zip charts.ndjson\n"
                "  chart import feed.hl7 | chart archive create --as-of 2026-01-31 \\\n"
                "      --info Source-Organization='General Hospital' retired.tar.zst\n",
};

/* The text of a chart, or of a part of the shared records, on its way into the bag. */
typedef struct slot {
    ct_buf text;
    bag_sums sums;
} slot;

typedef struct job {
    ct_cli *cli;
    ct_charts *charts;
    bag_writer *writer;
    uint64_t shared; /* files of shared records */
    ct_err failed;   /* by the writer */
} job;

static void work(void *ctx, void *unit, ct_chart *chart)
{
    slot *s = unit;

    (void)ctx;
    s->text.n = 0;
    for (size_t i = 0; i < chart->n; i++) {
        ct_buf_put(&s->text, chart->records[i].line);
        ct_buf_c(&s->text, '\n');
    }
    bag_sums_take(&s->sums, ct_buf_str(&s->text));
}

static bool done(void *ctx, void *unit, const ct_chart *chart)
{
    job *j = ctx;
    slot *s = unit;
    ct_buf path = {0};
    bool shared = chart->id.n == 0, ok;

    if (shared)
        bag_shared_path(&path, ++j->shared);
    else
        bag_chart_path(&path, chart->id);
    ok = bag_writer_payload(j->writer, path.p, ct_buf_str(&s->text), &s->sums, chart->n, !shared,
                            &j->failed);
    j->cli->tally.consumed += chart->n;
    ct_buf_free(&path);
    return ok;
}

/* Fills the bag; false (with a message) where it must not be kept. */
static bool put_charts(job *j, const char *out)
{
    size_t n = (size_t)j->cli->jobs * CT_SLOTS_PER_JOB;
    slot *slots = ct_calloc(n, sizeof(*slots));
    ct_chartwork w = {.charts = j->charts,
                      .jobs = j->cli->jobs,
                      .unparsed = true,
                      .slots = slots,
                      .slot_size = sizeof(*slots),
                      .work = work,
                      .done = done,
                      .ctx = j};
    ct_err err = {0};
    bool ok;

    ok = ct_charts_run(&w, &err);
    if (!ok && j->failed.kind != CT_OK)
        ct_cli_error(j->cli, CT_FAULT, out, &j->failed);
    else if (!ok)
        ct_cli_error(j->cli, CT_FAULT, NULL, &err);
    for (size_t i = 0; i < n; i++) {
        ct_buf_free(&slots[i].text);
        bag_sums_free(&slots[i].sums);
    }
    free(slots);
    return ok;
}

/* What stands beside the bag must be of this bag at every moment: the old parity file goes before
 * the old bag, the new one comes behind the new bag. */
static bool close_bag(ct_cli *c, const char *out, bag_writer *writer, unsigned parity, ct_err *err)
{
    bag_meter meter = {bag_progress, c};

    if (!bag_parity_drop(out, err)) {
        bag_writer_abandon(writer);
        return false;
    }
    return bag_writer_close(writer, err) &&
           (!parity || bag_parity_make(out, parity, false, c->jobs, meter, err));
}

static void create(ct_cli *c, const char *out, bag_writer *writer, unsigned parity)
{
    job j = {.cli = c, .writer = writer};
    ct_blocks *in = ct_cli_inputs(c, 1);
    ct_err err = {0};
    bool keep;

    j.charts = ct_cli_charts(c, in);
    keep = put_charts(&j, out);
    if (keep && c->tally.consumed == 0) {
        ct_cli_problem(c, CT_FAULT, "%s: not made: there are no records to put into it", out);
        keep = false;
    }
    if (!keep || !ct_cli_rejects_kept(c))
        bag_writer_abandon(writer);
    else if (!close_bag(c, out, writer, parity, &err))
        ct_cli_error(c, CT_FAULT, out, &err);
    ct_charts_free(j.charts);
    ct_blocks_free(in);
}

int bag_create(int argc, char **argv)
{
    ct_cli c;
    bag_writer *writer;
    ct_buf info = {0};
    bool force = false;
    unsigned parity = 0;
    ct_err err = {0};
    int opt;

    ct_cli_start(&c, &command, argc, argv);
    bag_sweep_start();
    while ((opt = ct_cli_option(&c)) != CT_CLI_DONE) {
        if (opt == OPT_FORCE)
            force = true;
        else if (opt == OPT_PARITY)
            parity = bag_parity_percent(&c);
        else if (!bag_info_add(&info, ct_str_z(c.arg)))
            ct_cli_usage(&c,
                         "--info takes KEY=VALUE, one line, and no key that create writes itself");
    }
    if (c.nargs == 0)
        ct_cli_usage(&c, "no bag is named");
    if (!force && bag_parity_there(c.args[0]))
        ct_cli_usage(&c, "there is a parity file of that name already");
    writer = bag_writer_open(c.args[0], force, &c.as_of, ct_buf_str(&info), &err);
    if (writer)
        create(&c, c.args[0], writer, parity);
    else
        ct_cli_error(&c, CT_FAULT, c.args[0], &err);
    ct_buf_free(&info);
    return ct_cli_finish(&c);
}
