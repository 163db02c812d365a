/* Everything into a sorter: whose each record is, is found out by several threads; it is entered in
 * order by one. */
#include "common/stream/internal.h"

#include <stdlib.h>

/* What came of one batch. */
typedef struct slot {
    const ct_intake *t;
    ct_arena *arena;
    ct_side side;
    struct found {
        ct_record rec;
        ct_owner owner;
    } * v;
    size_t n, cap;
    ct_err *failed; /* of the run */
} slot;

static void work(void *ctx, void *unit, ct_batch *batch)
{
    const ct_intake *t = ctx;
    slot *s = unit;
    ct_record rec;
    while (ct_batch_next(batch, &rec)) {
        if (s->n == s->cap) {
            s->cap = s->cap ? 2 * s->cap : 256;
            s->v = ct_realloc(s->v, s->cap, sizeof *s->v);
        }
        struct found *f = &s->v[s->n++];
        f->owner = ct_owner_of(t->model, &rec.doc, s->arena);
        f->rec = rec;
        if (t->side)
            ct_side_add(&s->side, rec.line, rec.type);
    }
}

static bool enter(slot *s, struct found *f, uint64_t before)
{
    const ct_intake *t = s->t;
    f->rec.number += before;
    ct_entry e = {.key = f->owner.id,
                  .line = f->rec.line,
                  .patient = f->owner.patient && f->owner.id.n,
                  .number = f->rec.number};
    return t->each(t->ctx, &f->rec, &e, s->failed) &&
           (!t->sorter || ct_sorter_add(t->sorter, &e, s->failed));
}

static bool done(void *ctx, void *unit, uint64_t before)
{
    const ct_intake *t = ctx;
    slot *s = unit;
    bool ok = true;
    if (t->side)
        ct_side_merge(t->side, &s->side);
    ct_side_clear(&s->side);
    for (size_t i = 0; i < s->n && ok; i++)
        ok = enter(s, &s->v[i], before);
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
                    .ctx = (void *)t,
                    .bad = t->bad,
                    .bad_ctx = t->bad_ctx};
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
