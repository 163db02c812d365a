/* A bag signed, by libcrypto's CMS. */
#define _GNU_SOURCE /* timegm */
#include "cmd/archive/seal.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <time.h>

enum { FILE_MAX = 1024 * 1024, DAY = 24 * 60 * 60 };

/* A day begins up to 14 hours sooner or later elsewhere: what is issued on the day counts. */
enum { THE_DAY = 36 * 60 * 60 };

struct bag_signer {
    EVP_PKEY *key;
    X509 *certificate;
    STACK_OF(X509) * chain;
    time_t when;
};

typedef struct passphrase {
    ct_buf text;
    bool given, asked;
} passphrase;

static bool refuse(ct_err *err, const char *file, const char *text)
{
    ERR_clear_error();
    ct_fail(err, CT_E_USAGE, text);
    if (err)
        err->file = file;
    return false;
}

static BIO *open_pem(const char *file, ct_buf *text, ct_err *err)
{
    if (!ct_slurp(file, FILE_MAX, text, err)) {
        err->file = file;
        return NULL;
    }
    return BIO_new_mem_buf(text->p ? text->p : "", (int)text->n);
}

static void forget(ct_buf *secret)
{
    if (secret->p)
        OPENSSL_cleanse(secret->p, secret->cap);
    ct_buf_free(secret);
}

/* ---- the key ---- */

/* libcrypto asks the terminal by itself; nobody may be there. */
static int tell(char *to, int cap, int writing, void *ctx)
{
    passphrase *p = ctx;
    ct_str rest = ct_buf_str(&p->text), line = ct_str_cut(&rest, '\n');

    (void)writing;
    p->asked = true;
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    if (!p->given || line.n > (size_t)cap)
        return -1;
    memcpy(to, line.p, line.n);
    return (int)line.n;
}

static bool read_key(bag_signer *s, const bag_signing *files, ct_err *err)
{
    passphrase p = {.given = files->passphrase != NULL};
    ct_buf text = {0};
    BIO *bio;

    if (p.given && !ct_slurp(files->passphrase, FILE_MAX, &p.text, err)) {
        err->file = files->passphrase;
        return false;
    }
    bio = open_pem(files->key, &text, err);
    if (bio)
        s->key = PEM_read_bio_PrivateKey(bio, NULL, tell, &p);
    BIO_free(bio);
    forget(&text);
    forget(&p.text);
    if (s->key || !bio)
        return s->key != NULL;
    if (p.asked && !p.given)
        return refuse(err, files->key, "the key is encrypted: --passphrase-file is wanted");
    return refuse(err, files->key,
                  p.asked ? "the passphrase does not open the key" : "holds no private key (PEM)");
}

/* ---- certificates ---- */

static time_t seconds(const ASN1_TIME *t)
{
    struct tm tm = {0};

    return ASN1_TIME_to_tm(t, &tm) == 1 ? timegm(&tm) : 0;
}

static bool read_certificates(bag_signer *s, const char *file, ct_err *err)
{
    ct_buf text = {0};
    BIO *bio = open_pem(file, &text, err);
    X509 *more;

    if (!bio)
        return false;
    s->certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    s->chain = sk_X509_new_null();
    while (s->certificate && (more = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
        if (!sk_X509_push(s->chain, more))
            ct_oom();
    BIO_free(bio);
    ct_buf_free(&text);
    ERR_clear_error(); /* the end of the file is one */
    return s->certificate || refuse(err, file, "holds no certificate (PEM)");
}

/* The signature is of the bag's day, not of the moment, so that the same bag has the same. */
static bool set_time(bag_signer *s, const ct_date *date, const char *file, ct_err *err)
{
    time_t day = (time_t)ct_date_days(date) * DAY;
    time_t from = seconds(X509_get0_notBefore(s->certificate));
    time_t until = seconds(X509_get0_notAfter(s->certificate));

    s->when = from > day && from < day + THE_DAY ? from : day;
    if (from > s->when)
        return refuse(err, file, "the certificate is not yet valid on the Bagging-Date");
    if (until < s->when)
        return refuse(err, file, "the certificate has expired by the Bagging-Date");
    return true;
}

bag_signer *bag_signer_open(const bag_signing *files, const ct_date *date, ct_err *err)
{
    bag_signer *s = ct_calloc(1, sizeof(*s));
    bool ok;

    ct_sha_ready();
    ok = read_key(s, files, err) && read_certificates(s, files->certificate, err);
    if (ok && X509_check_private_key(s->certificate, s->key) != 1)
        ok = refuse(err, files->certificate, "the certificate is not that of the key");
    if (ok && set_time(s, date, files->certificate, err))
        return s;
    bag_signer_free(s);
    return NULL;
}

void bag_signer_free(bag_signer *s)
{
    if (!s)
        return;
    EVP_PKEY_free(s->key);
    X509_free(s->certificate);
    sk_X509_pop_free(s->chain, X509_free);
    free(s);
}

/* ---- signing ---- */

static bool add_signer(CMS_ContentInfo *cms, const bag_signer *s)
{
    CMS_SignerInfo *si = CMS_add1_signer(cms, s->certificate, s->key, EVP_sha512(),
                                         CMS_BINARY | CMS_NOSMIMECAP | CMS_PARTIAL);
    ASN1_TIME *when = ASN1_TIME_set(NULL, s->when);
    bool ok = si && when &&
              CMS_signed_add1_attr_by_NID(si, NID_pkcs9_signingTime, when->type, when, -1) == 1;

    ASN1_TIME_free(when);
    return ok;
}

bool bag_signer_sign(const bag_signer *s, ct_str text, ct_buf *to, ct_err *err)
{
    unsigned flags = CMS_BINARY | CMS_DETACHED | CMS_PARTIAL | CMS_NOSMIMECAP;
    BIO *in = BIO_new_mem_buf(text.p, (int)text.n), *out = BIO_new(BIO_s_mem());
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, s->chain, NULL, flags);
    char *der = NULL;
    long n = 0;
    bool ok = in && out && cms && add_signer(cms, s) && CMS_final(cms, in, NULL, flags) == 1 &&
              i2d_CMS_bio(out, cms) == 1;

    if (ok)
        n = BIO_get_mem_data(out, &der);
    if (n > 0)
        ct_buf_put(to, (ct_str){der, (size_t)n});
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    BIO_free(out);
    ERR_clear_error();
    return n > 0 || ct_fail(err, CT_E_USAGE,
                            "libcrypto cannot sign CMS with such a key; RSA and EC keys it can");
}
