/* Reads a zip's directory front to back, and headers where they are. */
#include "cmd/archive/zip_directory.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    END = 22,     /* bytes of the end record, without its comment */
    LOCATOR = 20, /* of what leads to the zip64 end record */
    END64 = 56,   /* of that one */
    CENTRAL = 46, /* of a directory entry, without its variable parts */
    LOCAL = 30,   /* of a local header, likewise */
    COMMENT_MAX = 65535,
    SHORT_MAX = 65535, /* of a variable part */
};

typedef unsigned char byte;

/* Bytes of the file that are read at once: of the directory many, of the headers, between which the
 * files stand, those of a few small files. */
enum { DIRECTORY_STEP = 1 << 20, HEADERS_STEP = 16 * 1024 };

typedef struct window {
    uint64_t at;
    size_t n, step;
    byte *bytes;
} window;

struct bag_zip {
    int fd, failed;          /* errno of a read that failed */
    uint64_t size;           /* of the file */
    uint64_t at, end, count; /* the directory */
    window directory, headers;
    byte directory_bytes[DIRECTORY_STEP];
    byte headers_bytes[LOCAL + 2 * SHORT_MAX];
};

static uint16_t get16(const byte *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get32(const byte *p)
{
    return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static uint64_t get64(const byte *p)
{
    return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static bool is(const byte *p, const char *signature)
{
    return memcmp(p, signature, 4) == 0;
}

static bool get(bag_zip *z, uint64_t at, byte *to, size_t n)
{
    size_t done = 0;

    if (at > z->size || n > z->size - at)
        return false;
    while (done < n) {
        ssize_t got = pread(z->fd, to + done, n - done, (off_t)(at + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            z->failed = got < 0 ? errno : 0;
            return false;
        }
        done += (size_t)got;
    }
    return true;
}

/* `n` bytes at `at`, by way of a window that has room for them; NULL where there are fewer. */
static const byte *look(bag_zip *z, window *w, uint64_t at, size_t n)
{
    uint64_t rest = at < z->size ? z->size - at : 0;
    size_t step = n > w->step ? n : w->step;

    if (n > rest)
        return NULL;
    if (at < w->at || at + n > w->at + w->n) {
        w->n = 0;
        if (rest < step)
            step = (size_t)rest;
        if (!get(z, at, w->bytes, step))
            return NULL;
        w->at = at;
        w->n = step;
    }
    return w->bytes + (at - w->at);
}

/* ---- the directory ---- */

/* Where the end record starts, or UINT64_MAX: its comment must reach to the end of the file. */
static uint64_t find_end(bag_zip *z)
{
    size_t n = z->size < END + COMMENT_MAX ? (size_t)z->size : END + COMMENT_MAX;
    const byte *tail = n < END ? NULL : look(z, &z->directory, z->size - n, n);

    for (size_t i = tail ? n - END + 1 : 0; i-- > 0;)
        if (is(tail + i, "PK\5\6") && get16(tail + i + 20) == n - END - i)
            return z->size - n + i;
    return UINT64_MAX;
}

bool bag_zip_rewind(bag_zip *z)
{
    uint64_t end = find_end(z), at64;
    byte b[END64];

    if (end == UINT64_MAX || !get(z, end, b, END))
        return false;
    z->count = get16(b + 10);
    z->at = get32(b + 16);
    z->end = z->at + get32(b + 12);
    if (end >= LOCATOR && get(z, end - LOCATOR, b, LOCATOR) && is(b, "PK\6\7")) {
        at64 = get64(b + 8);
        if (!get(z, at64, b, END64) || !is(b, "PK\6\6"))
            return false;
        z->count = get64(b + 32);
        z->at = get64(b + 48);
        z->end = z->at + get64(b + 40);
        end = at64;
    }
    return z->at <= z->end && z->end == end;
}

/* Takes the 64-bit values for those that did not fit. */
static bool widen(bag_zip_entry *e, const byte *extra, size_t n)
{
    uint64_t *wide[] = {&e->size, &e->packed, &e->offset};

    while (n >= 4) {
        size_t len = get16(extra + 2);
        const byte *p = extra + 4;

        if (len > n - 4)
            return false;
        for (size_t i = 0; get16(extra) == BAG_ZIP_WIDE && i < CT_LEN(wide); i++) {
            if (*wide[i] != UINT32_MAX)
                continue;
            if (p + 8 > extra + 4 + len)
                return false;
            *wide[i] = get64(p);
            p += 8;
        }
        extra += 4 + len;
        n -= 4 + len;
    }
    return true;
}

/* Another name in an extra field (Info-ZIP's, for Unicode) goes before the one in the header. */
static bool has_other_name(const byte *extra, size_t n)
{
    while (n >= 4) {
        size_t len = get16(extra + 2);

        if (get16(extra) == BAG_ZIP_UNICODE_PATH || len > n - 4)
            return true;
        extra += 4 + len;
        n -= 4 + len;
    }
    return false;
}

static bool is_plain(const byte *h, const bag_zip_entry *e, size_t extra)
{
    unsigned type = get32(h + 38) >> 16 & S_IFMT;
    bool folder = e->name.n && e->name.p[e->name.n - 1] == '/';

    for (size_t i = 0; i < e->name.n; i++)
        if ((unsigned char)e->name.p[i] < ' ' || (unsigned char)e->name.p[i] > 126)
            return false;
    return h[5] == BAG_ZIP_UNIX && type == (folder ? S_IFDIR : S_IFREG) &&
           !has_other_name(h + CENTRAL + e->name.n, extra);
}

bool bag_zip_next(bag_zip *z, bag_zip_entry *e)
{
    const byte *h = look(z, &z->directory, z->at, CENTRAL);
    size_t name, extra, comment;

    if (!h || !is(h, "PK\1\2"))
        return false;
    name = get16(h + 28);
    extra = get16(h + 30);
    comment = get16(h + 32);
    h = look(z, &z->directory, z->at, CENTRAL + name + extra);
    if (!h)
        return false;
    *e = (bag_zip_entry){.flags = get16(h + 8),
                         .method = get16(h + 10),
                         .crc = get32(h + 16),
                         .packed = get32(h + 20),
                         .size = get32(h + 24),
                         .offset = get32(h + 42),
                         .name = {(const char *)h + CENTRAL, name}};
    e->plain = is_plain(h, e, extra);
    z->at += CENTRAL + name + extra + comment;
    return z->at <= z->end && get16(h + 34) == 0 && widen(e, h + CENTRAL + name, extra);
}

bag_zip_span bag_zip_span_of(const bag_zip_entry *e)
{
    uint64_t n = LOCAL + e->name.n, rest = UINT64_MAX - n;

    n += e->packed < rest ? e->packed : rest;
    return (bag_zip_span){e->offset, e->offset < UINT64_MAX - n ? e->offset + n : UINT64_MAX};
}

uint64_t bag_zip_count(const bag_zip *z)
{
    return z->count;
}

bool bag_zip_at_end(const bag_zip *z)
{
    return z->at == z->end;
}

int bag_zip_failed(const bag_zip *z)
{
    return z->failed;
}

/* ---- the other headers ---- */

/* Behind the file: a signature that may be missing, the checksum, sizes of four or eight bytes. */
static bool descriptor_agrees(bag_zip *z, const bag_zip_entry *e, uint64_t at)
{
    byte b[24] = {0};
    size_t n = z->size - at < sizeof(b) ? (size_t)(z->size - at) : sizeof(b);
    const byte *p = b;

    if (at > z->size || n < 12 || !get(z, at, b, n))
        return false;
    if (is(p, "PK\7\10"))
        p += 4;
    if (get32(p) != e->crc)
        return false;
    return (get32(p + 4) == (uint32_t)e->packed && get32(p + 8) == (uint32_t)e->size) ||
           (get64(p + 4) == e->packed && get64(p + 12) == e->size);
}

/* Sizes that did not fit stand in an extra field. */
static bool sizes_agree(const byte *h, const bag_zip_entry *e, const byte *extra, size_t n)
{
    bag_zip_entry local = {.packed = get32(h + 18), .size = get32(h + 22)};

    return widen(&local, extra, n) && local.packed == e->packed && local.size == e->size;
}

const char *bag_zip_compare(bag_zip *z, const bag_zip_entry *e, uint64_t *data)
{
    const byte *h = look(z, &z->headers, e->offset, LOCAL);
    size_t name, extra;

    if (!h || !is(h, "PK\3\4"))
        return "its directory leads to where no file is";
    name = get16(h + 26);
    extra = get16(h + 28);
    *data = e->offset + LOCAL + e->name.n + extra;
    h = look(z, &z->headers, e->offset, LOCAL + name + extra);
    if (!h || name != e->name.n || memcmp(h + LOCAL, e->name.p, name) != 0)
        return "a file has two names";
    if (get16(h + 6) != e->flags || get16(h + 8) != e->method)
        return "a file is packed in two ways";
    if (e->flags & BAG_ZIP_LATER
            ? !descriptor_agrees(z, e, *data + e->packed)
            : get32(h + 14) != e->crc || !sizes_agree(h, e, h + LOCAL + name, extra))
        return "a file has two checksums or sizes";
    return NULL;
}

/* ---- life ---- */

bag_zip *bag_zip_open(int fd)
{
    bag_zip *z = ct_calloc(1, sizeof(*z));
    struct stat st;

    z->fd = fd;
    z->directory = (window){.step = DIRECTORY_STEP, .bytes = z->directory_bytes};
    z->headers = (window){.step = HEADERS_STEP, .bytes = z->headers_bytes};
    if (fstat(fd, &st) == 0)
        z->size = (uint64_t)st.st_size;
    else
        z->failed = errno;
    return z;
}

void bag_zip_close(bag_zip *z)
{
    free(z);
}
