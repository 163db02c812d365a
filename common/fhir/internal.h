/* What the files of this layer share: the model's inside, and its hash index. */
#ifndef CT_FHIR_INTERNAL_H
#define CT_FHIR_INTERNAL_H

#include "common/fhir/fhir.h"

/* ---- an index from names to things ---- */

typedef struct ct_index {
    struct ct_index_slot {
        ct_str key;
        const void *value; /* NULL: free */
    } * slots;
    size_t mask; /* number of slots - 1 */
} ct_index;

/* Room for `n` keys in `a`; more must not be added. */
void ct_index_init(ct_index *x, size_t n, ct_arena *a);
/* Enters `key`, which is borrowed. A key that is there already keeps its value. */
void ct_index_add(ct_index *x, ct_str key, const void *value);
const void *ct_index_find(const ct_index *x, ct_str key);

/* ---- the model ---- */

/* What an element's name leads to: the element, and its type where the name tells it. */
typedef struct ct_named {
    const ct_felement *element;
    const ct_ftype *type;
} ct_named;

enum { CT_PATH_STEPS = 4 };

/* An element of the patient compartment, as the ids of the names that lead to it. */
typedef struct ct_member_path {
    uint16_t steps[CT_PATH_STEPS];
    uint8_t n;
    bool patient; /* a reference whose text does not tell its type means a Patient here */
} ct_member_path;

/* A type as the model holds it; `pub` is first, so that a ct_ftype leads here. */
typedef struct ct_type_node {
    ct_ftype pub;
    ct_str base_name;
    size_t own, nown; /* its rows of the table, while that is read */
    bool done;
    ct_index names; /* of ct_named: FHIRPath and JSON names */
    const ct_member_path *compartment;
    size_t ncompartment;
} ct_type_node;

struct ct_model {
    ct_arena *arena;
    ct_names *names;
    ct_type_node *types;
    size_t ntypes;
    ct_index by_name;                  /* of ct_type_node */
    uint16_t reference, type, id_name; /* ids of `reference`, `type` and `id` */
};

/* Fills `m` from the tables that the program carries. */
void ct_model_load(ct_model *m);

#endif
