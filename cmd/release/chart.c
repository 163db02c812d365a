/* A chart, judged record by record on a worker's thread. */
#include "release.h"

#include <stdlib.h>

void release_entry_add(release_entries *e, release_entry added)
{
    if (e->n == e->cap)
        e->v = ct_realloc(e->v, e->cap = e->cap ? 2 * e->cap : 8, sizeof *e->v);
    e->v[e->n++] = added;
}

/* Counts the record that is being judged, once whatever it says twice. False where the name is new.
 */
static bool count(const release_slot *s, release_entries *e, ct_str name)
{
    for (size_t i = 0; i < e->n; i++)
        if (ct_str_eq(e->v[i].name, name)) {
            e->v[i].records += e->v[i].last != s->record;
            e->v[i].last = s->record;
            return true;
        }
    return false;
}

static void note_other(void *ctx, ct_str id)
{
    release_slot *s = ctx;

    if (!ct_str_eq(id, s->chart->id) && !count(s, &s->named, id))
        release_entry_add(
            &s->named,
            (release_entry){.name = ct_arena_copy(s->arena, id), .records = 1, .last = s->record});
}

static void let_go(release_slot *s, const ct_record *rec)
{
    ct_lines_add(&s->out, rec->line, rec->type);
    if (!s->chart->id.n)
        return;
    if (!count(s, &s->kinds, rec->type))
        release_entry_add(&s->kinds,
                          (release_entry){.name = rec->type, .records = 1, .last = s->record});
    if (s->r->npatients)
        ct_owners(s->r->model, &rec->doc, s->scratch, note_other, s);
}

static void explain(release_slot *s, const ct_record *rec, release_why why)
{
    bool waits = why == RELEASE_GOES && !s->chart->id.n;
    ct_buf *b = waits ? &s->waiting.buf : &s->explain;

    release_put_plain(b, s->chart->id);
    ct_buf_c(b, '\t');
    ct_buf_put(b, rec->type);
    ct_buf_c(b, '/');
    release_put_plain(b, ct_text_at(&rec->doc, CT_ROOT, "id", s->scratch));
    if (!waits)
        ct_buf_printf(b, "\t%s", release_why_text[why]);
    ct_buf_c(b, '\n');
}

static void start_over(release_slot *s)
{
    ct_arena_reset(s->arena);
    s->out.buf.n = s->explain.n = s->waiting.buf.n = 0;
    ct_side_clear(&s->out.side);
    s->kinds.n = s->named.n = 0;
    memset(s->why, 0, sizeof s->why);
}

void release_judge_chart(void *ctx, void *slot, ct_chart *chart)
{
    release_slot *s = slot;
    release_case k = {.r = s->r, .chart = chart, .a = s->scratch};

    (void)ctx;
    start_over(s);
    s->chart = chart;
    /* %chart holds the records that are kept back, too. */
    if (s->r->policy->conditional)
        k.records = ct_chart_items(s->chart, s->r->model, s->arena);
    release_judge_chart_labels(&k);
    for (size_t i = 0; i < s->chart->n; i++) {
        const ct_record *rec = &s->chart->records[i];
        ct_arena_reset(s->scratch);
        s->record = i + 1;
        release_why why = release_judge(&k, rec);
        s->why[why]++;
        if (why == RELEASE_GOES)
            let_go(s, rec);
        if (s->explains)
            explain(s, rec, why);
    }
}

release_slot *release_slots_new(size_t n, const release_request *r, bool counted, bool explains)
{
    release_slot *s = ct_calloc(n, sizeof *s);

    for (size_t i = 0; i < n; i++) {
        s[i].r = r;
        s[i].explains = explains;
        s[i].out.side.off = !counted;
        s[i].waiting.side.off = true;
        s[i].arena = ct_arena_new();
        s[i].scratch = ct_arena_new();
    }
    return s;
}

void release_slots_free(release_slot *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ct_buf_free(&s[i].out.buf);
        ct_side_free(&s[i].out.side);
        ct_buf_free(&s[i].explain);
        ct_buf_free(&s[i].waiting.buf);
        free(s[i].kinds.v);
        free(s[i].named.v);
        ct_arena_free(s[i].arena);
        ct_arena_free(s[i].scratch);
    }
    free(s);
}
