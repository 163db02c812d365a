#include "tests/helpers/random_json.h"

/* splitmix64: any seed is as good as any other. */
unsigned roll(dice *d, unsigned sides)
{
    uint64_t z = d->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (unsigned)((z ^ (z >> 31)) % sides);
}

ct_str random_name(unsigned i)
{
    static const char nul[] = "nul\0here";
    static const char *const names[RANDOM_NAMES - 1] = {
        "id",
        "resourceType",
        "status",
        "extension",
        "_birthDate",
        "valueQuantity",
        "code",
        "verificationStatus",
        "identifier",
        "k",
        "K",
        "kk",
        "",
        "a name with spaces",
        "quote\"",
        "back\\slash",
        "line\nend",
        "\x01\x1f\x7f",
        "caf\xc3\xa9",
        "\xf0\x9f\x98\x80",
        "a/b",
        "\xe2\x80\xa8",
        "a name that is longer than thirty-two bytes, as no name of FHIR's is",
    };
    i %= RANDOM_NAMES;
    return i < CT_LEN(names) ? ct_str_z(names[i]) : (ct_str){nul, sizeof(nul) - 1};
}

static void random_space(dice *d, ct_buf *b)
{
    static const char *const spaces[] = {"",   "",    "",   "",     " ",
                                         "\n", "\t ", "  ", "\r\n", " \n\n\t\r "};
    ct_buf_z(b, spaces[roll(d, CT_LEN(spaces))]);
}

static unsigned code_point(ct_str *s)
{
    unsigned char c = (unsigned char)s->p[0];
    unsigned n = c < 0x80   ? 1
                 : c < 0xe0 ? 2
                 : c < 0xf0 ? 3
                            : 4,
             point = n == 1 ? c : c & (0x7fu >> n);
    for (unsigned i = 1; i < n; i++)
        point = point << 6 | ((unsigned char)s->p[i] & 0x3f);
    *s = ct_str_from(*s, n);
    return point;
}

static void put_escape(dice *d, ct_buf *b, unsigned point)
{
    static const char letters[] = "\"\\/\b\f\n\r\t", escapes[] = "\"\\/bfnrt";
    const char *letter = point && point < 0x80 ? strchr(letters, (int)point) : NULL;
    const char *format = roll(d, 2) ? "\\u%04x" : "\\u%04X";
    if (letter && roll(d, 2)) {
        ct_buf_c(b, '\\');
        ct_buf_c(b, escapes[letter - letters]);
    } else if (point >= 0x10000) {
        char pair[32];
        ct_buf u = {0};
        ct_buf_printf(&u, roll(d, 2) ? "\\u%04x\\u%04X" : "\\u%04X\\u%04x",
                      0xd800 + ((point - 0x10000) >> 10), 0xdc00 + (point & 0x3ff));
        memcpy(pair, u.p, u.n);
        ct_buf_put(b, (ct_str){pair, u.n});
        ct_buf_free(&u);
    } else {
        ct_buf_printf(b, format, point);
    }
}

/* The string with quotes; any character may be escaped, and some must be. */
static void put_spelled(dice *d, ct_buf *b, ct_str s)
{
    unsigned rate = 1 + roll(d, 40);
    ct_buf_c(b, '"');
    while (s.n) {
        ct_str rest = s;
        unsigned point = code_point(&rest);
        if (point < 0x20 || point == '"' || point == '\\' || roll(d, rate) == 0)
            put_escape(d, b, point);
        else
            ct_buf_put(b, ct_str_head(s, s.n - rest.n));
        s = rest;
    }
    ct_buf_c(b, '"');
}

static void random_string(dice *d, ct_buf *b)
{
    static const char *const pieces[] = {"plain text",
                                         "\"",
                                         "\\",
                                         "{[,:]}",
                                         "\n",
                                         "\xc3\xa9",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x8f\xa5",
                                         "\xf4\x8f\xbf\xbf",
                                         "/",
                                         "0",
                                         " "};
    ct_buf s = {0};
    /* Long ones too: strings are scanned in blocks of 16 to 64 bytes. */
    for (unsigned n = roll(d, roll(d, 8) ? 5 : 60); n > 0; n--)
        ct_buf_z(&s, pieces[roll(d, CT_LEN(pieces))]);
    if (roll(d, 20) == 0)
        ct_buf_c(&s, '\0');
    put_spelled(d, b, ct_buf_str(&s));
    ct_buf_free(&s);
}

