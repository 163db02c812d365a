/* What became of each value of a message. */
#include "cmd/import/hl7v2/values.h"
#include "cmd/import/hl7v2/map.h"

#include <stdio.h>

/* ---- places ---- */

/* Numbers beyond these share the last one. */
enum {
    PART_BITS = 12,
    FIELD_BITS = 16,
    PART_MAX = (1 << PART_BITS) - 1,
    FIELD_MAX = (1 << FIELD_BITS) - 1
};

static uint64_t at_most(uint64_t n, uint64_t max)
{
    return n < max ? n : max;
}

/* `part` 0: the one above has no parts. */
static uint64_t place_of(ct_str segment, size_t field, const size_t part[2])
{
    uint64_t place = 0;

    for (size_t i = 0; i < 3; i++)
        place = place << 8 | (unsigned char)segment.p[i];
    place = place << FIELD_BITS | at_most(field, FIELD_MAX);
    for (size_t i = 0; i < 2; i++)
        place = place << PART_BITS | at_most(part[i], PART_MAX);
    return place;
}

void import_place_put(ct_buf *b, uint64_t place)
{
    uint64_t segment = place >> (FIELD_BITS + 2 * PART_BITS);
    unsigned part[] = {(unsigned)(place >> PART_BITS) & PART_MAX, (unsigned)place & PART_MAX};

    for (int shift = 16; shift >= 0; shift -= 8)
        ct_buf_c(b, (char)(segment >> shift & 0xff));
    ct_buf_c(b, '-');
    ct_buf_u64(b, place >> 2 * PART_BITS & FIELD_MAX);
    for (size_t i = 0; i < CT_LEN(part) && part[i]; i++) {
        ct_buf_c(b, '.');
        ct_buf_u64(b, part[i]);
    }
}

/* Is the place, or the field that it is in, one that says nothing of the patient? */
static bool is_ignored(const import_maps *maps, uint64_t place)
{
    const uint64_t parts = ((uint64_t)1 << 2 * PART_BITS) - 1;
    const uint64_t tries[] = {place & ~parts, place};
    bool found = false;

    for (size_t i = 0; i < CT_LEN(tries) && !found; i++) {
        ct_buf name = {0};
        import_place_put(&name, tries[i]);
        found = import_table_find(&maps->ignored, ct_buf_str(&name)) != NULL;
        ct_buf_free(&name);
    }
    return found;
}

/* ---- counts ---- */

static import_count **bucket_of(import_counts *counts, uint64_t place)
{
    if (!counts->buckets)
        counts->buckets = ct_arena_alloc(counts->arena, IMPORT_BUCKETS * sizeof(void *));
    return &counts->buckets[place * 0x9e3779b97f4a7c15u >> 32 & (IMPORT_BUCKETS - 1)];
}

/* NULL where there is none yet. */
static import_count *find_count(import_counts *counts, uint64_t place)
{
    import_count *c = *bucket_of(counts, place);

    while (c && c->place != place)
        c = c->chain;
    return c;
}

static import_count *new_count(import_counts *counts, uint64_t place, bool ignored)
{
    import_count **bucket = bucket_of(counts, place), *c = ct_arena_alloc(counts->arena, sizeof *c);

    *c = (import_count){.next = counts->all, .chain = *bucket, .place = place, .ignored = ignored};
    counts->all = *bucket = c;
    counts->n++;
    return c;
}

/* The count of a place; of all others where there are too many. */
static import_count *count_of(import_counts *counts, const import_maps *maps, uint64_t place)
{
    import_count *c = find_count(counts, place);

    if (!c && counts->n >= IMPORT_COUNTS && place)
        return count_of(counts, maps, 0);
    return c ? c : new_count(counts, place, place && is_ignored(maps, place));
}

void import_counts_add(import_counts *to, const import_count *count)
{
    import_count *c = find_count(to, count->place);

    if (!c && to->n >= IMPORT_COUNTS)
        c = find_count(to, 0);
    if (!c)
        c = new_count(to, to->n >= IMPORT_COUNTS ? 0 : count->place, count->ignored);
    c->mapped += count->mapped;
    c->lost += count->lost;
}

/* ---- values ---- */

/* Is given each value and whether something was made of it; true ends the walk. */
typedef bool on_value(void *ctx, const import_segment *s, uint64_t place, bool made);

