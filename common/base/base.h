/* The ground floor of the record library: slices, buffers, arenas, the error object, hashes, and
 * the data files a program carries with it. It knows nothing of JSON or FHIR.
 *
 * Two rules hold in every layer above:
 *
 * - A function that can fail because of its input or the system says so by its result and fills a
 *   `ct_err`. The library never prints and never exits.
 * - Running out of memory is the one exception: it is never returned. The allocators below call the
 *   hook that the program installed (common/cli: one line, temporary files removed, exit 2) and
 *   never come back with NULL. Sizes taken from input are bounded before they are asked for.
 */
#ifndef CT_BASE_H
#define CT_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define CT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define CT_USE               __attribute__((warn_unused_result))
#else
#define CT_PRINTF(fmt, args)
#define CT_USE
#endif

#define CT_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* ---- memory ---- */

/* Called when memory runs out; must not return. NULL restores the default, abort(3). */
void ct_on_oom(void (*hook)(void));
/* Calls it: for another library's report that memory ran out. */
_Noreturn void ct_oom(void);

/* malloc, calloc and realloc that never return NULL. Free with free(3). `n * size` is checked. */
void *ct_alloc(size_t n);
void *ct_calloc(size_t n, size_t size);
void *ct_realloc(void *p, size_t n, size_t size);
/* Room for one more in an array of `n` elements that was made by this call alone, from NULL: it
 * doubles when `n` is a power of two. Never NULL. */
void *ct_grow(void *p, size_t n, size_t size);

/* ---- slices ---- */

/* A borrowed view of bytes: not terminated, may hold NULs, lives as long as what it points into. */
typedef struct ct_str {
    const char *p;
    size_t n;
} ct_str;

#define CT_S(literal) ((ct_str){(literal), sizeof(literal) - 1})

static inline ct_str ct_str_z(const char *z)
{
    return (ct_str){z, strlen(z)};
}

static inline bool ct_str_eq(ct_str a, ct_str b)
{
    return a.n == b.n && (a.n == 0 || a.p == b.p || (*a.p == *b.p && memcmp(a.p, b.p, a.n) == 0));
}

/* Is `s` exactly the text of the C string `z`? */
static inline bool ct_str_is(ct_str s, const char *z)
{
    return s.n == strlen(z) && (s.n == 0 || memcmp(s.p, z, s.n) == 0);
}

static inline ct_str ct_str_from(ct_str s, size_t at)
{
    return at < s.n ? (ct_str){s.p + at, s.n - at} : (ct_str){s.n ? s.p + s.n : s.p, 0};
}

static inline ct_str ct_str_head(ct_str s, size_t n)
{
    return (ct_str){s.p, n < s.n ? n : s.n};
}

/* Order by bytes, shorter first: <0, 0, >0. */
int ct_str_cmp(ct_str a, ct_str b);
bool ct_str_starts(ct_str s, ct_str prefix);
bool ct_str_ends(ct_str s, ct_str suffix);
/* Without ASCII white space at both ends. */
ct_str ct_str_trim(ct_str s);
/* Takes what stands before the first `sep` off the front of `*rest` (all of it where there is
 * none, leaving `rest->p` NULL) and returns it. Loop while `rest->p`. */
ct_str ct_str_cut(ct_str *rest, char sep);
/* Where `needle` first stands in `s`, or SIZE_MAX. */
size_t ct_str_find(ct_str s, ct_str needle);
/* The whole slice as a decimal number without sign: true and `*value`, false where it is not one or
 * does not fit. */
CT_USE bool ct_str_u64(ct_str s, uint64_t *value);

/* ---- buffers ---- */

/* Bytes that grow. All zero is an empty buffer; `p` may move at every call that adds. */
typedef struct ct_buf {
    char *p;
    size_t n, cap;
} ct_buf;

CT_PRINTF(2, 3) void ct_buf_printf(ct_buf *b, const char *format, ...);
void ct_buf_z(ct_buf *b, const char *z);
/* Appends a number in decimal. */
void ct_buf_u64(ct_buf *b, uint64_t n);
/* What ct_buf_room does where there is too little room. */
char *ct_buf_grow(ct_buf *b, size_t n);
void ct_buf_free(ct_buf *b);

/* Makes room for `n` more bytes and returns where they go; add to `b->n` what was written. */
static inline char *ct_buf_room(ct_buf *b, size_t n)
{
    return b->p && b->cap - b->n >= n ? b->p + b->n : ct_buf_grow(b, n);
}

static inline void ct_buf_put(ct_buf *b, ct_str s)
{
    if (s.n == 0)
        return;
    memcpy(ct_buf_room(b, s.n), s.p, s.n);
    b->n += s.n;
}

static inline void ct_buf_c(ct_buf *b, char c)
{
    *ct_buf_room(b, 1) = c;
    b->n++;
}

static inline ct_str ct_buf_str(const ct_buf *b)
{
    return (ct_str){b->p ? b->p : "", b->n};
}

/* ---- text that is the same to people ---- */

/* How alike two texts must be. */
typedef enum ct_folding {
    CT_FOLD_NOTHING, /* but how a character is composed (normalization form D) */
    CT_FOLD_CASE,    /* upper and lower case too */
    CT_FOLD_LETTERS, /* … and marks: what is left of `Ærø Müller-Łoś` is `aero muller-los` */
} ct_folding;

/* The tables of the Unicode Character Database that this takes. */
typedef struct ct_unicode ct_unicode;

