/* Legal holds. The list of a hold is in a table that may be searched; the log of custody has its
 * hash, so that a patient who is taken out of it is noticed. */
#include "common/store/internal.h"

#include <stdlib.h>

#define HOLD_COLUMNS                                                                               \
    "h.id, h.matter, h.why, h.person, h.path, h.placed, h.patients, h.sha256, h.released,"         \
    " h.released_by, h.released_why"

typedef struct hold_reader {
    ct_hold_fn *each;
    void *ctx;
} hold_reader;

static ct_hold hold_of(sqlite3_stmt *q)
{
    return (ct_hold){
        .id = sqlite3_column_int64(q, 0),
        .matter = ct_db_text(q, 1),
        .why = ct_db_text(q, 2),
        .by = ct_db_text(q, 3),
        .path = ct_db_text(q, 4),
        .placed = ct_db_text(q, 5),
        .patients = (uint64_t)sqlite3_column_int64(q, 6),
        .sha256 = ct_db_text(q, 7),
        .released = ct_db_text(q, 8),
        .released_by = ct_db_text(q, 9),
        .released_why = ct_db_text(q, 10),
    };
}

static bool give(void *ctx, sqlite3_stmt *q)
{
    const hold_reader *r = ctx;
    ct_hold h = hold_of(q);

    return r->each(r->ctx, &h);
}

/* ---- what a hold says, as a hash ---- */

static void hash_line(ct_sha *h, ct_str text)
{
    ct_sha_add(h, text);
    ct_sha_add(h, CT_S("\n"));
}

static bool hash_patient(void *sha, ct_str patient)
{
    hash_line(sha, patient);
    return true;
}

/* Of the hold as it stands in the tables. */
static bool hash_hold(ct_db *db, const ct_hold *h, char hex[CT_HEX256], ct_err *err)
{
    uint8_t digest[CT_SHA256_LEN];
    ct_sha *sha = ct_sha_new(256);
    ct_buf b = {0};
    bool ok;

    hash_line(sha, h->matter);
    hash_line(sha, h->why);
    hash_line(sha, h->by);
    hash_line(sha, h->path);
    ok = ct_hold_patients(db, h->id, hash_patient, sha, err);
    ct_sha_end(sha, digest);
    ct_sha_free(sha);
    ct_hex(&b, digest, sizeof digest);
    memcpy(hex, b.p, CT_HEX256);
    ct_buf_free(&b);
    return ok;
}

/* ---- placing and releasing ---- */

static bool insert_hold(ct_db *db, ct_hold *h, ct_err *err)
{
    char now[CT_NOW_MAX];

    if (!ct_db_now(now, err) ||
        !ct_db_run(db,
                   "INSERT INTO hold VALUES (NULL, ?1, ?2, ?3, ?4, ?5, 0, '', NULL, NULL, NULL)",
                   CT_ARGS(CT_TEXT(h->matter), CT_TEXT(h->why), CT_TEXT(h->by), CT_TEXT(h->path),
                           CT_TEXT(ct_str_z(now))),
                   err))
        return false;
    h->id = sqlite3_last_insert_rowid(db->sql);
    return true;
}

static bool insert_patients(ct_db *db, int64_t hold, const ct_str *patients, size_t n, ct_err *err)
{
    sqlite3_stmt *q;
    bool ok = ct_db_prepare(db, "INSERT OR IGNORE INTO held VALUES (?1, ?2)", &q, err);

    for (size_t i = 0; ok && i < n; i++)
        ok = ct_db_step(q, CT_ARGS(CT_TEXT(patients[i]), CT_INT(hold)), err);
    sqlite3_finalize(q);
    return ok;
}

/* The list is in: count it, hash it, and say so in the log. */
static bool seal(ct_db *db, ct_hold *h, ct_err *err)
{
    char hex[CT_HEX256];
    ct_str sha256 = {hex, sizeof hex};

    return hash_hold(db, h, hex, err) &&
           ct_db_run(db,
                     "UPDATE hold SET sha256 = ?1, patients ="
                     " (SELECT count(*) FROM held WHERE hold = ?2) WHERE id = ?2",
                     CT_ARGS(CT_TEXT(sha256), CT_INT(h->id)), err) &&
           ct_custody_add(db,
                          &(ct_custody){.act = CT_ACT_HOLD,
                                        .hold = h->id,
                                        .matter = h->matter,
                                        .reason = h->why,
                                        .person = h->by,
                                        .sha256 = sha256},
                          err);
}

bool ct_hold_bag(ct_db *db, int64_t bag, ct_hold *h, ct_err *err)
{
    static const char sql[] =
        "INSERT INTO held SELECT patient, ?1 FROM chart WHERE bag = ?2 UNION"
        " SELECT a.patient, ?1 FROM chart c JOIN also a ON a.chart = c.id WHERE c.bag = ?2";

    return insert_hold(db, h, err) &&
           ct_db_run(db, sql, CT_ARGS(CT_INT(h->id), CT_INT(bag)), err) && seal(db, h, err);
}

bool ct_hold_place(ct_db *db, ct_hold *hold, const ct_str *patients, size_t n, ct_err *err)
{
    if (!hold->matter.n || !hold->why.n || !hold->by.n)
        return ct_fail(err, CT_E_USAGE, "a hold needs a matter, a reason and a person");
    if ((n > 0) == (hold->path.n > 0))
        return ct_fail(err, CT_E_USAGE, "a hold is either on patients or by an expression");
    for (size_t i = 0; i < n; i++)
        if (!patients[i].n)
            return ct_fail(err, CT_E_USAGE, "a patient without an id");
    return ct_db_write(db, err) &&
           ct_db_settle(db,
                        insert_hold(db, hold, err) &&
                            insert_patients(db, hold->id, patients, n, err) && seal(db, hold, err),
                        err);
}

