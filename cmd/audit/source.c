/* Text of a rule file that knows where each of its bytes came from, so that what is wrong in an
 * expression that runs over lines and through definitions is reported where the user wrote it. */
#include "cmd/audit/audit.h"

#include <stdlib.h>

void audit_text_add(audit_text *t, ct_str s, uint64_t line, uint64_t column, bool fixed)
{
    t->pieces = ct_realloc(t->pieces, t->npieces + 1, sizeof(*t->pieces));
    t->pieces[t->npieces++] = (struct audit_piece){t->text.n, line, column, fixed};
    ct_buf_put(&t->text, s);
    t->given = true;
}

struct audit_piece audit_text_place(const audit_text *t, size_t offset)
{
    struct audit_piece place = {0};

    for (size_t i = 0; i < t->npieces && t->pieces[i].at <= offset; i++)
        place = t->pieces[i];
    if (!place.fixed)
        place.column += offset - place.at;
    place.at = offset;
    return place;
}

audit_text audit_text_from(const audit_text *t, size_t at)
{
    ct_str whole = ct_buf_str(&t->text), rest = ct_str_trim(ct_str_from(whole, at));
    size_t first = rest.n ? (size_t)(rest.p - whole.p) : whole.n, last = first + rest.n;
    audit_text out = {.given = true};

    for (size_t i = 0; i < t->npieces; i++) {
        size_t from = t->pieces[i].at, to = i + 1 < t->npieces ? t->pieces[i + 1].at : whole.n;

        from = from > first ? from : first;
        to = to < last ? to : last;
        if (from < to) {
            struct audit_piece place = audit_text_place(t, from);

            audit_text_add(&out, (ct_str){whole.p + from, to - from}, place.line, place.column,
                           place.fixed);
        }
    }
    if (out.npieces == 0) {
        struct audit_piece place = audit_text_place(t, first);

        audit_text_add(&out, CT_S(""), place.line, place.column, false);
    }
    return out;
}

void audit_text_free(audit_text *t)
{
    ct_buf_free(&t->text);
    free(t->pieces);
    *t = (audit_text){0};
}
