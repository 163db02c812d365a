/* Whose bags are: patients who are one person by the links between their records, and where else
 * there are charts of them. */
#include "common/store/internal.h"

#include <stdlib.h>

/* ---- persons ---- */

typedef struct kin {
    ct_arena *arena;
    ct_str *ends; /* of links, two by two */
    size_t n, cap;
    ct_str *patients; /* the same in order, each once */
    size_t npatients;
    size_t *up; /* of each: towards the one that stands for the person */
} kin;

static bool take_link(void *ctx, sqlite3_stmt *q)
{
    kin *k = ctx;

    if (k->n + 2 > k->cap) {
        k->cap = k->cap ? 2 * k->cap : 256;
        k->ends = ct_realloc(k->ends, k->cap, sizeof(*k->ends));
    }
    for (int i = 0; i < 2; i++)
        k->ends[k->n++] = ct_arena_copy(k->arena, ct_db_text(q, i));
    return true;
}

static int by_text(const void *a, const void *b)
{
    return ct_str_cmp(*(const ct_str *)a, *(const ct_str *)b);
}

static void put_in_order(kin *k)
{
    k->patients = ct_calloc(k->n + 1, sizeof(*k->patients));
    k->up = ct_calloc(k->n + 1, sizeof(*k->up));
    if (k->n == 0)
        return;
    memcpy(k->patients, k->ends, k->n * sizeof(*k->patients));
    qsort(k->patients, k->n, sizeof(*k->patients), by_text);
    for (size_t i = 0; i < k->n; i++)
        if (k->npatients == 0 || !ct_str_eq(k->patients[k->npatients - 1], k->patients[i]))
            k->patients[k->npatients++] = k->patients[i];
    for (size_t i = 0; i < k->npatients; i++)
        k->up[i] = i;
}

/* Who stands for the person; the way there gets shorter each time. */
static size_t person_of(kin *k, size_t i)
{
    while (k->up[i] != i) {
        k->up[i] = k->up[k->up[i]];
        i = k->up[i];
    }
    return i;
}

static size_t place_of(const kin *k, ct_str patient)
{
    const ct_str *found =
        bsearch(&patient, k->patients, k->npatients, sizeof(*k->patients), by_text);

    return (size_t)(found - k->patients);
}

static void join(kin *k)
{
    for (size_t i = 0; i < k->n; i += 2) {
        size_t a = person_of(k, place_of(k, k->ends[i])),
               b = person_of(k, place_of(k, k->ends[i + 1]));

        k->up[a > b ? a : b] = a > b ? b : a;
    }
}

static bool put_kin(ct_db *db, kin *k, ct_err *err)
{
    sqlite3_stmt *q;
    bool ok = ct_db_prepare(db, "INSERT INTO temp.kin VALUES (?1, ?2)", &q, err);

    for (size_t i = 0; ok && i < k->npatients; i++)
        ok = ct_db_step(q, CT_ARGS(CT_TEXT(k->patients[i]), CT_TEXT(k->patients[person_of(k, i)])),
                        err);
    sqlite3_finalize(q);
    return ok;
}

bool ct_kin_load(ct_db *db, ct_err *err)
{
    static const char table[] =
        "CREATE TEMP TABLE IF NOT EXISTS kin (patient PRIMARY KEY, person) WITHOUT ROWID;"
        "CREATE INDEX IF NOT EXISTS temp.kin_person ON kin(person);"
        "DELETE FROM temp.kin";
    kin k = {.arena = ct_arena_new()};

    if (!db->kin && ct_db_exec(db, table, err) &&
        ct_db_each(db, "SELECT patient, other FROM linked", NULL, 0, take_link, &k, err)) {
        put_in_order(&k);
        join(&k);
        db->kin = put_kin(db, &k, err);
    }
    free(k.ends);
    free(k.patients);
    free(k.up);
    ct_arena_free(k.arena);
    return db->kin;
}

/* ---- the people of a bag ---- */

/* Who has records in a bag, and their last day, where it is known. */
#define OWN                                                                                        \
    "SELECT patient, last FROM chart WHERE bag = (SELECT id FROM bag WHERE hash = ?1)"             \
    " UNION ALL SELECT a.patient, NULL FROM chart c CROSS JOIN also a ON a.chart = c.id"           \
    " WHERE c.bag = (SELECT id FROM bag WHERE hash = ?1)"

bool ct_bag_people(ct_db *db, ct_str bag, ct_patient_fn *each, void *ctx, ct_err *err)
{
    static const char sql[] =
        "WITH own(patient, last) AS (" OWN ") SELECT patient FROM own UNION ALL"
        " SELECT patient FROM temp.kin WHERE person IN (SELECT k.person FROM own CROSS JOIN"
        " temp.kin k ON k.patient = own.patient)";

    return ct_db_is_old(db) ||
           (ct_kin_load(db, err) && ct_db_each(db, sql, CT_ARGS(CT_TEXT(bag)), ct_give_patient,
                                               &(ct_patient_reader){each, ctx}, err));
}

bool ct_kin(ct_db *db, ct_str patient, ct_patient_fn *each, void *ctx, ct_err *err)
{
    static const char sql[] =
        "SELECT patient FROM temp.kin WHERE person = (SELECT person FROM temp.kin"
        " WHERE patient = ?1) AND patient <> ?1";

    return ct_db_is_old(db) ||
           (ct_kin_load(db, err) && ct_db_each(db, sql, CT_ARGS(CT_TEXT(patient)), ct_give_patient,
                                               &(ct_patient_reader){each, ctx}, err));
}

/* ---- later charts ---- */

/* One pass over the bag's charts and one look into the index for each person, however many charts
 * and links a person has. */
bool ct_bag_later(ct_db *db, ct_str bag, ct_bag_fn *each, void *ctx, ct_err *err)
{
    static const char sql[] =
        "WITH own(patient, last) AS (" OWN "),"
        " mine(person, last) AS MATERIALIZED (SELECT coalesce(k.person, own.patient),"
        "  CASE WHEN count(*) = count(own.last) THEN max(own.last) END"
        "  FROM own LEFT JOIN temp.kin k ON k.patient = own.patient GROUP BY 1),"
        " them(patient, last) AS MATERIALIZED (SELECT person, last FROM mine UNION ALL"
        "  SELECT k.patient, m.last FROM mine m CROSS JOIN temp.kin k ON k.person = m.person"
        "  WHERE k.patient <> m.person),"
        " later(bag) AS ("
        "  SELECT c.bag FROM them t CROSS JOIN chart c ON c.patient = t.patient"
        "  WHERE coalesce(c.last > t.last, 1) UNION"
        "  SELECT c.bag FROM them t CROSS JOIN also a ON a.patient = t.patient"
        "  CROSS JOIN chart c ON c.id = a.chart)"
        " SELECT " CT_BAG_COLUMNS ", " CT_BAG_COPIES
        " FROM bag b WHERE b.id IN (SELECT bag FROM later)"
        " AND b.hash <> ?1 AND b.status <> 'destroyed' ORDER BY b.id";

    return ct_db_is_old(db) ||
           (ct_kin_load(db, err) && ct_db_each(db, sql, CT_ARGS(CT_TEXT(bag)), ct_give_bag,
                                               &(ct_bag_reader){each, ctx}, err));
}
