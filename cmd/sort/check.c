/* --check: are the inputs, one after another, in order? */
#include "cmd/sort/sort.h"

typedef struct checking {
    ct_order last;
    bool disorder;
} checking;

static bool goes_on(void *ctx, const ct_record *rec, ct_entry *e, ct_err *err)
{
    checking *c = ctx;

    c->disorder = !ct_order_next(&c->last, e, rec->file, err);
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
