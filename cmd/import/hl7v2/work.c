/* A block of HL7 v2: messages, batch headers, and what is neither. */
#include "cmd/import/hl7v2/run.h"
#include "cmd/import/hl7v2/values.h"
#include "cmd/import/import.h"

/* ---- headers ---- */

/* MSH or a header or trailer of files and batches, with a delimiter behind. */
static bool is_header(ct_str text)
{
    static const char *const names[] = {"MSH", "FHS", "BHS", "BTS", "FTS"};

    if (ct_str_starts(text, CT_S("\xef\xbb\xbf")))
        text = ct_str_from(text, 3);
    for (size_t i = 0; i < CT_LEN(names); i++)
        if (ct_str_starts(text, ct_str_z(names[i])))
            return text.n == 3 || !((text.p[3] >= 'A' && text.p[3] <= 'Z') ||
                                    (text.p[3] >= 'a' && text.p[3] <= 'z') ||
                                    (text.p[3] >= '0' && text.p[3] <= '9'));
    return false;
}

static bool is_message(ct_str text)
{
    if (ct_str_starts(text, CT_S("\xef\xbb\xbf")))
        text = ct_str_from(text, 3);
    return ct_str_starts(text, CT_S("MSH"));
}

/* A header may be cut by the end of the text: only those whole count. */
size_t import_hl7v2_cut(ct_str text)
{
    for (size_t i = text.n > 8 ? text.n - 8 : 0; i > 0; i--)
        if (import_ends_line(text.p[i - 1]) && is_header(ct_str_from(text, i)))
            return i;
    return 0;
}

/* ---- lines ---- */

typedef struct cursor {
    ct_str text;
    size_t at;
    uint64_t line; /* of `at`, from 0; CR, LF and CRLF end one */
} cursor;

static void next_line(cursor *c)
{
    c->at = import_line_end(c->text, c->at);
    if (c->at == c->text.n)
        return;
    bool cr = c->text.p[c->at] == '\r';
    c->line += cr || c->text.p[c->at] == '\n';
    c->at++;
    if (cr && c->at < c->text.n && c->text.p[c->at] == '\n')
        c->at++;
}

static ct_str take_line(cursor *c)
{
    size_t start = c->at;

    next_line(c);
    return (ct_str){c->text.p + start, c->at - start};
}

/* To the next header, or the reason of a --reject file, behind the line that the cursor is in. */
static ct_str take_until_header(cursor *c)
{
    size_t start = c->at;

    do
        next_line(c);
    while (c->at < c->text.n && !is_header(ct_str_from(c->text, c->at)) &&
           !import_is_reason(ct_str_from(c->text, c->at)));
    return (ct_str){c->text.p + start, c->at - start};
}

/* ---- messages ---- */

static void put_resources(const import_setup *setup, import_block *b, const import_run *run)
{
    ct_buf line = {0};

    for (size_t i = 0; i < run->n; i++) {
        const ct_ftype *type = ct_model_type(setup->model, run->resources[i]->type);
        line.n = 0;
        ct_tree_write(&line, run->resources[i]->tree);
        ct_lines_add(&b->lines, ct_buf_str(&line), type ? type->name : CT_S(""));
    }
    ct_buf_free(&line);
}

static void take_message(const import_setup *setup, import_memo *memo, import_block *b, ct_str raw,
                         uint64_t line)
{
    ct_err err = {0};
    import_run run = {.maps = setup->maps,
                      .memo = memo,
                      .a = b->scratch,
                      .err = &err,
                      .keep_source = setup->keep_source};

    ct_arena_reset(b->scratch);
    memcpy(run.zone, setup->zone, sizeof run.zone);
    b->messages++;
    if (import_run_message(&run, raw) &&
        !(setup->strict && import_values_lost(setup->maps, &run.message, &err))) {
        put_resources(setup, b, &run);
        ct_side_add(&b->in, raw, CT_S("message"));
        b->created += run.n;
        b->consumed++;
        b->assumed += run.assumed;
        import_values_count(setup, b, &run.message);
    } else {
        err.line = line;
        import_block_problem(b, &err, raw, false);
    }
}

/* ---- batches ---- */

/* BTS-1 or FTS-1 says how many there should be. */
static void note_header(import_block *b, ct_str raw, uint64_t line)
{
    import_batch *h = ct_arena_alloc(b->arena, sizeof *h);
    ct_str rest = raw, count;

    *h = (import_batch){.line = line, .messages = b->messages};
    if (ct_str_starts(rest, CT_S("\xef\xbb\xbf")))
        rest = ct_str_from(rest, 3);
    h->starts = ct_str_starts(rest, CT_S("BHS"));
    if (ct_str_starts(rest, CT_S("BTS")) && rest.n > 4) {
        rest = ct_str_from(rest, 4);
        size_t n = 0;
        while (n < rest.n && rest.p[n] >= '0' && rest.p[n] <= '9')
            n++;
        count = ct_str_head(rest, n);
        h->claims = ct_str_u64(count, &h->claimed);
    }
    *b->batches_end = h;
    b->batches_end = &h->next;
}

/* ---- the block ---- */

/* Over blanks and over lines that tell a reason. */
static void skip_between(cursor *c)
{
    while (c->at < c->text.n) {
        char ch = c->text.p[c->at];
        if (import_ends_line(ch) || import_is_reason(ct_str_from(c->text, c->at)))
            next_line(c);
        else if (ch == ' ' || ch == '\t')
            c->at++;
        else
            return;
    }
}

static void refuse(import_block *b, ct_str raw, uint64_t line)
{
    ct_err err = {0};

    ct_fail(&err, CT_E_DATA, "not a message: it does not begin with MSH");
    err.line = line;
    import_block_problem(b, &err, raw, false);
}

void import_hl7v2_work(const import_setup *setup, import_block *b)
{
    cursor c = {.text = ct_buf_str(&b->text)};
    import_memo *memo = import_memo_take(setup->memos);

    for (skip_between(&c); c.at < c.text.n; skip_between(&c)) {
        uint64_t line = c.line;
        ct_str start = ct_str_from(c.text, c.at);
        if (is_header(start) && !is_message(start))
            note_header(b, take_line(&c), line);
        else if (is_message(start))
            take_message(setup, memo, b, take_until_header(&c), line);
        else
            refuse(b, take_until_header(&c), line);
    }
    b->nlines = c.line;
    import_memo_give(setup->memos, memo);
}
