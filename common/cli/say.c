/* Diagnostics: one line on stderr, never a value of a record. Knows nothing of streams, so that
 * `chart`, which runs the other commands, is linked with no library of theirs. */
#include "common/cli/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void ct_cli_describe(ct_buf *b, const char *name, const ct_err *err)
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

    ct_cli_describe(&b, name, err);
    ct_cli_problem(c, status, "%s", b.p);
    ct_buf_free(&b);
}

void ct_cli_usage(ct_cli *c, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s: ", c->prog);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    if (strcmp(c->command->name, "chart") == 0)
        fprintf(stderr, "; see chart help\n");
    else
        fprintf(stderr, "; see chart %s --help\n", c->command->name);
    ct_cli_ending();
    exit(CT_FAULT);
}

/* A reader that has gone away is no error of ours: end as SIGPIPE would have ended us. */
static void end_as_sigpipe(void)
{
    ct_out_cleanup();
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
}

void ct_cli_unwritten(ct_cli *c, const char *name, const ct_err *err)
{
    if (err->kind == CT_E_IO && err->sys == EPIPE)
        end_as_sigpipe();
    ct_cli_error(c, CT_FAULT, name, err);
}

int ct_cli_printed(ct_cli *c)
{
    ct_err err = {0};

    ct_cli_ending();
    errno = 0;
    if (fflush(stdout) != 0 || ferror(stdout)) {
        if (errno == EPIPE)
            end_as_sigpipe();
        ct_fail_sys(&err, errno, "cannot write");
        ct_cli_error(c, CT_FAULT, "(standard output)", &err);
    }
    return c->status;
}