ct_unicode *ct_unicode_new(void);
/* Appends the text so folded. Bytes that are no UTF-8 stay as they are. */
void ct_unicode_put(const ct_unicode *u, ct_buf *to, ct_str text, ct_folding folding);
/* NULL is allowed. */
void ct_unicode_free(ct_unicode *u);

/* ---- arenas ---- */

/* Memory that is given back all at once: one per batch, chart or run. Only arena.c and the two
 * functions that are the way of nearly every allocation look into it. */
typedef struct ct_arena {
    char *at, *end;                                /* what is free of the newest block */
    struct ct_arena_block *blocks, *spare, *alone; /* newest first; kept by a reset; big ones */
} ct_arena;

enum { CT_ARENA_ALIGN = 16 };

ct_arena *ct_arena_new(void);
/* What ct_arena_take does where the block has too little room. */
char *ct_arena_more(ct_arena *a, size_t n);

/* `n` bytes, at least one, aligned for any type, as they happen to be. */
static inline char *ct_arena_take(ct_arena *a, size_t n)
{
    if (n > (size_t)(a->end - a->at))
        return ct_arena_more(a, n);
    char *p = a->at;
    a->at += (n + CT_ARENA_ALIGN - 1) & ~(size_t)(CT_ARENA_ALIGN - 1);
    return p;
}

/* `n` zeroed bytes, aligned for any type, valid until reset or free. */
static inline void *ct_arena_alloc(ct_arena *a, size_t n)
{
    return memset(ct_arena_take(a, n ? n : 1), 0, n);
}

/* A copy of `s` with a NUL behind it (not counted). */
ct_str ct_arena_copy(ct_arena *a, ct_str s);
/* `n` slices one behind the other, as a copy. */
ct_str ct_arena_join(ct_arena *a, const ct_str *parts, size_t n);
CT_PRINTF(2, 3) ct_str ct_arena_printf(ct_arena *a, const char *format, ...);
/* Forgets everything allocated, keeping up to 2 MiB for what comes next. */
void ct_arena_reset(ct_arena *a);
void ct_arena_free(ct_arena *a);

/* ---- errors ---- */

typedef enum ct_errkind {
    CT_OK = 0,
    CT_E_DATA,  /* the input is not what it must be; the stream can go on where that makes sense */
    CT_E_CUT,   /* the input ends in the middle of something */
    CT_E_LIMIT, /* a bound that protects memory or time was passed */
    CT_E_IO,    /* the system refused; `sys` says why */
    CT_E_USAGE, /* the caller's or the user's request makes no sense */
} ct_errkind;

/* What went wrong and where. It never holds a value of a record: `text` is a constant sentence
 * fragment (lower case, no full stop), `where` names a place in a schema (`PID-7`, `Patient.name`,
 * `column 12`) and `file` an input. */
typedef struct ct_err {
    ct_errkind kind;
    int sys;          /* errno, or 0 */
    uint64_t line;    /* line, record or message in the file, from 1; 0 where it has no meaning */
    uint64_t offset;  /* byte in that line, from 0 */
    const char *file; /* as the user named it; borrowed from reader or caller; may be NULL */
    const char *text;
    char where[96];
} ct_err;

/* Fills `*e` (NULL is allowed) and returns false, so that a function can `return ct_fail(…)`. */
bool ct_fail(ct_err *e, ct_errkind kind, const char *text);
bool ct_fail_sys(ct_err *e, int sys, const char *text);
CT_PRINTF(4, 5)
bool ct_fail_at(ct_err *e, ct_errkind kind, const char *text, const char *where, ...);

/* ---- hashes ---- */

/* A fast 64-bit hash for tables in memory. It differs from run to run (a random seed, against
 * crafted collisions): never write it anywhere. */
uint64_t ct_hash(ct_str s);

enum { CT_SHA256_LEN = 32, CT_SHA512_LEN = 64 };

/* A running SHA-2 (FIPS 180-4) by libcrypto. */
typedef struct ct_sha ct_sha;
/* `bits` is 256 or 512. */
ct_sha *ct_sha_new(int bits);
/* For those who use libcrypto by themselves: before anything else of it. Its want of memory is
 * ours, see ct_oom. */
void ct_sha_ready(void);
void ct_sha_add(ct_sha *h, ct_str s);
/* Writes the digest and starts over. */
void ct_sha_end(ct_sha *h, uint8_t *digest);
void ct_sha_free(ct_sha *h);
/* SHA-256 of `s` in one call. */
void ct_sha256(ct_str s, uint8_t digest[CT_SHA256_LEN]);
/* Appends `n` bytes as lower-case hexadecimal. */
void ct_hex(ct_buf *b, const uint8_t *bytes, size_t n);

/* ---- data files ---- */

/* A file of facts (mapping table, rule pack, code list) that scripts/embed put into the program. */
typedef struct ct_datafile {
    const char *name; /* path from the folder it was embedded from, as `rules/core.rules` */
    const char *text;
    size_t n;
} ct_datafile;

/* The file of that name in a table that ends with a NULL name, or NULL. */
const ct_datafile *ct_datafile_find(const ct_datafile *table, const char *name);

/* Takes the next row of a TSV text off `*rest`: skips blank lines and lines that start with `#`,
 * splits at tabs into at most `max` columns (the rest stays in the last). Returns the number of
 * columns, 0 at the end. Columns are borrowed from the text. `*line` (may be NULL) counts lines. */
size_t ct_tsv_next(ct_str *rest, ct_str *cols, size_t max, uint64_t *line);

#endif
