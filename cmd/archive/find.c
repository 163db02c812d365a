/* chart archive find: which bag has a patient's chart? */
#include "cmd/archive/archive.h"
#include "cmd/archive/catalogue.h"
#include "cmd/archive/index.h"
#include "common/store/store.h"

#include <inttypes.h>
#include <stdlib.h>

enum { OPT_NAME = CT_OPT_OWN, OPT_NUMBER, OPT_SYSTEM, OPT_ID, OPT_BORN, OPT_DATE };

static const ct_opt options[] = {
    {OPT_NAME, "name", "NAME", "each word begins a word of the patient's name"},
    {OPT_NUMBER, "number", "N", "an identifier: a record number, an insurance number"},
    {OPT_SYSTEM, "system", "URI", "with --number: of this system only"},
    {OPT_ID, "id", "ID", "the Patient's id"},
    {OPT_BORN, "born", "DATE", "date of birth: a day, a month or a year"},
    {OPT_DATE, "date", "DATE[..DATE]", "care took place then: a day, a month or a year"},
    {0},
};

static const ct_command command = {
    .name = "archive find",
    .summary = "Tells in which bag a patient's chart is, and where its copies are, from the\n"
               "catalogue; no bag is opened. All that is given must fit.",
    .synopsis = "[OPTION]...",
    .common = CT_HAS_OUTPUT | CT_HAS_DB,
    .options = options,
    .examples =
        "  chart archive find --name 'muller anna' --born 1980\n"
        "  chart archive find --number 00123 | while IFS='\t' read -r bag chart id copy; do\n"
        "      chart archive extract --chart \"$id\" \"$copy\"; done\n",
};

typedef struct finder {
    ct_cli *cli;
    ct_db *db;
    ct_chart_query want;
    char from[16], to[16];
    ct_buf fields; /* that were asked for, never their values */
    ct_spool *found;
    ct_sha *ids; /* of the patients that were found, each with a LF */
    uint64_t n;
    ct_str hash; /* of the bag whose copies are known … */
    char last[2 * CT_SHA256_LEN];
    ct_buf copies; /* … each behind a tab */
    ct_err err;
} finder;

/* ---- what is found ---- */

static bool put_copy(void *ctx, const ct_copy *copy)
{
    ct_buf_c(ctx, '\t');
    bag_cell_put(ctx, copy->path);
    return true;
}

/* Charts of one bag mostly come together. */
static bool know_copies(finder *f, ct_str hash)
{
    if (ct_str_eq(f->hash, hash))
        return true;
    f->copies.n = 0;
    if (hash.n != sizeof(f->last) ||
        !ct_copies(f->db, &(ct_copy_query){.bag = hash}, put_copy, &f->copies, &f->err))
        return false;
    memcpy(f->last, hash.p, hash.n);
    f->hash = (ct_str){f->last, hash.n};
    return true;
}

static bool put_found(void *ctx, const ct_bag *bag, const ct_bagged *chart)
{
    finder *f = ctx;
    ct_buf b = {0};
    bool ok = know_copies(f, bag->hash);

    bag_cell_put(&b, bag->name);
    ct_buf_c(&b, '\t');
    bag_cell_put(&b, chart->path);
    ct_buf_c(&b, '\t');
    bag_cell_put(&b, chart->patient);
    ct_buf_put(&b, ct_buf_str(&f->copies));
    ct_buf_c(&b, '\n');
    ok = ok && ct_spool_put(f->found, ct_buf_str(&b), &f->err);
    ct_buf_free(&b);
    ct_sha_add(f->ids, chart->patient);
    ct_sha_add(f->ids, CT_S("\n"));
    f->n++;
    return ok;
}

/* Who looked, for what kind of thing, and how many were found: before anything is shown. */
static bool enter_search(finder *f, ct_err *err)
{
    uint8_t digest[CT_SHA256_LEN];
    ct_buf count = {0}, hex = {0};
    bool ok;

    ct_buf_u64(&count, f->n);
    ct_sha_end(f->ids, digest);
    ct_hex(&hex, digest, sizeof(digest));
    ok = ct_custody_enter(f->db,
                          &(ct_custody){.act = CT_ACT_FIND,
                                        .detail = ct_buf_str(&f->fields),
                                        .result = ct_buf_str(&count),
                                        .sha256 = f->n ? ct_buf_str(&hex) : CT_S("")},
                          err);
    ct_buf_free(&count);
    ct_buf_free(&hex);
    return ok;
}

