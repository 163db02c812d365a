/* The mapping tables: what each field of a message becomes. They are TSV files that a person can
 * read and HL7's own sheets can be held against:
 *
 *     types.tsv                  the message types that are taken in
 *     messages.tsv               which segment makes which resource
 *     segments/SEG-Type.tsv      a segment's fields to a resource's elements
 *     datatypes/TYPE-Target.tsv  a data type's components to an element's, or to a resource
 *     tables/NAME.tsv            codes to codes
 *     ignored.tsv                fields that --unmapped does not list
 *
 * A row of a segment or data type table has four columns.
 *
 * SOURCE: a field (`PID-3`), a component of it (`PID-3.4`, `PID-5.1.2`), in a data type a component
 * of the value (`CX.4`) or `$`, all of it; `@Type`, the current resource of that type; `@previous`,
 * the one that was it before the new one that is being made; `-`, nothing. A row applies only where
 * its source is valued. Rows that follow each other and have the same field as source are applied
 * together to each of its repetitions. A field of another segment
 * (`ORC-2`) is the one in the nearest segment before.
 *
 * WHEN: `-`, or conditions joined by ` and `:
 *
 *     REF valued, REF absent     is there anything in it? null ("") is absent
 *     REF = WORD..., REF != WORD...   is it one of these? (absent: != is true)
 *     REF in TABLE, REF not in TABLE  does the code table know it? `$` is the caller's table
 *     REF maps, REF not maps     has the coding system of that name a URI?
 *     REF reads TYPE, REF not reads TYPE  is it a decimal, positiveInt, time, dateTime?
 *     REF longer N               more than N characters
 *     REF single, REF repeats    how often does the field stand there?
 *     REF first                  is this its first repetition?
 *     REF differs REF, REF same REF  (same: and there is something)
 *     unset PATH                 is there nothing in the target yet?
 *     set PATH, set PATH = WORD...  is there something, and is it one of these?
 *     group = SEG..., group != SEG...  the last PID, PV1, ORC, OBR, RXA, TXA or SPM before this
 *                                one; in OUL but R21, ORC and TXA behind OBR belong to it
 *     after = SEG..., after != SEG...  the last segment before this one but NTE
 *     kept                       --keep-source was asked for
 *     one TYPE                   the message made one resource of that type so far
 *     finally                    the row is applied when all of the message has been read
 *
 * TARGET: a path in the resource or value: `name[+].given[0]`; [+] is a new item, [-] the last one,
 * [*] (once) each that is there, or the first where there is none; `extension{NAME}` the extension
 * of that url, made where it is not there: NAME is HL7's (http://hl7.org/fhir/StructureDefinition/
 * NAME), a whole URL, or `=url` as it stands; `{+NAME}` always makes one. `Type:path` is a path in
 * the current resource of that type, `.` the value itself, `id` the resource's identity (the first
 * row that gives one decides), `-` nowhere, `-[+]` nowhere, but for each repetition.
 *
 * VALUE: what is put there:
 *
 *     "text", true, false, 1     a constant
 *     string code uri system boolean integer positiveInt decimal date dateTime instant time
 *                                the source's first part as that type; `system` is the URI of a
 *                                coding system's name
 *     text                       all of the source, repetitions as lines
 *     code TABLE, coding TABLE   the code that the table has for it; with system and display
 *     MAP, MAP TABLE             datatypes/MAP.tsv, with a code table for its `$`
 *     ref                        a reference to the source's resource
 *     ref MAP                    a reference to a resource that MAP makes of the value
 *     labels                     the security labels of the source's resource, beside what is there
 *     join TERM..., words TERM...  terms one behind the other; with spaces between
 *     plus VALUE                 a text behind the one that is there, with + between
 *     mime TERM TERM             a MIME type of its two halves
 *     minutes TERM TERM          a number of units of time as minutes
 *     base64 TERM                data, in the encoding (table 0299) that TERM says
 *     line                       text that the resource's attachment is longer by, each time
 *     source                     the message itself, in base64
 *     targets                    references to all that the message made, but to what tells of
 *                                the message itself
 *     key TERM...                an identity of these; none where one that is not optional is
 * absent derived TERM...            the same for what has no identifier of its own: the second of a
 *                                kind in a message is another
 *     require                    nothing, and where the source is absent nothing of the whole map
 *     refuse "reason"            the message is refused
 *
 * A TERM is a reference, `REF?` an optional one, "text", `@Type`, `hd:REF` an assigning authority
 * (an HD; the sender where it is absent), or `ei:REF` the same of three components of an EI. `of
 * REF` at the end of a value: what is put there is made of REF instead of the source.
 */
