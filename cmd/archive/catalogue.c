/* Bags on their way into the catalogue. */
#include "cmd/archive/catalogue.h"
#include "cmd/archive/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DAY = sizeof("2000-01-01") - 1 };

/* ---- a person ---- */

void bag_person_reset(bag_person *p)
{
    if (!p->arena)
        p->arena = ct_arena_new();
    ct_arena_reset(p->arena);
    p->born = (ct_str){"", 0};
    p->nnames = p->nnumbers = p->nlinks = 0;
}

void bag_person_free(bag_person *p)
{
    ct_arena_free(p->arena);
    free(p->names);
    free(p->numbers);
    free(p->links);
    *p = (bag_person){0};
}

static void add_name(bag_person *p, ct_str name)
{
    if (!name.n)
        return;
    if (p->nnames == p->names_cap) {
        p->names_cap = p->names_cap ? 2 * p->names_cap : 4;
        p->names = ct_realloc(p->names, p->names_cap, sizeof(*p->names));
    }
    p->names[p->nnames++] = ct_arena_copy(p->arena, name);
}

/* Family name, comma, given names. */
static void add_parts(bag_person *p, const ct_doc *doc, ct_val name)
{
    ct_val given = ct_member(doc, name, CT_S("given"));
    const char *before = ", ";
    ct_buf b = {0};

    ct_buf_put(&b, ct_text_at(doc, name, "family", p->arena));
    if (given != CT_NONE && ct_type(doc, given) == CT_ARRAY)
        for (ct_val v = ct_first(doc, given); v != CT_NONE; v = ct_next(doc, given, v)) {
            ct_buf_z(&b, b.n ? before : "");
            ct_buf_put(&b, ct_text(doc, v, p->arena));
            before = " ";
        }
    add_name(p, ct_buf_str(&b));
    ct_buf_free(&b);
}

static void add_number(bag_person *p, const ct_doc *doc, ct_val identifier)
{
    ct_number n = {ct_text_at(doc, identifier, "system", p->arena),
                   ct_text_at(doc, identifier, "value", p->arena)};

    if (!n.value.n)
        return;
    if (p->nnumbers == p->numbers_cap) {
        p->numbers_cap = p->numbers_cap ? 2 * p->numbers_cap : 4;
        p->numbers = ct_realloc(p->numbers, p->numbers_cap, sizeof(*p->numbers));
    }
    p->numbers[p->nnumbers++] =
        (ct_number){ct_arena_copy(p->arena, n.system), ct_arena_copy(p->arena, n.value)};
}

static void add_link(bag_person *p, const ct_doc *doc, ct_val link)
{
    ct_str patient = ct_text_at(doc, CT_ROOT, "id", p->arena);
    ct_ref ref;

    if (!patient.n || !ct_ref_parse(ct_text_at(doc, link, "other.reference", p->arena), &ref) ||
        ref.contained || (ref.type.n && !ct_str_is(ref.type, "Patient")))
        return;
    if (p->nlinks == p->links_cap) {
        p->links_cap = p->links_cap ? 2 * p->links_cap : 4;
        p->links = ct_realloc(p->links, p->links_cap, sizeof(*p->links));
    }
    p->links[p->nlinks++] =
        (ct_link){ct_arena_copy(p->arena, patient), ct_arena_copy(p->arena, ref.id)};
}

void bag_person_add(bag_person *p, const ct_doc *doc)
{
    ct_val links = ct_member(doc, CT_ROOT, CT_S("link"));
    ct_val names = ct_member(doc, CT_ROOT, CT_S("name"));
    ct_val numbers = ct_member(doc, CT_ROOT, CT_S("identifier"));
    ct_str born = ct_text_at(doc, CT_ROOT, "birthDate", p->arena);
    ct_date date;

    if (names != CT_NONE && ct_type(doc, names) == CT_ARRAY)
        for (ct_val v = ct_first(doc, names); v != CT_NONE; v = ct_next(doc, names, v)) {
            add_parts(p, doc, v);
            add_name(p, ct_text_at(doc, v, "text", p->arena));
        }
    if (numbers != CT_NONE && ct_type(doc, numbers) == CT_ARRAY)
        for (ct_val v = ct_first(doc, numbers); v != CT_NONE; v = ct_next(doc, numbers, v))
            add_number(p, doc, v);
    if (links != CT_NONE && ct_type(doc, links) == CT_ARRAY)
        for (ct_val v = ct_first(doc, links); v != CT_NONE; v = ct_next(doc, links, v))
            add_link(p, doc, v);
    if (ct_date_parse(born, &date))
        p->born = ct_arena_copy(p->arena, born);
}

/* ---- a chart ---- */

bool bag_catalogue_chart(ct_db *db, const bag_chart_facts *c, ct_err *err)
{
    ct_buf first = {0}, last = {0};
    bool ok;

    if (c->span->any) {
        bag_day_put(&first, c->span->first);
        bag_day_put(&last, c->span->last);
    }
    ok = ct_bag_chart(db,
                      &(ct_bagged){.path = c->path,
                                   .patient = c->id,
                                   .born = c->person->born,
                                   .first = ct_buf_str(&first),
                                   .last = ct_buf_str(&last),
                                   .destroy_after = c->destroy_after,
                                   .records = c->records,
                                   .bytes = c->bytes,
                                   .names = c->person->names,
                                   .nnames = c->person->nnames,
                                   .numbers = c->person->numbers,
                                   .nnumbers = c->person->nnumbers,
                                   .links = c->person->links,
                                   .nlinks = c->person->nlinks},
                      err);
    ct_buf_free(&first);
    ct_buf_free(&last);
    return ok;
}

