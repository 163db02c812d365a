/* Options from one table: parsing, common options. */
#include "common/cli/internal.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const ct_opt *current(const ct_cli *c)
{
    return &c->opts->table[c->opts->current];
}

uint64_t ct_cli_number(ct_cli *c, uint64_t min, uint64_t max)
{
    uint64_t value;

    if (!ct_str_u64(ct_str_z(c->arg), &value) || value < min || value > max)
        ct_cli_usage(c, "--%s takes a number from %llu to %llu", current(c)->name,
                     (unsigned long long)min, (unsigned long long)max);
    return value;
}

int ct_cli_word(ct_cli *c, const char *const *words)
{
    ct_buf list = {0};

    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], c->arg) == 0)
            return i;
    for (int i = 0; words[i]; i++)
        ct_buf_printf(&list, "%s%s", i == 0 ? "" : words[i + 1] ? ", " : " or ", words[i]);
    ct_buf_c(&list, '\0');
    ct_cli_usage(c, "--%s takes %s", current(c)->name, list.p);
}

static const char *file_name(ct_cli *c)
{
    if (!*c->arg)
        ct_cli_usage(c, "--%s needs a file name", current(c)->name);
    return c->arg;
}

static void set_once(ct_cli *c, const char **where)
{
    if (*where)
        ct_cli_usage(c, "--%s is given twice", current(c)->name);
    *where = file_name(c);
}

static void set_as_of(ct_cli *c)
{
    if (!ct_date_parse(ct_str_z(c->arg), &c->as_of) || c->as_of.precision != CT_P_DAY)
        ct_cli_usage(c, "--as-of takes a date, YYYY-MM-DD");
    c->as_of_given = true;
}

/* Deals with a common option; false where it is the command's own. */
static bool common_option(ct_cli *c, int id)
{
    switch (id) {
    case 'o':
        set_once(c, &c->output);
        return true;
    case 'j':
        c->jobs = (int)ct_cli_number(c, 1, 256);
        return true;
    case OPT_REJECT:
        set_once(c, &c->reject_path);
        return true;
    case OPT_TALLY:
        set_once(c, &c->tally_path);
        return true;
    case OPT_DB:
        c->db = file_name(c);
        c->db_given = true;
        return true;
    case OPT_ASOF:
        set_as_of(c);
        return true;
    case OPT_PROGRESS:
    case OPT_NO_PROGRESS:
        c->progress = id == OPT_PROGRESS;
        return true;
    case 'q':
        c->quiet = true;
        return true;
    case OPT_SHOW_VALUES:
        c->show_values = true;
        return true;
    case OPT_SORTED:
        c->sorted = true;
        return true;
    case 'h':
        ct_cli_help(c);
    case OPT_COMPLETION:
        ct_cli_completion(c);
    case 'V':
        printf("%s %s\n", c->prog, CT_VERSION);
        exit(ct_cli_printed(c));
    default:
        return false;
    }
}

/* The table in the two forms getopt_long(3) wants. */
static void getopt_tables(const struct ct_optstate *s, struct option *longs, char *shorts)
{
    *shorts++ = ':';
    for (size_t i = 0; i < s->n; i++) {
        const ct_opt *o = &s->table[i];

        longs[i] = (struct option){
            .name = o->name, .has_arg = o->arg ? required_argument : no_argument, .val = o->id};
        if (o->id < 256) {
            *shorts++ = (char)o->id;
            if (o->arg)
                *shorts++ = ':';
        }
    }
    longs[s->n] = (struct option){0};
    *shorts = '\0';
}

static _Noreturn void wrong_option(ct_cli *c, int answer)
{
    const char *word = optind > 0 && optind <= c->argc ? c->argv[optind - 1] : "";
    bool is_long = strncmp(word, "--", 2) == 0;

    /* The name only: what stands behind '=' may be a value. */
    if (answer == ':')
        ct_cli_usage(c, "option %.*s needs an argument", (int)strcspn(word, "="), word);
    if (is_long)
        ct_cli_usage(c, "unknown, ambiguous or misused option %.*s", (int)strcspn(word, "="), word);
    ct_cli_usage(c, "unknown option -%c", optopt);
}

ct_date ct_cli_today(void)
{
    time_t now = time(NULL);
    struct tm tm;
    ct_date d = {0};

    if (localtime_r(&now, &tm))
        d = (ct_date){.precision = CT_P_DAY,
                      .year = (int16_t)(tm.tm_year + 1900),
                      .month = (uint8_t)(tm.tm_mon + 1),
                      .day = (uint8_t)tm.tm_mday};
    return d;
}

/* Is it where output goes that is given no file? */
static bool is_stdout(const char *path)
{
    return strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0;
}

