/* The parser: one pass over the text, which leaves the tape behind. Containers that are open stand
 * in an explicit stack, strings are stepped over many bytes at a time (lex.h). */
#include "common/json/lex.h"
#include "common/json/names.h"

#include <stdlib.h>

enum {
    FIRST_NODES = 256,
    KEEP_NODES = 1 << 18, /* a tape beyond this is given back when a much smaller text comes */
};

struct ct_parser {
    const ct_names *names;
    ct_node *tape;
    uint32_t n, cap;
    uint32_t depth;
    uint32_t open[CT_JSON_DEPTH];
    const char *text, *end;
    ct_unique unique;
    ct_buf scratch;
    ct_err *err;
};

ct_parser *ct_parser_new(const ct_names *names)
{
    ct_parser *s = ct_calloc(1, sizeof *s);
    s->names = names;
    s->unique.stamps = ct_calloc(UINT16_MAX + 1, sizeof *s->unique.stamps);
    return s;
}

void ct_parser_free(ct_parser *s)
{
    if (!s)
        return;
    free(s->tape);
    ct_unique_free(&s->unique);
    ct_buf_free(&s->scratch);
    free(s);
}

/* ---- refusing ---- */

static const char *limit(ct_parser *s, const char *p, const char *text)
{
    ct_fail(s->err, CT_E_LIMIT, text);
    if (s->err)
        s->err->offset = (uint64_t)(p - s->text);
    return NULL;
}

/* Nothing that is refused at the end of the text could not have gone on: it is cut. */
static const char *refuse(ct_parser *s, const char *p, const char *text)
{
    if (p == s->end)
        ct_fail(s->err, CT_E_CUT, "unexpected end of text");
    else
        ct_fail(s->err, CT_E_DATA, text);
    if (s->err)
        s->err->offset = (uint64_t)(p - s->text);
    return NULL;
}

/* The byte at `p`; NUL, which no rule accepts, at the end. */
static inline char peek(const ct_parser *s, const char *p)
{
    if (p < s->end)
        return *p;
    return '\0';
}

/* ---- strings ---- */

/* Reads four hexadecimal digits; returns what follows them. */
static const char *hex4(ct_parser *s, const char *p, uint32_t *value)
{
    *value = 0;
    for (int i = 0; i < 4; i++, p++) {
        char c = peek(s, p);
        char low = (char)(c | 0x20);
        if (c >= '0' && c <= '9')
            *value = *value << 4 | (uint32_t)(c - '0');
        else if (low >= 'a' && low <= 'f')
            *value = *value << 4 | (uint32_t)(low - 'a' + 10);
        else
            return refuse(s, p, "invalid escape in string");
    }
    return p;
}

/* Steps over the second half of a surrogate pair, which must be there. */
static const char *low_surrogate(ct_parser *s, const char *p)
{
    static const char start[] = "\\u";
    for (int i = 0; i < 2; i++, p++)
        if (peek(s, p) != start[i])
            return refuse(s, p, "unpaired surrogate in string");
    uint32_t c;
    const char *next = hex4(s, p, &c);
    if (next && (c < 0xdc00 || c > 0xdfff))
        return refuse(s, p, "unpaired surrogate in string");
    return next;
}

/* Steps over the escape whose backslash is at `p`. */
static const char *escape(ct_parser *s, const char *p)
{
    char c = peek(s, ++p);
    if (c != 'u' && c && strchr("\"\\/bfnrt", c))
        return p + 1;
    if (c != 'u')
        return refuse(s, p, "invalid escape in string");
    uint32_t unit;
    const char *next = hex4(s, p + 1, &unit);
    if (!next || unit < 0xd800 || unit > 0xdfff)
        return next;
    if (unit > 0xdbff)
        return refuse(s, p, "unpaired surrogate in string");
    return low_surrogate(s, next);
}

/* Steps over a run of characters beyond ASCII. */
static const char *foreign(ct_parser *s, const char *p)
{
    while (p < s->end && (uint8_t)*p >= 0x80) {
        int n = ct_utf8_step(p, s->end);
        if (n <= 0)
            return refuse(s, n ? s->end : p, "invalid UTF-8 in string");
        p += n;
    }
    return p;
}

