/* The tests of test_json.c on another way of scanning. */
#define SCAN_WAY "portable"
#include "tests/unit/test_json.c"
