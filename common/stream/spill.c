/* Runs in temporary files. */
#include "common/stream/spill.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

void ct_spill_start(ct_spill *s, size_t block, ct_when when)
{
    *s = (ct_spill){
        .files = {{.fd = -1}, {.fd = -1}}, .packer = ct_packer_new(when), .block = block};
}

void ct_spill_free(ct_spill *s)
{
    for (size_t i = 0; i < CT_LEN(s->files); i++)
        if (s->files[i].fd >= 0)
            close(s->files[i].fd);
    ct_packer_free(s->packer);
    free(s->buffer);
    free(s->runs);
    *s = (ct_spill){.files = {{.fd = -1}, {.fd = -1}}};
}

/* ---- writing a run ---- */

static void begin(ct_spill *s, struct ct_extent *run)
{
    uint64_t at = s->files[s->into].size;
    *run = (struct ct_extent){s->into, at, at};
    s->buffer = ct_alloc(CT_BLOCK_HEAD + s->block);
    s->n = 0;
}

/* The buffer is given back: runs are written rarely, and memory is short. */
static void end(ct_spill *s, struct ct_extent *run)
{
    run->end = s->files[s->into].size;
    free(s->buffer);
    s->buffer = NULL;
}

static bool write_block(ct_spill *s, char *room, size_t n, ct_err *err)
{
    ct_blockfile *f = &s->files[s->into];
    uint64_t before = f->size;
    bool ok = ct_block_write(s->packer, f, room, n, err);
    s->written += f->size - before;
    return ok;
}

static bool flush(ct_spill *s, ct_err *err)
{
    size_t n = s->n;
    s->n = 0;
    return n == 0 || write_block(s, s->buffer, n, err);
}

static bool put_large_start(ct_spill *s, const ct_entry *e, ct_err *err)
{
    size_t n = CT_ENTRY_HEAD + e->key.n;
    char *room = ct_alloc(CT_BLOCK_HEAD + n);
    ct_entry_pack_start(e, room + CT_BLOCK_HEAD);
    bool ok = write_block(s, room, n, err);
    free(room);
    return ok;
}

static bool put_large(ct_spill *s, const ct_entry *e, ct_err *err)
{
    if (!flush(s, err) || !put_large_start(s, e, err))
        return false;
    for (ct_str rest = e->line; rest.n;) {
        ct_str piece = ct_str_head(rest, s->block);
        memcpy(s->buffer + CT_BLOCK_HEAD, piece.p, piece.n);
        s->n = piece.n;
        if (!flush(s, err))
            return false;
        rest = ct_str_from(rest, piece.n);
    }
    return true;
}

static bool put(ct_spill *s, const ct_entry *e, ct_err *err)
{
    size_t n = ct_entry_size(e);
    if (n > s->block)
        return put_large(s, e, err);
    if (s->n + n > s->block && !flush(s, err))
        return false;
    ct_entry_pack(e, s->buffer + CT_BLOCK_HEAD + s->n);
    s->n += n;
    return true;
}

/* Grows at powers of two. */
static struct ct_extent *new_run(ct_spill *s)
{
    if ((s->nruns & (s->nruns - 1)) == 0)
        s->runs = ct_realloc(s->runs, s->nruns ? s->nruns * 2 : 1, sizeof *s->runs);
    return &s->runs[s->nruns++];
}

bool ct_spill_run(ct_spill *s, const ct_run *r, ct_err *err)
{
    struct ct_extent *run = new_run(s);
    bool ok = true;
    begin(s, run);
    for (size_t i = 0; ok && i < r->nitems; i++) {
        ct_entry e;
        ct_run_entry(r, i, &e);
        ok = put(s, &e, err);
    }
    ok = ok && flush(s, err);
    end(s, run);
    return ok;
}

bool ct_spill_one(ct_spill *s, const ct_entry *e, ct_err *err)
{
    struct ct_extent *run = new_run(s);
    begin(s, run);
    bool ok = put(s, e, err) && flush(s, err);
    end(s, run);
    return ok;
}

/* ---- fewer, longer runs ---- */

static bool copy_merged(ct_spill *s, ct_merge *m, ct_err *err)
{
    const ct_entry *e;
    bool ok;
    while ((ok = ct_merge_next(m, &e, err)) && e)
        if (!put(s, e, err))
            return false;
    return ok && flush(s, err);
}

/* One run in place of the `n` from number `first` on. */
static bool merge_runs(ct_spill *s, size_t first, size_t n, ct_err *err)
{
    ct_merge m = {0};
    struct ct_extent run;
    begin(s, &run);
    bool ok = ct_merge_spill(&m, s, first, n, err) && copy_merged(s, &m, err);
    end(s, &run);
    ct_merge_free(&m);
    s->runs[first] = run;
    memmove(&s->runs[first + 1], &s->runs[first + n], (s->nruns - first - n) * sizeof run);
    s->nruns -= n - 1;
    return ok;
}

/* Gives back what a file holds that no run is in any more. */
static bool empty(ct_blockfile *f, ct_err *err)
{
    if (f->fd >= 0 && (ftruncate(f->fd, 0) < 0 || lseek(f->fd, 0, SEEK_SET) < 0))
        return ct_fail_sys(err, errno, "temporary file: cannot write");
    f->size = 0;
    return true;
}

/* From the first run on, into the other file: all runs where there are very many, else only as many
 * as it takes. */
static bool merge_pass(ct_spill *s, size_t fanin, ct_err *err)
{
    unsigned from = s->into;
    size_t first = 0;
    s->into = !from;
    for (; s->nruns > fanin && first < s->nruns; first++) {
        size_t n = s->nruns - fanin + 1;
        n = n < fanin ? n : fanin;
        n = n < s->nruns - first ? n : s->nruns - first;
        if (!merge_runs(s, first, n, err))
            return false;
    }
    return first < s->nruns || empty(&s->files[from], err);
}

bool ct_spill_narrow(ct_spill *s, size_t fanin, ct_err *err)
{
    while (s->nruns > fanin)
        if (!merge_pass(s, fanin, err))
            return false;
    return true;
}
