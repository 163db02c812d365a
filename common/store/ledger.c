/* Entering disclosures: each row is chained to the one before, inside one transaction that keeps
 * other writers out. */
#include "common/store/internal.h"

#include <stdio.h>
#include <time.h>

const char ct_ledger_columns[] =
    "seq,at,kind,disclosure,patient,recipient,address,purpose,purpose_text,description,policy,user,"
    "status,records,bytes,sha256,prev,hash";

/* What stands as `prev` in the first row. */
static const char no_head[CT_HEX256 + 1] =
    "0000000000000000000000000000000000000000000000000000000000000000";

void ct_row_hash(const ct_row *row, char hex[CT_HEX256])
{
    uint8_t digest[CT_SHA256_LEN];
    ct_str names = ct_str_z(ct_ledger_columns);
    ct_buf b = {0};

    for (int i = 0; i < CT_L_COLUMNS; i++) {
        ct_str name = ct_str_cut(&names, ',');
        if (!row->v[i].p)
            continue;
        ct_buf_put(&b, name);
        ct_buf_printf(&b, ":%zu:", row->v[i].n);
        ct_buf_put(&b, row->v[i]);
        ct_buf_c(&b, '\n');
    }
    ct_sha256(ct_buf_str(&b), digest);
    b.n = 0;
    ct_hex(&b, digest, sizeof digest);
    memcpy(hex, b.p, CT_HEX256);
    ct_buf_free(&b);
}

/* ---- the transaction ---- */

/* Drops the transaction; returns false for `return rollback(db)`. */
static bool rollback(ct_db *db)
{
    if (db->writing)
        sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
    db->writing = db->alone = false;
    return false;
}

/* Reads where the chain ends. Nobody may build on a ledger that lost its last rows: the new ones
 * would cover the loss. */
static bool read_head(ct_db *db, ct_err *err)
{
    sqlite3_stmt *q;
    int64_t counter = 0;
    ct_str hash;
    int rc;

    if (!ct_db_number(db, "SELECT seq FROM sqlite_sequence WHERE name = 'ledger'", 0, &counter,
                      err) ||
        !ct_db_prepare(db, "SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1", &q, err))
        return false;
    rc = sqlite3_step(q);
    db->seq = rc == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
    hash = rc == SQLITE_ROW ? ct_db_text(q, 1) : CT_S(no_head);
    if (hash.n == CT_HEX256)
        memcpy(db->head, hash.p, CT_HEX256);
    sqlite3_finalize(q);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return ct_db_fail(rc, err);
    if (hash.n != CT_HEX256 || db->seq != counter)
        return ct_fail_at(err, CT_E_DATA, "the last rows are missing", "ledger");
    return true;
}

static bool start_writing(ct_db *db, ct_err *err)
{
    static const char columns[] =
        "INSERT INTO ledger VALUES "
        "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18)";

    if (db->writing)
        return true;
    if (!db->insert && !ct_db_prepare(db, columns, &db->insert, err))
        return false;
    if (!ct_db_exec(db, "BEGIN IMMEDIATE", err))
        return false;
    db->writing = true;
    return read_head(db, err) || rollback(db);
}

static bool insert(ct_db *db, const ct_row *row, ct_str hash, ct_err *err)
{
    sqlite3_stmt *q = db->insert;
    int rc = SQLITE_OK;

    for (int i = 0; rc == SQLITE_OK && i <= CT_L_COLUMNS; i++) {
        ct_str v = i < CT_L_COLUMNS ? row->v[i] : hash;
        if (v.p)
            rc = sqlite3_bind_text64(q, i + 1, v.p, v.n, SQLITE_STATIC, SQLITE_UTF8);
        else
            rc = sqlite3_bind_null(q, i + 1);
    }
    if (rc == SQLITE_OK)
        rc = sqlite3_step(q) == SQLITE_DONE ? SQLITE_OK : sqlite3_errcode(db->sql);
    sqlite3_reset(q);
    sqlite3_clear_bindings(q);
    return rc == SQLITE_OK || ct_db_fail(rc, err);
}

