/* Tokens to a tree: precedence climbing over the N1 grammar.
 *
 * Nesting is bounded (FP_NEST_MAX for what recurses here, FP_DEPTH_MAX for the tree that evaluation
 * walks), so that no source can use up the stack.
 */
#include "common/fhirpath/internal.h"

struct parser {
    struct fp_lexer lex;
    struct fp_token tok;
    int nest;
};

/* Binary operators, tightest first; `.`, `[` and prefixes bind tighter than all. */
static const struct binary {
    const char *text;
    uint8_t op, level;
} binaries[] = {
    {"*", OP_MULTIPLY, 9},   {"/", OP_DIVIDE, 9},
    {"div", OP_DIV, 9},      {"mod", OP_MOD, 9},
    {"+", OP_ADD, 8},        {"-", OP_SUBTRACT, 8},
    {"&", OP_CONCAT, 8},     {"is", OP_IS, 7},
    {"as", OP_AS, 7},        {"|", OP_UNION, 6},
    {"<=", OP_LESS_EQ, 5},   {"<", OP_LESS, 5},
    {">", OP_GREATER, 5},    {">=", OP_GREATER_EQ, 5},
    {"=", OP_EQUAL, 4},      {"~", OP_EQUIVALENT, 4},
    {"!=", OP_NOT_EQUAL, 4}, {"!~", OP_NOT_EQUIVALENT, 4},
    {"in", OP_IN, 3},        {"contains", OP_CONTAINS, 3},
    {"and", OP_AND, 2},      {"or", OP_OR, 1},
    {"xor", OP_XOR, 1},      {"implies", OP_IMPLIES, 0},
};

enum { LEVEL_LOWEST = 0, LEVEL_PREFIX = 10 };

static bool expression(struct parser *p, int level, struct fp_node **out);

static bool refuse(struct parser *p, const char *text)
{
    return ct_fp_refuse(p->lex.err, CT_E_USAGE, p->tok.at, text);
}

static bool advance(struct parser *p)
{
    return ct_fp_lex(&p->lex, &p->tok);
}

static bool at_op(const struct parser *p, const char *text)
{
    return p->tok.kind == T_OP && ct_str_is(p->tok.text, text);
}

static bool expect(struct parser *p, const char *text, const char *otherwise)
{
    return at_op(p, text) ? advance(p) : refuse(p, otherwise);
}

static struct fp_node *node(struct parser *p, enum fp_op op, size_t at)
{
    struct fp_node *n = ct_arena_alloc(p->lex.a, sizeof *n);
    n->op = (uint8_t)op;
    n->at = (uint32_t)at;
    n->depth = 1;
    return n;
}

static bool deepen(struct parser *p, struct fp_node *n, const struct fp_node *below)
{
    if (below && below->depth >= n->depth)
        n->depth = (uint16_t)(below->depth + 1);
    if (n->depth > FP_DEPTH_MAX)
        return ct_fp_refuse(p->lex.err, CT_E_LIMIT, n->at, "expression with too many parts");
    return true;
}

static bool descend(struct parser *p)
{
    if (p->nest >= FP_NEST_MAX)
        return ct_fp_refuse(p->lex.err, CT_E_LIMIT, p->tok.at, "expression nested too deep");
    p->nest++;
    return true;
}

/* ---- names ---- */

/* Keywords that the grammar also takes as identifiers. */
static bool is_identifier(const struct fp_token *t)
{
    static const char *const reserved[] = {"and", "or",   "xor",   "implies", "div",
                                           "mod", "true", "false", NULL};
    if (t->kind == T_DELIMITED)
        return true;
    if (t->kind != T_IDENT)
        return false;
    for (size_t i = 0; reserved[i]; i++) {
        if (ct_str_is(t->text, reserved[i]))
            return false;
    }
    return true;
}

/* Identifier or Namespace.Identifier, as one text. */
static bool qualified(struct parser *p, ct_str *name)
{
    if (!is_identifier(&p->tok))
        return refuse(p, "a type's name is missing");
    *name = p->tok.text;
    if (!advance(p))
        return false;
    if (!at_op(p, ".") || !(ct_str_is(*name, "FHIR") || ct_str_is(*name, "System")))
        return true;
    if (!advance(p))
        return false;
    if (!is_identifier(&p->tok))
        return refuse(p, "a type's name is missing");
    *name = ct_arena_printf(p->lex.a, "%.*s.%.*s", (int)name->n, name->p, (int)p->tok.text.n,
                            p->tok.text.p);
    return advance(p);
}

/* ---- literals ---- */

static bool calendar_word(const struct fp_token *t)
{
    bool calendar;
    return t->kind == T_IDENT && ct_fp_time_unit(t->text, &calendar) && calendar;
}

