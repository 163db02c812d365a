/* chart archive fixity: are the bags of the catalogue still what they were? */
#include "cmd/archive/archive.h"
#include "cmd/archive/catalogue.h"
#include "cmd/archive/identity.h"
#include "cmd/archive/index.h"
#include "cmd/archive/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

enum { OPT_SLICE = CT_OPT_OWN, OPT_OLDER, OPT_HEAD };
enum { DAY = sizeof("2000-01-01") - 1 };

static const ct_opt options[] = {
    {OPT_SLICE, "slice", "N/T", "only the Nth of T parts of the copies: one each night"},
    {OPT_OLDER, "older-than", "DAYS", "only copies that were not checked for so many days"},
    {OPT_HEAD, "head", "HASH", "of an earlier report: it must still be in the log of custody"},
    BAG_KEY_FILE_OPTION,
    {0},
};

static const ct_command command = {
    .name = "archive fixity",
    .summary =
        "Reads the copies of bags that the catalogue knows, those unchecked longest first, checks\n"
        "each as verify does and that it is still the same bag, notes the result, and writes a\n"
        "report to mail. Exit status 1 when a copy is damaged, another bag, or cannot be reached.",
    .synopsis = "[OPTION]...",
    .common = CT_HAS_OUTPUT | CT_HAS_JOBS | CT_HAS_DB | CT_HAS_ASOF | CT_HAS_PROGRESS,
    .options = options,
    .examples =
        "  chart archive fixity --db charts.db --slice $(date +%d)/31\n"
        "  chart archive fixity -q --older-than 30 | mail -E -s 'archive: fixity' records\n",
};

/* A copy to read; texts of its own. */
typedef struct job {
    int64_t id;
    char *path;
    char bag[2 * CT_SHA256_LEN + 1];
    ct_date checked; /* CT_P_NONE: never */
} job;

typedef struct fixity {
    ct_cli *cli;
    ct_db *db;
    uint64_t slice, slices;
    int64_t older;  /* days; -1: any */
    ct_str head;    /* of custody, known from elsewhere; may be empty */
    bag_keys *keys; /* the database first, then files */
    size_t nkeys;
    job *jobs;
    size_t n, cap;
    uint64_t known; /* copies in the catalogue */
    uint64_t valid, bad, unreachable;
    uint64_t ending; /* their bag's destruction began meanwhile */
    ct_buf report;   /* a line for each copy, its findings indented below */
    ct_buf custody;  /* what is said of the log */
    ct_buf details;  /* findings of the copy that is read */
    uint64_t findings;
} fixity;

/* ---- which copies ---- */

static int64_t age(const fixity *x, const ct_date *checked)
{
    return ct_date_days(&x->cli->as_of) - ct_date_days(checked);
}

static bool wanted(const fixity *x, const ct_copy *copy, const ct_date *checked)
{
    if (x->slices && (uint64_t)copy->id % x->slices != x->slice % x->slices)
        return false;
    return x->older < 0 || checked->precision == CT_P_NONE || age(x, checked) >= x->older;
}

static bool add_job(void *ctx, const ct_copy *copy)
{
    fixity *x = ctx;
    ct_date checked = {0};
    ct_buf path = {0};

    x->known++;
    if (copy->checked.n && !ct_date_parse(copy->checked, &checked))
        checked.precision = CT_P_NONE;
    if (!wanted(x, copy, &checked))
        return true;
    if (x->n == x->cap) {
        x->cap = x->cap ? 2 * x->cap : 64;
        x->jobs = ct_realloc(x->jobs, x->cap, sizeof(*x->jobs));
    }
    ct_buf_put(&path, copy->path);
    ct_buf_c(&path, '\0');
    x->jobs[x->n] = (job){.id = copy->id, .path = path.p, .checked = checked};
    if (copy->bag.n < sizeof(x->jobs->bag))
        memcpy(x->jobs[x->n].bag, copy->bag.p, copy->bag.n);
    x->n++;
    return true;
}

/* ---- one copy ---- */

/* Names of files can tell who the patient is: they are shown where that is asked for. */
static void keep_finding(void *ctx, const bag_finding *f)
{
    fixity *x = ctx;
    ct_buf *b = &x->details;

    if (f->severity == BAG_WARNING)
        return;
    x->findings++;
    ct_buf_printf(b, "    %s", f->where);
    if (f->line)
        ct_buf_printf(b, ":%" PRIu64, f->line);
    ct_buf_printf(b, ": %s", f->reason);
    if (x->cli->show_values && f->path.n) {
        ct_buf_z(b, ": ");
        bag_cell_put(b, f->path);
    }
    ct_buf_c(b, '\n');
}

/* Reads it, by one of the keys; the result as the catalogue has it, NULL where the work cannot go
 * on. `err` is filled for what could not be read. */