/* ---- a bag ---- */

/* What bag-info.txt says under a label. */
typedef struct field {
    const char *label;
    bool here; /* the line that goes by may be folded into the next */
    ct_buf value;
} field;

static void take_line(void *ctx, ct_str line, uint64_t number)
{
    field *f = ctx;
    bool folded = line.n && (line.p[0] == ' ' || line.p[0] == '\t');
    ct_str value = line, key = folded ? (ct_str){"", 0} : ct_str_trim(ct_str_cut(&value, ':'));

    (void)number;
    if (!folded)
        f->here = value.p && key.n == strlen(f->label) && strncasecmp(key.p, f->label, key.n) == 0;
    value = ct_str_trim(value);
    if (!f->here || !value.n)
        return;
    if (f->value.n)
        ct_buf_z(&f->value, folded ? " " : ", ");
    ct_buf_put(&f->value, value);
}

/* The value of a label, empty where there is none. All of them where it is there more than once, so
 * that two days are never taken for one. */
static ct_str info_value(ct_arena *arena, ct_str info, const char *label)
{
    field f = {.label = label};
    bag_lines lines = {0};
    ct_str value;

    bag_lines_add(&lines, info, take_line, &f);
    bag_lines_end(&lines, take_line, &f);
    value = ct_arena_copy(arena, ct_buf_str(&f.value));
    ct_buf_free(&lines.part);
    ct_buf_free(&f.value);
    return value;
}

/* A day, or nothing. */
static ct_str day_of(ct_str text)
{
    ct_date d;

    return ct_date_parse(text, &d) && d.precision == CT_P_DAY ? text : (ct_str){"", 0};
}

/* What it is called without folders and suffix, and what it is packed in. */
static void put_name(ct_buf *name, ct_str *packing, const char *path, bool folder)
{
    static const char *const words[] = {[BAG_FOLDER] = "folder",
                                        [BAG_TAR] = "tar",
                                        [BAG_TAR_GZ] = "tar.gz",
                                        [BAG_TAR_ZST] = "tar.zst",
                                        [BAG_ZIP] = "zip"};
    const char *slash = strrchr(path, '/');
    ct_str base = ct_str_z(slash ? slash + 1 : path);
    bag_packing how = BAG_FOLDER;

    *packing = CT_S("other");
    if (folder)
        *packing = ct_str_z(words[BAG_FOLDER]);
    else if (bag_packing_of(path, &how, &base) && how != BAG_FOLDER)
        *packing = ct_str_z(words[how]);
    ct_buf_put(name, base);
}

static bool enter_at(ct_db *db, const bag_facts *f, const char *path, const struct stat *st,
                     ct_entered *entered, ct_err *err)
{
    bool folder = S_ISDIR(st->st_mode);
    ct_arena *a = ct_arena_new();
    ct_str range = info_value(a, f->info, "Date-Range"), packing;
    uint64_t records = f->records;
    ct_buf name = {0};
    bool ok;

    if (!ct_str_u64(info_value(a, f->info, "Record-Count"), &records))
        records = f->records;
    put_name(&name, &packing, path, folder);
    ok = ct_bag_enter(db,
                      &(ct_bag){.hash = ct_str_z(f->identity),
                                .name = ct_buf_str(&name),
                                .first = day_of(ct_str_head(range, DAY)),
                                .last = day_of(ct_str_from(range, DAY + strlen(" to "))),
                                .retention = info_value(a, f->info, "Retention-Class"),
                                .authority = info_value(a, f->info, "Retention-Authority"),
                                .destroy_after = info_value(a, f->info, "Destroy-After"),
                                .records = records,
                                .bytes = f->bytes},
                      &(ct_copy){.path = ct_str_z(path),
                                 .packing = packing,
                                 .size = folder ? f->bytes : (uint64_t)st->st_size,
                                 .result = f->result},
                      entered, err);
    ct_buf_free(&name);
    ct_arena_free(a);
    return ok;
}

ct_db *bag_catalogue_open(const char *path, ct_err *err)
{
    if (access(path, F_OK) != 0) {
        ct_fail_sys(err, errno, "cannot open the database");
        return NULL;
    }
    return ct_db_open(path, err);
}

char *bag_catalogue_path(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char *whole = realpath(path, NULL), *folder;
    ct_buf b = {0};

    if (whole)
        return whole;
    ct_buf_put(&b, slash ? (ct_str){path, (size_t)(slash - path) + 1} : CT_S("."));
    ct_buf_c(&b, '\0');
    folder = realpath(b.p, NULL);
    b.n = 0;
    if (folder)
        ct_buf_printf(&b, "%s%s%s", folder, strcmp(folder, "/") == 0 ? "" : "/", name);
    else
        ct_buf_z(&b, path);
    ct_buf_c(&b, '\0');
    free(folder);
    return b.p;
}

bool bag_catalogue_enter(ct_db *db, const bag_facts *f, ct_entered *entered, ct_err *err)
{
    struct stat st;
    char *path = bag_catalogue_path(f->path);
    bool ok;

    if (stat(path, &st) != 0)
        ok = ct_fail_sys(err, errno, "cannot tell where it is");
    else
        ok = enter_at(db, f, path, &st, entered, err);
    free(path);
    return ok;
}
