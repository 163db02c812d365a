/* chart archive destroy: the end of a bag, with a certificate.
 *
 * The order is what makes it safe to be killed at any moment, and to be run again:
 *
 *     1. may it go? Holds, schedule, what is open: nothing is changed yet
 *     2. the database says that it is being destroyed, by whom, before whose eyes
 *     3. a certificate says so too, in the database and as files
 *     4. each copy loses its name, is overwritten, the database told, what is left removed
 *     5. the key goes
 *     6. the certificate is completed, and the database says destroyed
 */
#include "cmd/archive/archive.h"
#include "cmd/archive/catalogue.h"
#include "cmd/archive/certificate.h"
#include "cmd/archive/clearance.h"
#include "cmd/archive/erase.h"
#include "cmd/archive/lock.h"
#include "cmd/archive/log.h"
#include "cmd/archive/past.h"
#include "cmd/archive/place.h"
#include "cmd/archive/readable/pdf.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

enum {
    OPT_BY = CT_OPT_OWN,
    OPT_WITNESS,
    OPT_WHY,
    OPT_SCHEDULE,
    OPT_CERTIFICATE,
    OPT_WITHOUT,
    OPT_DRY_RUN,
    OPT_HEAD
};

enum { HASH_MIN = 8, HASH_NAME = 16 /* of a bag's hash, in a name */ };
enum { CERTIFICATE_MAX = 16 * 1024 * 1024 };

static const ct_opt options[] = {
    {OPT_BY, "by", "NAME", "who destroys"},
    {OPT_WITNESS, "witness", "NAME", "who witnesses it: somebody else"},
    {OPT_WHY, "why", "TEXT", "why it goes (default: the retention period is over)"},
    {OPT_SCHEDULE, "schedule", "NAME|FILE", "a retention schedule; may be given again"},
    {OPT_CERTIFICATE, "certificate", "NAME", "write NAME.txt and NAME.pdf"},
    {OPT_WITHOUT, "without-copy", "FILE", "this copy is known to be gone; may be given again"},
    {OPT_DRY_RUN, "dry-run", NULL, "say what would be destroyed and what forbids it; do nothing"},
    {OPT_HEAD, "head", "HASH", "of a report of fixity: it must still be in the log of custody"},
    BAG_KEY_FILE_OPTION,
    {0},
};

static const ct_command command = {
    .name = "archive destroy",
    .summary =
        "Destroys a bag of the catalogue, every copy and its key, when the retention schedule\n"
        "allows it for each chart and no hold or open matter forbids it. Two people answer for\n"
        "it; a certificate says what is gone. What it held stays in the catalogue.",
    .synopsis = "[OPTION]... --by NAME --witness NAME BAG",
    .common = CT_HAS_OUTPUT | CT_HAS_JOBS | CT_HAS_DB | CT_HAS_ASOF | CT_HAS_PROGRESS,
    .options = options,
    .examples = "  chart archive destroy --dry-run 2012\n"
                "  chart archive destroy --by 'A. Lee' --witness 'B. Cho' \\\n"
                "      --certificate /records/certificates/2012 2012\n",
};

/* Words of the command line that may be given again. */
typedef struct words {
    const char **v;
    size_t n;
} words;

typedef struct destruction {
    ct_cli *cli;
    ct_db *db;
    ct_arena *arena; /* of all texts below */
    const char *by, *witness, *why, *certificate;
    words schedules, without;
    bool dry;
    ct_str head; /* of custody, known from elsewhere; may be empty */
    /* what it is about */
    ct_bag bag;
    bag_sought sought; /* the same, at the places of its copies */
    uint64_t matches;  /* bags that the name fits */
    ct_copy *copies;   /* with those that are gone already */
    size_t ncopies;
    bag_schedule *schedule;
    bag_judge *judge;
    bag_clearance clear;
    bool cleared; /* a copy was read */
    int64_t mark; /* of the holds */
    /* what becomes of it */
    bag_lock lock;
    bag_past past;
    bag_fate *fates;  /* of each copy */
    bag_fonts *fonts; /* of the certificate */
    bool encrypted;
} destruction;

