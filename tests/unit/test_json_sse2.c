/* The tests of test_json.c on another way of scanning. */
#define SCAN_WAY "sse2"
#include "tests/unit/test_json.c"
