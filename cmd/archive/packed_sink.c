/* A bag written into a tar or zip container by libarchive: one folder with the bag in it (RFC 8493,
 * 4.2). All that could differ from run to run (owners, times, time zone, threads) is fixed. */
#include "cmd/archive/sink.h"
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
    int fd;
    char *prefix; /* the base folder with its slash */
    ct_buf path;
} packed_sink;

static bool refused(packed_sink *p, ct_err *err)
{
    return ct_fail_sys(err, archive_errno(p->a) > 0 ? archive_errno(p->a) : EIO,
                       "cannot write the container");
}

static bool put_header(packed_sink *p, const char *path, unsigned type, uint64_t size, ct_err *err)
{
    struct archive_entry *e = archive_entry_clear(p->entry);

    p->path.n = 0;
    ct_buf_printf(&p->path, "%s%s%s", p->prefix, path, type == AE_IFDIR ? "/" : "");
    ct_buf_c(&p->path, '\0');
    archive_entry_set_pathname(e, p->path.p);
    archive_entry_set_filetype(e, type);
    archive_entry_set_perm(e, type == AE_IFDIR ? 0700 : 0600);
    archive_entry_set_size(e, (la_int64_t)size);
    archive_entry_set_mtime(e, (time_t)p->base.mtime, 0);
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

static bool packed_put(bag_sink *s, ct_str bytes, ct_err *err)
{
    packed_sink *p = (packed_sink *)s;

    while (bytes.n) {
        la_ssize_t n = archive_write_data(p->a, bytes.p, bytes.n);

        if (n <= 0)
            return refused(p, err);
        bytes = ct_str_from(bytes, (size_t)n);
    }
    return true;
}

static bool packed_end(bag_sink *s, ct_err *err)
{
    packed_sink *p = (packed_sink *)s;

    return archive_write_finish_entry(p->a) == ARCHIVE_OK || refused(p, err);
}

static bool packed_finish(bag_sink *s, ct_err *err)
{
    packed_sink *p = (packed_sink *)s;
    int fd = p->fd;

    if (archive_write_close(p->a) != ARCHIVE_OK)
        return refused(p, err);
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
    archive_entry_free(p->entry);
    archive_write_free(p->a);
    if (p->fd >= 0)
        close(p->fd);
    unlink(s->unfinished); /* gone where it got its name */
    ct_cleanup_drop(s->unfinished);
    ct_buf_free(&p->path);
    free(p->prefix);
}

static bool set_format(packed_sink *p)
{
    struct archive *a = p->a;
    int r;

    if (p->base.packing == BAG_ZIP)
        return archive_write_set_format_zip(a) == ARCHIVE_OK &&
               archive_write_set_format_option(a, "zip", "compression", "deflate") == ARCHIVE_OK;
    r = archive_write_set_format_pax_restricted(a);
    if (p->base.packing == BAG_TAR_GZ) {
        r |= archive_write_add_filter_gzip(a);
        r |= archive_write_set_filter_option(a, "gzip", "timestamp", NULL);
    } else if (p->base.packing == BAG_TAR_ZST) {
        r |= archive_write_add_filter_zstd(a);
    }
    return r == ARCHIVE_OK;
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
    bool ok;

    p->base = *like;
    p->base.folder = packed_folder;
    p->base.begin = packed_begin;
    p->base.put = packed_put;
    p->base.end = packed_end;
    p->base.finish = packed_finish;
    p->base.discard = packed_discard;
    /* zip knows local time only. */
    setenv("TZ", "UTC0", 1);
    tzset();
    p->prefix = make_prefix(base);
    p->a = archive_write_new();
    p->entry = archive_entry_new();
    p->fd = mkstemp(like->unfinished);
    if (p->fd < 0)
        ct_fail_sys(err, errno, "cannot write there");
    ok = p->fd >= 0 &&
         (ct_cleanup_add(like->unfinished) || ct_fail(err, CT_E_LIMIT, "too many open outputs"));
    if (ok &&
        (!p->a || !p->entry || !set_format(p) || archive_write_open_fd(p->a, p->fd) != ARCHIVE_OK))
        ok = ct_fail(err, CT_E_USAGE, "libarchive cannot write such a container");
    if (ok)
        return &p->base;
    packed_discard(&p->base);
    free(p);
    return NULL;
}
