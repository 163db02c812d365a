/* The catalogue of archived bags, holds, keys, and the log of custody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/store/store.h"
#include "tests/helpers/folder.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char hash_a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
static const char hash_b[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

static ct_db *must_open(void)
{
    ct_err err;
    ct_db *db = ct_db_open("charts.db", &err);

    assert_non_null(db);
    return db;
}

/* What somebody with the sqlite3 shell does. */
static int tamper(const char *sql)
{
    sqlite3 *db;
    int rc;

    assert_int_equal(sqlite3_open("charts.db", &db), SQLITE_OK);
    rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_close(db);
    return rc;
}

static void gather_people(ct_db *db)
{
    static const ct_str muller[] = {{"Müller, Änne Marie", 20}, {"Schulz, Anna", 12}};
    static const ct_str brien[] = {{"O'Brien-Łoś, Søren", 21}};
    static const ct_number mrn[] = {{{"urn:mrn", 7}, {"00123", 5}}, {{"urn:ssn", 7}, {"77", 2}}};
    static const ct_number other[] = {{{"urn:other", 9}, {"00123", 5}}, {{NULL, 0}, {"x-1", 3}}};
    const ct_bagged people[] = {
        {.path = CT_S("data/charts/p1.ndjson"),
         .patient = CT_S("p1"),
         .born = CT_S("1980-02-29"),
         .first = CT_S("2001-01-01"),
         .last = CT_S("2005-06-30"),
         .records = 3,
         .bytes = 300,
         .names = muller,
         .nnames = 2,
         .numbers = mrn,
         .nnumbers = 2},
        {.path = CT_S("data/charts/p2.ndjson"),
         .patient = CT_S("p2"),
         .born = CT_S("1980"),
         .first = CT_S("2006-01-01"),
         .last = CT_S("2007-01-01"),
         .destroy_after = CT_S("2017-01-01"),
         .records = 4,
         .bytes = 400,
         .names = brien,
         .nnames = 1,
         .numbers = other,
         .nnumbers = 2},
        {.path = CT_S("data/charts/p3.ndjson"), .patient = CT_S("p3")},
    };

    assert_true(ct_bag_gather(db, NULL));
    for (size_t i = 0; i < CT_LEN(people); i++)
        assert_true(ct_bag_chart(db, &people[i], NULL));
}

static ct_entered enter(ct_db *db, const char *hash, const char *path, const char *result)
{
    ct_bag bag = {.hash = ct_str_z(hash),
                  .name = CT_S("2019"),
                  .retention = CT_S("adult"),
                  .records = 7,
                  .bytes = 700};
    ct_copy copy = {
        .path = ct_str_z(path), .packing = CT_S("zip"), .size = 99, .result = ct_str_z(result)};
    ct_entered how;
    ct_err err;

    assert_true(ct_bag_enter(db, &bag, &copy, &how, &err));
    return how;
}

/* Two bags, of which the first has three charts and two copies. */
static ct_db *fill(void)
{
    ct_db *db = must_open();

    gather_people(db);
    assert_int_equal(enter(db, hash_a, "/a/2019.zip", "valid"), CT_ENTERED_BAG);
    gather_people(db);
    assert_int_equal(enter(db, hash_a, "/b/2019.zip", ""), CT_ENTERED_COPY);
    assert_int_equal(enter(db, hash_b, "/a/2020.zip", ""), CT_ENTERED_BAG);
    return db;
}

/* ---- what is written down of an iteration ---- */

static bool put_bag(void *ctx, const ct_bag *b)
{
    static const char *const statuses[] = {"kept", "destroying", "destroyed"};

    ct_buf_printf(ctx, "%.1s %.*s..%.*s %d/%d/%d %s %d\n", b->hash.p, (int)b->first.n,
                  b->first.n ? b->first.p : "", (int)b->last.n, b->last.n ? b->last.p : "",
                  (int)b->charts, (int)b->records, (int)b->bytes, statuses[b->status],
                  (int)b->copies);
    return true;
}

static bool put_copy(void *ctx, const ct_copy *c)
{
    static const char *const states[] = {"present", "gone", "unreachable"};

    ct_buf_printf(ctx, "%d %.1s %.*s %s %.*s\n", (int)c->id, c->bag.p, (int)c->path.n, c->path.p,
                  states[c->state], (int)c->result.n, c->result.n ? c->result.p : "");
    return true;
}

static bool put_chart(void *ctx, const ct_bag *b, const ct_bagged *c)
{
    ct_buf_printf(ctx, "%.1s %.*s", b->hash.p, (int)c->patient.n, c->patient.p);
    for (size_t i = 0; i < c->nnames; i++)
        ct_buf_printf(ctx, " [%.*s]", (int)c->names[i].n, c->names[i].p);
    ct_buf_c(ctx, '\n');
    return true;
}

static bool put_hold(void *ctx, const ct_hold *h)
{
    ct_buf_printf(ctx, "%d %.*s %d%s\n", (int)h->id, (int)h->matter.n, h->matter.p,
                  (int)h->patients, h->released.n ? " released" : "");
    return true;
}

