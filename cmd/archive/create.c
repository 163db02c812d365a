/* chart archive create: charts into a bag. */
#include "cmd/archive/archive.h"
#include "cmd/archive/attach.h"
#include "cmd/archive/catalogue.h"
#include "cmd/archive/copies.h"
#include "cmd/archive/index.h"
#include "cmd/archive/names.h"
#include "cmd/archive/parity.h"
#include "cmd/archive/sweep.h"
#include "cmd/archive/terms.h"
#include "cmd/archive/versions.h"
#include "cmd/archive/volumes.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    OPT_INFO = CT_OPT_OWN,
    OPT_FORCE,
    OPT_HTML,
    OPT_PDF,
    OPT_ATTACHMENTS,
    OPT_MADE_BY,
    OPT_PROFILE,
    OPT_SCHEDULE,
    OPT_VOLUME,
    OPT_ENCRYPT,
    OPT_KEY_FILE,
    OPT_PARITY,
    OPT_SIGN,
    OPT_SIGNER,
    OPT_PASSPHRASE,
};

static const ct_opt options[] = {
    {OPT_INFO, "info", "KEY=VALUE", "a line of bag-info.txt; may be given again"},
    {OPT_HTML, "with-html", NULL, "a readable copy of each chart beside its records"},
    {OPT_PDF, "with-pdf", NULL, "the same as PDF, to be printed"},
    {OPT_ATTACHMENTS, "attachments", NULL, "what is attached to records as files too, each once"},
    {OPT_SCHEDULE, "schedule", "NAME|FILE", "say in the bag how long it is kept; again for more"},
    {OPT_MADE_BY, "made-by", "TALLY", "name in the bag what a --tally of an earlier step names"},
    {OPT_PROFILE, "profile", "FILE", "make it only as this BagIt profile (JSON) wants it"},
    {OPT_VOLUME, "volume", "SIZE", "as many bags of SIZE (k, M, G) as are needed: BAG-001 ..."},
    {OPT_ENCRYPT, "encrypt", NULL, "AES-256, by a key of its own that is kept in the database"},
    {OPT_KEY_FILE, "key-file", "FILE", "with --encrypt: keep the key in this new file instead"},
    {OPT_FORCE, "force", NULL, "replace a bag that is there already"},
    {OPT_SIGN, "sign", "KEY", "sign the bag with this private key (PEM), and --signer"},
    {OPT_SIGNER, "signer", "FILE", "the key's certificate, then those that lead on (PEM)"},
    {OPT_PASSPHRASE, "passphrase-file", "FILE", "its first line opens the key"},
    {OPT_PARITY, "parity", "N%", "make BAG.parity, from which so much of the bag can be restored"},
    {0},
};

static const ct_command command = {
    .name = "archive create",
    .summary =
        "Puts the charts of a stream of records into a new bag: one file a chart, SHA-256 and\n"
        "SHA-512 manifests. BAG ends in .tar, .tar.gz, .tar.zst or .zip; without a suffix or with\n"
        "a slash at its end it is a folder. The same records and date give the same bytes.",
    .synopsis = "[OPTION]... BAG [FILE]...",
    .common = CT_HAS_JOBS | CT_HAS_ASOF | CT_HAS_REJECT | CT_HAS_TALLY | CT_HAS_PROGRESS |
              CT_HAS_SORTED | CT_HAS_DB,
    .options = options,
    .examples = "  chart archive create 2019.zip charts.ndjson\n"
                "  chart import feed.hl7 | chart archive create --as-of 2026-01-31 \\\n"
                "      --info Source-Organization='General Hospital' retired.tar.zst\n",
};

/* The text of a chart, or of a part of the shared records, on its way into the bag. */
typedef struct slot {
    ct_buf text;
    bag_sums sums;
    bag_span span; /* the days that it covers */
    bag_person person;
    bag_copies copies;
    bag_attached attached;
    bag_term term;
} slot;

