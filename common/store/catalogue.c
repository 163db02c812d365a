/* Bags, their copies and the charts in them. */
#include "common/store/internal.h"

static const char *const statuses[] = {"kept", "destroying", "destroyed"};
static const char *const states[] = {"present", "gone", "unreachable"};

static int word_of(const char *const *words, int n, ct_str text)
{
    for (int i = 0; i < n; i++)
        if (ct_str_is(text, words[i]))
            return i;
    return 0;
}

/* ---- bags ---- */

ct_bag ct_bag_of(sqlite3_stmt *q, int at)
{
    return (ct_bag){
        .hash = ct_db_text(q, at),
        .name = ct_db_text(q, at + 1),
        .first = ct_db_text(q, at + 2),
        .last = ct_db_text(q, at + 3),
        .retention = ct_db_text(q, at + 4),
        .authority = ct_db_text(q, at + 5),
        .destroy_after = ct_db_text(q, at + 6),
        .charts = (uint64_t)sqlite3_column_int64(q, at + 7),
        .records = (uint64_t)sqlite3_column_int64(q, at + 8),
        .bytes = (uint64_t)sqlite3_column_int64(q, at + 9),
        .entered = ct_db_text(q, at + 10),
        .status = (ct_bag_status)word_of(statuses, CT_LEN(statuses), ct_db_text(q, at + 11)),
    };
}

bool ct_give_bag(void *reader, sqlite3_stmt *q)
{
    const ct_bag_reader *r = reader;
    ct_bag b = ct_bag_of(q, 0);

    b.copies = (uint64_t)sqlite3_column_int64(q, CT_BAG_COLUMN_COUNT);
    return r->each(r->ctx, &b);
}

bool ct_bags(ct_db *db, const ct_bag_query *want, ct_bag_fn *each, void *ctx, ct_err *err)
{
    static const char sql[] = "SELECT " CT_BAG_COLUMNS ", " CT_BAG_COPIES
                              " FROM bag b WHERE (?1 IS NULL OR substr(b.hash, 1, length(?1)) = ?1)"
                              " AND (?2 IS NULL OR b.name = ?2) AND (?3 IS NULL OR b.status = ?3)"
                              " AND (?4 IS NULL OR b.id IN (SELECT bag FROM copy WHERE path = ?4"
                              " AND (state <> 'gone' OR b.status = 'destroying'))) ORDER BY b.id";
    ct_str status = want->by_status ? ct_str_z(statuses[want->status]) : (ct_str){NULL, 0};

    return ct_db_is_old(db) || ct_db_each(db, sql,
                                          CT_ARGS(CT_TEXT(want->hash), CT_TEXT(want->name),
                                                  CT_TEXT(status), CT_TEXT(want->path)),
                                          ct_give_bag, &(ct_bag_reader){each, ctx}, err);
}

bool ct_bag_known(ct_db *db, ct_str hash, int64_t *id, ct_bag_status *status, ct_err *err)
{
    sqlite3_stmt *q;
    int rc;

    *id = 0;
    if (!ct_db_query(db, "SELECT id, status FROM bag WHERE hash = ?1", CT_ARGS(CT_TEXT(hash)), &q,
                     err))
        return false;
    rc = sqlite3_step(q);
    if (rc == SQLITE_ROW) {
        *id = sqlite3_column_int64(q, 0);
        *status = (ct_bag_status)word_of(statuses, CT_LEN(statuses), ct_db_text(q, 1));
    }
    sqlite3_finalize(q);
    return rc == SQLITE_ROW || rc == SQLITE_DONE || ct_db_fail(rc, err);
}

bool ct_bag_set_status(ct_db *db, ct_str hash, ct_bag_status status, ct_err *err)
{
    return ct_db_run(db, "UPDATE bag SET status = ?1 WHERE hash = ?2",
                     CT_ARGS(CT_TEXT(ct_str_z(statuses[status])), CT_TEXT(hash)), err);
}

/* ---- copies ---- */

