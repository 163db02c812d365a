/* Is an input in order? */
#include "cmd/sort/sort.h"

static bool disorder(const ct_record *rec, ct_err *err, const char *text)
{
    ct_fail(err, CT_E_DATA, text);
    err->file = rec->file;
    err->line = rec->number;
    return false;
}

static bool compare(const sort_last *last, const ct_record *rec, const ct_entry *e, ct_err *err)
{
    ct_entry ahead = {.key = ct_buf_str(&last->key), .patient = last->patient};

    if (ct_entry_cmp(&ahead, e) <= 0)
        return true;
    if (!e->key.n)
        return disorder(rec, err, "not sorted: it belongs to nobody and stands behind a chart");
    if (ct_str_eq(ahead.key, e->key))
        return disorder(rec, err, "not sorted: a Patient that is not at the head of its chart");
    return disorder(rec, err, "not sorted: its chart comes before that of the record ahead");
}

bool sort_in_order(sort_last *last, const ct_record *rec, const ct_entry *e, ct_err *err)
{
    /* Lines are numbered anew in each input, which may be one file twice. */
    bool same_input = rec->file == last->file && rec->number > last->number;

    if (same_input && !compare(last, rec, e, err))
        return false;
    last->key.n = 0;
    ct_buf_put(&last->key, e->key);
    last->patient = e->patient;
    last->file = rec->file;
    last->number = rec->number;
    return true;
}

/* ---- --check ---- */

/* The inputs are one stream: the first record of one stands behind the last of the other. */
static bool goes_on(sort_last *last, const ct_record *rec, const ct_entry *e, ct_err *err)
{
    if (last->file) {
        last->file = rec->file;
        last->number = 0;
    }
    return sort_in_order(last, rec, e, err);
}

void sort_check(sort_run *s)
{
    ct_reader *r = ct_reader_new(s->model, (const char *const *)s->cli.args, s->cli.nargs);
    ct_arena *a = ct_arena_new();
    sort_last last = {0};
    ct_record rec;
    ct_err err = {0};
    ct_got got = CT_GOT_END;
    bool ok = true;

    while (ok && (got = ct_reader_next(r, &rec, &err)) != CT_GOT_END && got != CT_GOT_FATAL) {
        if (got == CT_GOT_BAD)
            ct_cli_bad(&s->cli, &rec, &err);
        else {
            ct_entry e = sort_entry(s, &rec, a);
            s->cli.tally.consumed++;
            ok = goes_on(&last, &rec, &e, &err);
        }
        ct_arena_reset(a);
        ct_cli_progress(&s->cli, ct_reader_bytes(r));
    }
    if (got == CT_GOT_FATAL)
        ct_cli_error(&s->cli, CT_FAULT, NULL, &err);
    else if (!ok && !s->cli.quiet)
        ct_cli_error(&s->cli, CT_NO, NULL, &err);
    else if (!ok && s->cli.status < CT_NO)
        s->cli.status = CT_NO;
    ct_buf_free(&last.key);
    ct_arena_free(a);
    ct_reader_free(r);
}
