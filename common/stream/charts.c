/* Grouping into charts: reads everything once to learn whose each record is, sorts by that, and
 * parses again what it hands out. */
#include "common/stream/internal.h"

#include <stdlib.h>

enum {
    MEMORY = 24 * 1024 * 1024,
    /* Shared records are no chart: they come in pieces of a size that is good to work on. */
    SHARED_RECORDS = 1000,
    SHARED_BYTES = 4 * 1024 * 1024,
    /* So many bytes of charts are in work at once, or one chart, however large. */
    IN_WORK = 8 * 1024 * 1024,
};

struct ct_charts {
    ct_intake intake;
    ct_reader *reader; /* of an input that is in order already; else NULL */
    ct_order order;
    ct_arena *arena; /* of the entry, then */
    ct_parser *parser;
    const char **files; /* inputs that gave records, in order */
    size_t nfiles;
    uint64_t unplaced;
    bool sorted;
    bool there;         /* `entry` is the next one; else all are handed out */
    ct_entry entry;     /* borrowed from the sorter */
    ct_err failed;      /* what is fatal sticks */
    ct_record *records; /* of the chart that is being gathered */
    size_t n, cap;
};

/* ---- taking everything in ---- */

/* The number of the input goes to the entry. Grows at powers of two. */
static bool take_entry(void *ctx, const ct_record *rec, ct_entry *e, ct_err *err)
{
    ct_charts *c = ctx;
    (void)err;
    if (!c->nfiles || c->files[c->nfiles - 1] != rec->file) {
        if ((c->nfiles & (c->nfiles - 1)) == 0)
            c->files = ct_realloc(c->files, c->nfiles ? c->nfiles * 2 : 1, sizeof *c->files);
        c->files[c->nfiles++] = rec->file;
    }
    e->file = (uint32_t)(c->nfiles - 1);
    c->unplaced += e->unplaced;
    return true;
}

ct_charts *ct_charts_new(ct_blocks *in, int jobs, size_t memory, ct_side *side, ct_bad_fn *bad,
                         void *bad_ctx)
{
    const ct_model *m = ct_model_r4();
    ct_charts *c = ct_calloc(1, sizeof *c);
    c->parser = ct_parser_new(ct_model_names(m));
    c->intake = (ct_intake){.model = m,
                            .in = in,
                            .jobs = jobs,
                            .sorter = ct_sorter_new(memory ? memory : MEMORY),
                            .side = side,
                            .bad = bad,
                            .bad_ctx = bad_ctx,
                            .each = take_entry,
                            .ctx = c};
    return c;
}

uint64_t ct_charts_unplaced(const ct_charts *c)
{
    return c->unplaced;
}

void ct_charts_fanin(ct_charts *c, size_t n)
{
    ct_sorter_fanin(c->intake.sorter, n);
}

void ct_charts_free(ct_charts *c)
{
    if (!c)
        return;
    ct_sorter_free(c->intake.sorter);
    ct_reader_free(c->reader);
    ct_buf_free(&c->order.key);
    ct_arena_free(c->arena);
    ct_parser_free(c->parser);
    free(c->files);
    free(c->records);
    free(c);
}

void ct_charts_sorted(ct_charts *c)
{
    ct_blocks_ahead(c->intake.in); /* charts are long, and many are worked on at once */
    c->reader = ct_reader_new(c->intake.model, c->intake.in);
    c->arena = ct_arena_new();
}

/* The next good record of an input that is in order. */
static ct_got read_entry(ct_charts *c, ct_err *err)
{
    const ct_intake *t = &c->intake;
    ct_record rec;
    ct_err e = {0};
    ct_got got;
    while ((got = ct_reader_next(c->reader, &rec, &e)) == CT_GOT_BAD)
        if (t->bad)
            t->bad(t->bad_ctx, &rec, &e);
    if (got == CT_GOT_FATAL)
        *err = e;
    if (got != CT_GOT_RECORD)
        return got;
    ct_arena_reset(c->arena);
    ct_owner owner = ct_owner_of(t->model, &rec.doc, c->arena);
    c->entry = (ct_entry){.key = owner.id,
                          .line = rec.line,
                          .patient = owner.patient && owner.id.n,
                          .unplaced = owner.unplaced,
                          .number = rec.number};
    if (t->side)
        ct_side_add(t->side, rec.line, rec.type);
    return take_entry(c, &rec, &c->entry, err) && ct_order_next(&c->order, &c->entry, rec.file, err)
               ? CT_GOT_RECORD
               : CT_GOT_FATAL;
}