typedef struct copy_reader {
    ct_copy_fn *each;
    void *ctx;
} copy_reader;

static bool give_copy(void *ctx, sqlite3_stmt *q)
{
    const copy_reader *r = ctx;
    ct_copy c = {
        .id = sqlite3_column_int64(q, 0),
        .bag = ct_db_text(q, 1),
        .path = ct_db_text(q, 2),
        .packing = ct_db_text(q, 3),
        .size = (uint64_t)sqlite3_column_int64(q, 4),
        .added = ct_db_text(q, 5),
        .checked = ct_db_text(q, 6),
        .result = ct_db_text(q, 7),
        .state = (ct_copy_state)word_of(states, CT_LEN(states), ct_db_text(q, 8)),
    };

    return r->each(r->ctx, &c);
}

/* NULL, which is smallest, for a copy that was never checked: those come before all. */
#define COPIES                                                                                     \
    "SELECT k.id, b.hash, k.path, k.packing, k.size, k.added, k.checked, k.result, k.state"        \
    " FROM copy k JOIN bag b ON b.id = k.bag WHERE (?1 IS NULL OR b.hash = ?1)"                    \
    " AND (?2 IS NULL OR k.path = ?2) AND (?3 OR k.state <> 'gone')"                               \
    " AND (NOT ?4 OR b.status = 'kept') ORDER BY "

bool ct_copies(ct_db *db, const ct_copy_query *want, ct_copy_fn *each, void *ctx, ct_err *err)
{
    const char *sql =
        want->oldest_first ? COPIES "k.checked, k.id LIMIT ?5" : COPIES "k.id LIMIT ?5";
    int64_t limit = want->limit ? (int64_t)want->limit : -1;

    return ct_db_is_old(db) ||
           ct_db_each(db, sql,
                      CT_ARGS(CT_TEXT(want->bag), CT_TEXT(want->path), CT_INT(want->with_gone),
                              CT_INT(want->kept), CT_INT(limit)),
                      give_copy, &(copy_reader){each, ctx}, err);
}

bool ct_copies_count(ct_db *db, uint64_t *n, ct_err *err)
{
    int64_t count = 0;

    if (!ct_db_is_old(db) &&
        !ct_db_number(db, "SELECT count(*) FROM copy WHERE state <> 'gone'", 0, &count, err))
        return false;
    *n = (uint64_t)count;
    return true;
}

/* Enters a row about a copy: act, result and reason are given. */
static bool note_copy(ct_db *db, int64_t copy, ct_custody *row, ct_err *err)
{
    sqlite3_stmt *q;
    int rc;
    bool ok;

    if (!ct_db_query(db,
                     "SELECT b.hash, k.path FROM copy k JOIN bag b ON b.id = k.bag WHERE k.id = ?1",
                     CT_ARGS(CT_INT(copy)), &q, err))
        return false;
    rc = sqlite3_step(q);
    row->bag = ct_db_text(q, 0);
    row->copy = ct_db_text(q, 1);
    if (rc == SQLITE_ROW)
        ok = ct_custody_add(db, row, err);
    else
        ok = rc == SQLITE_DONE ? ct_fail(err, CT_E_USAGE, "there is no such copy")
                               : ct_db_fail(rc, err);
    sqlite3_finalize(q);
    return ok;
}

/* A copy that somebody could read, or not, before it was destroyed: it stays gone. */
static bool is_gone(ct_db *db, int64_t copy, bool *gone, ct_err *err)
{
    return ct_db_exists(db, "SELECT 1 FROM copy WHERE id = ?1 AND state = 'gone'",
                        CT_ARGS(CT_INT(copy)), gone, err);
}

static bool note_check(ct_db *db, int64_t copy, ct_str result, ct_err *err)
{
    ct_custody row = {.act = CT_ACT_CHECK, .result = result};
    char now[CT_NOW_MAX];
    bool gone;

    if (!is_gone(db, copy, &gone, err))
        return false;
    if (gone)
        return true;
    return ct_db_now(now, err) &&
           ct_db_run(db,
                     "UPDATE copy SET checked = ?1, result = ?2, state = 'present' WHERE id = ?3",
                     CT_ARGS(CT_TEXT(ct_str_z(now)), CT_TEXT(result), CT_INT(copy)), err) &&
           note_copy(db, copy, &row, err);
}

