#include "cmd/archive/attach.h"
#include "cmd/archive/base64.h"
#include "cmd/archive/index.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>

extern const ct_datafile ct_cmd_data[];

/* ---- of one chart ---- */

typedef struct finder {
    bag_attached *found;
    const ct_doc *doc;
    ct_arena *arena;
    uint64_t record;
    ct_buf path;
} finder;

/* By the media type without its parameters. */
static ct_str suffix_of(ct_str media)
{
    const ct_datafile *file = ct_datafile_find(ct_cmd_data, "media.tsv");
    ct_str rest = {file->text, file->n}, cols[2];

    media = ct_str_trim(ct_str_cut(&media, ';'));
    while (ct_tsv_next(&rest, cols, 2, NULL) == 2)
        if (ct_str_eq(cols[0], media))
            return cols[1];
    return CT_S("bin");
}

static ct_str member_text(const finder *f, ct_val obj, ct_str name)
{
    ct_val v = ct_member(f->doc, obj, name);

    return v != CT_NONE && ct_type(f->doc, v) == CT_STRING ? ct_text(f->doc, v, f->arena)
                                                           : CT_S("");
}

static void add_attachment(finder *f, ct_val attachment, ct_str base64)
{
    bag_attached *a = f->found;
    bag_attachment x = {.record = f->record, .at = a->bytes.n, .path = a->texts.n};

    ct_buf_put(&a->texts, ct_buf_str(&f->path));
    x.npath = a->texts.n - x.path;
    x.corrupt = !bag_base64(&a->bytes, base64);
    x.n = a->bytes.n - x.at;
    if (!x.corrupt) {
        bag_sums_take(&a->sums, ct_str_from(ct_buf_str(&a->bytes), x.at));
        memcpy(x.digest256, a->sums.digest256, sizeof(x.digest256));
        memcpy(x.digest512, a->sums.digest512, sizeof(x.digest512));
        x.name = a->texts.n;
        ct_buf_z(&a->texts, "data/attachments/");
        ct_hex(&a->texts, x.digest256, sizeof(x.digest256));
        ct_buf_c(&a->texts, '.');
        ct_buf_put(&a->texts, suffix_of(member_text(f, attachment, CT_S("contentType"))));
        x.nname = a->texts.n - x.name;
        ct_buf_c(&a->texts, '\0');
    }
    if (a->n == a->cap) {
        a->cap = a->cap ? 2 * a->cap : 16;
        a->v = ct_realloc(a->v, a->cap, sizeof(*a->v));
    }
    a->v[a->n++] = x;
}

static void find(finder *f, ct_val v, const ct_ftype *type);

static void find_in_object(finder *f, ct_val v, const ct_ftype *type)
{
    const ct_ftype *own = ct_model_type(ct_model_r4(), member_text(f, v, CT_S("resourceType")));
    size_t path = f->path.n;

    type = own ? own : type;
    if (type && (ct_str_is(type->name, "Attachment") || ct_str_is(type->name, "Binary"))) {
        ct_val data = ct_member(f->doc, v, CT_S("data"));

        if (data != CT_NONE && ct_type(f->doc, data) == CT_STRING)
            add_attachment(f, v, ct_text(f->doc, data, f->arena));
    }
    for (ct_val m = ct_first(f->doc, v); m != CT_NONE; m = ct_next(f->doc, v, m)) {
        const ct_ftype *inner = NULL;
        ct_str key = ct_key(f->doc, m);
        const ct_felement *e = type ? ct_model_element(type, key, &inner) : NULL;

        if (ct_type(f->doc, m) != CT_OBJECT && ct_type(f->doc, m) != CT_ARRAY)
            continue;
        if (path)
            ct_buf_c(&f->path, '.');
        ct_buf_put(&f->path, key);
        find(f, m, inner ? inner : e && e->ntypes == 1 ? e->types[0] : NULL);
        f->path.n = path;
    }
}

static void find(finder *f, ct_val v, const ct_ftype *type)
{
    size_t path = f->path.n, number = 0;

    if (ct_type(f->doc, v) == CT_OBJECT)
        find_in_object(f, v, type);
    if (ct_type(f->doc, v) != CT_ARRAY)
        return;
    for (ct_val i = ct_first(f->doc, v); i != CT_NONE; i = ct_next(f->doc, v, i)) {
        ct_buf_printf(&f->path, "[%zu]", number++);
        find(f, i, type);
        f->path.n = path;
    }
}

