/* Binds the names of a parsed expression: functions, types, elements, regular expressions.
 *
 * A misspelt element would give an empty collection, and a rule that asks `exists().not()` of it
 * would pass or fail everything without a word. So names are checked here, as far as types are
 * known before any record is seen:
 *
 * - behind a type's name (`Patient.name.given`) each step must be an element of the type before it;
 *   where a choice leaves several types, of one of them;
 * - where the type is not known (a path that starts with an element, children(), resolve(),
 * contained resources, %resource …) a step must be an element of some type of R4.
 */
#include "common/fhirpath/internal.h"

/* The types that items of a collection can have. Known and none: values without elements. */
struct kinds {
    bool known;
    bool unordered; /* children() and what comes of them */
    const ct_ftype *const *v;
    size_t n;
};

static const struct kinds any = {0}, system_value = {.known = true};

/* A variable that was defined ahead of where we are. */
struct variable {
    ct_str name;
    struct kinds kinds;
    uint32_t slot;
    const struct variable *before;
};

struct resolver {
    ct_path *p;
    ct_err *err;
    struct kinds start; /* where the evaluation starts */
    int lambdas;        /* how many lambdas around */
    const struct variable *variables;
};

static bool resolve(struct resolver *x, struct fp_node *n, const struct kinds *focus,
                    struct kinds *out);

/* What is defined in an operand or argument ends with it. */
static bool resolve_part(struct resolver *x, struct fp_node *n, const struct kinds *focus,
                         struct kinds *out)
{
    const struct variable *before = x->variables;
    if (!resolve(x, n, focus, out))
        return false;
    x->variables = before;
    return true;
}

static bool refuse(struct resolver *x, const struct fp_node *n, const char *text)
{
    return ct_fp_refuse(x->err, CT_E_USAGE, n->at, text);
}

/* ---- sets of types ---- */

static bool is_open(const ct_ftype *t)
{
    return !t || (t->abstract && t->kind == CT_F_RESOURCE) || ct_str_is(t->name, "Element") ||
           ct_str_is(t->name, "BackboneElement");
}

static struct kinds join_kinds(struct resolver *x, struct kinds a, const ct_ftype *const *v,
                               size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (is_open(v[i]))
            return any;
    }
    const ct_ftype **all = ct_arena_alloc(x->p->a, (a.n + n + 1) * sizeof(void *));
    for (size_t i = 0; i < a.n; i++)
        all[i] = a.v[i];
    for (size_t i = 0; i < n; i++)
        all[a.n + i] = v[i];
    return (struct kinds){.known = true, .unordered = a.unordered, .v = all, .n = a.n + n};
}

static struct kinds one_kind(struct resolver *x, const ct_ftype *t)
{
    return join_kinds(x, system_value, &t, 1);
}

/* ---- steps ---- */

static uint16_t underscored(const ct_path *p, ct_str name)
{
    ct_str under = ct_arena_printf(p->a, "_%.*s", (int)name.n, name.p);
    return ct_names_find(p->names, under);
}

static void widen(struct fp_step *st, uint16_t id)
{
    if (id && (st->lowest == 0 || id < st->lowest))
        st->lowest = id;
    if (id > st->highest)
        st->highest = id;
}

/* The JSON names of a choice: NAME followed by each type, first letter in upper case. */
static void find_alternatives(const ct_path *p, struct fp_node *n, const ct_felement *choice)
{
    struct fp_step *st = &n->u.step;
    struct fp_alt *alts = ct_arena_alloc(p->a, (choice->ntypes + 1) * sizeof *alts);
    for (size_t i = 0; i < choice->ntypes; i++) {
        ct_str type = choice->types[i] ? choice->types[i]->name : (ct_str){"", 0};
        if (type.n == 0)
            continue;
        char first = type.p[0] >= 'a' && type.p[0] <= 'z' ? (char)(type.p[0] - 0x20) : type.p[0];
        ct_str name = ct_arena_printf(p->a, "%.*s%c%.*s", (int)n->name.n, n->name.p, first,
                                      (int)type.n - 1, type.p + 1);
        uint16_t id = ct_names_find(p->names, name);
        if (!id)
            continue;
        struct fp_alt alt = {id, underscored(p, name), choice->types[i]};
        widen(st, alt.id);
        widen(st, alt.under);
        alts[st->nalts++] = alt;
    }
    st->alts = alts;
}

