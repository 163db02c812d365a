/* Compiled paths in a value that is being built: members, items, extensions by their url. */
#include "cmd/import/hl7v2/path.h"

static bool in_array(const import_step *s)
{
    return s->kind != STEP_MEMBER;
}

static ct_tree *by_url(const ct_tree *array, ct_str url)
{
    for (size_t i = 0; i < ct_tree_count(array); i++) {
        ct_tree *item = ct_tree_item(array, i);
        ct_tree *u = ct_tree_get(item, CT_S("url"));
        if (u && ct_str_eq(ct_tree_text(u), url))
            return item;
    }
    return NULL;
}

/* The child that the step leads to, NULL where there is none yet. */
static ct_tree *child(const ct_tree *t, const import_step *s)
{
    if (ct_tree_type(t) != (in_array(s) ? CT_ARRAY : CT_OBJECT))
        return NULL;
    switch (s->kind) {
    case STEP_MEMBER:
        return ct_tree_get(t, s->name);
    case STEP_AT:
        return ct_tree_item(t, s->index);
    case STEP_LAST:
        return ct_tree_count(t) ? ct_tree_item(t, ct_tree_count(t) - 1) : NULL;
    case STEP_URL:
        return by_url(t, s->name);
    default:
        return NULL;
    }
}

ct_tree *import_path_find(ct_tree *root, const import_path *path)
{
    for (size_t i = 0; root && i < path->n; i++)
        root = child(root, &path->steps[i]);
    return root;
}

/* Makes the child. An extension gets its url as first member. */
static bool add_child(ct_arena *a, ct_tree *t, const import_step *s, ct_tree *value)
{
    if (ct_tree_type(t) != (in_array(s) ? CT_ARRAY : CT_OBJECT))
        return false;
    if (s->kind == STEP_MEMBER) {
        ct_tree_set(t, s->name, value);
        return true;
    }
    if (s->kind == STEP_AT && s->index != ct_tree_count(t))
        return false;
    if (s->kind == STEP_URL || s->kind == STEP_NEW_URL) {
        if (ct_tree_type(value) != CT_OBJECT)
            return false;
        ct_tree_set(value, CT_S("url"), ct_tree_string(a, s->name));
    }
    ct_tree_push(t, value);
    return true;
}

bool import_path_put(ct_arena *a, ct_tree *root, const import_path *path, ct_tree *value)
{
    for (size_t i = 0; i < path->n; i++) {
        const import_step *s = &path->steps[i];
        bool last = i + 1 == path->n;
        ct_tree *next = child(root, s);
        if (last && s->kind == STEP_MEMBER && ct_tree_type(root) == CT_OBJECT) {
            ct_tree_set(root, s->name, value);
            return true;
        }
        if (last)
            return !next && add_child(a, root, s, value);
        if (!next) {
            next = in_array(s + 1) ? ct_tree_array(a) : ct_tree_object(a);
            if (!add_child(a, root, s, next))
                return false;
        }
        root = next;
    }
    return false;
}
