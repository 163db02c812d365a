/* Names that change hands without a moment in which there is no bag. */
#include "cmd/archive/swap.h"
#include "cmd/archive/sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEPT_MAX = 10000 };

static bool taken(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

/* The first of BAG.damaged, BAG.damaged-2 … that nothing has. */
static char *free_name(const char *bag, ct_err *err)
{
    ct_buf b = {0};

    for (int i = 1; i < KEPT_MAX; i++) {
        b.n = 0;
        ct_buf_printf(&b, "%s.damaged", bag);
        if (i > 1)
            ct_buf_printf(&b, "-%d", i);
        ct_buf_c(&b, '\0');
        if (!taken(b.p))
            return b.p;
    }
    ct_buf_free(&b);
    ct_fail(err, CT_E_LIMIT, "too many damaged ones are kept already");
    return NULL;
}

/* Some file systems have no second names. */
static bool no_links(int error)
{
    return error == EPERM || error == ENOTSUP || error == ENOSYS || error == EMLINK;
}

bool bag_keep_damaged(const char *file, char **kept, ct_err *err)
{
    *kept = free_name(file, err);
    if (!*kept)
        return false;
    if (link(file, *kept) == 0 || (no_links(errno) && rename(file, *kept) == 0))
        return true;
    free(*kept);
    *kept = NULL;
    return ct_fail_sys(err, errno, "cannot keep the damaged one under another name");
}

static bool swap_file(const char *unfinished, const char *bag, char **kept, ct_err *err)
{
    if (!bag_keep_damaged(bag, kept, err))
        return false;
    if (rename(unfinished, bag) == 0)
        return true;
    ct_fail_sys(err, errno, "cannot give the bag its name");
    if (!taken(bag) && rename(*kept, bag) != 0)
        ct_fail_sys(err, errno, "the damaged bag could not be put back");
    return false;
}

static bool swap_folder(const char *unfinished, const char *bag, char **kept, ct_err *err)
{
    bool able;

    *kept = free_name(bag, err);
    if (!*kept)
        return false;
    if (bag_exchange(unfinished, bag, &able))
        return rename(unfinished, *kept) == 0 ||
               ct_fail_sys(err, errno, "cannot keep the damaged bag under another name");
    if (able)
        return ct_fail_sys(err, errno, "cannot give the bag its name");
    if (rename(bag, *kept) != 0)
        return ct_fail_sys(err, errno, "cannot keep the damaged bag under another name");
    if (rename(unfinished, bag) == 0)
        return true;
    ct_fail_sys(err, errno, "cannot give the bag its name");
    if (rename(*kept, bag) != 0)
        ct_fail_sys(err, errno, "the damaged bag could not be put back");
    return false;
}

bool bag_swap(const char *unfinished, const char *bag, char **kept, ct_err *err)
{
    struct stat st;

    if (lstat(bag, &st) != 0)
        return ct_fail_sys(err, errno, "cannot look at the damaged bag");
    return (S_ISDIR(st.st_mode) ? swap_folder(unfinished, bag, kept, err)
                                : swap_file(unfinished, bag, kept, err)) &&
           bag_sync_parent(bag, err);
}

bool bag_settle(const char *unfinished, const char *out, ct_err *err)
{
    if (taken(out))
        return ct_fail(err, CT_E_USAGE, "there is something of that name already");
    return (rename(unfinished, out) == 0 ||
            ct_fail_sys(err, errno, "cannot give the bag its name")) &&
           bag_sync_parent(out, err);
}
