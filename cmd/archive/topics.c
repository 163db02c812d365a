/* Reads topics.tsv. */
#include "cmd/archive/topics.h"

#include <stdlib.h>

extern const ct_datafile ct_cmd_data[];

enum { TYPE, SECTION, DATES, FIRST_COLUMN, COLUMNS = FIRST_COLUMN + BAG_COLUMNS };

static bool compile_column(bag_topic *topic, const ct_model *m, ct_str cell, ct_err *err)
{
    ct_str source = cell, label = ct_str_cut(&source, '=');
    bag_column *column = &topic->columns[topic->n];

    if (!source.p)
        return ct_fail(err, CT_E_USAGE, "a column without =");
    column->label = label;
    column->path = topic->type ? ct_path_compile_on(m, topic->type, source, err)
                               : ct_path_compile(m, source, err);
    topic->n += column->path != NULL;
    return column->path != NULL;
}

static bool read_row(bag_topic *topic, const ct_model *m, const ct_str *cols, size_t n,
                     bool columns, ct_err *err)
{
    if (n <= FIRST_COLUMN)
        return ct_fail(err, CT_E_USAGE, "a line with too few columns");
    topic->type = ct_model_type(m, cols[TYPE]);
    if (!topic->type && !ct_str_is(cols[TYPE], "*"))
        return ct_fail(err, CT_E_USAGE, "a type that R4 does not have");
    topic->section = cols[SECTION];
    if (!ct_str_is(cols[DATES], "-"))
        topic->dates = cols[DATES];
    if (topic->dates.n && !bag_when_compile(topic, m, err))
        return false;
    for (size_t i = FIRST_COLUMN; columns && i < n; i++)
        if (!compile_column(topic, m, cols[i], err))
            return false;
    return true;
}

bag_topics *bag_topics_new(const ct_model *m, bool columns, ct_err *err)
{
    const ct_datafile *file = ct_datafile_find(ct_cmd_data, "topics.tsv");
    ct_str rest = {file->text, file->n}, cols[COLUMNS];
    bag_topics *k = ct_calloc(1, sizeof(*k));
    uint64_t line = 0;
    size_t n;

    while ((n = ct_tsv_next(&rest, cols, COLUMNS, &line)) > 0) {
        k->v = ct_grow(k->v, k->n, sizeof(*k->v));
        k->v[k->n++] = (bag_topic){0};
        if (!read_row(&k->v[k->n - 1], m, cols, n, columns, err)) {
            err->file = file->name;
            err->line = line;
            bag_topics_free(k);
            return NULL;
        }
    }
    return k;
}

const bag_topic *bag_topics_find(const bag_topics *k, ct_str type)
{
    size_t i = 0;

    while (i + 1 < k->n && !ct_str_eq(k->v[i].type->name, type))
        i++;
    return &k->v[i];
}

void bag_topics_free(bag_topics *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->n; i++) {
        for (size_t c = 0; c < k->v[i].n; c++)
            ct_path_free(k->v[i].columns[c].path);
        free(k->v[i].when);
    }
    free(k->v);
    free(k);
}
