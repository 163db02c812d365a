/* chart-import: takes records in, from any format, as FHIR R4 resources, one on a line. */
#include "cmd/import/hl7v2/convert.h"
#include "cmd/import/hl7v2/map.h"
#include "cmd/import/hl7v2/memo.h"
#include "cmd/import/hl7v2/site.h"
#include "cmd/import/hl7v2/values.h"
#include "cmd/import/import.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    OPT_TIMEZONE = CT_OPT_OWN,
    OPT_UNMAPPED,
    OPT_KEEP_SOURCE,
    OPT_STRICT,
    OPT_MAP,
    OPT_ACK,
    OPT_SEEN,
    VERSION_BYTES = 8,
    BIG = 8 << 20
};

static const ct_opt options[] = {
    {'f', "format", "FORMAT", "the inputs are fhir, hl7v2 or mllp (default: by their content)"},
    {OPT_ACK, "ack", "FD|FILE", "answer each message of mllp there, once its records are safe"},
    {OPT_SEEN, "seen", "FILE", "make no records of messages that it says were taken in (mllp)"},
    {OPT_TIMEZONE, "timezone", "ZONE", "+hh:mm of HL7 v2 times without a zone (default: UTC)"},
    {OPT_KEEP_SOURCE, "keep-source", NULL, "add each HL7 v2 message itself, and what came of it"},
    {OPT_MAP, "map", "FILE", "HL7 v2 mapping tables of your own, again for more"},
    {OPT_STRICT, "strict", NULL, "refuse HL7 v2 messages with values of which nothing is made"},
    {OPT_UNMAPPED, "unmapped", "FILE",
     "list the HL7 v2 values of which nothing was made, by field"},
    {0},
};

static const ct_command command = {
    .name = "import",
    .summary =
        "Takes records in: FHIR JSON (resources, NDJSON, Bundles) and HL7 v2 messages become FHIR\n"
        "R4 resources, one on a line. What cannot be read is reported and left out.",
    .synopsis = "[OPTION]... [FILE]...",
    .common = CT_HAS_OUTPUT | CT_HAS_REJECT | CT_HAS_TALLY | CT_HAS_JOBS | CT_HAS_PROGRESS,
    .options = options,
    .examples = "  chart import bundle.json >records\n"
                "  chart import --reject bad.hl7 feed.hl7.gz | chart audit\n"
                "  chart import -f hl7v2 --unmapped lost.tsv - <feed.hl7 >records\n"
                "  chart import -q -f mllp --ack 3 --seen seen 3>&1 >>records\n",
};

/* ---- the mapping tables ---- */

static void name_version(import_job *job, const ct_datafile *files)
{
    ct_sha *sha = ct_sha_new(256);
    uint8_t digest[CT_SHA256_LEN];

    for (const ct_datafile *f = files; f->name; f++) {
        ct_sha_add(sha, ct_str_z(f->name));
        ct_sha_add(sha, (ct_str){f->text, f->n});
    }
    ct_sha_end(sha, digest);
    ct_sha_free(sha);
    ct_hex(&job->version, digest, VERSION_BYTES);
    ct_buf_c(&job->version, '\0');
    ct_cli_table(job->c, "hl7v2-maps", job->version.p);
}

bool import_job_maps(import_job *job, ct_err *err)
{
    const ct_datafile *files = job->site ? import_site_files(job->site) : ct_cmd_data;

    if (job->maps)
        return true;
    job->maps = import_maps_load(files, err);
    job->setup.maps = job->maps;
    job->setup.memos = import_memos_new(job->c->jobs);
    if (job->maps)
        name_version(job, files);
    else if (job->site)
        import_site_locate(job->site, err);
    return job->maps != NULL;
}

/* A site's tables are compiled before anything is read, so that what is wrong in them is told. */
static void add_site_tables(import_job *job)
{
    ct_err err = {0};

    if (!job->site)
        job->site = import_site_new(ct_cmd_data);
    if (!import_site_add(job->site, job->c->arg, &err))
        ct_cli_die(job->c, NULL, &err);
}

/* ---- the run ---- */

static ct_got fill(void *ctx, void *slot, ct_err *err)
{
    import_job *job = ctx;
    import_block *b = slot;
    ct_got got = import_feed_next(job->feed, b, err);

    if (got == CT_GOT_RECORD && b->format == FORMAT_HL7V2 && !import_job_maps(job, err))
        return CT_GOT_FATAL;
    return got;
}

static void work(void *ctx, void *slot)
{
    import_job *job = ctx;
    import_block *b = slot;

    if (b->format == FORMAT_HL7V2)
        import_hl7v2_work(&job->setup, b);
    else
        import_fhir_work(&job->setup, b);
}

