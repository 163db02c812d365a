/* What a table of a type of data makes of a value: a part of the resource, or one of its own. */
#include "cmd/import/hl7v2/run.h"

/* How deep tables go into each other. What is kept goes half as deep at most, and is used no deeper
 * than that: it never hides that others would go too deep. */
enum { DEPTH_MAX = 24, KNOWN_DEPTH_MAX = DEPTH_MAX / 2 };

static import_part repetition_of(import_run *run, const import_frame *f, const import_ref *ref)
{
    import_part p = import_ref_part(run, f, ref);
    return p.level == LEVEL_FIELD ? import_er7_repetition(&run->message, p, 1) : p;
}

static bool *made_of(const import_run *run, ct_str raw)
{
    return run->message.made + (raw.p - run->message.text.p);
}

/* ---- recordings ---- */

static const import_known *find_known(import_run *run, import_known *k, bool *again)
{
    *again = false;
    if (!run->memo || !k->value.raw.n || k->value.raw.n > IMPORT_KNOWN_MAX ||
        run->depth > KNOWN_DEPTH_MAX)
        return NULL;
    return import_memo_find(run->memo, k, again);
}

static void record(import_run *run, import_recording *r, import_part value)
{
    size_t n = value.raw.n;
    bool *made = made_of(run, value.raw);

    *r = (import_recording){.up = run->recording, .value = value, .assumed = run->assumed};
    r->before = ct_arena_alloc(run->a, n);
    r->others = ct_arena_alloc(run->a, n);
    memcpy(r->before, made, n);
    memset(made, false, n);
    run->recording = r;
}

/* Where it is known already that what is above is not kept, nothing need be noted for it. */
static bool is_recorded(const import_run *run, import_part value, bool again)
{
    return value.raw.n && (again || (run->recording && !run->recording->aside));
}

/* Is the same text mentioned at another place? What is marked there is then told by the first. */
static bool is_twice(const import_recording *r, ct_str raw)
{
    for (size_t i = 0; i < r->n; i++) {
        const char *p = r->value.raw.p + r->mentions[i].at;
        if (p != raw.p && ct_str_eq((ct_str){p, r->mentions[i].n}, raw))
            return true;
    }
    return false;
}

static void note_mention(import_recording *r, const import_map *map, import_part part)
{
    if (!import_recording_holds(r, part.raw) || r->n == CT_LEN(r->mentions) ||
        is_twice(r, part.raw)) {
        r->aside = true;
        return;
    }
    r->mentions[r->n++] = (import_mention){map, part.level, (uint32_t)(part.raw.p - r->value.raw.p),
                                           (uint32_t)part.raw.n};
}

static import_part mentioned(import_part value, const import_mention *m)
{
    return (import_part){{value.raw.p + m->at, m->n}, m->level};
}

static void add_marks(bool *to, const bool *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = to[i] || from[i];
}

/* What is made of a resource's value is told by the resource, not by what mentions it: it goes past
 * the recording that is under way. */
static bool *marks_of_resources(const import_run *run, ct_str raw)
{
    const import_recording *r = run->recording;

    return r && import_recording_holds(r, raw) ? r->others + (raw.p - r->value.raw.p)
                                               : made_of(run, raw);
}

static void mark_resource(import_run *run, import_part value, const bool *made)
{
    add_marks(marks_of_resources(run, value.raw), made, value.raw.n);
}

/* The same as of another value of the same text, of which recordings that are under way hold back
 * some. */
static void mark_alike(import_run *run, import_part value, ct_str raw)
{
    bool *made = made_of(run, raw), *to = marks_of_resources(run, value.raw);

    add_marks(to, made, raw.n);
    for (const import_recording *r = run->recording; r; r = r->up)
        if (import_recording_holds(r, raw)) {
            add_marks(to, r->before + (raw.p - r->value.raw.p), raw.n);
            add_marks(to, r->others + (raw.p - r->value.raw.p), raw.n);
        }
}

/* A resource was made, and `assumed` of its times were given the run's zone. */
static void note_resource(import_run *run, const import_map *map, import_part value,
                          uint64_t assumed)
{
    import_recording *r = run->recording;

    if (!r || r->paused)
        return;
    r->elsewhere += assumed;
    note_mention(r, map, value);
}