static void add_word(words *w, const char *word)
{
    w->v = ct_grow(w->v, w->n, sizeof(*w->v));
    w->v[w->n++] = word;
}

static bool fault(destruction *d, const char *name, const ct_err *err)
{
    ct_cli_error(d->cli, CT_FAULT, name, err);
    return false;
}

static bool refuse(destruction *d, const char *why)
{
    ct_cli_problem(d->cli, CT_NO, "%s: not destroyed: %s", d->cli->args[0], why);
    return false;
}

/* ---- which bag ---- */

static bool take_bag(void *ctx, const ct_bag *bag)
{
    destruction *d = ctx;
    ct_str *const texts[] = {&d->bag.hash,          &d->bag.name,      &d->bag.first,
                             &d->bag.last,          &d->bag.retention, &d->bag.authority,
                             &d->bag.destroy_after, &d->bag.entered};

    d->matches++;
    d->bag = *bag;
    for (size_t i = 0; i < CT_LEN(texts); i++)
        *texts[i] = ct_arena_copy(d->arena, *texts[i]);
    return true;
}

static ct_str in_catalogue(destruction *d, const char *path)
{
    char *whole = bag_catalogue_path(path);
    ct_str kept = ct_arena_copy(d->arena, ct_str_z(whole));

    free(whole);
    return kept;
}

/* By the path of a copy, by name, or by the beginning of its hash: enough of it that no slip of the
 * pen is one. */
static bool find_bag(destruction *d)
{
    const char *given = d->cli->args[0];
    const ct_bag_query tries[] = {
        {.path = in_catalogue(d, given)}, {.name = ct_str_z(given)}, {.hash = ct_str_z(given)}};
    size_t ntries = strlen(given) < HASH_MIN ? CT_LEN(tries) - 1 : CT_LEN(tries);
    ct_err err = {0};

    for (size_t i = 0; i < ntries && d->matches == 0; i++)
        if (!ct_bags(d->db, &tries[i], take_bag, d, &err))
            return fault(d, d->cli->db, &err);
    if (d->matches == 0)
        return refuse(d, "the catalogue has no such bag");
    if (d->matches > 1)
        return refuse(d, "the catalogue has several bags of that name: give a path or a hash");
    if (d->bag.status == CT_BAG_DESTROYED)
        return refuse(d, "it was destroyed before");
    return true;
}

static bool take_copy(void *ctx, const ct_copy *copy)
{
    destruction *d = ctx;
    ct_copy *c;

    d->copies = ct_grow(d->copies, d->ncopies, sizeof(*d->copies));
    c = &d->copies[d->ncopies++];
    *c = *copy;
    c->path = ct_arena_printf(d->arena, "%.*s", (int)copy->path.n, copy->path.p);
    c->checked = ct_arena_copy(d->arena, copy->checked);
    return true;
}

/* Of what counts as gone a backup may have been put back, or a disk mounted again. */
static void look_again(destruction *d, ct_copy *c)
{
    const char *why;

    if (c->state == CT_COPY_GONE && bag_place_taken(c->path.p) &&
        bag_place_has(&d->sought, c->path.p, &why))
        c->state = CT_COPY_PRESENT;
}

/* A copy is gone where two people answer for that, nowhere else. */
static void take_past(destruction *d)
{
    d->sought.key_gone = d->past.shredded;
    d->encrypted |= d->past.shredded;
    for (size_t i = 0; i < d->ncopies; i++) {
        ct_copy *c = &d->copies[i];
        const bag_fate *gone = bag_past_gone(&d->past, c->path);

        look_again(d, c);
        if (gone && c->state == CT_COPY_GONE)
            d->fates[i] = *gone;
        else
            d->fates[i] = (bag_fate){.place = c->path, .outcome = CT_S("still to come")};
    }
}

