/* What the files of this folder share and nobody else sees.
 *
 *     source --lex.c--> tokens --parse.c--> nodes --resolve.c--> checked nodes --eval.c--> items
 *
 * number.c, date.c, value.c and compare.c know values; ops.c, fn_*.c and functions.c are the
 * operators and functions that eval.c calls.
 */
#ifndef CT_FHIRPATH_INTERNAL_H
#define CT_FHIRPATH_INTERNAL_H

#include "common/fhirpath/fhirpath.h"

enum {
    FP_SOURCE_MAX = 1 << 20, /* longest source, in bytes */
    FP_NEST_MAX = 256,       /* deepest nesting of brackets, prefixes and right operands */
    FP_DEPTH_MAX = 1000,     /* deepest tree, chains of `.` and of operators included */
    FP_ITEMS_MAX = 1 << 20,  /* largest collection */
    FP_STEPS_MAX = 1 << 23,  /* the budget of one evaluation: a node, a comparison 1, … */
    FP_ITEM_STEPS = 8,       /* … an item 8, so that memory is bounded too */
    FP_TEXT_STEP = 16,       /* … and so many bytes of new text 1 */
    FP_SCALE_MAX = 36,       /* most places of a decimal */
};

/* ---- tokens (lex.c) ---- */

enum fp_tok {
    T_END,
    T_IDENT,
    T_DELIMITED, /* `identifier` */
    T_STRING,
    T_INTEGER,
    T_DECIMAL,
    T_DATE,
    T_DATETIME,
    T_TIME,
    T_CONSTANT, /* %name */
    T_SPECIAL,  /* $this */
    T_OP,
};

struct fp_token {
    enum fp_tok kind;
    size_t at;    /* offset in the source */
    ct_str text;  /* decoded for strings and delimited identifiers, without @ % $ */
    ct_date date; /* of T_DATE, T_DATETIME, T_TIME */
};

struct fp_lexer {
    ct_str src;
    size_t pos;
    ct_arena *a;
    ct_err *err;
};

/* The next token; false with `err` filled where there is none that is right. */
CT_USE bool ct_fp_lex(struct fp_lexer *l, struct fp_token *t);
/* Fails with the column of `at`. */
bool ct_fp_refuse(ct_err *err, ct_errkind kind, size_t at, const char *text);

/* ---- nodes (parse.c, resolve.c) ---- */

enum fp_op {
    OP_CONST,    /* `item` */
    OP_EMPTY,    /* {} */
    OP_THIS,     /* $this, and what a path without a start begins at */
    OP_INDEX,    /* $index */
    OP_TOTAL,    /* $total */
    OP_RESOURCE, /* %resource, %rootResource */
    OP_CONTEXT,  /* %context */
    OP_CHART,    /* %chart */
    OP_VARIABLE, /* %name of a defineVariable() ahead of it */
    OP_NAME,     /* an identifier at the start: a type or an element; resolve.c decides */
    OP_TYPESTEP, /* $this where it is of type `type` */
    OP_STEP,     /* elements of `a` */
    OP_CALL,     /* function `fn` on `a` with `args` */
    OP_INDEXER,
    OP_NEGATE,
    OP_PLUS,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_DIV,
    OP_MOD,
    OP_ADD,
    OP_SUBTRACT,
    OP_CONCAT,
    OP_IS,
    OP_AS,
    OP_UNION,
    OP_LESS,
    OP_LESS_EQ,
    OP_GREATER,
    OP_GREATER_EQ,
    OP_EQUAL,
    OP_NOT_EQUAL,
    OP_EQUIVALENT,
    OP_NOT_EQUIVALENT,
    OP_IN,
    OP_CONTAINS,
    OP_AND,
    OP_OR,
    OP_XOR,
    OP_IMPLIES,
};

/* A name as JSON may spell it for one alternative of a choice: valueQuantity. */
struct fp_alt {
    uint16_t id;    /* of the name */
    uint16_t under; /* of _name, 0 where there is none */
    const ct_ftype *type;
};

