/* The parser's inside, shared by the files that make it. */
#ifndef CT_JSON_PARSER_H
#define CT_JSON_PARSER_H

#include "common/json/lex.h"
#include "common/json/names.h"
#include "common/json/scan.h"

enum { CT_SCAN_PART = 16 * 1024 /* bytes that are scanned at once */ };

#define CT_NO_STOP UINT32_MAX /* behind the last stop of a part */

/* An open container. `seen` has a bit for the names of some of its members each; where one comes
 * again it goes to `twice`, and only there the names are compared. */
typedef struct ct_frame {
    uint64_t seen, twice;
    uint32_t node;
    bool object;
} ct_frame;

/* What changes at every step of a pass over a text, to be kept in registers. So its address is
 * given to nobody who is not inlined, and what is called seldom is called with all of it put away:
 * where nothing lives on over a call, nothing has to stay on the stack for it. */
typedef struct ct_pass {
    const char *text;
    uint32_t end;         /* of the text; not that of a line */
    uint32_t start;       /* of the text in what is scanned */
    const uint32_t *stop; /* the next one */
    const ct_names *names;
    ct_node *v; /* the value that is read: tape[n] */
    uint32_t n, cap, depth;
    /* the innermost open container: the fields of its frame */
    uint32_t container;
    bool object;
    uint64_t seen, twice;
} ct_pass;

struct ct_parser {
    const ct_names *names;
    ct_node *tape;
    size_t cap;
    ct_frame open[CT_JSON_DEPTH];
    const char *text, *end; /* the text that is parsed; a line of a block ends somewhere before */
    const char *block;      /* what is scanned: the text, or the block of lines it stands in */
    const char *block_end, *line_next; /* of a block of lines; the line that was scanned for */
    ct_scan_fn *scan;
    ct_scan state;
    size_t scanned;       /* so much of the block was */
    const uint32_t *stop; /* the next one, while no pass has its own */
    ct_pass saved;
    ct_unique unique;
    ct_buf scratch;
    ct_err *err;
    uint32_t stops[CT_SCAN_PART + CT_SCAN_SLACK];
};

/* Both fill the error and return NULL. Nothing that is refused at the end of the text could not
 * have gone on: it is cut. */
const char *ct_json_refuse(ct_parser *s, const char *p, const char *text);
const char *ct_json_limit(ct_parser *s, const char *p, const char *text);

/* What is scanned from now on: [block, end), of which `scanned` bytes are passed over. */
void ct_json_scan_from(ct_parser *s, const char *block, const char *end, size_t scanned);
/* From a string's first character to its closing quote, whatever stands in it; `stop` is the next
 * one known. Leaves s->stop at the quote; sets `*escaped` where there is an escape. NULL where the
 * string is refused. */
const char *ct_json_string(ct_parser *s, const char *p, const uint32_t *stop, bool *escaped);

#endif