static bool report_problems(import_job *job, const import_block *b)
{
    for (const import_problem *p = b->problems; p; p = p->next) {
        ct_err err = p->err;
        err.line += job->line;
        if (p->fatal) {
            ct_cli_error(job->c, CT_FAULT, b->file, &err);
            return false;
        }
        ct_cli_reject(job->c, b->file, &err, p->raw);
    }
    return true;
}

static void check_batches(import_job *job, const import_block *b)
{
    for (const import_batch *h = b->batches; h; h = h->next) {
        uint64_t messages = job->messages + h->messages;
        ct_err err = {0};
        if (h->starts)
            job->batch_start = messages;
        if (h->claims && h->claimed != messages - job->batch_start) {
            ct_fail_at(&err, CT_E_DATA, "the batch holds another number of messages", "BTS-1");
            err.line = job->line + h->line;
            ct_cli_error(job->c, CT_NO, b->file, &err);
        }
    }
    job->messages += b->messages;
}

/* A block that held something big does not keep that memory. */
static void trim(ct_buf *b)
{
    if (b->cap > BIG)
        ct_buf_free(b);
}

bool import_job_done(import_job *job, import_block *b)
{
    ct_cli *c = job->c;

    if (b->first) {
        job->line = 1;
        job->messages = job->batch_start = 0;
    }
    ct_side_merge(&c->tally.in, &b->in);
    ct_side_clear(&b->in);
    c->tally.created += b->created;
    c->tally.consumed += b->consumed;
    c->tally.changed += b->changed;
    job->assumed += b->assumed;
    bool ok = ct_cli_lines(c, &b->lines);
    ok = report_problems(job, b) && ok;
    check_batches(job, b);
    for (const import_count *u = b->counts.all; u; u = u->next)
        if (!u->ignored || job->setup.count_all)
            import_counts_add(&job->counts, u);
    job->line += b->nlines;
    trim(&b->text);
    trim(&b->lines.buf);
    if (job->feed) {
        ct_progress p = import_feed_progress(job->feed);
        p.records = c->tally.out.records;
        ct_cli_progress(c, &p);
    }
    return ok;
}

static bool done(void *ctx, void *slot)
{
    return import_job_done(ctx, slot);
}

static void run(import_job *job, import_format format)
{
    ct_cli *c = job->c;
    size_t n = (size_t)c->jobs * CT_SLOTS_PER_JOB;
    import_block *blocks = ct_calloc(n, sizeof *blocks);
    void **slots = ct_calloc(n, sizeof *slots);
    ct_work w = {.jobs = c->jobs,
                 .slots = slots,
                 .nslots = n,
                 .fill = fill,
                 .work = work,
                 .done = done,
                 .ctx = job};
    ct_err err = {0};

    job->feed = import_feed_new((const char *const *)c->args, c->nargs, format);
    for (size_t i = 0; i < n; i++) {
        slots[i] = &blocks[i];
        blocks[i].in.off = blocks[i].lines.side.off = c->tally.in.off;
    }
    ct_cli_out(c);
    if (!ct_work_run(&w, &err) && err.kind != CT_OK)
        ct_cli_error(c, CT_FAULT, NULL, &err);
    for (size_t i = 0; i < n; i++)
        import_block_free(&blocks[i]);
    free(blocks);
    free(slots);
    import_feed_free(job->feed);
}

/* ---- what is said at the end ---- */

static int by_place(const void *a, const void *b)
{
    const import_count *const *x = a, *const *y = b;

    uint64_t p = (*x)->place - 1, q = (*y)->place - 1; /* 0, all others, is the last */

    return (p > q) - (p < q);
}

/* The counts in the order of their places. */
static const import_count **sorted_counts(const import_job *job)
{
    const import_count **sorted = ct_calloc(job->counts.n + 1, sizeof *sorted);
    size_t n = 0;

    for (const import_count *u = job->counts.all; u; u = u->next)
        sorted[n++] = u;
    qsort(sorted, n, sizeof *sorted, by_place);
    return sorted;
}

static void put_place(ct_buf *b, const import_count *u)
{
    if (u->place)
        import_place_put(b, u->place);
    else
        ct_buf_z(b, "others");
}

/* What became of every value: in = mapped + kept + unmapped. What is kept is in the source
 * message that --keep-source adds. */
static void put_field_books(ct_buf *b, const import_job *job, const import_count *u)
{
    bool kept = job->setup.keep_source;

    ct_buf_printf(b,
                  "{\"in\":%" PRIu64 ",\"mapped\":%" PRIu64 ",\"kept\":%" PRIu64
                  ",\"unmapped\":%" PRIu64 "}",
                  u->mapped + u->lost, u->mapped, kept ? u->lost : 0, kept ? 0 : u->lost);
}

