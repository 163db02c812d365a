/* FHIR's data types in words. What does not fit into a line of a table is left to the list of all
 * elements.
 */
#include "cmd/archive/readable/view.h"

extern const ct_datafile ct_cmd_data[];

/* What an element without words of its own may add to a cell, and how deep it is looked into. */
enum { WORDS_MAX = 2000, DEPTH_MAX = 6 };

typedef struct writer {
    ct_buf *to;
    size_t start; /* of this value in `to` */
    const ct_doc *doc;
    ct_chart *chart;
    ct_arena *a;
    int depth;
} writer;

static void put_value(writer *w, ct_val v, const ct_ftype *type);

/* ---- pieces ---- */

void bag_name_words(ct_buf *to, ct_str name, bool capital)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z';

        if (upper && i > 0)
            ct_buf_c(to, ' ');
        if (i == 0 && capital && lower)
            c = (char)(c - 'a' + 'A');
        else if (upper && !(i == 0 && capital))
            c = (char)(c - 'A' + 'a');
        ct_buf_c(to, c);
    }
}

/* The text of a member, which may be a path; empty where there is none. */
static ct_str text_of(const writer *w, ct_val v, const char *path)
{
    ct_val at = ct_at(w->doc, v, path);

    return at != CT_NONE && ct_type(w->doc, at) < CT_ARRAY ? ct_text(w->doc, at, w->a) : CT_S("");
}

/* Between what was written of this value and what comes. */
static void between(writer *w, const char *separator)
{
    if (w->to->n > w->start)
        ct_buf_z(w->to, separator);
}

static bool put_part(writer *w, const char *separator, ct_str text)
{
    if (text.n == 0)
        return false;
    between(w, separator);
    ct_buf_put(w->to, text);
    return true;
}

static bool put_member(writer *w, ct_val v, const char *path, const char *separator)
{
    return put_part(w, separator, text_of(w, v, path));
}

/* All items of an array of strings. */
static void put_strings(writer *w, ct_val v, const char *name, const char *separator)
{
    ct_val array = ct_member(w->doc, v, ct_str_z(name));

    if (array == CT_NONE || ct_type(w->doc, array) != CT_ARRAY)
        return;
    for (ct_val i = ct_first(w->doc, array); i != CT_NONE; i = ct_next(w->doc, array, i))
        if (ct_type(w->doc, i) == CT_STRING)
            put_part(w, separator, ct_text(w->doc, i, w->a));
}

/* A member that is a value with words of its own. */
static void put_inner(writer *w, ct_val v, const char *name, const char *type,
                      const char *separator)
{
    ct_val inner = ct_member(w->doc, v, ct_str_z(name));
    writer sub = *w;

    if (inner == CT_NONE)
        return;
    between(w, separator);
    sub.start = w->to->n;
    sub.depth++;
    put_value(&sub, inner, ct_model_type(ct_model_r4(), ct_str_z(type)));
}

/* What a code says where nobody wrote it down; the code itself where codes.tsv does not know. */
static ct_str meaning(ct_str system, ct_str code)
{
    const ct_datafile *file = ct_datafile_find(ct_cmd_data, "readable/codes.tsv");
    ct_str rest = {file->text, file->n}, cols[3];

    while (ct_tsv_next(&rest, cols, 3, NULL) == 3)
        if (ct_str_eq(cols[1], code) && ct_str_eq(cols[0], system))
            return cols[2];
    return code;
}

static ct_str system_name(ct_str canonical)
{
    const ct_datafile *file = ct_datafile_find(ct_cmd_data, "readable/systems.tsv");
    ct_str rest = {file->text, file->n}, cols[2];

    while (ct_tsv_next(&rest, cols, 2, NULL))
        if (ct_str_eq(cols[0], canonical))
            return cols[1];
    return canonical;
}

/* ---- types ---- */

/* `(ICD-10-CM I10)` */
static void put_code(writer *w, ct_val coding)
{
    ct_str system = text_of(w, coding, "system"), code = text_of(w, coding, "code");

    if (code.n == 0)
        return;
    between(w, " ");
    ct_buf_c(w->to, '(');
    if (system.n) {
        ct_buf_put(w->to, system_name(system));
        ct_buf_c(w->to, ' ');
    }
    ct_buf_put(w->to, code);
    ct_buf_c(w->to, ')');
}

static void put_coding(writer *w, ct_val v)
{
    if (!put_member(w, v, "display", ""))
        put_part(w, "", meaning(text_of(w, v, "system"), text_of(w, v, "code")));
    else
        put_code(w, v);
}