typedef struct job {
    ct_cli *cli;
    ct_charts *charts;
    const char *out;
    bag_making making;
    ct_buf info;
    uint64_t volume; /* bytes that each may have; 0: one bag */
    bag_volumes *volumes;
    const char *path;   /* of the bag that is being filled, */
    bag_writer *writer; /* and what fills it */
    bag_index *index;
    ct_db *db;            /* of the catalogue; NULL where the bags are not entered */
    bag_written *written; /* bags that wait for their names and their entry */
    size_t nwritten;
    bag_versions versions;
    bag_copies_wanted copies;
    bag_topics *topics;
    bag_fonts *fonts; /* NULL where no PDF is made */
    uint64_t missing; /* characters without a glyph in the copies */
    bool attachments;
    bag_attach *attach; /* of the bag that is being filled */
    uint64_t corrupt;   /* attachments that are not base64 */
    bag_terms terms;
    const char *profile_path;
    bag_profile *profile; /* may be NULL */
    bag_report report;    /* for what is not as it wants it */
    unsigned parity;      /* percent; 0 for none */
    bag_signing signing;
    bag_signer *signer; /* NULL where it is not signed */
    uint64_t shared;    /* files of shared records */
    ct_err failed;      /* by the writer */
} job;

static void work(void *ctx, void *unit, ct_chart *chart)
{
    const job *j = ctx;
    slot *s = unit;

    s->text.n = 0;
    s->span = (bag_span){0};
    bag_person_reset(&s->person);
    for (size_t i = 0; i < chart->n; i++) {
        const ct_record *rec = &chart->records[i];

        bag_span_add(&s->span, bag_topics_find(j->copies.topics, rec->type), &rec->doc);
        if (j->db && ct_str_is(rec->type, "Patient"))
            bag_person_add(&s->person, &rec->doc);
        ct_buf_put(&s->text, rec->line);
        ct_buf_c(&s->text, '\n');
    }
    bag_sums_take(&s->sums, ct_buf_str(&s->text));
    bag_copies_make(&s->copies, &j->copies, chart);
    if (j->attachments)
        bag_attached_find(&s->attached, chart, chart->arena);
    s->term = bag_terms_of(&j->terms, chart);
}

/* For the catalogue, where the bag is to be in it. */
static bool gather(job *j, const slot *s, const ct_chart *chart, ct_str path, ct_str after)
{
    bag_chart_facts facts = {.path = path,
                             .id = chart->id,
                             .records = chart->n,
                             .bytes = s->text.n,
                             .span = &s->span,
                             .destroy_after = after,
                             .person = &s->person};

    return !j->db || bag_catalogue_chart(j->db, &facts, &j->failed);
}

static bool is_incomplete(const job *j)
{
    return bag_incomplete(j->cli->bad, ct_charts_unplaced(j->charts)) != NULL;
}

static bool put_index(job *j, slot *s, const ct_chart *chart, ct_str path)
{
    ct_buf after = {0};
    bool ok;

    if (!chart->id.n) {
        bag_index_cover(j->index, &s->span);
        return true;
    }
    if (s->term.any) {
        s->term.undecided |= is_incomplete(j);
        bag_term_join(&j->terms.bag, &s->term);
        bag_term_put(&after, &s->term);
    }
    ok = bag_index_chart(j->index, path, chart->id, chart->n, s->text.n, &s->span,
                         ct_buf_str(&after), &j->failed) &&
         gather(j, s, chart, path, ct_buf_str(&after));
    ct_buf_free(&after);
    return ok;
}

/* ---- bags ---- */

/* A bag_profile_fn with a bag_report. */
static void tell_unlike(void *report, const char *where, uint64_t line, const char *reason,
                        ct_str path)
{
    bag_report_finding(report, &(bag_finding){BAG_PROFILE, where, line, reason, path});
}

static bool open_bag(job *j, ct_err *err)
{
    j->path = bag_volumes_next(j->volumes, err);
    if (j->path)
        j->writer = bag_writer_open(j->path, &j->making, err);
    if (j->writer) {
        j->index = bag_index_new();
        bag_writer_sign(j->writer, j->signer);
        if (j->profile)
            bag_writer_profile(j->writer, j->profile, j->path, tell_unlike, &j->report);
        if (j->attachments)
            j->attach = bag_attach_new(err);
    }
    return j->writer != NULL && (j->attach || !j->attachments);
}

static void drop_bag(job *j)
{
    if (j->writer)
        bag_writer_abandon(j->writer);
    if (j->index)
        bag_index_free(j->index);
    bag_attach_free(j->attach);
    j->attach = NULL;
    j->writer = NULL;
    j->index = NULL;
}

static bool make_parity(job *j, ct_err *err)
{
    bag_meter meter = {bag_progress, j->cli};

    return !j->parity || bag_parity_make(j->path, j->parity, false, j->cli->jobs, meter, err);
}

/* The tag files; a bag that is not one of several gets its name. What stands beside a bag must be
 * of this bag at every moment: an old parity file goes before the old bag, the new one comes behind
 * the new bag. */
