/* FHIRPath source to tokens (the lexical part of the N1 grammar). */
#include "common/fhirpath/internal.h"

bool ct_fp_refuse(ct_err *err, ct_errkind kind, size_t at, const char *text)
{
    ct_fail_at(err, kind, text, "column %zu", at + 1);
    if (err)
        err->offset = at;
    return false;
}

static bool bad(struct fp_lexer *l, size_t at, const char *text)
{
    return ct_fp_refuse(l->err, CT_E_USAGE, at, text);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static char peek(const struct fp_lexer *l, size_t ahead)
{
    return l->pos + ahead < l->src.n ? l->src.p[l->pos + ahead] : '\0';
}

static bool skip_block_comment(struct fp_lexer *l)
{
    size_t at = l->pos;
    for (l->pos += 2; l->pos + 1 < l->src.n; l->pos++) {
        if (l->src.p[l->pos] == '*' && l->src.p[l->pos + 1] == '/') {
            l->pos += 2;
            return true;
        }
    }
    return bad(l, at, "comment without end");
}

static bool skip_space(struct fp_lexer *l)
{
    while (l->pos < l->src.n) {
        char c = l->src.p[l->pos];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            l->pos++;
        } else if (c == '/' && peek(l, 1) == '/') {
            while (l->pos < l->src.n && l->src.p[l->pos] != '\n')
                l->pos++;
        } else if (c == '/' && peek(l, 1) == '*') {
            if (!skip_block_comment(l))
                return false;
        } else {
            break;
        }
    }
    return true;
}

/* ---- quoted text ---- */

