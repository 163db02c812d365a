/* Rows: which apply, how often, and where their value goes. */
#include "cmd/import/hl7v2/path.h"
#include "cmd/import/hl7v2/run.h"

/* ---- conditions ---- */

static bool is_one_of(const import_condition *k, ct_str text)
{
    for (size_t i = 0; i < k->nwords; i++)
        if (ct_str_eq(k->words[i], text))
            return true;
    return false;
}

/* Conditions about a reference's text. What they find there counts as read: it decides what is
 * made. */
static bool text_holds(import_run *run, const import_frame *f, const import_condition *k,
                       bool *holds)
{
    const import_table *table = k->table ? k->table : f->table;
    ct_str text, other;

    if (!import_ref_text(run, f, &k->ref, &text))
        return false;
    switch (k->test) {
    case TEST_IS:
    case TEST_IS_NOT:
        *holds = is_one_of(k, text) == (k->test == TEST_IS);
        break;
    case TEST_IN:
    case TEST_NOT_IN:
        *holds = (text.n && import_table_find(table, text)) == (k->test == TEST_IN);
        break;
    case TEST_MAPS:
    case TEST_NOT_MAPS:
        *holds = (import_system_uri(run->maps, text, run->a).n > 0) == (k->test == TEST_MAPS);
        break;
    case TEST_LONGER:
        *holds = text.n > k->number;
        break;
    case TEST_READS:
    case TEST_NOT_READS:
        *holds = import_text_reads((import_valuekind)k->number, text) == (k->test == TEST_READS);
        break;
    default: /* TEST_DIFFERS, TEST_SAME */
        if (!import_ref_text(run, f, &k->other, &other))
            return false;
        *holds =
            ct_str_eq(text, other) == (k->test == TEST_SAME) && (text.n || k->test == TEST_DIFFERS);
    }
    return true;
}

static bool path_holds(const import_frame *f, const import_condition *k)
{
    const ct_tree *there = f->root ? import_path_find(f->root, &k->path) : NULL;

    if (k->test == TEST_UNSET)
        return !there;
    return there &&
           (!k->nwords || (ct_tree_type(there) == CT_STRING && is_one_of(k, ct_tree_text(there))));
}

static size_t count_resources(const import_run *run, ct_str type)
{
    size_t n = 0;

    for (size_t i = 0; i < run->n; i++)
        n += ct_str_eq(run->resources[i]->type, type);
    return n;
}

/* Does the condition itself tell what the value is? */
static bool tells_value(const import_condition *k)
{
    return k->test == TEST_IS || k->test == TEST_IN;
}

static bool condition_holds(import_run *run, const import_frame *f, const import_condition *k,
                            bool *holds)
{
    if (k->test >= TEST_GROUP)
        import_run_aside(run);
    switch (k->test) {
    case TEST_VALUED:
    case TEST_ABSENT:
        *holds = import_ref_valued(run, f, &k->ref) == (k->test == TEST_VALUED);
        return true;
    case TEST_SINGLE:
    case TEST_REPEATS:
        *holds = import_er7_repeats(&run->message, import_ref_field(run, f, &k->ref)) ==
                 (k->test == TEST_REPEATS);
        return true;
    case TEST_FIRST:
        *holds = f->repetition <= 1;
        return true;
    case TEST_UNSET:
    case TEST_SET:
        *holds = path_holds(f, k);
        return true;
    case TEST_GROUP:
    case TEST_NOT_GROUP:
        *holds = is_one_of(k, run->group) == (k->test == TEST_GROUP);
        return true;
    case TEST_AFTER:
    case TEST_NOT_AFTER:
        *holds = is_one_of(k, run->after) == (k->test == TEST_AFTER);
        return true;
    case TEST_KEPT:
        *holds = run->keep_source;
        return true;
    case TEST_ONE:
        *holds = count_resources(run, k->words[0]) == 1;
        return true;
    default:
        return text_holds(run, f, k, holds);
    }
}

bool import_row_holds(import_run *run, const import_frame *f, const import_condition *when,
                      size_t n, bool *holds)
{
    *holds = true;
    for (size_t i = 0; i < n && *holds; i++) {
        size_t reads = run->nreads;
        if (!condition_holds(run, f, &when[i], holds))
            return false;
        if (!tells_value(&when[i]))
            run->nreads = reads;
    }
    return true;
}

/* ---- one row ---- */

/* What the row's path starts from: this value, or the current resource of a type. */
static ct_tree *root_of(import_run *run, const import_frame *f, const import_row *row)
{
    if (!row->slot.n)
        return f->root;
    import_run_aside(run);
    const import_resource *r = import_run_slot(run, row->slot);
    return r ? r->tree : NULL;
}

static bool put_value(import_run *run, import_frame *f, const import_row *row, ct_tree *root,
                      const import_path *path, ct_tree *value)
{
    if (row->here)
        f->result = value;
    else if (path->n && !import_path_put(run->a, root, path, value))
        return import_run_fail(run, f, &row->source, "the mapping tables fill one place twice");
    return true;
}

/* The text behind the one that is there. */
static ct_tree *text_behind(import_run *run, const import_path *path, ct_tree *root, ct_tree *value)
{
    ct_tree *there = import_path_find(root, path);

    if (!there || ct_tree_type(there) != CT_STRING || ct_tree_type(value) != CT_STRING)
        return value;
    ct_str before = ct_tree_text(there), text = ct_tree_text(value);
    return ct_tree_view(
        run->a, ct_arena_printf(run->a, "%.*s+%.*s", (int)before.n, before.p, (int)text.n, text.p));
}