#ifndef CHART_IMPORT_MAP_H
#define CHART_IMPORT_MAP_H

#include "cmd/import/hl7v2/er7.h"
#include "common/json/json.h"

/* ---- code tables ---- */

typedef struct import_code {
    ct_str v2, code, system, display;
} import_code;

typedef struct import_table {
    ct_str name;
    import_code *rows; /* sorted by v2 */
    size_t n;
} import_table;

const import_code *import_table_find(const import_table *t, ct_str v2);

/* ---- references and terms ---- */

typedef enum import_refkind { REF_NONE, REF_VALUE, REF_FIELD, REF_PART, REF_SLOT } import_refkind;

typedef struct import_ref {
    import_refkind kind;
    uint16_t segment; /* REF_FIELD: id of the name */
    uint16_t field;
    uint8_t part[3]; /* components below, 0 ends */
    ct_str slot;     /* REF_SLOT: resource type */
} import_ref;

typedef enum import_termkind { TERM_REF, TERM_TEXT, TERM_HD, TERM_EI } import_termkind;

typedef struct import_term {
    import_termkind kind;
    bool optional;
    import_ref ref;
    ct_str text;
} import_term;

/* ---- paths ---- */

typedef enum import_stepkind {
    STEP_MEMBER,
    STEP_AT,
    STEP_NEW,
    STEP_LAST,
    STEP_EACH, /* while it is compiled */
    STEP_URL,
    STEP_NEW_URL
} import_stepkind;

typedef struct import_step {
    import_stepkind kind;
    ct_str name; /* of a member; the url */
    size_t index;
} import_step;

typedef struct import_path {
    import_step *steps;
    size_t n;
} import_path;

/* ---- rows ---- */

typedef enum import_test {
    TEST_VALUED,
    TEST_ABSENT,
    TEST_IS,
    TEST_IS_NOT,
    TEST_IN,
    TEST_NOT_IN,
    TEST_MAPS,
    TEST_NOT_MAPS,
    TEST_LONGER,
    TEST_SINGLE,
    TEST_REPEATS,
    TEST_FIRST,
    TEST_DIFFERS,
    TEST_SAME,
    TEST_UNSET,
    TEST_SET,
    TEST_READS,
    TEST_NOT_READS,
    TEST_GROUP, /* from here on: about the message, not about values */
    TEST_NOT_GROUP,
    TEST_AFTER,
    TEST_NOT_AFTER,
    TEST_KEPT,
    TEST_ONE,
} import_test;

typedef struct import_condition {
    import_test test;
    import_ref ref, other;
    ct_str *words;
    size_t nwords;
    uint64_t number;
    const import_table *table; /* NULL: the caller's */
    import_path path;
} import_condition;

typedef enum import_valuekind {
    VALUE_CONSTANT, /* text or true */
    VALUE_STRING,
    VALUE_TEXT,
    VALUE_CODE,
    VALUE_CODING,
    VALUE_URI,
    VALUE_SYSTEM,
    VALUE_BOOLEAN,
    VALUE_INTEGER,
    VALUE_POSITIVE,
    VALUE_DECIMAL,
    VALUE_DATE,
    VALUE_DATETIME,
    VALUE_INSTANT,
    VALUE_TIME,
    VALUE_MAP,
    VALUE_REF,
    VALUE_LABELS,
    VALUE_JOIN,
    VALUE_WORDS,
    VALUE_MIME,
    VALUE_MINUTES,
    VALUE_BASE64,
    VALUE_LINE,
    VALUE_SOURCE,
    VALUE_TARGETS,
    VALUE_KEY,
    VALUE_DERIVED,
    VALUE_REQUIRE,
    VALUE_REFUSE,
} import_valuekind;

typedef struct import_map import_map;

/* What decides whether a row applies stands first, in one line of the processor's cache: most rows
 * are only passed over. */
