/* chart archive hold: legal holds, which nothing destroys against. */
#include "cmd/archive/archive.h"
#include "cmd/archive/index.h"
#include "cmd/archive/trial.h"
#include "common/fhirpath/fhirpath.h"
#include "common/store/store.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    OPT_MATTER = CT_OPT_OWN,
    OPT_WHY,
    OPT_BY,
    OPT_WHERE,
    OPT_RELEASE,
    OPT_LIST,
    OPT_PATIENT,
    OPT_TRY
};

static const ct_opt options[] = {
    {OPT_MATTER, "matter", "NAME", "the case or request that the hold is for"},
    {OPT_WHY, "why", "TEXT", "why it is placed, or released"},
    {OPT_BY, "by", "PERSON", "who decided it"},
    {OPT_WHERE, "where", "FHIRPATH", "hold the charts that this condition takes in"},
    {OPT_TRY, "try", "FILE", "with --where: records whose charts it is tried on first"},
    {OPT_RELEASE, "release", "N", "release hold number N"},
    {OPT_LIST, "list", NULL, "list the holds; with --as-of those in force on a day"},
    {OPT_PATIENT, "patient", "ID", "with --list: only those whose list names the patient"},
    {0},
};

static const ct_command command = {
    .name = "archive hold",
    .summary =
        "Places a legal hold on patients (FILE: an id a line) or on all charts that a condition\n"
        "takes in, lists holds, and releases them. What is held is not destroyed.",
    .synopsis = "--matter NAME --why TEXT --by PERSON [FILE]...\n"
                "--matter NAME --why TEXT --by PERSON --where FHIRPATH [--try FILE]\n"
                "--release N --why TEXT --by PERSON\n"
                "--list [--patient ID]",
    .common = CT_HAS_OUTPUT | CT_HAS_DB | CT_HAS_ASOF,
    .options = options,
    .examples =
        "  chart archive hold --matter 'Doe v. Mercy' --why 'subpoena of 3 May' \\\n"
        "      --by 'J. Counsel' patients.txt\n"
        "  chart archive hold --matter 'Product recall' --why 'FDA notice' --by 'J. Counsel' \\\n"
        "      --where \"%chart.ofType(Device).exists(modelNumber = 'X-1')\"\n"
        "  chart archive hold --list\n"
        "  chart archive hold --release 1 --why settled --by 'J. Counsel'\n",
};

#define NOBODY "not the id of a patient alone"

typedef struct args {
    ct_hold hold;
    ct_path *condition; /* compiled; NULL where the hold is on patients */
    const char *try;
    const char *patient;
    uint64_t release;
    bool list;
} args;

/* ---- a hold as a line ---- */

static void put_cell(ct_buf *b, ct_str text)
{
    ct_buf_c(b, '\t');
    bag_cell_put(b, text.n ? text : CT_S("-"));
}

/* number, active or released, placed, by, matter, what, why, and of the release: when, by, why. */
static bool put_hold(void *cli, const ct_hold *h)
{
    ct_buf b = {0}, what = {0};
    bool ok;

    if (h->path.n)
        ct_buf_put(&what, h->path);
    else
        ct_buf_printf(&what, "%" PRIu64 " patient%s", h->patients, h->patients == 1 ? "" : "s");
    ct_buf_printf(&b, "%lld\t%s", (long long)h->id, h->released.n ? "released" : "active");
    put_cell(&b, h->placed);
    put_cell(&b, h->by);
    put_cell(&b, h->matter);
    put_cell(&b, ct_buf_str(&what));
    put_cell(&b, h->why);
    put_cell(&b, h->released);
    put_cell(&b, h->released_by);
    put_cell(&b, h->released_why);
    ct_buf_c(&b, '\n');
    ok = ct_out_put(ct_cli_out(cli), ct_buf_str(&b)); /* ct_cli_finish says why not */
    ct_buf_free(&b);
    ct_buf_free(&what);
    return ok;
}

typedef struct one {
    ct_cli *cli;
    int64_t id;
} one;

static bool put_one(void *ctx, const ct_hold *h)
{
    const one *o = ctx;

    return h->id != o->id || put_hold(o->cli, h);
}

/* ---- whose chart ---- */

