/* Functions on strings. Positions count characters (code points), not bytes. */
#include "common/fhirpath/internal.h"

/* ---- characters ---- */

static bool starts_char(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

static size_t chars(ct_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += starts_char(s.p[i]);
    return n;
}

/* The byte at which character `k` starts; s.n where there are fewer. */
static size_t byte_of(ct_str s, size_t k)
{
    for (size_t i = 0; i < s.n; i++) {
        if (starts_char(s.p[i]) && k-- == 0)
            return i;
    }
    return s.n;
}

/* ---- input and arguments ---- */

/* The input string: 1, or 0 for empty, -1 for an error. */
static int self(struct fp_call *c, ct_str *s)
{
    return ct_fp_single_string(c->r, c->n, c->in, s);
}

static int arg(struct fp_call *c, size_t i, ct_str *s)
{
    struct fp_coll v;
    return ct_fp_arg(c, i, &v) ? ct_fp_single_string(c->r, c->n, &v, s) : -1;
}

static int arg_int(struct fp_call *c, size_t i, int64_t *n)
{
    struct fp_coll v;
    return ct_fp_arg(c, i, &v) ? ct_fp_single_int(c->r, c->n, &v, n) : -1;
}

/* Input and first argument, both strings. */
static int pair(struct fp_call *c, ct_str *s, ct_str *a)
{
    int got = self(c, s);
    if (got < 0)
        return got;
    int other = arg(c, 0, a);
    return other < 0 ? other : got && other;
}

static bool give(struct fp_call *c, const struct fp_text *t)
{
    ct_fp_string(c->r, c->out, (ct_str){t->p ? t->p : "", t->n});
    return true;
}

/* ---- looking into a string ---- */

bool ct_fn_length(struct fp_call *c)
{
    ct_str s;
    int got = self(c, &s);
    if (got > 0)
        ct_fp_int(c->r, c->out, (int64_t)chars(s));
    return got >= 0;
}

bool ct_fn_starts_with(struct fp_call *c)
{
    ct_str s, a;
    int got = pair(c, &s, &a);
    if (got > 0)
        ct_fp_bool(c->r, c->out, ct_str_starts(s, a));
    return got >= 0;
}

bool ct_fn_ends_with(struct fp_call *c)
{
    ct_str s, a;
    int got = pair(c, &s, &a);
    if (got > 0)
        ct_fp_bool(c->r, c->out, ct_str_ends(s, a));
    return got >= 0;
}

bool ct_fn_contains(struct fp_call *c)
{
    ct_str s, a;
    int got = pair(c, &s, &a);
    if (got > 0)
        ct_fp_bool(c->r, c->out, a.n == 0 || ct_str_find(s, a) != SIZE_MAX);
    return got >= 0;
}

bool ct_fn_index_of(struct fp_call *c)
{
    ct_str s, a;
    int got = pair(c, &s, &a);
    if (got > 0) {
        size_t at = a.n == 0 ? 0 : ct_str_find(s, a);
        ct_fp_int(c->r, c->out, at == SIZE_MAX ? -1 : (int64_t)chars(ct_str_head(s, at)));
    }
    return got >= 0;
}

/* Where the last one begins; SIZE_MAX for none. */
static size_t find_last(ct_str s, ct_str needle)
{
    size_t last = SIZE_MAX;
    for (size_t from = 0, at; (at = ct_str_find(ct_str_from(s, from), needle)) != SIZE_MAX;)
        from = (last = from + at) + 1;
    return last;
}

bool ct_fn_last_index_of(struct fp_call *c)
{
    ct_str s, a;
    int got = pair(c, &s, &a);
    if (got > 0) {
        size_t at = a.n == 0 ? 0 : find_last(s, a);
        ct_fp_int(c->r, c->out, at == SIZE_MAX ? -1 : (int64_t)chars(ct_str_head(s, at)));
    }
    return got >= 0;
}

bool ct_fn_substring(struct fp_call *c)
{
    ct_str s;
    int64_t from, n = INT64_MAX;
    int got = self(c, &s);
    if (got <= 0)
        return got == 0;
    got = arg_int(c, 0, &from);
    if (got <= 0)
        return got == 0;
    if (c->n->nargs > 1 && arg_int(c, 1, &n) < 0)
        return false;
    if (from < 0 || (uint64_t)from >= chars(s))
        return true;
    s = ct_str_from(s, byte_of(s, (size_t)from));
    ct_fp_string(c->r, c->out, ct_str_head(s, n <= 0 ? 0 : byte_of(s, (size_t)n)));
    return true;
}

/* ---- changing a string ---- */

/* Letters of two bytes whose cases lie a fixed way apart: Latin-1, Greek, Cyrillic. */
static const struct {
    uint16_t first, last; /* upper case */
    uint8_t distance;
} cases[] = {
    {0x00C0, 0x00D6, 32}, {0x00D8, 0x00DE, 32}, {0x0391, 0x03A1, 32},
    {0x03A3, 0x03A9, 32}, {0x0400, 0x040F, 80}, {0x0410, 0x042F, 32},
};

/* Latin Extended-A has its cases side by side, upper first, in these ranges. */
static const struct {
    uint16_t first, last;
} neighbours[] = {{0x0100, 0x012F}, {0x0132, 0x0137}, {0x014A, 0x0177}};
/* … and lower case on even numbers in these. */
static const struct {
    uint16_t first, last;
} odd_neighbours[] = {{0x0139, 0x0148}, {0x0179, 0x017E}};

static unsigned change_case(unsigned ch, bool upper)
{
    for (size_t i = 0; i < CT_LEN(cases); i++) {
        unsigned shift = upper ? cases[i].distance : 0;
        if (ch >= cases[i].first + shift && ch <= cases[i].last + shift)
            return upper ? ch - shift : ch + cases[i].distance;
    }
    for (size_t i = 0; i < CT_LEN(neighbours); i++) {
        if (ch >= neighbours[i].first && ch <= neighbours[i].last)
            return upper ? ch & ~1u : ch | 1u;
    }
    for (size_t i = 0; i < CT_LEN(odd_neighbours); i++) {
        if (ch >= odd_neighbours[i].first && ch <= odd_neighbours[i].last)
            return upper ? (ch - 1) | 1u : (ch + 1) & ~1u;
    }
    return ch;
}

static bool change(struct fp_call *c, bool upper)
{
    ct_str s;
    int got = self(c, &s);
    if (got <= 0)
        return got == 0;
    if (!ct_fp_spend_text(c->r, c->n, s.n))
        return false;
    char *to = ct_arena_alloc(c->r->a, s.n + 1);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char x = (unsigned char)s.p[i];
        to[i] = (char)x;
        if (x >= (upper ? 'a' : 'A') && x <= (upper ? 'z' : 'Z')) {
            to[i] = (char)(x ^ 0x20);
        } else if (x >= 0xC2 && x < 0xE0 && i + 1 < s.n) {
            unsigned ch = (x & 0x1Fu) << 6 | ((unsigned char)s.p[i + 1] & 0x3Fu);
            ch = change_case(ch, upper);
            to[i++] = (char)(0xC0 | ch >> 6);
            to[i] = (char)(0x80 | (ch & 0x3F));
        }
    }
    ct_fp_string(c->r, c->out, (ct_str){to, s.n});
    return true;
}

