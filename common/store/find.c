/* Looking for a patient. */
#include "common/store/internal.h"

/* ---- names ---- */

static bool is_letter(unsigned char c)
{
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Marks that stand in a word and are no part of it, as in O'Brien: their length, or 0. */
static size_t apostrophe(ct_str s)
{
    static const char *const marks[] = {"'", "`", "\xe2\x80\x98", "\xe2\x80\x99", "\xca\xbc"};

    for (size_t i = 0; i < CT_LEN(marks); i++)
        if (ct_str_starts(s, ct_str_z(marks[i])))
            return strlen(marks[i]);
    return 0;
}

bool ct_name_words(ct_db *db, ct_str name, ct_word_fn *each, void *ctx)
{
    ct_buf folded = {0}, word = {0};
    bool ok = true;

    if (!db->unicode)
        db->unicode = ct_unicode_new();
    ct_unicode_put(db->unicode, &folded, name, CT_FOLD_LETTERS);
    ct_buf_c(&folded, ' ');
    for (size_t i = 0; ok && i < folded.n;) {
        size_t skip = apostrophe(ct_str_from(ct_buf_str(&folded), i));

        if (skip) {
            i += skip;
            continue;
        }
        if (is_letter((unsigned char)folded.p[i])) {
            ct_buf_c(&word, folded.p[i]);
        } else if (word.n) {
            ok = each(ctx, ct_buf_str(&word));
            word.n = 0;
        }
        i++;
    }
    ct_buf_free(&folded);
    ct_buf_free(&word);
    return ok;
}

/* ---- the query ---- */

enum { ARGS_MAX = 64 };

typedef struct query {
    ct_buf sql;
    ct_arg args[ARGS_MAX];
    size_t n;
    ct_arena *arena;
    bool narrow; /* something better than dates narrows it down */
} query;

static void start_term(query *q)
{
    ct_buf_z(&q->sql, " AND ");
}

/* Appends `?N` for an argument. */
static void put_arg(query *q, ct_arg a)
{
    q->args[q->n++] = a;
    ct_buf_printf(&q->sql, "?%zu", q->n);
}

/* What is behind every text that begins so: no byte of UTF-8 is 0xff. */
static ct_arg behind(query *q, ct_str prefix)
{
    return CT_TEXT(ct_arena_join(q->arena, (ct_str[]){prefix, CT_S("\xff")}, 2));
}

/* A word of the name: its charts, of which those of the next words are left. */
static bool put_word(void *ctx, ct_str word)
{
    query *q = ctx;
    ct_str w = ct_arena_copy(q->arena, word);

    if (q->n + 2 > ARGS_MAX / 2)
        return false;
    if (q->narrow) {
        ct_buf_z(&q->sql, " INTERSECT ");
    } else {
        start_term(q);
        ct_buf_z(&q->sql, "c.id IN (");
    }
    ct_buf_z(&q->sql, "SELECT chart FROM word WHERE word >= ");
    put_arg(q, CT_TEXT(w));
    ct_buf_z(&q->sql, " AND word < ");
    put_arg(q, behind(q, w));
    q->narrow = true;
    return true;
}

static bool put_name(ct_db *db, query *q, ct_str name, ct_err *err)
{
    if (!name.n)
        return true;
    if (!ct_name_words(db, name, put_word, q))
        return ct_fail(err, CT_E_USAGE, "a name of too many words");
    if (!q->narrow)
        return ct_fail(err, CT_E_USAGE, "a name without a letter or digit");
    ct_buf_c(&q->sql, ')');
    return true;
}

static void put_number(query *q, const ct_chart_query *want)
{
    start_term(q);
    ct_buf_z(&q->sql, "c.id IN (SELECT chart FROM number WHERE value = ");
    put_arg(q, CT_TEXT(want->number));
    if (want->system.n) {
        ct_buf_z(&q->sql, " AND system = ");
        put_arg(q, CT_TEXT(want->system));
    }
    ct_buf_c(&q->sql, ')');
    q->narrow = true;
}

static void put_patient(query *q, ct_str patient)
{
    start_term(q);
    ct_buf_z(&q->sql, "c.id IN (SELECT id FROM chart WHERE patient = ");
    put_arg(q, CT_TEXT(patient));
    ct_buf_z(&q->sql, " UNION ALL SELECT chart FROM also WHERE patient = ");
    put_arg(q, CT_TEXT(patient));
    ct_buf_c(&q->sql, ')');
    q->narrow = true;
}

/* What begins as asked, and what is known less precisely. */
static void put_born(query *q, ct_str born)
{
    start_term(q);
    ct_buf_z(&q->sql, "(c.born >= ");
    put_arg(q, CT_TEXT(born));
    ct_buf_z(&q->sql, " AND c.born < ");
    put_arg(q, behind(q, born));
    for (size_t n = born.n; n-- > 0;) {
        if (born.p[n] != '-')
            continue;
        ct_buf_z(&q->sql, " OR c.born = ");
        put_arg(q, CT_TEXT(ct_str_head(born, n)));
    }
    ct_buf_c(&q->sql, ')');
    q->narrow = true;
}

/* Is less of the archive before `to` than behind `from`? */
static bool mostly_behind(ct_db *db, ct_str from, ct_str to, bool *behind_from, ct_err *err)
{
    static const char sql[] =
        "SELECT julianday(coalesce(?2, '9999-12-31')) - julianday((SELECT min(first) FROM chart)) <"
        " julianday((SELECT max(last) FROM chart)) - julianday(coalesce(?1, '0001-01-01'))";
    sqlite3_stmt *q;
    int rc;

    if (!ct_db_query(db, sql, CT_ARGS(CT_TEXT(from), CT_TEXT(to)), &q, err))
        return false;
    rc = sqlite3_step(q);
    *behind_from = rc == SQLITE_ROW && sqlite3_column_int(q, 0) != 0;
    sqlite3_finalize(q);
    return rc == SQLITE_ROW || ct_db_fail(rc, err);
}

/* A plus keeps SQLite from an index where another narrows more: that of the first days or that of
 * the last days, whichever has less to look through, and none where dates are not all that is
 * asked for. */
static bool put_dates(ct_db *db, query *q, ct_str from, ct_str to, ct_err *err)
{
    bool by_first = false;

    if (!q->narrow && !ct_db_is_old(db) && !mostly_behind(db, from, to, &by_first, err))
        return false;
    if (from.n) {
        start_term(q);
        ct_buf_printf(&q->sql, "%sc.last >= ", q->narrow || by_first ? "+" : "");
        put_arg(q, CT_TEXT(from));
    }
    if (to.n) {
        start_term(q);
        ct_buf_printf(&q->sql, "%sc.first <= ", q->narrow || !by_first ? "+" : "");
        put_arg(q, CT_TEXT(to));
    }
    return true;
}

static bool put_terms(ct_db *db, query *q, const ct_chart_query *want, ct_err *err)
{
    if (!put_name(db, q, want->name, err))
        return false;
    if (want->number.n)
        put_number(q, want);
    if (want->patient.n)
        put_patient(q, want->patient);
    if (want->born.n)
        put_born(q, want->born);
    if ((want->from.n || want->to.n) && !put_dates(db, q, want->from, want->to, err))
        return false;
    return q->n > 0 || ct_fail(err, CT_E_USAGE, "nothing to look for");
}

static bool build(ct_db *db, query *q, const ct_chart_query *want, ct_err *err)
{
    ct_buf_z(&q->sql, "SELECT " CT_BAG_COLUMNS ", " CT_CHART_COLUMNS
                      " FROM chart c CROSS JOIN bag b ON b.id = c.bag WHERE ");
    ct_buf_z(&q->sql, want->destroyed ? "1" : "b.status <> 'destroyed'");
    if (!put_terms(db, q, want, err))
        return false;
    ct_buf_z(&q->sql, " ORDER BY +c.id LIMIT ");
    put_arg(q, CT_INT(want->limit ? (int64_t)want->limit : -1));
    ct_buf_c(&q->sql, '\0');
    return true;
}

bool ct_charts_find(ct_db *db, const ct_chart_query *want, ct_chart_fn *each, void *ctx,
                    ct_err *err)
{
    query q = {.arena = ct_arena_new()};
    ct_chart_reader r = {each, ctx, ct_arena_new()};
    bool ok = build(db, &q, want, err) &&
              (ct_db_is_old(db) || ct_db_each(db, q.sql.p, q.args, q.n, ct_give_chart, &r, err));

    ct_arena_free(r.arena);
    ct_arena_free(q.arena);
    ct_buf_free(&q.sql);
    return ok;
}