static bool put_custody(void *ctx, const ct_custody *c)
{
    ct_buf_printf(ctx, "%s%s", c->seq > 1 ? " " : "", ct_act_name(c->act));
    assert_int_equal(c->at.n, 20);
    assert_true(c->user.n > 0);
    return true;
}

static void expect(ct_buf *got, const char *expected)
{
    ct_buf_c(got, '\0');
    assert_string_equal(got->p, expected);
    ct_buf_free(got);
}

static void expect_copies(ct_db *db, ct_copy_query q, const char *expected)
{
    ct_buf got = {0};

    assert_true(ct_copies(db, &q, put_copy, &got, NULL));
    expect(&got, expected);
}

static void expect_bags(ct_db *db, ct_bag_query q, const char *expected)
{
    ct_buf got = {0};

    assert_true(ct_bags(db, &q, put_bag, &got, NULL));
    expect(&got, expected);
}

static void expect_log(ct_db *db, const char *bag, const char *expected)
{
    ct_buf got = {0};

    assert_true(ct_custody_each(db, ct_str_z(bag), put_custody, &got, NULL));
    expect(&got, expected);
}

/* ---- bags and copies ---- */

static void bags_and_copies(void **state)
{
    ct_db *db = fill();
    uint64_t n;

    (void)state;
    expect_bags(db, (ct_bag_query){0},
                "a 2001-01-01..2007-01-01 3/7/700 kept 2\nb .. 0/7/700 kept 1\n");
    expect_bags(db, (ct_bag_query){.hash = CT_S("bb")}, "b .. 0/7/700 kept 1\n");
    expect_bags(db, (ct_bag_query){.path = CT_S("/b/2019.zip")},
                "a 2001-01-01..2007-01-01 3/7/700 kept 2\n");
    expect_bags(db, (ct_bag_query){.by_status = true, .status = CT_BAG_DESTROYED}, "");
    expect_bags(db, (ct_bag_query){.name = CT_S("201")}, "");
    expect_copies(db, (ct_copy_query){0},
                  "1 a /a/2019.zip present valid\n2 a /b/2019.zip present \n"
                  "3 b /a/2020.zip present \n");
    assert_true(ct_copies_count(db, &n, NULL));
    assert_int_equal(n, 3);
    expect_log(db, "", "bag copy copy bag copy");
    ct_db_close(db);
}

static void entered_again(void **state)
{
    ct_db *db = fill();
    ct_custody_state before, after;

    (void)state;
    assert_true(ct_custody_check(db, CT_S(""), &before, NULL));
    gather_people(db);
    assert_int_equal(enter(db, hash_a, "/a/2019.zip", "valid"), CT_ENTERED_NONE);
    assert_true(ct_custody_check(db, CT_S(""), &after, NULL));
    assert_string_equal(before.head, after.head);
    /* A copy that was lost and found. */
    assert_true(ct_copy_unreachable(db, 2, CT_S(""), NULL));
    assert_int_equal(enter(db, hash_a, "/b/2019.zip", "valid"), CT_ENTERED_COPY);
    expect_copies(db, (ct_copy_query){.bag = CT_S(hash_a)},
                  "1 a /a/2019.zip present valid\n2 a /b/2019.zip present valid\n");
    ct_db_close(db);
}

static void another_bag_in_its_place(void **state)
{
    ct_db *db = fill();

    (void)state;
    assert_int_equal(enter(db, hash_b, "/b/2019.zip", ""), CT_ENTERED_COPY);
    expect_copies(db, (ct_copy_query){.path = CT_S("/b/2019.zip"), .with_gone = true},
                  "2 a /b/2019.zip gone \n4 b /b/2019.zip present \n");
    expect_log(db, "", "bag copy copy bag copy gone copy");
    ct_db_close(db);
}

static void checks(void **state)
{
    ct_db *db = fill();
    ct_err err;

    (void)state;
    /* Never checked before all others; of those that were, the longest ago. */
    expect_copies(db, (ct_copy_query){.oldest_first = true, .limit = 2},
                  "2 a /b/2019.zip present \n3 b /a/2020.zip present \n");
    assert_true(ct_copy_unreachable(db, 2, CT_S("not mounted"), &err));
    assert_true(ct_copy_checked(db, 3, CT_S("not valid"), &err));
    ct_db_close(db);
    assert_int_equal(tamper("UPDATE copy SET checked = '2001-01-01T00:00:00Z' WHERE id = 3"), 0);
    db = must_open();
    expect_copies(db, (ct_copy_query){.oldest_first = true},
                  "2 a /b/2019.zip unreachable \n3 b /a/2020.zip present not valid\n"
                  "1 a /a/2019.zip present valid\n");
    assert_true(ct_copy_checked(db, 2, CT_S("valid"), &err));
    expect_copies(db, (ct_copy_query){.path = CT_S("/b/2019.zip")},
                  "2 a /b/2019.zip present valid\n");
    assert_false(ct_copy_checked(db, 99, CT_S("valid"), &err));
    assert_int_equal(err.kind, CT_E_USAGE);
    expect_log(db, hash_a, "bag copy copy unreachable check");
    ct_db_close(db);
}

