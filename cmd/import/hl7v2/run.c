/* One message: its segments in order, each by the rules of messages.tsv. */
#include "cmd/import/hl7v2/run.h"
#include "cmd/import/hl7v2/convert.h"

/* ---- resources ---- */

static uint64_t hash_of(ct_str type, ct_str id)
{
    return ct_hash(id) ^ (ct_hash(type) << 1);
}

static uint32_t *bucket_of(const import_run *run, ct_str type, ct_str id)
{
    size_t mask = run->nbuckets - 1, i = (size_t)hash_of(type, id) & mask;

    for (;; i = (i + 1) & mask) {
        const import_resource *r = run->buckets[i] ? run->resources[run->buckets[i] - 1] : NULL;
        if (!r || (ct_str_eq(r->id, id) && ct_str_eq(r->type, type)))
            return &run->buckets[i];
    }
}

import_resource *import_run_find(const import_run *run, ct_str type, ct_str id)
{
    uint32_t *bucket = run->nbuckets ? bucket_of(run, type, id) : NULL;
    return bucket && *bucket ? run->resources[*bucket - 1] : NULL;
}

static void grow(import_run *run)
{
    size_t cap = run->cap ? run->cap * 2 : 32;
    import_resource **wider = ct_arena_alloc(run->a, cap * sizeof(void *));

    if (run->n)
        memcpy(wider, run->resources, run->n * sizeof(void *));
    run->resources = wider;
    run->cap = cap;
    run->nbuckets = cap * 2;
    run->buckets = ct_arena_alloc(run->a, run->nbuckets * sizeof *run->buckets);
    for (size_t i = 0; i < run->n; i++)
        *bucket_of(run, wider[i]->type, wider[i]->id) = (uint32_t)i + 1;
}

ct_tree *import_resource_tree(import_run *run, ct_str type, ct_str id)
{
    ct_tree *t = ct_tree_object(run->a);
    ct_tree_set(t, CT_S("resourceType"), ct_tree_view(run->a, type));
    ct_tree_set(t, CT_S("id"), ct_tree_view(run->a, id));
    return t;
}

import_resource *import_run_add(import_run *run, ct_str type, ct_str id, const import_map *map)
{
    import_resource *r = ct_arena_alloc(run->a, sizeof *r);

    if (run->n == run->cap)
        grow(run);
    *r = (import_resource){.type = type, .id = id, .map = map, .segment = run->at};
    r->tree = import_resource_tree(run, type, id);
    uint32_t *bucket = bucket_of(run, type, id);
    run->resources[run->n++] = r;
    *bucket = (uint32_t)run->n;
    return r;
}

import_resource *import_run_slot(const import_run *run, ct_str type)
{
    for (size_t i = 0; i < run->nslots; i++)
        if (ct_str_eq(run->slots[i]->type, type))
            return run->slots[i];
    return ct_str_is(type, "previous") ? run->previous : NULL;
}

static void slot_end(import_run *run, ct_str type)
{
    for (size_t i = 0; i < run->nslots; i++)
        if (ct_str_eq(run->slots[i]->type, type)) {
            run->slots[i] = run->slots[--run->nslots];
            return;
        }
}

static void slot_set(import_run *run, import_resource *r)
{
    slot_end(run, r->type);
    if (run->nslots < CT_LEN(run->slots))
        run->slots[run->nslots++] = r;
}

/* ---- rules ---- */

static void write_lines(import_run *run, const import_resource *r)
{
    ct_buf text = {0}, data = {0};

    for (const import_line *l = r->lines; l; l = l->next) {
        if (text.n)
            ct_buf_c(&text, '\n');
        ct_buf_put(&text, l->text);
    }
    import_base64_put(ct_buf_str(&text), &data);
    ct_tree_set(r->attachment, CT_S("data"), ct_tree_string(run->a, ct_buf_str(&data)));
    ct_buf_free(&text);
    ct_buf_free(&data);
}

/* With what was said before. */
static ct_tree *whole_tree(import_run *run, import_resource *r)
{
    if (r->attachment)
        write_lines(run, r);
    if (r->before)
        ct_tree_complete(r->tree, r->before);
    r->before = NULL;
    return r->tree;
}

/* A derived identity that was given before is that of another thing of the same kind; one of its
 * own means the same thing again, which is written once: as its last segment says, and with what
 * earlier ones said beyond it. */
