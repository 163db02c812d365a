/* Reading a policy (chart-policy(5)): a directive a line, a line that starts with white space goes
 * on with the one before. */
#include "release.h"

#include <stdlib.h>

enum { POLICY_MAX = 1 << 20 /* bytes of a policy file */ };

typedef struct reader {
    const release_tables *tables;
    const ct_model *model;
    release_policy *p;
    size_t rules_cap, labels_cap, purposes_cap;
    bool dated;
    ct_err *err;
} reader;

static bool wrong(reader *r, ct_str word, const char *text)
{
    return ct_fail_at(r->err, CT_E_DATA, text, "%.*s", (int)(word.n < 60 ? word.n : 60), word.p);
}

/* Takes the next word off `*rest`; empty at the end. */
static ct_str next_word(ct_str *rest)
{
    *rest = ct_str_trim(*rest);
    size_t n = 0;

    while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
        n++;
    ct_str word = ct_str_head(*rest, n);
    *rest = ct_str_from(*rest, n);
    return word;
}

/* Room for one more in an array of the policy's. */
#define GROW(array, n, cap)                                                                        \
    ((n) < (cap) ? (void)0                                                                         \
                 : (void)((cap) = (cap) ? 2 * (cap) : 8,                                           \
                          (array) = ct_realloc((array), (cap), sizeof *(array))))

/* ---- directives: each gets what stands behind its name ---- */

static bool once(reader *r, ct_str *to, ct_str value)
{
    if (to->p)
        return wrong(r, value, "given twice");
    if (!value.n)
        return wrong(r, CT_S("end of line"), "a word is missing");
    *to = value;
    return true;
}

static bool read_name(reader *r, ct_str rest)
{
    for (size_t i = 0; i < rest.n; i++)
        if (rest.p[i] <= ' ' || rest.p[i] == '/' || rest.p[i] == 127)
            return wrong(r, rest, "a name is one word without a slash");
    return once(r, &r->p->name, rest);
}

static bool read_version(reader *r, ct_str rest)
{
    return once(r, &r->p->version, rest);
}

static bool read_title(reader *r, ct_str rest)
{
    return once(r, &r->p->title, rest);
}

static bool read_cite(reader *r, ct_str rest)
{
    return rest.n != 0 || wrong(r, CT_S("cite"), "a citation is missing");
}

static bool read_purpose(reader *r, ct_str rest)
{
    release_policy *p = r->p;
    release_purpose known;
    ct_str code;

    while ((code = next_word(&rest)).n) {
        if (!release_purpose_find(r->tables, code, &known))
            return wrong(r, code, "not a purpose of use");
        GROW(p->purposes, p->npurposes, r->purposes_cap);
        p->purposes[p->npurposes++] = known.code;
    }
    return true;
}

static bool add_rule(reader *r, ct_str type, ct_str where, bool withhold)
{
    release_policy *p = r->p;
    release_rule rule = {.type = type, .withhold = withhold};
    const ct_ftype *t = ct_model_type(r->model, type);

    if (!ct_str_is(type, "*") && (!t || t->kind != CT_F_RESOURCE || t->abstract))
        return wrong(r, type, "not an R4 resource type");
    if (where.n) {
        rule.where = ct_path_compile_on(r->model, t, where, r->err); /* `*`: any type */
        if (!rule.where)
            return ct_fail_at(r->err, r->err->kind, r->err->text, "where, %s", r->err->where);
        p->conditional = true;
    }
    GROW(p->rules, p->nrules, r->rules_cap);
    p->rules[p->nrules++] = rule;
    ct_str first = rule.where ? ct_path_context(rule.where) : CT_S("");
    if (first.n && !ct_str_eq(first, type))
        return wrong(r, type, "the expression is about another type");
    return true;
}