/* A chart twice: the bag is refused with all that belongs to it. */
static void all_or_nothing(void **state)
{
    ct_bagged twice = {.path = CT_S("data/charts/p1.ndjson"), .patient = CT_S("p1")};
    ct_bag bag = {.hash = CT_S(hash_a), .name = CT_S("2019")};
    ct_copy copy = {.path = CT_S("/a/2019.zip"), .packing = CT_S("zip")};
    ct_db *db = must_open();
    ct_buf got = {0};
    ct_err err;

    (void)state;
    gather_people(db);
    assert_true(ct_bag_chart(db, &twice, &err));
    assert_false(ct_bag_enter(db, &bag, &copy, NULL, &err));
    expect_bags(db, (ct_bag_query){0}, "");
    expect_copies(db, (ct_copy_query){0}, "");
    expect_log(db, "", "");
    assert_true(
        ct_charts_find(db, &(ct_chart_query){.patient = CT_S("p2")}, put_chart, &got, &err));
    expect(&got, "");
    gather_people(db);
    assert_int_equal(enter(db, hash_a, "/a/2019.zip", ""), CT_ENTERED_BAG);
    ct_db_close(db);
}

/* Several bags that are gathered before the first may be entered. */
static void bags_of_a_group(void **state)
{
    ct_bagged p4 = {.path = CT_S("data/charts/p1.ndjson"), .patient = CT_S("p4"), .records = 1};
    ct_db *db = must_open();
    ct_buf got = {0};

    (void)state;
    gather_people(db);
    ct_bag_next(db);
    assert_true(ct_bag_chart(db, &p4, NULL));
    ct_bag_next(db);
    assert_int_equal(enter(db, hash_a, "/a", ""), CT_ENTERED_BAG);
    assert_int_equal(enter(db, hash_b, "/b", ""), CT_ENTERED_BAG);
    expect_bags(db, (ct_bag_query){0},
                "a 2001-01-01..2007-01-01 3/7/700 kept 1\nb .. 1/7/700 kept 1\n");
    assert_true(ct_bag_charts(db, CT_S(hash_b), put_chart, &got, NULL));
    expect(&got, "b p4\n");
    assert_true(
        ct_charts_find(db, &(ct_chart_query){.number = CT_S("x-1")}, put_chart, &got, NULL));
    expect(&got, "a p2 [O'Brien-Łoś, Søren]\n");
    ct_db_close(db);
}

/* While a bag is read, for hours, others go on. */
static void gathering_keeps_nobody_waiting(void **state)
{
    ct_db *a = must_open(), *b = must_open();
    ct_hold hold = {.matter = CT_S("m"), .why = CT_S("w"), .by = CT_S("b")};
    ct_str p2 = CT_S("p2");
    time_t start = time(NULL);

    (void)state;
    gather_people(a);
    assert_true(ct_hold_place(b, &hold, &p2, 1, NULL));
    assert_int_equal(enter(b, hash_b, "/b", ""), CT_ENTERED_BAG);
    assert_int_equal(enter(a, hash_a, "/a", ""), CT_ENTERED_BAG);
    assert_true(time(NULL) - start < 10);
    expect_bags(b, (ct_bag_query){0},
                "b .. 0/7/700 kept 1\n"
                "a 2001-01-01..2007-01-01 3/7/700 kept 1\n");
    ct_db_close(a);
    ct_db_close(b);
}

/* ---- finding ---- */

static void finding(void **state)
{
#define P1 "a p1 [Müller, Änne Marie] [Schulz, Anna]\n"
#define P2 "a p2 [O'Brien-Łoś, Søren]\n"
#define P3 "a p3\n"
    static const struct {
        ct_chart_query want;
        const char *found; /* NULL: refused */
    } cases[] = {
        {{.name = {"müller", 7}}, P1},
        {{.name = {"MULL", 4}}, P1},
        {{.name = {"anne mu", 7}}, P1},
        {{.name = {"schulz, m", 9}}, P1},
        {{.name = {"uller", 5}}, ""},
        {{.name = {"müller soren", 13}}, ""},
        {{.name = {"a m m mu mull", 13}}, P1},
        {{.name = {"obrien", 6}}, P2},
        {{.name = {"O\xe2\x80\x99"
                   "brien",
                   9}},
         P2},
        {{.name = {"los soren", 9}}, P2},
        {{.name = {"s", 1}}, P1 P2},
        {{.name = {"s", 1}, .limit = 1}, P1},
        {{.name = {"mu%", 3}}, P1},
        {{.name = {"' OR 1", 6}}, ""},
        {{.name = {" -.", 3}}, NULL},
        {{.number = {"00123", 5}}, P1 P2},
        {{.number = {"00123", 5}, .system = {"urn:mrn", 7}}, P1},
        {{.number = {"0012", 4}}, ""},
        {{.number = {"x-1", 3}}, P2},
        {{.patient = {"p3", 2}}, P3},
        {{.patient = {"p", 1}}, ""},
        {{.born = {"1980-02-29", 10}}, P1 P2},
        {{.born = {"1980-02", 7}}, P1 P2},
        {{.born = {"1980-03", 7}}, P2},
        {{.born = {"1980", 4}}, P1 P2},
        {{.born = {"198", 3}}, P1 P2},
        {{.born = {"1981", 4}}, ""},
        {{.from = {"2005-06-30", 10}, .to = {"2005-12-31", 10}}, P1},
        {{.from = {"2005-07-01", 10}, .to = {"2005-12-31", 10}}, ""},
        {{.from = {"2005-01-01", 10}}, P1 P2},
        {{.to = {"2001-01-01", 10}}, P1},
        {{.from = {"2001-01-01", 10}, .to = {"2001-01-01", 10}}, P1},
        {{.from = {"2007-01-01", 10}, .to = {"2007-01-02", 10}}, P2},
        {{.from = {"1990-01-01", 10}, .to = {"2000-12-31", 10}}, ""},
        {{.name = {"s", 1}, .born = {"1980-03", 7}, .from = {"2006-05-01", 10}}, P2},
        {{.name = {"s", 1}, .patient = {"p3", 2}}, ""},
        {{.limit = 3}, NULL},
    };
    ct_db *db = fill();

    (void)state;
    for (size_t i = 0; i < CT_LEN(cases); i++) {
        ct_buf got = {0};
        ct_err err = {0};
        bool ok = ct_charts_find(db, &cases[i].want, put_chart, &got, &err);

        assert_int_equal(ok, cases[i].found != NULL);
        if (!ok)
            assert_int_equal(err.kind, CT_E_USAGE);
        expect(&got, ok ? cases[i].found : "");
    }
    ct_db_close(db);
}