static bool make_resource(import_run *run, import_frame *f, const import_map *map)
{
    bool derived = true;
    ct_str id;

    if (!import_id_make(run, f, map, &id, &derived))
        return false;
    if (!id.n)
        id = import_id_of_segment(run, map->type);
    import_resource *r = import_run_find(run, map->type, id);
    if (r && derived) {
        do
            id = import_id_again(run, r->id, ++r->copies + 1);
        while (import_run_find(run, map->type, id));
        r = NULL;
    }
    if (r) {
        ct_tree *before = whole_tree(run, r);
        *r = (import_resource){
            .type = r->type, .id = r->id, .map = map, .segment = run->at, .before = before};
        r->tree = import_resource_tree(run, r->type, r->id);
        if (!import_labels_add(run, r->tree, before)) /* those hold for it as well */
            return false;
    } else {
        r = import_run_add(run, map->type, id, map);
    }
    run->previous = import_run_slot(run, map->type);
    slot_set(run, r);
    f->resource = r;
    f->root = r->tree;
    bool ok = import_map_apply(run, f, map, false);
    run->previous = NULL;
    return ok;
}

static bool for_this_message(const import_rule *r, ct_str code)
{
    bool named = r->nmessages == 0;
    for (size_t i = 0; i < r->nmessages && !named; i++)
        named = ct_str_eq(r->messages[i], code);
    return named != r->except;
}

static bool apply_rule(import_run *run, const import_rule *rule)
{
    import_frame f = {0};
    bool holds;

    if (!import_row_holds(run, &f, rule->when, rule->nwhen, &holds))
        return false;
    run->nreads = 0;
    if (!holds)
        return true;
    if (rule->ends_all)
        run->nslots = 0;
    for (size_t i = 0; i < rule->nends; i++)
        slot_end(run, rule->ends[i]);
    if (!rule->map)
        return true;
    if (rule->fresh)
        return make_resource(run, &f, rule->map);
    if (rule->labels) {
        f.root = run->labels = run->labels ? run->labels : ct_tree_object(run->a);
        return import_map_apply(run, &f, rule->map, false);
    }
    f.resource = import_run_slot(run, rule->map->type);
    if (!f.resource)
        return true;
    f.root = f.resource->tree;
    return import_map_apply(run, &f, rule->map, false);
}

/* Specimen-oriented results (OUL) but R21 have what is common to an order behind its OBR. */
static bool order_behind(const import_run *run, ct_str code)
{
    const import_segment *msh = &run->message.segments[0];

    return ct_str_is(code, "OUL") &&
           !ct_str_is(import_er7_sub(&run->message, import_er7_field(msh, 9), 2).raw, "R21");
}

/* Segments that open a group, which the conditions of later ones look at. */
static bool opens_group(const import_run *run, ct_str code, ct_str name)
{
    static const char *const openers[] = {"PID", "PV1", "ORC", "OBR", "RXA", "TXA", "SPM"};

    if (ct_str_is(run->group, "OBR") && (ct_str_is(name, "ORC") || ct_str_is(name, "TXA")) &&
        order_behind(run, code))
        return false;
    for (size_t i = 0; i < CT_LEN(openers); i++)
        if (ct_str_is(name, openers[i]))
            return true;
    return false;
}

/* To segments that stand before that which their resource is made of. */
static bool apply_each(import_run *run, const import_rule *rule, ct_str code)
{
    const import_segment *all = run->message.segments;
    size_t here = run->at;
    bool ok = true;

    run->last[all[here].id] = here + 1; /* what they are for is known to them */
    while (run->at > 0 && !opens_group(run, code, all[run->at - 1].name))
        run->at--;
    for (; ok && run->at < here; run->at++)
        if (all[run->at].id == rule->each)
            ok = apply_rule(run, rule);
    run->at = here;
    return ok;
}

static bool map_segments(import_run *run, ct_str code)
{
    for (run->at = 0; run->at < run->message.n; run->at++) {
        const import_segment *s = &run->message.segments[run->at];
        if (ct_str_is(s->name, "PID")) /* what was said of another patient ends here */
            memset(run->last, 0, (run->maps->nsegments + 1) * sizeof *run->last);
        const uint32_t *rules = run->maps->first_rule + s->id;
        for (uint32_t i = rules[0]; s->id && i < rules[1]; i++) {
            const import_rule *rule = &run->maps->rules[i];
            if (for_this_message(rule, code) &&
                !(rule->each ? apply_each(run, rule, code) : apply_rule(run, rule)))
                return false;
        }
        run->last[s->id] = run->at + 1;
        if (opens_group(run, code, s->name))
            run->group = s->name;
        if (s->id != run->maps->nte)
            run->after = s->name;
    }
    return true;
}

