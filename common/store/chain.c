/* Tables to which rows are only ever added: each is chained to the one before, inside one
 * transaction that keeps other writers out. */
#include "common/store/internal.h"

#include <stdio.h>

const ct_chain ct_chains[CT_CHAINS] = {
    [CT_LEDGER] = {"ledger",
                   "seq,at,kind,disclosure,patient,recipient,address,purpose,purpose_text,"
                   "description,policy,user,status,records,bytes,sha256,prev,hash",
                   CT_L_COLUMNS},
    [CT_CUSTODY] = {"custody",
                    "seq,at,kind,bag,copy,hold,matter,reason,person,witness,user,result,sha256,"
                    "charts,records,bytes,detail,prev,hash",
                    CT_U_COLUMNS},
};

_Static_assert((int)CT_L_COLUMNS < CT_CHAIN_MAX && (int)CT_U_COLUMNS < CT_CHAIN_MAX,
               "a row holds the columns of every chain");

/* What stands as `prev` in the first row. */
static const char no_head[CT_HEX256 + 1] =
    "0000000000000000000000000000000000000000000000000000000000000000";

void ct_row_hash(const ct_chain *chain, const ct_row *row, char hex[CT_HEX256])
{
    uint8_t digest[CT_SHA256_LEN];
    ct_str names = ct_str_z(chain->columns);
    ct_buf b = {0};

    for (size_t i = 0; i < chain->n; i++) {
        ct_str name = ct_str_cut(&names, ',');
        if (!row->v[i].p)
            continue;
        ct_buf_put(&b, name);
        ct_buf_printf(&b, ":%zu:", row->v[i].n);
        ct_buf_put(&b, row->v[i]);
        ct_buf_c(&b, '\n');
    }
    ct_sha256(ct_buf_str(&b), digest);
    b.n = 0;
    ct_hex(&b, digest, sizeof digest);
    memcpy(hex, b.p, CT_HEX256);
    ct_buf_free(&b);
}

static bool end_of(ct_db *db, const ct_chain *chain, ct_tail *tail, int64_t counter, ct_err *err)
{
    ct_buf sql = {0};
    sqlite3_stmt *q = NULL;
    int rc = SQLITE_ERROR;
    ct_str hash = {0};
    bool ok;

    ct_buf_printf(&sql, "SELECT seq, hash FROM %s ORDER BY seq DESC LIMIT 1%c", chain->table, 0);
    ok = ct_db_prepare(db, sql.p, &q, err);
    ct_buf_free(&sql);
    if (!ok)
        return false;
    rc = sqlite3_step(q);
    tail->seq = rc == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
    hash = rc == SQLITE_ROW ? ct_db_text(q, 1) : CT_S(no_head);
    if (hash.n == CT_HEX256)
        memcpy(tail->head, hash.p, CT_HEX256);
    sqlite3_finalize(q);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return ct_db_fail(rc, err);
    return (hash.n == CT_HEX256 && tail->seq == counter) ||
           ct_fail_at(err, CT_E_DATA, "the last rows are missing", "%s", chain->table);
}

/* Reads where the chain ends. Nobody may build on one that lost its last rows: the new ones would
 * cover the loss. */
static bool read_tail(ct_db *db, const ct_chain *chain, ct_tail *tail, ct_err *err)
{
    int64_t counter = 0;
    ct_buf sql = {0};
    bool ok;

    ct_buf_printf(&sql, "SELECT seq FROM sqlite_sequence WHERE name = '%s'%c", chain->table, 0);
    ok = ct_db_number(db, sql.p, 0, &counter, err) && end_of(db, chain, tail, counter, err);
    ct_buf_free(&sql);
    return tail->known = ok;
}

static bool prepare_insert(ct_db *db, const ct_chain *chain, ct_tail *tail, ct_err *err)
{
    ct_buf sql = {0};
    bool ok;

    if (tail->insert)
        return true;
    ct_buf_printf(&sql, "INSERT INTO %s VALUES (?", chain->table);
    for (size_t i = 0; i < chain->n; i++)
        ct_buf_z(&sql, ",?");
    ct_buf_printf(&sql, ")%c", 0);
    ok = ct_db_prepare(db, sql.p, &tail->insert, err);
    ct_buf_free(&sql);
    return ok;
}

/* A transaction in which this chain's end is known. */
static bool start(ct_db *db, ct_chain_id id, ct_err *err)
{
    const ct_chain *chain = &ct_chains[id];
    ct_tail *tail = &db->tails[id];

    if (!prepare_insert(db, chain, tail, err) || !ct_db_write(db, err))
        return false;
    return tail->known || read_tail(db, chain, tail, err) || ct_db_rollback(db);
}

static bool insert(ct_db *db, ct_chain_id id, const ct_row *row, ct_str hash, ct_err *err)
{
    sqlite3_stmt *q = db->tails[id].insert;
    size_t n = ct_chains[id].n;
    int rc = SQLITE_OK;

    for (size_t i = 0; rc == SQLITE_OK && i <= n; i++) {
        ct_str v = i < n ? row->v[i] : hash;
        if (v.p)
            rc = sqlite3_bind_text64(q, (int)i + 1, v.p, v.n, SQLITE_STATIC, SQLITE_UTF8);
        else
            rc = sqlite3_bind_null(q, (int)i + 1);
    }
    if (rc == SQLITE_OK)
        rc = sqlite3_step(q) == SQLITE_DONE ? SQLITE_OK : sqlite3_errcode(db->sql);
    sqlite3_reset(q);
    sqlite3_clear_bindings(q);
    return rc == SQLITE_OK || ct_db_fail(rc, err);
}

bool ct_chain_next(ct_db *db, ct_chain_id id, int64_t *seq, ct_err *err)
{
    if (!start(db, id, err))
        return false;
    *seq = db->tails[id].seq + 1;
    return true;
}

bool ct_chain_append(ct_db *db, ct_chain_id id, ct_row *row, const char *kind, ct_err *err)
{
    const ct_chain *chain = &ct_chains[id];
    ct_tail *tail = &db->tails[id];
    char seq[24], at[CT_NOW_MAX], hash[CT_HEX256];

    if (!start(db, id, err))
        return false;
    snprintf(seq, sizeof seq, "%lld", (long long)tail->seq + 1);
    if (!ct_db_now(at, err))
        return ct_db_rollback(db);
    row->v[CT_C_SEQ] = ct_str_z(seq);
    row->v[CT_C_AT] = ct_str_z(at);
    row->v[CT_C_KIND] = ct_str_z(kind);
    row->v[chain->n - 1] = (ct_str){tail->head, CT_HEX256};
    ct_row_hash(chain, row, hash);
    if (!insert(db, id, row, (ct_str){hash, CT_HEX256}, err))
        return ct_db_rollback(db);
    memcpy(tail->head, hash, CT_HEX256);
    tail->seq++;
    return true;
}
