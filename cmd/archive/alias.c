/* Files that are the same on some systems and not on others: names that differ in case or in how a
 * character is composed. */
#include "cmd/archive/check_state.h"

/* Is it the same however it is folded? Most names are, and cost nothing. */
static bool plain(ct_str path)
{
    for (size_t i = 0; i < path.n; i++)
        if ((path.p[i] >= 'A' && path.p[i] <= 'Z') || (path.p[i] & 0x80))
            return false;
    return true;
}

static void fold(bag_check *c, ct_str path, bool with_case, ct_buf *to)
{
    if (!c->unicode)
        c->unicode = ct_unicode_new();
    to->n = 0;
    ct_unicode_put(c->unicode, to, path, with_case ? CT_FOLD_CASE : CT_FOLD_NOTHING);
}

void bag_alias_add(bag_check *c, ct_str path)
{
    ct_buf key = {0};

    if (plain(path))
        return;
    fold(c, path, true, &key);
    bag_db_bind(c, c->add_alias, 1, ct_buf_str(&key));
    bag_db_bind(c, c->add_alias, 2, path);
    bag_db_run(c, c->add_alias, NULL);
    ct_buf_free(&key);
}

static bool same_composed(bag_check *c, ct_str a, ct_str b)
{
    ct_buf x = {0}, y = {0};
    bool same;

    fold(c, a, false, &x);
    fold(c, b, false, &y);
    same = ct_str_eq(ct_buf_str(&x), ct_buf_str(&y));
    ct_buf_free(&x);
    ct_buf_free(&y);
    return same;
}

/* Finds the file that a listed path means when its characters are composed in another way. */
static bool find_alias(bag_check *c, sqlite3_stmt *find, ct_str path, ct_buf *file)
{
    ct_buf key = {0};
    bool found = false;

    fold(c, path, true, &key);
    bag_db_bind(c, find, 1, ct_buf_str(&key));
    while (!found && sqlite3_step(find) == SQLITE_ROW) {
        file->n = 0;
        ct_buf_put(file, bag_db_bytes(find, 0));
        found = same_composed(c, path, ct_buf_str(file));
    }
    sqlite3_reset(find);
    ct_buf_free(&key);
    return found;
}

/* Lets the line stand for the file that it means; a line that names it rightly goes before. */
static void adopt(bag_check *c, sqlite3_stmt *adopter, sqlite3_stmt *lost, ct_str file)
{
    bag_check_note(c, BAG_WARNING, bag_manifest_name(sqlite3_column_int(lost, 1)),
                   (uint64_t)sqlite3_column_int64(lost, 2),
                   "the file's name is in another Unicode normalization", bag_db_bytes(lost, 0));
    bag_db_bind(c, adopter, 1, file);
    bag_db_bind(c, adopter, 2, bag_db_bytes(lost, 0));
    sqlite3_bind_int(adopter, 3, sqlite3_column_int(lost, 1));
    bag_db_run(c, adopter, NULL);
}

bool bag_alias_resolve(bag_check *c)
{
    sqlite3_stmt *lost, *find, *adopter;
    ct_buf file = {0};

    if (!c->foreign)
        return true;
    if (!bag_db_exec(c, "CREATE TABLE lost AS SELECT path, manifest, line FROM listed"
                        " WHERE path NOT IN (SELECT path FROM file) ORDER BY manifest, line"))
        return false;
    lost = bag_db_prepare(c, "SELECT path, manifest, line FROM lost ORDER BY rowid");
    find = bag_db_prepare(c, "SELECT path FROM alias WHERE key = ?1 UNION"
                             " SELECT path FROM file WHERE path = ?1");
    adopter = bag_db_prepare(c, "UPDATE OR REPLACE listed SET path = ?1"
                                " WHERE path = ?2 AND manifest = ?3");
    while (c->failed.kind == CT_OK && sqlite3_step(lost) == SQLITE_ROW) {
        ct_str path = bag_db_bytes(lost, 0);

        if (!plain(path) && find_alias(c, find, path, &file))
            adopt(c, adopter, lost, ct_buf_str(&file));
    }
    sqlite3_finalize(lost);
    sqlite3_finalize(find);
    sqlite3_finalize(adopter);
    ct_buf_free(&file);
    return c->failed.kind == CT_OK;
}

void bag_alias_clashes(bag_check *c, bag_severity severity)
{
    bag_db_note_rows(
        c,
        "SELECT f.position, f.path FROM file f JOIN alias a ON a.path = f.path"
        " WHERE (a.key <> a.path AND a.key IN (SELECT path FROM file)) OR a.key IN"
        " (SELECT key FROM alias GROUP BY key HAVING count(*) > 1) ORDER BY f.position",
        0, severity, "file", "differs from another file in case or composition only");
}
