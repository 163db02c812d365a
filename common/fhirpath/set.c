/* Collections as sets: is an item there already? A few items are looked through; more are found by
 * a hash that items which are equal (=) share.
 */
#include "common/fhirpath/internal.h"

enum { FEW = 16 };

/* ---- the hash ---- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    return (a ^ b) * 0x9E3779B97F4A7C15u;
}

/* num * 10^ten, of which num has no tens. */
static uint64_t hash_decimal(__int128 num, int ten)
{
    return mix(mix((uint64_t)num, (uint64_t)(num >> 64)), (uint64_t)ten);
}

static uint64_t hash_number(const ct_item *v)
{
    struct fp_dec d;
    if (!ct_dec_of(v, &d))
        return 0;
    if (d.c == 0)
        return hash_decimal(0, 0);
    for (; d.c % 10 == 0; d.scale--)
        d.c /= 10;
    return hash_decimal(d.c, -d.scale);
}

/* Units are converted to compare: the same number of base units has one spelling, and so one hash.
 * What cannot be converted is equal only to its own unit. */
static uint64_t hash_quantity(struct fp_run *run, const ct_item *v)
{
    struct fp_unit u;
    struct fp_dec d;
    struct fp_ratio r;
    ct_fp_charge(run, v->unit.n);
    if (!ct_dec_of(v, &d) || !ct_fp_unit(v->unit, &u) || !ct_fp_unit_value(d, &u, &r))
        return mix(hash_number(v), ct_hash(v->unit));
    /* Percents are equal to bare numbers. */
    uint64_t hash = hash_decimal(r.num, r.ten);
    return r.den == 1 ? hash : mix(hash, (uint64_t)r.den);
}

/* Zones and fractions make different spellings of times equal: they share a hash. */
static uint64_t hash_date(const ct_date *d)
{
    if (d->precision > CT_P_DAY)
        return 2;
    return mix((uint64_t)d->year * 512 + d->month * 32u + d->day, d->precision);
}

/* By the members' names, and by the texts that stand in them; their order does not matter. */
static uint64_t hash_object(struct fp_run *r, const ct_doc *d, ct_val obj)
{
    uint64_t sum = 3;
    for (ct_val v = ct_first(d, obj); v != CT_NONE; v = ct_next(d, obj, v)) {
        uint64_t h = ct_name(d, v) ? ct_name(d, v) : ct_hash(ct_key(d, v));
        if (ct_type(d, v) == CT_STRING)
            h = mix(h, ct_hash(ct_text(d, v, r->a)));
        sum += mix(h, 4);
        ct_fp_charge(r, 1);
    }
    return sum;
}

static uint64_t hash_item(struct fp_run *r, const ct_item *item)
{
    ct_item v;
    if (!ct_fp_value(r, item, &v))
        return ct_type(item->doc, item->node) == CT_OBJECT ? hash_object(r, item->doc, item->node)
                                                           : 5;
    switch (v.type) {
    case CT_I_BOOLEAN:
        return v.boolean ? 6 : 7;
    case CT_I_INTEGER:
    case CT_I_DECIMAL:
        return hash_number(&v);
    case CT_I_QUANTITY:
        return hash_quantity(r, &v);
    case CT_I_DATE:
    case CT_I_DATETIME:
    case CT_I_TIME:
        return hash_date(&v.date);
    default:
        return ct_hash(v.text);
    }
}

/* ---- the table: open addressing, at most half full ---- */

static void enter(struct fp_set *s, size_t index)
{
    size_t i = s->hashes[index] & s->mask;
    while (s->slots[i] != 0)
        i = (i + 1) & s->mask;
    s->slots[i] = (uint32_t)index + 1;
}

/* Builds a table of `size` slots; the hashes of the first `known` items are there already. */
static void build(struct fp_run *r, struct fp_set *s, size_t size, size_t known)
{
    uint64_t *hashes = ct_arena_alloc(r->a, size / 2 * sizeof *hashes);
    for (size_t i = 0; i < s->items->n; i++)
        hashes[i] = i < known ? s->hashes[i] : hash_item(r, &s->items->v[i]);
    s->hashes = hashes;
    s->slots = ct_arena_alloc(r->a, size * sizeof *s->slots);
    s->mask = size - 1;
    for (size_t i = 0; i < s->items->n; i++)
        enter(s, i);
}

static bool look_up(struct fp_run *r, const struct fp_set *s, const ct_item *item, uint64_t hash)
{
    for (size_t i = hash & s->mask; s->slots[i] != 0; i = (i + 1) & s->mask) {
        size_t at = s->slots[i] - 1;
        ct_fp_charge(r, 1);
        if (s->hashes[at] == hash && ct_fp_equal(r, &s->items->v[at], item) == 1)
            return true;
        if (r->steps == 0)
            return false;
    }
    return false;
}

static bool look_through(struct fp_run *r, const struct fp_coll *c, const ct_item *item)
{
    for (size_t i = 0; i < c->n; i++) {
        if (ct_fp_equal(r, &c->v[i], item) == 1)
            return true;
    }
    return false;
}

/* ---- sets ---- */

void ct_fp_set_of(struct fp_run *r, struct fp_set *s, struct fp_coll *items)
{
    size_t size = 4 * FEW;
    *s = (struct fp_set){.items = items};
    while (size / 2 < items->n)
        size *= 2;
    if (items->n > FEW)
        build(r, s, size, 0);
}

bool ct_fp_set_has(struct fp_run *r, const struct fp_set *s, const ct_item *item)
{
    return s->slots ? look_up(r, s, item, hash_item(r, item)) : look_through(r, s->items, item);
}

bool ct_fp_set_add(struct fp_run *r, const struct fp_node *n, struct fp_set *s, const ct_item *item)
{
    uint64_t hash = s->slots ? hash_item(r, item) : 0;
    if (s->slots ? look_up(r, s, item, hash) : look_through(r, s->items, item))
        return true;
    if (!ct_fp_push(r, n, s->items, item))
        return false;
    size_t count = s->items->n, room = s->slots ? (s->mask + 1) / 2 : FEW;
    if (count > room) {
        build(r, s, s->slots ? 4 * room : 4 * FEW, s->slots ? count - 1 : 0);
    } else if (s->slots) {
        s->hashes[count - 1] = hash;
        enter(s, count - 1);
    }
    return true;
}
