/* Notes in a database of their own: a kill at any moment leaves those of about a second ago. */
#include "cmd/archive/resume.h"

#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { APPLICATION_ID = 0x43484e4f /* "CHNO" */ };

struct bag_resume {
    sqlite3 *db;
    sqlite3_stmt *get, *put;
    char *path;
    time_t saved;
    ct_err failed;
};

static bool failed(bag_resume *r)
{
    if (r->failed.kind == CT_OK)
        ct_fail_sys(&r->failed, sqlite3_system_errno(r->db), "cannot keep the notes to go on by");
    return false;
}

static bool run(bag_resume *r, const char *sql)
{
    return sqlite3_exec(r->db, sql, NULL, NULL, NULL) == SQLITE_OK || failed(r);
}

/* What the bag is by now. */
static bool put_mark(ct_buf *b, const char *bag, unsigned algs, ct_err *err)
{
    struct stat st;

    if (stat(bag, &st) != 0)
        return ct_fail_sys(err, errno, "cannot open");
    ct_buf_printf(b, "%u %" PRIu64 " %" PRIu64, algs, (uint64_t)st.st_dev, (uint64_t)st.st_ino);
    if (!S_ISDIR(st.st_mode))
        ct_buf_printf(b, " %" PRIu64 " %" PRId64 ".%09ld", (uint64_t)st.st_size,
                      (int64_t)st.st_mtim.tv_sec, (long)st.st_mtim.tv_nsec);
    return true;
}

static int64_t number(bag_resume *r, const char *sql)
{
    sqlite3_stmt *s = NULL;
    int64_t n = -1;

    if (sqlite3_prepare_v2(r->db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return n;
}

/* An empty file is new. */
static bool is_ours(bag_resume *r, ct_err *err)
{
    int64_t id = number(r, "PRAGMA application_id"),
            tables = number(r, "SELECT count(*) FROM sqlite_schema");

    return id == APPLICATION_ID || (id == 0 && tables == 0) ||
           ct_fail(err, CT_E_USAGE, "holds no notes of a check, and is not overwritten");
}

/* Begins anew unless the notes are of this bag. */
static bool take_up(bag_resume *r, ct_str mark)
{
    sqlite3_stmt *s = NULL;
    bool same = false;

    if (!run(r, "CREATE TABLE IF NOT EXISTS bag(mark TEXT);"
                "CREATE TABLE IF NOT EXISTS done(path BLOB, position INT, size INT, digests BLOB,"
                " PRIMARY KEY(path, position)) WITHOUT ROWID; BEGIN"))
        return false;
    if (sqlite3_prepare_v2(r->db, "SELECT 1 FROM bag WHERE mark = ?", -1, &s, NULL) == SQLITE_OK) {
        sqlite3_bind_text(s, 1, mark.p, (int)mark.n, SQLITE_STATIC);
        same = sqlite3_step(s) == SQLITE_ROW;
    }
    sqlite3_finalize(s);
    if (same)
        return true;
    if (!run(r, "DELETE FROM bag; DELETE FROM done") ||
        sqlite3_prepare_v2(r->db, "INSERT INTO bag VALUES(?)", -1, &s, NULL) != SQLITE_OK)
        return failed(r);
    sqlite3_bind_text(s, 1, mark.p, (int)mark.n, SQLITE_STATIC);
    same = sqlite3_step(s) == SQLITE_DONE;
    sqlite3_finalize(s);
    return same || failed(r);
}

static bool begin(bag_resume *r, ct_str mark, ct_err *err)
{
    char pragma[64];

    if (sqlite3_open(r->path, &r->db) != SQLITE_OK)
        return failed(r);
    if (!is_ours(r, err))
        return false;
    snprintf(pragma, sizeof(pragma), "PRAGMA application_id=%d", APPLICATION_ID);
    if (!run(r, pragma) || !run(r, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL") ||
        !take_up(r, mark))
        return false;
    return (sqlite3_prepare_v2(r->db, "SELECT size, digests FROM done WHERE path=? AND position=?",
                               -1, &r->get, NULL) == SQLITE_OK &&
            sqlite3_prepare_v2(r->db, "INSERT OR REPLACE INTO done VALUES(?,?,?,?)", -1, &r->put,
                               NULL) == SQLITE_OK) ||
           failed(r);
}

bag_resume *bag_resume_open(const char *path, const char *bag, unsigned algs, ct_err *err)
{
    bag_resume *r = ct_calloc(1, sizeof(*r));
    ct_buf b = {0}, mark = {0};
    bool ok;

    ct_buf_printf(&b, "%s%s", path[0] == '/' ? "" : "./", path);
    ct_buf_c(&b, '\0');
    r->path = b.p;
    ok = put_mark(&mark, bag, algs, err) && begin(r, ct_buf_str(&mark), err);
    ct_buf_free(&mark);
    if (ok)
        return r;
    if (r->failed.kind != CT_OK)
        *err = r->failed;
    err->file = path;
    (void)!bag_resume_close(r, false, NULL);
    return NULL;
}

bool bag_resume_get(bag_resume *r, ct_str path, uint64_t position, bag_file *file)
{
    ct_str digests;
    bool found;

    sqlite3_bind_blob64(r->get, 1, path.p, path.n, SQLITE_TRANSIENT);
    sqlite3_bind_int64(r->get, 2, (sqlite3_int64)position);
    found = sqlite3_step(r->get) == SQLITE_ROW;
    if (found) {
        digests.p = sqlite3_column_blob(r->get, 1);
        digests.n = (size_t)sqlite3_column_bytes(r->get, 1);
        found = digests.n == sizeof(file->digest);
        file->size = (uint64_t)sqlite3_column_int64(r->get, 0);
        if (found)
            memcpy(file->digest, digests.p, sizeof(file->digest));
    }
    sqlite3_reset(r->get);
    return found;
}

void bag_resume_put(bag_resume *r, const bag_file *file)
{
    time_t now = time(NULL);

    if (file->damaged || r->failed.kind != CT_OK)
        return;
    sqlite3_bind_blob64(r->put, 1, file->path.p, file->path.n, SQLITE_TRANSIENT);
    sqlite3_bind_int64(r->put, 2, (sqlite3_int64)file->position);
    sqlite3_bind_int64(r->put, 3, (sqlite3_int64)file->size);
    sqlite3_bind_blob(r->put, 4, file->digest, sizeof(file->digest), SQLITE_TRANSIENT);
    if (sqlite3_step(r->put) != SQLITE_DONE)
        failed(r);
    sqlite3_reset(r->put);
    if (now != r->saved && run(r, "COMMIT; BEGIN"))
        r->saved = now;
}

bool bag_resume_close(bag_resume *r, bool done, ct_err *err)
{
    bool ok;

    if (!r)
        return true;
    if (r->put)
        run(r, "COMMIT");
    sqlite3_finalize(r->get);
    sqlite3_finalize(r->put);
    sqlite3_close(r->db);
    if (done && unlink(r->path) != 0)
        ct_fail_sys(&r->failed, errno, "cannot remove the notes");
    ok = r->failed.kind == CT_OK;
    if (!ok && err)
        *err = r->failed;
    free(r->path);
    free(r);
    return ok;
}
