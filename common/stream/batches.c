/* Records worked on by several threads, batch by batch. */
#include "common/stream/internal.h"

#include <stdlib.h>

/* So many bytes are in work at once, or one block, however large. */
enum { IN_WORK = 8 * 1024 * 1024 };

/* What a thread works with at a time. */
typedef struct unit {
    ct_batch batch;
    void *slot; /* the caller's */
} unit;

typedef struct run {
    const ct_batches *w;
    uint64_t before;         /* lines of the file before the batch that is done next */
    size_t in_work;          /* bytes of blocks that are not done yet */
    ct_err failed;           /* by a line of a batch */
    bool unreadable, unread; /* an input that is open could not be read; nothing of it was */
} run;

static ct_got fill(void *ctx, void *slot, ct_err *err)
{
    run *r = ctx;
    unit *u = slot;
    ct_got got = ct_blocks_next(r->w->in, &u->batch.block, err);
    r->unreadable = got == CT_GOT_FATAL && u->batch.block.file;
    r->unread = u->batch.block.first;
    r->in_work += got == CT_GOT_RECORD ? u->batch.block.text.n : 0;
    return got;
}

/* ---- on any thread ---- */

static void push_bad(ct_batch *b, const ct_record *rec, const ct_err *err, int kind)
{
    if (b->nbad == b->bad_cap) {
        b->bad_cap = b->bad_cap ? 2 * b->bad_cap : 16;
        b->bad = ct_realloc(b->bad, b->bad_cap, sizeof *b->bad);
    }
    b->bad[b->nbad++] = (struct ct_bad){.rec = *rec, .err = *err, .kind = kind};
}

bool ct_batch_next(ct_batch *b, ct_record *rec)
{
    for (;;) {
        ct_err err = {0};
        ct_got got = ct_batch_any(b, rec, &err);
        if (got == CT_GOT_RECORD)
            return true;
        if (got == CT_GOT_END)
            return false;
        push_bad(b, rec, &err, got == CT_GOT_FATAL ? CT_BAD_FATAL : CT_BAD_RECORD);
    }
}

void ct_batch_note(ct_batch *b, const ct_record *rec, const ct_err *err)
{
    push_bad(b, rec, err, CT_BAD_NOTE);
}

static void work(void *ctx, void *slot)
{
    run *r = ctx;
    unit *u = slot;
    ct_batch_start(&u->batch);
    r->w->work(r->w->ctx, u->slot, &u->batch);
}

/* ---- on the calling thread, in order ---- */

/* Tells of one; what is fatal is the last. */
static void tell(run *r, struct ct_bad *bad)
{
    const ct_batches *w = r->w;
    bad->rec.number += r->before;
    bad->err.line = bad->rec.number;
    bad->err.file = bad->rec.file;
    if (bad->kind == CT_BAD_FATAL)
        r->failed = bad->err;
    else if (bad->kind == CT_BAD_NOTE)
        w->note(w->ctx, &bad->err);
    else if (w->bad)
        w->bad(w->bad_ctx, &bad->rec, &bad->err);
}

static bool done(void *ctx, void *slot)
{
    run *r = ctx;
    unit *u = slot;
    ct_batch *b = &u->batch;
    if (b->block.first)
        r->before = 0;
    for (size_t i = 0; i < b->nbad; i++)
        tell(r, &b->bad[i]);
    bool ok = r->w->done(r->w->ctx, u->slot, r->before) && r->failed.kind == CT_OK;
    r->in_work -= b->block.text.n;
    ct_block_trim(&b->block);
    r->before += b->lines;
    ct_blocks_progress(r->w->in)->records += b->lines;
    return ok;
}

/* ---- waiting ---- */

static bool ready(void *ctx)
{
    run *r = ctx;
    return r->in_work < IN_WORK && ct_blocks_ready(r->w->in);
}

static bool idle(void *ctx)
{
    run *r = ctx;
    return !r->w->idle || r->w->idle(r->w->ctx);
}

/* ---- the run ---- */

static bool run_units(run *r, unit *units, size_t n, ct_err *err)
{
    void **slots = ct_calloc(n, sizeof *slots);
    for (size_t i = 0; i < n; i++) {
        units[i].batch.model = r->w->model;
        units[i].batch.parser = ct_parser_new(ct_model_names(r->w->model));
        units[i].slot = (char *)r->w->slots + i * r->w->slot_size;
        slots[i] = &units[i];
    }
    ct_work w = {
        .jobs = r->w->jobs,
        .slots = slots,
        .nslots = n,
        .fill = fill,
        .work = work,
        .done = done,
        .ctx = r,
        .ready = ready,
        .idle = idle,
    };
    bool ok = ct_work_run(&w, err);
    for (size_t i = 0; i < n; i++)
        ct_batch_free(&units[i].batch);
    free(slots);
    return ok;
}

bool ct_batches_run(const ct_batches *w, ct_err *err)
{
    size_t n = (size_t)w->jobs * CT_SLOTS_PER_JOB;
    unit *units = ct_calloc(n, sizeof *units);
    run r = {.w = w};
    ct_err e = {0};
    bool ok = run_units(&r, units, n, &e);
    free(units);
    if (!ok && r.failed.kind)
        e = r.failed;
    else if (r.unreadable)
        e.line = r.unread ? 1 : r.before + 1;
    if (err && e.kind)
        *err = e;
    return ok;
}