/* While a known resource is made nothing is noted but the resource itself. Returns what was. */
static bool pause_recording(import_run *run, bool pause)
{
    bool before = run->recording && run->recording->paused;

    if (run->recording)
        run->recording->paused = pause;
    return before;
}

/* The end of a recording: it is kept where `again`. What it tells of holds for the one above it
 * too, where a resource is but mentioned. */
static void record_end(import_run *run, import_recording *r, import_known *k, bool again)
{
    import_recording *up = run->recording = r->up;
    size_t n = r->value.raw.n;
    bool *made = made_of(run, r->value.raw);
    uint64_t assumed = run->assumed - r->assumed;

    if (again && !r->aside) {
        k->made = made;
        k->assumed = assumed - r->elsewhere;
        k->mentions = r->mentions;
        k->nmentions = r->n;
        import_memo_keep(run->memo, k);
    }
    bool *others = marks_of_resources(run, r->value.raw);
    if (k->id.n && others != made) {
        add_marks(others, made, n);
        memset(made, false, n);
    }
    add_marks(made, r->before, n);
    add_marks(others, r->others, n);
    if (!up || up->paused)
        return;
    up->aside = up->aside || r->aside;
    if (k->id.n) {
        note_resource(run, k->map, r->value, assumed);
        return;
    }
    up->elsewhere += r->elsewhere;
    for (size_t i = 0; i < r->n; i++)
        note_mention(up, r->mentions[i].map, mentioned(r->value, &r->mentions[i]));
}

/* ---- resources ---- */

static bool resource_of(import_run *run, const import_frame *up, const import_ref *via,
                        const import_map *map, import_part value, import_resource **resource);

/* The resources that a known value mentions. */
static bool mention_all(import_run *run, const import_frame *up, const import_ref *via,
                        import_part value, const import_known *known)
{
    import_resource *ignored;

    for (size_t i = 0; i < known->nmentions; i++)
        if (!resource_of(run, up, via, known->mentions[i].map,
                         mentioned(value, &known->mentions[i]), &ignored))
            return false;
    return true;
}

/* A person or place that is named more than once is written once: as the fullest mention has it,
 * and with what the others say beyond it. */
static void merge(import_resource *r, ct_tree *tree)
{
    ct_tree *before = r->tree;
    size_t size = ct_tree_size(tree);

    if (!r->size)
        r->size = ct_tree_size(before);
    if (size > r->size) {
        r->tree = tree;
        r->size = size;
    }
    ct_tree_complete(r->tree, r->tree == before ? tree : before);
}

/* Does the value say anything of the resource that is not known yet? Not where that is of a segment
 * of its own, nor where it is being made right now. */
static bool says_more(const import_resource *r, import_part value)
{
    return r->raw.n && !r->making && !ct_str_eq(value.raw, r->raw);
}

/* The tree that the value makes: by what is known of it, else by the tables. */
static bool resource_tree(import_run *run, import_frame *f, const import_known *k,
                          const import_known *known)
{
    if (!known)
        return import_map_apply(run, f, k->map, false);
    run->assumed += known->assumed;
    mark_resource(run, f->value, known->made);
    return mention_all(run, f, f->via, f->value, known);
}

/* `k->tree` is what the value itself says of the resource, NULL where it says no more than what is
 * there. */
static bool make_of(import_run *run, import_frame *f, import_known *k, const import_known *known,
                    import_resource **resource, bool *fresh)
{
    import_resource *r = import_run_find(run, k->map->type, k->id);

    *fresh = !r;
    if (*fresh) {
        r = import_run_add(run, k->map->type, k->id, k->map);
        r->raw = f->value.raw;
        f->resource = r;
    }
    *resource = r;
    if (!*fresh && !says_more(r, f->value))
        return true;
    if (known)
        f->root = ct_tree_like(run->a, known->tree, known->json);
    else
        f->root = *fresh ? r->tree : import_resource_tree(run, r->type, r->id);
    if (*fresh)
        r->tree = f->root;
    bool before = r->making;
    r->making = before || *fresh;
    bool ok = resource_tree(run, f, k, known);
    r->making = before;
    if (!ok)
        return false;
    k->tree = f->root;
    return true;
}

