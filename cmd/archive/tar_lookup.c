/* Finds a file in a tar by halving it: its files stand in an order (names.h), and a header can be
 * told from what stands between headers. What was found is trusted no further than the manifest
 * says; and the manifests are those from which header after header leads to the very end of the
 * tar, which none of a tar within the tar does. */
#include "cmd/archive/lookup.h"
#include "cmd/archive/names.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BLOCK = 512,
    /* POSIX.1-2008 pax, "ustar Interchange Format" */
    NAME = 0,
    NAME_LEN = 100,
    SIZE = 124,
    SIZE_LEN = 12,
    SUM = 148,
    SUM_LEN = 8,
    TYPE = 156,
    MAGIC = 257,
    PREFIX = 345,
    PREFIX_LEN = 155,
    UNUSED = 500,
    WINDOW = 64 * 1024,
    NEAR = 256 * 1024,       /* from here on, one header after the other */
    PADDING_MAX = 64 * 1024, /* zeros behind the end */
};

typedef struct tar {
    bag_lookup base;
    int fd;
    bag_method method;
    bag_table table; /* empty for a plain tar */
    uint64_t size;   /* of the tar, unpacked */
    bag_stretch *stretch;
    size_t current;              /* the member in the stretch */
    ct_buf folder;               /* what stands before every path */
    bag_spot tags[2 * BAG_ALGS]; /* manifests; size 0: none */
    char window[WINDOW];
} tar;

/* A header and what it tells. */
typedef struct header {
    uint64_t at, data, size, next;
    char type;
    char name[PREFIX_LEN + 1 + NAME_LEN + 1];
    ct_str path; /* from the base; empty outside of it */
} header;

/* ---- bytes ---- */