static bool load_past(destruction *d)
{
    ct_err err = {0};

    if (!bag_past_load(&d->past, d->db, d->bag.hash, &err))
        return fault(d, d->cli->db, &err);
    take_past(d);
    return true;
}

static bool load_copies(destruction *d)
{
    const ct_copy_query q = {.bag = d->bag.hash, .with_gone = true};
    ct_err err = {0};

    if (!ct_copies(d->db, &q, take_copy, d, &err))
        return fault(d, d->cli->db, &err);
    d->fates = ct_calloc(d->ncopies + 1, sizeof(*d->fates));
    d->sought.arena = d->arena;
    d->sought.hash = d->bag.hash;
    return load_past(d);
}

/* Two runs would take what the other did for a copy that is not there. */
static bool lock_bag(destruction *d)
{
    char *db = bag_catalogue_path(d->cli->db);
    ct_str hash = ct_str_head(d->bag.hash, HASH_NAME);
    ct_str path = ct_arena_printf(d->arena, "%s-destroying-%.*s", db, (int)hash.n, hash.p);
    ct_err err = {0};
    bool taken, ok = bag_lock_take(&d->lock, path.p, &taken, &err);

    free(db);
    if (!ok)
        return fault(d, path.p, &err);
    return taken || refuse(d, "another run is destroying it at this moment");
}

/* A slip of the pen must not leave a copy that somebody believes to be settled. */
static bool check_without(destruction *d)
{
    for (size_t i = 0; i < d->without.n; i++) {
        ct_str path = in_catalogue(d, d->without.v[i]);
        size_t c = 0;

        while (c < d->ncopies && !ct_str_eq(d->copies[c].path, path))
            c++;
        if (c == d->ncopies)
            return refuse(d, "what --without-copy names is no copy of it");
    }
    return true;
}

static bool all_gone(const destruction *d)
{
    for (size_t i = 0; i < d->ncopies; i++)
        if (!d->fates[i].gone)
            return false;
    return true;
}

static ct_destruction people(const destruction *d)
{
    return (ct_destruction){.by = ct_str_z(d->by),
                            .witness = ct_str_z(d->witness),
                            .why = ct_str_z(d->why),
                            .mark = d->mark};
}

/* ---- may it go? ---- */

static void wrong_schedule(void *ctx, const ct_err *err)
{
    destruction *d = ctx;

    ct_cli_error(d->cli, CT_FAULT, NULL, err);
}

static bool load_judge(destruction *d)
{
    ct_err err = {0};

    d->schedule = bag_schedule_load(d->schedules.v, d->schedules.n, wrong_schedule, d);
    if (d->cli->status == CT_FAULT)
        return false;
    bag_warn_floor(d->cli, d->schedule);
    d->judge = bag_judge_new(d->schedule, &d->cli->as_of);
    return bag_judge_database(d->judge, d->db, &err) || fault(d, d->cli->db, &err);
}

/* The first copy that is whole and what it should be. What is wrong with others matters where there
 * is none. */
static bool read_copy(destruction *d)
{
    ct_err *errs = ct_calloc(d->ncopies + 1, sizeof(*errs));

    for (size_t i = 0; i < d->ncopies && !d->cleared; i++)
        if (d->copies[i].state != CT_COPY_GONE)
            d->cleared = bag_clear(&d->clear, d->copies[i].path.p, d->bag.hash.p, d->judge,
                                   d->cli->jobs, &d->sought.keys, &errs[i]);
    for (size_t i = 0; i < d->ncopies && !d->cleared; i++)
        if (errs[i].kind != CT_OK && d->bag.status == CT_BAG_KEPT)
            ct_cli_error(d->cli, CT_NO, d->copies[i].path.p, &errs[i]);
    free(errs);
    return d->cleared;
}

