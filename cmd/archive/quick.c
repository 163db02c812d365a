/* Looks charts up, and their lines in the manifests. */
#include "cmd/archive/quick.h"
#include "cmd/archive/names.h"

#include <stdlib.h>

enum {
    LINE_MAX = 4096, /* longer ones are not ours */
    NEAR = 64 * 1024,
    CHUNK = 256 * 1024,
};

typedef struct manifest {
    bag_alg alg;
    bag_spot spot;
    bool found;
} manifest;

struct bag_quick {
    bag_lookup *lookup;
    manifest manifests[2];
    char chunk[CHUNK + LINE_MAX];
};

/* ---- a line of a manifest ---- */

/* Reads the first whole line behind `from` (at `from` where that is 0) that has a place, up to
 * `end`. */
static bool line_behind(bag_quick *q, const manifest *m, uint64_t from, uint64_t end, uint64_t *at,
                        bag_place *place)
{
    while (from < end) {
        size_t n = end - from < LINE_MAX ? (size_t)(end - from) : LINE_MAX;
        ct_str text = {q->chunk, n}, rest = text, line;
        bag_entry e;

        if (!bag_lookup_read(q->lookup, &m->spot, from, q->chunk, n))
            return false;
        if (from)
            ct_str_cut(&rest, '\n');
        *at = from + (rest.p ? (uint64_t)(rest.p - text.p) : n);
        if (!rest.p || rest.n == 0)
            return false;
        line = ct_str_cut(&rest, '\n');
        if (!rest.p)
            return false;
        if (bag_entry_parse(line, m->alg, &e) && bag_place_of(e.path, place))
            return true;
        from = *at + line.n; /* its LF, behind which the next line starts */
    }
    return false;
}

/* Where to start looking for a line in a manifest that is in the order of the bag. */
static uint64_t halve(bag_quick *q, const manifest *m, ct_str path)
{
    uint64_t low = 0, high = m->spot.size;
    bag_place want;

    if (!bag_place_of(path, &want))
        return 0;
    while (high - low > NEAR) {
        uint64_t middle = low + (high - low) / 2, at;
        bag_place place;

        if (line_behind(q, m, middle, high, &at, &place) && bag_place_cmp(&place, &want) <= 0)
            low = at;
        else
            high = middle;
    }
    return low;
}

/* Looks through the whole lines at the front of `rest`, and takes them off. False for a line that
 * is none of a manifest. */
static bool look_through(const manifest *m, ct_str path, ct_str *rest, bag_entry *e,
                         bag_found *found)
{
    while (*found == BAG_NOT_FOUND && rest->n) {
        ct_str tail = *rest, line = ct_str_cut(&tail, '\n');

        if (!tail.p)
            return true;
        *rest = tail;
        if (!ct_str_ends(line, path))
            continue;
        if (!bag_entry_parse(line, m->alg, e))
            return false;
        if (ct_str_eq(e->path, path))
            *found = BAG_FOUND;
    }
    return true;
}

/* The line of the path, from the start of a line at `from` on, within `max` bytes. */
static bool find_line(bag_quick *q, const manifest *m, uint64_t from, uint64_t max, ct_str path,
                      bag_entry *e, bag_found *found)
{
    uint64_t end = m->spot.size - from < max ? m->spot.size : from + max;
    size_t kept = 0; /* of a line that is not whole yet */

    *found = BAG_NOT_FOUND;
    while (from < end) {
        size_t n = m->spot.size - from < CHUNK ? (size_t)(m->spot.size - from) : CHUNK;
        ct_str rest = {q->chunk, kept + n};

        if (!bag_lookup_read(q->lookup, &m->spot, from, q->chunk + kept, n) ||
            !look_through(m, path, &rest, e, found))
            return false;
        if (*found == BAG_FOUND)
            return true;
        if (rest.n > LINE_MAX)
            return false;
        memmove(q->chunk, rest.p, rest.n);
        kept = rest.n;
        from += n;
    }
    return true;
}

