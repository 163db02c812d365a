/* The newest of records that a stream brings several times: a feed tells of one stay in many
 * messages, and each makes a record of the same type and id. */
#include "common/stream/stream.h"

/* A hash table of the records seen so far: open addressing, at most half full, 0 for an empty
 * place, else the number of a record from 1. */
struct seen {
    const ct_chart *chart;
    const ct_str *ids;
    uint32_t *places;
    size_t mask;
};

/* Is a record of this type and id there? Enters it where not. */
static bool seen_before(struct seen *s, size_t i)
{
    size_t at = (size_t)ct_hash(s->ids[i]) & s->mask;

    for (; s->places[at]; at = (at + 1) & s->mask) {
        size_t other = s->places[at] - 1;

        if (ct_str_eq(s->ids[other], s->ids[i]) &&
            ct_str_eq(s->chart->records[other].type, s->chart->records[i].type))
            return true;
    }
    s->places[at] = (uint32_t)i + 1;
    return false;
}

/* A record of which its source gave a part only is tagged so (FHIR R4, Search, _elements), that it
 * is not taken for an update of the whole. */
static bool is_subsetted(const ct_chart *chart, size_t i)
{
    const ct_doc *d = &chart->records[i].doc;
    ct_val tags = ct_at(d, CT_ROOT, "meta.tag");

    if (tags == CT_NONE || ct_type(d, tags) != CT_ARRAY)
        return false;
    for (ct_val tag = ct_first(d, tags); tag != CT_NONE; tag = ct_next(d, tags, tag))
        if (ct_is(d, ct_member(d, tag, CT_S("code")), CT_S("SUBSETTED")))
            return true;
    return false;
}

/* From the last to the first, whole records before those of which a part came: what was seen is
 * newer or tells more. */
static bool *flag_outdated(const ct_chart *chart, ct_str *ids)
{
    size_t size = 16;

    while (size < 2 * chart->n)
        size *= 2;
    struct seen s = {chart, ids, ct_arena_alloc(chart->arena, size * sizeof(uint32_t)), size - 1};
    bool *outdated = ct_arena_alloc(chart->arena, chart->n);
    bool *part = ct_arena_alloc(chart->arena, chart->n);
    for (size_t i = chart->n; i-- > 0;) {
        ids[i] = ct_text_at(&chart->records[i].doc, CT_ROOT, "id", chart->arena);
        part[i] = is_subsetted(chart, i);
        outdated[i] = !part[i] && ids[i].n && seen_before(&s, i);
    }
    for (size_t i = chart->n; i-- > 0;)
        if (part[i])
            outdated[i] = ids[i].n && seen_before(&s, i);
    return outdated;
}

static bool is_owner(const ct_chart *chart, size_t i, ct_str id)
{
    return chart->has_patient && ct_str_eq(id, chart->id) &&
           ct_str_is(chart->records[i].type, "Patient");
}

ct_chart ct_chart_current(const ct_chart *chart, const bool **outdated)
{
    ct_chart view = {.id = chart->id, .has_patient = chart->has_patient, .arena = chart->arena};
    ct_str *ids = ct_arena_alloc(chart->arena, chart->n * sizeof *ids);
    bool *flags = flag_outdated(chart, ids);

    view.records = ct_arena_alloc(chart->arena, chart->n * sizeof *view.records);
    for (size_t i = 0; i < chart->n; i++)
        if (!flags[i] && is_owner(chart, i, ids[i]))
            view.records[view.n++] = chart->records[i];
    for (size_t i = 0; i < chart->n; i++)
        if (!flags[i] && !is_owner(chart, i, ids[i]))
            view.records[view.n++] = chart->records[i];
    if (outdated)
        *outdated = flags;
    return view;
}
