/* Diagnostics: one line on stderr, never a value of a record. */
#include "common/cli/internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BAD_SHOWN = 20 }; /* rejected records that are reported one by one */

static void raise_status(ct_cli *c, int status)
{
    if (status > c->status)
        c->status = status;
}

static void say(const ct_cli *c, const char *format, va_list args)
{
    char line[1024];

    /* One write for one line, so that the lines of a pipeline do not mix. */
    vsnprintf(line, sizeof(line), format, args);
    ct_cli_meter_clear(c);
    fprintf(stderr, "%s: %s\n", c->prog, line);
}

void ct_cli_say(const ct_cli *c, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(c, format, args);
    va_end(args);
}

void ct_cli_problem(ct_cli *c, int status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(c, format, args);
    va_end(args);
    raise_status(c, status);
}

/* A file's name may hold what must not reach a terminal, or would end the line. */
static void put_name(ct_buf *b, const char *name)
{
    for (; *name; name++)
        ct_buf_c(b, (unsigned char)*name < ' ' || *name == 0x7f ? '?' : *name);
}

/* `feed.hl7:12: PID-7: not a date: Permission denied`, without the parts that are not known. */
static void describe(ct_buf *b, const char *name, const ct_err *err)
{
    const char *file = err->file ? err->file : name;

    if (file) {
        put_name(b, file);
        ct_buf_c(b, ':');
    }
    if (err->line)
        ct_buf_printf(b, "%" PRIu64 ":", err->line);
    if (file || err->line)
        ct_buf_c(b, ' ');
    if (err->where[0])
        ct_buf_printf(b, "%s: ", err->where);
    else if (err->offset)
        ct_buf_printf(b, "byte %" PRIu64 ": ", err->offset + 1);
    ct_buf_z(b, err->text ? err->text : "failed");
    if (err->sys)
        ct_buf_printf(b, ": %s", strerror(err->sys));
    ct_buf_c(b, '\0');
}

void ct_cli_error(ct_cli *c, int status, const char *name, const ct_err *err)
{
    ct_buf b = {0};

    describe(&b, name, err);
    ct_cli_problem(c, status, "%s", b.p);
    ct_buf_free(&b);
}

void ct_cli_die(ct_cli *c, const char *name, const ct_err *err)
{
    ct_cli_error(c, CT_FAULT, name, err);
    exit(ct_cli_finish(c));
}

/* Writes the reason as a comment line, then the bytes as they came, ended by LF. */
static void keep(ct_cli *c, const char *name, const ct_err *err, ct_str raw)
{
    ct_buf b = {0};

    ct_buf_printf(&b, "# %s: ", strcmp(c->prog, "chart") == 0 ? "chart-" : c->prog);
    describe(&b, name, err);
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
