/* The tables as files: reads all of them, then compiles their rows, which may name each other. */
#include "cmd/import/hl7v2/map.h"

#include <stdlib.h>

enum { SEGMENTS_MAX = 256 };

/* ---- names ---- */

bool import_bad(const import_compiler *c, const char *text)
{
    return ct_fail(c->err, CT_E_DATA, text);
}

uint16_t import_maps_segment(void *maps, ct_str name)
{
    const import_maps *m = maps;

    for (size_t i = 0; i < m->nsegments; i++)
        if (ct_str_eq(m->segments[i], name))
            return (uint16_t)(i + 1);
    return 0;
}

uint16_t import_segment_intern(import_maps *m, ct_str name)
{
    uint16_t id = import_maps_segment(m, name);

    if (!id && m->nsegments < SEGMENTS_MAX) {
        m->segments[m->nsegments++] = name;
        id = (uint16_t)m->nsegments;
    }
    return id;
}

const import_table *import_maps_table(const import_maps *m, ct_str name)
{
    for (size_t i = 0; i < m->ntables; i++)
        if (ct_str_eq(m->tables[i].name, name))
            return &m->tables[i];
    return NULL;
}

const import_map *import_maps_map(const import_maps *m, ct_str name)
{
    for (size_t i = 0; i < m->nmaps; i++)
        if (ct_str_eq(m->maps[i].name, name))
            return &m->maps[i];
    return NULL;
}

/* ---- code tables ---- */

static int by_v2(const void *a, const void *b)
{
    return ct_str_cmp(((const import_code *)a)->v2, ((const import_code *)b)->v2);
}

const import_code *import_table_find(const import_table *t, ct_str v2)
{
    import_code key = {.v2 = v2};

    return t && t->n ? bsearch(&key, t->rows, t->n, sizeof key, by_v2) : NULL;
}

static size_t count_rows(ct_str text)
{
    ct_str col;
    size_t n = 0;
    while (ct_tsv_next(&text, &col, 1, NULL))
        n++;
    return n;
}

static bool load_table(import_compiler *c, ct_str text, import_table *t)
{
    ct_str cols[4];
    size_t n;

    t->rows = ct_arena_alloc(c->maps->arena, count_rows(text) * sizeof *t->rows);
    while ((n = ct_tsv_next(&text, cols, CT_LEN(cols), &c->line))) {
        if (n < 2)
            return import_bad(c, "a code needs at least two columns");
        t->rows[t->n++] =
            (import_code){cols[0], cols[1], n > 2 ? cols[2] : CT_S(""), n > 3 ? cols[3] : CT_S("")};
    }
    qsort(t->rows, t->n, sizeof *t->rows, by_v2);
    for (size_t i = 1; i < t->n; i++)
        if (by_v2(&t->rows[i - 1], &t->rows[i]) == 0)
            return import_bad(c, "a code stands twice");
    return true;
}

/* ---- maps ---- */

static bool find_each(import_compiler *c, import_row *row)
{
    for (size_t i = 0; i < row->path.n; i++)
        if (row->path.steps[i].kind == STEP_EACH) {
            if (row->each || !i)
                return import_bad(c, "[*] stands once, behind a name");
            row->each = i;
            row->path.steps[i].kind = STEP_AT;
        }
    return true;
}

/* `Encounter:path` or `path`; `.`, `id`, `-` and `-[+]` are no paths. */
static bool compile_target(import_compiler *c, ct_str text, import_row *row)
{
    size_t colon = ct_str_find(text, CT_S(":")), brace = ct_str_find(text, CT_S("{"));

    row->is_id = ct_str_is(text, "id");
    row->here = ct_str_is(text, ".");
    row->makes_items = ct_str_is(text, "-[+]");
    if (row->is_id || row->here || row->makes_items || ct_str_is(text, "-"))
        return true;
    if (colon < text.n && colon < brace) {
        row->slot = ct_str_head(text, colon);
        text = ct_str_from(text, colon + 1);
    }
    return import_compile_path(c, text, &row->path) && find_each(c, row);
}

static bool has_step(const import_path *path, import_stepkind kind)
{
    for (size_t i = 0; i < path->n; i++)
        if (path->steps[i].kind == kind)
            return true;
    return false;
}

/* The bit of the part that `ref` is in; 0 where it is in none that has one. */
static uint32_t part_bit(const import_ref *ref)
{
    return ref->kind == REF_PART && ref->part[0] <= IMPORT_PARTS ? (uint32_t)1 << ref->part[0] : 0;
}

/* Which parts a row needs and which must not be there, found out once for all rows of a value. Of
 * the conditions those stay that say more. */
