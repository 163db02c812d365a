/* The checksum of the file of checksums of the files of checksums. */
#include "cmd/archive/identity.h"

void bag_identity_begin(bag_identity *i, ct_str path)
{
    i->here = ct_str_is(path, "tagmanifest-sha512.txt");
    if (i->here && !i->sha)
        i->sha = ct_sha_new(256);
}

void bag_identity_bytes(bag_identity *i, ct_str bytes)
{
    if (i->here)
        ct_sha_add(i->sha, bytes);
}

void bag_identity_end(bag_identity *i, bool damaged)
{
    uint8_t digest[CT_SHA256_LEN];
    ct_buf hex = {0};

    if (!i->here)
        return;
    ct_sha_end(i->sha, digest);
    ct_hex(&hex, digest, sizeof(digest));
    memset(i->hex, 0, sizeof(i->hex));
    if (!damaged)
        memcpy(i->hex, hex.p, hex.n);
    ct_buf_free(&hex);
    i->here = false;
}

void bag_identity_free(bag_identity *i)
{
    ct_sha_free(i->sha);
    *i = (bag_identity){0};
}

/* ---- for whoever looks for nothing else ---- */

static bool view_want(void *ctx, ct_str path)
{
    (void)ctx;
    (void)path;
    return false; /* no payload */
}

static bool view_begin(void *ctx, ct_str path, ct_err *err)
{
    (void)err;
    bag_identity_begin(ctx, path);
    return true;
}

static bool view_bytes(void *ctx, ct_str bytes, ct_err *err)
{
    (void)err;
    bag_identity_bytes(ctx, bytes);
    return true;
}

static bool view_end(void *ctx, bool damaged, ct_err *err)
{
    (void)err;
    bag_identity_end(ctx, damaged);
    return true;
}

bag_viewer bag_identity_viewer(bag_identity *i)
{
    return (bag_viewer){
        .want = view_want, .begin = view_begin, .bytes = view_bytes, .end = view_end, .ctx = i};
}
