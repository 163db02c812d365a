/* External sorting of records by chart, from the ground up: entries as they are stored, a run in
 * memory, checked blocks of a temporary file, runs made of them, and the merge of runs.
 * Shared by the files of common/stream only. No `err` may be NULL here.
 *
 * A run is a sequence of entries in the order of ct_entry_cmp. */
#ifndef CT_STREAM_SPILL_H
#define CT_STREAM_SPILL_H

#include "common/stream/internal.h"

#include <sys/types.h>

/* ---- entries ---- */

/* An entry is stored as a head of fixed size, the key, and the line. */
enum { CT_ENTRY_HEAD = 24 };

static inline size_t ct_entry_size(const ct_entry *e)
{
    return CT_ENTRY_HEAD + e->key.n + e->line.n;
}

/* Head and key. */
void ct_entry_pack_start(const ct_entry *e, char *to);
/* All of it, ct_entry_size bytes. */
void ct_entry_pack(const ct_entry *e, char *to);
/* The key is what stands behind the head, the line what stands behind the key. */
void ct_entry_unpack(ct_entry *e, const char *from);
/* The first eight bytes of a key as a number that orders as they do. */
uint64_t ct_key_prefix(ct_str key);

/* ---- a run in memory ---- */

/* What stands for an entry while it is sorted: nearly always all that is looked at. */
typedef struct ct_handle {
    uint64_t prefix;
    uint64_t at; /* where in the memory its entry starts */
} ct_handle;

/* Entries grow from the front of the memory, items from its end; what lies between is the scratch
 * of the sort. */
typedef struct ct_run {
    char *memory;
    size_t budget, n; /* all of it; bytes of entries */
    ct_handle *items; /* before the sort, the last one first */
    size_t nitems;
    ct_str first;  /* key; empty: none yet */
    size_t common; /* bytes with which all keys (but empty ones) begin */
} ct_run;

void ct_run_start(ct_run *r, size_t budget);
/* False where it does not fit. */
CT_USE bool ct_run_add(ct_run *r, const ct_entry *e);
void ct_run_sort(ct_run *r);
/* The entry of item `i`. */
void ct_run_entry(const ct_run *r, size_t i, ct_entry *e);
void ct_run_clear(ct_run *r);
void ct_run_free(ct_run *r);

/* ---- blocks ---- */

enum { CT_BLOCK_HEAD = 32 };

/* A temporary file of blocks. */
typedef struct ct_blockfile {
    int fd; /* -1: none yet */
    uint64_t size;
} ct_blockfile;

/* How blocks are written: packed or not. */
typedef struct ct_packer ct_packer;

ct_packer *ct_packer_new(ct_when when);
void ct_packer_free(ct_packer *p);
/* Appends the block whose bytes stand behind CT_BLOCK_HEAD bytes of room. */
CT_USE bool ct_block_write(ct_packer *p, ct_blockfile *f, char *room, size_t n, ct_err *err);
/* Reads the block at `*at`, before `end`, in place of what `to` holds, and moves `*at` behind it.
 * A block that is not as it was written is CT_E_IO. */
CT_USE bool ct_block_read(ct_packer *p, const ct_blockfile *f, uint64_t *at, uint64_t end,
                          ct_buf *to, ct_err *err);

/* ---- runs in temporary files ---- */

/* An entry never straddles two blocks. One that is larger than a block has its head and key in a
 * block of its own, whatever their size, and its line in the blocks that follow. */
typedef struct ct_spill {
    ct_blockfile files[2]; /* while runs are merged, they go from one to the other */
    unsigned into;         /* the one that is written */
    ct_packer *packer;
    size_t block; /* bytes of a block */
    char *buffer; /* NULL between runs; CT_BLOCK_HEAD bytes of room, then n bytes */
    size_t n;
    uint64_t written;
    struct ct_extent {
        unsigned file;
        uint64_t at, end;
    } * runs;
    size_t nruns;
} ct_spill;

void ct_spill_start(ct_spill *s, size_t block, ct_when when);
/* The whole run, which is sorted. */
CT_USE bool ct_spill_run(ct_spill *s, const ct_run *r, ct_err *err);
/* An entry as a run of its own. */
CT_USE bool ct_spill_one(ct_spill *s, const ct_entry *e, ct_err *err);
/* Merges runs that follow each other until no more than `fanin` are left. */
CT_USE bool ct_spill_narrow(ct_spill *s, size_t fanin, ct_err *err);
void ct_spill_free(ct_spill *s);

/* ---- sources and their merge ---- */

/* Where entries are taken from, one by one: a run in memory (`run`), or in a file. */
typedef struct ct_source {
    ct_entry entry;
    size_t order; /* among sources: the earlier one's come first where entries are equal */
    const ct_run *run;
    size_t next_item;
    const ct_blockfile *file;
    uint64_t at, end; /* blocks that were not read yet */
    ct_buf block;
    size_t next;   /* in the block */
    uint64_t skip; /* bytes of a line in blocks of its own that were not read */
} ct_source;

typedef struct ct_merge {
    const ct_spill *spill;
    ct_source *sources;
    size_t nsources;
    struct ct_heap {
        uint64_t prefix;
        ct_source *source;
    } * heap;
    size_t n;
    bool popped; /* the first source must move on before the heap is one again */
    ct_buf line; /* one that is larger than a block */
    ct_buf piece;
} ct_merge;

/* Merges one run in memory, or `n` runs of a file from number `first` on. */
CT_USE bool ct_merge_run(ct_merge *m, const ct_run *r, ct_err *err);
CT_USE bool ct_merge_spill(ct_merge *m, const ct_spill *s, size_t first, size_t n, ct_err *err);
/* The first entry (`*e` NULL where none is left), borrowed until the next call. */
CT_USE bool ct_merge_next(ct_merge *m, const ct_entry **e, ct_err *err);
void ct_merge_free(ct_merge *m);

#endif
