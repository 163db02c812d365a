/* Files of retention schedules: see chart-retention(5). All that is wrong is reported, not just the
 * first. */
#include "cmd/archive/schedule.h"

#include <stdlib.h>

extern const ct_datafile ct_cmd_data[];

enum { SCHEDULE_MAX = 1 << 20 /* bytes of one file */, AGE_MAX = 150 };

enum field {
    F_TITLE,
    F_APPLIES,
    F_KEEP,
    F_FROM,
    F_JURISDICTION,
    F_AUTHORITY,
    F_REVIEWED,
    FIELDS,
};

static const ct_stanza_field fields[FIELDS] = {
    [F_TITLE] = {"title", "the class has no title", false},
    [F_APPLIES] = {"applies", "the class does not say what it applies to", true},
    [F_KEEP] = {"keep", "the class does not say how long to keep", false},
    [F_FROM] = {"from", NULL, true}, /* a permanent one needs none */
    [F_JURISDICTION] = {"jurisdiction", "the class does not say where it holds", false},
    [F_AUTHORITY] = {"authority", "the class cites nothing", false},
    [F_REVIEWED] = {"reviewed", "the class does not say when it was reviewed", false},
};

/* A file being read. */
struct reader {
    bag_schedule *schedule;
    const char *file;
    size_t pack;
    bag_wrong_fn *wrong;
    void *ctx;
};

static void load(bag_schedule *s, const char *name, bag_wrong_fn *wrong, void *ctx);

/* ---- fields ---- */

static ct_str text_of(const ct_stanza *st, enum field f)
{
    return ct_buf_str(&st->fields[f].text);
}

static void wrong(const ct_stanza *st, enum field f, size_t at, const char *text)
{
    ct_stanza_wrong(st, &st->fields[f], at, CT_E_DATA, text);
}

/* The age of majority in a jurisdiction (majority.tsv); where the table does not know that, the
 * highest that there is. */
static unsigned majority_of(ct_str jurisdiction)
{
    const ct_datafile *f = ct_datafile_find(ct_cmd_data, "schedules/majority.tsv");
    ct_str rest = f ? (ct_str){f->text, f->n} : CT_S(""), cols[3];
    uint64_t age, highest = 0;

    while (ct_tsv_next(&rest, cols, CT_LEN(cols), NULL) >= 2) {
        if (!ct_str_u64(cols[1], &age))
            continue;
        if (ct_str_eq(cols[0], jurisdiction))
            return (unsigned)age;
        highest = age > highest ? age : highest;
    }
    return (unsigned)highest;
}

static void read_age(const ct_stanza *st, size_t at, bag_class *c)
{
    uint64_t age;

    c->from = BAG_BIRTH;
    if (!ct_str_u64(ct_placed_word(&st->fields[F_FROM], &at), &age) || age > AGE_MAX ||
        at < text_of(st, F_FROM).n)
        wrong(st, F_FROM, 0, "not of the form: age YEARS");
    else
        c->age = (unsigned)age;
}

/* `latest EXPRESSION`, `age YEARS`, or one of the words. */
static void read_from(const ct_stanza *st, const ct_ftype *on, bag_class *c)
{
    static const struct {
        const char *word;
        bag_trigger from;
    } words[] = {{"last-encounter", BAG_LAST_ENCOUNTER},
                 {"discharge", BAG_DISCHARGE},
                 {"last-entry", BAG_LAST_ENTRY},
                 {"death", BAG_DEATH},
                 {"birth", BAG_BIRTH},
                 {"majority", BAG_BIRTH},
                 {"creation", BAG_CREATION}};
    const ct_placed *t = &st->fields[F_FROM];
    size_t at = 0;
    ct_str word = ct_placed_word(t, &at);

    if (ct_str_is(word, "latest")) {
        c->from = BAG_LATEST;
        c->from_text = CT_S("latest"); /* the expression is too long for a line */
        c->dates = ct_stanza_compile(st, t, at, on);
        return;
    }
    if (ct_str_is(word, "age")) {
        read_age(st, at, c);
        return;
    }
    for (size_t i = 0; i < CT_LEN(words); i++)
        if (ct_str_is(text_of(st, F_FROM), words[i].word)) {
            c->from = words[i].from;
            if (ct_str_is(word, "majority"))
                c->age = majority_of(c->jurisdiction);
            if (c->from == BAG_CREATION && !on)
                wrong(st, F_FROM, 0, "records have a creation, charts have none");
            return;
        }
    wrong(st, F_FROM, 0,
          "not last-encounter, discharge, last-entry, death, birth, majority, age YEARS, creation "
          "or latest EXPRESSION");
}

