/* Grouping into charts: reads everything once to learn whose each record is, sorts by that, and
 * parses again what it hands out. */
#include "common/stream/internal.h"

#include <stdlib.h>

enum {
    MEMORY = 24 * 1024 * 1024,
    /* Shared records are no chart: they come in pieces of a size that is good to work on. */
    SHARED_RECORDS = 1000,
    SHARED_BYTES = 4 * 1024 * 1024,
};

struct ct_charts {
    ct_reader *reader;
    const ct_model *model;
    ct_parser *parser;
    ct_side *in;
    ct_bad_fn *bad;
    void *bad_ctx;
    ct_sorter *sorter;
    const char **files; /* inputs that gave records, in order */
    size_t nfiles;
    bool sorted;
    bool there;         /* `entry` is the next one; else all are handed out */
    ct_entry entry;     /* borrowed from the sorter */
    ct_err failed;      /* what is fatal sticks */
    ct_record *records; /* of the chart that is being gathered */
    size_t n, cap;
};

ct_charts *ct_charts_new(ct_reader *r, size_t memory, ct_side *in, ct_bad_fn *bad, void *bad_ctx)
{
    ct_charts *c = ct_calloc(1, sizeof *c);
    c->reader = r;
    c->model = ct_model_r4();
    c->parser = ct_parser_new(ct_model_names(c->model));
    c->in = in;
    c->bad = bad;
    c->bad_ctx = bad_ctx;
    c->sorter = ct_sorter_new(memory ? memory : MEMORY);
    return c;
}

void ct_charts_fanin(ct_charts *c, size_t n)
{
    ct_sorter_fanin(c->sorter, n);
}

void ct_charts_free(ct_charts *c)
{
    if (!c)
        return;
    ct_sorter_free(c->sorter);
    ct_parser_free(c->parser);
    free(c->files);
    free(c->records);
    free(c);
}

/* ---- taking everything in ---- */

/* Grows at powers of two. */
static uint32_t file_number(ct_charts *c, const char *file)
{
    if (!c->nfiles || c->files[c->nfiles - 1] != file) {
        if ((c->nfiles & (c->nfiles - 1)) == 0)
            c->files = ct_realloc(c->files, c->nfiles ? c->nfiles * 2 : 1, sizeof *c->files);
        c->files[c->nfiles++] = file;
    }
    return (uint32_t)(c->nfiles - 1);
}

static bool add(ct_charts *c, const ct_record *rec, ct_arena *a, ct_err *err)
{
    ct_owner owner = ct_owner_of(c->model, &rec->doc, a);
    ct_entry e = {.key = owner.id,
                  .line = rec->line,
                  .patient = owner.patient,
                  .file = file_number(c, rec->file),
                  .number = rec->number};
    if (c->in)
        ct_side_add(c->in, rec->line, rec->type);
    return ct_sorter_add(c->sorter, &e, err);
}

static bool take_all(ct_charts *c, ct_err *err)
{
    ct_arena *a = ct_arena_new();
    ct_record rec;
    ct_err e;
    ct_got got;
    bool ok = true;
    while (ok && (got = ct_reader_next(c->reader, &rec, &e)) != CT_GOT_END) {
        if (got == CT_GOT_RECORD)
            ok = add(c, &rec, a, err);
        else if (got == CT_GOT_BAD && c->bad)
            c->bad(c->bad_ctx, &rec, &e);
        else if (got == CT_GOT_FATAL) {
            *err = e;
            ok = false;
        }
        ct_arena_reset(a);
    }
    ct_arena_free(a);
    return ok;
}

static bool next_entry(ct_charts *c, ct_err *err)
{
    ct_got got = ct_sorter_next(c->sorter, &c->entry, err);
    c->there = got == CT_GOT_RECORD;
    return got != CT_GOT_FATAL;
}

static bool sort(ct_charts *c, ct_err *err)
{
    c->sorted = true;
    return take_all(c, err) && next_entry(c, err);
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

/* Copies the next entry's line to the chart and parses it there. */
static bool gather(ct_charts *c, ct_chart *chart, ct_err *err)
{
    const ct_entry *e = &c->entry;
    ct_record *rec = new_record(c);
    char *line = ct_arena_alloc(chart->arena, e->line.n);
    if (e->line.n)
        memcpy(line, e->line.p, e->line.n);
    rec->line = (ct_str){line, e->line.n};
    rec->file = e->file < c->nfiles ? c->files[e->file] : NULL;
    rec->number = e->number;
    if (c->n == 1)
        chart->has_patient = e->patient && e->key.n;
    ct_doc doc;
    if (!ct_parse(c->parser, rec->line, &doc, err) || !ct_resource_check(c->model, &doc, err))
        return ct_fail(err, CT_E_IO, "temporary file: it is not what was written");
    rec->doc = ct_doc_keep(&doc, chart->arena);
    rec->type = ct_model_type(c->model, ct_resource_type(&doc))->name;
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

ct_got ct_charts_next(ct_charts *c, ct_chart *chart, ct_err *err)
{
    ct_arena *arena = chart->arena ? chart->arena : ct_arena_new();
    ct_arena_reset(arena);
    *chart = (ct_chart){.arena = arena};
    bool ok = c->failed.kind == CT_OK && (c->sorted || sort(c, &c->failed));
    if (ok && !c->there)
        return CT_GOT_END;
    if (ok && gather_all(c, chart, &c->failed))
        return CT_GOT_RECORD;
    if (err)
        *err = c->failed;
    return CT_GOT_FATAL;
}
