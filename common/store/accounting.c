/* Reading the ledger: the accounting of a patient's disclosures, and those that have no end. */
#include "common/store/internal.h"

/* Every patient row is looked at, not an index: the chain covers the table only. */
static const char accounting[] =
    "SELECT b.seq, b.at, b.recipient, b.address, b.purpose, b.purpose_text, b.policy, b.user,"
    " coalesce(e.status, 'begun'), e.at, e.sha256, e.records, e.bytes,"
    " sum(p.records), group_concat(p.description, '; ')"
    " FROM ledger p JOIN ledger b ON b.seq = p.disclosure"
    " LEFT JOIN ledger e ON e.disclosure = b.seq AND e.kind = 'end'"
    " WHERE p.kind = 'patient' AND p.patient = ?1 AND b.kind = 'begin' AND b.at >= coalesce(?2, '')"
    " GROUP BY b.seq ORDER BY b.seq";

typedef struct account_reader {
    ct_disclosure_fn *each;
    void *ctx;
} account_reader;

static bool give(void *ctx, sqlite3_stmt *q)
{
    account_reader *r = ctx;
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

    return r->each(r->ctx, &d, (uint64_t)sqlite3_column_int64(q, 13), ct_db_text(q, 14));
}

bool ct_ledger_accounting(ct_db *db, ct_str patient, ct_str since, ct_disclosure_fn *each,
                          void *ctx, ct_err *err)
{
    return ct_db_each(db, accounting, CT_ARGS(CT_TEXT(patient), CT_TEXT(since)), give,
                      &(account_reader){each, ctx}, err);
}

/* ---- disclosures without an end ---- */

typedef struct open_reader {
    ct_open_fn *each;
    void *ctx;
} open_reader;

static bool give_open(void *ctx, sqlite3_stmt *q)
{
    open_reader *r = ctx;

    return r->each(r->ctx, ct_db_text(q, 0), sqlite3_column_int64(q, 1), ct_db_text(q, 2));
}

bool ct_ledger_open(ct_db *db, ct_str patient, ct_open_fn *each, void *ctx, ct_err *err)
{
    static const char sql[] =
        "SELECT DISTINCT p.patient, b.seq, b.at FROM ledger b"
        " JOIN ledger p ON p.disclosure = b.seq AND p.kind = 'patient'"
        " WHERE b.kind = 'begin' AND (?1 IS NULL OR p.patient = ?1) AND NOT EXISTS"
        " (SELECT 1 FROM ledger e WHERE e.disclosure = b.seq AND e.kind = 'end')"
        " ORDER BY p.patient, b.seq";

    return ct_db_each(db, sql, CT_ARGS(CT_TEXT(patient)), give_open, &(open_reader){each, ctx},
                      err);
}
