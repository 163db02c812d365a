/* Judges every chart of a bag. */
#include "cmd/archive/clearance.h"
#include "cmd/archive/flow.h"
#include "cmd/archive/later.h"

#include <errno.h>
#include <stdlib.h>

enum { BARS_MAX = 50 };

/* `charts` is 1, or 0 for what is about the bag. */
static void bar(bag_clearance *c, ct_str why, uint64_t charts)
{
    for (size_t i = 0; i < c->n; i++)
        if (ct_str_eq(c->bars[i].why, why)) {
            c->bars[i].charts += charts;
            return;
        }
    if (c->n == BARS_MAX) {
        c->more++;
        return;
    }
    c->bars = ct_grow(c->bars, c->n, sizeof(*c->bars));
    c->bars[c->n++] = (bag_bar){ct_arena_copy(c->arena, why), charts};
}

static void note_longest(bag_clearance *c, const bag_keeping *k)
{
    if (!k->longest || (c->class.n && k->until <= c->until))
        return;
    c->until = k->until;
    c->class = ct_arena_copy(c->arena, k->longest->class->name);
    c->authority = ct_arena_copy(c->arena, k->longest->class->authority);
}

static void bar_chart(bag_clearance *c, const bag_judgement *j)
{
    for (size_t i = 0; i < j->nwhy; i++)
        bar(c, j->why[i], 1);
}

static void judge_chart(bag_clearance *c, const bag_judge *judge, const ct_chart *chart,
                        uint64_t unplaced)
{
    bag_judgement j;

    if (chart->id.n == 0)
        return; /* what is nobody's goes with the charts */
    j = bag_judge_chart(judge, chart, bag_incomplete(0, unplaced), chart->arena);
    c->charts++;
    note_longest(c, &j.keeping);
    if (j.may != BAG_MAY_DESTROY)
        bar_chart(c, &j);
}

static void note_bad(void *ctx, const ct_record *rec, const ct_err *err)
{
    (void)rec;
    (void)err;
    ++*(uint64_t *)ctx;
}

static bool read_charts(bag_clearance *c, bag_flow *flow, const bag_judge *judge, int jobs,
                        ct_err *err)
{
    uint64_t bad = 0;
    ct_charts *charts = ct_charts_new(bag_flow_blocks(flow), jobs, 0, NULL, note_bad, &bad);
    ct_chart chart = {0};
    ct_got got;

    while ((got = ct_charts_next(charts, &chart, err)) == CT_GOT_RECORD)
        judge_chart(c, judge, &chart, ct_charts_unplaced(charts));
    ct_chart_free(&chart);
    ct_charts_free(charts);
    if (got == CT_GOT_END && bad)
        return ct_fail(err, CT_E_DATA, "records of it cannot be read, so they cannot be judged");
    return got == CT_GOT_END;
}

/* What nothing judges is not cleared. */
static void judge_rest(bag_clearance *c, uint64_t foreign)
{
    if (c->charts == 0)
        bar(c, CT_S("it holds no chart that could be judged"), 0);
    if (foreign)
        bar(c, CT_S("files of its payload are no records, so they cannot be judged"), 0);
}

bool bag_clear(bag_clearance *c, const char *path, const char *identity, const bag_judge *judge,
               int jobs, const bag_keys *keys, ct_err *err)
{
    char seen[2 * CT_SHA256_LEN + 1];
    ct_err read_err = {0};
    uint64_t foreign = 0;
    bag_flow *flow;
    bool read;

    bag_clearance_free(c);
    *c = (bag_clearance){.arena = ct_arena_new()};
    flow = bag_flow_open(path, jobs, keys, err);
    if (!flow)
        return false;
    read = read_charts(c, flow, judge, jobs, &read_err);
    if (!bag_flow_close(flow, seen, &foreign, err) && (read || err->sys != EPIPE))
        return false; /* which tells more of why the records ended */
    if (!read) {
        *err = read_err;
        err->file = NULL;
        return false;
    }
    judge_rest(c, foreign);
    return strcmp(seen, identity) == 0 || ct_fail(err, CT_E_DATA, "it is another bag");
}

bool bag_clear_later(bag_clearance *c, ct_db *db, ct_str hash, const ct_date *today, ct_err *err)
{
    ct_str why;

    if (!bag_later(db, hash, today, c->arena, &why, err))
        return false;
    if (why.n)
        bar(c, why, 0);
    return true;
}

void bag_clearance_free(bag_clearance *c)
{
    free(c->bars);
    ct_arena_free(c->arena);
    *c = (bag_clearance){0};
}
