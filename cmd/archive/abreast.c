/* Who sits where, and the padding at the end of each message (FIPS 180-4, 5.1). */
#include "cmd/archive/abreast.h"

#include <stdlib.h>

enum { WORD_MAX = 8, BLOCK_MAX = 16 * WORD_MAX };

/* What a seat has to go through: its piece, then the padding where the message ends. */
struct seat {
    const uint8_t *at;
    size_t blocks;  /* from `at` on */
    uint64_t bytes; /* of the message so far */
    bool taken, last, padding;
    ct_str rest; /* of the last piece, less than a block */
    uint8_t padded[2 * BLOCK_MAX];
};

struct bag_abreast {
    const bag_sha2x4 *sha;
    size_t block;
    uint64_t state[BAG_SHA2_WORDS][BAG_SEATS];
    struct seat seats[BAG_SEATS];
};

/* ---- seats ---- */

static void put_word(uint8_t *to, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(v >> 8 * (bytes - 1 - i));
}

/* What is left of the message, a one bit, zeros, and in two words how many bits there were. */
static void pad(const bag_abreast *x, struct seat *s)
{
    size_t n = s->rest.n, end;

    s->at = s->padded;
    s->blocks = n + 1 + 2 * x->sha->word > x->block ? 2 : 1;
    end = s->blocks * x->block;
    memset(s->padded, 0, sizeof(s->padded));
    if (n)
        memcpy(s->padded, s->rest.p, n);
    s->padded[n] = 0x80;
    if (x->sha->word == 8)
        put_word(s->padded + end - 16, s->bytes >> 61, 8);
    put_word(s->padded + end - 8, s->bytes << 3, 8);
}

static void digest_of(const bag_abreast *x, int i, uint8_t digest[BAG_DIGEST_MAX])
{
    for (size_t w = 0; w < BAG_SHA2_WORDS; w++)
        put_word(digest + w * x->sha->word, x->state[w][i], x->sha->word);
}

/* A seat whose piece has no whole blocks left; -1: there is none. Padding is taken up here. */
static int find_through(bag_abreast *x)
{
    for (int i = 0; i < BAG_SEATS; i++) {
        struct seat *s = &x->seats[i];

        if (s->taken && s->blocks == 0 && s->last && !s->padding) {
            s->padding = true;
            pad(x, s);
        } else if (s->taken && s->blocks == 0)
            return i;
    }
    return -1;
}

/* All seats go on for as many blocks as each of them has. One that is free goes through the blocks
 * of another, to no end. */
static void advance(bag_abreast *x)
{
    const uint8_t *from[BAG_SEATS];
    const struct seat *least = NULL;
    size_t blocks;

    for (int i = 0; i < BAG_SEATS; i++)
        if (x->seats[i].taken && (!least || x->seats[i].blocks < least->blocks))
            least = &x->seats[i];
    blocks = least->blocks;
    for (int i = 0; i < BAG_SEATS; i++)
        from[i] = x->seats[i].taken ? x->seats[i].at : least->at;
    x->sha->compress(x->state, from, blocks);
    for (int i = 0; i < BAG_SEATS; i++)
        if (x->seats[i].taken) {
            x->seats[i].at += blocks * x->block;
            x->seats[i].blocks -= blocks;
        }
}

bag_abreast *bag_abreast_new(bag_alg alg)
{
    const bag_sha2x4 *sha = alg == BAG_SHA256   ? &bag_sha256x4
                            : alg == BAG_SHA512 ? &bag_sha512x4
                                                : NULL;
    bag_abreast *x;

    if (!sha || !sha->able || !sha->able())
        return NULL;
    x = ct_calloc(1, sizeof(*x));
    x->sha = sha;
    x->block = 16 * sha->word;
    return x;
}

void bag_abreast_free(bag_abreast *x)
{
    free(x);
}

void bag_abreast_begin(bag_abreast *x, int seat)
{
    struct seat *s = &x->seats[seat];

    for (int w = 0; w < BAG_SHA2_WORDS; w++)
        x->state[w][seat] = x->sha->first[w];
    s->taken = true;
    s->last = s->padding = false;
    s->bytes = 0;
}

void bag_abreast_feed(bag_abreast *x, int seat, ct_str piece, bool last)
{
    struct seat *s = &x->seats[seat];

    s->at = (const uint8_t *)piece.p;
    s->blocks = piece.n / x->block;
    s->bytes += piece.n;
    s->last = last;
    s->rest = ct_str_from(piece, piece.n - piece.n % x->block);
}

int bag_abreast_run(bag_abreast *x, bool *ended, uint8_t digest[BAG_DIGEST_MAX])
{
    int i;

    while ((i = find_through(x)) < 0)
        advance(x);
    *ended = x->seats[i].last;
    if (*ended) {
        digest_of(x, i, digest);
        x->seats[i].taken = false;
    }
    return i;
}
