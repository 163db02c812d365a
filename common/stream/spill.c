/* Runs in a temporary file. */
#include "common/stream/spill.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { BUFFER = 256 * 1024 };

ct_spill *ct_spill_new(ct_err *err)
{
    int fd = ct_temp_open(err);
    if (fd < 0)
        return NULL;
    ct_spill *s = ct_calloc(1, sizeof *s);
    s->fd = fd;
    return s;
}

void ct_spill_free(ct_spill *s)
{
    if (!s)
        return;
    close(s->fd);
    ct_buf_free(&s->buffer);
    free(s->runs);
    free(s);
}

/* Grows at powers of two. */
void ct_spill_begin(ct_spill *s)
{
    if ((s->nruns & (s->nruns - 1)) == 0)
        s->runs = ct_realloc(s->runs, s->nruns ? s->nruns * 2 : 1, sizeof *s->runs);
    s->runs[s->nruns] = (struct ct_extent){s->size, s->size};
}

static bool write_file(ct_spill *s, ct_str bytes, ct_err *err)
{
    if (ct_write_all(s->fd, bytes, err))
        return true;
    return ct_fail_sys(err, err->sys, "temporary file: cannot write");
}

static bool flush(ct_spill *s, ct_err *err)
{
    size_t n = s->buffer.n;
    s->buffer.n = 0;
    return write_file(s, (ct_str){s->buffer.p, n}, err);
}

bool ct_spill_put(ct_spill *s, ct_str bytes, ct_err *err)
{
    if (s->buffer.n + bytes.n > BUFFER && !flush(s, err))
        return false;
    s->size += (off_t)bytes.n;
    if (bytes.n > BUFFER)
        return write_file(s, bytes, err);
    ct_buf_put(&s->buffer, bytes);
    return true;
}

/* The buffer is given back: runs are written rarely, and memory is short then. */
bool ct_spill_end(ct_spill *s, ct_err *err)
{
    bool ok = flush(s, err);
    ct_buf_free(&s->buffer);
    s->runs[s->nruns++].end = s->size;
    return ok;
}

bool ct_spill_run(ct_spill *s, const ct_run *r, ct_err *err)
{
    ct_spill_begin(s);
    for (size_t i = 0; i < r->nitems; i++) {
        const char *at = r->items[i].at;
        ct_entry e;
        ct_entry_unpack(&e, at);
        if (!ct_spill_put(s, (ct_str){at, CT_ENTRY_HEAD + e.key.n + e.line_n}, err))
            return false;
    }
    return ct_spill_end(s, err);
}

/* ---- fewer, longer runs ---- */

static bool copy_merged(ct_spill *to, ct_merge *m, ct_buf *line, ct_err *err)
{
    const ct_entry *e;
    ct_spill_begin(to);
    while ((e = ct_merge_top(m))) {
        char head[CT_ENTRY_HEAD];
        ct_entry_pack(e, head);
        line->n = 0;
        char *text = ct_buf_room(line, e->line_n);
        if (!ct_spill_put(to, (ct_str){head, sizeof head}, err) || !ct_spill_put(to, e->key, err) ||
            !ct_merge_line(m, text, err) || !ct_spill_put(to, (ct_str){text, e->line_n}, err) ||
            !ct_merge_pop(m, err))
            return false;
    }
    return ct_spill_end(to, err);
}

static bool merge_group(ct_spill *to, const ct_spill *from, size_t first, size_t n, size_t memory,
                        ct_err *err)
{
    ct_merge m = {0};
    ct_buf line = {0};
    bool ok = ct_merge_spill(&m, from, first, n, memory, err) && copy_merged(to, &m, &line, err);
    ct_buf_free(&line);
    ct_merge_free(&m);
    return ok;
}

static bool merge_all(ct_spill *to, const ct_spill *from, size_t fanin, size_t memory, ct_err *err)
{
    for (size_t first = 0; first < from->nruns; first += fanin) {
        size_t n = from->nruns - first < fanin ? from->nruns - first : fanin;
        if (!merge_group(to, from, first, n, memory, err))
            return false;
    }
    return true;
}

bool ct_spill_narrow(ct_spill **s, size_t fanin, size_t memory, ct_err *err)
{
    while ((*s)->nruns > fanin) {
        ct_spill *to = ct_spill_new(err);
        if (!to)
            return false;
        bool ok = merge_all(to, *s, fanin, memory, err);
        ct_spill_free(*s);
        *s = to;
        if (!ok)
            return false;
    }
    return true;
}