static bool close_bag(job *j, bool last, ct_err *err)
{
    bool ok;

    bag_volumes_info(j->volumes, j->writer, last);
    bag_terms_put(&j->terms, is_incomplete(j), j->writer);
    ok = (!j->attach || bag_attach_index(j->attach, j->writer, err)) &&
         bag_index_put(j->index, j->writer, err) &&
         bag_versions_put(&j->versions, j->writer, err) && bag_parity_drop(j->path, err);
    if (ok) {
        j->written = ct_grow(j->written, j->nwritten, sizeof(*j->written));
        j->written[j->nwritten] = (bag_written){0};
        ok = bag_writer_close(j->writer, &j->written[j->nwritten++], err) && make_parity(j, err);
        j->writer = NULL;
    }
    drop_bag(j);
    return ok;
}

/* ---- the catalogue ---- */

static bool enter_bag(job *j, const char *path, const bag_written *w, ct_err *err)
{
    ct_entered how;
    bag_facts facts = {.path = path,
                       .identity = w->identity,
                       .info = ct_buf_str(&w->info),
                       .records = w->records,
                       .bytes = w->bytes};

    if (!bag_catalogue_enter(j->db, &facts, &how, err))
        return false;
    if (how == CT_ENTERED_DOOMED)
        ct_cli_problem(j->cli, CT_NO, "%s: " BAG_DOOMED, path);
    return true;
}

/* The bags are there under their names. Where the database fails they stay all the same. */
static void enter_bags(job *j)
{
    ct_err err = {0};

    for (size_t i = 0; j->db && i < j->nwritten; i++) {
        const char *path = bag_volumes_path(j->volumes, (unsigned)i + 1);

        if (enter_bag(j, path, &j->written[i], &err))
            continue;
        ct_cli_error(j->cli, CT_FAULT, j->cli->db, &err);
        ct_cli_say(j->cli, "%s: is made, but not in the catalogue; see chart archive accession",
                   path);
        return;
    }
}

/* Only where it is asked for: no database is made by the way. */
static void open_catalogue(job *j)
{
    ct_err err = {0};

    if (!j->cli->db_given)
        return;
    j->db = ct_db_open(j->cli->db, &err);
    if (!j->db || !ct_bag_gather(j->db, &err))
        ct_cli_die(j->cli, j->cli->db, &err);
    if (ct_db_is_new(j->db) && !j->cli->quiet)
        ct_cli_say(j->cli, "%s: a new database begins", j->cli->db);
}

static void close_catalogue(job *j)
{
    for (size_t i = 0; i < j->nwritten; i++)
        ct_buf_free(&j->written[i].info);
    free(j->written);
    ct_db_close(j->db);
}

/* ---- charts ---- */

/* Another bag where this one has no room for a chart and its copies; a chart that is larger than
 * that gets one to itself. */
static bool make_room(job *j, const slot *s)
{
    uint64_t bytes = s->text.n + bag_copies_bytes(&s->copies) + s->attached.bytes.n;
    bool room;

    if (!bag_volumes_room(j->volumes, j->writer, bytes, &room, &j->failed))
        return false;
    if (room)
        return true;
    if (j->db)
        ct_bag_next(j->db);
    return close_bag(j, false, &j->failed) && open_bag(j, &j->failed);
}

static bool note_large(job *j)
{
    bool room;

    if (!bag_volumes_room(j->volumes, j->writer, 0, &room, &j->failed))
        return false;
    if (!room && !j->cli->quiet)
        ct_cli_say(j->cli, "%s: volume %u is larger than was asked for: it holds one chart", j->out,
                   bag_volumes_number(j->volumes));
    return true;
}

static bool put_attached(job *j, slot *s, ct_str path)
{
    return !j->attach ||
           bag_attach_put(j->attach, &s->attached, j->writer, path, &j->corrupt, &j->failed);
}

static bool done(void *ctx, void *unit, const ct_chart *chart)
{
    job *j = ctx;
    slot *s = unit;
    ct_buf path = {0};
    bool shared = chart->id.n == 0, ok, alone;
    bag_holds holds = {.records = chart->n, .chart = !shared};

    if (shared)
        bag_shared_path(&path, ++j->shared);
    else
        bag_chart_path(&path, chart->id);
    ok = make_room(j, s);
    alone = ok && bag_writer_files(j->writer) == 0;
    ok =
        ok &&
        bag_writer_payload(j->writer, path.p, ct_buf_str(&s->text), &s->sums, &holds, &j->failed) &&
        bag_copies_put(&s->copies, &j->copies, j->writer, ct_buf_str(&path), &j->failed) &&
        put_attached(j, s, ct_buf_str(&path)) && put_index(j, s, chart, ct_buf_str(&path)) &&
        (!alone || note_large(j));
    j->cli->tally.consumed += chart->n;
    j->missing += s->copies.missing;
    ct_buf_free(&path);
    return ok;
}

