/* Element names as small integers. */
#include "common/json/names.h"

#include <stdlib.h>

/* There are two places for each name at least. Behind the last place are half as many again, so
 * that a search ends without being turned around, whatever names are alike. */
enum { FIRST_PLACES = 128, FIRST_TEXTS = 32 };

static ct_name_slot no_slot = {.whole = CT_NAME_NOT_WHOLE};
const ct_names ct_names_none = {.slots = &no_slot};

static size_t places(const ct_names *t)
{
    return t->mask + 1;
}

static void make_slots(ct_names *t, size_t at)
{
    t->mask = at - 1;
    size_t n = places(t) + places(t) / 2 + 1;
    void *slots;
    if (posix_memalign(&slots, alignof(ct_name_slot), n * sizeof *t->slots) != 0)
        ct_oom();
    t->slots = memset(slots, 0, n * sizeof *t->slots);
    for (size_t i = 0; i < n; i++)
        t->slots[i].whole = CT_NAME_NOT_WHOLE;
}

ct_names *ct_names_new(void)
{
    ct_names *t = ct_calloc(1, sizeof *t);
    make_slots(t, FIRST_PLACES);
    t->cap = FIRST_TEXTS;
    t->texts = ct_calloc(t->cap, sizeof *t->texts);
    return t;
}

/* As ct_name_hash, of a name that stands anywhere. */
static uint64_t hash_of(ct_str name)
{
    char quoted[CT_NAME_WIDE] = {0};
    size_t head = name.n < 3 ? name.n : 3;
    quoted[3] = '"';
    memcpy(quoted + 4, name.p, head);
    if (name.n < 3) {
        quoted[4 + name.n] = '"';
        return ct_name_hash(quoted + 4, name.n);
    }
    memcpy(quoted + 4 + 3, name.p + name.n - 3, 3);
    quoted[4 + 6] = '"';
    return ct_name_hash(quoted + 4, 6);
}

static void slot_put(ct_names *t, uint16_t id)
{
    ct_str name = t->texts[id];
    size_t n = name.n < CT_NAME_WIDE ? name.n : CT_NAME_WIDE;
    ct_name_slot *s = t->slots + (ct_names_place(t, hash_of(name)) - t->slots);
    while (s->id)
        s++;
    s->whole = name.n <= CT_NAME_WIDE ? (uint32_t)name.n : CT_NAME_NOT_WHOLE;
    s->id = id;
    s->rest = (uint16_t)(0xffffu << n);
    if (n)
        memcpy(s->words, name.p, n);
}

static void widen(ct_names *t)
{
    free(t->slots);
    make_slots(t, 2 * places(t));
    for (size_t id = 1; id <= t->count; id++)
        slot_put(t, (uint16_t)id);
}

const ct_name_slot *ct_names_look_up(const ct_names *t, ct_str name)
{
    const ct_name_slot *s = ct_names_place(t, hash_of(name));
    while (s->id && !ct_str_eq(t->texts[s->id], name))
        s++;
    return s;
}

uint16_t ct_names_find(const ct_names *t, ct_str name)
{
    return ct_names_look_up(t, name)->id;
}

uint16_t ct_names_add(ct_names *t, ct_str name)
{
    uint16_t id = ct_names_find(t, name);
    if (id || t->count == UINT16_MAX || name.n > UINT32_MAX)
        return id;
    if (t->count + 1 == t->cap) {
        t->cap *= 2;
        t->texts = ct_realloc(t->texts, t->cap, sizeof *t->texts);
    }
    id = (uint16_t)++t->count;
    t->texts[id] = name;
    if (2 * t->count > places(t))
        widen(t);
    else
        slot_put(t, id);
    return id;
}

ct_str ct_names_text(const ct_names *t, uint16_t id)
{
    return id && id <= t->count ? t->texts[id] : CT_S("");
}

void ct_names_free(ct_names *t)
{
    if (!t)
        return;
    free(t->slots);
    free(t->texts);
    free(t);
}
