/* Text of a file of stanzas that knows where each of its bytes came from, so that what is wrong in
 * an expression that runs over lines and through definitions is reported where the user wrote it.
 */
#include "common/fhirpath/fhirpath.h"

#include <stdlib.h>

void ct_placed_add(ct_placed *t, ct_str s, uint64_t line, uint64_t column, bool fixed)
{
    t->pieces = ct_grow(t->pieces, t->npieces, sizeof(*t->pieces));
    t->pieces[t->npieces++] = (struct ct_piece){t->text.n, line, column, fixed};
    ct_buf_put(&t->text, s);
    t->given = true;
}

struct ct_piece ct_placed_place(const ct_placed *t, size_t offset)
{
    struct ct_piece place = {0};

    for (size_t i = 0; i < t->npieces && t->pieces[i].at <= offset; i++)
        place = t->pieces[i];
    if (!place.fixed)
        place.column += offset - place.at;
    place.at = offset;
    return place;
}

ct_placed ct_placed_from(const ct_placed *t, size_t at)
{
    ct_str whole = ct_buf_str(&t->text), rest = ct_str_trim(ct_str_from(whole, at));
    size_t first = rest.n ? (size_t)(rest.p - whole.p) : whole.n, last = first + rest.n;
    ct_placed out = {.given = true};

    for (size_t i = 0; i < t->npieces; i++) {
        size_t from = t->pieces[i].at, to = i + 1 < t->npieces ? t->pieces[i + 1].at : whole.n;

        from = from > first ? from : first;
        to = to < last ? to : last;
        if (from < to) {
            struct ct_piece place = ct_placed_place(t, from);

            ct_placed_add(&out, (ct_str){whole.p + from, to - from}, place.line, place.column,
                          place.fixed);
        }
    }
    if (out.npieces == 0) {
        struct ct_piece place = ct_placed_place(t, first);

        ct_placed_add(&out, CT_S(""), place.line, place.column, false);
    }
    return out;
}

ct_str ct_placed_word(const ct_placed *t, size_t *at)
{
    ct_str s = ct_str_from(ct_buf_str(&t->text), *at);
    size_t n = 0, blanks = 0;

    while (n < s.n && s.p[n] != ' ' && s.p[n] != '\t')
        n++;
    while (n + blanks < s.n && (s.p[n + blanks] == ' ' || s.p[n + blanks] == '\t'))
        blanks++;
    *at += n + blanks;
    return ct_str_head(s, n);
}

void ct_placed_free(ct_placed *t)
{
    ct_buf_free(&t->text);
    free(t->pieces);
    *t = (ct_placed){0};
}
