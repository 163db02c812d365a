/* A sorted run in memory, and what an entry of any run looks like. */
#include "common/stream/spill.h"

#include <stdlib.h>

/* ---- entries ---- */

typedef struct head {
    uint64_t number;
    uint32_t key_n, line_n, file, patient;
} head;

_Static_assert(sizeof(head) == CT_ENTRY_HEAD, "a head has no padding");

void ct_entry_pack(const ct_entry *e, char to[CT_ENTRY_HEAD])
{
    head h = {e->number, (uint32_t)e->key.n, e->line_n, e->file, e->patient};
    memcpy(to, &h, sizeof h);
}

void ct_entry_unpack(ct_entry *e, const char from[CT_ENTRY_HEAD])
{
    head h;
    memcpy(&h, from, sizeof h);
    *e = (ct_entry){.key = {from + CT_ENTRY_HEAD, h.key_n},
                    .patient = h.patient != 0,
                    .line_n = h.line_n,
                    .file = h.file,
                    .number = h.number};
}

uint64_t ct_key_prefix(ct_str key)
{
    uint64_t prefix = 0;
    for (size_t i = 0; i < sizeof prefix; i++)
        prefix = prefix << 8 | (i < key.n ? (unsigned char)key.p[i] : 0);
    return prefix;
}

int ct_entry_cmp(const ct_entry *a, uint64_t a_prefix, const ct_entry *b, uint64_t b_prefix)
{
    if (a_prefix != b_prefix)
        return a_prefix < b_prefix ? -1 : 1;
    int order = ct_str_cmp(a->key, b->key);
    return order ? order : (int)b->patient - (int)a->patient;
}

/* ---- the run ---- */

void ct_run_start(ct_run *r, size_t budget)
{
    *r = (ct_run){.budget = budget};
}

void ct_run_clear(ct_run *r)
{
    r->n = r->nitems = 0;
}

void ct_run_free(ct_run *r)
{
    free(r->bytes);
    free(r->items);
    *r = (ct_run){0};
}

/* Memory is taken all at once (pages that are not touched cost nothing), so that entries stay where
 * they are. Only an entry that is alone may pass the budget. */
static bool make_room(ct_run *r, size_t need)
{
    /* qsort(3) may take as much again for the items. */
    size_t items = (r->nitems + 1) * 2 * sizeof *r->items;
    if (r->nitems && r->n + need + items > r->budget)
        return false;
    size_t want = need > r->budget ? need : r->budget;
    if (!r->nitems && r->cap != want) {
        free(r->bytes);
        r->bytes = ct_alloc(want);
        r->cap = want;
    }
    if (r->nitems == r->items_cap) {
        r->items_cap = r->items_cap ? r->items_cap * 2 : 1024;
        r->items = ct_realloc(r->items, r->items_cap, sizeof *r->items);
    }
    return true;
}

bool ct_run_add(ct_run *r, const ct_entry *e, ct_str line)
{
    if (!make_room(r, CT_ENTRY_HEAD + e->key.n + line.n))
        return false;
    char *to = r->bytes + r->n;
    ct_entry_pack(e, to);
    if (e->key.n)
        memcpy(to + CT_ENTRY_HEAD, e->key.p, e->key.n);
    memcpy(to + CT_ENTRY_HEAD + e->key.n, line.p, line.n);
    r->items[r->nitems++] = (struct ct_spilled){ct_key_prefix(e->key), to};
    r->n += CT_ENTRY_HEAD + e->key.n + line.n;
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct ct_spilled *x = a, *y = b;
    if (x->prefix != y->prefix)
        return x->prefix < y->prefix ? -1 : 1;
    ct_entry e, f;
    ct_entry_unpack(&e, x->at);
    ct_entry_unpack(&f, y->at);
    int order = ct_entry_cmp(&e, x->prefix, &f, y->prefix);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

void ct_run_sort(ct_run *r)
{
    if (r->nitems)
        qsort(r->items, r->nitems, sizeof *r->items, compare);
}