static void charts_of_a_bag(void **state)
{
    ct_db *db = fill();
    ct_buf got = {0};

    (void)state;
    assert_true(ct_bag_charts(db, CT_S(hash_a), put_chart, &got, NULL));
    expect(&got, P1 P2 P3);
    assert_true(ct_bag_charts(db, CT_S(hash_b), put_chart, &got, NULL));
    expect(&got, "");
    ct_db_close(db);
}

/* ---- holds ---- */

static int64_t place(ct_db *db, const char *matter, const char *path, const ct_str *p, size_t n)
{
    ct_hold hold = {.matter = ct_str_z(matter),
                    .why = CT_S("subpoena"),
                    .by = CT_S("J. Counsel"),
                    .path = ct_str_z(path)};
    ct_err err;

    assert_true(ct_hold_place(db, &hold, p, n, &err));
    return hold.id;
}

static void expect_held(ct_db *db, const char *patient, const char *expected)
{
    ct_buf got = {0};

    assert_true(ct_held(db, ct_str_z(patient), put_hold, &got, NULL));
    expect(&got, expected);
}

/* ---- whose they are ---- */

static bool join_patient(void *ctx, ct_str patient)
{
    ct_buf_put(ctx, patient);
    ct_buf_c(ctx, ' ');
    return true;
}

static bool join_bag(void *ctx, const ct_bag *bag)
{
    return join_patient(ctx, ct_str_head(bag->hash, 1));
}

/* Three charts in the second bag, later than those of the same paths in the first. */
static void enter_later(ct_db *db)
{
    static const ct_link links[] = {{CT_S("s"), CT_S("x")}, {CT_S("y"), CT_S("x")}};

    gather_people(db);
    assert_int_equal(enter(db, hash_a, "/a.zip", ""), CT_ENTERED_BAG);
    assert_true(ct_bag_gather(db, NULL));
    assert_true(ct_bag_also(db, CT_S("also"), NULL));
    assert_true(ct_bag_chart(db,
                             &(ct_bagged){.path = CT_S("data/s.ndjson"),
                                          .patient = CT_S("s"),
                                          .last = CT_S("2020-01-01"),
                                          .links = links,
                                          .nlinks = CT_LEN(links)},
                             NULL));
    assert_int_equal(enter(db, hash_b, "/b.zip", ""), CT_ENTERED_BAG);
}

static void check_kin(const char *bag, const char *people, const char *later)
{
    ct_db *db = ct_db_open_readonly("charts.db", NULL);
    ct_buf b = {0};

    assert_non_null(db);
    assert_true(ct_bag_people(db, ct_str_z(bag), join_patient, &b, NULL));
    assert_true(ct_str_is(ct_buf_str(&b), people));
    b.n = 0;
    assert_true(ct_bag_later(db, ct_str_z(bag), join_bag, &b, NULL));
    assert_true(ct_str_is(ct_buf_str(&b), later));
    ct_buf_free(&b);
    ct_db_close(db);
}

static void kin_of_a_bag(void **state)
{
    ct_db *db = must_open();

    (void)state;
    enter_later(db);
    ct_db_close(db);
    check_kin(hash_a, "p1 p2 p3 ", "");
    check_kin(hash_b, "s also s x y ", "");
    assert_int_equal(tamper("INSERT INTO linked VALUES ('y', 'p2')"), SQLITE_OK);
    check_kin(hash_a, "p1 p2 p3 p2 s x y ", "b ");
    check_kin(hash_b, "s also p2 s x y ", "");
    assert_int_equal(tamper("UPDATE bag SET status = 'destroyed' WHERE id = 2"), SQLITE_OK);
    check_kin(hash_a, "p1 p2 p3 p2 s x y ", "");
}

