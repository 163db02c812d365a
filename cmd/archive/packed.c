/* A bag in a container, read by libarchive.
 *
 * A tar comes through ct_in, which takes the compression off and tells a cut or corrupt stream from
 * an end; libarchive sees plain tar only. A zip is read through its directory, which needs a file
 * that can be sought in: a zip that was cut has no directory and is damaged, not short. An
 * encrypted bag (key.h) is a tar.zst in a zip: one libarchive reads what the other one gives, whose
 * sum over all of it tells a cut from the end. */
#include "cmd/archive/members.h"
#include "cmd/archive/sink.h"
#include "cmd/archive/source.h"
#include "cmd/archive/zip.h"
#include "common/stream/stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHUNK = 256 * 1024, TAR_BLOCK = 512, END_MARK = 1024 /* zero bytes that end a tar */ };

typedef struct packed {
    bag_source base;
    struct archive *a;
    struct archive *outer; /* the zip around an encrypted bag, or NULL */
    char *inner;           /* a chunk of what is in it */
    ct_in *in;             /* tar only */
    const char *path;
    int fd; /* zip only, or -1 */
    char *chunk;
    const void *block; /* of the current file: what was unpacked and not yet given on */
    size_t left;       /* bytes in it */
    uint64_t at;       /* bytes of the file up to its end */
    size_t zeros;      /* the last bytes of the tar, as far as they are zero */
    ct_err failed;     /* by ct_in, or read(2) */
    int first;         /* the first header was read on opening: its result and entry */
    struct archive_entry *first_entry;
    bool opened;
} packed;

/* ---- tar, from ct_in ---- */

static void count_zeros(packed *p, size_t n)
{
    size_t zeros = 0;

    while (zeros < n && zeros < END_MARK && p->chunk[n - 1 - zeros] == '\0')
        zeros++;
    p->zeros = zeros == n ? p->zeros + n : zeros;
    if (p->zeros > END_MARK)
        p->zeros = END_MARK;
}

static la_ssize_t tar_read(struct archive *a, void *ctx, const void **bytes)
{
    packed *p = ctx;
    size_t got;

    *bytes = p->chunk;
    if (!ct_in_read(p->in, p->chunk, CHUNK, &got, &p->failed)) {
        archive_set_error(a, p->failed.sys ? p->failed.sys : EINVAL, "%s", p->failed.text);
        return -1;
    }
    count_zeros(p, got);
    p->base.bytes += got;
    return (la_ssize_t)got;
}

/* Behind the end of the archive a cut or corrupt compressed stream can still show. */
static bool tar_drain(packed *p, ct_err *err)
{
    size_t got;

    do {
        if (!ct_in_read(p->in, p->chunk, CHUNK, &got, err))
            return false;
        count_zeros(p, got);
        p->base.bytes += got;
    } while (got);
    if (p->zeros < END_MARK || p->base.bytes % TAR_BLOCK)
        return ct_fail(err, CT_E_CUT, "the container is cut: it has no end mark");
    return true;
}

/* ---- zip, which is sought in ---- */

/* libarchive takes a read that failed for the end, or for damage: so it is noted here. */
static la_ssize_t zip_read(struct archive *a, void *ctx, const void **bytes)
{
    packed *p = ctx;
    ssize_t n;

    *bytes = p->chunk;
    do
        n = read(p->fd, p->chunk, CHUNK);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        ct_fail_sys(&p->failed, errno, "cannot read");
        archive_set_error(a, p->failed.sys, "cannot read");
    }
    return n;
}

static la_int64_t zip_seek(struct archive *a, void *ctx, la_int64_t offset, int whence)
{
    packed *p = ctx;
    off_t at = lseek(p->fd, offset, whence);

    (void)a;
    return at < 0 ? ARCHIVE_FATAL : at;
}

/* ---- an encrypted bag ---- */

static la_ssize_t secret_read(struct archive *a, void *ctx, const void **bytes)
{
    packed *p = ctx;
    la_ssize_t n = archive_read_data(p->outer, p->inner, CHUNK);

    *bytes = p->inner;
    if (n >= 0)
        return n;
    if (p->failed.kind == CT_OK)
        ct_fail(&p->failed, CT_E_DATA, "what is encrypted is damaged");
    archive_set_error(a, EINVAL, "cannot read");
    return -1;
}

/* To the end, behind which its sum stands. */
static bool secret_drain(packed *p, ct_err *err)
{
    la_ssize_t n;
    const void *bytes;

    do
        n = secret_read(p->a, p, &bytes);
    while (n > 0);
    if (n < 0)
        *err = p->failed;
    return n == 0;
}

