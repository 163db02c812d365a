/* The parser: it leaves the tape behind. Containers that are open stand in an explicit stack.
 *
 * The text is scanned a part ahead for the stops of strings (scan.h), so that a string is stepped
 * over by looking up where it ends. All else is read byte by byte, each checked.
 *
 * There are two kinds of passes. That over a text must look out for its end at every byte. One over
 * a line of a block need not: LF ends it, which nothing accepts, not even as white space. What is
 * wrong with a line is found out by a pass over it as a text. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-slp-vectorize") /* it packs what is better left in registers */
#endif

#include "common/json/parser.h"

#include <stdlib.h>

enum {
    FIRST_NODES = 256,
    KEEP_NODES = 1 << 18, /* a tape beyond this is given back when a much smaller text comes */
};

/* A place in the text is its offset, or this where something was refused. */
#define FAILED UINT32_MAX

#define ALWAYS    static inline __attribute__((always_inline))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define RARELY(x) __builtin_expect(!!(x), 0)

ct_parser *ct_parser_new(const ct_names *names)
{
    ct_parser *s = ct_calloc(1, sizeof *s);
    s->names = names;
    s->scan = ct_scan_best();
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

/* ---- bytes ---- */

static uint32_t refuse(ct_parser *s, uint32_t i, const char *text)
{
    ct_json_refuse(s, s->text + i, text);
    return FAILED;
}

static uint32_t offset(const ct_parser *s, const char *p)
{
    return p ? (uint32_t)(p - s->text) : FAILED;
}

/* The byte at `i`; NUL, which no rule accepts, at the end. */
ALWAYS char look(const ct_pass *a, uint32_t i, const bool line)
{
    return line || i < a->end ? a->text[i] : '\0';
}

ALWAYS uint32_t space(const ct_pass *a, uint32_t i, const bool line)
{
    char c = look(a, i, line);
    while (RARELY((uint8_t)c <= ' ') && ct_lex_is_space(c) && !(line && c == '\n'))
        c = look(a, ++i, line);
    return i;
}

/* Passes over `c`, and white space on both sides of it; false where something else comes. */
ALWAYS bool take(const ct_pass *a, uint32_t *i, char c, const bool line)
{
    if (RARELY(look(a, *i, line) != c)) {
        *i = space(a, *i, line);
        if (look(a, *i, line) != c)
            return false;
    }
    *i = space(a, *i + 1, line);
    return true;
}

/* A pass on its way over a call, field by field: it is never one object in memory. What does not
 * change is found in the parser. */
ALWAYS void put_away(ct_parser *s, const ct_pass *a)
{
    s->saved.stop = a->stop;
    s->saved.v = a->v;
    s->saved.n = a->n;
    s->saved.depth = a->depth;
    s->saved.container = a->container;
    s->saved.object = a->object;
    s->saved.seen = a->seen;
    s->saved.twice = a->twice;
}

ALWAYS void take_back(ct_parser *s, ct_pass *a)
{
    a->text = s->text;
    a->end = s->saved.end;
    a->start = s->saved.start;
    a->names = s->names;
    a->cap = (uint32_t)s->cap;
    a->stop = s->saved.stop;
    a->v = s->saved.v;
    a->n = s->saved.n;
    a->depth = s->saved.depth;
    a->container = s->saved.container;
    a->object = s->saved.object;
    a->seen = s->saved.seen;
    a->twice = s->saved.twice;
}

/* ---- strings ---- */

/* From the first character of a string to its closing quote; sets `*escaped` where it has an
 * escape. */
ALWAYS uint32_t string(ct_parser *s, ct_pass *a, uint32_t i, bool *escaped)
{
    uint32_t n = *a->stop - (a->start + i); /* huge where the stop is before, or none */
    if (LIKELY(n <= CT_JSON_MAX && a->text[i + n] == '"')) {
        a->stop++;
        return i + n;
    }
    bool has_escape = false;
    put_away(s, a);
    i = offset(s, ct_json_string(s, a->text + i, a->stop, &has_escape));
    take_back(s, a);
    a->stop = s->stop + 1;
    *escaped = has_escape;
    return i;
}

/* ---- names ---- */

/* Any name, looked up without haste. */
static const ct_name_slot *look_up(ct_parser *s, ct_str key, bool escaped)
{
    static const ct_name_slot unknown = {.bit = CT_NAME_UNKNOWN};
    if (!s->names)
        return &unknown;
    if (escaped) {
        s->scratch.n = 0;
        char *to = ct_buf_room(&s->scratch, key.n);
        key = (ct_str){to, ct_unescape(to, key)};
    }
    return ct_names_look_up(s->names, key);
}

ALWAYS const ct_name_slot *find_name(ct_parser *s, ct_pass *a, uint32_t i, uint32_t n, bool escaped,
                                     const bool line)
{
    if (LIKELY(n - 2 <= CT_NAME_WIDE - 2 && !escaped && a->names &&
               (line || a->end - i >= CT_NAME_WIDE)))
        return ct_names_slot(a->names, a->text + i, n);
    put_away(s, a);
    const ct_name_slot *slot = look_up(s, (ct_str){a->text + i, n}, escaped);
    take_back(s, a);
    return slot;
}

/* Reads a name and the colon; returns where the value starts. */
ALWAYS uint32_t member(ct_parser *s, ct_pass *a, uint32_t i, const bool line)
{
    if (RARELY(look(a, i, line) != '"'))
        return refuse(s, i, "expected a name in quotes");
    bool escaped = false;
    uint32_t key = i + 1, close = string(s, a, key, &escaped);
    if (RARELY(close == FAILED))
        return FAILED;
    const ct_name_slot *name = find_name(s, a, key, close - key, escaped, line);
    a->v->key = key;
    a->v->keylen = close - key;
    a->v->name = name->id;
    a->v->flags = escaped ? CT_J_KEY_ESCAPED : 0;
    a->twice |= a->seen & name->bit;
    a->seen |= name->bit;
    i = close + 1;
    return LIKELY(take(a, &i, ':', line)) ? i : refuse(s, i, "expected ':'");
}

/* ---- numbers and literals ---- */

ALWAYS bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Passes over digits; false where there is none. */
ALWAYS bool digits(const ct_pass *a, uint32_t *i, const bool line)
{
    uint32_t from = *i;
    while (is_digit(look(a, *i, line)))
        ++*i;
    return *i > from;
}

ALWAYS uint32_t number(ct_parser *s, const ct_pass *a, uint32_t i, const bool line)
{
    i += look(a, i, line) == '-';
    if (look(a, i, line) == '0') {
        i++;
        if (is_digit(look(a, i, line)))
            return refuse(s, i, "number with a leading zero");
    } else if (!digits(a, &i, line)) {
        return refuse(s, i, "expected a digit");
    }
    if (look(a, i, line) == '.') {
        i++;
        if (!digits(a, &i, line))
            return refuse(s, i, "expected a digit");
    }
    if ((look(a, i, line) | 0x20) == 'e') {
        i++;
        i += look(a, i, line) == '+' || look(a, i, line) == '-';
        if (!digits(a, &i, line))
            return refuse(s, i, "expected a digit");
    }
    return i;
}

ALWAYS uint32_t literal(ct_parser *s, const ct_pass *a, uint32_t i, const char *word,
                        const bool line)
{
    for (; *word; word++, i++)
        if (look(a, i, line) != *word)
            return refuse(s, i, "expected a value");
    return i;
}

/* What is no string and no container. */
ALWAYS uint32_t scalar(ct_parser *s, ct_pass *a, uint32_t i, char first, const bool line)
{
    a->v->type = CT_NUMBER;
    if (first == '-' || is_digit(first))
        return number(s, a, i, line);
    a->v->type = first == 't' ? CT_TRUE : first == 'f' ? CT_FALSE : CT_NULL;
    return literal(s, a, i, first == 't' ? "true" : first == 'f' ? "false" : "null", line);
}

/* Reads a string, number or literal at `i`. */
ALWAYS uint32_t simple(ct_parser *s, ct_pass *a, uint32_t i, char first, const bool line)
{
    uint32_t at = i;
    if (LIKELY(first == '"')) {
        bool escaped = false;
        i = string(s, a, i + 1, &escaped);
        a->v->type = CT_STRING;
        if (RARELY(escaped))
            a->v->flags |= CT_J_ESCAPED;
        if (RARELY(i == FAILED))
            return FAILED;
        i++;
    } else {
        i = scalar(s, a, i, first, line);
        if (RARELY(i == FAILED))
            return FAILED;
    }
    a->v->at = at;
    a->v->len = i - at;
    a->v->next = ++a->n;
    a->v++;
    return i;
}

/* ---- containers ---- */

/* Enters the container at `i`; returns its first token. */
ALWAYS uint32_t enter(ct_parser *s, ct_pass *a, uint32_t i, char first, const bool line)
{
    if (RARELY(a->depth == CT_JSON_DEPTH))
        return offset(s, ct_json_limit(s, s->text + i, "nested too deep"));
    ct_frame *outer = &s->open[a->depth++];
    outer->seen = a->seen;
    outer->twice = a->twice;
    outer->node = a->container;
    outer->object = a->object;
    a->object = first == '{';
    a->seen = a->twice = 0;
    a->v->at = i;
    a->v->type = a->object ? CT_OBJECT : CT_ARRAY;
    a->v++;
    a->container = a->n++;
    return space(a, i + 1, line);
}

/* Is there a name that stands twice in the container, which ends? */
ALWAYS bool has_twice(ct_parser *s, ct_pass *a)
{
    if (LIKELY(!a->twice))
        return false;
    put_away(s, a);
    ct_val twice = ct_unique_check(&s->unique, s->text, s->tape, a->container, a->n);
    if (twice != CT_NONE)
        refuse(s, s->tape[twice].key, "name stands twice in its object");
    take_back(s, a);
    return twice != CT_NONE;
}

/* Leaves the innermost container, whose bracket must be at `i`. */
ALWAYS uint32_t leave(ct_parser *s, ct_pass *a, uint32_t i, const bool line)
{
    if (RARELY(look(a, i, line) != (a->object ? '}' : ']')))
        return refuse(s, i, a->object ? "expected ',' or '}'" : "expected ',' or ']'");
    ct_node *v = a->v - (a->n - a->container);
    v->len = i + 1 - v->at;
    v->next = a->n;
    if (RARELY(has_twice(s, a)))
        return FAILED;
    v = a->v - (a->n - a->container);
    const ct_frame *outer = &s->open[--a->depth];
    a->seen = outer->seen;
    a->twice = outer->twice;
    a->container = outer->node;
    a->object = outer->object;
    return v->at + v->len;
}

/* ---- the pass ---- */

static bool grow(ct_parser *s, uint32_t i)
{
    if (s->cap >= CT_JSON_NODES)
        return ct_json_limit(s, s->text + i, "too many values") != NULL;
    s->cap = s->cap ? 2 * s->cap : FIRST_NODES;
    s->tape = ct_realloc(s->tape, s->cap, sizeof *s->tape);
    return true;
}

/* Room for one more value. */
ALWAYS bool has_room(ct_parser *s, ct_pass *a, uint32_t i)
{
    if (LIKELY(a->n < a->cap))
        return true;
    put_away(s, a);
    bool grown = grow(s, i);
    take_back(s, a);
    a->v = s->tape + a->n;
    return grown;
}

/* Behind a value: leaves the containers that end there. Returns where the next value starts, or the
 * end of the outermost one: then depth is 0. */
ALWAYS uint32_t next_value(ct_parser *s, ct_pass *a, uint32_t i, const bool line)
{
    do {
        if (take(a, &i, ',', line))
            return i;
        i = leave(s, a, i, line);
        if (RARELY(i == FAILED))
            return FAILED;
    } while (LIKELY(a->depth));
    return i;
}

/* Reads the value at `i` and all it contains; returns what follows it. */
ALWAYS uint32_t values(ct_parser *s, ct_pass *a, uint32_t i, const bool line)
{
    for (;;) {
        if (RARELY(!has_room(s, a, i)))
            return FAILED;
        if (LIKELY(a->object)) {
            i = member(s, a, i, line);
            if (RARELY(i == FAILED))
                return FAILED;
        } else {
            a->v->key = a->v->keylen = 0;
            a->v->name = 0;
            a->v->flags = 0;
        }
        char c = look(a, i, line);
        if (c != '{' && c != '[') {
            i = simple(s, a, i, c, line);
            if (RARELY(i == FAILED || !a->depth))
                return i;
        } else {
            i = enter(s, a, i, c, line);
            if (RARELY(i == FAILED))
                return FAILED;
            if (LIKELY(look(a, i, line) != c + 2)) /* the bracket that closes */
                continue;
        }
        i = next_value(s, a, i, line);
        if (RARELY(i == FAILED || !a->depth))
            return i;
    }
}

/* A pass over what starts at `text`. A large tape is given back when a much smaller text comes. */
ALWAYS ct_pass start(ct_parser *s, const char *text, size_t n)
{
    if (s->cap > KEEP_NODES && n < s->cap / 8) {
        free(s->tape);
        s->tape = NULL;
        s->cap = 0;
    }
    s->text = text;
    s->saved.end = (uint32_t)n;
    s->saved.start = (uint32_t)(text - s->block);
    return (ct_pass){.text = text,
                     .end = s->saved.end,
                     .start = s->saved.start,
                     .stop = s->stop,
                     .names = s->names,
                     .v = s->tape,
                     .cap = (uint32_t)s->cap};
}

bool ct_parse(ct_parser *s, ct_str text, ct_doc *doc, ct_err *err)
{
    s->err = err;
    if (text.n > CT_JSON_MAX)
        return ct_fail(err, CT_E_LIMIT, "text is too long");
    if (!text.n)
        text.p = "";
    ct_json_scan_from(s, text.p, text.p + text.n, 0);
    ct_pass a = start(s, text.p, text.n);
    uint32_t i = values(s, &a, space(&a, 0, false), false);
    if (RARELY(i == FAILED))
        return false;
    i = space(&a, i, false);
    if (i < text.n)
        return refuse(s, i, "more text after the value") != FAILED;
    *doc = (ct_doc){text, s->tape, a.n};
    return true;
}

/* ---- blocks of lines ---- */

void ct_parse_block(ct_parser *s, ct_str block)
{
    s->block_end = block.p + block.n;
    s->line_next = block.p;
    ct_json_scan_from(s, block.p, s->block_end, 0);
}

/* The line by itself: it is wrong, and this tells where. */
static bool parse_alone(ct_parser *s, ct_str line, ct_doc *doc, ct_err *err)
{
    const char *block = s->block;
    bool ok = ct_parse(s, line, doc, err);
    s->block = block;
    s->line_next = NULL; /* scan anew */
    return ok;
}

bool ct_parse_line(ct_parser *s, ct_str *line, ct_doc *doc, ct_err *err)
{
    if (line->p != s->line_next)
        ct_json_scan_from(s, s->block, s->block_end, (size_t)(line->p - s->block));
    s->err = NULL;
    ct_pass a = start(s, line->p, SIZE_MAX);
    uint32_t i = values(s, &a, space(&a, 0, true), true);
    if (i != FAILED)
        i = space(&a, i, true);
    if (i != FAILED && line->p[i] == '\n') {
        s->stop = a.stop;
        s->line_next = line->p + i + 1;
        line->n = i;
        *doc = (ct_doc){*line, s->tape, a.n};
        return true;
    }
    const char *p = memchr(line->p, '\n', (size_t)(s->block_end - line->p));
    line->n = (size_t)((p ? p : s->block_end) - line->p);
    return parse_alone(s, *line, doc, err);
}

ct_doc ct_doc_keep(const ct_doc *doc, ct_arena *a)
{
    ct_doc kept = *doc;
    ct_str bytes = {(const char *)doc->tape, doc->n * sizeof *doc->tape};
    kept.tape = (const ct_node *)(const void *)ct_arena_copy(a, bytes).p;
    return kept;
}
