/* Every element of a record, a line each: whatever the table of topics leaves out stands here. */
#include "cmd/archive/base64.h"
#include "cmd/archive/readable/view.h"

enum { SHORT = 64 };

typedef struct walker {
    bag_view *view;
    const ct_doc *doc;
    ct_buf path;
} walker;

static const ct_str arrow = {" \xE2\x80\xBA ", 5};

static ct_str keep(walker *w, ct_buf *b)
{
    ct_str copy = ct_arena_copy(w->view->arena, ct_buf_str(b));

    ct_buf_free(b);
    return copy;
}

static void put_leaf(walker *w, ct_str text)
{
    bag_view_pair(w->view, BAG_DETAIL, ct_arena_copy(w->view->arena, ct_buf_str(&w->path)), text);
}

/* ---- what is no plain value ---- */

/* Is it text in UTF-8 without control characters, as far as its bytes tell? */
static bool is_text(ct_str s)
{
    for (size_t i = 0; i < s.n;) {
        unsigned char c = (unsigned char)s.p[i];
        size_t n = c < 0x80                ? 1
                   : c >= 0xC2 && c < 0xE0 ? 2
                   : c >= 0xE0 && c < 0xF0 ? 3
                   : c >= 0xF0 && c < 0xF5 ? 4
                                           : 0;

        if (n == 0 || i + n > s.n || (c < ' ' && c != '\n' && c != '\r' && c != '\t'))
            return false;
        for (size_t k = 1; k < n; k++)
            if ((s.p[i + k] & 0xC0) != 0x80)
                return false;
        if ((c == 0xE0 && (unsigned char)s.p[i + 1] < 0xA0) ||
            (c == 0xED && (unsigned char)s.p[i + 1] > 0x9F) ||
            (c == 0xF0 && (unsigned char)s.p[i + 1] < 0x90) ||
            (c == 0xF4 && (unsigned char)s.p[i + 1] > 0x8F))
            return false;
        i += n;
    }
    return true;
}

/* Base64 is no reading matter: what it holds is shown where that is text, else how much it is, and
 * by which checksum it can be found. */
static void put_binary(walker *w, ct_val v, ct_str media)
{
    ct_arena *a = w->view->arena;
    ct_str text = ct_text(w->doc, v, a);
    uint8_t digest[CT_SHA256_LEN];
    bool reading = ct_str_starts(media, CT_S("text/")), sound;
    ct_buf bytes = {0}, line = {0};

    sound = bag_base64(&bytes, text);
    if (!sound || (bytes.n <= SHORT && !reading)) {
        put_leaf(w, text); /* as it stands: not what it should be, or a checksum or the like */
        ct_buf_free(&bytes);
        return;
    }
    ct_sha256(ct_buf_str(&bytes), digest);
    ct_buf_printf(&line, "%zu bytes, SHA-256 ", bytes.n);
    ct_hex(&line, digest, sizeof(digest));
    put_leaf(w, keep(w, &line));
    if (reading && is_text(ct_buf_str(&bytes))) {
        if (ct_str_starts(media, CT_S("text/html")))
            bag_narrative(&line, ct_buf_str(&bytes));
        else
            ct_buf_put(&line, ct_buf_str(&bytes));
        bag_view_text(w->view, BAG_TEXT, keep(w, &line));
    }
    ct_buf_free(&bytes);
}

static void put_narrative(walker *w, ct_val v)
{
    ct_buf text = {0};

    bag_narrative(&text, ct_text(w->doc, v, w->view->arena));
    put_leaf(w, keep(w, &text));
}

/* ---- the walk ---- */

static void walk(walker *w, ct_val v, ct_val parent, const ct_ftype *type);

/* A name is shown as it is where it is not FHIR's. */
static void put_name(walker *w, ct_str key, bool known)
{
    if (w->path.n)
        ct_buf_put(&w->path, arrow);
    if (known && key.p[0] != '_')
        bag_name_words(&w->path, key, w->path.n == 0);
    else
        ct_buf_put(&w->path, key);
}

/* Members of `_birthDate` are those of any element. */
static const ct_ftype *type_of_member(const ct_ftype *type, ct_str key, bool *known)
{
    const ct_ftype *inner = NULL;
    const ct_felement *e = type ? ct_model_element(type, key, &inner) : NULL;

    *known = e != NULL;
    if (!inner && e && e->ntypes == 1)
        inner = e->types[0];
    if (key.n && key.p[0] == '_')
        return ct_model_type(ct_model_r4(), CT_S("Element"));
    return inner;
}

static void walk_object(walker *w, ct_val v, const ct_ftype *type)
{
    const ct_doc *d = w->doc;
    ct_val kind = ct_member(d, v, CT_S("resourceType"));
    size_t path = w->path.n;

    if (kind != CT_NONE) { /* also of what is contained */
        const ct_ftype *own = ct_model_type(ct_model_r4(), ct_text(d, kind, w->view->arena));

        type = own ? own : type;
    }
    if (ct_first(d, v) == CT_NONE)
        put_leaf(w, CT_S("(nothing in it)"));
    for (ct_val m = ct_first(d, v); m != CT_NONE; m = ct_next(d, v, m)) {
        bool known;
        const ct_ftype *inner = type_of_member(type, ct_key(d, m), &known);

        put_name(w, ct_key(d, m), known);
        walk(w, m, v, inner);
        w->path.n = path;
    }
}

static void walk_array(walker *w, ct_val v, ct_val parent, const ct_ftype *type)
{
    const ct_doc *d = w->doc;
    size_t path = w->path.n, number = 0;
    bool several = ct_count(d, v) > 1;

    if (ct_first(d, v) == CT_NONE)
        put_leaf(w, CT_S("(nothing in it)"));
    for (ct_val i = ct_first(d, v); i != CT_NONE; i = ct_next(d, v, i)) {
        if (several)
            ct_buf_printf(&w->path, " %zu", ++number);
        walk(w, i, parent, type);
        w->path.n = path;
    }
}

static ct_str media_type(const walker *w, ct_val attachment)
{
    ct_val media =
        attachment == CT_NONE ? CT_NONE : ct_member(w->doc, attachment, CT_S("contentType"));

    return media != CT_NONE && ct_type(w->doc, media) == CT_STRING
               ? ct_text(w->doc, media, w->view->arena)
               : CT_S("");
}

static void walk(walker *w, ct_val v, ct_val parent, const ct_ftype *type)
{
    ct_jtype j = ct_type(w->doc, v);

    if (j == CT_OBJECT)
        walk_object(w, v, type);
    else if (j == CT_ARRAY)
        walk_array(w, v, parent, type);
    else if (j == CT_STRING && type && ct_ftype_is(type, CT_S("base64Binary")))
        put_binary(w, v, media_type(w, parent));
    else if (j == CT_STRING && type && ct_ftype_is(type, CT_S("xhtml")))
        put_narrative(w, v);
    else
        put_leaf(w, ct_text(w->doc, v, w->view->arena));
}

void bag_view_leaves(bag_view *view, const ct_record *rec)
{
    walker w = {.view = view, .doc = &rec->doc};

    walk(&w, CT_ROOT, CT_NONE, ct_model_type(ct_model_r4(), rec->type));
    ct_buf_free(&w.path);
}