/* An element step, ready for integer compares. */
struct fp_step {
    uint16_t id, under;         /* of the name and of _name; 0 where no element has it */
    bool on_primitive;          /* id or extension: what a primitive can have */
    const ct_ftype *type;       /* static type of the input, where it is one, … */
    const ct_felement *element; /* … and its element of that name */
    const struct fp_alt *alts;
    uint16_t lowest, highest; /* ids of alternatives, to pass over other members quickly */
    size_t nalts;
};

/* A type as `is`, `as` and ofType name it: of FHIR, of System, or (Quantity) of either. */
struct fp_type {
    const ct_ftype *fhir;
    bool system;
    bool nowhere; /* System.Patient: FHIR's name, but System's types are known: nothing is of it */
    ct_itype itype;
};

struct fp_node {
    uint8_t op;
    bool varies; /* with the item that a lambda is evaluated for */
    bool total;  /* $total or a variable is in it */
    uint16_t depth;
    uint32_t memo; /* 1 + where its value is kept: what does not vary is evaluated once; 0: not */
    uint32_t at;   /* offset in the source */
    struct fp_node *a, *b;
    struct fp_node **args;
    size_t nargs;
    ct_str name; /* of an element, function or (qualified) type */
    union {
        ct_item item;            /* OP_CONST */
        struct fp_type type;     /* OP_IS, OP_AS, OP_TYPESTEP, ofType() … */
        struct fp_step step;     /* OP_STEP */
        void *regex;             /* matches() with a literal pattern */
        const ct_codeset *codes; /* memberOf() with a literal value set */
        uint32_t slot;           /* OP_VARIABLE, defineVariable(): where the value is kept */
    } u;
    const struct fp_function *fn;
};

struct ct_path {
    ct_arena *a;
    const ct_model *model;
    const ct_names *names;
    struct fp_node *root;
    const ct_ftype *context; /* the one resource type that the expression is about, or NULL */
    const ct_ftype *likely;  /* the type that records will have, where something tells it */
    bool mixed;              /* several types are named at the start: no context */
    bool strict;             /* what the specification leaves open is refused */
    size_t nmemo, nvars;
    struct fp_regexes *regexes; /* to be freed */
    /* what evaluation compares with */
    const ct_ftype *t_boolean, *t_decimal, *t_integer, *t_positive, *t_unsigned, *t_date,
        *t_datetime, *t_instant, *t_time, *t_quantity, *t_extension;
    uint16_t id_resourcetype, id_extension, id_url, id_id, id_value, id_code, id_system, id_unit,
        id_comparator, id_reference, id_contained;
};

/* Parses the whole source into `*root`. */
CT_USE bool ct_fp_parse(ct_str src, ct_arena *a, struct fp_node **root, ct_err *err);
/* Is %name one that the language has by itself? */
bool ct_fp_constant(ct_str name, ct_arena *a);
/* Binds names to functions, types and elements, and checks what can be known before any record.
 * `type` is what evaluations will start at, or NULL where it may be anything. */
CT_USE bool ct_fp_resolve(ct_path *p, const ct_ftype *type, ct_err *err);

/* ---- evaluation (eval.c) ---- */

/* A collection. `cap` 0 with items in it: borrowed, to be copied before it grows. */
struct fp_coll {
    ct_item *v;
    size_t n, cap;
};

/* What $this, $index and $total are. */
struct fp_scope {
    struct fp_coll self;
    int64_t index;
    const struct fp_coll *total;
};

/* The value of a node that does not vary. */
struct fp_memo {
    bool known;
    struct fp_coll value;
};

struct fp_run {
    const ct_path *path;
    ct_context *c;
    ct_arena *a;
    ct_err *err;
    size_t steps; /* left */
    struct fp_memo *memo;
    struct fp_coll *vars; /* by slot */
};

CT_USE bool ct_fp_eval(struct fp_run *r, const struct fp_node *n, const struct fp_scope *s,
                       struct fp_coll *out);
/* Evaluates `n` with $this being `item`. */
CT_USE bool ct_fp_each(struct fp_run *r, const struct fp_node *n, const struct fp_scope *s,
                       const ct_item *item, size_t index, struct fp_coll *out);
