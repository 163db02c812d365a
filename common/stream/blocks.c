/* The inputs, one after another, in blocks of whole lines. Bytes go from read(2) to the block they
 * are worked on in; only a line that straddles two blocks is moved. */
#define _GNU_SOURCE /* memrchr */
#include "common/stream/internal.h"

#include <stdlib.h>

enum {
    BLOCK = 512 * 1024,
    KEEP = 2 * BLOCK,    /* more than this, which one long line needed, is given back */
    REFUSED = 64 * 1024, /* so much of a line that is too long is kept */
};

struct ct_blocks {
    const char *const *paths;
    size_t npaths, next_path;
    ct_in *in; /* NULL between inputs */
    const char *name;
    bool ahead;        /* as ct_in_ahead */
    bool first, ended; /* of the input: nothing was given out yet; it gives no more */
    ct_buf carry;      /* the start of a line whose end was not read yet */
    ct_err failed;     /* what is fatal sticks; what was read before it goes out first */
    ct_progress progress;
    uint64_t stored; /* bytes of the inputs before this one */
    ct_progress_fn *watch;
    void *watch_ctx;
    size_t read_max, block_size, line_max;
};

ct_blocks *ct_blocks_new(const char *const *paths, size_t n)
{
    static const char *const standard[] = {"-"};
    ct_blocks *b = ct_calloc(1, sizeof *b);
    b->paths = n ? paths : standard;
    b->npaths = n ? n : 1;
    b->block_size = BLOCK;
    b->line_max = CT_JSON_MAX;
    b->progress.total = ct_in_stored_total(b->paths, b->npaths);
    return b;
}

void ct_blocks_limits(ct_blocks *b, size_t read, size_t block, size_t line)
{
    b->read_max = read;
    b->block_size = block ? block : b->block_size;
    b->line_max = line ? line : b->line_max;
}

void ct_blocks_ahead(ct_blocks *b)
{
    b->ahead = true;
}

void ct_blocks_watch(ct_blocks *b, ct_progress_fn *watch, void *ctx)
{
    b->watch = watch;
    b->watch_ctx = ctx;
}

void ct_blocks_show(ct_blocks *b)
{
    b->progress.stored = b->stored + (b->in ? ct_in_stored(b->in) : 0);
    if (b->watch)
        b->watch(b->watch_ctx, &b->progress);
}

ct_progress *ct_blocks_progress(ct_blocks *b)
{
    return &b->progress;
}

static void close_in(ct_blocks *b)
{
    if (b->in)
        b->stored += ct_in_stored(b->in);
    ct_in_close(b->in);
    b->in = NULL;
    b->carry.n = 0;
}

void ct_blocks_free(ct_blocks *b)
{
    if (!b)
        return;
    close_in(b);
    ct_buf_free(&b->carry);
    free(b);
}

/* ---- one block ---- */

static bool read_more(ct_blocks *b, ct_buf *to)
{
    size_t got;
    size_t room = to->n < b->block_size ? b->block_size - to->n : to->n;
    char *at = ct_buf_room(to, room + CT_PARSE_SLACK + 1);
    if (!ct_in_read(b->in, at, room, &got, &b->failed))
        return false;
    to->n += got;
    b->progress.bytes += got;
    b->ended = got == 0;
    return true;
}

/* Passes over the rest of a line that is too long, of which `to` keeps the first part. What stands
 * behind its LF is carried. */
static bool skip_line(ct_blocks *b, ct_buf *to)
{
    ct_buf rest = {0};
    const char *lf = NULL;
    bool ok = true;
    to->n = to->n < REFUSED ? to->n : REFUSED;
    while (ok && !lf && !b->ended) {
        rest.n = 0;
        ok = read_more(b, &rest);
        lf = rest.n ? memchr(rest.p, '\n', rest.n) : NULL;
    }
    if (lf)
        ct_buf_put(&b->carry, ct_str_from(ct_buf_str(&rest), (size_t)(lf + 1 - rest.p)));
    ct_buf_free(&rest);
    return ok;
}

