/* chart archive parity: a parity file for a bag that is there already. */
#include "cmd/archive/parity.h"
#include "cmd/archive/archive.h"

#include <inttypes.h>

enum { OPT_FORCE = CT_OPT_OWN, OPT_PARITY };

static const ct_opt options[] = {
    {OPT_PARITY, "parity", "N%", "how much of the bag may be lost, 1% to 100% (default: 5%)"},
    {OPT_FORCE, "force", NULL, "replace a parity file that is there already"},
    {0},
};

static const ct_command command = {
    .name = "archive parity",
    .summary = "Makes the parity file BAG.parity of a bag that is there already. From it, repair "
               "computes\n"
               "what is lost of the bag, or was changed.",
    .synopsis = "[OPTION]... BAG...",
    .common = CT_HAS_JOBS | CT_HAS_PROGRESS,
    .options = options,
    .examples = "  chart archive parity 2019.zip\n"
                "  chart archive parity --parity 20% /archive/*.tar.zst\n",
};

unsigned bag_parity_percent(ct_cli *c)
{
    ct_str text = ct_str_z(c->arg);
    uint64_t n;

    if (ct_str_ends(text, CT_S("%")))
        text.n--;
    if (!ct_str_u64(text, &n) || n < 1 || n > 100)
        ct_cli_usage(c, "--parity takes 1%% to 100%%, in whole percent");
    return (unsigned)n;
}

/* A finding, or that all is well: only a bag that is sound gets parity. */
static bool sound(ct_cli *c, const char *path)
{
    bag_pass pass = {.path = path, .jobs = c->jobs, .progress = bag_progress, .progress_ctx = c};
    bag_report report = {c, path};
    bag_summary summary;
    ct_err err = {0};
    bag_check *check = bag_pass_run(&pass, &err);
    bool ok = check && bag_check_end(check, false, bag_report_finding, &report, &summary, &err);

    if (!ok)
        ct_cli_error(c, CT_FAULT, path, &err);
    else if (summary.invalid + summary.incomplete)
        ct_cli_say(c, "%s: no parity is made for a bag that is not valid", path);
    ok = ok && !(summary.invalid + summary.incomplete);
    bag_check_free(check);
    ct_buf_free(&pass.base);
    return ok;
}

int bag_parity_main(int argc, char **argv)
{
    ct_cli c;
    unsigned percent = BAG_PARITY_PERCENT;
    bool force = false;
    int opt;

    ct_cli_start(&c, &command, argc, argv);
    while ((opt = ct_cli_option(&c)) != CT_CLI_DONE) {
        if (opt == OPT_FORCE)
            force = true;
        else
            percent = bag_parity_percent(&c);
    }
    if (c.nargs == 0)
        ct_cli_usage(&c, "no bag is named");
    for (size_t i = 0; i < c.nargs; i++) {
        bag_meter meter = {bag_progress, &c};
        ct_err err = {0};

        if (sound(&c, c.args[i]) &&
            !bag_parity_make(c.args[i], percent, force, c.jobs, meter, &err))
            ct_cli_error(&c, CT_FAULT, c.args[i], &err);
    }
    return ct_cli_finish(&c);
}

static void report_bag(ct_cli *c, const char *path, const bag_health *h)
{
    if (h->lost)
        ct_cli_problem(c, CT_NO,
                       "%s: parity: %" PRIu64 " of %" PRIu64 " blocks of the bag are not what they "
                       "were: %s",
                       path, h->lost, h->blocks,
                       h->beyond ? "more than can be computed; repair it from a copy"
                                 : "archive repair restores them");
    else if (h->other_size)
        ct_cli_problem(c, CT_NO,
                       "%s: parity: there are bytes behind the end of the bag; archive repair "
                       "takes them off",
                       path);
    if (h->parity_damage)
        ct_cli_problem(c, CT_NO,
                       "%s: parity: damaged parts of the parity file: %" PRIu64 "; archive repair "
                       "restores them",
                       path, h->parity_damage);
}

const char *bag_parity_report(ct_cli *c, const char *path)
{
    bag_meter meter = {bag_progress, c};
    bag_health h;
    ct_err err = {0};

    if (!bag_parity_there(path))
        return "";
    if (!bag_parity_check(path, c->jobs, meter, &h, &err)) {
        ct_cli_problem(c, err.kind == CT_E_DATA ? CT_NO : CT_FAULT, "%s: parity: %s", path,
                       err.text);
        return ", parity damaged";
    }
    report_bag(c, path, &h);
    return h.lost || h.other_size || h.parity_damage ? ", parity damaged" : ", parity";
}
