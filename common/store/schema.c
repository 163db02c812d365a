/* The tables. */
#include "common/store/internal.h"

static const char ledger[] =
    "CREATE TABLE IF NOT EXISTS ledger ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " at TEXT NOT NULL,"
    " kind TEXT NOT NULL CHECK (kind IN ('begin', 'patient', 'end')),"
    " disclosure INTEGER NOT NULL,"
    " patient TEXT,"
    " recipient TEXT,"
    " address TEXT,"
    " purpose TEXT,"
    " purpose_text TEXT,"
    " description TEXT,"
    " policy TEXT,"
    " user TEXT,"
    " status TEXT CHECK (status IN ('complete', 'failed')),"
    " records INTEGER,"
    " bytes INTEGER,"
    " sha256 TEXT,"
    " prev TEXT NOT NULL,"
    " hash TEXT NOT NULL"
    ") STRICT;"
    "CREATE UNIQUE INDEX IF NOT EXISTS ledger_end ON ledger(disclosure) WHERE kind = 'end';";

/* The kinds are not listed here: a version that has one more must be able to enter it. */
static const char custody[] =
    "CREATE TABLE IF NOT EXISTS custody ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " at TEXT NOT NULL,"
    " kind TEXT NOT NULL,"
    " bag TEXT,"
    " copy TEXT,"
    " hold INTEGER,"
    " matter TEXT,"
    " reason TEXT,"
    " person TEXT,"
    " witness TEXT,"
    " user TEXT NOT NULL,"
    " result TEXT,"
    " sha256 TEXT,"
    " charts INTEGER,"
    " records INTEGER,"
    " bytes INTEGER,"
    " detail TEXT,"
    " prev TEXT NOT NULL,"
    " hash TEXT NOT NULL"
    ") STRICT;"
    "CREATE INDEX IF NOT EXISTS custody_bag ON custody(bag) WHERE bag IS NOT NULL;"
    "CREATE INDEX IF NOT EXISTS custody_hold ON custody(hold) WHERE hold IS NOT NULL;";

/* A word of a name leads to charts, not the other way round: whole names stand in `chart`. */
static const char catalogue[] =
    "CREATE TABLE IF NOT EXISTS bag ("
    " id INTEGER PRIMARY KEY,"
    " hash TEXT NOT NULL UNIQUE,"
    " name TEXT NOT NULL,"
    " first TEXT,"
    " last TEXT,"
    " retention TEXT,"
    " authority TEXT,"
    " destroy_after TEXT,"
    " charts INTEGER NOT NULL,"
    " records INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL,"
    " entered TEXT NOT NULL,"
    " status TEXT NOT NULL CHECK (status IN ('kept', 'destroying', 'destroyed'))"
    ") STRICT;"
    "CREATE TABLE IF NOT EXISTS copy ("
    " id INTEGER PRIMARY KEY,"
    " bag INTEGER NOT NULL REFERENCES bag(id),"
    " path TEXT NOT NULL,"
    " packing TEXT NOT NULL,"
    " size INTEGER NOT NULL,"
    " added TEXT NOT NULL,"
    " checked TEXT,"
    " result TEXT,"
    " state TEXT NOT NULL CHECK (state IN ('present', 'gone', 'unreachable')),"
    " UNIQUE (bag, path)"
    ") STRICT;"
    "CREATE INDEX IF NOT EXISTS copy_path ON copy(path);"
    "CREATE TABLE IF NOT EXISTS chart ("
    " id INTEGER PRIMARY KEY,"
    " bag INTEGER NOT NULL REFERENCES bag(id),"
    " path TEXT NOT NULL,"
    " patient TEXT NOT NULL,"
    " names TEXT,"
    " born TEXT,"
    " first TEXT,"
    " last TEXT,"
    " destroy_after TEXT,"
    " records INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL,"
    " UNIQUE (bag, path)"
    ") STRICT;"
    "DROP INDEX IF EXISTS chart_patient;" /* of version 1 */
    "CREATE INDEX IF NOT EXISTS chart_person ON chart(patient, bag, last);"
    "CREATE INDEX IF NOT EXISTS chart_born ON chart(born);"
    "CREATE INDEX IF NOT EXISTS chart_last ON chart(last, first);"
    "CREATE INDEX IF NOT EXISTS chart_first ON chart(first, last);"
    "CREATE TABLE IF NOT EXISTS word ("
    " word TEXT NOT NULL,"
    " chart INTEGER NOT NULL REFERENCES chart(id),"
    " PRIMARY KEY (word, chart)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS number ("
    " value TEXT NOT NULL,"
    " system TEXT NOT NULL,"
    " chart INTEGER NOT NULL REFERENCES chart(id),"
    " PRIMARY KEY (value, system, chart)"
    ") STRICT, WITHOUT ROWID;"
    /* Others who have records in a chart's file: one that was not made by chart archive. */
    "CREATE TABLE IF NOT EXISTS also ("
    " chart INTEGER NOT NULL REFERENCES chart(id),"
    " patient TEXT NOT NULL,"
    " PRIMARY KEY (chart, patient)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS also_patient ON also(patient);"
    /* Patient.link, as it was said by any bag that was ever entered. */
    "CREATE TABLE IF NOT EXISTS linked ("
    " patient TEXT NOT NULL,"
    " other TEXT NOT NULL,"
    " PRIMARY KEY (patient, other)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS hold ("
    " id INTEGER PRIMARY KEY,"
    " matter TEXT NOT NULL,"
    " why TEXT NOT NULL,"
    " person TEXT NOT NULL,"
    " path TEXT,"
    " placed TEXT NOT NULL,"
    " patients INTEGER NOT NULL,"
    " sha256 TEXT NOT NULL,"
    " released TEXT,"
    " released_by TEXT,"
    " released_why TEXT"
    ") STRICT;"
    "CREATE TABLE IF NOT EXISTS held ("
    " patient TEXT NOT NULL,"
    " hold INTEGER NOT NULL REFERENCES hold(id),"
    " PRIMARY KEY (patient, hold)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS held_hold ON held(hold);"
    "CREATE TABLE IF NOT EXISTS key ("
    " bag TEXT NOT NULL PRIMARY KEY,"
    " key TEXT NOT NULL,"
    " added TEXT NOT NULL"
    ") STRICT;";

