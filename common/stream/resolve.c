/* References between the records of one chart. */
#include "common/stream/stream.h"

/* A hash table of records by id: open addressing, at most half full, 0 for an empty place, else the
 * number of a record from 1. Of two records with one id the first is found first. */
struct ct_chart_index {
    const ct_str *ids;
    const uint32_t *places;
    size_t mask;
};

static struct ct_chart_index *build(const ct_chart *chart)
{
    size_t size = 16;
    while (size < 2 * chart->n)
        size *= 2;
    ct_str *ids = ct_arena_alloc(chart->arena, chart->n * sizeof *ids);
    uint32_t *places = ct_arena_alloc(chart->arena, size * sizeof *places);
    for (size_t i = 0; i < chart->n; i++) {
        ids[i] = ct_text_at(&chart->records[i].doc, CT_ROOT, "id", chart->arena);
        if (!ids[i].n)
            continue;
        size_t at = (size_t)ct_hash(ids[i]) & (size - 1);
        while (places[at])
            at = (at + 1) & (size - 1);
        places[at] = (uint32_t)i + 1;
    }
    struct ct_chart_index *index = ct_arena_alloc(chart->arena, sizeof *index);
    *index = (struct ct_chart_index){ids, places, size - 1};
    return index;
}

const ct_doc *ct_chart_resolve(void *ctx, ct_str reference)
{
    ct_chart *chart = ctx;
    ct_ref ref;
    if (!ct_ref_parse(reference, &ref) || ref.contained || !ref.id.n)
        return NULL;
    if (!chart->index)
        chart->index = build(chart);
    const struct ct_chart_index *index = chart->index;
    for (size_t at = (size_t)ct_hash(ref.id) & index->mask; index->places[at];
         at = (at + 1) & index->mask) {
        const ct_record *rec = &chart->records[index->places[at] - 1];
        if (ct_str_eq(index->ids[index->places[at] - 1], ref.id) &&
            (!ref.type.n || ct_str_eq(rec->type, ref.type)))
            return &rec->doc;
    }
    return NULL;
}

void ct_chart_free(ct_chart *chart)
{
    ct_arena_free(chart->arena);
    *chart = (ct_chart){0};
}
