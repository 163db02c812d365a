/* Values that are built piece by piece, and paths into them. */
#include "common/json/lex.h"

typedef struct child {
    ct_str name; /* empty in arrays */
    ct_tree *value;
} child;

struct ct_tree {
    ct_jtype type;
    ct_arena *arena;
    ct_str text; /* of strings and raw values; of a container that is like `kept`, as written */
    child *children;
    size_t n, cap;
    const ct_tree *kept; /* NULL once its children are this one's own */
};

static ct_tree *tree_new(ct_arena *a, ct_jtype type)
{
    ct_tree *t = ct_arena_alloc(a, sizeof *t);
    t->type = type;
    t->arena = a;
    return t;
}

ct_tree *ct_tree_object(ct_arena *a)
{
    return tree_new(a, CT_OBJECT);
}

ct_tree *ct_tree_array(ct_arena *a)
{
    return tree_new(a, CT_ARRAY);
}

ct_tree *ct_tree_view(ct_arena *a, ct_str s)
{
    ct_tree *t = tree_new(a, CT_STRING);
    t->text = s;
    return t;
}

ct_tree *ct_tree_string(ct_arena *a, ct_str s)
{
    return ct_tree_view(a, ct_arena_copy(a, s));
}

ct_tree *ct_tree_raw(ct_arena *a, ct_str json)
{
    ct_tree *t = tree_new(a, CT_NUMBER);
    t->text = ct_arena_copy(a, json);
    return t;
}

ct_tree *ct_tree_copy(ct_arena *a, const ct_tree *t)
{
    if (t->kept)
        t = t->kept;
    ct_tree *copy = tree_new(a, t->type);
    copy->text = t->type < CT_ARRAY ? ct_arena_copy(a, t->text) : CT_S("");
    copy->n = copy->cap = t->n;
    copy->children = ct_arena_alloc(a, t->n * sizeof *copy->children);
    for (size_t i = 0; i < t->n; i++)
        copy->children[i] = (child){t->children[i].name, ct_tree_copy(a, t->children[i].value)};
    return copy;
}

ct_tree *ct_tree_like(ct_arena *a, const ct_tree *kept, ct_str json)
{
    ct_tree *t = tree_new(a, kept->type);
    t->text = kept->type < CT_ARRAY ? kept->text : json;
    t->kept = kept->type < CT_ARRAY ? NULL : kept;
    t->n = kept->n;
    return t;
}

static void own_children(const ct_tree *tree)
{
    const ct_tree *kept = tree->kept;
    ct_tree *t = (ct_tree *)tree;
    t->children = ct_arena_alloc(t->arena, kept->n * sizeof *t->children);
    t->cap = kept->n;
    for (size_t i = 0; i < kept->n; i++)
        t->children[i] = (child){kept->children[i].name,
                                 ct_tree_like(t->arena, kept->children[i].value, CT_S(""))};
    t->kept = NULL;
    t->text = CT_S("");
}

/* Gives a container children of its own before somebody is given one of them, or it changes. */
static inline void own(const ct_tree *t)
{
    if (t->kept)
        own_children(t);
}

ct_jtype ct_tree_type(const ct_tree *t)
{
    return t->type;
}

ct_str ct_tree_text(const ct_tree *t)
{
    return t->type < CT_ARRAY ? t->text : CT_S("");
}

size_t ct_tree_count(const ct_tree *t)
{
    return t->n;
}

/* ---- children ---- */

static child *find(const ct_tree *t, ct_str name)
{
    own(t);
    for (size_t i = 0; i < t->n; i++)
        if (ct_str_eq(t->children[i].name, name))
            return &t->children[i];
    return NULL;
}

static void append(ct_tree *t, child c)
{
    own(t);
    if (t->n == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : t->type == CT_ARRAY ? 1 : 4;
        child *wider = (child *)ct_arena_take(t->arena, cap * sizeof *wider);
        if (t->n)
            memcpy(wider, t->children, t->n * sizeof *wider);
        t->children = wider;
        t->cap = cap;
    }
    t->children[t->n++] = c;
}

ct_tree *ct_tree_get(const ct_tree *obj, ct_str name)
{
    child *c = obj->type == CT_OBJECT ? find(obj, name) : NULL;
    return c ? c->value : NULL;
}

