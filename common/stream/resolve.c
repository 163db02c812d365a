/* What expressions see of a chart: references between its records, and %chart. */
#include "common/stream/stream.h"

/* A hash table: open addressing, 0 for an empty place, else an entry's number from 1. A record has
 * two entries, by type and id and by its id alone, unless a record before it has the same: of two
 * with one name the first is found, and no number of them makes the table slow. */
struct ct_chart_index {
    const ct_str *ids;      /* of the records */
    const uint32_t *places; /* entry 2 * i + 1 is record i by its id, 2 * i + 2 by type and id */
    size_t mask;
};

typedef struct ct_chart_index chart_index;

static size_t place_of(ct_str type, ct_str id)
{
    return (size_t)(ct_hash(id) + (type.n ? ct_hash(type) : 0));
}

/* The record's number that is entered so (`type` empty: by id alone), or SIZE_MAX; `*at` is its
 * place, or the empty one where it belongs. */
static size_t look_up(const ct_chart *chart, const chart_index *x, ct_str type, ct_str id,
                      size_t *at)
{
    for (*at = place_of(type, id) & x->mask; x->places[*at]; *at = (*at + 1) & x->mask) {
        size_t i = (x->places[*at] - 1) / 2;
        bool typed = x->places[*at] % 2 == 0;
        if (typed == (type.n > 0) && ct_str_eq(x->ids[i], id) &&
            (!typed || ct_str_eq(chart->records[i].type, type)))
            return i;
    }
    return SIZE_MAX;
}

static chart_index *build(const ct_chart *chart)
{
    size_t size = 16, at;
    while (size < 4 * chart->n)
        size *= 2;
    ct_str *ids = ct_arena_alloc(chart->arena, chart->n * sizeof *ids);
    uint32_t *places = ct_arena_alloc(chart->arena, size * sizeof *places);
    chart_index *x = ct_arena_alloc(chart->arena, sizeof *x);
    *x = (chart_index){ids, places, size - 1};
    for (size_t i = 0; i < chart->n; i++) {
        ids[i] = ct_text_at(&chart->records[i].doc, CT_ROOT, "id", chart->arena);
        if (!ids[i].n)
            continue;
        if (look_up(chart, x, CT_S(""), ids[i], &at) == SIZE_MAX)
            places[at] = (uint32_t)(2 * i + 1);
        if (look_up(chart, x, chart->records[i].type, ids[i], &at) == SIZE_MAX)
            places[at] = (uint32_t)(2 * i + 2);
    }
    return x;
}

const ct_doc *ct_chart_resolve(void *ctx, ct_str reference)
{
    ct_chart *chart = ctx;
    ct_ref ref;
    size_t at;
    if (!ct_ref_parse(reference, &ref) || ref.contained || !ref.id.n)
        return NULL;
    if (!chart->index)
        chart->index = build(chart);
    size_t i = look_up(chart, chart->index, ref.type, ref.id, &at);
    return i != SIZE_MAX ? &chart->records[i].doc : NULL;
}

const ct_items *ct_chart_items(const ct_chart *chart, const ct_model *m, ct_arena *a)
{
    ct_items *all = ct_arena_alloc(a, sizeof *all);
    *all = (ct_items){ct_arena_alloc(a, chart->n * sizeof *all->v), chart->n};
    for (size_t i = 0; i < chart->n; i++)
        all->v[i] = (ct_item){.type = CT_I_NODE,
                              .doc = &chart->records[i].doc,
                              .node = CT_ROOT,
                              .parent = CT_NONE,
                              .ftype = ct_model_type(m, chart->records[i].type)};
    return all;
}

void ct_chart_free(ct_chart *chart)
{
    ct_arena_free(chart->arena);
    *chart = (ct_chart){0};
}