/* On stdout: what a hold is called can tell whose it is. */
static void put_bars(destruction *d)
{
    ct_buf b = {0};

    for (size_t i = 0; i < d->clear.n; i++) {
        ct_buf_printf(&b, "%s: ", d->cli->args[0]);
        if (d->clear.bars[i].charts)
            ct_buf_printf(&b, "%" PRIu64 " of %" PRIu64 " charts: ", d->clear.bars[i].charts,
                          d->clear.charts);
        ct_buf_put(&b, d->clear.bars[i].why);
        ct_buf_c(&b, '\n');
    }
    if (d->clear.more)
        ct_buf_printf(&b, "%s: more reasons: %" PRIu64 "\n", d->cli->args[0], d->clear.more);
    ct_out_put(ct_cli_out(d->cli), ct_buf_str(&b));
    ct_buf_free(&b);
}

/* What was said when the bag was made binds too: another schedule may have been in force. */
static bool recorded_date_allows(destruction *d)
{
    ct_date day;

    if (ct_str_is(d->bag.destroy_after, "never"))
        return refuse(d, "it is to be kept for ever, as it was made");
    if (d->bag.destroy_after.n == 0 || ct_str_is(d->bag.destroy_after, "undecided"))
        return d->schedules.n > 0 ||
               refuse(d,
                      "no date of destruction was decided when it was made: name the --schedule");
    if (!ct_date_parse(d->bag.destroy_after, &day) || day.precision != CT_P_DAY)
        return refuse(d, "what it says of its date of destruction is not a day");
    return ct_date_days(&d->cli->as_of) >= ct_date_days(&day) ||
           refuse(d, "its date of destruction, as it was made, is not reached");
}

/* It was begun, and the copies are gone or in pieces: nobody can tell whether a hold that was
 * placed since takes them in. Where nothing is left there is nothing to hold. */
static bool no_hold_since(destruction *d)
{
    ct_err err = {0};

    if (!all_gone(d))
        d->mark = d->past.number;
    if (ct_bag_unheld(d->db, d->bag.hash, d->mark, &err))
        return true;
    return err.kind == CT_E_USAGE ? refuse(d, err.text) : fault(d, d->cli->db, &err);
}

/* All that forbids it is said, not the first alone. */
static bool may_go(destruction *d)
{
    ct_err err = {0};
    bool ok = true;

    if (!ct_custody_check(d->db, d->head, NULL, &err) || !ct_holds_check(d->db, &d->mark, &err))
        return fault(d, d->cli->db, &err);
    if (!load_judge(d))
        return false;
    if (!read_copy(d)) {
        if (d->bag.status == CT_BAG_KEPT)
            return refuse(d, "no copy can be read whole, so its charts cannot be judged");
        return no_hold_since(d);
    }
    if (!bag_clear_later(&d->clear, d->db, d->bag.hash, &d->cli->as_of, &err))
        return fault(d, d->cli->db, &err);
    if (d->clear.n) {
        put_bars(d);
        ok = refuse(d, "not all of its charts may be");
    }
    return recorded_date_allows(d) && ok;
}

/* ---- the certificate ---- */

static ct_str now(destruction *d)
{
    char at[CT_NOW_MAX] = "";
    ct_err err = {0};

    if (!ct_db_now(at, &err))
        fault(d, d->cli->db, &err);
    return ct_arena_copy(d->arena, ct_str_z(at));
}

/* Of what was decided when the bag was made and what is decided today, that with the later day
 * rules. */
static bool judged_later(const destruction *d)
{
    ct_date day;

    return !ct_date_parse(d->bag.destroy_after, &day) || d->clear.until + 1 >= ct_date_days(&day);
}

