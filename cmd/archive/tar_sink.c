/* A bag written into a tar by libarchive. All that could differ from run to run (owners, times,
 * time zone, threads) is fixed. An encrypted bag is a tar.zst inside of a zip, see key.h; its salt
 * differs. */
#include "cmd/archive/container.h"
#include "cmd/archive/members.h"
#include "common/stream/stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

typedef struct tar_sink {
    bag_sink base;
    bag_container file;
    struct archive *a;
    struct archive_entry *entry;
    bag_members *members;  /* of a compressed tar */
    struct archive *outer; /* the zip of an encrypted bag, or NULL */
    ct_err failed;         /* of what is below libarchive */
} tar_sink;

static bool refused_by(const tar_sink *p, struct archive *a, ct_err *err)
{
    if (p->failed.kind == CT_OK)
        return ct_fail_sys(err, archive_errno(a) > 0 ? archive_errno(a) : EIO,
                           "cannot write the container");
    if (err)
        *err = p->failed;
    return false;
}

static bool refused(const tar_sink *p, ct_err *err)
{
    return refused_by(p, p->a, err);
}

static bool put_header(tar_sink *p, const char *path, unsigned type, uint64_t size, ct_err *err)
{
    struct archive_entry *e = archive_entry_clear(p->entry);

    if (p->members && !bag_members_may_cut(p->members, err))
        return false;
    archive_entry_set_pathname(e, bag_container_path(&p->file, path, type == AE_IFDIR).p);
    archive_entry_set_filetype(e, type);
    archive_entry_set_perm(e, type == AE_IFDIR ? 0700 : 0600);
    archive_entry_set_size(e, (la_int64_t)size);
    archive_entry_set_mtime(e, (time_t)p->base.opts.mtime, 0);
    archive_entry_set_uid(e, 0);
    archive_entry_set_gid(e, 0);
    return archive_write_header(p->a, e) == ARCHIVE_OK || refused(p, err);
}

static bool tar_folder(bag_sink *s, const char *path, ct_err *err)
{
    tar_sink *p = (tar_sink *)s;

    return put_header(p, path, AE_IFDIR, 0, err) &&
           (archive_write_finish_entry(p->a) == ARCHIVE_OK || refused(p, err));
}

static bool tar_begin(bag_sink *s, const char *path, uint64_t size, ct_err *err)
{
    return put_header((tar_sink *)s, path, AE_IFREG, size, err);
}

static bool put_data(tar_sink *p, struct archive *a, ct_str bytes, ct_err *err)
{
    while (bytes.n) {
        la_ssize_t n = archive_write_data(a, bytes.p, bytes.n);

        if (n <= 0)
            return refused_by(p, a, err);
        bytes = ct_str_from(bytes, (size_t)n);
    }
    return true;
}

static bool tar_put(bag_sink *s, ct_str bytes, ct_err *err)
{
    tar_sink *p = (tar_sink *)s;

    return put_data(p, p->a, bytes, err);
}

static bool tar_end(bag_sink *s, ct_err *err)
{
    tar_sink *p = (tar_sink *)s;

    return archive_write_finish_entry(p->a) == ARCHIVE_OK || refused(p, err);
}

static bool tar_written(bag_sink *s, bool exact, uint64_t *bytes, ct_err *err)
{
    tar_sink *p = (tar_sink *)s;

    if (p->members)
        return bag_members_size(p->members, exact, bytes, err);
    *bytes = (uint64_t)archive_filter_bytes(p->a, -1);
    return true;
}

/* An entry of the zip around an encrypted bag: the bag itself, or a name with nothing behind it. */
static bool outer_entry(tar_sink *p, const char *name, ct_err *err)
{
    struct archive_entry *e = archive_entry_clear(p->entry);

    archive_entry_set_pathname(e, name);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0600);
    archive_entry_set_mtime(e, (time_t)p->base.opts.mtime, 0);
    return archive_write_header(p->outer, e) == ARCHIVE_OK || refused_by(p, p->outer, err);
}

static bool close_outer(tar_sink *p, ct_err *err)
{
    ct_buf label = {0};
    bool ok;

    bag_key_label(&label, ct_str_z(p->base.identity), p->base.opts.key);
    ok = (archive_write_finish_entry(p->outer) == ARCHIVE_OK || refused_by(p, p->outer, err)) &&
         outer_entry(p, label.p, err) &&
         (archive_write_close(p->outer) == ARCHIVE_OK || refused_by(p, p->outer, err));
    ct_buf_free(&label);
    return ok;
}

