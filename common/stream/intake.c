/* Everything into a sorter: whose each record is, is found out by several threads; it is entered in
 * order by one. */
#include "common/stream/internal.h"

#include <stdlib.h>

/* A record, or what is wrong with one: bad ones are told in order with the good, so that where
 * `each` ends the run nothing of what follows was told, however the input falls into batches. */
struct found {
    ct_record rec;
    ct_owner owner;
    const ct_err *err; /* NULL: it is good */
    bool fatal;
};

/* What came of one batch. */
typedef struct slot {
    const ct_intake *t;
    ct_arena *arena;
    ct_side side;
    struct found *v;
    size_t n, cap;
    ct_err *failed; /* of the run */
} slot;

static struct found *new_found(slot *s)
{
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 256;
        s->v = ct_realloc(s->v, s->cap, sizeof *s->v);
    }
    return &s->v[s->n++];
}

static const ct_err *keep(slot *s, const ct_err *err)
{
    ct_err *kept = ct_arena_alloc(s->arena, sizeof *kept);
    *kept = *err;
    return kept;
}

static void work(void *ctx, void *unit, ct_batch *batch)
{
    const ct_intake *t = ctx;
    slot *s = unit;
    ct_record rec;
    ct_err err; /* filled whole by whoever fails */
    ct_got got;
    while ((got = ct_batch_any(batch, &rec, &err)) != CT_GOT_END) {
        struct found *f = new_found(s);
        *f = (struct found){.rec = rec, .fatal = got == CT_GOT_FATAL};
        if (got != CT_GOT_RECORD) {
            f->err = keep(s, &err);
            continue;
        }
        f->owner = ct_owner_of(t->model, &rec.doc, s->arena);
        if (t->side)
            ct_side_add(&s->side, rec.line, rec.type);
    }
}

static bool enter(slot *s, const struct found *f)
{
    const ct_intake *t = s->t;
    ct_entry e = {.key = f->owner.id,
                  .line = f->rec.line,
                  .patient = f->owner.patient && f->owner.id.n,
                  .unplaced = f->owner.unplaced,
                  .number = f->rec.number};
    return t->each(t->ctx, &f->rec, &e, s->failed) &&
           (!t->sorter || ct_sorter_add(t->sorter, &e, s->failed));
}

/* False where it ends the run. */
static bool refuse(slot *s, const struct found *f)
{
    const ct_intake *t = s->t;
    ct_err err = *f->err;
    err.line = f->rec.number;
    err.file = f->rec.file;
    if (f->fatal)
        *s->failed = err;
    else if (t->bad)
        t->bad(t->bad_ctx, &f->rec, &err);
    return !f->fatal;
}

/* Where the run ended at the last of the first `n`, only those are in the books. */
static void enter_books(slot *s, size_t n)
{
    ct_side some = {.off = s->side.off};
    for (size_t i = 0; i < n; i++)
        if (!s->v[i].err)
            ct_side_add(&some, s->v[i].rec.line, s->v[i].rec.type);
    ct_side_merge(s->t->side, &some);
    ct_side_free(&some);
}

static bool done(void *ctx, void *unit, uint64_t before)
{
    const ct_intake *t = ctx;
    slot *s = unit;
    bool ok = true;
    size_t i = 0;
    for (; i < s->n && ok; i++) {
        struct found *f = &s->v[i];
        f->rec.number += before;
        ok = f->err ? refuse(s, f) : enter(s, f);
    }
    if (t->side && i == s->n)
        ct_side_merge(t->side, &s->side);
    else if (t->side)
        enter_books(s, i);
    ct_side_clear(&s->side);
    s->n = 0;
    ct_arena_reset(s->arena);
    return ok;
}

bool ct_intake_run(const ct_intake *t, ct_err *err)
{
    size_t n = (size_t)t->jobs * CT_SLOTS_PER_JOB;
    slot *slots = ct_calloc(n, sizeof *slots);
    ct_err failed = {0};
    for (size_t i = 0; i < n; i++) {
        slots[i] = (slot){.t = t, .arena = ct_arena_new(), .failed = &failed};
        slots[i].side.off = !t->side || t->side->off;
    }
    ct_batches w = {.model = t->model,
                    .in = t->in,
                    .jobs = t->jobs,
                    .slots = slots,
                    .slot_size = sizeof *slots,
                    .work = work,
                    .done = done,
                    .ctx = (void *)t};
    bool ok = ct_batches_run(&w, &failed);
    if (!ok && err)
        *err = failed;
    for (size_t i = 0; i < n; i++) {
        ct_arena_free(slots[i].arena);
        ct_side_free(&slots[i].side);
        free(slots[i].v);
    }
    free(slots);
    return ok;
}
