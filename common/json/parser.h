/* The parser's inside, shared by the files that make it. */
#ifndef CT_JSON_PARSER_H
#define CT_JSON_PARSER_H

#include "common/json/lex.h"
#include "common/json/names.h"
#include "common/json/scan.h"

enum { CT_SCAN_PART = 8 * 1024 /* bytes that are scanned at once */ };

#define CT_NO_STOP UINT32_MAX /* behind the last stop of a part */

/* A container that is open, and what belongs to its depth. */
typedef struct ct_frame {
    ct_node *v;
    uint32_t *marks; /* by the names' ids, for whatever is open at this depth */
    uint32_t mark;   /* of this container */
    uint32_t type;   /* CT_NULL: nothing is open */
} ct_frame;

/* What changes at every step of a pass over a text, to be kept in registers. So its address is
 * given to nobody who is not inlined, and what is done seldom is done by functions of their own
 * while all of it is put away: where nothing lives on over a call, nothing has to stay on the stack
 * for it. */
typedef struct ct_pass {
    const char *text;
    size_t end;           /* of the text; not that of a line */
    size_t start;         /* of the text in what is scanned */
    const uint32_t *stop; /* the next one */
    const ct_names *names;
    ct_node *v, *v_end; /* the value that is read: tape[n]; the end of the tape */
    uint32_t n;
    ct_frame *in; /* the innermost container that is open */
} ct_pass;

/* Whether a name stands twice in an object is seen by marks. Each depth has a row of them, with a
 * place for each name that is known: there stands the mark of the object in which the name was last
 * seen at this depth. Unknown names share a place; so an object in which a mark is met again is
 * only suspect, and is checked when it ends. */
struct ct_parser {
    const ct_names *names;
    ct_node *tape;
    size_t cap;
    uint32_t *marks;
    size_t marks_width;     /* of a row */
    uint32_t first_mark;    /* of a text: the mark of its container n is n more */
    const char *text, *end; /* the text that is parsed; a line of a block ends somewhere before */
    const char *block;      /* what is scanned: the text, or the block of lines it stands in */
    const char *block_end, *line_next; /* of a block of lines; the line that was scanned for */
    ct_scan_fn *scan;
    ct_scan state;
    size_t scanned;            /* so much of the block was */
    const uint32_t *stop;      /* the next one, while no pass has its own */
    const uint32_t *last_stop; /* not a stop, but `behind` */
    uint32_t behind;
    ct_pass saved;
    ct_unique unique;
    ct_buf scratch;
    ct_err *err;
    ct_frame open[CT_JSON_DEPTH + 1]; /* the first one stands for nothing open */
    uint32_t stops[CT_SCAN_PART + CT_SCAN_SLACK];
};

/* Both fill the error and return NULL. Nothing that is refused at the end of the text could not
 * have gone on: it is cut. */
const char *ct_json_refuse(ct_parser *s, const char *p, const char *text);
const char *ct_json_limit(ct_parser *s, const char *p, const char *text);

/* What is scanned from now on: [block, end), of which `scanned` bytes are passed over. `behind`
 * stands behind the last stop of each part: CT_NO_STOP, or the offset of a byte that is no quote.
 */
void ct_json_scan_from(ct_parser *s, const char *block, const char *end, size_t scanned,
                       uint32_t behind);
/* From a string's first character to its closing quote, whatever stands in it; `stop` is the next
 * one known. Leaves s->stop behind the quote; sets `*escaped` where there is an escape. NULL where
 * the string is refused. */
const char *ct_json_string(ct_parser *s, const char *p, const uint32_t *stop, bool *escaped);

#endif
