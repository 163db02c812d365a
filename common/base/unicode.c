/* Normalization form D (Unicode Standard Annex 15), simple case folding, and letters without their
 * marks, from unicode.tsv. */
#include "common/base/base.h"

#include <stdlib.h>

extern const ct_datafile ct_base_data[];

enum { PARTS_MAX = 4, RUN_MAX = 256 /* combining marks that are put in order together */ };

typedef struct mapping {
    uint32_t from, to[PARTS_MAX];
    size_t n;
} mapping;

typedef struct range {
    uint32_t first, last;
    uint8_t class;
} range;

struct ct_unicode {
    mapping *decompositions, *folds, *letters;
    range *classes;
    size_t ndecompositions, nfolds, nletters, nclasses;
};

/* ---- the tables ---- */

static uint32_t hex(ct_str s)
{
    uint32_t value = 0;

    for (size_t i = 0; i < s.n; i++)
        value = value << 4 | (uint32_t)(s.p[i] <= '9' ? s.p[i] - '0' : (s.p[i] | 32) - 'a' + 10);
    return value;
}

static void add_mapping(mapping **table, size_t *n, ct_str from, ct_str to)
{
    mapping *m;

    *table = ct_grow(*table, *n, sizeof(**table));
    m = &(*table)[(*n)++];
    *m = (mapping){.from = hex(from)};
    while (to.p && m->n < PARTS_MAX)
        m->to[m->n++] = hex(ct_str_cut(&to, ' '));
}

static void add_class(ct_unicode *u, ct_str first, ct_str last, ct_str class)
{
    uint64_t value = 0;

    u->classes = ct_grow(u->classes, u->nclasses, sizeof(*u->classes));
    if (ct_str_u64(class, &value))
        u->classes[u->nclasses++] = (range){hex(first), hex(last), (uint8_t)value};
}

ct_unicode *ct_unicode_new(void)
{
    const ct_datafile *file = ct_datafile_find(ct_base_data, "unicode.tsv");
    ct_unicode *u = ct_calloc(1, sizeof(*u));
    ct_str rest = {file->text, file->n}, cols[4];
    size_t n;

    while ((n = ct_tsv_next(&rest, cols, CT_LEN(cols), NULL)) > 0) {
        if (ct_str_is(cols[0], "d") && n == 3)
            add_mapping(&u->decompositions, &u->ndecompositions, cols[1], cols[2]);
        else if (ct_str_is(cols[0], "f") && n == 3)
            add_mapping(&u->folds, &u->nfolds, cols[1], cols[2]);
        else if (ct_str_is(cols[0], "l") && n == 3)
            add_mapping(&u->letters, &u->nletters, cols[1], cols[2]);
        else if (n == 4)
            add_class(u, cols[1], cols[2], cols[3]);
    }
    return u;
}

void ct_unicode_free(ct_unicode *u)
{
    if (!u)
        return;
    free(u->decompositions);
    free(u->folds);
    free(u->letters);
    free(u->classes);
    free(u);
}

static int mapping_order(const void *key, const void *item)
{
    uint32_t code = *(const uint32_t *)key, from = ((const mapping *)item)->from;

    return (code > from) - (code < from);
}

static int range_order(const void *key, const void *item)
{
    uint32_t code = *(const uint32_t *)key;
    const range *r = item;

    return (code > r->last) - (code < r->first);
}

static const mapping *lookup(const mapping *table, size_t n, uint32_t code)
{
    return n ? bsearch(&code, table, n, sizeof(*table), mapping_order) : NULL;
}

static uint8_t class_of(const ct_unicode *u, uint32_t code)
{
    const range *r =
        u->nclasses ? bsearch(&code, u->classes, u->nclasses, sizeof(*r), range_order) : NULL;

    return r ? r->class : 0;
}

/* ---- UTF-8 ---- */

/* The code point at the start of `s` and its length; length 0 for what is no UTF-8. */
static size_t decode(ct_str s, uint32_t *code)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    if (n == 0 || n > s.n || p[0] > 0xf4)
        return 0;
    *code = n == 1 ? p[0] : p[0] & (0x7fU >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (p[i] & 0x3f);
    }
    return n;
}

