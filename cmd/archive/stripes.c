/* The Reed-Solomon code over the blocks of a bag, by ISA-L: parity made, damage found, lost blocks
 * computed. */
#include "cmd/archive/crew.h"
#include "cmd/archive/parity.h"

#include <errno.h>
#include <isa-l/erasure_code.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ROOM =
        64 * 1024 * 1024, /* bytes for each thread that encodes: large pieces spare a disk seeks */
    PIECE = 1024 * 1024,  /* bytes that are checked at a time */
    CODE_MAX = 255,       /* blocks of a stripe, with parity */
    TABLES = 32,          /* bytes that ISA-L expands a coefficient to */
};

/* ---- blocks ---- */

static uint64_t data_block(const bag_parity *p, unsigned column, uint64_t stripe)
{
    return column * p->stripes + stripe;
}

static void digest_of(const bag_parity *p, const uint8_t *block, bag_digest digest)
{
    ct_sha256((ct_str){(const char *)block, p->block}, digest);
}

static bool holds(const bag_parity *p, uint64_t number, const uint8_t *block)
{
    bag_digest digest;

    digest_of(p, block, digest);
    return memcmp(digest, p->digests[number], sizeof(digest)) == 0;
}

static bool read_parity(const bag_parity *p, uint64_t at, uint8_t *to, size_t n, ct_err *err)
{
    size_t done = 0;

    while (done < n) {
        ssize_t got = pread(p->fd, to + done, n - done, (off_t)(at + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno != EIO)
            return ct_fail_sys(err, errno, "cannot read the parity file");
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    memset(to + done, 0, n - done);
    return true;
}

static bool write_parity(const bag_parity *p, uint64_t at, const uint8_t *from, size_t n,
                         ct_err *err)
{
    while (n) {
        ssize_t put = pwrite(p->fd, from, n, (off_t)at);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return ct_fail_sys(err, errno, "cannot write the parity file");
        at += (uint64_t)put;
        from += put;
        n -= (size_t)put;
    }
    return true;
}

/* Coefficients: `data` rows of the unit matrix, then those of the parity blocks. */
static void make_matrix(const bag_parity *p, uint8_t *matrix)
{
    gf_gen_cauchy1_matrix(matrix, (int)(p->data + p->parity), (int)p->data);
}

/* ---- encoding: some neighbouring stripes at a time ---- */

typedef struct encoder {
    bag_parity *p;
    const bag_extent *x;
    uint64_t run;    /* stripes at a time */
    uint8_t *tables; /* of the parity coefficients */
    bag_meter meter;
} encoder;

static bool encode_run(void *ctx, uint64_t piece, uint8_t *room, ct_err *err)
{
    encoder *e = ctx;
    bag_parity *p = e->p;
    uint64_t first = piece * e->run;
    uint64_t count = p->stripes - first < e->run ? p->stripes - first : e->run;
    size_t len = (size_t)count * p->block;
    uint8_t *rows[CODE_MAX];

    for (unsigned i = 0; i < p->data + p->parity; i++)
        rows[i] = room + i * len;
    for (unsigned c = 0; c < p->data; c++) {
        uint64_t number = data_block(p, c, first);

        if (!bag_extent_read(e->x, number * p->block, rows[c], len, err))
            return false;
        for (uint64_t i = 0; i < count && number + i < p->blocks; i++)
            digest_of(p, rows[c] + i * p->block, p->digests[number + i]);
    }
    ec_encode_data((int)len, (int)p->data, (int)p->parity, e->tables, rows, rows + p->data);
    for (unsigned r = 0; r < p->parity; r++) {
        uint8_t *row = rows[p->data + r];

        for (uint64_t i = 0; i < count; i++)
            digest_of(p, row + i * p->block, p->digests[p->blocks + r * p->stripes + first + i]);
        if (!write_parity(p, bag_parity_at(p, r, first), row, len, err))
            return false;
    }
    return true;
}

static void encoded(void *ctx, uint64_t pieces)
{
    const encoder *e = ctx;
    uint64_t bytes = pieces * e->run * e->p->data * e->p->block;

    if (e->meter.progress)
        e->meter.progress(e->meter.ctx, bytes < e->x->size ? bytes : e->x->size);
}

bool bag_stripes_encode(bag_parity *p, const bag_extent *x, int jobs, bag_meter meter, ct_err *err)
{
    size_t width = (size_t)(p->data + p->parity);
    encoder e = {.p = p, .x = x, .meter = meter};
    bag_crew crew = {
        .jobs = jobs, .each = encode_run, .ctx = &e, .progress = encoded, .progress_ctx = &e};
    uint8_t matrix[CODE_MAX * CODE_MAX];
    bool ok;

    e.run = ROOM / (width * p->block);
    if (e.run == 0)
        e.run = 1;
    if (e.run > p->stripes)
        e.run = p->stripes;
    crew.pieces = (p->stripes + e.run - 1) / e.run;
    crew.room = width * (size_t)e.run * p->block;
    e.tables = ct_alloc((size_t)p->data * p->parity * TABLES);
    make_matrix(p, matrix);
    ec_init_tables((int)p->data, (int)p->parity, matrix + p->data * p->data, e.tables);
    ok = bag_crew_run(&crew, err);
    free(e.tables);
    return ok;
}

/* ---- checking: from one end to the other ---- */

typedef struct checker {
    const bag_parity *p;
    const bag_extent *x;
    bag_damage *d;
    uint64_t run,
        data_pieces; /* blocks at a time; pieces of the bag, those of the sidecar follow */
    bool only_lost;  /* look into a copy for what is lost */
    bag_meter meter;
} checker;

static bool any_lost(const bag_damage *d, uint64_t first, uint64_t count)
{
    return memchr(d->from + first, BAG_LOST, (size_t)count) != NULL;
}

static bool check_data(checker *k, uint64_t first, uint8_t *room, ct_err *err)
{
    const bag_parity *p = k->p;
    uint64_t count = p->blocks - first < k->run ? p->blocks - first : k->run;

    if (k->only_lost && !any_lost(k->d, first, count))
        return true;
    if (!bag_extent_read(k->x, first * p->block, room, (size_t)count * p->block, err))
        return false;
    for (uint64_t i = 0; i < count; i++)
        if (k->d->from[first + i] == BAG_LOST && holds(p, first + i, room + i * p->block))
            k->d->from[first + i] = k->only_lost ? BAG_IN_COPY : BAG_HERE;
    return true;
}

static bool check_parity(checker *k, uint64_t first, uint8_t *room, ct_err *err)
{
    const bag_parity *p = k->p;
    uint64_t all = bag_parity_blocks(p), count = all - first < k->run ? all - first : k->run;

    if (!read_parity(p, p->rows + first * p->block, room, (size_t)count * p->block, err))
        return false;
    for (uint64_t i = 0; i < count; i++)
        if (holds(p, p->blocks + first + i, room + i * p->block))
            k->d->parity[first + i] = BAG_HERE;
    return true;
}

static bool check_run(void *ctx, uint64_t piece, uint8_t *room, ct_err *err)
{
    checker *k = ctx;

    if (piece < k->data_pieces)
        return check_data(k, piece * k->run, room, err);
    return check_parity(k, (piece - k->data_pieces) * k->run, room, err);
}

static void checked(void *ctx, uint64_t pieces)
{
    const checker *k = ctx;

    if (k->meter.progress)
        k->meter.progress(k->meter.ctx, pieces * k->run * k->p->block);
}

/* Adds up what is lost, stripe by stripe. */
static void judge(const bag_parity *p, bag_damage *d)
{
    d->lost = d->in_copy = d->parity_lost = d->beyond = 0;
    for (uint64_t s = 0; s < p->stripes; s++) {
        unsigned lost = 0, parity = 0;

        for (unsigned c = 0; c < p->data; c++) {
            uint64_t number = data_block(p, c, s);

            if (number >= p->blocks)
                continue;
            lost += d->from[number] == BAG_LOST;
            d->lost += d->from[number] != BAG_HERE;
            d->in_copy += d->from[number] == BAG_IN_COPY;
        }
        for (unsigned r = 0; r < p->parity; r++)
            parity += d->parity[r * p->stripes + s] == BAG_LOST;
        d->parity_lost += parity;
        if (lost + parity > p->parity)
            d->beyond += lost;
    }
}

static bool run_check(checker *k, int jobs, ct_err *err)
{
    bag_crew crew = {
        .jobs = jobs, .each = check_run, .ctx = k, .progress = checked, .progress_ctx = k};
    uint64_t parity = k->only_lost ? 0 : bag_parity_blocks(k->p);

    k->run = PIECE / k->p->block;
    k->data_pieces = (k->p->blocks + k->run - 1) / k->run;
    crew.room = PIECE;
    crew.pieces = k->data_pieces + (parity + k->run - 1) / k->run;
    if (!bag_crew_run(&crew, err))
        return false;
    judge(k->p, k->d);
    return true;
}

bool bag_stripes_check(const bag_parity *p, const bag_extent *x, int jobs, bag_meter meter,
                       bag_damage *d, ct_err *err)
{
    checker k = {.p = p, .x = x, .d = d, .meter = meter};

    *d =
        (bag_damage){.from = ct_calloc(p->blocks, 1), .parity = ct_calloc(bag_parity_blocks(p), 1)};
    if (run_check(&k, jobs, err))
        return true;
    bag_damage_free(d);
    return false;
}

bool bag_stripes_find(const bag_parity *p, const bag_extent *copy, int jobs, bag_damage *d,
                      ct_err *err)
{
    checker k = {.p = p, .x = copy, .d = d, .only_lost = true};

    return run_check(&k, jobs, err);
}

void bag_damage_free(bag_damage *d)
{
    free(d->from);
    free(d->parity);
    *d = (bag_damage){0};
}

/* ---- rebuilding: some neighbouring stripes at a time ---- */

enum { NEIGHBOURS = 64 };

typedef struct builder {
    const bag_parity *p;
    const bag_damage *d;
    const bag_extent *x, *copy, *to;
    uint8_t matrix[CODE_MAX * CODE_MAX];
} builder;

/* What is known of a stripe, as many blocks as it has of the bag, and what of it is lost. */
typedef struct pattern {
    unsigned known[CODE_MAX], lost[CODE_MAX], nlost;
} pattern;

/* The way from the known blocks to the lost ones; what one stripe lost, its neighbours often lost
 * too. */
typedef struct solution {
    pattern of;
    uint8_t *tables; /* NULL: none yet */
} solution;

static bool read_data(const builder *b, uint64_t number, uint8_t *to, ct_err *err)
{
    const bag_parity *p = b->p;

    if (number >= p->blocks) {
        memset(to, 0, p->block);
        return true;
    }
    return bag_extent_read(b->d->from[number] == BAG_IN_COPY ? b->copy : b->x, number * p->block,
                           to, p->block, err);
}

/* Takes parity blocks where there is nothing else. */
static bool look(const builder *b, uint64_t s, pattern *t, ct_err *err)
{
    const bag_parity *p = b->p;
    unsigned n = 0;

    *t = (pattern){.nlost = 0};
    for (unsigned c = 0; c < p->data; c++) {
        uint64_t number = data_block(p, c, s);

        if (number < p->blocks && b->d->from[number] == BAG_LOST)
            t->lost[t->nlost++] = c;
        else
            t->known[n++] = c;
    }
    for (unsigned r = 0; r < p->parity && n < p->data; r++)
        if (b->d->parity[r * p->stripes + s] == BAG_HERE)
            t->known[n++] = p->data + r;
    return n == p->data || ct_fail(err, CT_E_DATA, "more is lost than can be computed");
}

static bool gather(const builder *b, uint64_t s, const pattern *t, uint8_t *const *blocks,
                   ct_err *err)
{
    const bag_parity *p = b->p;
    bool ok = true;

    for (unsigned i = 0; ok && i < p->data; i++) {
        unsigned c = t->known[i];

        ok = c < p->data
                 ? read_data(b, data_block(p, c, s), blocks[i], err)
                 : read_parity(p, bag_parity_at(p, c - p->data, s), blocks[i], p->block, err);
    }
    return ok;
}

/* The rows of the inverse that give the lost blocks from the known ones. */
static bool solve(const builder *b, const pattern *t, solution *way, ct_err *err)
{
    size_t k = b->p->data;
    uint8_t *known, *inverse, *rows;
    bool ok;

    if (way->tables && memcmp(&way->of, t, sizeof(*t)) == 0)
        return true;
    known = ct_alloc(3 * k * k);
    inverse = known + k * k;
    rows = inverse + k * k;
    for (size_t i = 0; i < k; i++)
        memcpy(known + i * k, b->matrix + t->known[i] * k, k);
    ok = gf_invert_matrix(known, inverse, (int)k) == 0 ||
         ct_fail(err, CT_E_DATA, "the stripe cannot be solved");
    for (unsigned i = 0; ok && i < t->nlost; i++)
        memcpy(rows + i * k, inverse + t->lost[i] * k, k);
    if (ok) {
        way->of = *t;
        way->tables = ct_realloc(way->tables, t->nlost * k, TABLES);
        ec_init_tables((int)k, (int)t->nlost, rows, way->tables);
    }
    free(known);
    return ok;
}

static bool put_block(const builder *b, uint64_t number, const uint8_t *block, ct_err *err)
{
    if (!holds(b->p, number, block))
        return ct_fail(err, CT_E_DATA, "what was computed does not fit its checksum");
    return bag_extent_write(b->to, number * b->p->block, block, b->p->block, err);
}

static bool put_copied(const builder *b, uint64_t s, uint8_t *room, ct_err *err)
{
    for (unsigned c = 0; c < b->p->data; c++) {
        uint64_t number = data_block(b->p, c, s);

        if (number < b->p->blocks && b->d->from[number] == BAG_IN_COPY &&
            (!read_data(b, number, room, err) || !put_block(b, number, room, err)))
            return false;
    }
    return true;
}

static bool rebuild_stripe(const builder *b, uint64_t s, uint8_t *room, solution *way, ct_err *err)
{
    const bag_parity *p = b->p;
    uint8_t *blocks[CODE_MAX];
    pattern t;

    if (!put_copied(b, s, room, err) || !look(b, s, &t, err))
        return false;
    if (t.nlost == 0)
        return true;
    for (unsigned i = 0; i < p->data + p->parity; i++)
        blocks[i] = room + (size_t)i * p->block;
    if (!gather(b, s, &t, blocks, err) || !solve(b, &t, way, err))
        return false;
    ec_encode_data((int)p->block, (int)p->data, (int)t.nlost, way->tables, blocks,
                   blocks + p->data);
    for (unsigned i = 0; i < t.nlost; i++)
        if (!put_block(b, data_block(p, t.lost[i], s), blocks[p->data + i], err))
            return false;
    return true;
}

static bool rebuild_run(void *ctx, uint64_t piece, uint8_t *room, ct_err *err)
{
    const builder *b = ctx;
    uint64_t first = piece * NEIGHBOURS, end = first + NEIGHBOURS;
    solution way = {.tables = NULL};
    bool ok = true;

    for (uint64_t s = first; ok && s < end && s < b->p->stripes; s++)
        ok = rebuild_stripe(b, s, room, &way, err);
    free(way.tables);
    return ok;
}

bool bag_stripes_rebuild(const bag_parity *p, const bag_damage *d, const bag_extent *x,
                         const bag_extent *copy, const bag_extent *to, int jobs, ct_err *err)
{
    builder *b = ct_calloc(1, sizeof(*b));
    bag_crew crew = {.jobs = jobs,
                     .pieces = (p->stripes + NEIGHBOURS - 1) / NEIGHBOURS,
                     .room = (size_t)(p->data + p->parity) * p->block,
                     .each = rebuild_run,
                     .ctx = b};
    bool ok;

    *b = (builder){.p = p, .d = d, .x = x, .copy = copy, .to = to};
    make_matrix(p, b->matrix);
    ok = bag_crew_run(&crew, err);
    free(b);
    return ok;
}