/* What the step is at run time. The open choice of Extension.value has every type that any choice
 * has. */
static void make_step(struct resolver *x, struct fp_node *n, const struct kinds *in)
{
    const ct_path *p = x->p;
    struct fp_step *st = &n->u.step;
    n->op = OP_STEP;
    st->id = ct_names_find(p->names, n->name);
    st->under = underscored(p, n->name);
    st->on_primitive = ct_str_is(n->name, "id") || ct_str_is(n->name, "extension");
    if (in->n == 1) {
        st->type = in->v[0];
        st->element = ct_model_element(st->type, n->name, NULL);
        if (st->element && !ct_str_eq(st->element->name, n->name))
            st->element = NULL;
    }
    const ct_felement *choice = st->element && st->element->choice
                                    ? st->element
                                    : ct_model_element(p->t_extension, CT_S("value"), NULL);
    if (choice)
        find_alternatives(p, n, choice);
}

/* The element of that name, where the type lets a path go to it. */
static const ct_felement *reachable(const ct_ftype *t, ct_str name)
{
    if (t->kind == CT_F_PRIMITIVE && !ct_str_is(name, "id") && !ct_str_is(name, "extension"))
        return NULL;
    return ct_model_element(t, name, NULL);
}

static bool check_known(struct resolver *x, struct fp_node *n, const struct kinds *in,
                        struct kinds *out)
{
    bool found = false, json = false;
    *out = system_value;
    for (size_t i = 0; i < in->n; i++) {
        const ct_felement *e = reachable(in->v[i], n->name);
        if (!e)
            continue;
        if (!ct_str_eq(e->name, n->name)) {
            json = true;
            continue;
        }
        found = true;
        if (out->known)
            *out = e->ntypes > 0 ? join_kinds(x, *out, e->types, e->ntypes) : any;
    }
    if (found)
        return true;
    return refuse(x, n,
                  json        ? "choice of types: its name in FHIRPath is the part before the type"
                  : in->n > 0 ? "no such element"
                              : "a value has no elements");
}

static bool resolve_step(struct resolver *x, struct fp_node *n, const struct kinds *focus,
                         struct kinds *out)
{
    struct kinds in = *focus;
    *out = any;
    if (n->a && !resolve(x, n->a, focus, &in))
        return false;
    if (in.known) {
        if (!check_known(x, n, &in, out))
            return false;
    } else if (!ct_names_find(x->p->names, n->name) && !ct_str_is(n->name, "namespace")) {
        return refuse(x, n, "no element of R4 has this name");
    }
    out->unordered = in.unordered;
    make_step(x, n, &in);
    return true;
}

/* ---- types ---- */

/* The resource that the whole expression is about: named by its first step, and no other named. */
static void note_context(struct resolver *x, const ct_ftype *t)
{
    ct_path *p = x->p;
    if (x->lambdas > 0 || t->kind != CT_F_RESOURCE)
        return;
    if (t->abstract || (p->context && p->context != t))
        p->mixed = true;
    p->context = t;
}

static bool is_a(const ct_ftype *t, const ct_ftype *base)
{
    while (t && t != base)
        t = t->base;
    return t != NULL;
}

/* Can an item of these kinds be of type `t`? */
static bool possible(const struct kinds *k, const ct_ftype *t)
{
    for (size_t i = 0; i < k->n; i++) {
        if (is_a(k->v[i], t) || is_a(t, k->v[i]))
            return true;
    }
    return !k->known;
}