static void encode(ct_buf *to, uint32_t code)
{
    if (code < 0x80) {
        ct_buf_c(to, (char)code);
        return;
    }
    if (code < 0x800) {
        ct_buf_c(to, (char)(0xc0 | code >> 6));
    } else {
        if (code < 0x10000) {
            ct_buf_c(to, (char)(0xe0 | code >> 12));
        } else {
            ct_buf_c(to, (char)(0xf0 | code >> 18));
            ct_buf_c(to, (char)(0x80 | (code >> 12 & 0x3f)));
        }
        ct_buf_c(to, (char)(0x80 | (code >> 6 & 0x3f)));
    }
    ct_buf_c(to, (char)(0x80 | (code & 0x3f)));
}

/* ---- normalization ---- */

/* Marks that wait to be put in order, or are left out. */
typedef struct marks {
    bool drop;
    uint32_t code[RUN_MAX];
    uint8_t class[RUN_MAX];
    size_t n;
} marks;

static void flush_marks(marks *m, ct_buf *to)
{
    for (size_t i = 0; i < m->n; i++)
        encode(to, m->code[i]);
    m->n = 0;
}

/* Marks of different classes go in the order of the classes, those of one class as they came. */
static void put_code(const ct_unicode *u, marks *m, ct_buf *to, uint32_t code)
{
    uint8_t class = class_of(u, code);
    size_t at;

    if (class && m->drop)
        return;
    if (class == 0 || m->n == RUN_MAX)
        flush_marks(m, to);
    if (class == 0) {
        encode(to, code);
        return;
    }
    for (at = m->n++; at > 0 && m->class[at - 1] > class; at--) {
        m->code[at] = m->code[at - 1];
        m->class[at] = m->class[at - 1];
    }
    m->code[at] = code;
    m->class[at] = class;
}

/* Hangul syllables by arithmetic (The Unicode Standard, 3.12). */
static bool put_hangul(const ct_unicode *u, marks *m, ct_buf *to, uint32_t code)
{
    enum { S = 0xac00, L = 0x1100, V = 0x1161, T = 0x11a7, NV = 21, NT = 28, NS = 11172 };
    uint32_t s = code - S;

    if (code < S || s >= NS)
        return false;
    put_code(u, m, to, L + s / (NV * NT));
    put_code(u, m, to, V + s % (NV * NT) / NT);
    if (s % NT)
        put_code(u, m, to, T + s % NT);
    return true;
}

static void put_decomposed(const ct_unicode *u, marks *m, ct_buf *to, uint32_t code)
{
    const mapping *d = lookup(u->decompositions, u->ndecompositions, code);

    if (put_hangul(u, m, to, code))
        return;
    if (!d)
        put_code(u, m, to, code);
    for (size_t i = 0; d && i < d->n; i++)
        put_code(u, m, to, d->to[i]);
}

/* A letter that Unicode does not take apart, or its decomposition. */
static void put_letter(const ct_unicode *u, marks *m, ct_buf *to, uint32_t code)
{
    const mapping *l = m->drop ? lookup(u->letters, u->nletters, code) : NULL;

    if (!l)
        put_decomposed(u, m, to, code);
    for (size_t i = 0; l && i < l->n; i++)
        put_code(u, m, to, l->to[i]);
}

void ct_unicode_put(const ct_unicode *u, ct_buf *to, ct_str text, ct_folding folding)
{
    marks m = {.drop = folding == CT_FOLD_LETTERS};

    while (text.n) {
        uint32_t code;
        size_t n = decode(text, &code);
        const mapping *f;

        if (n == 0) {
            flush_marks(&m, to);
            ct_buf_c(to, text.p[0]);
            text = ct_str_from(text, 1);
            continue;
        }
        if (code < 0x80) { /* neither mark nor decomposition, and folded by arithmetic */
            flush_marks(&m, to);
            if (folding != CT_FOLD_NOTHING && code >= 'A' && code <= 'Z')
                code += 'a' - 'A';
            ct_buf_c(to, (char)code);
            text = ct_str_from(text, 1);
            continue;
        }
        f = folding != CT_FOLD_NOTHING ? lookup(u->folds, u->nfolds, code) : NULL;
        put_letter(u, &m, to, f ? f->to[0] : code);
        text = ct_str_from(text, n);
    }
    flush_marks(&m, to);
}
