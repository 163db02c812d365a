/* JSON (RFC 8259) as a tape over the original text: nothing is copied, numbers keep their spelling,
 * and an edit is a patch, so what is not touched stays byte for byte as it came in.
 *
 *     ct_parser *p = ct_parser_new(names);
 *     ct_doc doc;
 *     if (ct_parse(p, line, &doc, &err)) {
 *         ct_val id = ct_member(&doc, CT_ROOT, CT_S("id"));
 *         if (id != CT_NONE)
 *             … ct_text(&doc, id, arena) …
 *     }
 *
 * A value is an index into the tape, CT_NONE where there is none. The tape is flat and in document
 * order; a container is followed by all it contains, and `next` jumps over it.
 */
#ifndef CT_JSON_H
#define CT_JSON_H

#include "common/base/base.h"

/* ---- element names as small integers ---- */

/* Names known beforehand, each with an id from 1 in order of entry. Read-only once built, so that
 * threads can share one. */
typedef struct ct_names ct_names;

ct_names *ct_names_new(void);
/* The id of `name`, entering it where it is new; `name` must outlive the table. 65535 at most. */
uint16_t ct_names_add(ct_names *t, ct_str name);
/* The id, or 0 where the table does not know it. */
uint16_t ct_names_find(const ct_names *t, ct_str name);
ct_str ct_names_text(const ct_names *t, uint16_t id);
void ct_names_free(ct_names *t);

/* ---- parsing ---- */

typedef enum ct_jtype {
    CT_NULL,
    CT_FALSE,
    CT_TRUE,
    CT_NUMBER,
    CT_STRING,
    CT_ARRAY,
    CT_OBJECT,
} ct_jtype;

enum { CT_J_ESCAPED = 1, CT_J_KEY_ESCAPED = 2 };

/* Use the accessors below; the layout is here so that they can be inlined. */
typedef struct ct_node {
    uint32_t at, len;     /* the value's text, quotes and brackets included */
    uint32_t next;        /* index behind this value and all it contains */
    uint32_t key, keylen; /* the member's name, without quotes; keylen 0 and key 0 in arrays */
    uint16_t name;        /* the name's id, 0 where the table does not know it */
    uint8_t type, flags;
} ct_node;

typedef uint32_t ct_val;
#define CT_ROOT ((ct_val)0)
#define CT_NONE UINT32_MAX

/* A parsed text. Borrowed: valid until the parser's next ct_parse, and as long as the text; see
 * ct_doc_keep. */
typedef struct ct_doc {
    ct_str text;
    const ct_node *tape;
    uint32_t n;
} ct_doc;

enum {
    CT_JSON_DEPTH = 512,              /* deepest nesting that is read */
    CT_JSON_MAX = 512 * 1024 * 1024,  /* longest text, in bytes */
    CT_JSON_NODES = 16 * 1024 * 1024, /* most values in one text: a tape of 384 MiB */
};

typedef struct ct_parser ct_parser;

/* `names` may be NULL and is borrowed. A parser is for one thread. */
ct_parser *ct_parser_new(const ct_names *names);
/* Parses exactly one value, white space around it allowed. Refuses: what RFC 8259 refuses, invalid
 * UTF-8, unpaired surrogate escapes, a name that stands twice in one object (two readers could see
 * two records). On failure `err->offset` is the byte and `kind` is CT_E_CUT where the text ends too
 * early, CT_E_LIMIT where a bound above is passed. */
CT_USE bool ct_parse(ct_parser *p, ct_str text, ct_doc *doc, ct_err *err);
/* The same for lines of a block, one after another, faster. In `block`, CT_JSON_MAX bytes at most,
 * LF stands behind each line, the last one too, and CT_PARSE_SLACK more bytes can be read behind
 * it. */
enum { CT_PARSE_SLACK = 16 };
void ct_parse_block(ct_parser *p, ct_str block);
/* Parses the line of the block that starts at `line->p`, which is not before the end of the one
 * parsed last; sets `line->n` to its length without LF, whatever the result is. */
CT_USE bool ct_parse_line(ct_parser *p, ct_str *line, ct_doc *doc, ct_err *err);
void ct_parser_free(ct_parser *p);
/* The same document with its tape copied to `a`; the text stays where it is. */
ct_doc ct_doc_keep(const ct_doc *doc, ct_arena *a);

/* ---- reading ---- */

static inline ct_jtype ct_type(const ct_doc *d, ct_val v)
{
    return (ct_jtype)d->tape[v].type;
}

/* The value's own text in the line, quotes and brackets included. */
static inline ct_str ct_raw(const ct_doc *d, ct_val v)
{
    return (ct_str){d->text.p + d->tape[v].at, d->tape[v].len};
}

/* The first child of an array or object, CT_NONE where it is empty or no container. */
static inline ct_val ct_first(const ct_doc *d, ct_val v)
{
    return v + 1 < d->tape[v].next ? v + 1 : CT_NONE;
}

/* The sibling behind `child` in `parent`, or CT_NONE. */
static inline ct_val ct_next(const ct_doc *d, ct_val parent, ct_val child)
{
    return d->tape[child].next < d->tape[parent].next ? d->tape[child].next : CT_NONE;
}

static inline uint16_t ct_name(const ct_doc *d, ct_val v)
{
    return d->tape[v].name;
}

/* The member's name as written (escapes not decoded), empty in arrays. */
static inline ct_str ct_key(const ct_doc *d, ct_val v)
{
    return (ct_str){d->text.p + d->tape[v].key, d->tape[v].keylen};
}

/* Number of children. */
size_t ct_count(const ct_doc *d, ct_val v);
/* The member of that name, by id or by text; CT_NONE where there is none or `obj` is CT_NONE or no
 * object. */
