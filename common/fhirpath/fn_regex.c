/* matches(), matchesFull() and replaceMatches() by PCRE2.
 *
 * A literal pattern is compiled with the expression. Matching is bounded in steps, depth, memory
 * and time, so that neither pattern nor record can hang or exhaust the process; what hits a bound
 * is an error of evaluation, never a "no match". PCRE2 counts its steps anew at each place where a
 * match may begin, and does not count characters that one item runs over: in a long text only the
 * clock, looked at between items, bounds what both multiply to.
 */
#include <stdlib.h>
#include <time.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "common/fhirpath/internal.h"

enum {
    MATCH_STEPS = 16,     /* of the evaluation's budget, for one match */
    STEPS_MAX = 100000,   /* of one match */
    DEPTH_MAX = 10000,    /* of backtracking */
    HEAP_MAX = 8 * 1024,  /* in KiB */
    SECONDS_MAX = 2,      /* of one call, on its thread's own clock */
    ITEMS_A_LOOK = 64,    /* items of the pattern between two looks at the clock */
    PATTERN_MAX = 1 << 16 /* bytes */
};

struct fp_regex {
    pcre2_code *code, *full; /* anywhere in the text; all of the text */
};

static pcre2_code *compile(ct_str pattern, uint32_t more, pcre2_general_context *g, size_t *offset)
{
    int code;
    PCRE2_SIZE at = 0;
    uint32_t options =
        PCRE2_UTF | PCRE2_DOTALL | PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT | more;
    pcre2_compile_context *c = pcre2_compile_context_create(g);
    pcre2_code *compiled = NULL;
    if (c) {
        pcre2_set_max_pattern_length(c, PATTERN_MAX);
        compiled = pcre2_compile((PCRE2_SPTR)(pattern.p ? pattern.p : ""), pattern.n, options,
                                 &code, &at, c);
        pcre2_compile_context_free(c);
    }
    *offset = at;
    return compiled;
}

struct fp_regex *ct_fp_regex_new(ct_str pattern, ct_err *err)
{
    size_t at = 0;
    struct fp_regex *re = ct_calloc(1, sizeof *re);
    re->code = compile(pattern, 0, NULL, &at);
    re->full = re->code ? compile(pattern, PCRE2_ANCHORED | PCRE2_ENDANCHORED, NULL, &at) : NULL;
    if (re->full)
        return re;
    ct_fp_regex_free(re);
    ct_fail(err, CT_E_USAGE, "not a regular expression");
    return NULL;
}

void ct_fp_regex_free(struct fp_regex *re)
{
    if (!re)
        return;
    pcre2_code_free(re->code);
    pcre2_code_free(re->full);
    free(re);
}

/* ---- PCRE2's memory during evaluation: the arena's, given back with it ---- */

static void *take(PCRE2_SIZE n, void *arena)
{
    return ct_arena_alloc(arena, n);
}

static void leave(void *p, void *arena)
{
    (void)p;
    (void)arena;
}

/* One subject with one pattern. */
struct match {
    struct fp_call *c;
    ct_str s;
    const pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *limits;
    unsigned items; /* that were tried */
    struct timespec until;
};

/* The pattern of the first argument: 1, 0 where it is empty, -1 for an error. */
static int pattern_of(struct match *m, bool full, pcre2_general_context *g)
{
    struct fp_call *c = m->c;
    const struct fp_regex *re = c->n->u.regex;
    struct fp_coll v;
    ct_str pattern;
    size_t at;
    if (re) {
        m->code = full ? re->full : re->code;
        return 1;
    }
    if (!ct_fp_arg(c, 0, &v))
        return -1;
    int got = ct_fp_single_string(c->r, c->n, &v, &pattern);
    if (got <= 0)
        return got;
    m->code = compile(pattern, full ? PCRE2_ANCHORED | PCRE2_ENDANCHORED : 0, g, &at);
    if (!m->code)
        ct_fp_call_error(c, "not a regular expression");
    return m->code ? 1 : -1;
}

/* A long text may take longer. */
static uint32_t match_limit(size_t n)
{
    return n < UINT32_MAX / 32 ? STEPS_MAX + 16 * (uint32_t)n : UINT32_MAX / 2;
}

static struct timespec thread_time(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now;
}

/* What PCRE2 calls before each item of the pattern. */
static int look_at_clock(pcre2_callout_block *block, void *match)
{
    struct match *m = match;
    (void)block;
    if (++m->items % ITEMS_A_LOOK)
        return 0;
    struct timespec now = thread_time();
    bool over = now.tv_sec > m->until.tv_sec ||
                (now.tv_sec == m->until.tv_sec && now.tv_nsec > m->until.tv_nsec);
    return over ? PCRE2_ERROR_CALLOUT : 0;
}

static int start(struct match *m, bool full)
{
    struct fp_call *c = m->c;
    int got = ct_fp_single_string(c->r, c->n, c->in, &m->s);
    if (got < 0)
        return got;
    pcre2_general_context *g = pcre2_general_context_create(take, leave, c->r->a);
    int pattern = g ? pattern_of(m, full, g) : -1;
    if (got == 0 || pattern <= 0)
        return pattern < 0 ? -1 : 0;
    m->data = pcre2_match_data_create_from_pattern(m->code, g);
    m->limits = pcre2_match_context_create(g);
    pcre2_set_match_limit(m->limits, match_limit(m->s.n));
    pcre2_set_depth_limit(m->limits, DEPTH_MAX);
    pcre2_set_heap_limit(m->limits, HEAP_MAX);
    pcre2_set_callout(m->limits, look_at_clock, m);
    m->until = thread_time();
    m->until.tv_sec += SECONDS_MAX;
    return 1;
}

