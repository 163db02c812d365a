/* Shared by the files of common/cli only. */
#ifndef CT_CLI_INTERNAL_H
#define CT_CLI_INTERNAL_H

#include "common/cli/cli.h"

/* Ids of the common long-only options; those with a letter use it. */
enum {
    OPT_REJECT = 256,
    OPT_TALLY,
    OPT_DB,
    OPT_ASOF,
    OPT_PROGRESS,
    OPT_NO_PROGRESS,
    OPT_SHOW_VALUES,
    OPT_SORTED,
    OPT_COMPLETION,
};

enum { OPTIONS_MAX = 64 };

/* The option parser's memory: the merged table, and which options were used (for the tally). */
struct ct_optstate {
    ct_opt table[OPTIONS_MAX];
    size_t n;
    uint64_t used; /* bit i: table[i] was given */
    int current;   /* index of the option that was returned last */
};

/* Builds the table of common and own options. */
void ct_cli_table_build(ct_cli *c);
/* Appends `feed.hl7:12: PID-7: not a date: Permission denied`, without the parts that are not
 * known, and a NUL. */
void ct_cli_describe(ct_buf *b, const char *name, const ct_err *err);
/* The exit that comes is one of ours. */
void ct_cli_ending(void);
/* --help on stdout; exits 0. */
_Noreturn void ct_cli_help(ct_cli *c);
/* --completion: one option or subcommand a line on stdout; exits 0. */
_Noreturn void ct_cli_completion(ct_cli *c);
/* Gives back what ct_cli_start made; nothing can be said after that. */
void ct_cli_forget(ct_cli *c);
/* Takes the progress line off the terminal, so that something else can be said. */
void ct_cli_meter_clear(const ct_cli *c);

#endif
