/* Is a signature right, and whose is it? By libcrypto's CMS and X.509. */
#define _GNU_SOURCE /* timegm */
#include "cmd/archive/seal.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

enum { DAY = 24 * 60 * 60, AUTH_LEVEL = 2 /* 112 bits: no SHA-1, no RSA below 2048 bits */ };

/* ---- one that signed ---- */

/* When it says it signed; 0 where it does not. */
static time_t signing_time(CMS_SignerInfo *si)
{
    static const int types[] = {V_ASN1_UTCTIME, V_ASN1_GENERALIZEDTIME};
    struct tm tm = {0};

    for (size_t i = 0; i < CT_LEN(types); i++) {
        const ASN1_TIME *t =
            CMS_signed_get0_data_by_OBJ(si, OBJ_nid2obj(NID_pkcs9_signingTime), -3, types[i]);

        if (t && ASN1_TIME_to_tm(t, &tm) == 1)
            return timegm(&tm);
    }
    ERR_clear_error();
    return 0;
}

static bool strong(CMS_SignerInfo *si)
{
    X509_ALGOR *digest = NULL;
    const ASN1_OBJECT *name = NULL;
    int nid;

    CMS_SignerInfo_get0_algs(si, NULL, NULL, &digest, NULL);
    X509_ALGOR_get0(&name, NULL, NULL, digest);
    nid = OBJ_obj2nid(name);
    return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

/* A certificate that is for something else (a web server, say) signs no bags. */
static bool may_sign(X509 *certificate)
{
    uint32_t usage = X509_get_key_usage(certificate);
    uint32_t purpose = X509_get_extended_key_usage(certificate);

    return (usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) != 0 &&
           (purpose & (XKU_SMIME | XKU_CODE_SIGN | XKU_ANYEKU)) != 0;
}

/* Why the way from the certificate to who is trusted does not hold, or NULL. */
static const char *chain_wrong(X509_STORE *store, X509 *certificate, STACK_OF(X509) * others,
                               time_t when)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_VERIFY_PARAM *param;
    const char *why = NULL;

    if (!ctx || X509_STORE_CTX_init(ctx, store, certificate, others) != 1)
        ct_oom();
    param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY);
    X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
    X509_VERIFY_PARAM_set_time(param, when);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
    if (X509_verify_cert(ctx) != 1)
        why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
    X509_STORE_CTX_free(ctx);
    ERR_clear_error();
    return why;
}

static const char *signer_wrong(X509_STORE *store, CMS_SignerInfo *si, STACK_OF(X509) * others)
{
    time_t when = signing_time(si), now = time(NULL);
    X509 *certificate = NULL;

    CMS_SignerInfo_get0_algs(si, NULL, &certificate, NULL, NULL);
    if (!certificate)
        return "the certificate that signed is not with it";
    if (!strong(si))
        return "it is by a digest that is not safe any more";
    if (when > now + DAY)
        return "it is of a day to come";
    if (!may_sign(certificate))
        return "the certificate is not for signing";
    return chain_wrong(store, certificate, others, when ? when : now);
}

/* ---- the signature ---- */

static CMS_ContentInfo *parse(ct_str signature)
{
    BIO *bio = BIO_new_mem_buf(signature.p, (int)signature.n);
    CMS_ContentInfo *cms;

    if (!bio)
        ct_oom();
    cms = d2i_CMS_bio(bio, NULL);
    BIO_free(bio);
    ERR_clear_error();
    return cms;
}

static const char *fit_wrong(CMS_ContentInfo *cms, ct_str text)
{
    BIO *bio;
    bool fits;

    if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed || CMS_is_detached(cms) != 1)
        return "it is no detached signature";
    bio = BIO_new_mem_buf(text.p, (int)text.n);
    if (!bio)
        ct_oom();
    fits = CMS_verify(cms, NULL, NULL, bio, NULL,
                      CMS_BINARY | CMS_DETACHED | CMS_NO_SIGNER_CERT_VERIFY) == 1;
    BIO_free(bio);
    ERR_clear_error();
    return fits ? NULL : "it does not fit the tag manifest";
}

static const char *signers_wrong(CMS_ContentInfo *cms, X509_STORE *store)
{
    STACK_OF(CMS_SignerInfo) *all = CMS_get0_SignerInfos(cms);
    STACK_OF(X509) *others = CMS_get1_certs(cms);
    const char *why = NULL;

    for (int i = 0; !why && i < sk_CMS_SignerInfo_num(all); i++)
        why = signer_wrong(store, sk_CMS_SignerInfo_value(all, i), others);
    sk_X509_pop_free(others, X509_free);
    return why;
}

static void check_trust(bag_seal *s, CMS_ContentInfo *cms, const char *trust)
{
    X509_STORE *store = X509_STORE_new();

    if (!store)
        ct_oom();
    s->weak_file = X509_STORE_load_file(store, trust) != 1;
    ERR_clear_error();
    s->wrong = s->weak_file ? "no certificates (PEM) can be read" : signers_wrong(cms, store);
    s->trusted = !s->wrong;
    X509_STORE_free(store);
}

bag_seal bag_seal_check(ct_str text, ct_str signature, const char *trust)
{
    bag_seal s = {0};
    CMS_ContentInfo *cms;

    ct_sha_ready();
    cms = parse(signature);
    s.wrong = cms ? fit_wrong(cms, text) : "it is no CMS signature";
    if (cms && !s.wrong)
        s.when = signing_time(sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0));
    if (cms && !s.wrong && trust)
        check_trust(&s, cms, trust);
    CMS_ContentInfo_free(cms);
    return s;
}