static void random_number(dice *d, ct_buf *b)
{
    static const char *const numbers[] = {"0",
                                          "-0",
                                          "-0.0",
                                          "1.50",
                                          "1E+2",
                                          "1e-07",
                                          "1e400",
                                          "12.0",
                                          "7",
                                          "-1E-0",
                                          "0e0",
                                          "0.1e+0001",
                                          "123456789012345678901234567890",
                                          "3.14159265358979323846264338327950288"};
    ct_buf_z(b, numbers[roll(d, CT_LEN(numbers))]);
}

static void random_scalar(dice *d, ct_buf *b)
{
    static const char *const literals[] = {"true", "false", "null"};
    switch (roll(d, 4)) {
    case 0:
        random_number(d, b);
        break;
    case 1:
        ct_buf_z(b, literals[roll(d, CT_LEN(literals))]);
        break;
    default:
        random_string(d, b);
    }
}

/* Names differ within an object: a run of the table, or numbered where there are more. */
static void put_name(dice *d, ct_buf *b, unsigned start, unsigned i)
{
    if (i < RANDOM_NAMES)
        put_spelled(d, b, random_name(start + i));
    else
        ct_buf_printf(b, "\"member %u\"", i);
    random_space(d, b);
    ct_buf_c(b, ':');
    random_space(d, b);
}

void random_value(dice *d, ct_buf *b, int depth, unsigned size)
{
    if (depth <= 0 || roll(d, 3) == 0) {
        random_scalar(d, b);
        return;
    }
    bool object = roll(d, 2);
    unsigned start = roll(d, RANDOM_NAMES);
    ct_buf_c(b, object ? '{' : '[');
    random_space(d, b);
    for (unsigned i = 0, n = roll(d, size + 1); i < n; i++) {
        if (i) {
            ct_buf_c(b, ',');
            random_space(d, b);
        }
        if (object)
            put_name(d, b, start, i);
        random_value(d, b, depth - 1, size);
        random_space(d, b);
    }
    ct_buf_c(b, object ? '}' : ']');
}

static void random_deep(dice *d, ct_buf *b)
{
    static const char *const opens[] = {"[", "[1,", "{\"a\":", "{\"id\":[], \"b\" : ", "[ "};
    static const char *const closes[] = {"]", ",2]", "}", " , \"c\":0}", "\n]"};
    unsigned char chosen[400];
    unsigned n = roll(d, CT_LEN(chosen));
    for (unsigned i = 0; i < n; i++) {
        chosen[i] = (unsigned char)roll(d, CT_LEN(opens));
        ct_buf_z(b, opens[chosen[i]]);
    }
    random_value(d, b, 2, 3);
    while (n > 0)
        ct_buf_z(b, closes[chosen[--n]]);
}

void random_text(dice *d, ct_buf *b, unsigned size)
{
    random_space(d, b);
    if (size > 2 && roll(d, 64) == 0)
        random_deep(d, b);
    else if (roll(d, 64) == 0)
        random_value(d, b, 1, 40 * size);
    else
        random_value(d, b, 1 + (int)roll(d, 5), size);
    random_space(d, b);
}

/* ---- resources ---- */

/* Templates without white space, by letter: `%x` is one of template x, `%*x` none to three of them
 * with commas between. Small letters that have no template are texts, dates and numbers. */
