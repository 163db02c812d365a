/* Identifiers that segments tell again: IN2 of each insurance has the patient's Medicare number,
 * which may be in PID-3 as well. */
#include "cmd/import/hl7v2/run.h"

static bool same_text(const ct_tree *a, const ct_tree *b, const char *path)
{
    const ct_tree *x = ct_tree_find(a, path), *y = ct_tree_find(b, path);

    return x && y && ct_str_eq(ct_tree_text(x), ct_tree_text(y));
}

/* Do both say it, and not the same? */
static bool contradict(const ct_tree *a, const ct_tree *b, const char *path)
{
    return ct_tree_find(a, path) && ct_tree_find(b, path) && !same_text(a, b, path);
}

static bool is_same(const ct_tree *a, const ct_tree *b)
{
    return same_text(a, b, "value") && same_text(a, b, "type.coding[0].code") &&
           !contradict(a, b, "system") && !contradict(a, b, "assigner.reference") &&
           !contradict(a, b, "assigner.display");
}

static ct_tree *told_before(const ct_tree *identifiers, const ct_tree *one)
{
    for (size_t i = 0; i < ct_tree_count(identifiers); i++)
        if (is_same(ct_tree_item(identifiers, i), one))
            return ct_tree_item(identifiers, i);
    return NULL;
}

void import_identifiers_once(import_run *run, ct_tree *resource)
{
    const ct_tree *there = ct_tree_look(resource, CT_S("identifier"));

    if (!there || ct_tree_type(there) != CT_ARRAY || ct_tree_count(there) < 2)
        return;
    ct_tree *all = ct_tree_get(resource, CT_S("identifier"));
    ct_tree *once = ct_tree_array(run->a);
    for (size_t i = 0; i < ct_tree_count(all); i++) {
        ct_tree *one = ct_tree_item(all, i), *before = told_before(once, one);
        if (before)
            ct_tree_complete(before, one);
        else
            ct_tree_push(once, one);
    }
    if (ct_tree_count(once) < ct_tree_count(all))
        ct_tree_set(resource, CT_S("identifier"), once);
}
