/* --help, and what shell completion asks for. */
#include "common/cli/internal.h"

#include <stdio.h>
#include <stdlib.h>

static void put_option(const ct_opt *o)
{
    char left[48];
    int n;

    if (o->id < 256)
        n = snprintf(left, sizeof(left), "  -%c, --%s%s%s", o->id, o->name, o->arg ? " " : "",
                     o->arg ? o->arg : "");
    else
        n = snprintf(left, sizeof(left), "      --%s%s%s", o->name, o->arg ? " " : "",
                     o->arg ? o->arg : "");
    if (n > 27)
        printf("%s\n%28s%s\n", left, "", o->help);
    else
        printf("%-28s%s\n", left, o->help);
}

static void put_synopsis(const ct_command *command)
{
    ct_str rest = ct_str_z(command->synopsis);
    const char *label = "Usage:";

    while (rest.p) {
        ct_str form = ct_str_cut(&rest, '\n');

        printf("%s chart %s %.*s\n", label, command->name, (int)form.n, form.p);
        label = "      ";
    }
}

void ct_cli_help(ct_cli *c)
{
    const ct_command *command = c->command;

    put_synopsis(command);
    printf("\n%s\n\nOptions:\n", command->summary);
    for (size_t i = 0; i < c->opts->n; i++)
        if (c->opts->table[i].help)
            put_option(&c->opts->table[i]);
    printf("\nExit status: 0 done, 1 the answer is no, 2 it could not be done.\n");
    if (command->examples)
        printf("\nExamples:\n%s", command->examples);
    printf("\nThe manual: man %s\n", c->prog);
    exit(ct_cli_printed(c));
}

void ct_cli_completion(ct_cli *c)
{
    for (const char *const *s = c->command->subcommands; s && *s; s++)
        printf("%s\n", *s);
    for (size_t i = 0; i < c->opts->n; i++)
        if (c->opts->table[i].help)
            printf("--%s%s\n", c->opts->table[i].name, c->opts->table[i].arg ? "=" : "");
    exit(ct_cli_printed(c));
}
