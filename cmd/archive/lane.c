#include "cmd/archive/lane.h"

_Static_assert(BAG_BLOCK % BAG_ABREAST_PIECE == 0, "whole blocks of SHA-2");

bag_block *bag_ring_at(const bag_ring *r, uint64_t n)
{
    return &r->blocks[n % r->n];
}

/* ---- one file alone ---- */

/* Blocks of one file, from its first or from where it was left. */
static void take_alone(bag_lane *l, bag_front *f, const bag_ring *r)
{
    bool last = false;

    l->alone = f->next;
    while (f->next < r->given && !last)
        last = bag_ring_at(r, f->next++)->last;
    l->stop = f->next;
    f->within = last ? NULL : l;
}

/* A digest that fails half way (a provider taken away) comes out as zeros, which verify nothing. */
static void end_alone(bag_lane *l, uint8_t *digest)
{
    if (EVP_DigestFinal_ex(l->ctx, digest, NULL) != 1 || l->failed)
        memset(digest, 0, l->len);
    l->failed = EVP_DigestInit_ex2(l->ctx, l->md, NULL) != 1;
}

static void go_on_alone(bag_lane *l, const bag_ring *r)
{
    bag_block *b = bag_ring_at(r, l->alone++);

    l->failed |= EVP_DigestUpdate(l->ctx, b->bytes, b->n) != 1;
    if (b->last)
        end_alone(l, b->file.digest[l->alg]);
}

/* ---- files side by side ---- */

/* Behind the file that starts with block `from`; BAG_NOWHERE: its end is not given yet, or it has
 * more blocks than `most`. */
static uint64_t end_of_file(const bag_ring *r, uint64_t from, uint64_t most)
{
    uint64_t stop = r->given - from > most ? from + most : r->given;

    while (from < stop && !bag_ring_at(r, from)->last)
        from++;
    return from < stop ? from + 1 : BAG_NOWHERE;
}

static int whole_files(const bag_ring *r, uint64_t at, int most)
{
    int n = 0;

    while (n < most && (at = end_of_file(r, at, BAG_SHORT_FILE)) != BAG_NOWHERE)
        n++;
    return n;
}

static int taken_seats(const bag_lane *l)
{
    int n = 0;

    for (int i = 0; i < BAG_SEATS; i++)
        n += l->seats[i] != BAG_NOWHERE;
    return n;
}

static void feed(bag_lane *l, const bag_ring *r, int seat)
{
    const bag_block *b = bag_ring_at(r, l->seats[seat]);

    bag_abreast_feed(l->abreast, seat, (ct_str){b->bytes, b->n}, b->last);
}

static void take_seats(bag_lane *l, bag_front *f, const bag_ring *r)
{
    for (int i = 0; i < BAG_SEATS; i++) {
        uint64_t end = f->within ? BAG_NOWHERE : end_of_file(r, f->next, BAG_SHORT_FILE);

        if (l->seats[i] != BAG_NOWHERE || end == BAG_NOWHERE)
            continue;
        l->seats[i] = f->next;
        f->next = end;
        bag_abreast_begin(l->abreast, i);
        feed(l, r, i);
    }
}

static void go_on_abreast(bag_lane *l, const bag_ring *r)
{
    uint8_t digest[BAG_DIGEST_MAX];
    bool ended;
    int i = bag_abreast_run(l->abreast, &ended, digest);

    if (ended) {
        memcpy(bag_ring_at(r, l->seats[i])->file.digest[l->alg], digest, l->len);
        l->seats[i] = BAG_NOWHERE;
    } else {
        l->seats[i]++;
        feed(l, r, i);
    }
}

/* Are all seats taken, or worth to be? */
static bool may_sit(const bag_lane *l, const bag_front *f, const bag_ring *r, uint64_t wanted)
{
    int taken, more;

    if (!l->abreast)
        return false;
    taken = taken_seats(l);
    more = f->within ? 0 : whole_files(r, f->next, BAG_SEATS - taken);
    return taken + more == BAG_SEATS || (taken && l->oldest < wanted) ||
           (more >= BAG_SEATS_WORTH && f->next < wanted);
}

/* ---- both ---- */

static bool is_short(const bag_ring *r, uint64_t from)
{
    return r->given - from <= BAG_SHORT_FILE || end_of_file(r, from, BAG_SHORT_FILE) != BAG_NOWHERE;
}

/* A file that goes on in blocks to come keeps its lane: not everybody may begin it. */
static bool may_go_alone(const bag_lane *l, const bag_front *f, const bag_ring *r, uint64_t wanted,
                         bool may_begin)
{
    if (f->within || f->next == r->given)
        return false;
    if (l->abreast && f->next >= wanted && is_short(r, f->next))
        return false;
    return may_begin || end_of_file(r, f->next, r->n) != BAG_NOWHERE;
}

bool bag_lane_take(bag_lane *l, bag_front *f, const bag_ring *r, uint64_t wanted, bool may_begin)
{
    bool goes_on = f->within == l && f->next < r->given;

    if (l->alone < l->stop)
        return true;
    if (!goes_on && may_sit(l, f, r, wanted))
        take_seats(l, f, r);
    else if (goes_on || may_go_alone(l, f, r, wanted, may_begin))
        take_alone(l, f, r);
    else
        return false;
    bag_lane_tell(l);
    return true;
}

void bag_lane_work(bag_lane *l, const bag_ring *r)
{
    if (l->alone < l->stop && l->alone == l->oldest)
        go_on_alone(l, r);
    else
        go_on_abreast(l, r);
}

void bag_lane_tell(bag_lane *l)
{
    l->oldest = l->alone < l->stop ? l->alone : BAG_NOWHERE;
    for (int i = 0; i < BAG_SEATS; i++)
        if (l->seats[i] < l->oldest)
            l->oldest = l->seats[i];
}

bool bag_lane_open(bag_lane *l, bag_alg alg, ct_err *err)
{
    *l = (bag_lane){.alg = alg,
                    .md = EVP_MD_fetch(NULL, bag_algorithms[alg].name, NULL),
                    .ctx = EVP_MD_CTX_new(),
                    .len = bag_algorithms[alg].len,
                    .abreast = bag_abreast_new(alg),
                    .oldest = BAG_NOWHERE};
    for (int i = 0; i < BAG_SEATS; i++)
        l->seats[i] = BAG_NOWHERE;
    if (l->md && l->ctx && EVP_DigestInit_ex2(l->ctx, l->md, NULL) == 1)
        return true;
    return ct_fail_at(err, CT_E_USAGE, "libcrypto does not have this checksum", "%s",
                      bag_algorithms[alg].name);
}

void bag_lane_close(bag_lane *l)
{
    EVP_MD_CTX_free(l->ctx);
    EVP_MD_free(l->md);
    bag_abreast_free(l->abreast);
}
