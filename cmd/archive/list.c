/* chart archive list: which charts are in a bag, which bags are in the catalogue. */
#include "cmd/archive/archive.h"
#include "cmd/archive/index.h"
#include "common/store/store.h"

#include <inttypes.h>

/* A first line longer than this does not tell whose chart it is. */
enum { FIRST_MAX = 64 * 1024 * 1024 };

static const ct_opt options[] = {BAG_KEY_FILE_OPTION, {0}};

static const ct_command command = {
    .name = "archive list",
    .summary = "Lists the payload of a bag, a line for each file, with tabs: the patient's id (- "
               "for what\n"
               "is nobody's), records, bytes, path. Nothing is verified.",
    .synopsis = "[OPTION]... BAG\n"
                "[OPTION]... --db FILE",
    .common = CT_HAS_OUTPUT | CT_HAS_PROGRESS | CT_HAS_DB,
    .options = options,
    .examples = "  chart archive list 2019.zip\n"
                "  chart archive list 2019.zip | sort -t \"$(printf '\\t')\" -k 3nr | head\n",
};

typedef struct lister {
    ct_cli *cli;
    ct_parser *parser;
    ct_arena *arena;
    ct_buf path, first; /* the first line, whose chart it is */
    bool first_done;
    uint64_t records, bytes;
    char last;
} lister;

static bool begin(void *ctx, ct_str path, ct_err *err)
{
    lister *l = ctx;

    (void)err;
    l->path.n = l->first.n = 0;
    ct_buf_put(&l->path, path);
    l->first_done = false;
    l->records = l->bytes = 0;
    l->last = '\n';
    return true;
}

static bool bytes(void *ctx, ct_str bytes, ct_err *err)
{
    lister *l = ctx;
    const char *at = bytes.p, *stop = bytes.p + bytes.n;

    (void)err;
    if (!l->first_done) {
        ct_str rest = bytes, line = ct_str_cut(&rest, '\n');

        ct_buf_put(&l->first, ct_str_head(line, FIRST_MAX - l->first.n));
        l->first_done = rest.p != NULL;
    }
    while (at < stop && (at = memchr(at, '\n', (size_t)(stop - at))) != NULL) {
        l->records++;
        at++;
    }
    l->bytes += bytes.n;
    l->last = bytes.p[bytes.n - 1];
    return true;
}

/* The id of the patient whose chart the first record is from, empty where that does not tell. */
static ct_str owner(lister *l)
{
    ct_doc doc;
    ct_err err;

    ct_arena_reset(l->arena);
    if (!ct_parse(l->parser, ct_buf_str(&l->first), &doc, &err) ||
        !ct_resource_check(ct_model_r4(), &doc, &err))
        return (ct_str){"", 0};
    return ct_owner_of(ct_model_r4(), &doc, l->arena).id;
}

static bool end(void *ctx, bool damaged, ct_err *err)
{
    lister *l = ctx;
    ct_buf b = {0};
    bool ok, ndjson = ct_str_ends(ct_buf_str(&l->path), CT_S(".ndjson"));
    ct_str id = ndjson ? owner(l) : (ct_str){"", 0};

    if (damaged)
        ct_cli_problem(l->cli, CT_FAULT, "%s: a file cannot be read to its end", l->cli->args[0]);
    bag_cell_put(&b, id.n ? id : CT_S("-"));
    if (ndjson)
        ct_buf_printf(&b, "\t%" PRIu64, l->records + (l->last != '\n'));
    else
        ct_buf_z(&b, "\t-");
    ct_buf_printf(&b, "\t%" PRIu64 "\t", l->bytes);
    bag_cell_put(&b, ct_buf_str(&l->path));
    ct_buf_c(&b, '\n');
    ok = ct_out_put(ct_cli_out(l->cli), ct_buf_str(&b)); /* ct_cli_finish says why not */
    ct_buf_free(&b);
    (void)err;
    return ok;
}

static void list(ct_cli *c, const char *path, const bag_keys *keys)
{
    lister l = {
        .cli = c, .parser = ct_parser_new(ct_model_names(ct_model_r4())), .arena = ct_arena_new()};
    bag_pass pass = {.path = path,
                     .jobs = 1,
                     .keys = keys,
                     .no_checksums = true,
                     .progress = bag_progress,
                     .progress_ctx = c};
    bag_check *check;
    ct_err err = {0};

    pass.viewer =
        (bag_viewer){.payload_only = true, .begin = begin, .bytes = bytes, .end = end, .ctx = &l};
    check = bag_pass_run(&pass, &err);
    if (!check && err.kind != CT_OK)
        ct_cli_error(c, CT_FAULT, path, &err);
    else if (check && !bag_check_whole(check))
        ct_cli_problem(c, CT_FAULT, "%s: the container is cut or corrupt", path);
    else if (check && !bag_check_declared(check))
        ct_cli_problem(c, CT_FAULT, "%s: not a bag: there is no bagit.txt", path);
    bag_check_free(check);
    ct_buf_free(&pass.base);
    ct_buf_free(&l.path);
    ct_buf_free(&l.first);
    ct_arena_free(l.arena);
    ct_parser_free(l.parser);
}

/* ---- the catalogue ---- */

static void put_or_dash(ct_buf *b, ct_str text)
{
    ct_buf_c(b, '\t');
    bag_cell_put(b, text.n ? text : CT_S("-"));
}

/* name, status, charts, records, bytes, first and last day, class, destroy after, copies, hash. */
static bool put_bag(void *cli, const ct_bag *bag)
{
    static const char *const words[] = {[CT_BAG_KEPT] = "kept",
                                        [CT_BAG_DESTROYING] = "destroying",
                                        [CT_BAG_DESTROYED] = "destroyed"};
    ct_buf b = {0};
    bool ok;

    bag_cell_put(&b, bag->name);
    ct_buf_printf(&b, "\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64, words[bag->status], bag->charts,
                  bag->records, bag->bytes);
    put_or_dash(&b, bag->first);
    put_or_dash(&b, bag->last);
    put_or_dash(&b, bag->retention);
    put_or_dash(&b, bag->destroy_after);
    ct_buf_printf(&b, "\t%" PRIu64, bag->copies);
    put_or_dash(&b, bag->hash);
    ct_buf_c(&b, '\n');
    ok = ct_out_put(ct_cli_out(cli), ct_buf_str(&b)); /* ct_cli_finish says why not */
    ct_buf_free(&b);
    return ok;
}

static void list_catalogue(ct_cli *c)
{
    ct_err err = {0};
    ct_db *db = ct_db_open_readonly(c->db, &err);

    if (!db || !ct_bags(db, &(ct_bag_query){0}, put_bag, c, &err))
        ct_cli_error(c, CT_FAULT, c->db, &err);
    ct_db_close(db);
}

int bag_list(int argc, char **argv)
{
    ct_cli c;
    bag_keys keys = {0};

    ct_cli_start(&c, &command, argc, argv);
    while (ct_cli_option(&c) != CT_CLI_DONE)
        keys.file = c.arg;
    keys.db = c.db;
    if (c.nargs > 1 || (c.nargs == 0 && !c.db_given))
        ct_cli_usage(&c, "one bag, please, or a --db with bags");
    if (c.nargs)
        list(&c, c.args[0], &keys);
    else
        list_catalogue(&c);
    return ct_cli_finish(&c);
}
