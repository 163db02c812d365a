/* One run of bytes out of a container or a folder. */
#include "cmd/archive/extent.h"
#include "cmd/archive/bagit.h"
#include "cmd/archive/crew.h"
#include "cmd/archive/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 1024 * 1024 };

/* ---- single files ---- */

/* What is damage to a file, and no refusal of the system. */
static bool is_gone(int error)
{
    return error == ENOENT || error == ENOTDIR || error == ELOOP || error == EISDIR ||
           error == ENXIO || error == ENAMETOOLONG;
}

/* A file to read; -1 where it is not there or no file, and `*err` filled where it was refused. */
static int open_file(int folder, const char *path, ct_err *err)
{
    int fd = openat(folder, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    if (fd < 0 && !is_gone(errno))
        ct_fail_sys(err, errno, "cannot open a file of the bag");
    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* A disk that cannot read a sector any more is what parity is there for. */
static bool read_at(int fd, uint64_t at, uint8_t *to, size_t n, ct_err *err)
{
    size_t done = 0;

    while (done < n) {
        ssize_t got = pread(fd, to + done, n - done, (off_t)(at + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno != EIO)
            return ct_fail_sys(err, errno, "cannot read");
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    memset(to + done, 0, n - done);
    return true;
}

static bool write_at(int fd, uint64_t at, const uint8_t *from, size_t n, ct_err *err)
{
    while (n) {
        ssize_t put = pwrite(fd, from, n, (off_t)at);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return ct_fail_sys(err, errno, "cannot write");
        at += (uint64_t)put;
        from += put;
        n -= (size_t)put;
    }
    return true;
}

/* ---- what is in a folder ---- */

static void add_member(bag_extent *x, ct_str path)
{
    bag_member *m;

    if ((x->n & (x->n - 1)) == 0)
        x->members = ct_realloc(x->members, x->n ? 2 * x->n : 1, sizeof(*x->members));
    m = &x->members[x->n++];
    *m = (bag_member){.name = x->names.n, .instead = x->names.n};
    ct_buf_put(&x->names, path);
    ct_buf_c(&x->names, '\0');
}

/* All files below, in the order the system gives them; links and the like are passed over where
 * `any`, else refused. */
static bool list_files(bag_extent *x, const char *path, bool any, ct_err *err)
{
    bag_source *s = bag_source_open(path, NULL, err);
    bag_item item;
    bag_got got = BAG_GOT_END;
    bool ok = s != NULL;

    while (ok && (got = bag_source_next(s, &item, err)) == BAG_GOT_ITEM) {
        if (item.type == BAG_FILE)
            add_member(x, item.path);
        else if (item.type == BAG_OTHER && !any)
            ok = ct_fail(err, CT_E_DATA, "holds a link or the like, which no bag does");
    }
    bag_source_close(s);
    return ok && got == BAG_GOT_END;
}

typedef struct by_name {
    const char *name;
    bag_member m;
} by_name;

static int name_order(const void *left, const void *right)
{
    return strcmp(((const by_name *)left)->name, ((const by_name *)right)->name);
}

static void sort_members(bag_extent *x)
{
    by_name *all = ct_alloc((x->n + 1) * sizeof(*all));

    for (size_t i = 0; i < x->n; i++)
        all[i] = (by_name){x->names.p + x->members[i].name, x->members[i]};
    qsort(all, x->n, sizeof(*all), name_order);
    for (size_t i = 0; i < x->n; i++)
        x->members[i] = all[i].m;
    free(all);
}

static bool measure(bag_extent *x, ct_err *err)
{
    struct stat st;

    x->size = 0;
    for (size_t i = 0; i < x->n; i++) {
        bag_member *m = &x->members[i];

        if (fstatat(x->fd, x->names.p + m->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            return ct_fail_sys(err, errno, "cannot look at a file");
        m->at = x->size;
        m->size = (uint64_t)st.st_size;
        x->size += m->size;
    }
    return true;
}

/* ---- opening ---- */

static bool open_what(bag_extent *x, const char *path, ct_err *err)
{
    struct stat st;

    x->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (x->fd < 0 || fstat(x->fd, &st) != 0)
        return ct_fail_sys(err, errno, "cannot open");
    x->folder = S_ISDIR(st.st_mode);
    x->held = (uint64_t)st.st_size;
    return x->folder || S_ISREG(st.st_mode) ||
           ct_fail(err, CT_E_USAGE, "neither a folder nor a file");
}

bool bag_extent_open(bag_extent *x, const char *path, ct_err *err)
{
    bool ok;

    *x = (bag_extent){.fd = -1};
    ok = open_what(x, path, err);
    if (ok && !x->folder)
        x->size = x->held;
    else if (ok)
        ok = list_files(x, path, false, err);
    if (ok && x->folder) {
        sort_members(x);
        ok = measure(x, err);
    }
    if (!ok)
        bag_extent_close(x);
    return ok;
}

bool bag_extent_attach(bag_extent *x, const char *path, ct_err *err)
{
    bool folder = x->folder;

    x->fd = -1;
    if (!open_what(x, path, err))
        return false;
    if (x->folder != folder)
        return ct_fail(err, CT_E_DATA,
                       folder ? "was a folder, and is none any more"
                              : "is a folder, and was none when its parity was made");
    return true;
}

void bag_extent_close(bag_extent *x)
{
    if (x->fd >= 0)
        close(x->fd);
    free(x->members);
    ct_buf_free(&x->names);
    *x = (bag_extent){.fd = -1};
}

/* ---- digests of files ---- */

static bool hash_file(const bag_extent *x, const char *path, uint8_t *room, uint64_t *size,
                      uint8_t digest[CT_SHA256_LEN], ct_err *err)
{
    ct_err e = {0};
    int fd = open_file(x->fd, path, &e);
    ct_sha *sha;
    struct stat st;
    bool ok = true;

    *size = UINT64_MAX;
    if (fd < 0) {
        if (e.kind != CT_OK)
            *err = e;
        return e.kind == CT_OK;
    }
    sha = ct_sha_new(256);
    *size = fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
    for (uint64_t at = 0; ok && at < *size; at += CHUNK) {
        size_t n = *size - at < CHUNK ? (size_t)(*size - at) : CHUNK;

        ok = read_at(fd, at, room, n, err);
        ct_sha_add(sha, (ct_str){(char *)room, n});
    }
    ct_sha_end(sha, digest);
    ct_sha_free(sha);
    close(fd);
    return ok;
}

static bool hash_member(void *ctx, uint64_t i, uint8_t *room, ct_err *err)
{
    bag_extent *x = ctx;
    bag_member *m = &x->members[i];
    uint64_t size;

    if (!hash_file(x, x->names.p + m->name, room, &size, m->digest, err))
        return false;
    return size == m->size || ct_fail(err, CT_E_DATA, "a file changed while it was read");
}

bool bag_extent_hash(bag_extent *x, int jobs, ct_err *err)
{
    bag_crew crew = {.jobs = jobs, .pieces = x->n, .room = CHUNK, .each = hash_member, .ctx = x};

    return bag_crew_run(&crew, err);
}

/* ---- files that moved ---- */

typedef struct search {
    bag_extent *x;  /* as it was */
    bag_extent now; /* as it is */
    bool *in_place; /* of x */
} search;

/* qsort has no context. */
typedef struct by_digest {
    const uint8_t *digest;
    size_t member;
} by_digest;

static int digest_order(const void *left, const void *right)
{
    return memcmp(((const by_digest *)left)->digest, ((const by_digest *)right)->digest,
                  CT_SHA256_LEN);
}

static bool hash_now(void *ctx, uint64_t i, uint8_t *room, ct_err *err)
{
    search *s = ctx;
    bag_member *m = &s->now.members[i];

    return hash_file(&s->now, s->now.names.p + m->name, room, &m->size, m->digest, err);
}

static bag_member *member_named(const bag_extent *x, const char *name)
{
    size_t low = 0, high = x->n;

    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = strcmp(name, x->names.p + x->members[mid].name);

        if (order == 0)
            return &x->members[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

static void note_in_place(search *s)
{
    for (size_t i = 0; i < s->now.n; i++) {
        const bag_member *now = &s->now.members[i];
        const bag_member *was = member_named(s->x, s->now.names.p + now->name);

        if (was && was->size == now->size && memcmp(was->digest, now->digest, CT_SHA256_LEN) == 0)
            s->in_place[was - s->x->members] = true;
    }
}

static void match(search *s, by_digest *found)
{
    for (size_t i = 0; i < s->now.n; i++)
        found[i] = (by_digest){s->now.members[i].digest, i};
    qsort(found, s->now.n, sizeof(*found), digest_order);
    for (size_t i = 0; i < s->x->n; i++) {
        bag_member *m = &s->x->members[i];
        by_digest key = {m->digest, 0};
        const by_digest *hit = s->in_place[i] || s->now.n == 0
                                   ? NULL
                                   : bsearch(&key, found, s->now.n, sizeof(*found), digest_order);

        if (!hit || s->now.members[hit->member].size != m->size)
            continue;
        m->instead = s->x->names.n;
        ct_buf_z(&s->x->names, s->now.names.p + s->now.members[hit->member].name);
        ct_buf_c(&s->x->names, '\0');
    }
}

bool bag_extent_seek(bag_extent *x, const char *path, int jobs, ct_err *err)
{
    search s = {.x = x, .now = {.fd = -1}};
    bag_crew crew = {.jobs = jobs, .room = CHUNK, .each = hash_now, .ctx = &s};
    bool ok;

    if (!x->folder)
        return true;
    ok = open_what(&s.now, path, err) && list_files(&s.now, path, true, err);
    crew.pieces = s.now.n;
    ok = ok && bag_crew_run(&crew, err);
    if (ok) {
        by_digest *found = ct_alloc((s.now.n + 1) * sizeof(*found));

        s.in_place = ct_calloc(x->n + 1, sizeof(*s.in_place));
        note_in_place(&s);
        match(&s, found);
        free(s.in_place);
        free(found);
    }
    bag_extent_close(&s.now);
    return ok;
}

/* ---- making ---- */

void bag_extent_layout(bag_extent *x, const bag_extent *like)
{
    *x = *like;
    x->fd = -1;
    x->members = ct_alloc((like->n + 1) * sizeof(*x->members));
    x->names = (ct_buf){0};
    ct_buf_put(&x->names, ct_buf_str(&like->names));
    for (size_t i = 0; i < x->n; i++) {
        x->members[i] = like->members[i];
        x->members[i].instead = x->members[i].name;
    }
}

static bool make_way(int root, const char *path, ct_err *err)
{
    ct_buf step = {0};
    bool ok = true;

    for (const char *c = path; ok && (c = strchr(c, '/')); c++) {
        step.n = 0;
        ct_buf_put(&step, (ct_str){path, (size_t)(c - path)});
        ct_buf_c(&step, '\0');
        ok = mkdirat(root, step.p, 0700) == 0 || errno == EEXIST ||
             ct_fail_sys(err, errno, "cannot make a folder");
    }
    ct_buf_free(&step);
    return ok;
}

static bool make_file(const bag_extent *x, const bag_member *m, ct_err *err)
{
    const char *path = x->names.p + m->name;
    int fd;
    bool ok;

    if (!make_way(x->fd, path, err))
        return false;
    fd = openat(x->fd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return ct_fail_sys(err, errno, "cannot make a file");
    ok = ftruncate(fd, (off_t)m->size) == 0;
    if (!ok)
        ct_fail_sys(err, errno, "cannot write");
    return close(fd) == 0 && ok;
}

bool bag_extent_make(bag_extent *x, const bag_extent *like, int fd, ct_err *err)
{
    bag_extent_layout(x, like);
    x->fd = fd;
    if (!x->folder)
        return ftruncate(fd, (off_t)x->size) == 0 || ct_fail_sys(err, errno, "cannot write");
    for (size_t i = 0; i < x->n; i++)
        if (!make_file(x, &x->members[i], err))
            return false;
    return true;
}

/* ---- the run ---- */

/* The member that holds this byte; files of no bytes are passed over. */
static size_t member_at(const bag_extent *x, uint64_t at)
{
    size_t low = 0, high = x->n;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (x->members[mid].at + x->members[mid].size <= at)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool read_member(const bag_extent *x, const bag_member *m, uint64_t at, uint8_t *to,
                        size_t n, ct_err *err)
{
    ct_err e = {0};
    int fd = open_file(x->fd, x->names.p + m->instead, &e);
    bool ok = e.kind == CT_OK;

    if (fd >= 0) {
        ok = read_at(fd, at, to, n, err);
        close(fd);
    } else if (ok) {
        memset(to, 0, n);
    } else {
        *err = e;
    }
    return ok;
}

bool bag_extent_read(const bag_extent *x, uint64_t at, uint8_t *to, size_t n, ct_err *err)
{
    size_t within = at >= x->size ? 0 : x->size - at < n ? (size_t)(x->size - at) : n;

    memset(to + within, 0, n - within);
    if (!x->folder)
        return read_at(x->fd, at, to, within, err);
    for (size_t i = member_at(x, at); within; i++) {
        const bag_member *m = &x->members[i];
        uint64_t left = m->at + m->size - at;
        size_t piece = left < within ? (size_t)left : within;

        if (piece && !read_member(x, m, at - m->at, to, piece, err))
            return false;
        at += piece;
        to += piece;
        within -= piece;
    }
    return true;
}

static bool write_member(const bag_extent *x, const bag_member *m, uint64_t at, const uint8_t *from,
                         size_t n, ct_err *err)
{
    int fd = openat(x->fd, x->names.p + m->name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    bool ok;

    if (fd < 0)
        return ct_fail_sys(err, errno, "cannot write");
    ok = write_at(fd, at, from, n, err);
    if (close(fd) != 0 && ok)
        ok = ct_fail_sys(err, errno, "cannot write");
    return ok;
}

bool bag_extent_write(const bag_extent *x, uint64_t at, const uint8_t *from, size_t n, ct_err *err)
{
    size_t within = at >= x->size ? 0 : x->size - at < n ? (size_t)(x->size - at) : n;

    if (!x->folder)
        return write_at(x->fd, at, from, within, err);
    for (size_t i = member_at(x, at); within; i++) {
        const bag_member *m = &x->members[i];
        uint64_t left = m->at + m->size - at;
        size_t piece = left < within ? (size_t)left : within;

        if (piece && !write_member(x, m, at - m->at, from, piece, err))
            return false;
        at += piece;
        from += piece;
        within -= piece;
    }
    return true;
}
