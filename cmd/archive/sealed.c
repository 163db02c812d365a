/* The signature of a bag that is being verified: what it is of, whether it holds, and whether it
 * covers all there is. */
#include "cmd/archive/seal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

enum { TEXT_MAX = 16 * 1024 * 1024 };

/* ---- gathering ---- */

static bool is_tag_manifest(ct_str path)
{
    bag_alg alg;

    return bag_kind_of(path, &alg) == BAG_TAGMANIFEST;
}

static bool sealed_begin(void *ctx, ct_str path, ct_err *err)
{
    bag_sealed *s = ctx;

    (void)err;
    s->current = NULL;
    if (ct_str_is(path, BAG_SEALED))
        s->current = &s->text;
    else if (ct_str_is(path, BAG_SIGNATURE)) {
        s->current = &s->signature;
        s->there = true;
    } else if (!ct_str_starts(path, CT_S("data/")) && !is_tag_manifest(path)) {
        s->too_large |= s->tags.n > TEXT_MAX;
        if (!s->too_large) {
            ct_buf_put(&s->tags, path);
            ct_buf_c(&s->tags, '\n');
        }
    }
    return true;
}

static bool sealed_bytes(void *ctx, ct_str bytes, ct_err *err)
{
    bag_sealed *s = ctx;

    (void)err;
    if (s->current) {
        s->too_large |= s->current->n + bytes.n > TEXT_MAX;
        if (!s->too_large)
            ct_buf_put(s->current, bytes);
    }
    return true;
}

bag_viewer bag_sealed_viewer(bag_sealed *s)
{
    return (bag_viewer){.begin = sealed_begin, .bytes = sealed_bytes, .ctx = s};
}

void bag_sealed_free(bag_sealed *s)
{
    ct_buf_free(&s->text);
    ct_buf_free(&s->signature);
    ct_buf_free(&s->tags);
}

/* ---- what it covers ---- */

static int by_text(const void *a, const void *b)
{
    return ct_str_cmp(*(const ct_str *)a, *(const ct_str *)b);
}

typedef struct listed {
    ct_str *paths; /* owned, each */
    size_t n, cap;
} listed;

static void add_line(void *ctx, ct_str line, uint64_t number)
{
    listed *l = ctx;
    bag_entry e;
    ct_buf path = {0};

    (void)number;
    if (!bag_entry_parse(line, BAG_SHA512, &e))
        return;
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 16;
        l->paths = ct_realloc(l->paths, l->cap, sizeof(*l->paths));
    }
    bag_path_decode(&path, e.path, 100);
    l->paths[l->n++] = ct_buf_str(&path);
}

/* How many files beside the payload it says nothing of: whoever adds a manifest or changes one that
 * is not listed could change what it covers. */
static uint64_t uncovered(const bag_sealed *s)
{
    listed l = {0};
    bag_lines lines = {0};
    ct_str rest = ct_buf_str(&s->tags);
    uint64_t n = 0;

    bag_lines_add(&lines, ct_buf_str(&s->text), add_line, &l);
    bag_lines_end(&lines, add_line, &l);
    ct_buf_free(&lines.part);
    if (l.n)
        qsort(l.paths, l.n, sizeof(*l.paths), by_text);
    while (rest.n) {
        ct_str path = ct_str_cut(&rest, '\n');

        n += l.n == 0 || !bsearch(&path, l.paths, l.n, sizeof(path), by_text);
        if (!rest.p)
            break;
    }
    for (size_t i = 0; i < l.n; i++)
        free((void *)(uintptr_t)l.paths[i].p);
    free(l.paths);
    return n;
}

/* ---- the verdict ---- */

static void put_day(ct_buf *b, int64_t when)
{
    time_t t = (time_t)when;
    struct tm tm;

    if (when && gmtime_r(&t, &tm))
        ct_buf_printf(b, " %04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

static const char *wrong_with(const bag_sealed *s, const char *trust, bag_seal *seal)
{
    if (s->too_large)
        return "the tag files are too large to check it";
    if (!s->text.n)
        return "there is no " BAG_SEALED;
    *seal = bag_seal_check(ct_buf_str(&s->text), ct_buf_str(&s->signature), trust);
    return seal->wrong;
}

static void report_signature(bag_sealed *s, ct_cli *c, const char *bag, const char *trust,
                             ct_buf *line)
{
    bag_seal seal = {0};
    const char *wrong = wrong_with(s, trust, &seal);
    uint64_t n = uncovered(s);

    if (seal.weak_file) {
        ct_cli_problem(c, CT_FAULT, "%s: %s", trust, wrong);
        return;
    }
    if (wrong)
        ct_cli_problem(c, CT_NO, "%s: %s: %s", bag, BAG_SIGNATURE, wrong);
    else if (n)
        ct_cli_problem(c, CT_NO,
                       "%s: %s: files beside the payload that it does not cover: %" PRIu64, bag,
                       BAG_SIGNATURE, n);
    if (wrong || n) {
        ct_buf_z(line, ", signature wrong");
        return;
    }
    ct_buf_z(line, ", signed");
    put_day(line, seal.when);
    ct_buf_z(line, seal.trusted ? " by one who is trusted" : ", trust not checked");
}

void bag_sealed_report(bag_sealed *s, ct_cli *c, const char *bag, const char *trust, ct_buf *line)
{
    if (s->there) {
        report_signature(s, c, bag, trust, line);
    } else if (trust) {
        ct_cli_problem(c, CT_NO, "%s: the bag is not signed", bag);
        ct_buf_z(line, ", not signed");
    }
}
