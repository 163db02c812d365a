#include "cmd/archive/versions.h"
#include "cmd/archive/index.h"

enum { TALLY_MAX = 4 * 1024 * 1024 };

void bag_versions_add(bag_versions *v, const char *what, ct_str name, ct_str version)
{
    ct_buf row = {0};

    ct_buf_c(&row, '\n');
    ct_buf_printf(&row, "%s\t", what);
    bag_cell_put(&row, name);
    ct_buf_c(&row, '\t');
    bag_cell_put(&row, version);
    ct_buf_c(&row, '\n');
    /* The rows begin with a line break, so that each has one before it. */
    if (v->rows.n == 0)
        ct_buf_c(&v->rows, '\n');
    if (ct_str_find(ct_buf_str(&v->rows), ct_buf_str(&row)) == SIZE_MAX)
        ct_buf_put(&v->rows, ct_str_from(ct_buf_str(&row), 1));
    ct_buf_free(&row);
}

static bool read_tally(bag_versions *v, const ct_doc *doc, ct_arena *a, ct_err *err)
{
    ct_val command = ct_member(doc, CT_ROOT, CT_S("command"));
    ct_val version = ct_member(doc, CT_ROOT, CT_S("version"));
    ct_val tables = ct_member(doc, CT_ROOT, CT_S("tables"));
    ct_str name[] = {CT_S("chart-"), {0}};

    if (command == CT_NONE || version == CT_NONE || tables == CT_NONE ||
        ct_type(doc, tables) != CT_OBJECT)
        return ct_fail(err, CT_E_DATA, "not a tally");
    name[1] = ct_text(doc, command, a);
    bag_versions_add(v, "program", ct_arena_join(a, name, 2), ct_text(doc, version, a));
    for (ct_val t = ct_first(doc, tables); t != CT_NONE; t = ct_next(doc, tables, t))
        bag_versions_add(v, "table", ct_key(doc, t), ct_text(doc, t, a));
    return true;
}

bool bag_versions_tally(bag_versions *v, const char *path, ct_err *err)
{
    ct_parser *parser = ct_parser_new(NULL);
    ct_arena *a = ct_arena_new();
    ct_buf text = {0};
    ct_doc doc;
    bool ok = ct_slurp(path, TALLY_MAX, &text, err) &&
              ct_parse(parser, ct_buf_str(&text), &doc, err) && read_tally(v, &doc, a, err);

    ct_buf_free(&text);
    ct_arena_free(a);
    ct_parser_free(parser);
    return ok;
}

bool bag_versions_put(const bag_versions *v, bag_writer *w, ct_err *err)
{
    static const char own[] = "what\tname\tversion\n"
                              "format\tBagIt\t1.0\n"
                              "format\tFHIR R4\t4.0.1\n"
                              "program\tchart-archive\t" CT_VERSION "\n";
    ct_spool *text = ct_spool_new();
    bool ok = ct_spool_put(text, CT_S(own), err) &&
              ct_spool_put(text, ct_str_from(ct_buf_str(&v->rows), 1), err) &&
              bag_writer_tag(w, "in-force.tsv", text, err);

    ct_spool_free(text);
    return ok;
}

void bag_versions_free(bag_versions *v)
{
    ct_buf_free(&v->rows);
}
