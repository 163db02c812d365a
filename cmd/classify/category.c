/* Puts chapter and block of a Condition's ICD-10-CM codes into its category. What an earlier run
 * put there is replaced, never doubled. */
#include "cmd/classify/classify.h"

#include <stdlib.h>

/* The categories that a Condition must have, in order, without doubles. */
struct wanted {
    ct_str *v;
    size_t n;
};

static void want(struct wanted *w, ct_arena *a, const classify_range *r)
{
    ct_tree *concept, *codings, *coding;
    ct_buf text = {0};
    bool there = false;

    if (!r)
        return;
    coding = ct_tree_object(a);
    codings = ct_tree_array(a);
    concept = ct_tree_object(a);
    ct_tree_set(coding, CT_S("system"),
                ct_tree_string(a, CT_S("http://hl7.org/fhir/sid/icd-10-cm")));
    ct_tree_set(coding, CT_S("version"), ct_tree_string(a, r->version));
    ct_tree_set(coding, CT_S("code"), ct_tree_string(a, r->code));
    ct_tree_set(coding, CT_S("display"), ct_tree_string(a, r->title));
    ct_tree_push(codings, coding);
    ct_tree_set(concept, CT_S("coding"), codings);
    ct_tree_write(&text, concept);
    for (size_t i = 0; i < w->n; i++)
        there |= ct_str_eq(w->v[i], ct_buf_str(&text));
    if (!there) {
        w->v = ct_grow(w->v, w->n, sizeof(*w->v));
        w->v[w->n++] = ct_arena_copy(a, ct_buf_str(&text));
    }
    ct_buf_free(&text);
}

static bool is_range(const classify_ranges *r, ct_str code)
{
    for (size_t i = 0; i < r->n; i++)
        if (ct_str_eq(r->v[i].code, code))
            return true;
    return false;
}

/* Was the category put there by us: nothing but chapters and blocks of ICD-10-CM? */
static bool ours(const classify_case *k, const ct_doc *doc, ct_val concept)
{
    ct_val codings = ct_member(doc, concept, CT_S("coding")), c;
    size_t n = 0;

    if (codings == CT_NONE || ct_type(doc, codings) != CT_ARRAY || ct_count(doc, concept) != 1)
        return false;
    for (c = ct_first(doc, codings); c != CT_NONE; c = ct_next(doc, codings, c), n++) {
        ct_str code = ct_text_at(doc, c, "code", k->arena);

        if (classify_system_of(ct_text_at(doc, c, "system", k->arena)) != CLASSIFY_ICD10CM ||
            !(is_range(&k->tables->chapters, code) || is_range(&k->tables->blocks, code)))
            return false;
    }
    return n > 0;
}

/* Are the last categories just those that are wanted, and none of ours before them? */
static bool settled(const classify_case *k, const ct_doc *doc, ct_val list, const struct wanted *w,
                    size_t *nours)
{
    ct_val c;
    size_t i = 0;
    bool same = true;

    *nours = 0;
    for (c = ct_first(doc, list); c != CT_NONE; c = ct_next(doc, list, c)) {
        if (!ours(k, doc, c)) {
            same &= *nours == 0;
            continue;
        }
        same &= i < w->n && ct_str_eq(ct_raw(doc, c), w->v[i]);
        i++;
        ++*nours;
    }
    return same && i == w->n;
}

/* The whole list anew: what is not ours as it was, then what is wanted. */
static void rewrite(const classify_case *k, const ct_doc *doc, ct_val list, const struct wanted *w,
                    ct_edit *edit)
{
    ct_buf b = {0};
    ct_val c;

    for (c = ct_first(doc, list); c != CT_NONE; c = ct_next(doc, list, c))
        if (!ours(k, doc, c)) {
            ct_buf_c(&b, b.n ? ',' : '[');
            ct_buf_put(&b, ct_raw(doc, c));
        }
    for (size_t i = 0; i < w->n; i++) {
        ct_buf_c(&b, b.n ? ',' : '[');
        ct_buf_put(&b, w->v[i]);
    }
    if (b.n == 0) {
        ct_edit_remove(edit, CT_ROOT, list); /* FHIR has no empty arrays */
    } else {
        ct_buf_c(&b, ']');
        ct_edit_replace(edit, list, ct_arena_copy(k->arena, ct_buf_str(&b)));
    }
    ct_buf_free(&b);
}

static void add_member(const classify_case *k, const struct wanted *w, ct_edit *edit)
{
    ct_buf b = {0};

    for (size_t i = 0; i < w->n; i++) {
        ct_buf_c(&b, i ? ',' : '[');
        ct_buf_put(&b, w->v[i]);
    }
    ct_buf_c(&b, ']');
    ct_edit_add_member(edit, CT_ROOT, CT_S("category"), ct_arena_copy(k->arena, ct_buf_str(&b)));
    ct_buf_free(&b);
}

static void edit_list(const classify_case *k, const ct_doc *doc, const struct wanted *w,
                      ct_edit *edit)
{
    ct_val list = ct_member(doc, CT_ROOT, CT_S("category"));
    size_t nours;

    if (list == CT_NONE) {
        if (w->n)
            add_member(k, w, edit);
        return;
    }
    /* What is no list is not FHIR R4: chart-audit's business, not ours to mend. */
    if (ct_type(doc, list) != CT_ARRAY || settled(k, doc, list, w, &nours))
        return;
    if (nours)
        rewrite(k, doc, list, w, edit);
    else
        for (size_t i = 0; i < w->n; i++)
            ct_edit_add_item(edit, list, w->v[i]);
}

bool classify_condition(const classify_case *k, size_t record, ct_edit *edit, ct_buf *out)
{
    const ct_doc *doc = &k->chart->records[record].doc;
    struct wanted w = {0};
    ct_err err = {0};
    size_t before = out->n;
    bool changed;

    for (size_t i = 0; i < k->n; i++)
        if (k->v[i].record == record)
            want(&w, k->arena, k->v[i].chapter);
    for (size_t i = 0; i < k->n; i++)
        if (k->v[i].record == record)
            want(&w, k->arena, k->v[i].block);
    ct_edit_start(edit, doc);
    edit_list(k, doc, &w, edit);
    changed = ct_edit_dirty(edit) && ct_edit_apply(edit, out, &err);
    if (!changed)
        out->n = before;
    free(w.v);
    return changed;
}
