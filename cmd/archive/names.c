/* Names of payload files. */
#include "cmd/archive/names.h"

#include <inttypes.h>
#include <strings.h>

enum { ID_MAX = 64, SHORT_HASH = 4 };

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_id(ct_str id, bool *capitals)
{
    *capitals = false;
    if (id.n == 0 || id.n > ID_MAX || id.p[0] == '.' || id.p[0] == '-')
        return false;
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];

        if (!digit(c) && !lower(c) && !capital(c) && c != '.' && c != '-')
            return false;
        *capitals |= capital(c);
    }
    return true;
}

/* CON, PRN, AUX, NUL, COM0 to COM9, LPT0 to LPT9, whatever stands behind a dot. */
static bool is_device(ct_str id)
{
    ct_str rest = id, stem = ct_str_cut(&rest, '.');
    static const char *const names[] = {"con", "prn", "aux", "nul", "com", "lpt"};

    for (size_t i = 0; i < CT_LEN(names); i++)
        if (stem.n >= 3 && strncasecmp(stem.p, names[i], 3) == 0 &&
            (i < 4 ? stem.n == 3 : stem.n == 4 && digit(stem.p[3])))
            return true;
    return false;
}

void bag_chart_path(ct_buf *to, ct_str id)
{
    uint8_t digest[CT_SHA256_LEN];
    bool capitals, good = is_id(id, &capitals);

    ct_buf_z(to, "data/charts/");
    if (good)
        ct_buf_put(to, id);
    if (!good || capitals || is_device(id)) {
        ct_sha256(id, digest);
        ct_buf_c(to, '~');
        ct_hex(to, digest, good ? SHORT_HASH : sizeof(digest));
    }
    ct_buf_z(to, ".ndjson");
    ct_buf_c(to, '\0');
    to->n--;
}

void bag_shared_path(ct_buf *to, uint64_t n)
{
    ct_buf_printf(to, "data/shared/%05" PRIu64 ".ndjson", n);
    ct_buf_c(to, '\0');
    to->n--;
}

/* ---- order ---- */

/* What an id was before the name was made of it; false where it cannot be seen any more. */
static bool id_of(ct_str name, ct_str *id)
{
    ct_str rest = name;

    if (!ct_str_ends(name, CT_S(".ndjson")))
        return false;
    rest.n -= strlen(".ndjson");
    *id = ct_str_cut(&rest, '~');
    return id->n > 0;
}

bool bag_place_of(ct_str path, bag_place *place)
{
    static const ct_str shared = {"data/shared/", 12}, charts = {"data/charts/", 12};
    bag_alg alg;

    *place = (bag_place){0, {"", 0}};
    if (ct_str_starts(path, shared)) {
        place->part = 1;
        place->key = ct_str_from(path, shared.n);
        return true;
    }
    if (ct_str_starts(path, charts)) {
        place->part = 2;
        return id_of(ct_str_from(path, charts.n), &place->key);
    }
    switch (bag_kind_of(path, &alg)) {
    case BAG_DECLARATION:
        return true;
    case BAG_INFO:
    case BAG_MANIFEST:
    case BAG_TAGMANIFEST:
        place->part = BAG_PART_END;
        return true;
    default:
        return false;
    }
}

int bag_place_cmp(const bag_place *a, const bag_place *b)
{
    if (a->part != b->part)
        return a->part - b->part;
    if (a->part == 1 && a->key.n != b->key.n) /* 100000.ndjson comes behind 99999.ndjson */
        return a->key.n < b->key.n ? -1 : 1;
    return ct_str_cmp(a->key, b->key);
}