void bag_attached_find(bag_attached *a, const ct_chart *chart, ct_arena *arena)
{
    finder f = {.found = a, .arena = arena};

    a->n = a->bytes.n = a->texts.n = 0;
    for (size_t i = 0; i < chart->n; i++) {
        f.doc = &chart->records[i].doc;
        f.record = i + 1;
        find(&f, CT_ROOT, NULL);
    }
    ct_buf_free(&f.path);
}

void bag_attached_free(bag_attached *a)
{
    ct_buf_free(&a->bytes);
    ct_buf_free(&a->texts);
    bag_sums_free(&a->sums);
    free(a->v);
}

/* ---- of a bag ---- */

struct bag_attach {
    sqlite3 *db; /* the names of the files that are in the bag; spills to $TMPDIR */
    sqlite3_stmt *add;
    ct_spool *index;
};

bag_attach *bag_attach_new(ct_err *err)
{
    bag_attach *b = ct_calloc(1, sizeof(*b));

    b->index = ct_spool_new();
    if (sqlite3_open("", &b->db) == SQLITE_OK &&
        sqlite3_exec(b->db,
                     "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                     "CREATE TABLE file (name TEXT PRIMARY KEY) WITHOUT ROWID; BEGIN",
                     NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(b->db, "INSERT OR IGNORE INTO file VALUES (?1)", -1, &b->add, NULL) ==
            SQLITE_OK &&
        ct_spool_put(b->index, CT_S("records\tline\telement\tfile\tbytes\n"), err))
        return b;
    ct_fail(err, CT_E_IO, "cannot keep notes in $TMPDIR");
    bag_attach_free(b);
    return NULL;
}

static bool is_new(bag_attach *b, const char *name, bool *new, ct_err *err)
{
    bool ok;

    sqlite3_bind_text(b->add, 1, name, -1, SQLITE_STATIC);
    ok = sqlite3_step(b->add) == SQLITE_DONE;
    *new = sqlite3_changes(b->db) > 0;
    sqlite3_reset(b->add);
    return ok || ct_fail(err, CT_E_IO, "cannot keep notes in $TMPDIR");
}

static bool put_file(bag_attach *b, bag_attached *a, const bag_attachment *x, bag_writer *w,
                     ct_err *err)
{
    const char *name = a->texts.p + x->name;
    ct_str bytes = ct_str_head(ct_str_from(ct_buf_str(&a->bytes), x->at), x->n);
    bool new;

    if (!is_new(b, name, &new, err))
        return false;
    memcpy(a->sums.digest256, x->digest256, sizeof(x->digest256));
    memcpy(a->sums.digest512, x->digest512, sizeof(x->digest512));
    return !new ||
           bag_writer_payload(w, name, bytes, &a->sums, &(bag_holds){.attachment = true}, err);
}

static bool put_row(bag_attach *b, const bag_attached *a, const bag_attachment *x, ct_str path,
                    ct_err *err)
{
    ct_str element = {a->texts.p + x->path, x->npath};
    ct_buf row = {0};
    bool ok;

    ct_buf_put(&row, path);
    ct_buf_printf(&row, "\t%" PRIu64 "\t", x->record);
    bag_cell_put(&row, element);
    ct_buf_c(&row, '\t');
    ct_buf_put(&row, x->corrupt ? CT_S("-") : (ct_str){a->texts.p + x->name, x->nname});
    ct_buf_printf(&row, "\t%zu\n", x->n);
    ok = ct_spool_put(b->index, ct_buf_str(&row), err);
    ct_buf_free(&row);
    return ok;
}

bool bag_attach_put(bag_attach *b, bag_attached *a, bag_writer *w, ct_str path, uint64_t *corrupt,
                    ct_err *err)
{
    for (size_t i = 0; i < a->n; i++) {
        *corrupt += a->v[i].corrupt;
        if ((!a->v[i].corrupt && !put_file(b, a, &a->v[i], w, err)) ||
            !put_row(b, a, &a->v[i], path, err))
            return false;
    }
    return true;
}

bool bag_attach_index(bag_attach *b, bag_writer *w, ct_err *err)
{
    return bag_writer_tag(w, "attachments.tsv", b->index, err);
}

void bag_attach_free(bag_attach *b)
{
    if (!b)
        return;
    sqlite3_finalize(b->add);
    sqlite3_close(b->db);
    ct_spool_free(b->index);
    free(b);
}
