/* Scanning for the stops of strings: each way that this machine has, against what the header says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/json/scan.h"

#include <stdlib.h>

enum { LONGEST = 1000, TEXTS = 4000 };

static uint64_t random_state;

static unsigned any(unsigned n)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(random_state >> 33) % n;
}

/* Byte by byte. */
static size_t by_the_book(const char *text, size_t n, uint32_t *stops)
{
    bool inside = false, escaped = false;
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = (uint8_t)text[i];
        bool quote = c == '"' && !escaped;
        bool run = c >= 0x80 && (i == 0 || (uint8_t)text[i - 1] < 0x80);
        if ((quote && inside) || c == '\\' || c < 0x20 || run)
            stops[found++] = (uint32_t)i;
        inside ^= quote;
        escaped = c == '\\' && !escaped;
    }
    return found;
}

/* Mostly of one kind of bytes, so that there are dense texts and thin ones. */
static size_t make_text(char *to)
{
    static const char *const alphabets[] = {
        "\"abcdefghijklmnop",    "\"\\a",           "\"\\\\\\",
        "\"ab\n\x1f \x7f",       "\"a\x80\xc3\xff", "\xe2\x82\xac\"",
        "\"\"a{}:,[]1234567890", "\\\\\\\\\\\\\"",
    };
    const char *letters = alphabets[any(CT_LEN(alphabets))];
    size_t n = any(LONGEST);
    for (size_t i = 0; i < n; i++)
        to[i] = letters[any((unsigned)strlen(letters))];
    return n;
}

static void assert_scan(const ct_scan_way *w, const char *text, size_t n, const uint32_t *wanted,
                        size_t nwanted)
{
    uint32_t stops[LONGEST + 2 * CT_SCAN_SLACK];
    size_t got = 0, from = 0;
    ct_scan state = {0};
    while (from < n) { /* in parts of any number of blocks */
        size_t to = from + CT_SCAN_BLOCK * (1 + any(4));
        to = to < n ? to : n;
        got += w->scan(&state, text, from, to, stops + got);
        from = to;
    }
    if (got != nwanted || memcmp(stops, wanted, got * sizeof *stops) != 0)
        fail_msg("%s: %zu stops, not %zu, in a text of %zu bytes", w->name, got, nwanted, n);
}

static void every_way(void **state)
{
    (void)state;
    uint32_t *wanted = ct_calloc(LONGEST, sizeof *wanted);
    for (size_t i = 0; i < TEXTS; i++) {
        char drawn[LONGEST];
        random_state = i;
        size_t n = make_text(drawn);
        char *text = ct_alloc(n); /* of exactly its size */
        memcpy(text, drawn, n);
        size_t nwanted = by_the_book(text, n, wanted);
        for (const ct_scan_way *w = ct_scan_ways; w->name; w++)
            if (w->there())
                assert_scan(w, text, n, wanted, nwanted);
        free(text);
    }
    free(wanted);
}

static void the_last_way_is_everywhere(void **state)
{
    (void)state;
    const ct_scan_way *w = ct_scan_ways;
    while (w[1].name)
        w++;
    assert_string_equal(w->name, "portable");
    assert_true(w->there());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way),
        cmocka_unit_test(the_last_way_is_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
