/* Entering a bag with its charts. They are gathered in tables of the connection's own, so that
 * reading a bag for hours keeps nobody waiting, and then copied in one transaction, in the order of
 * each index: a million charts in random order would rewrite every page of it many times. */
#include "common/store/internal.h"

#include <stdlib.h>

static const char tables[] =
    "PRAGMA temp.journal_mode=MEMORY;"
    "CREATE TABLE IF NOT EXISTS temp.new_chart (id INTEGER PRIMARY KEY, path, patient, names,"
    " born, first, last, destroy_after, records, bytes);"
    "CREATE TABLE IF NOT EXISTS temp.new_word (word, chart);"
    "CREATE TABLE IF NOT EXISTS temp.new_number (value, system, chart);"
    "DELETE FROM temp.new_chart; DELETE FROM temp.new_word; DELETE FROM temp.new_number;";

bool ct_bag_gather(ct_db *db, ct_err *err)
{
    if (!ct_db_exec(db, tables, err))
        return false;
    if (db->add_chart)
        return true;
    return ct_db_prepare(db, "INSERT INTO temp.new_chart VALUES (NULL,?,?,?,?,?,?,?,?,?)",
                         &db->add_chart, err) &&
           ct_db_prepare(db, "INSERT INTO temp.new_word VALUES (?,?)", &db->add_word, err) &&
           ct_db_prepare(db, "INSERT INTO temp.new_number VALUES (?,?,?)", &db->add_number, err);
}

typedef struct word_adder {
    ct_db *db;
    int64_t chart;
    ct_err *err;
} word_adder;

static bool add_word(void *ctx, ct_str word)
{
    word_adder *a = ctx;

    return ct_db_step(a->db->add_word, CT_ARGS(CT_TEXT(word), CT_INT(a->chart)), a->err);
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
                        CT_ARGS(CT_TEXT(n->value), CT_TEXT(n->system), CT_INT(chart)), err))
            return false;
    }
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
    ct_buf names = {0};
    int64_t chart;
    bool ok;

    if (!e->path.n || !e->patient.n)
        return ct_fail(err, CT_E_USAGE, "a chart without a path or a patient");
    join_names(&names, e);
    ok = ct_db_step(db->add_chart,
                    CT_ARGS(CT_TEXT(e->path), CT_TEXT(e->patient), CT_TEXT(ct_buf_str(&names)),
                            CT_TEXT(e->born), CT_TEXT(e->first), CT_TEXT(e->last),
                            CT_TEXT(e->destroy_after), CT_INT(e->records), CT_INT(e->bytes)),
                    err);
    ct_buf_free(&names);
    chart = sqlite3_last_insert_rowid(db->sql);
    return ok && add_words(db, chart, e, err) && add_numbers(db, chart, e, err);
}

/* ---- entering ---- */

static bool insert_charts(ct_db *db, int64_t bag, ct_err *err)
{
    int64_t base;

    return ct_db_number(db, "SELECT coalesce(max(id), 0) FROM chart", 0, &base, err) &&
           ct_db_run(db,
                     "INSERT INTO chart SELECT ?1 + id, ?2, path, patient, names, born, first,"
                     " last, destroy_after, records, bytes FROM temp.new_chart ORDER BY id",
                     CT_ARGS(CT_INT(base), CT_INT(bag)), err) &&
           ct_db_run(db,
                     "INSERT INTO word SELECT DISTINCT word, ?1 + chart FROM temp.new_word"
                     " ORDER BY 1, 2",
                     CT_ARGS(CT_INT(base)), err) &&
           ct_db_run(db,
                     "INSERT INTO number SELECT DISTINCT value, coalesce(system, ''), ?1 + chart"
                     " FROM temp.new_number ORDER BY 1, 2, 3",
                     CT_ARGS(CT_INT(base)), err);
}

static bool insert_bag(ct_db *db, const ct_bag *b, int64_t *id, ct_err *err)
{
    static const char sql[] =
        "INSERT INTO bag SELECT NULL, ?1, ?2, coalesce(?3, min(first)), coalesce(?4, max(last)),"
        " ?5, ?6, count(*), ?7, ?8, ?9, 'kept' FROM temp.new_chart";
    char now[CT_NOW_MAX];
    int64_t charts;

    if (!ct_db_now(now, err) ||
        !ct_db_run(db, sql,
                   CT_ARGS(CT_TEXT(b->hash), CT_TEXT(b->name), CT_TEXT(b->first), CT_TEXT(b->last),
                           CT_TEXT(b->retention), CT_TEXT(b->destroy_after), CT_INT(b->records),
                           CT_INT(b->bytes), CT_TEXT(ct_str_z(now))),
                   err))
        return false;
    *id = sqlite3_last_insert_rowid(db->sql);
    return ct_db_number(db, "SELECT count(*) FROM temp.new_chart", 0, &charts, err) &&
           insert_charts(db, *id, err) &&
           ct_custody_add(db,
                          &(ct_custody){.act = CT_ACT_BAG,
                                        .bag = b->hash,
                                        .charts = (uint64_t)charts,
                                        .records = b->records,
                                        .bytes = b->bytes,
                                        .detail = b->name},
                          err);
}

/* What stood under this path before is no more. */
static bool displace(ct_db *db, int64_t bag, const ct_copy *copy, ct_err *err)
{
    static const char sql[] =
        "SELECT id FROM copy WHERE path = ?1 AND bag <> ?2 AND state <> 'gone'"
        " LIMIT 1";
    int64_t other = 0;

    do {
        sqlite3_stmt *q;
        int rc;

        if (!ct_db_query(db, sql, CT_ARGS(CT_TEXT(copy->path), CT_INT(bag)), &q, err))
            return false;
        rc = sqlite3_step(q);
        other = rc == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
        sqlite3_finalize(q);
        if (rc != SQLITE_ROW && rc != SQLITE_DONE)
            return ct_db_fail(rc, err);
        if (other && !ct_copy_set_state(db, other, CT_COPY_GONE,
                                        CT_S("another bag stands in its place"), err))
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
    static const char sql[] =
        "SELECT 1 FROM copy WHERE bag = ?1 AND path = ?2 AND state = 'present'";
    sqlite3_stmt *q;
    int rc;

    if (!ct_db_query(db, sql, CT_ARGS(CT_INT(bag), CT_TEXT(path)), &q, err))
        return false;
    rc = sqlite3_step(q);
    sqlite3_finalize(q);
    *present = rc == SQLITE_ROW;
    return rc == SQLITE_ROW || rc == SQLITE_DONE || ct_db_fail(rc, err);
}

static bool enter(ct_db *db, const ct_bag *b, const ct_copy *c, ct_entered *entered, ct_err *err)
{
    int64_t id;
    ct_bag_status status;
    bool present;

    if (!ct_bag_known(db, b->hash, &id, &status, err))
        return false;
    if (id && status != CT_BAG_KEPT)
        return ct_fail(err, CT_E_USAGE, "the bag was destroyed, or its destruction has begun");
    *entered = id ? CT_ENTERED_COPY : CT_ENTERED_BAG;
    if (!id && !insert_bag(db, b, &id, err))
        return false;
    if (!copy_present(db, id, c->path, &present, err))
        return false;
    if (present) {
        *entered = CT_ENTERED_NONE;
        return true;
    }
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
    return ct_db_exec(db, tables, err);
}