static void find_parts(import_row *row)
{
    size_t n = 0;

    row->told = row->source.kind == REF_NONE;
    if (row->value == VALUE_REQUIRE) /* applies where its source is absent, too */
        return;
    row->needs = part_bit(&row->source);
    row->told = row->told || (row->needs && !row->source.part[1]);
    for (size_t i = 0; i < row->nwhen; i++) {
        const import_condition *k = &row->when[i];
        uint32_t bit = part_bit(&k->ref);
        if (k->test == TEST_VALUED || k->test == TEST_IN || k->test == TEST_SAME)
            row->needs |= bit;
        else if (k->test == TEST_ABSENT && !k->ref.part[1])
            row->lacks |= bit;
        bool said = (k->test == TEST_VALUED || k->test == TEST_ABSENT) && bit && !k->ref.part[1];
        if (!said)
            row->when[n++] = *k;
    }
    row->nwhen = n;
}

static bool compile_row(import_compiler *c, const ct_str *cols, import_row *row)
{
    if (!import_compile_ref(c, cols[0], &row->source) ||
        !import_compile_when(c, cols[1], &row->when, &row->nwhen, &row->finally) ||
        !compile_target(c, cols[2], row) || !import_compile_value(c, cols[3], row))
        return false;
    if (row->source.kind != REF_SLOT &&
        (row->value == VALUE_LABELS || (row->value == VALUE_REF && !row->map)))
        return import_bad(c, "a resource is named by @Type, or made by a map");
    if (row->each && row->each + 1 == row->path.n && row->value != VALUE_MAP)
        return import_bad(c, "[*] at the end is for a map");
    row->makes_new = has_step(&row->path, STEP_NEW);
    row->of_last = has_step(&row->path, STEP_LAST);
    row->makes_items = row->makes_items || row->makes_new || row->of_last || row->plus ||
                       has_step(&row->path, STEP_NEW_URL);
    find_parts(row);
    return true;
}

static bool same_field(const import_ref *a, const import_ref *b)
{
    return a->kind == REF_FIELD && b->kind == REF_FIELD && a->segment == b->segment &&
           a->field == b->field && !a->part[0] && !b->part[0];
}

/* From the last row to the first: how many rows that follow have the same field as source. */
static void find_blocks(import_map *map)
{
    for (size_t i = map->n; i-- > 0;) {
        import_row *row = &map->rows[i];
        bool same = i + 1 < map->n && same_field(&row->source, &row[1].source);
        row->block = same ? row[1].block + 1 : 1;
    }
}

/* A value has few parts: rows of others are not even looked at. */
static void index_parts(import_map *map)
{
    map->by_parts = map->n <= 64;
    for (size_t i = 0; i < map->n && map->by_parts; i++) {
        const import_row *row = &map->rows[i];
        uint64_t bit = (uint64_t)1 << i;
        map->by_parts = row->source.kind != REF_FIELD;
        if (row->is_id || row->finally)
            continue;
        if (row->needs && row->source.kind == REF_PART)
            map->part_rows[row->source.part[0]] |= bit;
        else
            map->other_rows |= bit;
    }
}

static bool compile_map(import_compiler *c, ct_str text, import_map *map)
{
    ct_str cols[4];
    size_t n;

    map->rows = ct_arena_alloc(c->maps->arena, count_rows(text) * sizeof *map->rows);
    while ((n = ct_tsv_next(&text, cols, CT_LEN(cols), &c->line))) {
        if (n != CT_LEN(cols))
            return import_bad(c, "a row has four columns");
        import_row *row = &map->rows[map->n++];
        if (!compile_row(c, cols, row))
            return false;
        if (row->is_id)
            map->ids = map->n;
        map->finally = map->finally || row->finally;
    }
    find_blocks(map);
    index_parts(map);
    return true;
}

/* ---- messages.tsv and types.tsv ---- */

static size_t split_words(const import_compiler *c, ct_str text, ct_str **words)
{
    size_t n = 0;

    *words = ct_arena_alloc(c->maps->arena, (text.n / 2 + 1) * sizeof **words);
    for (ct_str w = import_word(&text); w.n; w = import_word(&text))
        (*words)[n++] = w;
    return n;
}

static bool compile_rule(import_compiler *c, const ct_str *cols, import_rule *r)
{
    bool finally;
    ct_str messages = cols[0];

    if ((r->except = ct_str_starts(messages, CT_S("!"))))
        messages = ct_str_from(messages, 1);
    if (!ct_str_is(messages, "*"))
        r->nmessages = split_words(c, messages, &r->messages);
    r->segment = import_segment_intern(c->maps, cols[1]);
    if (!import_compile_when(c, cols[2], &r->when, &r->nwhen, &finally))
        return false;
    if (!ct_str_is(cols[3], "-") && !(r->map = import_maps_map(c->maps, cols[3])))
        return import_bad(c, "no such map");
    r->fresh = ct_str_is(cols[4], "new");
    r->labels = ct_str_is(cols[4], "labels");
    if (ct_str_starts(cols[4], CT_S("each ")))
        r->each = import_segment_intern(c->maps, ct_str_from(cols[4], 5));
    r->ends_all = ct_str_is(cols[5], "*");
    if (!r->ends_all && !ct_str_is(cols[5], "-"))
        r->nends = split_words(c, cols[5], &r->ends);
    return true;
}

