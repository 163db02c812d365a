/* The sidecar's own bytes: heads and tables, each more than once and each with its digest. See
 * chart-parity(5) for the layout. */
#include "cmd/archive/bagit.h"
#include "cmd/archive/parity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    VERSION = 1,
    HEAD = 512,  /* bytes; its last 32 are the digest of the others */
    PAGE = 4096, /* likewise, of the table */
    PAGE_HOLDS = PAGE - CT_SHA256_LEN,
    COLUMNS = 100,   /* blocks of the bag in a stripe, where there are so many: a percent each */
    DATA_MAX = 200,  /* what a hostile head may say: no more fit into the code's field */
    SMALL = 512,     /* blocks of a bag that is less than a MiB */
    ORDINARY = 4096, /* of others: a page of a disk */
    LARGE = 1 << 20, /* at most */
    MANY = 1 << 18,  /* blocks, from which on they get larger */
    MEMBER = 8 + CT_SHA256_LEN + 2, /* bytes of a file in the table, before its name */
    NAME_MAX_BYTES = 65535,
};

static const char magic[8] = {'C', 'H', 'A', 'R', 'T', 'P', 'A', 'R'};

/* ---- numbers, least byte first ---- */

static void put(uint8_t *to, uint64_t n, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(n >> 8 * i);
}

static uint64_t get(const uint8_t *from, size_t bytes)
{
    uint64_t n = 0;

    for (size_t i = bytes; i-- > 0;)
        n = n << 8 | from[i];
    return n;
}

static bool read_whole(int fd, uint64_t at, uint8_t *to, size_t n)
{
    ssize_t got = pread(fd, to, n, (off_t)at);

    while (got < 0 && errno == EINTR)
        got = pread(fd, to, n, (off_t)at);
    return got == (ssize_t)n;
}

static bool write_whole(int fd, uint64_t at, const uint8_t *from, size_t n, ct_err *err)
{
    ssize_t put = pwrite(fd, from, n, (off_t)at);

    while (put < 0 && errno == EINTR)
        put = pwrite(fd, from, n, (off_t)at);
    if (put >= 0 && put < (ssize_t)n)
        errno = ENOSPC;
    return put == (ssize_t)n || ct_fail_sys(err, errno, "cannot write the parity file");
}

/* ---- names and sizes ---- */

char *bag_parity_name(const char *bag)
{
    ct_buf b = {0};
    size_t n = strlen(bag);

    while (n > 1 && bag[n - 1] == '/')
        n--;
    ct_buf_put(&b, (ct_str){bag, n});
    ct_buf_z(&b, ".parity");
    ct_buf_c(&b, '\0');
    return b.p;
}

bool bag_parity_there(const char *bag)
{
    char *name = bag_parity_name(bag);
    bool there = access(name, F_OK) == 0;

    free(name);
    return there;
}

uint64_t bag_parity_blocks(const bag_parity *p)
{
    return p->stripes * p->parity;
}

uint64_t bag_parity_at(const bag_parity *p, unsigned row, uint64_t stripe)
{
    return p->rows + (row * p->stripes + stripe) * p->block;
}

static uint64_t pages(const bag_parity *p)
{
    return (p->table + PAGE_HOLDS - 1) / PAGE_HOLDS;
}

/* head, table, parity blocks, head, table, head */
static uint64_t second_head(const bag_parity *p)
{
    return p->rows + bag_parity_blocks(p) * p->block;
}

static uint64_t second_table(const bag_parity *p)
{
    return second_head(p) + HEAD;
}

static uint64_t last_head(const bag_parity *p)
{
    return second_table(p) + pages(p) * PAGE;
}

static uint64_t digests_size(const bag_parity *p)
{
    return (p->blocks + bag_parity_blocks(p)) * CT_SHA256_LEN;
}

static uint64_t members_size(const bag_extent *x)
{
    uint64_t n = 0;

    for (size_t i = 0; i < x->n; i++)
        n += MEMBER + strlen(x->names.p + x->members[i].name);
    return n;
}

static uint32_t block_size(uint64_t size)
{
    uint32_t block = size < LARGE ? SMALL : ORDINARY;

    while (block < LARGE && size / block > MANY)
        block *= 2;
    return block;
}

/* So many stripes that none has more than COLUMNS blocks of the bag; then as few blocks in each as
 * do. */
bool bag_parity_plan(bag_parity *p, const bag_extent *x, unsigned percent, ct_err *err)
{
    *p = (bag_parity){.fd = -1, .was.fd = -1, .percent = percent};
    if (x->size == 0)
        return ct_fail(err, CT_E_DATA, "is empty");
    p->block = block_size(x->size);
    p->blocks = (x->size + p->block - 1) / p->block;
    p->stripes = (p->blocks + COLUMNS - 1) / COLUMNS;
    p->data = (unsigned)((p->blocks + p->stripes - 1) / p->stripes);
    p->parity = (p->data * percent + 99) / 100;
    p->table = digests_size(p) + members_size(x);
    p->rows = HEAD + pages(p) * PAGE;
    p->digests = ct_calloc(p->blocks + bag_parity_blocks(p), sizeof(*p->digests));
    return true;
}

