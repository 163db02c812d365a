/* Parse, patch, write, parse again, on any JSON: up to the first NUL the input is the text, what
 * follows tells what to patch. Patches that are applied must leave valid JSON; those that are
 * refused must leave the output alone. Then a set of patches that make sense, with what follows for
 * a seed, is judged by an independent library: the value and every byte that must stay. */
#include "tests/helpers/random_edit.h"

#include <stdlib.h>

static void must(bool holds)
{
    if (!holds)
        abort();
}

static ct_val parent_of(const ct_doc *d, ct_val v)
{
    ct_val parent = CT_NONE;
    for (ct_val i = 0; i<v; i = d->tape[i].next> v ? i + 1 : d->tape[i].next)
        if (d->tape[i].next > v)
            parent = i;
    return parent;
}

/* What the requests must do to the number of values, where they are applied. */
static long ask(ct_edit *e, const ct_doc *d, uint8_t what, ct_val v, unsigned serial)
{
    long inside = (long)d->tape[v].next - v;
    char name[16] = "+", *at = name + 1;
    for (unsigned n = serial; n; n /= 10)
        *at++ = (char)('0' + n % 10);
    switch (what % 4) {
    case 0:
        ct_edit_remove(e, parent_of(d, v), v);
        return -inside;
    case 1:
        ct_edit_replace(e, v, CT_S("\"new\""));
        return 1 - inside;
    case 2:
        if (ct_type(d, v) == CT_OBJECT)
            ct_edit_add_member(e, v, ct_str_z(name), CT_S("[2.50]"));
        else
            ct_edit_add_item(e, v, CT_S("[2.50]"));
        return 2;
    default:
        return 0;
    }
}

static void check(const ct_doc *d, const uint8_t *how, size_t n)
{
    ct_parser *p = ct_parser_new(NULL);
    ct_edit *e = ct_edit_new();
    ct_buf out = {0};
    ct_doc result;
    ct_err err;
    long nodes = d->n;
    ct_edit_start(e, d);
    for (size_t i = 0; i + 2 < n; i += 3)
        nodes += ask(e, d, how[i], (how[i + 1] + 256u * how[i + 2]) % d->n, (unsigned)i);
    if (ct_edit_apply(e, &out, &err)) {
        /* A new name may happen to stand there already, and a value go one level deeper than is
         * read. */
        if (ct_parse(p, ct_buf_str(&out), &result, &err))
            must(result.n == (unsigned long)nodes);
        else
            must(err.kind == CT_E_LIMIT ||
                 strcmp(err.text, "name stands twice in its object") == 0);
        if (!ct_edit_dirty(e))
            must(ct_str_eq(ct_buf_str(&out), d->text));
    } else {
        must(err.kind == CT_E_USAGE && out.n == 0);
    }
    ct_buf_free(&out);
    ct_edit_free(e);
    ct_parser_free(p);
}

/* Additions go a few levels deeper: not where that would pass the bound. */
static bool deep(const ct_doc *d)
{
    uint32_t ends[CT_JSON_DEPTH];
    size_t depth = 0, most = 0;
    for (ct_val v = 0; v < d->n; v++) {
        while (depth > 0 && ends[depth - 1] <= v)
            depth--;
        if (ct_type(d, v) >= CT_ARRAY)
            ends[depth++] = d->tape[v].next;
        most = depth > most ? depth : most;
    }
    return most + 8 > CT_JSON_DEPTH;
}

static void judge(const ct_doc *d, const uint8_t *how, size_t n)
{
    static random_edit *e;
    uint64_t seed = 0;
    if (!e)
        e = random_edit_new(NULL);
    for (size_t i = 0; i < n; i++)
        seed = seed * 31 + how[i];
    const char *why = deep(d) ? NULL : random_edit_try(e, d->text, seed);
    if (why) {
        fprintf(stderr, "%s\n", why);
        random_edit_show(e, stderr);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ct_str rest = {(const char *)data, size};
    ct_str text = size ? ct_str_cut(&rest, '\0') : rest;
    ct_parser *p = ct_parser_new(NULL);
    ct_doc doc;
    if (ct_parse(p, text, &doc, NULL)) {
        check(&doc, (const uint8_t *)rest.p, rest.n);
        judge(&doc, (const uint8_t *)rest.p, rest.n);
    }
    ct_parser_free(p);
    return 0;
}
