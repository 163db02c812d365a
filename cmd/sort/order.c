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

typedef struct checking {
    sort_last last;
    bool disorder;
} checking;

/* The inputs are one stream: the first record of one stands behind the last of the other. */
static bool goes_on(void *ctx, const ct_record *rec, ct_entry *e, ct_err *err)
{
    checking *c = ctx;

    if (c->last.file && c->last.file != rec->file) {
        c->last.file = rec->file;
        c->last.number = 0;
    }
    c->disorder = !sort_in_order(&c->last, rec, e, err);
    return !c->disorder;
}

void sort_check(sort_run *s)
{
    ct_tally *tally = &s->cli.tally;
    checking c = {0};
    ct_err err = {0};
    bool ok = sort_take_in(s, NULL, goes_on, &c, &err);

    tally->consumed = tally->in.records - tally->rejected;
    if (!ok) {
        if (!c.disorder)
            ct_cli_error(&s->cli, CT_FAULT, NULL, &err);
        else if (!s->cli.quiet)
            ct_cli_error(&s->cli, CT_NO, NULL, &err);
        else if (s->cli.status < CT_NO)
            s->cli.status = CT_NO;
    }
    ct_buf_free(&c.last.key);
}