static bool from_hl7(ct_str system)
{
    return ct_str_starts(system, CT_S("http://terminology.hl7.org/")) ||
           ct_str_starts(system, CT_S("http://hl7.org/fhir/"));
}

static void put_concept(writer *w, ct_val v)
{
    ct_val codings = ct_member(w->doc, v, CT_S("coding"));
    bool text = put_member(w, v, "text", "");

    if (codings == CT_NONE || ct_type(w->doc, codings) != CT_ARRAY)
        return;
    if (!text)
        text = put_member(w, v, "coding.display", "");
    for (ct_val c = ct_first(w->doc, codings); c != CT_NONE; c = ct_next(w->doc, codings, c)) {
        if (!text)
            text = put_part(w, "", meaning(text_of(w, c, "system"), text_of(w, c, "code")));
        else if (!from_hl7(text_of(w, c, "system")))
            put_code(w, c);
    }
}

static void put_quantity(writer *w, ct_val v)
{
    put_member(w, v, "comparator", "");
    put_member(w, v, "value", w->to->n > w->start ? " " : "");
    if (!put_member(w, v, "unit", " "))
        put_member(w, v, "code", " ");
}

static void put_money(writer *w, ct_val v)
{
    put_member(w, v, "value", "");
    put_member(w, v, "currency", " ");
}

static void put_period(writer *w, ct_val v)
{
    ct_str start = text_of(w, v, "start"), end = text_of(w, v, "end");

    if (start.n && !end.n)
        put_part(w, "", CT_S("from "));
    put_part(w, "", start);
    if (end.n)
        put_part(w, "", start.n ? CT_S(" to ") : CT_S("until "));
    put_part(w, "", end);
}

static void put_range(writer *w, ct_val v)
{
    put_inner(w, v, "low", "Quantity", "");
    put_inner(w, v, "high", "Quantity", " to ");
}

static void put_ratio(writer *w, ct_val v)
{
    put_inner(w, v, "numerator", "Quantity", "");
    put_inner(w, v, "denominator", "Quantity", " : ");
}

static void put_use(writer *w, ct_val v)
{
    ct_str use = text_of(w, v, "use");

    if (use.n == 0 || w->to->n == w->start)
        return;
    ct_buf_z(w->to, " (");
    ct_buf_put(w->to, use);
    ct_buf_c(w->to, ')');
}

static void put_human_name(writer *w, ct_val v)
{
    if (!put_member(w, v, "text", "")) {
        put_strings(w, v, "prefix", " ");
        put_strings(w, v, "given", " ");
        put_member(w, v, "family", " ");
        put_strings(w, v, "suffix", " ");
    }
    put_use(w, v);
}

static void put_address(writer *w, ct_val v)
{
    if (!put_member(w, v, "text", "")) {
        put_strings(w, v, "line", ", ");
        put_member(w, v, "postalCode", ", ");
        put_member(w, v, "city", ", ");
        put_member(w, v, "district", ", ");
        put_member(w, v, "state", ", ");
        put_member(w, v, "country", ", ");
    }
    put_use(w, v);
}

static void put_contact_point(writer *w, ct_val v)
{
    put_member(w, v, "value", "");
    put_use(w, v);
}

static void put_identifier(writer *w, ct_val v)
{
    ct_str system = text_of(w, v, "system");

    put_member(w, v, "value", "");
    put_inner(w, v, "type", "CodeableConcept", ", ");
    if (!put_member(w, v, "assigner.display", ", "))
        put_part(w, ", ", system_name(system));
}

/* The number of the record in the chart that a reference leads to; 0 where there is none. */
static size_t record_number(ct_chart *chart, ct_str reference)
{
    const ct_doc *doc = chart ? ct_chart_resolve(chart, reference) : NULL;
    const char *record;

    if (!doc)
        return 0;
    /* What resolves is a document of one of the chart's records. */
    record = (const char *)doc - offsetof(ct_record, doc);
    return (size_t)((const ct_record *)(const void *)record - chart->records) + 1;
}

static void put_reference(writer *w, ct_val v)
{
    ct_str reference = text_of(w, v, "reference");
    size_t number = reference.n ? record_number(w->chart, reference) : 0;

    if (!put_member(w, v, "display", "") && !number && !put_part(w, "", reference))
        put_inner(w, v, "identifier", "Identifier", "");
    if (number) {
        between(w, " ");
        ct_buf_printf(w->to, "(No. %zu)", number);
    }
}

static void put_annotation(writer *w, ct_val v)
{
    put_member(w, v, "text", "");
    put_member(w, v, "authorString", ", ");
    put_member(w, v, "time", ", ");
}

static void put_attachment(writer *w, ct_val v)
{
    if (!put_member(w, v, "title", ""))
        put_member(w, v, "url", "");
    put_member(w, v, "contentType", ", ");
}