static void read_reviewed(const ct_stanza *st)
{
    ct_date d;

    if (!ct_date_parse(text_of(st, F_REVIEWED), &d) || d.precision != CT_P_DAY)
        wrong(st, F_REVIEWED, 0, "not a date, YYYY-MM-DD");
}

static void missing_from(const struct reader *r, const ct_stanza *st)
{
    ct_err err;

    ct_fail_at(&err, CT_E_DATA, "the class does not say what its time is counted from", "column 1");
    err.file = r->file;
    err.line = st->line;
    r->wrong(r->ctx, &err);
}

static void build_class(const struct reader *r, const ct_stanza *st, bag_class *c)
{
    const ct_ftype *on = NULL;

    if (st->fields[F_APPLIES].given)
        on = ct_stanza_applies(st, &st->fields[F_APPLIES], &c->where);
    if (on)
        c->type = on->name;
    if (st->fields[F_KEEP].given && !bag_period_parse(text_of(st, F_KEEP), &c->keep))
        wrong(st, F_KEEP, 0, "not of the form: N days|weeks|months|years, or permanent");
    if (st->fields[F_FROM].given)
        read_from(st, on, c);
    else if (!c->keep.permanent)
        missing_from(r, st);
    if (st->fields[F_REVIEWED].given)
        read_reviewed(st);
}

static void add_class(void *ctx, const ct_stanza *st)
{
    struct reader *r = ctx;
    bag_schedule *s = r->schedule;
    ct_arena *a = s->arena;
    bag_class *c;

    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 32;
        s->v = ct_realloc(s->v, s->cap, sizeof(*s->v));
    }
    c = &s->v[s->n++];
    *c = (bag_class){.name = ct_arena_copy(a, st->id),
                     .pack = r->pack,
                     .title = ct_arena_copy(a, text_of(st, F_TITLE)),
                     .jurisdiction = ct_arena_copy(a, text_of(st, F_JURISDICTION)),
                     .authority = ct_arena_copy(a, text_of(st, F_AUTHORITY)),
                     .reviewed = ct_arena_copy(a, text_of(st, F_REVIEWED)),
                     .keep_text = ct_arena_copy(a, text_of(st, F_KEEP)),
                     .from_text = ct_arena_copy(a, text_of(st, F_FROM))};
    build_class(r, st, c);
}

/* ---- files ---- */

static const char *read_head(void *ctx, ct_str key, ct_str value)
{
    struct reader *r = ctx;
    ct_arena *a = r->schedule->arena;
    bag_pack *pack = &r->schedule->packs[r->pack];

    if (ct_str_is(key, "schedule"))
        pack->name = ct_arena_copy(a, value);
    else if (ct_str_is(key, "version"))
        pack->version = ct_arena_copy(a, value);
    else if (ct_str_is(key, "title"))
        pack->title = ct_arena_copy(a, value);
    else if (!ct_str_is(key, "include"))
        return "not class, define, schedule, version, title or include";
    else if (!bag_schedule_shipped(ct_arena_copy(a, value).p).p)
        return "no schedule of that name is built in";
    else
        load(r->schedule, ct_arena_copy(a, value).p, r->wrong, r->ctx);
    return NULL;
}

static bool is_taken(void *ctx, ct_str id)
{
    struct reader *r = ctx;

    for (size_t i = 0; i < r->schedule->n; i++)
        if (ct_str_eq(r->schedule->v[i].name, id))
            return true;
    return false;
}

static void tell_wrong(void *ctx, const ct_err *err)
{
    struct reader *r = ctx;

    r->wrong(r->ctx, err);
}

/* False where it was read before: files may include each other. */
static bool add_pack(bag_schedule *s, const char *name, ct_str text)
{
    uint8_t digest[CT_SHA256_LEN];
    bag_pack pack = {.name = ct_arena_copy(s->arena, ct_str_z(name)), .version = CT_S("0")};
    ct_buf hex = {0};

    ct_sha256(text, digest);
    ct_hex(&hex, digest, sizeof(digest));
    memcpy(pack.hash, hex.p, hex.n);
    ct_buf_free(&hex);
    for (size_t i = 0; i < s->npacks; i++)
        if (strcmp(s->packs[i].hash, pack.hash) == 0)
            return false;
    s->packs = ct_grow(s->packs, s->npacks, sizeof(*s->packs));
    s->packs[s->npacks++] = pack;
    return true;
}

