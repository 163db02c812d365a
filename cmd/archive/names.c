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