static const char *check_with(fixity *x, const job *j, const bag_keys *keys, ct_err *err)
{
    bag_identity identity = {0};
    bag_viewer viewer = bag_identity_viewer(&identity);
    bag_pass pass = {.path = j->path,
                     .jobs = x->cli->jobs,
                     .keys = keys,
                     .viewer = viewer,
                     .progress = bag_progress,
                     .progress_ctx = x->cli};
    bag_summary summary = {0};
    const char *result = NULL;
    bag_check *check;

    pass.viewer.want = NULL; /* all of it */
    check = bag_pass_run(&pass, err);
    if (!check)
        result = err->kind == CT_E_LIMIT ? NULL : "unreachable";
    else if (!bag_check_end(check, false, keep_finding, x, &summary, err))
        result = NULL;
    else if (summary.invalid || summary.incomplete)
        result = summary.invalid ? "not valid" : "not complete";
    else
        result = strcmp(identity.hex, j->bag) == 0 ? "valid" : "another bag";
    bag_check_free(check);
    ct_buf_free(&pass.base);
    bag_identity_free(&identity);
    return result;
}

static const char *check_copy(fixity *x, const job *j, ct_err *err)
{
    const char *result = check_with(x, j, &x->keys[0], err);

    for (size_t i = 1; err->kind == CT_E_USAGE && i < x->nkeys; i++) { /* another key */
        *err = (ct_err){0};
        result = check_with(x, j, &x->keys[i], err);
    }
    return result;
}

static bool note_found(void *ctx, const ct_copy *copy)
{
    (void)copy;
    *(bool *)ctx = true;
    return false;
}

/* Has nobody begun to destroy it since it was found in the catalogue? */
static bool is_kept(fixity *x, const job *j, bool *kept, ct_err *err)
{
    const ct_copy_query q = {.bag = ct_str_z(j->bag), .path = ct_str_z(j->path), .kept = true};

    *kept = false;
    return ct_copies(x->db, &q, note_found, kept, err);
}

static bool note_result(fixity *x, const job *j, const char *result, const ct_err *why, ct_err *err)
{
    if (strcmp(result, "unreachable") == 0) {
        x->unreachable++;
        return ct_copy_unreachable(x->db, j->id, ct_str_z(why->text), err);
    }
    if (strcmp(result, "valid") == 0)
        x->valid++;
    else
        x->bad++;
    return ct_copy_checked(x->db, j->id, ct_str_z(result), err);
}

static void put_copy(fixity *x, const job *j, const char *result, const ct_err *err)
{
    ct_buf *b = &x->report;

    ct_buf_printf(b, "%s: %s", j->path, result);
    if (err->kind != CT_OK && err->text)
        ct_buf_printf(b, ": %s", err->text);
    if (err->sys)
        ct_buf_printf(b, ": %s", strerror(err->sys));
    if (x->findings)
        ct_buf_printf(b, ", %" PRIu64 " finding%s", x->findings, x->findings == 1 ? "" : "s");
    ct_buf_c(b, '\n');
    ct_buf_put(b, ct_buf_str(&x->details));
}

/* False where the work cannot go on. */
static bool run_job(fixity *x, const job *j)
{
    ct_err err = {0}, db_err = {0};
    const char *result;
    bool kept = true, noted;

    x->details.n = 0;
    x->findings = 0;
    result = check_copy(x, j, &err);
    if (!result) {
        ct_cli_error(x->cli, CT_FAULT, j->path, &err);
        return false;
    }
    noted = strcmp(result, "valid") == 0 || is_kept(x, j, &kept, &db_err);
    if (!kept) {
        x->ending++;
        ct_buf_printf(&x->report, "%s: being destroyed\n", j->path);
    } else {
        noted = noted && note_result(x, j, result, &err, &db_err);
        put_copy(x, j, result, &err);
    }
    if (!noted)
        ct_cli_error(x->cli, CT_FAULT, x->cli->db, &db_err);
    return noted;
}

/* ---- the report ---- */

static bool put_oldest(void *ctx, const ct_copy *copy)
{
    ct_buf *b = ctx;

    ct_buf_z(b, "Unchecked longest: ");
    ct_buf_put(b, copy->path);
    if (copy->checked.n) {
        ct_buf_z(b, ", last on ");
        ct_buf_put(b, ct_str_head(copy->checked, DAY));
    } else {
        ct_buf_z(b, ", never since it was entered on ");
        ct_buf_put(b, ct_str_head(copy->added, DAY));
    }
    ct_buf_c(b, '\n');
    return false;
}

static bool count_bag(void *ctx, const ct_bag *bag)
{
    (void)bag;
    ++*(uint64_t *)ctx;
    return true;
}

static void put_heading(const fixity *x, ct_buf *b)
{
    ct_buf_z(b, "Fixity of archived bags, ");
    ct_date_put(b, &x->cli->as_of);
    if (x->slices)
        ct_buf_printf(b, ", slice %" PRIu64 " of %" PRIu64, x->slice, x->slices);
    ct_buf_printf(b, ": %zu of %" PRIu64 " copies\n", x->n, x->known);
}

