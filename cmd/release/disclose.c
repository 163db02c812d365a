/* The release itself: chart by chart, judged by the workers, entered in the ledger and written by
 * the calling thread.
 *
 * The order is what matters. Judged charts gather in a batch; the batch's patients are entered and
 * committed; only then its records are written. At the end the output is flushed, and then the
 * disclosure is ended with the hash of what left. So at any moment everything that has left is in
 * the ledger, and whatever interrupts us leaves at most more entries than disclosures.
 */
#include "release.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
    BATCH_BYTES = 4 << 20, /* what is written behind one commit */
    BATCH_PATIENTS = 512,
};

typedef struct run {
    ct_cli *c;
    const release_request *r;
    ct_disclosure *d;
    ct_db *db;
    ct_charts *charts;
    release_held *held;
    release_held *waiting; /* the rows of --explain for them */
    ct_out *explain;
    const char *explain_path;
    ct_sha *sha;
    ct_arena *arena; /* of the batch */
    release_entries batch;
    ct_lines lines;
    bool begun;
    bool *found; /* by patient asked for */
    uint64_t matched, patients;
    uint64_t why[RELEASE_WHYS];
    ct_err err;
    const char *err_name; /* what `err` is about; NULL: nothing to report, or err knows */
} run;

/* ---- the ledger, then the output ---- */

static bool failed(run *u, const char *name)
{
    u->err_name = name;
    return false;
}

static bool put(void *ctx, ct_str piece)
{
    run *u = ctx;

    ct_sha_add(u->sha, piece);
    u->d->bytes += piece.n;
    return ct_out_put(ct_cli_out(u->c), piece);
}

static bool enter_batch(run *u)
{
    if (!u->begun && !ct_ledger_begin(u->db, u->d, &u->err))
        return failed(u, u->c->db);
    for (size_t i = 0; i < u->batch.n; i++) {
        const release_entry *e = &u->batch.v[i];
        if (!ct_ledger_patient(u->db, u->d->id, e->name, e->records, e->description, &u->err))
            return failed(u, u->c->db);
    }
    return ct_ledger_commit(u->db, &u->err) || failed(u, u->c->db);
}

/* Shared records go ahead of the first chart. A write that fails is reported when the output is
 * closed. */
static bool write_batch(run *u)
{
    uint64_t shared = release_held_records(u->held);

    if (!u->begun) {
        u->begun = true;
        if (!release_held_give(u->held, &u->c->tally.out, put, u, &u->err))
            return failed(u, NULL);
        u->d->records += shared;
    }
    u->d->records += u->lines.side.records;
    if (!put(u, ct_buf_str(&u->lines.buf)))
        return ct_fail(&u->err, CT_E_IO, NULL);
    ct_side_merge(&u->c->tally.out, &u->lines.side);
    return true;
}

static bool send_batch(run *u)
{
    bool ok = !u->batch.n || (enter_batch(u) && write_batch(u));

    u->batch.n = 0;
    u->lines.buf.n = 0;
    ct_side_clear(&u->lines.side);
    ct_arena_reset(u->arena);
    return ok;
}

/* ---- gathering, on the calling thread ---- */

static int by_name(const void *a, const void *b)
{
    const release_entry *x = a, *y = b;

    return ct_str_cmp(x->name, y->name);
}

/* "3 Encounter, 12 Observation" */
static ct_str describe(run *u, release_slot *s)
{
    ct_buf b = {0};
    ct_str text;

    qsort(s->kinds.v, s->kinds.n, sizeof *s->kinds.v, by_name);
    for (size_t i = 0; i < s->kinds.n; i++) {
        ct_buf_printf(&b, "%s%" PRIu64 " ", i ? ", " : "", s->kinds.v[i].records);
        ct_buf_put(&b, s->kinds.v[i].name);
    }
    text = ct_arena_copy(u->arena, ct_buf_str(&b));
    ct_buf_free(&b);
    return text;
}

static void add_to_batch(run *u, release_slot *s)
{
    release_entry own = {.name = ct_arena_copy(u->arena, s->chart->id),
                         .records = s->why[RELEASE_GOES],
                         .description = describe(u, s)};

    release_entry_add(&u->batch, own);
    for (size_t i = 0; i < s->named.n; i++) {
        const release_entry *e = &s->named.v[i];
        release_entry_add(&u->batch, (release_entry){.name = ct_arena_copy(u->arena, e->name),
                                                     .records = e->records,
                                                     .description = ct_arena_printf(
                                                         u->arena, "%" PRIu64 " in another's chart",
                                                         e->records)});
    }
    ct_buf_put(&u->lines.buf, ct_buf_str(&s->out.buf));
    ct_side_merge(&u->lines.side, &s->out.side);
    u->patients++;
}

