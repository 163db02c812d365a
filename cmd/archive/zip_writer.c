/* Packs by zlib, file after file, into a buffer. A file's header goes ahead with zeros in it and is
 * written again when the file is known: in the buffer where it is still there, else in the file. */
#include "cmd/archive/zip_writer.h"
#include "cmd/archive/zip_format.h"
#include "common/stream/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

enum {
    CAP = 256 * 1024,  /* of the buffer: more than a header can take */
    PIECE = 1 << 30,   /* given to zlib at once: its counters have 32 bits */
    WINDOW_RAW = -15,  /* neither head nor sum around what is deflated */
    PACKER_MEMORY = 8, /* zlib's default */
};

/* Version of the format that a reader must know. */
enum { PLAIN = 10, PACKED = 20, WIDE = 45 };

/* A file or folder, in both of its headers. */
typedef struct entry {
    ct_buf name;
    uint64_t at; /* of its header */
    uint64_t size, packed;
    uint32_t crc;
    uint16_t flags;
    enum bag_zip_method method;
    mode_t mode;
    bool wide; /* its header has room for 64-bit sizes */
} entry;

struct bag_zip_writer {
    int fd;
    int64_t mtime;
    uint16_t time, date; /* the same as MS-DOS has it */
    z_stream deflate;
    ct_spool *directory;
    uint64_t entries;
    entry file;           /* the current one */
    uint64_t promised;    /* its size */
    ct_buf header, extra; /* while they are put together */
    uint64_t written;     /* bytes of the zip that are in the file; the next `n` are here */
    size_t n;
    char buffer[CAP];
};

/* ---- bytes out ---- */