static const char *const templates[128] = {
    ['P'] =
        "{\"resourceType\":\"Patient\",\"id\":%i,\"meta\":{\"versionId\":\"1\",\"lastUpdated\":%t,"
        "\"tag\":[%*C]},\"text\":{\"status\":\"generated\",\"div\":%s},\"extension\":[%*X],"
        "\"identifier\":[%*I],\"active\":%b,\"name\":[%*N],\"telecom\":[{\"system\":\"phone\","
        "\"value\":%s,\"rank\":%n}],\"gender\":\"unknown\",\"birthDate\":%d,\"_birthDate\":{"
        "\"extension\":[%*X]},\"deceasedBoolean\":%b,\"address\":[%*A],\"contact\":[{\"name\":%N,"
        "\"relationship\":[%*K]}],\"link\":[{\"other\":%R,\"type\":\"seealso\"}]}",
    ['E'] = "{\"resourceType\":\"Encounter\",\"id\":%i,\"status\":\"finished\",\"class\":%C,"
            "\"type\":[%*K],"
            "\"subject\":%R,\"participant\":[{\"individual\":%R,\"period\":%p}],\"period\":%p,"
            "\"diagnosis\":[{\"condition\":%R,\"rank\":%n}],\"hospitalization\":{},\"x-local\":[]}",
    ['O'] = "{\"resourceType\":\"Observation\",\"id\":%i,\"status\":\"final\",\"code\":%K,"
            "\"subject\":%R,"
            "\"effectiveDateTime\":%t,\"valueQuantity\":%Q,\"component\":[%*V],\"note\":[{\"text\":"
            "%s}],"
            "\"referenceRange\":[{\"low\":%Q,\"high\":%Q}],\"contained\":[%P]}",
    ['D'] =
        "{\"resourceType\":\"Condition\",\"id\":%i,\"clinicalStatus\":%K,\"verificationStatus\":%K,"
        "\"category\":[%*K],\"code\":%K,\"subject\":%R,\"onsetDateTime\":%d,\"recordedDate\":%t,"
        "\"stage\":[{\"assessment\":[%*R],\"extension\":[]}]}",
    ['A'] = "{\"line\":[%s,%s],\"city\":%s,\"postalCode\":%s,\"extension\":[%*X]}",
    ['C'] = "{\"system\":\"http://example.org/codes\",\"code\":%s,\"display\":%s}",
    ['I'] = "{\"type\":%K,\"system\":\"urn:oid:1.2.3\",\"value\":%s}",
    ['K'] = "{\"coding\":[%*C],\"text\":%s}",
    ['N'] = "{\"use\":\"official\",\"family\":%s,\"given\":[%s,%s],\"_given\":[null,{\"id\":%i}]}",
    ['Q'] = "{\"value\":%n,\"unit\":%s,\"code\":%s}",
    ['R'] = "{\"reference\":%s,\"display\":%s}",
    ['V'] = "{\"code\":%K,\"valueQuantity\":%Q}",
    ['X'] = "{\"url\":\"http://example.org/x\",\"valueDecimal\":%n}",
    ['p'] = "{\"start\":%t,\"end\":%t}",
};

enum { ONE_LINE, MANY_LINES, ANYHOW };

typedef struct printer {
    dice *d;
    ct_buf *b;
    int style;
    unsigned indent;
} printer;

static void put_break(printer *p)
{
    if (p->style == MANY_LINES)
        ct_buf_printf(p->b, "\n%*s", (int)(2 * p->indent), "");
    else if (p->style == ANYHOW)
        random_space(p->d, p->b);
}

static void put_mark(printer *p, char c)
{
    bool opens = c == '{' || c == '[', closes = c == '}' || c == ']';
    if (closes) {
        p->indent--;
        put_break(p);
    }
    ct_buf_c(p->b, c);
    if (opens)
        p->indent++;
    if (opens || c == ',')
        put_break(p);
    else if (c == ':' && p->style != ONE_LINE)
        ct_buf_c(p->b, ' ');
}

static void put_leaf(printer *p, char kind)
{
    if (kind == 'n')
        random_number(p->d, p->b);
    else if (kind == 'b')
        ct_buf_z(p->b, roll(p->d, 2) ? "true" : "false");
    else if (kind == 'i')
        ct_buf_printf(p->b, "\"made-up-%u\"", roll(p->d, 100000));
    else if (kind == 'd')
        ct_buf_printf(p->b, "\"%u-%02u\"", 1900 + roll(p->d, 120), 1 + roll(p->d, 12));
    else if (kind == 't')
        ct_buf_printf(p->b, "\"2020-0%u-11T10:00:00.50+01:00\"", 1 + roll(p->d, 9));
    else
        random_string(p->d, p->b);
}

static void put_template(printer *p, const char *t)
{
    bool quoted = false;
    for (; *t; t++) {
        if (*t == '"')
            quoted = !quoted;
        if (*t == '%') {
            bool some = t[1] == '*';
            t += some ? 2 : 1;
            for (unsigned i = 0, n = some ? roll(p->d, 4) : 1; i < n; i++) {
                if (i)
                    put_mark(p, ',');
                if (templates[(unsigned char)*t])
                    put_template(p, templates[(unsigned char)*t]);
                else
                    put_leaf(p, *t);
            }
        } else if (!quoted && strchr("{}[],:", *t)) {
            put_mark(p, *t);
        } else {
            ct_buf_c(p->b, *t);
        }
    }
}

void random_resource(dice *d, ct_buf *b)
{
    static const char kinds[] = "PEOD";
    printer p = {.d = d, .b = b, .style = (int)roll(d, 3)};
    put_template(&p, templates[(unsigned char)kinds[roll(d, 4)]]);
}