/* What stops the scan and is no quote. */
static const char *special(ct_parser *s, const char *p, uint8_t *flags, uint8_t escaped)
{
    if (p == s->end)
        return refuse(s, p, "");
    if ((uint8_t)*p >= 0x80)
        return foreign(s, p);
    if (*p != '\\')
        return refuse(s, p, "control character in string");
    *flags |= escaped;
    return escape(s, p);
}

/* From the first character of a string to its closing quote. Sets `escaped` in `*flags` where it
 * has an escape. */
static inline const char *string(ct_parser *s, const char *p, uint8_t *flags, uint8_t escaped)
{
    for (;;) {
        p = ct_lex_plain(p, s->end);
        if (peek(s, p) == '"')
            return p;
        p = special(s, p, flags, escaped);
        if (!p)
            return NULL;
    }
}

/* ---- scalars ---- */

static const char *literal(ct_parser *s, const char *p, ct_str word)
{
    for (size_t i = 0; i < word.n; i++, p++)
        if (peek(s, p) != word.p[i])
            return refuse(s, p, "expected a value");
    return p;
}

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One digit at least. */
static const char *digits(ct_parser *s, const char *p)
{
    const char *from = p;
    while (is_digit(peek(s, p)))
        p++;
    return p > from ? p : refuse(s, p, "expected a digit");
}

static const char *number(ct_parser *s, const char *p)
{
    if (*p == '-')
        p++;
    if (peek(s, p) == '0') {
        p++;
        if (is_digit(peek(s, p)))
            return refuse(s, p, "number with a leading zero");
    } else {
        p = digits(s, p);
    }
    if (p && peek(s, p) == '.')
        p = digits(s, p + 1);
    if (p && (peek(s, p) == 'e' || peek(s, p) == 'E')) {
        p++;
        if (peek(s, p) == '+' || peek(s, p) == '-')
            p++;
        p = digits(s, p);
    }
    return p;
}

static const char *scalar(ct_parser *s, const char *p, ct_node *v)
{
    switch (peek(s, p)) {
    case 't':
        v->type = CT_TRUE;
        return literal(s, p, CT_S("true"));
    case 'f':
        v->type = CT_FALSE;
        return literal(s, p, CT_S("false"));
    case 'n':
        v->type = CT_NULL;
        return literal(s, p, CT_S("null"));
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        v->type = CT_NUMBER;
        return number(s, p);
    default:
        return refuse(s, p, "expected a value");
    }
}

/* ---- containers ---- */

static uint16_t decoded_name(ct_parser *s, ct_str key)
{
    char *to = ct_buf_room(&s->scratch, key.n);
    return ct_names_find(s->names, (ct_str){to, ct_unescape(to, key)});
}

static inline uint16_t name_id(ct_parser *s, const char *key, size_t n, bool escaped)
{
    if (!s->names)
        return 0;
    if (escaped)
        return decoded_name(s, (ct_str){key, n});
    if (s->end - key < 8)
        return ct_names_find(s->names, (ct_str){key, n});
    return ct_names_find_wide(s->names, key, n);
}

/* Reads a name and the colon into `v`; returns where the value starts. */
static inline const char *member(ct_parser *s, const char *p, ct_node *v)
{
    if (peek(s, p) != '"')
        return refuse(s, p, "expected a name in quotes");
    const char *key = p + 1;
    p = string(s, key, &v->flags, CT_J_KEY_ESCAPED);
    if (!p)
        return NULL;
    v->key = (uint32_t)(key - s->text);
    v->keylen = (uint32_t)(p - key);
    v->name = name_id(s, key, v->keylen, v->flags);
    p = ct_lex_space(p + 1, s->end);
    if (peek(s, p) != ':')
        return refuse(s, p, "expected ':'");
    return ct_lex_space(p + 1, s->end);
}

