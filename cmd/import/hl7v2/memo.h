/* Values that come again: most of a feed speaks of the same doctors, wards and codes, message after
 * message, and a table that maps a type of data makes the same of the same text. What it made is
 * kept from a value's second time on, as long as nothing beside the value decided it.
 */
#ifndef CHART_IMPORT_MEMO_H
#define CHART_IMPORT_MEMO_H

#include "cmd/import/hl7v2/map.h"

/* A resource that is made of a part of a value. */
typedef struct import_mention {
    const import_map *map;
    import_level level;
    uint32_t at, n; /* which bytes of the value */
} import_mention;

typedef struct import_known {
    struct import_known *chain;
    uint64_t hash;
    /* what was asked */
    const import_map *map;
    const import_table *table;
    bool resource; /* one of its own is asked for, not a part */
    import_part value;
    uint32_t setting;
    /* what came of it */
    const ct_tree *tree; /* NULL: nothing */
    ct_str json;         /* the tree as written, where it is no text or number */
    ct_str id;           /* of the resource that it is */
    const bool *made;    /* by byte of the value: something was made of what starts there */
    uint64_t assumed;    /* times that were given the run's zone */
    import_mention *mentions;
    size_t nmentions;
} import_known;

enum { IMPORT_KNOWN_MAX = 512 }; /* bytes of a value that is worth it */

typedef struct import_memo import_memo;

/* The memos of a run: as many as threads use one at a time. */
typedef struct import_memos import_memos;

import_memos *import_memos_new(int users);
void import_memos_free(import_memos *all);
/* One that nobody uses, until it is given back; the one given back last first. */
import_memo *import_memo_take(import_memos *all);
void import_memo_give(import_memos *all, import_memo *m);

/* Before each message. `setting` is all beside the tables and the value that mapping one looks at
 * without being told to: delimiters, sender, zone. What was found before may be gone afterwards. */
void import_memo_start(import_memo *m, ct_str setting);
/* What is known of the value in `k`, or NULL. Of `k` the map, its table, `resource` and the value
 * are given; hash and setting are filled in. Where nothing is known, `*again` tells whether it was
 * asked for before. */
const import_known *import_memo_find(import_memo *m, import_known *k, bool *again);
/* Keeps a copy of `k`, of which import_memo_find said that it came again. */
void import_memo_keep(import_memo *m, const import_known *k);

#endif
