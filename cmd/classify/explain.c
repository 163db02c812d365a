/* Why: one row for each diagnosis that was looked at. */
#include "cmd/classify/classify.h"

void classify_explain_head(ct_buf *b)
{
    ct_buf_z(b, "patient\trecord\tcode\tservice\tchapter\tblock\tcomorbidity\toutcome\n");
}

static void put_column(ct_buf *b, ct_str s)
{
    ct_buf_c(b, '\t');
    for (size_t i = 0; i < s.n; i++)
        ct_buf_c(b, (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f ? ' ' : s.p[i]);
}

static void put_range(ct_buf *b, const classify_range *r)
{
    ct_buf_c(b, '\t');
    if (!r)
        return;
    ct_buf_put(b, r->code);
    ct_buf_c(b, ' ');
    ct_buf_put(b, r->version);
}

static ct_str comorbidity(const classify_case *k, int category)
{
    return category == CLASSIFY_NO_CATEGORY ? (ct_str){"", 0}
                                            : k->tables->comorbidities[category].id;
}

static void put_outcome(ct_buf *b, const classify_case *k, const classify_diagnosis *d)
{
    ct_buf_c(b, '\t');
    if (d->ignored)
        ct_buf_printf(b, "left out: %s", d->ignored);
    else if (d->category == CLASSIFY_NO_CATEGORY && d->doubt != CLASSIFY_DECIDED)
        ct_buf_printf(b, "not decided: %s", classify_doubt_text(d->doubt));
    else if (d->category == CLASSIFY_NO_CATEGORY)
        ct_buf_z(b, "in no category");
    else if (classify_counts(k, d->category))
        ct_buf_z(b, "counts");
    else {
        ct_buf_z(b, "replaced by ");
        ct_buf_put(b, comorbidity(k, k->tables->comorbidities[d->category].less_than));
    }
}

void classify_explain_put(ct_buf *b, const classify_case *k)
{
    for (size_t i = 0; i < k->n; i++) {
        const classify_diagnosis *d = &k->v[i];
        const ct_record *rec = &k->chart->records[d->record];
        ct_str id = ct_text_at(&rec->doc, CT_ROOT, "id", k->arena);
        ct_buf day = {0};

        if (d->service.precision)
            ct_date_put(&day, &d->service);
        ct_buf_put(b, k->chart->id);
        put_column(b, ct_arena_printf(k->arena, "%.*s/%.*s", (int)rec->type.n, rec->type.p,
                                      (int)id.n, id.p));
        put_column(b, d->code);
        put_column(b, ct_buf_str(&day));
        put_range(b, d->chapter);
        put_range(b, d->block);
        put_column(b, comorbidity(k, d->category));
        put_outcome(b, k, d);
        ct_buf_c(b, '\n');
        ct_buf_free(&day);
    }
}