/* Reads until the block is full, or holds a line and more would have to be waited for. `*whole`
 * becomes the length of the whole lines. False where reading failed. */
static bool fill(ct_blocks *b, ct_block *to, size_t *whole)
{
    ct_buf *buf = &to->buf;
    *whole = 0;
    for (size_t seen = 0;; seen = buf->n) {
        if (!read_more(b, buf))
            return false;
        const char *lf = buf->n > seen ? memrchr(buf->p + seen, '\n', buf->n - seen) : NULL;
        if (lf)
            *whole = (size_t)(lf + 1 - buf->p);
        if (b->ended || (*whole && (buf->n >= b->block_size || !ct_in_ready(b->in))))
            return true;
        if (!*whole && buf->n > b->line_max) {
            to->over = true;
            return skip_line(b, buf);
        }
    }
}

/* What stands behind the last LF: the start of a line, to be carried to the next block, or all of
 * it where the input has ended. */
static void cut(ct_blocks *b, ct_block *to, size_t whole)
{
    ct_buf *buf = &to->buf;
    bool open_end = to->over || (b->ended && buf->n > whole);
    if (open_end) {
        to->open_end = b->ended;
        ct_buf_c(buf, '\n');
    } else {
        ct_buf_put(&b->carry, ct_str_from(ct_buf_str(buf), whole));
        buf->n = whole;
    }
    memset(ct_buf_room(buf, CT_PARSE_SLACK), 0, CT_PARSE_SLACK);
    to->text = ct_buf_str(buf);
    to->file = b->name;
    to->first = b->first;
    to->line_max = b->line_max;
    b->first = false;
}

void ct_block_trim(ct_block *b)
{
    b->text = (ct_str){0};
    b->buf.n = 0;
    if (b->buf.cap > KEEP)
        ct_buf_free(&b->buf);
}

static void start(ct_blocks *b, ct_block *to)
{
    ct_block_trim(to);
    *to = (ct_block){.buf = to->buf};
    ct_buf_put(&to->buf, ct_buf_str(&b->carry));
    b->carry.n = 0;
}

/* False where nothing more comes from this input: it has ended, or reading failed. */
static bool next_of_input(ct_blocks *b, ct_block *to)
{
    size_t whole;
    start(b, to);
    if (!fill(b, to, &whole)) {
        to->over = false;
        to->buf.n = whole; /* an unfinished line is lost with what would have followed it */
        b->carry.n = 0;
        b->ended = true;
    }
    cut(b, to, whole);
    return to->text.n > 0;
}

/* ---- inputs ---- */

static bool open_next(ct_blocks *b)
{
    b->name = NULL;
    b->in = ct_in_open(b->paths[b->next_path], &b->failed);
    if (!b->in)
        return false;
    b->next_path++;
    b->name = ct_in_name(b->in);
    if (b->read_max)
        ct_in_limit(b->in, b->read_max);
    if (b->ahead)
        ct_in_ahead(b->in);
    b->first = true;
    b->ended = false;
    return true;
}

static ct_got fatal(const ct_blocks *b, ct_block *to, ct_err *err)
{
    *err = b->failed;
    to->text = (ct_str){0};
    to->file = b->name;
    to->first = b->first;
    if (!err->file)
        err->file = b->name;
    return CT_GOT_FATAL;
}

ct_got ct_blocks_next(ct_blocks *b, ct_block *to, ct_err *err)
{
    for (;;) {
        if (b->in && !b->ended && next_of_input(b, to)) {
            ct_blocks_show(b);
            return CT_GOT_RECORD;
        }
        if (b->failed.kind)
            return fatal(b, to, err);
        close_in(b);
        if (b->next_path == b->npaths)
            return CT_GOT_END;
        if (!open_next(b))
            return fatal(b, to, err);
    }
}

bool ct_blocks_ready(ct_blocks *b)
{
    return !b->in || b->ended || ct_in_ready(b->in);
}

void ct_block_free(ct_block *b)
{
    ct_buf_free(&b->buf);
    *b = (ct_block){0};
}
