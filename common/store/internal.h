/* What the files of the store share. */
#ifndef CT_STORE_INTERNAL_H
#define CT_STORE_INTERNAL_H

#include "common/store/store.h"

#include <sqlite3.h>

enum { CT_HEX256 = 2 * CT_SHA256_LEN, CT_CHAIN_MAX = 24 };

/* ---- chains ---- */

typedef enum ct_chain_id { CT_LEDGER, CT_CUSTODY, CT_CHAINS } ct_chain_id;

/* Every chain begins with these columns, and ends with `prev` and `hash`. */
enum { CT_C_SEQ, CT_C_AT, CT_C_KIND };

/* The columns of the ledger but `hash`, in the order of the table. */
enum ct_column {
    CT_L_DISCLOSURE = CT_C_KIND + 1,
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

/* Those of custody. */
enum ct_custody_column {
    CT_U_BAG = CT_C_KIND + 1,
    CT_U_COPY,
    CT_U_HOLD,
    CT_U_MATTER,
    CT_U_REASON,
    CT_U_PERSON,
    CT_U_WITNESS,
    CT_U_USER,
    CT_U_RESULT,
    CT_U_SHA256,
    CT_U_CHARTS,
    CT_U_RECORDS,
    CT_U_BYTES,
    CT_U_DETAIL,
    CT_U_PREV,
    CT_U_COLUMNS,
};

typedef struct ct_chain {
    const char *table;
    const char *columns; /* all of them, `hash` last, separated by commas */
    size_t n;            /* without `hash` */
} ct_chain;

extern const ct_chain ct_chains[CT_CHAINS];

/* A row's values as text; `p` NULL is SQL's NULL. */
typedef struct ct_row {
    ct_str v[CT_CHAIN_MAX];
} ct_row;

/* The row's hash in hexadecimal, not terminated. */
void ct_row_hash(const ct_chain *chain, const ct_row *row, char hex[CT_HEX256]);

/* Where a chain ends, while a transaction is open. */
typedef struct ct_tail {
    sqlite3_stmt *insert; /* prepared at the first write */
    bool known;
    int64_t seq;
    char head[CT_HEX256];
} ct_tail;

/* Adds a row behind the last one; seq, at, kind and prev are filled in here. Begins the transaction
 * where there is none; drops it where it fails. */
CT_USE bool ct_chain_append(ct_db *db, ct_chain_id id, ct_row *row, const char *kind, ct_err *err);
/* The number that the next row will have. */
CT_USE bool ct_chain_next(ct_db *db, ct_chain_id id, int64_t *seq, ct_err *err);

/* ---- the database ---- */

struct ct_db {
    sqlite3 *sql;
    bool is_new;     /* there was no ledger in it */
    int64_t version; /* of the schema */
    bool writing;    /* a transaction is open */
    bool alone;      /* a disclosure was begun in it, its patient not yet entered */
    ct_tail tails[CT_CHAINS];
    /* to what is gathered */
    sqlite3_stmt *add_chart, *add_term, *add_word, *add_number, *add_also, *add_link;
    int64_t last;          /* number of the chart that was gathered last */
    int64_t *ends;         /* the last chart of each bag that was gathered, but of the last bag */
    size_t nends, entered; /* how many of the bags are entered */
    ct_unicode *unicode;   /* NULL until a name is folded */
    bool kin;              /* temp.kin is there */
};

/* Opened for reading, and made before there was a catalogue. */
static inline bool ct_db_is_old(const ct_db *db)
{
    return db->version < 1;
}
/* Adds what a database of ours lacks. */
CT_USE bool ct_schema_make(ct_db *db, ct_err *err);
/* The version of the schema, as PRAGMA user_version has it; 0 before there was a catalogue. */
enum {
    CT_SCHEMA_VERSION = 2,          /* 1: without `also` and `linked` */
    CT_APPLICATION_ID = 0x43484152, /* "CHAR": tells our files from other programs' */
};

/* Fills `err` from an SQLite result code (constant text, never a value) and returns false. */
bool ct_db_fail(int rc, ct_err *err);
CT_USE bool ct_db_exec(ct_db *db, const char *sql, ct_err *err);
CT_USE bool ct_db_prepare(ct_db *db, const char *sql, sqlite3_stmt **to, ct_err *err);
/* The one number that a query gives: `none` where it gives no row. */
CT_USE bool ct_db_number(ct_db *db, const char *sql, int64_t none, int64_t *value, ct_err *err);
/* A column's text, valid until the next step. */
ct_str ct_db_text(sqlite3_stmt *q, int column);

/* Opens a transaction that keeps other writers out, where none is open. */
CT_USE bool ct_db_write(ct_db *db, ct_err *err);
CT_USE bool ct_db_commit(ct_db *db, ct_err *err);
/* Drops the transaction; returns false for `return ct_db_rollback(db)`. */
bool ct_db_rollback(ct_db *db);
/* Commits where `ok`, else drops: the end of what is done in one transaction. */
CT_USE bool ct_db_settle(ct_db *db, bool ok, ct_err *err);

/* An argument of a statement: text (NULL where empty), or a number. */
typedef struct ct_arg {
    bool is_number;
    ct_str text;
    int64_t number;
} ct_arg;

#define CT_TEXT(s) ((ct_arg){.text = (s)})
#define CT_INT(n)  ((ct_arg){.is_number = true, .number = (int64_t)(n)})
#define CT_ARGS(...)                                                                               \
    (const ct_arg[]){__VA_ARGS__}, sizeof((const ct_arg[]){__VA_ARGS__}) / sizeof(ct_arg)

/* Binds the arguments in their order; their text must live until the statement is done. */
CT_USE bool ct_db_bind(sqlite3_stmt *q, const ct_arg *args, size_t n, ct_err *err);
/* A query with its arguments, to be stepped and finalized. */
CT_USE bool ct_db_query(ct_db *db, const char *sql, const ct_arg *args, size_t n, sqlite3_stmt **to,
                        ct_err *err);
/* Does the query give a row? */
CT_USE bool ct_db_exists(ct_db *db, const char *sql, const ct_arg *args, size_t n, bool *found,
                         ct_err *err);
/* Steps a prepared statement that gives no rows, and resets it. */
CT_USE bool ct_db_step(sqlite3_stmt *q, const ct_arg *args, size_t n, ct_err *err);
/* A statement that gives no rows, once. */
CT_USE bool ct_db_run(ct_db *db, const char *sql, const ct_arg *args, size_t n, ct_err *err);
/* Calls `each` for every row of a query until it says false, and finalizes it. */
CT_USE bool ct_db_each(ct_db *db, const char *sql, const ct_arg *args, size_t n,
                       bool (*each)(void *ctx, sqlite3_stmt *q), void *ctx, ct_err *err);

/* ---- custody ---- */

/* Enters a row in the transaction that is open (or opens one). */
CT_USE bool ct_custody_add(ct_db *db, const ct_custody *row, ct_err *err);

/* ---- the catalogue ---- */

/* The columns that ct_bag_of and ct_give_chart read, of `bag b` and `chart c`. */
#define CT_BAG_COLUMNS                                                                             \
    "b.hash, b.name, b.first, b.last, b.retention, b.authority, b.destroy_after, b.charts, "       \
    "b.records, b.bytes,"                                                                          \
    " b.entered, b.status"
enum { CT_BAG_COLUMN_COUNT = 12 };
#define CT_CHART_COLUMNS                                                                           \
    "c.path, c.patient, c.names, c.born, c.first, c.last, c.destroy_after, c.records, c.bytes"

/* A bag from the columns from `at` on; borrowed until the next step. */
ct_bag ct_bag_of(sqlite3_stmt *q, int at);

/* Gives the bag of a row: a callback for ct_db_each on CT_BAG_COLUMNS, CT_BAG_COPIES. */
#define CT_BAG_COPIES "(SELECT count(*) FROM copy k WHERE k.bag = b.id AND k.state <> 'gone')"
typedef struct ct_bag_reader {
    ct_bag_fn *each;
    void *ctx;
} ct_bag_reader;
bool ct_give_bag(void *reader, sqlite3_stmt *q);

/* Gives the patient of a row: a callback for ct_db_each on one column. */
typedef struct ct_patient_reader {
    ct_patient_fn *each;
    void *ctx;
} ct_patient_reader;
bool ct_give_patient(void *reader, sqlite3_stmt *q);

/* Gives the bag and the chart of a row: a callback for ct_db_each on CT_BAG_COLUMNS,
 * CT_CHART_COLUMNS. */
typedef struct ct_chart_reader {
    ct_chart_fn *each;
    void *ctx;
    ct_arena *arena;
} ct_chart_reader;
bool ct_give_chart(void *reader, sqlite3_stmt *q);

/* A copy is gone, in the transaction that is open; `row` says why and who says so, the rest of it
 * is filled. */
CT_USE bool ct_copy_set_gone(ct_db *db, int64_t copy, ct_custody *row, ct_err *err);
/* A bag's id in the tables and its status; CT_E_USAGE where the catalogue does not know it. */
CT_USE bool ct_bag_known(ct_db *db, ct_str hash, int64_t *id, ct_bag_status *status, ct_err *err);
CT_USE bool ct_bag_set_status(ct_db *db, ct_str hash, ct_bag_status status, ct_err *err);

/* Makes temp.kin(patient, person) of the links that the catalogue knows, at the first call: all
 * patients who are one person by them have the same `person`, the id of one of them. Who is linked
 * with nobody is not in it. */
CT_USE bool ct_kin_load(ct_db *db, ct_err *err);

/* Places a hold on the patients of a bag, in the transaction that is open. */
CT_USE bool ct_hold_bag(ct_db *db, int64_t bag, ct_hold *hold, ct_err *err);

/* ---- names ---- */

/* Calls `each` for every word of a name as it is looked for: folded, without what is neither letter
 * nor digit. */
typedef bool ct_word_fn(void *ctx, ct_str word);
bool ct_name_words(ct_db *db, ct_str name, ct_word_fn *each, void *ctx);

#endif