static void fill_certificate(destruction *d, bag_certificate *c, ct_str completed)
{
    *c = (bag_certificate){
        .number = d->past.number,
        .began = d->past.began,
        .completed = completed,
        .name = d->bag.name,
        .identity = d->bag.hash,
        .reasons = d->past.reasons,
        .nreasons = d->past.nreasons,
        .from = d->bag.first,
        .to = d->bag.last,
        .charts = d->bag.charts,
        .records = d->bag.records,
        .bytes = d->bag.bytes,
        .retention_class = d->bag.retention,
        .authority = d->bag.authority,
        .destroy_after = d->bag.destroy_after,
        .encrypted = d->encrypted,
        .key_file = d->sought.keys.file != NULL,
        .key_gone = d->sought.key_gone,
        .people = d->past.people,
        .npeople = d->past.npeople,
        .fates = d->fates,
        .nfates = d->ncopies,
    };
    if (d->cleared && judged_later(d)) {
        ct_buf day = {0};

        bag_day_put(&day, d->clear.until + 1);
        c->retention_class = d->clear.class;
        c->authority = d->clear.authority;
        c->destroy_after = ct_arena_copy(d->arena, ct_buf_str(&day));
        ct_buf_free(&day);
    }
}

/* `NAME.txt`, `NAME.pdf`. */
static ct_str certificate_path(destruction *d, const char *suffix)
{
    ct_str hash = ct_str_head(d->bag.hash, HASH_NAME);

    if (d->certificate)
        return ct_arena_printf(d->arena, "%s%s", d->certificate, suffix);
    return ct_arena_printf(d->arena, "destruction-%.*s%s", (int)hash.n, hash.p, suffix);
}

/* Atomically, in place of what an earlier run began. */
static bool write_file(destruction *d, const char *suffix, ct_str bytes)
{
    ct_str path = certificate_path(d, suffix);
    ct_err err = {0};
    ct_out *out = ct_out_open(path.p, &err);

    if (out)
        ct_out_put(out, bytes);
    return (out && ct_out_close(out, &err)) || fault(d, path.p, &err);
}

/* Appends the SHA-256 of a text in hexadecimal. */
static void put_sha256(ct_buf *b, ct_str text)
{
    uint8_t digest[CT_SHA256_LEN];

    ct_sha256(text, digest);
    ct_hex(b, digest, sizeof(digest));
}

/* Was it written by an earlier run of this destruction? By what custody has of it. */
static bool is_ours(destruction *d, const char *path)
{
    ct_buf text = {0}, hex = {0};
    ct_err err = {0};
    bool ours = ct_slurp(path, CERTIFICATE_MAX, &text, &err);

    put_sha256(&hex, ct_buf_str(&text));
    ours = ours && bag_past_certificate(&d->past, ct_buf_str(&hex));
    ct_buf_free(&text);
    ct_buf_free(&hex);
    return ours;
}

/* One that is there may be of another bag; only one that this destruction began is written anew. */
static bool certificate_free(destruction *d)
{
    const char *text = certificate_path(d, ".txt").p, *pdf = certificate_path(d, ".pdf").p;

    if ((bag_place_taken(text) || bag_place_taken(pdf)) && !is_ours(d, text))
        return refuse(d, "there is a certificate of that name already: give another --certificate");
    return true;
}

static bool enter_certificate(destruction *d, ct_str text, char hex[2 * CT_SHA256_LEN + 1])
{
    ct_buf b = {0};
    ct_err err = {0};
    bool ok;

    put_sha256(&b, text);
    ok = ct_custody_enter(d->db,
                          &(ct_custody){.act = CT_ACT_CERTIFICATE,
                                        .bag = d->bag.hash,
                                        .person = ct_str_z(d->by),
                                        .witness = ct_str_z(d->witness),
                                        .sha256 = ct_buf_str(&b),
                                        .charts = d->bag.charts,
                                        .records = d->bag.records,
                                        .bytes = d->bag.bytes,
                                        .detail = text},
                          &err);
    memcpy(hex, b.p, b.n);
    hex[b.n] = '\0';
    ct_buf_free(&b);
    return ok || fault(d, d->cli->db, &err);
}