/* What stat(2) says of the folder that `path` stands in. */
static bool stat_folder(const char *path, struct stat *st)
{
    const char *slash = strrchr(path, '/');
    ct_buf folder = {0};
    bool ok;

    ct_buf_put(&folder, (ct_str){path, slash ? (size_t)(slash + 1 - path) : 0});
    ct_buf_put(&folder, (ct_str){".", sizeof(".")});
    ok = stat(folder.p, st) == 0;
    ct_buf_free(&folder);
    return ok;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool stat_output(const char *path, struct stat *st)
{
    return (is_stdout(path) ? fstat(STDOUT_FILENO, st) : stat(path, st)) == 0;
}

/* Do two names, which need not be there yet, lead to one file? */
static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    bool there = stat_output(a, &x);

    if (there != stat_output(b, &y) || (there && !S_ISREG(x.st_mode)))
        return false;
    if (!there &&
        (strcmp(last_part(a), last_part(b)) != 0 || !stat_folder(a, &x) || !stat_folder(b, &y)))
        return false;
    return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Two outputs in one file would overwrite each other, and on stdout run into each other; one that
 * is an input would take its place. (Not so -o: to write what was read back is what people do.) */
void ct_cli_apart(ct_cli *c, const char *option, const char *path)
{
    bool prints = c->command->common & CT_HAS_OUTPUT;
    const struct {
        const char *option, *path;
    } others[] = {
        {"output", c->output ? c->output
                   : prints  ? "-"
                             : NULL},
        {"reject", c->reject_path},
        {"tally", c->tally_path},
    };

    for (size_t i = 0; path && i < CT_LEN(others); i++) {
        const char *other = others[i].path;
        if (!other || strcmp(others[i].option, option) == 0)
            continue;
        if (is_stdout(path) && is_stdout(other))
            ct_cli_usage(c, "--%s and --%s cannot both be standard output", others[i].option,
                         option);
        if (same_file(path, other))
            ct_cli_usage(c, "--%s and --%s need files of their own", others[i].option, option);
    }
    for (size_t i = c->ahead; path && !is_stdout(path) && i < c->nargs; i++)
        if (same_file(path, c->args[i]))
            ct_cli_usage(c, "--%s would overwrite an input", option);
}

/* A command that reads what it is writing by `>` or `>>` finds nothing, or its own output. (-o is
 * safe: until its file is whole, the old one stands.) */
static void check_inputs(ct_cli *c)
{
    struct stat in, out;
    const char *none[] = {"-"};
    bool named = c->nargs > c->ahead;
    const char *const *names = named ? (const char *const *)c->args + c->ahead : none;
    size_t n = named ? c->nargs - c->ahead : 1;

    if (!(c->command->common & CT_HAS_OUTPUT) || (c->output && !is_stdout(c->output)) ||
        fstat(STDOUT_FILENO, &out) != 0 || !S_ISREG(out.st_mode))
        return;
    for (size_t i = 0; i < n; i++) {
        bool standard = strcmp(names[i], "-") == 0;
        int result = standard ? fstat(STDIN_FILENO, &in) : stat(names[i], &in);
        if (result == 0 && in.st_dev == out.st_dev && in.st_ino == out.st_ino)
            ct_cli_usage(c, "%s: the input is the output, too",
                         standard ? "(standard input)" : names[i]);
    }
}

static ct_out *open_out(ct_cli *c, const char *path, ct_out *(*open)(const char *path, ct_err *err))
{
    ct_err err = {0};
    ct_out *out = path ? open(path, &err) : NULL;

    if (path && !out)
        ct_cli_die(c, path, &err);
    return out;
}

/* Are there books of an earlier run? What else stands there by mistake is left alone for now. */
static bool holds_books(ct_cli *c, const char *path)
{
    static const char start[] = "{\"command\":\"";
    char bytes[sizeof(start) - 1];
    size_t n = 0, got = 1;
    struct stat st;
    ct_err err = {0};
    ct_in *in;
    bool ok = false;

    if (is_stdout(path) || stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    if ((in = ct_in_open(path, &err)))
        while ((ok = ct_in_read(in, bytes + n, sizeof(bytes) - n, &got, &err)) && got)
            n += got;
    ct_in_close(in);
    if (err.kind == CT_E_IO && err.sys != EACCES)
        ct_cli_die(c, path, &err);
    return ok && n == sizeof(bytes) && memcmp(bytes, start, n) == 0;
}

/* A run that is killed must not leave the books of an earlier one, over which a pipeline's would
 * add up. */
static void open_books(ct_cli *c)
{
    bool anew = c->tally_path && holds_books(c, c->tally_path);

    c->books = open_out(c, c->tally_path, anew ? ct_out_open_anew : ct_out_open);
}

/* All options are known: defaults, and what does not go together. */
static void settle(ct_cli *c)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    c->args = c->argv + optind;
    c->nargs = (size_t)(c->argc - optind);
    if (c->jobs == 0)
        c->jobs = cores > 1 ? (int)cores : 1;
    ct_cli_apart(c, "reject", c->reject_path);
    ct_cli_apart(c, "tally", c->tally_path);
    check_inputs(c);
    c->tally.in.off = c->tally.out.off = !c->tally_path;
    open_books(c);
    c->reject = open_out(c, c->reject_path, ct_out_open);
    if (c->as_of.precision == CT_P_NONE)
        c->as_of = ct_cli_today();
}

int ct_cli_option(ct_cli *c)
{
    struct option longs[OPTIONS_MAX + 1];
    char shorts[2 * OPTIONS_MAX + 2];
    int answer;

    getopt_tables(c->opts, longs, shorts);
    opterr = 0;
    while ((answer = getopt_long(c->argc, c->argv, shorts, longs, NULL)) != -1) {
        if (answer == '?' || answer == ':')
            wrong_option(c, answer);
        for (size_t i = 0; i < c->opts->n; i++)
            if (c->opts->table[i].id == answer) {
                c->opts->current = (int)i;
                c->opts->used |= UINT64_C(1) << i;
            }
        c->arg = optarg;
        if (!common_option(c, answer))
            return answer;
    }
    settle(c);
    return CT_CLI_DONE;
}
