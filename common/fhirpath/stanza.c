/* Files of stanzas, line by line. All that is wrong is reported, not just the first. */
#include "common/fhirpath/internal.h"

#include <stdlib.h>

/* A file being read. */
struct reader {
    const ct_stanzas *of;
    uint64_t line;
    ct_defines defines;
    ct_placed *open; /* what a deeper line continues, or NULL */
    size_t indent;   /* of the fields of the stanza */
    bool in_stanza;
    ct_stanza stanza;
    bool in_define;
    ct_str define_name;
    ct_placed define_text;
};

static void wrong_at(const struct reader *r, uint64_t line, size_t column, const char *text)
{
    ct_err err;

    ct_fail_at(&err, CT_E_DATA, text, "column %llu", (unsigned long long)column);
    err.file = r->of->file;
    err.line = line;
    r->of->wrong(r->of->ctx, &err);
}

static void wrong(const struct reader *r, size_t column, const char *text)
{
    wrong_at(r, r->line, column, text);
}

void ct_stanza_wrong(const ct_stanza *s, const ct_placed *t, size_t offset, ct_errkind kind,
                     const char *text)
{
    struct ct_piece place = ct_placed_place(t, offset);
    ct_err err;

    ct_fail_at(&err, kind, text, "column %llu", (unsigned long long)place.column);
    err.file = s->of->file;
    err.line = place.line;
    s->of->wrong(s->of->ctx, &err);
}

ct_path *ct_stanza_compile(const ct_stanza *s, const ct_placed *t, size_t at, const ct_ftype *on)
{
    ct_placed expr = ct_placed_from(t, at);
    ct_path *p = NULL;
    ct_err err = {0};

    if (expr.text.n == 0)
        ct_stanza_wrong(s, &expr, 0, CT_E_DATA, "an expression is missing");
    else if (!(p = ct_path_compile_on(s->of->model, on, ct_buf_str(&expr.text), &err)))
        ct_stanza_wrong(s, &expr, (size_t)err.offset, CT_E_DATA, err.text);
    ct_placed_free(&expr);
    return p;
}

const ct_ftype *ct_stanza_applies(const ct_stanza *s, const ct_placed *t, ct_path **where)
{
    size_t at = 0, second;
    ct_str type = ct_placed_word(t, &at);
    const ct_ftype *on = NULL;

    *where = NULL;
    if (!ct_str_is(type, "chart")) {
        on = ct_model_type(s->of->model, type);
        if (!on || on->kind != CT_F_RESOURCE || on->abstract) {
            ct_stanza_wrong(s, t, 0, CT_E_DATA, "neither a resource type of FHIR R4 nor chart");
            return NULL;
        }
    }
    if (at >= t->text.n)
        return on;
    second = at;
    if (!ct_str_is(ct_placed_word(t, &at), "where"))
        ct_stanza_wrong(s, t, second, CT_E_DATA, "where is missing");
    else
        *where = ct_stanza_compile(s, t, at, on);
    return on;
}

static bool expand(struct reader *r, ct_placed *t)
{
    ct_placed out = {0};
    bool ok = ct_expand(&r->defines, t, &out);

    if (!ok)
        ct_stanza_wrong(&r->stanza, t, 0, CT_E_LIMIT, "the expression grows too long");
    ct_placed_free(t);
    *t = out;
    return ok;
}

static void end_define(struct reader *r)
{
    if (!r->in_define)
        return;
    r->in_define = false;
    if (r->define_text.text.n == 0)
        ct_stanza_wrong(&r->stanza, &r->define_text, 0, CT_E_DATA, "an expression is missing");
    else if (expand(r, &r->define_text)) {
        /* Compiled once for the error's sake, for no type, as any stanza may use it: a mistake is
         * reported where it is made. */
        ct_path_free(ct_stanza_compile(&r->stanza, &r->define_text, 0, NULL));
        if (!ct_define_add(&r->defines, r->define_name, &r->define_text))
            ct_stanza_wrong(&r->stanza, &r->define_text, 0, CT_E_DATA,
                            "the name is taken, or no name of letters, digits and _");
    }
    ct_placed_free(&r->define_text);
}

