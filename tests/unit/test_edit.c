/* Edits: single ones by table, then thousands of random ones against a model that prints what must
 * come out piece by piece. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/json/json.h"

#include <stdlib.h>

static void assert_str(ct_str s, const char *expected)
{
    if (!ct_str_is(s, expected))
        fail_msg("got %.*s, expected %s", (int)s.n, s.p, expected);
}

/* ---- by table ---- */

/* Requests, each a letter, the number of a value on the tape (0 is the root), and the new text:
 * `-` removes, `=` replaces, `+` adds an item, `:` adds a member "n". The parent of what is removed
 * is found by the test. */
static const struct edit_row {
    const char *text;
    const char *requests;
    const char *result; /* NULL: refused */
} edit_table[] = {
    {"{\"a\":1}", "", "{\"a\":1}"},
    {" [1] ", "=0[]", " [] "},
    {"{\"a\":1.50,\"b\": 2}", "=12", "{\"a\":2,\"b\": 2}"},
    {"{\"a\":1,\"b\":2}", "=2null", "{\"a\":1,\"b\":null}"},
    {"{\"a\":1,\"b\":2}", "=15 =26", "{\"a\":5,\"b\":6}"},
    {"{\"a\":1,\"b\":2}", "=26 =15", "{\"a\":5,\"b\":6}"},
    {"{\"a\":1,\"b\":2}", "=15 =16", NULL},
    {"{\"a\":1,\"b\":2}", "=0{} =16", NULL},
    {"{\"a\":1,\"b\":2}", "=91", NULL},
    /* one of three, two, one */
    {"{\"a\":1,\"b\":2,\"c\":3}", "-1", "{\"b\":2,\"c\":3}"},
    {"{\"a\":1,\"b\":2,\"c\":3}", "-2", "{\"a\":1,\"c\":3}"},
    {"{\"a\":1,\"b\":2,\"c\":3}", "-3", "{\"a\":1,\"b\":2}"},
    {"{\"a\":1,\"b\":2,\"c\":3}", "-1 -2", "{\"c\":3}"},
    {"{\"a\":1,\"b\":2,\"c\":3}", "-3 -1", "{\"b\":2}"},
    {"{\"a\":1,\"b\":2,\"c\":3}", "-3 -2", "{\"a\":1}"},
    {"{\"a\":1,\"b\":2,\"c\":3}", "-2 -3 -1", "{}"},
    {"[1,2]", "-1", "[2]"},
    {"[1,2]", "-2", "[1]"},
    {"[1]", "-1", "[]"},
    {"[1,2]", "-1 -1", NULL},
    {"[1,[2]]", "-1 -3", "[[]]"},
    /* white space */
    {"{ \"a\" : 1 , \"b\" : 2 , \"c\" : 3 }", "-1", "{ \"b\" : 2 , \"c\" : 3 }"},
    {"{ \"a\" : 1 , \"b\" : 2 , \"c\" : 3 }", "-2", "{ \"a\" : 1 , \"c\" : 3 }"},
    {"{ \"a\" : 1 , \"b\" : 2 , \"c\" : 3 }", "-3", "{ \"a\" : 1 , \"b\" : 2 }"},
    {"{ \"a\" : 1 , \"b\" : 2 , \"c\" : 3 }", "-1 -2 -3", "{  }"},
    {"[ 1 ,\t2 ]", "-1 -2 +08", "[ 8 ]"},
    /* additions */
    {"{}", ":09", "{\"n\":9}"},
    {"{ }", ":09", "{\"n\":9 }"},
    {"{\"a\":1}", ":09", "{\"a\":1,\"n\":9}"},
    {"{\"a\":1 }", ":09", "{\"a\":1,\"n\":9 }"},
    {"{\"a\":1,\"b\":2}", "-1 :09", "{\"b\":2,\"n\":9}"},
    {"{\"a\":1,\"b\":2}", ":09 -2", "{\"a\":1,\"n\":9}"},
    {"{\"a\":1,\"b\":2}", "-1 -2 :09", "{\"n\":9}"},
    {"{\"a\":1,\"b\":2}", "=25 :09", "{\"a\":1,\"b\":5,\"n\":9}"},
    {"[]", "+01 +02 +03", "[1,2,3]"},
    {"[0]", "-1 +01 +02", "[1,2]"},
    {"[0]", "+01 -1 +02", "[1,2]"},
    {"[[],[0]]", "+11 +22 +03", "[[1],[0,2],3]"},
    {"[[],[0]]", "-2 +11", "[[1]]"},
    {"[{\"a\":[]}]", "+21 :19 +08", "[{\"a\":[1],\"n\":9},8]"},
    /* inside what goes */
    {"[[1]]", "-1 -2", NULL},
    {"[[1]]", "-1 +12", NULL},
    {"[[1]]", "=12 =23", NULL},
    {"[[1]]", "=12 +13", NULL},
    {"[1]", "-1 =12", NULL},
    {"[1,2]", "-1 =23", "[3]"},
    {"[1,2]", "-2 =13", "[3]"},
    {"[[],2]", "+11 -2", "[[1]]"},
    {"{\"a\":{\"b\":1},\"c\":2}", "-2 -3 =15", NULL},
    {"{\"a\":{\"b\":1},\"c\":2}", "-2 -3", "{\"a\":{}}"},
    /* what has no children */
    {"[1]", "+12", NULL},
    {"[\"a\"]", ":12", NULL},
};

