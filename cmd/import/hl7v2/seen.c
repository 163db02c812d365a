/* Digests of messages, in a file of 32 bytes each. */
#include "cmd/import/hl7v2/seen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { DIGEST = CT_SHA256_LEN, FIRST = 1024 };

struct import_seen {
    int fd; /* -1: none */
    const char *path;
    off_t read; /* of the file */
    uint8_t *digests;
    size_t n, cap;
    uint32_t *slots; /* index + 1, 0 free; at most half full */
    size_t mask;
};

/* ---- the set ---- */

static size_t slot_of(const import_seen *s, const uint8_t *digest)
{
    uint64_t hash;

    memcpy(&hash, digest, sizeof hash);
    size_t i = hash & s->mask;
    while (s->slots[i] && memcmp(s->digests + (s->slots[i] - 1) * DIGEST, digest, DIGEST) != 0)
        i = (i + 1) & s->mask;
    return i;
}

static void grow(import_seen *s)
{
    s->cap = s->cap ? 2 * s->cap : FIRST;
    s->digests = ct_realloc(s->digests, s->cap, DIGEST);
    free(s->slots);
    s->slots = ct_calloc(2 * s->cap, sizeof *s->slots);
    s->mask = 2 * s->cap - 1;
    for (size_t i = 0; i < s->n; i++)
        s->slots[slot_of(s, s->digests + i * DIGEST)] = (uint32_t)i + 1;
}

static void enter(import_seen *s, const uint8_t *digest)
{
    if (s->n == s->cap)
        grow(s);
    size_t slot = slot_of(s, digest);
    if (s->slots[slot])
        return;
    memcpy(s->digests + s->n * DIGEST, digest, DIGEST);
    s->slots[slot] = (uint32_t)++s->n;
}

bool import_seen_has(const import_seen *s, const uint8_t digest[CT_SHA256_LEN])
{
    return s->n && s->slots[slot_of(s, digest)] != 0;
}

/* ---- the file ---- */

static bool fail(const import_seen *s, ct_err *err, const char *text)
{
    ct_fail_sys(err, errno, text);
    err->file = s->path;
    return false;
}

import_seen *import_seen_open(const char *path, ct_err *err)
{
    import_seen *s = ct_calloc(1, sizeof *s);

    s->fd = -1;
    s->path = path;
    if (path && (s->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0) {
        fail(s, err, "cannot open");
        free(s);
        return NULL;
    }
    return s;
}

static bool set_lock(import_seen *s, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
    int done;

    do
        done = fcntl(s->fd, F_SETLKW, &lock);
    while (done < 0 && errno == EINTR);
    return done == 0;
}

bool import_seen_lock(import_seen *s, ct_err *err)
{
    uint8_t digest[DIGEST];
    ssize_t n;

    if (s->fd < 0)
        return true;
    if (!set_lock(s, F_WRLCK))
        return fail(s, err, "cannot lock");
    while ((n = pread(s->fd, digest, DIGEST, s->read)) == DIGEST) {
        enter(s, digest);
        s->read += DIGEST;
    }
    /* A process that died while it wrote left a part, which is written over. */
    return n >= 0 || fail(s, err, "cannot read");
}

bool import_seen_add(import_seen *s, const uint8_t digest[CT_SHA256_LEN], ct_err *err)
{
    enter(s, digest);
    if (s->fd < 0)
        return true;
    ssize_t n = pwrite(s->fd, digest, DIGEST, s->read);
    if (n >= 0 && n < DIGEST)
        errno = ENOSPC;
    if (n != DIGEST || fsync(s->fd) < 0)
        return fail(s, err, "cannot write");
    s->read += DIGEST;
    return true;
}

void import_seen_unlock(import_seen *s)
{
    if (s->fd >= 0)
        set_lock(s, F_UNLCK);
}

void import_seen_close(import_seen *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    free(s->digests);
    free(s->slots);
    free(s);
}