/* ---- all ---- */

/* libarchive's messages can hold names of files; ours say what happened. */
static bool damaged(const packed *p, const char *text, ct_err *err)
{
    if (p->failed.kind == CT_OK && archive_errno(p->a) == ENOMEM)
        return ct_fail_sys(err, ENOMEM, "cannot read"); /* which says nothing of the bag */
    if (p->failed.kind == CT_OK)
        return ct_fail(err, CT_E_DATA, text);
    if (err)
        *err = p->failed;
    return false;
}

/* A sparse file is refused as well: a few bytes of it can stand for terabytes to read. Not all of
 * them tell by a map, and the rest shows when they are read. */
static bag_type entry_type(struct archive_entry *e)
{
    if (archive_entry_hardlink(e) || archive_entry_symlink(e) || archive_entry_sparse_count(e))
        return BAG_OTHER;
    if (archive_entry_filetype(e) == AE_IFDIR)
        return BAG_DIRECTORY;
    return archive_entry_filetype(e) == AE_IFREG ? BAG_FILE : BAG_OTHER;
}

static bag_got packed_next(bag_source *s, bag_item *item, ct_err *err)
{
    packed *p = (packed *)s;
    struct archive_entry *e = p->first_entry;
    int r = p->first;
    const char *path;

    *item = (bag_item){.path = {"", 0}};
    if (p->opened)
        r = archive_read_next_header(p->a, &e);
    p->opened = true;
    if (r == ARCHIVE_EOF && p->failed.kind == CT_OK && archive_errno(p->a) != ENOMEM)
        return (p->in && !tar_drain(p, err)) || (p->outer && !secret_drain(p, err))
                   ? BAG_GOT_DAMAGED
                   : BAG_GOT_END;
    if (r != ARCHIVE_OK && r != ARCHIVE_WARN) {
        damaged(p, "the container is cut or corrupt", err);
        return BAG_GOT_DAMAGED;
    }
    p->left = 0;
    p->at = 0;
    path = archive_entry_pathname(e);
    item->path = ct_str_z(path ? path : "");
    item->type = entry_type(e);
    return BAG_GOT_ITEM;
}

/* The next bytes of the file, none at its end. Whatever they are said to stand behind that is not
 * there would be a hole. */
static bool next_block(packed *p, ct_err *err)
{
    la_int64_t offset = 0;
    int r;

    do
        r = archive_read_data_block(p->a, &p->block, &p->left, &offset);
    while (r == ARCHIVE_OK && p->left == 0);
    if (r == ARCHIVE_EOF)
        p->left = 0;
    if ((r != ARCHIVE_OK && r != ARCHIVE_EOF) || (p->left == 0 && p->failed.kind != CT_OK))
        return damaged(p, "cannot be unpacked", err);
    if (offset < 0 || (uint64_t)offset > p->at)
        return damaged(p, "is sparse", err);
    p->at += p->left;
    return true;
}

static bool packed_read(bag_source *s, char *to, size_t cap, size_t *got, ct_err *err)
{
    packed *p = (packed *)s;

    if (p->left == 0 && !next_block(p, err))
        return false;
    *got = p->left < cap ? p->left : cap;
    if (*got)
        memcpy(to, p->block, *got);
    p->block = (const char *)p->block + *got;
    p->left -= *got;
    if (!p->in)
        s->bytes += *got;
    return true;
}

static const char *packed_complaint(const bag_source *s, uint64_t *entry, ct_err *err)
{
    const packed *p = (const packed *)s;

    return p->in ? bag_members_complaint(p->path, err) : bag_zip_complaint(p->path, entry, err);
}

static void packed_close(bag_source *s)
{
    packed *p = (packed *)s;

    archive_read_free(p->a);
    archive_read_free(p->outer);
    free(p->inner);
    ct_in_close(p->in);
    if (p->fd >= 0)
        close(p->fd);
    free(p->chunk);
    free(p);
}

/* ---- opening ---- */

/* A zip starts with its first file, or with the directory where it has none. */
static bool is_zip(const char *path, bool *zip, ct_err *err)
{
    ct_in *in = ct_in_open(path, err);
    ct_err cut = {0};
    char head[4] = {0};
    size_t n = 0, got = 1;

    if (!in)
        return false;
    while (n < sizeof(head) && got && ct_in_read(in, head + n, sizeof(head) - n, &got, &cut))
        n += got;
    ct_in_close(in);
    *zip = memcmp(head, "PK\3\4", 4) == 0 || memcmp(head, "PK\5\6", 4) == 0;
    return cut.kind != CT_E_IO || ct_fail_sys(err, cut.sys, "cannot read");
}

