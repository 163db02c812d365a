/* BagIt's own language (RFC 8493, and its drafts 0.93 to 0.97): which file is what, the lines of a
 * manifest, the declaration, and paths. Nothing here reads or writes files.
 *
 * Names in this folder start with `bag_`: `archive_` belongs to libarchive.
 */
#ifndef CHART_ARCHIVE_BAGIT_H
#define CHART_ARCHIVE_BAGIT_H

#include "common/base/base.h"

/* ---- algorithms ---- */

typedef enum bag_alg {
    BAG_MD5,
    BAG_SHA1,
    BAG_SHA224,
    BAG_SHA256,
    BAG_SHA384,
    BAG_SHA512,
    BAG_ALGS,
} bag_alg;

enum { BAG_DIGEST_MAX = 64 };

/* A name as it stands in manifest file names, and the length of a digest in bytes. */
typedef struct bag_algorithm {
    const char *name;
    size_t len;
} bag_algorithm;

extern const bag_algorithm bag_algorithms[BAG_ALGS];

/* ---- files ---- */

typedef enum bag_kind {
    BAG_PAYLOAD,     /* data/… */
    BAG_DECLARATION, /* bagit.txt */
    BAG_INFO,        /* bag-info.txt; package-info.txt until 0.95 */
    BAG_FETCH,       /* fetch.txt */
    BAG_MANIFEST,    /* manifest-ALG.txt */
    BAG_TAGMANIFEST, /* tagmanifest-ALG.txt */
    BAG_TAG,         /* any other file outside data/ */
} bag_kind;

/* What a path from the bag's base is; `*alg` for the manifests, BAG_ALGS where the algorithm is not
 * known. */
bag_kind bag_kind_of(ct_str path, bag_alg *alg);

/* ---- lines ---- */

/* Takes bytes piece by piece and gives them as lines, which end with LF, CR or CRLF. All zero is
 * the start of a file. */
typedef struct bag_lines {
    ct_buf part;
    uint64_t number; /* of the last line given, from 1 */
    bool after_cr;
    bool too_long; /* a line over BAG_LINE_MAX was met; its rest is dropped */
} bag_lines;

enum { BAG_LINE_MAX = 64 * 1024 };

typedef void bag_line_fn(void *ctx, ct_str line, uint64_t number);
void bag_lines_add(bag_lines *l, ct_str bytes, bag_line_fn *each, void *ctx);
/* Gives a last line that has no end, and starts over. */
void bag_lines_end(bag_lines *l, bag_line_fn *each, void *ctx);

/* A line of a manifest. */
typedef struct bag_entry {
    uint8_t digest[BAG_DIGEST_MAX];
    ct_str path;    /* without `./` and `*` in front of it, not decoded */
    bool star;      /* there was an asterisk, as md5sum writes for binary files */
    bool dot_slash; /* there was a ./ */
} bag_entry;

/* False where the line is not `digest path`. */
CT_USE bool bag_entry_parse(ct_str line, bag_alg alg, bag_entry *e);

/* A line of fetch.txt: `url length path`. */
CT_USE bool bag_fetch_parse(ct_str line, ct_str *url, ct_str *path);
/* Why an address must not be followed (no address on the network at all, as `file:`), or NULL. */
const char *bag_url_unsafe(ct_str url);

/* Octets and streams of a Payload-Oxum. */
CT_USE bool bag_oxum_parse(ct_str text, uint64_t *bytes, uint64_t *files);

/* What bagit.txt declares. */
typedef struct bag_declaration {
    unsigned version; /* 93 … 100 for 0.93 … 1.0 */
    char encoding[32];
} bag_declaration;

/* Says why a declaration is not one, or NULL. */
const char *bag_declaration_parse(ct_str text, bag_declaration *d);

/* ---- paths ---- */

/* Appends the path with %0A, %0D and (from 1.0 on) %25 decoded. */
void bag_path_decode(ct_buf *to, ct_str path, unsigned version);
/* Why a path must not be followed (absolute, out of the bag, a home folder …), or NULL. */
const char *bag_path_unsafe(ct_str path);

#endif