/* An error of evaluation at `n`; false. */
bool ct_fp_fail(struct fp_run *r, const struct fp_node *n, const char *text);
/* Takes `k` steps off the budget. */
CT_USE bool ct_fp_spend(struct fp_run *r, const struct fp_node *n, size_t k);
/* The same where a failure cannot be told at once: ct_path_eval refuses a result that used it up.
 */
void ct_fp_charge(struct fp_run *r, size_t k);
/* For `bytes` of text that are about to be made. */
CT_USE bool ct_fp_spend_text(struct fp_run *r, const struct fp_node *n, size_t bytes);
CT_USE bool ct_fp_push(struct fp_run *r, const struct fp_node *n, struct fp_coll *c,
                       const ct_item *item);
CT_USE bool ct_fp_append(struct fp_run *r, const struct fp_node *n, struct fp_coll *c,
                         const struct fp_coll *more);
/* Makes the collection one item. */
void ct_fp_one(struct fp_run *r, struct fp_coll *c, ct_item item);
void ct_fp_bool(struct fp_run *r, struct fp_coll *c, bool value);
void ct_fp_int(struct fp_run *r, struct fp_coll *c, int64_t value);
void ct_fp_string(struct fp_run *r, struct fp_coll *c, ct_str s);

/* Singleton evaluation of a condition: -1 for empty, else 0 or 1. False for several items. */
CT_USE bool ct_fp_truth(struct fp_run *r, const struct fp_node *n, const struct fp_coll *c,
                        int *truth);

/* ---- the tree (tree.c) ---- */

/* Is the document of the type that the path is about (which has one)? */
bool ct_fp_about(const ct_path *p, const ct_doc *d);
/* The context's record or element as an item. */
ct_item ct_fp_start(const ct_path *p, const ct_context *c, ct_val node);
CT_USE bool ct_fp_step(struct fp_run *r, const struct fp_node *n, const ct_item *item,
                       struct fp_coll *out);
CT_USE bool ct_fp_children(struct fp_run *r, const struct fp_node *n, const ct_item *item,
                           struct fp_coll *out);
/* The _name object of a primitive (its id and extensions), or CT_NONE. */
ct_val ct_fp_underscore(struct fp_run *r, const ct_item *item);

/* ---- values (value.c) ---- */

ct_item ct_fp_item_bool(bool value);
ct_item ct_fp_item_int(int64_t value);
ct_item ct_fp_item_string(ct_str s);
/* The System value of an item: itself, or what a FHIR primitive or Quantity stands for. False where
 * it has none: complex types, primitives without a value. */
bool ct_fp_value(struct fp_run *r, const ct_item *in, ct_item *out);
/* The one item's value: 0 for an empty collection, -1 (error made) for several or none to be had.
 */
int ct_fp_single(struct fp_run *r, const struct fp_node *n, const struct fp_coll *c, ct_item *out);
/* The same, and a string or an integer it must be; 0 where the collection is empty. */
int ct_fp_single_string(struct fp_run *r, const struct fp_node *n, const struct fp_coll *c,
                        ct_str *s);
int ct_fp_single_int(struct fp_run *r, const struct fp_node *n, const struct fp_coll *c,
                     int64_t *value);
/* Text that grows in the arena, charged to the budget. */
struct fp_text {
    char *p;
    size_t n, cap;
};
CT_USE bool ct_fp_text_add(struct fp_run *r, const struct fp_node *n, struct fp_text *t, ct_str s);
/* The spelling of a system value, as toString() gives it. */
ct_str ct_fp_spell(ct_arena *a, const ct_item *value);
bool ct_fp_is(const ct_item *item, const struct fp_type *type, bool exact);
bool ct_fp_type_find(const ct_model *m, ct_str name, struct fp_type *type);

/* ---- decimals (number.c) ---- */

/* c / 10^scale, exactly. */
struct fp_dec {
    __int128 c;
    int scale;
};

