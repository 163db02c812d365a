/* Where a bag goes: which container, under which name, and that it takes it in one step. */
#define _GNU_SOURCE /* renameat2 */
#include "cmd/archive/sink.h"
#include "common/stream/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

bool bag_packing_of(const char *out, bag_packing *packing, ct_str *base)
{
    static const struct {
        const char *suffix;
        bag_packing packing;
    } known[] = {{".tar", BAG_TAR},         {".tar.gz", BAG_TAR_GZ}, {".tgz", BAG_TAR_GZ},
                 {".tar.zst", BAG_TAR_ZST}, {".tzst", BAG_TAR_ZST},  {".zip", BAG_ZIP}};
    ct_str whole = ct_str_z(out), name;
    bool slash = false;

    while (whole.n > 1 && whole.p[whole.n - 1] == '/') {
        whole.n--;
        slash = true;
    }
    name = whole;
    while (memchr(name.p, '/', name.n))
        ct_str_cut(&name, '/');
    *base = name;
    *packing = BAG_FOLDER;
    for (size_t i = 0; i < CT_LEN(known) && !slash; i++)
        if (name.n > strlen(known[i].suffix) && ct_str_ends(name, ct_str_z(known[i].suffix))) {
            base->n -= strlen(known[i].suffix);
            *packing = known[i].packing;
        }
    if (name.n == 0 || ct_str_is(name, ".") || ct_str_is(name, ".."))
        return false;
    return *packing != BAG_FOLDER || slash || !memchr(name.p, '.', name.n);
}

/* `dir/2019.zip` becomes `dir/.2019.zip.XXXXXX`. */
char *bag_unfinished_name(const char *out)
{
    const char *slash = strrchr(out, '/');
    ct_buf b = {0};

    ct_buf_put(&b, (ct_str){out, slash ? (size_t)(slash - out) + 1 : 0});
    ct_buf_printf(&b, ".%s.XXXXXX", slash ? slash + 1 : out);
    ct_buf_c(&b, '\0');
    return b.p;
}

static bool has_bag(const char *folder)
{
    ct_buf path = {0};
    bool has;

    ct_buf_printf(&path, "%s/bagit.txt", folder);
    ct_buf_c(&path, '\0');
    has = access(path.p, F_OK) == 0;
    ct_buf_free(&path);
    return has;
}

/* May something take the name? */
static bool name_free(const bag_sink *s, ct_err *err)
{
    struct stat st;

    if (lstat(s->out, &st) != 0)
        return errno == ENOENT || ct_fail_sys(err, errno, "cannot write there");
    if (!s->opts.force)
        return ct_fail(err, CT_E_USAGE, "there is something of that name already");
    if (S_ISDIR(st.st_mode) != (s->packing == BAG_FOLDER))
        return ct_fail(err, CT_E_USAGE, "is something else, and is not replaced");
    if (S_ISDIR(st.st_mode) && !has_bag(s->out))
        return ct_fail(err, CT_E_USAGE, "is a folder without a bag, and is not replaced");
    return true;
}

static bag_sink *make_sink(const bag_sink *like, ct_str base, ct_err *err)
{
    if (like->packing == BAG_FOLDER)
        return bag_folder_sink(like, err);
    return like->packing == BAG_ZIP && !like->opts.key ? bag_zip_sink(like, base, err)
                                                       : bag_tar_sink(like, base, err);
}

bag_sink *bag_sink_open(const char *out, const bag_packing_opts *opts, ct_err *err)
{
    bag_sink like = {.opts = *opts};
    bag_sink *s = NULL;
    ct_str base;
    size_t n = strlen(out);

    if (!bag_packing_of(out, &like.packing, &base)) {
        ct_fail(err, CT_E_USAGE,
                "its suffix is not .tar, .tar.gz, .tar.zst or .zip; a folder ends with /");
        return NULL;
    }
    if (opts->key && like.packing != BAG_ZIP) {
        ct_fail(err, CT_E_USAGE, "an encrypted bag is a .zip");
        return NULL;
    }
    like.out = ct_alloc(n + 1);
    memcpy(like.out, out, n + 1);
    while (n > 1 && like.out[n - 1] == '/')
        like.out[--n] = '\0';
    like.unfinished = bag_unfinished_name(like.out);
    if (name_free(&like, err))
        s = make_sink(&like, base, err);
    if (!s) {
        free(like.out);
        free(like.unfinished);
    }
    return s;
}

