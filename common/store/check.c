/* The proof that no row of a chain was changed since it was written. */
#include "common/store/internal.h"

typedef struct walker {
    const ct_chain *chain;
    uint64_t rows, begun, ended;
    char head[CT_HEX256];
    ct_str known;
    bool met; /* the known head was among the rows */
} walker;

static bool broken(const walker *w, ct_err *err, uint64_t row, const char *how)
{
    return ct_fail_at(err, CT_E_DATA, how, "%s row %llu", w->chain->table, (unsigned long long)row);
}

static bool check_row(walker *w, sqlite3_stmt *q, ct_err *err)
{
    size_t n = w->chain->n;
    char hash[CT_HEX256];
    ct_str computed = {hash, sizeof hash};
    uint64_t number = w->rows + 1;
    ct_row row;

    for (size_t i = 0; i < n; i++)
        row.v[i] = ct_db_text(q, (int)i);
    if ((uint64_t)sqlite3_column_int64(q, CT_C_SEQ) != number)
        return broken(w, err, number, "missing");
    ct_row_hash(w->chain, &row, hash);
    if (!ct_str_eq(computed, ct_db_text(q, (int)n)))
        return broken(w, err, number, "changed since it was written");
    if (w->rows && !ct_str_eq(row.v[n - 1], (ct_str){w->head, CT_HEX256}))
        return broken(w, err, number, "does not follow the row before it");
    memcpy(w->head, hash, CT_HEX256);
    w->rows = number;
    w->begun += ct_str_is(row.v[CT_C_KIND], "begin");
    w->ended += ct_str_is(row.v[CT_C_KIND], "end");
    w->met = w->met || ct_str_eq(computed, w->known);
    return true;
}

static bool walk(ct_db *db, walker *w, ct_err *err)
{
    ct_buf sql = {0};
    sqlite3_stmt *q = NULL;
    int rc = SQLITE_ERROR;
    bool ok;

    ct_buf_printf(&sql, "SELECT %s FROM %s ORDER BY seq%c", w->chain->columns, w->chain->table, 0);
    ok = ct_db_prepare(db, sql.p, &q, err);
    while (ok && (rc = sqlite3_step(q)) == SQLITE_ROW)
        ok = check_row(w, q, err);
    if (ok && rc != SQLITE_DONE)
        ok = ct_db_fail(rc, err);
    sqlite3_finalize(q);
    ct_buf_free(&sql);
    return ok;
}

static bool check_chain(ct_db *db, walker *w, ct_err *err)
{
    int64_t counter;
    ct_buf sql = {0};
    bool ok;

    ct_buf_printf(&sql, "SELECT seq FROM sqlite_sequence WHERE name = '%s'%c", w->chain->table, 0);
    ok = walk(db, w, err) && ct_db_number(db, sql.p, 0, &counter, err);
    ct_buf_free(&sql);
    if (!ok)
        return false;
    if ((uint64_t)counter != w->rows)
        return broken(w, err, w->rows + 1, "missing, and all behind it");
    if (w->known.n && !w->met)
        return ct_fail_at(err, CT_E_DATA, "the known head is not in it", "%s", w->chain->table);
    return true;
}

/* In one snapshot: a writer may add rows while the chain is walked. */
static bool check(ct_db *db, walker *w, ct_err *err)
{
    bool ok;

    if (!ct_db_exec(db, "BEGIN", err))
        return false;
    ok = check_chain(db, w, err);
    if (!ct_db_exec(db, "COMMIT", ok ? err : NULL))
        ok = false;
    return ok;
}

bool ct_ledger_check(ct_db *db, ct_str known_head, ct_ledger_state *state, ct_err *err)
{
    walker w = {.chain = &ct_chains[CT_LEDGER], .known = known_head};

    if (!check(db, &w, err))
        return false;
    if (state) {
        *state = (ct_ledger_state){
            .rows = w.rows, .disclosures = w.begun, .unfinished = w.begun - w.ended};
        memcpy(state->head, w.head, w.rows ? CT_HEX256 : 0);
    }
    return true;
}

bool ct_custody_check(ct_db *db, ct_str known_head, ct_custody_state *state, ct_err *err)
{
    walker w = {.chain = &ct_chains[CT_CUSTODY], .known = known_head};

    if (ct_db_is_old(db) && known_head.n)
        return ct_fail_at(err, CT_E_DATA, "the known head is not in it", "%s", w.chain->table);
    if (!ct_db_is_old(db) && !check(db, &w, err))
        return false;
    if (state) {
        *state = (ct_custody_state){.rows = w.rows};
        memcpy(state->head, w.head, w.rows ? CT_HEX256 : 0);
    }
    return true;
}