/* Into the database, and as files. `hex` becomes its SHA-256. */
static bool certify(destruction *d, ct_str completed, char hex[2 * CT_SHA256_LEN + 1])
{
    bag_view view = {.arena = d->arena};
    bag_certificate c;
    ct_buf text = {0}, pdf = {0};
    ct_err err = {0};
    bool ok;

    fill_certificate(d, &c, completed);
    bag_certificate_view(&view, &c);
    bag_text_put(&text, &view);
    ok = (bag_pdf_put(&pdf, &view, d->fonts, NULL, &err) || fault(d, "the certificate", &err)) &&
         enter_certificate(d, ct_buf_str(&text), hex) && write_file(d, ".txt", ct_buf_str(&text)) &&
         write_file(d, ".pdf", ct_buf_str(&pdf));
    bag_view_free(&view);
    ct_buf_free(&text);
    ct_buf_free(&pdf);
    return ok;
}

/* ---- the copies ---- */

static bool said_gone(destruction *d, ct_str path)
{
    for (size_t i = 0; i < d->without.n; i++)
        if (ct_str_eq(in_catalogue(d, d->without.v[i]), path))
            return true;
    return false;
}

/* What was said is believed, but where the bag stands there all the same. */
static bool is_said_gone(destruction *d, ct_str path)
{
    const char *why;

    return said_gone(d, path) && !bag_place_left(&d->sought, path.p) &&
           (!bag_place_taken(path.p) || !bag_place_has(&d->sought, path.p, &why));
}

/* Notes in database and certificate what became of a copy. */
static bool settle(destruction *d, size_t i, const char *how)
{
    const ct_destruction who = people(d);
    ct_err err = {0};

    d->fates[i] = bag_fate_of(d->arena, d->copies[i].path, now(d), ct_str_z(how),
                              (bag_pair){who.by, who.witness});
    return ct_copy_gone(d->db, d->copies[i].id, &who, ct_str_z(how), &err) ||
           fault(d, d->cli->db, &err);
}

static bool leave(destruction *d, size_t i, const char *why)
{
    ct_err err = {0};

    d->fates[i].outcome = ct_str_z(why);
    ct_cli_problem(d->cli, CT_NO, "%s: not destroyed: %s", d->copies[i].path.p, why);
    return ct_copy_unreachable(d->db, d->copies[i].id, ct_str_z(why), &err) ||
           fault(d, d->cli->db, &err);
}

/* What an earlier run took the name from is destroyed, whatever has the name by now. */
static bool resume(destruction *d, const char *path, ct_err *err)
{
    return bag_place_each(&d->sought, path, bag_erase_again, err);
}

static bool remove_rest(destruction *d, const char *path)
{
    ct_err err = {0};

    return bag_place_each(&d->sought, path, bag_erase_rest, &err) || fault(d, path, &err);
}

static bool destroy_copy(destruction *d, size_t i)
{
    const char *path = d->copies[i].path.p, *why = NULL;
    bool begun = bag_erase_begun(path, d->bag.hash), put_back;
    ct_err err = {0};

    if (!resume(d, path, &err))
        return leave(d, i, err.text);
    put_back = bag_place_taken(path) && bag_place_has(&d->sought, path, &why);
    if (begun && !put_back)
        return settle(d, i, BAG_OVERWRITTEN) && remove_rest(d, path);
    if (!remove_rest(d, path))
        return false;
    if (is_said_gone(d, d->copies[i].path))
        return settle(d, i, BAG_SAID_GONE);
    why = bag_place_obstacle(&d->sought, path);
    if (why)
        return leave(d, i, why);
    if (!bag_place_each(&d->sought, path, bag_erase, &err))
        return leave(d, i, err.text);
    return settle(d, i, BAG_OVERWRITTEN) && remove_rest(d, path);
}