const ct_tree *ct_tree_look(const ct_tree *obj, ct_str name)
{
    return ct_tree_get(obj->kept ? obj->kept : obj, name);
}

void ct_tree_set(ct_tree *obj, ct_str name, ct_tree *value)
{
    child *c = find(obj, name);
    if (c)
        c->value = value;
    else
        append(obj, (child){name, value});
}

void ct_tree_add(ct_tree *obj, ct_str name, ct_tree *value)
{
    append(obj, (child){name, value});
}

void ct_tree_push(ct_tree *array, ct_tree *item)
{
    append(array, (child){CT_S(""), item});
}

ct_tree *ct_tree_item(const ct_tree *array, size_t i)
{
    own(array);
    return i < array->n ? array->children[i].value : NULL;
}

/* ---- paths ---- */

typedef struct step {
    bool item;
    ct_str name; /* of a member */
    enum { AT, NEW, LAST } which;
    uint64_t index; /* of an item, for AT */
} step;

/* Takes the next step off the path; false where it is none. */
static bool step_next(ct_str *path, step *s)
{
    *s = (step){0};
    if (path->n && *path->p == '[') {
        *path = ct_str_from(*path, 1);
        ct_str index = ct_str_cut(path, ']');
        s->item = true;
        s->which = ct_str_is(index, "+") ? NEW : ct_str_is(index, "-") ? LAST : AT;
        return path->p && (s->which != AT || ct_str_u64(index, &s->index));
    }
    if (path->n && *path->p == '.')
        *path = ct_str_from(*path, 1);
    size_t n = 0;
    while (n < path->n && path->p[n] != '.' && path->p[n] != '[')
        n++;
    s->name = ct_str_head(*path, n);
    *path = ct_str_from(*path, n);
    return n > 0;
}

/* The place of an item, which may be the one behind the last; SIZE_MAX where it is neither. */
static size_t item_place(const ct_tree *t, const step *s)
{
    if (s->which == NEW)
        return t->n;
    if (s->which == LAST)
        return t->n ? t->n - 1 : 0;
    return s->index <= t->n ? (size_t)s->index : SIZE_MAX;
}

/* The child that a step leads to; NULL in `*value` where it is not there yet. False where the step
 * cannot be taken from `t`. */
static bool step_take(const ct_tree *t, const step *s, ct_tree **value)
{
    if (t->type != (s->item ? CT_ARRAY : CT_OBJECT))
        return false;
    if (!s->item) {
        *value = ct_tree_get(t, s->name);
        return true;
    }
    size_t i = item_place(t, s);
    *value = i != SIZE_MAX ? ct_tree_item(t, i) : NULL;
    return i != SIZE_MAX;
}

static void step_set(ct_tree *t, const step *s, ct_tree *value)
{
    size_t i = s->item ? item_place(t, s) : 0;
    own(t);
    if (!s->item)
        ct_tree_set(t, s->name, value);
    else if (i < t->n)
        t->children[i].value = value;
    else
        ct_tree_push(t, value);
}

bool ct_tree_put(ct_tree *root, const char *path, ct_tree *value)
{
    ct_str rest = ct_str_z(path);
    ct_tree *t = root, *next;
    step s;
    for (;;) {
        if (!step_next(&rest, &s) || !step_take(t, &s, &next))
            return false;
        if (rest.n == 0) {
            step_set(t, &s, value);
            return true;
        }
        if (!next) {
            next = tree_new(root->arena, *rest.p == '[' ? CT_ARRAY : CT_OBJECT);
            step_set(t, &s, next);
        }
        t = next;
    }
}

ct_tree *ct_tree_find(const ct_tree *root, const char *path)
{
    ct_str rest = ct_str_z(path);
    const ct_tree *t = root;
    while (rest.n) {
        step s;
        ct_tree *next;
        if (!step_next(&rest, &s) || s.which == NEW || !step_take(t, &s, &next) || !next)
            return NULL;
        t = next;
    }
    return (ct_tree *)t;
}

/* ---- completing ---- */

static bool says(const ct_tree *whole, const ct_tree *part);

/* Does one of the items say all that `part` says? */
static bool one_says(const ct_tree *array, const ct_tree *part)
{
    own(array);
    for (size_t i = 0; i < array->n; i++)
        if (says(array->children[i].value, part))
            return true;
    return false;
}