static bool release(ct_db *db, int64_t hold, ct_str by, ct_str why, ct_err *err)
{
    char now[CT_NOW_MAX];

    if (!ct_db_now(now, err) ||
        !ct_db_run(db,
                   "UPDATE hold SET released = ?1, released_by = ?2, released_why = ?3"
                   " WHERE id = ?4 AND released IS NULL",
                   CT_ARGS(CT_TEXT(ct_str_z(now)), CT_TEXT(by), CT_TEXT(why), CT_INT(hold)), err))
        return false;
    if (sqlite3_changes(db->sql) != 1)
        return ct_fail(err, CT_E_USAGE, "there is no active hold of that number");
    return ct_custody_add(
        db, &(ct_custody){.act = CT_ACT_RELEASE, .hold = hold, .reason = why, .person = by}, err);
}

bool ct_hold_release(ct_db *db, int64_t hold, ct_str by, ct_str why, ct_err *err)
{
    if (!by.n || !why.n)
        return ct_fail(err, CT_E_USAGE, "a release needs a person and a reason");
    return ct_db_write(db, err) && ct_db_settle(db, release(db, hold, by, why, err), err);
}

/* ---- reading ---- */

bool ct_holds(ct_db *db, bool active, ct_hold_fn *each, void *ctx, ct_err *err)
{
    static const char sql[] =
        "SELECT " HOLD_COLUMNS " FROM hold h WHERE NOT ?1 OR h.released IS NULL ORDER BY h.id";

    return ct_db_is_old(db) ||
           ct_db_each(db, sql, CT_ARGS(CT_INT(active)), give, &(hold_reader){each, ctx}, err);
}

bool ct_held(ct_db *db, ct_str patient, ct_hold_fn *each, void *ctx, ct_err *err)
{
    static const char sql[] = "SELECT " HOLD_COLUMNS " FROM held l JOIN hold h ON h.id = l.hold"
                              " WHERE l.patient = ?1 AND h.released IS NULL ORDER BY h.id";

    return ct_db_is_old(db) ||
           ct_db_each(db, sql, CT_ARGS(CT_TEXT(patient)), give, &(hold_reader){each, ctx}, err);
}

bool ct_hold_patients(ct_db *db, int64_t hold, ct_patient_fn *each, void *ctx, ct_err *err)
{
    return ct_db_is_old(db) ||
           ct_db_each(db, "SELECT patient FROM held WHERE hold = ?1 ORDER BY patient",
                      CT_ARGS(CT_INT(hold)), ct_give_patient, &(ct_patient_reader){each, ctx}, err);
}

/* ---- are they what they were? ---- */

typedef struct inspection {
    ct_db *db;
    int64_t expected; /* the next hold's number: none is missing */
    bool ok;
    ct_err *err;
} inspection;

static bool changed(inspection *i, int64_t hold, const char *how)
{
    i->ok = ct_fail_at(i->err, CT_E_DATA, how, "hold %lld", (long long)hold);
    return false;
}

/* A row of custody, with the hold that it is about. */
static bool inspect(void *ctx, sqlite3_stmt *q)
{
    inspection *i = ctx;
    ct_hold h = hold_of(q);
    char hex[CT_HEX256];
    ct_str placed = ct_db_text(q, 11), logged = ct_db_text(q, 12);
    bool released = sqlite3_column_int(q, 13) != 0;

    i->expected++;
    if (h.id != i->expected)
        return changed(i, i->expected, "missing");
    if (!placed.n)
        return changed(i, h.id, "its placing is not in the log");
    if ((h.released.n > 0) != released)
        return changed(i, h.id, "its release is not as the log has it");
    if (!hash_hold(i->db, &h, hex, i->err))
        return i->ok = false;
    if (!ct_str_eq(logged, (ct_str){hex, sizeof hex}) || !ct_str_eq(logged, h.sha256))
        return changed(i, h.id, "changed since it was placed");
    return true;
}

static bool check_holds(ct_db *db, int64_t *mark, ct_err *err)
{
    static const char sql[] =
        "SELECT " HOLD_COLUMNS ", p.at, p.sha256,"
        " EXISTS (SELECT 1 FROM custody r WHERE r.hold = h.id AND r.kind = 'release')"
        " FROM hold h LEFT JOIN custody p ON p.hold = h.id AND p.kind = 'hold' ORDER BY h.id";
    inspection i = {.db = db, .ok = true, .err = err};
    int64_t logged;

    if (!ct_db_each(db, sql, NULL, 0, inspect, &i, err) || !i.ok ||
        !ct_db_number(db, "SELECT count(*) FROM custody WHERE kind = 'hold'", 0, &logged, err))
        return false;
    if (logged != i.expected)
        return changed(&i, i.expected + 1, "missing");
    return ct_db_number(db, "SELECT coalesce(max(seq), 0) FROM custody WHERE hold IS NOT NULL", 0,
                        mark, err);
}

bool ct_holds_check(ct_db *db, int64_t *mark, ct_err *err)
{
    int64_t last = 0;
    bool ok;

    if (!ct_db_is_old(db)) {
        if (!ct_custody_check(db, CT_S(""), NULL, err) || !ct_db_exec(db, "BEGIN", err))
            return false;
        ok = check_holds(db, &last, err);
        if (!ct_db_exec(db, "COMMIT", ok ? err : NULL) || !ok)
            return false;
    }
    if (mark)
        *mark = last;
    return true;
}