/* A database of version 1 knows of no links until it is written to. */
static void kin_of_an_older_database(void **state)
{
    ct_db *db = must_open();

    (void)state;
    enter_later(db);
    ct_db_close(db);
    assert_int_equal(tamper("DROP TABLE also; DROP TABLE linked; DROP INDEX chart_person;"
                            "CREATE INDEX chart_patient ON chart(patient); PRAGMA user_version=1"),
                     SQLITE_OK);
    check_kin(hash_a, "p1 p2 p3 ", "");
    check_kin(hash_b, "s ", "");
    ct_db_close(must_open());
    assert_int_equal(tamper("INSERT INTO linked VALUES ('s', 'p2')"), SQLITE_OK);
    check_kin(hash_a, "p1 p2 p3 p2 s ", "b ");
}

static void holds(void **state)
{
    static const ct_str patients[] = {{"p1", 2}, {"p9", 2}, {"p1", 2}};
    ct_db *db = fill();
    ct_buf got = {0};
    ct_err err;

    (void)state;
    assert_int_equal(place(db, "Doe v. Roe", "", patients, 3), 1);
    assert_int_equal(place(db, "audit", "Patient.birthDate < @1981", NULL, 0), 2);
    assert_int_equal(place(db, "second", "", patients, 1), 3);
    expect_held(db, "p1", "1 Doe v. Roe 2\n3 second 1\n");
    expect_held(db, "p9", "1 Doe v. Roe 2\n");
    expect_held(db, "p2", "");
    assert_true(ct_hold_release(db, 1, CT_S("J. Counsel"), CT_S("settled"), &err));
    expect_held(db, "p1", "3 second 1\n");
    assert_false(ct_hold_release(db, 1, CT_S("J. Counsel"), CT_S("settled"), &err));
    assert_int_equal(err.kind, CT_E_USAGE);
    assert_false(ct_hold_release(db, 77, CT_S("J. Counsel"), CT_S("settled"), &err));
    assert_false(ct_hold_release(db, 3, CT_S(""), CT_S("settled"), &err));
    assert_true(ct_holds(db, true, put_hold, &got, &err));
    expect(&got, "2 audit 0\n3 second 1\n");
    assert_true(ct_holds(db, false, put_hold, &got, &err));
    expect(&got, "1 Doe v. Roe 2 released\n2 audit 0\n3 second 1\n");
    expect_log(db, "", "bag copy copy bag copy hold hold hold release");
    ct_db_close(db);
}

static void holds_that_say_too_little(void **state)
{
    static const ct_str patients[] = {{"p1", 2}, {"", 0}};
    static const struct {
        ct_hold hold;
        size_t n;
    } cases[] = {
        {{.why = {"w", 1}, .by = {"b", 1}}, 1},
        {{.matter = {"m", 1}, .by = {"b", 1}}, 1},
        {{.matter = {"m", 1}, .why = {"w", 1}}, 1},
        {{.matter = {"m", 1}, .why = {"w", 1}, .by = {"b", 1}}, 0},
        {{.matter = {"m", 1}, .why = {"w", 1}, .by = {"b", 1}}, 2},
        {{.matter = {"m", 1}, .why = {"w", 1}, .by = {"b", 1}, .path = {"true", 4}}, 1},
    };
    ct_db *db = must_open();

    (void)state;
    for (size_t i = 0; i < CT_LEN(cases); i++) {
        ct_hold hold = cases[i].hold;
        ct_err err;

        assert_false(ct_hold_place(db, &hold, patients, cases[i].n, &err));
        assert_int_equal(err.kind, CT_E_USAGE);
    }
    expect_log(db, "", "");
    ct_db_close(db);
}

/* Whoever lets a patient slip out of a hold is found out before anything is destroyed. */
static void tampered_holds(void **state)
{
    static const ct_str patients[] = {{"p1", 2}, {"p9", 2}};
    static const struct {
        const char *sql, *where; /* where NULL: sound */
    } cases[] = {
        {"SELECT 1", NULL},
        {"DROP TRIGGER held_no_delete; DELETE FROM held WHERE patient = 'p9'", "hold 1"},
        {"UPDATE held SET patient = 'p8' WHERE patient = 'p9'", "hold 1"},
        {"INSERT INTO held VALUES ('p4', 3)", "hold 3"},
        {"UPDATE hold SET path = 'false' WHERE id = 2", "hold 2"},
        {"UPDATE hold SET released = '2026-01-01T00:00:00Z' WHERE id = 1", "hold 1"},
        {"UPDATE hold SET released = NULL WHERE id = 3", "hold 3"},
        {"DROP TRIGGER hold_no_delete; DELETE FROM hold WHERE id = 1", "hold 1"},
        {"DROP TRIGGER hold_no_delete; DELETE FROM hold WHERE id = 3", "hold 3"},
        {"INSERT INTO hold SELECT 4, matter, why, person, path, placed, patients, sha256, released,"
         " released_by, released_why FROM hold WHERE id = 1",
         "hold 4"},
        {"DROP TRIGGER custody_no_update; UPDATE custody SET matter = 'x' WHERE seq = 1",
         "custody row 1"},
    };

    (void)state;
    for (size_t i = 0; i < CT_LEN(cases); i++) {
        ct_db *db = must_open();
        ct_err err = {0};
        int64_t mark = 0;
        bool ok;

        place(db, "Doe v. Roe", "", patients, 2);
        place(db, "audit", "true", NULL, 0);
        place(db, "old", "", patients, 1);
        assert_true(ct_hold_release(db, 3, CT_S("b"), CT_S("w"), &err));
        ct_db_close(db);
        assert_int_equal(tamper(cases[i].sql), SQLITE_OK);
        db = must_open();
        ok = ct_holds_check(db, &mark, &err);
        assert_int_equal(ok, cases[i].where == NULL);
        if (ok) {
            assert_int_equal(mark, 4);
        } else {
            assert_string_equal(err.where, cases[i].where);
            assert_int_equal(err.kind, CT_E_DATA);
        }
        ct_db_close(db);
        assert_int_equal(system("rm -f charts.db*"), 0);
    }
}