static int by_segment(const void *a, const void *b)
{
    const import_rule *x = a, *y = b;

    if (x->segment != y->segment)
        return x->segment < y->segment ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

static void index_rules(import_maps *m)
{
    size_t at = 0;

    m->first_rule = ct_arena_alloc(m->arena, (m->nsegments + 2) * sizeof *m->first_rule);
    qsort(m->rules, m->nrules, sizeof *m->rules, by_segment);
    for (size_t id = 0; id <= m->nsegments + 1; id++) {
        while (at < m->nrules && m->rules[at].segment < id)
            at++;
        m->first_rule[id] = (uint32_t)at;
    }
}

static bool compile_rules(import_compiler *c, ct_str text)
{
    ct_str cols[6];
    size_t n;

    c->maps->rules = ct_arena_alloc(c->maps->arena, count_rows(text) * sizeof(import_rule));
    while ((n = ct_tsv_next(&text, cols, CT_LEN(cols), &c->line))) {
        if (n != CT_LEN(cols))
            return import_bad(c, "a row has six columns");
        import_rule *rule = &c->maps->rules[c->maps->nrules];
        rule->order = (uint32_t)c->maps->nrules++;
        if (!compile_rule(c, cols, rule))
            return false;
    }
    return true;
}

static bool compile_types(import_compiler *c, ct_str text)
{
    import_maps *m = c->maps;
    ct_str cols[3];
    size_t n;

    m->types = ct_arena_alloc(m->arena, count_rows(text) * sizeof *m->types);
    while ((n = ct_tsv_next(&text, cols, CT_LEN(cols), &c->line))) {
        if (n < 2)
            return import_bad(c, "a row has two columns");
        m->types[m->ntypes++] = (import_type){cols[0], import_segment_intern(m, cols[1]), cols[1]};
    }
    return true;
}

/* ---- all ---- */

/* `segments/PID-Patient.tsv` is the map PID-Patient. */
static bool name_of(const ct_datafile *f, ct_str folder, ct_str *name)
{
    ct_str path = ct_str_z(f->name), start = CT_S("hl7v2/");

    if (!ct_str_starts(path, start))
        return false;
    path = ct_str_from(path, start.n);
    if (!ct_str_starts(path, folder) || !ct_str_ends(path, CT_S(".tsv")))
        return false;
    *name = ct_str_from(ct_str_head(path, path.n - 4), folder.n);
    return true;
}

static void declare(import_maps *m, const ct_datafile *files)
{
    size_t n = 0;
    while (files[n].name)
        n++;
    m->tables = ct_arena_alloc(m->arena, n * sizeof *m->tables);
    m->maps = ct_arena_alloc(m->arena, n * sizeof *m->maps);
    m->segments = ct_arena_alloc(m->arena, SEGMENTS_MAX * sizeof *m->segments);
    for (const ct_datafile *f = files; f->name; f++) {
        ct_str name;
        if (name_of(f, CT_S("tables/"), &name))
            m->tables[m->ntables++].name = name;
        else if (name_of(f, CT_S("segments/"), &name) || name_of(f, CT_S("datatypes/"), &name)) {
            ct_str rest = name;
            ct_str_cut(&rest, '-');
            m->maps[m->nmaps].type = rest.p ? ct_str_cut(&rest, '-') : CT_S("");
            m->maps[m->nmaps++].name = name;
        }
    }
}

static bool compile_file(import_compiler *c, const ct_datafile *f)
{
    import_maps *m = c->maps;
    ct_str name, text = {f->text, f->n};

    if (name_of(f, CT_S("tables/"), &name))
        return load_table(c, text, (import_table *)import_maps_table(m, name));
    if (name_of(f, CT_S("segments/"), &name))
        return compile_map(c, text, (import_map *)import_maps_map(m, name));
    if (name_of(f, CT_S("datatypes/"), &name)) {
        ct_str rest = name;
        c->type = ct_str_cut(&rest, '-');
        return compile_map(c, text, (import_map *)import_maps_map(m, name));
    }
    if (name_of(f, CT_S("ignored"), &name))
        return load_table(c, text, &m->ignored);
    if (name_of(f, CT_S("messages"), &name))
        return compile_rules(c, text);
    return !name_of(f, CT_S("types"), &name) || compile_types(c, text);
}

import_maps *import_maps_load(const ct_datafile *files, ct_err *err)
{
    import_maps *m = ct_calloc(1, sizeof *m);

    m->arena = ct_arena_new();
    declare(m, files);
    m->msh = import_segment_intern(m, CT_S("MSH"));
    m->nte = import_segment_intern(m, CT_S("NTE"));
    for (const ct_datafile *f = files; f->name; f++) {
        import_compiler c = {.maps = m, .err = err};
        if (!compile_file(&c, f)) {
            err->file = f->name;
            err->line = c.line;
            import_maps_free(m);
            return NULL;
        }
    }
    index_rules(m);
    m->systems = import_maps_table(m, CT_S("CodingSystem"));
    m->yes_no = import_maps_table(m, CT_S("YesNo"));
    return m;
}

void import_maps_free(import_maps *m)
{
    if (m)
        ct_arena_free(m->arena);
    free(m);
}