/* FHIR's and JSON's numbers, exponents included. False where it is none or has too many digits. */
bool ct_dec_parse(ct_str s, struct fp_dec *d);
struct fp_dec ct_dec_int(int64_t v);
ct_str ct_dec_text(ct_arena *a, struct fp_dec d);
/* False for overflow. */
bool ct_dec_add(struct fp_dec a, struct fp_dec b, struct fp_dec *out);
bool ct_dec_mul(struct fp_dec a, struct fp_dec b, struct fp_dec *out);
/* To 16 places where they fit, 8 at least. False for overflow and division by zero. */
bool ct_dec_div(struct fp_dec a, struct fp_dec b, struct fp_dec *out);
bool ct_dec_cmp(struct fp_dec a, struct fp_dec b, int *cmp);
/* Quotient towards zero, without fraction. */
bool ct_dec_quotient(struct fp_dec a, struct fp_dec b, struct fp_dec *out);
/* To `places`, half away from zero, or (mode <0, >0) towards minus or plus infinity, or (mode 2)
 * towards zero. */
enum fp_round { ROUND_HALF, ROUND_FLOOR, ROUND_CEILING, ROUND_TRUNCATE };
bool ct_dec_round(struct fp_dec d, int places, enum fp_round mode, struct fp_dec *out);
bool ct_dec_to_int(struct fp_dec d, int64_t *value);
double ct_dec_double(struct fp_dec d);
bool ct_dec_from_double(ct_arena *a, double v, ct_str *text);
/* Places behind the point, trailing zeros not counted. */
int ct_dec_places(struct fp_dec d);
/* The number of an integer, decimal or quantity. */
bool ct_dec_of(const ct_item *value, struct fp_dec *d);

/* ---- units (units.c) ---- */

/* num/den * 10^ten, exactly and spelled in one way only. */
struct fp_ratio {
    __int128 num, den;
    int ten;
};

/* A base unit or arbitrary unit (its row of ucum.tsv) and its exponent. */
struct fp_dim {
    uint8_t which;
    int8_t exponent;
};

/* `factor` times the product of `dims`; a number of it has `offset` added first. */
struct fp_unit {
    struct fp_ratio factor;
    struct fp_dec offset;
    uint8_t ndims;
    struct fp_dim dims[8];
};

/* What a UCUM code or a calendar word means; false where it is neither, or the table has no such
 * unit. */
bool ct_fp_unit(ct_str text, struct fp_unit *u);
/* Do they measure the same kind of thing? */
bool ct_fp_unit_comparable(const struct fp_unit *u, const struct fp_unit *v);
/* A number of units in base units. False, here and below, where it does not fit. */
bool ct_fp_unit_value(struct fp_dec d, const struct fp_unit *u, struct fp_ratio *out);
bool ct_fp_ratio_cmp(struct fp_ratio a, struct fp_ratio b, int *cmp);
/* To another unit: exact, or rounded as a quotient. False also where the two are not comparable. */
bool ct_fp_unit_convert(struct fp_dec d, const struct fp_unit *from, const struct fp_unit *to,
                        struct fp_dec *out);
/* The code of the product or quotient of two units; false where one is not known, or has no place
 * in a product. */
bool ct_fp_unit_product(ct_arena *a, ct_str u, ct_str v, bool divided, ct_str *out);

/* ---- dates (date.c) ---- */

/* The longest date, dateTime or time of FHIRPath at the start of `s` (without @): its length, 0 for
 * none. `*type` is CT_I_DATE, CT_I_DATETIME or CT_I_TIME (which starts with T). */
size_t ct_fp_date_scan(ct_str s, ct_date *d, ct_itype *type);
/* A whole string as date, dateTime or time (without T); false where it is none. */
bool ct_fp_date_parse(ct_str s, ct_itype type, ct_date *d);
/* <0, 0, >0 or CT_DATE_UNDECIDED. */
int ct_fp_date_cmp(const ct_item *a, const ct_item *b);
ct_item ct_fp_date_item(ct_arena *a, ct_itype type, ct_date d);
/* `d` plus `n` units (a calendar word or a UCUM code of definite length). 1 done, 0 out of range,
 * -1 no unit of time. */
int ct_fp_date_add(ct_item *value, int64_t n, ct_str unit, ct_arena *a);
/* A unit of time: calendar word, UCUM code, and its milliseconds (0: years and months, which have
 * no fixed length). */
