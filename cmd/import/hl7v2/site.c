/* A site's own mapping tables. */
#include "cmd/import/hl7v2/site.h"
#include "common/stream/stream.h"

#include <stdlib.h>

enum { SITE_MAX = 16 << 20 }; /* bytes of one file */

/* A table that a site changed or brought. */
typedef struct site_table {
    const char *path;       /* of the file that had it last */
    uint64_t shipped_lines; /* that stand before its rows */
} site_table;

struct import_site {
    ct_arena *arena;
    ct_datafile *files;
    site_table *tables; /* by file; path NULL: as shipped */
    size_t n, cap;
};

static void put_file(import_site *s, ct_datafile file, site_table table)
{
    if (s->n + 1 >= s->cap) {
        s->cap = s->cap ? 2 * s->cap : 256;
        s->files = ct_realloc(s->files, s->cap, sizeof *s->files);
        s->tables = ct_realloc(s->tables, s->cap, sizeof *s->tables);
    }
    s->files[s->n] = file;
    s->tables[s->n++] = table;
    s->files[s->n] = (ct_datafile){0};
}

import_site *import_site_new(const ct_datafile *shipped)
{
    import_site *s = ct_calloc(1, sizeof *s);

    s->arena = ct_arena_new();
    for (; shipped->name; shipped++)
        put_file(s, *shipped, (site_table){0});
    return s;
}

static size_t find_file(const import_site *s, ct_str name)
{
    size_t i = 0;

    while (i < s->n && !ct_str_is(name, s->files[i].name))
        i++;
    return i;
}

static uint64_t count_lines(ct_str text)
{
    uint64_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

/* ---- one table of a file ---- */

typedef struct section {
    ct_str name, rows;
    uint64_t line; /* that its rows begin after */
    bool more;
} section;

/* Blank lines ahead of the rows make their numbers those of the file. */
static ct_str with_lines_before(import_site *s, ct_str shipped, const section *k)
{
    ct_buf b = {0};

    ct_buf_put(&b, shipped);
    for (uint64_t i = 0; i < k->line; i++)
        ct_buf_c(&b, '\n');
    ct_buf_put(&b, k->rows);
    ct_str text = ct_arena_copy(s->arena, ct_buf_str(&b));
    ct_buf_free(&b);
    return text;
}

static bool refuse(ct_err *err, uint64_t line, const char *text)
{
    ct_fail(err, CT_E_USAGE, text);
    err->line = line;
    return false;
}

/* Of a folder of tables, or one of the three that are alone. */
static bool is_table_name(ct_str name)
{
    static const char *const folders[] = {"segments/", "datatypes/", "tables/"};
    static const char *const alone[] = {"messages.tsv", "types.tsv", "ignored.tsv"};

    for (size_t i = 0; i < CT_LEN(alone); i++)
        if (ct_str_is(name, alone[i]))
            return true;
    for (size_t i = 0; i < CT_LEN(folders); i++)
        if (ct_str_starts(name, ct_str_z(folders[i])) && ct_str_ends(name, CT_S(".tsv")))
            return true;
    return false;
}

static bool add_section(import_site *s, const char *path, const section *k, ct_err *err)
{
    ct_str name = ct_arena_printf(s->arena, "hl7v2/%.*s", (int)k->name.n, k->name.p);
    size_t i = find_file(s, name);
    ct_str shipped = {"", 0};

    if (!is_table_name(k->name))
        return refuse(err, k->line, "not the name of a mapping table");
    if (k->more && i == s->n)
        return refuse(err, k->line, "more rows for a table that is not there");
    if (k->more)
        shipped = (ct_str){s->files[i].text, s->files[i].n};
    ct_str text = with_lines_before(s, shipped, k);
    ct_datafile file = {name.p, text.p, text.n};
    site_table table = {path, count_lines(shipped)};
    if (i == s->n) {
        put_file(s, file, table);
    } else {
        s->files[i] = file;
        s->tables[i] = table;
    }
    return true;
}

/* Does a table begin here? */
static bool starts_section(ct_str line, section *k)
{
    k->more = ct_str_starts(line, CT_S("more "));
    if (!k->more && !ct_str_starts(line, CT_S("file ")))
        return false;
    k->name = ct_str_trim(ct_str_from(line, 5));
    return true;
}

static bool add_text(import_site *s, const char *path, ct_str text, ct_err *err)
{
    section k = {0}, next;
    bool open = false;
    uint64_t line = 0;

    for (ct_str rest = text; rest.p;) {
        ct_str one = ct_str_cut(&rest, '\n');
        line++;
        if (starts_section(one, &next)) {
            if (open && !add_section(s, path, &k, err))
                return false;
            open = true;
            k = next;
            k.line = line;
            k.rows = (ct_str){rest.p ? rest.p : one.p + one.n, 0};
        } else if (open) {
            k.rows.n = (size_t)(one.p + one.n - k.rows.p);
        } else if (ct_str_trim(one).n && *one.p != '#') {
            return refuse(err, line, "rows before a table's name: file NAME or more NAME");
        }
    }
    if (!open)
        return refuse(err, 0, "no table in it: file NAME or more NAME begins one");
    return add_section(s, path, &k, err);
}

bool import_site_add(import_site *s, const char *path, ct_err *err)
{
    ct_buf text = {0};
    bool ok = ct_slurp(path, SITE_MAX, &text, err);

    if (ok) { /* names and rows point into the text while it is read, and are copied */
        ok = add_text(s, path, ct_buf_str(&text), err);
        err->file = path;
    }
    ct_buf_free(&text);
    return ok;
}

const ct_datafile *import_site_files(const import_site *s)
{
    return s->files;
}

void import_site_locate(const import_site *s, ct_err *err)
{
    size_t i = err->file ? find_file(s, ct_str_z(err->file)) : s->n;

    if (i == s->n || !s->tables[i].path || err->line <= s->tables[i].shipped_lines)
        return;
    err->file = s->tables[i].path;
    err->line -= s->tables[i].shipped_lines;
}

void import_site_free(import_site *s)
{
    if (!s)
        return;
    ct_arena_free(s->arena);
    free(s->files);
    free(s->tables);
    free(s);
}
