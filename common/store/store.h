/* SQLite: the disclosure ledger. Append-only and hash-chained: a row that is changed or removed later
 * is detected by ct_ledger_check.
 */
#ifndef CT_STORE_H
#define CT_STORE_H

#include "common/stream/stream.h"

typedef struct ct_db ct_db;

/* Opens (or makes, mode 0600, with its schema) the database. Durable: WAL, synchronous=FULL; waits for
 * other writers for up to 30 seconds. */
CT_USE ct_db *ct_db_open(const char *path, ct_err *err);
/* Opens an existing one for reading. */
CT_USE ct_db *ct_db_open_readonly(const char *path, ct_err *err);
void ct_db_close(ct_db *db);

/* One disclosure: what 45 CFR 164.528(b)(2) asks for, and what proves it. Text is UTF-8. */
typedef struct ct_disclosure {
    int64_t id;          /* given by ct_ledger_begin */
    ct_str when;         /* start, RFC 3339 UTC */
    ct_str recipient;    /* name of the entity or person */
    ct_str address;      /* where known */
    ct_str purpose;      /* v3 ActReason code: TREAT, HPAYMT, HOPERAT … */
    ct_str purpose_text; /* brief statement, where given */
    ct_str description;  /* brief description of what was disclosed */
    ct_str policy;       /* name and hash of the policy that decided */
    ct_str user;         /* who ran it */
    ct_str status;       /* begun, complete, failed */
    ct_str completed;    /* RFC 3339 UTC, where complete or failed */
    ct_str sha256;       /* hex, of the bytes that left */
    uint64_t records, bytes;
} ct_disclosure;

/* Writes a disclosure with its patients (ids) durably, status "begun", before anything leaves; sets
 * `d->id`. Where patients are only known while the stream runs, ct_ledger_patient adds them, each
 * durably before its first record leaves. */
CT_USE bool ct_ledger_begin(ct_db *db, ct_disclosure *d, ct_err *err);
CT_USE bool ct_ledger_patient(ct_db *db, int64_t disclosure, ct_str patient, ct_err *err);
/* Makes what ct_ledger_patient entered since the last call durable. */
CT_USE bool ct_ledger_commit(ct_db *db, ct_err *err);
/* What a patient's records were, when their part is complete: number of records and a description by
 * type ("3 Encounter, 12 Observation"). */
CT_USE bool ct_ledger_part(ct_db *db, int64_t disclosure, ct_str patient, uint64_t records,
                           ct_str description, ct_err *err);
/* Ends it: status "complete" with hash and counts, or "failed" (what left before is still counted). */
CT_USE bool ct_ledger_end(ct_db *db, const ct_disclosure *d, ct_err *err);

/* Calls `each` for every disclosure that named the patient, oldest first, `since` (RFC 3339 or a date,
 * may be empty) and later. Slices live during the call only. False stops it. */
typedef bool ct_disclosure_fn(void *ctx, const ct_disclosure *d, uint64_t records,
                              ct_str description);
CT_USE bool ct_ledger_accounting(ct_db *db, ct_str patient, ct_str since, ct_disclosure_fn *each,
                                 void *ctx, ct_err *err);
/* Recomputes the chain: true where every row is as it was written; else `err->where` names the first row
 * that is not. */
CT_USE bool ct_ledger_check(ct_db *db, ct_err *err);

#endif
