/* The merge of sorted runs: a heap of sources, the one with the first entry on top. */
#include "common/stream/spill.h"

#include <stdlib.h>

static const char not_written[] = "temporary file: it is not what was written";

/* ---- reading a run in a file ---- */

/* Its bytes are those that were written, so what does not fit together is a fault of ours; it ends
 * the merge all the same, and reads nothing beyond the block. */
static bool unpack_entry(ct_source *s, size_t block, ct_err *err)
{
    size_t left = s->block.n - s->next;
    if (left < CT_ENTRY_HEAD)
        return ct_fail(err, CT_E_IO, not_written);
    ct_entry_unpack(&s->entry, s->block.p + s->next);
    size_t n = ct_entry_size(&s->entry);
    if (n > block) {
        s->skip = s->entry.line.n;
        n -= s->entry.line.n;
    }
    if (n > left)
        return ct_fail(err, CT_E_IO, not_written);
    s->next += n;
    return true;
}

static bool read_block(const ct_merge *m, ct_source *s, ct_buf *to, ct_err *err)
{
    return ct_block_read(m->spill->packer, s->file, &s->at, s->end, to, err);
}

static bool next_in_file(ct_merge *m, ct_source *s, bool *more, ct_err *err)
{
    if (s->next == s->block.n) {
        *more = s->at < s->end;
        s->next = 0;
        if (!*more)
            return true;
        if (!read_block(m, s, &s->block, err))
            return false;
    }
    *more = true;
    return unpack_entry(s, m->spill->block, err);
}

/* The line of the entry, where that is larger than a block: one of them is in memory at a time. */
static bool read_line(ct_merge *m, ct_source *s, ct_err *err)
{
    m->line.n = 0;
    char *to = ct_buf_room(&m->line, s->skip);
    for (; s->skip; s->skip -= m->piece.n) {
        if (!read_block(m, s, &m->piece, err))
            return false;
        if (m->piece.n == 0 || m->piece.n > s->skip)
            return ct_fail(err, CT_E_IO, not_written);
        memcpy(to + m->line.n, m->piece.p, m->piece.n);
        m->line.n += m->piece.n;
    }
    s->entry.line.p = m->line.p;
    return true;
}

static void drop_line(ct_merge *m)
{
    ct_buf_free(&m->line);
    ct_buf_free(&m->piece);
}

/* ---- sources ---- */

static void next_in_memory(ct_source *s, bool *more)
{
    *more = s->next_item < s->run->nitems;
    if (*more)
        ct_run_entry(s->run, s->next_item++, &s->entry);
}

static bool next_entry(ct_merge *m, ct_source *s, bool *more, ct_err *err)
{
    if (!s->run)
        return next_in_file(m, s, more, err);
    next_in_memory(s, more);
    return true;
}

/* ---- the heap ---- */

static bool before(const struct ct_heap *a, const struct ct_heap *b)
{
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix;
    int order = ct_entry_cmp(&a->source->entry, &b->source->entry);
    return order ? order < 0 : a->source->order < b->source->order;
}

static void sift_down(ct_merge *m, size_t at)
{
    struct ct_heap h = m->heap[at];
    for (size_t child; (child = 2 * at + 1) < m->n; at = child) {
        if (child + 1 < m->n && before(&m->heap[child + 1], &m->heap[child]))
            child++;
        if (!before(&m->heap[child], &h))
            break;
        m->heap[at] = m->heap[child];
    }
    m->heap[at] = h;
}

/* Takes the first entry of every source. */
static bool start(ct_merge *m, ct_err *err)
{
    m->heap = ct_calloc(m->nsources, sizeof *m->heap);
    for (size_t i = 0; i < m->nsources; i++) {
        ct_source *s = &m->sources[i];
        bool more;
        s->order = i;
        if (!next_entry(m, s, &more, err))
            return false;
        if (more)
            m->heap[m->n++] = (struct ct_heap){ct_key_prefix(s->entry.key), s};
    }
    for (size_t i = m->n / 2; i-- > 0;)
        sift_down(m, i);
    return true;
}

bool ct_merge_run(ct_merge *m, const ct_run *r, ct_err *err)
{
    *m = (ct_merge){.sources = ct_calloc(1, sizeof *m->sources), .nsources = 1};
    m->sources[0].run = r;
    return start(m, err);
}

bool ct_merge_spill(ct_merge *m, const ct_spill *s, size_t first, size_t n, ct_err *err)
{
    *m = (ct_merge){.spill = s, .sources = ct_calloc(n, sizeof *m->sources), .nsources = n};
    for (size_t i = 0; i < n; i++) {
        const struct ct_extent *run = &s->runs[first + i];
        m->sources[i].file = &s->files[run->file];
        m->sources[i].at = run->at;
        m->sources[i].end = run->end;
    }
    return start(m, err);
}

/* The first source moves on, and to where its next entry belongs. */
static bool pop(ct_merge *m, ct_err *err)
{
    ct_source *s = m->heap[0].source;
    bool more;
    if (!next_entry(m, s, &more, err))
        return false;
    if (more)
        m->heap[0].prefix = ct_key_prefix(s->entry.key);
    else {
        ct_buf_free(&s->block);
        m->heap[0] = m->heap[--m->n];
    }
    if (m->n)
        sift_down(m, 0);
    return true;
}

bool ct_merge_next(ct_merge *m, const ct_entry **e, ct_err *err)
{
    *e = NULL;
    if (m->line.p)
        drop_line(m);
    if (m->popped && !pop(m, err))
        return false;
    m->popped = m->n != 0;
    if (!m->n)
        return true;
    ct_source *s = m->heap[0].source;
    if (s->skip && !read_line(m, s, err))
        return false;
    *e = &s->entry;
    return true;
}

void ct_merge_free(ct_merge *m)
{
    drop_line(m);
    for (size_t i = 0; i < m->nsources; i++)
        ct_buf_free(&m->sources[i].block);
    free(m->sources);
    free(m->heap);
    *m = (ct_merge){0};
}
