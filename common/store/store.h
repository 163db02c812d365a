/* SQLite: the disclosure ledger.
 *
 * One table, `ledger`, to which rows are only ever added (triggers refuse the rest), so a change of
 * state is a row of its own:
 *
 *     begin    a disclosure: to whom, why, by which policy. Its `seq` is the disclosure's id
 *     patient  whose records are about to leave with it, how many and of which types
 *     end      it is over: `complete` or `failed`, with the count and SHA-256 of what left
 *
 * A disclosure without an end was interrupted (or is under way): what its patient rows name may
 * have been disclosed. Every row carries the hash of the one before and its own: SHA-256, in
 * lower-case hexadecimal, over every column but `hash` that is not NULL, in the order of the table,
 * each as
 *
 *     NAME:LENGTH:VALUE LF
 *
 * (LENGTH in bytes, numbers in decimal), so that anyone can recompute the chain. A row that is
 * changed, inserted or removed is detected; rows removed at the end are detected by the sequence
 * counter, and, where somebody tampered with that too, by a head hash that was kept elsewhere.
 */
#ifndef CT_STORE_H
#define CT_STORE_H

#include "common/stream/stream.h"

typedef struct ct_db ct_db;

/* Opens (or makes, mode 0600, with its schema) the database. Durable: WAL, synchronous=FULL; waits
 * for other writers for up to 30 seconds. `path` is always a file's, whatever it is called. */
CT_USE ct_db *ct_db_open(const char *path, ct_err *err);
/* Opens an existing one for reading. */
CT_USE ct_db *ct_db_open_readonly(const char *path, ct_err *err);
/* Was it made by the call that opened it? */
bool ct_db_is_new(const ct_db *db);
/* Drops what was not committed. NULL is allowed. */
void ct_db_close(ct_db *db);

/* One disclosure: what 45 CFR 164.528(b)(2) asks for, and what proves it. Text is UTF-8, empty
 * where there is none. */
typedef struct ct_disclosure {
    int64_t id;          /* given by ct_ledger_begin */
    ct_str when;         /* start, RFC 3339 UTC; given by the ledger */
    ct_str recipient;    /* name of the entity or person */
    ct_str address;      /* where known */
    ct_str purpose;      /* v3 ActReason code: TREAT, HPAYMT, HOPERAT … */
    ct_str purpose_text; /* brief statement, where given */
    ct_str policy;       /* name and hash of the policy that decided */
    ct_str user;         /* who ran it */
    ct_str status;       /* begun, complete, failed */
    ct_str completed;    /* RFC 3339 UTC, where complete or failed; given by the ledger */
    ct_str sha256;       /* hex, of the bytes that left */
    uint64_t records, bytes;
} ct_disclosure;

/* Entering. Begin and patient rows gather in a transaction that keeps other writers waiting, so
 * commit soon; nothing of a patient may leave before ct_ledger_commit returned true. Any failure
 * drops the whole transaction. */

/* Enters a disclosure (recipient, address, purpose, purpose_text, policy, user) and sets `d->id`.
 */
CT_USE bool ct_ledger_begin(ct_db *db, ct_disclosure *d, ct_err *err);
/* Enters a patient (id) whose records are about to leave: how many, and a description by type
 * ("3 Encounter, 12 Observation"). May be entered more than once: the counts add up. */
CT_USE bool ct_ledger_patient(ct_db *db, int64_t disclosure, ct_str patient, uint64_t records,
                              ct_str description, ct_err *err);
/* Makes what was entered durable. A disclosure that was begun without a patient is refused. */
CT_USE bool ct_ledger_commit(ct_db *db, ct_err *err);
/* Ends it, durably: status `complete` or `failed`, sha256, records and bytes of what left. Once
 * only. */
CT_USE bool ct_ledger_end(ct_db *db, const ct_disclosure *d, ct_err *err);

/* Calls `each` for every disclosure that named the patient, oldest first, `since` (RFC 3339 or a
 * date, may be empty) and later, with the number and description of the patient's records. Slices
 * live during the call only. False stops it (which is no error). */
typedef bool ct_disclosure_fn(void *ctx, const ct_disclosure *d, uint64_t records,
                              ct_str description);
CT_USE bool ct_ledger_accounting(ct_db *db, ct_str patient, ct_str since, ct_disclosure_fn *each,
                                 void *ctx, ct_err *err);

typedef struct ct_ledger_state {
    uint64_t rows, disclosures, unfinished;
    char head[2 * CT_SHA256_LEN + 1]; /* hash of the last row, hex; keep it elsewhere */
} ct_ledger_state;

/* Recomputes the chain: true where every row is as it was written; else CT_E_DATA, and `err->where`
 * names the first row that is not. `known_head` (may be empty) is a head that an earlier check
 * gave: it must still be in the chain. `state` may be NULL. */
CT_USE bool ct_ledger_check(ct_db *db, ct_str known_head, ct_ledger_state *state, ct_err *err);

#endif
