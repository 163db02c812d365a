/* The tables that are built in: purposes, resource types, confidentiality labels. */
#include "release.h"

static release_table load(ct_arena *a, const char *name)
{
    const ct_datafile *f = ct_datafile_find(ct_cmd_data, name);
    ct_str text = f ? (ct_str){f->text, f->n} : CT_S("");
    ct_str rest = text, cols[RELEASE_COLUMNS];
    release_table t = {0};

    while (ct_tsv_next(&rest, cols, RELEASE_COLUMNS, NULL))
        t.n++;
    t.rows = ct_arena_alloc(a, t.n * sizeof *t.rows);
    rest = text;
    for (size_t i = 0; i < t.n; i++)
        ct_tsv_next(&rest, t.rows[i], RELEASE_COLUMNS, NULL);
    return t;
}

release_tables release_tables_load(ct_arena *a)
{
    return (release_tables){.purposes = load(a, "purposes.tsv"),
                            .types = load(a, "types.tsv"),
                            .labels = load(a, "labels.tsv")};
}

static const ct_str *row(const release_table *t, ct_str key)
{
    for (size_t i = 0; i < t->n; i++)
        if (ct_str_eq(t->rows[i][0], key))
            return t->rows[i];
    return NULL;
}

bool release_purpose_find(const release_tables *t, ct_str code, release_purpose *found)
{
    const ct_str *r = row(&t->purposes, code);

    if (r)
        *found = (release_purpose){.code = r[0],
                                   .excluded = ct_str_is(r[1], "-") ? CT_S("") : r[1],
                                   .policy = r[2],
                                   .display = r[3]};
    return r != NULL;
}

bool release_type_find(const release_tables *t, ct_str type, release_type *found)
{
    const ct_str *r = row(&t->types, type);

    if (r)
        *found = (release_type){.shared = ct_str_is(r[1], "shared")};
    return r != NULL;
}

bool release_label_known(const release_tables *t, ct_str code)
{
    return row(&t->labels, code) != NULL;
}

bool release_label_find(const release_tables *t, ct_str system, ct_str code, release_label *found)
{
    const ct_str *r = NULL;

    for (size_t i = 0; !r && i < t->labels.n; i++)
        if (ct_str_eq(t->labels.rows[i][0], code) && ct_str_eq(t->labels.rows[i][1], system))
            r = t->labels.rows[i];
    if (!r)
        return false;
    found->verdict = RELEASE_L_WITHHOLD;
    if (ct_str_is(r[2], "pass"))
        found->verdict = RELEASE_L_PASS;
    else if (ct_str_is(r[2], "psychotherapy"))
        found->verdict = RELEASE_L_PSYCHOTHERAPY;
    return true;
}
