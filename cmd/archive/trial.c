#include "cmd/archive/trial.h"
#include "cmd/archive/schedule.h"

#include <stdlib.h>

typedef struct run {
    ct_cli *cli;
    const ct_path *condition;
    bag_trial result;
} run;

/* What came of a chart. */
typedef struct slot {
    bool chart; /* it is somebody's */
    ct_truth truth;
} slot;

static void work(void *ctx, void *unit, ct_chart *chart)
{
    const run *r = ctx;
    slot *s = unit;
    ct_chart current;
    ct_context c;
    const char *why;
    char where[32];

    s->chart = chart->id.n > 0;
    if (!s->chart)
        return;
    current = ct_chart_current(chart, NULL);
    c = bag_chart_context(&current, &r->cli->as_of, chart->arena);
    s->truth = bag_chart_test(r->condition, &c, &why, where);
}

static bool done(void *ctx, void *unit, const ct_chart *chart)
{
    run *r = ctx;
    const slot *s = unit;

    r->cli->tally.consumed += chart->n;
    if (s->chart) {
        r->result.charts++;
        r->result.held += s->truth == CT_TRUE_;
        r->result.undecided += s->truth == CT_UNDECIDED;
    }
    return true;
}

bag_trial bag_trial_run(ct_cli *c, const ct_path *condition, const char *file)
{
    size_t n = (size_t)c->jobs * CT_SLOTS_PER_JOB;
    run r = {.cli = c, .condition = condition};
    slot *slots = ct_calloc(n, sizeof(*slots));
    ct_blocks *in = ct_blocks_new(&file, 1);
    ct_charts *charts = ct_cli_charts(c, in);
    ct_chartwork w = {.charts = charts,
                      .jobs = c->jobs,
                      .slots = slots,
                      .slot_size = sizeof(*slots),
                      .work = work,
                      .done = done,
                      .ctx = &r};
    ct_err err = {0};

    if (!ct_charts_run(&w, &err))
        ct_cli_error(c, CT_FAULT, NULL, &err);
    ct_charts_free(charts);
    ct_blocks_free(in);
    free(slots);
    return r.result;
}
