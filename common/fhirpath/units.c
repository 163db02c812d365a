/* Units of UCUM: what a code stands for, in base units and exactly, so that quantities of one kind
 * of measure can be compared, added and converted. The units are in ucum.tsv.
 *
 * A number in base units is the quotient of two integers times a power of ten. What does not fit
 * the integers' 128 bits cannot be decided, as a unit that the table does not have: the caller
 * gives an empty result.
 */
#include <pthread.h>

#include "common/fhirpath/internal.h"

extern const ct_datafile ct_fhirpath_data[];

enum { CODE, PREFIXES, FACTOR, DEFINITION, OFFSET, COLUMNS };
enum {
    ROWS_MAX = 256,
    CODE_MAX = 256, /* the longest code that is looked at, in bytes */
    NEST_MAX = 16,
    EXPONENT_MAX = 64,
    TEN_MAX = 400, /* the largest power of ten */
    CALENDAR = ROWS_MAX - 1,
};

typedef struct row {
    bool prefixes;
    struct fp_unit unit;
} row;

/* A code's number among the names is its row's place, from 1. */
static struct {
    ct_names *codes;
    row rows[CALENDAR];
    size_t n;
} table;

static const struct {
    const char *code;
    int ten;
} prefixes[] = {{"da", 1}, {"Y", 24},  {"Z", 21},  {"E", 18},  {"P", 15},  {"T", 12}, {"G", 9},
                {"M", 6},  {"k", 3},   {"h", 2},   {"d", -1},  {"c", -2},  {"m", -3}, {"u", -6},
                {"n", -9}, {"p", -12}, {"f", -15}, {"a", -18}, {"z", -21}, {"y", -24}};

/* ---- exact quotients ---- */

static __int128 divisor(__int128 a, __int128 b)
{
    a = a < 0 ? -a : a;
    while (b != 0) {
        __int128 rest = a % b;
        a = b;
        b = rest;
    }
    return a ? a : 1; /* zeros have nothing in common that could cancel */
}

static bool times(__int128 a, __int128 b, __int128 *out)
{
    const __int128 most = (__int128)(~(unsigned __int128)0 >> 1);
    __int128 x = a < 0 ? -a : a, y = b < 0 ? -b : b;
    if (y != 0 && x > most / y)
        return false;
    *out = a * b;
    return true;
}

/* The one spelling of the number: no common divisors, no tens in the numerator, neither 2 nor 5 in
 * the denominator. Two numbers are equal if and only if their spellings are. */
static bool reduce(struct fp_ratio *r)
{
    if (r->num == 0) {
        *r = (struct fp_ratio){0, 1, 0};
        return true;
    }
    __int128 common = divisor(r->num, r->den);
    r->num /= common;
    r->den /= common;
    while (r->den % 2 == 0 || r->den % 5 == 0) {
        bool two = r->den % 2 == 0;
        r->den /= two ? 2 : 5;
        r->ten--;
        if (!times(r->num, two ? 5 : 2, &r->num))
            return false;
    }
    for (; r->num % 10 == 0; r->ten++)
        r->num /= 10;
    return r->ten <= TEN_MAX && r->ten >= -TEN_MAX;
}

static bool multiply(struct fp_ratio a, struct fp_ratio b, struct fp_ratio *out)
{
    /* Across first: what cancels need not fit. */
    __int128 x = divisor(a.num, b.den), y = divisor(b.num, a.den);
    *out = (struct fp_ratio){.ten = a.ten + b.ten};
    return times(a.num / x, b.num / y, &out->num) && times(a.den / y, b.den / x, &out->den) &&
           reduce(out);
}

static bool invert(struct fp_ratio *r)
{
    if (r->num == 0)
        return false;
    *r = r->num < 0 ? (struct fp_ratio){-r->den, -r->num, -r->ten}
                    : (struct fp_ratio){r->den, r->num, -r->ten};
    return reduce(r);
}

static bool from_decimal(struct fp_dec d, struct fp_ratio *r)
{
    *r = (struct fp_ratio){d.c, 1, -d.scale};
    return reduce(r);
}

/* To a decimal: exact where it has an end, else as a division rounds. */
static bool to_decimal(struct fp_ratio r, struct fp_dec *out)
{
    struct fp_dec num = {r.num, r.ten < 0 ? -r.ten : 0}, den = {r.den, 0};
    for (; r.ten > 0; r.ten--) {
        if (!times(num.c, 10, &num.c))
            return false;
    }
    if (r.den == 1 && num.scale <= FP_SCALE_MAX) {
        *out = num;
        return true;
    }
    return num.scale <= FP_SCALE_MAX && ct_dec_div(num, den, out);
}