/* ---- the end of a message ---- */

static bool finish(import_run *run)
{
    for (size_t i = 0; i < run->n; i++) {
        import_resource *r = run->resources[i];
        import_frame f = {.resource = r};
        run->at = r->segment;
        f.root = whole_tree(run, r);
        if (r->map && !import_map_apply(run, &f, r->map, true))
            return false;
        import_identifiers_once(run, r->tree);
    }
    return import_labels_add_all(run);
}

/* ---- the message ---- */

static const import_type *type_of(const import_maps *m, ct_str code)
{
    for (size_t i = 0; i < m->ntypes; i++)
        if (ct_str_eq(m->types[i].code, code))
            return &m->types[i];
    return NULL;
}

static bool has_segment(const import_er7 *m, uint16_t id)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->segments[i].id == id)
            return true;
    return false;
}

/* Is it a message that we know how to read? */
static bool check_header(import_run *run, ct_str *code)
{
    const import_er7 *m = &run->message;
    import_part type = import_er7_sub(m, import_er7_field(&m->segments[0], 9), 1);
    ct_str version;

    if (!import_er7_text(m, type, run->a, code, run->err) ||
        !import_er7_text(m, import_er7_field(&m->segments[0], 12), run->a, &version, run->err))
        return ct_fail_at(run->err, CT_E_DATA, run->err->text, "MSH");
    if (!code->n)
        return ct_fail_at(run->err, CT_E_DATA, "no message type", "MSH-9");
    if (version.n && !ct_str_starts(version, CT_S("2.")))
        return ct_fail_at(run->err, CT_E_DATA, "not a version of HL7 v2", "MSH-12");
    if (import_er7_valued(m, import_er7_field(&m->segments[0], 14)))
        return ct_fail_at(run->err, CT_E_DATA, "the message goes on in another one", "MSH-14");
    const import_type *t = type_of(run->maps, *code);
    if (!t)
        return ct_fail_at(run->err, CT_E_DATA, "a type of message that is not imported", "MSH-9");
    if (!has_segment(m, t->requires))
        return ct_fail_at(run->err, CT_E_DATA, "the message has none", "%.*s",
                          (int)t->requires_name.n, t->requires_name.p);
    return true;
}

/* The zone of times that have none: the message's own (MSH-7) before the run's. */
static void set_zone(import_run *run)
{
    ct_str sent;
    ct_err ignored;
    char zone[7];

    run->zone_is_default = true;
    if (import_er7_text(&run->message, import_er7_field(&run->message.segments[0], 7), run->a,
                        &sent, &ignored) &&
        import_zone_parse(sent, zone)) {
        memcpy(run->zone, zone, sizeof zone);
        run->zone_is_default = false;
    }
}

/* All that a table for a type of data can look at beside the value that it is given. */
static void start_memo(import_run *run)
{
    const import_er7 *m = &run->message;
    const import_segment *msh = &m->segments[0];
    const char flags[] = {m->field,  m->component,    m->repetition,
                          m->escape, m->subcomponent, (char)run->zone_is_default};
    const ct_str parts[] = {
        {flags, sizeof flags},        ct_str_z(run->zone), import_er7_field(msh, 3).raw, CT_S("\r"),
        import_er7_field(msh, 4).raw, CT_S("\r"),          import_er7_field(msh, 18).raw};

    if (run->memo)
        import_memo_start(run->memo, ct_arena_join(run->a, parts, CT_LEN(parts)));
}

bool import_run_message(import_run *run, ct_str raw)
{
    ct_str code;

    run->raw = raw;
    if (!import_er7_parse(&run->message, raw, run->a, import_maps_segment, (void *)run->maps,
                          run->err))
        return false;
    run->last = ct_arena_alloc(run->a, (run->maps->nsegments + 1) * sizeof *run->last);
    if (!check_header(run, &code))
        return false;
    set_zone(run);
    start_memo(run);
    return map_segments(run, code) && finish(run);
}
