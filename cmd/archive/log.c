#include "cmd/archive/log.h"
#include "cmd/archive/catalogue.h"

#include <stdlib.h>
#include <unistd.h>

ct_db *bag_log_open(const ct_cli *c, ct_err *err)
{
    *err = (ct_err){0};
    if (!c->db_given && access(c->db, F_OK) != 0)
        return NULL;
    return bag_catalogue_open(c->db, err);
}

/* The bag of a copy. */
typedef struct owner {
    char hash[2 * CT_SHA256_LEN];
    size_t n;
    uint64_t charts;
} owner;

static bool take_bag(void *ctx, const ct_bag *bag)
{
    owner *o = ctx;

    o->n = bag->hash.n < sizeof(o->hash) ? bag->hash.n : sizeof(o->hash);
    memcpy(o->hash, bag->hash.p, o->n);
    o->charts = bag->charts;
    return false;
}

bool bag_log_enter(ct_db *db, const char *path, const ct_custody *row, ct_err *err)
{
    char *whole = bag_catalogue_path(path);
    ct_custody entry = *row;
    owner o = {.n = 0};
    bool ok;

    entry.copy = ct_str_z(whole);
    ok = ct_bags(db, &(ct_bag_query){.path = entry.copy}, take_bag, &o, err);
    entry.bag = (ct_str){o.hash, o.n};
    if (!entry.charts)
        entry.charts = o.charts;
    ok = ok && ct_custody_enter(db, &entry, err);
    free(whole);
    return ok;
}

ct_str bag_log_head(ct_cli *c)
{
    ct_str head = ct_str_z(c->arg);
    size_t digits = strspn(c->arg, "0123456789abcdef");

    if (digits != head.n || head.n != 2 * CT_SHA256_LEN)
        ct_cli_usage(c, "--head takes a hash as the report of fixity has it, 64 digits");
    return head;
}
