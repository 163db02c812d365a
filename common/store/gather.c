/* Entering a bag with its charts. They are gathered in tables of the connection's own, so that
 * reading a bag for hours keeps nobody waiting, and then copied in one transaction, in the order of
 * each index: a million charts in random order would rewrite every page of it many times. */
#include "common/store/internal.h"

#include <stdlib.h>

/* What is in them is lost with the process anyway: no journal, and no overwriting. */
static const char tables[] =
    "PRAGMA temp.journal_mode=OFF; PRAGMA temp.secure_delete=OFF;"
    "CREATE TABLE IF NOT EXISTS temp.new_chart (id INTEGER PRIMARY KEY, path, patient, names,"
    " born, first, last, destroy_after, records, bytes);"
    "CREATE TABLE IF NOT EXISTS temp.new_term (path PRIMARY KEY, day) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS temp.new_word (chart, word, PRIMARY KEY (chart, word))"
    " WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS temp.new_number (chart, value, system,"
    " PRIMARY KEY (chart, value, system)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS temp.new_also (chart, patient, PRIMARY KEY (chart, patient))"
    " WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS temp.new_link (patient, other, PRIMARY KEY (patient, other))"
    " WITHOUT ROWID;"
    "DELETE FROM temp.new_also; DELETE FROM temp.new_link;"
    "DELETE FROM temp.new_chart; DELETE FROM temp.new_term; DELETE FROM temp.new_word;"
    "DELETE FROM temp.new_number;";

bool ct_bag_gather(ct_db *db, ct_err *err)
{
    db->nends = db->entered = 0;
    db->last = 0;
    if (!ct_db_exec(db, tables, err))
        return false;
    if (db->add_chart)
        return true;
    return ct_db_prepare(db, "INSERT INTO temp.new_chart VALUES (?,?,?,?,?,?,?,?,?,?)",
                         &db->add_chart, err) &&
           ct_db_prepare(db, "INSERT OR REPLACE INTO temp.new_term VALUES (?,?)", &db->add_term,
                         err) &&
           ct_db_prepare(db, "INSERT OR IGNORE INTO temp.new_word VALUES (?,?)", &db->add_word,
                         err) &&
           ct_db_prepare(db, "INSERT OR IGNORE INTO temp.new_number VALUES (?,?,coalesce(?,''))",
                         &db->add_number, err) &&
           ct_db_prepare(db, "INSERT OR IGNORE INTO temp.new_also VALUES (?,?)", &db->add_also,
                         err) &&
           ct_db_prepare(db, "INSERT OR IGNORE INTO temp.new_link VALUES (?,?)", &db->add_link,
                         err);
}

void ct_bag_next(ct_db *db)
{
    db->ends = ct_grow(db->ends, db->nends, sizeof(*db->ends));
    db->ends[db->nends++] = db->last;
}

bool ct_bag_chart_term(ct_db *db, ct_str path, ct_str destroy_after, ct_err *err)
{
    if (!path.n)
        return ct_fail(err, CT_E_USAGE, "a chart without a path");
    return ct_db_step(db->add_term, CT_ARGS(CT_TEXT(path), CT_TEXT(destroy_after)), err);
}

bool ct_bag_also(ct_db *db, ct_str patient, ct_err *err)
{
    return ct_db_step(db->add_also, CT_ARGS(CT_INT(db->last + 1), CT_TEXT(patient)), err);
}

typedef struct word_adder {
    ct_db *db;
    int64_t chart;
    ct_err *err;
} word_adder;

static bool add_word(void *ctx, ct_str word)
{
    word_adder *a = ctx;

    return ct_db_step(a->db->add_word, CT_ARGS(CT_INT(a->chart), CT_TEXT(word)), a->err);
}

static bool add_words(ct_db *db, int64_t chart, const ct_bagged *e, ct_err *err)
{
    word_adder a = {db, chart, err};

    for (size_t i = 0; i < e->nnames; i++)
        if (!ct_name_words(db, e->names[i], add_word, &a))
            return false;
    return true;
}

static bool add_numbers(ct_db *db, int64_t chart, const ct_bagged *e, ct_err *err)
{
    for (size_t i = 0; i < e->nnumbers; i++) {
        const ct_number *n = &e->numbers[i];

        if (n->value.n &&
            !ct_db_step(db->add_number,
                        CT_ARGS(CT_INT(chart), CT_TEXT(n->value), CT_TEXT(n->system)), err))
            return false;
    }
    return true;
}

static bool add_links(ct_db *db, const ct_bagged *e, ct_err *err)
{
    for (size_t i = 0; i < e->nlinks; i++)
        if (!ct_db_step(db->add_link,
                        CT_ARGS(CT_TEXT(e->links[i].patient), CT_TEXT(e->links[i].other)), err))
            return false;
    return true;
}