static void note_found(run *u, ct_str id)
{
    if (!release_asked(u->r, id))
        return;
    u->matched++;
    for (size_t i = 0; i < u->r->npatients; i++)
        if (ct_str_eq(u->r->patients[i], id))
            u->found[i] = true;
}

static bool gather(void *ctx, void *unit, const ct_chart *chart)
{
    run *u = ctx;
    release_slot *s = unit;

    for (int i = 0; i < RELEASE_WHYS; i++)
        u->why[i] += s->why[i];
    if (u->explain)
        ct_out_put(u->explain, ct_buf_str(&s->explain));
    if (!chart->id.n)
        return (release_held_add(u->held, &s->out, &u->err) &&
                release_held_add(u->waiting, &s->waiting, &u->err)) ||
               failed(u, NULL);
    note_found(u, chart->id);
    if (!s->why[RELEASE_GOES])
        return true;
    add_to_batch(u, s);
    if (u->lines.buf.n < BATCH_BYTES && u->batch.n < BATCH_PATIENTS)
        return true;
    return send_batch(u);
}

/* ---- the run ---- */

static bool work_through(run *u)
{
    size_t n = (size_t)u->c->jobs * CT_SLOTS_PER_JOB;
    release_slot *s = release_slots_new(n, u->r, !u->c->tally.out.off, u->explain != NULL);
    ct_chartwork w = {.charts = u->charts,
                      .jobs = u->c->jobs,
                      .slots = s,
                      .slot_size = sizeof *s,
                      .work = release_judge_chart,
                      .done = gather,
                      .ctx = u};
    ct_err err = {0};
    bool ok;

    ok = ct_charts_run(&w, &err);
    if (!ok && err.kind != CT_OK)
        u->err = err;
    release_slots_free(s, n);
    return ok && send_batch(u);
}

/* ---- the end ---- */

/* What is on stdout has left, however it ends; a file that is not whole never gets its name. */
static bool close_output(run *u, bool ok, ct_err *err)
{
    ct_cli *c = u->c;
    bool to_file = c->output && strcmp(c->output, "-") != 0;
    ct_out *out = ct_cli_out(c);

    c->out = NULL;
    /* Where it is the write that failed (an error without a text), closing says why. */
    if (!ok && to_file && (u->err.kind != CT_E_IO || u->err.text)) {
        ct_out_abandon(out);
        return false;
    }
    return ct_out_close(out, err) && ok;
}

