/* The private database of a check: files, what manifests list, findings. */
#include "cmd/archive/check_state.h"

#include <stdlib.h>

static const char schema[] =
    "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-16384;"
    "PRAGMA locking_mode=EXCLUSIVE;"
    "CREATE TABLE file(path BLOB PRIMARY KEY, position INT, payload INT,"
    " d0 BLOB, d1 BLOB, d2 BLOB, d3 BLOB, d4 BLOB, d5 BLOB) WITHOUT ROWID;"
    "CREATE TABLE listed(path BLOB, manifest INT, line INT, digest BLOB,"
    " PRIMARY KEY(path, manifest)) WITHOUT ROWID;"
    "CREATE TABLE alias(key BLOB, path BLOB, PRIMARY KEY(key, path)) WITHOUT ROWID;"
    "CREATE TABLE fetch(path BLOB PRIMARY KEY, line INT) WITHOUT ROWID;"
    "CREATE TABLE finding(severity INT, place TEXT, line INT, reason TEXT, path BLOB);"
    "BEGIN";

bool bag_db_failed(bag_check *c)
{
    if (c->failed.kind == CT_OK)
        ct_fail_sys(&c->failed, sqlite3_system_errno(c->db), "cannot keep notes in $TMPDIR");
    return false;
}

bool bag_db_exec(bag_check *c, const char *sql)
{
    return sqlite3_exec(c->db, sql, NULL, NULL, NULL) == SQLITE_OK || bag_db_failed(c);
}

sqlite3_stmt *bag_db_prepare(bag_check *c, const char *sql)
{
    sqlite3_stmt *s = NULL;

    if (sqlite3_prepare_v2(c->db, sql, -1, &s, NULL) != SQLITE_OK)
        bag_db_failed(c);
    return s;
}

bool bag_db_run(bag_check *c, sqlite3_stmt *s, bool *clash)
{
    int r = sqlite3_step(s);

    sqlite3_reset(s);
    if (clash)
        *clash = r == SQLITE_CONSTRAINT;
    return r == SQLITE_DONE || (clash && *clash) || bag_db_failed(c);
}

void bag_db_bind(bag_check *c, sqlite3_stmt *s, int at, ct_str bytes)
{
    if (sqlite3_bind_blob64(s, at, bytes.p, bytes.n, SQLITE_TRANSIENT) != SQLITE_OK)
        bag_db_failed(c);
}

ct_str bag_db_bytes(sqlite3_stmt *s, int column)
{
    const char *p = sqlite3_column_blob(s, column);

    return (ct_str){p ? p : "", p ? (size_t)sqlite3_column_bytes(s, column) : 0};
}

bag_check *bag_check_new(ct_err *err)
{
    bag_check *c = ct_calloc(1, sizeof(*c));

    if (sqlite3_open("", &c->db) != SQLITE_OK)
        bag_db_failed(c);
    else if (bag_db_exec(c, schema)) {
        c->add_file = bag_db_prepare(c, "INSERT INTO file VALUES(?,?,?,?,?,?,?,?,?)");
        c->add_listed = bag_db_prepare(c, "INSERT INTO listed VALUES(?,?,?,?)");
        c->get_listed = bag_db_prepare(c, "SELECT digest FROM listed WHERE path=? AND manifest=?");
        c->add_fetch = bag_db_prepare(c, "INSERT INTO fetch VALUES(?,?)");
        c->add_alias = bag_db_prepare(c, "INSERT OR IGNORE INTO alias VALUES(?,?)");
        c->add_finding = bag_db_prepare(c, "INSERT INTO finding VALUES(?,?,?,?,?)");
    }
    if (c->failed.kind == CT_OK)
        return c;
    if (err)
        *err = c->failed;
    bag_check_free(c);
    return NULL;
}

void bag_check_free(bag_check *c)
{
    if (!c)
        return;
    sqlite3_finalize(c->add_file);
    sqlite3_finalize(c->add_listed);
    sqlite3_finalize(c->get_listed);
    sqlite3_finalize(c->add_fetch);
    sqlite3_finalize(c->add_finding);
    sqlite3_finalize(c->add_alias);
    sqlite3_close(c->db);
    ct_buf_free(&c->lines.part);
    ct_unicode_free(c->unicode);
    ct_buf_free(&c->text);
    ct_buf_free(&c->field);
    free(c);
}