/* By its place; where that does not help, in all of the manifest. */
static bag_found listed(bag_quick *q, const manifest *m, ct_str path, uint8_t *digest)
{
    bag_entry e;
    bag_found found;
    bool ok = find_line(q, m, halve(q, m, path), NEAR + LINE_MAX, path, &e, &found);

    if (ok && found == BAG_NOT_FOUND)
        ok = find_line(q, m, 0, m->spot.size, path, &e, &found);
    if (!ok)
        return BAG_UNKNOWN;
    if (found == BAG_FOUND)
        memcpy(digest, e.digest, bag_algorithms[m->alg].len);
    return found;
}

/* ---- files ---- */

bag_found bag_quick_find(bag_quick *q, ct_str path, bag_spot *spot)
{
    bag_found found = bag_lookup_find(q->lookup, path, spot);
    uint8_t digest[BAG_DIGEST_MAX];

    if (found != BAG_NOT_FOUND)
        return found;
    for (size_t i = 0; i < CT_LEN(q->manifests); i++)
        if (listed(q, &q->manifests[i], path, digest) != BAG_NOT_FOUND)
            return BAG_UNKNOWN;
    return BAG_NOT_FOUND;
}

static bool read_all(bag_quick *q, const bag_spot *spot, ct_sha *sha256, ct_sha *sha512,
                     ct_spool *to)
{
    char last = '\n';
    ct_err err;

    for (uint64_t at = 0; at < spot->size;) {
        size_t n = spot->size - at < CHUNK ? (size_t)(spot->size - at) : CHUNK;
        ct_str part = {q->chunk, n};

        if (!bag_lookup_read(q->lookup, spot, at, q->chunk, n))
            return false;
        ct_sha_add(sha256, part);
        ct_sha_add(sha512, part);
        if (!ct_spool_put(to, part, &err))
            return false;
        at += n;
        last = part.p[n - 1];
    }
    /* The next file's first record must not be glued to one that has no LF. */
    return last == '\n' || ct_spool_put(to, CT_S("\n"), &err);
}

bool bag_quick_take(bag_quick *q, ct_str path, const bag_spot *spot, ct_spool *to)
{
    ct_sha *sha[] = {ct_sha_new(256), ct_sha_new(512)};
    uint8_t digest[BAG_DIGEST_MAX], wanted[BAG_DIGEST_MAX];
    bool ok = read_all(q, spot, sha[0], sha[1], to);

    for (size_t i = 0; i < CT_LEN(sha); i++) {
        const manifest *m = &q->manifests[i];

        ct_sha_end(sha[i], digest);
        ok = ok && listed(q, m, path, wanted) == BAG_FOUND &&
             memcmp(digest, wanted, bag_algorithms[m->alg].len) == 0;
        ct_sha_free(sha[i]);
    }
    return ok;
}

void bag_quick_drop(bag_quick *q, bag_spot *spot)
{
    bag_lookup_drop(q->lookup, spot);
}

/* ---- opening ---- */

bag_quick *bag_quick_open(const char *path)
{
    static const char *const names[] = {"manifest-sha256.txt", "manifest-sha512.txt"};
    static const bag_alg algs[] = {BAG_SHA256, BAG_SHA512};
    bag_lookup *lookup = bag_lookup_open(path);
    bag_quick *q;
    bool ok = lookup != NULL;

    if (!ok)
        return NULL;
    q = ct_calloc(1, sizeof(*q));
    q->lookup = lookup;
    for (size_t i = 0; i < CT_LEN(names); i++) {
        manifest *m = &q->manifests[i];

        m->alg = algs[i];
        m->found = ok && bag_lookup_find(lookup, ct_str_z(names[i]), &m->spot) == BAG_FOUND;
        ok = m->found;
    }
    if (ok)
        return q;
    bag_quick_close(q);
    return NULL;
}

void bag_quick_close(bag_quick *q)
{
    if (!q)
        return;
    for (size_t i = 0; i < CT_LEN(q->manifests); i++)
        if (q->manifests[i].found)
            bag_lookup_drop(q->lookup, &q->manifests[i].spot);
    bag_lookup_close(q->lookup);
    free(q);
}
