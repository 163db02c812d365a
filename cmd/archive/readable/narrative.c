/* The text of XHTML, as a browser without style would print it. What is no well-formed markup is
 * taken as text, so that nothing of a narrative goes unread.
 */
#include "cmd/archive/readable/view.h"

#include <strings.h>

enum { SILENT = 2 };

typedef struct reader {
    ct_buf *to;
    size_t start;                         /* of this text in `to` */
    bool space;                           /* white space was met since the last character */
    size_t breaks;                        /* line breaks that are due before the next one */
    bool pre;                             /* white space counts */
    bool no_comments, no_quotes, no_ends; /* what has no end from here on */
    bool no_end_of[SILENT];
} reader;

typedef struct tag {
    ct_str name, attributes;
    bool end;
} tag;

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_letter(char c)
{
    return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static bool name_is(ct_str name, const char *z)
{
    return name.n == strlen(z) && strncasecmp(name.p, z, name.n) == 0;
}

static bool one_of(ct_str name, const char *const *list)
{
    for (; *list; list++)
        if (name_is(name, *list))
            return true;
    return false;
}

/* ---- characters ---- */

static void start_text(reader *r)
{
    if (r->to->n == r->start)
        r->breaks = 0;
    else if (r->space && !r->breaks)
        ct_buf_c(r->to, ' ');
    for (; r->breaks; r->breaks--)
        ct_buf_c(r->to, '\n');
    r->space = false;
}

static void put_char(reader *r, char c)
{
    if (is_space(c) && (!r->pre || c == '\r')) {
        r->space = true;
        return;
    }
    if (c == '\n') {
        r->breaks++;
        return;
    }
    start_text(r);
    ct_buf_c(r->to, c);
}

static void put_code_point(ct_buf *to, uint32_t c)
{
    if (c < 0x80) {
        ct_buf_c(to, (char)c);
        return;
    }
    if (c < 0x800) {
        ct_buf_c(to, (char)(0xC0 | c >> 6));
    } else if (c < 0x10000) {
        ct_buf_c(to, (char)(0xE0 | c >> 12));
        ct_buf_c(to, (char)(0x80 | (c >> 6 & 63)));
    } else {
        ct_buf_c(to, (char)(0xF0 | c >> 18));
        ct_buf_c(to, (char)(0x80 | (c >> 12 & 63)));
        ct_buf_c(to, (char)(0x80 | (c >> 6 & 63)));
    }
    ct_buf_c(to, (char)(0x80 | (c & 63)));
}

/* `#228` or `#xE4`; 0 where it names no character. */
static uint32_t numbered(ct_str name)
{
    bool hex = name.n > 1 && (name.p[1] == 'x' || name.p[1] == 'X');
    uint32_t c = 0;

    for (size_t i = hex ? 2 : 1; i < name.n && c < 0x110000; i++) {
        char d = name.p[i];

        if (d >= '0' && d <= '9')
            c = c * (hex ? 16 : 10) + (uint32_t)(d - '0');
        else if (hex && (d | 32) >= 'a' && (d | 32) <= 'f')
            c = c * 16 + (uint32_t)((d | 32) - 'a' + 10);
        else
            return 0;
    }
    return c < 0x110000 && (c < 0xD800 || c > 0xDFFF) ? c : 0;
}

/* XML's own entities, and those that narratives are fond of. */
static uint32_t named(ct_str name)
{
    static const struct {
        const char *name;
        uint32_t c;
    } known[] = {{"amp", '&'},      {"lt", '<'},        {"gt", '>'},       {"quot", '"'},
                 {"apos", '\''},    {"nbsp", 0xA0},     {"copy", 0xA9},    {"reg", 0xAE},
                 {"deg", 0xB0},     {"plusmn", 0xB1},   {"micro", 0xB5},   {"middot", 0xB7},
                 {"frac12", 0xBD},  {"times", 0xD7},    {"ndash", 0x2013}, {"mdash", 0x2014},
                 {"lsquo", 0x2018}, {"rsquo", 0x2019},  {"ldquo", 0x201C}, {"rdquo", 0x201D},
                 {"bull", 0x2022},  {"hellip", 0x2026}, {"le", 0x2264},    {"ge", 0x2265}};

    for (size_t i = 0; i < CT_LEN(known); i++)
        if (ct_str_is(name, known[i].name))
            return known[i].c;
    return 0;
}

/* At an `&`: how many bytes the entity takes; 0 where it is none. */
static size_t put_entity(reader *r, ct_str at)
{
    ct_str rest = ct_str_from(ct_str_head(at, 12), 1), name = ct_str_cut(&rest, ';');
    uint32_t c = 0;

    if (rest.p && name.n)
        c = name.p[0] == '#' ? numbered(name) : named(name);
    if (!c)
        return 0;
    if (c < 0x80) {
        put_char(r, (char)c);
    } else {
        start_text(r);
        put_code_point(r->to, c);
    }
    return name.n + 2;
}

static void put_text(reader *r, ct_str text)
{
    for (size_t i = 0, n; i < text.n; i += n) {
        n = text.p[i] == '&' ? put_entity(r, ct_str_from(text, i)) : 0;
        if (n == 0) {
            put_char(r, text.p[i]);
            n = 1;
        }
    }
}

/* ---- markup ---- */

/* The length of a comment; 0 where it has no end, and then none that follows has. */
static size_t comment_length(reader *r, ct_str at)
{
    size_t end = r->no_comments ? SIZE_MAX : ct_str_find(at, CT_S("-->"));

    r->no_comments = end == SIZE_MAX;
    return end == SIZE_MAX ? 0 : end + 3;
}

/* Where the tag's `>` is: outside quotes, but where one is never closed. Each byte is looked at
 * once, or once more. */
static size_t tag_end(reader *r, ct_str at)
{
    const char *end;

    if (!r->no_quotes) {
        char quote = 0;

        for (size_t i = 0; i < at.n; i++) {
            if (!quote && at.p[i] == '>')
                return i;
            if (quote ? at.p[i] == quote : at.p[i] == '"' || at.p[i] == '\'')
                quote = quote ? 0 : at.p[i];
        }
        r->no_quotes = true;
    }
    end = r->no_ends ? NULL : memchr(at.p, '>', at.n);
    r->no_ends = !end;
    return end ? (size_t)(end - at.p) : SIZE_MAX;
}

/* At a `<`: how many bytes the tag, comment or declaration takes; 0 where it is text. */
static size_t read_tag(reader *r, ct_str at, tag *t)
{
    size_t i = 1, end;
    char first = at.n > 1 ? at.p[1] : ' ';

    *t = (tag){0};
    if (ct_str_starts(at, CT_S("<!--")))
        return comment_length(r, at);
    if (first == '/') {
        t->end = true;
        i++;
        first = at.n > 2 ? at.p[2] : ' ';
    }
    if (!is_letter(first) && (t->end || (first != '?' && first != '!')))
        return 0;
    end = tag_end(r, at);
    if (end == SIZE_MAX)
        return 0;
    t->name.p = at.p + i;
    while (i < end && !is_space(at.p[i]) && at.p[i] != '/')
        i++;
    t->name.n = (size_t)(at.p + i - t->name.p);
    t->attributes = (ct_str){at.p + i, end - i};
    return end + 1;
}

/* Those whose content is no text. */
static const char *const silent[SILENT] = {"script", "style"};

/* Which of them the tag starts; SILENT where none. */
static size_t starts_silent(const tag *t)
{
    size_t i = t->end || ct_str_ends(t->attributes, CT_S("/")) ? SILENT : 0;

    while (i < SILENT && !name_is(t->name, silent[i]))
        i++;
    return i;
}

static bool is_end_tag(reader *r, ct_str at, const char *name)
{
    size_t n = strlen("</") + strlen(name);
    tag t;

    /* only what has the name is read on to its end, so that no byte is looked at time and again */
    return ct_str_starts(at, CT_S("</")) && at.n > n &&
           strncasecmp(at.p + 2, name, strlen(name)) == 0 &&
           (is_space(at.p[n]) || at.p[n] == '/' || at.p[n] == '>') && read_tag(r, at, &t);
}

/* Where the end tag of silent[which] starts; what has none is text like any other. */
static size_t skip_silent(reader *r, ct_str text, size_t at, size_t which)
{
    size_t start = at;

    for (; at < text.n && !r->no_end_of[which]; at++)
        if (text.p[at] == '<' && is_end_tag(r, ct_str_from(text, at), silent[which]))
            return at;
    r->no_end_of[which] = true;
    return start;
}

/* ---- attributes ---- */

static size_t span(ct_str s, bool (*is)(char))
{
    size_t n = 0;

    while (n < s.n && is(s.p[n]))
        n++;
    return n;
}

static bool in_name(char c)
{
    return !is_space(c) && c != '=' && c != '/';
}

static bool in_bare_value(char c)
{
    return !is_space(c);
}

static bool between_attributes(char c)
{
    return is_space(c) || c == '/' || c == '=';
}

static ct_str take(ct_str *from, size_t n)
{
    ct_str taken = ct_str_head(*from, n);

    *from = ct_str_from(*from, n);
    return taken;
}

/* Takes what stands behind a name: `="value"`, `='value'`, `=value`, or nothing. */
static ct_str take_value(ct_str *rest)
{
    char quote;

    take(rest, span(*rest, is_space));
    if (!ct_str_starts(*rest, CT_S("=")))
        return CT_S("");
    take(rest, 1);
    take(rest, span(*rest, is_space));
    quote = rest->n ? rest->p[0] : ' ';
    if (quote != '"' && quote != '\'')
        return take(rest, span(*rest, in_bare_value));
    take(rest, 1);
    return ct_str_cut(rest, quote);
}

/* The value of the attribute, empty where there is none. */
static ct_str attribute(ct_str attributes, const char *name)
{
    while (attributes.n) {
        ct_str found, value;

        take(&attributes, span(attributes, between_attributes));
        found = take(&attributes, span(attributes, in_name));
        value = take_value(&attributes);
        if (name_is(found, name))
            return value;
    }
    return CT_S("");
}

/* ---- tags ---- */

/* The text of an image stands in its `alt`. */
static void put_image(reader *r, ct_str attributes)
{
    ct_str value = attribute(attributes, "alt");

    put_text(r, CT_S(" [image"));
    if (value.n) {
        put_text(r, CT_S(": "));
        put_text(r, value);
    }
    put_text(r, CT_S("] "));
}

static void due(reader *r, size_t breaks)
{
    if (r->breaks < breaks)
        r->breaks = breaks;
}

static void put_tag(reader *r, const tag *t)
{
    static const char *const paragraphs[] = {"p",  "h1", "h2", "h3", "h4",    "h5",
                                             "h6", "ul", "ol", "dl", "table", NULL};
    static const char *const lines[] = {"div",     "tr",         "li",  "dt", "dd",
                                        "thead",   "tbody",      "pre", "hr", "caption",
                                        "section", "blockquote", NULL};

    if (name_is(t->name, "br"))
        r->breaks++;
    else if (one_of(t->name, paragraphs))
        due(r, 2);
    else if (one_of(t->name, lines))
        due(r, 1);
    else if (name_is(t->name, "img"))
        put_image(r, t->attributes);
    if (name_is(t->name, "pre"))
        r->pre = !t->end;
    if (name_is(t->name, "li") && !t->end)
        put_text(r, CT_S("\xE2\x80\xA2 "));
    else if ((name_is(t->name, "td") || name_is(t->name, "th")) && t->end)
        put_text(r, CT_S(" | "));
}

void bag_narrative(ct_buf *to, ct_str xhtml)
{
    reader r = {.to = to, .start = to->n};
    size_t i = 0;

    while (i < xhtml.n) {
        ct_str rest = ct_str_from(xhtml, i);
        const char *open = memchr(rest.p, '<', rest.n);
        ct_str text = {rest.p, open ? (size_t)(open - rest.p) : rest.n};
        size_t n, which;
        tag t;

        put_text(&r, text);
        i += text.n;
        if (!open)
            break;
        n = read_tag(&r, ct_str_from(xhtml, i), &t);
        if (n == 0) {
            put_char(&r, '<');
            i++;
            continue;
        }
        i += n;
        which = starts_silent(&t);
        if (which < SILENT)
            i = skip_silent(&r, xhtml, i, which);
        else
            put_tag(&r, &t);
    }
}
