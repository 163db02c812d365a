/* What happens before a command looks at its options, and when it is stopped from outside. */
#include "common/cli/internal.h"

#include <errno.h>
#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A closed descriptor 0, 1 or 2 would be given to the next file opened, and records would be
 * written into a database or messages into records. It is opened the wrong way round on purpose:
 * using it still fails. */
static void hold_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            if (open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
                _exit(CT_FAULT);
}

static void on_signal(int sig)
{
    ct_out_cleanup();
    signal(sig, SIG_DFL);
    raise(sig);
}

static void catch_signals(void)
{
    static const int signals[] = {SIGINT,  SIGTERM, SIGHUP, SIGPIPE, SIGQUIT, SIGALRM, SIGXCPU,
                                  SIGUSR1, SIGUSR2, SIGBUS, SIGFPE,  SIGILL,  SIGSEGV, SIGABRT};
    struct sigaction act = {.sa_handler = on_signal};
    struct sigaction old;

    sigemptyset(&act.sa_mask);
    for (size_t i = 0; i < CT_LEN(signals); i++)
        /* What the parent ignores (nohup) stays ignored, what a sanitizer handles is its own. */
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
            sigaction(signals[i], &act, NULL);
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is a write error, not a crash */
}

static void (*tidy_at_oom)(void);

void ct_cli_at_oom(void (*tidy)(void))
{
    tidy_at_oom = tidy;
}

static bool ending;

void ct_cli_ending(void)
{
    ending = true;
}

/* A command may end before what was opened for it is finished. libarchive, where it has no memory,
 * says so and ends the program with status 1, which would be an answer. */
static void at_exit(void)
{
    ct_out_cleanup();
    if (ending)
        return;
    if (tidy_at_oom)
        tidy_at_oom();
    _exit(CT_FAULT);
}

static const char *program = "chart"; /* for where there is no memory to keep its name in */

static void on_oom(void)
{
    static const char text[] = ": out of memory\n";
    char line[64];
    size_t n = strlen(program);

    ct_out_cleanup();
    if (tidy_at_oom)
        tidy_at_oom();
    if (n > sizeof(line) - sizeof(text))
        n = sizeof(line) - sizeof(text);
    memcpy(line, program, n);
    memcpy(line + n, text, sizeof(text) - 1);
    if (write(STDERR_FILENO, line, n + sizeof(text) - 1) < 0)
        _exit(CT_FAULT);
    _exit(CT_FAULT);
}

/* glibc raises its threshold for what it maps by itself to the largest block that was ever freed;
 * from then on the memory of a large chart is never given back. */
static void return_large_blocks(void)
{
#ifdef __GLIBC__
    enum { LARGE = 256 * 1024 };

    mallopt(M_MMAP_THRESHOLD, LARGE);
#endif
}

static const char *program_name(const char *command)
{
    ct_str first = ct_str_head(ct_str_z(command), strcspn(command, " "));
    ct_buf b = {0};

    if (!ct_str_is(first, "chart"))
        ct_buf_z(&b, "chart-");
    ct_buf_put(&b, first);
    ct_buf_c(&b, '\0');
    return b.p; /* for the life of the program */
}

void ct_cli_start(ct_cli *c, const ct_command *command, int argc, char **argv)
{
    hold_standard_descriptors();
    umask(077);
    return_large_blocks();
    ct_on_oom(on_oom);
    *c = (ct_cli){.command = command,
                  .prog = program_name(command->name),
                  .argc = argc,
                  .argv = argv,
                  .progress = -1};
    program = c->prog;
    catch_signals();
    atexit(at_exit);
    c->db = getenv("CHART_DB");
    c->db_given = c->db && *c->db;
    if (!c->db_given)
        c->db = "charts.db";
    ct_cli_table_build(c);
}

void ct_cli_forget(ct_cli *c)
{
    for (size_t i = 0; i < c->ntables; i++)
        free(c->tables[i].joined);
    free(c->opts);
    free(c->tables);
    program = "chart";
    free((char *)c->prog);
    c->tables = NULL;
    c->ntables = 0;
    c->opts = NULL;
    c->prog = NULL;
}