/* ---- destruction ---- */

static const ct_destruction two_people = {
    .by = {"A. Clerk", 8}, .witness = {"B. Clerk", 8}, .why = {"due", 3}, .mark = 0};

/* With another of its copies gone because there is another bag in its place. */
static ct_db *begun(ct_destruction *d)
{
    ct_db *db = fill();
    ct_err err;

    *d = two_people;
    assert_int_equal(enter(db, hash_a, "/c/2019.zip", "valid"), CT_ENTERED_COPY);
    assert_int_equal(enter(db, hash_b, "/c/2019.zip", "valid"), CT_ENTERED_COPY);
    assert_true(ct_key_put(db, CT_S(hash_a), CT_S("0123456789abcdef"), &err));
    assert_true(ct_holds_check(db, &d->mark, &err));
    assert_false(ct_copy_gone(db, 1, d, CT_S("overwritten"), &err));
    assert_string_equal(err.text, "the bag is not being destroyed");
    assert_false(ct_bag_destroyed(db, CT_S(hash_a), d, CT_S("00ff"), &err));
    assert_true(ct_bag_destroying(db, CT_S(hash_a), d, &err));
    return db;
}

static void end_copies(ct_db *db, const ct_destruction *d, int64_t *copies, size_t n)
{
    ct_err err;

    for (size_t i = 0; i < n; i++) {
        assert_false(ct_bag_destroyed(db, CT_S(hash_a), d, CT_S("00ff"), &err));
        assert_string_equal(err.text, "not all of its copies are known to be gone");
        assert_true(ct_copy_gone(db, copies[i], d, CT_S("overwritten"), &err));
        /* Whoever read it meanwhile. */
        assert_true(ct_copy_unreachable(db, copies[i], CT_S("not there"), &err));
        assert_true(ct_copy_checked(db, copies[i], CT_S("not valid"), &err));
    }
}

static void destruction(void **state)
{
    ct_destruction d, alone = {.by = CT_S("A. Clerk"), .why = CT_S("due")};
    ct_db *db = begun(&d);
    ct_buf got = {0};
    ct_err err;

    (void)state;
    assert_false(ct_bag_destroying(db, CT_S(hash_a), &alone, &err));
    assert_false(ct_copy_gone(db, 1, &alone, CT_S("overwritten"), &err));
    assert_true(ct_bag_destroying(db, CT_S(hash_a), &d, &err)); /* going on after an interruption */
    end_copies(db, &d, (int64_t[]){1, 2, 4}, 3);
    assert_false(ct_bag_destroyed(db, CT_S(hash_a), &d, CT_S("00ff"), &err));
    assert_string_equal(err.text, "its key is still there");
    assert_true(ct_key_shred(db, CT_S(hash_a), &err));
    assert_false(ct_bag_destroyed(db, CT_S(hash_a), &d, CT_S(""), &err));
    assert_true(ct_bag_destroyed(db, CT_S(hash_a), &d, CT_S("00ff"), &err));
    assert_false(ct_bag_destroying(db, CT_S(hash_a), &d, &err));
    /* That it existed stays known. */
    expect_bags(db, (ct_bag_query){.by_status = true, .status = CT_BAG_DESTROYED},
                "a 2001-01-01..2007-01-01 3/7/700 destroyed 0\n");
    assert_true(
        ct_charts_find(db, &(ct_chart_query){.patient = CT_S("p3")}, put_chart, &got, &err));
    expect(&got, "");
    assert_true(ct_charts_find(db, &(ct_chart_query){.patient = CT_S("p3"), .destroyed = true},
                               put_chart, &got, &err));
    expect(&got, P3);
    expect_log(db, hash_a,
               "bag copy copy copy gone key destroying destroying gone gone gone shred destroyed");
    ct_db_close(db);
}

