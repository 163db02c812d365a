/* What a row puts at its target. */
#include "cmd/import/hl7v2/convert.h"
#include "cmd/import/hl7v2/run.h"

/* ---- coding systems ---- */

static bool is_digits(ct_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n > 0;
}

static bool is_oid(ct_str s)
{
    size_t arcs = 0;

    if (!s.n || *s.p < '0' || *s.p > '2')
        return false;
    for (ct_str rest = s; rest.p; arcs++)
        if (!is_digits(ct_str_cut(&rest, '.')))
            return false;
    return arcs > 2;
}

static ct_str prefixed(ct_arena *a, ct_str prefix, ct_str s)
{
    const ct_str parts[] = {prefix, s};
    return ct_arena_join(a, parts, CT_LEN(parts));
}

ct_str import_system_uri(const import_maps *maps, ct_str name, ct_arena *a)
{
    const import_code *known = import_table_find(maps->systems, name);

    if (known)
        return known->code;
    if (name.n == 7 && ct_str_starts(name, CT_S("HL7")) && is_digits(ct_str_from(name, 3)))
        return prefixed(a, CT_S("http://terminology.hl7.org/CodeSystem/v2-"), ct_str_from(name, 3));
    if (is_oid(name))
        return prefixed(a, CT_S("urn:oid:"), name);
    if (ct_str_starts(name, CT_S("urn:")) || ct_str_starts(name, CT_S("http://")) ||
        ct_str_starts(name, CT_S("https://")))
        return name;
    return CT_S("");
}

/* ---- strings ---- */

/* Of text that lives as long as the message does. */
static ct_tree *string_tree(import_run *run, ct_str text)
{
    return ct_str_trim(text).n ? ct_tree_view(run->a, text) : NULL;
}

static ct_tree *buffer_tree(import_run *run, ct_buf *b)
{
    ct_tree *t = string_tree(run, ct_arena_copy(run->a, ct_buf_str(b)));
    ct_buf_free(b);
    return t;
}

/* Terms one behind the other; nothing where one that must be there is absent (words: those are left
 * out). */
static bool join_terms(import_run *run, const import_frame *f, const import_row *row,
                       ct_tree **value)
{
    bool words = row->value == VALUE_WORDS, whole = true;
    ct_buf b = {0};

    for (size_t i = 0; i < row->nterms; i++) {
        ct_str text;
        if (!import_term_text(run, f, &row->terms[i], &text)) {
            ct_buf_free(&b);
            return false;
        }
        whole = whole && (words || text.n || row->terms[i].optional);
        if (words && b.n && text.n)
            ct_buf_c(&b, ' ');
        ct_buf_put(&b, text);
    }
    if (!whole)
        b.n = 0;
    *value = buffer_tree(run, &b);
    return true;
}

static bool two_terms(import_run *run, const import_frame *f, const import_row *row, ct_str *one,
                      ct_str *two)
{
    *one = *two = CT_S("");
    return (row->nterms < 1 || import_term_text(run, f, &row->terms[0], one)) &&
           (row->nterms < 2 || import_term_text(run, f, &row->terms[1], two));
}

static bool minutes(import_run *run, const import_frame *f, const import_row *row, ct_tree **value)
{
    ct_str number, unit;
    ct_buf b = {0};

    if (!two_terms(run, f, row, &number, &unit))
        return false;
    if (import_minutes_put(number, ct_str_trim(unit), &b))
        *value = ct_tree_raw(run->a, ct_arena_copy(run->a, ct_buf_str(&b)));
    ct_buf_free(&b);
    return true;
}

static bool mime_type(import_run *run, const import_frame *f, const import_row *row,
                      ct_tree **value)
{
    ct_str type, subtype;
    ct_buf b = {0};

    if (!two_terms(run, f, row, &type, &subtype))
        return false;
    bool ok = import_mime_put(type, &b);
    ct_buf_c(&b, '/');
    ok = ok && import_mime_put(subtype, &b);
    if (!ok)
        b.n = 0;
    *value = buffer_tree(run, &b);
    return true;
}

/* ---- codes ---- */

static ct_tree *coding_tree(import_run *run, const import_code *code)
{
    ct_tree *t = ct_tree_object(run->a);

    if (code->system.n)
        ct_tree_set(t, CT_S("system"), ct_tree_view(run->a, code->system));
    ct_tree_set(t, CT_S("code"), ct_tree_view(run->a, code->code));
    if (code->display.n)
        ct_tree_set(t, CT_S("display"), ct_tree_view(run->a, code->display));
    return t;
}

