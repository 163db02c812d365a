/* A chart as a page: whose it is, what happened topic by topic, and every element of every record.
 */
#include "cmd/archive/readable/view.h"

#include <inttypes.h>
#include <stdlib.h>

typedef struct entry {
    const bag_topic *topic;
    ct_str type;
    ct_str when;     /* what it is sorted by; empty sorts last */
    uint64_t number; /* in the chart, from 1 */
} entry;

typedef struct page {
    bag_view *view;
    ct_chart *chart;
    entry *entries;
} page;

static ct_str keep(const page *p, ct_buf *b)
{
    ct_str copy = ct_arena_copy(p->view->arena, ct_buf_str(b));

    ct_buf_free(b);
    return copy;
}

/* ---- values ---- */

static bool evaluate(const page *p, const ct_path *path, const ct_record *rec, ct_items *items)
{
    ct_context c = {.model = ct_model_r4(),
                    .arena = p->view->arena,
                    .doc = &rec->doc,
                    .node = CT_ROOT,
                    .resolve = ct_chart_resolve,
                    .resolve_ctx = p->chart};
    ct_err err = {0};

    return ct_path_eval(path, &c, items, &err);
}

/* The values of a column, `; ` between them. */
static ct_str cell(const page *p, const ct_path *path, const ct_record *rec)
{
    ct_items items;
    ct_buf b = {0};

    if (!evaluate(p, path, rec, &items))
        return CT_S(""); /* among the elements below it is all the same */
    for (size_t i = 0; i < items.n; i++) {
        const ct_item *item = &items.v[i];
        size_t before = b.n, start;

        if (before)
            ct_buf_z(&b, "; ");
        start = b.n;
        if (item->type == CT_I_NODE)
            bag_words(&b, item->doc, item->node, item->ftype, p->chart, p->view->arena);
        else
            ct_buf_put(&b, ct_item_text(item, p->view->arena));
        if (b.n == start)
            b.n = before;
    }
    return keep(p, &b);
}

/* ---- order ---- */

static int by_topic(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    int order = x->topic < y->topic ? -1 : x->topic > y->topic;

    if (order == 0)
        order = ct_str_cmp(x->type, y->type);
    if (order == 0 && (x->when.n == 0) != (y->when.n == 0))
        order = x->when.n == 0 ? 1 : -1;
    if (order == 0)
        order = ct_str_cmp(x->when, y->when);
    return order ? order : x->number < y->number ? -1 : 1;
}

static const ct_record *record_of(const page *p, const entry *e)
{
    return &p->chart->records[e->number - 1];
}

static void sort_records(page *p, const bag_topics *topics)
{
    p->entries = ct_arena_alloc(p->view->arena, p->chart->n * sizeof(*p->entries));
    for (size_t i = 0; i < p->chart->n; i++) {
        const ct_record *rec = &p->chart->records[i];
        entry *e = &p->entries[i];

        *e = (entry){
            .topic = bag_topics_find(topics, rec->type), .type = rec->type, .number = i + 1};
        e->when = cell(p, e->topic->columns[0].path, rec);
    }
    qsort(p->entries, p->chart->n, sizeof(*p->entries), by_topic);
}

/* ---- the head ---- */

static ct_str title_of(const page *p, const entry *patient)
{
    ct_buf b = {0};
    ct_str name = patient ? patient->when : CT_S(""); /* a Patient's first column is the name */

    if (p->chart->id.n == 0) {
        ct_buf_z(&b, "Records that are nobody's chart");
    } else if (name.n) {
        ct_buf_z(&b, "Chart of ");
        ct_buf_put(&b, name);
    } else {
        ct_buf_z(&b, "Chart of the patient with the id ");
        ct_buf_put(&b, p->chart->id);
    }
    return keep(p, &b);
}

static void put_note(const page *p)
{
    ct_buf b = {0};

    ct_buf_printf(
        &b,
        "A copy for people to read. The records themselves, %zu of them, are the lines of "
        "the file beside this one whose name ends in .ndjson (FHIR R4, a JSON object a "
        "line): No. 1 is the first line, and so on. Here they come in short, topic by "
        "topic, and then with every element.",
        p->chart->n);
    bag_view_text(p->view, BAG_TEXT, keep(p, &b));
}