static bool write_at(const bag_zip_writer *w, uint64_t at, ct_str bytes, ct_err *err)
{
    while (bytes.n) {
        ssize_t n = pwrite(w->fd, bytes.p, bytes.n, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ct_fail_sys(err, n ? errno : ENOSPC, "cannot write the container");
        at += (uint64_t)n;
        bytes = ct_str_from(bytes, (size_t)n);
    }
    return true;
}

static bool flush(bag_zip_writer *w, ct_err *err)
{
    if (!write_at(w, w->written, (ct_str){w->buffer, w->n}, err))
        return false;
    w->written += w->n;
    w->n = 0;
    return true;
}

static bool put_bytes(bag_zip_writer *w, ct_str bytes, ct_err *err)
{
    while (bytes.n) {
        ct_str part = ct_str_head(bytes, CAP - w->n);

        memcpy(w->buffer + w->n, part.p, part.n);
        w->n += part.n;
        bytes = ct_str_from(bytes, part.n);
        if (w->n == CAP && !flush(w, err))
            return false;
    }
    return true;
}

uint64_t bag_zip_writer_size(const bag_zip_writer *w)
{
    return w->written + w->n;
}

/* ---- headers ---- */

/* Little endian. */
static void put(ct_buf *b, uint64_t value, int bytes)
{
    for (; bytes > 0; bytes--, value >>= 8)
        ct_buf_c(b, (char)(value & 0xff));
}

static void put16(ct_buf *b, uint64_t value)
{
    put(b, value, 2);
}

static void put32(ct_buf *b, uint64_t value)
{
    put(b, value, 4);
}

/* A value of 64 bits where 16 or 32 are: all ones say that it stands elsewhere. */
static bool is_wide(uint64_t value)
{
    return value >= UINT32_MAX;
}

static void put_narrow16(ct_buf *b, uint64_t value)
{
    put16(b, value < UINT16_MAX ? value : UINT16_MAX);
}

static void put_narrow32(ct_buf *b, uint64_t value)
{
    put32(b, is_wide(value) ? UINT32_MAX : value);
}

static void put_wide(ct_buf *b, const uint64_t *values, size_t n)
{
    if (n == 0)
        return;
    put16(b, BAG_ZIP_WIDE);
    put16(b, n * 8);
    for (size_t i = 0; i < n; i++)
        put(b, values[i], 8);
}

/* The time that MS-DOS had is anybody's local one; where it is, this one goes before it. */
static void put_time(ct_buf *b, int64_t mtime)
{
    if (mtime < 0 || mtime > INT32_MAX)
        return;
    put16(b, BAG_ZIP_TIMES);
    put16(b, 5);
    put(b, 1, 1); /* of modification */
    put32(b, (uint64_t)mtime);
}

static int version(const entry *e)
{
    if (e->wide || is_wide(e->at))
        return WIDE;
    return e->method == BAG_ZIP_DEFLATED || S_ISDIR(e->mode) ? PACKED : PLAIN;
}

/* What both headers have, as far as the length of the name. */
static void put_common(const bag_zip_writer *w, ct_buf *b, uint64_t packed, uint64_t size)
{
    put16(b, (uint64_t)version(&w->file));
    put16(b, w->file.flags);
    put16(b, w->file.method);
    put16(b, w->time);
    put16(b, w->date);
    put32(b, w->file.crc);
    put_narrow32(b, packed);
    put_narrow32(b, size);
    put16(b, w->file.name.n);
}

/* Of a file whose size needs 64 bits, or may when it is packed, both sizes stand apart. */
static ct_str local_header(bag_zip_writer *w)
{
    const entry *e = &w->file;
    ct_buf *b = &w->header, *extra = &w->extra;

    extra->n = 0;
    if (e->wide)
        put_wide(extra, (const uint64_t[]){e->size, e->packed}, 2);
    put_time(extra, w->mtime);
    b->n = 0;
    ct_buf_z(b, "PK\3\4");
    put_common(w, b, e->wide ? UINT64_MAX : e->packed, e->wide ? UINT64_MAX : e->size);
    put16(b, extra->n);
    ct_buf_put(b, ct_buf_str(&e->name));
    ct_buf_put(b, ct_buf_str(extra));
    return ct_buf_str(b);
}

/* Each value that needs 64 bits stands apart. */
static ct_str directory_entry(bag_zip_writer *w)
{
    const entry *e = &w->file;
    const uint64_t values[] = {e->size, e->packed, e->at};
    uint64_t wide[CT_LEN(values)];
    ct_buf *b = &w->header, *extra = &w->extra;
    size_t n = 0;

    extra->n = 0;
    for (size_t i = 0; i < CT_LEN(values); i++)
        if (is_wide(values[i]))
            wide[n++] = values[i];
    put_wide(extra, wide, n);
    put_time(extra, w->mtime);
    b->n = 0;
    ct_buf_z(b, "PK\1\2");
    put16(b, BAG_ZIP_UNIX << 8 | WIDE);
    put_common(w, b, e->packed, e->size);
    put16(b, extra->n);
    put(b, 0, 2 + 2 + 2); /* no comment, on the first disk, binary */
    put32(b, (uint64_t)e->mode << 16);
    put_narrow32(b, e->at);
    ct_buf_put(b, ct_buf_str(&e->name));
    ct_buf_put(b, ct_buf_str(extra));
    return ct_buf_str(b);
}

static ct_str directory_end(bag_zip_writer *w, uint64_t at, uint64_t size)
{
    ct_buf *b = &w->header;
    uint64_t end = at + size;

    b->n = 0;
    if (w->entries >= UINT16_MAX || is_wide(at) || is_wide(size)) {
        ct_buf_z(b, "PK\6\6");
        put(b, 2 + 2 + 4 + 4 + 4 * 8, 8); /* bytes of what follows */
        put16(b, BAG_ZIP_UNIX << 8 | WIDE);
        put16(b, WIDE);
        put(b, 0, 4 + 4); /* all on the first disk */
        put(b, w->entries, 8);
        put(b, w->entries, 8);
        put(b, size, 8);
        put(b, at, 8);
        ct_buf_z(b, "PK\6\7");
        put32(b, 0);
        put(b, end, 8);
        put32(b, 1); /* disks */
    }
    ct_buf_z(b, "PK\5\6");
    put(b, 0, 2 + 2);
    put_narrow16(b, w->entries);
    put_narrow16(b, w->entries);
    put_narrow32(b, size);
    put_narrow32(b, at);
    put16(b, 0); /* no comment */
    return ct_buf_str(b);
}

/* ---- files ---- */

static bool is_ascii(ct_str name)
{
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] > 126)
            return false;
    return true;
}

/* The header is in the buffer as a whole, or nothing of it is. */
static bool begin(bag_zip_writer *w, ct_str name, ct_err *err)
{
    ct_str header;

    if (name.n > UINT16_MAX)
        return ct_fail(err, CT_E_DATA, "a name is too long for a zip");
    w->file.name.n = 0;
    ct_buf_put(&w->file.name, name);
    w->file.flags = is_ascii(name) ? 0 : BAG_ZIP_UTF8;
    w->file.at = bag_zip_writer_size(w);
    header = local_header(w);
    return (header.n <= CAP - w->n || flush(w, err)) && put_bytes(w, header, err);
}

/* Puts the header in the place of the one that went ahead, and enters the file in the directory. */
static bool end(bag_zip_writer *w, ct_err *err)
{
    const entry *e = &w->file;
    ct_str header = local_header(w);

    if (e->at >= w->written)
        memcpy(w->buffer + (e->at - w->written), header.p, header.n);
    else if (!write_at(w, e->at, header, err))
        return false;
    w->entries++;
    return ct_spool_put(w->directory, directory_entry(w), err);
}

static void set_entry(bag_zip_writer *w, mode_t mode)
{
    w->file = (entry){.name = w->file.name, .mode = mode, .crc = (uint32_t)crc32(0, NULL, 0)};
}

