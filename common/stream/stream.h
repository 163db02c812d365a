/* Streams of records: open any input, read records, group them into charts, work on them in order
 * with several threads, write them safely, and keep the books.
 */
#ifndef CT_STREAM_H
#define CT_STREAM_H

#include "common/fhirpath/fhirpath.h"

/* ---- bytes in ---- */

/* A file or stdin ("-"), gzip, zstd, xz and bzip2 taken off by content. */
typedef struct ct_in ct_in;

CT_USE ct_in *ct_in_open(const char *path, ct_err *err);
/* Reads up to `cap` bytes: `*got` 0 at the end. False for an I/O error (CT_E_IO), a compressed
 * stream that is cut (CT_E_CUT) or corrupt (CT_E_DATA). */
CT_USE bool ct_in_read(ct_in *in, char *to, size_t cap, size_t *got, ct_err *err);
/* The path, or "(standard input)". */
const char *ct_in_name(const ct_in *in);
/* Bytes read of the file as it is stored. */
uint64_t ct_in_stored(const ct_in *in);
/* The sizes of all files as they are stored; 0 where one is no regular file. */
uint64_t ct_in_stored_total(const char *const *paths, size_t n);
void ct_in_close(ct_in *in);

/* Appends everything the input holds; CT_E_LIMIT where it is over `max` bytes. */
CT_USE bool ct_slurp(const char *path, size_t max, ct_buf *to, ct_err *err);

/* ---- bytes out ---- */

/* A file that takes its final name only when it is whole, or stdout (NULL or "-"). */
typedef struct ct_out ct_out;

/* A file is written beside its final place, mode 0600, and as far as the system allows has no name
 * meanwhile; `.gz`, `.zst`, `.xz` and `.bz2` names
 * are compressed. */
CT_USE ct_out *ct_out_open(const char *path, ct_err *err);
/* The same, but what stands under the name goes at once: what stands there later is this run's. */
CT_USE ct_out *ct_out_open_anew(const char *path, ct_err *err);
/* Errors stick and are reported again by ct_out_close. False at once where the write failed. */
bool ct_out_put(ct_out *out, ct_str s);
/* Writes what is buffered, where somebody may be waiting for it: not to a file that has no name
 * yet, nor through a packer, which would pack worse. */
bool ct_out_flush(ct_out *out);
/* The same, and on the disk where it is a file that has its name already: somebody is told that it
 * is safe. */
CT_USE bool ct_out_sync(ct_out *out, ct_err *err);
/* Flushes, syncs, renames. The `out` is gone whatever the result. */
CT_USE bool ct_out_close(ct_out *out, ct_err *err);
/* Drops it: a file leaves nothing behind. NULL is allowed. */
void ct_out_abandon(ct_out *out);
/* Removes the unfinished files of this process; async-signal-safe, for signal handlers and the hook
 * of ct_on_oom. */
void ct_out_cleanup(void);
/* Registers / forgets another unfinished file for ct_out_cleanup (a container being built by
 * another library). The path must stay valid until it is forgotten. False where the table is full.
 */
CT_USE bool ct_cleanup_add(const char *path);
void ct_cleanup_drop(const char *path);

/* Text that is written piece by piece and then read back once: in memory, and where it is more than
 * 1 MiB in a private temporary file in $TMPDIR that has no name. */
typedef struct ct_spool ct_spool;

ct_spool *ct_spool_new(void);
CT_USE bool ct_spool_put(ct_spool *s, ct_str text, ct_err *err);
uint64_t ct_spool_size(const ct_spool *s);
/* Reads on from the start, `*got` 0 at the end. Nothing is put any more. */
CT_USE bool ct_spool_read(ct_spool *s, char *to, size_t cap, size_t *got, ct_err *err);
/* NULL is allowed. */
void ct_spool_free(ct_spool *s);

/* ---- the books ---- */

/* One side of the books: how many records, of which types, and the sum modulo 2^256 of the SHA-256
 * of each line without its LF: the same for any order. */
typedef struct ct_side {
    uint64_t records, bytes; /* bytes of the lines, each with its LF */
    uint8_t sum[CT_SHA256_LEN];
    struct ct_kindcount {
        ct_str kind; /* resource type; must outlive the side */
        uint64_t n;
    } * kinds;
    size_t nkinds;
    bool off;    /* set: nothing is counted but records and bytes (no --tally asked for) */
    ct_sha *sha; /* private */
} ct_side;

