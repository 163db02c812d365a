/* Data files that a program carries, and TSV, the form most of them have. */
#include "common/base/base.h"

const ct_datafile *ct_datafile_find(const ct_datafile *table, const char *name)
{
    for (; table->name; table++)
        if (strcmp(table->name, name) == 0)
            return table;
    return NULL;
}

static size_t split(ct_str row, ct_str *cols, size_t max)
{
    size_t n = 0;
    while (n + 1 < max && row.p)
        cols[n++] = ct_str_cut(&row, '\t');
    if (row.p)
        cols[n++] = row;
    return n;
}

size_t ct_tsv_next(ct_str *rest, ct_str *cols, size_t max, uint64_t *line)
{
    while (max && rest->n) {
        ct_str row = ct_str_cut(rest, '\n');
        if (line)
            ++*line;
        if (row.n && row.p[row.n - 1] == '\r')
            row.n--;
        if (ct_str_trim(row).n && row.p[0] != '#')
            return split(row, cols, max);
    }
    return 0;
}