static ct_val parent_of(const ct_doc *d, ct_val v)
{
    ct_val parent = CT_NONE;
    for (ct_val i = 0; i < v; i++)
        if (d->tape[i].next > v)
            parent = i;
    return parent;
}

static void ask(ct_edit *e, const ct_doc *d, ct_str request)
{
    ct_val v = (ct_val)(request.p[1] - '0');
    ct_str json = ct_str_from(request, 2);
    if (request.p[0] == '-')
        ct_edit_remove(e, parent_of(d, v), v);
    else if (request.p[0] == '=')
        ct_edit_replace(e, v, json);
    else if (request.p[0] == '+')
        ct_edit_add_item(e, v, json);
    else
        ct_edit_add_member(e, v, CT_S("n"), json);
}

static void edits(void **state)
{
    (void)state;
    ct_parser *p = ct_parser_new(NULL);
    ct_edit *e = ct_edit_new();
    ct_buf out = {0};
    for (size_t i = 0; i < CT_LEN(edit_table); i++) {
        const struct edit_row *row = &edit_table[i];
        ct_doc d;
        ct_err err = {0};
        assert_true(ct_parse(p, ct_str_z(row->text), &d, &err));
        ct_edit_start(e, &d);
        ct_str rest = ct_str_z(row->requests);
        while (rest.n)
            ask(e, &d, ct_str_cut(&rest, ' '));
        assert_int_equal(ct_edit_dirty(e), *row->requests != '\0');
        out.n = 0;
        ct_buf_z(&out, "kept:");
        bool good = ct_edit_apply(e, &out, &err);
        if (good != (row->result != NULL))
            fail_msg("%s %s: %s", row->text, row->requests, good ? "accepted" : err.text);
        assert_str(ct_str_head(ct_buf_str(&out), 5), "kept:");
        assert_str(ct_str_from(ct_buf_str(&out), 5), good ? row->result : "");
        assert_int_equal(err.kind, good ? CT_OK : CT_E_USAGE);
    }
    ct_buf_free(&out);
    ct_edit_free(e);
    ct_edit_free(NULL);
    ct_parser_free(p);
}

static void wrong_parents(void **state)
{
    (void)state;
    ct_parser *p = ct_parser_new(NULL);
    ct_edit *e = ct_edit_new();
    ct_buf out = {0};
    ct_doc d;
    ct_err err;
    assert_true(ct_parse(p, CT_S("[[1],2]"), &d, NULL));
    static const ct_val wrong[][2] = {{0, 2}, {1, 3}, {0, 0},       {3, 0},
                                      {0, 9}, {9, 1}, {0, CT_NONE}, {CT_NONE, 0}};
    for (size_t i = 0; i < CT_LEN(wrong); i++) {
        ct_edit_start(e, &d);
        ct_edit_remove(e, wrong[i][0], wrong[i][1]);
        assert_false(ct_edit_apply(e, &out, &err));
        assert_int_equal(err.kind, CT_E_USAGE);
        assert_int_equal(out.n, 0);
    }
    ct_buf_free(&out);
    ct_edit_free(e);
    ct_parser_free(p);
}

static void names_are_written_as_json(void **state)
{
    (void)state;
    ct_parser *p = ct_parser_new(NULL);
    ct_edit *e = ct_edit_new();
    ct_buf out = {0};
    ct_doc d;
    assert_true(ct_parse(p, CT_S("{}"), &d, NULL));
    ct_edit_start(e, &d);
    ct_edit_add_member(e, CT_ROOT, CT_S("a\"\n"), CT_S("1"));
    assert_true(ct_edit_apply(e, &out, NULL));
    assert_str(ct_buf_str(&out), "{\"a\\\"\\n\":1}");
    ct_buf_free(&out);
    ct_edit_free(e);
    ct_parser_free(p);
}

