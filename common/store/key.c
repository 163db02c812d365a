/* Keys of encrypted bags, and their destruction: a key is gone when no file has its bytes. */
#include "common/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHUNK = 1024 * 1024 };

/* ---- putting and getting ---- */

bool ct_key_get(ct_db *db, ct_str bag, ct_buf *key, bool *found, ct_err *err)
{
    sqlite3_stmt *q;
    int rc;

    *found = false;
    if (ct_db_is_old(db))
        return true;
    if (!ct_db_query(db, "SELECT key FROM key WHERE bag = ?1", CT_ARGS(CT_TEXT(bag)), &q, err))
        return false;
    rc = sqlite3_step(q);
    *found = rc == SQLITE_ROW;
    if (*found)
        ct_buf_put(key, ct_db_text(q, 0));
    sqlite3_finalize(q);
    return rc == SQLITE_ROW || rc == SQLITE_DONE || ct_db_fail(rc, err);
}

static bool put(ct_db *db, ct_str bag, ct_str key, ct_err *err)
{
    ct_buf known = {0};
    char now[CT_NOW_MAX];
    bool found, same, ok = ct_key_get(db, bag, &known, &found, err);

    same = ok && found && ct_str_eq(ct_buf_str(&known), key);
    ct_buf_free(&known);
    if (!ok || same)
        return ok;
    if (found)
        return ct_fail(err, CT_E_USAGE, "the bag has another key already");
    return ct_db_now(now, err) &&
           ct_db_run(db, "INSERT INTO key VALUES (?1, ?2, ?3)",
                     CT_ARGS(CT_TEXT(bag), CT_TEXT(key), CT_TEXT(ct_str_z(now))), err) &&
           ct_custody_add(db, &(ct_custody){.act = CT_ACT_KEY, .bag = bag}, err);
}

bool ct_key_put(ct_db *db, ct_str bag, ct_str key, ct_err *err)
{
    if (!bag.n || !key.n)
        return ct_fail(err, CT_E_USAGE, "a key without a bag, or a bag without a key");
    return ct_db_write(db, err) && ct_db_settle(db, put(db, bag, key, err), err);
}

/* ---- shredding ---- */

/* Does a file hold either half of the key? (What is left of a page may be overwritten in part.) The
 * end of each chunk is looked at again with the next one. */
static bool file_has(const char *path, ct_str key, bool *has, ct_err *err)
{
    ct_str first = ct_str_head(key, key.n / 2), second = ct_str_from(key, key.n / 2);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *chunk;
    size_t kept = 0;
    ssize_t got = 1;

    *has = false;
    if (fd < 0)
        return errno == ENOENT || ct_fail_sys(err, errno, "cannot look for the key");
    chunk = ct_alloc(CHUNK + key.n);
    while (!*has && (got = read(fd, chunk + kept, CHUNK)) > 0) {
        ct_str bytes = {chunk, kept + (size_t)got};

        *has = ct_str_find(bytes, first) != SIZE_MAX || ct_str_find(bytes, second) != SIZE_MAX;
        kept = bytes.n < key.n ? bytes.n : key.n;
        memmove(chunk, chunk + bytes.n - kept, kept);
    }
    memset(chunk, 0, CHUNK + key.n);
    free(chunk);
    if (got < 0)
        ct_fail_sys(err, errno, "cannot look for the key");
    close(fd);
    return got >= 0;
}

static bool key_remains(ct_db *db, ct_str key, bool *remains, ct_err *err)
{
    const char *path = sqlite3_db_filename(db->sql, "main");
    ct_buf log = {0};
    bool ok;

    ct_buf_printf(&log, "%s-wal%c", path, 0);
    ok = file_has(path, key, remains, err) && (*remains || file_has(log.p, key, remains, err));
    ct_buf_free(&log);
    return ok;
}

/* Moves the log's pages into the database, and empties it. */
static bool empty_log(ct_db *db, ct_err *err)
{
    sqlite3_stmt *q;
    int rc;
    bool busy;

    if (!ct_db_prepare(db, "PRAGMA wal_checkpoint(TRUNCATE)", &q, err))
        return false;
    rc = sqlite3_step(q);
    busy = rc == SQLITE_ROW && sqlite3_column_int(q, 0) != 0;
    sqlite3_finalize(q);
    if (rc != SQLITE_ROW)
        return ct_db_fail(rc, err);
    return !busy ||
           ct_fail(err, CT_E_IO, "somebody reads the database: the key is still in its log");
}

static bool remove_key(ct_db *db, ct_str bag, ct_err *err)
{
    return ct_db_run(db, "DELETE FROM key WHERE bag = ?1", CT_ARGS(CT_TEXT(bag)), err) &&
           ct_custody_add(db, &(ct_custody){.act = CT_ACT_SHRED, .bag = bag}, err);
}

/* Writes the database anew: what pages kept of former rows is not copied. */
static bool rewrite(ct_db *db, ct_err *err)
{
    return ct_db_exec(db, "VACUUM", err) && empty_log(db, err);
}

static bool shred(ct_db *db, ct_str bag, ct_str key, ct_err *err)
{
    bool remains;

    if (!ct_db_write(db, err) || !ct_db_settle(db, remove_key(db, bag, err), err) ||
        !empty_log(db, err) || !key_remains(db, key, &remains, err))
        return false;
    if (remains && (!rewrite(db, err) || !key_remains(db, key, &remains, err)))
        return false;
    return !remains || ct_fail(err, CT_E_IO, "the key's bytes are still in the database");
}

bool ct_key_shred(ct_db *db, ct_str bag, ct_err *err)
{
    ct_buf key = {0};
    bool found, ok = ct_key_get(db, bag, &key, &found, err);

    if (ok)
        ok = found ? shred(db, bag, ct_buf_str(&key), err) : rewrite(db, err);
    if (key.p)
        memset(key.p, 0, key.cap);
    ct_buf_free(&key);
    return ok;
}
