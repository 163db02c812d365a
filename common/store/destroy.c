/* The two steps of a bag's destruction that the database decides about. */
#include "common/store/internal.h"

static bool refuse_where(ct_db *db, const char *sql, const ct_arg *args, size_t n, const char *why,
                         ct_err *err)
{
    bool found;

    if (!ct_db_exists(db, sql, args, n, &found, err))
        return false;
    return !found || ct_fail(err, CT_E_USAGE, why);
}

bool ct_bag_unheld(ct_db *db, ct_str bag, int64_t mark, ct_err *err)
{
    return refuse_where(db,
                        "SELECT 1 FROM custody u JOIN hold h ON h.id = u.hold"
                        " WHERE u.kind = 'hold' AND u.seq > ?1 AND h.released IS NULL",
                        CT_ARGS(CT_INT(mark)), "a hold was placed since its charts were judged",
                        err) &&
           refuse_where(db,
                        "SELECT 1 FROM hold h CROSS JOIN held l ON l.hold = h.id"
                        " CROSS JOIN chart c ON c.patient = l.patient"
                        " WHERE h.released IS NULL"
                        " AND c.bag = (SELECT id FROM bag WHERE hash = ?1)",
                        CT_ARGS(CT_TEXT(bag)), "a hold names one of its patients", err);
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
    return ct_bag_unheld(db, bag, d->mark, err) &&
           ct_bag_set_status(db, bag, CT_BAG_DESTROYING, err) &&
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

static bool set_gone(ct_db *db, int64_t copy, const ct_destruction *d, ct_str how, ct_err *err)
{
    ct_custody row = {.reason = how, .person = d->by, .witness = d->witness};

    return refuse_where(db,
                        "SELECT 1 FROM copy k JOIN bag b ON b.id = k.bag"
                        " WHERE k.id = ?1 AND b.status <> 'destroying'",
                        CT_ARGS(CT_INT(copy)), "the bag is not being destroyed", err) &&
           ct_copy_set_gone(db, copy, &row, err);
}

bool ct_copy_gone(ct_db *db, int64_t copy, const ct_destruction *d, ct_str how, ct_err *err)
{
    if (!d->by.n || !d->witness.n)
        return ct_fail(err, CT_E_USAGE, "a destruction needs two people");
    return ct_db_write(db, err) && ct_db_settle(db, set_gone(db, copy, d, how, err), err);
}

/* Of a copy with another bag in its place custody says that it is gone, too, but nobody answers for
 * that: what the last row about it says counts. */
static bool all_gone(ct_db *db, ct_str bag, ct_err *err)
{
    return refuse_where(db,
                        "SELECT 1 FROM copy k JOIN bag b ON b.id = k.bag WHERE b.hash = ?1"
                        " AND (k.state <> 'gone' OR (SELECT u.witness FROM custody u"
                        "  WHERE u.bag = b.hash AND u.copy = k.path AND u.kind IN ('copy', 'gone')"
                        "  ORDER BY u.seq DESC LIMIT 1) IS NULL)",
                        CT_ARGS(CT_TEXT(bag)), "not all of its copies are known to be gone", err);
}

static bool finish(ct_db *db, ct_str bag, const ct_destruction *d, ct_str certificate, ct_err *err)
{
    int64_t id;
    ct_bag_status status;

    if (!ct_bag_known(db, bag, &id, &status, err))
        return false;
    if (!id || status != CT_BAG_DESTROYING)
        return ct_fail(err, CT_E_USAGE, "the bag is not being destroyed");
    return all_gone(db, bag, err) &&
           refuse_where(db, "SELECT 1 FROM key WHERE bag = ?1", CT_ARGS(CT_TEXT(bag)),
                        "its key is still there", err) &&
           ct_bag_set_status(db, bag, CT_BAG_DESTROYED, err) &&
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
