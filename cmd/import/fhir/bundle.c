/* Bundles: every resource comes out, in order; references to entries become Type/id. */
#include "cmd/import/fhir/fhir.h"

enum { DERIVED_ID = 16 /* bytes of a hash */, ID_MAX = 64 };

typedef struct target {
    ct_str url, type, id;
} target;

/* The entries that references may mean: those of the Bundle and of the Bundles in it. */
typedef struct scope {
    target *targets; /* a hash table; an empty url is a free place */
    size_t places, n;
} scope;

/* ---- entries ---- */

static ct_val entry_resource(const import_block *b, const ct_doc *doc, ct_val entry)
{
    ct_val v = ct_member_id(doc, entry, b->fhir->resource);
    return v != CT_NONE && ct_type(doc, v) == CT_OBJECT ? v : CT_NONE;
}

static ct_str string_of(import_block *b, const ct_doc *doc, ct_val obj, uint16_t name)
{
    ct_val v = ct_member_id(doc, obj, name);
    return v != CT_NONE && ct_type(doc, v) == CT_STRING ? ct_text(doc, v, b->arena) : CT_S("");
}

static bool is_id(ct_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
              (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-' || s.p[i] == '.'))
            return false;
    return s.n > 0 && s.n <= ID_MAX;
}

/* The id that a fullUrl gives a resource without one: what stands in it, else a hash of it. */
static ct_str id_from_url(ct_arena *a, ct_str url)
{
    ct_ref ref;

    if (ct_ref_parse(url, &ref) && is_id(ref.id) && !ref.contained)
        return ref.id;
    uint8_t digest[CT_SHA256_LEN];
    ct_buf hex = {0};
    ct_sha256(url, digest);
    ct_hex(&hex, digest, DERIVED_ID);
    ct_str id = ct_arena_copy(a, ct_buf_str(&hex));
    ct_buf_free(&hex);
    return id;
}

static target target_of(import_block *b, const ct_doc *doc, ct_val entry, ct_val resource)
{
    target t = {.url = string_of(b, doc, entry, b->fhir->full_url),
                .type = string_of(b, doc, resource, b->fhir->resource_type),
                .id = string_of(b, doc, resource, b->fhir->id)};

    if (!t.id.n && t.url.n)
        t.id = id_from_url(b->arena, t.url);
    return t;
}

/* ---- the scope ---- */

static target *place_of(const scope *s, ct_str url)
{
    size_t i = (size_t)ct_hash(url) & (s->places - 1);

    while (s->targets[i].url.n && !ct_str_eq(s->targets[i].url, url))
        i = (i + 1) & (s->places - 1);
    return &s->targets[i];
}

static const target *look_up(const scope *s, ct_str url)
{
    const target *t = s->places && url.n ? place_of(s, url) : NULL;
    return t && t->url.n ? t : NULL;
}

static void add_target(import_block *b, scope *s, target t)
{
    if (2 * s->n >= s->places) {
        scope wider = {.places = s->places ? 2 * s->places : 16, .n = s->n};
        wider.targets = ct_arena_alloc(b->arena, wider.places * sizeof *wider.targets);
        for (size_t i = 0; i < s->places; i++)
            if (s->targets[i].url.n)
                *place_of(&wider, s->targets[i].url) = s->targets[i];
        *s = wider;
    }
    target *place = place_of(s, t.url);
    if (!place->url.n) { /* the first of a history is the latest */
        *place = t;
        s->n++;
    }
}

static ct_val entries_of(const import_block *b, const ct_doc *doc, ct_val bundle)
{
    ct_val v = ct_member_id(doc, bundle, b->fhir->entry);
    return v != CT_NONE && ct_type(doc, v) == CT_ARRAY ? v : CT_NONE;
}

static void add_targets(import_block *b, const ct_doc *doc, ct_val bundle, scope *s)
{
    ct_val entries = entries_of(b, doc, bundle);

    if (entries == CT_NONE)
        return;
    for (ct_val e = ct_first(doc, entries); e != CT_NONE; e = ct_next(doc, entries, e)) {
        ct_val resource = entry_resource(b, doc, e);
        if (resource == CT_NONE)
            continue;
        target t = target_of(b, doc, e, resource);
        if (ct_str_is(t.type, "Bundle"))
            add_targets(b, doc, resource, s);
        else if (t.url.n && t.id.n && t.type.n)
            add_target(b, s, t);
    }
}

/* ---- references ---- */

/* The text of a `reference` member, empty where `v` is none. In R4 the member of that name is a
 * Reference's, but for a resource's `own` (DetectedIssue.reference is the literature). */
static ct_str reference_text(import_block *b, const ct_doc *doc, ct_val own, ct_val v)
{
    if (v == own || ct_name(doc, v) != b->fhir->reference || ct_type(doc, v) != CT_STRING)
        return CT_S("");
    return ct_text(doc, v, b->arena);
}

static const target *meant(import_block *b, const scope *s, const ct_doc *doc, ct_val own, ct_val v)
{
    return look_up(s, reference_text(b, doc, own, v));
}

static bool has_references(import_block *b, const scope *s, const ct_doc *doc, ct_val root)
{
    ct_val own = ct_member_id(doc, root, b->fhir->reference);

    for (ct_val v = root + 1; v < doc->tape[root].next; v++)
        if (meant(b, s, doc, own, v))
            return true;
    return false;
}

static void edit_references(import_block *b, const scope *s, const ct_doc *doc)
{
    ct_val own = ct_member_id(doc, CT_ROOT, b->fhir->reference);

    for (ct_val v = 1; v < doc->n; v++) {
        const target *t = meant(b, s, doc, own, v);
        ct_buf json = {0};
        if (!t)
            continue;
        ct_put_string(&json, ct_arena_printf(b->arena, "%.*s/%.*s", (int)t->type.n, t->type.p,
                                             (int)t->id.n, t->id.p));
        ct_edit_replace(b->fhir->edit, v, ct_arena_copy(b->arena, ct_buf_str(&json)));
        ct_buf_free(&json);
    }
}

/* ---- writing ---- */

/* The resource on one line, with its references and its id. */
static bool put_changed(import_block *b, const scope *s, const ct_doc *doc, ct_val v, ct_str kind,
                        ct_str new_id, ct_err *err)
{
    import_fhir_tools *t = b->fhir;
    ct_str text = ct_raw(doc, v);
    ct_doc one;

    if (memchr(text.p, '\n', text.n)) {
        t->compact.n = 0;
        ct_put_compact(&t->compact, doc, v);
        text = ct_buf_str(&t->compact);
    }
    if (!ct_parse(t->inner, text, &one, err))
        return false;
    ct_edit_start(t->edit, &one);
    edit_references(b, s, &one);
    if (new_id.n) {
        ct_buf json = {0};
        ct_put_string(&json, new_id);
        ct_edit_add_member(t->edit, CT_ROOT, CT_S("id"),
                           ct_arena_copy(b->arena, ct_buf_str(&json)));
        ct_buf_free(&json);
    }
    t->edited.n = 0;
    if (!ct_edit_apply(t->edit, &t->edited, err))
        return false;
    ct_side_add(&b->in, ct_raw(doc, v), kind);
    ct_lines_add(&b->lines, ct_buf_str(&t->edited), kind);
    b->changed++;
    return true;
}

static bool put_entry(const import_setup *setup, import_block *b, const scope *s, const ct_doc *doc,
                      ct_val entry, ct_val v, ct_err *err)
{
    ct_str kind = import_resource_kind(setup, b, doc, v), id = CT_S("");

    if (!kind.n)
        return ct_fail(err, CT_E_DATA, "not a resource of R4");
    if (ct_member_id(doc, v, b->fhir->id) == CT_NONE)
        id = target_of(b, doc, entry, v).id;
    if (id.n || has_references(b, s, doc, v))
        return put_changed(b, s, doc, v, kind, id, err);
    import_record_put(b, doc, v, kind);
    return true;
}

/* Entries that are no array would be passed over. */
static void refuse_broken(import_block *b, const ct_doc *doc, ct_val bundle, uint64_t line)
{
    ct_err err = {0};

    if (ct_member_id(doc, bundle, b->fhir->entry) == CT_NONE)
        return;
    ct_fail_at(&err, CT_E_DATA, "not an array", "Bundle.entry");
    err.line = line;
    import_block_problem(b, &err, ct_raw(doc, bundle), false);
}

static void put_entries(const import_setup *setup, import_block *b, const scope *s,
                        const ct_doc *doc, ct_val bundle, uint64_t line)
{
    ct_val entries = entries_of(b, doc, bundle);
    size_t i = 0;

    if (entries == CT_NONE) {
        refuse_broken(b, doc, bundle, line);
        return;
    }
    for (ct_val e = ct_first(doc, entries); e != CT_NONE; e = ct_next(doc, entries, e), i++) {
        ct_val v = entry_resource(b, doc, e);
        ct_err err = {0};
        if (v != CT_NONE && ct_str_is(import_resource_kind(setup, b, doc, v), "Bundle")) {
            put_entries(setup, b, s, doc, v, line);
            continue;
        }
        if (v == CT_NONE)
            ct_fail(&err, CT_E_DATA, "no resource");
        else if (put_entry(setup, b, s, doc, e, v, &err))
            continue;
        ct_fail_at(&err, err.kind, err.text, "Bundle.entry[%zu]", i);
        err.line = line;
        import_block_problem(b, &err, ct_raw(doc, v != CT_NONE ? v : e), false);
    }
}

void import_bundle_put(const import_setup *setup, import_block *b, const ct_doc *doc, uint64_t line)
{
    scope s = {0};

    add_targets(b, doc, CT_ROOT, &s);
    put_entries(setup, b, &s, doc, CT_ROOT, line);
}