typedef struct walk {
    const import_er7 *m;
    const import_segment *segment;
    size_t field;
    bool lost_only; /* values of which something was made are passed over */
    bool ends[256]; /* by character: it ends a value */
    on_value *on_value;
    void *ctx;
} walk;

/* Is there a `separator` from `p` on, ahead of the next repetition? */
static bool follows(const walk *w, const char *p, const char *end, char separator)
{
    while (p < end && *p != separator && *p != w->m->repetition)
        p++;
    return separator && p < end && *p == separator;
}

/* The value from `p` to `stop`, as the `nth` component or subcomponents of one. */
static bool take_value(const walk *w, const char *p, const char *stop, const char *end,
                       const size_t nth[2])
{
    import_part value = {{p, (size_t)(stop - p)}, LEVEL_SUBCOMPONENT};
    bool made = w->m->made[p - w->m->text.p];

    if ((made && w->lost_only) || !import_er7_valued(w->m, value))
        return false;
    bool components = nth[0] > 1 || follows(w, stop, end, w->m->component);
    bool parts = nth[1] > 1 || (stop < end && *stop == w->m->subcomponent);
    size_t part[2] = {components || parts ? nth[0] : 0, parts ? nth[1] : 0};
    return w->on_value(w->ctx, w->segment, place_of(w->segment->name, w->field, part), made);
}

static bool walk_field(const walk *w, ct_str field)
{
    const char *end = field.p + field.n, *start = field.p, *p = start;
    size_t nth[2] = {1, 1};

    for (; start < end; start = p + 1) {
        for (p = start; p < end && !w->ends[(unsigned char)*p];)
            p++;
        if (p > start && take_value(w, start, p, end, nth))
            return true;
        if (p == end)
            return false;
        nth[1] = *p == w->m->subcomponent ? nth[1] + 1 : 1;
        nth[0] = *p == w->m->repetition ? 1 : nth[0] + (*p == w->m->component);
    }
    return false;
}

static bool walk_segment(walk *w)
{
    bool msh = ct_str_is(w->segment->name, "MSH");

    for (w->field = msh ? 3 : 1; w->field < w->segment->nfields; w->field++)
        if (walk_field(w, w->segment->fields[w->field]))
            return true;
    return false;
}

static bool walk_values(const import_er7 *m, bool lost_only, on_value *f, void *ctx)
{
    walk w = {.m = m, .lost_only = lost_only, .on_value = f, .ctx = ctx};
    const char ends[] = {m->component, m->repetition, m->subcomponent};

    for (size_t i = 0; i < CT_LEN(ends); i++)
        w.ends[(unsigned char)ends[i]] = ends[i] != 0;

    for (size_t i = 0; i < m->n; i++) {
        w.segment = &m->segments[i];
        if (walk_segment(&w))
            return true;
    }
    return false;
}

/* ---- what became of them ---- */

typedef struct counting {
    const import_setup *setup;
    import_counts *counts;
} counting;

static bool count_value(void *ctx, const import_segment *s, uint64_t place, bool made)
{
    const counting *k = ctx;

    (void)s;
    import_count *c = count_of(k->counts, k->setup->maps, place);
    c->mapped += made;
    c->lost += !made;
    return false;
}

void import_values_count(const import_setup *setup, import_block *b, const import_er7 *m)
{
    counting k = {.setup = setup, .counts = &b->counts};

    walk_values(m, !setup->count_all, count_value, &k);
}

typedef struct losing {
    const import_maps *maps;
    ct_err *err;
} losing;

static bool is_lost(void *ctx, const import_segment *s, uint64_t place, bool made)
{
    const losing *l = ctx;
    ct_buf name = {0};
    char nth[16] = "";

    (void)made;
    if (is_ignored(l->maps, place))
        return false;
    import_place_put(&name, place);
    if (s->ordinal > 1)
        snprintf(nth, sizeof nth, "[%u]", (unsigned)s->ordinal);
    ct_fail_at(l->err, CT_E_DATA, "nothing would be made of it", "%.3s%s%.*s", name.p, nth,
               (int)name.n - 3, name.p + 3);
    ct_buf_free(&name);
    return true;
}

bool import_values_lost(const import_maps *maps, const import_er7 *m, ct_err *err)
{
    losing l = {.maps = maps, .err = err};

    return walk_values(m, true, is_lost, &l);
}