/* It is found then, and may be destroyed again; while that goes on, by the path of any copy. */
static void what_was_destroyed_comes_back(void **state)
{
    ct_destruction d;
    ct_db *db = begun(&d);
    ct_err err;

    (void)state;
    assert_true(ct_key_shred(db, CT_S(hash_a), &err));
    end_copies(db, &d, (int64_t[]){1, 2, 4}, 3);
    assert_int_equal(enter(db, hash_a, "/d/2019.zip", "valid"), CT_ENTERED_DOOMED);
    assert_int_equal(enter(db, hash_a, "/d/2019.zip", "valid"), CT_ENTERED_DOOMED);
    expect_bags(db, (ct_bag_query){.path = CT_S("/a/2019.zip")},
                "a 2001-01-01..2007-01-01 3/7/700 destroying 1\n");
    expect_copies(db, (ct_copy_query){.bag = CT_S(hash_a), .kept = true}, "");
    end_copies(db, &d, (int64_t[]){6}, 1);
    assert_true(ct_bag_destroyed(db, CT_S(hash_a), &d, CT_S("00ff"), &err));
    expect_bags(db, (ct_bag_query){.path = CT_S("/a/2019.zip")}, "");
    assert_int_equal(enter(db, hash_a, "/a/2019.zip", "valid"), CT_ENTERED_DOOMED);
    assert_false(ct_bag_destroyed(db, CT_S(hash_a), &d, CT_S("00ff"), &err));
    end_copies(db, &d, (int64_t[]){1}, 1);
    assert_true(ct_bag_destroyed(db, CT_S(hash_a), &d, CT_S("00ff"), &err));
    ct_db_close(db);
}

static void nothing_held_is_destroyed(void **state)
{
    static const ct_str p2 = {"p2", 2};
    ct_destruction d = two_people;
    ct_db *db = fill();
    ct_err err;

    (void)state;
    place(db, "m", "", &p2, 1);
    assert_true(ct_holds_check(db, &d.mark, &err));
    assert_false(ct_bag_destroying(db, CT_S(hash_a), &d, &err));
    assert_string_equal(err.text, "a hold names one of its patients");
    assert_true(ct_hold_release(db, 1, CT_S("b"), CT_S("w"), &err));
    /* One by an expression, placed after the charts were looked at. */
    place(db, "m", "true", NULL, 0);
    assert_false(ct_bag_destroying(db, CT_S(hash_a), &d, &err));
    assert_string_equal(err.text, "a hold was placed since its charts were judged");
    assert_true(ct_holds_check(db, &d.mark, &err));
    assert_true(ct_bag_destroying(db, CT_S(hash_a), &d, &err));
    ct_db_close(db);
}

/* ---- keys ---- */

static void make_key(char key[65], unsigned seed)
{
    uint8_t digest[CT_SHA256_LEN];
    ct_buf b = {0};

    ct_sha256((ct_str){(const char *)&seed, sizeof seed}, digest);
    ct_hex(&b, digest, sizeof digest);
    memcpy(key, b.p, 64);
    key[64] = '\0';
    ct_buf_free(&b);
}

/* Does any file of the database hold this text? */
static bool in_the_files(const char *text)
{
    ct_buf command = {0};
    int rc;

    ct_buf_printf(&command, "grep -qaF '%s' charts.db*%c", text, 0);
    rc = system(command.p);
    ct_buf_free(&command);
    return WEXITSTATUS(rc) == 0;
}

static void put_keys(ct_db *db, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        char key[65], name[16];

        make_key(key, i);
        snprintf(name, sizeof name, "bag %u", i);
        assert_true(ct_key_put(db, ct_str_z(name), ct_str_z(key), NULL));
    }
}

static void keys(void **state)
{
    ct_db *db = must_open();
    ct_buf key = {0};
    bool found;
    ct_err err;

    (void)state;
    assert_true(ct_key_put(db, CT_S(hash_a), CT_S("secret"), &err));
    assert_true(ct_key_put(db, CT_S(hash_a), CT_S("secret"), &err));
    assert_false(ct_key_put(db, CT_S(hash_a), CT_S("other"), &err));
    assert_int_equal(err.kind, CT_E_USAGE);
    assert_true(ct_key_get(db, CT_S(hash_a), &key, &found, &err));
    assert_true(found && ct_str_is(ct_buf_str(&key), "secret"));
    assert_true(ct_key_get(db, CT_S(hash_b), &key, &found, &err));
    assert_false(found);
    expect_log(db, hash_a, "key");
    ct_buf_free(&key);
    ct_db_close(db);
}

static void shredded_keys_are_nowhere(void **state)
{
    enum { KEYS = 200 };
    ct_db *db = fill();

    (void)state;
    put_keys(db, KEYS);
    for (unsigned i = 3; i < KEYS; i += 13) {
        char key[65], name[16];
        ct_buf got = {0};
        bool found;
        ct_err err = {0};

        make_key(key, i);
        snprintf(name, sizeof name, "bag %u", i);
        assert_true(in_the_files(key));
        assert_true(ct_key_shred(db, ct_str_z(name), &err));
        assert_false(in_the_files(key));
        assert_true(ct_key_get(db, ct_str_z(name), &got, &found, &err));
        assert_false(found);
        make_key(key, i + 1);
        assert_true(in_the_files(key)); /* the others stay */
    }
    ct_db_close(db);
}

