/* References of the mapping tables to parts of the message, and the place of an error. */
#include "cmd/import/hl7v2/run.h"

/* Bytes of long values that may be looked at, beyond so many times the message's own. */
enum { LOOKED_MAX = 64 << 20, LOOKED_TIMES = 64 };

static const import_segment *segment_of(const import_run *run, const import_ref *ref)
{
    const import_segment *all = run->message.segments;

    if (ref->segment == all[run->at].id)
        return &all[run->at];
    if (ref->segment == run->maps->msh)
        return &all[0];
    return run->last[ref->segment] ? &all[run->last[ref->segment] - 1] : NULL;
}

static import_part down(const import_run *run, import_part p, const uint8_t *part, size_t n)
{
    for (size_t i = 0; i < n && part[i]; i++)
        p = import_er7_sub(&run->message, p, part[i]);
    return p;
}

/* What REF_PART speaks of. */
static import_part part_of(const import_run *run, const import_frame *f, const import_ref *ref)
{
    if (!f->cuts || !ref->part[0] || ref->part[0] > IMPORT_PARTS)
        return down(run, f->value, ref->part, CT_LEN(ref->part));
    import_part p = import_cuts_part(f->cuts, ref->part[0]);
    return ref->part[1] ? down(run, p, ref->part + 1, CT_LEN(ref->part) - 1) : p;
}

void import_run_read(import_run *run, import_part p)
{
    if (run->nreads < CT_LEN(run->reads))
        run->reads[run->nreads++] = p;
    else
        import_run_aside(run);
}

import_part import_ref_field(import_run *run, const import_frame *f, const import_ref *ref)
{
    import_part none = {CT_S(""), LEVEL_SUBCOMPONENT};

    if (ref->kind == REF_VALUE)
        return f->value;
    if (ref->kind == REF_PART)
        return part_of(run, f, ref);
    if (ref->kind != REF_FIELD)
        return none;
    import_run_aside(run);
    const import_segment *s = segment_of(run, ref);
    return s ? import_er7_field(s, ref->field) : none;
}

bool import_is_looped(const import_run *run, const import_frame *f, const import_ref *ref)
{
    return f->repetition && ref->kind == REF_FIELD && f->field == ref->field &&
           ref->segment == run->message.segments[run->at].id;
}

ct_str import_repetitions(import_run *run, import_frame *f, const import_ref *field)
{
    f->field = field->field;
    f->repetition = 0;
    return import_ref_field(run, f, field).raw;
}

bool import_next_repetition(import_run *run, import_frame *f, ct_str *rest)
{
    if (!rest->p) {
        f->field = 0;
        f->repetition = 0;
        return false;
    }
    f->current = *rest;
    if (run->message.repetition)
        f->current = ct_str_cut(rest, run->message.repetition);
    else
        rest->p = NULL;
    f->repetition++;
    return true;
}

import_part import_ref_part(import_run *run, const import_frame *f, const import_ref *ref)
{
    if (ref->kind == REF_PART)
        return part_of(run, f, ref);
    import_part p = import_ref_field(run, f, ref);
    if (ref->kind != REF_FIELD || !p.raw.n)
        return p;
    if (import_is_looped(run, f, ref))
        p = (import_part){f->current, LEVEL_REPETITION};
    else if (ref->part[0])
        p = import_er7_repetition(&run->message, p, 1);
    return down(run, p, ref->part, CT_LEN(ref->part));
}

bool import_ref_valued(import_run *run, const import_frame *f, const import_ref *ref)
{
    if (ref->kind == REF_NONE)
        return true;
    if (ref->kind == REF_SLOT) {
        import_run_aside(run);
        return import_run_slot(run, ref->slot) != NULL;
    }
    return import_er7_valued(&run->message, import_ref_part(run, f, ref));
}

/* Against a message made of one long value and many that are told apart by it. Short ones do not
 * count: what is known of them already is not looked at, which must make no difference. */
static bool is_bearable(import_run *run, size_t n)
{
    run->looked += n;
    return run->looked <= LOOKED_MAX + LOOKED_TIMES * (uint64_t)run->message.text.n;
}

