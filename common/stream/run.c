/* A sorted run in memory, and what an entry of any run looks like.
 *
 * Keys that are ids differ in their first bytes or begin all alike: items are sorted by the eight
 * bytes behind what all keys have in common, without a look at the entries. Those it leaves equal
 * are nearly always one chart, which is found by looking once at each. */
#include "common/stream/spill.h"

#include <stdlib.h>

enum { MEMORY_MIN = 1024 * 1024 }; /* with less there is no going on */

/* ---- entries ---- */

typedef struct head {
    uint64_t number;
    uint32_t key_n, line_n, file, tag;
} head;

_Static_assert(sizeof(head) == CT_ENTRY_HEAD, "a head has no padding");

static const uint32_t PATIENT = UINT32_C(1) << 31; /* in the tag */

void ct_entry_pack_start(const ct_entry *e, char *to)
{
    head h = {e->number, (uint32_t)e->key.n, (uint32_t)e->line.n, e->file,
              (e->tag & ~PATIENT) | (e->patient ? PATIENT : 0)};
    memcpy(to, &h, sizeof h);
    if (e->key.n)
        memcpy(to + sizeof h, e->key.p, e->key.n);
}

void ct_entry_pack(const ct_entry *e, char *to)
{
    ct_entry_pack_start(e, to);
    if (e->line.n)
        memcpy(to + CT_ENTRY_HEAD + e->key.n, e->line.p, e->line.n);
}

void ct_entry_unpack(ct_entry *e, const char *from)
{
    head h;
    memcpy(&h, from, sizeof h);
    *e = (ct_entry){.key = {from + CT_ENTRY_HEAD, h.key_n},
                    .line = {from + CT_ENTRY_HEAD + h.key_n, h.line_n},
                    .number = h.number,
                    .file = h.file,
                    .tag = h.tag & ~PATIENT,
                    .patient = h.tag & PATIENT};
}

uint64_t ct_key_prefix(ct_str key)
{
    uint64_t prefix = 0;
    for (size_t i = 0; i < sizeof prefix; i++)
        prefix = prefix << 8 | (i < key.n ? (unsigned char)key.p[i] : 0);
    return prefix;
}

int ct_entry_cmp(const ct_entry *a, const ct_entry *b)
{
    int order = ct_str_cmp(a->key, b->key);
    return order ? order : (int)b->patient - (int)a->patient;
}

/* ---- taking entries in ---- */

void ct_run_start(ct_run *r, size_t budget)
{
    *r = (ct_run){.budget = budget & ~(sizeof(ct_handle) - 1)};
}

void ct_run_clear(ct_run *r)
{
    r->n = r->nitems = r->common = 0;
    r->first = (ct_str){0};
    r->items = r->memory ? (ct_handle *)(void *)(r->memory + r->budget) : NULL;
}

void ct_run_free(ct_run *r)
{
    free(r->memory);
    *r = (ct_run){0};
}

/* Memory is taken all at once, as pages that are not touched cost nothing, so that entries stay
 * where they are; less where the system has not that much. */
static void take_memory(ct_run *r)
{
    while (!(r->memory = malloc(r->budget))) {
        if (r->budget < MEMORY_MIN)
            ct_oom();
        r->budget = r->budget / 2 & ~(sizeof(ct_handle) - 1);
    }
    ct_run_clear(r);
}

/* With the items' scratch. */
static bool fits(const ct_run *r, size_t need)
{
    size_t used = r->n + (r->nitems + 1) * 2 * sizeof *r->items;
    return used <= r->budget && need <= r->budget - used;
}

static bool has_room(ct_run *r, size_t need)
{
    if (!fits(r, need))
        return false;
    if (!r->memory)
        take_memory(r);
    return fits(r, need);
}

static size_t common_bytes(ct_str a, ct_str b, size_t max)
{
    size_t i = 0;
    while (i < max && i < b.n && a.p[i] == b.p[i])
        i++;
    return i;
}

bool ct_run_add(ct_run *r, const ct_entry *e)
{
    size_t need = ct_entry_size(e);
    if (!has_room(r, need))
        return false;
    char *to = r->memory + r->n;
    ct_entry_pack(e, to);
    if (e->key.n && !r->first.n) {
        r->first = (ct_str){to + CT_ENTRY_HEAD, e->key.n};
        r->common = e->key.n;
    } else if (e->key.n)
        r->common = common_bytes(r->first, e->key, r->common);
    *--r->items = (ct_handle){ct_key_prefix(e->key), r->n};
    r->nitems++;
    r->n += need;
    return true;
}

void ct_run_entry(const ct_run *r, size_t i, ct_entry *e)
{
    ct_entry_unpack(e, r->memory + r->items[i].at);
}

/* ---- by prefix ---- */

/* Back into the order in which they were added. */
static void reverse(ct_handle *v, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        ct_handle x = v[i];
        v[i] = v[n - 1 - i];
        v[n - 1 - i] = x;
    }
}