void ct_side_add(ct_side *s, ct_str line, ct_str kind);
void ct_side_merge(ct_side *into, const ct_side *from);
void ct_side_clear(ct_side *s); /* keeps `off` */
void ct_side_free(ct_side *s);

/* ---- records in ---- */

typedef enum ct_got {
    CT_GOT_RECORD,
    CT_GOT_END,
    CT_GOT_BAD,   /* this record is unusable and is left out; the stream goes on */
    CT_GOT_FATAL, /* the stream cannot be trusted any further */
} ct_got;

typedef struct ct_record {
    ct_str line; /* without LF */
    ct_doc doc;
    ct_str type;      /* resource type; lives as long as the model */
    const char *file; /* as ct_in_name */
    uint64_t number;  /* line in the file, from 1 */
} ct_record;

/* How far reading has come. */
typedef struct ct_progress {
    uint64_t bytes;         /* read so far, unpacked */
    uint64_t records;       /* worked on so far, the bad ones, too */
    uint64_t stored, total; /* bytes of the files as they are: read, and in all (0: not known) */
    uint64_t out;           /* records handed out again, where all are read before */
} ct_progress;

typedef void ct_progress_fn(void *ctx, const ct_progress *p);

/* NDJSON from `n` inputs one after another (none: stdin). */
typedef struct ct_blocks ct_blocks;

/* `paths` is borrowed. */
ct_blocks *ct_blocks_new(const char *const *paths, size_t n);
/* Calls `watch` now and then on the thread that reads. */
void ct_blocks_watch(ct_blocks *b, ct_progress_fn *watch, void *ctx);
/* NULL is allowed. */
void ct_blocks_free(ct_blocks *b);

/* One record after another, on one thread. */
typedef struct ct_reader ct_reader;

/* `in` is borrowed. Lines that start with "# chart-" (the reasons in a --reject file) are passed
 * over. */
ct_reader *ct_reader_new(const ct_model *m, ct_blocks *in);
/* The next record, parsed and checked to be an R4 resource. It is borrowed: valid until the next
 * call. After CT_GOT_BAD `rec->line`, `file` and `number` tell what was refused and `*err` why; a
 * line over CT_JSON_MAX is given by its first part and the rest is dropped. An input that does not
 * open, cannot be read, whose first line tells of another format (HL7 v2, XML, JSON on several
 * lines …), or whose last line is cut is CT_GOT_FATAL; so is everything after it. */
ct_got ct_reader_next(ct_reader *r, ct_record *rec, ct_err *err);
void ct_reader_free(ct_reader *r);

/* What a caller does with records that cannot be used: report, keep, count. */
typedef void ct_bad_fn(void *ctx, const ct_record *rec, const ct_err *err);

/* Records worked on by several threads, a batch of some hundred KiB at a time.
 *
 *     work   on any thread: takes the records of the batch by ct_batch_next and leaves what comes
 *            of them in the slot, which is that thread's meanwhile. Numbers of lines count from the
 *            batch's first
 *     done   on the calling thread, in the order of the batches: `before` lines of the file came
 *            before this batch. False ends the run
 *
 * Bad records are passed over by ct_batch_next, and given to `bad` ahead of `done`. `slots` is
 * an array of the caller's, CT_SLOTS_PER_JOB times `jobs` slots of `slot_size` bytes. False where
 * `done` ended the run or something fatal did, which `*err` tells then; all that came before it is
 * done. */
typedef struct ct_batch ct_batch;

typedef struct ct_batches {
    const ct_model *model;
    ct_blocks *in;
    int jobs;
    void *slots;
    size_t slot_size;
    void (*work)(void *ctx, void *slot, ct_batch *batch);
    bool (*done)(void *ctx, void *slot, uint64_t before);
    void *ctx;
    void (*note)(void *ctx, const ct_err *err); /* where ct_batch_note is called */
    bool (*idle)(void *ctx);                    /* as in ct_work */
    ct_bad_fn *bad;                             /* may be NULL */
    void *bad_ctx;
} ct_batches;

/* False at the end. The record is borrowed from the batch: its line until `done` has returned, its
 * document until the next call. */
CT_USE bool ct_batch_next(ct_batch *b, ct_record *rec);
/* For `work`: what is wrong with a good record's result. It is told to `note`, its file and line
 * filled in, in order with the bad records. */
void ct_batch_note(ct_batch *b, const ct_record *rec, const ct_err *err);
CT_USE bool ct_batches_run(const ct_batches *w, ct_err *err);

