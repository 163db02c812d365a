/* Records in: reads inputs in large blocks, and parses each line where it stands. Only a line that
 * straddles two reads is moved, to the front of the block. */
#include "common/stream/internal.h"

#include <stdlib.h>

enum {
    BLOCK = 1024 * 1024,
    KEEP = 4 * BLOCK,    /* a block that grew beyond this is given back when the line is through */
    REFUSED = 64 * 1024, /* so much of a line that is too long is kept */
};

struct ct_reader {
    const ct_model *model;
    ct_parser *parser;
    const char *const *paths;
    size_t npaths, next_path;
    ct_in *in; /* NULL between inputs */
    uint64_t number, bytes;
    char *block;
    size_t cap, start, seen, end; /* [start, end) is not handed out, [start, seen) holds no LF */
    bool ended;                   /* the input gives no more */
    ct_err failed;                /* what is fatal sticks */
    size_t read_max, block_size, line_max;
};

/* A line as it was found. */
typedef struct rawline {
    ct_str text;
    bool whole; /* LF stood behind it */
    bool over;  /* it was longer than line_max: this is its first part */
} rawline;

ct_reader *ct_reader_new(const ct_model *m, const char *const *paths, size_t n)
{
    static const char *const standard[] = {"-"};
    ct_reader *r = ct_calloc(1, sizeof *r);
    r->model = m;
    r->parser = ct_parser_new(ct_model_names(m));
    r->paths = n ? paths : standard;
    r->npaths = n ? n : 1;
    r->block_size = BLOCK;
    r->line_max = CT_JSON_MAX;
    return r;
}

void ct_reader_limits(ct_reader *r, size_t read, size_t block, size_t line)
{
    r->read_max = read;
    r->block_size = block ? block : r->block_size;
    r->line_max = line ? line : r->line_max;
}

uint64_t ct_reader_bytes(const ct_reader *r)
{
    return r->bytes;
}

void ct_reader_free(ct_reader *r)
{
    if (!r)
        return;
    ct_in_close(r->in);
    ct_parser_free(r->parser);
    free(r->block);
    free(r);
}

/* ---- lines ---- */

static void drop_consumed(ct_reader *r)
{
    if (r->start == r->end) {
        r->start = r->seen = r->end = 0;
        if (r->cap > KEEP && r->cap > r->block_size) {
            r->cap = r->block_size;
            r->block = ct_realloc(r->block, r->cap, 1);
        }
    }
}

/* Makes room behind `end`. */
static void make_room(ct_reader *r)
{
    drop_consumed(r);
    if (r->end < r->cap)
        return;
    if (r->start) {
        memmove(r->block, r->block + r->start, r->end - r->start);
        r->end -= r->start;
        r->seen -= r->start;
        r->start = 0;
    }
    if (r->end == r->cap) {
        r->cap = r->cap ? r->cap * 2 : r->block_size;
        r->block = ct_realloc(r->block, r->cap, 1);
    }
}

static bool refill(ct_reader *r, ct_err *err)
{
    make_room(r);
    size_t got;
    if (!ct_in_read(r->in, r->block + r->end, r->cap - r->end, &got, err))
        return false;
    r->end += got;
    r->bytes += got;
    r->ended = got == 0;
    return true;
}

/* Finds the next LF, or the end of the input: `*n` is the length of the line. Gives up where the
 * line passes its bound. */
static bool find_end(ct_reader *r, size_t *n, bool *whole, ct_err *err)
{
    for (;;) {
        const char *lf =
            r->end > r->seen ? memchr(r->block + r->seen, '\n', r->end - r->seen) : NULL;
        r->seen = lf ? (size_t)(lf - r->block) : r->end;
        *n = r->seen - r->start;
        *whole = lf != NULL;
        if (lf || r->ended || *n > r->line_max)
            return true;
        if (!refill(r, err))
            return false;
    }
}

/* Passes over the rest of a line, reading it over itself; its first `keep` bytes stay. */
static bool skip_rest(ct_reader *r, size_t keep, bool *whole, ct_err *err)
{
    const char *lf = NULL;
    while (!lf && !r->ended) {
        r->end = r->seen = r->start + keep;
        if (!refill(r, err))
            return false;
        lf = r->ended ? NULL : memchr(r->block + r->seen, '\n', r->end - r->seen);
    }
    r->seen = lf ? (size_t)(lf - r->block) : r->end;
    *whole = lf != NULL;
    return true;
}

/* The next line; where there is none, it is empty and not whole. */
static bool take_line(ct_reader *r, rawline *l, ct_err *err)
{
    size_t n;
    if (!find_end(r, &n, &l->whole, err))
        return false;
    l->over = n > r->line_max;
    if (l->over) {
        n = n < REFUSED ? n : REFUSED;
        if (!l->whole && !skip_rest(r, n, &l->whole, err))
            return false;
    }
    l->text = (ct_str){r->block + r->start, n};
    r->start = r->seen = r->seen + l->whole;
    r->number++;
    return true;
}

/* ---- records ---- */