/* ---- heads ---- */

static void put_head(const bag_parity *p, const bag_extent *x, uint8_t *head)
{
    memset(head, 0, HEAD);
    memcpy(head, magic, sizeof(magic));
    put(head + 8, VERSION, 4);
    put(head + 12, p->block, 4);
    put(head + 16, x->size, 8);
    put(head + 24, p->blocks, 8);
    put(head + 32, p->stripes, 8);
    put(head + 40, p->data, 2);
    put(head + 42, p->parity, 2);
    put(head + 44, p->percent, 2);
    put(head + 46, x->folder, 2);
    put(head + 48, x->n, 8);
    put(head + 56, p->table, 8);
    ct_sha256((ct_str){(char *)head, HEAD - CT_SHA256_LEN}, head + HEAD - CT_SHA256_LEN);
}

static bool sealed(const uint8_t *bytes, size_t n)
{
    bag_digest digest;

    ct_sha256((ct_str){(const char *)bytes, n - CT_SHA256_LEN}, digest);
    return memcmp(digest, bytes + n - CT_SHA256_LEN, CT_SHA256_LEN) == 0;
}

/* Takes a head that holds and makes sense. */
static bool take_head(bag_parity *p, const uint8_t *head)
{
    if (memcmp(head, magic, sizeof(magic)) != 0 || get(head + 8, 4) != VERSION ||
        !sealed(head, HEAD))
        return false;
    p->block = (uint32_t)get(head + 12, 4);
    p->was.size = get(head + 16, 8);
    p->blocks = get(head + 24, 8);
    p->stripes = get(head + 32, 8);
    p->data = (unsigned)get(head + 40, 2);
    p->parity = (unsigned)get(head + 42, 2);
    p->percent = (unsigned)get(head + 44, 2);
    p->was.folder = get(head + 46, 2) != 0;
    p->was.n = get(head + 48, 8);
    p->table = get(head + 56, 8);
    if (p->block < SMALL || p->block > LARGE || p->block % SMALL || p->was.size == 0 ||
        p->was.size > INT64_MAX / 4 || p->blocks != (p->was.size + p->block - 1) / p->block)
        return false;
    if (p->data < 1 || p->data > DATA_MAX || p->parity < 1 || p->data + p->parity > 255 ||
        p->percent < 1 || p->percent > 100 || p->stripes < 1 || p->stripes > p->blocks ||
        (p->blocks + p->stripes - 1) / p->stripes != p->data)
        return false;
    p->rows = HEAD + pages(p) * PAGE;
    return p->table < INT64_MAX / 8 && p->table >= digests_size(p) &&
           (p->table - digests_size(p)) / MEMBER >= p->was.n && (p->was.folder || p->was.n == 0);
}

/* The first head that holds: at the start, at the end, or anywhere at a multiple of its size. */
static bool find_head(bag_parity *p, uint64_t size)
{
    uint8_t head[HEAD];

    if (read_whole(p->fd, 0, head, HEAD) && take_head(p, head))
        return true;
    if (size >= HEAD && read_whole(p->fd, size - HEAD, head, HEAD) && take_head(p, head))
        return true;
    for (uint64_t at = HEAD; at + HEAD <= size; at += HEAD)
        if (read_whole(p->fd, at, head, HEAD) && take_head(p, head))
            return true;
    return false;
}

static void count_heads(bag_parity *p)
{
    const uint64_t at[] = {0, second_head(p), last_head(p)};
    uint8_t first[HEAD], head[HEAD];
    bag_parity same = *p;

    put_head(p, &p->was, first);
    for (size_t i = 0; i < CT_LEN(at); i++)
        p->damaged_parts += !read_whole(p->fd, at[i], head, HEAD) || !take_head(&same, head) ||
                            memcmp(head, first, HEAD) != 0;
}

/* ---- tables ---- */

static void put_members(const bag_extent *x, uint8_t *to)
{
    for (size_t i = 0; i < x->n; i++) {
        const bag_member *m = &x->members[i];
        ct_str name = ct_str_z(x->names.p + m->name);

        put(to, m->size, 8);
        memcpy(to + 8, m->digest, CT_SHA256_LEN);
        put(to + 8 + CT_SHA256_LEN, name.n, 2);
        memcpy(to + MEMBER, name.p, name.n);
        to += MEMBER + name.n;
    }
}