/* ---- random edits against a model ---- */

static uint64_t seed = 20260301;

static unsigned roll(unsigned sides)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)((seed >> 11) % sides);
}

static void random_space(ct_buf *b)
{
    static const char *const spaces[] = {"", "", "", " ", "\n", "\t ", "  "};
    ct_buf_z(b, spaces[roll(CT_LEN(spaces))]);
}

static void random_scalar(ct_buf *b)
{
    static const char *const scalars[] = {
        "0",    "-1.50", "1e10",    "true",           "null",
        "\"\"", "\"a\"", "\",]}\"", "\"\\\"{[\\\\\"", "\"\xc3\xa9 \\u00e9 and a longer text\""};
    ct_buf_z(b, scalars[roll(CT_LEN(scalars))]);
}

static void random_value(ct_buf *b, int depth)
{
    if (depth == 0 || roll(3) == 0) {
        random_scalar(b);
        return;
    }
    bool object = roll(2);
    ct_buf_c(b, object ? '{' : '[');
    random_space(b);
    for (unsigned i = 0, n = roll(5); i < n; i++) {
        if (i)
            ct_buf_c(b, ',');
        random_space(b);
        if (object) {
            ct_buf_printf(b, "\"%s%u\"", roll(2) ? "k" : "\\u006b", i);
            random_space(b);
            ct_buf_c(b, ':');
            random_space(b);
        }
        random_value(b, depth - 1);
        random_space(b);
    }
    ct_buf_c(b, object ? '}' : ']');
}

enum { MAX_NODES = 512 };

/* What is to become of each value. */
typedef struct fate {
    bool removed, replaced;
    int added;
} fate;

/* Prints what must come out, without white space: the original's tokens, none of them looked at by
 * the code under test. */
static void model(ct_buf *b, const ct_doc *d, const fate *fates, ct_val v)
{
    bool object = ct_type(d, v) == CT_OBJECT, any = false;
    if (fates[v].replaced) {
        ct_buf_printf(b, "\"r%u\"", v);
        return;
    }
    if (ct_type(d, v) < CT_ARRAY) {
        ct_buf_put(b, ct_raw(d, v));
        return;
    }
    ct_buf_c(b, object ? '{' : '[');
    for (ct_val c = ct_first(d, v); c != CT_NONE; c = ct_next(d, v, c)) {
        if (fates[c].removed)
            continue;
        if (any)
            ct_buf_c(b, ',');
        any = true;
        if (object)
            ct_buf_printf(b, "\"%.*s\":", (int)ct_key(d, c).n, ct_key(d, c).p);
        model(b, d, fates, c);
    }
    for (int i = 0; i < fates[v].added; i++, any = true) {
        const char *comma = any ? "," : "";
        if (object)
            ct_buf_printf(b, "%s\"n%d\":%d", comma, i, i);
        else
            ct_buf_printf(b, "%s%d", comma, i);
    }
    ct_buf_c(b, object ? '}' : ']');
}

/* Chooses fates for the children of `v` and what is in them, so that no two overlap, and asks for
 * them. */
static void choose(ct_edit *e, const ct_doc *d, fate *fates, ct_val v, unsigned rate)
{
    bool all = roll(8) == 0;
    for (ct_val c = ct_first(d, v); c != CT_NONE; c = ct_next(d, v, c)) {
        if (all || roll(rate) == 0) {
            fates[c].removed = true;
            ct_edit_remove(e, v, c);
        } else if (roll(rate) == 0) {
            fates[c].replaced = true;
            char text[16];
            ct_buf b = {0};
            ct_buf_printf(&b, "\"r%u\"", c);
            assert_true(b.n < sizeof text);
            ct_edit_replace(e, c, ct_buf_str(&b));
            ct_buf_free(&b);
        } else {
            choose(e, d, fates, c, rate);
        }
    }
    if (ct_type(d, v) < CT_ARRAY || roll(rate))
        return;
    for (unsigned n = roll(3); fates[v].added < (int)n; fates[v].added++) {
        char text[4] = {(char)('0' + fates[v].added)}, name[4] = {'n', text[0]};
        if (ct_type(d, v) == CT_OBJECT)
            ct_edit_add_member(e, v, ct_str_z(name), ct_str_z(text));
        else
            ct_edit_add_item(e, v, ct_str_z(text));
    }
}

