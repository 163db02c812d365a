/* Element names as small integers. */
#include "common/json/names.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 64, FIRST_TEXTS = 32 };

const uint8_t ct_name_masks[16] = {255, 255, 255, 255, 255, 255, 255, 255};

ct_names *ct_names_new(void)
{
    ct_names *t = ct_calloc(1, sizeof *t);
    t->slots = ct_calloc(FIRST_SLOTS, sizeof *t->slots);
    t->mask = FIRST_SLOTS - 1;
    t->cap = FIRST_TEXTS;
    t->texts = ct_calloc(t->cap, sizeof *t->texts);
    return t;
}

/* The key as ct_names_find_wide compares it. */
static ct_name_slot slot_of(ct_str name, uint16_t id)
{
    size_t covered = name.n < 8 ? name.n : 8;
    uint64_t first = 0, last = 0;
    if (covered) {
        memcpy(&first, name.p, covered);
        memcpy(&last, name.p + name.n - covered, covered);
    }
    return (ct_name_slot){first, last, (uint32_t)name.n, id};
}

static void slot_put(ct_names *t, ct_name_slot slot)
{
    size_t i = ct_name_place(slot.first, slot.last, slot.n);
    while (t->slots[i & t->mask].id)
        i++;
    t->slots[i & t->mask] = slot;
}

static void widen(ct_names *t)
{
    size_t n = 2 * (t->mask + 1);
    free(t->slots);
    t->slots = ct_calloc(n, sizeof *t->slots);
    t->mask = n - 1;
    for (size_t id = 1; id <= t->count; id++)
        slot_put(t, slot_of(t->texts[id], (uint16_t)id));
}

uint16_t ct_names_find(const ct_names *t, ct_str name)
{
    if (name.n >= 8)
        return ct_names_find_wide(t, name.p, name.n);
    char padded[8] = {0};
    if (name.n)
        memcpy(padded, name.p, name.n);
    return ct_names_find_wide(t, padded, name.n);
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
    if (2 * t->count > t->mask)
        widen(t);
    else
        slot_put(t, slot_of(name, id));
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