static bool number(struct parser *p, struct fp_node **out)
{
    struct fp_token t = p->tok;
    struct fp_node *n = node(p, OP_CONST, t.at);
    struct fp_dec d;
    if (!ct_dec_parse(t.text, &d))
        return refuse(p, "number with too many digits");
    /* JSON has no zeros in front. */
    t.text = ct_dec_text(p->lex.a, d);
    if (!advance(p))
        return false;
    *out = n;
    if (p->tok.kind == T_STRING || calendar_word(&p->tok)) {
        n->u.item = (ct_item){.type = CT_I_QUANTITY, .text = t.text, .unit = p->tok.text};
        return advance(p);
    }
    if (t.kind == T_DECIMAL) {
        n->u.item = (ct_item){.type = CT_I_DECIMAL, .text = t.text};
        return true;
    }
    int64_t v;
    /* One past the largest is let through for a minus before it. */
    if (!ct_dec_to_int(d, &v) || v > (int64_t)INT32_MAX + 1)
        return ct_fp_refuse(p->lex.err, CT_E_USAGE, t.at, "integer too large");
    n->u.item = ct_fp_item_int(v);
    return true;
}

static bool literal(struct parser *p, struct fp_node **out)
{
    struct fp_token *t = &p->tok;
    if (t->kind == T_INTEGER || t->kind == T_DECIMAL)
        return number(p, out);
    struct fp_node *n = *out = node(p, OP_CONST, t->at);
    if (t->kind == T_STRING)
        n->u.item = ct_fp_item_string(t->text);
    else if (t->kind == T_IDENT)
        n->u.item = ct_fp_item_bool(ct_str_is(t->text, "true"));
    else
        n->u.item = (ct_item){.type = t->kind == T_DATE   ? CT_I_DATE
                                      : t->kind == T_TIME ? CT_I_TIME
                                                          : CT_I_DATETIME,
                              .text = t->kind == T_TIME ? ct_str_from(t->text, 1) : t->text,
                              .date = t->date};
    return advance(p);
}

/* ---- constants from outside ---- */

/* The constants with fixed values (FHIR R4, fhirpath.html, "Environment variables"). */
static bool fixed_constant(ct_str name, ct_arena *a, ct_str *value)
{
    static const struct {
        const char *name, *value;
    } fixed[] = {{"ucum", "http://unitsofmeasure.org"},
                 {"sct", "http://snomed.info/sct"},
                 {"loinc", "http://loinc.org"}};
    static const struct {
        const char *prefix, *base;
    } families[] = {{"vs-", "http://hl7.org/fhir/ValueSet/"},
                    {"ext-", "http://hl7.org/fhir/StructureDefinition/"}};
    for (size_t i = 0; i < CT_LEN(fixed); i++) {
        if (ct_str_is(name, fixed[i].name)) {
            *value = ct_str_z(fixed[i].value);
            return true;
        }
    }
    for (size_t i = 0; i < CT_LEN(families); i++) {
        ct_str prefix = ct_str_z(families[i].prefix);
        if (ct_str_starts(name, prefix) && name.n > prefix.n) {
            *value = ct_arena_printf(a, "%s%.*s", families[i].base, (int)(name.n - prefix.n),
                                     name.p + prefix.n);
            return true;
        }
    }
    return false;
}

static const struct {
    const char *name;
    uint8_t op;
} places[] = {{"resource", OP_RESOURCE},
              {"rootResource", OP_RESOURCE},
              {"context", OP_CONTEXT},
              {"chart", OP_CHART}};

static bool constant(struct parser *p, struct fp_node **out)
{
    struct fp_node *n = *out = node(p, OP_CONST, p->tok.at);
    ct_str value;
    for (size_t i = 0; i < CT_LEN(places); i++) {
        if (ct_str_is(p->tok.text, places[i].name)) {
            n->op = places[i].op;
            return advance(p);
        }
    }
    if (fixed_constant(p->tok.text, p->lex.a, &value)) {
        n->u.item = ct_fp_item_string(value);
    } else { /* resolve.c knows what is defined where */
        n->op = OP_VARIABLE;
        n->name = p->tok.text;
    }
    return advance(p);
}

bool ct_fp_constant(ct_str name, ct_arena *a)
{
    ct_str value;
    for (size_t i = 0; i < CT_LEN(places); i++) {
        if (ct_str_is(name, places[i].name))
            return true;
    }
    return fixed_constant(name, a, &value);
}

static bool special(struct parser *p, struct fp_node **out)
{
    enum fp_op op;
    if (ct_str_is(p->tok.text, "this"))
        op = OP_THIS;
    else if (ct_str_is(p->tok.text, "index"))
        op = OP_INDEX;
    else if (ct_str_is(p->tok.text, "total"))
        op = OP_TOTAL;
    else
        return refuse(p, "not $this, $index or $total");
    *out = node(p, op, p->tok.at);
    return advance(p);
}

/* ---- invocations ---- */