/* What destroy_copy would come to: why a copy would be left, or NULL. */
static const char *foresee(destruction *d, size_t i)
{
    const char *path = d->copies[i].path.p;

    if (d->fates[i].gone || bag_erase_begun(path, d->bag.hash) ||
        is_said_gone(d, d->copies[i].path))
        return NULL;
    return bag_place_obstacle(&d->sought, path);
}

/* Those that an earlier run destroyed: what it may have left is removed. */
static bool finish_copy(destruction *d, size_t i)
{
    const char *path = d->copies[i].path.p;
    ct_err err = {0};

    return (resume(d, path, &err) || fault(d, path, &err)) && remove_rest(d, path);
}

static bool destroy_copies(destruction *d)
{
    bool ok = true;

    for (size_t i = 0; ok && i < d->ncopies; i++)
        ok = d->fates[i].gone ? finish_copy(d, i) : destroy_copy(d, i);
    return ok;
}

/* ---- the run ---- */

static bool begin(destruction *d)
{
    const ct_destruction who = people(d);
    ct_err err = {0};
    ct_buf key = {0};
    bool ok = ct_key_get(d->db, d->bag.hash, &key, &d->encrypted, &err) &&
              ct_bag_destroying(d->db, d->bag.hash, &who, &err);

    ct_buf_free(&key);
    if (!ok && err.kind == CT_E_USAGE)
        return refuse(d, err.text);
    return ok ? load_past(d) : fault(d, d->cli->db, &err);
}

static bool shred_key(destruction *d)
{
    ct_err err = {0};

    d->sought.key_gone = ct_key_shred(d->db, d->bag.hash, &err);
    return d->sought.key_gone || fault(d, d->cli->db, &err);
}

static bool end(destruction *d)
{
    const ct_destruction who = people(d);
    char hex[2 * CT_SHA256_LEN + 1];
    ct_err err = {0};

    if (!all_gone(d)) {
        refuse(d, "copies remain; run it again when they can be reached, or say --without-copy");
        return certify(d, (ct_str){"", 0}, hex);
    }
    return certify(d, now(d), hex) &&
           (ct_bag_destroyed(d->db, d->bag.hash, &who, ct_str_z(hex), &err) ||
            fault(d, d->cli->db, &err));
}

static void put_line(destruction *d, const char *what)
{
    ct_buf b = {0};
    size_t said = 0;

    for (size_t i = 0; i < d->ncopies; i++)
        said += d->fates[i].gone && !d->fates[i].overwritten;
    ct_buf_printf(&b, "%s: %s, %" PRIu64 " charts, %zu cop%s", d->cli->args[0], what, d->bag.charts,
                  d->ncopies, d->ncopies == 1 ? "y" : "ies");
    if (said)
        ct_buf_printf(&b, ", %zu said to be gone", said);
    if (d->past.number && !d->dry)
        ct_buf_printf(&b, ", certificate %" PRId64, d->past.number);
    ct_buf_c(&b, '\n');
    ct_out_put(ct_cli_out(d->cli), ct_buf_str(&b));
    ct_buf_free(&b);
}

static void try_copies(destruction *d)
{
    size_t left = 0;

    for (size_t i = 0; i < d->ncopies; i++) {
        const char *why = foresee(d, i);

        if (!why)
            continue;
        left++;
        ct_cli_problem(d->cli, CT_NO, "%s: would not be destroyed: %s", d->copies[i].path.p, why);
    }
    put_line(d, left ? "may be destroyed, but copies would remain" : "may be destroyed");
}

static void run(destruction *d)
{
    char hex[2 * CT_SHA256_LEN + 1];
    ct_err err = {0};

    if (!find_bag(d) || !(d->dry || lock_bag(d)) || !load_copies(d) || !check_without(d) ||
        !certificate_free(d) || !may_go(d))
        return;
    if (d->dry) {
        try_copies(d);
        return;
    }
    d->fonts = bag_fonts_open(&err); /* before anything is begun */
    if (!d->fonts) {
        fault(d, "the certificate", &err);
        return;
    }
    if (!begin(d) || !certify(d, (ct_str){"", 0}, hex))
        return;
    if (!destroy_copies(d) || !shred_key(d) || !end(d))
        return;
    if (d->cli->status == CT_DONE)
        put_line(d, "destroyed");
}

