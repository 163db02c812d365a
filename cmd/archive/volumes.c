/* Names of a group of bags, and how full one may get. */
#include "cmd/archive/volumes.h"
#include "cmd/archive/parity.h"
#include "cmd/archive/sink.h"
#include "cmd/archive/sweep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a file takes beside its bytes: a header with padding, its line in charts.tsv, its entry in a
 * zip's directory. And what a bag takes beside its files. */
enum { FILE_EXTRA = 2048, LISTED_EXTRA = 512, BAG_EXTRA = 32 * 1024, NUMBER_MAX = 9999 };

struct bag_volumes {
    const char *out;
    uint64_t size;
    ct_str base, suffix; /* of the name; the folders before it are `dir` */
    ct_str dir;
    char *hidden; /* the folder in which they are made; NULL until then */
    unsigned n;
    ct_buf path;
};

bool bag_volume_size(const char *text, uint64_t *size)
{
    static const char units[] = "kMGT";
    ct_str number = ct_str_z(text);
    const char *unit = number.n ? strchr(units, number.p[number.n - 1]) : NULL;
    int shift = unit && *unit ? 10 * (int)(unit - units + 1) : 0;

    if (shift)
        number.n--;
    if (!ct_str_u64(number, size) || *size > UINT64_MAX >> shift)
        return false;
    *size <<= shift;
    return *size >= BAG_VOLUME_MIN;
}

bag_volumes *bag_volumes_new(const char *out, uint64_t size, ct_err *err)
{
    bag_volumes *v;
    bag_packing packing;
    ct_str base;

    if (!bag_packing_of(out, &packing, &base)) {
        ct_fail(err, CT_E_USAGE,
                "its suffix is not .tar, .tar.gz, .tar.zst or .zip; a folder ends with /");
        return NULL;
    }
    v = ct_calloc(1, sizeof(*v));
    v->out = out;
    v->size = size;
    v->base = base;
    v->dir = (ct_str){out, (size_t)(base.p - out)};
    v->suffix = ct_str_z(base.p + base.n);
    return v;
}

/* `DIR/NAME-001.SUFFIX`, in the hidden folder or where it is to be. */
static const char *name(bag_volumes *v, bool hidden, unsigned number)
{
    v->path.n = 0;
    if (hidden)
        ct_buf_printf(&v->path, "%s/", v->hidden);
    else
        ct_buf_put(&v->path, v->dir);
    ct_buf_printf(&v->path, "%.*s-%03u%.*s", (int)v->base.n, v->base.p, number, (int)v->suffix.n,
                  v->suffix.p);
    while (v->path.n && v->path.p[v->path.n - 1] == '/') /* rename(2) wants none */
        v->path.n--;
    ct_buf_c(&v->path, '\0');
    return v->path.p;
}

const char *bag_volumes_path(bag_volumes *v, unsigned number)
{
    return v->size ? name(v, false, number) : v->out;
}

static bool name_free(bag_volumes *v, unsigned number, ct_err *err)
{
    struct stat st;

    if (lstat(name(v, false, number), &st) == 0 || bag_parity_there(v->path.p))
        return ct_fail(err, CT_E_USAGE, "there is something of the name of a volume already");
    return errno == ENOENT || ct_fail_sys(err, errno, "cannot write there");
}

static bool make_hidden(bag_volumes *v, ct_err *err)
{
    ct_buf b = {0};
    int fd;

    ct_buf_put(&b, v->dir);
    ct_buf_printf(&b, ".%.*s.XXXXXX", (int)v->base.n, v->base.p);
    ct_buf_c(&b, '\0');
    fd = bag_sweep_make(b.p, true);
    if (fd < 0) {
        ct_buf_free(&b);
        return ct_fail_sys(err, errno, "cannot write there");
    }
    close(fd);
    v->hidden = b.p;
    return true;
}

const char *bag_volumes_next(bag_volumes *v, ct_err *err)
{
    if (!v->size)
        return v->out;
    if (v->n == NUMBER_MAX) {
        ct_fail(err, CT_E_LIMIT, "more volumes than there are numbers");
        return NULL;
    }
    if ((!v->hidden && !make_hidden(v, err)) || !name_free(v, v->n + 1, err))
        return NULL;
    name(v, true, ++v->n);
    if (*v->suffix.p == '\0' || *v->suffix.p == '/') { /* a folder, whatever dots are in its name */
        v->path.n--;
        ct_buf_z(&v->path, "/");
        ct_buf_c(&v->path, '\0');
    }
    return v->path.p;
}

void bag_volumes_info(const bag_volumes *v, bag_writer *w, bool last)
{
    if (!v->size)
        return;
    bag_writer_info(w, "Bag-Group-Identifier", "%.*s", (int)v->base.n, v->base.p);
    if (last)
        bag_writer_info(w, "Bag-Count", "%u of %u", v->n, v->n);
    else /* RFC 8493, 2.2.2: how many is not known yet */
        bag_writer_info(w, "Bag-Count", "%u of ?", v->n);
}

/* By what it can be at most, if that will do; else by what it is. The answer is the same, whenever
 * the threads get done. */
bool bag_volumes_room(const bag_volumes *v, bag_writer *w, uint64_t bytes, bool *room, ct_err *err)
{
    uint64_t files = bag_writer_files(w), written;
    uint64_t more = bytes + FILE_EXTRA + files * LISTED_EXTRA + bag_writer_listed(w) + BAG_EXTRA;

    *room = true;
    if (!v->size || !files)
        return true;
    for (int exact = 0; exact <= 1; exact++) {
        if (!bag_writer_written(w, exact, &written, err))
            return false;
        *room = more <= v->size && written <= v->size - more;
        if (*room)
            break;
    }
    return true;
}

unsigned bag_volumes_number(const bag_volumes *v)
{
    return v->n;
}

static bool give_name(bag_volumes *v, unsigned number, ct_err *err)
{
    ct_buf from = {0};
    bool ok;

    ct_buf_z(&from, name(v, true, number));
    ct_buf_c(&from, '\0');
    ok = bag_parity_move(from.p, name(v, false, number), err) &&
         (rename(from.p, v->path.p) == 0 ||
          ct_fail_sys(err, errno, "cannot give a volume its name"));
    ct_buf_free(&from);
    return ok;
}

bool bag_volumes_close(bag_volumes *v, ct_err *err)
{
    for (unsigned i = 1; i <= v->n; i++)
        if (!name_free(v, i, err))
            return false;
    for (unsigned i = 1; i <= v->n; i++)
        if (!give_name(v, i, err))
            return false;
    return !v->n || bag_sync_parent(name(v, false, 1), err);
}

void bag_volumes_free(bag_volumes *v)
{
    if (!v)
        return;
    if (v->hidden) {
        bag_tree_remove(v->hidden);
        bag_sweep_drop(v->hidden);
        free(v->hidden);
    }
    ct_buf_free(&v->path);
    free(v);
}
