#include "cmd/archive/index.h"

#include <inttypes.h>
#include <stdlib.h>

struct bag_index {
    ct_spool *rows;
    bag_span span;
    bool headed;
};

bag_index *bag_index_new(void)
{
    bag_index *x = ct_calloc(1, sizeof(*x));

    x->rows = ct_spool_new();
    return x;
}

void bag_index_cover(bag_index *x, const bag_span *span)
{
    bag_span_join(&x->span, span);
}

void bag_cell_put(ct_buf *to, ct_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];

        ct_buf_c(to, c < ' ' || c == 127 ? '?' : (char)c);
    }
}

static bool put_head(bag_index *x, ct_err *err)
{
    bool headed = x->headed;

    x->headed = true;
    return headed ||
           ct_spool_put(x->rows,
                        CT_S("path\tpatient\trecords\tbytes\tfirst\tlast\tdestroy-after\n"), err);
}

bool bag_index_chart(bag_index *x, ct_str path, ct_str id, uint64_t records, uint64_t bytes,
                     const bag_span *span, ct_str destroy_after, ct_err *err)
{
    ct_buf b = {0};
    bool ok;

    bag_index_cover(x, span);
    ct_buf_put(&b, path);
    ct_buf_c(&b, '\t');
    bag_cell_put(&b, id);
    ct_buf_printf(&b, "\t%" PRIu64 "\t%" PRIu64 "\t", records, bytes);
    if (span->any)
        bag_day_put(&b, span->first);
    ct_buf_c(&b, '\t');
    if (span->any)
        bag_day_put(&b, span->last);
    ct_buf_c(&b, '\t');
    ct_buf_put(&b, destroy_after);
    ct_buf_c(&b, '\n');
    ok = put_head(x, err) && ct_spool_put(x->rows, ct_buf_str(&b), err);
    ct_buf_free(&b);
    return ok;
}

bool bag_index_put(bag_index *x, bag_writer *w, ct_err *err)
{
    ct_buf range = {0};

    if (x->span.any) {
        bag_day_put(&range, x->span.first);
        ct_buf_z(&range, " to ");
        bag_day_put(&range, x->span.last);
        ct_buf_c(&range, '\0');
        bag_writer_info(w, "Date-Range", "%s", range.p);
        ct_buf_free(&range);
    }
    return put_head(x, err) && bag_writer_tag(w, "charts.tsv", x->rows, err);
}

void bag_index_free(bag_index *x)
{
    ct_spool_free(x->rows);
    free(x);
}
