/* What the files of the store share. */
#ifndef CT_STORE_INTERNAL_H
#define CT_STORE_INTERNAL_H

#include "common/store/store.h"

#include <sqlite3.h>

enum { CT_HEX256 = 2 * CT_SHA256_LEN };

struct ct_db {
    sqlite3 *sql;
    sqlite3_stmt *insert; /* a row of the ledger; prepared at the first write */
    bool is_new;          /* there was no ledger in it */
    bool writing;         /* a transaction is open */
    bool alone;           /* a disclosure was begun in it, its patient not yet entered */
    int64_t seq;          /* while writing: the last row's number … */
    char head[CT_HEX256]; /* … and its hash */
};

/* The columns of the ledger but `hash`, in the order of the table. */
enum ct_column {
    CT_L_SEQ,
    CT_L_AT,
    CT_L_KIND,
    CT_L_DISCLOSURE,
    CT_L_PATIENT,
    CT_L_RECIPIENT,
    CT_L_ADDRESS,
    CT_L_PURPOSE,
    CT_L_PURPOSE_TEXT,
    CT_L_DESCRIPTION,
    CT_L_POLICY,
    CT_L_USER,
    CT_L_STATUS,
    CT_L_RECORDS,
    CT_L_BYTES,
    CT_L_SHA256,
    CT_L_PREV,
    CT_L_COLUMNS,
};

/* All columns with `hash` behind them, separated by commas. */
extern const char ct_ledger_columns[];

/* A row's values as text; `p` NULL is SQL's NULL. */
typedef struct ct_row {
    ct_str v[CT_L_COLUMNS];
} ct_row;

/* The row's hash in hexadecimal, not terminated. */
void ct_row_hash(const ct_row *row, char hex[CT_HEX256]);

/* Fills `err` from an SQLite result code (constant text, never a value) and returns false. */
bool ct_db_fail(int rc, ct_err *err);
CT_USE bool ct_db_exec(ct_db *db, const char *sql, ct_err *err);
CT_USE bool ct_db_prepare(ct_db *db, const char *sql, sqlite3_stmt **to, ct_err *err);
/* The one number that a query gives: `none` where it gives no row. */
CT_USE bool ct_db_number(ct_db *db, const char *sql, int64_t none, int64_t *value, ct_err *err);
/* A column's text, valid until the next step. */
ct_str ct_db_text(sqlite3_stmt *q, int column);

#endif
