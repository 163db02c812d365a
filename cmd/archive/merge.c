/* Two bags held against each other: the notes of the check of the second are taken over into the
 * database of the first, which then tells what to take from where. */
#include "cmd/archive/merge.h"
#include "cmd/archive/check_state.h"
#include "cmd/archive/pass.h"
#include "cmd/archive/sink.h"
#include "common/fhir/fhir.h"
#include "common/stream/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 256 * 1024, TAG_MAX = 16 * 1024 * 1024, DAY = 24 * 60 * 60 };

#define DIGEST_OF(manifest)                                                                        \
    "CASE " manifest " % 6 WHEN 0 THEN f.d0 WHEN 1 THEN f.d1 WHEN 2 THEN f.d2 WHEN 3 THEN f.d3"    \
    " WHEN 4 THEN f.d4 ELSE f.d5 END"

typedef struct merge {
    bag_merge *what;
    bag_check *checks[2]; /* NULL where a bag cannot be read at all */
    bag_check *c;         /* with the notes of both */
    /* the files that are taken from one of the bags */
    int side;
    sqlite3_stmt *is_taken;
    bag_sink *stage;
    bool wanted; /* the current file is */
} merge;

/* ---- what there is ---- */

static void nobody(void *ctx, const bag_finding *f)
{
    (void)ctx;
    (void)f;
}

static bool run_pass(merge *m, int side, bag_viewer viewer, bag_check **check, ct_err *err)
{
    bag_pass pass = {.path = m->what->bags[side], .jobs = m->what->jobs, .viewer = viewer};

    *check = bag_pass_run(&pass, err);
    ct_buf_free(&pass.base);
    return *check != NULL;
}

/* A bag that is damaged beyond being one has no files. */
static bool look(merge *m, int side, ct_err *err)
{
    bag_summary summary;
    ct_err e = {0};

    if (!run_pass(m, side, (bag_viewer){.ctx = NULL}, &m->checks[side], &e)) {
        if (e.kind != CT_E_DATA && err)
            *err = e;
        return e.kind == CT_E_DATA;
    }
    return bag_check_end(m->checks[side], false, nobody, NULL, &summary, err);
}

/* ---- in one database ---- */

static bool exec(merge *m, const char *sql, ct_err *err)
{
    if (bag_db_exec(m->c, sql))
        return true;
    *err = m->c->failed;
    return false;
}

static bool take_rows(merge *m, int side, const char *from, const char *to, ct_err *err)
{
    sqlite3_stmt *get = bag_db_prepare(m->checks[side], from), *put = bag_db_prepare(m->c, to);
    bool ok = get && put;
    int r = SQLITE_DONE;

    while (ok && (r = sqlite3_step(get)) == SQLITE_ROW) {
        sqlite3_bind_int(put, 1, side);
        for (int i = 0; i < sqlite3_column_count(get); i++)
            sqlite3_bind_value(put, i + 2, sqlite3_column_value(get, i));
        ok = bag_db_run(m->c, put, NULL);
    }
    sqlite3_finalize(get);
    sqlite3_finalize(put);
    return (ok && r == SQLITE_DONE) || ct_fail(err, CT_E_IO, "cannot keep notes in $TMPDIR");
}

static bool gather(merge *m, ct_err *err)
{
    bool ok = exec(m,
                   "CREATE TABLE have(side INT, path BLOB, position INT, payload INT, d0 BLOB,"
                   " d1 BLOB, d2 BLOB, d3 BLOB, d4 BLOB, d5 BLOB, PRIMARY KEY(side, path))"
                   " WITHOUT ROWID;"
                   "CREATE TABLE asked(side INT, path BLOB, manifest INT, line INT, digest BLOB,"
                   " PRIMARY KEY(side, manifest, path)) WITHOUT ROWID;"
                   "CREATE TABLE need(path BLOB, manifest INT, line INT, digest BLOB,"
                   " PRIMARY KEY(path, manifest)) WITHOUT ROWID;"
                   "CREATE TABLE take(path BLOB PRIMARY KEY, side INT, rank INT, place INT)"
                   " WITHOUT ROWID",
                   err);

    for (int side = 0; ok && side < 2; side++)
        ok = !m->checks[side] ||
             (take_rows(m, side, "SELECT path, position, payload, d0, d1, d2, d3, d4, d5 FROM file",
                        "INSERT INTO have VALUES(?,?,?,?,?,?,?,?,?,?)", err) &&
              take_rows(m, side, "SELECT path, manifest, line, digest FROM listed",
                        "INSERT INTO asked VALUES(?,?,?,?,?)", err));
    return ok;
}

