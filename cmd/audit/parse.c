/* Rule files: see chart-rules(5). All that is wrong is reported, not just the first. */
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

static const ct_stanza_field fields[FIELDS] = {
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
    audit_rules *rules;
    const char *file;
    ct_str pack, version;
    audit_wrong_fn *wrong;
    void *ctx;
};

/* A field's text in the arena. */
static ct_str keep(const struct audit_clause *c, enum field f)
{
    return ct_arena_copy(c->rules->arena, ct_buf_str(&c->stanza->fields[f].text));
}

static void read_severity(const struct audit_clause *c, audit_rule *rule)
{
    const ct_placed *t = &c->stanza->fields[F_SEVERITY];

    for (int i = 0; i < AUDIT_SEVERITIES; i++)
        if (ct_str_is(ct_buf_str(&t->text), severities[i])) {
            rule->severity = (audit_severity)i;
            return;
        }
    ct_stanza_wrong(c->stanza, t, 0, CT_E_DATA, "not error, warning or information");
}

static void check_link(const struct audit_clause *c)
{
    const ct_placed *t = &c->stanza->fields[F_LINK];
    ct_str link = ct_buf_str(&t->text);

    if (ct_str_find(link, CT_S(":")) == SIZE_MAX || ct_str_find(link, CT_S(" ")) != SIZE_MAX)
        ct_stanza_wrong(c->stanza, t, 0, CT_E_DATA, "not a URI");
}

static void read_applies(struct audit_clause *c, audit_rule *rule)
{
    c->on = ct_stanza_applies(c->stanza, &c->stanza->fields[F_APPLIES], &rule->guard);
    if (c->on)
        rule->type = c->on->name;
}

/* Reads what the rule has, so that all that is wrong is told at once. */
static void build_rule(struct audit_clause *c, audit_rule *rule)
{
    const ct_placed *t = c->stanza->fields;

    if (t[F_SEVERITY].given)
        read_severity(c, rule);
    if (t[F_APPLIES].given)
        read_applies(c, rule);
    if (t[F_REQUIRE].given)
        rule->require = ct_stanza_compile(c->stanza, &t[F_REQUIRE], 0, c->on);
    rule->message = keep(c, F_MESSAGE);
    rule->cite = keep(c, F_CITE);
    if (t[F_LINK].given)
        check_link(c);
    rule->link = keep(c, F_LINK);
    if (t[F_OWNER].given)
        audit_read_owner(c, &t[F_OWNER], rule);
    rule->due.text = keep(c, F_DUE);
    if (t[F_DUE].given)
        audit_read_due(c, &t[F_DUE], &rule->due);
    if (t[F_HOLDS].given)
        audit_read_holds(c, &t[F_HOLDS], &rule->holds);
}

static void add_rule(void *ctx, const ct_stanza *s)
{
    struct reader *r = ctx;
    audit_rules *set = r->rules;
    struct audit_clause clause = {.rules = set, .stanza = s};
    audit_rule *rule;

    if (set->n == set->cap) {
        set->cap = set->cap ? 2 * set->cap : 64;
        set->v = ct_realloc(set->v, set->cap, sizeof(*set->v));
    }
    rule = &set->v[set->n++];
    *rule = (audit_rule){.id = ct_arena_copy(set->arena, s->id),
                         .pack = r->pack,
                         .version = r->version,
                         .file = r->file,
                         .line = s->line};
    build_rule(&clause, rule);
}

static const char *read_head(void *ctx, ct_str key, ct_str value)
{
    struct reader *r = ctx;

    if (ct_str_is(key, "pack"))
        r->pack = ct_arena_copy(r->rules->arena, value);
    else if (ct_str_is(key, "version"))
        r->version = ct_arena_copy(r->rules->arena, value);
    else
        return "not rule, define, pack or version";
    return NULL;
}

static bool is_taken(void *ctx, ct_str id)
{
    struct reader *r = ctx;

    return audit_rules_find(r->rules, id) != NULL;
}

static void tell_wrong(void *ctx, const ct_err *err)
{
    struct reader *r = ctx;

    r->wrong(r->ctx, err);
}

void audit_rules_parse(audit_rules *rules, const char *file, ct_str text, audit_wrong_fn *on_wrong,
                       void *ctx)
{
    struct reader r = {.rules = rules,
                       .file = file,
                       .pack = ct_str_z(file),
                       .version = CT_S("0"),
                       .wrong = on_wrong,
                       .ctx = ctx};
    const ct_stanzas rule_file = {
        .model = rules->model,
        .file = file,
        .word = "rule",
        .fields = fields,
        .nfields = FIELDS,
        .head = read_head,
        .taken = is_taken,
        .stanza = add_rule,
        .wrong = tell_wrong,
        .ctx = &r,
        .bad_id = "a rule's id is made of small letters, digits and -, 64 at most",
        .taken_id = "a rule of this id was there before",
        .outside = "indented less than the fields before, or outside a rule",
    };

    ct_stanzas_read(&rule_file, text);
}
