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
#define FAILED SIZE_MAX

#define ALWAYS    static inline __attribute__((always_inline))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define RARELY(x) __builtin_expect(!!(x), 0)

static void set_tape(ct_parser *s, size_t cap)
{
    s->tape = ct_realloc(s->tape, cap, sizeof *s->tape);
    s->cap = cap;
}

/* A large tape is given back when a much smaller text comes. */
static void shrink(ct_parser *s, size_t n)
{
    if (s->cap > KEEP_NODES && n < s->cap / 8)
        set_tape(s, FIRST_NODES);
}

ct_parser *ct_parser_new(const ct_names *names)
{
    ct_parser *s = ct_calloc(1, sizeof *s);
    s->names = names ? names : &ct_names_none;
    s->scan = ct_scan_best();
    set_tape(s, FIRST_NODES);
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

static size_t refuse(ct_parser *s, size_t i, const char *text)
{
    ct_json_refuse(s, s->text + i, text);
    return FAILED;
}

static size_t limit(ct_parser *s, size_t i, const char *text)
{
    ct_json_limit(s, s->text + i, text);
    return FAILED;
}

/* ---- a pass put away ---- */

/* Field by field: a pass is never one object in memory. What does not change is found in the
 * parser. */
ALWAYS void put_away(ct_parser *s, const ct_pass *a)
{
    s->saved.stop = a->stop;
    s->saved.v = a->v;
    s->saved.n = a->n;
    s->saved.in = a->in;
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
    a->in = s->saved.in;
}

/* A step of a pass that is put away; returns where the pass goes on, or FAILED. */
typedef size_t aside_fn(ct_parser *s, size_t i, bool line);

ALWAYS size_t aside(ct_parser *s, ct_pass *a, aside_fn *step, size_t i, const bool line)
{
    put_away(s, a);
    i = step(s, i, line);
    take_back(s, a);
    return i;
}

/* ---- room ---- */

/* Makes the tape longer for the value at `i`. */
static size_t grow(ct_parser *s, size_t i, bool line)
{
    (void)line;
    if (s->cap >= CT_JSON_NODES)
        return limit(s, i, "too many values");
    set_tape(s, 2 * s->cap);
    s->saved.v = s->tape + s->saved.n;
    for (ct_frame *f = s->open + 1; f <= s->saved.in; f++)
        f->v = s->tape + (f->mark - s->first_mark);
    return i;
}

/* Room for one more value. */
ALWAYS bool has_room(ct_parser *s, ct_pass *a, size_t i, const bool line)
{
    return LIKELY(a->v < a->v_end) || aside(s, a, grow, i, line) != FAILED;
}

/* ---- bytes ---- */

/* The byte at `i`; NUL, which no rule accepts, at the end. */
ALWAYS char look(const ct_pass *a, size_t i, const bool line)
{
    return line || i < a->end ? a->text[i] : '\0';
}

/* Do `x` and `y` stand at `i`? May say no where they do, at the end of a text. */
ALWAYS bool both(const ct_pass *a, size_t i, char x, char y, const bool line)
{
    char wanted[2] = {x, y};
    return (line || i + 2 <= a->end) && memcmp(a->text + i, wanted, 2) == 0;
}

ALWAYS bool is_space(char c, const bool line)
{
    return c == ' ' || c == '\t' || c == '\r' || (c == '\n' && !line);
}

/* Passes over any white space, most of which is to the left of a line; and over the stops in it:
 * control characters are such. So the next stop is never before the string that is read next. */
static size_t odd_space(ct_parser *s, size_t i, bool line)
{
    static const char wide[8] = "        ";
    const char *p = s->text + i;
    while (p < s->end && is_space(*p, line))
        if (*p++ == '\n')
            while (s->end - p >= 8 && memcmp(p, wide, sizeof wide) == 0)
                p += sizeof wide;
    i = (size_t)(p - s->text);
    while (*s->saved.stop < s->saved.start + i)
        s->saved.stop++;
    return i;
}

/* The same, fast where there is none or one blank. */
ALWAYS size_t space(ct_parser *s, ct_pass *a, size_t i, const bool line)
{
    char c = look(a, i, line);
    if (LIKELY((uint8_t)c > ' ') || !is_space(c, line))
        return i;
    if (c == ' ' && (uint8_t)look(a, i + 1, line) > ' ')
        return i + 1;
    return aside(s, a, odd_space, i, line);
}

/* Finds the closing quote of a string by the next stop, where that is one. */
ALWAYS bool closes(const ct_pass *a, size_t i, size_t *close, const bool line)
{
    *close = *a->stop - a->start;
    return (line || *close - i <= CT_JSON_MAX) && a->text[*close] == '"';
}

/* From the first character of a string to its closing quote, whatever is in it; sets `*escaped`
 * where it has an escape. */
static size_t string(ct_parser *s, ct_pass *a, size_t i, bool *escaped)
{
    const char *p = ct_json_string(s, s->text + i, a->stop, escaped);
    a->stop = s->stop;
    return p ? (size_t)(p - s->text) : FAILED;
}

/* ---- new values ---- */

/* Any name, looked up without haste. */
static uint32_t look_up(ct_parser *s, ct_str key, bool escaped)
{
    if (escaped) {
        s->scratch.n = 0;
        char *to = ct_buf_room(&s->scratch, key.n);
        key = (ct_str){to, ct_unescape(to, key)};
    }
    return ct_names_look_up(s->names, key)->id;
}

/* Enters the name from `i` to `close`, and leaves the mark of its object. */
ALWAYS void name_is(ct_pass *a, size_t i, size_t close, uint32_t id, uint8_t flags)
{
    a->v->key = (uint32_t)i;
    a->v->keylen = (uint32_t)(close - i);
    a->v->name = (uint16_t)id;
    a->v->flags = flags;
    if (RARELY(a->in->marks[id] == a->in->mark))
        a->in->v->flags |= SUSPECT;
    a->in->marks[id] = a->in->mark;
}

/* Any name, whose first character is at `i`; returns where its quote is. */
static size_t odd_name(ct_parser *s, size_t i, bool line)
{
    (void)line;
    ct_pass a;
    bool escaped = false;
    take_back(s, &a);
    size_t close = string(s, &a, i, &escaped);
    if (close == FAILED)
        return FAILED;
    uint32_t id = look_up(s, (ct_str){s->text + i, close - i}, escaped);
    name_is(&a, i, close, id, escaped ? CT_J_KEY_ESCAPED : 0);
    put_away(s, &a);
    return close;
}

/* The same, fast where nothing is odd about it. */
ALWAYS size_t name(ct_parser *s, ct_pass *a, size_t i, const bool line)
{
    size_t close, n;
    const char *key = a->text + i;
    if (LIKELY(closes(a, i, &close, line) && (n = close - i) - 2 <= CT_NAME_LONG - 2 &&
               (line || a->end - i >= CT_NAME_WIDE))) {
        a->stop++;
        name_is(a, i, close, ct_names_here(a->names, key, n), 0);
        return close;
    }
    return aside(s, a, odd_name, i, line);
}

/* A new value, which is a member: reads the name whose quote is at `i`, and the colon. Returns
 * where its text may start. */
ALWAYS size_t member(ct_parser *s, ct_pass *a, size_t i, const bool line)
{
    if (RARELY(!has_room(s, a, i, line)))
        return FAILED;
    i = name(s, a, i + 1, line);
    if (RARELY(i == FAILED))
        return FAILED;
    i++;
    if (RARELY(look(a, i, line) != ':')) {
        i = space(s, a, i, line);
        if (look(a, i, line) != ':')
            return refuse(s, i, "expected ':'");
    }
    return i + 1;
}

/* A new value, which has no name. Returns where its text may start. */
ALWAYS size_t item(ct_parser *s, ct_pass *a, size_t i, const bool line)
{
    if (RARELY(!has_room(s, a, i, line)))
        return FAILED;
    a->v->key = a->v->keylen = 0;
    a->v->name = 0;
    a->v->flags = 0;
    return i;
}

/* ---- numbers and literals ---- */

ALWAYS bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Passes over digits; false where there is none. */
ALWAYS bool digits(const ct_pass *a, size_t *i, const bool line)
{
    size_t from = *i;
    while (is_digit(look(a, *i, line)))
        ++*i;
    return *i > from;
}

ALWAYS size_t number(ct_parser *s, const ct_pass *a, size_t i, const bool line)
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

ALWAYS size_t literal(ct_parser *s, const ct_pass *a, size_t i, const char *word, const bool line)
{
    for (; *word; word++, i++)
        if (look(a, i, line) != *word)
            return refuse(s, i, "expected a value");
    return i;
}

/* ---- values that contain none ---- */

/* The value from `i` to `to`. */
ALWAYS void value_is(ct_pass *a, ct_jtype type, size_t i, size_t to)
{
    a->v->type = (uint8_t)type;
    a->v->at = (uint32_t)i;
    a->v->len = (uint32_t)(to - i);
    a->v->next = ++a->n;
    a->v++;
}

/* Any string, whose opening quote is at `i`. */
static size_t odd_string(ct_parser *s, size_t i, bool line)
{
    (void)line;
    ct_pass a;
    bool escaped = false;
    take_back(s, &a);
    size_t close = string(s, &a, i + 1, &escaped);
    if (close == FAILED)
        return FAILED;
    a.v->flags |= escaped ? CT_J_ESCAPED : 0;
    value_is(&a, CT_STRING, i, close + 1);
    put_away(s, &a);
    return close + 1;
}

/* The same, fast where nothing is odd about it. */
ALWAYS size_t string_value(ct_parser *s, ct_pass *a, size_t i, const bool line)
{
    size_t close;
    if (RARELY(!closes(a, i, &close, line)))
        return aside(s, a, odd_string, i, line);
    a->stop++;
    value_is(a, CT_STRING, i, close + 1);
    return close + 1;
}

/* Reads what is no string and no container, white space before it. */
ALWAYS size_t scalar(ct_parser *s, ct_pass *a, size_t i, char first, const bool line)
{
    size_t to;
    if (LIKELY(first == '-' || is_digit(first))) {
        to = number(s, a, i, line);
        value_is(a, CT_NUMBER, i, to);
        return to;
    }
    to = literal(s, a, i, first == 't' ? "true" : first == 'f' ? "false" : "null", line);
    value_is(a, first == 't' ? CT_TRUE : first == 'f' ? CT_FALSE : CT_NULL, i, to);
    return to;
}

/* ---- containers ---- */

/* Enters the container at `i`; returns where its first token may be. */
ALWAYS size_t enter(ct_parser *s, ct_pass *a, size_t i, ct_jtype type)
{
    if (RARELY(a->in == s->open + CT_JSON_DEPTH))
        return limit(s, i, "nested too deep");
    a->in++;
    a->in->v = a->v;
    a->in->mark = s->first_mark + a->n;
    a->in->type = type;
    a->v->at = (uint32_t)i;
    a->v->type = (uint8_t)type;
    a->v++;
    a->n++;
    return i + 1;
}

/* Is there really a name that stands twice in the object that ends at `i`? */
static size_t check_names(ct_parser *s, size_t i, bool line)
{
    (void)line;
    ct_node *v = s->saved.in->v;
    v->flags &= (uint8_t)~SUSPECT;
    ct_val obj = (ct_val)(v - s->tape);
    ct_val twice = ct_unique_check(&s->unique, s->text, s->tape, obj, s->saved.n);
    return twice == CT_NONE ? i : refuse(s, s->tape[twice].key, "name stands twice in its object");
}

/* Leaves the innermost container, whose bracket is at `i`. */
ALWAYS size_t leave(ct_parser *s, ct_pass *a, size_t i, ct_jtype type, const bool line)
{
    ct_node *v = a->in->v;
    i++;
    v->len = (uint32_t)i - v->at;
    v->next = a->n;
    if (type == CT_OBJECT && RARELY(v->flags & SUSPECT)) {
        i = aside(s, a, check_names, i, line);
        if (i == FAILED)
            return FAILED;
    }
    a->in--;
    return i;
}

/* ---- the pass ---- */

/* Behind a value in a container that `bracket` closes: where that is, or a comma. */
ALWAYS size_t behind_value(ct_parser *s, ct_pass *a, size_t i, char bracket, const bool line)
{
    char c = look(a, i, line);
    if (LIKELY(c == bracket || c == ','))
        return i;
    i = space(s, a, i, line);
    c = look(a, i, line);
    if (c == bracket || c == ',')
        return i;
    return refuse(s, i, bracket == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
}

/* Reads the value at `*i` where it contains none, white space before it. Returns the first byte of
 * it. */
ALWAYS char simple_value(ct_parser *s, ct_pass *a, size_t *i, const bool line)
{
    for (;;) {
        char c = look(a, *i, line);
        if (LIKELY(c == '"')) {
            *i = string_value(s, a, *i, line);
            return c;
        }
        if (c == '{' || c == '[')
            return c;
        if (LIKELY(!is_space(c, line))) {
            *i = scalar(s, a, *i, c, line);
            return c;
        }
        *i = space(s, a, *i, line);
    }
}

/* Reads the value at `i` and all it contains; returns what follows it. What may come next depends
 * on what was read last: the labels are the states of this. */
ALWAYS size_t values(ct_parser *s, ct_pass *a, size_t i, const bool line)
{
    char c;
    goto item;

member:
    i = member(s, a, i, line);
    if (RARELY(i == FAILED))
        return FAILED;
value:
    c = simple_value(s, a, &i, line);
    if (c == '{')
        goto object;
    if (c == '[')
        goto array;
    if (RARELY(i == FAILED))
        return FAILED;
    if (RARELY(a->in->type != CT_OBJECT))
        goto behind;
behind_member:
    if (LIKELY(both(a, i, ',', '"', line))) {
        i++;
        goto member;
    }
    if (RARELY(look(a, i, line) != '}')) {
        i = behind_value(s, a, i, '}', line);
        if (i == FAILED)
            return FAILED;
        if (look(a, i, line) == ',') {
            i = space(s, a, i + 1, line);
            goto next_member;
        }
    }
end_of_object:
    i = leave(s, a, i, CT_OBJECT, line);
    if (RARELY(i == FAILED))
        return FAILED;
behind:
    if (LIKELY(a->in->type == CT_OBJECT))
        goto behind_member;
    if (RARELY(a->in->type != CT_ARRAY))
        return i;
    i = behind_value(s, a, i, ']', line);
    if (RARELY(i == FAILED))
        return FAILED;
    if (look(a, i, line) == ',') {
        i++;
        goto item;
    }
end_of_array:
    i = leave(s, a, i, CT_ARRAY, line);
    goto behind;

array:
    i = enter(s, a, i, CT_ARRAY);
    if (RARELY(i == FAILED))
        return FAILED;
    i = space(s, a, i, line);
    if (RARELY(look(a, i, line) == ']'))
        goto end_of_array;
item:
    i = item(s, a, i, line);
    if (RARELY(i == FAILED))
        return FAILED;
    if (RARELY(look(a, i, line) != '{'))
        goto value;
object:
    i = enter(s, a, i, CT_OBJECT);
    if (RARELY(i == FAILED))
        return FAILED;
    if (LIKELY(look(a, i, line) == '"'))
        goto member;
    i = space(s, a, i, line);
    if (look(a, i, line) == '}')
        goto end_of_object;
next_member:
    if (RARELY(look(a, i, line) != '"'))
        return refuse(s, i, "expected a name in quotes");
    goto member;
}

/* ---- texts ---- */

/* Marks that no object has left, a row for each depth. */
static void new_marks(ct_parser *s)
{
    free(s->marks);
    s->marks_width = s->names->count + 1;
    s->marks = ct_calloc(CT_LEN(s->open) * s->marks_width, sizeof *s->marks);
    for (size_t depth = 0; depth < CT_LEN(s->open); depth++)
        s->open[depth].marks = s->marks + depth * s->marks_width;
    s->first_mark = 1;
}

/* A pass over what starts at `text`. */
ALWAYS ct_pass start(ct_parser *s, const char *text, size_t n)
{
    if (RARELY(s->marks_width != s->names->count + 1 || s->first_mark > LAST_MARK))
        new_marks(s);
    s->text = text;
    s->saved.end = n;
    s->saved.start = (size_t)(text - s->block);
    return (ct_pass){.text = text,
                     .end = n,
                     .start = s->saved.start,
                     .stop = s->stop,
                     .names = s->names,
                     .v = s->tape,
                     .v_end = s->tape + s->cap,
                     .in = s->open};
}

bool ct_parse(ct_parser *s, ct_str text, ct_doc *doc, ct_err *err)
{
    s->err = err;
    if (text.n > CT_JSON_MAX)
        return ct_fail(err, CT_E_LIMIT, "text is too long");
    if (!text.n)
        text.p = "";
    shrink(s, text.n);
    ct_json_scan_from(s, text.p, text.p + text.n, 0, CT_NO_STOP);
    ct_pass a = start(s, text.p, text.n);
    size_t i = values(s, &a, space(s, &a, 0, false), false);
    s->first_mark += a.n;
    if (RARELY(i == FAILED))
        return false;
    i = space(s, &a, i, false);
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
    shrink(s, block.n);
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
    size_t i = values(s, &a, space(s, &a, 0, true), true);
    s->first_mark += a.n;
    if (i != FAILED)
        i = space(s, &a, i, true);
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