ct_val ct_member_id(const ct_doc *d, ct_val obj, uint16_t name);
ct_val ct_member(const ct_doc *d, ct_val obj, ct_str name);
/* Walks a path of member names separated by dots from `v`, taking the first item of every array on
 * the way (not at its end): "code.coding.code". CT_NONE where a step is missing. */
ct_val ct_at(const ct_doc *d, ct_val v, const char *path);
/* A string's characters: borrowed from the line where nothing is escaped, else decoded into `a`.
 * The raw text for numbers and literals; empty for containers and CT_NONE. */
ct_str ct_text(const ct_doc *d, ct_val v, ct_arena *a);
/* ct_text of ct_at; of its first item where that is an array. */
ct_str ct_text_at(const ct_doc *d, ct_val v, const char *path, ct_arena *a);
/* Is `v` (CT_NONE allowed) a string of exactly these characters? */
bool ct_is(const ct_doc *d, ct_val v, ct_str text);

/* ---- editing ---- */

/* Patches on a document's text. Every byte that no patch covers is kept. */
typedef struct ct_edit ct_edit;

ct_edit *ct_edit_new(void);
/* Starts over on `doc`, which must live until ct_edit_apply. */
void ct_edit_start(ct_edit *e, const ct_doc *doc);
/* Puts `json` in place of the value. */
void ct_edit_replace(ct_edit *e, ct_val v, ct_str json);
/* Takes the member or item out, with the one comma that goes with it. Any set of siblings may be
 * removed, all of them included. */
void ct_edit_remove(ct_edit *e, ct_val parent, ct_val v);
/* Adds a member or item behind the last one. */
void ct_edit_add_member(ct_edit *e, ct_val obj, ct_str name, ct_str json);
void ct_edit_add_item(ct_edit *e, ct_val array, ct_str json);
bool ct_edit_dirty(const ct_edit *e);
/* Appends the edited text to `out`. Patches may have been given in any order; two that overlap
 * (an edit inside what another replaces or removes) are refused with CT_E_USAGE. */
CT_USE bool ct_edit_apply(ct_edit *e, ct_buf *out, ct_err *err);
void ct_edit_free(ct_edit *e);

/* ---- writing ---- */

/* Appends `s` as a JSON string with quotes. `s` must be UTF-8: other bytes become U+FFFD. */
void ct_put_string(ct_buf *b, ct_str s);
/* Appends the value's text without the white space between tokens. */
void ct_put_compact(ct_buf *b, const ct_doc *d, ct_val v);

/* A value that is built piece by piece in an arena, then written. Members keep the order in which
 * they were first set. */
typedef struct ct_tree ct_tree;

ct_tree *ct_tree_object(ct_arena *a);
ct_tree *ct_tree_array(ct_arena *a);
ct_tree *ct_tree_string(ct_arena *a, ct_str s);
/* The same of characters that are borrowed: they must live as long as the tree. */
ct_tree *ct_tree_view(ct_arena *a, ct_str s);
/* Text that is JSON already: a number, true, a copied value. Not checked. */
ct_tree *ct_tree_raw(ct_arena *a, ct_str json);
/* A copy of `t` in `a`, which shares nothing with it but the names of members. */
ct_tree *ct_tree_copy(ct_arena *a, const ct_tree *t);
/* A value that is as `kept`, which is written as `json` and does not change while the new one
 * lives: only what is looked into or changed is copied. Both are borrowed. */
ct_tree *ct_tree_like(ct_arena *a, const ct_tree *kept, ct_str json);
ct_jtype ct_tree_type(const ct_tree *t); /* CT_NUMBER for raw */
/* The string's characters, or the raw text; empty for containers. */
ct_str ct_tree_text(const ct_tree *t);
/* Member by name: NULL where there is none. */
ct_tree *ct_tree_get(const ct_tree *obj, ct_str name);
/* The same of one that is only looked at: its type, its text, how many it has. */
const ct_tree *ct_tree_look(const ct_tree *obj, ct_str name);
/* Sets or replaces a member. The name is borrowed: it must live as long as the tree. */
void ct_tree_set(ct_tree *obj, ct_str name, ct_tree *value);
/* The same of one that is known not to be there yet. */
void ct_tree_add(ct_tree *obj, ct_str name, ct_tree *value);
void ct_tree_push(ct_tree *array, ct_tree *item);
size_t ct_tree_count(const ct_tree *t);
ct_tree *ct_tree_item(const ct_tree *array, size_t i);
/* Makes the way to `path` and puts `value` there: names separated by dots, `[n]` for the n-th item
 * of an array from 0, `[+]` for a new item, `[-]` for the last one (made where there is none):
 * "identifier[+].type.coding[0].code". False where the way is blocked by a value of another kind
 * or an index is more than one past the end. The path is borrowed, as names are. */
CT_USE bool ct_tree_put(ct_tree *root, const char *path, ct_tree *value);
/* The value at such a path (`[n]` and `[-]` only), or NULL. */
ct_tree *ct_tree_find(const ct_tree *root, const char *path);
/* Adds to the object `whole` what the object `part` says beyond it: members that it has not, items
 * of arrays that none of its items says; an item or member that says less than the other's gives
 * its place to it. Where the two contradict each other, `whole` stands. Values are shared
 * afterwards. */
void ct_tree_complete(ct_tree *whole, const ct_tree *part);
/* Is there nothing in it (an empty object or array, or only such)? */
bool ct_tree_empty(const ct_tree *t);
/* Appends as one line without white space; members and items that are empty are left out. */
void ct_tree_write(ct_buf *b, const ct_tree *t);
/* How many bytes that are. */
size_t ct_tree_size(const ct_tree *t);

#endif
