/* Which columns are about records of which type: what is about patients does not look at others. */
#include "cmd/path/path.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    return ct_str_cmp(((const path_group *)a)->type, ((const path_group *)b)->type);
}

static bool is_about(const path_column *c, ct_str type)
{
    return c->about.n == 0 || ct_str_eq(c->about, type);
}

static path_group make_group(const path_query *q, ct_str type, ct_arena *a)
{
    size_t *columns = ct_arena_alloc(a, (q->n + 1) * sizeof(*columns)), n = 0;

    for (size_t i = 0; i < q->n; i++)
        if (is_about(&q->columns[i], type))
            columns[n++] = i;
    return (path_group){.type = type, .columns = columns, .n = n};
}

void path_group_columns(path_query *q, ct_arena *a)
{
    q->groups = ct_arena_alloc(a, (q->n + 1) * sizeof(*q->groups));
    q->ngroups = 0;
    q->others = make_group(q, (ct_str){"", 0}, a);
    for (size_t i = 0; i < q->n; i++) {
        ct_str type = q->columns[i].about;

        if (type.n && path_group_of(q, type) == &q->others) {
            q->groups[q->ngroups++] = make_group(q, type, a);
            qsort(q->groups, q->ngroups, sizeof(*q->groups), compare);
        }
    }
}

const path_group *path_group_of(const path_query *q, ct_str type)
{
    path_group key = {.type = type};
    const path_group *found =
        q->ngroups ? bsearch(&key, q->groups, q->ngroups, sizeof(key), compare) : NULL;

    return found ? found : &q->others;
}
