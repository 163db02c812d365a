/* What the files of this layer share: the model's inside, and its hash index. */
#ifndef CT_FHIR_INTERNAL_H
#define CT_FHIR_INTERNAL_H

#include "common/fhir/fhir.h"

/* ---- an index from names to things ---- */

/* An entry begins with its name; entries stand in an array of the caller's. */
typedef struct ct_index {
    const char *entries;
    size_t size;     /* of an entry */
    uint16_t *slots; /* number of the entry + 1, 0 where free */
    size_t mask;     /* number of slots - 1 */
} ct_index;

/* Indexes `n` entries (65534 at most) of `size` bytes, each with a ct_str as its first member. Of
 * two with one name the first counts. */
void ct_index_make(ct_index *x, const void *entries, size_t n, size_t size, ct_arena *a);
/* The entry of that name, or NULL. */
const void *ct_index_find(const ct_index *x, ct_str name);

/* ---- the model ---- */

/* What an element's name leads to: the element, and its type where the name tells it. */
typedef struct ct_named {
    ct_str name;
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

/* A type as the model holds it; `pub` is first, so that a ct_ftype leads here, and its name is
 * first in that. */
typedef struct ct_type_node {
    ct_ftype pub;
    ct_str base_name;
    size_t own, nown; /* its rows of the table, while that is read */
    bool done;
    ct_index names; /* of ct_named: FHIRPath and JSON names */
    const ct_member_path *compartment;
    size_t ncompartment;
    ct_str dates, ongoing; /* of when.tsv; empty where it does not know the type */
} ct_type_node;

struct ct_model {
    ct_arena *arena;
    ct_names *names;
    ct_type_node *types;
    size_t ntypes;
    ct_index by_name;                  /* of ct_type_node */
    ct_index codesets;                 /* of ct_codeset */
    uint16_t reference, type, id_name; /* ids of `reference`, `type` and `id` */
};

/* Fills `m` from the tables that the program carries. */
void ct_model_load(ct_model *m);

#endif
