/* The parts of a bag in their order: bagit.txt, payload, bag-info.txt, manifests, tag manifests. */
#include "cmd/archive/writer.h"
#include "cmd/archive/sink.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { CHUNK = 64 * 1024, DAY = 24 * 60 * 60 };

struct bag_writer {
    bag_sink *sink;
    ct_spool *manifest256, *manifest512;
    ct_buf tags256, tags512; /* the tag manifests: a line for each of a few files */
    ct_buf info, more;    /* bag-info.txt: what stands before and behind the writer's own lines */
    bag_profile *profile; /* may be NULL */
    const char *path;     /* of the bag, for the profile */
    uint64_t unlike;      /* what the profile does not want so */
    bag_profile_fn *tell;
    void *tell_ctx;
    ct_date date;
    bool encrypt;
    bag_keys keys;
    bag_key key;
    const bag_signer *signer; /* NULL: it is not signed */
    uint64_t bytes, files, charts, records, readable, attachments;
};

/* ---- sums ---- */

void bag_sums_add(bag_sums *s, ct_str bytes)
{
    if (!s->sha256) {
        s->sha256 = ct_sha_new(256);
        s->sha512 = ct_sha_new(512);
    }
    ct_sha_add(s->sha256, bytes);
    ct_sha_add(s->sha512, bytes);
}

void bag_sums_end(bag_sums *s)
{
    ct_sha_end(s->sha256, s->digest256);
    ct_sha_end(s->sha512, s->digest512);
}

void bag_sums_take(bag_sums *s, ct_str bytes)
{
    bag_sums_add(s, bytes);
    bag_sums_end(s);
}

void bag_sums_free(bag_sums *s)
{
    ct_sha_free(s->sha256);
    ct_sha_free(s->sha512);
    *s = (bag_sums){0};
}

static void put_line(ct_buf *b, const uint8_t *digest, size_t n, const char *path)
{
    ct_hex(b, digest, n);
    ct_buf_printf(b, "  %s\n", path);
}

/* ---- bag-info.txt ---- */

bool bag_info_add(ct_buf *info, ct_str pair)
{
    static const char *const own[] = {
        "Bagging-Date",       "Bag-Software-Agent",       "Payload-Oxum", "Chart-Count",
        "Record-Count",       "Readable-Copies",          "Date-Range",   "Bag-Size",
        "Destroy-After",      "Retention-Class",          "Legal-Holds",  "Bag-Group-Identifier",
        "Bag-Count",          "BagIt-Profile-Identifier", "Key-Check",    "Attachment-Count",
        "Retention-Authority"};
    ct_str value = pair, key = ct_str_trim(ct_str_cut(&value, '='));

    if (!value.p || key.n == 0 || memchr(key.p, ':', key.n))
        return false;
    for (size_t i = 0; i < pair.n; i++)
        if ((unsigned char)pair.p[i] < ' ' || pair.p[i] == 127)
            return false;
    for (size_t i = 0; i < CT_LEN(own); i++)
        if (key.n == strlen(own[i]) && strncasecmp(key.p, own[i], key.n) == 0)
            return false;
    ct_buf_put(info, key);
    ct_buf_z(info, ": ");
    ct_buf_put(info, ct_str_trim(value));
    ct_buf_c(info, '\n');
    return true;
}

/* `42.6 MB` */
static void put_size(ct_buf *b, uint64_t bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    uint64_t tenths = bytes / 100;
    size_t unit = 0;

    for (; tenths >= 10000 && unit + 1 < CT_LEN(units); unit++)
        tenths /= 1000;
    ct_buf_printf(b, "Bag-Size: %" PRIu64 ".%" PRIu64 " %s\n", tenths / 10, tenths % 10,
                  units[unit]);
}

static void put_info(bag_writer *w)
{
    ct_buf *b = &w->info;

    ct_buf_z(b, "Bagging-Date: ");
    ct_date_put(b, &w->date);
    ct_buf_printf(b, "\nBag-Software-Agent: chartutils %s\n", CT_VERSION);
    ct_buf_printf(b, "Payload-Oxum: %" PRIu64 ".%" PRIu64 "\n", w->bytes, w->files);
    put_size(b, w->bytes);
    ct_buf_printf(b, "Chart-Count: %" PRIu64 "\n", w->charts);
    ct_buf_printf(b, "Record-Count: %" PRIu64 "\n", w->records);
    if (w->readable)
        ct_buf_printf(b, "Readable-Copies: %" PRIu64 "\n", w->readable);
    if (w->attachments)
        ct_buf_printf(b, "Attachment-Count: %" PRIu64 "\n", w->attachments);
    if (w->encrypt) { /* so that no two bags with two keys are the same one */
        ct_buf_z(b, "Key-Check: ");
        bag_key_check(b, &w->key);
        ct_buf_c(b, '\n');
    }
    ct_buf_put(b, ct_buf_str(&w->more));
}

