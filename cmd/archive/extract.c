/* chart archive extract: records out of a bag, or the bag itself as a folder. */
#include "cmd/archive/archive.h"
#include "cmd/archive/index.h"
#include "cmd/archive/log.h"
#include "cmd/archive/names.h"
#include "cmd/archive/quick.h"
#include "cmd/archive/sink.h"
#include "cmd/archive/sweep.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { OPT_CHART = CT_OPT_OWN, OPT_SHARED };

/* Records pack to a twentieth, hardly ever to a hundredth. What unpacks to more than this is made
 * to fill the disk. */
enum { RATIO_MAX = 1000, BYTES_FREE = 64 * 1024 * 1024 };

/* Looking up more charts than this takes as long as reading the bag. */
enum { FEW = 64, CHUNK = 64 * 1024 };

static const ct_opt options[] = {
    {OPT_CHART, "chart", "ID", "only this patient's chart; may be given again"},
    {OPT_SHARED, "with-shared", NULL, "with --chart: the records that are nobody's too"},
    BAG_KEY_FILE_OPTION,
    {'C', "directory", "DIR", "unpack files into a new folder in DIR instead"},
    {0},
};

static const ct_command command = {
    .name = "archive extract",
    .summary =
        "Writes the records of a bag to stdout: the very lines that went in, what is nobody's\n"
        "first. All that is read is verified as well: exit status 1 when anything is wrong.",
    .synopsis = "[OPTION]... BAG",
    .common = CT_HAS_OUTPUT | CT_HAS_JOBS | CT_HAS_TALLY | CT_HAS_PROGRESS | CT_HAS_DB,
    .options = options,
    .examples = "  chart archive extract --chart 4711 2019.zip >4711.ndjson\n"
                "  chart archive extract 2019.zip | chart audit\n"
                "  chart archive extract -C /restore 2019.zip\n",
};

/* A chart that was asked for. */
typedef struct wish {
    char *path;
    bool found;
} wish;

typedef struct extractor {
    ct_cli *cli;
    const char *bag;
    wish *wishes;
    size_t n;
    bool with_shared;
    ct_db *db;     /* whose log of custody is kept; NULL: none */
    ct_sha *asked; /* the ids, each with a LF */
    bool logged;
    bag_pass pass;
    /* to stdout */
    bool record_file; /* the current file holds records */
    char last;
    uint64_t left_out, copies; /* files that hold no records; those among them that copy some */
    /* for the tally */
    ct_parser *parser;
    ct_buf part;
    /* to a folder */
    const char *folder;
    ct_buf place; /* where the bag goes in it, to be shown */
    bag_sink *sink;
    uint64_t room; /* bytes that may still be unpacked */
    bool refused;  /* the bag cannot be unpacked as it is */
} extractor;

/* ---- what is wanted ---- */

static bool want(void *ctx, ct_str path)
{
    extractor *x = ctx;

    if (x->n == 0 || (x->with_shared && ct_str_starts(path, CT_S("data/shared/"))))
        return true;
    for (size_t i = 0; i < x->n; i++)
        if (ct_str_is(path, x->wishes[i].path))
            return x->wishes[i].found = true;
    return false;
}

static void add_wish(extractor *x, const char *id)
{
    ct_buf path = {0};

    bag_chart_path(&path, ct_str_z(id));
    ct_sha_add(x->asked, ct_str_z(id));
    ct_sha_add(x->asked, CT_S("\n"));
    x->wishes = ct_grow(x->wishes, x->n, sizeof(*x->wishes));
    x->wishes[x->n++] = (wish){path.p, false};
}

/* ---- the log of custody ---- */

/* What was taken, in the words of the options. */
static void put_detail(const extractor *x, ct_buf *b)
{
    ct_buf_z(b, x->n ? "chart" : "all");
    if (x->with_shared)
        ct_buf_z(b, " with-shared");
    if (x->folder)
        ct_buf_z(b, " directory");
}

static bool enter_log(extractor *x, ct_err *err)
{
    uint8_t digest[CT_SHA256_LEN];
    ct_buf detail = {0}, hex = {0};
    ct_custody row = {.act = CT_ACT_EXTRACT, .charts = x->n};
    bool ok;

    put_detail(x, &detail);
    row.detail = ct_buf_str(&detail);
    if (x->n) {
        ct_sha_end(x->asked, digest);
        ct_hex(&hex, digest, sizeof(digest));
        row.sha256 = ct_buf_str(&hex);
    }
    ok = bag_log_enter(x->db, x->bag, &row, err);
    ct_buf_free(&detail);
    ct_buf_free(&hex);
    return ok;
}

