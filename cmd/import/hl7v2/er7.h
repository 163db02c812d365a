/* An HL7 v2 message in its ER7 form (bars and carets), taken apart but not decoded: fields are
 * slices of the message until their text is asked for.
 */
#ifndef CHART_IMPORT_ER7_H
#define CHART_IMPORT_ER7_H

#include "common/base/base.h"

typedef enum import_level {
    LEVEL_FIELD,
    LEVEL_REPETITION,
    LEVEL_COMPONENT,
    LEVEL_SUBCOMPONENT
} import_level;

/* A part of a segment as written, and which part it is. */
typedef struct import_part {
    ct_str raw;
    import_level level;
} import_part;

typedef struct import_segment {
    ct_str name;
    uint16_t id;      /* of the name, as the mapping tables know it; 0 where they do not */
    uint32_t ordinal; /* of that name in the message, from 1 */
    uint32_t nfields; /* fields[1] is the first field; of MSH the field separator itself */
    ct_str *fields;
} import_segment;

enum { IMPORT_PARTS = 31 }; /* so many parts of a value are found at once */

/* Where the first parts of a repetition or component are. */
typedef struct import_cuts {
    ct_str value;
    import_level level; /* of the parts */
    char separator;
    uint8_t n;
    uint32_t valued; /* which parts are, as bits: 1 is the first */
    uint32_t end[IMPORT_PARTS];
} import_cuts;

typedef struct import_er7 {
    char field, component, repetition, escape, subcomponent; /* 0: none of that kind */
    const uint16_t *upper; /* what bytes of \X..\ from 0x80 on stand for; NULL: they are UTF-8 */
    bool escapes;          /* there are escape characters in the text */
    ct_str text;           /* that the parts are slices of */
    bool *made; /* by byte of `text`: something was made of the value that starts there */
    import_segment *segments;
    size_t n;
    import_cuts *cuts; /* of the values looked into last, by where they start */
} import_er7;

/* Gives a segment's name its id. */
typedef uint16_t import_segment_id(void *ctx, ct_str name);

/* Takes one message apart. `raw` starts with MSH; a byte order mark and MLLP's framing bytes are
 * passed over. The text is UTF-8 afterwards, whatever MSH-18 says it was, or the message is
 * refused. */
CT_USE bool import_er7_parse(import_er7 *m, ct_str raw, ct_arena *a, import_segment_id *id,
                             void *ctx, ct_err *err);

/* Field `n` of a segment; empty where the segment ends before. */
import_part import_er7_field(const import_segment *s, size_t n);
/* Has the field more than one repetition? */
bool import_er7_repeats(const import_er7 *m, import_part field);
import_part import_er7_repetition(const import_er7 *m, import_part field, size_t n);
/* The n-th (from 1) component of a repetition, or subcomponent of a component. The first part of
 * what has no parts is the whole. */
import_part import_er7_sub(const import_er7 *m, import_part p, size_t n);
/* Is there anything in it but delimiters and spaces? HL7's null ("") is nothing. */
bool import_er7_valued(const import_er7 *m, import_part p);
/* Finds the parts of a repetition or component. */
void import_er7_cut(const import_er7 *m, import_part p, import_cuts *cuts);
/* The n-th of them, up to IMPORT_PARTS. */
static inline import_part import_cuts_part(const import_cuts *c, size_t n)
{
    if (n > c->n)
        return (import_part){{c->value.p, 0}, c->level};
    size_t start = n > 1 ? c->end[n - 2] + 1u : 0;
    return (import_part){{c->value.p + start, c->end[n - 1] - start}, c->level};
}
/* The first value in it: what has no parts. */
import_part import_er7_leaf(const import_er7 *m, import_part p);
/* Notes that something was made of all values in it. */
void import_er7_made(import_er7 *m, import_part p);
/* Its first value, escapes decoded. */
CT_USE bool import_er7_text(const import_er7 *m, import_part p, ct_arena *a, ct_str *text,
                            ct_err *err);
/* All of it: delimiters below the repetition as they stand, repetitions as lines. */
CT_USE bool import_er7_whole(const import_er7 *m, import_part p, ct_arena *a, ct_str *text,
                             ct_err *err);

/* ---- text (er7_text.c) ---- */

/* What ends a segment: CR by the standard, and what senders put in its place. */
static inline bool import_ends_line(char c)
{
    return c == '\r' || c == '\n' || c == '\v' || c == '\x1c';
}
/* Where the line that `at` is in ends: the place of what ends it, or the end of the text. */
size_t import_line_end(ct_str s, size_t at);
/* How often `c`, an ASCII character, stands in `s`. */
size_t import_count_char(ct_str s, char c);

bool import_utf8_valid(ct_str s);
/* `raw` as UTF-8 by what MSH-18 of the message says (ASCII, UTF-8, a part of ISO 8859): the same
 * slice, or a copy in `a`. `*upper` is what import_er7 keeps of it. */
CT_USE bool import_er7_charset(ct_str *raw, ct_str charset, const uint16_t **upper, ct_arena *a,
                               ct_err *err);
/* Escape sequences to the text that they stand for. */
CT_USE bool import_er7_unescape(const import_er7 *m, ct_str raw, ct_arena *a, ct_str *text,
                                ct_err *err);

#endif
