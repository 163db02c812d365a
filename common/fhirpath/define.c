/* Names of expressions: `define NAME EXPRESSION`, used as %NAME further down in the same file. */
#include "common/fhirpath/internal.h"

#include <stdlib.h>

enum { EXPANDED_MAX = 64 * 1024 /* bytes that an expression may grow to */ };

static bool name_byte(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!first && c >= '0' && c <= '9');
}

static size_t name_length(ct_str s)
{
    size_t n = 0;

    while (n < s.n && name_byte(s.p[n], n == 0))
        n++;
    return n;
}

/* Bytes of the quoted text that `s` starts with, or 0 where it does not start with a quote. */
static size_t quoted_length(ct_str s)
{
    size_t n = 1;

    if (s.n == 0 || (s.p[0] != '\'' && s.p[0] != '`'))
        return 0;
    for (; n < s.n && s.p[n] != s.p[0]; n++)
        if (s.p[n] == '\\')
            n++;
    return n < s.n ? n + 1 : s.n;
}

static const struct ct_define *find(const ct_defines *d, ct_str name)
{
    for (size_t i = 0; i < d->n; i++)
        if (ct_str_eq(d->v[i].name, name))
            return &d->v[i];
    return NULL;
}

/* Copies bytes [from, to) piece by piece. */
static void copy(const ct_placed *t, size_t from, size_t to, ct_placed *out)
{
    while (from < to) {
        struct ct_piece place = ct_placed_place(t, from);
        size_t end = to;

        for (size_t i = 0; i < t->npieces; i++)
            if (t->pieces[i].at > from && t->pieces[i].at < end)
                end = t->pieces[i].at;
        ct_placed_add(out, (ct_str){t->text.p + from, end - from}, place.line, place.column,
                      place.fixed);
        from = end;
    }
}

static void put_definition(const struct ct_define *def, struct ct_piece place, ct_placed *out)
{
    ct_placed_add(out, CT_S("("), place.line, place.column, true);
    ct_buf_put(&out->text, ct_buf_str(&def->text.text));
    ct_buf_c(&out->text, ')');
}

bool ct_expand(const ct_defines *d, const ct_placed *from, ct_placed *to)
{
    ct_str s = ct_buf_str(&from->text);
    size_t copied = 0, at = 0;

    to->given = from->given;
    while (at < s.n) {
        size_t quoted = quoted_length(ct_str_from(s, at));
        size_t length = s.p[at] == '%' ? name_length(ct_str_from(s, at + 1)) : 0;
        const struct ct_define *def = length ? find(d, (ct_str){s.p + at + 1, length}) : NULL;

        if (def) {
            copy(from, copied, at, to);
            put_definition(def, ct_placed_place(from, at), to);
            at = copied = at + 1 + length;
        } else {
            at += quoted ? quoted : 1;
        }
        if (to->text.n > EXPANDED_MAX)
            return false;
    }
    copy(from, copied, s.n, to);
    if (to->npieces == 0) { /* nothing has a place, too */
        struct ct_piece place = ct_placed_place(from, 0);

        ct_placed_add(to, CT_S(""), place.line, place.column, place.fixed);
        to->given = from->given;
    }
    return to->text.n <= EXPANDED_MAX;
}

bool ct_define_add(ct_defines *d, ct_str name, ct_placed *text)
{
    static const char *const own[] = {"resource", "rootResource", "context", "chart",
                                      "ucum",     "sct",          "loinc",   NULL};

    for (size_t i = 0; own[i]; i++)
        if (ct_str_is(name, own[i]))
            return false;
    if (find(d, name) || name.n == 0 || name_length(name) != name.n)
        return false;
    d->v = ct_grow(d->v, d->n, sizeof(*d->v));
    d->v[d->n++] = (struct ct_define){name, *text};
    *text = (ct_placed){0};
    return true;
}

void ct_defines_free(ct_defines *d)
{
    for (size_t i = 0; i < d->n; i++)
        ct_placed_free(&d->v[i].text);
    free(d->v);
    *d = (ct_defines){0};
}
