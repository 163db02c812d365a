/* The log of what happened to archived bags. */
#include "common/store/internal.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

static const char *const names[CT_ACTS] = {
    [CT_ACT_BAG] = "bag",
    [CT_ACT_COPY] = "copy",
    [CT_ACT_CHECK] = "check",
    [CT_ACT_GONE] = "gone",
    [CT_ACT_UNREACHABLE] = "unreachable",
    [CT_ACT_HOLD] = "hold",
    [CT_ACT_RELEASE] = "release",
    [CT_ACT_KEY] = "key",
    [CT_ACT_SHRED] = "shred",
    [CT_ACT_DESTROYING] = "destroying",
    [CT_ACT_DESTROYED] = "destroyed",
    [CT_ACT_FIND] = "find",
    [CT_ACT_EXTRACT] = "extract",
    [CT_ACT_REPAIR] = "repair",
    [CT_ACT_CERTIFICATE] = "certificate",
};

const char *ct_act_name(ct_act act)
{
    return names[act];
}

ct_str ct_login_name(ct_arena *a)
{
    const struct passwd *pw = getpwuid(getuid());

    if (pw)
        return ct_arena_copy(a, ct_str_z(pw->pw_name));
    return ct_arena_printf(a, "uid %lu", (unsigned long)getuid());
}

static ct_str given(ct_str s)
{
    return s.n ? s : (ct_str){NULL, 0};
}

/* A count; none is no value. */
static ct_str counted(ct_arena *a, uint64_t n)
{
    return n ? ct_arena_printf(a, "%llu", (unsigned long long)n) : (ct_str){NULL, 0};
}

bool ct_custody_add(ct_db *db, const ct_custody *c, ct_err *err)
{
    ct_arena *a = ct_arena_new();
    ct_row row = {0};
    bool ok;

    row.v[CT_U_BAG] = given(c->bag);
    row.v[CT_U_COPY] = given(c->copy);
    row.v[CT_U_HOLD] = counted(a, (uint64_t)c->hold);
    row.v[CT_U_MATTER] = given(c->matter);
    row.v[CT_U_REASON] = given(c->reason);
    row.v[CT_U_PERSON] = given(c->person);
    row.v[CT_U_WITNESS] = given(c->witness);
    row.v[CT_U_USER] = c->user.n ? c->user : ct_login_name(a);
    row.v[CT_U_RESULT] = given(c->result);
    row.v[CT_U_SHA256] = given(c->sha256);
    row.v[CT_U_CHARTS] = counted(a, c->charts);
    row.v[CT_U_RECORDS] = counted(a, c->records);
    row.v[CT_U_BYTES] = counted(a, c->bytes);
    row.v[CT_U_DETAIL] = given(c->detail);
    ok = ct_chain_append(db, CT_CUSTODY, &row, names[c->act], err);
    ct_arena_free(a);
    return ok;
}

bool ct_custody_enter(ct_db *db, const ct_custody *row, ct_err *err)
{
    return ct_db_settle(db, ct_custody_add(db, row, err), err);
}

/* ---- reading ---- */

typedef struct reader {
    ct_custody_fn *each;
    void *ctx;
} reader;

static ct_act act_of(ct_str kind)
{
    ct_act act = 0;

    while (act < CT_ACTS && !ct_str_is(kind, names[act]))
        act++;
    return act;
}

static bool give(void *ctx, sqlite3_stmt *q)
{
    const reader *r = ctx;
    ct_custody c = {
        .seq = sqlite3_column_int64(q, CT_C_SEQ),
        .at = ct_db_text(q, CT_C_AT),
        .act = act_of(ct_db_text(q, CT_C_KIND)),
        .bag = ct_db_text(q, CT_U_BAG),
        .copy = ct_db_text(q, CT_U_COPY),
        .hold = sqlite3_column_int64(q, CT_U_HOLD),
        .matter = ct_db_text(q, CT_U_MATTER),
        .reason = ct_db_text(q, CT_U_REASON),
        .person = ct_db_text(q, CT_U_PERSON),
        .witness = ct_db_text(q, CT_U_WITNESS),
        .user = ct_db_text(q, CT_U_USER),
        .result = ct_db_text(q, CT_U_RESULT),
        .sha256 = ct_db_text(q, CT_U_SHA256),
        .charts = (uint64_t)sqlite3_column_int64(q, CT_U_CHARTS),
        .records = (uint64_t)sqlite3_column_int64(q, CT_U_RECORDS),
        .bytes = (uint64_t)sqlite3_column_int64(q, CT_U_BYTES),
        .detail = ct_db_text(q, CT_U_DETAIL),
    };

    return r->each(r->ctx, &c);
}

bool ct_custody_each(ct_db *db, ct_str bag, ct_custody_fn *each, void *ctx, ct_err *err)
{
    const char *sql = bag.n ? "SELECT * FROM custody WHERE bag = ?1 ORDER BY seq"
                            : "SELECT * FROM custody WHERE ?1 IS NULL ORDER BY seq";

    return ct_db_is_old(db) ||
           ct_db_each(db, sql, CT_ARGS(CT_TEXT(bag)), give, &(reader){each, ctx}, err);
}