/* An identifier at the start. Types begin with a capital, elements do not. */
static bool resolve_name(struct resolver *x, struct fp_node *n, const struct kinds *focus,
                         struct kinds *out)
{
    bool capital = n->name.n > 0 && n->name.p[0] >= 'A' && n->name.p[0] <= 'Z';
    const ct_ftype *t = capital ? ct_model_type(x->p->model, n->name) : NULL;
    if (capital && !t)
        return refuse(x, n, "no type of R4 has this name");
    if (!t)
        return resolve_step(x, n, focus, out);
    if (!possible(focus, t))
        return refuse(x, n, "$this is never of this type here");
    n->op = OP_TYPESTEP;
    n->u.type = (struct fp_type){.fhir = t};
    note_context(x, t);
    *out = one_kind(x, t);
    return true;
}

static bool find_type(struct resolver *x, const struct fp_node *at, ct_str name,
                      struct fp_type *type)
{
    return ct_fp_type_find(x->p->model, name, type) || (type->nowhere && !x->p->strict) ||
           refuse(x, at, "unknown type");
}

/* The argument of is(), as() and ofType(): Name or Namespace.Name. */
static bool type_argument(struct resolver *x, struct fp_node *n, struct kinds *out)
{
    const struct fp_node *arg = n->args[0];
    ct_str name = arg->name;
    struct fp_type type;
    if (arg->op == OP_STEP && arg->a && arg->a->op == OP_NAME)
        name = ct_arena_printf(x->p->a, "%.*s.%.*s", (int)arg->a->name.n, arg->a->name.p,
                               (int)name.n, name.p);
    else if (arg->op != OP_NAME)
        return refuse(x, arg, "a type's name is missing");
    if (!find_type(x, arg, name, &type))
        return false;
    n->u.type = type;
    if ((n->fn->result & GIVES) == GIVES_TYPE)
        *out = type.fhir && !type.system ? one_kind(x, type.fhir) : any;
    return true;
}

static bool resolve_type_op(struct resolver *x, struct fp_node *n, const struct kinds *focus,
                            struct kinds *out)
{
    struct kinds in;
    struct fp_type type;
    if (!resolve(x, n->a, focus, &in) || !find_type(x, n, n->name, &type))
        return false;
    n->u.type = type;
    *out = n->op == OP_IS ? system_value : type.fhir && !type.system ? one_kind(x, type.fhir) : any;
    return true;
}

/* ---- calls ---- */

static bool is_text(const struct fp_node *n)
{
    return n->op == OP_CONST && n->u.item.type == CT_I_STRING;
}

static bool is_lambda(const struct fp_function *f, size_t i)
{
    return f->args == ARG_ALL || (f->args == ARG_LAMBDA && i == 0) ||
           (f->args == ARG_SECOND && i == 1);
}

static bool literal_regex(struct resolver *x, struct fp_node *n, const struct fp_node *pattern)
{
    ct_err why;
    struct fp_regexes *keep = ct_arena_alloc(x->p->a, sizeof *keep);
    keep->re = ct_fp_regex_new(pattern->u.item.text, &why);
    if (!keep->re)
        return refuse(x, pattern, why.text);
    keep->next = x->p->regexes;
    x->p->regexes = keep;
    n->u.regex = keep->re;
    return true;
}

/* A first argument that is a literal is looked up once, and refused where nothing is there. */
static bool literal_argument(struct resolver *x, struct fp_node *n)
{
    const struct fp_node *arg = n->nargs > 0 ? n->args[0] : NULL;
    if (!arg || !is_text(arg))
        return true;
    switch (n->fn->args) {
    case ARG_REGEX:
        return literal_regex(x, n, arg);
    case ARG_PROFILE:
        n->u.type.fhir = ct_fp_profile(x->p->model, arg->u.item.text);
        return n->u.type.fhir || refuse(x, arg, "not the StructureDefinition of a type of R4");
    case ARG_CODES:
        n->u.codes = ct_fp_codes(x->p->model, arg->u.item.text);
        return n->u.codes || refuse(x, arg, "value set whose codes are not known here");
    default:
        return true;
    }
}

