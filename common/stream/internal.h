/* Shared by the files of common/stream and their unit tests only. */
#ifndef CT_STREAM_INTERNAL_H
#define CT_STREAM_INTERNAL_H

#include "common/stream/stream.h"

#include <pthread.h>

/* The bytes of the file as they are stored: up to `cap`, `*got` 0 at the end. */
CT_USE bool ct_in_raw(ct_in *in, char *to, size_t cap, size_t *got, ct_err *err);

/* Would a read not have to wait? */
bool ct_in_ready(ct_in *in);

/* To be read ahead if it is a pipe, by a thread of its own: for a caller who works long on what it
 * reads at once, while whoever writes would wait. Asked before the first read. */
void ct_in_ahead(ct_in *in);

/* What turns stored bytes into the bytes meant. `read` is as ct_in_read. */
typedef struct ct_decoder {
    bool (*read)(void *state, char *to, size_t cap, size_t *got, ct_err *err);
    void (*close)(void *state);
    void *state;
} ct_decoder;

/* gzip by zlib: every member's CRC and length are checked. */
CT_USE bool ct_gunzip_open(ct_decoder *d, ct_in *in, ct_err *err);

/* xz by liblzma, in bounded memory. */
CT_USE bool ct_unxz_open(ct_decoder *d, ct_in *in, ct_err *err);

typedef enum ct_packing { CT_PACK_ZSTD, CT_PACK_BZIP2 } ct_packing;

/* The others by libarchive's filters. */
CT_USE bool ct_unpack_open(ct_decoder *d, ct_in *in, ct_packing packing, ct_err *err);

/* Starts a thread, to which no signal is given. False where the system gives none. */
CT_USE bool ct_thread_start(pthread_t *thread, void *(*run)(void *arg), void *arg);

/* The same bytes as `d` gives, made ahead by a thread of its own, up to `pieces` times 256 KiB; by
 * the caller's where the system gives no thread. `wake` (the reading end of a pipe) becomes
 * readable when the thread must end: whoever waits for input on its behalf waits for that, too. */
typedef struct ct_pump ct_pump;
ct_pump *ct_pump_new(const ct_decoder *d, size_t pieces);
CT_USE bool ct_pump_read(ct_pump *p, char *to, size_t cap, size_t *got, ct_err *err);
bool ct_pump_ready(ct_pump *p);
int ct_pump_wake(const ct_pump *p);
void ct_pump_free(ct_pump *p);

/* ---- blocks of lines ---- */

/* Whole lines of one input. */
typedef struct ct_block {
    ct_str text;      /* LF behind each line, and CT_PARSE_SLACK more bytes to be read */
    const char *file; /* as ct_in_name */
    bool first;       /* of the input */
    bool open_end;    /* the input ended without an LF: that of the last line was added */
    bool over;        /* one line of more than `line_max` bytes: its first part */
    size_t line_max;
    ct_buf buf; /* private */
} ct_block;

/* The next block. After CT_GOT_FATAL (once all that was read before is given out) `to->file` is the
 * input that failed, NULL where it did not open, and `to->first` says whether nothing was read. */
ct_got ct_blocks_next(ct_blocks *b, ct_block *to, ct_err *err);
/* Gives back what a very long line needed. */
void ct_block_trim(ct_block *b);
/* Would that not have to wait? */
bool ct_blocks_ready(ct_blocks *b);
void ct_block_free(ct_block *b);
/* Each input as ct_in_ahead. */
void ct_blocks_ahead(ct_blocks *b);
/* What is known of the way so far, to be added to; shown to the watch. */
ct_progress *ct_blocks_progress(ct_blocks *b);
void ct_blocks_show(ct_blocks *b);

/* ---- records of a block ---- */

struct ct_batch {
    const ct_model *model;
    ct_parser *parser;
    ct_block block;
    const char *at; /* the next line */
    uint64_t lines; /* begun so far */
    bool stopped;   /* by what is fatal */
    struct ct_bad {
        ct_record rec;
        ct_err err;
        enum { CT_BAD_RECORD, CT_BAD_FATAL, CT_BAD_NOTE } kind;
    } * bad; /* what ct_batch_next passed over, and what was noted, in order */
    size_t nbad, bad_cap;
};

void ct_batch_start(ct_batch *b);
/* The next record, or what is wrong with one: as ct_reader_next, but numbers count from the batch's
 * first line. */
ct_got ct_batch_any(ct_batch *b, ct_record *rec, ct_err *err);
void ct_batch_free(ct_batch *b);

/* write(2) until all is written; waits where the descriptor does not block. */
CT_USE bool ct_write_all(int fd, ct_str s, ct_err *err);

/* An open temporary file that has no name, for this user alone; -1 on failure. The system takes it
 * back when the process ends, however that happens. */
int ct_temp_open(ct_err *err);

/* ---- for tests ---- */

/* The same in `folder` where the system knows no file without a name from the start: it has one for
 * a moment, and what processes that were killed in that moment left behind is removed. -1 and
 * errno. */
int ct_temp_named(const char *folder);

/* At most `n` bytes from each read(2). */
void ct_in_limit(ct_in *in, size_t n);
/* The same for each input; blocks of `block` bytes; lines up to `line` bytes. 0 leaves a bound as
 * it is. */
void ct_blocks_limits(ct_blocks *b, size_t read, size_t block, size_t line);
/* Runs that are merged at once, at most. */
void ct_charts_fanin(ct_charts *c, size_t n);
void ct_sorter_fanin(ct_sorter *s, size_t n);
/* Are spilled blocks packed: never, all, or once the disk turns out to be slow (the default)? */
typedef enum ct_when { CT_WHEN_SLOW, CT_ALWAYS, CT_NEVER } ct_when;
void ct_sorter_pack(ct_sorter *s, ct_when when);

#endif