static void put_members(writer *w, ct_val v, const ct_ftype *type);

static void put_dosage(writer *w, ct_val v)
{
    if (!put_member(w, v, "text", ""))
        put_members(w, v, ct_model_type(ct_model_r4(), CT_S("Dosage")));
    else
        put_member(w, v, "patientInstruction", "; ");
}

static void put_reference_range(writer *w, ct_val v)
{
    if (put_member(w, v, "text", ""))
        return;
    put_inner(w, v, "low", "Quantity", "");
    put_inner(w, v, "high", "Quantity", w->to->n > w->start ? " to " : "up to ");
    put_inner(w, v, "type", "CodeableConcept", ", ");
}

static void put_expression(writer *w, ct_val v)
{
    put_member(w, v, "expression", "");
}

static void put_xhtml(writer *w, ct_val v)
{
    bag_narrative(w->to, text_of(w, v, "div"));
}

static const struct {
    const char *type;
    void (*put)(writer *w, ct_val v);
} types[] = {
    {"CodeableConcept", put_concept},
    {"Coding", put_coding},
    {"Quantity", put_quantity},
    {"Reference", put_reference},
    {"Period", put_period},
    {"HumanName", put_human_name},
    {"Address", put_address},
    {"ContactPoint", put_contact_point},
    {"Identifier", put_identifier},
    {"Dosage", put_dosage},
    {"Observation.referenceRange", put_reference_range},
    {"Range", put_range},
    {"Ratio", put_ratio},
    {"Money", put_money},
    {"Annotation", put_annotation},
    {"Attachment", put_attachment},
    {"Expression", put_expression},
    {"Narrative", put_xhtml},
};

/* ---- anything ---- */

static bool is_word(ct_str key)
{
    return key.n && key.p[0] != '_' && !ct_str_is(key, "id") && !ct_str_is(key, "extension") &&
           !ct_str_is(key, "modifierExtension");
}

static bool room_left(const writer *w)
{
    return w->to->n - w->start < WORDS_MAX && w->depth < DEPTH_MAX;
}

/* `code: value` where it has both, as the parts of an observation do; else every member with its
 * name. */
static void put_members(writer *w, ct_val v, const ct_ftype *type)
{
    for (ct_val m = ct_first(w->doc, v); m != CT_NONE; m = ct_next(w->doc, v, m)) {
        ct_str key = ct_key(w->doc, m);
        const ct_ftype *inner = NULL;
        const ct_felement *e = type ? ct_model_element(type, key, &inner) : NULL;
        writer sub = *w;

        if (!is_word(key))
            continue;
        if (!room_left(w)) {
            ct_buf_z(w->to, " \xE2\x80\xA6");
            return;
        }
        between(w, ", ");
        if (!ct_str_is(key, "code") && !(e && e->choice)) {
            bag_name_words(w->to, key, false);
            ct_buf_z(w->to, ": ");
        }
        sub.start = w->to->n;
        sub.depth++;
        put_value(&sub, m, inner ? inner : e && e->ntypes == 1 ? e->types[0] : NULL);
    }
}

static void put_items(writer *w, ct_val array, const ct_ftype *type)
{
    for (ct_val i = ct_first(w->doc, array); i != CT_NONE; i = ct_next(w->doc, array, i)) {
        writer sub = *w;

        if (!room_left(w)) {
            ct_buf_z(w->to, " \xE2\x80\xA6");
            return;
        }
        between(w, "; ");
        sub.start = w->to->n;
        put_value(&sub, i, type);
    }
}

static void put_value(writer *w, ct_val v, const ct_ftype *type)
{
    ct_jtype j = ct_type(w->doc, v);

    if (j == CT_ARRAY)
        put_items(w, v, type);
    else if (j == CT_TRUE || j == CT_FALSE)
        ct_buf_z(w->to, j == CT_TRUE ? "yes" : "no");
    else if (j == CT_STRING || j == CT_NUMBER)
        ct_buf_put(w->to, ct_text(w->doc, v, w->a));
    if (j != CT_OBJECT)
        return;
    for (size_t i = 0; type && i < CT_LEN(types); i++)
        if (ct_ftype_is(type, ct_str_z(types[i].type))) {
            types[i].put(w, v);
            return;
        }
    if (room_left(w))
        put_members(w, v, type);
}

void bag_words(ct_buf *to, const ct_doc *doc, ct_val v, const ct_ftype *type, ct_chart *chart,
               ct_arena *a)
{
    writer w = {.to = to, .start = to->n, .doc = doc, .chart = chart, .a = a};

    put_value(&w, v, type);
}
