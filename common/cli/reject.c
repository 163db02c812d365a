/* Records that could not be read: told, kept, counted. */
#include "common/cli/internal.h"

#include <string.h>

enum { BAD_SHOWN = 20 }; /* rejected records that are reported one by one */

/* Writes the reason as a comment line, then the bytes as they came, ended by LF. */
static void keep(ct_cli *c, const char *name, const ct_err *err, ct_str raw)
{
    ct_buf b = {0};

    ct_buf_printf(&b, "# %s: ", strcmp(c->prog, "chart") == 0 ? "chart-" : c->prog);
    ct_cli_describe(&b, name, err);
    b.p[b.n - 1] = '\n';
    ct_out_put(c->reject, ct_buf_str(&b));
    ct_out_put(c->reject, raw);
    if (raw.n == 0 || raw.p[raw.n - 1] != '\n')
        ct_out_put(c->reject, CT_S("\n"));
    ct_buf_free(&b);
}

void ct_cli_reject(ct_cli *c, const char *name, const ct_err *err, ct_str raw)
{
    if (c->bad++ < BAD_SHOWN)
        ct_cli_error(c, CT_NO, name, err);
    else if (c->bad == BAD_SHOWN + 1)
        ct_cli_problem(c, CT_NO, "more was rejected; from here on it is only counted");
    if (c->reject)
        keep(c, name, err, raw);
    ct_side_add(&c->tally.in, raw, CT_S(""));
    c->tally.rejected++;
}

void ct_cli_bad(void *cli, const ct_record *rec, const ct_err *err)
{
    ct_err e = *err;

    if (!e.file)
        e.file = rec->file;
    if (!e.line)
        e.line = rec->number;
    ct_cli_reject(cli, NULL, &e, rec->line);
}
