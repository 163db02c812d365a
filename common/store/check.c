/* Reading the ledger: the accounting of a patient's disclosures, and the proof that no row was
 * changed since it was written. */
#include "common/store/internal.h"

/* ---- accounting ---- */

/* Every patient row is looked at, not an index: the chain covers the table only. */
static const char accounting[] =
    "SELECT b.seq, b.at, b.recipient, b.address, b.purpose, b.purpose_text, b.policy, b.user,"
    " coalesce(e.status, 'begun'), e.at, e.sha256, e.records, e.bytes,"
    " sum(p.records), group_concat(p.description, '; ')"
    " FROM ledger p JOIN ledger b ON b.seq = p.disclosure"
    " LEFT JOIN ledger e ON e.disclosure = b.seq AND e.kind = 'end'"
    " WHERE p.kind = 'patient' AND p.patient = ?1 AND b.kind = 'begin' AND b.at >= ?2"
    " GROUP BY b.seq ORDER BY b.seq";

static bool give(sqlite3_stmt *q, ct_disclosure_fn *each, void *ctx)
{
    ct_disclosure d = {
        .id = sqlite3_column_int64(q, 0),
        .when = ct_db_text(q, 1),
        .recipient = ct_db_text(q, 2),
        .address = ct_db_text(q, 3),
        .purpose = ct_db_text(q, 4),
        .purpose_text = ct_db_text(q, 5),
        .policy = ct_db_text(q, 6),
        .user = ct_db_text(q, 7),
        .status = ct_db_text(q, 8),
        .completed = ct_db_text(q, 9),
        .sha256 = ct_db_text(q, 10),
        .records = (uint64_t)sqlite3_column_int64(q, 11),
        .bytes = (uint64_t)sqlite3_column_int64(q, 12),
    };

    return each(ctx, &d, (uint64_t)sqlite3_column_int64(q, 13), ct_db_text(q, 14));
}

bool ct_ledger_accounting(ct_db *db, ct_str patient, ct_str since, ct_disclosure_fn *each,
                          void *ctx, ct_err *err)
{
    sqlite3_stmt *q;
    int rc;

    if (!ct_db_prepare(db, accounting, &q, err))
        return false;
    rc = sqlite3_bind_text64(q, 1, patient.p, patient.n, SQLITE_STATIC, SQLITE_UTF8);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text64(q, 2, since.n ? since.p : "", since.n, SQLITE_STATIC, SQLITE_UTF8);
    if (rc == SQLITE_OK)
        do
            rc = sqlite3_step(q);
        while (rc == SQLITE_ROW && give(q, each, ctx));
    sqlite3_finalize(q);
    return rc == SQLITE_DONE || rc == SQLITE_ROW || ct_db_fail(rc, err);
}

/* ---- the chain ---- */

typedef struct chain {
    uint64_t rows, begun, ended;
    char head[CT_HEX256];
    ct_str known;
    bool met; /* the known head was among the rows */
} chain;

static bool broken(ct_err *err, uint64_t row, const char *how)
{
    return ct_fail_at(err, CT_E_DATA, how, "ledger row %llu", (unsigned long long)row);
}

static bool check_row(chain *c, sqlite3_stmt *q, ct_err *err)
{
    char hash[CT_HEX256];
    ct_str computed = {hash, sizeof hash};
    uint64_t number = c->rows + 1;
    ct_row row;

    for (int i = 0; i < CT_L_COLUMNS; i++)
        row.v[i] = ct_db_text(q, i);
    if ((uint64_t)sqlite3_column_int64(q, CT_L_SEQ) != number)
        return broken(err, number, "missing");
    ct_row_hash(&row, hash);
    if (!ct_str_eq(computed, ct_db_text(q, CT_L_COLUMNS)))
        return broken(err, number, "changed since it was written");
    if (c->rows && !ct_str_eq(row.v[CT_L_PREV], (ct_str){c->head, CT_HEX256}))
        return broken(err, number, "does not follow the row before it");
    memcpy(c->head, hash, CT_HEX256);
    c->rows = number;
    c->begun += ct_str_is(row.v[CT_L_KIND], "begin");
    c->ended += ct_str_is(row.v[CT_L_KIND], "end");
    c->met = c->met || ct_str_eq(computed, c->known);
    return true;
}

static bool walk(ct_db *db, chain *c, ct_err *err)
{
    ct_buf sql = {0};
    sqlite3_stmt *q = NULL;
    int rc = SQLITE_ERROR;
    bool ok;

    ct_buf_printf(&sql, "SELECT %s FROM ledger ORDER BY seq", ct_ledger_columns);
    ct_buf_c(&sql, '\0');
    ok = ct_db_prepare(db, sql.p, &q, err);
    while (ok && (rc = sqlite3_step(q)) == SQLITE_ROW)
        ok = check_row(c, q, err);
    if (ok && rc != SQLITE_DONE)
        ok = ct_db_fail(rc, err);
    sqlite3_finalize(q);
    ct_buf_free(&sql);
    return ok;
}

static bool check_chain(ct_db *db, chain *c, ct_err *err)
{
    int64_t counter;

    if (!walk(db, c, err) ||
        !ct_db_number(db, "SELECT seq FROM sqlite_sequence WHERE name = 'ledger'", 0, &counter,
                      err))
        return false;
    if ((uint64_t)counter != c->rows)
        return broken(err, c->rows + 1, "missing, and all behind it");
    if (c->known.n && !c->met)
        return ct_fail_at(err, CT_E_DATA, "the known head is not in it", "ledger");
    return true;
}

bool ct_ledger_check(ct_db *db, ct_str known_head, ct_ledger_state *state, ct_err *err)
{
    chain c = {.known = known_head};
    bool ok;

    /* One snapshot: a writer may add rows while the chain is walked. */
    if (!ct_db_exec(db, "BEGIN", err))
        return false;
    ok = check_chain(db, &c, err);
    if (!ct_db_exec(db, "COMMIT", ok ? err : NULL))
        ok = false;
    if (ok && state) {
        *state = (ct_ledger_state){
            .rows = c.rows, .disclosures = c.begun, .unfinished = c.begun - c.ended};
        memcpy(state->head, c.head, c.rows ? CT_HEX256 : 0);
    }
    return ok;
}
