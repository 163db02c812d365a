/* A block of FHIR JSON: value after value, whatever white space and lines they are written in. */
#include "cmd/import/fhir/fhir.h"

#include <stdlib.h>

static import_fhir_tools *tools_new(const import_setup *setup)
{
    const ct_names *names = ct_model_names(setup->model);
    import_fhir_tools *t = ct_calloc(1, sizeof *t);

    t->parser = ct_parser_new(names);
    t->inner = ct_parser_new(names);
    t->edit = ct_edit_new();
    t->resource_type = ct_names_find(names, CT_S("resourceType"));
    t->reference = ct_names_find(names, CT_S("reference"));
    t->id = ct_names_find(names, CT_S("id"));
    t->entry = ct_names_find(names, CT_S("entry"));
    t->resource = ct_names_find(names, CT_S("resource"));
    t->full_url = ct_names_find(names, CT_S("fullUrl"));
    return t;
}

void import_fhir_tools_free(import_fhir_tools *t)
{
    if (!t)
        return;
    ct_parser_free(t->parser);
    ct_parser_free(t->inner);
    ct_edit_free(t->edit);
    ct_buf_free(&t->compact);
    ct_buf_free(&t->edited);
    free(t);
}

static uint64_t count_lines(ct_str text)
{
    uint64_t n = 0;
    const char *p = text.p, *end = text.p + text.n;
    while ((p = memchr(p, '\n', (size_t)(end - p)))) {
        n++;
        p++;
    }
    return n;
}

/* ---- one value ---- */

ct_str import_resource_kind(const import_setup *setup, import_block *b, const ct_doc *doc, ct_val v)
{
    ct_val type =
        ct_type(doc, v) == CT_OBJECT ? ct_member_id(doc, v, b->fhir->resource_type) : CT_NONE;

    if (type == CT_NONE || ct_type(doc, type) != CT_STRING)
        return CT_S("");
    const ct_ftype *t = ct_model_type(setup->model, ct_text(doc, type, b->arena));
    return t && t->kind == CT_F_RESOURCE && !t->abstract ? t->name : CT_S("");
}

void import_record_put(import_block *b, const ct_doc *doc, ct_val v, ct_str kind)
{
    ct_str raw = ct_raw(doc, v);

    ct_side_add(&b->in, raw, kind);
    if (memchr(raw.p, '\n', raw.n)) {
        b->fhir->compact.n = 0;
        ct_put_compact(&b->fhir->compact, doc, v);
        raw = ct_buf_str(&b->fhir->compact);
        b->changed++;
    }
    ct_lines_add(&b->lines, raw, kind);
}

bool import_resource_put(const import_setup *setup, import_block *b, const ct_doc *doc,
                         uint64_t line, ct_err *err)
{
    ct_str kind = import_resource_kind(setup, b, doc, CT_ROOT);

    if (ct_str_is(kind, "Bundle"))
        import_bundle_put(setup, b, doc, line);
    else if (kind.n)
        import_record_put(b, doc, CT_ROOT, kind);
    else {
        if (ct_resource_check(setup->model, doc, err))
            ct_fail(err, CT_E_DATA, "not a resource that can stand alone");
        return false;
    }
    return true;
}

/* ---- where things are ---- */

typedef struct cursor {
    ct_str text; /* the block */
    size_t at;
    uint64_t line; /* of `at`, from 0 */
} cursor;

static ct_str here(const cursor *c)
{
    return ct_str_from(c->text, c->at);
}

static void forward(cursor *c, size_t to)
{
    c->line += count_lines((ct_str){c->text.p + c->at, to - c->at});
    c->at = to;
}

static size_t line_end(const cursor *c)
{
    const char *end = memchr(c->text.p + c->at, '\n', c->text.n - c->at);
    return end ? (size_t)(end - c->text.p) : c->text.n;
}

/* Over white space, byte order and record separator marks, and lines that tell a reason. */
static void skip_between(cursor *c)
{
    while (c->at < c->text.n) {
        char ch = c->text.p[c->at];
        if (ch == '\n' || ch == ' ' || ch == '\t' || ch == '\r' || ch == '\x1e')
            forward(c, c->at + 1);
        else if (ct_str_starts(here(c), CT_S("\xef\xbb\xbf")))
            forward(c, c->at + 3);
        else if (import_is_reason(here(c)))
            forward(c, line_end(c));
        else
            return;
    }
}

/* ---- what is broken ---- */

/* To the next line that begins with a brace: what comes there may be whole again. */
static size_t recovery(const cursor *c)
{
    for (size_t i = c->at + 1; i < c->text.n; i++)
        if (c->text.p[i] == '{' && c->text.p[i - 1] == '\n')
            return i;
    return c->text.n;
}

/* `err->offset` counts from the value's start: to the line it is in, and from there. */
static void place(const cursor *c, ct_err *err)
{
    ct_str before = ct_str_head(here(c), err->offset);

    err->line = c->line + count_lines(before);
    for (size_t i = before.n; i-- > 0;)
        if (before.p[i] == '\n') {
            err->offset = before.n - i - 1;
            break;
        }
}

static void refuse(import_block *b, cursor *c, ct_err *err, size_t to)
{
    place(c, err);
    import_block_problem(b, err, (ct_str){c->text.p + c->at, to - c->at}, false);
    forward(c, to);
}

/* ---- the block ---- */

/* The value at the cursor: a line where it is one, else as far as its brackets go. */
static bool parse_value(import_block *b, const cursor *c, ct_doc *doc, size_t *length, ct_err *err)
{
    ct_str line = ct_str_trim((ct_str){c->text.p + c->at, line_end(c) - c->at});

    *length = line.n;
    if (line.p[line.n - 1] == '}' && ct_parse(b->fhir->parser, line, doc, err))
        return true;
    size_t n = import_value_length(here(c));
    if (n == 0) { /* the parser says what is wrong with it */
        ct_str rest = ct_str_trim((ct_str){here(c).p, recovery(c) - c->at});
        return ct_parse(b->fhir->parser, rest, doc, err);
    }
    *length = n;
    return ct_parse(b->fhir->parser, ct_str_head(here(c), n), doc, err);
}

static void take_value(const import_setup *setup, import_block *b, cursor *c)
{
    ct_err err = {0};
    ct_doc doc;
    size_t length;

    if (*here(c).p != '{') {
        ct_fail(&err, CT_E_DATA, "not a JSON object");
        refuse(b, c, &err, recovery(c));
    } else if (parse_value(b, c, &doc, &length, &err)) {
        if (import_resource_put(setup, b, &doc, c->line, &err))
            forward(c, c->at + length);
        else
            refuse(b, c, &err, c->at + length);
    } else if (err.kind == CT_E_CUT && b->last && recovery(c) == c->text.n) {
        ct_fail(&err, CT_E_CUT, "the input ends inside a value");
        err.line = c->line;
        import_block_problem(b, &err, here(c), true);
        forward(c, c->text.n);
    } else {
        refuse(b, c, &err, recovery(c));
    }
}

void import_fhir_work(const import_setup *setup, import_block *b)
{
    cursor c = {.text = ct_buf_str(&b->text)};

    if (!b->fhir)
        b->fhir = tools_new(setup);
    for (skip_between(&c); c.at < c.text.n; skip_between(&c))
        take_value(setup, b, &c);
    b->nlines = c.line;
}
