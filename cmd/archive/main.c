/* chart-archive: charts into BagIt bags and back. Finds the subcommand; what they share. */
#include "cmd/archive/archive.h"
#include "cmd/archive/index.h"

#include <inttypes.h>
#include <locale.h>

/* The subcommands, one on a line: name and function. */
#define SUBCOMMANDS(EACH)                                                                          \
    EACH("create", bag_create)                                                                     \
    EACH("verify", bag_verify)                                                                     \
    EACH("list", bag_list)                                                                         \
    EACH("extract", bag_extract)                                                                   \
    EACH("due", bag_due)                                                                           \
    EACH("hold", bag_hold)                                                                         \
    EACH("accession", bag_accession)                                                               \
    EACH("find", bag_find)                                                                         \
    EACH("fixity", bag_fixity)                                                                     \
    EACH("destroy", bag_destroy)                                                                   \
    EACH("parity", bag_parity_main)                                                                \
    EACH("repair", bag_repair)
#define NAME(name, function)     name,
#define FUNCTION(name, function) function,

static const char *const names[] = {SUBCOMMANDS(NAME) NULL};
static int (*const subcommands[])(int argc, char **argv) = {SUBCOMMANDS(FUNCTION)};

static const ct_command command = {
    .name = "archive",
    .summary =
        "Puts charts into BagIt bags (RFC 8493) that prove they are intact, and takes them out\n"
        "again. A bag is a folder, a .tar, .tar.gz, .tar.zst or a .zip.",
    .synopsis = "create [OPTION]... BAG [FILE]...\n"
                "verify [OPTION]... BAG...\n"
                "list [OPTION]... BAG\n"
                "extract [OPTION]... BAG\n"
                "due [OPTION]... [FILE]...\n"
                "hold [OPTION]... [FILE]...\n"
                "accession [OPTION]... BAG...\n"
                "find [OPTION]...\n"
                "fixity [OPTION]...\n"
                "destroy [OPTION]... --by NAME --witness NAME BAG\n"
                "parity [OPTION]... BAG...\n"
                "repair [OPTION]... BAG...",
    .subcommands = names,
    .examples = "  chart archive create --as-of 2026-01-31 2019.zip charts.ndjson\n"
                "  chart archive verify 2019.zip\n"
                "  chart archive list 2019.zip\n"
                "  chart archive extract --chart 4711 2019.zip >4711.ndjson\n"
                "  chart archive due --schedule us-ma charts.ndjson\n"
                "  chart archive hold --list\n"
                "  chart archive accession /archive/*.zip\n"
                "  chart archive find --name 'muller anna' --born 1980\n",
};

/* A path leaves out who it is about, unless it is asked for. */
void bag_warn_floor(ct_cli *c, const bag_schedule *s)
{
    if (c->status < CT_FAULT && !c->quiet && !bag_schedule_has(s, "federal"))
        ct_cli_say(c,
                   "the schedule does not include federal, so what that asks for is not looked at");
}

void bag_report_finding(void *report, const bag_finding *f)
{
    const bag_report *r = report;
    bool warning = f->severity == BAG_WARNING;
    ct_buf b = {0};

    ct_buf_printf(&b, "%s: %s", r->name, f->where);
    if (f->line)
        ct_buf_printf(&b, ":%" PRIu64, f->line);
    ct_buf_printf(&b, ": %s%s", warning ? "warning: " : "", f->reason);
    if (r->cli->show_values && f->path.n) {
        ct_buf_z(&b, ": ");
        bag_cell_put(&b, f->path);
    }
    ct_buf_c(&b, '\0');
    if (!warning)
        ct_cli_problem(r->cli, CT_NO, "%s", b.p);
    else if (!r->cli->quiet)
        ct_cli_say(r->cli, "%s", b.p);
    ct_buf_free(&b);
}

void bag_progress(void *cli, uint64_t bytes)
{
    ct_cli_progress(cli, &(ct_progress){.bytes = bytes});
}

/* libarchive hands out names in the character encoding of the locale, and only UTF-8 holds them
 * all. */
static void use_utf8(void)
{
    static const char *const locales[] = {"C.UTF-8", "en_US.UTF-8", "UTF-8"};

    for (size_t i = 0; i < CT_LEN(locales); i++)
        if (setlocale(LC_CTYPE, locales[i]))
            return;
}

int main(int argc, char **argv)
{
    ct_cli c;

    use_utf8();
    for (int i = 0; argc > 1 && names[i]; i++)
        if (strcmp(argv[1], names[i]) == 0)
            return subcommands[i](argc - 1, argv + 1);
    ct_cli_start(&c, &command, argc, argv);
    while (ct_cli_option(&c) != CT_CLI_DONE)
        ;
    if (c.nargs == 0)
        ct_cli_usage(&c, "which subcommand?");
    ct_cli_usage(&c, "there is no subcommand of that name");
}
