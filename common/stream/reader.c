/* Records out of blocks of lines: one after another, and by several threads in order. */
#include "common/stream/internal.h"

#include <stdlib.h>

/* ---- lines ---- */

static bool is_blank(ct_str s)
{
    size_t i = 0;
    while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\r'))
        i++;
    return i == s.n;
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

/* Is it the first line of its input? */
static bool is_first(const ct_batch *b)
{
    return b->block.first && b->lines == 1;
}

/* Is it the last one, which the input ended without an LF? */
static bool is_open(const ct_batch *b)
{
    return b->block.open_end && b->at == b->block.text.p + b->block.text.n;
}

static ct_got unreadable(const ct_batch *b, const ct_record *rec, ct_err *err)
{
    const char *what = is_first(b) ? stranger(rec->line, !is_open(b)) : NULL;
    if (what) {
        ct_fail(err, CT_E_DATA, what);
        return CT_GOT_FATAL;
    }
    return is_open(b) ? cut(rec, err) : CT_GOT_BAD;
}

static ct_got refuse(ct_err *err, ct_errkind kind, const char *text)
{
    ct_fail(err, kind, text);
    return CT_GOT_BAD;
}

/* ---- records ---- */

/* Parses the line that starts at rec->line.p, and passes over it. A CR before the LF is no part of
 * the record. */
static bool parse(ct_batch *b, ct_record *rec, ct_err *err)
{
    bool ok = ct_parse_line(b->parser, &rec->line, &rec->doc, err);
    b->at = rec->line.p + rec->line.n + 1;
    if (ct_str_ends(rec->line, CT_S("\r")))
        rec->line.n--;
    rec->doc.text.n = rec->line.n;
    return ok;
}

static ct_got judge(ct_batch *b, ct_record *rec, ct_err *err)
{
    bool ok = parse(b, rec, err);
    if (rec->line.n == 0 && is_open(b)) { /* nothing but a byte order mark or a CR */
        *err = (ct_err){0};
        return CT_GOT_END;
    }
    if (b->block.over || rec->line.n > b->block.line_max)
        return refuse(err, CT_E_LIMIT, "line too long");
    if (!ok && is_blank(rec->line))
        return refuse(err, CT_E_DATA, "blank line");
    if (!ok)
        return unreadable(b, rec, err);
    const ct_ftype *type = ct_resource_check(b->model, &rec->doc, err);
    if (!type)
        return CT_GOT_BAD;
    /* Nobody would look into it for the charts that it holds. */
    if (ct_str_is(type->name, "Bundle"))
        return refuse(err, CT_E_DATA, "a Bundle, not a record: import takes out what it holds");
    rec->type = type->name;
    return CT_GOT_RECORD;
}

/* Does a byte order mark stand at the start of the file, or a reason of a --reject file on the
 * line? Both are passed over. */
static bool pass_over(ct_batch *b, ct_record *rec, ct_got *got, ct_err *err)
{
    const char *end = b->block.text.p + b->block.text.n;
    ct_str rest = {rec->line.p, (size_t)(end - rec->line.p)};
    if (is_first(b) && ct_str_starts(rest, CT_S("\xef\xbb\xbf"))) {
        rest = ct_str_from(rest, 3);
        rec->line.p = rest.p;
    }
    if (!ct_str_starts(rest, CT_S("# chart-")))
        return false;
    rec->line = ct_str_cut(&rest, '\n');
    b->at = rest.p ? rest.p : end;
    *got = is_open(b) ? cut(rec, err) : CT_GOT_END;
    return true;
}

void ct_batch_start(ct_batch *b)
{
    if (!b->block.text.n)
        b->block.text.p = "";
    b->at = b->block.text.p;
    b->lines = b->nbad = 0;
    b->stopped = false;
    if (b->block.text.n)
        ct_parse_block(b->parser, b->block.text);
}

ct_got ct_batch_any(ct_batch *b, ct_record *rec, ct_err *err)
{
    const char *end = b->block.text.p + b->block.text.n;
    while (b->at < end && !b->stopped) {
        ct_got got = CT_GOT_END;
        *rec = (ct_record){.line = {b->at, 0}, .file = b->block.file, .number = ++b->lines};
        if (*b->at == '{' || !pass_over(b, rec, &got, err))
            got = judge(b, rec, err);
        b->stopped = got == CT_GOT_FATAL;
        if (got != CT_GOT_END)
            return got;
    }
    return CT_GOT_END;
}

void ct_batch_free(ct_batch *b)
{
    ct_parser_free(b->parser);
    ct_block_free(&b->block);
    free(b->bad);
    *b = (ct_batch){0};
}

/* ---- one after another ---- */

struct ct_reader {
    ct_blocks *in;
    ct_batch batch;
    uint64_t before; /* lines of the file before the batch */
    ct_err failed;   /* what is fatal sticks */
};

ct_reader *ct_reader_new(const ct_model *m, ct_blocks *in)
{
    ct_reader *r = ct_calloc(1, sizeof *r);
    r->in = in;
    r->batch.model = m;
    r->batch.parser = ct_parser_new(ct_model_names(m));
    ct_batch_start(&r->batch);
    return r;
}

void ct_reader_free(ct_reader *r)
{
    if (!r)
        return;
    ct_batch_free(&r->batch);
    free(r);
}

static ct_got next(ct_reader *r, ct_record *rec, ct_err *err)
{
    ct_batch *b = &r->batch;
    for (;;) {
        ct_got got = ct_batch_any(b, rec, err);
        rec->number += r->before;
        if (got != CT_GOT_END)
            return got;
        r->before += b->lines;
        ct_blocks_progress(r->in)->records += b->lines;
        got = ct_blocks_next(r->in, &b->block, err);
        r->before = b->block.first ? 0 : r->before;
        ct_batch_start(b);
        if (got != CT_GOT_RECORD) {
            *rec = (ct_record){.file = b->block.file, .number = b->block.file ? r->before + 1 : 0};
            return got;
        }
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
