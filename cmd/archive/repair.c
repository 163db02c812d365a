/* chart archive repair: a damaged bag made whole, from its parity and from a copy. */
#include "cmd/archive/archive.h"
#include "cmd/archive/catalogue.h"
#include "cmd/archive/crew.h"
#include "cmd/archive/identity.h"
#include "cmd/archive/log.h"
#include "cmd/archive/merge.h"
#include "cmd/archive/parity.h"
#include "cmd/archive/sink.h"
#include "cmd/archive/swap.h"
#include "cmd/archive/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPT_FROM = CT_OPT_OWN, PIECE = 1024 * 1024 };

static const ct_opt options[] = {
    {OPT_FROM, "from", "COPY", "another copy of the bag, which may be damaged elsewhere"},
    {0},
};

static const ct_command command = {
    .name = "archive repair",
    .summary =
        "Makes damaged bags whole from their parity files, or from a copy. The repaired bag takes\n"
        "the name when it has proved whole; the damaged one is kept as BAG.damaged. With -o it "
        "gets\n"
        "that name, and nothing else changes.",
    .synopsis = "[OPTION]... BAG...",
    .common = CT_HAS_OUTPUT | CT_HAS_JOBS | CT_HAS_DB | CT_HAS_PROGRESS,
    .options = options,
    .examples = "  chart archive repair 2019.zip\n"
                "  chart archive repair --from /mirror/2019.zip 2019.zip\n",
};

typedef struct repair {
    ct_cli *cli;
    ct_db *db;        /* whose log of custody is kept; NULL: none */
    char *bag;        /* without slashes at its end */
    const char *copy; /* NULL where there is none */
    const char *out;  /* NULL: in place of the bag */
    bag_parity p;
    bag_damage d;
    bag_extent other; /* the copy, laid out as the bag was */
    bool has_other;
    bag_identity valid; /* of the last bag that was found valid … */
    uint64_t bytes;     /* … and of its payload */
} repair;

static void say(repair *r, const char *text)
{
    ct_buf line = {0};

    ct_buf_printf(&line, "%s: %s\n", r->bag, text);
    ct_out_put(ct_cli_out(r->cli), ct_buf_str(&line));
    ct_buf_free(&line);
}

static bool no(repair *r, const char *why)
{
    ct_cli_problem(r->cli, CT_NO, "%s: %s; nothing is written", r->bag, why);
    return false;
}

static bool fault(repair *r, const ct_err *err)
{
    ct_cli_error(r->cli, err->kind == CT_E_DATA ? CT_NO : CT_FAULT, r->bag, err);
    return false;
}

/* ---- is it a valid bag? ---- */

static void nobody(void *ctx, const bag_finding *f)
{
    (void)ctx;
    (void)f;
}

static bool is_valid(repair *r, const char *path)
{
    bag_keys keys = {.db = r->cli->db};
    bag_pass pass = {.path = path,
                     .jobs = r->cli->jobs,
                     .keys = &keys,
                     .progress = bag_progress,
                     .progress_ctx = r->cli};
    bag_summary summary = {0};
    ct_err err = {0};
    bag_check *check;
    bool valid;

    bag_identity_free(&r->valid);
    pass.viewer = bag_identity_viewer(&r->valid);
    pass.viewer.want = NULL; /* all of it is read */
    check = bag_pass_run(&pass, &err);
    valid = check && bag_check_end(check, false, nobody, NULL, &summary, &err) &&
            summary.invalid + summary.incomplete == 0;
    r->bytes = summary.bytes;
    bag_check_free(check);
    ct_buf_free(&pass.base);
    return valid;
}

/* ---- the log of custody ---- */

static bool found(void *ctx, const ct_bag *bag)
{
    (void)bag;
    *(bool *)ctx = true;
    return false;
}

/* What was written elsewhere is one copy more where the catalogue knows the bag. */
static bool enter_copy(repair *r, ct_err *err)
{
    bag_facts facts = {
        .path = r->out, .identity = r->valid.hex, .bytes = r->bytes, .result = CT_S("valid")};
    bool known = false;

    if (!r->out || !r->valid.hex[0])
        return true;
    if (!ct_bags(r->db, &(ct_bag_query){.hash = ct_str_z(facts.identity)}, found, &known, err))
        return false;
    return !known || bag_catalogue_enter(r->db, &facts, NULL, err);
}

