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
    if (s->kind == STEP_MEMBER)
        return ct_tree_get(t, s->name);
    if (ct_tree_type(t) != CT_ARRAY)
        return NULL;
    switch (s->kind) {
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

/* Makes the child, which is not there yet. An extension gets its url as first member. */
static bool add_child(ct_arena *a, ct_tree *t, const import_step *s, ct_tree *value)
{
    if (ct_tree_type(t) != (in_array(s) ? CT_ARRAY : CT_OBJECT))
        return false;
    if (s->kind == STEP_MEMBER) {
        ct_tree_add(t, s->name, value);
        return true;
    }
    if (s->kind == STEP_AT && s->index != ct_tree_count(t))
        return false;
    if (s->kind == STEP_URL || s->kind == STEP_NEW_URL) {
        if (ct_tree_type(value) != CT_OBJECT)
            return false;
        ct_tree_set(value, CT_S("url"), ct_tree_view(a, s->name));
    }
    ct_tree_push(t, value);
    return true;
}

/* The last step: a member takes the place of one that is there, an item does not. */
static bool put_child(ct_arena *a, ct_tree *t, const import_step *s, ct_tree *value)
{
    if (s->kind != STEP_MEMBER)
        return !child(t, s) && add_child(a, t, s, value);
    if (ct_tree_type(t) != CT_OBJECT)
        return false;
    ct_tree_set(t, s->name, value);
    return true;
}

bool import_path_put(ct_arena *a, ct_tree *root, const import_path *path, ct_tree *value)
{
    const import_step *s = path->steps, *last = s + path->n - 1;

    for (; s < last; s++) {
        ct_tree *next = child(root, s);
        if (!next) {
            next = in_array(s + 1) ? ct_tree_array(a) : ct_tree_object(a);
            if (!add_child(a, root, s, next))
                return false;
        }
        root = next;
    }
    return path->n && put_child(a, root, s, value);
}
