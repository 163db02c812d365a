/* The list of blocks. */
#include "cmd/archive/readable/view.h"

#include <stdlib.h>

void bag_view_add(bag_view *view, bag_block_kind kind, uint64_t number, const ct_str *cells,
                  size_t n)
{
    ct_str *copy = ct_arena_alloc(view->arena, n * sizeof(*copy));

    memcpy(copy, cells, n * sizeof(*copy));
    if (view->n == view->cap) {
        view->cap = view->cap ? 2 * view->cap : 64;
        view->v = ct_realloc(view->v, view->cap, sizeof(*view->v));
    }
    view->v[view->n++] = (bag_block){kind, (uint32_t)n, number, copy};
}

void bag_view_text(bag_view *view, bag_block_kind kind, ct_str text)
{
    bag_view_add(view, kind, 0, &text, 1);
}

void bag_view_pair(bag_view *view, bag_block_kind kind, ct_str label, ct_str text)
{
    ct_str cells[] = {label, text};

    bag_view_add(view, kind, 0, cells, 2);
}

void bag_view_clear(bag_view *view)
{
    view->n = 0;
}

void bag_view_free(bag_view *view)
{
    free(view->v);
    view->v = NULL;
    view->n = view->cap = 0;
}