/* Does `out` hold the text of every value that nothing happened to, byte for byte? Only those of
 * which the parent stays can be looked for: at the place that the result's own parse tells. */
static void assert_untouched(const ct_doc *d, const fate *fates, ct_val v, const ct_doc *out,
                             ct_val w)
{
    if (fates[v].replaced)
        return;
    ct_val o = ct_first(out, w);
    bool touched = fates[v].added > 0;
    for (ct_val c = ct_first(d, v); c != CT_NONE; c = ct_next(d, v, c)) {
        if (fates[c].removed) {
            touched = true;
            continue;
        }
        assert_int_not_equal(o, CT_NONE);
        assert_true(ct_str_eq(ct_key(d, c), ct_key(out, o)));
        assert_untouched(d, fates, c, out, o);
        o = ct_next(out, w, o);
    }
    for (ct_val c = v + 1; !touched && c < d->tape[v].next; c++)
        touched = fates[c].removed || fates[c].replaced || fates[c].added;
    if (!touched)
        assert_true(ct_str_eq(ct_raw(d, v), ct_raw(out, w)));
}

static void random_edits(void **state)
{
    (void)state;
    ct_parser *p = ct_parser_new(NULL), *q = ct_parser_new(NULL);
    ct_edit *e = ct_edit_new();
    ct_buf text = {0}, out = {0}, compact = {0}, expected = {0};
    for (int round = 0; round < 20000; round++) {
        fate fates[MAX_NODES] = {0};
        ct_doc d, result;
        text.n = out.n = compact.n = expected.n = 0;
        random_space(&text);
        random_value(&text, 1 + (int)roll(4));
        random_space(&text);
        assert_true(ct_parse(p, ct_buf_str(&text), &d, NULL));
        if (d.n > MAX_NODES)
            continue;
        ct_edit_start(e, &d);
        choose(e, &d, fates, CT_ROOT, 2 + roll(6));
        assert_true(ct_edit_apply(e, &out, NULL));
        if (!ct_edit_dirty(e))
            assert_true(ct_str_eq(ct_buf_str(&out), ct_buf_str(&text)));
        assert_true(ct_parse(q, ct_buf_str(&out), &result, NULL));
        ct_put_compact(&compact, &result, CT_ROOT);
        model(&expected, &d, fates, CT_ROOT);
        if (!ct_str_eq(ct_buf_str(&compact), ct_buf_str(&expected)))
            fail_msg("%.*s\nbecame   %.*s\nexpected %.*s", (int)text.n, text.p, (int)compact.n,
                     compact.p, (int)expected.n, expected.p);
        assert_untouched(&d, fates, CT_ROOT, &result, CT_ROOT);
    }
    ct_buf_free(&text);
    ct_buf_free(&out);
    ct_buf_free(&compact);
    ct_buf_free(&expected);
    ct_edit_free(e);
    ct_parser_free(p);
    ct_parser_free(q);
}

/* Many edits of one container must not cost the square of their number. */
static void many_edits(void **state)
{
    (void)state;
    enum { ITEMS = 200000 };
    ct_parser *p = ct_parser_new(NULL);
    ct_edit *e = ct_edit_new();
    ct_buf text = {0}, out = {0};
    ct_doc d;
    for (int i = 0; i < ITEMS; i++)
        ct_buf_printf(&text, "%c%d", i ? ',' : '[', i % 10);
    ct_buf_c(&text, ']');
    assert_true(ct_parse(p, ct_buf_str(&text), &d, NULL));
    ct_edit_start(e, &d);
    for (ct_val v = ITEMS; v > 0; v -= 2)
        ct_edit_remove(e, CT_ROOT, v);
    for (int i = 0; i < ITEMS; i++)
        ct_edit_add_item(e, CT_ROOT, CT_S("8"));
    assert_true(ct_edit_apply(e, &out, NULL));
    assert_int_equal(out.n, 2 * (ITEMS / 2 + ITEMS) + 1);
    ct_buf_free(&text);
    ct_buf_free(&out);
    ct_edit_free(e);
    ct_parser_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits),
        cmocka_unit_test(wrong_parents),
        cmocka_unit_test(names_are_written_as_json),
        cmocka_unit_test(random_edits),
        cmocka_unit_test(many_edits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
