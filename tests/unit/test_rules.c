/* Rule files of chart audit: definitions, places of what is wrong, clauses, due dates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/audit/clause.c"
#include "cmd/audit/due.c"
#include "cmd/audit/packs.c"
#include "cmd/audit/parse.c"
#include "common/fhirpath/internal.h"

/* ---- definitions ---- */

static void expands_definitions(void **state)
{
    static const struct {
        const char *from, *to;
    } cases[] = {
        {"%a", "(x or y)"},
        {"not(%a)", "not((x or y))"},
        {"%ab", "%ab"},
        {"%a.b", "(x or y).b"},
        {"'%a' + %a", "'%a' + (x or y)"},
        {"'it\\'s %a' + %a", "'it\\'s %a' + (x or y)"},
        {"`%a`", "`%a`"},
        {"'%a", "'%a"},
        {"%", "%"},
        {"%a%a", "(x or y)(x or y)"},
        {"%resource.id", "%resource.id"},
        {"", ""},
    };
    ct_defines d = {0};
    ct_placed body = {0};

    (void)state;
    ct_placed_add(&body, CT_S("x or y"), 1, 1, false);
    assert_true(ct_define_add(&d, CT_S("a"), &body));
    for (size_t i = 0; i < CT_LEN(cases); i++) {
        ct_placed from = {0}, to = {0};

        ct_placed_add(&from, ct_str_z(cases[i].from), 7, 3, false);
        assert_true(ct_expand(&d, &from, &to));
        if (!ct_str_is(ct_buf_str(&to.text), cases[i].to))
            fail_msg("%s became %.*s", cases[i].from, (int)to.text.n, to.text.p);
        ct_placed_free(&from);
        ct_placed_free(&to);
    }
    ct_defines_free(&d);
}

static void refuses_names(void **state)
{
    static const struct {
        const char *name;
        bool good;
    } cases[] = {
        {"a", true},     {"a", false},     {"_b1", true},   {"1b", false},
        {"a-b", false},  {"chart", false}, {"", false},     {"resource", false},
        {"Chart", true}, {"a b", false},   {"ucum", false},
    };
    ct_defines d = {0};

    (void)state;
    for (size_t i = 0; i < CT_LEN(cases); i++) {
        ct_placed body = {0};

        ct_placed_add(&body, CT_S("x"), 1, 1, false);
        if (ct_define_add(&d, ct_str_z(cases[i].name), &body) != cases[i].good)
            fail_msg("%s", cases[i].name);
        ct_placed_free(&body);
    }
    ct_defines_free(&d);
}

/* A text over two lines with a definition in it: each byte is told where it was written. */
static void knows_places(void **state)
{
    static const struct {
        size_t offset;
        uint64_t line, column;
    } cases[] = {{0, 4, 12}, {2, 4, 14}, {3, 5, 20}, {4, 5, 20},
                 {7, 5, 20}, {8, 5, 22}, {9, 5, 23}};
    ct_defines d = {0};
    ct_placed body = {0}, from = {0}, to = {0};

    (void)state;
    ct_placed_add(&body, CT_S("xyz"), 1, 1, false);
    assert_true(ct_define_add(&d, CT_S("a"), &body));
    ct_placed_add(&from, CT_S("ab "), 4, 12, false);
    ct_placed_add(&from, CT_S("%a.b"), 5, 20, false);
    assert_true(ct_expand(&d, &from, &to)); /* ab (xyz).b */
    for (size_t i = 0; i < CT_LEN(cases); i++) {
        struct ct_piece place = ct_placed_place(&to, cases[i].offset);

        if (place.line != cases[i].line || place.column != cases[i].column)
            fail_msg("byte %zu is %llu:%llu", cases[i].offset, (unsigned long long)place.line,
                     (unsigned long long)place.column);
    }
    ct_placed_free(&from);
    ct_placed_free(&to);
    ct_defines_free(&d);
}

/* ---- clauses ---- */

struct heard {
    size_t n;
    uint64_t line;
};

static void hear(void *ctx, const ct_err *err)
{
    struct heard *h = ctx;

    if (h->n++ == 0)
        h->line = err->line;
}

/* Parses a rule with one field changed; the number of errors. */
static size_t errors_with(const char *field, const char *value)
{
    static const struct {
        const char *name, *value;
    } plain[] = {
        {"severity", "error"}, {"applies", "Patient"}, {"require", "id.exists()"},
        {"message", "m"},      {"cite", "c"},          {"owner", "records"},
    };
    audit_rules *r = audit_rules_new(ct_model_r4());
    struct heard h = {0};
    ct_buf b = {0};

    ct_buf_z(&b, "rule a\n");
    for (size_t i = 0; i < CT_LEN(plain); i++)
        if (strcmp(plain[i].name, field) != 0)
            ct_buf_printf(&b, "  %s %s\n", plain[i].name, plain[i].value);
    ct_buf_printf(&b, "  %s %s\n", field, value);
    audit_rules_parse(r, "f", ct_buf_str(&b), hear, &h);
    assert_int_equal(r->n, 1);
    audit_rules_free(r);
    ct_buf_free(&b);
    return h.n;
}

