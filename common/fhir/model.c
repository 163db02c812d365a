/* Questions to the R4 model. It is built once, by the first who asks, and never changes after. */
#include "common/fhir/internal.h"

#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static ct_model r4;

static void load_r4(void)
{
    ct_model_load(&r4);
}

const ct_model *ct_model_r4(void)
{
    pthread_once(&once, load_r4);
    return &r4;
}

const ct_names *ct_model_names(const ct_model *m)
{
    return m->names;
}

const ct_ftype *ct_model_type(const ct_model *m, ct_str name)
{
    const ct_type_node *t = ct_index_find(&m->by_name, name);
    return t ? &t->pub : NULL;
}

const ct_felement *ct_model_element(const ct_ftype *t, ct_str name, const ct_ftype **type)
{
    const ct_named *found = ct_index_find(&((const ct_type_node *)t)->names, name);
    if (type)
        *type = found ? found->type : NULL;
    return found ? found->element : NULL;
}

const ct_codeset *ct_model_codes(const ct_model *m, ct_str valueset)
{
    return ct_index_find(&m->codesets, valueset);
}

bool ct_ftype_is(const ct_ftype *t, ct_str name)
{
    for (; t; t = t->base)
        if (ct_str_eq(t->name, name))
            return true;
    return false;
}

/* ---- the index: open addressing, at most half full ---- */

static ct_str name_of(const ct_index *x, size_t entry)
{
    ct_str name;
    memcpy(&name, x->entries + entry * x->size, sizeof name);
    return name;
}

/* The slot that holds the name, or the free one where it belongs. */
static uint16_t *slot_of(const ct_index *x, ct_str name)
{
    size_t i = ct_hash(name) & x->mask;
    while (x->slots[i] && !ct_str_eq(name_of(x, x->slots[i] - 1u), name))
        i = (i + 1) & x->mask;
    return &x->slots[i];
}

void ct_index_make(ct_index *x, const void *entries, size_t n, size_t size, ct_arena *a)
{
    size_t slots = 4;
    while (slots < 2 * n)
        slots *= 2;
    *x = (ct_index){entries, size, ct_arena_alloc(a, slots * sizeof *x->slots), slots - 1};
    for (size_t i = 0; i < n; i++) {
        uint16_t *slot = slot_of(x, name_of(x, i));
        if (!*slot)
            *slot = (uint16_t)(i + 1);
    }
}

const void *ct_index_find(const ct_index *x, ct_str name)
{
    uint16_t entry = *slot_of(x, name);
    return entry ? x->entries + (entry - 1u) * x->size : NULL;
}