static bool tar_finish(bag_sink *s, ct_err *err)
{
    tar_sink *p = (tar_sink *)s;

    if (archive_write_close(p->a) != ARCHIVE_OK)
        return refused(p, err);
    return (!p->members || bag_members_end(p->members, err)) &&
           (!p->outer || close_outer(p, err)) && bag_container_end(&p->file, err);
}

static void tar_discard(bag_sink *s)
{
    tar_sink *p = (tar_sink *)s;

    if (p->file.fd >= 0)
        archive_write_fail(p->a); /* so that freeing it does not write its end */
    if (p->file.fd >= 0 && p->outer)
        archive_write_fail(p->outer);
    archive_entry_free(p->entry);
    archive_write_free(p->a);
    bag_members_free(p->members);
    archive_write_free(p->outer);
    bag_container_drop(&p->file, s);
}

/* Members end where a file starts: libarchive must hand on what it has by then. */
static la_ssize_t put_members(struct archive *a, void *ctx, const void *bytes, size_t n)
{
    tar_sink *p = ctx;

    if (bag_members_put(p->members, (ct_str){bytes, n}, &p->failed))
        return (la_ssize_t)n;
    archive_set_error(a, p->failed.sys, "cannot write");
    return -1;
}

/* To the zip around it, or to the file. */
static bool put_packed(void *ctx, ct_str bytes, ct_err *err)
{
    tar_sink *p = ctx;

    if (p->outer)
        return put_data(p, p->outer, bytes, err);
    while (bytes.n) {
        ssize_t n = write(p->file.fd, bytes.p, bytes.n);

        if (n < 0 && errno != EINTR)
            return ct_fail_sys(err, errno, "cannot write the container");
        if (n > 0)
            bytes = ct_str_from(bytes, (size_t)n);
    }
    return true;
}

static bool open_outer(tar_sink *p, ct_err *err)
{
    struct archive *a = p->outer = archive_write_new();

    /* libarchive's zip knows local time only. */
    setenv("TZ", "UTC0", 1);
    tzset();
    if (!a || archive_write_set_format_zip(a) != ARCHIVE_OK ||
        archive_write_set_format_option(a, "zip", "encryption", "aes256") != ARCHIVE_OK ||
        archive_write_set_passphrase(a, p->base.opts.key->text) != ARCHIVE_OK ||
        archive_write_zip_set_compression_store(a) != ARCHIVE_OK)
        return ct_fail(err, CT_E_USAGE, "libarchive cannot encrypt");
    return (archive_write_open_fd(a, p->file.fd) == ARCHIVE_OK || refused_by(p, a, err)) &&
           outer_entry(p, BAG_SECRET_ENTRY, err);
}

static bool open_members(tar_sink *p, bag_method method, ct_err *err)
{
    p->members = bag_members_new(method, p->base.opts.jobs, put_packed, p, err);
    return p->members && ((archive_write_set_bytes_per_block(p->a, 0) == ARCHIVE_OK &&
                           archive_write_open(p->a, p, NULL, put_members, NULL) == ARCHIVE_OK) ||
                          refused(p, err));
}

static bool open_archive(tar_sink *p, ct_err *err)
{
    if (!p->a || !p->entry || archive_write_set_format_pax_restricted(p->a) != ARCHIVE_OK)
        return ct_fail(err, CT_E_USAGE, "libarchive cannot write such a container");
    if (p->base.packing == BAG_TAR)
        return archive_write_open_fd(p->a, p->file.fd) == ARCHIVE_OK || refused(p, err);
    return (!p->base.opts.key || open_outer(p, err)) &&
           open_members(p, p->base.packing == BAG_TAR_GZ ? BAG_GZIPPED : BAG_ZSTD, err);
}

bag_sink *bag_tar_sink(const bag_sink *like, ct_str base, ct_err *err)
{
    tar_sink *p = ct_calloc(1, sizeof(*p));

    p->base = *like;
    p->base.folder = tar_folder;
    p->base.begin = tar_begin;
    p->base.put = tar_put;
    p->base.end = tar_end;
    p->base.written = tar_written;
    p->base.finish = tar_finish;
    p->base.discard = tar_discard;
    p->a = archive_write_new();
    p->entry = archive_entry_new();
    if (bag_container_make(&p->file, like, base, err) && open_archive(p, err))
        return &p->base;
    tar_discard(&p->base);
    free(p);
    return NULL;
}