static bool is_blank(ct_str s)
{
    size_t i = 0;
    while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\r'))
        i++;
    return i == s.n;
}

/* What is no part of the record: a byte order mark at the start of a file, CR before the LF. */
static ct_str strip(const ct_reader *r, ct_str s)
{
    if (r->number == 1 && ct_str_starts(s, CT_S("\xef\xbb\xbf")))
        s = ct_str_from(s, 3);
    return ct_str_ends(s, CT_S("\r")) ? ct_str_head(s, s.n - 1) : s;
}

/* Where the last line ends without LF, and is not complete. */
static ct_got cut(const ct_record *rec, ct_err *err)
{
    ct_fail(err, CT_E_CUT, "the last line is cut");
    err->offset = rec->line.n;
    return CT_GOT_FATAL;
}

/* What is no stream of records at all, by its first line: that is said once, instead of refusing
 * every line. */
static const char *stranger(ct_str first, bool whole)
{
    static const struct {
        ct_str start;
        const char *text;
    } kinds[] = {
        {{"MSH", 3}, "HL7 v2 messages, not records: import them first"},
        {{"FHS", 3}, "HL7 v2 messages, not records: import them first"},
        {{"BHS", 3}, "HL7 v2 messages, not records: import them first"},
        {{"\x0bMSH", 4}, "HL7 v2 messages, not records: import them first"},
        {{"<", 1}, "XML, not records"},
        {{"PK\x03\x04", 4}, "a zip archive, not records"},
        {{"%PDF", 4}, "a PDF document, not records"},
        {{"SQLite format 3", 15}, "a database, not records"},
    };

    for (size_t i = 0; i < CT_LEN(kinds); i++)
        if (ct_str_starts(first, kinds[i].start))
            return kinds[i].text;
    first = ct_str_trim(first);
    if (whole && (ct_str_is(first, "{") || ct_str_is(first, "[")))
        return "JSON on several lines, not one record a line: import it first";
    return NULL;
}

static ct_got unreadable(const ct_reader *r, const rawline *l, const ct_record *rec, ct_err *err)
{
    const char *what = r->number == 1 ? stranger(rec->line, l->whole) : NULL;

    if (what) {
        ct_fail(err, CT_E_DATA, what);
        return CT_GOT_FATAL;
    }
    return l->whole ? CT_GOT_BAD : cut(rec, err);
}

static ct_got judge(ct_reader *r, const rawline *l, ct_record *rec, ct_err *err)
{
    if (l->over) {
        ct_fail(err, CT_E_LIMIT, "line too long");
        return CT_GOT_BAD;
    }
    if (is_blank(rec->line)) {
        ct_fail(err, CT_E_DATA, "blank line");
        return CT_GOT_BAD;
    }
    if (!ct_parse(r->parser, rec->line, &rec->doc, err))
        return unreadable(r, l, rec, err);
    if (!ct_resource_check(r->model, &rec->doc, err))
        return CT_GOT_BAD;
    /* Nobody would look into it for the charts that it holds. */
    if (ct_str_is(ct_resource_type(&rec->doc), "Bundle")) {
        ct_fail(err, CT_E_DATA, "a Bundle, not a record: import takes out what it holds");
        return CT_GOT_BAD;
    }
    rec->type = ct_model_type(r->model, ct_resource_type(&rec->doc))->name;
    return CT_GOT_RECORD;
}

/* False at the end of the last input, and where one does not open. */
static bool open_next(ct_reader *r, ct_err *err)
{
    if (r->next_path == r->npaths)
        return false;
    r->in = ct_in_open(r->paths[r->next_path], err);
    if (!r->in)
        return false;
    r->next_path++;
    if (r->read_max)
        ct_in_limit(r->in, r->read_max);
    r->number = 0;
    r->ended = false;
    return true;
}

static void close_in(ct_reader *r)
{
    ct_in_close(r->in);
    r->in = NULL;
}

static ct_got next(ct_reader *r, ct_record *rec, ct_err *err)
{
    for (;;) {
        rawline l;
        *rec = (ct_record){0};
        if (!r->in && !open_next(r, err))
            return err->kind ? CT_GOT_FATAL : CT_GOT_END;
        rec->file = ct_in_name(r->in);
        rec->number = r->number + 1;
        if (!take_line(r, &l, err))
            return CT_GOT_FATAL;
        rec->line = strip(r, l.text);
        if (!rec->line.n && !l.whole)
            close_in(r);
        else if (!ct_str_starts(rec->line, CT_S("# chart-")))
            return judge(r, &l, rec, err);
        else if (!l.whole)
            return cut(rec, err);
    }
}

ct_got ct_reader_next(ct_reader *r, ct_record *rec, ct_err *err)
{
    ct_err e = r->failed;
    *rec = (ct_record){0};
    ct_got got = e.kind ? CT_GOT_FATAL : next(r, rec, &e);
    if (e.kind && !r->failed.kind) {
        rec->file = e.file = e.file ? e.file : rec->file;
        e.line = rec->number;
    }
    if (got == CT_GOT_FATAL)
        r->failed = e;
    if (err && e.kind)
        *err = e;
    return got;
}
