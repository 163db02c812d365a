/* chart-sort: groups records into charts, in memory and on the disk. */
#include "cmd/sort/sort.h"

#include <stdlib.h>

enum { OPT_SHARD = CT_OPT_OWN };

static const ct_opt options[] = {
    {'S', "buffer-size", "SIZE", "use SIZE of memory: K (the default), M, G, T, b for bytes"},
    {'c', "check", NULL, "is the input in order? no output, exit 1 where it is not"},
    {'m', "merge", NULL, "merge inputs each of which is in order"},
    {OPT_SHARD, "shard", "N", "write N files by patient, named by -o with %d in it"},
    {0},
};

static const ct_command command = {
    .name = "sort",
    .summary =
        "Groups records into charts: records that belong to nobody first, then the charts by\n"
        "the patient's id, each with its Patient first and the rest in the order of the input.",
    .synopsis = "[OPTION]... [FILE]...",
    .common = CT_HAS_OUTPUT | CT_HAS_REJECT | CT_HAS_TALLY | CT_HAS_JOBS | CT_HAS_PROGRESS,
    .options = options,
    .examples = "  chart sort export.ndjson >charts.ndjson\n"
                "  chart sort -S 4G -o charts.ndjson.zst export/*.ndjson.gz\n"
                "  chart sort --merge monday.ndjson tuesday.ndjson >both.ndjson\n"
                "  chart sort --shard 8 -o 'part-%d.ndjson' charts.ndjson\n",
};

enum {
    MEMORY = 256 * 1024 * 1024,
    ASIDE = 12 * 1024 * 1024, /* what the program and its reader take, so that SIZE is all in all */
};

/* What the command line asks for. */
struct wish {
    bool check, merge;
};

/* SIZE as sort(1) takes it: kibibytes, or by its suffix; false where it is none. */
static bool size_of(ct_str text, uint64_t *size)
{
    static const char units[] = "bKMGT";
    const char *unit = text.n ? memchr(units, text.p[text.n - 1], sizeof(units) - 1) : NULL;
    unsigned power = unit ? (unsigned)(unit - units) : 1;
    uint64_t n;

    if (!ct_str_u64(ct_str_head(text, text.n - (unit != NULL)), &n))
        return false;
    if (n == 0 || n > SIZE_MAX >> (10 * power))
        return false;
    *size = n << (10 * power);
    return true;
}

static void read_options(sort_run *s, struct wish *w)
{
    int opt;

    while ((opt = ct_cli_option(&s->cli)) != CT_CLI_DONE)
        if (opt == 'S') {
            if (!size_of(ct_str_z(s->cli.arg), &s->memory))
                ct_cli_usage(&s->cli, "--buffer-size takes a size, as 64M");
        } else if (opt == 'c')
            w->check = true;
        else if (opt == 'm')
            w->merge = true;
        else
            s->nshards = (size_t)ct_cli_number(&s->cli, 1, SORT_SHARDS_MAX);
    if (w->check && (w->merge || s->nshards || s->cli.output))
        ct_cli_usage(&s->cli, "--check goes with neither --merge, --shard nor --output");
}

/* ---- entries ---- */

/* Types are the model's own slices: the pointer tells. */
uint32_t sort_tag(sort_run *s, ct_str kind)
{
    size_t i = 0;

    while (i < s->nkinds && s->kinds[i].p != kind.p)
        i++;
    if (i == SORT_KINDS_MAX) /* R4 has a third of that */
        return 0;
    if (i == s->nkinds)
        s->kinds[s->nkinds++] = kind;
    return (uint32_t)i;
}

/* ---- the run ---- */

bool sort_take_in(sort_run *s, ct_sorter *sorter,
                  bool (*each)(void *ctx, const ct_record *rec, ct_entry *e, ct_err *err),
                  void *ctx, ct_err *err)
{
    ct_blocks *in = ct_cli_inputs(&s->cli, 0);
    ct_intake t = {.model = s->model,
                   .in = in,
                   .jobs = s->cli.jobs,
                   .sorter = sorter,
                   .side = &s->cli.tally.in,
                   .bad = ct_cli_bad,
                   .bad_ctx = &s->cli,
                   .each = each,
                   .ctx = ctx};
    bool ok = ct_intake_run(&t, err);

    ct_blocks_free(in);
    return ok;
}

/* What taking in needs to know of the record ahead, in its own input: one after another they are in
 * no order. */
typedef struct taking {
    sort_run *run;
    bool ordered;
    const char *file;
    uint64_t number;
    ct_order last;
} taking;

static bool take(void *ctx, const ct_record *rec, ct_entry *e, ct_err *err)
{
    taking *t = ctx;

    e->tag = sort_tag(t->run, rec->type);
    /* Lines are numbered anew in each input, which may be one file twice. */
    if (rec->file != t->file || rec->number <= t->number)
        t->last.any = false;
    t->file = rec->file;
    t->number = rec->number;
    return !t->ordered || ct_order_next(&t->last, e, rec->file, err);
}

/* False where nothing can be put out. */
static bool take_in(sort_run *s, ct_sorter *sorter, bool ordered)
{
    taking t = {.run = s, .ordered = ordered};
    ct_err err = {0};
    bool ok = sort_take_in(s, sorter, take, &t, &err);

    if (!ok)
        ct_cli_error(&s->cli, CT_FAULT, NULL, &err);
    ct_buf_free(&t.last.key);
    return ok;
}

static void put_out(sort_run *s, ct_sorter *sorter)
{
    ct_entry e;
    ct_err err = {0};
    ct_got got;

    s->progress.records = s->cli.tally.in.records;
    while ((got = ct_sorter_next(sorter, &e, &err)) == CT_GOT_RECORD) {
        if (!sort_put(s, &e)) {
            s->cli.status = CT_FAULT; /* the write error is told when the output is closed */
            return;
        }
        s->progress.out++;
        ct_cli_progress(&s->cli, &s->progress);
    }
    if (got == CT_GOT_FATAL)
        ct_cli_error(&s->cli, CT_FAULT, NULL, &err);
}

void sort_all(sort_run *s, bool ordered)
{
    size_t aside = s->memory >= 3 * ASIDE ? ASIDE : 0;
    ct_sorter *sorter = ct_sorter_new((size_t)s->memory - aside);

    if (take_in(s, sorter, ordered))
        put_out(s, sorter);
    ct_sorter_free(sorter);
}

int main(int argc, char **argv)
{
    sort_run s = {.memory = MEMORY};
    struct wish w = {0};

    ct_cli_start(&s.cli, &command, argc, argv);
    s.model = ct_model_r4();
    read_options(&s, &w);
    if (w.check) {
        sort_check(&s);
        return ct_cli_finish(&s.cli);
    }
    sort_open(&s);
    if (w.merge)
        sort_merge(&s);
    else
        sort_all(&s, false);
    sort_close(&s);
    return ct_cli_finish(&s.cli);
}
