/* Cells of a table. In two steps: what a result is as text, so that it can be told from any other
 * result; then what TSV or CSV makes of that text. */
#include "cmd/path/path.h"

/* ---- results as text ---- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static ct_str without_space(ct_str s)
{
    while (s.n && is_space(s.p[0]))
        s = ct_str_from(s, 1);
    return s;
}

/* Does a reader that tries JSON have to read on to see that an array is none? Units of UCUM start
 * with [ and {, as [lb_av] and {score}: they are none at their second character. */
static bool starts_as_array(ct_str s)
{
    s = without_space(ct_str_from(s, 1));
    return s.n && (strchr("\"[{]-0123456789", s.p[0]) || ct_str_starts(s, CT_S("true")) ||
                   ct_str_starts(s, CT_S("false")) || ct_str_starts(s, CT_S("null")));
}

static bool starts_as_object(ct_str s)
{
    s = without_space(ct_str_from(s, 1));
    return s.n && (s.p[0] == '"' || s.p[0] == '}');
}

/* Could the text be taken for one of the cells that are JSON? */
static bool starts_as_json(ct_str s)
{
    s = without_space(s);
    if (s.n == 0)
        return false;
    return s.p[0] == '"' || (s.p[0] == '[' && starts_as_array(s)) ||
           (s.p[0] == '{' && starts_as_object(s));
}

/* Tab and line ends have their spelling in TSV and CSV; other control characters have none. */
static bool has_controls(ct_str s)
{
    bool found = false;

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        found |= ((c < ' ') & (c != '\t') & (c != '\n') & (c != '\r')) | (c == 0x7f);
    }
    return found;
}

static bool is_bare(ct_str s)
{
    return s.n && !has_controls(s) && !starts_as_json(s);
}

static bool is_structure(const ct_item *item)
{
    if (item->type == CT_I_NODE)
        return ct_type(item->doc, item->node) >= CT_ARRAY;
    return item->type == CT_I_QUANTITY || item->type == CT_I_TYPE;
}

/* A JSON array among FHIR's elements is none of FHIR; it is written as an array of that array, so
 * that it is not taken for several items. */
static bool is_array(const ct_item *item)
{
    return item->type == CT_I_NODE && ct_type(item->doc, item->node) == CT_ARRAY;
}

static void put_array(ct_buf *b, const ct_items *items)
{
    ct_buf_c(b, '[');
    for (size_t i = 0; i < items->n; i++) {
        if (i)
            ct_buf_c(b, ',');
        ct_item_put(b, &items->v[i]);
    }
    ct_buf_c(b, ']');
}

/* The text of a result; borrowed from the record, the arena or `scratch`. */
static ct_str result_text(const ct_items *items, ct_arena *a, ct_buf *scratch)
{
    scratch->n = 0;
    if (items->n == 0)
        return CT_S("");
    if (items->n > 1 || is_array(&items->v[0])) {
        put_array(scratch, items);
        return ct_buf_str(scratch);
    }
    if (!is_structure(&items->v[0])) {
        ct_str text = ct_item_text(&items->v[0], a);

        if (is_bare(text))
            return text;
    }
    ct_item_put(scratch, &items->v[0]);
    return ct_buf_str(scratch);
}

/* ---- text as TSV and CSV ---- */

/* The letter behind the backslash, 0 for a character that stands for itself. */
static char tsv_escape(char c)
{
    switch (c) {
    case '\t':
        return 't';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\\':
        return '\\';
    default:
        return 0;
    }
}

static void put_tsv(ct_buf *b, ct_str s)
{
    size_t from = 0;

    for (size_t i = 0; i < s.n; i++) {
        char letter = tsv_escape(s.p[i]);

        if (!letter)
            continue;
        ct_buf_put(b, (ct_str){s.p + from, i - from});
        ct_buf_c(b, '\\');
        ct_buf_c(b, letter);
        from = i + 1;
    }
    ct_buf_put(b, ct_str_from(s, from));
}

/* Does a cell need RFC 4180's quotes? Blanks at an end do not, but readers that trim are many. */
static bool needs_quotes(ct_str s)
{
    if (s.n && (s.p[0] == ' ' || s.p[s.n - 1] == ' '))
        return true;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == ',' || s.p[i] == '"' || s.p[i] == '\n' || s.p[i] == '\r')
            return true;
    return false;
}

static void put_csv(ct_buf *b, ct_str s)
{
    if (!needs_quotes(s)) {
        ct_buf_put(b, s);
        return;
    }
    ct_buf_c(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            ct_buf_c(b, '"');
        ct_buf_c(b, s.p[i]);
    }
    ct_buf_c(b, '"');
}

static void put_text(ct_buf *b, path_format format, ct_str s)
{
    if (format == PATH_CSV)
        put_csv(b, s);
    else
        put_tsv(b, s);
}

void path_cell_put(ct_buf *b, path_format format, const ct_items *items, ct_arena *a,
                   ct_buf *scratch)
{
    put_text(b, format, result_text(items, a, scratch));
}

void path_failed_put(ct_buf *b)
{
    ct_buf_z(b, "[null]");
}

void path_head_put(ct_buf *b, const path_query *q)
{
    for (size_t i = 0; i < q->n; i++) {
        if (i)
            ct_buf_c(b, q->format == PATH_CSV ? ',' : '\t');
        put_text(b, q->format, q->columns[i].name);
    }
    ct_buf_c(b, '\n');
}
