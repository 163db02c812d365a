/* Identities: the same thing has the same id in every message and on every machine. */
#include "cmd/import/hl7v2/run.h"

enum { ID_BYTES = 16 };

static ct_str hash_id(ct_arena *a, ct_str text)
{
    uint8_t digest[CT_SHA256_LEN];
    ct_buf hex = {0};

    ct_sha256(text, digest);
    ct_hex(&hex, digest, ID_BYTES);
    ct_str id = ct_arena_copy(a, ct_buf_str(&hex));
    ct_buf_free(&hex);
    return id;
}

static void put_part(ct_buf *b, ct_str part)
{
    ct_buf_put(b, part);
    ct_buf_c(b, '\x1f'); /* unit separator: no part holds one */
}

ct_str import_id_again(import_run *run, ct_str id, uint32_t n)
{
    return hash_id(run->a, ct_arena_printf(run->a, "%.*s\x1f%u", (int)id.n, id.p, (unsigned)n));
}

/* The terms as one text; `*whole` false where one that must be there is not. */
static bool put_terms(import_run *run, const import_frame *f, const import_row *row, ct_buf *b,
                      bool *whole)
{
    *whole = true;
    for (size_t i = 0; i < row->nterms; i++) {
        const import_term *t = &row->terms[i];
        ct_str text;
        if (!import_term_text(run, f, t, &text))
            return false;
        if (!text.n && !t->optional && t->kind == TERM_REF)
            *whole = false;
        put_part(b, text);
    }
    return true;
}

static bool row_id(import_run *run, const import_frame *f, const import_row *row, ct_str type,
                   ct_str *id)
{
    bool holds = import_row_may(f, row) && import_ref_valued(run, f, &row->source), whole;
    ct_buf b = {0};

    if (holds && !import_row_holds(run, f, row->when, row->nwhen, &holds))
        return false;
    if (!holds)
        return true;
    put_part(&b, type);
    bool ok = put_terms(run, f, row, &b, &whole);
    if (ok && whole)
        *id = hash_id(run->a, ct_buf_str(&b));
    ct_buf_free(&b);
    return ok;
}

/* A row's field is tried in all its repetitions before the next row is. */
static bool row_id_each(import_run *run, import_frame *f, const import_row *row, ct_str type,
                        ct_str *id)
{
    bool ok = true;

    if (row->source.kind != REF_FIELD || row->source.part[0] ||
        row->source.segment != run->message.segments[run->at].id)
        return row_id(run, f, row, type, id);
    ct_str rest = import_repetitions(run, f, &row->source);
    while (import_next_repetition(run, f, &rest))
        if (ok && !id->n)
            ok = row_id(run, f, row, type, id);
    return ok;
}

bool import_id_make(import_run *run, import_frame *f, const import_map *map, ct_str *id,
                    bool *derived)
{
    size_t reads = run->nreads; /* an identity does not show what it is made of */

    *id = CT_S("");
    for (size_t i = 0; i < map->ids && !id->n; i++) {
        const import_row *row = &map->rows[i];
        if (!row->is_id)
            continue;
        *derived = row->value == VALUE_DERIVED;
        if (!row_id_each(run, f, row, map->type, id))
            return false;
        run->nreads = reads;
    }
    return true;
}

/* What tells the message from others: its number, else all of it. */
static ct_str message_key(import_run *run)
{
    const import_er7 *m = &run->message;
    import_part control = import_er7_field(&m->segments[0], 10);

    if (import_er7_valued(m, control))
        return control.raw;
    if (!run->key.n) {
        const import_segment *last = &m->segments[m->n - 1];
        const char *start = m->segments[0].name.p;
        ct_str end = last->fields[last->nfields - 1];
        run->key = hash_id(run->a, (ct_str){start, (size_t)(end.p - start) + end.n});
    }
    return run->key;
}

ct_str import_id_of_segment(import_run *run, ct_str type)
{
    const import_segment *msh = &run->message.segments[0], *s = &run->message.segments[run->at];
    const import_resource *patient = import_run_slot(run, CT_S("Patient"));
    ct_buf b = {0};

    put_part(&b, type);
    put_part(&b, import_er7_field(msh, 3).raw);
    put_part(&b, import_er7_field(msh, 4).raw);
    put_part(&b, import_er7_field(msh, 7).raw);
    put_part(&b, message_key(run));
    put_part(&b, patient ? patient->id : CT_S(""));
    put_part(&b, s->name);
    ct_buf_u64(&b, s->ordinal);
    ct_str id = hash_id(run->a, ct_buf_str(&b));
    ct_buf_free(&b);
    return id;
}
