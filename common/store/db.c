/* Opening the database: a private file, our schema, durable settings. */
#include "common/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BUSY_MS = 30000 };

/* What is deleted, a key, is overwritten. */
static const char settings[] = "PRAGMA synchronous=FULL; PRAGMA fullfsync=ON;"
                               "PRAGMA secure_delete=ON; PRAGMA cache_size=-32768;";

/* SQLite gives special meaning to "", ":memory:" and "file:…"; behind "./" they are file names. */
static char *plain_path(const char *path)
{
    ct_buf b = {0};

    if (path[0] != '/')
        ct_buf_z(&b, "./");
    ct_buf_z(&b, path);
    ct_buf_c(&b, '\0');
    return b.p;
}

/* A database on a medium that is read only, as a backup is kept, has to be told so: SQLite would
 * make files beside it. Where a writer left a log beside it that log must be read. */
static bool is_still(const char *file)
{
    ct_buf log = {0};
    bool still;

    ct_buf_printf(&log, "%s-wal", file);
    ct_buf_c(&log, '\0');
    still = access(file, W_OK) != 0 && errno == EROFS && access(log.p, F_OK) != 0;
    ct_buf_free(&log);
    return still;
}

/* As a URI by which SQLite takes the file as unchangeable. */
static char *still_uri(const char *file)
{
    ct_buf b = {0};

    ct_buf_z(&b, "file:");
    for (const char *p = file; *p; p++)
        if (strchr("%?#", *p))
            ct_buf_printf(&b, "%%%02x", (unsigned)(unsigned char)*p);
        else
            ct_buf_c(&b, *p);
    ct_buf_z(&b, "?immutable=1");
    ct_buf_c(&b, '\0');
    return b.p;
}

static int open_file(ct_db *db, const char *path, int flags)
{
    char *file = plain_path(path);
    bool still = (flags & SQLITE_OPEN_READONLY) && is_still(file);
    char *name = still ? still_uri(file) : file;
    int rc = sqlite3_open_v2(name, &db->sql,
                             flags | SQLITE_OPEN_NOMUTEX | (still ? SQLITE_OPEN_URI : 0), NULL);

    if (still)
        free(name);
    free(file);
    return rc;
}

static ct_db *connect(const char *path, int flags, ct_err *err)
{
    ct_db *db = ct_calloc(1, sizeof *db);
    int rc = open_file(db, path, flags);

    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(db->sql, BUSY_MS);
    /* The file may come from anywhere: its schema must not run functions with side effects. */
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(db->sql, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (rc == SQLITE_OK)
        return db;
    ct_db_fail(rc, err);
    ct_db_close(db);
    return NULL;
}

/* Is it ours, or new: our schema is not in it yet? One transaction: somebody else may be making it
 * at this moment. */
static bool recognise(ct_db *db, ct_err *err)
{
    int64_t id, tables, ledger, version;

    if (!ct_db_exec(db, "BEGIN", err) || !ct_db_number(db, "PRAGMA application_id", 0, &id, err) ||
        !ct_db_number(db, "SELECT count(*) FROM sqlite_schema", 0, &tables, err) ||
        !ct_db_number(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'ledger'", 0, &ledger,
                      err) ||
        !ct_db_number(db, "PRAGMA user_version", 0, &version, err) ||
        !ct_db_exec(db, "COMMIT", err))
        return false;
    if (id != CT_APPLICATION_ID && (id != 0 || tables != 0))
        return ct_fail(err, CT_E_DATA, "the database of another program");
    if (version > CT_SCHEMA_VERSION)
        return ct_fail(err, CT_E_DATA, "the database of a newer version of this program");
    db->is_new = ledger == 0;
    db->version = version;
    return true;
}

/* Changing to WAL needs the file for itself and does not use SQLite's busy handler. */
static bool set_wal(ct_db *db, ct_err *err)
{
    const struct timespec pause = {0, 10 * 1000 * 1000};
    int rc = SQLITE_BUSY;

    for (int waited = 0; rc == SQLITE_BUSY && waited < BUSY_MS; waited += 10) {
        rc = sqlite3_exec(db->sql, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
        if (rc == SQLITE_BUSY)
            nanosleep(&pause, NULL);
    }
    return rc == SQLITE_OK || ct_db_fail(rc, err);
}

/* What SQLite says of a folder or a device helps nobody. */
static bool is_file(const char *path, ct_err *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return ct_fail_sys(err, errno, "cannot open the database");
    return S_ISREG(st.st_mode) || ct_fail(err, CT_E_IO, "not a regular file");
}

static bool create_private(const char *path, ct_err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 && errno == EEXIST)
        return is_file(path, err);
    if (fd < 0)
        return ct_fail_sys(err, errno, "cannot make the database");
    return close(fd) == 0 || ct_fail_sys(err, errno, "cannot make the database");
}

ct_db *ct_db_open(const char *path, ct_err *err)
{
    ct_db *db;

    if (!create_private(path, err))
        return NULL;
    db = connect(path, SQLITE_OPEN_READWRITE, err);
    if (!db)
        return NULL;
    /* SQLite falls back to reading by itself where a file may not be written. */
    if (sqlite3_db_readonly(db->sql, "main") != 0)
        ct_db_fail(SQLITE_READONLY, err);
    else if (recognise(db, err) && set_wal(db, err) && ct_db_exec(db, settings, err) &&
             (db->version == CT_SCHEMA_VERSION || ct_schema_make(db, err)))
        return db;
    ct_db_close(db);
    return NULL;
}

bool ct_db_is_new(const ct_db *db)
{
    return db->is_new;
}

/* Where an older database may not be changed, what it lacks is empty. */
static bool stand_in(ct_db *db, ct_err *err)
{
    return db->version == CT_SCHEMA_VERSION || ct_db_is_old(db) ||
           ct_db_exec(db,
                      "CREATE TEMP TABLE also (chart, patient);"
                      "CREATE TEMP TABLE linked (patient, other)",
                      err);
}

ct_db *ct_db_open_readonly(const char *path, ct_err *err)
{
    ct_db *db;

    if (!is_file(path, err))
        return NULL;
    db = connect(path, SQLITE_OPEN_READONLY, err);
    if (!db)
        return NULL;
    if (recognise(db, err)) {
        if (db->is_new)
            ct_fail(err, CT_E_DATA, "there is no ledger in it");
        else if (stand_in(db, err))
            return db;
    }
    ct_db_close(db);
    return NULL;
}

void ct_db_close(ct_db *db)
{
    if (!db)
        return;
    for (int i = 0; i < CT_CHAINS; i++)
        sqlite3_finalize(db->tails[i].insert);
    sqlite3_finalize(db->add_chart);
    sqlite3_finalize(db->add_term);
    sqlite3_finalize(db->add_word);
    sqlite3_finalize(db->add_number);
    sqlite3_finalize(db->add_also);
    sqlite3_finalize(db->add_link);
    free(db->ends);
    ct_unicode_free(db->unicode);
    sqlite3_close(db->sql);
    free(db);
}
