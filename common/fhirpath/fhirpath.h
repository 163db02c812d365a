/* FHIRPath (http://hl7.org/fhirpath/N1, FHIR R4): compile an expression once, evaluate it on many
 * records.
 *
 * Three answers, never two: a condition is true, false, or not decided (empty, an evaluation error,
 * a reference that does not resolve). The caller must not take "not decided" for a pass.
 *
 * What can be wrong without any record is refused when the expression is compiled, since a rule
 * that asks for a misspelt element would find nothing and pass: unknown functions, types and
 * constants, wrong numbers of arguments, bad regular expressions, and
 *
 * - behind a type (`Patient.name.given`, `ofType(Quantity).unit`) elements that the type before
 * does not have; a choice goes by its FHIRPath name (`value`, not `valueQuantity`);
 * - where the type is not known (a path that starts with an element, children(), resolve(),
 * contained resources, %resource …) names that no element of R4 has.
 *
 * Evaluation is bounded in steps, items and text (CT_E_LIMIT) and takes memory from the context's
 * arena only. A compiled path is read-only: threads may share it, each with its own context.
 *
 * Where the specification leaves a choice: integers are 32 bits, what goes beyond is empty;
 * decimals are exact to 36 digits, quotients to 16 places; quantities are converted between the
 * units of common/fhirpath/ucum.tsv, exactly, and units that it does not have are comparable with
 * themselves alone, so that the result is empty; a year or month of the calendar is no UCUM year or
 * month but for `~`; sums are in the smaller unit, and empty on scales that begin elsewhere (Cel);
 * a Quantity with a comparator (`<5`), and a date that is none, have no value: comparing them gives
 * empty; `as` and ofType() take a primitive's exact type only, as HL7's tests do; trace() passes
 * its input on and writes nothing, as no diagnostic holds values.
 */
#ifndef CT_FHIRPATH_H
#define CT_FHIRPATH_H

#include "common/fhir/fhir.h"

typedef struct ct_path ct_path;

/* Compiles `source`. Unknown functions and operators, wrong numbers of arguments and syntax errors
 * are refused with `err->where` "column N" and `err->offset` N-1. A first step that names a type
 * (as `Patient.name`) restricts the expression to it. The path keeps what it needs of `source`. */
CT_USE ct_path *ct_path_compile(const ct_model *m, ct_str source, ct_err *err);
/* The same for an expression that will be evaluated on records (or elements) of one type only, as a
 * rule for Encounters is: paths that start with an element are checked too. */
CT_USE ct_path *ct_path_compile_on(const ct_model *m, const ct_ftype *type, ct_str source,
                                   ct_err *err);
/* The same as ct_path_compile, and refuses too what has a meaning only by leniency: first(),
 * last(), tail(), skip(), take() and [] on children(), descendants() and repeat(), whose items have
 * no order; criteria and operands of `and`, `or` … that are for certain no boolean; types of FHIR
 * looked for in System, as System.Patient. */
CT_USE ct_path *ct_path_compile_strict(const ct_model *m, ct_str source, ct_err *err);
/* The resource type that the expression is restricted to; empty where its first step names none, an
 * abstract one, or where paths of several types are combined (`Patient.name | Person.name`). */
ct_str ct_path_context(const ct_path *p);
/* Is it certain to be the same of every record, as it looks at none (`false`, `1 = 2`)? */
bool ct_path_is_constant(const ct_path *p);
void ct_path_free(ct_path *p);

typedef enum ct_itype {
    CT_I_NODE, /* a value in a document */
    CT_I_BOOLEAN,
    CT_I_INTEGER,
    CT_I_DECIMAL, /* its spelling in `text` */
    CT_I_STRING,
    CT_I_DATE, /* `date` and its spelling in `text` */
    CT_I_DATETIME,
    CT_I_TIME,
    CT_I_QUANTITY, /* number in `text`, unit in `unit` */
    CT_I_TYPE,     /* what type() gives: name in `text`, namespace in `unit` */
} ct_itype;

/* An item of a collection. A node keeps its FHIR type where the model knows it. */
typedef struct ct_item {
    ct_itype type;
    const ct_doc *doc;
    ct_val node;
    ct_val parent; /* of a node: the object that it is a member of, CT_NONE for a whole document */
    const ct_ftype *ftype;
    bool boolean;
    int64_t integer;
    ct_str text, unit;
    ct_date date;
} ct_item;

typedef struct ct_items {
    ct_item *v;
    size_t n;
} ct_items;

/* What an evaluation may look at. */
typedef struct ct_context {
    const ct_model *model;
    ct_arena *arena;   /* results and scratch; reset it between records */
    const ct_doc *doc; /* the record: %resource and %rootResource */
    ct_val node;       /* where it starts: CT_ROOT, or an element (%context) */
    ct_date now;       /* now() and today() */
    /* Finds the resource that a literal reference names (a chart looks among its own), or NULL;
     * `doc` stays valid as long as the arena. May be NULL: nothing resolves. */
    const ct_doc *(*resolve)(void *ctx, ct_str reference);
    void *resolve_ctx;
    const ct_items *chart; /* %chart: the records of the chart, or NULL */
    /* The same, grouped by type (ct_items_by_type), so that %chart.ofType() need not look at all of
     * them for each record; may be left out. */
    const ct_items *chart_types;
    size_t nchart_types;
    size_t unresolved; /* counts references that resolve() did not find; set to 0 by the caller */
} ct_context;

/* Evaluates. False where the specification calls for an error (a collection of several where one
 * item is asked for, incompatible operands): `err->where` names the column. */
