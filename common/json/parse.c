/* The parser: it leaves the tape behind. Containers that are open stand in an explicit stack.
 *
 * The text is scanned a part ahead for the stops of strings (scan.h), so that a string is stepped
 * over by looking up where it ends. All else is read byte by byte, each checked.
 *
 * There are two kinds of passes. That over a text must look out for its end at every byte. One over
 * a line of a block need not: LF ends it, which nothing accepts, not even as white space. What is
 * wrong with a line is found out by a pass over it as a text.
 *
 * Most texts have no white space between tokens. So what is wanted next is looked for right behind
 * what was read, and white space only where it is not there. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-slp-vectorize") /* it packs what is better left in registers */
#endif

#include "common/json/parser.h"

#include <stdlib.h>

enum {
    FIRST_NODES = 256,
    KEEP_NODES = 1 << 18, /* a tape beyond this is given back when a much smaller text comes */
};

#define SUSPECT   0x80u                        /* in a container's flags while it is open */
#define LAST_MARK (UINT32_MAX - CT_JSON_NODES) /* of the first container of a text */

/* A place in the text is its offset, or this where something was refused. */
#define FAILED UINT32_MAX

#define ALWAYS    static inline __attribute__((always_inline))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define RARELY(x) __builtin_expect(!!(x), 0)

ct_parser *ct_parser_new(const ct_names *names)
{
    ct_parser *s = ct_calloc(1, sizeof *s);
    s->names = names ? names : &ct_names_none;
    s->scan = ct_scan_best();
    s->unique.stamps = ct_calloc(UINT16_MAX + 1, sizeof *s->unique.stamps);
    return s;
}

void ct_parser_free(ct_parser *s)
{
    if (!s)
        return;
    free(s->tape);
    free(s->marks);
    ct_unique_free(&s->unique);
    ct_buf_free(&s->scratch);
    free(s);
}

static uint32_t refuse(ct_parser *s, uint32_t i, const char *text)
{
    ct_json_refuse(s, s->text + i, text);
    return FAILED;
}

static uint32_t offset(const ct_parser *s, const char *p)
{
    return p ? (uint32_t)(p - s->text) : FAILED;
}

/* ---- a pass put away ---- */

/* A pass on its way over a call, field by field: it is never one object in memory. What does not
 * change is found in the parser. */
ALWAYS void put_away(ct_parser *s, const ct_pass *a)
{
    s->saved.stop = a->stop;
    s->saved.v = a->v;
    s->saved.n = a->n;
    s->saved.open = a->open;
    s->saved.mark = a->mark;
    s->saved.marks = a->marks;
}

ALWAYS void take_back(ct_parser *s, ct_pass *a)
{
    a->text = s->text;
    a->end = s->saved.end;
    a->start = s->saved.start;
    a->names = s->names;
    a->stop = s->saved.stop;
    a->v = s->saved.v;
    a->v_end = s->tape + s->cap;
    a->n = s->saved.n;
    a->open = s->saved.open;
    a->mark = s->saved.mark;
    a->marks = s->saved.marks;
}

/* ---- bytes ---- */

/* The byte at `i`; NUL, which no rule accepts, at the end. */
ALWAYS char look(const ct_pass *a, uint32_t i, const bool line)
{
    return line || i < a->end ? a->text[i] : '\0';
}

/* Do `x` and `y` stand at `i`? May say no where they do, at the end of a text. */
ALWAYS bool both(const ct_pass *a, uint32_t i, char x, char y, const bool line)
{
    char wanted[2] = {x, y};
    return (line || i + 2 <= a->end) && memcmp(a->text + i, wanted, 2) == 0;
}

/* Passes over white space, and over the stops in it: control characters are such. */
ALWAYS uint32_t space(ct_pass *a, uint32_t i, const bool line)
{
    char c = look(a, i, line);
    if (LIKELY((uint8_t)c > ' '))
        return i;
    while (ct_lex_is_space(c) && !(line && c == '\n'))
        c = look(a, ++i, line);
    while (*a->stop < a->start + i)
        a->stop++;
    return i;
}

/* ---- strings ---- */

/* From the first character of a string to its closing quote; sets `*escaped` where it has an
 * escape. */
