/* What every command shares: options from one table, help, completion, diagnostics, exit status,
 * and the books. Only commands use it; it alone prints and exits.
 *
 *     static const ct_opt options[] = {{'r', "rules", "FILE", "use these rules"}, {0}};
 *     static const ct_command command = {.name = "audit", …, .options = options};
 *
 *     int main(int argc, char **argv)
 *     {
 *         ct_cli c;
 *         int opt;
 *         ct_cli_start(&c, &command, argc, argv);
 *         while ((opt = ct_cli_option(&c)) != CT_CLI_DONE)
 *             …
 *         …
 *         return ct_cli_finish(&c);
 *     }
 */
#ifndef CT_CLI_H
#define CT_CLI_H

#include "common/stream/stream.h"

/* Exit status, the same everywhere. A run's status only ever rises. */
enum ct_status {
    CT_DONE = 0,  /* done */
    CT_NO = 1,    /* done, and the answer is no; the output is valid */
    CT_FAULT = 2, /* it could not be done; do not trust the output */
};

/* An option. One without a letter has a number from CT_OPT_OWN on for its `id`; `id` 0 ends the
 * table. `arg` NULL for a flag. */
typedef struct ct_opt {
    int id;           /* the letter, or a number from CT_OPT_OWN for a long-only option */
    const char *name; /* long name */
    const char *arg;  /* what its argument is called in help, or NULL */
    const char *help; /* one line */
} ct_opt;

enum { CT_OPT_OWN = 512 };

/* Which of the common options a command has. -h --help, -V --version, -q --quiet, --show-values and
 * --completion are everyone's. */
enum {
    CT_HAS_OUTPUT = 1 << 0,   /* -o, --output FILE */
    CT_HAS_REJECT = 1 << 1,   /* --reject FILE */
    CT_HAS_TALLY = 1 << 2,    /* --tally FILE */
    CT_HAS_JOBS = 1 << 3,     /* -j, --jobs N */
    CT_HAS_DB = 1 << 4,       /* --db FILE */
    CT_HAS_ASOF = 1 << 5,     /* --as-of DATE */
    CT_HAS_PROGRESS = 1 << 6, /* --progress, --no-progress */
    CT_HAS_SORTED = 1 << 7,   /* --sorted */
};

typedef struct ct_command {
    const char *name;     /* "audit" */
    const char *summary;  /* one line: what it is for */
    const char *synopsis; /* what follows "chart audit": "[OPTION]... [FILE]..." ; several by \n */
    const char *const *subcommands; /* for completion; ends with NULL; may be NULL */
    unsigned common;                /* CT_HAS_… */
    const ct_opt *options;
    const char *examples; /* lines to show under EXAMPLES */
} ct_command;

typedef struct ct_cli {
    const ct_command *command;
    const char *prog; /* "chart-audit" */
    int argc;
    char **argv;
    const char *arg; /* argument of the option just returned */
    char **args;     /* what is left behind the options, once CT_CLI_DONE came */
    size_t nargs;
    size_t ahead; /* how many of them are no inputs, ahead of those that are; the command sets it
                     before CT_CLI_DONE */
    /* common options */
    const char *output, *reject_path, *tally_path,
        *db;       /* NULL where not given; db has its default */
    bool db_given; /* by --db or $CHART_DB */
    int jobs;
    bool quiet, show_values;
    bool sorted;      /* the input is */
    int progress;     /* 1 on, 0 off, -1 as the terminal says */
    ct_date as_of;    /* --as-of or today (local), day precision */
    bool as_of_given; /* as_of is from --as-of */
    /* state */
    ct_out *out, *reject, *books;
    ct_tally
        tally; /* its sides are `off` where no --tally was given: copy that to sides of your own */
    uint64_t bad; /* rejected so far; only the first are reported one by one */
    struct ct_table {
        const char *name, *version;
        char *joined; /* private */
    } * tables;       /* for the tally */
    size_t ntables;
    ct_buf members; /* of the tally, of the command's own */
    int status;
    /* private */
    struct ct_optstate *opts;
    int64_t meter_last; /* ms, when the progress line was drawn; 0: never */
    int64_t meter_start, meter_out;
} ct_cli;

enum { CT_CLI_DONE = -1 };

/* First call of main: closed standard descriptors, umask 077, signals (those that
 * end a program by default remove unfinished files first), the out-of-memory hook. */
