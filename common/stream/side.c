/* The books: one side's counts and its checksum, which is the same for any order of the lines. */
#include "common/stream/stream.h"

#include <stdlib.h>

/* into += digest, as 256-bit numbers with the highest byte first. */
static void sum_add(uint8_t into[CT_SHA256_LEN], const uint8_t digest[CT_SHA256_LEN])
{
    unsigned carry = 0;
    for (size_t i = CT_SHA256_LEN; i-- > 0;) {
        carry += (unsigned)into[i] + digest[i];
        into[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

/* Kinds are the model's own slices nearly always: the pointer decides before the text is read. */
static struct ct_kindcount *find_kind(const ct_side *s, ct_str kind)
{
    for (size_t i = 0; i < s->nkinds; i++)
        if (s->kinds[i].kind.p == kind.p && s->kinds[i].kind.n == kind.n)
            return &s->kinds[i];
    for (size_t i = 0; i < s->nkinds; i++)
        if (ct_str_eq(s->kinds[i].kind, kind))
            return &s->kinds[i];
    return NULL;
}

/* Grows at powers of two. */
static void count_kind(ct_side *s, ct_str kind, uint64_t n)
{
    struct ct_kindcount *k = find_kind(s, kind);
    if (!k) {
        if ((s->nkinds & (s->nkinds - 1)) == 0)
            s->kinds = ct_realloc(s->kinds, s->nkinds ? s->nkinds * 2 : 1, sizeof *k);
        k = &s->kinds[s->nkinds++];
        *k = (struct ct_kindcount){kind, 0};
    }
    k->n += n;
}

void ct_side_add(ct_side *s, ct_str line, ct_str kind)
{
    s->records++;
    s->bytes += line.n + 1;
    if (s->off)
        return;
    if (!s->sha)
        s->sha = ct_sha_new(256);
    uint8_t digest[CT_SHA256_LEN];
    ct_sha_add(s->sha, line);
    ct_sha_end(s->sha, digest);
    sum_add(s->sum, digest);
    count_kind(s, kind, 1);
}

void ct_side_merge(ct_side *into, const ct_side *from)
{
    into->records += from->records;
    into->bytes += from->bytes;
    if (into->off)
        return;
    sum_add(into->sum, from->sum);
    for (size_t i = 0; i < from->nkinds; i++)
        count_kind(into, from->kinds[i].kind, from->kinds[i].n);
}

void ct_side_clear(ct_side *s)
{
    s->records = s->bytes = 0;
    memset(s->sum, 0, sizeof s->sum);
    s->nkinds = 0;
}

void ct_side_free(ct_side *s)
{
    free(s->kinds);
    ct_sha_free(s->sha);
    *s = (ct_side){.off = s->off};
}

void ct_lines_add(ct_lines *l, ct_str line, ct_str kind)
{
    char *to = ct_buf_room(&l->buf, line.n + 1);
    if (line.n)
        memcpy(to, line.p, line.n);
    to[line.n] = '\n';
    l->buf.n += line.n + 1;
    ct_side_add(&l->side, line, kind);
}

bool ct_tally_balanced(const ct_tally *t)
{
    return t->in.records + t->created == t->out.records + t->rejected + t->withheld + t->consumed;
}