ALWAYS uint32_t string(ct_parser *s, ct_pass *a, uint32_t i, bool *escaped, const bool line)
{
    uint32_t close = *a->stop - a->start;
    if (LIKELY((line || close - i <= CT_JSON_MAX) && a->text[close] == '"')) {
        a->stop++;
        return close;
    }
    bool has_escape = false;
    put_away(s, a);
    i = offset(s, ct_json_string(s, a->text + i, a->stop, &has_escape));
    take_back(s, a);
    a->stop = s->stop;
    *escaped = has_escape;
    return i;
}

/* ---- names ---- */

/* Any name, looked up without haste. */
static uint16_t look_up(ct_parser *s, ct_str key, bool escaped)
{
    if (escaped) {
        s->scratch.n = 0;
        char *to = ct_buf_room(&s->scratch, key.n);
        key = (ct_str){to, ct_unescape(to, key)};
    }
    return ct_names_look_up(s->names, key)->id;
}

/* The id of the name at `i`, which is `n` bytes long. */
ALWAYS uint32_t find_name(ct_parser *s, ct_pass *a, uint32_t i, uint32_t n, bool escaped,
                          const bool line)
{
    const char *key = a->text + i;
    if (LIKELY(n >= 2 && !escaped && (line || a->end - i >= CT_NAME_WIDE))) {
        const ct_name_slot *slot = ct_names_slot(a->names, key, n);
        if (LIKELY(ct_name_is(slot, key, n)))
            return slot->id;
        if (!slot->id || ct_name_is_long(slot, key, n))
            return slot->id;
    }
    put_away(s, a);
    uint32_t id = look_up(s, (ct_str){key, n}, escaped);
    take_back(s, a);
    return id;
}

/* Leaves the mark of the open object on the name. Where it stands there already, the object is to
 * be checked when it ends. */
ALWAYS void mark(ct_parser *s, ct_pass *a, uint32_t name)
{
    if (RARELY(a->marks[name] == a->mark))
        s->tape[a->open].flags |= SUSPECT;
    a->marks[name] = a->mark;
}

