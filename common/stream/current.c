/* The newest of records that a stream brings several times: a feed tells of one stay in many
 * messages, and each makes a record of the same type and id; a server's exports of several years,
 * or its history, bring all versions in any order. */
#include "common/stream/stream.h"

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

/* ---- which is newer? ---- */

static ct_str meta(const ct_chart *chart, size_t i, const char *path)
{
    return ct_text_at(&chart->records[i].doc, CT_ROOT, path, chart->arena);
}

/* By meta.lastUpdated where both tell an instant: <0, 0, >0, and 0 where it cannot be told. */
static int cmp_updated(const ct_chart *chart, size_t a, size_t b)
{
    ct_date x, y;
    int order;

    if (!ct_date_parse(meta(chart, a, "meta.lastUpdated"), &x) ||
        !ct_date_parse(meta(chart, b, "meta.lastUpdated"), &y))
        return 0;
    order = ct_date_cmp(&x, &y);
    return order == CT_DATE_UNDECIDED ? 0 : order;
}

/* By meta.versionId where both are numbers, as those of most servers are. */
static int cmp_version(const ct_chart *chart, size_t a, size_t b)
{
    uint64_t x, y;

    if (!ct_str_u64(meta(chart, a, "meta.versionId"), &x) ||
        !ct_str_u64(meta(chart, b, "meta.versionId"), &y))
        return 0;
    return (x > y) - (x < y);
}

/* Is a record newer than one that comes behind it in the input? */
static bool is_newer(const ct_chart *chart, size_t earlier, size_t later)
{
    int order = cmp_updated(chart, earlier, later);

    return (order ? order : cmp_version(chart, earlier, later)) > 0;
}

/* ---- the records seen so far ---- */

/* A hash table of those that hold: open addressing, at most half full, 0 for an empty place, else
 * the number of a record from 1. */
struct seen {
    const ct_chart *chart;
    const ct_str *ids;
    const bool *part;
    bool *outdated;
    uint32_t *places;
    size_t mask;
};

/* The place of a record's type and id, which may be empty. */
static uint32_t *place_of(const struct seen *s, size_t i)
{
    size_t at = (size_t)ct_hash(s->ids[i]) & s->mask;

    for (; s->places[at]; at = (at + 1) & s->mask) {
        size_t other = s->places[at] - 1;

        if (ct_str_eq(s->ids[other], s->ids[i]) &&
            ct_str_eq(s->chart->records[other].type, s->chart->records[i].type))
            break;
    }
    return &s->places[at];
}

/* Enters a record, or flags one of the two where there is one of this type and id. */
static void see(struct seen *s, size_t i)
{
    uint32_t *place = place_of(s, i);
    size_t other = *place - 1;

    if (*place && (s->part[other] != s->part[i] || !is_newer(s->chart, i, other))) {
        s->outdated[i] = true;
        return;
    }
    if (*place)
        s->outdated[other] = true;
    *place = (uint32_t)i + 1;
}

/* From the last to the first, whole records before those of which a part came, which tell less. */
static bool *flag_outdated(const ct_chart *chart, ct_str *ids)
{
    size_t size = 16;

    while (size < 2 * chart->n)
        size *= 2;
    bool *outdated = ct_arena_alloc(chart->arena, chart->n);
    bool *part = ct_arena_alloc(chart->arena, chart->n);
    uint32_t *places = ct_arena_alloc(chart->arena, size * sizeof *places);
    struct seen s = {chart, ids, part, outdated, places, size - 1};
    for (size_t i = chart->n; i-- > 0;) {
        ids[i] = ct_text_at(&chart->records[i].doc, CT_ROOT, "id", chart->arena);
        part[i] = is_subsetted(chart, i);
        if (!part[i] && ids[i].n)
            see(&s, i);
    }
    for (size_t i = chart->n; i-- > 0;)
        if (part[i] && ids[i].n)
            see(&s, i);
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