static void end_disclosure(run *u, bool ok)
{
    uint8_t digest[CT_SHA256_LEN];
    ct_buf hex = {0};

    ct_sha_end(u->sha, digest);
    ct_hex(&hex, digest, sizeof digest);
    u->d->sha256 = ct_buf_str(&hex);
    u->d->status = ok ? CT_S("complete") : CT_S("failed");
    if (!ct_ledger_end(u->db, u->d, &u->err))
        ct_cli_error(u->c, CT_FAULT, u->c->db, &u->err);
    u->d->sha256 = CT_S("");
    ct_buf_free(&hex);
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

/* Ends the rows that were waiting. */
static bool explain_waiting(void *ctx, ct_str piece)
{
    run *u = ctx;
    const char *why = release_why_text[u->begun ? RELEASE_GOES : RELEASE_ALONE];
    bool ok = true;

    while (ok && piece.n) {
        ct_str row = ct_str_head(piece, ct_str_find(piece, CT_S("\n")));
        ok = ct_out_put(u->explain, row);
        piece = ct_str_from(piece, row.n);
        if (!piece.n)
            break;
        ok = ok && ct_out_put(u->explain, CT_S("\t")) && ct_out_put(u->explain, ct_str_z(why)) &&
             ct_out_put(u->explain, CT_S("\n"));
        piece = ct_str_from(piece, 1);
    }
    return ok;
}

static void close_explain(run *u)
{
    ct_side none = {.off = true};
    ct_err err = {0};

    if (!u->explain)
        return;
    if (u->c->status == CT_FAULT) {
        ct_out_abandon(u->explain);
        return;
    }
    /* A write that fails is told when it is closed. */
    if (!release_held_give(u->waiting, &none, explain_waiting, u, &err) && err.sys)
        ct_cli_error(u->c, CT_FAULT, u->explain_path, &err);
    if (!ct_out_close(u->explain, &err))
        ct_cli_error(u->c, CT_FAULT, u->explain_path, &err);
}

/* "released 40 records of 1 patient; withheld 12: 3 type not in the policy, 9 confidentiality
 * label" */
static void summarise(run *u)
{
    ct_buf b = {0};

    ct_buf_printf(&b, "released %" PRIu64 " record%s of %" PRIu64 " patient%s; withheld %" PRIu64,
                  u->d->records, plural(u->d->records), u->patients, plural(u->patients),
                  u->c->tally.withheld);
    for (int i = RELEASE_GOES + 1, n = 0; i < RELEASE_WHYS; i++)
        if (u->why[i])
            ct_buf_printf(&b, "%s %" PRIu64 " %s", n++ ? "," : ":", u->why[i], release_why_text[i]);
    ct_buf_c(&b, '\0');
    if (u->c->tally.withheld && !u->c->quiet)
        ct_cli_say(u->c, "%s", b.p);
    ct_buf_free(&b);
}

static void answer(run *u)
{
    size_t missing = 0;

    if (!u->begun) {
        u->why[RELEASE_GOES] -= release_held_records(u->held);
        u->why[RELEASE_ALONE] = release_held_records(u->held);
    }
    for (int i = RELEASE_GOES + 1; i < RELEASE_WHYS; i++)
        u->c->tally.withheld += u->why[i];
    summarise(u);
    for (size_t i = 0; i < u->r->npatients; i++)
        if (!u->found[i]) {
            missing++;
            if (u->c->show_values)
                ct_cli_say(u->c, "not in the input: Patient/%.*s", (int)u->r->patients[i].n,
                           u->r->patients[i].p);
        }
    if (missing)
        ct_cli_problem(u->c, CT_NO, "%zu of %zu patients asked for are not in the input", missing,
                       u->r->npatients);
    if (u->matched && !u->begun)
        ct_cli_problem(u->c, CT_NO, "nothing may go by the policy %.*s", (int)u->r->policy->name.n,
                       u->r->policy->name.p);
}

static void finish(run *u, bool ok)
{
    ct_err err = {0};

    /* A write error has no text: the output says it when it is closed. */
    if (!ok && (u->err.text || u->err.file))
        ct_cli_error(u->c, CT_FAULT, u->err_name, &u->err);
    if (!ok && u->c->status < CT_FAULT)
        u->c->status = CT_FAULT;
    ok = close_output(u, ct_cli_rejects_kept(u->c) && ok, &err);
    if (u->begun)
        end_disclosure(u, ok);
    if (err.kind != CT_OK)
        ct_cli_unwritten(u->c, u->c->output, &err);
    close_explain(u);
    if (u->c->status < CT_FAULT)
        answer(u);
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && S_ISREG(x.st_mode) && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

/* The ledger is there by now. */
static ct_out *open_explain(ct_cli *c, const char *path)
{
    ct_err err = {0};
    ct_out *out;

    if (same_file(path, c->db))
        ct_cli_usage(c, "--explain and --db need files of their own");
    out = ct_out_open(path, &err);

    if (!out)
        ct_cli_die(c, path, &err);
    ct_out_put(out, CT_S("patient\trecord\toutcome\n"));
    return out;
}

void release_disclose(ct_cli *c, const release_request *r, ct_disclosure *d, const char *explain)
{
    run u = {.c = c, .r = r, .d = d, .explain_path = explain};
    ct_blocks *in;

    /* Where the ledger cannot be written nothing is even read. */
    u.db = ct_db_open(c->db, &u.err);
    if (!u.db)
        ct_cli_die(c, c->db, &u.err);
    /* From another folder than ever before, charts.db is another ledger: nobody should miss it. */
    if (ct_db_is_new(u.db) && !c->quiet)
        ct_cli_say(c, "%s: a new ledger begins", c->db);
    in = ct_cli_inputs(c, 0);
    u.charts = ct_cli_charts(c, in);
    u.explain = explain ? open_explain(c, explain) : NULL;
    u.held = release_held_new(!c->tally.out.off);
    u.waiting = release_held_new(false);
    u.lines.side.off = c->tally.out.off;
    u.sha = ct_sha_new(256);
    u.arena = ct_arena_new();
    u.found = ct_calloc(r->npatients + 1, sizeof *u.found);
    finish(&u, work_through(&u));
    free(u.found);
    free(u.batch.v);
    ct_arena_free(u.arena);
    ct_sha_free(u.sha);
    ct_buf_free(&u.lines.buf);
    ct_side_free(&u.lines.side);
    release_held_free(u.held);
    release_held_free(u.waiting);
    ct_charts_free(u.charts);
    ct_blocks_free(in);
    ct_db_close(u.db);
}
