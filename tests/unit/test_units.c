/* Units of UCUM: the table, codes, comparison and conversion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/fhirpath/internal.h"

extern const ct_datafile ct_fhirpath_data[];

/* ---- the table ---- */

static void every_row_is_known(void **state)
{
    const ct_datafile *file = ct_datafile_find(ct_fhirpath_data, "ucum.tsv");
    size_t rows = 0;
    (void)state;
    assert_non_null(file);
    ct_str rest = {file->text, file->n}, cols[5];
    for (size_t n; (n = ct_tsv_next(&rest, cols, 5, NULL)); rows++) {
        struct fp_unit u;
        if (n < 4 || !ct_fp_unit(cols[0], &u))
            fail_msg("row %zu is not known", rows + 1);
        assert_true(n < 5 || u.offset.c != 0);
    }
    assert_true(rows > 150);
}

/* ---- codes ---- */

static void codes(void **state)
{
    static const struct {
        const char *code;
        bool known;
    } rows[] = {
        {"1", true},
        {"mg", true},
        {"mm[Hg]", true},
        {"10*3/uL", true},
        {"10^-3", true},
        {"/min", true},
        {"mL/min/{1.73_m2}", true},
        {"mL/min/1.73.m2", false}, /* 73, by the grammar */
        {"mL/min/1.{73}", true},
        {"{score}", true},
        {"mg{creat}/dL", true},
        {"kg.m/s2", true},
        {"kg.m.s-2", true},
        {"mg/(kg.d)", true},
        {"m2", true},
        {"m+2", true},
        {"year", true},
        {"months", true},
        {"days", true},
        {"Cel", true},
        {"", false},
        {"mG", true}, /* milligauss */
        {"MG", true},
        {"xyz", false},
        {"kmin", false},
        {"mCel", false},
        {"Cel.m", false},
        {"m.Cel", false},
        {"Cel2", false},
        {"m0", false},
        {"m1000", false},
        {"m65", false},
        {"m.", false},
        {"m//s", false},
        {"(m", false},
        {"m)", false},
        {"m s", false},
        {"{open", false},
        {"m{a{b}}", false},
        {"0", false},
        {"-1", false},
        {"[in_i]2", true},
        {"[in_i", false},
        {"((((((((((((((((((((m))))))))))))))))))))", false},
    };
    struct fp_unit u;
    (void)state;
    for (size_t i = 0; i < CT_LEN(rows); i++) {
        if (ct_fp_unit(ct_str_z(rows[i].code), &u) != rows[i].known)
            fail_msg("'%s' is %sknown", rows[i].code, rows[i].known ? "not " : "");
    }
}

static void long_codes(void **state)
{
    char code[400];
    struct fp_unit u;
    (void)state;
    memset(code, '1', sizeof code);
    for (size_t i = 1; i < sizeof code; i += 2)
        code[i] = '/';
    assert_true(ct_fp_unit((ct_str){code, 255}, &u));
    assert_false(ct_fp_unit((ct_str){code, 399}, &u));
    for (size_t i = 0; i < sizeof code; i += 2)
        code[i] = 'm';
    assert_false(ct_fp_unit((ct_str){code, 255}, &u)); /* m128 */
}

/* ---- comparison ---- */

enum { NEVER = 3, OVERFLOW = 4 };

static int compare(const char *x, const char *u, const char *y, const char *v)
{
    struct fp_unit p, q;
    struct fp_dec a, b;
    struct fp_ratio left, right;
    int cmp;
    assert_true(ct_fp_unit(ct_str_z(u), &p) && ct_fp_unit(ct_str_z(v), &q));
    assert_true(ct_dec_parse(ct_str_z(x), &a) && ct_dec_parse(ct_str_z(y), &b));
    if (!ct_fp_unit_comparable(&p, &q))
        return NEVER;
    if (!ct_fp_unit_value(a, &p, &left) || !ct_fp_unit_value(b, &q, &right) ||
        !ct_fp_ratio_cmp(left, right, &cmp))
        return OVERFLOW;
    return cmp < 0 ? -1 : cmp > 0;
}

