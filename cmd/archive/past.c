/* Reading custody for a destruction. */
#include "cmd/archive/past.h"

#include <stdlib.h>

bag_fate bag_fate_of(ct_arena *arena, ct_str place, ct_str when, ct_str how, bag_pair who)
{
    return (bag_fate){.place = ct_arena_copy(arena, place),
                      .gone = true,
                      .overwritten = ct_str_is(how, BAG_OVERWRITTEN),
                      .when = ct_arena_copy(arena, when),
                      .outcome = ct_arena_printf(arena, "%.*s by %.*s, witnessed by %.*s",
                                                 (int)how.n, how.p, (int)who.by.n, who.by.p,
                                                 (int)who.witness.n, who.witness.p)};
}

/* ---- lists in which everything stands once ---- */

static void add_text(bag_past *p, ct_str **list, size_t *n, ct_str text)
{
    for (size_t i = 0; i < *n; i++)
        if (ct_str_eq((*list)[i], text))
            return;
    *list = ct_grow(*list, *n, sizeof(**list));
    (*list)[(*n)++] = ct_arena_copy(p->arena, text);
}

static void add_people(bag_past *p, bag_pair who)
{
    for (size_t i = 0; i < p->npeople; i++)
        if (ct_str_eq(p->people[i].by, who.by) && ct_str_eq(p->people[i].witness, who.witness))
            return;
    p->people = ct_grow(p->people, p->npeople, sizeof(*p->people));
    p->people[p->npeople++] =
        (bag_pair){ct_arena_copy(p->arena, who.by), ct_arena_copy(p->arena, who.witness)};
}

/* The last word about a copy counts. */
static void forget_copy(bag_past *p, ct_str path)
{
    size_t kept = 0;

    for (size_t i = 0; i < p->ngone; i++)
        if (!ct_str_eq(p->gone[i].place, path))
            p->gone[kept++] = p->gone[i];
    p->ngone = kept;
}

static void add_gone(bag_past *p, const ct_custody *row)
{
    bag_pair who = {row->person, row->witness};

    p->gone = ct_grow(p->gone, p->ngone, sizeof(*p->gone));
    p->gone[p->ngone++] = bag_fate_of(p->arena, row->copy, row->at, row->reason, who);
}

/* ---- the rows ---- */

static void take_run(bag_past *p, const ct_custody *row)
{
    if (!p->number) {
        p->number = row->seq;
        p->began = ct_arena_copy(p->arena, row->at);
    }
    add_people(p, (bag_pair){row->person, row->witness});
    add_text(p, &p->reasons, &p->nreasons, row->reason);
}

static bool take_row(void *ctx, const ct_custody *row)
{
    bag_past *p = ctx;

    switch (row->act) {
    case CT_ACT_DESTROYING:
        take_run(p, row);
        break;
    case CT_ACT_DESTROYED:
        p->number = 0;
        p->npeople = p->nreasons = p->ncertificates = 0;
        break;
    case CT_ACT_CERTIFICATE:
        add_text(p, &p->certificates, &p->ncertificates, row->sha256);
        break;
    case CT_ACT_SHRED:
        p->shredded = true;
        break;
    case CT_ACT_COPY:
    case CT_ACT_GONE:
        forget_copy(p, row->copy);
        if (row->act == CT_ACT_GONE && row->witness.n)
            add_gone(p, row);
        break;
    default:
        break;
    }
    return true;
}

bool bag_past_load(bag_past *p, ct_db *db, ct_str bag, ct_err *err)
{
    bag_past_free(p);
    p->arena = ct_arena_new();
    return ct_custody_each(db, bag, take_row, p, err);
}

const bag_fate *bag_past_gone(const bag_past *p, ct_str path)
{
    for (size_t i = 0; i < p->ngone; i++)
        if (ct_str_eq(p->gone[i].place, path))
            return &p->gone[i];
    return NULL;
}

bool bag_past_certificate(const bag_past *p, ct_str sha256)
{
    for (size_t i = 0; i < p->ncertificates; i++)
        if (ct_str_eq(p->certificates[i], sha256))
            return true;
    return false;
}

void bag_past_free(bag_past *p)
{
    ct_arena_free(p->arena);
    free(p->people);
    free(p->reasons);
    free(p->certificates);
    free(p->gone);
    *p = (bag_past){0};
}
