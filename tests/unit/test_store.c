/* The ledger: one chain whatever happens, and whatever is done to it afterwards is seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/store/store.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Each test works in a folder of its own, which is the current one. */
static int enter_folder(void **state)
{
    char *name = strdup("/tmp/test_store.XXXXXX");

    *state = name;
    return name && mkdtemp(name) && chdir(name) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
    ct_buf command = {0};
    int rc;

    ct_buf_printf(&command, "rm -rf '%s'", (char *)*state);
    ct_buf_c(&command, '\0');
    rc = chdir("/") == 0 ? system(command.p) : -1;
    ct_buf_free(&command);
    free(*state);
    return rc;
}

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

/* ---- opening ---- */

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

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

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
        IN_FOLDER(odd_names_are_files),
        IN_FOLDER(what_does_not_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