/* A table to which rows are only added. INSERT OR REPLACE deletes without firing the trigger for
 * DELETE. */
static void put_chain(ct_buf *sql, const char *t)
{
    ct_buf_printf(sql,
                  "CREATE TRIGGER IF NOT EXISTS %s_no_update BEFORE UPDATE ON %s"
                  " BEGIN SELECT RAISE(ABORT, 'the %s is append-only'); END;"
                  "CREATE TRIGGER IF NOT EXISTS %s_no_delete BEFORE DELETE ON %s"
                  " BEGIN SELECT RAISE(ABORT, 'the %s is append-only'); END;"
                  "CREATE TRIGGER IF NOT EXISTS %s_in_order BEFORE INSERT ON %s"
                  " WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM %s)"
                  " BEGIN SELECT RAISE(ABORT, 'the %s is append-only'); END;",
                  t, t, t, t, t, t, t, t, t, t);
}

/* One whose rows may change, but stay. */
static void put_lasting(ct_buf *sql, const char *t)
{
    ct_buf_printf(sql,
                  "CREATE TRIGGER IF NOT EXISTS %s_no_delete BEFORE DELETE ON %s"
                  " BEGIN SELECT RAISE(ABORT, 'nothing is deleted'); END;",
                  t, t);
}

bool ct_schema_make(ct_db *db, ct_err *err)
{
    static const char *const lasting[] = {"bag",  "copy",   "chart", "word", "number",
                                          "also", "linked", "hold",  "held"};
    ct_buf sql = {0};
    bool ok;

    ct_buf_printf(&sql, "BEGIN IMMEDIATE; PRAGMA application_id=%d; PRAGMA user_version=%d;",
                  CT_APPLICATION_ID, CT_SCHEMA_VERSION);
    ct_buf_z(&sql, ledger);
    ct_buf_z(&sql, custody);
    ct_buf_z(&sql, catalogue);
    for (int i = 0; i < CT_CHAINS; i++)
        put_chain(&sql, ct_chains[i].table);
    for (size_t i = 0; i < CT_LEN(lasting); i++)
        put_lasting(&sql, lasting[i]);
    ct_buf_printf(&sql, "COMMIT;%c", 0);
    ok = ct_db_exec(db, sql.p, err);
    ct_buf_free(&sql);
    if (ok)
        db->version = CT_SCHEMA_VERSION;
    return ok;
}
