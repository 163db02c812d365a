/* A bag written into a tar or zip container by libarchive: one folder with the bag in it (RFC 8493,
 * 4.2). All that could differ from run to run (owners, times, time zone, threads) is fixed. An
 * encrypted bag is a tar.zst inside of a zip, see key.h; its salt differs. */
#include "cmd/archive/bagit.h"
#include "cmd/archive/members.h"
#include "cmd/archive/sink.h"
#include "cmd/archive/sweep.h"
#include "common/stream/stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

typedef struct packed_sink {
    bag_sink base;
    struct archive *a;
    struct archive_entry *entry;
    bag_packing packing; /* what the bag is packed in, inside of the outer one where there is one */
    bag_members *members;  /* of a compressed tar */
    struct archive *outer; /* the zip of an encrypted bag, or NULL */
    int fd;
    char *prefix; /* the base folder with its slash */
    ct_buf path;
    ct_err failed; /* of what is below libarchive */
} packed_sink;

static bool refused_by(const packed_sink *p, struct archive *a, ct_err *err)
{
    if (p->failed.kind == CT_OK)
        return ct_fail_sys(err, archive_errno(a) > 0 ? archive_errno(a) : EIO,
                           "cannot write the container");
    if (err)
        *err = p->failed;
    return false;
}

static bool refused(const packed_sink *p, ct_err *err)
{
    return refused_by(p, p->a, err);
}

/* The manifests of a zip are not packed, so that they can be searched. */
static bool set_zip_method(packed_sink *p, const char *path)
{
    bag_alg alg;
    bool manifest = bag_kind_of(ct_str_z(path), &alg) == BAG_MANIFEST;

    return (manifest ? archive_write_zip_set_compression_store(p->a)
                     : archive_write_zip_set_compression_deflate(p->a)) == ARCHIVE_OK;
}

static bool put_header(packed_sink *p, const char *path, unsigned type, uint64_t size, ct_err *err)
{
    struct archive_entry *e = archive_entry_clear(p->entry);

    if (p->members && !bag_members_may_cut(p->members, err))
        return false;
    if (p->packing == BAG_ZIP && !set_zip_method(p, path))
        return refused(p, err);
    p->path.n = 0;
    ct_buf_printf(&p->path, "%s%s%s", p->prefix, path, type == AE_IFDIR ? "/" : "");
    ct_buf_c(&p->path, '\0');
    archive_entry_set_pathname(e, p->path.p);
    archive_entry_set_filetype(e, type);
    archive_entry_set_perm(e, type == AE_IFDIR ? 0700 : 0600);
    archive_entry_set_size(e, (la_int64_t)size);
    archive_entry_set_mtime(e, (time_t)p->base.opts.mtime, 0);
    archive_entry_set_uid(e, 0);
    archive_entry_set_gid(e, 0);
    return archive_write_header(p->a, e) == ARCHIVE_OK || refused(p, err);
}

static bool packed_folder(bag_sink *s, const char *path, ct_err *err)
{
    packed_sink *p = (packed_sink *)s;

    return put_header(p, path, AE_IFDIR, 0, err) &&
           (archive_write_finish_entry(p->a) == ARCHIVE_OK || refused(p, err));
}

static bool packed_begin(bag_sink *s, const char *path, uint64_t size, ct_err *err)
{
    return put_header((packed_sink *)s, path, AE_IFREG, size, err);
}

static bool put_data(packed_sink *p, struct archive *a, ct_str bytes, ct_err *err)
{
    while (bytes.n) {
        la_ssize_t n = archive_write_data(a, bytes.p, bytes.n);

        if (n <= 0)
            return refused_by(p, a, err);
        bytes = ct_str_from(bytes, (size_t)n);
    }
    return true;
}

static bool packed_put(bag_sink *s, ct_str bytes, ct_err *err)
{
    packed_sink *p = (packed_sink *)s;

    return put_data(p, p->a, bytes, err);
}

static bool packed_end(bag_sink *s, ct_err *err)
{
    packed_sink *p = (packed_sink *)s;

    return archive_write_finish_entry(p->a) == ARCHIVE_OK || refused(p, err);
}

static bool packed_written(bag_sink *s, bool exact, uint64_t *bytes, ct_err *err)
{
    packed_sink *p = (packed_sink *)s;

    if (p->members)
        return bag_members_size(p->members, exact, bytes, err);
    *bytes = (uint64_t)archive_filter_bytes(p->a, -1);
    return true;
}

/* An entry of the zip around an encrypted bag: the bag itself, or a name with nothing behind it. */
static bool outer_entry(packed_sink *p, const char *name, ct_err *err)
{
    struct archive_entry *e = archive_entry_clear(p->entry);

    archive_entry_set_pathname(e, name);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0600);
    archive_entry_set_mtime(e, (time_t)p->base.opts.mtime, 0);
    return archive_write_header(p->outer, e) == ARCHIVE_OK || refused_by(p, p->outer, err);
}

static bool close_outer(packed_sink *p, ct_err *err)
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

