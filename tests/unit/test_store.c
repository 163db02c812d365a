/* The ledger: one chain whatever happens, and whatever is done to it afterwards is seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/store/store.h"
#include "tests/helpers/folder.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static ct_db *must_open(void)
{
    ct_err err;
    ct_db *db = ct_db_open("ledger.db", &err);

    assert_non_null(db);
    return db;
}

static int64_t begin(ct_db *db, const char *patient)
{
    ct_disclosure d = {.recipient = CT_S("County Health"),
                       .address = CT_S("1 Main St"),
                       .purpose = CT_S("PUBHLTH"),
                       .policy = CT_S("public-health 1"),
                       .user = CT_S("tester")};
    ct_err err;

    assert_true(ct_ledger_begin(db, &d, &err));
    assert_true(
        ct_ledger_patient(db, d.id, ct_str_z(patient), 2, CT_S("1 Patient, 1 Condition"), &err));
    assert_true(ct_ledger_commit(db, &err));
    return d.id;
}

static void end(ct_db *db, int64_t id, const char *status)
{
    ct_disclosure d = {
        .id = id, .status = ct_str_z(status), .sha256 = CT_S("00ff"), .records = 2, .bytes = 99};

    assert_true(ct_ledger_end(db, &d, NULL));
}

/* Three disclosures of two patients: 8 rows, the last one not ended. */
static void fill(void)
{
    ct_db *db = must_open();

    end(db, begin(db, "p1"), "complete");
    end(db, begin(db, "p2"), "failed");
    begin(db, "p1");
    ct_db_close(db);
}

/* What somebody with the sqlite3 shell and bad intentions does. */
static int tamper(const char *sql)
{
    sqlite3 *db;
    int rc;

    assert_int_equal(sqlite3_open("ledger.db", &db), SQLITE_OK);
    rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_close(db);
    return rc;
}

#define NO_GUARD                                                                                   \
    "DROP TRIGGER ledger_no_update; DROP TRIGGER ledger_no_delete; DROP TRIGGER ledger_in_order;"

static bool check(ct_ledger_state *s, ct_err *err)
{
    ct_db *db = ct_db_open_readonly("ledger.db", err);
    bool ok = db && ct_ledger_check(db, CT_S(""), s, err);

    ct_db_close(db);
    return ok;
}

static void whole_chain(void **state)
{
    ct_ledger_state s;
    ct_err err;

    (void)state;
    fill();
    assert_true(check(&s, &err));
    assert_int_equal(s.rows, 8);
    assert_int_equal(s.disclosures, 3);
    assert_int_equal(s.unfinished, 1);
    assert_int_equal(strlen(s.head), 64);
}

static void empty_ledger(void **state)
{
    ct_ledger_state s;
    ct_err err;

    (void)state;
    ct_db_close(must_open());
    assert_true(check(&s, &err));
    assert_int_equal(s.rows, 0);
    assert_string_equal(s.head, "");
}