static bool next_entry(ct_charts *c, ct_err *err)
{
    ct_got got = c->reader ? read_entry(c, err) : ct_sorter_next(c->intake.sorter, &c->entry, err);
    c->there = got == CT_GOT_RECORD;
    return got != CT_GOT_FATAL;
}

static bool sort(ct_charts *c, ct_err *err)
{
    c->sorted = true;
    return (c->reader || ct_intake_run(&c->intake, err)) && next_entry(c, err);
}

/* ---- handing out ---- */

static ct_record *new_record(ct_charts *c)
{
    if (c->n == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 256;
        c->records = ct_realloc(c->records, c->cap, sizeof *c->records);
    }
    ct_record *rec = &c->records[c->n++];
    *rec = (ct_record){0};
    return rec;
}

/* Copies a line, and makes it a block of its own, which is parsed faster than a text. */
static ct_str copy_line(ct_arena *a, ct_str line)
{
    char *to = ct_arena_alloc(a, line.n + 1 + CT_PARSE_SLACK);
    if (line.n)
        memcpy(to, line.p, line.n);
    to[line.n] = '\n';
    return (ct_str){to, line.n};
}

static bool parse_line(ct_parser *p, ct_str line, ct_doc *doc, ct_err *err)
{
    ct_parse_block(p, (ct_str){line.p, line.n + 1});
    return ct_parse_line(p, &line, doc, err);
}

/* Copies the next entry's line to the chart. */
static bool gather(ct_charts *c, ct_chart *chart, ct_err *err)
{
    const ct_entry *e = &c->entry;
    ct_record *rec = new_record(c);
    rec->line = copy_line(chart->arena, e->line);
    rec->file = e->file < c->nfiles ? c->files[e->file] : NULL;
    rec->number = e->number;
    if (c->n == 1)
        chart->has_patient = e->patient;
    return next_entry(c, err);
}

static bool goes_on(const ct_charts *c, const ct_chart *chart, size_t bytes)
{
    const ct_entry *e = &c->entry;
    if (!c->there || !ct_str_eq(e->key, chart->id))
        return false;
    return chart->id.n || (c->n < SHARED_RECORDS && bytes + e->line.n <= SHARED_BYTES);
}

static bool gather_all(ct_charts *c, ct_chart *chart, ct_err *err)
{
    size_t bytes = 0;
    c->n = 0;
    chart->id = ct_arena_copy(chart->arena, c->entry.key);
    do {
        bytes += c->entry.line.n;
        if (!gather(c, chart, err))
            return false;
    } while (goes_on(c, chart, bytes));
    chart->n = c->n;
    chart->records = ct_arena_alloc(chart->arena, c->n * sizeof *c->records);
    memcpy(chart->records, c->records, c->n * sizeof *c->records);
    return true;
}

/* On the way out of what is all read. */
static void show(ct_charts *c, size_t n)
{
    if (c->reader)
        return;
    ct_blocks_progress(c->intake.in)->out += n;
    ct_blocks_show(c->intake.in);
}

/* The next chart without its documents. */
static ct_got next_lines(ct_charts *c, ct_chart *chart, ct_err *err)
{
    ct_arena *arena = chart->arena ? chart->arena : ct_arena_new();
    ct_arena_reset(arena);
    *chart = (ct_chart){.arena = arena};
    bool ok = c->failed.kind == CT_OK && (c->sorted || sort(c, &c->failed));
    if (ok && !c->there)
        return CT_GOT_END;
    if (ok && gather_all(c, chart, &c->failed)) {
        show(c, chart->n);
        return CT_GOT_RECORD;
    }
    if (err)
        *err = c->failed;
    return CT_GOT_FATAL;
}