void bag_check_note(bag_check *c, bag_severity severity, const char *where, uint64_t line,
                    const char *reason, ct_str path)
{
    sqlite3_bind_int(c->add_finding, 1, severity);
    sqlite3_bind_text(c->add_finding, 2, where, -1, SQLITE_STATIC);
    sqlite3_bind_int64(c->add_finding, 3, (sqlite3_int64)line);
    sqlite3_bind_text(c->add_finding, 4, reason, -1, SQLITE_STATIC);
    bag_db_bind(c, c->add_finding, 5, path);
    bag_db_run(c, c->add_finding, NULL);
}

void bag_db_note_rows(bag_check *c, const char *sql, int manifest, bag_severity severity,
                      const char *where, const char *reason)
{
    sqlite3_stmt *s = bag_db_prepare(c, sql);

    if (!s)
        return;
    sqlite3_bind_int(s, 1, manifest);
    while (sqlite3_step(s) == SQLITE_ROW)
        bag_check_note(c, severity, where, (uint64_t)sqlite3_column_int64(s, 0), reason,
                       bag_db_bytes(s, 1));
    if (sqlite3_finalize(s) != SQLITE_OK && c->failed.kind == CT_OK)
        ct_fail(&c->failed, CT_E_IO, "cannot read notes in $TMPDIR");
}

void bag_check_payload(bag_check *c)
{
    c->payload = true;
}

static void note_profile(void *check, const char *where, uint64_t line, const char *reason,
                         ct_str path)
{
    bag_check_note(check, BAG_PROFILE, where, line, reason, path);
}

void bag_check_profile(bag_check *c, bag_profile *profile, const char *path, bool folder)
{
    c->profile = profile;
    c->path = path;
    c->folder = folder;
    bag_profile_start(profile, note_profile, c);
}

void bag_check_to_unpack(bag_check *c)
{
    c->to_unpack = true;
}

void bag_check_broken(bag_check *c, const char *reason)
{
    c->broken = true;
    bag_check_note(c, BAG_INVALID, "container", 0, reason, (ct_str){"", 0});
}

static bool is_chart(ct_str path)
{
    return ct_str_starts(path, CT_S("data/charts/")) && ct_str_ends(path, CT_S(".ndjson"));
}

void bag_check_file(void *check, const bag_file *file)
{
    bag_check *c = check;
    ct_str path = ct_buf_str(&file->path);
    bool payload = ct_str_starts(path, CT_S("data/")), clash;

    if (payload) {
        c->payload = true;
        c->summary.files++;
        c->summary.bytes += file->size;
        c->summary.charts += is_chart(path);
    }
    if (file->damaged)
        bag_check_note(c, BAG_INVALID, "file", file->position, "cannot be read to its end", path);
    bag_db_bind(c, c->add_file, 1, path);
    sqlite3_bind_int64(c->add_file, 2, (sqlite3_int64)file->position);
    sqlite3_bind_int(c->add_file, 3, payload);
    for (int i = 0; i < BAG_ALGS; i++) {
        ct_str digest = {(const char *)file->digest[i], bag_algorithms[i].len};

        if (file->damaged) /* said already */
            sqlite3_bind_null(c->add_file, 4 + i);
        else
            bag_db_bind(c, c->add_file, 4 + i, digest);
    }
    bag_db_run(c, c->add_file, &clash);
    if (clash)
        bag_check_note(c, BAG_INVALID, "file", file->position,
                       "the bag holds another file of the same name", path);
    bag_alias_add(c, path);
    if (c->profile)
        bag_profile_file(c->profile, path, file->position);
}

unsigned bag_check_algs(const bag_check *c)
{
    unsigned algs = 0;

    for (int i = 0; i < BAG_MANIFESTS; i++)
        if (c->manifests[i])
            algs |= 1U << i % BAG_ALGS;
    return algs;
}

uint64_t bag_check_copies(const bag_check *c)
{
    return c->copies;
}

bool bag_check_declared(const bag_check *c)
{
    return c->declared;
}

bool bag_check_whole(const bag_check *c)
{
    return !c->broken;
}

const char *bag_manifest_name(int manifest)
{
    static const char *const names[BAG_MANIFESTS] = {
        "manifest-md5.txt",       "manifest-sha1.txt",      "manifest-sha224.txt",
        "manifest-sha256.txt",    "manifest-sha384.txt",    "manifest-sha512.txt",
        "tagmanifest-md5.txt",    "tagmanifest-sha1.txt",   "tagmanifest-sha224.txt",
        "tagmanifest-sha256.txt", "tagmanifest-sha384.txt", "tagmanifest-sha512.txt",
    };

    return names[manifest];
}
