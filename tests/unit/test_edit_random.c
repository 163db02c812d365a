/* Seeded edits of made-up texts, judged by an independent JSON library (see tests/helpers/seen.h):
 * what is written reads as what was meant, and what was not touched stays byte for byte. A failure
 * names its seed and shows the text with the fewest edits that it takes; CHART_SEED=SEED runs that
 * one alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/fhir/fhir.h"
#include "tests/helpers/random_edit.h"

#include <stdlib.h>

enum { FIRST_SEED = 20260301, TEXTS = 12000, RESOURCES = 1500, EDITS_OF_EACH = 4 };

typedef void make_text(dice *d, ct_buf *b, unsigned size);

static void make_resource(dice *d, ct_buf *b, unsigned size)
{
    (void)size;
    random_resource(d, b);
}

/* Texts grow from seed to seed, so that what fails first is small. */
static void try_seed(random_edit *e, make_text *make, ct_buf *text, unsigned seed, unsigned size)
{
    dice d = {seed};
    text->n = 0;
    make(&d, text, size);
    for (unsigned i = 0; i < EDITS_OF_EACH; i++) {
        const char *why = random_edit_try(e, ct_buf_str(text), seed + ((uint64_t)i << 32));
        if (why) {
            random_edit_show(e, stderr);
            fail_msg("%s; again with CHART_SEED=%u", why, seed);
        }
    }
}

static void try_all(make_text *make, unsigned n, size_t edits, size_t refusals)
{
    random_edit *e = random_edit_new(ct_model_names(ct_model_r4()));
    ct_buf text = {0};
    const char *only = getenv("CHART_SEED");
    unsigned seed = only ? (unsigned)strtoul(only, NULL, 10) : FIRST_SEED;
    for (unsigned i = only ? seed - FIRST_SEED : 0; i < n; i++) {
        try_seed(e, make, &text, FIRST_SEED + i, 1 + i * 8 / n);
        if (only)
            break;
    }
    /* A generator that makes little would prove little. */
    if (!only) {
        assert_in_range(random_edit_made(e), edits, SIZE_MAX);
        assert_in_range(random_edit_refused(e), refusals, SIZE_MAX);
    }
    ct_buf_free(&text);
    random_edit_free(e);
}

static void any_json(void **state)
{
    (void)state;
    try_all(random_text, TEXTS, 100000, 300);
}

static void resources(void **state)
{
    (void)state;
    try_all(make_resource, RESOURCES, 50000, 100);
}

/* The judge itself: another byte anywhere, one too few or one too many is noticed. */
static void every_changed_byte_is_noticed(void **state)
{
    (void)state;
    random_edit *e = random_edit_new(NULL);
    ct_buf other = {0};
    static const char text[] =
        " {\n \"a\" : [ 1.50 , {\"k\\u0061\":\"x\\ny\"} ] ,\r\n\t\"b\":{ } , \"c\" : [\t] }\n";
    ct_str whole = ct_str_z(text);
    uint64_t seed = 0;
    do /* a try that edits nothing: only then is every byte known */
        assert_null(random_edit_try(e, whole, seed++));
    while (random_edit_judge(e, whole));
    for (size_t i = 0; i < whole.n; i++) {
        static const char others[] = " \t\"1ax,:]}";
        for (size_t j = 0; j < 2 * (sizeof(others) - 1) + 1; j++) {
            other.n = 0;
            ct_buf_put(&other, ct_str_head(whole, i));
            if (j / 2 < sizeof(others) - 1)
                ct_buf_c(&other, others[j / 2]);
            ct_buf_put(&other, ct_str_from(whole, i + (j % 2 == 0)));
            bool same = ct_str_eq(ct_buf_str(&other), whole);
            if (!same && !random_edit_judge(e, ct_buf_str(&other)))
                fail_msg("byte %u: not noticed: %.*s", (unsigned)i, (int)other.n, other.p);
        }
    }
    ct_buf_free(&other);
    random_edit_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_json),
        cmocka_unit_test(resources),
        cmocka_unit_test(every_changed_byte_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