void ct_cli_start(ct_cli *c, const ct_command *command, int argc, char **argv);
/* What else to clean up where memory runs out, before that is said. */
void ct_cli_at_oom(void (*tidy)(void));
/* The next option of the command's own table, its argument in c->arg; CT_CLI_DONE at the end.
 * Common options, --help and wrong usage (one line, exit 2) are dealt with inside. */
int ct_cli_option(ct_cli *c);
/* The argument of the last option as a number within bounds, else a usage error. */
uint64_t ct_cli_number(ct_cli *c, uint64_t min, uint64_t max);
/* The argument of the last option as one of the words of a NULL-ended list: its index, else a usage
 * error. */
int ct_cli_word(ct_cli *c, const char *const *words);
/* For a file (NULL: none) that the command writes by an option of its own, once CT_CLI_DONE came:
 * a usage error where it is one that a common option writes, whatever it is called, stdout when
 * records go there, or an input. */
void ct_cli_apart(ct_cli *c, const char *option, const char *path);
/* The local day, whatever --as-of says. */
ct_date ct_cli_today(void);

/* Says what is wrong with the command line, points to --help, exits 2. */
CT_PRINTF(2, 3) _Noreturn void ct_cli_usage(ct_cli *c, const char *format, ...);

/* One line on stderr: `chart-audit: …`. No values of records. */
CT_PRINTF(2, 3) void ct_cli_say(const ct_cli *c, const char *format, ...);
/* The same, and raises the status. `format` as printf. */
CT_PRINTF(3, 4) void ct_cli_problem(ct_cli *c, int status, const char *format, ...);
/* `chart-import: feed.hl7:12: PID-7: not a date`; raises the status. `name` stands in where
 * err->file is NULL. */
void ct_cli_error(ct_cli *c, int status, const char *name, const ct_err *err);
/* ct_cli_error with CT_FAULT, then ct_cli_finish and exit: for what leaves no way to go on. */
_Noreturn void ct_cli_die(ct_cli *c, const char *name, const ct_err *err);

/* Opens c->output (or stdout) as c->out, once; dies where it cannot. */
ct_out *ct_cli_out(ct_cli *c);
/* The charts of `in`, by what the command line asks for; bad records are dealt with by ct_cli_bad.
 */
ct_charts *ct_cli_charts(ct_cli *c, ct_blocks *in);
/* A record that cannot be used: reports it (CT_NO), writes it with its reason to --reject, enters
 * it in the books as read and rejected. Fits ct_bad_fn with the ct_cli as `ctx`. */
void ct_cli_bad(void *cli, const ct_record *rec, const ct_err *err);
/* Keeps verbatim bytes in the reject file with a reason, and counts them: for inputs that are no
 * records yet. */
void ct_cli_reject(ct_cli *c, const char *name, const ct_err *err, ct_str raw);
/* Writes finished lines to c->out and merges their books into the tally; false after a write error
 * (which is reported by ct_cli_finish). Empties `l`. */
bool ct_cli_lines(ct_cli *c, ct_lines *l);
/* Names a table, rule pack or policy that decided, for the tally. Both strings must live on. One
 * that is named again with another version is listed with both. */
void ct_cli_table(ct_cli *c, const char *name, const char *version);
/* Adds a member of the command's own to the tally: `json` is its value. */
void ct_cli_tally_member(ct_cli *c, const char *name, ct_str json);
/* Draws the progress line where it is wanted, at most five times a second. Fits ct_progress_fn with
 * the ct_cli as `ctx`. */
void ct_cli_progress(void *cli, const ct_progress *p);
/* The inputs that are named on the command line, but for the first `ahead` arguments; their
 * progress is shown. Free it before ct_cli_finish. */
ct_blocks *ct_cli_inputs(ct_cli *c, size_t ahead);

/* For what was printed on stdout without ct_cli_out: a write that failed is reported and makes the
 * status CT_FAULT. Returns the status. */
int ct_cli_printed(ct_cli *c);
/* An output could not be written: reports it, or ends quietly where its reader has gone away. */
void ct_cli_unwritten(ct_cli *c, const char *name, const ct_err *err);
/* Closes --reject, before an output that this layer does not close gets its name: where what was
 * rejected is lost, that cannot be trusted. False where the status is CT_FAULT. */
bool ct_cli_rejects_kept(ct_cli *c);
/* Closes all (abandoning -o where the status is CT_FAULT), writes the tally, returns the exit
 * status. A write that failed makes it CT_FAULT. */
int ct_cli_finish(ct_cli *c);

#endif