/* A target for the last item means the one that this repetition made, not that of another field. */
static bool last_is_ours(const import_frame *f, const import_row *row)
{
    return !f->no_new || !row->of_last || row->makes_new;
}

static bool make_at(import_run *run, import_frame *f, const import_row *row, ct_tree *root,
                    const import_path *path, bool *made)
{
    ct_tree *into = NULL, *value = NULL;

    if (row->path.n && row->value == VALUE_MAP) {
        into = import_path_find(root, path);
        if (into && ct_tree_type(into) != CT_OBJECT)
            into = NULL;
    }
    if (!import_value_make(run, f, row, into, &value))
        return false;
    if (row->makes_new)
        f->no_new = !value;
    *made = *made || value;
    if (value && row->plus)
        value = text_behind(run, path, root, value);
    return !value || value == into || put_value(run, f, row, root, path, value);
}

static bool row_make(import_run *run, import_frame *f, const import_row *row, bool *made)
{
    ct_tree *root = root_of(run, f, row), *items = NULL;
    const import_path before = {row->path.steps, row->each};
    bool ok = true;

    if (row->path.n && !root)
        return true;
    if (row->each)
        items = import_path_find(root, &before);
    if (!items)
        return make_at(run, f, row, root, &row->path, made);
    const import_path behind = {row->path.steps + row->each + 1, row->path.n - row->each - 1};
    for (size_t i = 0; ok && i < ct_tree_count(items); i++)
        ok = make_at(run, f, row, ct_tree_item(items, i), &behind, made);
    return ok;
}

/* `*made`: there is a value; `*end`: the rows behind this one do not apply any more. */
static bool row_try(import_run *run, import_frame *f, const import_row *row, bool *made, bool *end)
{
    bool holds = row->told || import_ref_valued(run, f, &row->source);

    if (row->value == VALUE_REQUIRE) {
        *end = !holds;
        return true;
    }
    if (holds && !import_row_holds(run, f, row->when, row->nwhen, &holds))
        return false;
    if (!holds || !last_is_ours(f, row))
        return true;
    if (!row_make(run, f, row, made))
        return false;
    *end = row->here && f->result;
    return true;
}

/* Something was made of what was read, which may be beside the value that is recorded. */
static void mark_made(import_run *run, import_part p)
{
    if (run->recording && p.raw.n && !import_recording_holds(run->recording, p.raw))
        import_run_aside(run);
    import_er7_made(&run->message, p);
}

/* What a row has read counts as mapped where it made something. */
static bool row_apply(import_run *run, import_frame *f, const import_row *row, bool *end)
{
    size_t reads = run->nreads;
    bool made = false, ok = row_try(run, f, row, &made, end);

    for (size_t i = reads; made && i < run->nreads; i++)
        mark_made(run, run->reads[i]);
    run->nreads = reads;
    return ok;
}

/* ---- all rows ---- */

static bool is_whole_field(const import_run *run, const import_row *row)
{
    return row->source.kind == REF_FIELD && !row->source.part[0] &&
           row->source.segment == run->message.segments[run->at].id;
}

static bool apply_some(import_run *run, import_frame *f, const import_row *rows, size_t n,
                       bool finally, bool *end)
{
    for (size_t i = 0; i < n && !*end; i++) {
        const import_row *row = &rows[i];
        if (!import_row_may(f, row) || row->is_id || row->finally != finally ||
            (f->repetition > 1 && !row->makes_items))
            continue;
        if (!row_apply(run, f, row, end))
            return false;
    }
    return true;
}

static bool apply_block(import_run *run, import_frame *f, const import_row *rows, size_t n,
                        bool finally)
{
    ct_str rest = import_repetitions(run, f, &rows->source);
    bool end = false, ok = true;

    while (import_next_repetition(run, f, &rest)) {
        f->no_new = false;
        ok = ok && apply_some(run, f, rows, n, finally, &end);
    }
    f->no_new = false;
    return ok;
}

static bool apply_by_parts(import_run *run, import_frame *f, const import_map *map)
{
    uint64_t rows = map->other_rows;
    bool end = false;

    for (uint32_t parts = f->cuts ? f->cuts->valued : 0; parts; parts &= parts - 1)
        rows |= map->part_rows[__builtin_ctz(parts)];
    for (; rows && !end; rows &= rows - 1) {
        const import_row *row = &map->rows[__builtin_ctzll(rows)];
        if (import_row_may(f, row) && !row_apply(run, f, row, &end))
            return false;
    }
    return true;
}

static bool apply_in_order(import_run *run, import_frame *f, const import_map *map, bool finally)
{
    const import_segment *s = &run->message.segments[run->at];
    bool end = finally && !map->finally;

    for (size_t i = 0; i < map->n && !end;) {
        const import_row *row = &map->rows[i];
        bool loop = is_whole_field(run, row);
        if (loop) /* that the field is absent decides, too */
            import_run_aside(run);
        bool absent = loop && !import_er7_field(s, row->source.field).raw.n;
        if (!absent && !(loop ? apply_block(run, f, row, row->block, finally)
                              : apply_some(run, f, row, 1, finally, &end)))
            return false;
        i += loop ? row->block : 1;
    }
    return true;
}

bool import_map_apply(import_run *run, import_frame *f, const import_map *map, bool finally)
{
    return map->by_parts && !finally ? apply_by_parts(run, f, map)
                                     : apply_in_order(run, f, map, finally);
}
