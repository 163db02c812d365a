/* One record: the expressions are evaluated, what they give is written to the slot, and what goes
 * wrong is kept there. Nothing here knows of other slots or prints, so any thread can do it. */
#include "cmd/path/path.h"

#include <stdio.h>

void path_slot_start(path_slot *s, const path_query *q)
{
    *s = (path_slot){
        .query = q,
        .context = {.model = q->model, .arena = ct_arena_new(), .node = CT_ROOT, .now = q->now}};
}

void path_slot_stop(path_slot *s)
{
    ct_arena_free(s->context.arena);
    ct_buf_free(&s->out);
    ct_buf_free(&s->cell);
    ct_side_free(&s->side);
}

/* What one huge record needed is given back. */
static void empty(ct_buf *b)
{
    enum { KEEP = 4 * 1024 * 1024 };

    if (b->cap > KEEP)
        ct_buf_free(b);
    b->n = 0;
}

void path_slot_clear(path_slot *s)
{
    empty(&s->out);
    empty(&s->cell);
    ct_side_clear(&s->side);
    s->items = s->nproblems = s->unresolved = 0;
}

/* ---- what goes wrong ---- */

/* A name that is as long as fits, cut between characters. */
static int fitting(ct_str name)
{
    enum { ROOM = 60 };
    size_t n = name.n;

    if (n > ROOM)
        for (n = ROOM; n > 0 && ((unsigned char)name.p[n] & 0xc0) == 0x80;)
            n--;
    return (int)n;
}

/* Names the expression, beside the column that the evaluator names. */
static void note_problem(path_slot *s, const path_column *c, const ct_record *rec,
                         const ct_err *err)
{
    ct_err note = {0};

    if (s->nproblems++ > PATH_SHOWN) /* one more tells that there are more */
        return;
    if (c->name.n)
        ct_fail_at(&note, err->kind, err->text, "%.*s, %.30s", fitting(c->name), c->name.p,
                   err->where);
    else
        ct_fail_at(&note, err->kind, err->text, "expression, %.30s", err->where);
    ct_batch_note(s->batch, rec, &note);
}

/* False where the evaluation failed. */
static bool evaluate(path_slot *s, const path_column *c, const ct_record *rec, ct_items *items)
{
    ct_err err = {0};
    bool ok = ct_path_eval(c->path, &s->context, items, &err);

    if (!ok)
        note_problem(s, c, rec, &err);
    else
        s->items += items->n;
    return ok;
}

/* ---- values ---- */

/* The type's name without its namespace, System's simple types as FHIR spells its own: dateTime. */
static void put_type(ct_buf *b, const ct_item *item)
{
    ct_str name = ct_item_type(item).text;
    bool simple = item->type >= CT_I_BOOLEAN && item->type <= CT_I_TIME;

    if (simple) {
        ct_buf_c(b, (char)(name.p[0] + 'a' - 'A'));
        name = ct_str_from(name, 1);
    }
    ct_buf_put(b, name.n ? name : CT_S("?"));
    ct_buf_c(b, '\t');
}

static void put_values(path_slot *s, const ct_record *rec)
{
    ct_items items;

    if (!evaluate(s, &s->query->columns[0], rec, &items))
        return;
    for (size_t i = 0; i < items.n; i++) {
        if (s->query->types)
            put_type(&s->out, &items.v[i]);
        ct_item_put(&s->out, &items.v[i]);
        ct_buf_c(&s->out, '\n');
    }
}

/* ---- rows ---- */

/* An empty cell alone in a row would make a blank line, which readers of CSV pass over. */
static bool is_blank_csv(const path_slot *s, size_t from)
{
    return s->query->format == PATH_CSV && s->query->n == 1 && s->out.n == from;
}

static void put_separators(path_slot *s, size_t n)
{
    while (n-- > 0)
        ct_buf_c(&s->out, s->query->format == PATH_CSV ? ',' : '\t');
}

/* Cells of columns that are about other types stay empty. */
static void put_row(path_slot *s, const path_group *g, const ct_record *rec)
{
    const path_query *q = s->query;
    size_t from = s->out.n, at = 0;
    ct_items items;

    for (size_t i = 0; i < g->n; i++) {
        put_separators(s, g->columns[i] - at);
        at = g->columns[i];
        if (evaluate(s, &q->columns[at], rec, &items))
            path_cell_put(&s->out, q->format, &items, s->context.arena, &s->cell);
        else
            path_failed_put(&s->out);
    }
    put_separators(s, q->n - 1 - at);
    ct_buf_z(&s->out, is_blank_csv(s, from) ? "\"\"\n" : "\n");
}

void path_record(path_slot *s, const ct_record *rec)
{
    const path_group *g = path_group_of(s->query, rec->type);

    if (g->n == 0)
        return;
    ct_arena_reset(s->context.arena);
    s->context.doc = &rec->doc;
    s->context.unresolved = 0;
    if (s->query->format == PATH_VALUES)
        put_values(s, rec);
    else
        put_row(s, g, rec);
    s->unresolved += s->context.unresolved;
}