bool bag_sink_folder(bag_sink *s, const char *path, ct_err *err)
{
    return s->folder(s, path, err);
}

bool bag_sink_begin(bag_sink *s, const char *path, uint64_t size, ct_err *err)
{
    return s->begin(s, path, size, err);
}

bool bag_sink_put(bag_sink *s, ct_str bytes, ct_err *err)
{
    return bytes.n == 0 || s->put(s, bytes, err);
}

bool bag_sink_end(bag_sink *s, ct_err *err)
{
    return s->end(s, err);
}

void bag_sink_identity(bag_sink *s, const char *hex)
{
    memcpy(s->identity, hex, sizeof(s->identity) - 1);
}

bool bag_sink_written(bag_sink *s, bool exact, uint64_t *bytes, ct_err *err)
{
    return s->written(s, exact, bytes, err);
}

bool bag_sync_parent(const char *path, ct_err *err)
{
    const char *slash = strrchr(path, '/');
    ct_buf parent = {0};
    int fd;
    bool ok;

    ct_buf_put(&parent, slash ? (ct_str){path, (size_t)(slash - path) + 1} : CT_S("."));
    ct_buf_c(&parent, '\0');
    fd = open(parent.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* Some file systems cannot sync a folder, and say so by EINVAL. */
    ok = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
    if (!ok)
        ct_fail_sys(err, errno, "cannot sync the folder of the bag");
    if (fd >= 0)
        close(fd);
    ct_buf_free(&parent);
    return ok;
}

/* Moves the old bag to a folder made for it, whose name is filled in. */
static bool step_aside(const char *out, char *old, bool *aside, ct_err *err)
{
    bool made = mkdtemp(old) != NULL;

    *aside = made && rename(out, old) == 0;
    if (!*aside)
        ct_fail_sys(err, errno, "cannot replace the old bag");
    if (made && !*aside)
        rmdir(old);
    return *aside;
}

bool bag_exchange(const char *a, const char *b, bool *able)
{
#ifdef RENAME_EXCHANGE
    *able = true;
    if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0)
        return true;
    *able = errno != EINVAL && errno != ENOSYS && errno != EXDEV && errno != ENOTSUP;
#else
    (void)a;
    (void)b;
    *able = false;
#endif
    return false;
}

/* Where an old bag is to be replaced: by an exchange if that can be, so that there is always one.
 */
static bool replace_folder(bag_sink *s, bool *able, ct_err *err)
{
    if (!bag_exchange(s->unfinished, s->out, able))
        return *able && ct_fail_sys(err, errno, "cannot replace the old bag");
    return bag_tree_remove(s->unfinished) ||
           ct_fail_sys(err, errno, "cannot remove all of the old bag");
}

/* A folder does not take the place of another in one step: the old one steps aside first. */
static bool rename_folder(bag_sink *s, ct_err *err)
{
    char *old;
    bool aside = false, able = false, ok;

    if (s->opts.force && access(s->out, F_OK) == 0) {
        ok = replace_folder(s, &able, err);
        if (able)
            return ok;
    }
    old = bag_unfinished_name(s->out);
    if (s->opts.force && access(s->out, F_OK) == 0 && !step_aside(s->out, old, &aside, err)) {
        free(old);
        return false;
    }
    ok = rename(s->unfinished, s->out) == 0 ||
         ct_fail_sys(err, errno, "cannot give the bag its name");
    if (aside && !ok && rename(old, s->out) != 0)
        ct_fail_sys(err, errno, "the old bag could not be put back");
    if (aside && ok && !bag_tree_remove(old))
        ok = ct_fail_sys(err, errno, "cannot remove all of the old bag");
    free(old);
    return ok;
}

static void sink_free(bag_sink *s)
{
    s->discard(s);
    free(s->out);
    free(s->unfinished);
    free(s);
}

bool bag_sink_close(bag_sink *s, ct_err *err)
{
    bool ok = s->finish(s, err) && name_free(s, err);

    if (ok && s->packing == BAG_FOLDER)
        ok = rename_folder(s, err);
    else if (ok)
        ok = rename(s->unfinished, s->out) == 0 ||
             ct_fail_sys(err, errno, "cannot give the bag its name");
    if (ok)
        ok = bag_sync_parent(s->out, err);
    sink_free(s);
    return ok;
}

void bag_sink_abandon(bag_sink *s)
{
    if (s)
        sink_free(s);
}