/* `TYPE... [where EXPR]` */
static bool read_types(reader *r, ct_str rest, bool withhold)
{
    ct_str words = rest, word, where = {0};
    bool any = false;

    while ((word = next_word(&words)).n)
        if (ct_str_is(word, "where")) {
            where = ct_str_trim(words);
            if (!where.n)
                return wrong(r, word, "an expression is missing");
            break;
        }
    while ((word = next_word(&rest)).n && !ct_str_is(word, "where")) {
        any = true;
        if (!add_rule(r, word, where, withhold))
            return false;
    }
    return any || wrong(r, CT_S("end of line"), "a resource type is missing");
}

/* `CODE` of labels.tsv, `SYSTEM|CODE`, or `*` where labels are permitted. */
static bool add_label(reader *r, ct_str word, bool permit)
{
    release_policy *p = r->p;
    release_labelrule rule = {.permit = permit, .code = word};
    size_t bar = ct_str_find(word, CT_S("|"));

    if (bar != SIZE_MAX) {
        rule.system = ct_str_head(word, bar);
        rule.code = ct_str_from(word, bar + 1);
        if (!rule.system.n || !rule.code.n)
            return wrong(r, word, "not a known label; write SYSTEM|CODE");
    } else if (!ct_str_is(word, "*")) {
        if (!release_label_known(r->tables, word))
            return wrong(r, word, "not a known label; write SYSTEM|CODE");
    } else if (!permit) {
        return wrong(r, word, "name the labels");
    }
    GROW(p->labels, p->nlabels, r->labels_cap);
    p->labels[p->nlabels++] = rule;
    return true;
}

static bool read_labels(reader *r, ct_str rest, bool permit)
{
    ct_str word;
    bool any = false;

    while ((word = next_word(&rest)).n) {
        any = true;
        if (!add_label(r, word, permit))
            return false;
    }
    return any || wrong(r, CT_S("end of line"), "a label is missing");
}

static bool read_release(reader *r, ct_str rest)
{
    return read_types(r, rest, false);
}

static bool read_withhold(reader *r, ct_str rest)
{
    ct_str words = rest;

    if (ct_str_is(next_word(&words), "label"))
        return read_labels(r, words, false);
    return read_types(r, rest, true);
}

static bool read_permit(reader *r, ct_str rest)
{
    if (!ct_str_is(next_word(&rest), "label"))
        return wrong(r, CT_S("permit"), "only labels are permitted: permit label CODE");
    return read_labels(r, rest, true);
}

static bool read_from(reader *r, ct_str rest)
{
    ct_days days;

    if (r->p->range.from != INT64_MIN)
        return wrong(r, rest, "given twice");
    if (!ct_days_parse(rest, &days))
        return wrong(r, rest, "not a date");
    r->p->range.from = days.first;
    return true;
}

static bool read_until(reader *r, ct_str rest)
{
    ct_days days;

    if (r->p->range.until != INT64_MAX)
        return wrong(r, rest, "given twice");
    if (!ct_days_parse(rest, &days))
        return wrong(r, rest, "not a date");
    r->p->range.until = days.last;
    return true;
}

static const struct {
    const char *name;
    bool (*read)(reader *r, ct_str rest);
} directives[] = {
    {"policy", read_name},       {"version", read_version}, {"title", read_title},
    {"cite", read_cite},         {"purpose", read_purpose}, {"release", read_release},
    {"withhold", read_withhold}, {"permit", read_permit},   {"from", read_from},
    {"until", read_until},
};

/* ---- the file ---- */

static bool read_directive(reader *r, ct_str line)
{
    ct_str name = next_word(&line);

    for (size_t i = 0; i < CT_LEN(directives); i++)
        if (ct_str_is(name, directives[i].name))
            return directives[i].read(r, ct_str_trim(line));
    return wrong(r, name, "not a directive of a policy");
}

/* The next directive with its continuation lines joined, in the policy's memory; comments and blank
 * lines are passed over. `*number` is the line where it starts, `*line` the last one read. */