/* ---- variables ---- */

static const struct variable *find_variable(const struct resolver *x, ct_str name)
{
    const struct variable *v = x->variables;
    while (v && !ct_str_eq(v->name, name))
        v = v->before;
    return v;
}

static bool resolve_variable(struct resolver *x, struct fp_node *n, struct kinds *out)
{
    const struct variable *v = find_variable(x, n->name);
    if (!v)
        return refuse(x, n, "unknown % constant");
    n->u.slot = v->slot;
    *out = v->kinds;
    return true;
}

static bool define_variable(struct resolver *x, struct fp_node *n, const struct kinds *in)
{
    struct fp_node *name = n->args[0];
    struct kinds value = *in;
    if (!is_text(name) || name->u.item.text.n == 0)
        return refuse(x, name, "the name of a variable is a string as it stands");
    if (n->nargs > 1 && !resolve_part(x, n->args[1], in, &value))
        return false;
    if (find_variable(x, name->u.item.text) || ct_fp_constant(name->u.item.text, x->p->a))
        return refuse(x, name, "this variable is there already");
    struct variable *v = ct_arena_alloc(x->p->a, sizeof *v);
    *v = (struct variable){name->u.item.text, value, (uint32_t)x->p->nvars++, x->variables};
    x->variables = v;
    n->u.slot = v->slot;
    return true;
}

/* ---- what is refused by --strict ---- */

/* Is it a value, and for certain no boolean? */
static bool is_no_boolean(const struct fp_node *n)
{
    return (n->op == OP_CONST && n->u.item.type != CT_I_BOOLEAN) ||
           (n->op >= OP_NEGATE && n->op <= OP_CONCAT);
}

static bool check_condition(struct resolver *x, const struct fp_node *n)
{
    if (x->p->strict && is_no_boolean(n))
        return refuse(x, n, "a condition that is no boolean");
    return true;
}

/* Does the function take its first argument as a condition? */
static bool is_conditional(const struct fp_function *f)
{
    return f->fn == ct_fn_iif || f->fn == ct_fn_where || f->fn == ct_fn_exists ||
           f->fn == ct_fn_all;
}

static bool check_order(struct resolver *x, const struct fp_node *n, const struct kinds *in)
{
    if (x->p->strict && in->unordered)
        return refuse(x, n, "a place among items that have no order");
    return true;
}

static bool resolve_args(struct resolver *x, struct fp_node *n, const struct kinds *in,
                         const struct kinds *focus, struct kinds *out)
{
    struct kinds arg = any;
    for (size_t i = 0; i < n->nargs; i++) {
        bool lambda = is_lambda(n->fn, i);
        x->lambdas += lambda;
        if (!resolve_part(x, n->args[i], lambda ? in : focus, &arg))
            return false;
        x->lambdas -= lambda;
    }
    if ((n->fn->result & GIVES) == GIVES_ARG)
        *out = arg;
    if (n->nargs > 0 && is_conditional(n->fn) && !check_condition(x, n->args[0]))
        return false;
    return literal_argument(x, n);
}

/* What the function gives, as far as its input tells. */
static struct kinds result_kinds(struct resolver *x, const struct fp_function *f,
                                 const struct kinds *in)
{
    switch (f->result & GIVES) {
    case GIVES_SYSTEM:
        return system_value;
    case GIVES_INPUT:
        return *in;
    case GIVES_EXTENSION:
        return one_kind(x, x->p->t_extension);
    default:
        return any;
    }
}