/* A bag that is not as its profile wants it is no fault of ours. */
static int status_of(const ct_err *err)
{
    return err->kind == CT_E_DATA ? CT_NO : CT_FAULT;
}

/* Fills the bag; false (with a message) where it must not be kept. */
static bool put_charts(job *j)
{
    size_t n = (size_t)j->cli->jobs * CT_SLOTS_PER_JOB;
    slot *slots = ct_calloc(n, sizeof(*slots));
    ct_chartwork w = {.charts = j->charts,
                      .jobs = j->cli->jobs,
                      .slots = slots,
                      .slot_size = sizeof(*slots),
                      .work = work,
                      .done = done,
                      .ctx = j};
    ct_err err = {0};
    bool ok;

    ok = ct_charts_run(&w, &err);
    if (!ok && j->failed.kind != CT_OK)
        ct_cli_error(j->cli, status_of(&j->failed), j->out, &j->failed);
    else if (!ok)
        ct_cli_error(j->cli, CT_FAULT, NULL, &err);
    for (size_t i = 0; i < n; i++) {
        ct_buf_free(&slots[i].text);
        bag_sums_free(&slots[i].sums);
        bag_copies_free(&slots[i].copies);
        bag_person_free(&slots[i].person);
        bag_attached_free(&slots[i].attached);
    }
    free(slots);
    return ok;
}

static bool finish(job *j, ct_err *err)
{
    return close_bag(j, true, err) && bag_volumes_close(j->volumes, err);
}

static void create(job *j)
{
    ct_cli *c = j->cli;
    ct_blocks *in = ct_cli_inputs(c, 1);
    ct_err err = {0};
    bool keep;

    j->charts = ct_cli_charts(c, in);
    keep = put_charts(j);
    if (keep && c->tally.consumed == 0) {
        ct_cli_problem(c, CT_FAULT, "%s: not made: there are no records to put into it", j->out);
        keep = false;
    }
    if (keep && ct_cli_rejects_kept(c)) {
        if (finish(j, &err))
            enter_bags(j);
        else
            ct_cli_error(c, status_of(&err), j->out, &err);
    }
    drop_bag(j);
    if (j->corrupt)
        ct_cli_problem(c, CT_NO, "%s: attachments that are not base64, and no files: %" PRIu64,
                       j->out, j->corrupt);
    if (j->missing && !c->quiet)
        ct_cli_say(c, "%s: characters that no font has stand in PDF by number: %" PRIu64, j->out,
                   j->missing);
    ct_charts_free(j->charts);
    ct_blocks_free(in);
}

static void schedule_wrong(void *cli, const ct_err *err)
{
    ct_cli_error(cli, CT_FAULT, NULL, err);
}

static void set_making(job *j)
{
    ct_cli *c = j->cli;
    bag_making *m = &j->making;
    ct_err err = {0};

    m->jobs = c->jobs;
    m->date = c->as_of;
    m->info = ct_buf_str(&j->info);
    m->keys.db = c->db;
    if (m->keys.file && !m->encrypt)
        ct_cli_usage(c, "--key-file goes with --encrypt");
    if (m->keys.file && j->volume)
        ct_cli_usage(c, "--key-file does not go with --volume: each bag has a key of its own");
    if (m->encrypt && !m->keys.file && !c->db_given)
        ct_cli_usage(c, "--encrypt keeps the key in the database: --db FILE, or --key-file FILE");
    if (m->encrypt && !bag_key_ready(&m->keys, &err))
        ct_cli_die(c, m->keys.file ? m->keys.file : c->db, &err);
}

static void open_signer(job *j)
{
    const bag_signing *s = &j->signing;
    ct_err err = {0};

    if (!s->key != !s->certificate)
        ct_cli_usage(j->cli, "--sign and --signer go together");
    if (s->passphrase && !s->key)
        ct_cli_usage(j->cli, "--passphrase-file goes with --sign");
    if (s->key)
        j->signer = bag_signer_open(s, &j->cli->as_of, &err);
    if (s->key && !j->signer)
        ct_cli_die(j->cli, NULL, &err);
}