/* One a line: no name that FHIR allows holds a line break that matters. */
static void join_names(ct_buf *b, const ct_bagged *e)
{
    for (size_t i = 0; i < e->nnames; i++) {
        size_t at = b->n + (b->n > 0);

        if (b->n)
            ct_buf_c(b, '\n');
        ct_buf_put(b, e->names[i]);
        for (; at < b->n; at++)
            if (b->p[at] == '\n')
                b->p[at] = ' ';
    }
}

bool ct_bag_chart(ct_db *db, const ct_bagged *e, ct_err *err)
{
    int64_t chart = db->last + 1;
    ct_buf names = {0};
    bool ok;

    if (!e->path.n || !e->patient.n)
        return ct_fail(err, CT_E_USAGE, "a chart without a path or a patient");
    join_names(&names, e);
    ok = ct_db_step(db->add_chart,
                    CT_ARGS(CT_INT(chart), CT_TEXT(e->path), CT_TEXT(e->patient),
                            CT_TEXT(ct_buf_str(&names)), CT_TEXT(e->born), CT_TEXT(e->first),
                            CT_TEXT(e->last), CT_TEXT(e->destroy_after), CT_INT(e->records),
                            CT_INT(e->bytes)),
                    err);
    ct_buf_free(&names);
    db->last = chart;
    return ok && add_words(db, chart, e, err) && add_numbers(db, chart, e, err) &&
           add_links(db, e, err);
}

/* ---- entering ---- */

/* The charts that are to be entered: those of the first bag that is not. */
typedef struct range {
    int64_t first, last;
} range;

static range next_range(const ct_db *db)
{
    return (range){.first = db->entered ? db->ends[db->entered - 1] + 1 : 1,
                   .last = db->entered < db->nends ? db->ends[db->entered] : db->last};
}

static bool insert_charts(ct_db *db, int64_t bag, range r, ct_err *err)
{
    int64_t base;

    return ct_db_number(db, "SELECT coalesce(max(id), 0) FROM chart", 0, &base, err) &&
           ct_db_run(db,
                     "INSERT INTO chart SELECT ?1 + id - ?2 + 1, ?4, c.path, patient, names, born,"
                     " first, last, coalesce(destroy_after, t.day), records, bytes"
                     " FROM temp.new_chart c LEFT JOIN temp.new_term t ON t.path = c.path"
                     " WHERE id BETWEEN ?2 AND ?3 ORDER BY id",
                     CT_ARGS(CT_INT(base), CT_INT(r.first), CT_INT(r.last), CT_INT(bag)), err) &&
           ct_db_run(db,
                     "INSERT INTO word SELECT word, ?1 + chart - ?2 + 1 FROM temp.new_word"
                     " WHERE chart BETWEEN ?2 AND ?3 ORDER BY 1, 2",
                     CT_ARGS(CT_INT(base), CT_INT(r.first), CT_INT(r.last)), err) &&
           ct_db_run(db,
                     "INSERT INTO number SELECT value, system, ?1 + chart - ?2 + 1"
                     " FROM temp.new_number WHERE chart BETWEEN ?2 AND ?3 ORDER BY 1, 2, 3",
                     CT_ARGS(CT_INT(base), CT_INT(r.first), CT_INT(r.last)), err) &&
           ct_db_run(db,
                     "INSERT INTO also SELECT ?1 + chart - ?2 + 1, patient FROM temp.new_also"
                     " WHERE chart BETWEEN ?2 AND ?3",
                     CT_ARGS(CT_INT(base), CT_INT(r.first), CT_INT(r.last)), err) &&
           ct_db_run(db, "INSERT OR IGNORE INTO linked SELECT patient, other FROM temp.new_link",
                     NULL, 0, err);
}

/* The holds of another database cannot be looked up here, only that there are some. */
static bool hold_bag(ct_db *db, int64_t id, const ct_bag *b, ct_err *err)
{
    ct_arena *a = ct_arena_new();
    ct_hold hold = {.matter =
                        ct_arena_printf(a, "holds of the bag %.*s", (int)b->name.n, b->name.p),
                    .why = CT_S("its bag-info.txt tells of legal holds"),
                    .by = ct_login_name(a)};
    bool ok = ct_hold_bag(db, id, &hold, err);

    ct_arena_free(a);
    return ok;
}

static bool insert_bag(ct_db *db, const ct_bag *b, int64_t *id, ct_err *err)
{
    static const char sql[] =
        "INSERT INTO bag SELECT NULL, ?1, ?2, coalesce(?3, min(first)), coalesce(?4, max(last)),"
        " ?5, ?6, ?7, count(*), ?8, ?9, ?10, 'kept' FROM temp.new_chart"
        " WHERE id BETWEEN ?11 AND ?12";
    range r = next_range(db);
    char now[CT_NOW_MAX];

    if (!ct_db_now(now, err) ||
        !ct_db_run(db, sql,
                   CT_ARGS(CT_TEXT(b->hash), CT_TEXT(b->name), CT_TEXT(b->first), CT_TEXT(b->last),
                           CT_TEXT(b->retention), CT_TEXT(b->authority), CT_TEXT(b->destroy_after),
                           CT_INT(b->records), CT_INT(b->bytes), CT_TEXT(ct_str_z(now)),
                           CT_INT(r.first), CT_INT(r.last)),
                   err))
        return false;
    *id = sqlite3_last_insert_rowid(db->sql);
    return insert_charts(db, *id, r, err) &&
           ct_custody_add(db,
                          &(ct_custody){.act = CT_ACT_BAG,
                                        .bag = b->hash,
                                        .charts = (uint64_t)(r.last - r.first + 1),
                                        .records = b->records,
                                        .bytes = b->bytes,
                                        .detail = b->name},
                          err) &&
           (!b->held || hold_bag(db, *id, b, err));
}