/* The log that the catalogue's claims rest on. */
static void check_custody(fixity *x)
{
    ct_custody_state state;
    ct_err err = {0};

    if (ct_custody_check(x->db, x->head, &state, &err))
        ct_buf_printf(&x->custody, "Custody: %" PRIu64 " rows, none changed; the last is %s\n",
                      state.rows, state.head);
    else if (err.kind == CT_E_DATA)
        ct_buf_printf(&x->custody, "CUSTODY IS NOT AS IT WAS WRITTEN: %s: %s\n", err.where,
                      err.text);
    if (err.kind != CT_OK)
        ct_cli_error(x->cli, err.kind == CT_E_DATA ? CT_NO : CT_FAULT, x->cli->db, &err);
}

static void write_report(fixity *x)
{
    static const ct_copy_query oldest = {.oldest_first = true, .limit = 1, .kept = true};
    static const ct_bag_query begun = {.by_status = true, .status = CT_BAG_DESTROYING};
    uint64_t destroying = 0;
    ct_buf b = {0};
    ct_err err = {0};

    put_heading(x, &b);
    ct_buf_c(&b, '\n');
    ct_buf_put(&b, ct_buf_str(&x->report));
    ct_buf_printf(&b,
                  "%s%" PRIu64 " valid, %" PRIu64 " damaged or other bags, %" PRIu64 " unreachable",
                  x->n ? "\n" : "", x->valid, x->bad, x->unreachable);
    if (x->ending)
        ct_buf_printf(&b, ", %" PRIu64 " being destroyed", x->ending);
    ct_buf_c(&b, '\n');
    if (!ct_copies(x->db, &oldest, put_oldest, &b, &err) ||
        !ct_bags(x->db, &begun, count_bag, &destroying, &err))
        ct_cli_error(x->cli, CT_FAULT, x->cli->db, &err);
    if (destroying)
        ct_buf_printf(&b, "Destruction begun and not complete: %" PRIu64 " bag%s\n", destroying,
                      destroying == 1 ? "" : "s");
    ct_buf_put(&b, ct_buf_str(&x->custody));
    if (!x->cli->quiet || x->cli->status != CT_DONE)
        ct_out_put(ct_cli_out(x->cli), ct_buf_str(&b));
    ct_buf_free(&b);
}

/* ---- the run ---- */

static void run(fixity *x)
{
    static const ct_copy_query all = {.oldest_first = true, .kept = true};
    ct_err err = {0};
    bool ok = true;

    if (!ct_copies(x->db, &all, add_job, x, &err)) {
        ct_cli_error(x->cli, CT_FAULT, x->cli->db, &err);
        return;
    }
    for (size_t i = 0; ok && i < x->n; i++)
        ok = run_job(x, &x->jobs[i]);
    if (x->bad || x->unreachable)
        ct_cli_problem(x->cli, CT_NO,
                       "%" PRIu64 " of %zu copies are damaged, other bags or out of reach",
                       x->bad + x->unreachable, x->n);
    check_custody(x);
    write_report(x);
}

/* `3/30`. */
static void take_slice(fixity *x)
{
    ct_str total = ct_str_z(x->cli->arg), part = ct_str_cut(&total, '/');

    if (!total.p || !ct_str_u64(part, &x->slice) || !ct_str_u64(total, &x->slices) ||
        x->slice == 0 || x->slice > x->slices)
        ct_cli_usage(x->cli, "--slice takes N/T, with N from 1 to T");
}

static void add_keys(fixity *x, bag_keys keys)
{
    x->keys = ct_grow(x->keys, x->nkeys, sizeof(*x->keys));
    x->keys[x->nkeys++] = keys;
}

/* One that cannot be read is no fault of the bags. */
static void take_key_file(fixity *x)
{
    ct_err err = {0};

    if (access(x->cli->arg, R_OK) != 0) {
        ct_fail_sys(&err, errno, "cannot open the key file");
        ct_cli_die(x->cli, x->cli->arg, &err);
    }
    add_keys(x, (bag_keys){.file = x->cli->arg});
}

int bag_fixity(int argc, char **argv)
{
    ct_cli c;
    fixity x = {.cli = &c, .older = -1};
    ct_err err = {0};
    int opt;

    ct_cli_start(&c, &command, argc, argv);
    add_keys(&x, (bag_keys){0});
    while ((opt = ct_cli_option(&c)) != CT_CLI_DONE) {
        if (opt == OPT_SLICE)
            take_slice(&x);
        else if (opt == OPT_HEAD)
            x.head = bag_log_head(&c);
        else if (opt == BAG_OPT_KEY_FILE)
            take_key_file(&x);
        else
            x.older = (int64_t)ct_cli_number(&c, 0, 36525);
    }
    if (c.nargs)
        ct_cli_usage(&c, "takes no bags: it reads those of the catalogue");
    x.keys[0].db = c.db;
    x.db = bag_catalogue_open(c.db, &err);
    if (!x.db)
        ct_cli_die(&c, c.db, &err);
    run(&x);
    ct_db_close(x.db);
    for (size_t i = 0; i < x.n; i++)
        free(x.jobs[i].path);
    free(x.jobs);
    free(x.keys);
    ct_buf_free(&x.report);
    ct_buf_free(&x.details);
    ct_buf_free(&x.custody);
    return ct_cli_finish(&c);
}
