/* chart archive verify: is a bag complete and valid? */
#include "cmd/archive/archive.h"

#include "cmd/archive/seal.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

enum { OPT_PROFILE = CT_OPT_OWN, OPT_RESUME, OPT_TRUST };

static const ct_opt options[] = {
    {OPT_PROFILE, "profile", "FILE", "hold the bags against a BagIt profile (JSON) too"},
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
    if (s->unlike_profile)
        ct_buf_printf(b, ", not as the profile wants it, %" PRIu64 " finding%s", s->unlike_profile,
                      s->unlike_profile == 1 ? "" : "s");
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

/* What bags are held against. */
typedef struct verifying {
    ct_cli *cli;
    bag_keys keys;
    const char *resume;   /* notes to go on by, or NULL */
    const char *trust;    /* certificates that a signature must lead to, or NULL */
    bag_profile *profile; /* or NULL */
} verifying;

/* What is told of a bag beside what BagIt says: its signature, its parity file. */
static void look_beside(const verifying *v, const char *path, bag_sealed *sealed, ct_buf *to)
{
    bag_sealed_report(sealed, v->cli, path, v->trust, to);
    ct_buf_z(to, bag_parity_report(v->cli, path));
}

static void verify(const verifying *v, const char *path)
{
    ct_cli *c = v->cli;
    bag_sealed sealed = {0};
    bag_pass pass = {.path = path,
                     .jobs = c->jobs,
                     .keys = &v->keys,
                     .profile = v->profile,
                     .resume = v->resume,
                     .progress = bag_progress,
                     .viewer = bag_sealed_viewer(&sealed),
                     .progress_ctx = c};
    bag_report report = {c, path};
    bag_summary summary;
    bag_check *check;
    ct_buf line = {0}, rest = {0};
    ct_err err = {0};

    check = bag_pass_run(&pass, &err);
    if (check && bag_check_end(check, false, bag_report_finding, &report, &summary, &err)) {
        look_beside(v, path, &sealed, &rest);
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
    verifying v = {.cli = &c};
    const char *profile = NULL;
    ct_err err = {0};
    int opt;

    ct_cli_start(&c, &command, argc, argv);
    while ((opt = ct_cli_option(&c)) != CT_CLI_DONE) {
        if (opt == OPT_PROFILE)
            profile = c.arg;
        else if (opt == OPT_RESUME)
            v.resume = c.arg;
        else if (opt == OPT_TRUST)
            v.trust = c.arg;
        else
            v.keys.file = c.arg;
    }
    v.keys.db = c.db;
    if (c.nargs == 0)
        ct_cli_usage(&c, "no bag is named");
    if (v.resume && c.nargs > 1)
        ct_cli_usage(&c, "--resume goes with one bag");
    /* What was read before is not seen again, and a profile asks for all. */
    if (v.resume && profile)
        ct_cli_usage(&c, "--resume does not go with --profile");
    if (v.trust && access(v.trust, R_OK) != 0) {
        ct_fail_sys(&err, errno, "cannot open");
        ct_cli_die(&c, v.trust, &err);
    }
    if (profile && !(v.profile = bag_profile_read(profile, &err)))
        ct_cli_die(&c, profile, &err);
    for (size_t i = 0; i < c.nargs; i++)
        verify(&v, c.args[i]);
    bag_profile_free(v.profile);
    return ct_cli_finish(&c);
}