/* A page that keeps what was deleted, as one of another program without secure_delete does. */
static void remains_are_found(void **state)
{
    char key[65];
    ct_db *db = must_open();
    ct_err err = {0};

    (void)state;
    make_key(key, 1);
    assert_true(ct_key_put(db, CT_S("x"), ct_str_z(key), &err));
    ct_db_close(db);
    assert_int_equal(tamper("PRAGMA secure_delete=OFF; CREATE TABLE stray(t TEXT);"
                            "INSERT INTO stray SELECT key FROM key; DELETE FROM stray"),
                     SQLITE_OK);
    db = must_open();
    assert_true(ct_key_shred(db, CT_S("x"), &err));
    assert_false(in_the_files(key));
    ct_db_close(db);
}

/* ---- the log ---- */

static void log_is_chained(void **state)
{
    static const struct {
        const char *sql, *where;
    } cases[] = {
        {"DROP TRIGGER custody_no_update; UPDATE custody SET person = 'X' WHERE seq = 2",
         "custody row 2"},
        {"DROP TRIGGER custody_no_delete; DELETE FROM custody WHERE seq = 3", "custody row 3"},
        {"DROP TRIGGER custody_no_delete; DELETE FROM custody WHERE seq > 3", "custody row 4"},
    };

    (void)state;
    for (size_t i = 0; i < CT_LEN(cases); i++) {
        ct_custody_state s;
        ct_err err = {0};
        ct_db *db = fill();

        assert_true(ct_custody_check(db, CT_S(""), &s, &err));
        assert_int_equal(s.rows, 5);
        ct_db_close(db);
        assert_int_equal(tamper(cases[i].sql), SQLITE_OK);
        db = must_open();
        assert_false(ct_custody_check(db, CT_S(""), &s, &err));
        assert_string_equal(err.where, cases[i].where);
        ct_db_close(db);
        assert_int_equal(system("rm -f charts.db*"), 0);
    }
}

static void nothing_is_deleted(void **state)
{
    static const ct_str p1 = {"p1", 2};
    static const char *const cases[] = {
        "UPDATE custody SET user = 'X' WHERE seq = 1",
        "DELETE FROM custody WHERE seq = 5",
        "INSERT OR REPLACE INTO custody SELECT * FROM custody WHERE seq = 3",
        "DELETE FROM bag",
        "DELETE FROM copy",
        "DELETE FROM chart",
        "DELETE FROM word",
        "DELETE FROM number",
        "DELETE FROM hold",
        "DELETE FROM held",
    };
    ct_db *db = fill();

    (void)state;
    place(db, "m", "", &p1, 1);
    ct_db_close(db);
    for (size_t i = 0; i < CT_LEN(cases); i++)
        assert_int_equal(tamper(cases[i]), SQLITE_CONSTRAINT);
}

/* ---- killed ---- */

static void enter_many(void)
{
    ct_db *db = must_open();

    for (unsigned i = 0; i < 1000; i++) {
        char hash[65], path[32];

        make_key(hash, i);
        snprintf(path, sizeof path, "/a/%u", i);
        gather_people(db);
        enter(db, hash, path, "valid");
    }
    _exit(0);
}

/* At any moment: each bag is in with all its charts, its copy and its rows in the log, or not. */
static void killed_while_entering(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        int status;
        pid_t pid = fork();
        ct_db *db;

        if (pid == 0)
            enter_many();
        nanosleep(&(struct timespec){0, 20000000L + 7000000L * round}, NULL);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        db = must_open();
        assert_true(ct_custody_check(db, CT_S(""), NULL, NULL));
        ct_db_close(db);
        assert_int_equal(
            tamper("CREATE TEMP TABLE t(x CHECK (x = 0));"
                   "INSERT INTO t SELECT count(*) FROM bag b WHERE charts <>"
                   " (SELECT count(*) FROM chart WHERE bag = b.id) OR NOT EXISTS"
                   " (SELECT 1 FROM copy WHERE bag = b.id) OR"
                   " (SELECT count(*) FROM custody WHERE bag = b.hash) <> 2;"
                   "INSERT INTO t SELECT (SELECT count(*) FROM bag) * 2 - count(*) FROM custody"),
            SQLITE_OK);
        assert_int_equal(system("rm -f charts.db*"), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(bags_and_copies),
        IN_FOLDER(entered_again),
        IN_FOLDER(another_bag_in_its_place),
        IN_FOLDER(checks),
        IN_FOLDER(all_or_nothing),
        IN_FOLDER(bags_of_a_group),
        IN_FOLDER(gathering_keeps_nobody_waiting),
        IN_FOLDER(finding),
        IN_FOLDER(charts_of_a_bag),
        IN_FOLDER(kin_of_a_bag),
        IN_FOLDER(kin_of_an_older_database),
        IN_FOLDER(holds),
        IN_FOLDER(holds_that_say_too_little),
        IN_FOLDER(tampered_holds),
        IN_FOLDER(destruction),
        IN_FOLDER(what_was_destroyed_comes_back),
        IN_FOLDER(nothing_held_is_destroyed),
        IN_FOLDER(keys),
        IN_FOLDER(shredded_keys_are_nowhere),
        IN_FOLDER(remains_are_found),
        IN_FOLDER(log_is_chained),
        IN_FOLDER(nothing_is_deleted),
        IN_FOLDER(killed_while_entering),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
