/* chart archive accession: bags into the catalogue. */
#include "cmd/archive/archive.h"
#include "cmd/archive/catalogue.h"
#include "cmd/archive/identity.h"

#include <inttypes.h>

/* A record longer than this is counted, not read: its chart is found without it. */
enum { LINE_MAX_READ = 256 * 1024 * 1024, INFO_MAX = 1024 * 1024 };

static const ct_opt options[] = {BAG_KEY_FILE_OPTION, {0}};

static const ct_command command = {
    .name = "archive accession",
    .summary =
        "Verifies bags and enters them into the catalogue in the database: the bag, whose charts\n"
        "are in it, and this copy. Of a bag that is known only the copy is added.",
    .synopsis = "[OPTION]... BAG...",
    .options = options,
    .common = CT_HAS_OUTPUT | CT_HAS_DB | CT_HAS_JOBS | CT_HAS_PROGRESS,
    .examples = "  chart archive accession --db charts.db /archive/2019.zip\n"
                "  chart archive accession /archive/*.zip /mnt/second/*.zip\n",
};

typedef struct accession {
    ct_cli *cli;
    ct_db *db;
    bag_keys keys;
    const bag_topics *topics;
    ct_parser *parser;
    ct_arena *arena;
    /* the bag */
    bag_identity identity;
    ct_buf info;
    uint64_t charts, records, unread;
    uint64_t nobodys; /* files where charts are, and no patient is named */
    bool db_failed;
    /* the file that goes by */
    enum { OTHER, INFO, INDEX, RECORDS } kind;
    bag_lines lines;    /* of charts.tsv */
    size_t term_column; /* in it: where it says when a chart may be destroyed */
    ct_err *failed;     /* where its lines tell what went wrong */
    ct_buf path, part, id;
    uint64_t file_records, file_bytes;
    bag_span span;
    bag_person person;
} accession;

/* ---- records ---- */

/* A file that was not made by `create` may hold records of several patients. */
static void take_owner(accession *a, ct_str id)
{
    if (a->id.n == 0)
        ct_buf_put(&a->id, id);
    else if (id.n && !ct_str_eq(id, ct_buf_str(&a->id)) && !a->db_failed)
        a->db_failed = !ct_bag_also(a->db, id, a->failed);
}

static void take_record(accession *a, ct_str line)
{
    const ct_model *m = ct_model_r4();
    const ct_ftype *type;
    ct_doc doc;
    ct_err err;

    a->file_records++;
    ct_arena_reset(a->arena);
    if (line.n > LINE_MAX_READ || !ct_parse(a->parser, line, &doc, &err) ||
        !(type = ct_resource_check(m, &doc, &err))) {
        a->unread++;
        return;
    }
    take_owner(a, ct_owner_of(m, &doc, a->arena).id);
    bag_span_add(&a->span, bag_topics_find(a->topics, type->name), &doc);
    if (ct_str_is(type->name, "Patient"))
        bag_person_add(&a->person, &doc);
}

/* Keeps what belongs to a line, up to the bound. */
static void put_part(accession *a, ct_str bytes)
{
    ct_buf_put(&a->part, ct_str_head(bytes, LINE_MAX_READ + 1 - a->part.n));
}

static void take_bytes(accession *a, ct_str bytes)
{
    a->file_bytes += bytes.n;
    while (bytes.n) {
        ct_str rest = bytes, line = ct_str_cut(&rest, '\n');

        if (!rest.p) {
            put_part(a, line);
            return;
        }
        if (a->part.n) {
            put_part(a, line);
            line = ct_buf_str(&a->part);
        }
        take_record(a, line);
        a->part.n = 0;
        bytes = rest;
    }
}

/* ---- the index of the bag ---- */

enum { COLUMNS = 16, NO_COLUMN = COLUMNS };