bool bag_zip_writer_folder(bag_zip_writer *w, ct_str name, ct_err *err)
{
    set_entry(w, S_IFDIR | 0700);
    return begin(w, name, err) && end(w, err);
}

bool bag_zip_writer_begin(bag_zip_writer *w, ct_str name, bool packed, uint64_t size, ct_err *err)
{
    set_entry(w, S_IFREG | 0600);
    if (packed && size > 0) /* of nothing, two bytes would be made */
        w->file.method = BAG_ZIP_DEFLATED;
    w->file.wide = is_wide(size + size / 1024 + 1024); /* what cannot be packed gets larger */
    w->promised = size;
    if (deflateReset(&w->deflate) != Z_OK)
        return ct_fail_sys(err, ENOMEM, "cannot pack the container");
    return begin(w, name, err);
}

/* Deflates what was given to zlib, or all that is left in it. */
static bool deflate_on(bag_zip_writer *w, int what, ct_err *err)
{
    int r = Z_OK;

    while (r == Z_OK && (what == Z_FINISH || w->deflate.avail_in)) {
        size_t room = CAP - w->n;

        w->deflate.next_out = (Bytef *)w->buffer + w->n;
        w->deflate.avail_out = (uInt)room;
        r = deflate(&w->deflate, what);
        w->n += room - w->deflate.avail_out;
        w->file.packed += room - w->deflate.avail_out;
        if (w->n == CAP && !flush(w, err))
            return false;
    }
    return r == (what == Z_FINISH ? Z_STREAM_END : Z_OK) ||
           ct_fail_sys(err, ENOMEM, "cannot pack the container");
}

static bool put_part(bag_zip_writer *w, ct_str part, ct_err *err)
{
    w->file.crc = (uint32_t)crc32(w->file.crc, (const Bytef *)part.p, (uInt)part.n);
    w->file.size += part.n;
    if (w->file.method == BAG_ZIP_STORED) {
        w->file.packed += part.n;
        return put_bytes(w, part, err);
    }
    w->deflate.next_in = (Bytef *)part.p;
    w->deflate.avail_in = (uInt)part.n;
    return deflate_on(w, Z_NO_FLUSH, err);
}

bool bag_zip_writer_put(bag_zip_writer *w, ct_str bytes, ct_err *err)
{
    while (bytes.n) {
        ct_str part = ct_str_head(bytes, PIECE);

        if (!put_part(w, part, err))
            return false;
        bytes = ct_str_from(bytes, part.n);
    }
    return true;
}

bool bag_zip_writer_end(bag_zip_writer *w, ct_err *err)
{
    if (w->file.size != w->promised)
        return ct_fail(err, CT_E_DATA, "a file is not as long as it was to be");
    return (w->file.method == BAG_ZIP_STORED || deflate_on(w, Z_FINISH, err)) && end(w, err);
}

bool bag_zip_writer_finish(bag_zip_writer *w, ct_err *err)
{
    uint64_t at = bag_zip_writer_size(w), size = ct_spool_size(w->directory);
    size_t got = 1;
    bool ok = true;

    while (ok && got) {
        ok = (w->n < CAP || flush(w, err)) &&
             ct_spool_read(w->directory, w->buffer + w->n, CAP - w->n, &got, err);
        w->n += ok ? got : 0;
    }
    return ok && put_bytes(w, directory_end(w, at, size), err) && flush(w, err);
}

/* ---- life ---- */

/* MS-DOS counts the years from 1980, with seven bits, and in steps of two seconds. */
static void set_dos_time(bag_zip_writer *w)
{
    time_t t = (time_t)w->mtime;
    struct tm tm;

    if (!gmtime_r(&t, &tm) || tm.tm_year < 80)
        tm = (struct tm){.tm_year = 80, .tm_mday = 1};
    else if (tm.tm_year > 80 + 127)
        tm = (struct tm){.tm_year = 80 + 127, .tm_mon = 11, .tm_mday = 31};
    w->date = (uint16_t)((tm.tm_year - 80) << 9 | (tm.tm_mon + 1) << 5 | tm.tm_mday);
    w->time = (uint16_t)(tm.tm_hour << 11 | tm.tm_min << 5 | tm.tm_sec / 2);
}

bag_zip_writer *bag_zip_writer_new(int fd, int64_t mtime)
{
    bag_zip_writer *w = ct_calloc(1, sizeof(*w));

    w->fd = fd;
    w->mtime = mtime;
    set_dos_time(w);
    if (deflateInit2(&w->deflate, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_RAW, PACKER_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        ct_oom();
    w->directory = ct_spool_new();
    return w;
}

void bag_zip_writer_free(bag_zip_writer *w)
{
    if (!w)
        return;
    deflateEnd(&w->deflate);
    ct_spool_free(w->directory);
    ct_buf_free(&w->file.name);
    ct_buf_free(&w->header);
    ct_buf_free(&w->extra);
    free(w);
}
