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

bool ct_ftype_is(const ct_ftype *t, ct_str name)
{
    for (; t; t = t->base)
        if (ct_str_eq(t->name, name))
            return true;
    return false;
}

/* ---- the index: open addressing, at most half full ---- */

void ct_index_init(ct_index *x, size_t n, ct_arena *a)
{
    size_t size = 4;
    while (size < 2 * n)
        size *= 2;
    x->slots = ct_arena_alloc(a, size * sizeof *x->slots);
    x->mask = size - 1;
}

static struct ct_index_slot *slot_of(const ct_index *x, ct_str key)
{
    size_t i = ct_hash(key) & x->mask;
    while (x->slots[i].value && !ct_str_eq(x->slots[i].key, key))
        i = (i + 1) & x->mask;
    return &x->slots[i];
}

void ct_index_add(ct_index *x, ct_str key, const void *value)
{
    struct ct_index_slot *slot = slot_of(x, key);
    if (!slot->value)
        *slot = (struct ct_index_slot){key, value};
}

const void *ct_index_find(const ct_index *x, ct_str key)
{
    return slot_of(x, key)->value;
}
