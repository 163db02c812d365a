/* `chart CMD …` runs chart-CMD. It looks beside itself first, so that a build that is not installed
 * runs its own commands, then in the PATH. */
#include "common/cli/cli.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern const ct_datafile ct_cmd_data[];

static const ct_command command = {.name = "chart", .summary = "medical records at the shell"};

/* The rows of commands.tsv: name, summary. */
static bool next_command(ct_str *rest, ct_str cols[2])
{
    return ct_tsv_next(rest, cols, 2, NULL) == 2;
}

static ct_str command_table(void)
{
    const ct_datafile *f = ct_datafile_find(ct_cmd_data, "commands.tsv");

    return f ? (ct_str){f->text, f->n} : CT_S("");
}

static void help(FILE *to)
{
    ct_str rest = command_table(), cols[2];

    fprintf(
        to,
        "Usage: chart COMMAND [OPTION]... [FILE]...\n"
        "\nMedical records at the shell: FHIR R4 resources, one JSON line each, from command to\n"
        "command.\n\nCommands:\n");
    while (next_command(&rest, cols))
        fprintf(to, "  %-10.*s%.*s\n", (int)cols[0].n, cols[0].p, (int)cols[1].n, cols[1].p);
    fprintf(to, "\n  chart COMMAND --help   options and examples\n"
                "  chart help COMMAND     the manual page\n"
                "\nExample:\n"
                "  chart import feed.hl7 | chart audit\n");
}

static void completion(void)
{
    ct_str rest = command_table(), cols[2];

    printf("help\n");
    while (next_command(&rest, cols))
        printf("%.*s\n", (int)cols[0].n, cols[0].p);
}

static bool is_command(const char *name)
{
    ct_str rest = command_table(), cols[2];

    while (next_command(&rest, cols))
        if (ct_str_is(cols[0], name))
            return true;
    return false;
}

/* The folder this program stands in, with a slash behind it; empty where the system does not tell.
 */
static void own_folder(ct_buf *b)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path));

    while (n > 0 && path[n - 1] != '/')
        n--;
    if (n > 0)
        ct_buf_put(b, (ct_str){path, (size_t)n});
}

/* Runs chart-NAME with the arguments from its name on. Comes back only where that fails: with the
 * reason, ENOENT where there is none. */
static int run(const char *name, char **argv)
{
    ct_buf beside = {0}, plain = {0};

    ct_buf_printf(&plain, "chart-%s", name);
    ct_buf_c(&plain, '\0');
    own_folder(&beside);
    if (beside.n) {
        ct_buf_z(&beside, plain.p);
        ct_buf_c(&beside, '\0');
        argv[0] = beside.p;
        execv(beside.p, argv);
        if (errno != ENOENT)
            return errno;
    }
    argv[0] = plain.p;
    execvp(plain.p, argv);
    return errno;
}

/* False where there is no man(1), or it has no such page. */
static bool shown_by_man(const char *page)
{
    int status = -1;
    pid_t man = fork();

    if (man == 0) {
        execlp("man", "man", page, (char *)NULL);
        _exit(127);
    }
    while (man > 0 && waitpid(man, &status, 0) < 0 && errno == EINTR)
        ;
    return man > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The page of a build that is not installed stands in ../man; man(1) takes a name with a slash for
 * a file. */
static int help_on(ct_cli *c, const char *name)
{
    ct_buf page = {0};
    char option[] = "--help";

    if (!is_command(name))
        ct_cli_usage(c, "there is no command of that name");
    own_folder(&page);
    ct_buf_printf(&page, "../man/chart-%s.1", name);
    ct_buf_c(&page, '\0');
    if (access(page.p, R_OK) != 0) {
        page.n = 0;
        ct_buf_printf(&page, "chart-%s", name);
        ct_buf_c(&page, '\0');
    }
    if (!shown_by_man(page.p)) {
        int why = run(name, (char *[]){NULL, option, NULL});
        ct_cli_problem(c, CT_FAULT, "chart-%s could not be run: %s", name, strerror(why));
    }
    ct_buf_free(&page);
    return ct_cli_printed(c);
}

/* What chart answers by itself; false where the word is none of those. */
static bool answer(const char *word)
{
    if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        help(stdout);
    else if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
        printf("chart %s\n", CT_VERSION);
    else if (strcmp(word, "--completion") == 0)
        completion();
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    ct_cli c;
    const char *first = argc > 1 ? argv[1] : NULL;
    int why;

    ct_cli_start(&c, &command, argc, argv);
    if (!first) {
        help(stderr);
        c.status = CT_FAULT;
        return ct_cli_printed(&c);
    }
    if (strcmp(first, "help") == 0 && argc > 2 && strcmp(argv[2], "--completion") == 0)
        first = argv[2];
    else if (strcmp(first, "help") == 0 && argc > 2)
        return help_on(&c, argv[2]);
    if (answer(first))
        return ct_cli_printed(&c);
    if (first[0] == '-' || first[0] == '\0' || strchr(first, '/'))
        ct_cli_usage(&c, "the first word must be a command");
    why = run(first, argv + 1);
    if (why != ENOENT || is_command(first))
        ct_cli_usage(&c, "chart-%s could not be run: %s", first, strerror(why));
    ct_cli_usage(&c, "there is no command %s", first);
}