static void comparisons(void **state)
{
    static const struct {
        const char *x, *u, *y, *v;
        int expected;
    } rows[] = {
        {"1", "g", "1000", "mg", 0},
        {"1", "g", "1000.0001", "mg", -1},
        {"-1", "g", "-1000.0001", "mg", 1},
        {"-1", "g", "1", "mg", -1},
        {"0", "g", "0", "mg", 0},
        {"37", "Cel", "98.6", "[degF]", 0},
        {"37", "Cel", "310.15", "K", 0},
        {"-40", "Cel", "-40", "[degF]", 0},
        {"0", "Cel", "0", "[degRe]", 0},
        {"1", "mol", "1000", "mmol", 0},
        {"5.5", "mmol/L", "5500", "umol/L", 0},
        {"1", "eq/L", "1", "mol/L", 0},
        {"120", "mm[Hg]", "15.99864", "kPa", 0},
        {"1", "[in_i]", "2.54", "cm", 0},
        {"3937", "[ft_us]", "1200", "m", 0},
        {"3", "[tsp_us]", "1", "[tbs_us]", 0},
        {"1", "[lb_av]", "16", "[oz_av]", 0},
        {"1", "[IU]/mL", "1", "k[IU]/L", 0},
        {"1", "[IU]", "1", "[arb'U]", NEVER},
        {"1", "[IU]", "1", "U", NEVER},
        {"1", "g", "1", "m", NEVER},
        {"1", "a", "1", "year", NEVER},
        {"1", "wk", "7", "days", 0},
        {"2", "years", "24", "months", 0},
        {"1", "a", "365.25", "d", 0},
        {"1", "N", "1", "kg.m/s2", 0},
        {"1", "J", "1e7", "erg", 0},
        {"1", "U/L", "16.67", "nkat/L", -1},
        {"100", "%", "1", "1", 0},
        {"1", "kat", "60000000", "U", 0},
        {"123456789012345678901234567890123456", "Yg", "1", "yg", OVERFLOW},
    };
    (void)state;
    for (size_t i = 0; i < CT_LEN(rows); i++) {
        int got = compare(rows[i].x, rows[i].u, rows[i].y, rows[i].v);
        if (got != rows[i].expected)
            fail_msg("%s '%s' against %s '%s': %d", rows[i].x, rows[i].u, rows[i].y, rows[i].v,
                     got);
    }
}

/* ---- conversion ---- */

static void conversions(void **state)
{
    static const struct {
        const char *x, *u, *v, *expected; /* NULL: none */
    } rows[] = {
        {"1", "kg", "g", "1000"},
        {"180", "mg/dL", "g/L", "1.8"},
        {"98.6", "[degF]", "Cel", "37.00"},
        {"0", "K", "Cel", "-273.15"},
        {"1", "min", "h", "0.0166666666666667"},
        {"150", "[lb_av]", "kg", "68.0388555"},
        {"1", "mol", "1", "602214076000000000000000"},
        {"1", "[drp]", "mL", "0.05"},
        {"1", "g", "m", NULL},
        {"1", "Yg", "yg", NULL},
    };
    ct_arena *a = ct_arena_new();
    (void)state;
    for (size_t i = 0; i < CT_LEN(rows); i++) {
        struct fp_unit u, v;
        struct fp_dec d;
        assert_true(ct_fp_unit(ct_str_z(rows[i].u), &u) && ct_fp_unit(ct_str_z(rows[i].v), &v));
        assert_true(ct_dec_parse(ct_str_z(rows[i].x), &d));
        bool done = ct_fp_unit_convert(d, &u, &v, &d);
        if (done != (rows[i].expected != NULL))
            fail_msg("%s '%s' to '%s'", rows[i].x, rows[i].u, rows[i].v);
        else if (done)
            assert_string_equal(ct_dec_text(a, d).p, rows[i].expected);
    }
    ct_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_known), cmocka_unit_test(codes),
        cmocka_unit_test(long_codes),         cmocka_unit_test(comparisons),
        cmocka_unit_test(conversions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