static bool arguments(struct parser *p, struct fp_node *n)
{
    struct fp_node *args[8];
    if (!advance(p))
        return false;
    while (!at_op(p, ")")) {
        if (n->nargs == CT_LEN(args))
            return refuse(p, "too many arguments");
        if (n->nargs > 0 && !expect(p, ",", "a comma or a closing bracket is missing"))
            return false;
        if (!expression(p, LEVEL_LOWEST, &args[n->nargs]) || !deepen(p, n, args[n->nargs]))
            return false;
        n->nargs++;
    }
    n->args = ct_arena_alloc(p->lex.a, (n->nargs + 1) * sizeof(void *));
    for (size_t i = 0; i < n->nargs; i++)
        n->args[i] = args[i];
    return advance(p);
}

/* An element or a function behind `input` (NULL: at the start). */
static bool invocation(struct parser *p, struct fp_node *input, struct fp_node **out)
{
    if (!is_identifier(&p->tok))
        return refuse(p, p->tok.kind == T_END ? "expression ends too early"
                                              : "a name or a value is missing");
    struct fp_node *n = node(p, input ? OP_STEP : OP_NAME, p->tok.at);
    n->name = p->tok.text;
    n->a = input;
    *out = n;
    if (!deepen(p, n, input) || !advance(p))
        return false;
    if (!at_op(p, "("))
        return true;
    n->op = OP_CALL;
    return arguments(p, n);
}

static bool bracketed(struct parser *p, struct fp_node **out)
{
    return advance(p) && expression(p, LEVEL_LOWEST, out) &&
           expect(p, ")", "a closing bracket is missing");
}

static bool empty_braces(struct parser *p, struct fp_node **out)
{
    *out = node(p, OP_EMPTY, p->tok.at);
    return advance(p) && expect(p, "}", "a closing brace is missing");
}

static bool term(struct parser *p, struct fp_node **out)
{
    const struct fp_token *t = &p->tok;
    switch (t->kind) {
    case T_CONSTANT:
        return constant(p, out);
    case T_SPECIAL:
        return special(p, out);
    case T_STRING:
    case T_INTEGER:
    case T_DECIMAL:
    case T_DATE:
    case T_DATETIME:
    case T_TIME:
        return literal(p, out);
    case T_IDENT:
        if (ct_str_is(t->text, "true") || ct_str_is(t->text, "false"))
            return literal(p, out);
        break;
    default:
        break;
    }
    if (at_op(p, "("))
        return bracketed(p, out);
    if (at_op(p, "{"))
        return empty_braces(p, out);
    return invocation(p, NULL, out);
}

static bool postfix(struct parser *p, struct fp_node **out)
{
    if (!term(p, out))
        return false;
    for (;;) {
        if (at_op(p, ".")) {
            if (!advance(p) || !invocation(p, *out, out))
                return false;
        } else if (at_op(p, "[")) {
            struct fp_node *n = node(p, OP_INDEXER, p->tok.at);
            n->a = *out;
            if (!advance(p) || !expression(p, LEVEL_LOWEST, &n->b) ||
                !expect(p, "]", "a closing square bracket is missing") || !deepen(p, n, n->a) ||
                !deepen(p, n, n->b))
                return false;
            *out = n;
        } else {
            return true;
        }
    }
}

static bool prefix(struct parser *p, struct fp_node **out)
{
    bool minus = at_op(p, "-");
    if (!minus && !at_op(p, "+"))
        return postfix(p, out);
    struct fp_node *n = node(p, minus ? OP_NEGATE : OP_PLUS, p->tok.at);
    if (!descend(p) || !advance(p) || !prefix(p, &n->a))
        return false;
    p->nest--;
    *out = n;
    return deepen(p, n, n->a);
}

/* ---- operators ---- */

static const struct binary *binary_at(const struct parser *p)
{
    if (p->tok.kind != T_OP && p->tok.kind != T_IDENT)
        return NULL;
    for (size_t i = 0; i < CT_LEN(binaries); i++) {
        if (ct_str_is(p->tok.text, binaries[i].text))
            return &binaries[i];
    }
    return NULL;
}

static bool binary_rest(struct parser *p, const struct binary *b, struct fp_node **out)
{
    struct fp_node *n = node(p, b->op, p->tok.at);
    n->a = *out;
    *out = n;
    if (!advance(p) || !deepen(p, n, n->a))
        return false;
    if (b->op == OP_IS || b->op == OP_AS)
        return qualified(p, &n->name);
    return expression(p, b->level + 1, &n->b) && deepen(p, n, n->b);
}

static bool expression(struct parser *p, int level, struct fp_node **out)
{
    const struct binary *b;
    if (!descend(p) || !prefix(p, out))
        return false;
    while ((b = binary_at(p)) && b->level >= level) {
        if (!binary_rest(p, b, out))
            return false;
    }
    p->nest--;
    return true;
}

bool ct_fp_parse(ct_str src, ct_arena *a, struct fp_node **root, ct_err *err)
{
    struct parser p = {.lex = {.src = src, .a = a, .err = err}};
    if (src.n > FP_SOURCE_MAX)
        return ct_fp_refuse(err, CT_E_LIMIT, FP_SOURCE_MAX, "expression too long");
    if (!advance(&p) || !expression(&p, LEVEL_LOWEST, root))
        return false;
    return p.tok.kind == T_END || refuse(&p, "expression should end here");
}
