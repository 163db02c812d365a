/* The merge of sorted runs: a heap of sources, the one with the first entry on top. */
#include "common/stream/spill.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { BUFFER_MIN = 16 * 1024, BUFFER_MAX = 128 * 1024 };

/* ---- reading a run in a file ---- */

static bool read_at(ct_source *s, char *to, size_t n, size_t *got, ct_err *err)
{
    ssize_t r;
    if ((off_t)n > s->end - s->at)
        n = (size_t)(s->end - s->at);
    do
        r = pread(s->fd, to, n, s->at);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return ct_fail_sys(err, errno, "temporary file: cannot read");
    if (r == 0)
        return ct_fail(err, CT_E_IO, "temporary file: it is shorter than what was written");
    s->at += r;
    *got = (size_t)r;
    return true;
}

/* Takes exactly `n` bytes: from the buffer, and what is large straight from the file. */
static bool take(ct_source *s, char *to, size_t n, ct_err *err)
{
    while (n) {
        size_t got = s->n - s->start < n ? s->n - s->start : n;
        if (got) {
            memcpy(to, s->buffer + s->start, got);
            s->start += got;
        } else if (n >= s->cap) {
            if (!read_at(s, to, n, &got, err))
                return false;
        } else {
            s->start = s->n = 0;
            if (!read_at(s, s->buffer, s->cap, &s->n, err))
                return false;
        }
        to += got;
        n -= got;
    }
    return true;
}

static bool next_in_file(ct_source *s, bool *more, ct_err *err)
{
    *more = s->start < s->n || s->at < s->end;
    if (!*more)
        return true;
    s->key.n = 0;
    char *head = ct_buf_room(&s->key, CT_ENTRY_HEAD);
    if (!take(s, head, CT_ENTRY_HEAD, err))
        return false;
    s->key.n = CT_ENTRY_HEAD;
    ct_entry_unpack(&s->entry, head);
    char *key = ct_buf_room(&s->key, s->entry.key.n);
    s->entry.key.p = key;
    return take(s, key, s->entry.key.n, err);
}

/* ---- sources ---- */

static void next_in_memory(ct_source *s, bool *more)
{
    *more = s->next_item < s->run->nitems;
    if (!*more)
        return;
    ct_entry_unpack(&s->entry, s->run->items[s->next_item++].at);
    s->line = s->entry.key.p + s->entry.key.n;
}

static bool next_entry(ct_source *s, bool *more, ct_err *err)
{
    if (s->run)
        next_in_memory(s, more);
    else if (!next_in_file(s, more, err))
        return false;
    if (*more)
        s->prefix = ct_key_prefix(s->entry.key);
    return true;
}

static bool before(const ct_source *a, const ct_source *b)
{
    int order = ct_entry_cmp(&a->entry, a->prefix, &b->entry, b->prefix);
    return order ? order < 0 : a->order < b->order;
}

/* ---- the heap ---- */

static void sift_down(ct_merge *m, size_t at)
{
    ct_source *s = m->heap[at];
    for (size_t child; (child = 2 * at + 1) < m->n; at = child) {
        if (child + 1 < m->n && before(m->heap[child + 1], m->heap[child]))
            child++;
        if (!before(m->heap[child], s))
            break;
        m->heap[at] = m->heap[child];
    }
    m->heap[at] = s;
}

/* Takes the first entry of every source. */
static bool start(ct_merge *m, ct_err *err)
{
    m->heap = ct_calloc(m->nsources, sizeof(ct_source *));
    for (size_t i = 0; i < m->nsources; i++) {
        bool more;
        m->sources[i].order = i;
        if (!next_entry(&m->sources[i], &more, err))
            return false;
        if (more)
            m->heap[m->n++] = &m->sources[i];
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

bool ct_merge_spill(ct_merge *m, const ct_spill *s, size_t first, size_t n, size_t memory,
                    ct_err *err)
{
    size_t each = memory / n;
    each = each < BUFFER_MIN ? BUFFER_MIN : each > BUFFER_MAX ? BUFFER_MAX : each;
    *m = (ct_merge){.sources = ct_calloc(n, sizeof *m->sources), .nsources = n};
    for (size_t i = 0; i < n; i++) {
        m->sources[i].fd = s->fd;
        m->sources[i].at = s->runs[first + i].at;
        m->sources[i].end = s->runs[first + i].end;
        m->sources[i].buffer = ct_alloc(each);
        m->sources[i].cap = each;
    }
    return start(m, err);
}

const ct_entry *ct_merge_top(const ct_merge *m)
{
    return m->n ? &m->heap[0]->entry : NULL;
}

bool ct_merge_line(ct_merge *m, char *to, ct_err *err)
{
    ct_source *s = m->heap[0];
    if (!s->run)
        return take(s, to, s->entry.line_n, err);
    memcpy(to, s->line, s->entry.line_n);
    return true;
}

bool ct_merge_pop(ct_merge *m, ct_err *err)
{
    bool more;
    if (!next_entry(m->heap[0], &more, err))
        return false;
    if (!more)
        m->heap[0] = m->heap[--m->n];
    if (m->n)
        sift_down(m, 0);
    return true;
}

void ct_merge_free(ct_merge *m)
{
    for (size_t i = 0; i < m->nsources; i++) {
        free(m->sources[i].buffer);
        ct_buf_free(&m->sources[i].key);
    }
    free(m->sources);
    free(m->heap);
    *m = (ct_merge){0};
}
