/* Signatures of bags: CMS (RFC 5652), detached, of tagmanifest-sha512.txt, which holds the
 * checksums of the manifests, which hold those of the payload. It stands in the bag beside it as
 * tagmanifest-sha512.txt.p7s, DER.
 */
#ifndef CHART_ARCHIVE_SEAL_H
#define CHART_ARCHIVE_SEAL_H

#include "cmd/archive/pass.h"
#include "common/cli/cli.h"

#define BAG_SEALED    "tagmanifest-sha512.txt"
#define BAG_SIGNATURE BAG_SEALED ".p7s"

/* ---- signing, seal.c ---- */

typedef struct bag_signer bag_signer;

/* What the options name, as files: a private key (PEM), the certificate to it (PEM; others behind
 * it go into the signature, for the way to who is trusted), and the passphrase where the key is
 * encrypted (its first line), else NULL. */
typedef struct bag_signing {
    const char *key, *certificate, *passphrase;
} bag_signing;

/* NULL with `*err`, whose `file` says which of the files it is. The certificate must be valid on
 * the day `date`, which is when it is signed. */
CT_USE bag_signer *bag_signer_open(const bag_signing *files, const ct_date *date, ct_err *err);
/* Appends the signature of `text`. */
CT_USE bool bag_signer_sign(const bag_signer *s, ct_str text, ct_buf *to, ct_err *err);
/* NULL is allowed. */
void bag_signer_free(bag_signer *s);

/* ---- checking, trust.c ---- */

typedef struct bag_seal {
    const char *wrong; /* a constant text, or NULL where all that was asked for holds */
    bool trusted;      /* the signer is known by who is trusted */
    bool weak_file;    /* the file of who is trusted cannot be used: no fault of the bag */
    int64_t when;      /* of the signature, seconds since 1970; 0 where it does not say */
} bag_seal;

/* Does the signature fit the text? With `trust`, a file of certificates (PEM), also whether each
 * certificate that signed leads to one of them, and was valid at the time of signing. */
bag_seal bag_seal_check(ct_str text, ct_str signature, const char *trust);

/* ---- the bag's signature, sealed.c ---- */

/* What a pass over a bag gathers for it. All zero to begin with. */
typedef struct bag_sealed {
    ct_buf text, signature; /* of BAG_SEALED and BAG_SIGNATURE */
    ct_buf tags;            /* paths of other tag files, each with a LF */
    ct_buf *current;
    bool there; /* the signature's file is */
    bool too_large;
} bag_sealed;

bag_viewer bag_sealed_viewer(bag_sealed *s);
/* Says what is wrong. What to say of it behind the bag's line. `trust` may be NULL. */
void bag_sealed_report(bag_sealed *s, ct_cli *c, const char *bag, const char *trust, ct_buf *line);
void bag_sealed_free(bag_sealed *s);

#endif