bool import_ref_text(import_run *run, const import_frame *f, const import_ref *ref, ct_str *text)
{
    if (ref->kind == REF_SLOT) {
        import_run_aside(run);
        const import_resource *r = import_run_slot(run, ref->slot);
        *text = r ? r->id : CT_S("");
        return true;
    }
    import_part leaf = import_er7_leaf(&run->message, import_ref_part(run, f, ref));
    import_run_read(run, leaf);
    if (leaf.raw.n > IMPORT_KNOWN_MAX && !is_bearable(run, leaf.raw.n))
        return import_run_fail(run, f, ref, "a long value is looked at too often");
    return import_er7_text(&run->message, leaf, run->a, text, run->err) ||
           import_run_fail_again(run, f, ref);
}

/* ---- authorities ---- */

/* The universal id, else the namespace, of the parts `first` and behind of `p`. */
static bool authority(import_run *run, import_part p, size_t first, ct_str *text)
{
    static const size_t order[] = {1, 0};

    for (size_t i = 0; i < CT_LEN(order); i++) {
        import_part part = import_er7_sub(&run->message, p, first + order[i]);
        if (!import_er7_valued(&run->message, part))
            continue;
        import_run_read(run, import_er7_leaf(&run->message, part));
        return import_er7_text(&run->message, part, run->a, text, run->err);
    }
    *text = CT_S("");
    return true;
}

/* Whoever sends numbers without saying whose they are means his own: MSH-4, else MSH-3. */
static bool sender(import_run *run, ct_str *text)
{
    for (size_t field = 4; field >= 3; field--) {
        import_part p = import_er7_field(&run->message.segments[0], field);
        if (import_er7_valued(&run->message, p))
            return authority(run, p, 1, text);
    }
    *text = CT_S("");
    return true;
}

bool import_term_text(import_run *run, const import_frame *f, const import_term *t, ct_str *text)
{
    bool ok;

    if (t->kind == TERM_TEXT) {
        *text = t->text;
        return true;
    }
    if (t->kind == TERM_REF)
        return import_ref_text(run, f, &t->ref, text);
    if (t->kind == TERM_HD) {
        ok = authority(run, import_ref_part(run, f, &t->ref), 1, text);
    } else { /* the component that is named is the namespace, those behind it the universal id */
        import_ref whole = t->ref;
        size_t first = whole.part[0];
        whole.part[0] = 0;
        ok = authority(run, import_ref_part(run, f, &whole), first, text);
    }
    if (ok && !text->n)
        ok = sender(run, text);
    return ok || import_run_fail_again(run, f, &t->ref);
}

/* ---- where ---- */

static void put_parts(ct_buf *b, const import_ref *ref)
{
    for (size_t i = 0; i < CT_LEN(ref->part) && ref->part[i]; i++)
        ct_buf_printf(b, ".%u", (unsigned)ref->part[i]);
}

static void put_where(import_run *run, const import_frame *f, const import_ref *ref, ct_buf *b)
{
    if (ref->kind == REF_FIELD) {
        const import_segment *s = segment_of(run, ref);
        ct_str name = run->maps->segments[ref->segment - 1];
        ct_buf_put(b, name);
        if (s && s->ordinal > 1)
            ct_buf_printf(b, "[%u]", (unsigned)s->ordinal);
        ct_buf_printf(b, "-%u", (unsigned)ref->field);
        put_parts(b, ref);
    } else if (f->up && f->via) {
        put_where(run, f->up, f->via, b);
        if (ref->kind == REF_PART)
            put_parts(b, ref);
    } else {
        ct_buf_put(b, run->message.segments[run->at].name);
    }
}

bool import_run_fail(import_run *run, const import_frame *f, const import_ref *ref,
                     const char *text)
{
    ct_buf b = {0};

    put_where(run, f, ref, &b);
    ct_fail_at(run->err, CT_E_DATA, text, "%.*s", (int)b.n, b.p ? b.p : "");
    ct_buf_free(&b);
    return false;
}

bool import_run_fail_again(import_run *run, const import_frame *f, const import_ref *ref)
{
    return import_run_fail(run, f, ref, run->err->text);
}