/* What shows nothing and comes along when a list is copied from a table or a page: blanks, marks
 * of direction and order; from one sequence of bytes to another. */
static const char *const blanks[][2] = {
    {"\t", "\r"},
    {" ", " "},
    {"\xc2\x85", "\xc2\x85"},
    {"\xc2\xa0", "\xc2\xa0"},
    {"\xe1\x9a\x80", "\xe1\x9a\x80"},
    {"\xe2\x80\x80", "\xe2\x80\x8f"},
    {"\xe2\x80\xa8", "\xe2\x80\xaf"},
    {"\xe2\x81\x9f", "\xe2\x81\xaf"},
    {"\xe3\x80\x80", "\xe3\x80\x80"},
    {"\xef\xbb\xbf", "\xef\xbb\xbf"},
};

static bool is_blank(ct_str c)
{
    for (size_t i = 0; i < CT_LEN(blanks); i++)
        if (strlen(blanks[i][0]) == c.n && memcmp(blanks[i][0], c.p, c.n) <= 0 &&
            memcmp(c.p, blanks[i][1], c.n) <= 0)
            return true;
    return false;
}

static ct_str strip(ct_str s)
{
    for (size_t n = 1; n <= 3 && n <= s.n; n++) {
        if (is_blank(ct_str_head(s, n)))
            s = ct_str_from(s, n);
        else if (is_blank(ct_str_from(s, s.n - n)))
            s = ct_str_head(s, s.n - n);
        else
            continue;
        n = 0;
    }
    return s;
}

/* As FHIR has ids (R4, Data Types, id). */
static bool is_fhir_id(ct_str id)
{
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '.'))
            return false;
    }
    return id.n > 0 && id.n <= 64;
}

static bool found(void *ctx, const ct_bag *bag, const ct_bagged *chart)
{
    (void)bag;
    (void)chart;
    *(bool *)ctx = true;
    return false;
}

/* The id that a text without blanks at its ends names, alone or in a reference to a Patient. False
 * where it names nobody: an id is as FHIR has it, or one that the catalogue knows all the same. */
static bool patient_named(ct_db *db, ct_str text, ct_str *id, bool *known, ct_err *err)
{
    ct_ref ref;

    *id = text;
    *known = false;
    if (text.n && memchr(text.p, '/', text.n)) {
        if (!ct_ref_parse(text, &ref) || !ct_str_is(ref.type, "Patient"))
            return false;
        *id = ref.id;
    }
    return id->n &&
           ct_charts_find(db, &(ct_chart_query){.patient = *id, .destroyed = true}, found, known,
                          err) &&
           (*known || is_fhir_id(*id));
}

/* ---- listing ---- */

/* In force at the end of the day of --as-of. */
static bool put_in_force(void *ctx, const ct_hold *h)
{
    ct_cli *c = ctx;
    ct_buf day = {0};
    bool placed, over;

    if (!c->as_of_given)
        return put_hold(c, h);
    ct_date_put(&day, &c->as_of);
    placed = ct_str_cmp(ct_str_head(h->placed, day.n), ct_buf_str(&day)) <= 0;
    over = h->released.n && ct_str_cmp(ct_str_head(h->released, day.n), ct_buf_str(&day)) <= 0;
    ct_buf_free(&day);
    return !placed || over || put_hold(c, h);
}

static bool list(ct_cli *c, ct_db *db, const args *a, ct_err *err)
{
    ct_str id;
    bool known;

    if (!a->patient)
        return ct_holds(db, false, put_in_force, c, err);
    if (patient_named(db, strip(ct_str_z(a->patient)), &id, &known, err))
        return ct_held(db, id, put_in_force, c, err);
    if (err->kind == CT_OK)
        ct_cli_problem(c, CT_FAULT, "--patient: " NOBODY);
    return err->kind == CT_OK;
}

/* ---- placing ---- */

/* The patients of the files, an id a line. */
typedef struct patients {
    ct_cli *cli;
    ct_db *db;
    ct_arena *arena;
    const char *file; /* that is being read */
    ct_str *v;
    size_t n, cap, unknown;
    ct_err *err; /* of the database */
} patients;

static void keep(patients *p, ct_str id)
{
    if (p->n == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 64;
        p->v = ct_realloc(p->v, p->cap, sizeof(*p->v));
    }
    p->v[p->n++] = ct_arena_copy(p->arena, id);
}