/* Says how something was mended and where the damaged one is kept (NULL: where it was), and
 * enters it. */
static void note(repair *r, ct_str how, const char *damaged, const char *kept)
{
    ct_buf line = {0};
    ct_err err = {0};

    ct_buf_put(&line, how);
    if (kept)
        ct_buf_printf(&line, "; the damaged %s is kept as %s", damaged, kept);
    else
        ct_buf_printf(&line, "; written to %s", r->out);
    ct_buf_c(&line, '\0');
    say(r, line.p);
    ct_buf_free(&line);
    if (r->db && !(enter_copy(r, &err) &&
                   bag_log_enter(r->db, r->out ? r->out : r->bag,
                                 &(ct_custody){.act = CT_ACT_REPAIR, .detail = how}, &err)))
        ct_cli_error(r->cli, CT_FAULT, r->cli->db, &err);
}

/* ---- what is lost, and where it may be had ---- */

static bool look_again(repair *r, ct_err *err)
{
    bag_damage_free(&r->d);
    return bag_extent_seek(&r->p.was, r->bag, r->cli->jobs, err) &&
           bag_stripes_check(&r->p, &r->p.was, r->cli->jobs, (bag_meter){bag_progress, r->cli},
                             &r->d, err);
}

/* The copy's blocks count where the copy is packed in the same way. */
static bool look_into_copy(repair *r, ct_err *err)
{
    ct_err e = {0};

    bag_extent_layout(&r->other, &r->p.was);
    if (!bag_extent_attach(&r->other, r->copy, &e)) {
        bag_extent_close(&r->other);
        if (e.kind != CT_E_DATA)
            *err = e;
        return e.kind == CT_E_DATA;
    }
    r->has_other = true;
    return bag_extent_seek(&r->other, r->copy, r->cli->jobs, err) &&
           bag_stripes_find(&r->p, &r->other, r->cli->jobs, &r->d, err);
}

static bool survey(repair *r, ct_err *err)
{
    bag_meter meter = {bag_progress, r->cli};

    if (!bag_extent_attach(&r->p.was, r->bag, err) ||
        !bag_stripes_check(&r->p, &r->p.was, r->cli->jobs, meter, &r->d, err))
        return false;
    if (r->d.lost && r->p.was.folder && !look_again(r, err))
        return false;
    return !r->d.lost || !r->copy || look_into_copy(r, err);
}

/* ---- the repaired bag ---- */

typedef struct copying {
    const bag_extent *from, *to;
} copying;

static bool copy_piece(void *ctx, uint64_t piece, uint8_t *room, ct_err *err)
{
    const copying *c = ctx;

    return bag_extent_read(c->from, piece * PIECE, room, PIECE, err) &&
           bag_extent_write(c->to, piece * PIECE, room, PIECE, err);
}

static bool fill(repair *r, bag_extent *to, ct_err *err)
{
    copying c = {&r->p.was, to};
    bag_crew crew = {.jobs = r->cli->jobs,
                     .pieces = (to->size + PIECE - 1) / PIECE,
                     .room = PIECE,
                     .each = copy_piece,
                     .ctx = &c};

    return bag_crew_run(&crew, err) &&
           bag_stripes_rebuild(&r->p, &r->d, &r->p.was, r->has_other ? &r->other : NULL, to,
                               r->cli->jobs, err);
}

/* Once more, from the file system: is every block what it was? */
static bool proved(repair *r, const bag_extent *to, const char *path, ct_err *err)
{
    bag_damage d;
    bool whole;

    if (!bag_stripes_check(&r->p, to, r->cli->jobs, (bag_meter){bag_progress, r->cli}, &d, err))
        return false;
    whole = d.lost == 0;
    bag_damage_free(&d);
    return (whole || ct_fail(err, CT_E_IO, "what was written reads differently")) &&
           (is_valid(r, path) ||
            ct_fail(err, CT_E_DATA, "the bag was not valid when its parity was made"));
}

