/* Shared records come before all charts, and go only when a chart goes. Until then they wait here.
 */
#include "release.h"

#include <stdlib.h>

enum { PIECE = 1 << 16 };

struct release_held {
    ct_spool *spool;
    ct_side side;
};

release_held *release_held_new(bool counted)
{
    release_held *h = ct_calloc(1, sizeof *h);

    h->side.off = !counted;
    h->spool = ct_spool_new();
    return h;
}

bool release_held_add(release_held *h, ct_lines *l, ct_err *err)
{
    bool ok = ct_spool_put(h->spool, ct_buf_str(&l->buf), err);

    ct_side_merge(&h->side, &l->side);
    ct_side_clear(&l->side);
    l->buf.n = 0;
    return ok;
}

uint64_t release_held_records(const release_held *h)
{
    return h->side.records;
}

bool release_held_give(release_held *h, ct_side *side, bool (*give)(void *ctx, ct_str piece),
                       void *ctx, ct_err *err)
{
    char piece[PIECE];
    size_t n;

    for (;;) {
        if (!ct_spool_read(h->spool, piece, sizeof piece, &n, err))
            return false;
        if (n == 0)
            break;
        if (!give(ctx, (ct_str){piece, n}))
            return ct_fail(err, CT_E_IO, NULL);
    }
    ct_side_merge(side, &h->side);
    ct_side_clear(&h->side);
    return true;
}

void release_held_free(release_held *h)
{
    ct_spool_free(h->spool);
    ct_side_free(&h->side);
    free(h);
}
