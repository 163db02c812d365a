/* Security labels: what is kept back is kept back in everything that tells of it. */
#include "cmd/import/hl7v2/run.h"

/* Against messages made to give each of their records all of very many labels. */
enum { LABELS_MAX = 64 };

static ct_tree *labels_of(const ct_tree *resource)
{
    ct_tree *meta = ct_tree_get(resource, CT_S("meta"));
    return meta ? ct_tree_get(meta, CT_S("security")) : NULL;
}

static ct_tree *make_labels(import_run *run, ct_tree *resource)
{
    ct_tree *meta = ct_tree_get(resource, CT_S("meta")), *labels = labels_of(resource);

    if (!meta)
        ct_tree_set(resource, CT_S("meta"), meta = ct_tree_object(run->a));
    if (!labels)
        ct_tree_set(meta, CT_S("security"), labels = ct_tree_array(run->a));
    return labels;
}

static bool same_member(const ct_tree *a, const ct_tree *b, ct_str name)
{
    const ct_tree *x = ct_tree_get(a, name), *y = ct_tree_get(b, name);
    return x && y ? ct_str_eq(ct_tree_text(x), ct_tree_text(y)) : x == y;
}

static bool holds_label(const ct_tree *labels, const ct_tree *label)
{
    for (size_t i = 0; i < ct_tree_count(labels); i++) {
        const ct_tree *one = ct_tree_item(labels, i);
        if (one == label ||
            (same_member(one, label, CT_S("system")) && same_member(one, label, CT_S("code")) &&
             same_member(one, label, CT_S("display"))))
            return true;
    }
    return false;
}

bool import_labels_add(import_run *run, ct_tree *to, const ct_tree *from)
{
    const ct_tree *labels = labels_of(from);

    if (!labels || to == from)
        return true;
    if (ct_tree_count(labels) > LABELS_MAX)
        return ct_fail(run->err, CT_E_LIMIT, "too many security labels");
    ct_tree *into = make_labels(run, to);
    for (size_t i = 0; i < ct_tree_count(labels); i++)
        if (!holds_label(into, ct_tree_item(labels, i)))
            ct_tree_push(into, ct_tree_item(labels, i));
    return true;
}

bool import_labels_add_all(import_run *run)
{
    for (size_t i = 0; run->labels && i < run->n; i++) {
        const import_resource *r = run->resources[i];
        /* Whoever is only named in it is not what the message tells of. */
        if ((!r->raw.n || ct_str_is(r->type, "Patient")) &&
            !import_labels_add(run, r->tree, run->labels))
            return false;
    }
    return true;
}