/* 1 found, 0 not, -1 (error made) for a bound that was hit. The text is looked at for broken UTF-8
 * with its first match only. */
static int next_match(struct match *m, size_t from)
{
    if (!ct_fp_spend(m->c->r, m->c->n, MATCH_STEPS + (from == 0 ? m->s.n : 0)))
        return -1;
    int rc = pcre2_match(m->code, (PCRE2_SPTR)(m->s.p ? m->s.p : ""), m->s.n, from,
                         from == 0 ? 0 : PCRE2_NO_UTF_CHECK, m->data, m->limits);
    if (rc >= 0)
        return 1;
    if (rc == PCRE2_ERROR_NOMATCH)
        return 0;
    ct_fp_refuse(m->c->r->err, CT_E_LIMIT, m->c->n->at, "regular expression takes too long");
    return -1;
}

static bool matches(struct fp_call *c, bool full)
{
    struct match m = {.c = c};
    int got = start(&m, full);
    if (got <= 0)
        return got == 0;
    got = next_match(&m, 0);
    if (got >= 0)
        ct_fp_bool(c->r, c->out, got);
    return got >= 0;
}

bool ct_fn_matches(struct fp_call *c)
{
    return matches(c, false);
}

bool ct_fn_matches_full(struct fp_call *c)
{
    return matches(c, true);
}

/* ---- replacing ---- */

/* The group that `$n` or `${name}` at the start of `s` names: its number, and how long its name is;
 * -1 for none. */
static int group_at(const struct match *m, ct_str s, size_t *n)
{
    char name[64];
    size_t i = 1;
    if (s.n > 1 && s.p[1] >= '0' && s.p[1] <= '9') {
        *n = 2;
        return s.p[1] - '0';
    }
    if (s.n < 3 || s.p[1] != '{')
        return -1;
    while (++i < s.n && s.p[i] != '}') {
        if (i - 2 >= sizeof name - 1)
            return -1;
        name[i - 2] = s.p[i];
    }
    if (i >= s.n || i == 2)
        return -1;
    name[i - 2] = '\0';
    *n = i + 1;
    if (name[0] >= '0' && name[0] <= '9')
        return name[1] ? -1 : name[0] - '0';
    int number = pcre2_substring_number_from_name(m->code, (PCRE2_SPTR)name);
    return number < 0 ? -1 : number;
}

static ct_str group(const struct match *m, int number)
{
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(m->data);
    if ((uint32_t)number >= pcre2_get_ovector_count(m->data) || at[2 * number] == PCRE2_UNSET)
        return (ct_str){"", 0};
    return (ct_str){m->s.p + at[2 * number], at[2 * number + 1] - at[2 * number]};
}

/* The replacement, with what its groups matched. */
static bool put_replacement(struct match *m, struct fp_text *t, ct_str with)
{
    struct fp_call *c = m->c;
    for (size_t i = 0; i < with.n;) {
        size_t n = 1;
        int number = with.p[i] == '$' ? group_at(m, ct_str_from(with, i), &n) : -1;
        ct_str piece = number >= 0 ? group(m, number) : (ct_str){with.p + i, n};
        if (!ct_fp_text_add(c->r, c->n, t, piece))
            return false;
        i += n;
    }
    return true;
}

static bool replace_matches(struct match *m, ct_str with, struct fp_text *t)
{
    size_t done = 0, from = 0;
    int got;
    while (from <= m->s.n && (got = next_match(m, from)) != 0) {
        const PCRE2_SIZE *at = pcre2_get_ovector_pointer(m->data);
        if (got < 0)
            return false;
        size_t start_at = at[0], end = at[1];
        if (start_at < done || end < start_at) /* \K in a lookaround may say so */
            break;
        if (!ct_fp_text_add(m->c->r, m->c->n, t, (ct_str){m->s.p + done, start_at - done}) ||
            !put_replacement(m, t, with))
            return false;
        done = end;
        from = end;
        if (start_at == end) {
            /* Past an empty match, go on one character later. */
            for (from++; from < m->s.n && ((unsigned char)m->s.p[from] & 0xC0) == 0x80;)
                from++;
        }
    }
    return ct_fp_text_add(m->c->r, m->c->n, t, ct_str_from(m->s, done));
}

bool ct_fn_replace_matches(struct fp_call *c)
{
    struct match m = {.c = c};
    struct fp_text t = {0};
    struct fp_coll v, pattern;
    ct_str with, text = {"", 0};
    int got = start(&m, false);
    if (got <= 0)
        return got == 0;
    if (!ct_fp_arg(c, 1, &v) || !ct_fp_arg(c, 0, &pattern))
        return false;
    got = ct_fp_single_string(c->r, c->n, &v, &with);
    if (got <= 0)
        return got == 0;
    /* An empty pattern replaces nothing (unlike in replace(): HL7's tests have it so). */
    if (ct_fp_single_string(c->r, c->n, &pattern, &text) > 0 && text.n == 0) {
        ct_fp_string(c->r, c->out, m.s);
        return true;
    }
    if (!replace_matches(&m, with, &t))
        return false;
    ct_fp_string(c->r, c->out, (ct_str){t.p ? t.p : "", t.n});
    return true;
}