/* Adds the row behind the last one; seq, at and prev are filled in here. `disclosure` 0: the row's
 * own number. */
static bool append(ct_db *db, ct_row row, const char *kind, int64_t disclosure, ct_err *err)
{
    char seq[24], of[24], at[32], hash[CT_HEX256];
    time_t now = time(NULL);
    struct tm utc;

    if (!start_writing(db, err))
        return false;
    snprintf(seq, sizeof seq, "%lld", (long long)db->seq + 1);
    snprintf(of, sizeof of, "%lld", (long long)(disclosure ? disclosure : db->seq + 1));
    if (!gmtime_r(&now, &utc) || !strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", &utc)) {
        ct_fail(err, CT_E_IO, "the system clock gives no date");
        return rollback(db);
    }
    row.v[CT_L_SEQ] = ct_str_z(seq);
    row.v[CT_L_AT] = ct_str_z(at);
    row.v[CT_L_KIND] = ct_str_z(kind);
    row.v[CT_L_DISCLOSURE] = ct_str_z(of);
    row.v[CT_L_PREV] = (ct_str){db->head, CT_HEX256};
    ct_row_hash(&row, hash);
    if (!insert(db, &row, (ct_str){hash, CT_HEX256}, err))
        return rollback(db);
    memcpy(db->head, hash, CT_HEX256);
    db->seq++;
    return true;
}

/* ---- what is entered ---- */

/* Empty text is kept as NULL. */
static ct_str given(ct_str s)
{
    return s.n ? s : (ct_str){NULL, 0};
}

bool ct_ledger_begin(ct_db *db, ct_disclosure *d, ct_err *err)
{
    ct_row row = {0};

    row.v[CT_L_RECIPIENT] = given(d->recipient);
    row.v[CT_L_ADDRESS] = given(d->address);
    row.v[CT_L_PURPOSE] = given(d->purpose);
    row.v[CT_L_PURPOSE_TEXT] = given(d->purpose_text);
    row.v[CT_L_POLICY] = given(d->policy);
    row.v[CT_L_USER] = given(d->user);
    if (db->alone) {
        ct_fail(err, CT_E_USAGE, "a disclosure was begun without a patient");
        return rollback(db);
    }
    if (!append(db, row, "begin", 0, err))
        return false;
    db->alone = true;
    d->id = db->seq;
    return true;
}

bool ct_ledger_patient(ct_db *db, int64_t disclosure, ct_str patient, uint64_t records,
                       ct_str description, ct_err *err)
{
    char count[24];
    ct_row row = {0};

    if (!patient.n) {
        ct_fail(err, CT_E_USAGE, "a patient without an id");
        return rollback(db);
    }
    snprintf(count, sizeof count, "%llu", (unsigned long long)records);
    row.v[CT_L_PATIENT] = patient;
    row.v[CT_L_DESCRIPTION] = given(description);
    row.v[CT_L_RECORDS] = ct_str_z(count);
    if (!append(db, row, "patient", disclosure, err))
        return false;
    db->alone = false;
    return true;
}

bool ct_ledger_commit(ct_db *db, ct_err *err)
{
    if (db->alone) {
        ct_fail(err, CT_E_USAGE, "a disclosure was begun without a patient");
        return rollback(db);
    }
    if (!db->writing)
        return true;
    if (!ct_db_exec(db, "COMMIT", err))
        return rollback(db);
    db->writing = false;
    return true;
}

bool ct_ledger_end(ct_db *db, const ct_disclosure *d, ct_err *err)
{
    char records[24], bytes[24];
    ct_row row = {0};

    snprintf(records, sizeof records, "%llu", (unsigned long long)d->records);
    snprintf(bytes, sizeof bytes, "%llu", (unsigned long long)d->bytes);
    row.v[CT_L_STATUS] = given(d->status);
    row.v[CT_L_RECORDS] = ct_str_z(records);
    row.v[CT_L_BYTES] = ct_str_z(bytes);
    row.v[CT_L_SHA256] = given(d->sha256);
    return append(db, row, "end", d->id, err) && ct_ledger_commit(db, err);
}
