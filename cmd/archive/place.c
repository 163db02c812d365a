/* Recognising a copy, and the files beside it. */
#include "cmd/archive/place.h"
#include "cmd/archive/erase.h"
#include "cmd/archive/identity.h"

#include <unistd.h>

bool bag_place_taken(const char *path)
{
    return access(path, F_OK) == 0;
}

/* What `create` and `repair` leave beside a copy, and could give it back: its parity, and what was
 * kept of it damaged, which is numbered from the second on. */
enum { DAMAGED_MAX = 1000 };

static ct_str beside(const bag_sought *b, const char *path, int i)
{
    if (i == 0)
        return ct_arena_printf(b->arena, "%s.parity", path);
    if (i == 1)
        return ct_arena_printf(b->arena, "%s.damaged", path);
    return ct_arena_printf(b->arena, "%s.damaged-%d", path, i);
}

/* An encrypted copy whose key is gone can be told by its label only. */
static bool has_label(const bag_sought *b, const char *path)
{
    ct_buf label = {0}, wanted = {0};
    bool has;

    ct_buf_printf(&wanted, "key-%s-", b->hash.p);
    has = b->key_gone && bag_key_wanted(path, &label) &&
          ct_str_starts(ct_buf_str(&label), ct_buf_str(&wanted));
    ct_buf_free(&label);
    ct_buf_free(&wanted);
    return has;
}

bool bag_place_has(const bag_sought *b, const char *path, const char **why)
{
    bag_identity identity = {0};
    bag_pass pass = {.path = path,
                     .jobs = 1,
                     .keys = &b->keys,
                     .no_checksums = true,
                     .viewer = bag_identity_viewer(&identity)};
    ct_err err = {0};
    bag_check *check = bag_pass_run(&pass, &err);
    bool is = check ? strcmp(identity.hex, b->hash.p) == 0 : has_label(b, path);

    if (!is)
        *why = check && identity.hex[0] ? "another bag stands there, which is not touched"
                                        : "what stands there cannot be recognised as this bag, and "
                                          "is not touched";
    bag_check_free(check);
    ct_buf_free(&pass.base);
    bag_identity_free(&identity);
    return is;
}

/* The last number goes first: so the numbers that are left have no gaps. */
bool bag_place_each(const bag_sought *b, const char *path, bag_erase_step *step, ct_err *err)
{
    int n = 2;

    while (n < DAMAGED_MAX && bag_erase_needed(beside(b, path, n).p, b->hash))
        n++;
    while (n-- > 0)
        if (!step(beside(b, path, n).p, b->hash, err))
            return false;
    return step(path, b->hash, err);
}

static bool allowed(const char *path, ct_str bag, ct_err *err)
{
    const char *why = NULL;

    (void)bag;
    return bag_erase_allowed(path, &why, err) && (!why || ct_fail(err, CT_E_DATA, why));
}

bool bag_place_left(const bag_sought *b, const char *path)
{
    bool left = false;

    for (int i = 0; i <= 2; i++)
        left |= bag_place_taken(beside(b, path, i).p);
    return left && !bag_place_taken(path);
}

const char *bag_place_obstacle(const bag_sought *b, const char *path)
{
    const char *why = NULL;
    ct_err err = {0};

    if (bag_place_left(b, path))
        return "it was moved, and a parity file or a damaged copy of it was left there";
    if (!bag_place_taken(path))
        return "nothing is there: it was moved, or its disk is not mounted";
    if (!bag_place_has(b, path, &why))
        return why;
    return bag_place_each(b, path, allowed, &err) ? NULL : err.text;
}
