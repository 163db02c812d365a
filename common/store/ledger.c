/* Entering disclosures. */
#include "common/store/internal.h"

#include <stdio.h>

/* `disclosure` 0: the row's own number. */
static bool append(ct_db *db, ct_row row, const char *kind, int64_t disclosure, ct_err *err)
{
    char of[24];

    if (!disclosure && !ct_chain_next(db, CT_LEDGER, &disclosure, err))
        return false;
    snprintf(of, sizeof of, "%lld", (long long)disclosure);
    row.v[CT_L_DISCLOSURE] = ct_str_z(of);
    return ct_chain_append(db, CT_LEDGER, &row, kind, err);
}

/* Empty text is kept as NULL. */
static ct_str given(ct_str s)
{
    return s.n ? s : (ct_str){NULL, 0};
}

bool ct_ledger_begin(ct_db *db, ct_disclosure *d, ct_err *err)
{
    ct_row row = {0};

    row.v[CT_L_RECIPIENT] = given(d->recipient);
    row.v[CT_L_ADDRESS] = given(d->address);
    row.v[CT_L_PURPOSE] = given(d->purpose);
    row.v[CT_L_PURPOSE_TEXT] = given(d->purpose_text);
    row.v[CT_L_POLICY] = given(d->policy);
    row.v[CT_L_USER] = given(d->user);
    if (db->alone) {
        ct_fail(err, CT_E_USAGE, "a disclosure was begun without a patient");
        return ct_db_rollback(db);
    }
    if (!append(db, row, "begin", 0, err))
        return false;
    db->alone = true;
    d->id = db->tails[CT_LEDGER].seq;
    return true;
}

bool ct_ledger_patient(ct_db *db, int64_t disclosure, ct_str patient, uint64_t records,
                       ct_str description, ct_err *err)
{
    char count[24];
    ct_row row = {0};

    if (!patient.n) {
        ct_fail(err, CT_E_USAGE, "a patient without an id");
        return ct_db_rollback(db);
    }
    snprintf(count, sizeof count, "%llu", (unsigned long long)records);
    row.v[CT_L_PATIENT] = patient;
    row.v[CT_L_DESCRIPTION] = given(description);
    row.v[CT_L_RECORDS] = ct_str_z(count);
    if (!append(db, row, "patient", disclosure, err))
        return false;
    db->alone = false;
    return true;
}

bool ct_ledger_commit(ct_db *db, ct_err *err)
{
    if (db->alone) {
        ct_fail(err, CT_E_USAGE, "a disclosure was begun without a patient");
        return ct_db_rollback(db);
    }
    return ct_db_commit(db, err);
}

bool ct_ledger_end(ct_db *db, const ct_disclosure *d, ct_err *err)
{
    char records[24], bytes[24];
    ct_row row = {0};

    snprintf(records, sizeof records, "%llu", (unsigned long long)d->records);
    snprintf(bytes, sizeof bytes, "%llu", (unsigned long long)d->bytes);
    row.v[CT_L_STATUS] = given(d->status);
    row.v[CT_L_RECORDS] = ct_str_z(records);
    row.v[CT_L_BYTES] = ct_str_z(bytes);
    row.v[CT_L_SHA256] = given(d->sha256);
    return append(db, row, "end", d->id, err) && ct_ledger_commit(db, err);
}