bool ct_fn_upper(struct fp_call *c)
{
    return change(c, true);
}

bool ct_fn_lower(struct fp_call *c)
{
    return change(c, false);
}

bool ct_fn_trim(struct fp_call *c)
{
    ct_str s;
    int got = self(c, &s);
    if (got > 0)
        ct_fp_string(c->r, c->out, ct_str_trim(s));
    return got >= 0;
}

/* An empty pattern stands between all characters. */
static bool interleave(struct fp_call *c, ct_str s, ct_str with)
{
    struct fp_text t = {0};
    while (s.n > 0) {
        size_t n = byte_of(s, 1);
        if (!ct_fp_text_add(c->r, c->n, &t, with) ||
            !ct_fp_text_add(c->r, c->n, &t, ct_str_head(s, n)))
            return false;
        s = ct_str_from(s, n);
    }
    return ct_fp_text_add(c->r, c->n, &t, with) && give(c, &t);
}

static bool replace_all(struct fp_call *c, ct_str s, ct_str pattern, ct_str with)
{
    struct fp_text t = {0};
    size_t at;
    while ((at = ct_str_find(s, pattern)) != SIZE_MAX) {
        if (!ct_fp_text_add(c->r, c->n, &t, ct_str_head(s, at)) ||
            !ct_fp_text_add(c->r, c->n, &t, with))
            return false;
        s = ct_str_from(s, at + pattern.n);
    }
    return ct_fp_text_add(c->r, c->n, &t, s) && give(c, &t);
}

bool ct_fn_replace(struct fp_call *c)
{
    ct_str s, pattern, with;
    int got = pair(c, &s, &pattern);
    if (got <= 0)
        return got == 0;
    got = arg(c, 1, &with);
    if (got <= 0)
        return got == 0;
    return pattern.n == 0 ? interleave(c, s, with) : replace_all(c, s, pattern, with);
}

/* ---- strings and collections ---- */

static bool push_text(struct fp_call *c, ct_str s)
{
    ct_item item = ct_fp_item_string(s);
    return ct_fp_push(c->r, c->n, c->out, &item);
}

bool ct_fn_to_chars(struct fp_call *c)
{
    ct_str s;
    int got = self(c, &s);
    if (got <= 0)
        return got == 0;
    while (s.n > 0) {
        size_t n = byte_of(s, 1);
        if (!push_text(c, ct_str_head(s, n)))
            return false;
        s = ct_str_from(s, n);
    }
    return true;
}

bool ct_fn_split(struct fp_call *c)
{
    ct_str s, by;
    size_t at;
    int got = pair(c, &s, &by);
    if (got <= 0)
        return got == 0;
    if (by.n == 0)
        return ct_fn_to_chars(c);
    while ((at = ct_str_find(s, by)) != SIZE_MAX) {
        if (!push_text(c, ct_str_head(s, at)))
            return false;
        s = ct_str_from(s, at + by.n);
    }
    return push_text(c, s);
}

bool ct_fn_join(struct fp_call *c)
{
    struct fp_text t = {0};
    ct_str by = {"", 0};
    if (c->n->nargs > 0 && arg(c, 0, &by) < 0)
        return false;
    if (c->in->n == 0)
        return true;
    for (size_t i = 0; i < c->in->n; i++) {
        struct fp_coll one = {&c->in->v[i], 1, 0};
        ct_str s;
        int got = ct_fp_single_string(c->r, c->n, &one, &s);
        if (got < 0)
            return false;
        if (got == 0)
            continue;
        if ((t.p && !ct_fp_text_add(c->r, c->n, &t, by)) || !ct_fp_text_add(c->r, c->n, &t, s))
            return false;
    }
    return give(c, &t);
}
