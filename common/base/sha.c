/* SHA-2 by libcrypto. Fetching an algorithm by name takes locks and costs more than hashing a short
 * record, so that it is done once. */
#include "common/base/base.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

static pthread_once_t fetched = PTHREAD_ONCE_INIT;
static EVP_MD *sha256, *sha512;

/* libcrypto goes on where it got no memory, and falls over its locks that were not made. */
static void *get(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return ct_alloc(n);
}

static void *get_again(void *p, size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return ct_realloc(p, n, 1);
}

static void give_back(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

static void fetch(void)
{
    CRYPTO_set_mem_functions(get, get_again, give_back);
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    sha512 = EVP_MD_fetch(NULL, "SHA512", NULL);
}

struct ct_sha {
    EVP_MD_CTX *ctx;
};

/* libcrypto's SHA-2 fails for want of memory alone. */
static void must(int done)
{
    if (!done)
        ct_oom();
}

void ct_sha_ready(void)
{
    must(pthread_once(&fetched, fetch) == 0);
}

static EVP_MD_CTX *start(int bits)
{
    ct_sha_ready();
    EVP_MD *md = bits == 512 ? sha512 : sha256;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    must(ctx && md && EVP_DigestInit_ex(ctx, md, NULL));
    return ctx;
}

ct_sha *ct_sha_new(int bits)
{
    ct_sha *h = ct_alloc(sizeof *h);
    h->ctx = start(bits);
    return h;
}

void ct_sha_add(ct_sha *h, ct_str s)
{
    must(EVP_DigestUpdate(h->ctx, s.p, s.n));
}

void ct_sha_end(ct_sha *h, uint8_t *digest)
{
    must(EVP_DigestFinal_ex(h->ctx, digest, NULL));
    must(EVP_DigestInit_ex(h->ctx, NULL, NULL));
}

void ct_sha_free(ct_sha *h)
{
    if (!h)
        return;
    EVP_MD_CTX_free(h->ctx);
    free(h);
}

void ct_sha256(ct_str s, uint8_t digest[CT_SHA256_LEN])
{
    EVP_MD_CTX *ctx = start(256);
    must(EVP_DigestUpdate(ctx, s.p, s.n));
    must(EVP_DigestFinal_ex(ctx, digest, NULL));
    EVP_MD_CTX_free(ctx);
}

void ct_hex(ct_buf *b, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    char *to = ct_buf_room(b, 2 * n);
    for (size_t i = 0; i < n; i++) {
        *to++ = digits[bytes[i] >> 4];
        *to++ = digits[bytes[i] & 15];
    }
    b->n += 2 * n;
}