static bool write_new(repair *r, const char *path, int fd, ct_err *err)
{
    bag_extent to;
    bool ok = bag_extent_make(&to, &r->p.was, fd, err) && fill(r, &to, err);

    if (ok && to.folder)
        ok = bag_tree_sync(path, err);
    else if (ok && fsync(fd) != 0)
        ok = ct_fail_sys(err, errno, "cannot sync the bag");
    ok = ok && proved(r, &to, path, err);
    bag_extent_close(&to);
    return ok;
}

static void discard(bool folder, const char *path)
{
    if (folder)
        bag_tree_remove(path);
    else
        unlink(path);
}

static bool put_in_place(repair *r, const char *unfinished, char **kept, ct_err *err)
{
    return r->out ? bag_settle(unfinished, r->out, err) : bag_swap(unfinished, r->bag, kept, err);
}

static void note_restored(repair *r, const char *kept)
{
    ct_buf how = {0};

    ct_buf_printf(&how, "restored, %" PRIu64 " of %" PRIu64 " blocks", r->d.lost, r->p.blocks);
    if (r->d.in_copy)
        ct_buf_printf(&how, ", %" PRIu64 " of them from the copy", r->d.in_copy);
    note(r, ct_buf_str(&how), "bag", kept);
    ct_buf_free(&how);
}

static bool rewrite(repair *r)
{
    bool folder = r->p.was.folder, ok;
    char *unfinished = bag_unfinished_name(r->out ? r->out : r->bag), *kept = NULL;
    ct_err err = {0};
    int fd = bag_sweep_make(unfinished, folder);

    if (fd < 0) {
        ct_fail_sys(&err, errno, "cannot write there");
        free(unfinished);
        return fault(r, &err);
    }
    ok = write_new(r, unfinished, fd, &err);
    bag_sweep_drop(unfinished);
    ok = ok && put_in_place(r, unfinished, &kept, &err);
    if (ok)
        note_restored(r, kept);
    else
        discard(folder, unfinished);
    free(kept);
    free(unfinished);
    return ok || fault(r, &err);
}

/* ---- the parity file ---- */

/* Made anew from the bag, which is whole: the same bytes as it had. */
static bool renew_parity(repair *r, unsigned percent)
{
    char *name = bag_parity_name(r->bag), *kept = NULL;
    ct_err err = {0};
    bool ok = bag_keep_damaged(name, &kept, &err) &&
              bag_parity_make(r->bag, percent, true, r->cli->jobs,
                              (bag_meter){bag_progress, r->cli}, &err);

    if (ok)
        note(r, CT_S("parity file restored"), "one", kept);
    free(kept);
    free(name);
    return ok || fault(r, &err);
}

/* ---- file by file ---- */

/* What parity was there fits the new bag where that has the same bytes as it had. */
static void parity_behind(repair *r, unsigned percent)
{
    bag_health h;
    ct_err err = {0};

    if (r->out || !bag_parity_there(r->bag))
        return;
    if (!bag_parity_check(r->bag, r->cli->jobs, (bag_meter){bag_progress, r->cli}, &h, &err) ||
        h.lost || h.other_size || h.parity_damage)
        renew_parity(r, percent);
}

static bool merge_into(repair *r, const char *place, const char *out, ct_err *err)
{
    bag_merge m = {.bags = {r->bag, r->copy}, .place = place, .out = out, .jobs = r->cli->jobs};

    return bag_merge_run(&m, err) &&
           (is_valid(r, out) || ct_fail(err, CT_E_DATA, "what could be put together is not valid"));
}

static void repair_by_files(repair *r, unsigned percent)
{
    const char *target = r->out ? r->out : r->bag, *slash = strrchr(target, '/');
    char *place = bag_unfinished_name(target), *kept = NULL;
    ct_buf out = {0};
    ct_err err = {0};
    int fd = bag_sweep_make(place, true);
    bool ok = fd >= 0 || ct_fail_sys(&err, errno, "cannot write there");

    ct_buf_printf(&out, "%s/%s", place, slash ? slash + 1 : target);
    ct_buf_c(&out, '\0');
    ok = ok && merge_into(r, place, out.p, &err) && put_in_place(r, out.p, &kept, &err);
    if (fd >= 0)
        close(fd);
    bag_sweep_drop(place);
    bag_tree_remove(place);
    if (ok) {
        note(r, CT_S("put together from the files of both"), "bag", kept);
        parity_behind(r, percent);
    } else {
        fault(r, &err);
    }
    ct_buf_free(&out);
    free(kept);
    free(place);
}