static void enter_fields(import_job *job, const import_count *const *counts)
{
    import_count all = {0};
    ct_buf b = {0};

    for (const import_count *u = job->counts.all; u; u = u->next) {
        all.mapped += u->mapped;
        all.lost += u->lost;
    }
    ct_buf_z(&b, "{\"all\":");
    put_field_books(&b, job, &all);
    for (; *counts; counts++) {
        ct_buf_z(&b, ",\"");
        put_place(&b, *counts);
        ct_buf_z(&b, "\":");
        put_field_books(&b, job, *counts);
    }
    ct_buf_c(&b, '}');
    ct_cli_tally_member(job->c, "fields", ct_buf_str(&b));
    ct_buf_free(&b);
}

static void write_unmapped(import_job *job, const import_count *const *counts)
{
    ct_err err = {0};
    ct_buf text = {0};
    ct_out *out = ct_out_open(job->unmapped_path, &err);

    ct_buf_z(&text, "# field\thow often nothing was made of its value\n");
    for (; *counts; counts++) {
        if ((*counts)->ignored || !(*counts)->lost)
            continue;
        put_place(&text, *counts);
        ct_buf_printf(&text, "\t%" PRIu64 "\n", (*counts)->lost);
    }
    if (out)
        ct_out_put(out, ct_buf_str(&text));
    if (!out || !ct_out_close(out, &err))
        ct_cli_error(job->c, CT_FAULT, job->unmapped_path, &err);
    ct_buf_free(&text);
}

static void conclude(import_job *job)
{
    const import_count **counts = sorted_counts(job);
    uint64_t values = 0;

    for (const import_count *u = job->counts.all; u; u = u->next)
        values += u->ignored ? 0 : u->lost;
    if (job->counts.n && job->setup.count_all)
        enter_fields(job, counts);
    if (job->unmapped_path && job->c->status < CT_FAULT)
        write_unmapped(job, counts); /* else it would look as if it were whole */
    else if (values && !job->c->quiet)
        ct_cli_say(job->c, "nothing was made of %" PRIu64 " values; --unmapped lists their fields",
                   values);
    free(counts);
    if (job->assumed && !job->setup.zone_given && !job->c->quiet)
        ct_cli_say(job->c,
                   "%" PRIu64 " times without a zone were taken for UTC; --timezone tells it",
                   job->assumed);
}

/* What goes with -f mllp, and what does not. */
static void check_mllp(import_job *job, bool mllp)
{
    ct_cli *c = job->c;

    if (!mllp && (job->ack || job->seen_path))
        ct_cli_usage(c, "--ack and --seen go with -f mllp");
    if (mllp && c->output)
        ct_cli_usage(c,
                     "records of mllp go to the standard output, so that they can be safe before "
                     "the run ends: append it to a file");
    if (mllp && (c->nargs > 1 || (c->nargs == 1 && strcmp(c->args[0], "-") != 0)))
        ct_cli_usage(c, "mllp is read from the standard input only");
}

int main(int argc, char **argv)
{
    static const char *const formats[] = {"fhir", "hl7v2", "mllp", NULL};
    ct_cli c;
    import_job job = {.c = &c, .setup = {.zone = "+00:00"}};
    import_format format = FORMAT_UNKNOWN;
    int opt;

    ct_cli_start(&c, &command, argc, argv);
    while ((opt = ct_cli_option(&c)) != CT_CLI_DONE)
        switch (opt) {
        case 'f':
            format = (import_format)(FORMAT_FHIR + ct_cli_word(&c, formats));
            break;
        case OPT_TIMEZONE:
            job.setup.zone_given = true;
            if (!import_zone_parse(ct_str_z(c.arg), job.setup.zone))
                ct_cli_usage(&c, "--timezone takes +hh:mm or -hh:mm");
            break;
        case OPT_KEEP_SOURCE:
            job.setup.keep_source = true;
            break;
        case OPT_ACK:
            job.ack = c.arg;
            break;
        case OPT_SEEN:
            job.seen_path = c.arg;
            break;
        case OPT_STRICT:
            job.setup.strict = true;
            break;
        case OPT_MAP:
            add_site_tables(&job);
            break;
        case OPT_UNMAPPED:
            job.unmapped_path = c.arg;
            break;
        }
    ct_cli_apart(&c, "unmapped", job.unmapped_path);
    ct_cli_apart(&c, "seen", job.seen_path);
    check_mllp(&job, format == FORMAT_MLLP);
    job.setup.model = ct_model_r4();
    job.setup.count_all = c.tally_path != NULL;
    job.counts.arena = ct_arena_new();
    ct_err err = {0};
    if (job.site && !import_job_maps(&job, &err))
        ct_cli_die(&c, NULL, &err);
    if (format == FORMAT_MLLP)
        import_job_mllp(&job);
    else
        run(&job, format);
    conclude(&job);
    import_maps_free(job.maps);
    import_memos_free(job.setup.memos);
    import_site_free(job.site);
    int status = ct_cli_finish(&c);
    ct_buf_free(&job.version);
    ct_arena_free(job.counts.arena);
    return status;
}
