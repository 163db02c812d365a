/* Builds the R4 model from its tables (r4.tsv, r4-codes.tsv, r4-compartment.tsv, when.tsv; their
 * heads say what the columns are). The tables come with the program and are checked by its tests:
 * what they say of types, bases and paths is taken as right here. */
#include "common/fhir/internal.h"

#include <stdlib.h>

extern const ct_datafile ct_fhir_data[];

enum { PATH, MIN, MAX, TYPES, BINDING, COLUMNS };         /* of an element's row */
enum { NAME, KIND, ABSTRACT, BASE, TYPE_COLUMNS };        /* of a type's row */
enum { VALUE_SET, CODES, CODE_COLUMNS };                  /* of r4-codes.tsv */
enum { RESOURCE, ELEMENT, TARGETS, COMPARTMENT_COLUMNS }; /* of r4-compartment.tsv */
enum { WHOSE, DATES, ONGOING, WHEN_COLUMNS };             /* of when.tsv */

enum { NAME_LONGEST = 128 };

typedef struct row {
    ct_str cols[COLUMNS];
} row;

/* What is needed only while the model is built. */
typedef struct loader {
    ct_model *m;
    row *rows; /* of elements */
    size_t nrows, rows_cap, types_cap;
} loader;

static ct_str table(const char *name)
{
    const ct_datafile *file = ct_datafile_find(ct_fhir_data, name);
    return file ? (ct_str){file->text, file->n} : CT_S("");
}

static size_t count(ct_str s, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == c;
    return n;
}

/* ---- rows ---- */

static ct_fkind kind_of(ct_str word)
{
    return ct_str_is(word, "primitive")  ? CT_F_PRIMITIVE
           : ct_str_is(word, "complex")  ? CT_F_COMPLEX
           : ct_str_is(word, "resource") ? CT_F_RESOURCE
                                         : CT_F_BACKBONE;
}

static void add_type(loader *l, const ct_str *cols)
{
    ct_model *m = l->m;
    if (m->ntypes == l->types_cap) {
        l->types_cap = l->types_cap ? 2 * l->types_cap : 1024;
        m->types = ct_realloc(m->types, l->types_cap, sizeof *m->types);
    }
    m->types[m->ntypes++] = (ct_type_node){
        .pub = {.name = cols[NAME],
                .kind = kind_of(cols[KIND]),
                .abstract = ct_str_is(cols[ABSTRACT], "abstract")},
        .base_name = cols[BASE],
        .own = l->nrows,
    };
}

static void add_row(loader *l, const ct_str *cols)
{
    if (l->nrows == l->rows_cap) {
        l->rows_cap = l->rows_cap ? 2 * l->rows_cap : 8192;
        l->rows = ct_realloc(l->rows, l->rows_cap, sizeof *l->rows);
    }
    memcpy(l->rows[l->nrows++].cols, cols, sizeof l->rows->cols);
    l->m->types[l->m->ntypes - 1].nown++;
}

static void read_types(loader *l)
{
    ct_model *m = l->m;
    ct_str rest = table("r4.tsv"), cols[COLUMNS];
    for (size_t n; (n = ct_tsv_next(&rest, cols, COLUMNS, NULL));) {
        if (n == TYPE_COLUMNS)
            add_type(l, cols);
        else if (n == COLUMNS && m->ntypes)
            add_row(l, cols);
    }
    ct_index_make(&m->by_name, m->types, m->ntypes, sizeof *m->types, m->arena);
}

static void read_codes(loader *l)
{
    ct_arena *a = l->m->arena;
    ct_str text = table("r4-codes.tsv"), cols[CODE_COLUMNS];
    ct_codeset *sets = ct_arena_alloc(a, count(text, '\n') * sizeof *sets);
    size_t n = 0;
    for (; ct_tsv_next(&text, cols, CODE_COLUMNS, NULL) == CODE_COLUMNS; n++) {
        ct_str *codes = ct_arena_alloc(a, (count(cols[CODES], ' ') + 1) * sizeof *codes);
        sets[n] = (ct_codeset){.valueset = cols[VALUE_SET], .codes = codes};
        for (ct_str list = cols[CODES]; list.p;)
            codes[sets[n].n++] = ct_str_cut(&list, ' ');
    }
    ct_index_make(&l->m->codesets, sets, n, sizeof *sets, a);
}

