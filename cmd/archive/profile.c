#include "cmd/archive/profile.h"
#include "common/stream/stream.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <strings.h>

enum { PROFILE_MAX = 4 * 1024 * 1024 };

/* A field of bag-info.txt that the profile speaks of. */
typedef struct field {
    ct_str label;
    bool required, repeatable;
    ct_val values; /* an array of those that are allowed, or CT_NONE */
    uint64_t seen;
} field;

/* A pattern for names of files, and whether one has come. */
typedef struct pattern {
    const char *glob;
    bool seen;
} pattern;

typedef struct patterns {
    pattern *v;
    size_t n;
    bool given;
} patterns;

struct bag_profile {
    ct_buf text;
    ct_parser *parser;
    ct_doc doc;
    ct_arena *arena;
    ct_str identifier;
    field *fields;
    size_t nfields;
    patterns tags_required, tags_allowed, payload_required, payload_allowed;
    bool identified;
    bag_profile_fn *tell;
    void *ctx;
};

static const ct_str no_path = {"", 0};

/* ---- reading ---- */

static ct_val member(const bag_profile *p, const char *name)
{
    return ct_member(&p->doc, CT_ROOT, ct_str_z(name));
}

/* JSON's true, or the text of it: profiles have both. */
static bool is_true(const bag_profile *p, ct_val v)
{
    return v != CT_NONE && (ct_type(&p->doc, v) == CT_TRUE || ct_is(&p->doc, v, CT_S("true")));
}

static bool is_false(const bag_profile *p, ct_val v)
{
    return v != CT_NONE && (ct_type(&p->doc, v) == CT_FALSE || ct_is(&p->doc, v, CT_S("false")));
}

static bool is_array(const bag_profile *p, ct_val v)
{
    return v != CT_NONE && ct_type(&p->doc, v) == CT_ARRAY;
}

/* Does the array hold the text? */
static bool holds(const bag_profile *p, ct_val array, const char *text)
{
    for (ct_val i = ct_first(&p->doc, array); i != CT_NONE; i = ct_next(&p->doc, array, i))
        if (ct_is(&p->doc, i, ct_str_z(text)))
            return true;
    return false;
}

static void read_patterns(bag_profile *p, const char *name, patterns *to)
{
    ct_val array = member(p, name);

    to->given = is_array(p, array);
    if (!to->given)
        return;
    to->v = ct_arena_alloc(p->arena, ct_count(&p->doc, array) * sizeof(*to->v));
    for (ct_val i = ct_first(&p->doc, array); i != CT_NONE; i = ct_next(&p->doc, array, i))
        to->v[to->n++].glob = ct_arena_copy(p->arena, ct_text(&p->doc, i, p->arena)).p;
}

static void read_fields(bag_profile *p)
{
    const ct_doc *d = &p->doc;
    ct_val info = member(p, "Bag-Info");

    if (info == CT_NONE || ct_type(d, info) != CT_OBJECT)
        return;
    p->fields = ct_arena_alloc(p->arena, ct_count(d, info) * sizeof(*p->fields));
    for (ct_val f = ct_first(d, info); f != CT_NONE; f = ct_next(d, info, f)) {
        ct_val values = ct_member(d, f, CT_S("values"));

        p->fields[p->nfields++] =
            (field){.label = ct_key(d, f),
                    .required = is_true(p, ct_member(d, f, CT_S("required"))),
                    .repeatable = !is_false(p, ct_member(d, f, CT_S("repeatable"))),
                    .values = is_array(p, values) && ct_count(d, values) ? values : CT_NONE};
    }
}

static bool read_profile(bag_profile *p, const char *path, ct_err *err)
{
    if (!ct_slurp(path, PROFILE_MAX, &p->text, err) ||
        !ct_parse(p->parser, ct_buf_str(&p->text), &p->doc, err))
        return false;
    p->identifier = ct_arena_copy(
        p->arena,
        ct_text_at(&p->doc, CT_ROOT, "BagIt-Profile-Info.BagIt-Profile-Identifier", p->arena));
    if (p->identifier.n == 0)
        return ct_fail(err, CT_E_DATA, "no BagIt profile: it has no BagIt-Profile-Identifier");
    for (size_t i = 0; i < p->identifier.n; i++)
        if ((unsigned char)p->identifier.p[i] <= ' ')
            return ct_fail(err, CT_E_DATA, "its BagIt-Profile-Identifier is no address");
    read_fields(p);
    read_patterns(p, "Tag-Files-Required", &p->tags_required);
    read_patterns(p, "Tag-Files-Allowed", &p->tags_allowed);
    read_patterns(p, "Payload-Files-Required", &p->payload_required);
    read_patterns(p, "Payload-Files-Allowed", &p->payload_allowed);
    return true;
}