static bool show(finder *f, ct_err *err)
{
    char chunk[64 * 1024];
    size_t got = 1;

    while (got) {
        if (!ct_spool_read(f->found, chunk, sizeof(chunk), &got, err))
            return false;
        if (got && !ct_out_put(ct_cli_out(f->cli), (ct_str){chunk, got}))
            return true; /* ct_cli_finish says why */
    }
    return true;
}

static bool search(finder *f, ct_err *err)
{
    if (!ct_charts_find(f->db, &f->want, put_found, f, err))
        return false;
    if (f->err.kind != CT_OK) {
        *err = f->err;
        return false;
    }
    return enter_search(f, err) && show(f, err);
}

static void find(finder *f)
{
    ct_cli *c = f->cli;
    ct_err err = {0};

    f->db = bag_catalogue_open(c->db, &err);
    f->found = ct_spool_new();
    f->ids = ct_sha_new(256);
    if (!f->db || !search(f, &err))
        ct_cli_error(c, CT_FAULT, c->db, &err);
    else if (f->n == 0)
        c->status = CT_NO;
    ct_db_close(f->db);
    ct_spool_free(f->found);
    ct_sha_free(f->ids);
    ct_buf_free(&f->copies);
}

/* ---- what is asked for ---- */

static void put_day(char to[16], const ct_date *d)
{
    ct_buf b = {0};

    ct_date_put(&b, d);
    ct_buf_c(&b, '\0');
    memcpy(to, b.p, b.n < 16 ? b.n : 16);
    to[15] = '\0';
    ct_buf_free(&b);
}

/* The first day of a day, month or year; false where it is none of them. */
static bool first_day(ct_str text, ct_date *d)
{
    return ct_date_parse(text, d) && d->precision <= CT_P_DAY;
}

/* The last day of a period that is known by its first and its precision. */
static ct_date last_day(ct_date d)
{
    ct_date next = d;

    if (d.precision == CT_P_DAY)
        return d;
    next.precision = CT_P_DAY;
    next.day = 1;
    next.month = d.precision == CT_P_YEAR ? 1 : (uint8_t)(d.month % 12 + 1);
    next.year = (int16_t)(d.year + (next.month == 1));
    return ct_date_add_days(&next, -1);
}

static void read_dates(finder *f, const char *arg)
{
    ct_str text = ct_str_z(arg), to;
    size_t dots = ct_str_find(text, CT_S(".."));
    ct_date first, last;

    to = dots == SIZE_MAX ? text : ct_str_from(text, dots + 2);
    text = dots == SIZE_MAX ? text : ct_str_head(text, dots);
    if (!first_day(text, &first) || !first_day(to, &last))
        ct_cli_usage(f->cli,
                     "--date takes a day, a month or a year, or two of them with .. between");
    first = ct_date_add_days(&first, 0);
    last = last_day(last);
    put_day(f->from, &first);
    put_day(f->to, &last);
    if (strcmp(f->from, f->to) > 0)
        ct_cli_usage(f->cli, "--date ends before it begins");
    f->want.from = ct_str_z(f->from);
    f->want.to = ct_str_z(f->to);
}

static void read_option(finder *f, int opt)
{
    ct_str arg = ct_str_z(f->cli->arg);
    ct_date born;

    if (!arg.n)
        ct_cli_usage(f->cli, "nothing is given to look for");
    ct_buf_printf(&f->fields, "%s%s", f->fields.n ? " " : "", options[opt - OPT_NAME].name);
    switch (opt) {
    case OPT_NAME:
        f->want.name = arg;
        break;
    case OPT_NUMBER:
        f->want.number = arg;
        break;
    case OPT_SYSTEM:
        f->want.system = arg;
        break;
    case OPT_ID:
        f->want.patient = arg;
        break;
    case OPT_BORN:
        if (!first_day(arg, &born))
            ct_cli_usage(f->cli, "--born takes a day, a month or a year");
        f->want.born = arg;
        break;
    default:
        read_dates(f, f->cli->arg);
    }
}

int bag_find(int argc, char **argv)
{
    ct_cli c;
    finder f = {.cli = &c};
    int opt;

    ct_cli_start(&c, &command, argc, argv);
    while ((opt = ct_cli_option(&c)) != CT_CLI_DONE)
        read_option(&f, opt);
    if (c.nargs)
        ct_cli_usage(&c, "find looks in the catalogue, not in bags");
    if (f.want.system.n && !f.want.number.n)
        ct_cli_usage(&c, "--system goes with --number");
    if (!f.fields.n)
        ct_cli_usage(&c, "whom to look for?");
    find(&f);
    ct_buf_free(&f.fields);
    return ct_cli_finish(&c);
}