/* What stood under this path is there no more; where it is now, if anywhere, is not known. */
static bool displace(ct_db *db, int64_t bag, const ct_copy *copy, ct_err *err)
{
    static const char sql[] =
        "SELECT id FROM copy WHERE path = ?1 AND bag <> ?2 AND state <> 'gone'"
        " LIMIT 1";
    int64_t other = 0;

    do {
        ct_custody row = {.reason = CT_S("another bag stands in its place")};
        sqlite3_stmt *q;
        int rc;

        if (!ct_db_query(db, sql, CT_ARGS(CT_TEXT(copy->path), CT_INT(bag)), &q, err))
            return false;
        rc = sqlite3_step(q);
        other = rc == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
        sqlite3_finalize(q);
        if (rc != SQLITE_ROW && rc != SQLITE_DONE)
            return ct_db_fail(rc, err);
        if (other && !ct_copy_set_gone(db, other, &row, err))
            return false;
    } while (other);
    return true;
}

static bool insert_copy(ct_db *db, int64_t bag, ct_str hash, const ct_copy *c, ct_err *err)
{
    static const char sql[] =
        "INSERT INTO copy VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, 'present')"
        " ON CONFLICT (bag, path) DO UPDATE SET state = 'present', packing = excluded.packing,"
        " size = excluded.size, checked = excluded.checked, result = excluded.result";
    char now[CT_NOW_MAX];
    ct_str checked = {0};

    if (!ct_db_now(now, err))
        return false;
    if (c->result.n)
        checked = ct_str_z(now);
    return ct_db_run(db, sql,
                     CT_ARGS(CT_INT(bag), CT_TEXT(c->path), CT_TEXT(c->packing), CT_INT(c->size),
                             CT_TEXT(ct_str_z(now)), CT_TEXT(checked), CT_TEXT(c->result)),
                     err) &&
           ct_custody_add(db,
                          &(ct_custody){.act = CT_ACT_COPY,
                                        .bag = hash,
                                        .copy = c->path,
                                        .result = c->result,
                                        .bytes = c->size,
                                        .detail = c->packing},
                          err);
}

static bool copy_present(ct_db *db, int64_t bag, ct_str path, bool *present, ct_err *err)
{
    return ct_db_exists(db, "SELECT 1 FROM copy WHERE bag = ?1 AND path = ?2 AND state = 'present'",
                        CT_ARGS(CT_INT(bag), CT_TEXT(path)), present, err);
}

static ct_entered entry_of(bool known, bool present, ct_bag_status status)
{
    if (!known)
        return CT_ENTERED_BAG;
    if (status != CT_BAG_KEPT)
        return CT_ENTERED_DOOMED;
    return present ? CT_ENTERED_NONE : CT_ENTERED_COPY;
}

static bool enter(ct_db *db, const ct_bag *b, const ct_copy *c, ct_entered *entered, ct_err *err)
{
    int64_t id;
    ct_bag_status status = CT_BAG_KEPT;
    bool known, present;

    if (!ct_bag_known(db, b->hash, &id, &status, err))
        return false;
    known = id != 0;
    if (!id && !insert_bag(db, b, &id, err))
        return false;
    if (!copy_present(db, id, c->path, &present, err))
        return false;
    *entered = entry_of(known, present, status);
    if (present)
        return true;
    if (known && status == CT_BAG_DESTROYED &&
        !ct_bag_set_status(db, b->hash, CT_BAG_DESTROYING, err))
        return false;
    return displace(db, id, c, err) && insert_copy(db, id, b->hash, c, err);
}

bool ct_bag_enter(ct_db *db, const ct_bag *bag, const ct_copy *copy, ct_entered *entered,
                  ct_err *err)
{
    ct_entered how = CT_ENTERED_NONE;

    if (bag->hash.n != CT_HEX256 || !bag->name.n || copy->path.n == 0 || copy->path.p[0] != '/')
        return ct_fail(err, CT_E_USAGE, "a bag without a hash or name, or a copy without a path");
    if (!db->add_chart && !ct_bag_gather(db, err))
        return false;
    if (!ct_db_write(db, err))
        return false;
    if (!ct_db_settle(db, enter(db, bag, copy, &how, err), err))
        return false;
    if (entered)
        *entered = how;
    return ++db->entered <= db->nends || ct_bag_gather(db, err);
}