struct fp_time_unit {
    const char *word, *code;
    int64_t ms;
};
/* The unit that a calendar word (singular or plural) or a UCUM code names, or NULL. */
const struct fp_time_unit *ct_fp_time_unit(ct_str unit, bool *calendar);

/* ---- comparison (compare.c) ---- */

/* 1 equal, 0 not, -1 not decided. */
int ct_fp_equal(struct fp_run *r, const ct_item *a, const ct_item *b);
bool ct_fp_equivalent(struct fp_run *r, const ct_item *a, const ct_item *b);
int ct_fp_equal_all(struct fp_run *r, const struct fp_coll *a, const struct fp_coll *b);
bool ct_fp_equivalent_all(struct fp_run *r, const struct fp_coll *a, const struct fp_coll *b);
/* <0, 0, >0; CT_DATE_UNDECIDED; FP_MISMATCH where the two have no order. */
enum { FP_MISMATCH = 3 };
int ct_fp_order(struct fp_run *r, const ct_item *a, const ct_item *b);

/* ---- sets (set.c) ---- */

/* A collection that is asked whether it holds an item (=), by a hash once it is large. */
struct fp_set {
    struct fp_coll *items;
    uint64_t *hashes; /* of the items */
    uint32_t *slots;  /* index + 1 of an item, 0 free; NULL while items are few */
    size_t mask;
};

/* A set of `items`, which it keeps and which nobody else may add to. */
void ct_fp_set_of(struct fp_run *r, struct fp_set *s, struct fp_coll *items);
bool ct_fp_set_has(struct fp_run *r, const struct fp_set *s, const ct_item *item);
/* Adds an item that is not there yet. */
CT_USE bool ct_fp_set_add(struct fp_run *r, const struct fp_node *n, struct fp_set *s,
                          const ct_item *item);

/* ---- operators (ops.c) ---- */

CT_USE bool ct_fp_binary(struct fp_run *r, const struct fp_node *n, const struct fp_scope *s,
                         struct fp_coll *out);
CT_USE bool ct_fp_negate(struct fp_run *r, const struct fp_node *n, const struct fp_coll *in,
                         struct fp_coll *out);
CT_USE bool ct_fp_union(struct fp_run *r, const struct fp_node *n, const struct fp_coll *a,
                        const struct fp_coll *b, struct fp_coll *out);

/* ---- functions (functions.c) ---- */

/* What a call is given: its input, and (for its arguments, not evaluated yet) where it stands. */
struct fp_call {
    struct fp_run *r;
    const struct fp_node *n;
    const struct fp_scope *s;
    const struct fp_coll *in;
    struct fp_coll *out; /* empty at first */
};

typedef bool fp_fn(struct fp_call *c);

/* How arguments are looked at before any record is seen. */
enum fp_args {
    ARG_PLAIN,   /* evaluated where the call stands */
    ARG_LAMBDA,  /* the first is evaluated for each item of the input: $this is the item */
    ARG_SECOND,  /* so is the second */
    ARG_ALL,     /* so are all */
    ARG_TYPE,    /* names a type */
    ARG_REGEX,   /* the first is a regular expression */
    ARG_PROFILE, /* the first is the URL of a base type's StructureDefinition */
    ARG_CODES,   /* the first is the URL of a value set */
    ARG_DEFINE,  /* a name, and what is evaluated for the input as a whole */
};

/* What the result is, as far as the static types of elements go. */
enum fp_result {
    GIVES_SYSTEM, /* no elements to step into */
    GIVES_INPUT,  /* items of the input */
    GIVES_ARG,    /* items of the (last) argument */
    GIVES_ANY,
    GIVES_TYPE, /* items of the type that the argument names */
    GIVES_EXTENSION,
    GIVES = 15,
    /* and what the function has to do with the order of its input */
    ORDER_NONE = 16,  /* what it gives has none */
    ORDER_ASKED = 32, /* it means something only where there is one */
    ORDER_MADE = 64,
};

struct fp_function {
    const char *name;
    uint8_t min, max; /* arguments */
    uint8_t args, result;
    fp_fn *fn;
};