/* ---- sorting ---- */

/* A record as it is sorted. */
typedef struct ct_entry {
    ct_str key; /* id of the chart's Patient; empty, and so first of all, for a shared record */
    ct_str line;
    uint64_t number; /* of the line in the input */
    uint32_t file;   /* number of the input, or what else the caller numbers */
    uint32_t tag;    /* the caller's own, below 2^31 */
    bool patient;    /* it is the Patient, and so first of its chart */
    bool unplaced;   /* as in ct_owner; not kept by the sorter */
} ct_entry;

/* <0, 0, >0 by the keys' bytes, and in a chart the Patient first. What is equal stays in the order
 * in which it was added. */
int ct_entry_cmp(const ct_entry *a, const ct_entry *b);

/* Sorts any number of entries in bounded memory: what it cannot hold waits in a private temporary
 * file in $TMPDIR (else /tmp) that has no name. */
typedef struct ct_sorter ct_sorter;

/* Holds about `memory` bytes; an entry that is larger than that goes to the file by itself. */
ct_sorter *ct_sorter_new(size_t memory);
/* Takes a copy of key and line. */
CT_USE bool ct_sorter_add(ct_sorter *s, const ct_entry *e, ct_err *err);
/* The next in order, borrowed until the next call; CT_GOT_END behind the last. Nothing is added any
 * more. CT_GOT_FATAL (which sticks) where the temporary file cannot be written or read, or what is
 * read from it is not what was written. Never CT_GOT_BAD. */
ct_got ct_sorter_next(ct_sorter *s, ct_entry *e, ct_err *err);
/* Bytes that were written to the temporary file so far. */
uint64_t ct_sorter_spilled(const ct_sorter *s);
void ct_sorter_free(ct_sorter *s);

/* The record ahead, where each must be in order behind it. All zero: none yet. */
typedef struct ct_order {
    bool any, patient;
    ct_buf key; /* free it */
} ct_order;

/* Is the entry in order behind the one ahead? If not, `*err` tells its place, in `file`. */
CT_USE bool ct_order_next(ct_order *last, const ct_entry *e, const char *file, ct_err *err);

/* All records of an input into a sorter: whose each one is, is found out by several threads. */
typedef struct ct_intake {
    const ct_model *model;
    ct_blocks *in;
    int jobs;
    ct_sorter *sorter; /* NULL: they are looked at by `each` only */
    ct_side *side;     /* of the books, for every good record; may be NULL */
    ct_bad_fn *bad;    /* may be NULL */
    void *bad_ctx;
    /* On the calling thread, in the order of the input: completes the record's entry before it is
     * added. The record has no document. False (`*err` filled) ends the run. */
    bool (*each)(void *ctx, const ct_record *rec, ct_entry *e, ct_err *err);
    void *ctx;
} ct_intake;

/* False where `each`, the sorter or the input failed. */
CT_USE bool ct_intake_run(const ct_intake *t, ct_err *err);

/* ---- charts ---- */

/* A Patient and all of its compartment, or (empty `id`) the records that belong to nobody. It owns
 * its lines and tapes. */
typedef struct ct_chart {
    ct_str id;          /* the Patient's id, empty for the shared records */
    ct_record *records; /* the Patient first where the stream has it, then input order */
    size_t n;
    bool has_patient;
    ct_arena *arena;
    struct ct_chart_index *index; /* private: made by the first ct_chart_resolve */
} ct_chart;

typedef struct ct_charts ct_charts;

/* Groups what `in` gives: all shared records first (in chunks of at most 1,000 records or 4 MiB,
 * each a ct_chart with empty id), then the charts by id. Holds about `memory` bytes (0: 24 MiB) and
 * the chart that is handed out, and spills the rest to a private temporary file in $TMPDIR (else
 * /tmp) that has no name. All input is read, by `jobs` threads, and every bad record reported,
 * before the first chart comes. `side` (may be NULL) is the side of the books that every good
 * record is entered on. */
ct_charts *ct_charts_new(ct_blocks *in, int jobs, size_t memory, ct_side *side, ct_bad_fn *bad,
                         void *bad_ctx);
/* The input is in order already, as the sorter would leave it: charts come as they are read, and
 * nothing is spilled. A record that is out of order is CT_GOT_FATAL; charts before it have gone out
 * then. Before the first ct_charts_next. */
