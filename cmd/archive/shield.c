/* A bag's sidecar made, and a bag held against it. */
#include "cmd/archive/parity.h"
#include "cmd/archive/sink.h"
#include "cmd/archive/sweep.h"
#include "common/stream/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Fills the file `fd`, which becomes the plan's. */
static bool fill(bag_extent *x, unsigned percent, int fd, int jobs, bag_meter meter, ct_err *err)
{
    bag_parity p;
    bool ok;

    if (!bag_parity_plan(&p, x, percent, err))
        return false;
    p.fd = fd;
    ok = (!x->folder || bag_extent_hash(x, jobs, err)) &&
         bag_stripes_encode(&p, x, jobs, meter, err) && bag_parity_frame(&p, x, err);
    if (ok && fsync(fd) != 0)
        ok = ct_fail_sys(err, errno, "cannot sync the parity file");
    p.fd = -1;
    bag_parity_close(&p);
    return ok;
}

static bool name_it(const char *unfinished, const char *name, ct_err *err)
{
    return (rename(unfinished, name) == 0 ||
            ct_fail_sys(err, errno, "cannot give the parity file its name")) &&
           bag_sync_parent(name, err);
}

static bool make(bag_extent *x, const char *name, unsigned percent, int jobs, bag_meter meter,
                 ct_err *err)
{
    char *unfinished = bag_unfinished_name(name);
    int fd = bag_sweep_make(unfinished, false);
    bool ok;

    if (fd < 0) {
        free(unfinished);
        return ct_fail_sys(err, errno, "cannot write a parity file there");
    }
    ok = fill(x, percent, fd, jobs, meter, err);
    if (close(fd) != 0 && ok)
        ok = ct_fail_sys(err, errno, "cannot write the parity file");
    if (!ok || !name_it(unfinished, name, err)) {
        unlink(unfinished);
        ok = false;
    }
    bag_sweep_drop(unfinished);
    free(unfinished);
    return ok;
}

bool bag_parity_make(const char *bag, unsigned percent, bool force, int jobs, bag_meter meter,
                     ct_err *err)
{
    char *name = bag_parity_name(bag);
    bag_extent x;
    bool ok = force || access(name, F_OK) != 0 ||
              ct_fail(err, CT_E_USAGE, "there is a parity file already");

    if (ok && bag_extent_open(&x, bag, err)) {
        ok = make(&x, name, percent, jobs, meter, err);
        bag_extent_close(&x);
    } else {
        ok = false;
    }
    free(name);
    return ok;
}

bool bag_parity_drop(const char *bag, ct_err *err)
{
    char *name = bag_parity_name(bag);
    bool ok = unlink(name) == 0 || errno == ENOENT ||
              ct_fail_sys(err, errno, "cannot replace the old parity file");

    free(name);
    return ok;
}

bool bag_parity_move(const char *from, const char *to, ct_err *err)
{
    char *old = bag_parity_name(from), *new = bag_parity_name(to);
    bool ok = access(old, F_OK) != 0 || rename(old, new) == 0 ||
              ct_fail_sys(err, errno, "cannot give the parity file its name");

    free(old);
    free(new);
    return ok;
}

static bool check(bag_parity *p, const char *bag, int jobs, bag_meter meter, bag_health *health,
                  ct_err *err)
{
    bag_damage d;

    if (!bag_extent_attach(&p->was, bag, err) ||
        !bag_stripes_check(p, &p->was, jobs, meter, &d, err))
        return false;
    *health = (bag_health){
        .percent = p->percent,
        .blocks = p->blocks,
        .lost = d.lost,
        .beyond = d.beyond,
        .parity_blocks = bag_parity_blocks(p),
        .parity_damage = d.parity_lost + p->damaged_parts,
        .other_size = !p->was.folder && p->was.held != p->was.size,
    };
    bag_damage_free(&d);
    return true;
}

bool bag_parity_check(const char *bag, int jobs, bag_meter meter, bag_health *health, ct_err *err)
{
    char *name = bag_parity_name(bag);
    bag_parity p;
    bool ok = bag_parity_load(&p, name, err);

    if (ok) {
        ok = check(&p, bag, jobs, meter, health, err);
        bag_parity_close(&p);
    }
    free(name);
    return ok;
}