/* Before the first byte leaves the bag: what cannot be entered is not given. */
static bool log_access(extractor *x, ct_err *err)
{
    if (x->db && !x->logged) {
        x->logged = enter_log(x, err);
        if (!x->logged)
            err->file = x->cli->db;
    }
    return !x->db || x->logged;
}

/* ---- records to stdout ---- */

/* Enters a line in both sides of the books. A line that is no record counts all the same. */
static void count_record(extractor *x, ct_str line)
{
    const ct_ftype *type = NULL;
    ct_doc doc;
    ct_err err;

    if (ct_parse(x->parser, line, &doc, &err))
        type = ct_model_type(ct_model_r4(), ct_resource_type(&doc));
    ct_side_add(&x->cli->tally.in, line, type ? type->name : CT_S(""));
    ct_side_add(&x->cli->tally.out, line, type ? type->name : CT_S(""));
}

static void count_records(extractor *x, ct_str bytes)
{
    while (bytes.n) {
        ct_str rest = bytes, line = ct_str_cut(&rest, '\n');

        if (!rest.p) {
            ct_buf_put(&x->part, line);
            return;
        }
        if (x->part.n) {
            ct_buf_put(&x->part, line);
            line = ct_buf_str(&x->part);
        }
        count_record(x, line);
        x->part.n = 0;
        bytes = rest;
    }
}

/* By its name a copy that `create` puts beside the records. */
static bool is_copy(ct_str path)
{
    if (ct_str_starts(path, CT_S("data/attachments/")))
        return true;
    return (ct_str_starts(path, CT_S("data/charts/")) ||
            ct_str_starts(path, CT_S("data/shared/"))) &&
           (ct_str_ends(path, CT_S(".html")) || ct_str_ends(path, CT_S(".pdf")));
}

static bool records_begin(void *ctx, ct_str path, ct_err *err)
{
    extractor *x = ctx;

    x->record_file = ct_str_ends(path, CT_S(".ndjson"));
    x->left_out += !x->record_file;
    x->copies += !x->record_file && is_copy(path);
    x->last = '\n';
    return !x->record_file || log_access(x, err);
}

static bool records_bytes(void *ctx, ct_str bytes, ct_err *err)
{
    extractor *x = ctx;

    (void)err;
    if (!x->record_file)
        return true;
    if (x->cli->tally_path)
        count_records(x, bytes);
    x->last = bytes.p[bytes.n - 1];
    return ct_out_put(ct_cli_out(x->cli), bytes);
}

/* A file made by others may lack its last LF; the next record must not be glued to it. */
static bool records_end(void *ctx, bool damaged, ct_err *err)
{
    extractor *x = ctx;

    (void)damaged;
    if (x->last == '\n')
        return true;
    return records_bytes(ctx, CT_S("\n"), err);
}

/* ---- files to a folder ---- */

/* `DIR/NAME/`: the bag's own folder name, or that of the bag's file. */
static bool open_folder(extractor *x, ct_err *err)
{
    ct_buf out = {0};
    ct_str name = ct_buf_str(&x->pass.base);
    bag_packing packing;
    bool known = name.n || bag_packing_of(x->bag, &packing, &name) || name.n;

    ct_buf_printf(&out, "%s/%.*s/", x->folder, (int)name.n, name.p);
    bag_cell_put(&x->place, ct_str_head(ct_buf_str(&out), out.n - 1));
    ct_buf_c(&x->place, '\0');
    ct_buf_c(&out, '\0');
    if (known)
        x->sink = bag_sink_open(out.p, &(bag_packing_opts){.mtime = BAG_NO_DATE}, err);
    else
        ct_fail(err, CT_E_USAGE, "the bag has no name to unpack it under");
    ct_buf_free(&out);
    return x->sink && bag_sink_folder(x->sink, "data", err);
}

/* What the bag is to blame for. */
static void note_refusal(extractor *x, const ct_err *err)
{
    x->refused = err->kind == CT_E_DATA || err->kind == CT_E_LIMIT;
}

static bool files_begin(void *ctx, ct_str path, ct_err *err)
{
    extractor *x = ctx;
    ct_buf z = {0};
    bool ok;

    if (!x->sink && (!log_access(x, err) || !open_folder(x, err)))
        return false;
    ct_buf_put(&z, path);
    ct_buf_c(&z, '\0');
    ok = bag_sink_begin(x->sink, z.p, 0, err);
    if (!ok)
        note_refusal(x, err);
    ct_buf_free(&z);
    return ok;
}