/* ---- what is needed, and who has it ---- */

static int64_t number(merge *m, const char *sql, int64_t a, ct_str b)
{
    sqlite3_stmt *s = bag_db_prepare(m->c, sql);
    int64_t n = -1;

    if (!s)
        return -1;
    sqlite3_bind_int64(s, 1, a);
    if (b.p)
        bag_db_bind(m->c, s, 2, b);
    if (sqlite3_step(s) == SQLITE_ROW)
        n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return n;
}

/* The bag whose copy of a payload manifest has the checksums that are needed; -1 for none. */
static int manifest_side(merge *m, ct_str name)
{
    return (int)number(m,
                       "SELECT side FROM have f WHERE path = ?2 AND ?1 = 0 AND NOT EXISTS (SELECT 1"
                       " FROM need n WHERE n.path = f.path AND n.digest IS NOT " DIGEST_OF(
                           "n.manifest") ") ORDER BY side LIMIT 1",
                       0, name);
}

static bool need_rows(merge *m, int side, int manifest)
{
    sqlite3_stmt *s = bag_db_prepare(
        m->c, "INSERT OR IGNORE INTO need SELECT path, manifest, line, digest FROM asked"
              " WHERE side = ?1 AND manifest = ?2");
    bool ok = s != NULL;

    if (ok) {
        sqlite3_bind_int(s, 1, side);
        sqlite3_bind_int(s, 2, manifest);
        ok = bag_db_run(m->c, s, NULL);
    }
    sqlite3_finalize(s);
    return ok;
}

/* The checksums that the tag manifests of one bag lead to. False where a manifest is right in
 * neither bag, or there is none. */
static bool need_by(merge *m, int side)
{
    bool any = false;

    for (int t = BAG_ALGS; t < BAG_MANIFESTS; t++)
        if (!need_rows(m, side, t))
            return false;
    for (int p = 0; p < BAG_ALGS; p++) {
        ct_str name = ct_str_z(bag_manifest_name(p));
        bool has = number(m, "SELECT count(*) FROM have WHERE side = ?1 AND path = ?2", side,
                          name) > 0,
             listed =
                 number(m, "SELECT count(*) FROM need WHERE ?1 = 0 AND path = ?2", 0, name) > 0;
        int from = has || listed ? manifest_side(m, name) : -1;

        if ((has || listed) && (from < 0 || !need_rows(m, from, p)))
            return false;
        any |= from >= 0;
    }
    return any;
}

/* What no manifest lists comes from the bag that leads. */
static const char take_sql[] =
    "INSERT INTO take SELECT path, min(side), CASE WHEN path = CAST('bagit.txt' AS BLOB) THEN 0"
    " WHEN payload THEN 1 ELSE 2 END, 0 FROM have f WHERE path IN (SELECT path FROM need)"
    " AND NOT EXISTS (SELECT 1 FROM need n WHERE n.path = f.path AND n.digest IS NOT " DIGEST_OF(
        "n.manifest") ") GROUP BY path;"
                      "INSERT OR IGNORE INTO take SELECT path, side, 3, 0 FROM have"
                      " WHERE NOT payload AND path NOT IN (SELECT path FROM need)"
                      " AND side = (SELECT v FROM leader);"
                      "UPDATE take SET place = coalesce((SELECT position FROM have h WHERE"
                      " h.path = take.path AND h.side = take.side), 0)";

static bool has_tag_manifest(merge *m, int side)
{
    return number(m, "SELECT count(*) FROM asked WHERE side = ?1 AND manifest >= 6", side,
                  (ct_str){NULL, 0}) > 0;
}

/* One without tag manifests cannot say whether its manifests are right. */
static bool may_lead(merge *m, int side)
{
    return m->checks[side] && (has_tag_manifest(m, side) || !has_tag_manifest(m, 1 - side));
}

static bool lead(merge *m, int side, ct_err *err)
{
    char sql[160];

    snprintf(sql, sizeof(sql),
             "DELETE FROM need; DELETE FROM take; DROP TABLE IF EXISTS leader;"
             "CREATE TABLE leader(v INT); INSERT INTO leader VALUES(%d)",
             side);
    if (!exec(m, sql, err) || !need_by(m, side) || !exec(m, take_sql, err))
        return false;
    m->what->missing =
        (uint64_t)number(m,
                         "SELECT count(DISTINCT path) FROM need WHERE ?1 = 0 AND path NOT IN"
                         " (SELECT path FROM take)",
                         0, (ct_str){NULL, 0});
    return m->what->missing == 0;
}

