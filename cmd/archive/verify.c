/* chart archive verify: is a bag complete and valid? */
#include "cmd/archive/archive.h"

#include "cmd/archive/seal.h"

#include <inttypes.h>

enum { OPT_TRUST = CT_OPT_OWN, OPT_RESUME };

static const ct_opt options[] = {
    {OPT_TRUST, "trust", "FILE",
     "the bag must be signed, by one whom these certificates (PEM) know"},
    {OPT_RESUME, "resume", "FILE",
     "keep notes in FILE, and go on by those of a run that was stopped"},
    BAG_KEY_FILE_OPTION,
    {0},
};

static const ct_command command = {
    .name = "archive verify",
    .summary =
        "Checks bags, in whatever they are packed, without unpacking them: that all files are\n"
        "there and no others, and that every checksum and count holds.",
    .synopsis = "[OPTION]... BAG...",
    .common = CT_HAS_JOBS | CT_HAS_PROGRESS | CT_HAS_DB,
    .options = options,
    .examples = "  chart archive verify 2019.zip\n"
                "  chart archive verify --resume notes 1990-2010.tar\n"
                "  chart archive verify /archive/*.tar.zst || mail -s 'archive damaged' records\n",
};

static void put_algs(ct_buf *b, unsigned algs)
{
    for (int i = 0; i < BAG_ALGS; i++)
        if (algs & 1U << i)
            ct_buf_printf(b, " %s", bag_algorithms[i].name);
}

/* `2019.zip: valid, 299 charts, 300 files, 2614309 bytes, BagIt 1.0, sha256 sha512` */
static void put_summary(ct_buf *b, const char *name, const bag_summary *s, ct_str rest)
{
    uint64_t bad = s->invalid + s->incomplete;

    ct_buf_printf(b, "%s: ", name);
    if (bad == 0)
        ct_buf_z(b, "valid");
    else
        ct_buf_printf(b, "%s, %" PRIu64 " finding%s", s->invalid ? "not valid" : "not complete",
                      bad, bad == 1 ? "" : "s");
    ct_buf_printf(b, ", %" PRIu64 " charts, %" PRIu64 " files, %" PRIu64 " bytes", s->charts,
                  s->files, s->bytes);
    if (s->version)
        ct_buf_printf(b, ", BagIt %u.%.*u", s->version / 100, s->version % 100 ? 2 : 1,
                      s->version % 100);
    if (s->algs) {
        ct_buf_c(b, ',');
        put_algs(b, s->algs);
    }
    ct_buf_put(b, rest);
    ct_buf_c(b, '\n');
}

/* What is told of a bag beside what BagIt says: its signature, its parity file. */
static void look_beside(ct_cli *c, const char *path, const char *trust, bag_sealed *sealed,
                        ct_buf *to)
{
    bag_sealed_report(sealed, c, path, trust, to);
    ct_buf_z(to, bag_parity_report(c, path));
}

static void verify(ct_cli *c, const char *path, const bag_keys *keys, const char *trust,
                   const char *resume)
{
    bag_sealed sealed = {0};
    bag_pass pass = {.path = path,
                     .jobs = c->jobs,
                     .keys = keys,
                     .progress = bag_progress,
                     .progress_ctx = c,
                     .viewer = bag_sealed_viewer(&sealed),
                     .resume = resume};
    bag_report report = {c, path};
    bag_summary summary;
    bag_check *check;
    ct_buf line = {0}, rest = {0};
    ct_err err = {0};

    check = bag_pass_run(&pass, &err);
    if (check && bag_check_end(check, false, bag_report_finding, &report, &summary, &err)) {
        look_beside(c, path, trust, &sealed, &rest);
        put_summary(&line, path, &summary, ct_buf_str(&rest));
        ct_out_put(ct_cli_out(c), ct_buf_str(&line));
    } else {
        ct_cli_error(c, CT_FAULT, path, &err);
    }
    bag_check_free(check);
    bag_sealed_free(&sealed);
    ct_buf_free(&line);
    ct_buf_free(&rest);
    ct_buf_free(&pass.base);
}

int bag_verify(int argc, char **argv)
{
    ct_cli c;
    const char *trust = NULL, *resume = NULL;
    bag_keys keys = {0};
    int opt;

    ct_cli_start(&c, &command, argc, argv);
    while ((opt = ct_cli_option(&c)) != CT_CLI_DONE)
        *(opt == OPT_TRUST ? &trust : opt == OPT_RESUME ? &resume : &keys.file) = c.arg;
    keys.db = c.db;
    if (c.nargs == 0)
        ct_cli_usage(&c, "no bag is named");
    if (resume && c.nargs > 1)
        ct_cli_usage(&c, "--resume goes with one bag");
    for (size_t i = 0; i < c.nargs; i++)
        verify(&c, c.args[i], &keys, trust, resume);
    return ct_cli_finish(&c);
}
