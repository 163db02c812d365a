/* The headers of a zip held against each other (PKWARE's APPNOTE.TXT 6.3: 4.3.7 local header, 4.3.9
 * data descriptor, 4.3.12 central directory, 4.3.14 to 4.3.16 its end, 4.5.3 zip64). */
#include "cmd/archive/zip.h"

#include <errno.h>
#include <fcntl.h>
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
    FIELD64 = 1,    /* the extra field with 64-bit sizes */
    LATER = 1 << 3, /* flag: sizes and checksum stand behind the file */
};

typedef unsigned char byte;

typedef struct zip {
    int fd, failed;          /* errno of a read that failed */
    uint64_t size;           /* of the file */
    uint64_t at, end, count; /* the directory */
    byte head[CENTRAL];
    byte tail[3 * 65536];
    byte other[65536];
} zip;

/* What the directory says of a file. */
typedef struct entry {
    uint16_t flags, method, name_len;
    uint32_t crc;
    uint64_t packed, size, offset;
    const byte *name;
} entry;

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

static bool get(zip *z, uint64_t at, byte *to, size_t n)
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

/* ---- the directory ---- */

/* Where the end record starts, or UINT64_MAX: its comment must reach to the end of the file. */
static uint64_t find_end(zip *z)
{
    size_t n = z->size < END + COMMENT_MAX ? (size_t)z->size : END + COMMENT_MAX;

    if (n < END || !get(z, z->size - n, z->tail, n))
        return UINT64_MAX;
    for (size_t i = n - END + 1; i-- > 0;)
        if (is(z->tail + i, "PK\5\6") && get16(z->tail + i + 20) == n - END - i)
            return z->size - n + i;
    return UINT64_MAX;
}

static bool find_directory(zip *z)
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
static bool widen(entry *e, const byte *extra, size_t n)
{
    uint64_t *wide[] = {&e->size, &e->packed, &e->offset};

    while (n >= 4) {
        size_t len = get16(extra + 2);
        const byte *p = extra + 4;

        if (len > n - 4)
            return false;
        for (size_t i = 0; get16(extra) == FIELD64 && i < CT_LEN(wide); i++) {
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

static bool next_entry(zip *z, entry *e)
{
    const byte *h = z->head;
    size_t name, extra, comment;

    if (!get(z, z->at, z->head, CENTRAL) || !is(h, "PK\1\2"))
        return false;
    name = get16(h + 28);
    extra = get16(h + 30);
    comment = get16(h + 32);
    if (!get(z, z->at + CENTRAL, z->tail, name + extra))
        return false;
    *e = (entry){.flags = get16(h + 8),
                 .method = get16(h + 10),
                 .crc = get32(h + 16),
                 .packed = get32(h + 20),
                 .size = get32(h + 24),
                 .name_len = (uint16_t)name,
                 .offset = get32(h + 42),
                 .name = z->tail};
    z->at += CENTRAL + name + extra + comment;
    return z->at <= z->end && get16(h + 34) == 0 && widen(e, z->tail + name, extra);
}

/* ---- the other headers ---- */

/* Behind the file: a signature that may be missing, the checksum, sizes of four or eight bytes. */
static bool descriptor_agrees(zip *z, const entry *e, uint64_t at)
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

/* Sizes that did not fit stand in an extra field, which the directory's own was read from. */
static bool size_agrees(uint32_t local, uint64_t size)
{
    return local == UINT32_MAX || local == size;
}

static const char *compare(zip *z, const entry *e)
{
    byte h[LOCAL];
    size_t extra;

    if (!get(z, e->offset, h, LOCAL) || !is(h, "PK\3\4"))
        return "its directory leads to where no file is";
    extra = get16(h + 28);
    if (get16(h + 26) != e->name_len || !get(z, e->offset + LOCAL, z->other, e->name_len) ||
        memcmp(z->other, e->name, e->name_len) != 0)
        return "a file has two names";
    if (get16(h + 6) != e->flags || get16(h + 8) != e->method)
        return "a file is packed in two ways";
    if (e->flags & LATER)
        return descriptor_agrees(z, e, e->offset + LOCAL + e->name_len + extra + e->packed)
                   ? NULL
                   : "a file has two checksums or sizes";
    if (get32(h + 14) != e->crc || !size_agrees(get32(h + 18), e->packed) ||
        !size_agrees(get32(h + 22), e->size))
        return "a file has two checksums or sizes";
    return NULL;
}

static const char *complaint(zip *z, uint64_t *number)
{
    const char *why = NULL;
    entry e;

    if (!find_directory(z))
        return "its directory is cut or corrupt";
    while (!why && *number < z->count) {
        ++*number;
        why = next_entry(z, &e) ? compare(z, &e) : "its directory is cut or corrupt";
    }
    if (!why && z->at != z->end) {
        *number = 0;
        why = "its directory is longer than it says";
    }
    return why;
}

const char *bag_zip_complaint(const char *path, uint64_t *number, ct_err *err)
{
    struct stat st;
    zip *z = ct_calloc(1, sizeof(*z));
    const char *why = NULL;

    *number = 0;
    z->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (z->fd >= 0 && fstat(z->fd, &st) == 0) {
        z->size = (uint64_t)st.st_size;
        why = complaint(z, number);
    } else {
        z->failed = errno;
    }
    if (z->failed) {
        ct_fail_sys(err, z->failed, "cannot read");
        why = NULL;
    }
    if (z->fd >= 0)
        close(z->fd);
    free(z);
    return why;
}
