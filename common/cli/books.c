/* Output, the tally, and how a run ends. */
#include "common/cli/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEEP = 4 * 1024 * 1024 };

ct_out *ct_cli_out(ct_cli *c)
{
    ct_err err = {0};

    if (!c->out && !(c->out = ct_out_open(c->output, &err)))
        ct_cli_die(c, c->output, &err);
    return c->out;
}

ct_blocks *ct_cli_inputs(ct_cli *c, size_t ahead)
{
    ct_blocks *in = ct_blocks_new((const char *const *)c->args + ahead, c->nargs - ahead);

    ct_blocks_watch(in, ct_cli_progress, c);
    return in;
}

ct_charts *ct_cli_charts(ct_cli *c, ct_blocks *in)
{
    ct_charts *charts = ct_charts_new(in, c->jobs, 0, &c->tally.in, ct_cli_bad, c);

    if (c->sorted)
        ct_charts_sorted(charts);
    return charts;
}

bool ct_cli_lines(ct_cli *c, ct_lines *l)
{
    bool ok = ct_out_put(ct_cli_out(c), ct_buf_str(&l->buf));

    ct_side_merge(&c->tally.out, &l->side);
    ct_side_clear(&l->side);
    l->buf.n = 0;
    if (l->buf.cap > KEEP) /* one huge record needed it */
        ct_buf_free(&l->buf);
    return ok;
}

void ct_cli_table(ct_cli *c, const char *name, const char *version)
{
    struct ct_table *t = c->tables;
    ct_buf both = {0};

    while (t < c->tables + c->ntables && strcmp(t->name, name) != 0)
        t++;
    if (t == c->tables + c->ntables) {
        c->tables = ct_grow(c->tables, c->ntables, sizeof(*c->tables));
        c->tables[c->ntables++] = (struct ct_table){.name = name, .version = version};
    } else if (strcmp(t->version, version) != 0) {
        ct_buf_printf(&both, "%s, %s", t->version, version);
        ct_buf_c(&both, '\0');
        free(t->joined);
        t->version = t->joined = both.p;
    }
}

static void put_pair(ct_buf *b, const char *name, uint64_t value)
{
    ct_buf_printf(b, ",\"%s\":%" PRIu64, name, value);
}

static int by_kind(const void *a, const void *b)
{
    const struct ct_kindcount *x = a, *y = b;

    return ct_str_cmp(x->kind, y->kind);
}

/* Kinds by name: in which order they came first depends on how the input fell into blocks. */
static void put_side(ct_buf *b, const char *name, ct_side *s)
{
    if (s->nkinds)
        qsort(s->kinds, s->nkinds, sizeof(*s->kinds), by_kind);
    ct_buf_printf(b, ",\"%s\":{\"records\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"sum\":\"", name,
                  s->records, s->bytes);
    ct_hex(b, s->sum, sizeof(s->sum));
    ct_buf_z(b, "\",\"kinds\":{");
    for (size_t i = 0; i < s->nkinds; i++) {
        ct_buf_z(b, i ? "," : "");
        ct_put_string(b, s->kinds[i].kind);
        ct_buf_printf(b, ":%" PRIu64, s->kinds[i].n);
    }
    ct_buf_z(b, "}}");
}

static void put_used_options(ct_buf *b, const struct ct_optstate *s)
{
    bool any = false;

    ct_buf_z(b, ",\"options\":[");
    for (size_t i = 0; i < s->n; i++)
        if (s->used & UINT64_C(1) << i) {
            ct_buf_printf(b, "%s\"--%s\"", any ? "," : "", s->table[i].name);
            any = true;
        }
    ct_buf_z(b, "]");
}

static void put_tables(ct_buf *b, const ct_cli *c)
{
    ct_buf_z(b, ",\"tables\":{");
    for (size_t i = 0; i < c->ntables; i++) {
        ct_buf_z(b, i ? "," : "");
        ct_put_string(b, ct_str_z(c->tables[i].name));
        ct_buf_c(b, ':');
        ct_put_string(b, ct_str_z(c->tables[i].version));
    }
    ct_buf_z(b, "}");
}

void ct_cli_tally_member(ct_cli *c, const char *name, ct_str json)
{
    ct_buf_printf(&c->members, ",\"%s\":", name);
    ct_buf_put(&c->members, json);
}

static void write_tally(ct_cli *c)
{
    ct_tally *t = &c->tally;
    ct_buf b = {0};

    ct_buf_printf(&b, "{\"command\":\"%s\",\"version\":\"%s\",\"status\":%d", c->command->name,
                  CT_VERSION, c->status);
    put_used_options(&b, c->opts);
    put_tables(&b, c);
    put_side(&b, "in", &t->in);
    put_side(&b, "out", &t->out);
    put_pair(&b, "created", t->created);
    put_pair(&b, "changed", t->changed);
    put_pair(&b, "rejected", t->rejected);
    put_pair(&b, "withheld", t->withheld);
    put_pair(&b, "consumed", t->consumed);
    ct_buf_put(&b, ct_buf_str(&c->members));
    ct_buf_printf(&b, ",\"balanced\":%s}\n", ct_tally_balanced(t) ? "true" : "false");
    ct_out_put(c->books, ct_buf_str(&b));
    ct_buf_free(&b);
}

/* One that failed, for which a run may have ended, tells why when it is closed, and gets no name.
 */
static void close_out(ct_cli *c, ct_out *out, const char *name, bool keep)
{
    ct_err err = {0};

    if (!keep && (!out || ct_out_put(out, (ct_str){0})))
        ct_out_abandon(out);
    else if (out && !ct_out_close(out, &err))
        ct_cli_unwritten(c, name, &err);
}

bool ct_cli_rejects_kept(ct_cli *c)
{
    ct_out *reject = c->reject;

    c->reject = NULL;
    close_out(c, reject, c->reject_path, true);
    return c->status < CT_FAULT;
}

int ct_cli_finish(ct_cli *c)
{
    bool file = c->output && strcmp(c->output, "-") != 0;

    ct_cli_ending();
    ct_cli_meter_clear(c);
    if (c->status < CT_FAULT && !ct_tally_balanced(&c->tally))
        ct_cli_problem(c, CT_FAULT, "the books do not balance: a fault of this program");
    ct_cli_rejects_kept(c);
    /* What went to stdout has gone; a file that cannot be trusted never gets its name. */
    close_out(c, c->out, file ? c->output : "(standard output)", c->status < CT_FAULT || !file);
    c->out = NULL;
    if (c->bad > 1)
        ct_cli_say(c, "%" PRIu64 " rejected", c->bad);
    if (c->books)
        write_tally(c);
    close_out(c, c->books, c->tally_path, true);
    c->books = NULL;
    ct_side_free(&c->tally.in);
    ct_side_free(&c->tally.out);
    ct_buf_free(&c->members);
    ct_cli_forget(c);
    return c->status;
}

void ct_cli_die(ct_cli *c, const char *name, const ct_err *err)
{
    ct_cli_error(c, CT_FAULT, name, err);
    exit(ct_cli_finish(c));
}