/* A row of a table, a number of the hospital's or a slip of the hand would hold nobody: the one is
 * refused, and the other, which may be a patient to come, is said. */
static void add_patient(void *ctx, ct_str line, uint64_t number)
{
    patients *p = ctx;
    bool known;
    ct_str id;

    line = strip(line);
    if (line.n == 0 || line.p[0] == '#' || p->err->kind != CT_OK)
        return;
    if (patient_named(p->db, line, &id, &known, p->err)) {
        keep(p, id);
        if (!known && p->unknown++ == 0)
            ct_cli_problem(p->cli, CT_NO, "%s:%" PRIu64 ": in no bag of the catalogue", p->file,
                           number);
    } else if (p->err->kind == CT_OK) {
        ct_cli_problem(p->cli, CT_FAULT, "%s:%" PRIu64 ": " NOBODY, p->file, number);
    }
}

static void read_file(patients *p, const char *path)
{
    bag_lines lines = {0};
    char chunk[8192];
    size_t got = 1;
    ct_err err = {0};
    ct_in *in = ct_in_open(path, &err);
    bool ok = in != NULL;

    p->file = ok ? ct_in_name(in) : path;
    while (ok && got) {
        ok = ct_in_read(in, chunk, sizeof(chunk), &got, &err);
        if (ok)
            bag_lines_add(&lines, (ct_str){chunk, got}, add_patient, p);
    }
    bag_lines_end(&lines, add_patient, p);
    if (!ok)
        ct_cli_error(p->cli, CT_FAULT, path, &err);
    else if (lines.too_long)
        ct_cli_problem(p->cli, CT_FAULT, "%s: a line is too long for an id", p->file);
    ct_in_close(in);
    ct_buf_free(&lines.part);
}

static void read_patients(patients *p)
{
    const ct_cli *c = p->cli;

    for (size_t i = 0; i < c->nargs; i++)
        read_file(p, c->args[i]);
    if (c->nargs == 0)
        read_file(p, "-");
    if (p->n == 0 && c->status == CT_DONE && p->err->kind == CT_OK)
        ct_cli_problem(p->cli, CT_FAULT, "no patient is named");
}

static bool place_list(ct_cli *c, ct_db *db, ct_hold *hold, ct_err *err)
{
    patients p = {.cli = c, .db = db, .arena = ct_arena_new(), .err = err};
    bool ok;

    read_patients(&p);
    ok = err->kind == CT_OK;
    if (ok && c->status != CT_FAULT) /* else it was said what is wrong, and nothing is placed */
        ok = ct_hold_place(db, hold, p.v, p.n, err);
    if (ok && c->status != CT_FAULT && p.unknown)
        ct_cli_say(c, "%zu of %zu patients are in no bag; they are held all the same", p.unknown,
                   p.n);
    ct_arena_free(p.arena);
    free(p.v);
    return ok;
}

/* Whom it takes in today is said; others may come. False where it could not be tried. */
static bool try_condition(ct_cli *c, const args *a)
{
    bag_trial t = bag_trial_run(c, a->condition, a->try);

    if (c->status == CT_FAULT)
        return false;
    if (t.held + t.undecided == 0)
        ct_cli_problem(c, CT_NO,
                       "the condition takes in none of %" PRIu64
                       " charts; the hold is placed all the same",
                       t.charts);
    else
        ct_cli_say(c,
                   "of %" PRIu64 " charts the condition takes in %" PRIu64 ", and of %" PRIu64
                   " it cannot be decided",
                   t.charts, t.held, t.undecided);
    return true;
}

static bool place(ct_cli *c, ct_db *db, args *a, ct_err *err)
{
    ct_hold *hold = &a->hold;
    bool ok;

    if (a->try && !try_condition(c, a))
        return true; /* it was said why, and nothing is placed */
    ok = hold->path.n ? ct_hold_place(db, hold, NULL, 0, err) : place_list(c, db, hold, err);
    return ok && ct_holds(db, false, put_one, &(one){c, hold->id}, err);
}

static bool release(ct_cli *c, ct_db *db, const args *a, ct_err *err)
{
    return ct_hold_release(db, (int64_t)a->release, a->hold.by, a->hold.why, err) &&
           ct_holds(db, false, put_one, &(one){c, (int64_t)a->release}, err);
}

