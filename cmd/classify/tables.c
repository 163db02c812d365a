/* Reads the tables: chapters and blocks of ICD-10-CM, codes and weights of the Charlson index. */
#include "cmd/classify/classify.h"

#include <stdlib.h>

enum { COLUMNS = 8 };

/* A table being read. */
struct table {
    const ct_datafile *file;
    ct_str rest;
    uint64_t line;
    ct_str cols[COLUMNS];
    size_t n;
};

static bool wrong(const struct table *t, ct_err *err, const char *text)
{
    ct_fail(err, CT_E_DATA, text);
    err->file = t->file->name;
    err->line = t->line;
    return false;
}

static bool open_table(struct table *t, const ct_datafile *files, const char *name, ct_err *err)
{
    *t = (struct table){.file = ct_datafile_find(files, name)};
    if (!t->file)
        return ct_fail_at(err, CT_E_USAGE, "no such table", "%s", name);
    t->rest = (ct_str){t->file->text, t->file->n};
    return true;
}

static bool next_row(struct table *t)
{
    t->n = ct_tsv_next(&t->rest, t->cols, COLUMNS, &t->line);
    return t->n > 0;
}

/* What the comment line `# version<TAB>…` says. */
static ct_str version_of(const struct table *t)
{
    ct_str s = {t->file->text, t->file->n};
    size_t at = ct_str_find(s, CT_S("# version\t"));

    if (at == SIZE_MAX)
        return CT_S("");
    s = ct_str_from(s, at + strlen("# version\t"));
    return ct_str_cut(&s, '\n');
}

static bool read_day(ct_str s, ct_date *d)
{
    return ct_str_is(s, "-") || (ct_date_parse(s, d) && d->precision == CT_P_DAY);
}

static bool read_ranges(classify_ranges *r, const ct_datafile *files, const char *name, ct_err *err)
{
    struct table t;

    if (!open_table(&t, files, name, err))
        return false;
    r->version = version_of(&t);
    while (next_row(&t)) {
        classify_range row = {0};

        if (t.n != 8 || t.cols[2].n != 3 || t.cols[3].n != 3 || !read_day(t.cols[4], &row.from) ||
            !read_day(t.cols[5], &row.to))
            return wrong(&t, err, "not a row of chapters or blocks");
        row.code = t.cols[0];
        row.first = t.cols[2];
        row.last = t.cols[3];
        row.version = t.cols[6];
        row.title = t.cols[7];
        r->v = ct_grow(r->v, r->n, sizeof(*r->v));
        r->v[r->n++] = row;
    }
    return true;
}

static int category_named(const classify_tables *t, ct_str id)
{
    for (size_t i = 0; i < t->ncomorbidities; i++)
        if (ct_str_eq(t->comorbidities[i].id, id))
            return (int)i;
    return CLASSIFY_NO_CATEGORY;
}

/* The names of the sets of weights: "1987,2011". */
static bool read_sets(classify_tables *t)
{
    ct_str rest = t->weights_version;

    for (int i = 0; i < CLASSIFY_SETS; i++) {
        if (!rest.p)
            return false;
        t->sets[i] = ct_str_cut(&rest, ',');
    }
    return !rest.p;
}

static bool read_weights(classify_tables *t, const ct_datafile *files, ct_err *err)
{
    struct table in;

    if (!open_table(&in, files, "tables/charlson-weights.tsv", err))
        return false;
    t->weights_version = version_of(&in);
    if (!read_sets(t))
        return wrong(&in, err, "version does not name the sets of weights");
    while (next_row(&in)) {
        classify_comorbidity *c = &t->comorbidities[t->ncomorbidities];
        uint64_t weights[CLASSIFY_SETS];

        if (in.n != 5 || t->ncomorbidities == CLASSIFY_CATEGORIES ||
            !ct_str_u64(in.cols[1], &weights[0]) || !ct_str_u64(in.cols[2], &weights[1]) ||
            weights[0] > 100 || weights[1] > 100)
            return wrong(&in, err, "not a row of weights");
        *c = (classify_comorbidity){.id = in.cols[0], .name = in.cols[4]};
        c->weights[0] = (int)weights[0];
        c->weights[1] = (int)weights[1];
        t->ncomorbidities++;
    }
    return true;
}