static ct_tree *code_tree(import_run *run, const import_frame *f, const import_row *row,
                          ct_str text)
{
    const import_table *table = row->caller_table ? f->table : row->table;

    if (table) {
        const import_code *code = import_table_find(table, ct_str_trim(text));
        if (!code)
            return NULL;
        return row->value == VALUE_CODING ? coding_tree(run, code)
                                          : ct_tree_view(run->a, code->code);
    }
    ct_buf b = {0};
    import_code_put(text, &b);
    return buffer_tree(run, &b);
}

/* ---- dates ---- */

static bool date_tree(import_run *run, const import_frame *f, const import_row *row,
                      const import_ref *ref, ct_str text, ct_tree **value)
{
    import_dtm d;
    ct_buf b = {0};
    uint64_t assumed = 0;

    if (!import_dtm_parse(text, &d))
        return import_run_fail(run, f, ref, "not a date");
    if (row->value == VALUE_DATE)
        import_dtm_date(&d, &b);
    else if (row->value == VALUE_DATETIME || d.n >= 12)
        import_dtm_datetime(&d, run->zone, &assumed, &b);
    if (run->zone_is_default)
        run->assumed += assumed;
    *value = buffer_tree(run, &b); /* an instant needs a time: without one there is none */
    return true;
}

/* ---- numbers and data ---- */

static bool number_tree(import_run *run, const import_frame *f, const import_row *row,
                        const import_ref *ref, ct_str text, ct_tree **value)
{
    ct_buf b = {0};
    bool ok = row->value == VALUE_DECIMAL
                  ? import_decimal_put(text, &b)
                  : import_integer_put(text, row->value == VALUE_POSITIVE, &b);
    if (ok)
        *value = ct_tree_raw(run->a, ct_buf_str(&b));
    ct_buf_free(&b);
    return ok || import_run_fail(run, f, ref, "not a number");
}

bool import_text_reads(import_valuekind kind, ct_str text)
{
    import_dtm d;
    ct_buf b = {0};
    bool reads = kind == VALUE_DECIMAL    ? import_decimal_put(text, &b)
                 : kind == VALUE_POSITIVE ? import_integer_put(text, true, &b)
                 : kind == VALUE_TIME     ? import_time_put(text, &b)
                                          : import_dtm_parse(text, &d);

    ct_buf_free(&b);
    return reads;
}

static bool data_tree(import_run *run, const import_frame *f, const import_row *row,
                      const import_ref *ref, ct_str text, ct_tree **value)
{
    ct_str encoding = CT_S("");
    ct_buf b = {0};

    if (row->nterms && !import_term_text(run, f, &row->terms[0], &encoding))
        return false;
    bool ok = import_data_put(text, encoding, &b);
    if (!ok)
        b.n = 0;
    *value = buffer_tree(run, &b);
    return ok || import_run_fail(run, f, ref, "not data in its encoding");
}

/* ---- values of one text ---- */

static bool text_value(import_run *run, const import_frame *f, const import_row *row,
                       const import_ref *ref, ct_tree **value)
{
    ct_buf b = {0};
    ct_str text;

    if (!import_ref_text(run, f, ref, &text))
        return false;
    if (!ct_str_trim(text).n)
        return true;
    switch (row->value) {
    case VALUE_STRING:
        *value = string_tree(run, text);
        return true;
    case VALUE_CODE:
    case VALUE_CODING:
        *value = code_tree(run, f, row, text);
        return true;
    case VALUE_URI:
        import_uri_put(text, &b);
        *value = buffer_tree(run, &b);
        return true;
    case VALUE_SYSTEM:
        *value = string_tree(run, import_system_uri(run->maps, text, run->a));
        return true;
    case VALUE_BOOLEAN: {
        const import_code *code = import_table_find(run->maps->yes_no, ct_str_trim(text));
        *value = code ? ct_tree_raw(run->a, code->code) : NULL;
        return true;
    }
    case VALUE_TIME:
        if (!import_time_put(text, &b)) {
            ct_buf_free(&b);
            return import_run_fail(run, f, ref, "not a time");
        }
        *value = buffer_tree(run, &b);
        return true;
    case VALUE_INTEGER:
    case VALUE_POSITIVE:
    case VALUE_DECIMAL:
        return number_tree(run, f, row, ref, text, value);
    case VALUE_BASE64:
        return data_tree(run, f, row, ref, text, value);
    default:
        return date_tree(run, f, row, ref, text, value);
    }
}