/* Prefixes of what stands behind the part that all keys have in common. */
static void narrow_prefixes(ct_run *r)
{
    for (size_t i = 0; i < r->nitems; i++) {
        ct_entry e;
        ct_run_entry(r, i, &e);
        r->items[i].prefix = ct_key_prefix(ct_str_from(e.key, r->common));
    }
}

static bool in_order(const ct_handle *v, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (v[i - 1].prefix > v[i].prefix)
            return false;
    return true;
}

enum { DIGITS = 8, VALUES = 256 };

/* One pass of the sort: by the digit that `counts` is of, from `v` to `to`. */
static void scatter(const ct_handle *v, size_t n, int digit, size_t counts[VALUES], ct_handle *to)
{
    size_t at = 0;
    for (size_t i = 0; i < VALUES; i++) {
        size_t count = counts[i];
        counts[i] = at;
        at += count;
    }
    for (size_t i = 0; i < n; i++)
        to[counts[v[i].prefix >> 8 * digit & 255]++] = v[i];
}

/* By their prefixes, digit by digit from the last: what is equal stays in its order. */
static void sort_by_prefix(ct_handle *v, size_t n, ct_handle *scratch)
{
    size_t counts[DIGITS][VALUES] = {0};
    ct_handle *from = v, *to = scratch;
    for (size_t i = 0; i < n; i++)
        for (int d = 0; d < DIGITS; d++)
            counts[d][v[i].prefix >> 8 * d & 255]++;
    for (int d = 0; d < DIGITS; d++) {
        if (counts[d][v[0].prefix >> 8 * d & 255] == n)
            continue; /* all have the same */
        scatter(from, n, d, counts[d], to);
        ct_handle *swap = from;
        from = to;
        to = swap;
    }
    if (from != v)
        memcpy(v, from, n * sizeof *v);
}

/* ---- what prefixes leave open ---- */

static int compare(const ct_run *r, const ct_handle *a, const ct_handle *b)
{
    ct_entry x, y;
    ct_entry_unpack(&x, r->memory + a->at);
    ct_entry_unpack(&y, r->memory + b->at);
    return ct_entry_cmp(&x, &y);
}

/* Merges the sorted halves of `v`, the first of which was moved to `scratch`. */
static void merge_halves(const ct_run *r, ct_handle *v, size_t half, size_t n, ct_handle *scratch)
{
    size_t i = 0, j = half, to = 0;
    memcpy(scratch, v, half * sizeof *v);
    while (i < half && j < n)
        v[to++] = compare(r, &v[j], &scratch[i]) < 0 ? v[j++] : scratch[i++];
    memcpy(v + to, scratch + i, (half - i) * sizeof *v);
}

/* By the whole keys. It halves, so it is never deeper than there are bits in `n`. */
static void sort_by_entry(const ct_run *r, ct_handle *v, size_t n, ct_handle *scratch)
{
    size_t half = n / 2;
    if (n < 2)
        return;
    sort_by_entry(r, v, half, scratch);
    sort_by_entry(r, v + half, n - half, scratch);
    if (compare(r, &v[half - 1], &v[half]) > 0)
        merge_halves(r, v, half, n, scratch);
}

/* One chart: its Patients to the front. */
static void patients_first(const ct_run *r, ct_handle *v, size_t n, ct_handle *scratch)
{
    size_t front = 0, rest = 0;
    for (size_t i = 0; i < n; i++) {
        ct_entry e;
        ct_entry_unpack(&e, r->memory + v[i].at);
        if (e.patient)
            v[front++] = v[i];
        else
            scratch[rest++] = v[i];
    }
    memcpy(v + front, scratch, rest * sizeof *v);
}

static bool one_chart(const ct_run *r, const ct_handle *v, size_t n)
{
    ct_entry first, e;
    ct_entry_unpack(&first, r->memory + v[0].at);
    for (size_t i = 1; i < n; i++) {
        ct_entry_unpack(&e, r->memory + v[i].at);
        if (!ct_str_eq(first.key, e.key))
            return false;
    }
    return true;
}

static void sort_alike(const ct_run *r, ct_handle *v, size_t n, ct_handle *scratch)
{
    if (one_chart(r, v, n))
        patients_first(r, v, n, scratch);
    else
        sort_by_entry(r, v, n, scratch);
}

void ct_run_sort(ct_run *r)
{
    if (!r->nitems)
        return;
    ct_handle *v = r->items, *scratch = v - r->nitems;
    size_t start = 0;
    reverse(v, r->nitems);
    if (r->common)
        narrow_prefixes(r);
    if (!in_order(v, r->nitems))
        sort_by_prefix(v, r->nitems, scratch);
    for (size_t i = 1; i <= r->nitems; i++)
        if (i == r->nitems || v[i].prefix != v[start].prefix) {
            if (i - start > 1)
                sort_alike(r, v + start, i - start, scratch);
            start = i;
        }
}