/* What is in the certificate must not look like another line of it; nor is an empty word meant. */
static void check_texts(ct_cli *c, const destruction *d)
{
    const char *const texts[] = {d->by, d->witness, d->why, d->certificate, c->args[0]};

    for (size_t i = 0; i < CT_LEN(texts); i++) {
        ct_str text = ct_str_trim(ct_str_z(texts[i] ? texts[i] : "-"));

        if (text.n == 0)
            ct_cli_usage(c, "an option or the bag is empty");
        for (size_t k = 0; k < text.n; k++)
            if (iscntrl((unsigned char)text.p[k]))
                ct_cli_usage(c, "an option or the bag has a control character");
    }
}

/* Two people, by whatever they are called. */
static void check_people(ct_cli *c, const destruction *d)
{
    ct_str by = ct_str_trim(ct_str_z(d->by ? d->by : "")),
           witness = ct_str_trim(ct_str_z(d->witness ? d->witness : ""));

    if (d->dry)
        return;
    if (by.n == 0 || witness.n == 0)
        ct_cli_usage(c, "two people answer for a destruction: --by NAME --witness NAME");
    if (by.n == witness.n && strncasecmp(by.p, witness.p, by.n) == 0)
        ct_cli_usage(c, "the witness must be somebody else");
}

static void check_today(ct_cli *c)
{
    ct_date today = ct_cli_today();

    if (ct_date_days(&c->as_of) > ct_date_days(&today))
        ct_cli_usage(c, "nothing is destroyed ahead of its time: --as-of lies in the future");
}

static void take_option(destruction *d, int opt)
{
    ct_cli *c = d->cli;

    switch (opt) {
    case OPT_BY:
        d->by = c->arg;
        break;
    case OPT_WITNESS:
        d->witness = c->arg;
        break;
    case OPT_WHY:
        d->why = c->arg;
        break;
    case OPT_SCHEDULE:
        add_word(&d->schedules, c->arg);
        break;
    case OPT_CERTIFICATE:
        d->certificate = c->arg;
        break;
    case BAG_OPT_KEY_FILE:
        d->sought.keys.file = c->arg;
        break;
    case OPT_WITHOUT:
        add_word(&d->without, c->arg);
        break;
    case OPT_HEAD:
        d->head = bag_log_head(c);
        break;
    default:
        d->dry = true;
    }
}

int bag_destroy(int argc, char **argv)
{
    ct_cli c;
    destruction d = {.cli = &c, .why = "the retention period is over"};
    ct_err err = {0};
    int opt;

    ct_cli_start(&c, &command, argc, argv);
    d.arena = ct_arena_new();
    while ((opt = ct_cli_option(&c)) != CT_CLI_DONE)
        take_option(&d, opt);
    if (c.nargs != 1)
        ct_cli_usage(&c, "one bag, please");
    check_people(&c, &d);
    check_texts(&c, &d);
    check_today(&c);
    d.sought.keys.db = c.db;
    d.db = bag_catalogue_open(c.db, &err);
    if (d.db)
        run(&d);
    else
        ct_cli_error(&c, CT_FAULT, c.db, &err);
    bag_lock_drop(&d.lock);
    bag_past_free(&d.past);
    bag_fonts_free(d.fonts);
    bag_clearance_free(&d.clear);
    bag_judge_free(d.judge);
    bag_schedule_free(d.schedule);
    ct_db_close(d.db);
    free(d.schedules.v);
    free(d.without.v);
    free(d.copies);
    free(d.fates);
    ct_arena_free(d.arena);
    return ct_cli_finish(&c);
}