/* The schedule was applied when the bag was made; what it said stands in charts.tsv. */
static void take_row(void *ctx, ct_str line, uint64_t number)
{
    accession *a = ctx;
    ct_str cells[COLUMNS], rest = line;
    size_t n = 0;

    while (rest.p && n < COLUMNS)
        cells[n++] = ct_str_cut(&rest, '\t');
    if (number == 1) {
        a->term_column = NO_COLUMN;
        for (size_t i = 1; i < n && ct_str_is(cells[0], "path"); i++)
            if (ct_str_is(cells[i], "destroy-after"))
                a->term_column = i;
    } else if (!a->db_failed && a->term_column < n && cells[0].n && cells[a->term_column].n) {
        a->db_failed = !ct_bag_chart_term(a->db, cells[0], cells[a->term_column], a->failed);
    }
}

/* ---- files ---- */

static int kind_of(ct_str path)
{
    if (ct_str_is(path, "bag-info.txt"))
        return INFO;
    if (ct_str_is(path, "charts.tsv"))
        return INDEX;
    return ct_str_starts(path, CT_S("data/")) && ct_str_ends(path, CT_S(".ndjson")) ? RECORDS
                                                                                    : OTHER;
}

static bool begin(void *ctx, ct_str path, ct_err *err)
{
    accession *a = ctx;

    (void)err;
    bag_identity_begin(&a->identity, path);
    a->kind = kind_of(path);
    if (a->kind != RECORDS)
        return true;
    a->path.n = a->part.n = a->id.n = 0;
    a->file_records = a->file_bytes = 0;
    a->span = (bag_span){0};
    bag_person_reset(&a->person);
    ct_buf_put(&a->path, path);
    return true;
}

static bool bytes(void *ctx, ct_str bytes, ct_err *err)
{
    accession *a = ctx;

    a->failed = err;
    bag_identity_bytes(&a->identity, bytes);
    if (a->kind == INFO)
        ct_buf_put(&a->info, ct_str_head(bytes, INFO_MAX - a->info.n));
    else if (a->kind == INDEX)
        bag_lines_add(&a->lines, bytes, take_row, a);
    else if (a->kind == RECORDS)
        take_bytes(a, bytes);
    return !a->db_failed;
}

static bool end(void *ctx, bool damaged, ct_err *err)
{
    accession *a = ctx;

    a->failed = err;
    bag_identity_end(&a->identity, damaged);
    if (a->kind == INDEX)
        bag_lines_end(&a->lines, take_row, a);
    if (a->db_failed)
        return false;
    if (a->kind != RECORDS || damaged)
        return true;
    if (a->part.n)
        take_record(a, ct_buf_str(&a->part));
    a->records += a->file_records;
    if (a->db_failed)
        return false;
    if (a->id.n == 0) {
        a->nobodys += ct_str_starts(ct_buf_str(&a->path), CT_S("data/charts/"));
        return true;
    }
    a->charts++;
    a->db_failed = !bag_catalogue_chart(a->db,
                                        &(bag_chart_facts){.path = ct_buf_str(&a->path),
                                                           .id = ct_buf_str(&a->id),
                                                           .records = a->file_records,
                                                           .bytes = a->file_bytes,
                                                           .span = &a->span,
                                                           .person = &a->person},
                                        err);
    return !a->db_failed;
}

/* ---- a bag ---- */

static void put_entered(accession *a, const char *path, ct_entered how)
{
    static const char *const words[] = {[CT_ENTERED_BAG] = "entered",
                                        [CT_ENTERED_COPY] = "another copy",
                                        [CT_ENTERED_NONE] = "known",
                                        [CT_ENTERED_DOOMED] = "to be destroyed"};
    ct_buf b = {0};

    ct_buf_printf(&b, "%s: %s, %" PRIu64 " charts, %s\n", path, words[how], a->charts,
                  a->identity.hex);
    ct_out_put(ct_cli_out(a->cli), ct_buf_str(&b));
    ct_buf_free(&b);
}

/* A bag that is sound: what stands in the way of its entry? */
static bool may_enter(accession *a, const char *path, const bag_summary *s)
{
    if (s->invalid + s->incomplete) {
        ct_cli_problem(a->cli, CT_NO, "%s: not entered: the bag is not valid", path);
        return false;
    }
    if (!a->identity.hex[0]) {
        ct_cli_problem(a->cli, CT_NO,
                       "%s: not entered: without a tagmanifest-sha512.txt it has no identity",
                       path);
        return false;
    }
    if (a->unread && !a->cli->quiet)
        ct_cli_say(a->cli,
                   "%s: records that cannot be read: %" PRIu64 "; their charts are found without "
                   "them",
                   path, a->unread);
    if (a->nobodys && !a->cli->quiet)
        ct_cli_say(a->cli, "%s: charts that name no patient: %" PRIu64 "; they cannot be found",
                   path, a->nobodys);
    return true;
}

