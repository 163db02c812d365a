/* Functions that look around: children, extensions, references, types, the clock. */
#include "common/fhirpath/internal.h"

/* ---- children ---- */

bool ct_fn_children(struct fp_call *c)
{
    for (size_t i = 0; i < c->in->n; i++) {
        if (!ct_fp_children(c->r, c->n, &c->in->v[i], c->out))
            return false;
    }
    return true;
}

/* Level by level: the result is also the list of what is still to do. */
bool ct_fn_descendants(struct fp_call *c)
{
    if (!ct_fn_children(c))
        return false;
    for (size_t i = 0; i < c->out->n; i++) {
        ct_item item = c->out->v[i];
        if (!ct_fp_children(c->r, c->n, &item, c->out))
            return false;
    }
    return true;
}

/* ---- extensions ---- */

static bool add_extensions(struct fp_call *c, const ct_doc *d, ct_val owner, ct_str url)
{
    const ct_path *p = c->r->path;
    ct_val array = owner == CT_NONE ? CT_NONE : ct_member_id(d, owner, p->id_extension);
    if (array == CT_NONE || ct_type(d, array) != CT_ARRAY)
        return true;
    for (ct_val v = ct_first(d, array); v != CT_NONE; v = ct_next(d, array, v)) {
        if (ct_type(d, v) != CT_OBJECT || !ct_is(d, ct_member_id(d, v, p->id_url), url))
            continue;
        ct_item item = {
            .type = CT_I_NODE, .doc = d, .node = v, .parent = owner, .ftype = p->t_extension};
        if (!ct_fp_push(c->r, c->n, c->out, &item))
            return false;
    }
    return true;
}

bool ct_fn_extension(struct fp_call *c)
{
    struct fp_coll arg;
    ct_str url;
    if (!ct_fp_arg(c, 0, &arg))
        return false;
    int got = ct_fp_single_string(c->r, c->n, &arg, &url);
    if (got <= 0)
        return got == 0;
    for (size_t i = 0; i < c->in->n; i++) {
        const ct_item *item = &c->in->v[i];
        if (item->type != CT_I_NODE)
            continue;
        ct_val owner =
            ct_type(item->doc, item->node) == CT_OBJECT ? item->node : ct_fp_underscore(c->r, item);
        if (!add_extensions(c, item->doc, owner, url))
            return false;
    }
    return true;
}

/* ---- references ---- */

/* The contained resource of that id; CT_NONE for none. */
static ct_val contained(const struct fp_run *r, const ct_doc *d, ct_str id)
{
    const ct_path *p = r->path;
    ct_val array = ct_member_id(d, CT_ROOT, p->id_contained);
    if (array == CT_NONE || ct_type(d, array) != CT_ARRAY)
        return CT_NONE;
    for (ct_val v = ct_first(d, array); v != CT_NONE; v = ct_next(d, array, v)) {
        if (ct_type(d, v) == CT_OBJECT && ct_is(d, ct_member_id(d, v, p->id_id), id))
            return v;
    }
    return CT_NONE;
}

/* The text of a Reference, or of a uri or string that is one; empty for what names nothing. */
static ct_str reference_text(struct fp_run *r, const ct_item *item)
{
    ct_val v = item->node;
    if (item->type == CT_I_STRING)
        return item->text;
    if (item->type != CT_I_NODE)
        return (ct_str){"", 0};
    if (ct_type(item->doc, v) == CT_OBJECT)
        v = ct_member_id(item->doc, v, r->path->id_reference);
    if (v == CT_NONE || ct_type(item->doc, v) != CT_STRING)
        return (ct_str){"", 0};
    return ct_text(item->doc, v, r->a);
}

static bool find(struct fp_run *r, const ct_item *from, ct_str text, ct_item *found)
{
    if (text.n > 0 && text.p[0] == '#') {
        const ct_doc *d = from->type == CT_I_NODE ? from->doc : r->c->doc;
        ct_val v = text.n == 1 ? CT_ROOT : contained(r, d, ct_str_from(text, 1));
        ct_context c = {.doc = d};
        if (v == CT_NONE)
            return false;
        *found = ct_fp_start(r->path, &c, v);
        return true;
    }
    if (text.n == 0 || !r->c->resolve)
        return false;
    ct_context c = {.doc = r->c->resolve(r->c->resolve_ctx, text)};
    if (!c.doc)
        return false;
    *found = ct_fp_start(r->path, &c, CT_ROOT);
    return true;
}

bool ct_fn_resolve(struct fp_call *c)
{
    for (size_t i = 0; i < c->in->n; i++) {
        ct_item found;
        if (!find(c->r, &c->in->v[i], reference_text(c->r, &c->in->v[i]), &found))
            c->r->c->unresolved++;
        else if (!ct_fp_push(c->r, c->n, c->out, &found))
            return false;
    }
    return true;
}

/* ---- types ---- */

bool ct_fn_type(struct fp_call *c)
{
    for (size_t i = 0; i < c->in->n; i++) {
        ct_item type = ct_item_type(&c->in->v[i]);
        if (!ct_fp_push(c->r, c->n, c->out, &type))
            return false;
    }
    return true;
}

/* ---- utilities ---- */

/* The trace itself goes nowhere: diagnostics never hold a value of a record. */
bool ct_fn_trace(struct fp_call *c)
{
    struct fp_coll ignored;
    for (size_t i = 0; c->n->nargs > 1 && i < c->in->n; i++) {
        if (!ct_fp_each(c->r, c->n->args[1], c->s, &c->in->v[i], i, &ignored))
            return false;
    }
    return ct_fp_append(c->r, c->n, c->out, c->in);
}

/* The clock is the context's; a context without one gives empty. */
bool ct_fn_now(struct fp_call *c)
{
    if (c->r->c->now.precision == CT_P_NONE)
        return true;
    ct_fp_one(c->r, c->out, ct_fp_date_item(c->r->a, CT_I_DATETIME, c->r->c->now));
    return true;
}

bool ct_fn_today(struct fp_call *c)
{
    ct_date d = c->r->c->now;
    if (d.precision == CT_P_NONE)
        return true;
    d = (ct_date){.precision = d.precision < CT_P_DAY ? d.precision : CT_P_DAY,
                  .year = d.year,
                  .month = d.month,
                  .day = d.day};
    ct_fp_one(c->r, c->out, ct_fp_date_item(c->r->a, CT_I_DATE, d));
    return true;
}

bool ct_fn_time_of_day(struct fp_call *c)
{
    ct_date d = c->r->c->now;
    d.year = 0;
    d.month = d.day = 0;
    d.zoned = false;
    d.offset = 0;
    /* A clock that tells only the day has no time of day. */
    if (d.precision >= CT_P_HOUR)
        ct_fp_one(c->r, c->out, ct_fp_date_item(c->r->a, CT_I_TIME, d));
    return true;
}
