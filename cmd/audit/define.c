/* Names of expressions: `define NAME EXPRESSION`, used as %NAME further down in the same file. */
#include "cmd/audit/audit.h"

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

static const struct audit_define *find(const audit_defines *d, ct_str name)
{
    for (size_t i = 0; i < d->n; i++)
        if (ct_str_eq(d->v[i].name, name))
            return &d->v[i];
    return NULL;
}

/* Copies bytes [from, to) piece by piece. */
static void copy(const audit_text *t, size_t from, size_t to, audit_text *out)
{
    while (from < to) {
        struct audit_piece place = audit_text_place(t, from);
        size_t end = to;

        for (size_t i = 0; i < t->npieces; i++)
            if (t->pieces[i].at > from && t->pieces[i].at < end)
                end = t->pieces[i].at;
        audit_text_add(out, (ct_str){t->text.p + from, end - from}, place.line, place.column,
                       place.fixed);
        from = end;
    }
}

static void put_definition(const struct audit_define *def, struct audit_piece place,
                           audit_text *out)
{
    audit_text_add(out, CT_S("("), place.line, place.column, true);
    ct_buf_put(&out->text, ct_buf_str(&def->text.text));
    ct_buf_c(&out->text, ')');
}

bool audit_expand(const audit_defines *d, const audit_text *from, audit_text *to)
{
    ct_str s = ct_buf_str(&from->text);
    size_t copied = 0, at = 0;

    to->given = from->given;
    while (at < s.n) {
        size_t quoted = quoted_length(ct_str_from(s, at));
        size_t length = s.p[at] == '%' ? name_length(ct_str_from(s, at + 1)) : 0;
        const struct audit_define *def = length ? find(d, (ct_str){s.p + at + 1, length}) : NULL;

        if (def) {
            copy(from, copied, at, to);
            put_definition(def, audit_text_place(from, at), to);
            at = copied = at + 1 + length;
        } else {
            at += quoted ? quoted : 1;
        }
        if (to->text.n > EXPANDED_MAX)
            return false;
    }
    copy(from, copied, s.n, to);
    return to->text.n <= EXPANDED_MAX;
}

bool audit_define_add(audit_defines *d, ct_str name, audit_text *text)
{
    static const char *const own[] = {"resource", "rootResource", "context", "chart",
                                      "ucum",     "sct",          "loinc",   NULL};

    for (size_t i = 0; own[i]; i++)
        if (ct_str_is(name, own[i]))
            return false;
    if (find(d, name) || name.n == 0 || name_length(name) != name.n)
        return false;
    d->v = ct_realloc(d->v, d->n + 1, sizeof(*d->v));
    d->v[d->n++] = (struct audit_define){name, *text};
    *text = (audit_text){0};
    return true;
}

void audit_defines_free(audit_defines *d)
{
    for (size_t i = 0; i < d->n; i++)
        audit_text_free(&d->v[i].text);
    free(d->v);
    *d = (audit_defines){0};
}
