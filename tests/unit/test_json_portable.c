/* The tests of test_json.c on the scanner for machines without SIMD. */
#define CT_JSON_PORTABLE 1
#include "common/json/parse.c"
#include "tests/unit/test_json.c"
