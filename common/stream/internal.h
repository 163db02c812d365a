/* Shared by the files of common/stream and their unit tests only. */
#ifndef CT_STREAM_INTERNAL_H
#define CT_STREAM_INTERNAL_H

#include "common/stream/stream.h"

/* The bytes of the file as they are stored: up to `cap`, `*got` 0 at the end. */
CT_USE bool ct_in_raw(ct_in *in, char *to, size_t cap, size_t *got, ct_err *err);

/* What turns stored bytes into the bytes meant. `read` is as ct_in_read. */
typedef struct ct_decoder {
    bool (*read)(void *state, char *to, size_t cap, size_t *got, ct_err *err);
    void (*close)(void *state);
    void *state;
} ct_decoder;

/* gzip by zlib: every member's CRC and length are checked. */
CT_USE bool ct_gunzip_open(ct_decoder *d, ct_in *in, ct_err *err);

typedef enum ct_packing { CT_PACK_ZSTD, CT_PACK_XZ, CT_PACK_BZIP2 } ct_packing;

/* The others by libarchive's filters. */
CT_USE bool ct_unpack_open(ct_decoder *d, ct_in *in, ct_packing packing, ct_err *err);

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
/* The same for each input of a reader; blocks of `block` bytes; lines up to `line` bytes. 0 leaves
 * a bound as it is. */
void ct_reader_limits(ct_reader *r, size_t read, size_t block, size_t line);
/* Runs that are merged at once, at most. */
void ct_charts_fanin(ct_charts *c, size_t n);
void ct_sorter_fanin(ct_sorter *s, size_t n);
/* Are spilled blocks packed: never, all, or once the disk turns out to be slow (the default)? */
typedef enum ct_when { CT_WHEN_SLOW, CT_ALWAYS, CT_NEVER } ct_when;
void ct_sorter_pack(ct_sorter *s, ct_when when);

#endif
