/* Rule files, line by line: see chart-rules(5). All that is wrong is reported, not just the first.
 */
#include "cmd/audit/audit.h"

#include <stdlib.h>

enum field {
    F_SEVERITY,
    F_APPLIES,
    F_REQUIRE,
    F_MESSAGE,
    F_CITE,
    F_LINK,
    F_OWNER,
    F_DUE,
    F_HOLDS,
    FIELDS,
};

static const struct {
    const char *name, *missing;
    bool expression; /* %names are expanded */
} fields[FIELDS] = {
    [F_SEVERITY] = {"severity", "the rule has no severity", false},
    [F_APPLIES] = {"applies", "the rule does not say what it applies to", true},
    [F_REQUIRE] = {"require", "the rule requires nothing", true},
    [F_MESSAGE] = {"message", "the rule has no message", false},
    [F_CITE] = {"cite", "the rule cites nothing", false},
    [F_LINK] = {"link", NULL, false},
    [F_OWNER] = {"owner", "the rule does not say who must mend it", true},
    [F_DUE] = {"due", NULL, true},
    [F_HOLDS] = {"holds", NULL, true},
};

static const char *const severities[AUDIT_SEVERITIES] = {"error", "warning", "information"};

const char *audit_severity_name(audit_severity s)
{
    return severities[s];
}

/* A rule file being read. */
struct reader {
    struct audit_clause clause;
    uint64_t line;
    ct_str pack, version;
    audit_defines defines;
    audit_text *open; /* what a deeper line continues, or NULL */
    size_t indent;    /* of the fields of the rule */
    bool in_rule;
    ct_str rule_id;
    uint64_t rule_line;
    audit_text texts[FIELDS];
    bool in_define;
    ct_str define_name;
    audit_text define_text;
};

static void wrong_at(struct reader *r, uint64_t line, size_t column, const char *text)
{
    ct_err err;

    ct_fail_at(&err, CT_E_DATA, text, "column %llu", (unsigned long long)column);
    err.file = r->clause.file;
    err.line = line;
    r->clause.failed = true;
    r->clause.wrong(r->clause.ctx, &err);
}

static void wrong(struct reader *r, size_t column, const char *text)
{
    wrong_at(r, r->line, column, text);
}

static bool expand(struct reader *r, audit_text *t)
{
    audit_text out = {0};
    bool ok = audit_expand(&r->defines, t, &out);

    if (!ok)
        audit_wrong(&r->clause, t, 0, CT_E_LIMIT, "the expression grows too long");
    audit_text_free(t);
    *t = out;
    return ok;
}

static void end_define(struct reader *r)
{
    if (!r->in_define)
        return;
    r->in_define = false;
    r->clause.on = NULL; /* any rule may use it */
    if (r->define_text.text.n == 0)
        audit_wrong(&r->clause, &r->define_text, 0, CT_E_DATA, "an expression is missing");
    else if (expand(r, &r->define_text)) {
        /* Compiled once for the error's sake: a mistake is reported where it is made. */
        ct_path_free(audit_compile(&r->clause, &r->define_text, 0));
        if (!audit_define_add(&r->defines, r->define_name, &r->define_text))
            audit_wrong(&r->clause, &r->define_text, 0, CT_E_DATA,
                        "the name is taken, or no name of letters, digits and _");
    }
    audit_text_free(&r->define_text);
}

/* A field's text in the arena. */
static ct_str keep(struct reader *r, enum field f)
{
    return ct_arena_copy(r->clause.rules->arena, ct_buf_str(&r->texts[f].text));
}

static void read_severity(struct reader *r, audit_rule *rule)
{
    const audit_text *t = &r->texts[F_SEVERITY];

    for (int i = 0; i < AUDIT_SEVERITIES; i++)
        if (ct_str_is(ct_buf_str(&t->text), severities[i])) {
            rule->severity = (audit_severity)i;
            return;
        }
    audit_wrong(&r->clause, t, 0, CT_E_DATA, "not error, warning or information");
}

static void check_link(struct reader *r)
{
    ct_str link = ct_buf_str(&r->texts[F_LINK].text);

    if (ct_str_find(link, CT_S(":")) == SIZE_MAX || ct_str_find(link, CT_S(" ")) != SIZE_MAX)
        audit_wrong(&r->clause, &r->texts[F_LINK], 0, CT_E_DATA, "not a URI");
}

/* Reads what the rule has, so that all that is wrong is told at once. */
static void build_rule(struct reader *r, audit_rule *rule)
{
    audit_text *t = r->texts;

    if (t[F_SEVERITY].given)
        read_severity(r, rule);
    if (t[F_APPLIES].given)
        audit_applies(&r->clause, &t[F_APPLIES], rule);
    if (t[F_REQUIRE].given)
        rule->require = audit_compile(&r->clause, &t[F_REQUIRE], 0);
    rule->message = keep(r, F_MESSAGE);
    rule->cite = keep(r, F_CITE);
    if (t[F_LINK].given)
        check_link(r);
    rule->link = keep(r, F_LINK);
    if (t[F_OWNER].given)
        audit_read_owner(&r->clause, &t[F_OWNER], rule);
    rule->due.text = keep(r, F_DUE);
    if (t[F_DUE].given)
        audit_read_due(&r->clause, &t[F_DUE], &rule->due);
    if (t[F_HOLDS].given)
        audit_read_holds(&r->clause, &t[F_HOLDS], &rule->holds);
}

