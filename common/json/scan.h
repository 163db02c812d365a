/* Where strings stop: the bytes of a text at which a reader of strings must look, found many at a
 * time by what the processor has for it. */
#ifndef CT_JSON_SCAN_H
#define CT_JSON_SCAN_H

#include "common/base/base.h"

enum { CT_SCAN_BLOCK = 64, CT_SCAN_SLACK = 16 };

/* What is known at a place in a text that is scanned part by part. All zero at its start, and
 * wherever no string is open. */
typedef struct ct_scan {
    uint64_t inside; /* all ones in a string, else 0 */
    bool escaped;    /* behind an odd number of backslashes */
} ct_scan;

/* Enters the offsets in `text` of the stops of [from, to): quotes that close a string, backslashes,
 * control characters, and of each run of bytes beyond ASCII the first one. `to` is the
 * end of the text, or `from` and a multiple of CT_SCAN_BLOCK. `stops` has room for `to - from`
 * offsets and CT_SCAN_SLACK more. Returns how many.
 *
 * Which quotes close is what it takes them for: it knows strings, but nothing of what stands
 * between them. Whoever refuses a backslash and a byte beyond ASCII there agrees with it up to
 * what is refused. */
typedef size_t ct_scan_fn(ct_scan *state, const char *text, size_t from, size_t to,
                          uint32_t *stops);

/* One way of scanning, and whether this machine has it. */
typedef struct ct_scan_way {
    const char *name;
    ct_scan_fn *scan;
    bool (*there)(void);
} ct_scan_way;

/* The ways that were built, the best first, `portable` last; ends with a NULL name. */
extern const ct_scan_way ct_scan_ways[];

/* The way of this process: what $CHART_SIMD names where the machine has it, else the best one. */
ct_scan_fn *ct_scan_best(void);

#endif