bag_profile *bag_profile_read(const char *path, ct_err *err)
{
    bag_profile *p = ct_calloc(1, sizeof(*p));

    p->parser = ct_parser_new(NULL);
    p->arena = ct_arena_new();
    if (read_profile(p, path, err))
        return p;
    bag_profile_free(p);
    return NULL;
}

ct_str bag_profile_identifier(const bag_profile *p)
{
    return p->identifier;
}

void bag_profile_free(bag_profile *p)
{
    if (!p)
        return;
    ct_parser_free(p->parser);
    ct_arena_free(p->arena);
    ct_buf_free(&p->text);
    free(p);
}

/* ---- judging ---- */

static void tell(const bag_profile *p, const char *where, uint64_t line, const char *reason,
                 ct_str path)
{
    p->tell(p->ctx, where, line, reason, path);
}

static void tell_bag(const bag_profile *p, const char *reason)
{
    tell(p, "profile", 0, reason, no_path);
}

static void forget(patterns *list)
{
    for (size_t i = 0; i < list->n; i++)
        list->v[i].seen = false;
}

void bag_profile_start(bag_profile *p, bag_profile_fn *told, void *ctx)
{
    p->tell = told;
    p->ctx = ctx;
    p->identified = false;
    for (size_t i = 0; i < p->nfields; i++)
        p->fields[i].seen = 0;
    forget(&p->tags_required);
    forget(&p->tags_allowed);
    forget(&p->payload_required);
    forget(&p->payload_allowed);
}

/* Does any of the patterns fit? Each that does is marked. */
static bool fits(patterns *list, const char *path)
{
    bool any = false;

    for (size_t i = 0; i < list->n; i++)
        if (fnmatch(list->v[i].glob, path, 0) == 0)
            any = list->v[i].seen = true;
    return any;
}

void bag_profile_file(bag_profile *p, ct_str path, uint64_t position)
{
    bag_alg alg;
    bag_kind kind = bag_kind_of(path, &alg);
    bool payload = kind == BAG_PAYLOAD;
    patterns *required = payload ? &p->payload_required : &p->tags_required;
    patterns *allowed = payload ? &p->payload_allowed : &p->tags_allowed;
    ct_buf z = {0};
    bool named;

    if (!required->n && !allowed->given)
        return;
    ct_buf_put(&z, path);
    ct_buf_c(&z, '\0');
    named = fits(required, z.p);
    named |= fits(allowed, z.p);
    ct_buf_free(&z);
    /* BagIt's own files are always allowed. */
    if (!named && allowed->given && (payload || kind == BAG_TAG))
        tell(p, "file", position, "the profile does not allow such a file", path);
}