/* ---- the run ---- */

static void run(ct_cli *c, args *a)
{
    ct_err err = {0};
    ct_db *db = a->list ? ct_db_open_readonly(c->db, &err) : ct_db_open(c->db, &err);
    bool ok = db != NULL;

    if (ok && ct_db_is_new(db) && !c->quiet)
        ct_cli_say(c, "%s: a new database begins", c->db);
    if (ok && a->list)
        ok = list(c, db, a, &err);
    else if (ok && a->release)
        ok = release(c, db, a, &err);
    else if (ok)
        ok = place(c, db, a, &err);
    if (!ok)
        ct_cli_error(c, CT_FAULT, c->db, &err);
    ct_db_close(db);
}

/* Of a condition that looks at no record: is it false? */
static bool is_never(const ct_path *p)
{
    ct_arena *a = ct_arena_new();
    ct_parser *parser = ct_parser_new(ct_model_names(ct_model_r4()));
    ct_context c = {.model = ct_model_r4(), .arena = a};
    ct_doc doc;
    ct_err err = {0};
    bool never;

    c.doc = &doc;
    never = ct_parse(parser, CT_S("{}"), &doc, &err) && ct_path_test(p, &c, &err) == CT_FALSE_;
    ct_parser_free(parser);
    ct_arena_free(a);
    return never;
}

/* A misspelt condition, or one like `false`, would hold nobody, for years. */
static ct_path *read_condition(ct_cli *c, ct_str where)
{
    ct_err err = {0};
    ct_path *p = ct_path_compile_strict(ct_model_r4(), where, &err);

    if (!p)
        ct_cli_die(c, "--where", &err);
    if (ct_path_is_constant(p) && is_never(p))
        ct_cli_usage(c, "--where: false of every chart");
    return p;
}

static void check_usage(ct_cli *c, const args *a)
{
    const ct_hold *h = &a->hold;

    if (a->list && (a->release || h->matter.n || h->why.n || h->by.n || h->path.n))
        ct_cli_usage(c, "--list goes with --as-of and --patient only");
    if (a->patient && !a->list)
        ct_cli_usage(c, "--patient goes with --list");
    if (a->try && !h->path.n)
        ct_cli_usage(c, "--try goes with --where");
    if (c->as_of_given && !a->list)
        ct_cli_usage(c, "holds are placed and released today: --as-of goes with --list");
    if (a->list)
        return;
    if (a->release && (h->matter.n || h->path.n))
        ct_cli_usage(c, "--release takes --why and --by only");
    if (!a->release && !h->matter.n)
        ct_cli_usage(c, "for which --matter?");
    if (!h->why.n || !h->by.n)
        ct_cli_usage(c, "--why and --by, please");
    if (h->path.n && c->nargs)
        ct_cli_usage(c, "either --where or files with patients");
}

static void read_option(ct_cli *c, args *a, int opt)
{
    switch (opt) {
    case OPT_MATTER:
        a->hold.matter = ct_str_z(c->arg);
        break;
    case OPT_WHY:
        a->hold.why = ct_str_z(c->arg);
        break;
    case OPT_BY:
        a->hold.by = ct_str_z(c->arg);
        break;
    case OPT_WHERE:
        a->hold.path = ct_str_z(c->arg);
        break;
    case OPT_TRY:
        a->try = c->arg;
        break;
    case OPT_RELEASE:
        a->release = ct_cli_number(c, 1, INT64_MAX);
        break;
    case OPT_LIST:
        a->list = true;
        break;
    default:
        a->patient = c->arg;
    }
}

int bag_hold(int argc, char **argv)
{
    args a = {0};
    ct_cli c;
    int opt;

    ct_cli_start(&c, &command, argc, argv);
    while ((opt = ct_cli_option(&c)) != CT_CLI_DONE)
        read_option(&c, &a, opt);
    check_usage(&c, &a);
    if ((a.list || a.release) && c.nargs)
        ct_cli_usage(&c, "no files with --list or --release");
    if (a.hold.path.n)
        a.condition = read_condition(&c, a.hold.path);
    run(&c, &a);
    ct_path_free(a.condition);
    return ct_cli_finish(&c);
}