static bool resolve_call(struct resolver *x, struct fp_node *n, const struct kinds *focus,
                         struct kinds *out)
{
    struct kinds in = *focus;
    if (n->a && !resolve(x, n->a, focus, &in))
        return false;
    n->fn = ct_fp_function(n->name);
    if (!n->fn)
        return refuse(x, n, "unknown function");
    if (n->nargs < n->fn->min || n->nargs > n->fn->max)
        return refuse(x, n, "wrong number of arguments");
    if ((n->fn->result & ORDER_ASKED) && !check_order(x, n, &in))
        return false;
    *out = result_kinds(x, n->fn, &in);
    bool ok = n->fn->args == ARG_TYPE     ? type_argument(x, n, out)
              : n->fn->args == ARG_DEFINE ? define_variable(x, n, &in)
                                          : resolve_args(x, n, &in, focus, out);
    if ((n->fn->result & GIVES) != GIVES_SYSTEM)
        out->unordered =
            (n->fn->result & ORDER_NONE) || (in.unordered && !(n->fn->result & ORDER_MADE));
    return ok;
}

/* ---- operators ---- */

/* Arithmetic on constants is done now, and once. */
static void fold(struct resolver *x, struct fp_node *n)
{
    ct_context c = {.model = x->p->model, .arena = x->p->a};
    struct fp_run r = {.path = x->p, .c = &c, .a = x->p->a, .steps = FP_STEPS_MAX};
    struct fp_scope s = {.index = -1};
    struct fp_coll v = {0};
    bool prefix = n->op == OP_NEGATE || n->op == OP_PLUS;
    bool arithmetic = n->op >= OP_MULTIPLY && n->op <= OP_CONCAT;
    if ((!prefix && !arithmetic) || n->a->op != OP_CONST || (n->b && n->b->op != OP_CONST))
        return;
    if (!ct_fp_eval(&r, n, &s, &v) || v.n != 1)
        return;
    n->op = OP_CONST;
    n->u.item = v.v[0];
}

static bool is_date_kind(const ct_path *p, const ct_ftype *t)
{
    return t == p->t_date || t == p->t_datetime || t == p->t_instant || t == p->t_time;
}

/* Are they dates for certain, by their element's type? */
static bool only_dates(const struct resolver *x, const struct kinds *k)
{
    for (size_t i = 0; i < k->n; i++) {
        if (!is_date_kind(x->p, k->v[i]))
            return false;
    }
    return k->known && k->n > 0;
}

static bool check_comparison(struct resolver *x, const struct fp_node *n, const struct kinds *a,
                             const struct kinds *b)
{
    if (n->op < OP_LESS || n->op > OP_NOT_EQUIVALENT)
        return true;
    if ((only_dates(x, a) && is_text(n->b)) || (only_dates(x, b) && is_text(n->a)))
        return refuse(x, n, "date compared with a string: a date is written @YYYY-MM-DD");
    return true;
}

/* The second operand, which only a sign does without, and whether it goes with the first. */
static bool resolve_right(struct resolver *x, struct fp_node *n, const struct kinds *focus,
                          const struct kinds *a, struct kinds *b)
{
    if (!resolve_part(x, n->b, focus, b) || !check_comparison(x, n, a, b))
        return false;
    return n->op < OP_AND || (check_condition(x, n->a) && check_condition(x, n->b));
}

static bool resolve_operator(struct resolver *x, struct fp_node *n, const struct kinds *focus,
                             struct kinds *out)
{
    struct kinds a = any, b = any;
    bool chain = n->op == OP_INDEXER; /* goes on with what is defined before it */
    if (!(chain ? resolve : resolve_part)(x, n->a, focus, &a) ||
        (n->b && !resolve_right(x, n, focus, &a, &b)) || (chain && !check_order(x, n, &a)))
        return false;
    /* Sums may be quantities, which have parts. */
    bool number = n->op >= OP_NEGATE && n->op <= OP_SUBTRACT;
    *out = number ? any : system_value;
    if (n->op == OP_UNION)
        *out = a.known && b.known ? join_kinds(x, a, b.v, b.n) : any;
    else if (n->op == OP_INDEXER)
        *out = a;
    fold(x, n);
    return true;
}