/* ---- elements ---- */

/* The id of a name that is put together from two; a new one is copied. */
static uint16_t intern(ct_model *m, ct_str first, ct_str second)
{
    char joined[NAME_LONGEST];
    if (first.n + second.n > sizeof joined)
        return 0;
    memcpy(joined, first.p, first.n);
    memcpy(joined + first.n, second.p, second.n);
    ct_str name = {joined, first.n + second.n};
    uint16_t id = ct_names_find(m->names, name);
    return id ? id : ct_names_add(m->names, ct_arena_copy(m->arena, name));
}

/* An element's name in JSON: one that has a choice of types has the type behind it. */
static ct_str json_name(ct_model *m, const ct_felement *e, const ct_ftype *type)
{
    char first = type->name.p[0];
    if (!e->choice)
        return e->name;
    if (first >= 'a' && first <= 'z')
        first = (char)(first - 'a' + 'A');
    char capital[NAME_LONGEST] = {first};
    ct_str rest = ct_str_head(ct_str_from(type->name, 1), sizeof capital - 1);
    memcpy(capital + 1, rest.p, rest.n);
    return ct_names_text(m->names, intern(m, e->name, (ct_str){capital, rest.n + 1}));
}

/* The types of an element. The value of a primitive has a type of FHIRPath's own, which is none of
 * R4's: it stays without. */
static void set_types(ct_model *m, ct_felement *e, ct_str list)
{
    const ct_ftype **types = ct_arena_alloc(m->arena, (count(list, ',') + 1) * sizeof(*types));
    while (list.p) {
        ct_str name = ct_str_cut(&list, ',');
        name = ct_str_cut(&name, '(');
        if (name.n && name.p[0] == '#')
            name = ct_str_from(name, 1);
        const ct_ftype *t = ct_model_type(m, name);
        if (t)
            types[e->ntypes++] = t;
    }
    e->types = types;
}

static void set_element(loader *l, ct_felement *e, ct_str name, const row *r)
{
    ct_model *m = l->m;
    uint64_t number;
    *e = (ct_felement){.name = name, .choice = ct_str_ends(name, CT_S("[x]"))};
    if (e->choice)
        e->name.n -= 3;
    e->id = ct_names_add(m->names, e->name);
    e->min = ct_str_u64(r->cols[MIN], &number) ? (uint16_t)number : 0;
    e->max = ct_str_u64(r->cols[MAX], &number) ? (uint16_t)number : CT_MANY;
    set_types(m, e, r->cols[TYPES]);
    for (size_t i = 0; i < e->ntypes; i++) {
        ct_str json = json_name(m, e, e->types[i]);
        if (e->types[i]->kind == CT_F_PRIMITIVE)
            intern(m, CT_S("_"), json);
    }
    if (ct_str_is(r->cols[BINDING], "-"))
        return;
    e->valueset = r->cols[BINDING];
    const ct_codeset *set = ct_model_codes(m, e->valueset);
    if (set) {
        e->codes = set->codes;
        e->ncodes = set->n;
    }
}

/* ---- types ---- */

static ct_felement *find(ct_felement *list, size_t n, ct_str name)
{
    for (size_t i = 0; i < n; i++)
        if (ct_str_eq(list[i].name, name))
            return &list[i];
    return NULL;
}