static size_t put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xC0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xE0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 0x3F));
        to[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    to[0] = (char)(0xF0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 0x3F));
    to[2] = (char)(0x80 | (c >> 6 & 0x3F));
    to[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* Four hexadecimal digits at `at`, or -1. */
static int32_t hex4(const struct fp_lexer *l, size_t at)
{
    int32_t v = 0;
    if (l->src.n - at < 4 || at > l->src.n)
        return -1;
    for (size_t i = 0; i < 4; i++) {
        char c = l->src.p[at + i];
        int digit = is_digit(c)              ? c - '0'
                    : (c >= 'a' && c <= 'f') ? c - 'a' + 10
                    : (c >= 'A' && c <= 'F') ? c - 'A' + 10
                                             : -1;
        if (digit < 0)
            return -1;
        v = v * 16 + digit;
    }
    return v;
}

/* \uXXXX, l->pos at the u; a pair of surrogates is one character. */
static bool unicode_escape(struct fp_lexer *l, char *to, size_t *n)
{
    int32_t c = hex4(l, l->pos + 1);
    if (c < 0)
        return bad(l, l->pos - 1, "\\u is not followed by four hexadecimal digits");
    l->pos += 5;
    if (c >= 0xD800 && c < 0xE000) {
        int32_t low = peek(l, 0) == '\\' && peek(l, 1) == 'u' ? hex4(l, l->pos + 2) : -1;
        if (c >= 0xDC00 || low < 0xDC00 || low >= 0xE000)
            return bad(l, l->pos - 6, "\\u names half of a surrogate pair");
        l->pos += 6;
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    *n += put_utf8(to + *n, (uint32_t)c);
    return true;
}

static bool escape(struct fp_lexer *l, char *to, size_t *n)
{
    static const char from[] = "'\"`\\/rntf", into[] = "'\"`\\/\r\n\t\f";
    char c = peek(l, 1);
    l->pos++;
    if (c == 'u')
        return unicode_escape(l, to, n);
    const char *known = c ? strchr(from, c) : NULL;
    if (!known)
        return bad(l, l->pos - 1, "unknown escape in quotes");
    to[(*n)++] = into[known - from];
    l->pos++;
    return true;
}

/* Text up to the quote that it began with. Decoding never makes it longer. */
static bool quoted(struct fp_lexer *l, ct_str *text)
{
    size_t at = l->pos, n = 0;
    char quote = l->src.p[l->pos++];
    const char *end = memchr(l->src.p + l->pos, quote, l->src.n - l->pos);
    if (!end)
        return bad(l, at, "quote without end");
    size_t plain = (size_t)(end - (l->src.p + l->pos));
    if (!memchr(l->src.p + l->pos, '\\', plain)) {
        *text = (ct_str){l->src.p + l->pos, plain};
        l->pos += plain + 1;
        return true;
    }
    char *to = ct_arena_alloc(l->a, l->src.n - l->pos + 4);
    while (l->pos < l->src.n && l->src.p[l->pos] != quote) {
        if (l->src.p[l->pos] != '\\')
            to[n++] = l->src.p[l->pos++];
        else if (!escape(l, to, &n))
            return false;
    }
    if (l->pos >= l->src.n)
        return bad(l, at, "quote without end");
    l->pos++;
    *text = (ct_str){to, n};
    return true;
}

/* ---- tokens ---- */

static ct_str word(struct fp_lexer *l)
{
    size_t from = l->pos;
    while (is_letter(peek(l, 0)) || is_digit(peek(l, 0)))
        l->pos++;
    return (ct_str){l->src.p + from, l->pos - from};
}

static bool number(struct fp_lexer *l, struct fp_token *t)
{
    size_t from = l->pos;
    t->kind = T_INTEGER;
    while (is_digit(peek(l, 0)))
        l->pos++;
    if (peek(l, 0) == '.' && is_digit(peek(l, 1))) {
        t->kind = T_DECIMAL;
        for (l->pos++; is_digit(peek(l, 0));)
            l->pos++;
    }
    t->text = (ct_str){l->src.p + from, l->pos - from};
    return true;
}

static bool date(struct fp_lexer *l, struct fp_token *t)
{
    ct_itype type = CT_I_DATE;
    size_t n = ct_fp_date_scan(ct_str_from(l->src, l->pos + 1), &t->date, &type);
    char c = peek(l, n + 1), d = peek(l, n + 2);
    /* @2020-13 is no year less thirteen. */
    bool more = is_digit(d) && (c == '-' || c == ':' || (c == '+' && type != CT_I_DATE));
    if (n == 0 || more || is_digit(c))
        return bad(l, l->pos, "not a date or time");
    t->kind = type == CT_I_DATE ? T_DATE : type == CT_I_TIME ? T_TIME : T_DATETIME;
    t->text = (ct_str){l->src.p + l->pos + 1, n};
    l->pos += n + 1;
    return true;
}

/* %name, %'name', %`name` and %"name" */
static bool constant(struct fp_lexer *l, struct fp_token *t)
{
    t->kind = T_CONSTANT;
    l->pos++;
    char c = peek(l, 0);
    if (c == '\'' || c == '`' || c == '"')
        return quoted(l, &t->text);
    if (!is_letter(c))
        return bad(l, t->at, "% is not followed by a name");
    t->text = word(l);
    return true;
}

static bool op(struct fp_lexer *l, struct fp_token *t)
{
    static const char singles[] = ".()[]{},+-*/&|<>=~";
    char c = peek(l, 0), d = peek(l, 1);
    bool two = ((c == '<' || c == '>') && d == '=') || (c == '!' && (d == '=' || d == '~'));
    if (!two && (c == '\0' || !strchr(singles, c)))
        return bad(l, l->pos, "character that no expression has here");
    t->kind = T_OP;
    t->text = (ct_str){l->src.p + l->pos, two ? 2 : 1};
    l->pos += t->text.n;
    return true;
}

bool ct_fp_lex(struct fp_lexer *l, struct fp_token *t)
{
    if (!skip_space(l))
        return false;
    *t = (struct fp_token){.kind = T_END, .at = l->pos, .text = {l->src.p + l->pos, 0}};
    if (l->pos >= l->src.n)
        return true;
    char c = peek(l, 0);
    if (is_letter(c)) {
        t->kind = T_IDENT;
        t->text = word(l);
        return true;
    }
    if (is_digit(c))
        return number(l, t);
    if (c == '@')
        return date(l, t);
    if (c == '%')
        return constant(l, t);
    if (c == '\'' || c == '`') {
        t->kind = c == '\'' ? T_STRING : T_DELIMITED;
        return quoted(l, &t->text);
    }
    if (c == '$') {
        l->pos++;
        t->kind = T_SPECIAL;
        t->text = word(l);
        return true;
    }
    return op(l, t);
}