typedef struct import_row {
    import_ref source;
    import_condition *when;
    size_t nwhen;
    uint32_t needs, lacks; /* parts of the value that are valued, and not: bit 1 is the first */
    bool told;             /* they tell all of whether the source is valued */
    uint32_t block;        /* rows from this one with the same field as source */
    import_valuekind value;
    bool finally, is_id, here; /* here: the target is the value itself */
    bool makes_new, of_last;   /* the path has [+]; [-] */
    bool makes_items;          /* one of them or {+NAME}, or `plus` */
    bool caller_table, plus;
    bool json; /* VALUE_CONSTANT: JSON as it stands */
    import_path path;
    size_t each; /* [*] is behind so many steps of the path, where it says [0]; 0: nowhere */
    ct_str slot; /* the resource that the path is in; empty: this one */
    import_ref of;
    ct_str text;               /* constant, reason */
    const import_map *map;     /* NULL: a reference to the source's resource */
    const import_table *table; /* NULL with `caller_table`: the caller's */
    import_term *terms;
    size_t nterms;
} import_row;

struct import_map {
    ct_str name; /* without folder and .tsv */
    ct_str type; /* behind the first dash: the resource that it makes */
    import_row *rows;
    size_t n;
    size_t ids;   /* how many rows up to the last one that gives the identity */
    bool finally; /* some rows are applied at the end */
    /* Of a value's table of few rows: which ones, as bits, may apply for each part that is valued
     * and for any value. It says nothing of the message's fields. */
    bool by_parts;
    uint64_t part_rows[IMPORT_PARTS + 1], other_rows;
};

/* A row of messages.tsv. */
typedef struct import_rule {
    ct_str *messages;
    size_t nmessages; /* 0: all */
    bool except;      /* all but those */
    uint16_t segment;
    uint32_t order; /* in the file */
    import_condition *when;
    size_t nwhen;
    const import_map *map; /* NULL: none, only `ends` */
    bool fresh;            /* a new resource */
    bool labels;           /* security labels of all that the message tells of */
    uint16_t each;         /* applied to each such segment of the group before; 0: to its own */
    ct_str *ends;
    size_t nends;
    bool ends_all;
} import_rule;

typedef struct import_type {
    ct_str code;
    uint16_t requires;
    ct_str requires_name;
} import_type;

typedef struct import_maps {
    ct_arena *arena;
    ct_str *segments; /* names that the tables speak of; id is index + 1 */
    size_t nsegments;
    import_table *tables;
    size_t ntables;
    import_map *maps;
    size_t nmaps;
    import_rule *rules; /* by segment; those of one in the order of the file */
    size_t nrules;
    uint32_t *first_rule; /* by id of the segment; and behind the last one */
    import_type *types;
    size_t ntypes;
    import_table ignored; /* fields */
    const import_table *systems, *yes_no;
    uint16_t msh, nte;
} import_maps;

/* Compiles all tables among `files`. NULL where one is wrong: `err` names file and line. */
CT_USE import_maps *import_maps_load(const ct_datafile *files, ct_err *err);
void import_maps_free(import_maps *m);
/* Fits import_segment_id with the maps as `ctx`. */
uint16_t import_maps_segment(void *maps, ct_str name);

/* ---- compiling (map_compile.c) ---- */

/* Where the compiler is. */
typedef struct import_compiler {
    import_maps *maps;
    ct_str type; /* of the data type whose table this is; empty in a segment's */
    uint64_t line;
    ct_err *err;
} import_compiler;

bool import_bad(const import_compiler *c, const char *text);
uint16_t import_segment_intern(import_maps *m, ct_str name);
const import_table *import_maps_table(const import_maps *m, ct_str name);
const import_map *import_maps_map(const import_maps *m, ct_str name);
/* Takes the next word off, quotes kept together; empty at the end. */
ct_str import_word(ct_str *rest);
CT_USE bool import_compile_ref(import_compiler *c, ct_str text, import_ref *ref);
CT_USE bool import_compile_path(import_compiler *c, ct_str text, import_path *path);
CT_USE bool import_compile_when(import_compiler *c, ct_str text, import_condition **list, size_t *n,
                                bool *finally);
CT_USE bool import_compile_value(import_compiler *c, ct_str text, import_row *row);

#endif
