/* A later chart of the same person in another bag. */
#include "cmd/archive/later.h"

#include <inttypes.h>

enum { HASH_SHOWN = 12 };

bool bag_day_reached(ct_str destroy_after, const ct_date *today)
{
    ct_date day;

    return ct_date_parse(destroy_after, &day) && day.precision == CT_P_DAY &&
           ct_date_days(today) >= ct_date_days(&day);
}

struct search {
    const ct_date *today;
    ct_arena *arena;
    ct_str name, hash; /* of the first */
    uint64_t bags;
};

static bool take_bag(void *ctx, const ct_bag *bag)
{
    struct search *s = ctx;

    if (bag_day_reached(bag->destroy_after, s->today))
        return true;
    if (s->bags++ == 0) {
        s->name = ct_arena_copy(s->arena, bag->name);
        s->hash = ct_arena_copy(s->arena, ct_str_head(bag->hash, HASH_SHOWN));
    }
    return true;
}

bool bag_later(ct_db *db, ct_str hash, const ct_date *today, ct_arena *a, ct_str *why, ct_err *err)
{
    struct search s = {.today = today, .arena = a};

    *why = (ct_str){"", 0};
    if (!ct_bag_later(db, hash, take_bag, &s, err))
        return false;
    if (s.bags == 0)
        return true;
    *why =
        ct_arena_printf(a, "a later chart of one of its patients is in %.*s (%.*s), which is kept",
                        (int)s.name.n, s.name.p, (int)s.hash.n, s.hash.p);
    if (s.bags > 1)
        *why =
            ct_arena_printf(a, "%.*s, and in more bags: %" PRIu64, (int)why->n, why->p, s.bags - 1);
    return true;
}
