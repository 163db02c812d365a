/* The inputs, one after another, in blocks that end where a record ends. */
#include "cmd/import/import.h"

#include <stdlib.h>

/* A block makes some eight times as much text, which stays in the cache and in memory from block to
 * block. */
enum { BLOCK = 1 << 18, READ = BLOCK };

struct import_feed {
    const char *const *paths;
    size_t n, next;
    import_format asked, format;
    ct_in *in; /* the input that is open, or NULL */
    const char *name;
    bool first, ended;
    ct_buf carry;         /* what was read behind the last cut */
    ct_progress progress; /* without the input that is open */
};

import_feed *import_feed_new(const char *const *paths, size_t n, import_format format)
{
    static const char *const standard_input[] = {"-"};
    import_feed *f = ct_calloc(1, sizeof *f);

    *f = (import_feed){.paths = n ? paths : standard_input, .n = n ? n : 1, .asked = format};
    f->progress.total = ct_in_stored_total(f->paths, f->n);
    return f;
}

static void close_input(import_feed *f)
{
    if (f->in)
        f->progress.stored += ct_in_stored(f->in);
    ct_in_close(f->in);
    f->in = NULL;
    f->carry.n = 0;
}

/* ---- what is it? ---- */

bool import_is_reason(ct_str text)
{
    return ct_str_starts(text, CT_S("# chart-"));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\x1c';
}

/* Without blanks, byte order marks and the reasons of a --reject file at its front. */
static ct_str first_content(ct_str text)
{
    for (;;) {
        if (text.n && is_blank(*text.p)) {
            text = ct_str_from(text, 1);
        } else if (ct_str_starts(text, CT_S("\xef\xbb\xbf"))) {
            text = ct_str_from(text, 3);
        } else if (import_is_reason(text)) {
            ct_str_cut(&text, '\n');
            if (!text.p)
                return CT_S("");
        } else {
            return text;
        }
    }
}

static import_format recognise(ct_str content)
{
    static const char *const headers[] = {"MSH", "FHS", "BHS"};

    if (content.n && (*content.p == '{' || *content.p == '['))
        return FORMAT_FHIR;
    for (size_t i = 0; i < CT_LEN(headers); i++)
        if (ct_str_starts(content, ct_str_z(headers[i])) && content.n > 3)
            return FORMAT_HL7V2;
    return FORMAT_UNKNOWN;
}

/* ---- reading ---- */

static bool read_more(import_feed *f, import_block *b, size_t until, ct_err *err)
{
    while (b->text.n < until && !f->ended) {
        size_t got;
        char *room = ct_buf_room(&b->text, READ);
        if (!ct_in_read(f->in, room, READ, &got, err)) {
            if (!err->file)
                err->file = f->name;
            return false;
        }
        b->text.n += got;
        f->progress.bytes += got;
        f->ended = got == 0;
    }
    return true;
}

/* Fills the block up to the end of a record: more and more where none ends. */
static bool fill(import_feed *f, import_block *b, ct_err *err)
{
    import_scan scan = {0};
    size_t cut = 0;

    for (size_t until = BLOCK;; until *= 2) {
        if (!read_more(f, b, until, err))
            return false;
        ct_str text = ct_buf_str(&b->text);
        if (f->format == FORMAT_UNKNOWN)
            f->format = recognise(first_content(text));
        if (f->ended || f->format == FORMAT_UNKNOWN)
            return true;
        cut = f->format == FORMAT_FHIR ? import_fhir_cut(text, &scan) : import_hl7v2_cut(text);
        if (cut)
            break;
        if (until > CT_JSON_MAX) {
            ct_fail(err, CT_E_LIMIT, "a record is too long");
            err->file = f->name;
            return false;
        }
    }
    ct_buf_put(&f->carry, ct_str_from(ct_buf_str(&b->text), cut));
    b->text.n = cut;
    return true;
}

void import_block_empty(import_block *b)
{
    if (!b->arena) {
        b->arena = ct_arena_new();
        b->scratch = ct_arena_new();
    }
    ct_arena_reset(b->arena);
    b->text.n = 0;
    b->problems = NULL;
    b->end = &b->problems;
    b->batches = NULL;
    b->batches_end = &b->batches;
    b->counts = (import_counts){.arena = b->arena};
    b->nlines = b->messages = b->assumed = 0;
    b->created = b->consumed = b->changed = 0;
}

static bool open_next(import_feed *f, ct_err *err)
{
    const char *path = f->paths[f->next++];

    f->in = ct_in_open(path, err);
    if (!f->in) {
        if (!err->file)
            err->file = path;
        return false;
    }
    f->name = ct_in_name(f->in);
    f->format = f->asked;
    f->first = true;
    f->ended = false;
    return true;
}

/* One block of the input that is open. */
static ct_got next_of_input(import_feed *f, import_block *b, ct_err *err)
{
    import_block_empty(b);
    ct_buf_put(&b->text, ct_buf_str(&f->carry));
    f->carry.n = 0;
    if (!fill(f, b, err))
        return CT_GOT_FATAL;
    if (f->format == FORMAT_UNKNOWN && first_content(ct_buf_str(&b->text)).n) {
        ct_fail(err, CT_E_DATA, "neither FHIR JSON nor HL7 v2");
        err->file = f->name;
        return CT_GOT_FATAL;
    }
    b->format = f->format;
    b->file = f->paths[f->next - 1];
    if (strcmp(b->file, "-") == 0)
        b->file = "(standard input)";
    b->first = f->first;
    b->last = f->ended && f->carry.n == 0;
    f->first = false;
    if (b->last)
        close_input(f);
    return CT_GOT_RECORD;
}

ct_got import_feed_next(import_feed *f, import_block *b, ct_err *err)
{
    for (;;) {
        if (!f->in && f->next == f->n)
            return CT_GOT_END;
        if (!f->in && !open_next(f, err))
            return CT_GOT_FATAL;
        ct_got got = next_of_input(f, b, err);
        if (got != CT_GOT_RECORD || b->text.n)
            return got;
    }
}

ct_progress import_feed_progress(const import_feed *f)
{
    ct_progress p = f->progress;

    p.stored += f->in ? ct_in_stored(f->in) : 0;
    return p;
}

void import_feed_free(import_feed *f)
{
    close_input(f);
    ct_buf_free(&f->carry);
    free(f);
}

void import_block_problem(import_block *b, const ct_err *err, ct_str raw, bool fatal)
{
    import_problem *p = ct_arena_alloc(b->arena, sizeof *p);

    *p = (import_problem){.err = *err, .raw = ct_arena_copy(b->arena, raw), .fatal = fatal};
    p->err.file = b->file;
    *b->end = p;
    b->end = &p->next;
}

void import_block_free(import_block *b)
{
    ct_buf_free(&b->text);
    ct_buf_free(&b->lines.buf);
    ct_side_free(&b->lines.side);
    ct_side_free(&b->in);
    ct_arena_free(b->arena);
    ct_arena_free(b->scratch);
    import_fhir_tools_free(b->fhir);
}