/* Reads the name whose first character is at `i`, and the colon; returns where the value starts. */
ALWAYS uint32_t member(ct_parser *s, ct_pass *a, uint32_t i, const bool line)
{
    bool escaped = false;
    uint32_t close = string(s, a, i, &escaped, line);
    if (RARELY(close == FAILED))
        return FAILED;
    uint32_t name = find_name(s, a, i, close - i, escaped, line);
    mark(s, a, name);
    a->v->key = i;
    a->v->keylen = close - i;
    a->v->name = (uint16_t)name;
    a->v->flags = escaped ? CT_J_KEY_ESCAPED : 0;
    i = close + 1;
    if (RARELY(look(a, i, line) != ':')) {
        i = space(a, i, line);
        if (look(a, i, line) != ':')
            return refuse(s, i, "expected ':'");
    }
    return space(a, i + 1, line);
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

/* ---- values that contain none ---- */

/* The value from `i` to `to`, of which the name and the type are known. */
ALWAYS void close_value(ct_pass *a, uint32_t i, uint32_t to)
{
    a->v->at = i;
    a->v->len = to - i;
    a->v->next = ++a->n;
    a->v++;
}

/* Reads the string whose opening quote is at `i`. */
ALWAYS uint32_t string_value(ct_parser *s, ct_pass *a, uint32_t i, const bool line)
{
    bool escaped = false;
    uint32_t close = string(s, a, i + 1, &escaped, line);
    if (RARELY(close == FAILED))
        return FAILED;
    a->v->type = CT_STRING;
    if (RARELY(escaped))
        a->v->flags |= CT_J_ESCAPED;
    close_value(a, i, close + 1);
    return close + 1;
}

/* Reads what is no string and no container. */
ALWAYS uint32_t scalar(ct_parser *s, ct_pass *a, uint32_t i, char first, const bool line)
{
    uint32_t to;
    if (LIKELY(first == '-' || is_digit(first))) {
        a->v->type = CT_NUMBER;
        to = number(s, a, i, line);
    } else {
        a->v->type = first == 't' ? CT_TRUE : first == 'f' ? CT_FALSE : CT_NULL;
        to = literal(s, a, i, first == 't' ? "true" : first == 'f' ? "false" : "null", line);
    }
    if (LIKELY(to != FAILED))
        close_value(a, i, to);
    return to;
}

/* ---- containers ---- */

/* Enters the container at `i`; returns where its first token may be. */
ALWAYS uint32_t enter(ct_parser *s, ct_pass *a, uint32_t i, ct_jtype type)
{
    a->marks += s->marks_width;
    if (RARELY(a->marks == s->marks_end))
        return offset(s, ct_json_limit(s, s->text + i, "nested too deep"));
    a->v->at = i;
    a->v->type = (uint8_t)type;
    a->v->next = a->open;
    a->v++;
    a->open = a->n++;
    a->mark = s->first_mark + a->open;
    return i + 1;
}

/* Does a name stand twice in the container that ends? */
ALWAYS bool has_twice(ct_parser *s, ct_pass *a, ct_node *v)
{
    if (LIKELY((v->flags & SUSPECT) == 0))
        return false;
    v->flags &= (uint8_t)~SUSPECT;
    put_away(s, a);
    ct_val twice = ct_unique_check(&s->unique, s->text, s->tape, a->open, a->n);
    if (twice != CT_NONE)
        refuse(s, s->tape[twice].key, "name stands twice in its object");
    take_back(s, a);
    return twice != CT_NONE;
}

/* Leaves the innermost container, whose bracket is at `i`. */
ALWAYS uint32_t leave(ct_parser *s, ct_pass *a, uint32_t i, ct_jtype type)
{
    ct_node *v = s->tape + a->open;
    uint32_t outer = v->next;
    v->len = i + 1 - v->at;
    v->next = a->n;
    if (type == CT_OBJECT && RARELY(has_twice(s, a, v)))
        return FAILED;
    a->open = outer;
    a->mark = s->first_mark + outer;
    a->marks -= s->marks_width;
    return i + 1;
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
    if (LIKELY(a->v < a->v_end))
        return true;
    put_away(s, a);
    bool grown = grow(s, i);
    take_back(s, a);
    a->v = s->tape + a->n;
    return grown;
}

/* Reads the value at `i` and all it contains; returns what follows it. What is read next depends on
 * what was read last, so the labels are the states of this. */
ALWAYS uint32_t values(ct_parser *s, ct_pass *a, uint32_t i, const bool line)
{
    char c;
    goto item;

member: /* a name, of which the quote is at `i` */
    if (RARELY(!has_room(s, a, i)))
        return FAILED;
    i = member(s, a, i + 1, line);
    if (RARELY(i == FAILED))
        return FAILED;
    c = look(a, i, line);
    if (LIKELY(c == '"')) {
        i = string_value(s, a, i, line);
    } else if (c == '{') {
        goto object;
    } else if (c == '[') {
        goto array;
    } else {
        i = scalar(s, a, i, c, line);
    }
    if (RARELY(i == FAILED))
        return FAILED;

behind_member:
    if (LIKELY(both(a, i, ',', '"', line))) {
        i++;
        goto member;
    }
    c = look(a, i, line);
    if (RARELY(c != '}')) {
        i = space(a, i, line);
        c = look(a, i, line);
        if (c == ',') {
            i = space(a, i + 1, line);
            if (look(a, i, line) == '"')
                goto member;
            return refuse(s, i, "expected a name in quotes");
        }
        if (c != '}')
            return refuse(s, i, "expected ',' or '}'");
    }
end_of_object:
    i = leave(s, a, i, CT_OBJECT);
    if (RARELY(i == FAILED))
        return FAILED;
behind:
    if (RARELY(a->open == CT_NONE))
        return i;
    if (s->tape[a->open].type == CT_OBJECT)
        goto behind_member;

behind_item:
    c = look(a, i, line);
    if (RARELY(c != ',' && c != ']')) {
        i = space(a, i, line);
        c = look(a, i, line);
        if (c != ',' && c != ']')
            return refuse(s, i, "expected ',' or ']'");
    }
    if (c == ',') {
        i = space(a, i + 1, line);
        goto item;
    }
end_of_array:
    i = leave(s, a, i, CT_ARRAY);
    goto behind;

item:
    if (RARELY(!has_room(s, a, i)))
        return FAILED;
    a->v->key = a->v->keylen = 0;
    a->v->name = 0;
    a->v->flags = 0;
    c = look(a, i, line);
    if (LIKELY(c == '{'))
        goto object;
    if (c == '[')
        goto array;
    i = c == '"' ? string_value(s, a, i, line) : scalar(s, a, i, c, line);
    if (RARELY(i == FAILED))
        return FAILED;
    if (LIKELY(a->open != CT_NONE))
        goto behind_item;
    return i;

object:
    i = enter(s, a, i, CT_OBJECT);
    if (RARELY(i == FAILED))
        return FAILED;
    c = look(a, i, line);
    if (LIKELY(c == '"'))
        goto member;
    i = space(a, i, line);
    c = look(a, i, line);
    if (c == '"')
        goto member;
    if (c == '}')
        goto end_of_object;
    return refuse(s, i, "expected a name in quotes");

array:
    i = enter(s, a, i, CT_ARRAY);
    if (RARELY(i == FAILED))
        return FAILED;
    i = space(a, i, line);
    if (RARELY(look(a, i, line) == ']'))
        goto end_of_array;
    goto item;
}

/* ---- texts ---- */

/* Marks that no object has left. */
static void new_marks(ct_parser *s)
{
    free(s->marks);
    s->marks_width = s->names->count + 1;
    s->marks = ct_calloc((CT_JSON_DEPTH + 1) * s->marks_width, sizeof *s->marks);
    s->marks_end = s->marks + (CT_JSON_DEPTH + 1) * s->marks_width;
    s->first_mark = 1;
}

/* A pass over what starts at `text`. A large tape is given back when a much smaller text comes. */
ALWAYS ct_pass start(ct_parser *s, const char *text, size_t n)
{
    if (RARELY(s->cap > KEEP_NODES && n < s->cap / 8)) {
        free(s->tape);
        s->tape = NULL;
        s->cap = 0;
    }
    if (RARELY(s->marks_width != s->names->count + 1 || s->first_mark > LAST_MARK))
        new_marks(s);
    s->text = text;
    s->saved.end = (uint32_t)n;
    s->saved.start = (uint32_t)(text - s->block);
    return (ct_pass){.text = text,
                     .end = s->saved.end,
                     .start = s->saved.start,
                     .stop = s->stop,
                     .names = s->names,
                     .v = s->tape,
                     .v_end = s->tape + s->cap,
                     .open = CT_NONE,
                     .marks = s->marks};
}

bool ct_parse(ct_parser *s, ct_str text, ct_doc *doc, ct_err *err)
{
    s->err = err;
    if (text.n > CT_JSON_MAX)
        return ct_fail(err, CT_E_LIMIT, "text is too long");
    if (!text.n)
        text.p = "";
    ct_json_scan_from(s, text.p, text.p + text.n, 0, CT_NO_STOP);
    ct_pass a = start(s, text.p, text.n);
    uint32_t i = values(s, &a, space(&a, 0, false), false);
    s->first_mark += a.n;
    if (RARELY(i == FAILED))
        return false;
    i = space(&a, i, false);
    if (i < text.n)
        return refuse(s, i, "more text after the value") != FAILED;
    *doc = (ct_doc){text, s->tape, a.n};
    return true;
}

/* ---- blocks of lines ---- */

/* The block's last byte, LF, stands behind the stops of each part: as no quote does not close a
 * string, no more is asked of a stop than where it is. */
static void scan_lines(ct_parser *s, const char *from)
{
    ct_json_scan_from(s, s->block, s->block_end, (size_t)(from - s->block),
                      (uint32_t)(s->block_end - s->block) - 1);
}

void ct_parse_block(ct_parser *s, ct_str block)
{
    s->block = block.p;
    s->block_end = block.p + block.n;
    s->line_next = block.p;
    scan_lines(s, block.p);
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
        scan_lines(s, line->p);
    s->err = NULL;
    ct_pass a = start(s, line->p, SIZE_MAX);
    while (*a.stop < a.start) /* the LF before */
        a.stop++;
    uint32_t i = values(s, &a, space(&a, 0, true), true);
    s->first_mark += a.n;
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