static void take_option(job *j, int opt)
{
    ct_cli *c = j->cli;
    ct_err err = {0};

    switch (opt) {
    case OPT_FORCE:
        j->making.force = true;
        break;
    case OPT_SIGN:
        j->signing.key = c->arg;
        break;
    case OPT_SIGNER:
        j->signing.certificate = c->arg;
        break;
    case OPT_PASSPHRASE:
        j->signing.passphrase = c->arg;
        break;
    case OPT_PARITY:
        j->parity = bag_parity_percent(c);
        break;
    case OPT_SCHEDULE:
        bag_terms_name(&j->terms, c->arg);
        break;
    case OPT_MADE_BY:
        if (!bag_versions_tally(&j->versions, c->arg, &err))
            ct_cli_die(c, c->arg, &err);
        break;
    case OPT_PROFILE:
        j->profile_path = c->arg;
        break;
    case OPT_ENCRYPT:
        j->making.encrypt = true;
        break;
    case OPT_KEY_FILE:
        j->making.keys.file = c->arg;
        break;
    case OPT_HTML:
        j->copies.html = true;
        break;
    case OPT_PDF:
        j->copies.pdf = true;
        break;
    case OPT_ATTACHMENTS:
        j->attachments = true;
        break;
    case OPT_VOLUME:
        if (!bag_volume_size(c->arg, &j->volume))
            ct_cli_usage(c,
                         "--volume takes a number of bytes, or one with k, M or G; 128k or more");
        break;
    case OPT_INFO:
        if (!bag_info_add(&j->info, ct_str_z(c->arg)))
            ct_cli_usage(c, "--info takes KEY=VALUE, one line, and no key that create writes "
                            "itself");
        break;
    default:
        break;
    }
}

static void check_request(job *j)
{
    ct_cli *c = j->cli;

    if (c->nargs == 0)
        ct_cli_usage(c, "no bag is named");
    if (j->volume && j->making.force)
        ct_cli_usage(c, "--force does not go with --volume");
    /* A record that cannot be read may be of a chart in a volume that is closed already. */
    if (j->volume && j->terms.n && c->sorted)
        ct_cli_usage(c, "--sorted does not go with --volume and --schedule");
    j->out = c->args[0];
    set_making(j);
    if (!j->making.force && bag_parity_there(j->out))
        ct_cli_usage(c, "there is a parity file of that name already");
}

/* What the bag is made by: all that can be wrong is known before it is begun. */
static void open_tools(job *j)
{
    ct_cli *c = j->cli;
    ct_err err = {0};

    if (j->profile_path && !(j->profile = bag_profile_read(j->profile_path, &err)))
        ct_cli_die(c, j->profile_path, &err);
    j->report = (bag_report){c, j->out};
    open_signer(j);
    bag_terms_load(&j->terms, &c->as_of, &j->versions, schedule_wrong, c);
    if (j->terms.schedule)
        bag_warn_floor(c, j->terms.schedule);
    if (c->status == CT_FAULT)
        exit(ct_cli_finish(c));
    if (!(j->topics = bag_topics_new(ct_model_r4(), bag_copies_any(&j->copies), &err)))
        ct_cli_die(c, NULL, &err);
    if (j->copies.pdf && !(j->fonts = bag_fonts_open(&err)))
        ct_cli_die(c, NULL, &err);
    j->copies.topics = j->topics;
    j->copies.fonts = j->fonts;
    open_catalogue(j);
    if (j->db && !bag_terms_database(&j->terms, j->db, &err))
        ct_cli_die(c, c->db, &err);
}

static void close_tools(job *j)
{
    close_catalogue(j);
    bag_topics_free(j->topics);
    bag_fonts_free(j->fonts);
    bag_versions_free(&j->versions);
    bag_profile_free(j->profile);
    bag_signer_free(j->signer);
    bag_terms_free(&j->terms);
    ct_buf_free(&j->info);
}

int bag_create(int argc, char **argv)
{
    ct_cli c;
    job j = {.cli = &c};
    ct_err err = {0};
    int opt;

    ct_cli_start(&c, &command, argc, argv);
    bag_sweep_start();
    while ((opt = ct_cli_option(&c)) != CT_CLI_DONE)
        take_option(&j, opt);
    check_request(&j);
    open_tools(&j);
    j.volumes = bag_volumes_new(j.out, j.volume, &err);
    if (j.volumes && open_bag(&j, &err))
        create(&j);
    else
        ct_cli_error(&c, CT_FAULT, j.out, &err);
    bag_volumes_free(j.volumes);
    close_tools(&j);
    return ct_cli_finish(&c);
}