static void add_rule(struct reader *r)
{
    audit_rules *set = r->clause.rules;
    audit_rule *rule;

    if (set->n == set->cap) {
        set->cap = set->cap ? 2 * set->cap : 64;
        set->v = ct_realloc(set->v, set->cap, sizeof(*set->v));
    }
    rule = &set->v[set->n++];
    *rule = (audit_rule){.id = ct_arena_copy(set->arena, r->rule_id),
                         .pack = r->pack,
                         .version = r->version,
                         .file = r->clause.file,
                         .line = r->rule_line};
    build_rule(r, rule);
}

/* A rule that is wrong is added like any other: nothing is run once something was wrong. */
static void end_rule(struct reader *r)
{
    if (!r->in_rule)
        return;
    for (int f = 0; f < FIELDS; f++) {
        if (!r->texts[f].given && fields[f].missing)
            wrong_at(r, r->rule_line, 1, fields[f].missing);
        if (fields[f].expression && r->texts[f].given)
            expand(r, &r->texts[f]);
    }
    add_rule(r);
    for (int f = 0; f < FIELDS; f++)
        audit_text_free(&r->texts[f]);
    r->in_rule = false;
}

static bool id_ok(ct_str id)
{
    for (size_t i = 0; i < id.n; i++)
        if (!((id.p[i] >= 'a' && id.p[i] <= 'z') || (id.p[i] >= '0' && id.p[i] <= '9') ||
              id.p[i] == '-'))
            return false;
    return id.n > 0 && id.n <= 64;
}

static void start_rule(struct reader *r, ct_str id, size_t column)
{
    r->in_rule = true;
    r->rule_id = id;
    r->rule_line = r->line;
    r->indent = 0;
    r->clause.on = NULL;
    if (!id_ok(id))
        wrong(r, column, "a rule's id is made of small letters, digits and -, 64 at most");
    else if (audit_rules_find(r->clause.rules, id))
        wrong(r, column, "a rule of this id was there before");
}

static void start_define(struct reader *r, ct_str value, size_t column)
{
    size_t n = 0;

    while (n < value.n && value.p[n] != ' ' && value.p[n] != '\t')
        n++;
    r->in_define = true;
    r->define_name = ct_str_head(value, n);
    r->open = &r->define_text;
    value = ct_str_from(value, n);
    while (value.n && (value.p[0] == ' ' || value.p[0] == '\t')) {
        value = ct_str_from(value, 1);
        n++;
    }
    audit_text_add(&r->define_text, value, r->line, column + n, false);
}

/* A line that starts at column 1. */
static void head_line(struct reader *r, ct_str key, ct_str value, size_t column)
{
    ct_arena *a = r->clause.rules->arena;

    end_rule(r);
    end_define(r);
    r->open = NULL;
    if (ct_str_is(key, "rule"))
        start_rule(r, value, column);
    else if (ct_str_is(key, "define"))
        start_define(r, value, column);
    else if (ct_str_is(key, "pack"))
        r->pack = ct_arena_copy(a, value);
    else if (ct_str_is(key, "version"))
        r->version = ct_arena_copy(a, value);
    else
        wrong(r, 1, "not rule, define, pack or version");
}

/* A field of the rule. */
static void field_line(struct reader *r, ct_str key, ct_str value, size_t indent, size_t column)
{
    r->open = NULL;
    for (int f = 0; f < FIELDS; f++)
        if (ct_str_is(key, fields[f].name)) {
            if (r->texts[f].given) {
                wrong(r, indent + 1, "the field is given twice");
            } else {
                audit_text_add(&r->texts[f], value, r->line, column, false);
                r->open = &r->texts[f];
            }
            return;
        }
    wrong(r, indent + 1, "no such field");
}

static void continue_line(struct reader *r, ct_str s, size_t indent)
{
    if (!r->open)
        return; /* continues what was wrong already */
    ct_buf_c(&r->open->text, ' ');
    audit_text_add(r->open, s, r->line, indent + 1, false);
}

static void read_line(struct reader *r, ct_str line)
{
    ct_str s = ct_str_trim(line), value;
    size_t indent = s.n ? (size_t)(s.p - line.p) : 0, n = 0, column;

    if (s.n == 0 || s.p[0] == '#')
        return;
    while (n < s.n && s.p[n] != ' ' && s.p[n] != '\t')
        n++;
    value = ct_str_trim(ct_str_from(s, n));
    column = value.n ? (size_t)(value.p - line.p) + 1 : indent + n + 1;
    if (indent == 0) {
        head_line(r, ct_str_head(s, n), value, column);
        return;
    }
    if (r->in_rule && r->indent == 0)
        r->indent = indent;
    if (r->in_rule && indent == r->indent)
        field_line(r, ct_str_head(s, n), value, indent, column);
    else if ((r->in_rule && indent > r->indent) || r->in_define)
        continue_line(r, s, indent);
    else
        wrong(r, indent + 1, "indented less than the fields before, or outside a rule");
}

void audit_rules_parse(audit_rules *rules, const char *file, ct_str text, audit_wrong_fn *on_wrong,
                       void *ctx)
{
    struct reader r = {
        .clause = {.rules = rules, .file = file, .wrong = on_wrong, .ctx = ctx},
        .pack = ct_str_z(file),
        .version = CT_S("0"),
    };

    while (text.p) {
        r.line++;
        read_line(&r, ct_str_cut(&text, '\n'));
    }
    end_rule(&r);
    end_define(&r);
    audit_defines_free(&r.defines);
}
