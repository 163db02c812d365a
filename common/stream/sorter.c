/* The external sorter: a run in memory, which goes to a temporary file whenever it is full, and in
 * the end the merge of what is there. */
#include "common/stream/spill.h"

#include <stdlib.h>

enum {
    BLOCKS = 256, /* that the memory holds */
    BLOCK_MIN = 4 * 1024,
    BLOCK_MAX = 256 * 1024,
    FANIN_MIN = 2,
    FANIN_MAX = 512,
};

struct ct_sorter {
    ct_run run;
    ct_spill spill;
    ct_merge merge;
    size_t fanin;
    bool ended;
    ct_err failed; /* what is fatal sticks */
};

static size_t within(size_t n, size_t min, size_t max)
{
    return n < min ? min : n > max ? max : n;
}

ct_sorter *ct_sorter_new(size_t memory)
{
    ct_sorter *s = ct_calloc(1, sizeof *s);
    size_t block = within(memory / BLOCKS, BLOCK_MIN, BLOCK_MAX);
    /* A run is written by way of a block. */
    ct_run_start(&s->run, memory > 2 * block ? memory - block : memory);
    ct_spill_start(&s->spill, block, CT_WHEN_SLOW);
    s->fanin = within(memory / block, FANIN_MIN + 1, FANIN_MAX) - 1;
    return s;
}

void ct_sorter_fanin(ct_sorter *s, size_t n)
{
    s->fanin = n < s->fanin ? n : s->fanin;
}

void ct_sorter_pack(ct_sorter *s, ct_when when)
{
    ct_packer_free(s->spill.packer);
    s->spill.packer = ct_packer_new(when);
}

void ct_sorter_free(ct_sorter *s)
{
    if (!s)
        return;
    ct_merge_free(&s->merge);
    ct_spill_free(&s->spill);
    ct_run_free(&s->run);
    free(s);
}

uint64_t ct_sorter_spilled(const ct_sorter *s)
{
    return s->spill.written;
}

/* What the caller asked for, and the error that it gets now and at any later call. */
static bool settle(ct_sorter *s, bool ok, ct_err *err)
{
    if (!ok && err)
        *err = s->failed;
    return ok;
}

static bool spill_run(ct_sorter *s)
{
    ct_run_sort(&s->run);
    if (s->run.nitems && !ct_spill_run(&s->spill, &s->run, &s->failed))
        return false;
    ct_run_clear(&s->run);
    return true;
}

/* The runs are in the order in which their entries were added. */
static bool add(ct_sorter *s, const ct_entry *e)
{
    if (s->failed.kind)
        return false;
    return ct_run_add(&s->run, e) ||
           (spill_run(s) && (ct_run_add(&s->run, e) || ct_spill_one(&s->spill, e, &s->failed)));
}

bool ct_sorter_add(ct_sorter *s, const ct_entry *e, ct_err *err)
{
    return settle(s, add(s, e), err);
}

static bool end(ct_sorter *s)
{
    s->ended = true;
    if (!s->spill.nruns) {
        ct_run_sort(&s->run);
        return ct_merge_run(&s->merge, &s->run, &s->failed);
    }
    bool ok = spill_run(s);
    ct_run_free(&s->run); /* the merge has the memory now */
    return ok && ct_spill_narrow(&s->spill, s->fanin, &s->failed) &&
           ct_merge_spill(&s->merge, &s->spill, 0, s->spill.nruns, &s->failed);
}

static bool next(ct_sorter *s, const ct_entry **e)
{
    return s->failed.kind == CT_OK && (s->ended || end(s)) &&
           ct_merge_next(&s->merge, e, &s->failed);
}

ct_got ct_sorter_next(ct_sorter *s, ct_entry *e, ct_err *err)
{
    const ct_entry *first = NULL;
    if (!settle(s, next(s, &first), err))
        return CT_GOT_FATAL;
    if (!first)
        return CT_GOT_END;
    *e = *first;
    return CT_GOT_RECORD;
}