/* By what is known of the value. */
static bool known_resource(import_run *run, import_frame *f, import_known *k,
                           const import_known *known, import_resource **resource, bool *fresh)
{
    uint64_t assumed = run->assumed;
    bool paused = pause_recording(run, true);

    k->id = known->id;
    bool ok = make_of(run, f, k, known, resource, fresh);
    pause_recording(run, paused);
    note_resource(run, k->map, k->value, run->assumed - assumed);
    return ok;
}

/* By the tables. */
static bool new_resource(import_run *run, import_frame *f, import_known *k, bool again,
                         import_resource **resource, bool *fresh)
{
    bool derived, recorded = is_recorded(run, k->value, again);
    import_recording recording;
    import_cuts cuts;

    if (recorded)
        record(run, &recording, k->value);
    else if (!k->value.raw.n)
        import_run_aside(run); /* made of nothing in the value: it cannot be noted as its part */
    import_er7_cut(&run->message, k->value, &cuts);
    f->cuts = &cuts;
    bool ok = import_id_make(run, f, k->map, &k->id, &derived) &&
              (!k->id.n || make_of(run, f, k, NULL, resource, fresh));
    if (recorded)
        record_end(run, &recording, k, ok && again && k->tree);
    return ok;
}

static bool resource_of(import_run *run, const import_frame *up, const import_ref *via,
                        const import_map *map, import_part value, import_resource **resource)
{
    import_frame f = {.up = up, .via = via, .value = value};
    import_known k = {.map = map, .resource = true, .value = value};
    bool again, fresh = false;
    const import_known *known = find_known(run, &k, &again);

    *resource = NULL;
    if (!(known ? known_resource(run, &f, &k, known, resource, &fresh)
                : new_resource(run, &f, &k, again, resource, &fresh)))
        return false;
    import_resource *r = *resource;
    if (r && k.tree && !fresh) /* no sooner: what is kept is what this value says */
        merge(r, f.root);
    if (r && r->raw.n && r->raw.p != value.raw.p && ct_str_eq(r->raw, value.raw))
        mark_alike(run, value, r->raw);
    return true;
}

/* ---- parts ---- */

static bool part_by_map(import_run *run, import_frame *f, import_known *k, ct_tree *into,
                        ct_tree **value)
{
    import_recording recording;
    import_cuts cuts;
    bool again = false;
    const import_known *known = into ? NULL : find_known(run, k, &again);

    if (known) {
        run->assumed += known->assumed;
        add_marks(made_of(run, k->value.raw), known->made, k->value.raw.n);
        *value = known->tree ? ct_tree_like(run->a, known->tree, known->json) : NULL;
        return mention_all(run, f->up, f->via, k->value, known);
    }
    bool recorded = is_recorded(run, k->value, again);
    if (recorded)
        record(run, &recording, k->value);
    f->root = into ? into : ct_tree_object(run->a);
    import_er7_cut(&run->message, k->value, &cuts);
    f->cuts = &cuts;
    bool ok = import_map_apply(run, f, k->map, false);
    *value = f->result ? f->result : ct_tree_empty(f->root) ? NULL : f->root;
    k->tree = *value;
    if (recorded)
        record_end(run, &recording, k, ok && again);
    return ok;
}

bool import_nested_make(import_run *run, import_frame *f, const import_row *row,
                        const import_ref *ref, ct_tree *into, ct_tree **value)
{
    import_part part = repetition_of(run, f, ref);
    import_frame inner = {.up = f, .via = ref, .value = part, .resource = f->resource};
    import_known k = {.map = row->map, .value = part};
    import_resource *resource;
    bool ok;

    if (run->depth >= DEPTH_MAX)
        return import_run_fail(run, f, ref, "the mapping tables go in a circle");
    if (++run->depth > KNOWN_DEPTH_MAX)
        import_run_aside(run);
    if (row->value == VALUE_MAP) {
        k.table = inner.table = row->caller_table ? f->table : row->table;
        ok = part_by_map(run, &inner, &k, into, value);
    } else {
        ok = resource_of(run, f, ref, row->map, part, &resource);
        *value = ok && resource ? import_reference_tree(run, resource) : NULL;
    }
    run->depth--;
    return ok;
}