static bool take_members(bag_parity *p, const uint8_t *from, size_t n)
{
    bag_extent *x = &p->was;
    uint64_t at = 0;

    x->members = ct_calloc(x->n + 1, sizeof(*x->members));
    for (size_t i = 0; i < x->n; i++) {
        bag_member *m = &x->members[i];
        ct_str name;

        if (n < MEMBER)
            return false;
        *m =
            (bag_member){.at = at, .size = get(from, 8), .name = x->names.n, .instead = x->names.n};
        memcpy(m->digest, from + 8, CT_SHA256_LEN);
        name = (ct_str){(const char *)from + MEMBER, get(from + 8 + CT_SHA256_LEN, 2)};
        if (n - MEMBER < name.n || bag_path_unsafe(name) || m->size > x->size - at)
            return false;
        ct_buf_put(&x->names, name);
        ct_buf_c(&x->names, '\0');
        at += m->size;
        from += MEMBER + name.n;
        n -= MEMBER + name.n;
    }
    return n == 0 && (!x->folder || at == x->size);
}

/* A page of the table as it stands in the file: what it holds, and its digest. */
static void put_page(const uint8_t *table, uint64_t size, uint64_t number, uint8_t *page)
{
    uint64_t at = number * PAGE_HOLDS, left = size - at;

    memset(page, 0, PAGE);
    memcpy(page, table + at, left < PAGE_HOLDS ? (size_t)left : PAGE_HOLDS);
    ct_sha256((ct_str){(char *)page, PAGE_HOLDS}, page + PAGE_HOLDS);
}

bool bag_parity_frame(const bag_parity *p, const bag_extent *x, ct_err *err)
{
    const uint64_t heads[] = {0, second_head(p), last_head(p)};
    uint8_t head[HEAD], page[PAGE];
    uint8_t *table = ct_alloc((size_t)p->table);
    bool ok = true;

    memcpy(table, p->digests, (size_t)digests_size(p));
    put_members(x, table + digests_size(p));
    put_head(p, x, head);
    for (size_t i = 0; ok && i < CT_LEN(heads); i++)
        ok = write_whole(p->fd, heads[i], head, HEAD, err);
    for (uint64_t i = 0; ok && i < pages(p); i++) {
        put_page(table, p->table, i, page);
        ok = write_whole(p->fd, HEAD + i * PAGE, page, PAGE, err) &&
             write_whole(p->fd, second_table(p) + i * PAGE, page, PAGE, err);
    }
    free(table);
    return ok;
}

/* Each page from whichever copy of it holds. */
static bool read_table(bag_parity *p, uint8_t *table)
{
    uint8_t page[2][PAGE];

    for (uint64_t i = 0; i < pages(p); i++) {
        uint64_t at = i * PAGE_HOLDS, left = p->table - at;
        bool first = read_whole(p->fd, HEAD + i * PAGE, page[0], PAGE) && sealed(page[0], PAGE);
        bool second =
            read_whole(p->fd, second_table(p) + i * PAGE, page[1], PAGE) && sealed(page[1], PAGE);

        p->damaged_parts += !first + !second;
        if (!first && !second)
            return false;
        memcpy(table + at, page[first ? 0 : 1], left < PAGE_HOLDS ? (size_t)left : PAGE_HOLDS);
    }
    return true;
}

/* ---- the whole ---- */

static bool load(bag_parity *p, uint64_t size, ct_err *err)
{
    uint8_t *table;
    bool ok;

    if (!find_head(p, size))
        return ct_fail(err, CT_E_DATA, "is no parity file, or all its heads are damaged");
    if (p->table > size)
        return ct_fail(err, CT_E_DATA, "is cut, so that it cannot be used");
    count_heads(p);
    p->damaged_parts += size != last_head(p) + HEAD;
    table = ct_alloc((size_t)p->table);
    ok = read_table(p, table) ||
         ct_fail(err, CT_E_DATA, "both copies of a part of its table are damaged");
    if (ok) {
        p->digests = ct_alloc((size_t)digests_size(p));
        memcpy(p->digests, table, (size_t)digests_size(p));
        ok = take_members(p, table + digests_size(p), (size_t)(p->table - digests_size(p))) ||
             ct_fail(err, CT_E_DATA, "lists files that cannot be");
    }
    free(table);
    return ok;
}

bool bag_parity_load(bag_parity *p, const char *sidecar, ct_err *err)
{
    struct stat st;
    bool ok;

    *p = (bag_parity){.fd = open(sidecar, O_RDONLY | O_NONBLOCK | O_CLOEXEC), .was.fd = -1};
    ok = p->fd >= 0 && fstat(p->fd, &st) == 0;
    if (!ok)
        return ct_fail_sys(err, errno, "cannot open");
    ok = S_ISREG(st.st_mode) ? load(p, (uint64_t)st.st_size, err)
                             : ct_fail(err, CT_E_DATA, "is no file");
    if (!ok)
        bag_parity_close(p);
    return ok;
}

void bag_parity_close(bag_parity *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
    free(p->digests);
    p->digests = NULL;
    bag_extent_close(&p->was);
}