static void enter(accession *a, const char *path, const bag_summary *s)
{
    bag_facts facts = {.path = path,
                       .identity = a->identity.hex,
                       .info = ct_buf_str(&a->info),
                       .records = a->records,
                       .bytes = s->bytes,
                       .result = CT_S("valid"),
                       .elsewhere = true};
    ct_entered how;
    ct_err err = {0};

    if (!may_enter(a, path, s))
        return;
    if (!bag_catalogue_enter(a->db, &facts, &how, &err)) {
        ct_cli_error(a->cli, CT_FAULT, path, &err);
        return;
    }
    put_entered(a, path, how);
    if (how == CT_ENTERED_BAG && bag_tells_of_holds(facts.info) && !a->cli->quiet)
        ct_cli_say(a->cli,
                   "%s: it tells of legal holds: its patients are held until that is released",
                   path);
    if (how == CT_ENTERED_DOOMED)
        ct_cli_problem(a->cli, CT_NO, "%s: " BAG_DOOMED, path);
}

static void start_bag(accession *a)
{
    a->info.n = 0;
    a->charts = a->records = a->unread = a->nobodys = 0;
    a->db_failed = false;
    a->lines.part.n = 0;
    a->lines.number = 0;
    bag_identity_free(&a->identity);
}

static void take_bag(accession *a, const char *path)
{
    bag_pass pass = {.path = path,
                     .jobs = a->cli->jobs,
                     .keys = &a->keys,
                     .progress = bag_progress,
                     .progress_ctx = a->cli};
    bag_report report = {a->cli, path};
    bag_summary summary;
    bag_check *check = NULL;
    ct_err err = {0};

    start_bag(a);
    pass.viewer = (bag_viewer){.begin = begin, .bytes = bytes, .end = end, .ctx = a};
    a->db_failed = !ct_bag_gather(a->db, &err);
    if (!a->db_failed)
        check = bag_pass_run(&pass, &err);
    if (check && bag_check_end(check, false, bag_report_finding, &report, &summary, &err))
        enter(a, path, &summary);
    else
        ct_cli_error(a->cli, CT_FAULT, a->db_failed ? a->cli->db : path, &err);
    bag_check_free(check);
    ct_buf_free(&pass.base);
}

static void release(accession *a)
{
    bag_identity_free(&a->identity);
    bag_person_free(&a->person);
    ct_buf_free(&a->info);
    ct_buf_free(&a->lines.part);
    ct_buf_free(&a->path);
    ct_buf_free(&a->part);
    ct_buf_free(&a->id);
    ct_arena_free(a->arena);
    ct_parser_free(a->parser);
    ct_db_close(a->db);
}

int bag_accession(int argc, char **argv)
{
    ct_cli c;
    accession a = {.cli = &c};
    bag_topics *topics;
    ct_err err = {0};

    ct_cli_start(&c, &command, argc, argv);
    while (ct_cli_option(&c) != CT_CLI_DONE)
        a.keys.file = c.arg;
    a.keys.db = c.db;
    if (c.nargs == 0)
        ct_cli_usage(&c, "no bag is named");
    topics = bag_topics_new(ct_model_r4(), false, &err);
    if (!topics)
        ct_cli_die(&c, NULL, &err);
    a.db = ct_db_open(c.db, &err);
    if (!a.db)
        ct_cli_die(&c, c.db, &err);
    if (ct_db_is_new(a.db) && !c.quiet)
        ct_cli_say(&c, "%s: a new database begins", c.db);
    a.topics = topics;
    a.parser = ct_parser_new(ct_model_names(ct_model_r4()));
    a.arena = ct_arena_new();
    for (size_t i = 0; i < c.nargs; i++)
        take_bag(&a, c.args[i]);
    release(&a);
    bag_topics_free(topics);
    return ct_cli_finish(&c);
}