void ct_charts_sorted(ct_charts *c);
/* Fills `*chart` (all zero, or one used before: its arena is reset). Never CT_GOT_BAD. */
ct_got ct_charts_next(ct_charts *c, ct_chart *chart, ct_err *err);
/* How many of the shared records are some patient's, nobody knows whose (see ct_owner.unplaced):
 * all of them from the first chart on that has an id. */
uint64_t ct_charts_unplaced(const ct_charts *c);
void ct_charts_free(ct_charts *c);
void ct_chart_free(ct_chart *chart);
/* Resolves a literal reference among the chart's own records (`Type/id`, `urn:uuid:id`, absolute
 * URLs by their end), or NULL. Fits ct_context.resolve with the chart as `ctx`. */
const ct_doc *ct_chart_resolve(void *chart, ct_str reference);
/* The chart's records as a collection, for ct_context.chart; in `a`, and valid as long as the
 * chart. */
const ct_items *ct_chart_items(const ct_chart *chart, const ct_model *m, ct_arena *a);
/* The chart as it stands: of records with the same type and id the newest one only, as an update
 * takes the place of what was there; but one that is tagged SUBSETTED (its source told a part of it
 * only) never takes the place of a whole one. The newest is that of the latest meta.lastUpdated
 * where both tell it, else of the highest meta.versionId where both are numbers, else the last one
 * of the input. The Patient is still first. It borrows the chart's records and arena: valid as long
 * as they are, never freed. `*outdated` (may be NULL) becomes a flag for each record of the chart:
 * another one took its place. */
ct_chart ct_chart_current(const ct_chart *chart, const bool **outdated);

/* ---- ordered work ---- */

/* Lines on their way out, with their side of the books. */
typedef struct ct_lines {
    ct_buf buf;
    ct_side side;
} ct_lines;

/* Appends `line` and LF, and enters it in the books. */
void ct_lines_add(ct_lines *l, ct_str line, ct_str kind);

/* Work on units (charts, records, messages) by `jobs` threads, results in the order of the units.
 *
 *     fill   on the calling thread: puts the next unit into `slot`; CT_GOT_RECORD, CT_GOT_END or
 *            CT_GOT_FATAL (which ends the run, `*err` filled, after what was filled before is done)
 *     work   on any thread; each slot is one thread's at a time
 *     done   on the calling thread, in order; false ends the run
 *     ready  on the calling thread: would `fill` not have to wait? NULL: never. Where it would, all
 *            that was filled is done first, so that results do not wait for input, and then
 *     idle   is called, to hand on what is buffered; false ends the run. May be NULL
 *
 * Slots are made by the caller: `nslots` of them, at least `jobs`; with CT_SLOTS_PER_JOB times
 * `jobs` all are kept busy, and no more charts than that are in memory. With jobs 1 everything runs
 * on the calling thread. False where fill or done ended the run; `*err` is filled by fill only. */
enum { CT_SLOTS_PER_JOB = 2 };

typedef struct ct_work {
    int jobs;
    void **slots;
    size_t nslots;
    ct_got (*fill)(void *ctx, void *slot, ct_err *err);
    void (*work)(void *ctx, void *slot);
    bool (*done)(void *ctx, void *slot);
    void *ctx;
    bool (*ready)(void *ctx);
    bool (*idle)(void *ctx);
} ct_work;

CT_USE bool ct_work_run(const ct_work *w, ct_err *err);

/* Work on charts by several threads: ct_work over what ct_charts_next gives, with a slot of the
 * caller's for each: an array of CT_SLOTS_PER_JOB times `jobs` slots of `slot_size` bytes. Each
 * chart is parsed by the thread that works on it; where `unparsed`, by none: its records have no
 * documents and types then.
 */
typedef struct ct_chartwork {
    ct_charts *charts;
    int jobs;
    bool unparsed;
    void *slots;
    size_t slot_size;
    void (*work)(void *ctx, void *slot, ct_chart *chart);
    bool (*done)(void *ctx, void *slot, const ct_chart *chart);
    void *ctx;
} ct_chartwork;

/* As ct_work_run. */
CT_USE bool ct_charts_run(const ct_chartwork *w, ct_err *err);

/* ---- the tally ---- */

/* What a run can account for. Counts by name beside the two sides: "rejected", "withheld",
 * "created" … The equation that must hold: in + created = out + rejected + withheld + consumed,
 * over records. */
typedef struct ct_tally {
    ct_side in, out;
    uint64_t created, changed, rejected, withheld, consumed;
} ct_tally;

bool ct_tally_balanced(const ct_tally *t);

#endif