CT_USE bool ct_path_eval(const ct_path *p, ct_context *c, ct_items *out, ct_err *err);

typedef enum ct_truth { CT_FALSE_, CT_TRUE_, CT_UNDECIDED } ct_truth;

/* Evaluates as a condition. Empty, an error, and any result of an evaluation that came upon a
 * reference which did not resolve are CT_UNDECIDED: what the reference would have led to might have
 * turned the result, and telling when it could not is not worth being wrong. (What `and`, `or`,
 * `implies` and iif() did not have to evaluate does not count.) A singleton that is not a boolean
 * counts as true, as the specification has it; a primitive element without a value that is one of
 * its type (an extension only, `"false"` for a boolean, a date that is none) is as good as empty.
 * `err->kind` is CT_OK unless there was an error. */
ct_truth ct_path_test(const ct_path *p, ct_context *c, ct_err *err);

/* The items by type, in their order within it; `*n` groups. */
const ct_items *ct_items_by_type(const ct_items *items, ct_arena *a, size_t *n);

/* Appends an item as FHIR JSON spells it, on one line. A node keeps its own text, white space
 * between tokens included where that does not break the line. */
void ct_item_put(ct_buf *b, const ct_item *item);
/* What type() gives for an item: `FHIR` or `System` in `unit`, the type's name in `text`, empty for
 * an element that R4 does not know. */
ct_item ct_item_type(const ct_item *item);
/* The characters of a string-like item (string, code, date, number …), empty for what has none. */
ct_str ct_item_text(const ct_item *item, ct_arena *a);

/* ---- files of stanzas ---- */

/* The plain text files in which rules and retention schedules are written:
 *
 *     version  2026.11                  a line at the left margin that is the caller's own
 *     define   adult  EXPRESSION        %adult stands for it, in brackets, from here on
 *     rule discharge-summary            begins a stanza: its word, and an id
 *       applies  Encounter where        a field; all fields are indented alike, and what is
 *                  %adult                 indented deeper goes on with the one above
 *
 * Empty lines and lines that start with # are passed over. */

/* Text that knows where it came from, so that what is wrong in it is reported where it was written.
 * From `at` on, the text of a piece stands at `line` and `column` of the file; `fixed` where all of
 * it came from one place (an expanded %name). */
typedef struct ct_placed {
    ct_buf text;
    struct ct_piece {
        size_t at;
        uint64_t line, column;
        bool fixed;
    } * pieces;
    size_t npieces;
    bool given;
} ct_placed;

/* Appends `s`, which stands at that place. */
void ct_placed_add(ct_placed *t, ct_str s, uint64_t line, uint64_t column, bool fixed);
/* The place of a byte of the text. */
struct ct_piece ct_placed_place(const ct_placed *t, size_t offset);
/* The text from byte `at` on, trimmed at both ends, as a text of its own. */
ct_placed ct_placed_from(const ct_placed *t, size_t at);
/* The word at byte `*at`, which moves behind it and the blanks that follow. */
ct_str ct_placed_word(const ct_placed *t, size_t *at);
void ct_placed_free(ct_placed *t);

/* A field that stanzas have. */
typedef struct ct_stanza_field {
    const char *name;
    const char *missing; /* what is wrong with a stanza that has none; NULL: it may be left out */
    bool expression;     /* %names are expanded in it */
} ct_stanza_field;

typedef struct ct_stanza ct_stanza;

/* A kind of file, and what becomes of what it says. The texts of errors are constant. */
typedef struct ct_stanzas {
    const ct_model *model;
    const char *file; /* as errors name it */
    const char *word; /* begins a stanza */
    const ct_stanza_field *fields;
    size_t nfields;
    /* Another line at the left margin: NULL, or what is wrong with it. */
    const char *(*head)(void *ctx, ct_str key, ct_str value);
    /* Is there a stanza of this id already? */
    bool (*taken)(void *ctx, ct_str id);
    /* A stanza is complete; it is gone afterwards. One that is wrong is given, too. */
    void (*stanza)(void *ctx, const ct_stanza *s);
    /* Told of everything that is wrong: `err` has file, line and column. */
    void (*wrong)(void *ctx, const ct_err *err);
    void *ctx;
    const char *bad_id;   /* an id is made of small letters, digits and -, 64 at most */
    const char *taken_id; /* there was a stanza of this id before */
    const char *outside;  /* a line is indented less than the fields before, or outside a stanza */
} ct_stanzas;

struct ct_stanza {
    const ct_stanzas *of;
    ct_str id; /* borrowed from the file's text */
    uint64_t line;
    ct_placed *fields; /* one for each of `of->fields` */
};

void ct_stanzas_read(const ct_stanzas *of, ct_str text);
/* Reports what is wrong at byte `offset` of a field. */
void ct_stanza_wrong(const ct_stanza *s, const ct_placed *t, size_t offset, ct_errkind kind,
                     const char *text);
/* Compiles a field from byte `at` on, to be evaluated on `on` (NULL: a chart, or not known). NULL
 * where it is wrong, which has been reported. */
CT_USE ct_path *ct_stanza_compile(const ct_stanza *s, const ct_placed *t, size_t at,
                                  const ct_ftype *on);
/* Reads `TYPE [where EXPRESSION]`: the resource type, NULL for `chart` (and where it is wrong,
 * which has been reported); `*where` may become NULL. */
CT_USE const ct_ftype *ct_stanza_applies(const ct_stanza *s, const ct_placed *t, ct_path **where);

#endif