/* Enters the container at `p`; returns its first token. */
static inline const char *container(ct_parser *s, const char *p, ct_node *v)
{
    if (s->depth == CT_JSON_DEPTH)
        return limit(s, p, "nested too deep");
    v->type = *p == '{' ? CT_OBJECT : CT_ARRAY;
    s->open[s->depth++] = s->n++;
    p = ct_lex_space(p + 1, s->end);
    return p < s->end ? p : refuse(s, p, "");
}

/* Leaves the innermost container, whose bracket must be at `p`. */
static inline const char *leave(ct_parser *s, const char *p)
{
    uint32_t at = s->open[s->depth - 1];
    ct_node *v = &s->tape[at];
    bool object = v->type == CT_OBJECT;
    if (peek(s, p) != (object ? '}' : ']'))
        return refuse(s, p, object ? "expected ',' or '}'" : "expected ',' or ']'");
    p++;
    v->len = (uint32_t)(p - s->text) - v->at;
    v->next = s->n;
    s->depth--;
    if (object && s->n - at > 2 && v[1].next < s->n) { /* two members at least */
        ct_val twice = ct_unique_check(&s->unique, s->text, s->tape, at, s->n);
        if (twice != CT_NONE)
            return refuse(s, s->text + s->tape[twice].key, "name stands twice in its object");
    }
    return p;
}

/* ---- the pass ---- */

static bool grow(ct_parser *s, const char *p)
{
    if (s->cap >= CT_JSON_NODES)
        return limit(s, p, "too many values") != NULL;
    s->cap = s->cap ? 2 * s->cap : FIRST_NODES;
    s->tape = ct_realloc(s->tape, s->cap, sizeof *s->tape);
    return true;
}

/* Reads the value at `p` and all it contains; returns what follows it. */
static const char *values(ct_parser *s, const char *p)
{
    bool in_object = false;
    for (;;) {
        if (s->n == s->cap && !grow(s, p))
            return NULL;
        ct_node *v = &s->tape[s->n];
        *v = (ct_node){0};
        if (in_object && !(p = member(s, p, v)))
            return NULL;
        v->at = (uint32_t)(p - s->text);
        char c = peek(s, p);
        if (c == '{' || c == '[') {
            if (!(p = container(s, p, v)))
                return NULL;
            in_object = c == '{';
            if (*p != c + 2) /* the bracket that closes */
                continue;
        } else {
            if (c == '"') {
                v->type = CT_STRING;
                p = string(s, p + 1, &v->flags, CT_J_ESCAPED);
                p = p ? p + 1 : NULL;
            } else {
                p = scalar(s, p, v);
            }
            if (!p)
                return NULL;
            v->len = (uint32_t)(p - s->text) - v->at;
            v->next = ++s->n;
        }
        for (;;) {
            if (s->depth == 0)
                return p;
            p = ct_lex_space(p, s->end);
            if (peek(s, p) == ',')
                break;
            if (!(p = leave(s, p)))
                return NULL;
        }
        in_object = s->tape[s->open[s->depth - 1]].type == CT_OBJECT;
        p = ct_lex_space(p + 1, s->end);
    }
}

bool ct_parse(ct_parser *s, ct_str text, ct_doc *doc, ct_err *err)
{
    s->err = err;
    if (text.n > CT_JSON_MAX)
        return ct_fail(err, CT_E_LIMIT, "text is too long");
    if (s->cap > KEEP_NODES && text.n < s->cap / 8) {
        free(s->tape);
        s->tape = NULL;
        s->cap = 0;
    }
    s->text = text.n ? text.p : "";
    s->end = s->text + text.n;
    s->n = s->depth = 0;
    const char *p = values(s, ct_lex_space(s->text, s->end));
    if (!p)
        return false;
    p = ct_lex_space(p, s->end);
    if (p < s->end)
        return refuse(s, p, "more text after the value") != NULL;
    *doc = (ct_doc){{s->text, text.n}, s->tape, s->n};
    return true;
}

ct_doc ct_doc_keep(const ct_doc *doc, ct_arena *a)
{
    ct_doc kept = *doc;
    ct_str bytes = {(const char *)doc->tape, doc->n * sizeof *doc->tape};
    kept.tape = (const ct_node *)(const void *)ct_arena_copy(a, bytes).p;
    return kept;
}
