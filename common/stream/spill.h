/* External sorting of records by chart: runs in memory, runs in a temporary file, and their merge.
 * Shared by the files of common/stream only.
 *
 * No `err` may be NULL here. A run is a sequence of entries in the order of ct_entry_cmp. In memory
 * and in the file an entry is a head of fixed size, the key, and the line. */
#ifndef CT_STREAM_SPILL_H
#define CT_STREAM_SPILL_H

#include "common/stream/internal.h"

#include <sys/types.h>

/* A record without its line. */
typedef struct ct_entry {
    ct_str key;   /* id of the chart's Patient; empty, and so first of all, for a shared record */
    bool patient; /* it is the Patient, and so first of its chart */
    uint32_t line_n; /* bytes of its line */
    uint32_t file;   /* number of the input */
    uint64_t number; /* of the line in the input */
} ct_entry;

enum { CT_ENTRY_HEAD = 24 }; /* bytes of a head */

/* The head as it is stored, and back; the key is what stands behind it. */
void ct_entry_pack(const ct_entry *e, char head[CT_ENTRY_HEAD]);
void ct_entry_unpack(ct_entry *e, const char head[CT_ENTRY_HEAD]);
/* By `prefix` of the keys, then the keys, then the Patient first: <0, 0, >0. */
int ct_entry_cmp(const ct_entry *a, uint64_t a_prefix, const ct_entry *b, uint64_t b_prefix);
/* The first eight bytes of a key as a number that orders as they do. */
uint64_t ct_key_prefix(ct_str key);

/* ---- a run in memory ---- */

typedef struct ct_run {
    char *bytes;
    size_t n, cap, budget;
    struct ct_spilled {
        uint64_t prefix; /* the key's first bytes: what nearly always decides */
        const char *at;
    } * items;
    size_t nitems, items_cap;
} ct_run;

void ct_run_start(ct_run *r, size_t budget);
/* False where the run is full, which it never is for the first entry. */
CT_USE bool ct_run_add(ct_run *r, const ct_entry *e, ct_str line);
/* Entries that are equal stay in the order in which they were added. */
void ct_run_sort(ct_run *r);
void ct_run_clear(ct_run *r);
void ct_run_free(ct_run *r);

/* ---- runs in a temporary file ---- */

typedef struct ct_spill {
    int fd;     /* no name: gone with the process */
    off_t size; /* with what stands in the buffer */
    ct_buf buffer;
    struct ct_extent {
        off_t at, end;
    } * runs;
    size_t nruns;
} ct_spill;

CT_USE ct_spill *ct_spill_new(ct_err *err);
void ct_spill_begin(ct_spill *s);
CT_USE bool ct_spill_put(ct_spill *s, ct_str bytes, ct_err *err);
CT_USE bool ct_spill_end(ct_spill *s, ct_err *err);
/* Writes a whole run, which is sorted. */
CT_USE bool ct_spill_run(ct_spill *s, const ct_run *r, ct_err *err);
/* Merges groups of `fanin` runs into a new file until there are no more than that, holding about
 * `memory` bytes. */
CT_USE bool ct_spill_narrow(ct_spill **s, size_t fanin, size_t memory, ct_err *err);
void ct_spill_free(ct_spill *s);

/* ---- sources and their merge ---- */

/* Where entries are taken from, one by one: a run in memory (`run`), or in a file. */
typedef struct ct_source {
    ct_entry entry;
    uint64_t prefix;
    size_t order; /* among sources: the earlier one's come first where entries are equal */
    const ct_run *run;
    size_t next_item;
    const char *line;
    int fd;
    off_t at, end; /* what was not read yet */
    char *buffer;
    size_t cap, start, n; /* [start, n) was read and not taken */
    ct_buf key;
} ct_source;

typedef struct ct_merge {
    ct_source *sources;
    size_t nsources;
    ct_source **heap;
    size_t n;
} ct_merge;

/* Merges one run in memory, or `n` runs of a file from number `first` on. */
CT_USE bool ct_merge_run(ct_merge *m, const ct_run *r, ct_err *err);
CT_USE bool ct_merge_spill(ct_merge *m, const ct_spill *s, size_t first, size_t n, size_t memory,
                           ct_err *err);
/* The first entry, or NULL where none is left. Its line must be read before the next is asked for.
 */
const ct_entry *ct_merge_top(const ct_merge *m);
CT_USE bool ct_merge_line(ct_merge *m, char *to, ct_err *err);
CT_USE bool ct_merge_pop(ct_merge *m, ct_err *err);
void ct_merge_free(ct_merge *m);

#endif