bool ct_fp_ratio_cmp(struct fp_ratio a, struct fp_ratio b, int *cmp)
{
    struct fp_ratio by;
    int sign_a = (a.num > 0) - (a.num < 0), sign_b = (b.num > 0) - (b.num < 0);
    *cmp = sign_a - sign_b;
    if (sign_a != sign_b || sign_a == 0)
        return true;
    /* a/b against 1 */
    if (!invert(&b) || !multiply(a, b, &by))
        return false;
    for (; by.ten > 0; by.ten--) {
        if (!times(by.num, 10, &by.num))
            return false;
    }
    for (; by.ten < 0; by.ten++) {
        if (!times(by.den, 10, &by.den))
            return false;
    }
    *cmp = sign_a * ((by.num > by.den) - (by.num < by.den));
    return true;
}

/* ---- products of units ---- */

static const struct fp_unit one = {.factor = {1, 1, 0}};

static bool add_dimension(struct fp_unit *u, uint8_t which, int exponent)
{
    size_t i = 0;
    while (i < u->ndims && u->dims[i].which < which)
        i++;
    if (i < u->ndims && u->dims[i].which == which) {
        exponent += u->dims[i].exponent;
        if (exponent == 0) {
            memmove(&u->dims[i], &u->dims[i + 1], (--u->ndims - i) * sizeof *u->dims);
            return true;
        }
    } else {
        if (u->ndims == CT_LEN(u->dims))
            return false;
        memmove(&u->dims[i + 1], &u->dims[i], (u->ndims++ - i) * sizeof *u->dims);
    }
    u->dims[i] = (struct fp_dim){which, (int8_t)exponent};
    return exponent <= EXPONENT_MAX && exponent >= -EXPONENT_MAX;
}

/* `u` times v^exponent. What has an offset is a scale, which no product can have in it. */
static bool take_in(struct fp_unit *u, const struct fp_unit *v, int exponent)
{
    struct fp_ratio factor = v->factor;
    int n = exponent < 0 ? -exponent : exponent;
    if (n > EXPONENT_MAX || (exponent < 0 && !invert(&factor)))
        return false;
    if (v->offset.c != 0) {
        if (exponent != 1 || u->ndims != 0 || u->factor.num != 1 || u->factor.den != 1 ||
            u->factor.ten != 0 || u->offset.c != 0)
            return false;
        *u = *v;
        return true;
    }
    if (u->offset.c != 0)
        return false;
    for (; n > 0; n /= 2) {
        if (n % 2 == 1 && !multiply(u->factor, factor, &u->factor))
            return false;
        if (n > 1 && !multiply(factor, factor, &factor))
            return false;
    }
    for (size_t i = 0; i < v->ndims; i++) {
        if (!add_dimension(u, v->dims[i].which, v->dims[i].exponent * exponent))
            return false;
    }
    return true;
}

/* ---- codes: TERM = [/] COMPONENT (. or / COMPONENT)... ---- */

static bool parse_term(ct_str s, size_t *i, int nest, struct fp_unit *u);

static const row *find_row(ct_str code)
{
    uint16_t id = ct_names_find(table.codes, code);
    return id ? &table.rows[id - 1] : NULL;
}

