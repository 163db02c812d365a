/* The table at the end of a stream in members; see members.h for its two forms. */
#include "cmd/archive/members_format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum {
    PAIR = 8, /* bytes of packed and unpacked size */
    /* zstd's seekable format: a skippable frame, and in it a foot behind the pairs */
    SKIP_HEAD = 8,
    SKIP_FOOT = 9,
    /* gzip: a head with an extra field, no content, and what comes behind */
    GZIP_HEAD = 16,
    GZIP_TAIL = 10,
    GZIP_PAIRS = 8190, /* as many as an extra field holds */
    GZIP_FOOT = GZIP_HEAD + 16 + GZIP_TAIL,
    GZIP_MEMBER_HEAD = 10,
    MEMBERS_MAX = 1 << 22, /* 4 TiB and more */
};

static const uint32_t skip_magic = 0x184D2A5E, foot_magic = 0x8F92EAB1;
static const char gzip_mark[] = "members\n"; /* 8 bytes */
/* How the last member starts: ids and lengths of its extra field. */
static const char gzip_foot[] = "\x1f\x8b\x08\x04\0\0\0\0\0\x03\x14\0ct\x10";
/* What zlib puts in front of a member. */
static const char gzip_member[] = "\x1f\x8b\x08\0\0\0\0\0\0\x03";
static const char corrupt[] = "its table of members is corrupt";

typedef unsigned char byte;

