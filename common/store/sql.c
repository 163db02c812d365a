/* Statements, their arguments, and the one transaction that a database has open at most. */
#include "common/store/internal.h"

#include <time.h>

bool ct_db_fail(int rc, ct_err *err)
{
    ct_errkind kind = rc == SQLITE_NOTADB || rc == SQLITE_CORRUPT ? CT_E_DATA : CT_E_IO;

    return ct_fail(err, kind, sqlite3_errstr(rc));
}

bool ct_db_exec(ct_db *db, const char *sql, ct_err *err)
{
    int rc = sqlite3_exec(db->sql, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK || ct_db_fail(rc, err);
}

bool ct_db_prepare(ct_db *db, const char *sql, sqlite3_stmt **to, ct_err *err)
{
    int rc = sqlite3_prepare_v2(db->sql, sql, -1, to, NULL);

    return rc == SQLITE_OK || ct_db_fail(rc, err);
}

bool ct_db_number(ct_db *db, const char *sql, int64_t none, int64_t *value, ct_err *err)
{
    sqlite3_stmt *q;
    int rc;

    if (!ct_db_prepare(db, sql, &q, err))
        return false;
    rc = sqlite3_step(q);
    *value = rc == SQLITE_ROW ? sqlite3_column_int64(q, 0) : none;
    sqlite3_finalize(q);
    return rc == SQLITE_ROW || rc == SQLITE_DONE || ct_db_fail(rc, err);
}

bool ct_db_exists(ct_db *db, const char *sql, const ct_arg *args, size_t n, bool *found,
                  ct_err *err)
{
    sqlite3_stmt *q;
    int rc;

    if (!ct_db_query(db, sql, args, n, &q, err))
        return false;
    rc = sqlite3_step(q);
    sqlite3_finalize(q);
    *found = rc == SQLITE_ROW;
    return rc == SQLITE_ROW || rc == SQLITE_DONE || ct_db_fail(rc, err);
}

ct_str ct_db_text(sqlite3_stmt *q, int column)
{
    const char *text = (const char *)sqlite3_column_text(q, column);

    return (ct_str){text, text ? (size_t)sqlite3_column_bytes(q, column) : 0};
}

bool ct_db_now(char at[CT_NOW_MAX], ct_err *err)
{
    time_t now = time(NULL);
    struct tm utc;

    return (gmtime_r(&now, &utc) && strftime(at, CT_NOW_MAX, "%Y-%m-%dT%H:%M:%SZ", &utc)) ||
           ct_fail(err, CT_E_IO, "the system clock gives no date");
}

/* ---- the transaction ---- */

bool ct_db_write(ct_db *db, ct_err *err)
{
    if (db->writing)
        return true;
    if (!ct_db_exec(db, "BEGIN IMMEDIATE", err))
        return false;
    return db->writing = true;
}

static void over(ct_db *db)
{
    db->writing = db->alone = false;
    for (int i = 0; i < CT_CHAINS; i++)
        db->tails[i].known = false;
}

bool ct_db_rollback(ct_db *db)
{
    if (db->writing)
        sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
    over(db);
    return false;
}

bool ct_db_commit(ct_db *db, ct_err *err)
{
    if (!db->writing)
        return true;
    if (!ct_db_exec(db, "COMMIT", err))
        return ct_db_rollback(db);
    over(db);
    return true;
}

bool ct_db_settle(ct_db *db, bool ok, ct_err *err)
{
    return ok ? ct_db_commit(db, err) : ct_db_rollback(db);
}

/* ---- arguments ---- */

static int bind_one(sqlite3_stmt *q, int at, const ct_arg *a)
{
    if (a->is_number)
        return sqlite3_bind_int64(q, at, a->number);
    if (!a->text.n)
        return sqlite3_bind_null(q, at);
    return sqlite3_bind_text64(q, at, a->text.p, a->text.n, SQLITE_STATIC, SQLITE_UTF8);
}

bool ct_db_bind(sqlite3_stmt *q, const ct_arg *args, size_t n, ct_err *err)
{
    int rc = SQLITE_OK;

    for (size_t i = 0; rc == SQLITE_OK && i < n; i++)
        rc = bind_one(q, (int)i + 1, &args[i]);
    return rc == SQLITE_OK || ct_db_fail(rc, err);
}

bool ct_db_query(ct_db *db, const char *sql, const ct_arg *args, size_t n, sqlite3_stmt **to,
                 ct_err *err)
{
    *to = NULL;
    if (ct_db_prepare(db, sql, to, err) && ct_db_bind(*to, args, n, err))
        return true;
    sqlite3_finalize(*to);
    *to = NULL;
    return false;
}

bool ct_db_step(sqlite3_stmt *q, const ct_arg *args, size_t n, ct_err *err)
{
    int rc = SQLITE_OK;
    bool ok = ct_db_bind(q, args, n, err);

    if (ok)
        rc = sqlite3_step(q);
    sqlite3_reset(q);
    sqlite3_clear_bindings(q);
    return ok && (rc == SQLITE_DONE || ct_db_fail(rc, err));
}

bool ct_db_run(ct_db *db, const char *sql, const ct_arg *args, size_t n, ct_err *err)
{
    sqlite3_stmt *q;
    bool ok = ct_db_prepare(db, sql, &q, err) && ct_db_step(q, args, n, err);

    sqlite3_finalize(q);
    return ok;
}

bool ct_db_each(ct_db *db, const char *sql, const ct_arg *args, size_t n,
                bool (*each)(void *ctx, sqlite3_stmt *q), void *ctx, ct_err *err)
{
    sqlite3_stmt *q;
    int rc;

    if (!ct_db_query(db, sql, args, n, &q, err))
        return false;
    do
        rc = sqlite3_step(q);
    while (rc == SQLITE_ROW && each(ctx, q));
    sqlite3_finalize(q);
    return rc == SQLITE_DONE || rc == SQLITE_ROW || ct_db_fail(rc, err);
}
