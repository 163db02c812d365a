/* The catalogue's bags by the day after which they may be destroyed, and by holds. Nothing is read
 * but the catalogue: what holds by condition is for the records to say, so such a bag is not due
 * here, but where its charts are judged (destroy reads them). */
#include "cmd/archive/due_bags.h"
#include "cmd/archive/index.h"
#include "cmd/archive/later.h"

#include <stdlib.h>

/* A bag of the catalogue. */
struct bag {
    ct_str hash, name, class, after;
    bool destroying;
};

struct bags {
    ct_arena *arena;
    struct bag *v;
    size_t n, cap;
};

/* A bag's reasons, each once. */
struct reasons {
    ct_arena *arena;
    const bag_watch *watch;
    ct_str *v;
    size_t n, cap;
};

static bool take_bag(void *ctx, const ct_bag *bag)
{
    struct bags *b = ctx;

    if (bag->status == CT_BAG_DESTROYED)
        return true;
    if (b->n == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 64;
        b->v = ct_realloc(b->v, b->cap, sizeof(*b->v));
    }
    b->v[b->n++] = (struct bag){.hash = ct_arena_copy(b->arena, bag->hash),
                                .name = ct_arena_copy(b->arena, bag->name),
                                .class = ct_arena_copy(b->arena, bag->retention),
                                .after = ct_arena_copy(b->arena, bag->destroy_after),
                                .destroying = bag->status == CT_BAG_DESTROYING};
    return true;
}

static void because(void *ctx, bool hold, ct_str why)
{
    struct reasons *r = ctx;

    (void)hold;
    for (size_t i = 0; i < r->n; i++)
        if (ct_str_eq(r->v[i], why))
            return;
    if (r->n == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 8;
        r->v = ct_realloc(r->v, r->cap, sizeof(*r->v));
    }
    r->v[r->n++] = ct_arena_copy(r->arena, why);
}

static bool take_patient(void *ctx, ct_str patient)
{
    struct reasons *r = ctx;

    bag_watch_patient(r->watch, patient, because, r);
    return true;
}

static void because_day(struct reasons *r, const struct bag *b)
{
    ct_date after;

    if (!ct_date_parse(b->after, &after) || after.precision != CT_P_DAY)
        because(r, false,
                ct_str_is(b->after, "never") ? CT_S("to be kept for ever")
                                             : CT_S("the catalogue knows no day"));
    else
        because(r, false,
                ct_arena_printf(r->arena, "to be kept until the day before %.*s", (int)b->after.n,
                                b->after.p));
}

static void put_tsv(ct_buf *b, const struct bag *bag, const struct reasons *r)
{
    const ct_str none = CT_S("-");

    bag_cell_put(b, bag->hash);
    ct_buf_printf(b, "\t%s\t", r->n ? "keep" : "destroy");
    bag_cell_put(b, bag->after.n ? bag->after : none);
    ct_buf_c(b, '\t');
    bag_cell_put(b, bag->class.n ? bag->class : none);
    ct_buf_c(b, '\t');
    bag_cell_put(b, bag->name);
    for (size_t i = 0; i < r->n; i++) {
        ct_buf_z(b, i ? "; " : "\t");
        bag_cell_put(b, r->v[i]);
    }
    if (r->n == 0)
        ct_buf_z(b, bag->destroying ? "\tits destruction has begun" : "\tthe last day is over");
    ct_buf_c(b, '\n');
}

static void put_ndjson(ct_buf *b, const struct bag *bag, const struct reasons *r)
{
    ct_arena *a = r->arena;
    ct_tree *t = ct_tree_object(a), *why = ct_tree_array(a);

    ct_tree_set(t, CT_S("bag"), ct_tree_string(a, bag->hash));
    ct_tree_set(t, CT_S("name"), ct_tree_string(a, bag->name));
    ct_tree_set(t, CT_S("answer"), ct_tree_string(a, r->n ? CT_S("keep") : CT_S("destroy")));
    if (bag->after.n)
        ct_tree_set(t, CT_S("destroyAfter"), ct_tree_string(a, bag->after));
    if (bag->class.n)
        ct_tree_set(t, CT_S("class"), ct_tree_string(a, bag->class));
    for (size_t i = 0; i < r->n; i++)
        ct_tree_push(why, ct_tree_string(a, r->v[i]));
    ct_tree_set(t, CT_S("why"), why);
    ct_tree_write(b, t);
    ct_buf_c(b, '\n');
}

/* Only a day that is over lets it go, and no later chart that is kept. */
static void judge_day(ct_cli *c, ct_db *db, struct reasons *r, const struct bag *b)
{
    ct_err err = {0};
    ct_str later;

    if (!bag_day_reached(b->after, &c->as_of)) {
        because_day(r, b);
        return;
    }
    if (!bag_later(db, b->hash, &c->as_of, r->arena, &later, &err))
        ct_cli_die(c, c->db, &err);
    if (later.n)
        because(r, false, later);
}

/* True where it may be destroyed. */
static bool judge_bag(ct_cli *c, ct_db *db, const struct bag *bag, struct reasons *r, bool ndjson)
{
    ct_err err = {0};
    ct_buf line = {0};

    r->n = 0;
    judge_day(c, db, r, bag);
    if (!ct_bag_people(db, bag->hash, take_patient, r, &err))
        ct_cli_die(c, c->db, &err);
    bag_watch_conditions(r->watch, r->arena, because, r);
    if (ndjson)
        put_ndjson(&line, bag, r);
    else
        put_tsv(&line, bag, r);
    ct_out_put(ct_cli_out(c), ct_buf_str(&line));
    ct_buf_free(&line);
    return r->n == 0;
}

uint64_t bag_due_bags(ct_cli *c, ct_db *db, const bag_judge *judge, bool ndjson)
{
    struct bags bags = {.arena = ct_arena_new()};
    struct reasons r = {.arena = ct_arena_new(), .watch = bag_judge_watch(judge)};
    uint64_t destroy = 0;
    ct_err err = {0};

    if (!ct_bags(db, &(ct_bag_query){0}, take_bag, &bags, &err))
        ct_cli_die(c, c->db, &err);
    for (size_t i = 0; i < bags.n; i++) {
        ct_arena_reset(r.arena);
        destroy += judge_bag(c, db, &bags.v[i], &r, ndjson);
    }
    free(bags.v);
    free(r.v);
    ct_arena_free(bags.arena);
    ct_arena_free(r.arena);
    return destroy;
}