static void put_patient(const page *p, const entry *e)
{
    const ct_record *rec = record_of(p, e);

    for (size_t i = 0; i < e->topic->n; i++) {
        ct_str text = cell(p, e->topic->columns[i].path, rec);

        if (text.n)
            bag_view_pair(p->view, BAG_FACT, e->topic->columns[i].label, text);
    }
}

/* ---- the records in short ---- */

static ct_str type_words(const page *p, ct_str type)
{
    ct_buf b = {0};

    bag_name_words(&b, type, true);
    return keep(p, &b);
}

/* A table of the `n` records of one type; columns that none of them fills are left out. */
static void put_table(const page *p, const entry *first, size_t n)
{
    const bag_topic *topic = first->topic;
    size_t columns = topic->n + 1;
    ct_str *cells = ct_arena_alloc(p->view->arena, n * columns * sizeof(*cells));
    ct_str heads[BAG_COLUMNS + 1] = {CT_S("No.")};
    size_t shown[BAG_COLUMNS + 1] = {0}, nshown = 1;

    for (size_t i = 0; i < n; i++) {
        ct_str *row = cells + i * columns;

        row[0] = ct_arena_printf(p->view->arena, "%" PRIu64, first[i].number);
        row[1] = first[i].when;
        for (size_t c = 1; c < topic->n; c++)
            row[c + 1] = cell(p, topic->columns[c].path, record_of(p, &first[i]));
    }
    for (size_t c = 1; c < columns; c++) {
        bool any = false;

        for (size_t i = 0; i < n && !any; i++)
            any = cells[i * columns + c].n > 0;
        if (any) {
            heads[nshown] = topic->columns[c - 1].label;
            shown[nshown++] = c;
        }
    }
    bag_view_text(p->view, BAG_CAPTION, type_words(p, first->type));
    bag_view_add(p->view, BAG_COLUMNS_OF, 0, heads, nshown);
    for (size_t i = 0; i < n; i++) {
        ct_str row[BAG_COLUMNS + 1];

        for (size_t c = 0; c < nshown; c++)
            row[c] = cells[i * columns + shown[c]];
        bag_view_add(p->view, BAG_ROW, first[i].number, row, nshown);
    }
}

/* From entry `from` on; what stands before it is the head of the page. */
static void put_short(const page *p, size_t from)
{
    const entry *e = p->entries;

    if (from < p->chart->n)
        bag_view_text(p->view, BAG_PART, CT_S("The records in short"));
    for (size_t i = from, n; i < p->chart->n; i += n) {
        for (n = 1; i + n < p->chart->n && ct_str_eq(e[i + n].type, e[i].type); n++)
            ;
        if (i == from || !ct_str_eq(e[i - 1].topic->section, e[i].topic->section))
            bag_view_text(p->view, BAG_SECTION, e[i].topic->section);
        put_table(p, &e[i], n);
    }
}

/* ---- every element ---- */

static void put_record(const page *p, const entry *e)
{
    const ct_record *rec = record_of(p, e);
    ct_str id = ct_text_at(&rec->doc, CT_ROOT, "id", p->view->arena);
    ct_buf b = {0};
    ct_str heading;

    ct_buf_printf(&b, "No. %" PRIu64 ": ", e->number);
    bag_name_words(&b, rec->type, true);
    if (id.n) {
        ct_buf_z(&b, ", id ");
        ct_buf_put(&b, id);
    }
    heading = keep(p, &b);
    bag_view_add(p->view, BAG_RECORD, e->number, &heading, 1);
    bag_view_leaves(p->view, rec);
}

void bag_view_chart(bag_view *view, const bag_topics *topics, ct_chart *chart)
{
    page p = {.view = view, .chart = chart};
    const entry *patient;

    sort_records(&p, topics);
    patient = chart->has_patient ? &p.entries[0] : NULL; /* the first kind there is */
    bag_view_text(view, BAG_TITLE, title_of(&p, patient));
    put_note(&p);
    if (patient)
        put_patient(&p, patient);
    put_short(&p, patient ? 1 : 0);
    bag_view_text(view, BAG_PART, CT_S("Every element of every record"));
    for (size_t i = 0; i < chart->n; i++)
        put_record(&p, &p.entries[i]);
}