/* A checksum of one kind was taken of both, and is the same; one that was not taken is all zero. */
#define SAME                                                                                       \
    "((a.d0 = b.d0 AND a.d0 <> zeroblob(16)) OR (a.d1 = b.d1 AND a.d1 <> zeroblob(20))"            \
    " OR (a.d2 = b.d2 AND a.d2 <> zeroblob(28)) OR (a.d3 = b.d3 AND a.d3 <> zeroblob(32))"         \
    " OR (a.d4 = b.d4 AND a.d4 <> zeroblob(48)) OR (a.d5 = b.d5 AND a.d5 <> zeroblob(64)))"

/* A copy of another bag would bring other records: the same manifest is in both, or, where none of
 * the damaged bag's can be read, more than half of its payload is in the copy. */
static bool related(merge *m)
{
    static const char manifests[] =
        "SELECT count(*) FROM have a JOIN have b ON a.path = b.path AND a.side = ?1 AND b.side = 1"
        " AND " SAME " WHERE CAST(a.path AS TEXT) GLOB '*manifest-*.txt' AND NOT a.payload";
    static const char payload[] =
        "SELECT count(*) FROM have a JOIN have b ON a.path = b.path AND a.side = ?1 AND b.side = 1"
        " AND " SAME " WHERE a.payload";
    ct_str none = {NULL, 0};
    int64_t all = number(m, "SELECT count(*) FROM have WHERE payload AND side = ?1", 0, none);

    return number(m, manifests, 0, none) > 0 || 2 * number(m, payload, 0, none) > all;
}

/* ---- the files, into a folder ---- */

static bool taken_begin(void *ctx, ct_str path, ct_err *err)
{
    merge *m = ctx;
    ct_buf z = {0};
    bool ok = true;

    bag_db_bind(m->c, m->is_taken, 1, path);
    sqlite3_bind_int(m->is_taken, 2, m->side);
    m->wanted = sqlite3_step(m->is_taken) == SQLITE_ROW;
    sqlite3_reset(m->is_taken);
    if (m->wanted) {
        ct_buf_put(&z, path);
        ct_buf_c(&z, '\0');
        ok = bag_sink_begin(m->stage, z.p, 0, err);
        ct_buf_free(&z);
    }
    return ok;
}

static bool taken_bytes(void *ctx, ct_str bytes, ct_err *err)
{
    merge *m = ctx;

    return !m->wanted || bag_sink_put(m->stage, bytes, err);
}

static bool taken_end(void *ctx, bool damaged, ct_err *err)
{
    merge *m = ctx;

    (void)damaged;
    return !m->wanted || bag_sink_end(m->stage, err);
}

static bool stage_side(merge *m, int side, ct_err *err)
{
    bag_viewer viewer = {.begin = taken_begin, .bytes = taken_bytes, .end = taken_end, .ctx = m};
    bag_check *again = NULL;
    bool ok;

    m->side = side;
    ok = run_pass(m, side, viewer, &again, err);
    bag_check_free(again);
    return ok;
}

static bool stage(merge *m, const char *folder, ct_err *err)
{
    bag_packing_opts opts = {.mtime = BAG_NO_DATE, .jobs = m->what->jobs};
    bool ok;

    m->is_taken = bag_db_prepare(m->c, "SELECT 1 FROM take WHERE path = ? AND side = ?");
    m->stage = bag_sink_open(folder, &opts, err);
    ok = m->stage && m->is_taken && bag_sink_folder(m->stage, "data", err);
    for (int side = 0; ok && side < 2; side++)
        ok = !m->checks[side] || stage_side(m, side, err);
    sqlite3_finalize(m->is_taken);
    if (ok)
        return bag_sink_close(m->stage, err);
    bag_sink_abandon(m->stage);
    return false;
}

/* ---- the folder, into a container ---- */

/* Files are dated as create does. */
static int64_t bagging_date(const char *folder)
{
    ct_buf path = {0}, text = {0};
    ct_str rest, line;
    ct_date date = {0};
    int64_t days = 0;

    ct_buf_printf(&path, "%sbag-info.txt", folder);
    ct_buf_c(&path, '\0');
    if (ct_slurp(path.p, TAG_MAX, &text, NULL)) {
        rest = ct_buf_str(&text);
        while (rest.p && (line = ct_str_cut(&rest, '\n'), true)) {
            ct_str value = line, key = ct_str_cut(&value, ':');

            if (ct_str_is(key, "Bagging-Date") && value.p &&
                ct_date_parse(ct_str_trim(value), &date))
                days = ct_date_days(&date);
        }
    }
    ct_buf_free(&path);
    ct_buf_free(&text);
    return days * DAY;
}