/* An atom, with a prefix or without. */
static bool atom(ct_str s, struct fp_unit *u)
{
    const row *r = find_row(s);
    if (r) {
        *u = r->unit;
        return true;
    }
    for (size_t i = 0; i < CT_LEN(prefixes); i++) {
        ct_str prefix = ct_str_z(prefixes[i].code);
        if (!ct_str_starts(s, prefix))
            continue;
        r = find_row(ct_str_from(s, prefix.n));
        if (r && r->prefixes && r->unit.offset.c == 0) {
            *u = r->unit;
            u->factor.ten += prefixes[i].ten;
            return true;
        }
    }
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits at the end, with a sign or without, cut off as an exponent. */
static bool cut_exponent(ct_str *s, int *exponent)
{
    size_t n = s->n;
    *exponent = 1;
    while (n > 0 && is_digit(s->p[n - 1]))
        n--;
    if (n == s->n)
        return true;
    if (s->n - n > 3)
        return false;
    *exponent = 0;
    for (size_t i = n; i < s->n; i++)
        *exponent = *exponent * 10 + (s->p[i] - '0');
    if (n > 0 && (s->p[n - 1] == '-' || s->p[n - 1] == '+') && s->p[--n] == '-')
        *exponent = -*exponent;
    s->n = n;
    return *exponent != 0;
}

/* A number, or an atom with its exponent. */
static bool simple_unit(ct_str s, struct fp_unit *u)
{
    struct fp_unit base;
    struct fp_dec number;
    int exponent;
    size_t digits = 0;
    while (digits < s.n && is_digit(s.p[digits]))
        digits++;
    *u = one;
    if (digits == s.n) /* none at all is no component */
        return s.n > 0 && ct_dec_parse(s, &number) && from_decimal(number, &u->factor) &&
               u->factor.num != 0;
    return cut_exponent(&s, &exponent) && s.n > 0 && atom(s, &base) && take_in(u, &base, exponent);
}

/* The characters of a simple unit: up to an operator that is in no bracket. */
static ct_str simple_text(ct_str s, size_t *i)
{
    size_t from = *i;
    bool bracket = false;
    for (; *i < s.n; ++*i) {
        char c = s.p[*i];
        if (!bracket && (c == '.' || c == '/' || c == '(' || c == ')' || c == '{'))
            break;
        bracket = c == '[' || (bracket && c != ']');
    }
    return (ct_str){s.p + from, *i - from};
}

/* {words} say what is measured and count as 1. */
static bool annotation(ct_str s, size_t *i)
{
    const char *end = memchr(s.p + *i, '}', s.n - *i);
    if (!end || memchr(s.p + *i + 1, '{', (size_t)(end - s.p) - *i - 1))
        return false;
    *i = (size_t)(end - s.p) + 1;
    return true;
}

static bool component(ct_str s, size_t *i, int nest, struct fp_unit *u)
{
    if (*i < s.n && s.p[*i] == '(') {
        ++*i;
        return nest < NEST_MAX && parse_term(s, i, nest + 1, u) && *i < s.n && s.p[(*i)++] == ')';
    }
    ct_str text = simple_text(s, i);
    bool annotated = *i < s.n && s.p[*i] == '{';
    *u = one;
    if ((text.n > 0 || !annotated) && !simple_unit(text, u))
        return false;
    return !annotated || annotation(s, i);
}

/* `1.73` is 73 by the grammar and never by those who wrote it. */
static bool is_fraction(ct_str s, size_t from, size_t to)
{
    while (from < to && is_digit(s.p[from]))
        from++;
    return from == to && to + 1 < s.n && s.p[to] == '.' && is_digit(s.p[to + 1]);
}

static bool parse_term(ct_str s, size_t *i, int nest, struct fp_unit *u)
{
    struct fp_unit part;
    bool under = *i < s.n && s.p[*i] == '/';
    *u = one;
    *i += under;
    for (;;) {
        size_t from = *i;
        if (!component(s, i, nest, &part) || !take_in(u, &part, under ? -1 : 1) ||
            is_fraction(s, from, *i))
            return false;
        if (*i == s.n || (s.p[*i] != '.' && s.p[*i] != '/'))
            return true;
        under = s.p[(*i)++] == '/';
    }
}

static bool parse_code(ct_str code, struct fp_unit *u)
{
    size_t i = 0;
    return code.n <= CODE_MAX && parse_term(code, &i, 0, u) && i == code.n;
}

/* ---- the table ---- */

static bool parse_factor(ct_str s, struct fp_ratio *r)
{
    struct fp_ratio under;
    struct fp_dec d;
    ct_str num = ct_str_cut(&s, '/');
    /* An exponent may be larger than a decimal's. */
    ct_str power = num;
    num = ct_str_cut(&power, 'e');
    if (!ct_dec_parse(num, &d) || !from_decimal(d, r))
        return false;
    if (power.p) {
        int64_t ten;
        if (!ct_dec_parse(power, &d) || !ct_dec_to_int(d, &ten))
            return false;
        r->ten += (int)ten;
    }
    return !s.p || (ct_dec_parse(s, &d) && from_decimal(d, &under) && invert(&under) &&
                    multiply(*r, under, r));
}

/* Row number `n` of the table, which the units above it are known to. */
static bool load_row(const ct_str *cols, size_t ncols, row *r)
{
    struct fp_unit factor = one, of = one;
    *r = (row){.prefixes = ct_str_is(cols[PREFIXES], "yes"), .unit = one};
    if (ncols <= DEFINITION || !parse_factor(cols[FACTOR], &factor.factor))
        return false;
    if (ct_str_is(cols[DEFINITION], "-"))
        return add_dimension(&r->unit, (uint8_t)table.n, 1);
    return parse_code(cols[DEFINITION], &of) && take_in(&r->unit, &factor, 1) &&
           take_in(&r->unit, &of, 1) &&
           (ncols <= OFFSET || ct_dec_parse(cols[OFFSET], &r->unit.offset));
}

/* The table comes with the program and is checked by its tests: a row that is not right ends it. */
static void load(void)
{
    const ct_datafile *file = ct_datafile_find(ct_fhirpath_data, "ucum.tsv");
    ct_str rest = {file->text, file->n}, cols[COLUMNS];
    table.codes = ct_names_new();
    for (size_t n; (n = ct_tsv_next(&rest, cols, COLUMNS, NULL)) && table.n < CT_LEN(table.rows);) {
        if (!load_row(cols, n, &table.rows[table.n]))
            break;
        table.n++;
        ct_names_add(table.codes, cols[CODE]);
    }
}

/* ---- units of quantities ---- */

/* Years and months of the calendar have no length in seconds, but twelve of the one are the other.
 */
static struct fp_unit calendar_unit(const struct fp_time_unit *t)
{
    struct fp_unit u = one;
    u.ndims = 1;
    u.dims[0] = (struct fp_dim){CALENDAR, 1};
    if (ct_str_is(CT_S("year"), t->word))
        u.factor.num = 12;
    return u;
}

bool ct_fp_unit(ct_str text, struct fp_unit *u)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    bool calendar;
    const struct fp_time_unit *t = ct_fp_time_unit(text, &calendar);
    if (t && calendar && t->ms == 0) {
        *u = calendar_unit(t);
        return true;
    }
    pthread_once(&once, load);
    return parse_code(t ? ct_str_z(t->code) : text, u);
}