bool ct_copy_checked(ct_db *db, int64_t copy, ct_str result, ct_err *err)
{
    if (!result.n)
        return ct_fail(err, CT_E_USAGE, "a check without a result");
    return ct_db_write(db, err) && ct_db_settle(db, note_check(db, copy, result, err), err);
}

bool ct_copy_set_gone(ct_db *db, int64_t copy, ct_custody *row, ct_err *err)
{
    row->act = CT_ACT_GONE;
    return ct_db_run(db, "UPDATE copy SET state = 'gone' WHERE id = ?1", CT_ARGS(CT_INT(copy)),
                     err) &&
           note_copy(db, copy, row, err);
}

static bool note_unreachable(ct_db *db, int64_t copy, ct_str reason, ct_err *err)
{
    ct_custody row = {.act = CT_ACT_UNREACHABLE, .reason = reason};
    bool gone;

    if (!is_gone(db, copy, &gone, err))
        return false;
    if (gone)
        return true;
    return ct_db_run(db, "UPDATE copy SET state = 'unreachable' WHERE id = ?1",
                     CT_ARGS(CT_INT(copy)), err) &&
           note_copy(db, copy, &row, err);
}

bool ct_copy_unreachable(ct_db *db, int64_t copy, ct_str reason, ct_err *err)
{
    return ct_db_write(db, err) && ct_db_settle(db, note_unreachable(db, copy, reason, err), err);
}

/* ---- charts ---- */

/* The names of a row, which stand one a line. */
static const ct_str *names_of(ct_str text, ct_arena *a, size_t *n)
{
    size_t lines = 1;
    ct_str *names;

    *n = 0;
    if (!text.n)
        return NULL;
    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    names = ct_arena_alloc(a, lines * sizeof(*names));
    while (text.p)
        names[(*n)++] = ct_str_cut(&text, '\n');
    return names;
}

bool ct_give_patient(void *reader, sqlite3_stmt *q)
{
    const ct_patient_reader *r = reader;

    return r->each(r->ctx, ct_db_text(q, 0));
}

bool ct_give_chart(void *reader, sqlite3_stmt *q)
{
    const ct_chart_reader *r = reader;
    enum { AT = CT_BAG_COLUMN_COUNT };
    ct_bag bag = ct_bag_of(q, 0);
    ct_bagged e = {
        .path = ct_db_text(q, AT),
        .patient = ct_db_text(q, AT + 1),
        .born = ct_db_text(q, AT + 3),
        .first = ct_db_text(q, AT + 4),
        .last = ct_db_text(q, AT + 5),
        .destroy_after = ct_db_text(q, AT + 6),
        .records = (uint64_t)sqlite3_column_int64(q, AT + 7),
        .bytes = (uint64_t)sqlite3_column_int64(q, AT + 8),
    };

    ct_arena_reset(r->arena);
    e.names = names_of(ct_db_text(q, AT + 2), r->arena, &e.nnames);
    return r->each(r->ctx, &bag, &e);
}

bool ct_bag_charts(ct_db *db, ct_str bag, ct_chart_fn *each, void *ctx, ct_err *err)
{
    static const char sql[] = "SELECT " CT_BAG_COLUMNS ", " CT_CHART_COLUMNS
                              " FROM bag b JOIN chart c ON c.bag = b.id WHERE b.hash = ?1"
                              " ORDER BY c.path";
    ct_chart_reader r = {each, ctx, ct_arena_new()};
    bool ok =
        ct_db_is_old(db) || ct_db_each(db, sql, CT_ARGS(CT_TEXT(bag)), ct_give_chart, &r, err);

    ct_arena_free(r.arena);
    return ok;
}