static bool open_file(packed *p, ct_err *err)
{
    p->fd = open(p->path, O_RDONLY | O_CLOEXEC);
    if (p->fd < 0)
        return ct_fail_sys(err, errno, "cannot open");
    p->chunk = ct_alloc(CHUNK);
    return true;
}

static int open_entries(packed *p, struct archive *a, struct archive_entry **first)
{
    int r;

    archive_read_support_format_zip_seekable(a);
    archive_read_set_read_callback(a, zip_read);
    archive_read_set_seek_callback(a, zip_seek);
    archive_read_set_callback_data(a, p);
    r = archive_read_open1(a);
    return r == ARCHIVE_OK ? archive_read_next_header(a, first) : r;
}

static bool open_zip(packed *p, ct_err *err)
{
    if (!open_file(p, err))
        return false;
    if (bag_zip_overlaps(p->fd)) {
        ct_fail(&p->failed, CT_E_DATA, "files in it share their bytes");
        p->first = ARCHIVE_FATAL;
    } else {
        p->first = open_entries(p, p->a, &p->first_entry);
    }
    return true;
}

/* Its first entry is the bag. */
static bool open_secret(packed *p, ct_str label, const bag_keys *keys, ct_err *err)
{
    struct archive_entry *entry;
    bag_key key;

    if (!bag_key_find(keys, label, &key, err) || !open_file(p, err))
        return false;
    p->outer = archive_read_new();
    p->inner = ct_alloc(CHUNK);
    if (!p->outer)
        ct_oom();
    archive_read_add_passphrase(p->outer, key.text);
    bag_key_wipe(&key);
    if (open_entries(p, p->outer, &entry) != ARCHIVE_OK) {
        p->first = ARCHIVE_FATAL; /* as will be told */
        return true;
    }
    archive_read_support_format_tar(p->a);
    archive_read_support_filter_zstd(p->a);
    p->first = archive_read_open(p->a, p, NULL, secret_read, NULL);
    if (p->first == ARCHIVE_OK)
        p->first = archive_read_next_header(p->a, &p->first_entry);
    return true;
}

static bool open_any_zip(packed *p, const bag_keys *keys, ct_err *err)
{
    ct_buf label = {0};
    bool ok = bag_key_wanted(p->path, &label) ? open_secret(p, ct_buf_str(&label), keys, err)
                                              : open_zip(p, err);

    ct_buf_free(&label);
    return ok;
}

static bool named_container(const char *path)
{
    bag_packing packing;
    ct_str base;

    return bag_packing_of(path, &packing, &base) && packing != BAG_FOLDER;
}

/* What cannot be read as a tar at all is no bag, unless its name says so: then it is damaged, as is
 * what is compressed and cut or corrupt. */
static bool open_tar(packed *p, const char *path, ct_err *err)
{
    p->in = ct_in_open(path, err);
    if (!p->in)
        return false;
    p->chunk = ct_alloc(CHUNK);
    archive_read_support_format_tar(p->a);
    p->first = archive_read_open(p->a, p, NULL, tar_read, NULL);
    if (p->first == ARCHIVE_OK)
        p->first = archive_read_next_header(p->a, &p->first_entry);
    if (p->first < ARCHIVE_WARN && p->failed.kind == CT_OK && !named_container(path))
        return ct_fail(err, CT_E_DATA, "not a bag: no directory, tar or zip");
    return true;
}

bag_source *bag_packed_open(const char *path, const bag_keys *keys, ct_err *err)
{
    packed *p = ct_calloc(1, sizeof(*p));
    bool zip = false, ok;

    p->base = (bag_source){.next = packed_next,
                           .read = packed_read,
                           .close = packed_close,
                           .complaint = packed_complaint};
    p->base.algs = 1U << BAG_SHA256 | 1U << BAG_SHA512;
    p->path = path;
    p->fd = -1;
    p->a = archive_read_new();
    ok = p->a ? is_zip(path, &zip, err) : ct_fail_sys(err, ENOMEM, "cannot open");
    if (ok && zip)
        ok = open_any_zip(p, keys, err);
    else if (ok)
        ok = open_tar(p, path, err);
    if (ok)
        return &p->base;
    packed_close(&p->base);
    return NULL;
}