bool ct_fp_unit_comparable(const struct fp_unit *u, const struct fp_unit *v)
{
    return u->ndims == v->ndims && memcmp(u->dims, v->dims, u->ndims * sizeof *u->dims) == 0;
}

bool ct_fp_unit_value(struct fp_dec d, const struct fp_unit *u, struct fp_ratio *out)
{
    struct fp_ratio number;
    return ct_dec_add(d, u->offset, &d) && from_decimal(d, &number) &&
           multiply(number, u->factor, out);
}

bool ct_fp_unit_convert(struct fp_dec d, const struct fp_unit *from, const struct fp_unit *to,
                        struct fp_dec *out)
{
    struct fp_ratio value, by = to->factor;
    struct fp_dec offset = to->offset;
    offset.c = -offset.c;
    return ct_fp_unit_comparable(from, to) && ct_fp_unit_value(d, from, &value) && invert(&by) &&
           multiply(value, by, &value) && to_decimal(value, out) && ct_dec_add(*out, offset, out);
}

/* Divisions bring a code into brackets that is more than one unit. */
static bool is_compound(ct_str unit)
{
    return memchr(unit.p, '.', unit.n) || memchr(unit.p, '/', unit.n);
}

/* The UCUM code of a unit, which may be a calendar word of a length that is the same. */
static ct_str code_of(ct_str unit)
{
    bool calendar;
    const struct fp_time_unit *t = ct_fp_time_unit(unit, &calendar);
    return t && t->ms != 0 ? ct_str_z(t->code) : unit;
}

bool ct_fp_unit_product(ct_arena *a, ct_str u, ct_str v, bool divided, ct_str *out)
{
    struct fp_unit unit;
    u = code_of(u);
    v = code_of(v);
    if (ct_str_is(v, "1"))
        *out = u;
    else if (ct_str_is(u, "1") && !divided)
        *out = v;
    else if (u.n + v.n + 3 > CODE_MAX)
        return false;
    else
        *out = ct_arena_printf(a, divided && is_compound(v) ? "%.*s%s(%.*s)" : "%.*s%s%.*s",
                               (int)u.n, u.p, divided ? "/" : ".", (int)v.n, v.p);
    return ct_fp_unit(*out, &unit);
}