const struct fp_function *ct_fp_function(ct_str name);
/* The base type that a StructureDefinition's URL names (with |version or without), or NULL. */
const ct_ftype *ct_fp_profile(const ct_model *m, ct_str url);
/* The value set of that URL (with |version or without), or NULL. */
const ct_codeset *ct_fp_codes(const ct_model *m, ct_str url);
/* Evaluates argument `i` where the call stands. */
CT_USE bool ct_fp_arg(struct fp_call *c, size_t i, struct fp_coll *out);
bool ct_fp_call_error(struct fp_call *c, const char *text);

/* Regular expressions (fn_regex.c): one for a literal pattern, NULL with `err` filled where it is
 * not right. */
struct fp_regex;
struct fp_regexes {
    struct fp_regex *re;
    struct fp_regexes *next;
};
struct fp_regex *ct_fp_regex_new(ct_str pattern, ct_err *err);
void ct_fp_regex_free(struct fp_regex *re);

fp_fn ct_fn_empty, ct_fn_exists, ct_fn_all, ct_fn_all_true, ct_fn_any_true, ct_fn_all_false,
    ct_fn_any_false, ct_fn_count, ct_fn_distinct, ct_fn_is_distinct, ct_fn_subset_of,
    ct_fn_superset_of, ct_fn_not, ct_fn_has_value, ct_fn_get_value;
fp_fn ct_fn_where, ct_fn_select, ct_fn_repeat, ct_fn_of_type, ct_fn_is, ct_fn_as, ct_fn_first,
    ct_fn_last, ct_fn_tail, ct_fn_skip, ct_fn_take, ct_fn_single, ct_fn_intersect, ct_fn_exclude,
    ct_fn_union, ct_fn_combine, ct_fn_iif, ct_fn_aggregate, ct_fn_coalesce, ct_fn_define_variable,
    ct_fn_repeat_all;
fp_fn ct_fn_children, ct_fn_descendants, ct_fn_extension, ct_fn_resolve, ct_fn_trace, ct_fn_type,
    ct_fn_now, ct_fn_today, ct_fn_time_of_day;
fp_fn ct_fn_length, ct_fn_starts_with, ct_fn_ends_with, ct_fn_contains, ct_fn_index_of,
    ct_fn_last_index_of, ct_fn_substring, ct_fn_upper, ct_fn_lower, ct_fn_trim, ct_fn_replace,
    ct_fn_split, ct_fn_join, ct_fn_to_chars, ct_fn_matches, ct_fn_matches_full,
    ct_fn_replace_matches;
fp_fn ct_fn_to_boolean, ct_fn_to_integer, ct_fn_to_decimal, ct_fn_to_string, ct_fn_to_date,
    ct_fn_to_datetime, ct_fn_to_time, ct_fn_to_quantity, ct_fn_converts;
fp_fn ct_fn_encode, ct_fn_decode, ct_fn_escape, ct_fn_unescape, ct_fn_sort, ct_fn_precision,
    ct_fn_low_boundary, ct_fn_high_boundary;
fp_fn ct_fn_abs, ct_fn_ceiling, ct_fn_floor, ct_fn_round, ct_fn_truncate, ct_fn_sqrt, ct_fn_exp,
    ct_fn_ln, ct_fn_log, ct_fn_power, ct_fn_comparable;
fp_fn ct_fn_conforms_to, ct_fn_member_of, ct_fn_html_checks;

/* ---- names of expressions in files of stanzas (define.c) ---- */

typedef struct ct_defines {
    struct ct_define {
        ct_str name;
        ct_placed text; /* expanded */
    } * v;
    size_t n;
} ct_defines;

/* Puts in place of every %name that is defined its expression in brackets. False where that grows
 * beyond all measure. */
CT_USE bool ct_expand(const ct_defines *d, const ct_placed *from, ct_placed *to);
/* False where the name is one of FHIRPath's own or taken. `text` is handed over where it is not. */
CT_USE bool ct_define_add(ct_defines *d, ct_str name, ct_placed *text);
void ct_defines_free(ct_defines *d);

#endif