/* ---- a bag ---- */

static bool is_whole(repair *r)
{
    const bag_extent *was = &r->p.was;

    return r->d.lost == 0 && (was->folder ? is_valid(r, r->bag) : was->held == was->size);
}

static void repair_by_blocks(repair *r)
{
    bool parity_damaged, whole;
    ct_err err = {0};

    if (!survey(r, &err)) {
        fault(r, &err);
        return;
    }
    parity_damaged = r->p.damaged_parts + r->d.parity_lost > 0;
    whole = is_whole(r);
    if (r->d.beyond && r->copy) {
        repair_by_files(r, r->p.percent);
        return;
    }
    if (r->d.beyond) {
        ct_cli_problem(r->cli, CT_NO,
                       "%s: %" PRIu64 " of %" PRIu64 " blocks are lost, %" PRIu64
                       " of them cannot be computed; nothing is written",
                       r->bag, r->d.lost, r->p.blocks, r->d.beyond);
        return;
    }
    if (whole)
        say(r, parity_damaged ? "the bag is whole" : "whole, with its parity file");
    else if (!rewrite(r))
        return;
    if (parity_damaged && !r->out)
        renew_parity(r, r->p.percent);
}

/* The parity file is of no use: a bag that is valid gets a new one. */
static void without_parity(repair *r)
{
    ct_err err = {0};

    if (access(r->bag, F_OK) != 0 && !r->copy) {
        ct_fail_sys(&err, errno, "cannot open");
        fault(r, &err);
        return;
    }
    if (!is_valid(r, r->bag) && r->copy)
        repair_by_files(r, BAG_PARITY_PERCENT);
    else if (!is_valid(r, r->bag))
        no(r, "the bag is not valid, and there is no parity file to repair it from");
    else if (bag_parity_there(r->bag) && !r->out)
        renew_parity(r, BAG_PARITY_PERCENT);
    else
        say(r, "valid");
}

static void repair_bag(ct_cli *c, ct_db *db, const char *bag, const char *copy, const char *out)
{
    repair r = {.cli = c, .db = db, .copy = copy, .out = out};
    size_t n = strlen(bag);
    char *sidecar = bag_parity_name(bag);
    ct_err err = {0};

    r.bag = ct_alloc(n + 1);
    memcpy(r.bag, bag, n + 1);
    while (n > 1 && r.bag[n - 1] == '/')
        r.bag[--n] = '\0';
    if (access(sidecar, F_OK) != 0) {
        without_parity(&r);
    } else if (bag_parity_load(&r.p, sidecar, &err)) {
        repair_by_blocks(&r);
        bag_damage_free(&r.d);
        if (r.has_other)
            bag_extent_close(&r.other);
        bag_parity_close(&r.p);
    } else if (err.kind == CT_E_DATA) {
        ct_cli_say(c, "%s: the parity file %s", bag, err.text);
        without_parity(&r);
    } else {
        fault(&r, &err);
    }
    bag_identity_free(&r.valid);
    free(r.bag);
    free(sidecar);
}

int bag_repair(int argc, char **argv)
{
    ct_cli c;
    const char *copy = NULL, *out;
    ct_err err = {0};
    ct_db *db;

    ct_cli_start(&c, &command, argc, argv);
    bag_sweep_start();
    while (ct_cli_option(&c) != CT_CLI_DONE)
        copy = c.arg;
    out = c.output;
    c.output = NULL; /* what is said goes to stdout all the same */
    if (c.nargs == 0)
        ct_cli_usage(&c, "no bag is named");
    if (c.nargs > 1 && (copy || out))
        ct_cli_usage(&c, "--from and --output go with one bag");
    if (out && strcmp(out, "-") == 0)
        ct_cli_usage(&c, "a bag cannot go to stdout");
    db = bag_log_open(&c, &err);
    if (err.kind != CT_OK)
        ct_cli_die(&c, c.db, &err);
    for (size_t i = 0; i < c.nargs; i++)
        repair_bag(&c, db, c.args[i], copy, out);
    ct_db_close(db);
    return ct_cli_finish(&c);
}