/* A stanza that is wrong is given like any other: nothing is run once something was wrong. */
static void end_stanza(struct reader *r)
{
    const ct_stanzas *of = r->of;

    if (!r->in_stanza)
        return;
    for (size_t f = 0; f < of->nfields; f++) {
        if (!r->stanza.fields[f].given && of->fields[f].missing)
            wrong_at(r, r->stanza.line, 1, of->fields[f].missing);
        if (of->fields[f].expression && r->stanza.fields[f].given)
            expand(r, &r->stanza.fields[f]);
    }
    of->stanza(of->ctx, &r->stanza);
    for (size_t f = 0; f < of->nfields; f++)
        ct_placed_free(&r->stanza.fields[f]);
    r->in_stanza = false;
}

static bool id_ok(ct_str id)
{
    for (size_t i = 0; i < id.n; i++)
        if (!((id.p[i] >= 'a' && id.p[i] <= 'z') || (id.p[i] >= '0' && id.p[i] <= '9') ||
              id.p[i] == '-'))
            return false;
    return id.n > 0 && id.n <= 64;
}

static void start_stanza(struct reader *r, ct_str id, size_t column)
{
    r->in_stanza = true;
    r->stanza.id = id;
    r->stanza.line = r->line;
    r->indent = 0;
    if (!id_ok(id))
        wrong(r, column, r->of->bad_id);
    else if (r->of->taken(r->of->ctx, id))
        wrong(r, column, r->of->taken_id);
}

static void start_define(struct reader *r, ct_str value, size_t column)
{
    size_t n = 0;

    while (n < value.n && value.p[n] != ' ' && value.p[n] != '\t')
        n++;
    r->in_define = true;
    r->define_name = ct_str_head(value, n);
    r->open = &r->define_text;
    value = ct_str_from(value, n);
    while (value.n && (value.p[0] == ' ' || value.p[0] == '\t')) {
        value = ct_str_from(value, 1);
        n++;
    }
    ct_placed_add(&r->define_text, value, r->line, column + n, false);
}

/* A line that starts at column 1. */
static void head_line(struct reader *r, ct_str key, ct_str value, size_t column)
{
    const char *why;

    end_stanza(r);
    end_define(r);
    r->open = NULL;
    if (ct_str_is(key, r->of->word))
        start_stanza(r, value, column);
    else if (ct_str_is(key, "define"))
        start_define(r, value, column);
    else if ((why = r->of->head(r->of->ctx, key, value)) != NULL)
        wrong(r, 1, why);
}

/* A field of the stanza. */
static void field_line(struct reader *r, ct_str key, ct_str value, size_t indent, size_t column)
{
    r->open = NULL;
    for (size_t f = 0; f < r->of->nfields; f++)
        if (ct_str_is(key, r->of->fields[f].name)) {
            ct_placed *field = &r->stanza.fields[f];

            if (field->given) {
                wrong(r, indent + 1, "the field is given twice");
            } else {
                ct_placed_add(field, value, r->line, column, false);
                r->open = field;
            }
            return;
        }
    wrong(r, indent + 1, "no such field");
}

static void continue_line(struct reader *r, ct_str s, size_t indent)
{
    if (!r->open)
        return; /* continues what was wrong already */
    ct_buf_c(&r->open->text, ' ');
    ct_placed_add(r->open, s, r->line, indent + 1, false);
}

static void read_line(struct reader *r, ct_str line)
{
    ct_str s = ct_str_trim(line), value;
    size_t indent = s.n ? (size_t)(s.p - line.p) : 0, n = 0, column;

    if (s.n == 0 || s.p[0] == '#')
        return;
    while (n < s.n && s.p[n] != ' ' && s.p[n] != '\t')
        n++;
    value = ct_str_trim(ct_str_from(s, n));
    column = value.n ? (size_t)(value.p - line.p) + 1 : indent + n + 1;
    if (indent == 0) {
        head_line(r, ct_str_head(s, n), value, column);
        return;
    }
    if (r->in_stanza && r->indent == 0)
        r->indent = indent;
    if (r->in_stanza && indent == r->indent)
        field_line(r, ct_str_head(s, n), value, indent, column);
    else if ((r->in_stanza && indent > r->indent) || r->in_define)
        continue_line(r, s, indent);
    else
        wrong(r, indent + 1, r->of->outside);
}

void ct_stanzas_read(const ct_stanzas *of, ct_str text)
{
    struct reader r = {.of = of};

    r.stanza.of = of;
    r.stanza.fields = ct_calloc(of->nfields ? of->nfields : 1, sizeof(*r.stanza.fields));
    while (text.p) {
        r.line++;
        read_line(&r, ct_str_cut(&text, '\n'));
    }
    end_stanza(&r);
    end_define(&r);
    ct_defines_free(&r.defines);
    free(r.stanza.fields);
}