static bool same_label(ct_str a, ct_str b)
{
    return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

void bag_profile_info(bag_profile *p, ct_str label, ct_str value, uint64_t line)
{
    value = ct_str_trim(value);
    if (same_label(label, CT_S("BagIt-Profile-Identifier")))
        p->identified |= ct_str_eq(value, p->identifier);
    for (size_t i = 0; i < p->nfields; i++) {
        field *f = &p->fields[i];
        bool found = f->values == CT_NONE;

        if (!same_label(label, f->label))
            continue;
        if (++f->seen == 2 && !f->repeatable)
            tell(p, "bag-info.txt", line, "the profile wants this field once", no_path);
        for (ct_val v = found ? CT_NONE : ct_first(&p->doc, f->values); v != CT_NONE && !found;
             v = ct_next(&p->doc, f->values, v))
            found = ct_is(&p->doc, v, value);
        if (!found)
            tell(p, "bag-info.txt", line, "the profile does not allow this value", no_path);
    }
}

void bag_profile_info_text(bag_profile *p, ct_str text)
{
    uint64_t line = 0;

    while (text.p && text.n) {
        ct_str value = ct_str_cut(&text, '\n'), label = ct_str_cut(&value, ':');

        bag_profile_info(p, ct_str_trim(label), value, ++line);
    }
}

static void check_fields(const bag_profile *p)
{
    if (!p->identified)
        tell(p, "bag-info.txt", 0, "the BagIt-Profile-Identifier is not that of the profile",
             no_path);
    for (size_t i = 0; i < p->nfields; i++)
        if (p->fields[i].required && !p->fields[i].seen)
            tell(p, "bag-info.txt", 0,
                 ct_arena_printf(p->arena, "the profile wants a field: %.*s",
                                 (int)p->fields[i].label.n, p->fields[i].label.p)
                     .p,
                 no_path);
}

static void check_required(const bag_profile *p, const patterns *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (!list->v[i].seen)
            tell_bag(p, ct_arena_printf(p->arena, "a file is missing: %s", list->v[i].glob).p);
}

/* `tag` is "" or "Tag-". */
static void check_manifests(const bag_profile *p, const char *tag, unsigned algs)
{
    const char *kind = *tag ? "tag manifest" : "manifest";
    ct_val required = member(p, ct_arena_printf(p->arena, "%sManifests-Required", tag).p);
    ct_val allowed = member(p, ct_arena_printf(p->arena, "%sManifests-Allowed", tag).p);

    for (int i = 0; i < BAG_ALGS; i++) {
        const char *name = bag_algorithms[i].name;
        bool there = algs & 1U << i;

        if (!there && is_array(p, required) && holds(p, required, name))
            tell_bag(p, ct_arena_printf(p->arena, "wants a %s of %s", kind, name).p);
        if (there && is_array(p, allowed) && !holds(p, allowed, name))
            tell_bag(p, ct_arena_printf(p->arena, "does not allow a %s of %s", kind, name).p);
    }
}

/* Is the packing, by any of the names of its media type, among those accepted? */
static bool accepted(const bag_profile *p, ct_val accept, const char *path)
{
    static const struct {
        const char *suffix, *type;
    } known[] = {{".tar", "application/x-tar"}, {".tar", "application/tar"},
                 {".zip", "application/zip"},   {".zip", "application/x-zip-compressed"},
                 {".gz", "application/gzip"},   {".gz", "application/x-gzip"},
                 {".tgz", "application/gzip"},  {".tgz", "application/x-gzip"},
                 {".gz", "application/x-gtar"}, {".tgz", "application/x-gtar"},
                 {".zst", "application/zstd"},  {".tzst", "application/zstd"},
                 {".xz", "application/x-xz"},   {".bz2", "application/x-bzip2"}};

    for (size_t i = 0; i < CT_LEN(known); i++)
        if (ct_str_ends(ct_str_z(path), ct_str_z(known[i].suffix)) &&
            holds(p, accept, known[i].type))
            return true;
    return false;
}

static void check_packing(const bag_profile *p, const bag_profile_facts *facts)
{
    ct_val serialization = member(p, "Serialization");
    ct_val accept = member(p, "Accept-Serialization");

    if (serialization == CT_NONE)
        return;
    if (facts->folder && ct_is(&p->doc, serialization, CT_S("required")))
        tell_bag(p, "wants the bag packed into one file");
    if (!facts->folder && ct_is(&p->doc, serialization, CT_S("forbidden")))
        tell_bag(p, "wants the bag as a folder");
    else if (!facts->folder && is_array(p, accept) && !accepted(p, accept, facts->path))
        tell_bag(p, "does not accept how the bag is packed");
}

static void check_version(const bag_profile *p, unsigned version)
{
    ct_val accept = member(p, "Accept-BagIt-Version");
    const char *name =
        ct_arena_printf(p->arena, "%u.%.*u", version / 100, version % 100 ? 2 : 1, version % 100).p;

    if (is_array(p, accept) && !holds(p, accept, name))
        tell_bag(p, "does not accept this version of BagIt");
}

void bag_profile_end(bag_profile *p, const bag_profile_facts *facts)
{
    check_fields(p);
    check_required(p, &p->tags_required);
    check_required(p, &p->payload_required);
    check_manifests(p, "", facts->manifests);
    check_manifests(p, "Tag-", facts->tagmanifests);
    check_packing(p, facts);
    check_version(p, facts->version);
    if (facts->fetch && is_false(p, member(p, "Allow-Fetch.txt")))
        tell_bag(p, "does not allow a fetch.txt");
    if (!facts->fetch && is_true(p, member(p, "Fetch.txt-Required")))
        tell_bag(p, "wants a fetch.txt");
    if (is_true(p, member(p, "Data-Empty")) && (facts->files > 1 || facts->bytes > 0))
        tell_bag(p, "wants a bag without payload");
}
