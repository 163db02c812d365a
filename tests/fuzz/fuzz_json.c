/* Parsing anything: what is accepted must be told the same way by every accessor and by an
 * independent library, survive being written again, and be refused when it is cut; what is refused
 * that library must refuse too, but for what we are stricter about. */
#include "tests/helpers/seen.h"

#include <stdlib.h>

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* Walks the tape by the accessors; returns the index behind `v`. */
static ct_val walk(const ct_doc *d, ct_val v, ct_arena *a)
{
    ct_str raw = ct_raw(d, v);
    must(raw.n > 0 && raw.p >= d->text.p && raw.p + raw.n <= d->text.p + d->text.n);
    if (ct_type(d, v) == CT_STRING)
        must(ct_is(d, v, ct_text(d, v, a)));
    ct_val next = v + 1;
    size_t n = 0;
    for (ct_val c = ct_first(d, v); c != CT_NONE; c = ct_next(d, v, c), n++) {
        must(c == next);
        ct_str inner = ct_raw(d, c);
        must(inner.p > raw.p && inner.p + inner.n < raw.p + raw.n);
        if (ct_name(d, c))
            must(ct_member_id(d, v, ct_name(d, c)) == c);
        next = walk(d, c, a);
    }
    must(ct_count(d, v) == n);
    return next;
}

static void compare(const ct_doc *d, const ct_doc *e)
{
    must(d->n == e->n);
    for (ct_val v = 0; v < d->n; v++) {
        must(ct_type(d, v) == ct_type(e, v) && d->tape[v].next == e->tape[v].next);
        must(ct_name(d, v) == ct_name(e, v) && ct_str_eq(ct_key(d, v), ct_key(e, v)));
        must(ct_type(d, v) >= CT_ARRAY || ct_str_eq(ct_raw(d, v), ct_raw(e, v)));
    }
}

static void check(ct_parser *p, ct_parser *q, const ct_doc *d, ct_arena *a)
{
    must(walk(d, CT_ROOT, a) == d->n);
    ct_buf b = {0};
    ct_doc again;
    ct_put_compact(&b, d, CT_ROOT);
    must(ct_parse(q, ct_buf_str(&b), &again, NULL));
    compare(d, &again);
    if (ct_type(d, CT_ROOT) == CT_STRING) {
        ct_str text = ct_text(d, CT_ROOT, a);
        b.n = 0;
        ct_put_string(&b, text);
        must(ct_parse(q, ct_buf_str(&b), &again, NULL) && ct_is(&again, CT_ROOT, text));
    }
    ct_buf_free(&b);
    ct_str root = ct_raw(d, CT_ROOT);
    if (ct_type(d, CT_ROOT) != CT_NUMBER) {
        ct_err err;
        must(!ct_parse(p, ct_str_head(root, root.n - 1), &again, &err) && err.kind == CT_E_CUT);
    }
}

/* yajl minds none of these: it takes surrogates by halves and UTF-8 by the number of bytes, leaves
 * names to its user, and takes what C takes for white space. */
static bool stricter(ct_str text, const ct_err *err)
{
    static const char *const reasons[] = {"name stands twice in its object",
                                          "unpaired surrogate in string",
                                          "invalid UTF-8 in string"};
    for (size_t i = 0; i < CT_LEN(reasons); i++)
        if (strcmp(err->text, reasons[i]) == 0)
            return true;
    char c = err->offset < text.n ? text.p[err->offset] : ' ';
    return err->kind == CT_E_LIMIT || c == '\v' || c == '\f';
}

/* `doc` is NULL where we refuse. */
static void ask_yajl(ct_str text, const ct_doc *doc, const ct_err *err, ct_arena *a)
{
    static seen s;
    if (seen_read(&s, text))
        must(doc ? !seen_differs(&s, doc, a) : stricter(text, err));
    else
        must(!doc);
}

static void must_be_good(ct_parser *p, ct_str *line, ct_str expected)
{
    ct_doc doc;
    must(ct_parse_line(p, line, &doc, NULL) && ct_str_eq(*line, expected));
    must(ct_str_eq(doc.text, expected) && doc.n == 4);
    line->p += line->n + 1;
}

/* The text as a line of a block, between two good ones: told as ct_parse tells it. */
static void as_line(ct_parser *p, ct_parser *q, ct_str text)
{
    const ct_str good = CT_S("{\"a\":[\"\\\"\"],\"b\":1}");
    ct_buf b = {0};
    ct_buf_put(&b, good);
    ct_buf_c(&b, '\n');
    ct_buf_put(&b, text);
    for (size_t i = good.n + 1; i < b.n; i++)
        b.p[i] = b.p[i] == '\n' ? '\t' : b.p[i];
    ct_buf_c(&b, '\n');
    ct_buf_put(&b, good);
    ct_buf_c(&b, '\n');
    char *block = ct_calloc(b.n + CT_PARSE_SLACK, 1); /* of exactly its size */
    memcpy(block, b.p, b.n);
    ct_parse_block(p, (ct_str){block, b.n});
    ct_str line = {block, 0}, same = {block + good.n + 1, text.n};
    must_be_good(p, &line, good);
    ct_doc doc, other;
    ct_err err = {0}, wanted = {0};
    bool ok = ct_parse_line(p, &line, &doc, &err);
    must(line.n == text.n && ok == ct_parse(q, same, &other, &wanted));
    must(err.kind == wanted.kind && err.offset == wanted.offset);
    if (ok)
        must(doc.n == other.n && memcmp(doc.tape, other.tape, doc.n * sizeof *doc.tape) == 0);
    line.p += line.n + 1;
    must_be_good(p, &line, good);
    free(block);
    ct_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ct_str text = {(const char *)data, size};
    ct_names *names = ct_names_new();
    ct_names_add(names, CT_S("a"));
    ct_names_add(names, CT_S("resourceType"));
    ct_names_add(names, CT_S("verificationStatus"));
    ct_parser *p = ct_parser_new(names), *q = ct_parser_new(names);
    ct_arena *a = ct_arena_new();
    ct_doc doc;
    ct_err err;
    bool good = ct_parse(p, text, &doc, &err);
    ask_yajl(text, good ? &doc : NULL, &err, a);
    if (good)
        check(p, q, &doc, a);
    else
        must(err.offset <= size && err.text && (err.kind != CT_E_CUT || err.offset == size));
    as_line(p, q, text);
    ct_arena_free(a);
    ct_parser_free(p);
    ct_parser_free(q);
    ct_names_free(names);
    return 0;
}