void bag_writer_info(bag_writer *w, const char *key, const char *format, ...)
{
    va_list args;
    char value[256];

    va_start(args, format);
    vsnprintf(value, sizeof(value), format, args);
    va_end(args);
    ct_buf_printf(&w->more, "%s: %s\n", key, value);
}

/* ---- the profile ---- */

static void unlike_profile(void *writer, const char *where, uint64_t line, const char *reason,
                           ct_str path)
{
    bag_writer *w = writer;

    w->unlike++;
    w->tell(w->tell_ctx, where, line, reason, path);
}

void bag_writer_profile(bag_writer *w, bag_profile *profile, const char *path, bag_profile_fn *tell,
                        void *ctx)
{
    ct_str identifier = bag_profile_identifier(profile);

    w->profile = profile;
    w->path = path;
    w->tell = tell;
    w->tell_ctx = ctx;
    ct_buf_z(&w->info, "BagIt-Profile-Identifier: ");
    ct_buf_put(&w->info, identifier);
    ct_buf_c(&w->info, '\n');
    bag_profile_start(profile, unlike_profile, w);
    bag_profile_file(profile, CT_S("bagit.txt"), 0);
}

/* All of bag-info.txt is known, and all other files have gone by. */
static bool like_profile(bag_writer *w, ct_err *err)
{
    static const unsigned ours = 1U << BAG_SHA256 | 1U << BAG_SHA512;
    static const char *const last[] = {"bag-info.txt", "manifest-sha256.txt", "manifest-sha512.txt",
                                       "tagmanifest-sha256.txt", "tagmanifest-sha512.txt"};
    bag_packing packing;
    ct_str base;
    bag_profile_facts facts = {.path = w->path,
                               .version = 100,
                               .manifests = ours,
                               .tagmanifests = ours,
                               .files = w->files,
                               .bytes = w->bytes};

    if (!w->profile)
        return true;
    facts.folder = bag_packing_of(w->path, &packing, &base) && packing == BAG_FOLDER;
    for (size_t i = 0; i < CT_LEN(last); i++)
        bag_profile_file(w->profile, ct_str_z(last[i]), 0);
    bag_profile_info_text(w->profile, ct_buf_str(&w->info));
    bag_profile_end(w->profile, &facts);
    return w->unlike == 0 || ct_fail(err, CT_E_DATA, "not made: not as the profile wants it");
}

/* ---- files ---- */

static bool put_file(bag_writer *w, const char *path, ct_str bytes, ct_err *err)
{
    return bag_sink_begin(w->sink, path, bytes.n, err) && bag_sink_put(w->sink, bytes, err) &&
           bag_sink_end(w->sink, err);
}

static void list_tag(bag_writer *w, const char *path, const bag_sums *sums)
{
    put_line(&w->tags256, sums->digest256, CT_SHA256_LEN, path);
    put_line(&w->tags512, sums->digest512, CT_SHA512_LEN, path);
    if (w->profile)
        bag_profile_file(w->profile, ct_str_z(path), 0);
}

static bool put_tag(bag_writer *w, const char *path, ct_str text, ct_err *err)
{
    bag_sums sums = {0};

    bag_sums_take(&sums, text);
    list_tag(w, path, &sums);
    bag_sums_free(&sums);
    return put_file(w, path, text, err);
}

bool bag_writer_tag(bag_writer *w, const char *path, ct_spool *text, ct_err *err)
{
    bag_sums sums = {0};
    char *chunk = ct_alloc(CHUNK);
    size_t got = 1;
    bool ok = bag_sink_begin(w->sink, path, ct_spool_size(text), err);

    while (ok && got) {
        ok = ct_spool_read(text, chunk, CHUNK, &got, err) &&
             bag_sink_put(w->sink, (ct_str){chunk, got}, err);
        if (ok)
            bag_sums_add(&sums, (ct_str){chunk, got});
    }
    if (ok) {
        bag_sums_end(&sums);
        list_tag(w, path, &sums);
    }
    bag_sums_free(&sums);
    free(chunk);
    return ok && bag_sink_end(w->sink, err);
}

bool bag_writer_payload(bag_writer *w, const char *path, ct_str bytes, const bag_sums *sums,
                        const bag_holds *holds, ct_err *err)
{
    ct_buf line = {0};
    bool ok = put_file(w, path, bytes, err);

    if (w->profile)
        bag_profile_file(w->profile, ct_str_z(path), w->files + 1);
    put_line(&line, sums->digest256, CT_SHA256_LEN, path);
    ok = ok && ct_spool_put(w->manifest256, ct_buf_str(&line), err);
    line.n = 0;
    put_line(&line, sums->digest512, CT_SHA512_LEN, path);
    ok = ok && ct_spool_put(w->manifest512, ct_buf_str(&line), err);
    ct_buf_free(&line);
    w->files++;
    w->bytes += bytes.n;
    w->charts += holds->chart;
    w->records += holds->records;
    w->readable += holds->readable;
    w->attachments += holds->attachment;
    return ok;
}