/* Depth is bounded by the parser. */
static bool resolve(struct resolver *x, struct fp_node *n, const struct kinds *focus,
                    struct kinds *out)
{
    *out = any;
    switch (n->op) {
    case OP_CONST:
        *out = n->u.item.type == CT_I_QUANTITY ? any : system_value;
        return true;
    case OP_INDEX:
        *out = system_value;
        return true;
    case OP_THIS:
        *out = *focus;
        return true;
    case OP_CONTEXT:
        *out = x->start;
        return true;
    case OP_VARIABLE:
        return resolve_variable(x, n, out);
    case OP_RESOURCE:
        *out = x->start.n == 1 && x->start.v[0]->kind == CT_F_RESOURCE ? x->start : any;
        return true;
    case OP_EMPTY:
    case OP_TOTAL:
    case OP_CHART:
        return true;
    case OP_NAME:
        return resolve_name(x, n, focus, out);
    case OP_STEP:
        return resolve_step(x, n, focus, out);
    case OP_CALL:
        return resolve_call(x, n, focus, out);
    case OP_IS:
    case OP_AS:
        return resolve_type_op(x, n, focus, out);
    default:
        return resolve_operator(x, n, focus, out);
    }
}

/* ---- what does not vary ---- */

/* Marks what depends on the item at hand. A lambda has an item of its own, and takes only $total
 * and variables from outside. */
static void mark(struct fp_node *n)
{
    bool call = n->op == OP_CALL, path = call || n->op == OP_STEP || n->op == OP_INDEXER;
    n->total = n->op == OP_TOTAL || n->op == OP_VARIABLE;
    n->varies = n->total || n->op == OP_THIS || n->op == OP_INDEX || n->op == OP_TYPESTEP ||
                n->op == OP_NAME || (path && !n->a);
    struct fp_node *const sides[] = {n->a, n->op == OP_IS || n->op == OP_AS ? NULL : n->b};
    for (size_t i = 0; i < CT_LEN(sides); i++) {
        if (!sides[i])
            continue;
        mark(sides[i]);
        n->varies |= sides[i]->varies;
        n->total |= sides[i]->total;
    }
    for (size_t i = 0; call && n->fn->args != ARG_TYPE && i < n->nargs; i++) {
        struct fp_node *arg = n->args[i];
        mark(arg);
        bool own = (n->fn->args == ARG_LAMBDA && i == 0) || (n->fn->args == ARG_DEFINE && i == 1);
        n->varies |= own ? arg->total : arg->varies;
        n->total |= arg->total;
    }
}

/* Gives places to the largest parts of lambdas that do not vary. */
static void keep(ct_path *p, struct fp_node *n, bool looped)
{
    bool leaf = n->op == OP_CONST || (!n->a && !n->b && n->nargs == 0);
    if (looped && !n->varies && !leaf) {
        n->memo = (uint32_t)++p->nmemo;
        looped = false;
    }
    if (n->a)
        keep(p, n->a, looped);
    if (n->b && n->op != OP_IS && n->op != OP_AS)
        keep(p, n->b, looped);
    for (size_t i = 0; n->op == OP_CALL && n->fn->args != ARG_TYPE && i < n->nargs; i++)
        keep(p, n->args[i], looped || is_lambda(n->fn, i));
}

bool ct_fp_resolve(ct_path *p, const ct_ftype *type, ct_err *err)
{
    struct resolver x = {.p = p, .err = err};
    struct kinds out;
    x.start = type ? one_kind(&x, type) : any;
    if (!resolve(&x, p->root, &x.start, &out))
        return false;
    const struct fp_node *first = p->root;
    while (first->a)
        first = first->a;
    if (first->op != OP_TYPESTEP || p->mixed)
        p->context = NULL;
    p->likely = p->context ? p->context : type;
    mark(p->root);
    keep(p, p->root, false);
    return true;
}