static void reads_clauses(void **state)
{
    static const struct {
        const char *field, *value;
        bool good;
    } cases[] = {
        {"severity", "warning", true},
        {"severity", "Warning", false},
        {"applies", "chart", true},
        {"applies", "chart where id.exists()", true},
        {"applies", "Encounter where status = 'x'", true},
        {"applies", "Encounter when status = 'x'", false},
        {"applies", "Encounter where", false},
        {"applies", "HumanName", false},
        {"applies", "DomainResource", false},
        {"owner", "author: generalPractitioner.first()", true},
        {"owner", "author: author.first()", false}, /* no element of Patient */
        {"owner", "Author", false},
        {"owner", "author:", false},
        {"owner", ": author", false},
        {"due", "30 days after birthDate", true},
        {"due", "1 day before birthDate", true},
        {"due", "24 hours after birthDate", true},
        {"due", "2 weeks after birthDate", true},
        {"due", "2 months after birthDate", false},
        {"due", "-2 days after birthDate", false},
        {"due", "99999999999999999999 days after birthDate", false},
        {"due", "2 days since birthDate", false},
        {"due", "2 days after", false},
        {"holds", "from 2007-01-26 at birthDate", true},
        {"holds", "to 2007-01-26 at birthDate", true},
        {"holds", "from 2007-01-26 to 2008-01-01 at birthDate", true},
        {"holds", "at birthDate", false},
        {"holds", "from 2007-01 at birthDate", false},
        {"holds", "from 2007-02-30 at birthDate", false},
        {"holds", "from 2007-01-26 birthDate", false},
        {"link", "https://example.org/a#b", true},
        {"link", "see above", false},
        {"require", "nonsense(", false},
        {"require", "'unfinished", false},
        {"remark", "x", false},
    };

    (void)state;
    for (size_t i = 0; i < CT_LEN(cases); i++) {
        size_t errors = errors_with(cases[i].field, cases[i].value);

        if ((errors == 0) != cases[i].good)
            fail_msg("%s %s: %zu errors", cases[i].field, cases[i].value, errors);
    }
}

static void reads_odd_files(void **state)
{
    static const struct {
        const char *text;
        size_t errors;
        uint64_t line;
    } cases[] = {
        {"", 0, 0},
        {"\n\n# only comments\n   # here too\n", 0, 0},
        {"rule", 7, 1},
        {"  severity error", 1, 1},
        {"pack a\r\nversion 1\r\n", 0, 0},
        {"define x\n", 1, 1},
        {"define x\n  id\n", 0, 0},
        {"\x01\xff", 1, 1},
        {"nonsense", 1, 1},
        /* a field that says nothing has a place */
        {"rule a\n  applies\n  severity error\n  require id\n  message m\n  cite c\n  owner o\n", 1,
         2},
    };

    (void)state;
    for (size_t i = 0; i < CT_LEN(cases); i++) {
        audit_rules *r = audit_rules_new(ct_model_r4());
        struct heard h = {0};

        audit_rules_parse(r, "f", ct_str_z(cases[i].text), hear, &h);
        if (h.n != cases[i].errors || h.line != cases[i].line)
            fail_msg("case %zu: %zu errors, first in line %llu", i, h.n,
                     (unsigned long long)h.line);
        audit_rules_free(r);
    }
}

/* ---- dates ---- */

static void counts_hours(void **state)
{
    static const struct {
        const char *from;
        int64_t hours;
        const char *to;
    } cases[] = {
        {"2026-03-31", 24, "2026-04-01"},
        {"2026-03-31", 25, "2026-04-02"},
        {"2026-03-01", -24, "2026-02-28"},
        {"2026-03-01", -25, "2026-02-28"},
        {"2024-02-28", 24, "2024-02-29"},
        {"2025-12-31T23:30:00Z", 1, "2026-01-01T00:30:00Z"},
        {"2026-01-01T00:30:00Z", -1, "2025-12-31T23:30:00Z"},
        {"2026-01-01T12:00:00+02:00", 720, "2026-01-31T12:00:00+02:00"},
        {"2026-01-01T12:00:00Z", 0, "2026-01-01T12:00:00Z"},
    };

    (void)state;
    for (size_t i = 0; i < CT_LEN(cases); i++) {
        ct_date from, to;
        ct_buf b = {0};

        assert_true(ct_date_parse(ct_str_z(cases[i].from), &from));
        to = audit_hours_after(&from, cases[i].hours);
        ct_date_put(&b, &to);
        if (!ct_str_is(ct_buf_str(&b), cases[i].to))
            fail_msg("%s + %lld hours = %.*s", cases[i].from, (long long)cases[i].hours, (int)b.n,
                     b.p);
        ct_buf_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expands_definitions), cmocka_unit_test(refuses_names),
        cmocka_unit_test(knows_places),        cmocka_unit_test(reads_clauses),
        cmocka_unit_test(reads_odd_files),     cmocka_unit_test(counts_hours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