static bool files_bytes(void *ctx, ct_str bytes, ct_err *err)
{
    extractor *x = ctx;

    if (bytes.n > x->room) {
        ct_fail(err, CT_E_LIMIT, "unpacks to a thousand times its size and more");
        note_refusal(x, err);
        return false;
    }
    x->room -= bytes.n;
    return bag_sink_put(x->sink, bytes, err);
}

static bool files_end(void *ctx, bool damaged, ct_err *err)
{
    extractor *x = ctx;

    (void)damaged;
    return bag_sink_end(x->sink, err);
}

/* As much as its size allows; a folder is no bomb. */
static uint64_t room_for(const char *bag)
{
    struct stat st;

    if (stat(bag, &st) != 0 || !S_ISREG(st.st_mode))
        return UINT64_MAX;
    return BYTES_FREE + (uint64_t)st.st_size * RATIO_MAX;
}

/* ---- the run ---- */

static void set_viewer(extractor *x)
{
    bag_viewer *v = &x->pass.viewer;

    if (x->folder)
        *v = (bag_viewer){.begin = files_begin, .bytes = files_bytes, .end = files_end};
    else
        *v = (bag_viewer){.begin = records_begin, .bytes = records_bytes, .end = records_end};
    v->payload_only = !x->folder || x->n;
    v->want = want;
    v->ctx = x;
}

static void report_wishes(extractor *x)
{
    for (size_t i = 0; i < x->n; i++)
        if (!x->wishes[i].found)
            ct_cli_problem(x->cli, CT_NO, "%s: --chart number %zu is not in the bag", x->bag,
                           i + 1);
}

/* What was written is kept where the bag is sound; a folder only then. */
static void finish(extractor *x, bag_check *check)
{
    bag_report report = {x->cli, x->bag};
    bag_summary summary;
    ct_err err = {0};

    if (x->folder)
        bag_check_to_unpack(check);
    if (!bag_check_end(check, x->n > 0, bag_report_finding, &report, &summary, &err))
        ct_cli_error(x->cli, CT_FAULT, x->bag, &err);
    report_wishes(x);
    if (x->copies == bag_check_copies(check))
        x->left_out -= x->copies; /* the bag knows of them */
    if (x->left_out)
        ct_cli_problem(x->cli, CT_NO,
                       "%s: files that are not .ndjson are left out: %" PRIu64 "; see -C", x->bag,
                       x->left_out);
    if (x->sink && x->cli->status != CT_DONE) {
        ct_cli_say(x->cli, "%s: nothing is unpacked", x->bag);
        bag_sink_abandon(x->sink);
    } else if (x->sink && !bag_sink_close(x->sink, &err)) {
        ct_cli_error(x->cli, CT_FAULT, x->place.p, &err);
    }
}

/* ---- a few charts ---- */

/* Where a file that was asked for is. */
typedef struct found_file {
    ct_buf path;
    bag_spot spot;
} found_file;

static int bag_order(const void *left, const void *right)
{
    const found_file *a = left, *b = right;

    if (a->spot.at != b->spot.at)
        return a->spot.at < b->spot.at ? -1 : 1;
    return ct_str_cmp(ct_buf_str(&a->path), ct_buf_str(&b->path));
}

typedef struct picker {
    bag_quick *quick;
    found_file *files;
    size_t n;
} picker;

static bag_found pick(picker *p, ct_str path)
{
    bag_spot spot = {0};
    bag_found found = bag_quick_find(p->quick, path, &spot);

    if (found != BAG_FOUND)
        return found;
    p->files = ct_grow(p->files, p->n, sizeof(*p->files));
    p->files[p->n] = (found_file){.spot = spot};
    ct_buf_put(&p->files[p->n++].path, path);
    return BAG_FOUND;
}

static bag_found pick_shared(picker *p)
{
    ct_buf path = {0};
    bag_found found = BAG_FOUND;

    for (uint64_t n = 1; found == BAG_FOUND; n++) {
        path.n = 0;
        bag_shared_path(&path, n);
        found = pick(p, ct_buf_str(&path));
    }
    ct_buf_free(&path);
    return found;
}

/* False where any of it cannot be told without reading the whole bag. */
static bool pick_all(extractor *x, picker *p)
{
    if (x->with_shared && pick_shared(p) == BAG_UNKNOWN)
        return false;
    for (size_t i = 0; i < x->n; i++) {
        bag_found found = pick(p, ct_str_z(x->wishes[i].path));

        if (found == BAG_UNKNOWN)
            return false;
        x->wishes[i].found = found == BAG_FOUND;
    }
    if (p->n)
        qsort(p->files, p->n, sizeof(*p->files), bag_order);
    return true;
}