static void index_names(ct_model *m, ct_type_node *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->pub.n; i++)
        n += 1 + (t->pub.elements[i].choice ? t->pub.elements[i].ntypes : 0);
    ct_named *named = ct_arena_alloc(m->arena, n * sizeof *named), *next = named;
    for (size_t i = 0; i < t->pub.n; i++) {
        const ct_felement *e = &t->pub.elements[i];
        *next++ = (ct_named){e->name, e, !e->choice && e->ntypes == 1 ? e->types[0] : NULL};
        for (size_t k = 0; e->choice && k < e->ntypes; k++)
            *next++ = (ct_named){json_name(m, e, e->types[k]), e, e->types[k]};
    }
    ct_index_make(&t->names, named, n, sizeof *named, m->arena);
}

/* Puts a type's elements together: its base's, then its own, which may take the place of one. */
static void build(loader *l, ct_type_node *t)
{
    if (t->done)
        return;
    t->done = true;
    size_t inherited = 0;
    ct_type_node *base = (ct_type_node *)(uintptr_t)ct_index_find(&l->m->by_name, t->base_name);
    if (base) {
        build(l, base);
        t->pub.base = &base->pub;
        inherited = base->pub.n;
    }
    size_t n = inherited;
    ct_felement *elements = ct_arena_alloc(l->m->arena, (n + t->nown + 1) * sizeof *elements);
    if (n)
        memcpy(elements, base->pub.elements, n * sizeof *elements);
    for (const row *r = l->rows + t->own; r < l->rows + t->own + t->nown; r++) {
        ct_str name = ct_str_from(r->cols[PATH], t->pub.name.n + 1);
        ct_felement *changed = find(elements, inherited, name);
        set_element(l, changed ? changed : &elements[n++], name, r);
    }
    t->pub.elements = elements;
    t->pub.n = n;
    index_names(l->m, t);
}

/* ---- dates ---- */

static void read_when(ct_model *m)
{
    ct_str text = table("when.tsv"), cols[WHEN_COLUMNS];
    for (size_t n; (n = ct_tsv_next(&text, cols, WHEN_COLUMNS, NULL));) {
        ct_type_node *t = (ct_type_node *)(uintptr_t)ct_index_find(&m->by_name, cols[WHOSE]);
        if (!t)
            continue;
        t->dates = cols[DATES];
        t->ongoing = n == WHEN_COLUMNS ? cols[ONGOING] : CT_S("");
    }
}

/* ---- the patient compartment ---- */

static bool means_patient(ct_str element, ct_str targets)
{
    return ct_str_is(element, "subject") || ct_str_is(element, "patient") ||
           ct_str_is(element, "beneficiary") || ct_str_is(targets, "Patient");
}

static void read_compartment(ct_model *m)
{
    ct_str text = table("r4-compartment.tsv"), cols[COMPARTMENT_COLUMNS];
    ct_member_path *p = ct_arena_alloc(m->arena, count(text, '\n') * sizeof *p);
    while (ct_tsv_next(&text, cols, COMPARTMENT_COLUMNS, NULL) == COMPARTMENT_COLUMNS) {
        ct_type_node *t = (ct_type_node *)(uintptr_t)ct_index_find(&m->by_name, cols[RESOURCE]);
        if (!t)
            continue;
        ct_str path = cols[ELEMENT];
        do
            p->steps[p->n++] = ct_names_add(m->names, ct_str_cut(&path, '.'));
        while (path.p && p->n < CT_PATH_STEPS);
        p->patient = means_patient(cols[ELEMENT], cols[TARGETS]);
        if (!t->ncompartment++)
            t->compartment = p;
        p++;
    }
}

void ct_model_load(ct_model *m)
{
    loader l = {.m = m};
    m->arena = ct_arena_new();
    m->names = ct_names_new();
    ct_names_add(m->names, CT_S("resourceType"));
    m->reference = ct_names_add(m->names, CT_S("reference"));
    m->type = ct_names_add(m->names, CT_S("type"));
    m->id_name = ct_names_add(m->names, CT_S("id"));
    read_types(&l);
    read_codes(&l);
    for (size_t i = 0; i < m->ntypes; i++)
        build(&l, &m->types[i]);
    read_compartment(m);
    read_when(m);
    free(l.rows);
}
