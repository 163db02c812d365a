#include "tests/helpers/seen.h"

#include <stdlib.h>
#include <yajl/yajl_parse.h>

/* Without JSON's white space, which is less than C's, at its end. */
static size_t end_of_text(ct_str json)
{
    while (json.n > 0 && memchr(" \t\r\n", json.p[json.n - 1], 4))
        json.n--;
    return json.n;
}

/* Between two tokens stand white space, commas and colons only: a token begins behind them. yajl
 * counts up to the end of the token it reports; a number at the very end of a text is reported when
 * all is read. */
static void token(seen *s, size_t *at, size_t *end)
{
    size_t from = s->done;
    while (from < s->json.n && memchr(" \t\r\n,:", s->json.p[from], 6))
        from++;
    *at = from;
    *end = yajl_get_bytes_consumed(s->yajl);
    if (*end <= from)
        *end = end_of_text(s->json);
    s->done = *end;
}

static seen_node *add(seen *s, ct_jtype type)
{
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 64;
        s->v = ct_realloc(s->v, s->cap, sizeof *s->v);
    }
    seen_node *node = &s->v[s->n];
    *node = (seen_node){.type = type, .next = s->n + 1, .parent = s->open};
    token(s, &node->at, &node->end);
    bool member = s->open != UINT32_MAX && s->v[s->open].type == CT_OBJECT;
    node->head = member ? s->head : node->at;
    if (member)
        node->name = s->name;
    s->n++;
    return node;
}

static int on_null(void *ctx)
{
    add(ctx, CT_NULL);
    return 1;
}

static int on_boolean(void *ctx, int value)
{
    add(ctx, value ? CT_TRUE : CT_FALSE);
    return 1;
}

static int on_number(void *ctx, const char *text, size_t n)
{
    seen *s = ctx;
    add(s, CT_NUMBER)->text = ct_arena_copy(s->arena, (ct_str){text, n});
    return 1;
}

static int on_string(void *ctx, const unsigned char *text, size_t n)
{
    seen *s = ctx;
    add(s, CT_STRING)->text = ct_arena_copy(s->arena, (ct_str){(const char *)text, n});
    return 1;
}

static int on_key(void *ctx, const unsigned char *text, size_t n)
{
    seen *s = ctx;
    size_t end;
    token(s, &s->head, &end);
    s->name = ct_arena_copy(s->arena, (ct_str){(const char *)text, n});
    return 1;
}

static int on_object(void *ctx)
{
    seen *s = ctx;
    add(s, CT_OBJECT);
    s->open = s->n - 1;
    return 1;
}

static int on_array(void *ctx)
{
    seen *s = ctx;
    add(s, CT_ARRAY);
    s->open = s->n - 1;
    return 1;
}

static int on_end(void *ctx)
{
    seen *s = ctx;
    seen_node *node = &s->v[s->open];
    size_t at;
    token(s, &at, &node->end);
    node->next = s->n;
    s->open = node->parent;
    return 1;
}

bool seen_read(seen *s, ct_str json)
{
    static const yajl_callbacks calls = {.yajl_null = on_null,
                                         .yajl_boolean = on_boolean,
                                         .yajl_number = on_number,
                                         .yajl_string = on_string,
                                         .yajl_start_map = on_object,
                                         .yajl_map_key = on_key,
                                         .yajl_end_map = on_end,
                                         .yajl_start_array = on_array,
                                         .yajl_end_array = on_end};
    if (!s->arena)
        s->arena = ct_arena_new();
    ct_arena_reset(s->arena);
    s->json = json;
    s->n = 0;
    s->done = 0;
    s->open = UINT32_MAX;
    yajl_handle yajl = s->yajl = yajl_alloc(&calls, NULL, s);
    bool good = yajl_parse(yajl, (const unsigned char *)json.p, json.n) == yajl_status_ok &&
                yajl_complete_parse(yajl) == yajl_status_ok;
    yajl_free(yajl);
    s->yajl = NULL;
    /* yajl takes no notice of a token behind the value that the text's end cuts off. */
    return good && s->n > 0 && s->v[0].end == end_of_text(json);
}

void seen_free(seen *s)
{
    free(s->v);
    ct_arena_free(s->arena);
    *s = (seen){0};
}

bool seen_same(const seen *a, uint32_t v, const seen *b, uint32_t w)
{
    uint32_t n = a->v[v].next - v;
    if (b->v[w].next - w != n)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        const seen_node *x = &a->v[v + i], *y = &b->v[w + i];
        if (x->type != y->type || x->next - v != y->next - w || !ct_str_eq(x->text, y->text) ||
            (i > 0 && !ct_str_eq(x->name, y->name)))
            return false;
    }
    return true;
}

uint32_t seen_member(const seen *s, uint32_t v, ct_str name)
{
    for (uint32_t c = seen_first(s, v); c != UINT32_MAX; c = seen_next(s, c))
        if (ct_str_eq(s->v[c].name, name))
            return c;
    return UINT32_MAX;
}

static const char *value_differs(const seen *s, uint32_t v, const ct_doc *doc, ct_arena *a)
{
    const seen_node *node = &s->v[v];
    const ct_node *tape = &doc->tape[v];
    if (ct_type(doc, v) != node->type || tape->next != node->next)
        return "ct_parse and yajl see another value";
    if (tape->at != node->at || tape->at + tape->len != node->end)
        return "ct_parse and yajl see a value at another place";
    if ((node->type == CT_STRING || node->type == CT_NUMBER) &&
        !ct_str_eq(ct_text(doc, v, a), node->text))
        return "ct_text and yajl see another text";
    if (node->head == node->at)
        return NULL;
    if (tape->key != node->head + 1)
        return "ct_parse and yajl see a name at another place";
    return ct_member(doc, node->parent, node->name) == v ? NULL
                                                         : "ct_member does not find what yajl sees";
}

const char *seen_differs(const seen *s, const ct_doc *doc, ct_arena *a)
{
    if (doc->n != s->n)
        return "ct_parse and yajl see another number of values";
    const char *why = NULL;
    for (uint32_t v = 0; v < s->n && !why; v++)
        why = value_differs(s, v, doc, a);
    return why;
}