/* Its records were good when they came in, and the sorter checks that they are the same. */
static bool parse(ct_parser *p, ct_chart *chart, ct_err *err)
{
    const ct_model *m = ct_model_r4();
    for (size_t i = 0; i < chart->n; i++) {
        ct_record *rec = &chart->records[i];
        ct_doc doc;
        const ct_ftype *type =
            parse_line(p, rec->line, &doc, err) ? ct_resource_check(m, &doc, err) : NULL;
        if (!type)
            return ct_fail(err, CT_E_IO, "temporary file: it is not what was written");
        rec->doc = ct_doc_keep(&doc, chart->arena);
        rec->type = type->name;
    }
    return true;
}

ct_got ct_charts_next(ct_charts *c, ct_chart *chart, ct_err *err)
{
    ct_got got = next_lines(c, chart, err);
    if (got != CT_GOT_RECORD || parse(c->parser, chart, &c->failed))
        return got;
    if (err)
        *err = c->failed;
    return CT_GOT_FATAL;
}

/* ---- work by several threads ---- */

typedef struct unit {
    ct_chart chart;
    ct_parser *parser;
    ct_err failed;
    void *slot; /* the caller's */
} unit;

typedef struct run {
    const ct_chartwork *w;
    size_t in_work; /* bytes of charts that are not done yet */
    ct_err failed;
} run;

static size_t bytes_of(const ct_chart *chart)
{
    size_t n = 0;
    for (size_t i = 0; i < chart->n; i++)
        n += chart->records[i].line.n;
    return n;
}

static ct_got fill(void *ctx, void *slot, ct_err *err)
{
    run *r = ctx;
    unit *u = slot;
    ct_got got = next_lines(r->w->charts, &u->chart, err);
    r->in_work += got == CT_GOT_RECORD ? bytes_of(&u->chart) : 0;
    return got;
}

static bool ready(void *ctx)
{
    run *r = ctx;
    const ct_charts *c = r->w->charts;
    return r->in_work < IN_WORK && (!c->reader || ct_blocks_ready(c->intake.in));
}

static void work(void *ctx, void *slot)
{
    run *r = ctx;
    unit *u = slot;
    if (r->w->unparsed || parse(u->parser, &u->chart, &u->failed))
        r->w->work(r->w->ctx, u->slot, &u->chart);
}

/* What a chart needed is given back at once, where it was much. */
static bool done(void *ctx, void *slot)
{
    run *r = ctx;
    unit *u = slot;
    r->failed = u->failed;
    r->in_work -= bytes_of(&u->chart);
    bool ok = u->failed.kind == CT_OK && r->w->done(r->w->ctx, u->slot, &u->chart);
    ct_arena_reset(u->chart.arena);
    u->chart = (ct_chart){.arena = u->chart.arena};
    return ok;
}

bool ct_charts_run(const ct_chartwork *w, ct_err *err)
{
    size_t n = (size_t)w->jobs * CT_SLOTS_PER_JOB;
    unit *units = ct_calloc(n, sizeof *units);
    void **slots = ct_calloc(n, sizeof *slots);
    run r = {.w = w};
    for (size_t i = 0; i < n; i++) {
        units[i].parser = ct_parser_new(ct_model_names(ct_model_r4()));
        units[i].slot = (char *)w->slots + i * w->slot_size;
        slots[i] = &units[i];
    }
    ct_work inner = {.jobs = w->jobs,
                     .slots = slots,
                     .nslots = n,
                     .fill = fill,
                     .work = work,
                     .done = done,
                     .ctx = &r,
                     .ready = ready};
    bool ok = ct_work_run(&inner, err);
    if (r.failed.kind && err)
        *err = r.failed;
    for (size_t i = 0; i < n; i++) {
        ct_chart_free(&units[i].chart);
        ct_parser_free(units[i].parser);
    }
    free(slots);
    free(units);
    return ok;
}