static bool take_all(picker *p, ct_spool *to)
{
    for (size_t i = 0; i < p->n; i++) {
        ct_str path = ct_buf_str(&p->files[i].path);

        /* asked for twice */
        if (i && ct_str_eq(path, ct_buf_str(&p->files[i - 1].path)))
            continue;
        if (!bag_quick_take(p->quick, path, &p->files[i].spot, to))
            return false;
    }
    return true;
}

/* What has proved right goes out. */
static void write_spool(extractor *x, ct_spool *spool)
{
    size_t got = 1;
    char *chunk = ct_alloc(CHUNK);
    ct_err err = {0};
    bool ok = records_begin(x, CT_S(".ndjson"), &err);

    while (ok && got) {
        ok = ct_spool_read(spool, chunk, CHUNK, &got, &err);
        if (ok && got && !records_bytes(x, (ct_str){chunk, got}, &err))
            break; /* ct_cli_finish says why */
    }
    if (!ok)
        ct_cli_error(x->cli, CT_FAULT, x->bag, &err);
    free(chunk);
}

/* Single charts are looked up where the bag allows that; false, and nothing is written, where it
 * does not or where anything is wrong. */
static bool extract_few(extractor *x)
{
    picker p = {.quick = x->n && x->n <= FEW && !x->folder ? bag_quick_open(x->bag) : NULL};
    ct_spool *spool = ct_spool_new();
    bool ok = p.quick && pick_all(x, &p) && take_all(&p, spool);

    if (ok) {
        if (p.n)
            write_spool(x, spool);
        report_wishes(x);
    }
    for (size_t i = 0; i < p.n; i++) {
        bag_quick_drop(p.quick, &p.files[i].spot);
        ct_buf_free(&p.files[i].path);
    }
    for (size_t i = 0; !ok && i < x->n; i++)
        x->wishes[i].found = false;
    free(p.files);
    ct_spool_free(spool);
    bag_quick_close(p.quick);
    return ok;
}

/* ---- all of it ---- */

static void extract_all(extractor *x)
{
    bag_check *check;
    ct_err err = {0};

    set_viewer(x);
    x->room = room_for(x->bag);
    check = bag_pass_run(&x->pass, &err);
    if (check) {
        finish(x, check);
    } else {
        if (err.kind != CT_OK)
            ct_cli_error(x->cli, x->refused ? CT_NO : CT_FAULT,
                         x->place.n && !x->sink ? x->place.p : x->bag, &err);
        bag_sink_abandon(x->sink);
    }
    bag_check_free(check);
}

int bag_extract(int argc, char **argv)
{
    ct_cli c;
    extractor x = {.cli = &c};
    bag_keys keys = {0};
    ct_err err = {0};
    int opt;

    ct_cli_start(&c, &command, argc, argv);
    x.asked = ct_sha_new(256);
    bag_sweep_start();
    while ((opt = ct_cli_option(&c)) != CT_CLI_DONE) {
        if (opt == OPT_CHART)
            add_wish(&x, c.arg);
        else if (opt == OPT_SHARED)
            x.with_shared = true;
        else if (opt == BAG_OPT_KEY_FILE)
            keys.file = c.arg;
        else
            x.folder = c.arg;
    }
    if (c.nargs != 1)
        ct_cli_usage(&c, "one bag, please");
    if (x.folder && !*x.folder)
        ct_cli_usage(&c, "-C takes a folder; . is this one");
    if (x.with_shared && !x.n)
        ct_cli_usage(&c, "--with-shared goes with --chart");
    if (x.folder && (c.output || c.tally_path))
        ct_cli_usage(&c, "-C goes with neither --output nor --tally");
    x.bag = c.args[0];
    keys.db = c.db;
    x.db = bag_log_open(&c, &err);
    if (err.kind != CT_OK)
        ct_cli_die(&c, c.db, &err);
    x.pass = (bag_pass){
        .path = x.bag, .jobs = c.jobs, .keys = &keys, .progress = bag_progress, .progress_ctx = &c};
    x.parser = ct_parser_new(ct_model_names(ct_model_r4()));
    if (!extract_few(&x))
        extract_all(&x);
    for (size_t i = 0; i < x.n; i++)
        free(x.wishes[i].path);
    free(x.wishes);
    ct_sha_free(x.asked);
    ct_db_close(x.db);
    ct_parser_free(x.parser);
    ct_buf_free(&x.part);
    ct_buf_free(&x.place);
    ct_buf_free(&x.pass.base);
    return ct_cli_finish(&c);
}