static size_t member_at(const tar *t, uint64_t at)
{
    size_t low = 0, high = t->table.n;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (t->table.members[middle].start <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Where reading at `at` is cheap to begin. */
static uint64_t start_at(const tar *t, uint64_t at)
{
    return t->table.n ? t->table.members[member_at(t, at)].start : at - at % BLOCK;
}

static void set_member(tar *t, size_t i)
{
    const bag_member *m = t->table.members + i;

    if (t->current == i)
        return;
    t->current = i;
    bag_stretch_set(t->stretch, &(bag_piece){.fd = t->fd,
                                             .method = t->method,
                                             .at = m->at,
                                             .packed = m[1].at - m->at,
                                             .size = m[1].start - m->start});
}

static bool get(tar *t, uint64_t at, char *to, size_t n)
{
    ct_err err;

    if (at > t->size || n > t->size - at)
        return false;
    while (t->table.n && n) {
        size_t i = member_at(t, at);
        const bag_member *m = t->table.members + i;
        uint64_t rest = m[1].start - at;
        size_t part = n < rest ? n : (size_t)rest;

        set_member(t, i);
        if (!bag_stretch_read(t->stretch, at - m->start, to, part, &err))
            return false;
        at += part;
        to += part;
        n -= part;
    }
    return n == 0 || bag_stretch_read(t->stretch, at, to, n, &err);
}

/* ---- headers ---- */

static bool number(const char *p, size_t n, uint64_t *value)
{
    size_t i = 0;

    *value = 0;
    for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
        *value = *value << 3 | (uint64_t)(p[i] - '0');
    return i > 0 && (i == n || p[i] == ' ' || p[i] == '\0');
}

/* Headers end with NULs, and hold others; no record does. */
static bool is_header(const char *b)
{
    static const char zeros[BLOCK - UNUSED];
    uint64_t sum, said;

    if (memcmp(b + MAGIC, "ustar", 6) != 0 || memcmp(b + UNUSED, zeros, sizeof(zeros)) != 0 ||
        !number(b + SUM, SUM_LEN, &said))
        return false;
    sum = SUM_LEN * ' ';
    for (size_t i = 0; i < BLOCK; i++)
        if (i < SUM || i >= SUM + SUM_LEN)
            sum += (unsigned char)b[i];
    return sum == said;
}

static bool read_header(const tar *t, const char *b, uint64_t at, header *h)
{
    size_t prefix = strnlen(b + PREFIX, PREFIX_LEN);
    ct_buf name = {0};
    uint64_t size;

    if (!is_header(b) || !number(b + SIZE, SIZE_LEN, &size) || size > t->size - at)
        return false;
    *h =
        (header){.at = at, .data = at + BLOCK, .size = size, .type = b[TYPE], .path = {h->name, 0}};
    if (prefix)
        ct_buf_printf(&name, "%.*s/", (int)prefix, b + PREFIX);
    ct_buf_put(&name, (ct_str){b + NAME, strnlen(b + NAME, NAME_LEN)});
    memcpy(h->name, name.p ? name.p : "", name.n);
    if (ct_str_starts(ct_buf_str(&name), ct_buf_str(&t->folder)) && (h->type == '0' || !h->type))
        h->path = (ct_str){h->name + t->folder.n, name.n - t->folder.n};
    ct_buf_free(&name);
    h->next = h->data + (h->size + BLOCK - 1) / BLOCK * BLOCK;
    return true;
}

static bool header_at(tar *t, uint64_t at, header *h)
{
    char b[BLOCK];

    return get(t, at, b, BLOCK) && read_header(t, b, at, h);
}

/* The first header at or behind `at`, before `end`. */
static bool seek_header(tar *t, uint64_t at, uint64_t end, header *h)
{
    while (at < end) {
        size_t n = end - at < WINDOW ? (size_t)(end - at) : WINDOW;

        if (!get(t, at, t->window, n))
            return false;
        for (size_t i = 0; i + BLOCK <= n; i += BLOCK)
            if (read_header(t, t->window + i, at + i, h))
                return true;
        at += n;
    }
    return false;
}

/* The file behind a header for one (a long name, say) has no name of its own here. */
static bool next_header(tar *t, header *h)
{
    bool about_next = h->type != '0' && h->type != '5' && h->type;
    bool ok = header_at(t, h->next, h);

    if (about_next)
        h->path.n = 0;
    return ok;
}

/* The first file at or behind `at`, before `end`, that has a place. */
static bool seek_place(tar *t, uint64_t at, uint64_t end, header *h, bag_place *place)
{
    if (!seek_header(t, at, end, h))
        return false;
    while (h->at < end) {
        if (bag_place_of(h->path, place))
            return true;
        if (!next_header(t, h))
            return false;
    }
    return false;
}

/* ---- search ---- */

/* A header at or before the first that comes not before `want`, and not far from it. */
static uint64_t halve(tar *t, const bag_place *want)
{
    uint64_t low = 0, high = t->size;

    while (high - low > NEAR) {
        uint64_t middle = low + (high - low) / 2, start = start_at(t, middle);
        bag_place place;
        header h;

        if (start > low)
            middle = start;
        else
            middle -= middle % BLOCK;
        if (seek_place(t, middle, high, &h, &place) && bag_place_cmp(&place, want) < 0)
            low = h.at;
        else
            high = middle;
    }
    return low;
}

/* The first file that comes not before `want`. */
static bool find_place(tar *t, const bag_place *want, header *h, bag_place *place)
{
    if (!header_at(t, halve(t, want), h))
        return false;
    while (!bag_place_of(h->path, place) || bag_place_cmp(place, want) < 0)
        if (!next_header(t, h))
            return false;
    return true;
}

static bag_found tar_find(bag_lookup *l, ct_str path, bag_spot *spot)
{
    tar *t = (tar *)l;
    bag_place want, place;
    bag_alg alg;
    header h;

    *spot = (bag_spot){0};
    if (bag_kind_of(path, &alg) == BAG_MANIFEST && alg != BAG_ALGS) {
        *spot = t->tags[alg];
        return spot->size ? BAG_FOUND : BAG_NOT_FOUND;
    }
    if (!bag_place_of(path, &want) || !find_place(t, &want, &h, &place))
        return BAG_UNKNOWN;
    if (bag_place_cmp(&place, &want) > 0)
        return BAG_NOT_FOUND;
    if (!ct_str_eq(h.path, path))
        return BAG_UNKNOWN;
    spot->at = h.data;
    spot->size = h.size;
    return BAG_FOUND;
}

static bool tar_read(bag_lookup *l, const bag_spot *spot, uint64_t from, char *to, size_t n)
{
    return from <= spot->size && n <= spot->size - from && get((tar *)l, spot->at + from, to, n);
}

static void tar_close(bag_lookup *l)
{
    tar *t = (tar *)l;

    bag_stretch_free(t->stretch);
    bag_table_free(&t->table);
    ct_buf_free(&t->folder);
    close(t->fd);
    free(t);
}

/* ---- opening ---- */

/* The first file is FOLDER/bagit.txt, or bagit.txt. */
static bool find_folder(tar *t)
{
    header h;
    ct_str name;

    if (!header_at(t, 0, &h))
        return false;
    name = ct_str_z(h.name);
    if (!ct_str_ends(name, CT_S("bagit.txt")))
        return false;
    name.n -= strlen("bagit.txt");
    ct_buf_put(&t->folder, name);
    return name.n == 0 || memchr(name.p, '/', name.n) == name.p + name.n - 1;
}

/* Nothing but zeros from here on. */
static bool at_end(tar *t, uint64_t at)
{
    size_t n = (size_t)(t->size - at);

    if (n < 2 * BLOCK || n > PADDING_MAX || !get(t, at, t->window, n))
        return false;
    for (size_t i = 0; i < n; i++)
        if (t->window[i])
            return false;
    return true;
}

/* Goes through what stands behind the payload, to the end. */
static bool find_tags(tar *t)
{
    bag_place end = {BAG_PART_END, {"", 0}}, place;
    header h;
    bool ok = find_place(t, &end, &h, &place);
    uint64_t next = 0;

    while (ok) {
        bag_alg alg;

        if (bag_kind_of(h.path, &alg) == BAG_MANIFEST && alg != BAG_ALGS)
            t->tags[alg] = (bag_spot){.at = h.data, .size = h.size};
        next = h.next;
        ok = next_header(t, &h);
    }
    return next && at_end(t, next);
}

bag_lookup *bag_tar_lookup(int fd, bag_method method)
{
    tar *t = ct_calloc(1, sizeof(*t));
    struct stat st;
    ct_err err;
    bool ok = fstat(fd, &st) == 0;

    t->base = (bag_lookup){.find = tar_find, .read = tar_read, .close = tar_close};
    t->fd = fd;
    t->method = method;
    t->current = SIZE_MAX;
    t->stretch = bag_stretch_new();
    if (ok && method == BAG_STORED) {
        t->size = (uint64_t)st.st_size;
        bag_stretch_set(t->stretch, &(bag_piece){.fd = fd, .packed = t->size, .size = t->size});
    } else if (ok) {
        ok = bag_table_load(fd, method, &t->table, &err) && t->table.n;
        t->size = ok ? t->table.members[t->table.n].start : 0;
    }
    if (ok && find_folder(t) && find_tags(t))
        return &t->base;
    tar_close(&t->base);
    return NULL;
}