static uint32_t get32(const byte *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void bag_put32(ct_buf *b, uint32_t n)
{
    for (int i = 0; i < 4; i++)
        ct_buf_c(b, (char)(n >> 8 * i));
}

bool bag_read_at(int fd, uint64_t at, void *to, size_t n, int *sys)
{
    size_t done = 0;

    *sys = 0;
    while (done < n) {
        ssize_t got = pread(fd, (char *)to + done, n - done, (off_t)(at + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            *sys = got < 0 ? errno : 0;
            return false;
        }
        done += (size_t)got;
    }
    return true;
}

/* ---- writing ---- */

static void put_gzip(ct_buf *b, ct_str field)
{
    static const char head[] = "\x1f\x8b\x08\x04\0\0\0\0\0\x03"; /* FEXTRA, no time, Unix */

    ct_buf_put(b, CT_S(head));
    ct_buf_c(b, (char)((field.n + 4) & 0xff));
    ct_buf_c(b, (char)((field.n + 4) >> 8));
    ct_buf_z(b, "ct");
    ct_buf_c(b, (char)(field.n & 0xff));
    ct_buf_c(b, (char)(field.n >> 8));
    ct_buf_put(b, field);
    ct_buf_put(b, CT_S("\x03\0\0\0\0\0\0\0\0\0"));
}

void bag_table_put(ct_buf *b, bag_method method, ct_str sizes)
{
    uint64_t n = sizes.n / PAIR;
    ct_buf foot = {0};

    if (method == BAG_ZSTD) {
        bag_put32(b, skip_magic);
        bag_put32(b, (uint32_t)(sizes.n + SKIP_FOOT));
        ct_buf_put(b, sizes);
        bag_put32(b, (uint32_t)n);
        ct_buf_c(b, '\0');
        bag_put32(b, foot_magic);
        return;
    }
    for (; sizes.n; sizes = ct_str_from(sizes, GZIP_PAIRS * PAIR))
        put_gzip(b, ct_str_head(sizes, GZIP_PAIRS * PAIR));
    bag_put32(&foot, (uint32_t)n);
    bag_put32(&foot, 0);
    ct_buf_z(&foot, gzip_mark);
    put_gzip(b, ct_buf_str(&foot));
    ct_buf_free(&foot);
}

/* ---- reading ---- */

/* How many bytes the table of `n` members takes. */
static uint64_t table_size(bag_method method, uint64_t n)
{
    uint64_t fields = (n + GZIP_PAIRS - 1) / GZIP_PAIRS;

    return method == BAG_ZSTD ? SKIP_HEAD + n * PAIR + SKIP_FOOT
                              : fields * (GZIP_HEAD + GZIP_TAIL) + n * PAIR + GZIP_FOOT;
}

/* A foot whose mark is damaged is told by what stands at the other end of the table: that of zstd
 * by the frame's head, that of gzip by its own. */
static bool is_foot(int fd, bag_method method, uint64_t size, const byte *b, int *sys)
{
    byte head[SKIP_HEAD];
    uint64_t length;

    if (method == BAG_GZIPPED)
        return memcmp(b + GZIP_HEAD + 8, gzip_mark, 8) == 0 || memcmp(b, gzip_foot, GZIP_HEAD) == 0;
    length = table_size(method, get32(b));
    if (get32(b + 5) == foot_magic && b[4] == 0)
        return true;
    return length <= size && bag_read_at(fd, size - length, head, SKIP_HEAD, sys) &&
           get32(head) == skip_magic && get32(head + 4) == length - SKIP_HEAD;
}

/* The number of members by the last bytes of the file, 0 where there is no table. */
static bool read_foot(int fd, bag_method method, uint64_t size, uint32_t *n, int *sys)
{
    byte b[GZIP_FOOT];
    size_t foot = method == BAG_ZSTD ? SKIP_FOOT : GZIP_FOOT;

    *n = 0;
    *sys = 0;
    if (size < foot || !bag_read_at(fd, size - foot, b, foot, sys))
        return *sys == 0;
    if (is_foot(fd, method, size, b, sys))
        *n = get32(method == BAG_ZSTD ? b : b + GZIP_HEAD);
    return *sys == 0;
}

/* Adds up the sizes: the members must fill the file up to the table. */
static bool add_up(bag_table *t, const byte *pairs, uint64_t until)
{
    bag_member m = {0, 0};

    for (size_t i = 0; i < t->n; i++) {
        t->members[i] = m;
        m.at += get32(pairs + i * PAIR);
        m.start += get32(pairs + i * PAIR + 4);
    }
    t->members[t->n] = m;
    return m.at == until;
}

/* Is the table, byte for byte, what would be written? Then its pairs are moved to its front. */
static bool strip(bag_method method, ct_str table, uint64_t n, byte *pairs)
{
    ct_buf again = {0};
    size_t head = method == BAG_ZSTD ? SKIP_HEAD : GZIP_HEAD, at = 0;
    bool same;

    for (size_t done = 0; done < n;) {
        size_t part = method == BAG_ZSTD || n - done < GZIP_PAIRS ? n - done : GZIP_PAIRS;

        memcpy(pairs + done * PAIR, table.p + at + head, part * PAIR);
        at += head + part * PAIR + GZIP_TAIL;
        done += part;
    }
    bag_table_put(&again, method, (ct_str){(char *)pairs, n * PAIR});
    same = ct_str_eq(ct_buf_str(&again), table);
    ct_buf_free(&again);
    return same;
}

/* The bytes of the table, and room for its pairs. */
static bool read_table(int fd, bag_method method, uint64_t size, bag_table *t, ct_err *err)
{
    uint64_t length = table_size(method, t->n);
    ct_str table = {ct_alloc(length), length};
    byte *pairs = ct_alloc(t->n * PAIR);
    int sys;
    bool ok = bag_read_at(fd, size - length, (char *)(uintptr_t)table.p, length, &sys) ||
              ct_fail_sys(err, sys ? sys : EIO, "cannot read");

    if (ok && (!strip(method, table, t->n, pairs) || !add_up(t, pairs, size - length)))
        ok = ct_fail(err, CT_E_DATA, corrupt);
    free(pairs);
    free((char *)(uintptr_t)table.p);
    return ok;
}

bool bag_table_load(int fd, bag_method method, bag_table *t, ct_err *err)
{
    struct stat st;
    uint32_t n;
    int sys;

    *t = (bag_table){0};
    if (fstat(fd, &st) != 0 || !read_foot(fd, method, (uint64_t)st.st_size, &n, &sys))
        return ct_fail_sys(err, errno, "cannot read");
    if (n == 0)
        return true;
    if (n > MEMBERS_MAX || table_size(method, n) > (uint64_t)st.st_size)
        return ct_fail(err, CT_E_DATA, corrupt);
    t->n = n;
    t->members = ct_calloc(t->n + 1, sizeof(*t->members));
    if (read_table(fd, method, (uint64_t)st.st_size, t, err))
        return true;
    bag_table_free(t);
    return false;
}

void bag_table_free(bag_table *t)
{
    free(t->members);
    *t = (bag_table){0};
}

/* ---- is it true ---- */

/* A member starts as ours do, and says itself how much it holds: a frame in its head, a gzip member
 * in its last four bytes. */
static bool member_agrees(int fd, bag_method method, const bag_member *m, int *sys)
{
    uint64_t holds = m[1].start - m[0].start;
    byte head[GZIP_MEMBER_HEAD + 8], last[4];
    size_t n = method == BAG_ZSTD ? sizeof(head) : GZIP_MEMBER_HEAD;

    if (m[1].at - m[0].at < n || !bag_read_at(fd, m->at, head, n, sys))
        return false;
    if (method == BAG_ZSTD) {
        unsigned long long says = ZSTD_getFrameContentSize(head, n);

        return says == holds || says == ZSTD_CONTENTSIZE_UNKNOWN; /* as others may write */
    }
    return memcmp(head, gzip_member, n) == 0 && bag_read_at(fd, m[1].at - 4, last, 4, sys) &&
           get32(last) == holds;
}

static bool table_agrees(int fd, bag_method method, ct_err *err)
{
    bag_table t;
    int sys = 0;
    bool agrees = bag_table_load(fd, method, &t, err);

    for (size_t i = 0; agrees && i < t.n; i++)
        agrees = member_agrees(fd, method, t.members + i, &sys) ||
                 (sys ? ct_fail_sys(err, sys, "cannot read") : ct_fail(err, CT_E_DATA, corrupt));
    bag_table_free(&t);
    return agrees;
}

const char *bag_members_complaint(const char *path, ct_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), sys = 0;
    byte head[4] = {0};
    ct_err e = {0};

    if (fd < 0) {
        ct_fail_sys(err, errno, "cannot read");
        return NULL;
    }
    if (bag_read_at(fd, 0, head, sizeof(head), &sys) && get32(head) == 0xFD2FB528)
        table_agrees(fd, BAG_ZSTD, &e);
    else if (memcmp(head, gzip_member, 2) == 0)
        table_agrees(fd, BAG_GZIPPED, &e);
    close(fd);
    if (e.kind == CT_E_IO && err)
        *err = e;
    return e.kind == CT_E_DATA ? e.text : NULL;
}