static bool next_directive(reader *r, ct_str *rest, uint64_t *line, uint64_t *number, ct_str *text)
{
    ct_buf b = {0};

    while (rest->n) {
        ct_str l = ct_str_head(*rest, ct_str_find(*rest, CT_S("\n")));
        ct_str content = ct_str_trim(l);
        bool goes_on = l.n && (l.p[0] == ' ' || l.p[0] == '\t');
        bool blank = !content.n || content.p[0] == '#';
        if (b.n && !goes_on && !blank)
            break;
        *rest = ct_str_from(*rest, l.n + 1);
        ++*line;
        if (blank)
            continue;
        if (!b.n)
            *number = *line;
        ct_buf_put(&b, content);
        ct_buf_c(&b, ' ');
    }
    *text = ct_arena_copy(r->p->arena, ct_str_trim(ct_buf_str(&b)));
    ct_buf_free(&b);
    return text->n != 0;
}

static bool complete(reader *r)
{
    if (!r->p->name.n)
        return ct_fail_at(r->err, CT_E_DATA, "missing", "policy NAME");
    if (!r->p->version.n)
        return ct_fail_at(r->err, CT_E_DATA, "missing", "version");
    if (!r->p->nrules)
        return ct_fail_at(r->err, CT_E_DATA, "missing: nothing could be released", "release");
    if (r->p->range.from > r->p->range.until)
        return ct_fail_at(r->err, CT_E_DATA, "after until", "from");
    return true;
}

static bool read_text(reader *r, ct_str text)
{
    uint64_t line = 0, number = 0;
    ct_str directive;

    while (next_directive(r, &text, &line, &number, &directive))
        if (!read_directive(r, directive)) {
            r->err->line = number;
            return false;
        }
    return complete(r);
}

static void hash_text(release_policy *p, ct_str text)
{
    uint8_t digest[CT_SHA256_LEN];
    ct_buf b = {0};

    ct_sha256(text, digest);
    ct_hex(&b, digest, sizeof digest);
    memcpy(p->hash, b.p, b.n);
    ct_buf_free(&b);
}

/* The file's text, or that of the policy that is built in. */
static bool policy_text(const char *name, ct_buf *to, ct_err *err)
{
    ct_buf path = {0};
    const ct_datafile *f;

    if (strpbrk(name, "/."))
        return ct_slurp(name, POLICY_MAX, to, err);
    ct_buf_printf(&path, "policies/%s.policy", name);
    ct_buf_c(&path, '\0');
    f = ct_datafile_find(ct_cmd_data, path.p);
    ct_buf_free(&path);
    if (!f)
        return ct_fail(err, CT_E_USAGE,
                       "no policy of that name is built in; a file has a / or . in it");
    ct_buf_put(to, (ct_str){f->text, f->n});
    return true;
}

release_policy *release_policy_load(const release_tables *t, const char *name, ct_err *err)
{
    ct_buf text = {0};
    release_policy *p;
    reader r = {.tables = t, .model = ct_model_r4(), .err = err};
    bool ok;

    *err = (ct_err){0};
    if (!policy_text(name, &text, err)) {
        ct_buf_free(&text);
        err->file = name;
        return NULL;
    }
    p = r.p = ct_calloc(1, sizeof *p);
    p->arena = ct_arena_new();
    p->range = RELEASE_ALWAYS;
    hash_text(p, ct_buf_str(&text));
    ok = read_text(&r, ct_buf_str(&text));
    ct_buf_free(&text);
    if (ok)
        return p;
    err->file = name;
    release_policy_free(p);
    return NULL;
}

bool release_policy_serves(const release_policy *p, ct_str purpose)
{
    for (size_t i = 0; i < p->npurposes; i++)
        if (ct_str_eq(p->purposes[i], purpose))
            return true;
    return p->npurposes == 0;
}

void release_policy_free(release_policy *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->nrules; i++)
        ct_path_free(p->rules[i].where);
    free(p->rules);
    free(p->labels);
    free(p->purposes);
    ct_arena_free(p->arena);
    free(p);
}