static void parse(bag_schedule *s, const char *name, ct_str text, bag_wrong_fn *on_wrong, void *ctx)
{
    struct reader r = {
        .schedule = s, .file = name, .pack = s->npacks, .wrong = on_wrong, .ctx = ctx};
    const ct_stanzas file = {
        .model = s->model,
        .file = name,
        .word = "class",
        .fields = fields,
        .nfields = FIELDS,
        .head = read_head,
        .taken = is_taken,
        .stanza = add_class,
        .wrong = tell_wrong,
        .ctx = &r,
        .bad_id = "a class's name is made of small letters, digits and -, 64 at most",
        .taken_id = "a class of this name was there before",
        .outside = "indented less than the fields before, or outside a class",
    };

    if (add_pack(s, name, text))
        ct_stanzas_read(&file, text);
}

static bool is_path(const char *name)
{
    return strpbrk(name, "/.") != NULL;
}

static void load(bag_schedule *s, const char *name, bag_wrong_fn *on_wrong, void *ctx)
{
    ct_str shipped = {0};
    ct_buf text = {0};
    ct_err err = {0};

    if (!is_path(name))
        shipped = bag_schedule_shipped(name);
    if (shipped.p)
        parse(s, name, shipped, on_wrong, ctx);
    else if (!is_path(name))
        ct_fail(&err, CT_E_USAGE,
                "no schedule of that name is built in; a file has a / or . in it");
    else if (ct_slurp(name, SCHEDULE_MAX, &text, &err))
        parse(s, name, ct_buf_str(&text), on_wrong, ctx);
    if (err.kind != CT_OK) {
        err.file = name;
        on_wrong(ctx, &err);
    }
    ct_buf_free(&text);
}

bag_schedule *bag_schedule_load(const char *const *names, size_t n, bag_wrong_fn *on_wrong,
                                void *ctx)
{
    bag_schedule *s = ct_calloc(1, sizeof(*s));

    s->arena = ct_arena_new();
    s->model = ct_model_r4();
    for (size_t i = 0; i < n; i++)
        load(s, names[i], on_wrong, ctx);
    if (n == 0)
        load(s, "federal", on_wrong, ctx);
    return s;
}

void bag_schedule_free(bag_schedule *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++) {
        ct_path_free(s->v[i].where);
        ct_path_free(s->v[i].dates);
    }
    free(s->v);
    free(s->packs);
    ct_arena_free(s->arena);
    free(s);
}

bool bag_schedule_has(const bag_schedule *s, const char *name)
{
    for (size_t i = 0; i < s->npacks; i++)
        if (ct_str_is(s->packs[i].name, name))
            return true;
    return false;
}

ct_str bag_schedule_shipped(const char *name)
{
    ct_buf path = {0};
    const ct_datafile *f;

    ct_buf_printf(&path, "schedules/%s.retention", name);
    ct_buf_c(&path, '\0');
    f = ct_datafile_find(ct_cmd_data, path.p);
    ct_buf_free(&path);
    return f ? (ct_str){f->text, f->n} : (ct_str){0};
}

static void put_cells(ct_buf *b, const ct_str *cells, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < cells[i].n; k++)
            ct_buf_c(b, (unsigned char)cells[i].p[k] < ' ' ? ' ' : cells[i].p[k]);
        ct_buf_c(b, i + 1 < n ? '\t' : '\n');
    }
}

void bag_schedule_put_packs(ct_buf *b, const bag_schedule *s)
{
    for (size_t i = 0; i < s->npacks; i++) {
        const bag_pack *p = &s->packs[i];

        put_cells(b, (ct_str[]){p->name, p->version, ct_str_z(p->hash)}, 3);
    }
}

void bag_schedule_put_classes(ct_buf *b, const bag_schedule *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const bag_class *c = &s->v[i];

        put_cells(b,
                  (ct_str[]){c->name, c->keep_text, c->from_text, c->jurisdiction, c->authority,
                             c->reviewed, c->title},
                  7);
    }
}