static bool packed_finish(bag_sink *s, ct_err *err)
{
    packed_sink *p = (packed_sink *)s;
    int fd = p->fd;

    if (archive_write_close(p->a) != ARCHIVE_OK)
        return refused(p, err);
    if (p->members && !bag_members_end(p->members, err))
        return false;
    if (p->outer && !close_outer(p, err))
        return false;
    p->fd = -1;
    if (fsync(fd) != 0) {
        ct_fail_sys(err, errno, "cannot sync the bag");
        close(fd);
        return false;
    }
    return close(fd) == 0 || ct_fail_sys(err, errno, "cannot write the container");
}

static void packed_discard(bag_sink *s)
{
    packed_sink *p = (packed_sink *)s;

    if (p->fd >= 0)
        archive_write_fail(p->a); /* so that freeing it does not write its end */
    if (p->fd >= 0 && p->outer)
        archive_write_fail(p->outer);
    archive_entry_free(p->entry);
    archive_write_free(p->a);
    bag_members_free(p->members);
    archive_write_free(p->outer);
    if (p->fd >= 0)
        close(p->fd);
    unlink(s->unfinished); /* gone where it got its name */
    bag_sweep_drop(s->unfinished);
    ct_buf_free(&p->path);
    free(p->prefix);
}

/* Members end where a file starts: libarchive must hand on what it has by then. */
static la_ssize_t put_members(struct archive *a, void *ctx, const void *bytes, size_t n)
{
    packed_sink *p = ctx;

    if (bag_members_put(p->members, (ct_str){bytes, n}, &p->failed))
        return (la_ssize_t)n;
    archive_set_error(a, p->failed.sys, "cannot write");
    return -1;
}

/* To the zip around it, or to the file. */
static bool put_packed(void *ctx, ct_str bytes, ct_err *err)
{
    packed_sink *p = ctx;

    if (p->outer)
        return put_data(p, p->outer, bytes, err);
    while (bytes.n) {
        ssize_t n = write(p->fd, bytes.p, bytes.n);

        if (n < 0 && errno != EINTR)
            return ct_fail_sys(err, errno, "cannot write the container");
        if (n > 0)
            bytes = ct_str_from(bytes, (size_t)n);
    }
    return true;
}

static bool open_outer(packed_sink *p, ct_err *err)
{
    struct archive *a = p->outer = archive_write_new();

    if (!a || archive_write_set_format_zip(a) != ARCHIVE_OK ||
        archive_write_set_format_option(a, "zip", "encryption", "aes256") != ARCHIVE_OK ||
        archive_write_set_passphrase(a, p->base.opts.key->text) != ARCHIVE_OK ||
        archive_write_zip_set_compression_store(a) != ARCHIVE_OK)
        return ct_fail(err, CT_E_USAGE, "libarchive cannot encrypt");
    return (archive_write_open_fd(a, p->fd) == ARCHIVE_OK || refused_by(p, a, err)) &&
           outer_entry(p, BAG_SECRET_ENTRY, err);
}

static bool open_members(packed_sink *p, ct_err *err)
{
    bag_method method = p->packing == BAG_TAR_GZ ? BAG_GZIPPED : BAG_ZSTD;

    p->members = bag_members_new(method, p->base.opts.jobs, put_packed, p, err);
    return p->members && ((archive_write_set_bytes_per_block(p->a, 0) == ARCHIVE_OK &&
                           archive_write_open(p->a, p, NULL, put_members, NULL) == ARCHIVE_OK) ||
                          refused(p, err));
}

static bool open_archive(packed_sink *p, ct_err *err)
{
    bool zip = p->packing == BAG_ZIP, tar = p->packing == BAG_TAR;

    if (!p->a || !p->entry ||
        (zip ? archive_write_set_format_zip(p->a)
             : archive_write_set_format_pax_restricted(p->a)) != ARCHIVE_OK)
        return ct_fail(err, CT_E_USAGE, "libarchive cannot write such a container");
    if (zip || tar)
        return archive_write_open_fd(p->a, p->fd) == ARCHIVE_OK || refused(p, err);
    return (!p->base.opts.key || open_outer(p, err)) && open_members(p, err);
}

/* The base folder's name as every system can write it. */
static char *make_prefix(ct_str base)
{
    ct_buf b = {0};

    for (size_t i = 0; i < base.n; i++) {
        char c = base.p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     c == '.' || c == '-' || c == '_';

        ct_buf_c(&b, plain ? c : '_');
    }
    ct_buf_z(&b, "/");
    ct_buf_c(&b, '\0');
    return b.p;
}

bag_sink *bag_packed_sink(const bag_sink *like, ct_str base, ct_err *err)
{
    packed_sink *p = ct_calloc(1, sizeof(*p));

    p->base = *like;
    p->packing = like->opts.key ? BAG_TAR_ZST : like->packing;
    p->base.folder = packed_folder;
    p->base.begin = packed_begin;
    p->base.put = packed_put;
    p->base.end = packed_end;
    p->base.written = packed_written;
    p->base.finish = packed_finish;
    p->base.discard = packed_discard;
    /* zip knows local time only. */
    setenv("TZ", "UTC0", 1);
    tzset();
    p->prefix = make_prefix(base);
    p->a = archive_write_new();
    p->entry = archive_entry_new();
    p->fd = bag_sweep_make(like->unfinished, false);
    if (p->fd < 0)
        ct_fail_sys(err, errno, "cannot write there");
    if (p->fd >= 0 && open_archive(p, err))
        return &p->base;
    packed_discard(&p->base);
    free(p);
    return NULL;
}