/* Second pass: a category may be named before its row. */
static bool read_hierarchy(classify_tables *t, const ct_datafile *files, ct_err *err)
{
    struct table in;
    size_t i = 0;

    if (!open_table(&in, files, "tables/charlson-weights.tsv", err))
        return false;
    for (; next_row(&in); i++) {
        t->comorbidities[i].less_than = category_named(t, in.cols[3]);
        if (!ct_str_is(in.cols[3], "-") && t->comorbidities[i].less_than == CLASSIFY_NO_CATEGORY)
            return wrong(&in, err, "no such category");
    }
    return true;
}

static void add_prefix(classify_tables *t, ct_str text, int category)
{
    classify_prefix *p;

    t->prefixes = ct_grow(t->prefixes, t->nprefixes, sizeof(*t->prefixes));
    p = &t->prefixes[t->nprefixes++];
    *p = (classify_prefix){.category = category};
    memcpy(p->text, text.p, text.n);
}

/* `I425` or `I425-I429`: each prefix of a range by itself, so that C4A is not between C45 and C58.
 */
static bool add_prefixes(classify_tables *t, ct_str from, int category)
{
    ct_str to = from, first = ct_str_cut(&to, '-');
    uint64_t a, b;
    char text[8];

    if (first.n < 3 || first.n > 5)
        return false;
    if (!to.p) {
        add_prefix(t, first, category);
        return true;
    }
    if (to.n != first.n || to.p[0] != first.p[0] || !ct_str_u64(ct_str_from(first, 1), &a) ||
        !ct_str_u64(ct_str_from(to, 1), &b) || a > b)
        return false;
    for (; a <= b; a++) {
        text[0] = first.p[0];
        for (size_t i = first.n - 1, rest = (size_t)a; i > 0; i--, rest /= 10)
            text[i] = (char)('0' + rest % 10);
        add_prefix(t, (ct_str){text, first.n}, category);
    }
    return true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const classify_prefix *)a)->text, ((const classify_prefix *)b)->text);
}

static bool read_coding(classify_tables *t, const ct_datafile *files, ct_err *err)
{
    struct table in;

    if (!open_table(&in, files, "tables/charlson-quan2005.tsv", err))
        return false;
    t->coding_version = version_of(&in);
    while (next_row(&in)) {
        int category = in.n == 2 ? category_named(t, in.cols[0]) : CLASSIFY_NO_CATEGORY;
        bool known = category != CLASSIFY_NO_CATEGORY || ct_str_is(in.cols[0], "-");

        if (ct_str_is(in.cols[0], "?")) {
            category = CLASSIFY_NOT_TOLD;
            known = true;
        }
        if (in.n != 2 || !known || !add_prefixes(t, in.cols[1], category))
            return wrong(&in, err, "not a category with weights and a prefix or range of prefixes");
    }
    qsort(t->prefixes, t->nprefixes, sizeof(*t->prefixes), by_text);
    return true;
}

bool classify_tables_read(classify_tables *t, const ct_datafile *files, ct_err *err)
{
    *t = (classify_tables){0};
    return read_ranges(&t->chapters, files, "tables/icd10cm-chapters.tsv", err) &&
           read_ranges(&t->blocks, files, "tables/icd10cm-blocks.tsv", err) &&
           read_weights(t, files, err) && read_hierarchy(t, files, err) &&
           read_coding(t, files, err);
}

void classify_tables_free(classify_tables *t)
{
    free(t->chapters.v);
    free(t->blocks.v);
    free(t->prefixes);
    *t = (classify_tables){0};
}
