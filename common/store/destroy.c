/* The two steps of a bag's destruction that the database decides about. */
#include "common/store/internal.h"

static bool exists(ct_db *db, const char *sql, const ct_arg *args, size_t n, bool *found,
                   ct_err *err)
{
    sqlite3_stmt *q;
    int rc;

    if (!ct_db_query(db, sql, args, n, &q, err))
        return false;
    rc = sqlite3_step(q);
    sqlite3_finalize(q);
    *found = rc == SQLITE_ROW;
    return rc == SQLITE_ROW || rc == SQLITE_DONE || ct_db_fail(rc, err);
}

static bool check_kept(ct_db *db, int64_t bag, int64_t mark, ct_err *err)
{
    bool found;

    if (!exists(db, "SELECT 1 FROM custody WHERE kind = 'hold' AND seq > ?1", CT_ARGS(CT_INT(mark)),
                &found, err))
        return false;
    if (found)
        return ct_fail(err, CT_E_USAGE, "a hold was placed in the meantime");
    if (!exists(db,
                "SELECT 1 FROM hold h CROSS JOIN held l ON l.hold = h.id"
                " CROSS JOIN chart c ON c.patient = l.patient"
                " WHERE h.released IS NULL AND c.bag = ?1",
                CT_ARGS(CT_INT(bag)), &found, err))
        return false;
    return !found || ct_fail(err, CT_E_USAGE, "a hold names one of its patients");
}

static bool begin(ct_db *db, ct_str bag, const ct_destruction *d, ct_err *err)
{
    int64_t id;
    ct_bag_status status;

    if (!ct_bag_known(db, bag, &id, &status, err))
        return false;
    if (!id)
        return ct_fail(err, CT_E_USAGE, "there is no such bag");
    if (status == CT_BAG_DESTROYED)
        return ct_fail(err, CT_E_USAGE, "the bag was destroyed before");
    if (!check_kept(db, id, d->mark, err))
        return false;
    if (status == CT_BAG_DESTROYING)
        return true;
    return ct_bag_set_status(db, bag, CT_BAG_DESTROYING, err) &&
           ct_custody_add(db,
                          &(ct_custody){.act = CT_ACT_DESTROYING,
                                        .bag = bag,
                                        .reason = d->why,
                                        .person = d->by,
                                        .witness = d->witness},
                          err);
}

bool ct_bag_destroying(ct_db *db, ct_str bag, const ct_destruction *d, ct_err *err)
{
    if (!d->by.n || !d->witness.n || !d->why.n)
        return ct_fail(err, CT_E_USAGE, "a destruction needs two people and a reason");
    return ct_db_write(db, err) && ct_db_settle(db, begin(db, bag, d, err), err);
}

static bool finish(ct_db *db, ct_str bag, const ct_destruction *d, ct_str certificate, ct_err *err)
{
    int64_t id;
    ct_bag_status status;
    bool found;

    if (!ct_bag_known(db, bag, &id, &status, err))
        return false;
    if (!id || status != CT_BAG_DESTROYING)
        return ct_fail(err, CT_E_USAGE, "the bag is not being destroyed");
    if (!exists(db, "SELECT 1 FROM copy WHERE bag = ?1 AND state = 'present'", CT_ARGS(CT_INT(id)),
                &found, err))
        return false;
    if (found)
        return ct_fail(err, CT_E_USAGE, "a copy is still there");
    if (!exists(db, "SELECT 1 FROM key WHERE bag = ?1", CT_ARGS(CT_TEXT(bag)), &found, err))
        return false;
    if (found)
        return ct_fail(err, CT_E_USAGE, "its key is still there");
    return ct_bag_set_status(db, bag, CT_BAG_DESTROYED, err) &&
           ct_custody_add(db,
                          &(ct_custody){.act = CT_ACT_DESTROYED,
                                        .bag = bag,
                                        .person = d->by,
                                        .witness = d->witness,
                                        .sha256 = certificate},
                          err);
}

bool ct_bag_destroyed(ct_db *db, ct_str bag, const ct_destruction *d, ct_str certificate,
                      ct_err *err)
{
    if (!certificate.n)
        return ct_fail(err, CT_E_USAGE, "a destruction needs a certificate");
    return ct_db_write(db, err) && ct_db_settle(db, finish(db, bag, d, certificate, err), err);
}