uint64_t bag_writer_files(const bag_writer *w)
{
    return w->files;
}

uint64_t bag_writer_listed(const bag_writer *w)
{
    return ct_spool_size(w->manifest256) + ct_spool_size(w->manifest512);
}

bool bag_writer_written(bag_writer *w, bool exact, uint64_t *bytes, ct_err *err)
{
    return bag_sink_written(w->sink, exact, bytes, err);
}

/* ---- the bag ---- */

static void writer_free(bag_writer *w)
{
    ct_spool_free(w->manifest256);
    ct_spool_free(w->manifest512);
    ct_buf_free(&w->tags256);
    ct_buf_free(&w->tags512);
    ct_buf_free(&w->info);
    ct_buf_free(&w->more);
    bag_key_wipe(&w->key);
    free(w);
}

void bag_writer_abandon(bag_writer *w)
{
    bag_sink_abandon(w->sink);
    writer_free(w);
}

static bag_sink *open_sink(bag_writer *w, const char *out, const bag_making *making, ct_err *err)
{
    bag_packing_opts opts = {.force = making->force,
                             .mtime = ct_date_days(&making->date) * DAY,
                             .jobs = making->jobs,
                             .key = making->encrypt ? &w->key : NULL};

    return making->encrypt && !bag_key_new(&w->key, err) ? NULL : bag_sink_open(out, &opts, err);
}

bag_writer *bag_writer_open(const char *out, const bag_making *making, ct_err *err)
{
    static const char declaration[] = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
    bag_writer *w = ct_calloc(1, sizeof(*w));

    w->sink = open_sink(w, out, making, err);
    w->date = making->date;
    w->encrypt = making->encrypt;
    w->keys = making->keys;
    ct_buf_put(&w->info, making->info);
    w->manifest256 = ct_spool_new();
    w->manifest512 = ct_spool_new();
    if (w->sink && put_tag(w, "bagit.txt", CT_S(declaration), err) &&
        bag_sink_folder(w->sink, "data", err))
        return w;
    bag_writer_abandon(w);
    return NULL;
}

/* Which bag it is, see identity.h; with a NUL behind it. */
static void put_identity(const bag_writer *w, ct_buf *hex)
{
    uint8_t digest[CT_SHA256_LEN];

    ct_sha256(ct_buf_str(&w->tags512), digest);
    ct_hex(hex, digest, sizeof(digest));
    ct_buf_c(hex, '\0');
    hex->n--;
}

static void tell_written(const bag_writer *w, bag_written *to)
{
    ct_buf hex = {0};

    *to = (bag_written){.records = w->records, .bytes = w->bytes};
    put_identity(w, &hex);
    memcpy(to->identity, hex.p, hex.n);
    ct_buf_free(&hex);
    ct_buf_put(&to->info, ct_buf_str(&w->info));
}

/* From here on somebody can read it. */
static bool keep_key(bag_writer *w, ct_err *err)
{
    ct_buf hex = {0};
    bool ok;

    if (!w->encrypt)
        return true;
    put_identity(w, &hex);
    bag_sink_identity(w->sink, hex.p);
    ok = bag_key_keep(&w->keys, ct_buf_str(&hex), &w->key, err);
    ct_buf_free(&hex);
    return ok;
}

void bag_writer_sign(bag_writer *w, const bag_signer *signer)
{
    w->signer = signer;
}

static bool put_signature(bag_writer *w, ct_err *err)
{
    ct_buf signature = {0};
    bool ok = !w->signer || (bag_signer_sign(w->signer, ct_buf_str(&w->tags512), &signature, err) &&
                             put_file(w, BAG_SIGNATURE, ct_buf_str(&signature), err));

    ct_buf_free(&signature);
    return ok;
}

bool bag_writer_close(bag_writer *w, bag_written *written, ct_err *err)
{
    bool ok;

    put_info(w);
    ok = like_profile(w, err) && put_tag(w, "bag-info.txt", ct_buf_str(&w->info), err) &&
         bag_writer_tag(w, "manifest-sha256.txt", w->manifest256, err) &&
         bag_writer_tag(w, "manifest-sha512.txt", w->manifest512, err) &&
         put_file(w, "tagmanifest-sha256.txt", ct_buf_str(&w->tags256), err) &&
         put_file(w, BAG_SEALED, ct_buf_str(&w->tags512), err) && put_signature(w, err);
    ok = ok && keep_key(w, err);
    if (!ok) {
        bag_writer_abandon(w);
        return false;
    }
    ok = bag_sink_close(w->sink, err);
    if (ok && written)
        tell_written(w, written);
    writer_free(w);
    return ok;
}