static bool pack_file(bag_sink *to, int root, const char *path, char *chunk, ct_err *err)
{
    int fd = openat(root, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    ssize_t n = 1;
    bool ok = fd >= 0 && fstat(fd, &st) == 0;

    if (!ok)
        ct_fail_sys(err, errno, "cannot read what was put together");
    ok = ok && bag_sink_begin(to, path, (uint64_t)st.st_size, err);
    while (ok && n > 0) {
        n = read(fd, chunk, CHUNK);
        if (n < 0 && errno != EINTR)
            ok = ct_fail_sys(err, errno, "cannot read what was put together");
        else if (n > 0)
            ok = bag_sink_put(to, (ct_str){chunk, (size_t)n}, err);
        n = n < 0 ? 1 : n;
    }
    if (fd >= 0)
        close(fd);
    return ok && bag_sink_end(to, err);
}

/* In the order of create, as far as the bags have it. */
static bool pack_files(merge *m, bag_sink *to, int root, ct_err *err)
{
    sqlite3_stmt *s = bag_db_prepare(m->c, "SELECT path FROM take ORDER BY min(rank, 2),"
                                           " place, path");
    char *chunk = ct_alloc(CHUNK);
    bool ok = s != NULL, folder = false;

    while (ok && sqlite3_step(s) == SQLITE_ROW) {
        ct_buf path = {0};

        ct_buf_put(&path, bag_db_bytes(s, 0));
        ct_buf_c(&path, '\0');
        ok = pack_file(to, root, path.p, chunk, err);
        ct_buf_free(&path);
        if (ok && !folder)
            ok = bag_sink_folder(to, "data", err);
        folder = true;
    }
    free(chunk);
    if (s && sqlite3_finalize(s) != SQLITE_OK && ok)
        ok = ct_fail(err, CT_E_IO, "cannot read notes in $TMPDIR");
    return ok;
}

static bool pack(merge *m, const char *folder, ct_err *err)
{
    bag_packing_opts opts = {.mtime = bagging_date(folder), .jobs = m->what->jobs};
    bag_sink *to = bag_sink_open(m->what->out, &opts, err);
    int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = to && root >= 0;

    if (to && root < 0)
        ct_fail_sys(err, errno, "cannot read what was put together");
    ok = ok && pack_files(m, to, root, err);
    if (root >= 0)
        close(root);
    if (ok)
        return bag_sink_close(to, err);
    bag_sink_abandon(to);
    return false;
}

/* ---- the whole ---- */

static bool put_together(merge *m, ct_err *err)
{
    bag_packing packing;
    ct_str base;
    ct_buf folder = {0};
    bool ok;

    if (!bag_packing_of(m->what->out, &packing, &base))
        return ct_fail(err, CT_E_USAGE, "its name does not tell how it is packed");
    if (packing == BAG_FOLDER)
        return stage(m, m->what->out, err);
    ct_buf_printf(&folder, "%s/files/", m->what->place);
    ct_buf_c(&folder, '\0');
    ok = stage(m, folder.p, err) && pack(m, folder.p, err);
    ct_buf_free(&folder);
    return ok;
}

static bool compare(merge *m, ct_err *err)
{
    m->c = m->checks[0] ? m->checks[0] : m->checks[1];
    if (!m->c)
        return ct_fail(err, CT_E_DATA, "neither the bag nor the copy can be read");
    if (!gather(m, err))
        return false;
    if (!related(m))
        return ct_fail(err, CT_E_DATA, "nothing tells that the copy is one of this bag");
    for (int side = 0; side < 2; side++)
        if (may_lead(m, side) && lead(m, side, err))
            return put_together(m, err);
    if (err->kind != CT_OK)
        return false;
    return ct_fail(err, CT_E_DATA, "some files are right in neither the bag nor the copy");
}

bool bag_merge_run(bag_merge *what, ct_err *err)
{
    merge m = {.what = what};
    bool ok = look(&m, 0, err) && look(&m, 1, err) && compare(&m, err);

    bag_check_free(m.checks[0]);
    bag_check_free(m.checks[1]);
    return ok;
}