/* ---- references ---- */

ct_tree *import_reference_tree(import_run *run, const import_resource *r)
{
    ct_tree *t = ct_tree_object(run->a);
    const ct_str parts[] = {r->type, CT_S("/"), r->id};
    ct_str text = ct_arena_join(run->a, parts, CT_LEN(parts));

    ct_tree_set(t, CT_S("reference"), ct_tree_view(run->a, text));
    return t;
}

/* ---- lines of a document ---- */

static bool add_line(import_run *run, import_frame *f, const import_ref *ref, ct_tree **value)
{
    import_resource *r = f->resource;
    if (!r)
        return import_run_fail(run, f, ref, "the mapping tables have a line for no resource");
    import_line *line = ct_arena_alloc(run->a, sizeof *line);

    import_part field = import_ref_field(run, f, ref);
    if (!import_er7_whole(&run->message, field, run->a, &line->text, run->err))
        return import_run_fail_again(run, f, ref);
    import_er7_made(&run->message, field);
    if (!r->attachment) {
        r->attachment = ct_tree_object(run->a);
        r->end = &r->lines;
        ct_tree_set(r->attachment, CT_S("contentType"), ct_tree_view(run->a, CT_S("text/plain")));
        *value = r->attachment;
    }
    *r->end = line;
    r->end = &line->next;
    return true;
}

static bool whole_text(import_run *run, const import_frame *f, const import_ref *ref,
                       ct_tree **value)
{
    ct_str text;

    import_part field = import_ref_field(run, f, ref);
    if (!import_er7_whole(&run->message, field, run->a, &text, run->err))
        return import_run_fail_again(run, f, ref);
    import_run_read(run, field);
    *value = string_tree(run, text);
    return true;
}

/* ---- the message itself ---- */

static ct_tree *source_tree(import_run *run)
{
    ct_buf b = {0};

    import_base64_put(run->raw, &b);
    return buffer_tree(run, &b);
}

/* Made by a segment's map of MSH, EVN or SFT. */
static bool tells_of_message(const import_resource *r)
{
    static const char *const maps[] = {"MSH-", "EVN-", "SFT-"};

    for (size_t i = 0; i < CT_LEN(maps); i++)
        if (r->map && ct_str_starts(r->map->name, ct_str_z(maps[i])))
            return true;
    return false;
}

static ct_tree *targets_tree(import_run *run)
{
    ct_tree *array = ct_tree_array(run->a);

    for (size_t i = 0; i < run->n; i++)
        if (!tells_of_message(run->resources[i]))
            ct_tree_push(array, import_reference_tree(run, run->resources[i]));
    return ct_tree_count(array) ? array : NULL;
}

bool import_value_make(import_run *run, import_frame *f, const import_row *row, ct_tree *into,
                       ct_tree **value)
{
    const import_ref *ref = row->of.kind != REF_NONE ? &row->of : &row->source;

    *value = NULL;
    if (row->of.kind != REF_NONE && !import_ref_valued(run, f, &row->of))
        return true;
    switch (row->value) {
    case VALUE_CONSTANT:
        *value = row->json ? ct_tree_raw(run->a, row->text) : ct_tree_view(run->a, row->text);
        return true;
    case VALUE_REFUSE:
        return import_run_fail(run, f, ref, row->text.p);
    case VALUE_TEXT:
        return whole_text(run, f, ref, value);
    case VALUE_LINE:
        import_run_aside(run);
        return add_line(run, f, ref, value);
    case VALUE_SOURCE:
        import_run_aside(run);
        *value = source_tree(run);
        return true;
    case VALUE_TARGETS:
        import_run_aside(run);
        *value = targets_tree(run);
        return true;
    case VALUE_JOIN:
    case VALUE_WORDS:
        return join_terms(run, f, row, value);
    case VALUE_MINUTES:
        return minutes(run, f, row, value);
    case VALUE_MIME:
        return mime_type(run, f, row, value);
    case VALUE_MAP:
        return import_nested_make(run, f, row, ref, into, value);
    case VALUE_REF:
        if (row->map)
            return import_nested_make(run, f, row, ref, NULL, value);
        import_run_aside(run);
        *value = import_reference_tree(run, import_run_slot(run, row->source.slot));
        return true;
    case VALUE_LABELS:
        import_run_aside(run);
        return import_labels_add(run, f->root, import_run_slot(run, row->source.slot)->tree);
    default:
        return text_value(run, f, row, ref, value);
    }
}
