/* Made-up JSON from a seed: the same seed, the same text on every machine. */
#ifndef TESTS_RANDOM_JSON_H
#define TESTS_RANDOM_JSON_H

#include "common/base/base.h"

typedef struct dice {
    uint64_t state;
} dice;

/* 0 to sides - 1. */
unsigned roll(dice *d, unsigned sides);

/* A member's name, decoded: known to FHIR or not, some of which need escapes. The first
 * RANDOM_NAMES differ. */
enum { RANDOM_NAMES = 24 };
ct_str random_name(unsigned i);

/* Each appends to `b`. A text has white space around it and up to `size` members or items in a
 * container; some are nested deeply, some have hundreds of members. */
void random_value(dice *d, ct_buf *b, int depth, unsigned size);
void random_text(dice *d, ct_buf *b, unsigned size);
/* A Patient, Encounter, Observation or Condition, on one line, on many, or spaced anyhow. */
void random_resource(dice *d, ct_buf *b);

#endif
