/* --merge: inputs each of which is in order, read side by side, the one with the first record on
 * top of a heap. */
#include "cmd/sort/sort.h"

#include <stdlib.h>

enum {
    EACH = 4 * 1024 * 1024, /* memory of an input that is open */
    OPEN_MAX = 256,
};

typedef struct input {
    sort_run *run;
    ct_blocks *blocks;
    ct_reader *reader;
    ct_arena *arena;
    ct_record rec;
    ct_entry entry;
    ct_order last;
    ct_progress seen; /* of its own, so far as it is in that of the run */
} input;

typedef struct merge {
    sort_run *run;
    input *inputs;
    input **heap;
    size_t n;
} merge;

/* Fits ct_progress_fn: adds up what the inputs tell. */
static void add_progress(void *ctx, const ct_progress *p)
{
    input *in = ctx;
    ct_progress *sum = &in->run->progress;

    sum->bytes += p->bytes - in->seen.bytes;
    sum->records += p->records - in->seen.records;
    sum->stored += p->stored - in->seen.stored;
    in->seen = *p;
    ct_cli_progress(&in->run->cli, sum);
}

/* A record as it is sorted, borrowed from it and from `a`; entered in the books as read. */
static ct_entry entry_of(sort_run *s, const ct_record *rec, ct_arena *a)
{
    ct_owner owner = ct_owner_of(s->model, &rec->doc, a);

    ct_side_add(&s->cli.tally.in, rec->line, rec->type);
    return (ct_entry){.key = owner.id,
                      .line = rec->line,
                      .number = rec->number,
                      .tag = sort_tag(s, rec->type),
                      .patient = owner.patient && owner.id.n};
}

/* The next record that can be used; false, said and raised, where the merge cannot go on. */
static bool advance(merge *m, input *in, bool *more)
{
    ct_cli *c = &m->run->cli;
    ct_err err = {0};
    ct_got got;

    while ((got = ct_reader_next(in->reader, &in->rec, &err)) == CT_GOT_BAD)
        ct_cli_bad(c, &in->rec, &err);
    *more = got == CT_GOT_RECORD;
    if (got == CT_GOT_END)
        return true;
    ct_arena_reset(in->arena);
    if (*more) {
        in->entry = entry_of(m->run, &in->rec, in->arena);
        if (ct_order_next(&in->last, &in->entry, in->rec.file, &err))
            return true;
    }
    ct_cli_error(c, CT_FAULT, NULL, &err);
    return false;
}

/* What is equal comes in the order of the inputs. */
static bool before(const input *a, const input *b)
{
    int order = ct_entry_cmp(&a->entry, &b->entry);

    return order ? order < 0 : a < b;
}

static void sift_down(merge *m, size_t at)
{
    input *in = m->heap[at];

    for (size_t child; (child = 2 * at + 1) < m->n; at = child) {
        if (child + 1 < m->n && before(m->heap[child + 1], m->heap[child]))
            child++;
        if (!before(m->heap[child], in))
            break;
        m->heap[at] = m->heap[child];
    }
    m->heap[at] = in;
}

static bool start(merge *m, size_t ninputs)
{
    for (size_t i = 0; i < ninputs; i++) {
        input *in = &m->inputs[i];
        bool more;

        in->run = m->run;
        in->blocks =
            ct_blocks_new((const char *const *)&m->run->cli.args[i], m->run->cli.nargs ? 1 : 0);
        ct_blocks_watch(in->blocks, add_progress, in);
        in->reader = ct_reader_new(m->run->model, in->blocks);
        in->arena = ct_arena_new();
        if (!advance(m, in, &more))
            return false;
        if (more)
            m->heap[m->n++] = in;
    }
    for (size_t i = m->n / 2; i-- > 0;)
        sift_down(m, i);
    return true;
}

static void merge_heap(merge *m)
{
    while (m->n) {
        bool more;

        if (!sort_put(m->run, &m->heap[0]->entry)) {
            m->run->cli.status = CT_FAULT; /* the write error is told when the output is closed */
            return;
        }
        if (!advance(m, m->heap[0], &more))
            return;
        if (!more)
            m->heap[0] = m->heap[--m->n];
        if (m->n)
            sift_down(m, 0);
    }
}

/* More inputs than can be open at once are sorted: it comes to the same. */
void sort_merge(sort_run *s)
{
    size_t n = s->cli.nargs ? s->cli.nargs : 1;
    merge m = {.run = s};

    if (n > 1 && (n > OPEN_MAX || n > s->memory / EACH)) {
        sort_all(s, true);
        return;
    }
    m.inputs = ct_calloc(n, sizeof(*m.inputs));
    m.heap = ct_calloc(n, sizeof(input *));
    s->progress.total = ct_in_stored_total((const char *const *)s->cli.args, s->cli.nargs);
    if (start(&m, n))
        merge_heap(&m);
    for (size_t i = 0; i < n; i++) {
        ct_reader_free(m.inputs[i].reader);
        ct_blocks_free(m.inputs[i].blocks);
        ct_buf_free(&m.inputs[i].last.key);
        ct_arena_free(m.inputs[i].arena);
    }
    free(m.inputs);
    free(m.heap);
}