/* Is all that `part` says said by `whole` too? */
static bool says(const ct_tree *whole, const ct_tree *part)
{
    if (whole->type != part->type)
        return false;
    if (whole->type < CT_ARRAY)
        return ct_str_eq(whole->text, part->text);
    own(part);
    for (size_t i = 0; i < part->n; i++) {
        const child *c = &part->children[i];
        const child *same = whole->type == CT_OBJECT ? find(whole, c->name) : NULL;
        if (whole->type == CT_ARRAY ? !one_says(whole, c->value)
                                    : !same || !says(same->value, c->value))
            return false;
    }
    return true;
}

/* An item that says less than the new one gives its place to it. */
static void complete_items(ct_tree *whole, const ct_tree *part)
{
    own(whole);
    own(part);
    for (size_t i = 0; i < part->n; i++) {
        ct_tree *item = part->children[i].value;
        size_t at = 0;
        if (one_says(whole, item))
            continue;
        while (at < whole->n && !says(item, whole->children[at].value))
            at++;
        if (at < whole->n)
            whole->children[at].value = item;
        else
            ct_tree_push(whole, item);
    }
}

void ct_tree_complete(ct_tree *whole, const ct_tree *part)
{
    own(part);
    for (size_t i = 0; i < part->n; i++) {
        const child *c = &part->children[i];
        child *same = find(whole, c->name);
        if (!same)
            append(whole, *c);
        else if (same->value->type == CT_ARRAY && c->value->type == CT_ARRAY)
            complete_items(same->value, c->value);
        else if (says(c->value, same->value))
            same->value = c->value;
    }
}

/* ---- writing ---- */

bool ct_tree_empty(const ct_tree *t)
{
    if (t->type < CT_ARRAY)
        return false;
    if (t->kept)
        t = t->kept;
    for (size_t i = 0; i < t->n; i++)
        if (!ct_tree_empty(t->children[i].value))
            return false;
    return true;
}

/* A member's name and the colon, with a comma ahead where it is not the first one. */
static void put_name(ct_buf *b, ct_str name, bool comma)
{
    char *to = ct_buf_room(b, name.n + 4);
    to[0] = ',';
    to += comma;
    to[0] = '"';
    if (ct_lex_copy_plain(to + 1, name)) {
        to[name.n + 1] = '"';
        to[name.n + 2] = ':';
        b->n += name.n + 3 + comma;
        return;
    }
    b->n += comma;
    ct_put_string(b, name);
    ct_buf_c(b, ':');
}

static bool write_filled(ct_buf *b, const ct_tree *t);

/* Between the brackets. */
static bool write_children(ct_buf *b, const ct_tree *t)
{
    bool any = false;
    for (size_t i = 0; i < t->n; i++) {
        size_t before = b->n;
        if (t->type == CT_OBJECT)
            put_name(b, t->children[i].name, any);
        else if (any)
            ct_buf_c(b, ',');
        if (write_filled(b, t->children[i].value))
            any = true;
        else
            b->n = before;
    }
    return any;
}

/* Writes `t`, or nothing where it is empty: found out on the way, as asking ahead at every level
 * would look at the leaves once for each level. */
static bool write_filled(ct_buf *b, const ct_tree *t)
{
    if (t->type == CT_STRING) {
        ct_put_string(b, t->text);
        return true;
    }
    if (t->type < CT_ARRAY || t->text.n) {
        ct_buf_put(b, t->text);
        return true;
    }
    if (t->kept)
        t = t->kept;
    size_t start = b->n;
    ct_buf_c(b, t->type == CT_OBJECT ? '{' : '[');
    bool any = write_children(b, t);
    ct_buf_c(b, t->type == CT_OBJECT ? '}' : ']');
    if (!any)
        b->n = start;
    return any;
}

void ct_tree_write(ct_buf *b, const ct_tree *t)
{
    if (!write_filled(b, t))
        ct_buf_z(b, t->type == CT_OBJECT ? "{}" : "[]");
}

size_t ct_tree_size(const ct_tree *t)
{
    ct_buf b = {0};
    if (t->type >= CT_ARRAY && t->text.n)
        return t->text.n;
    ct_tree_write(&b, t);
    size_t n = b.n;
    ct_buf_free(&b);
    return n;
}
