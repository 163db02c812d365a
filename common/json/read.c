/* Reading a document: members, paths, text. */
#include "common/json/lex.h"

size_t ct_count(const ct_doc *d, ct_val v)
{
    size_t n = 0;
    for (ct_val c = ct_first(d, v); c != CT_NONE; c = ct_next(d, v, c))
        n++;
    return n;
}

static bool is_object(const ct_doc *d, ct_val v)
{
    return v != CT_NONE && ct_type(d, v) == CT_OBJECT;
}

ct_val ct_member_id(const ct_doc *d, ct_val obj, uint16_t name)
{
    if (name == 0 || !is_object(d, obj))
        return CT_NONE;
    const ct_node *tape = d->tape;
    ct_val stop = tape[obj].next;
    for (ct_val v = obj + 1; v < stop; v = tape[v].next)
        if (tape[v].name == name)
            return v;
    return CT_NONE;
}

static bool key_is(const ct_doc *d, ct_val v, ct_str name)
{
    if (d->tape[v].flags & CT_J_KEY_ESCAPED)
        return ct_unescape_eq(ct_key(d, v), name);
    return ct_str_eq(ct_key(d, v), name);
}

ct_val ct_member(const ct_doc *d, ct_val obj, ct_str name)
{
    if (!is_object(d, obj))
        return CT_NONE;
    ct_val v = ct_first(d, obj);
    while (v != CT_NONE && !key_is(d, v, name))
        v = ct_next(d, obj, v);
    return v;
}

/* The first item of an array, of the first array in an array, and so on. */
static ct_val first_item(const ct_doc *d, ct_val v)
{
    while (v != CT_NONE && ct_type(d, v) == CT_ARRAY)
        v = ct_first(d, v);
    return v;
}

ct_val ct_at(const ct_doc *d, ct_val v, const char *path)
{
    ct_str rest = ct_str_z(path);
    while (rest.p && v != CT_NONE)
        v = ct_member(d, first_item(d, v), ct_str_cut(&rest, '.'));
    return v;
}

/* What stands between a string's quotes. */
static ct_str inside(const ct_doc *d, ct_val v)
{
    ct_str raw = ct_raw(d, v);
    return (ct_str){raw.p + 1, raw.n - 2};
}

ct_str ct_text(const ct_doc *d, ct_val v, ct_arena *a)
{
    if (v == CT_NONE || ct_type(d, v) >= CT_ARRAY)
        return CT_S("");
    if (ct_type(d, v) != CT_STRING)
        return ct_raw(d, v);
    ct_str raw = inside(d, v);
    if ((d->tape[v].flags & CT_J_ESCAPED) == 0)
        return raw;
    char *to = ct_arena_alloc(a, raw.n);
    return (ct_str){to, ct_unescape(to, raw)};
}

ct_str ct_text_at(const ct_doc *d, ct_val v, const char *path, ct_arena *a)
{
    return ct_text(d, first_item(d, ct_at(d, v, path)), a);
}

bool ct_is(const ct_doc *d, ct_val v, ct_str text)
{
    if (v == CT_NONE || ct_type(d, v) != CT_STRING)
        return false;
    if (d->tape[v].flags & CT_J_ESCAPED)
        return ct_unescape_eq(inside(d, v), text);
    return ct_str_eq(inside(d, v), text);
}