static void private_files(void **state)
{
    struct stat st;
    ct_db *db;

    (void)state;
    umask(022);
    db = must_open();
    begin(db, "p1");
    assert_int_equal(stat("ledger.db", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat("ledger.db-wal", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    ct_db_close(db);
}

static void tampering_is_seen(void **state)
{
    static const struct {
        const char *sql;
        const char *where, *text; /* NULL: still whole */
    } cases[] = {
        {"SELECT 1", NULL, NULL},
        {NO_GUARD "UPDATE ledger SET recipient = 'X' WHERE seq = 1", "ledger row 1",
         "changed since it was written"},
        {NO_GUARD "UPDATE ledger SET recipient = NULL WHERE seq = 1", "ledger row 1",
         "changed since it was written"},
        {NO_GUARD "UPDATE ledger SET patient = 'p3' WHERE seq = 5", "ledger row 5",
         "changed since it was written"},
        {NO_GUARD "UPDATE ledger SET description = 'x', recipient = '1 Main St',"
                  " address = 'County Health' WHERE seq = 4",
         "ledger row 4", "changed since it was written"},
        {NO_GUARD "UPDATE ledger SET at = '2001-01-01T00:00:00Z' WHERE seq = 8", "ledger row 8",
         "changed since it was written"},
        {NO_GUARD "UPDATE ledger SET hash = replace(hash, substr(hash, 1, 1), 'g') WHERE seq = 3",
         "ledger row 3", "changed since it was written"},
        {NO_GUARD "DELETE FROM ledger WHERE seq = 2", "ledger row 2", "missing"},
        {NO_GUARD "DELETE FROM ledger WHERE seq = 1", "ledger row 1", "missing"},
        {NO_GUARD "DELETE FROM ledger WHERE seq > 6", "ledger row 7", "missing, and all behind it"},
        {NO_GUARD "DELETE FROM ledger", "ledger row 1", "missing, and all behind it"},
        {NO_GUARD "DELETE FROM ledger WHERE seq = 5; UPDATE ledger SET seq = seq - 1 WHERE seq > 5",
         "ledger row 5", "changed since it was written"},
        {NO_GUARD "INSERT INTO ledger SELECT 9, at, kind, disclosure, patient, recipient, address,"
                  " purpose, purpose_text, description, policy, user, status, records, bytes,"
                  " sha256, prev, hash FROM ledger WHERE seq = 8",
         "ledger row 9", "changed since it was written"},
    };

    (void)state;
    for (size_t i = 0; i < CT_LEN(cases); i++) {
        ct_err err = {0};
        bool ok;

        fill();
        assert_int_equal(tamper(cases[i].sql), SQLITE_OK);
        ok = check(NULL, &err);
        assert_int_equal(ok, cases[i].where == NULL);
        if (cases[i].where) {
            assert_string_equal(err.where, cases[i].where);
            assert_string_equal(err.text, cases[i].text);
            assert_int_equal(err.kind, CT_E_DATA);
        }
        assert_int_equal(unlink("ledger.db"), 0);
    }
}

static void guards_refuse(void **state)
{
    static const char *const cases[] = {
        "UPDATE ledger SET recipient = 'X' WHERE seq = 1",
        "DELETE FROM ledger WHERE seq = 8",
        "INSERT OR REPLACE INTO ledger SELECT * FROM ledger WHERE seq = 3",
        "INSERT INTO ledger SELECT 10, at, kind, disclosure, patient, recipient, address, purpose,"
        " purpose_text, description, policy, user, status, records, bytes, sha256, prev, hash"
        " FROM ledger WHERE seq = 8",
    };

    (void)state;
    fill();
    for (size_t i = 0; i < CT_LEN(cases); i++)
        assert_int_equal(tamper(cases[i]), SQLITE_CONSTRAINT);
    assert_true(check(NULL, NULL));
}

/* A counter that was turned back as well hides a removed tail, but not from a head kept elsewhere.
 */
static void known_head(void **state)
{
    ct_ledger_state s;
    ct_err err;
    ct_db *db;

    (void)state;
    fill();
    assert_true(check(&s, &err));
    db = must_open();
    begin(db, "p9");
    assert_true(ct_ledger_check(db, ct_str_z(s.head), NULL, &err));
    ct_db_close(db);
    assert_int_equal(tamper(NO_GUARD "DELETE FROM ledger WHERE seq > 6;"
                                     "UPDATE sqlite_sequence SET seq = 6"),
                     SQLITE_OK);
    assert_true(check(NULL, &err));
    db = must_open();
    assert_false(ct_ledger_check(db, ct_str_z(s.head), NULL, &err));
    assert_string_equal(err.text, "the known head is not in it");
    ct_db_close(db);
}

/* New rows must not cover a loss. */
static void no_entry_behind_a_lost_tail(void **state)
{
    ct_disclosure d = {.recipient = CT_S("X")};
    ct_err err;
    ct_db *db;

    (void)state;
    fill();
    assert_int_equal(tamper(NO_GUARD "DELETE FROM ledger WHERE seq = 8"), SQLITE_OK);
    db = must_open();
    assert_false(ct_ledger_begin(db, &d, &err));
    assert_string_equal(err.text, "the last rows are missing");
    ct_db_close(db);
}

static void no_disclosure_without_a_patient(void **state)
{
    ct_disclosure d = {.recipient = CT_S("X")};
    ct_ledger_state s;
    ct_err err;
    ct_db *db;

    (void)state;
    db = must_open();
    assert_true(ct_ledger_begin(db, &d, &err));
    assert_false(ct_ledger_commit(db, &err));
    assert_int_equal(err.kind, CT_E_USAGE);
    assert_true(ct_ledger_begin(db, &d, &err));
    assert_false(ct_ledger_patient(db, d.id, CT_S(""), 1, CT_S(""), &err));
    assert_true(ct_ledger_begin(db, &d, &err));
    assert_false(ct_ledger_begin(db, &d, &err));
    assert_true(ct_ledger_check(db, CT_S(""), &s, &err));
    assert_int_equal(s.rows, 0);
    ct_db_close(db);
}

static void ended_once(void **state)
{
    ct_disclosure d = {.status = CT_S("complete")};
    ct_err err;
    ct_db *db;

    (void)state;
    db = must_open();
    d.id = begin(db, "p1");
    assert_true(ct_ledger_end(db, &d, &err));
    assert_false(ct_ledger_end(db, &d, &err));
    begin(db, "p2"); /* the failure left nothing open */
    assert_true(ct_ledger_check(db, CT_S(""), NULL, &err));
    ct_db_close(db);
}

static void write_many(const char *patient)
{
    ct_err err;
    ct_db *db = ct_db_open("ledger.db", &err);
    ct_disclosure d = {.recipient = CT_S("X")};

    for (int i = 0; db && i < 40; i++) {
        if (!ct_ledger_begin(db, &d, &err) ||
            !ct_ledger_patient(db, d.id, ct_str_z(patient), 1, CT_S("1 Patient"), &err) ||
            !ct_ledger_commit(db, &err))
            _exit(1);
        d.status = CT_S("complete");
        if (!ct_ledger_end(db, &d, &err))
            _exit(2);
    }
    ct_db_close(db);
    _exit(db ? 0 : 3);
}

/* The database does not exist yet, so that making it is part of the race. */
static void two_writers_one_chain(void **state)
{
    static const char *const patients[] = {"p1", "p2"};
    pid_t pid[2];
    ct_ledger_state s;
    ct_err err;

    (void)state;
    for (int i = 0; i < 2; i++) {
        pid[i] = fork();
        if (pid[i] == 0)
            write_many(patients[i]);
    }
    for (int i = 0; i < 2; i++) {
        int status;
        assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
        assert_int_equal(status, 0);
    }
    assert_true(check(&s, &err));
    assert_int_equal(s.rows, 240);
    assert_int_equal(s.disclosures, 80);
}

/* Several programs that find no database make it at the same time. */
static void made_by_many_at_once(void **state)
{
    enum { MAKERS = 6 };

    (void)state;
    for (int round = 0; round < 10; round++) {
        pid_t pid[MAKERS];

        for (int i = 0; i < MAKERS; i++) {
            pid[i] = fork();
            if (pid[i] == 0) {
                ct_db *db = ct_db_open("ledger.db", NULL);
                ct_db_close(db);
                _exit(db ? 0 : 1);
            }
        }
        for (int i = 0; i < MAKERS; i++) {
            int status;
            assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
            assert_int_equal(status, 0);
        }
        assert_true(check(NULL, NULL));
        assert_int_equal(unlink("ledger.db"), 0);
    }
}

/* Killed at an arbitrary moment: whatever was committed is there, and the chain is whole. */
static void killed_writer(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        ct_ledger_state s;
        ct_err err;
        int status;
        ct_db *db;
        pid_t pid = fork();

        if (pid == 0)
            write_many("p1");
        nanosleep(&(struct timespec){0, 20000000L + 7000000L * round}, NULL);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        db = must_open();
        begin(db, "p2");
        ct_db_close(db);
        assert_true(check(&s, &err));
    }
}

/* ---- accounting ---- */

static bool write_down(void *ctx, const ct_disclosure *d, uint64_t records, ct_str description)
{
    ct_buf_printf(ctx, "%d %.*s %.*s %.*s %.*s %d %.*s\n", (int)d->id, (int)d->recipient.n,
                  d->recipient.p, (int)d->purpose.n, d->purpose.p, (int)d->status.n, d->status.p,
                  (int)d->sha256.n, d->sha256.n ? d->sha256.p : "", (int)records,
                  (int)description.n, description.p);
    return true;
}

static void accounting_of(const char *patient, const char *since, const char *expected)
{
    ct_db *db = must_open();
    ct_buf b = {0};
    ct_err err;

    assert_true(ct_ledger_accounting(db, ct_str_z(patient), ct_str_z(since), write_down, &b, &err));
    ct_buf_c(&b, '\0');
    assert_string_equal(b.p, expected);
    ct_buf_free(&b);
    ct_db_close(db);
}

static void accounting(void **state)
{
    (void)state;
    fill();
    accounting_of("p1", "",
                  "1 County Health PUBHLTH complete 00ff 2 1 Patient, 1 Condition\n"
                  "7 County Health PUBHLTH begun  2 1 Patient, 1 Condition\n");
    accounting_of("p2", "2020-01-01",
                  "4 County Health PUBHLTH failed 00ff 2 1 Patient, 1 Condition\n");
    accounting_of("p1", "9999-01-01", "");
    accounting_of("p3", "", "");
    accounting_of("", "", "");
}

/* A patient entered twice in one disclosure is one line of the accounting. */
static void accounting_adds_up(void **state)
{
    ct_db *db = must_open();
    int64_t id = begin(db, "p1");

    (void)state;
    assert_true(ct_ledger_patient(db, id, CT_S("p1"), 3, CT_S("3 Encounter"), NULL));
    assert_true(ct_ledger_commit(db, NULL));
    ct_db_close(db);
    accounting_of("p1", "",
                  "1 County Health PUBHLTH begun  5 1 Patient, 1 Condition; 3 Encounter\n");
}

static bool write_open(void *ctx, ct_str patient, int64_t disclosure, ct_str since)
{
    ct_buf_printf(ctx, "%.*s %d%s\n", (int)patient.n, patient.p, (int)disclosure,
                  since.n == 20 ? "" : " without a time");
    return true;
}

static void open_of(const char *patient, const char *expected)
{
    ct_db *db = must_open();
    ct_buf b = {0};

    assert_true(ct_ledger_open(db, ct_str_z(patient), write_open, &b, NULL));
    ct_buf_c(&b, '\0');
    assert_string_equal(b.p, expected);
    ct_buf_free(&b);
    ct_db_close(db);
}

static void disclosures_without_an_end(void **state)
{
    ct_db *db;

    (void)state;
    fill();
    open_of("", "p1 7\n");
    open_of("p1", "p1 7\n");
    open_of("p2", "");
    db = must_open();
    begin(db, "p2");
    end(db, 7, "failed");
    ct_db_close(db);
    open_of("", "p2 9\n");
}

/* ---- opening ---- */

/* As the version made it that had the ledger only. */
static const char old_database[] =
    "PRAGMA application_id=1128808786;"
    "CREATE TABLE ledger (seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, kind TEXT NOT"
    " NULL CHECK (kind IN ('begin', 'patient', 'end')), disclosure INTEGER NOT NULL, patient TEXT,"
    " recipient TEXT, address TEXT, purpose TEXT, purpose_text TEXT, description TEXT, policy TEXT,"
    " user TEXT, status TEXT CHECK (status IN ('complete', 'failed')), records INTEGER, bytes"
    " INTEGER, sha256 TEXT, prev TEXT NOT NULL, hash TEXT NOT NULL) STRICT;"
    "INSERT INTO ledger VALUES(1,'2026-11-28T17:40:29Z','begin',1,NULL,'Sample County',NULL,"
    "'PUBHLTH',NULL,NULL,'public-health 1"
    " sha256:afbab1bfa1ada91246d0b10e5a99ea903c79de3270f38f417ef9a05e0ec444d4','root',NULL,NULL,"
    "NULL,NULL,'0000000000000000000000000000000000000000000000000000000000000000',"
    "'b12f9828fd8a0be6d40364595cb2c7da64338ee5ed8a667cf67b4cc49a9d00bd');"
    "INSERT INTO ledger VALUES(2,'2026-11-28T17:40:29Z','patient',1,'pa',NULL,NULL,NULL,NULL,"
    "'2 Condition, 2 Encounter, 1 Observation, 1 Patient',NULL,NULL,NULL,6,NULL,NULL,"
    "'b12f9828fd8a0be6d40364595cb2c7da64338ee5ed8a667cf67b4cc49a9d00bd',"
    "'41c8328857ffc72587dce4804c31f7b643dc7ac5245032e1c0b98eec5224c113');"
    "CREATE UNIQUE INDEX ledger_end ON ledger(disclosure) WHERE kind = 'end';"
    "CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger"
    " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;"
    "CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger"
    " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;";

static bool count_bag(void *ctx, const ct_bag *bag)
{
    (void)bag;
    ++*(int *)ctx;
    return true;
}

static bool count_hold(void *ctx, const ct_hold *hold)
{
    (void)hold;
    ++*(int *)ctx;
    return true;
}

/* Everything but the ledger is empty; and what an older one lacks is added by the first writer. */
static void older_database(void **state)
{
    ct_ledger_state before, after;
    ct_custody_state custody;
    ct_bag_query all = {0};
    ct_err err = {0};
    int bags = 0, holds = 0;
    uint64_t copies = 9;
    int64_t mark = 9;
    ct_db *db;

    (void)state;
    assert_int_equal(tamper(old_database), SQLITE_OK);
    db = ct_db_open_readonly("ledger.db", &err);
    assert_non_null(db);
    assert_true(ct_ledger_check(db, CT_S(""), &before, &err));
    assert_int_equal(before.rows, 2);
    assert_true(ct_bags(db, &all, count_bag, &bags, &err));
    assert_true(ct_holds(db, false, count_hold, &holds, &err));
    assert_true(ct_held(db, CT_S("pa"), count_hold, &holds, &err));
    assert_true(ct_holds_check(db, &mark, &err));
    assert_true(ct_copies_count(db, &copies, &err));
    assert_true(ct_custody_check(db, CT_S(""), &custody, &err));
    assert_false(ct_custody_check(db, ct_str_z(before.head), &custody, &err));
    assert_int_equal(bags + holds + (int)copies + (int)mark + (int)custody.rows, 0);
    ct_db_close(db);

    db = must_open();
    assert_false(ct_db_is_new(db));
    end(db, 1, "complete");
    assert_true(ct_ledger_check(db, ct_str_z(before.head), &after, &err));
    assert_int_equal(after.rows, 3);
    assert_true(ct_custody_enter(db, &(ct_custody){.act = CT_ACT_FIND}, &err));
    assert_true(ct_custody_check(db, CT_S(""), &custody, &err));
    assert_int_equal(custody.rows, 1);
    ct_db_close(db);
}

static void newer_database(void **state)
{
    ct_err err = {0};

    (void)state;
    ct_db_close(must_open());
    assert_int_equal(tamper("PRAGMA user_version=999"), SQLITE_OK);
    assert_null(ct_db_open("ledger.db", &err));
    assert_string_equal(err.text, "the database of a newer version of this program");
    assert_null(ct_db_open_readonly("ledger.db", &err));
}

static void odd_names_are_files(void **state)
{
    static const char *const names[] = {":memory:", "file:x?mode=memory"};
    ct_err err;

    (void)state;
    for (size_t i = 0; i < CT_LEN(names); i++) {
        ct_db *db = ct_db_open(names[i], &err);
        assert_non_null(db);
        ct_db_close(db);
        assert_int_equal(access(names[i], F_OK), 0);
    }
}

static void what_does_not_open(void **state)
{
    static const struct {
        const char *make; /* sh, or NULL: another program's database */
        bool readonly;
        ct_errkind kind;
    } cases[] = {
        {"true", true, CT_E_IO},
        {"mkdir ledger.db", false, CT_E_IO},
        {"echo 'this is no database, but a text that is longer than a header of 100 bytes would be,"
         " so that it is looked at' >ledger.db",
         false, CT_E_DATA},
        {NULL, false, CT_E_DATA},
        {": >ledger.db", true, CT_E_DATA},
    };

    (void)state;
    for (size_t i = 0; i < CT_LEN(cases); i++) {
        ct_err err = {0};
        ct_db *db;

        assert_int_equal(cases[i].make ? system(cases[i].make) : tamper("CREATE TABLE other(x)"),
                         0);
        db = cases[i].readonly ? ct_db_open_readonly("ledger.db", &err)
                               : ct_db_open("ledger.db", &err);
        assert_null(db);
        assert_int_equal(err.kind, cases[i].kind);
        assert_non_null(err.text);
        assert_int_equal(system("rm -rf ledger.db*"), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(whole_chain),
        IN_FOLDER(empty_ledger),
        IN_FOLDER(private_files),
        IN_FOLDER(tampering_is_seen),
        IN_FOLDER(guards_refuse),
        IN_FOLDER(known_head),
        IN_FOLDER(no_entry_behind_a_lost_tail),
        IN_FOLDER(no_disclosure_without_a_patient),
        IN_FOLDER(ended_once),
        IN_FOLDER(two_writers_one_chain),
        IN_FOLDER(made_by_many_at_once),
        IN_FOLDER(killed_writer),
        IN_FOLDER(accounting),
        IN_FOLDER(accounting_adds_up),
        IN_FOLDER(disclosures_without_an_end),
        IN_FOLDER(older_database),
        IN_FOLDER(newer_database),
        IN_FOLDER(odd_names_are_files),
        IN_FOLDER(what_does_not_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
