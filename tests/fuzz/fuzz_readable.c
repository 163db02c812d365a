/* links: archive */
/* seeds: tests/data/retired.ndjson tests/fuzz/readable/ */
/* Readable copies and attachments of a chart made up of narratives, base64 and records. The page is
 * markup of ours only, well-formed, leads nowhere but into itself, and holds every text of the view
 * and no other; the PDF is whole and does nothing when opened; an attachment is the bytes that an
 * independent reading of its base64 has. */
#include "cmd/archive/attach.h"
#include "cmd/archive/base64.h"
#include "cmd/archive/readable/pdf.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { RECORDS = 16, PDF_EVERY = 8, DEPTH = 16 };

static struct {
    bag_topics *topics;
    bag_fonts *fonts;
    ct_parser *parser;
    ct_arena *chart_arena, *view_arena;
    ct_str head, foot; /* what stands before and behind every page */
    ct_buf lines[RECORDS], base64;
    ct_record records[RECORDS];
    ct_chart chart;
    unsigned runs;
} state;

/* Optimized code ends all of them in one place: the line tells which. */
static void must_at(bool holds, int line)
{
    if (!holds) {
        fprintf(stderr, "fuzz_readable.c:%d: does not hold\n", line);
        abort();
    }
}
#define must(holds) must_at(holds, __LINE__)

/* ---- UTF-8, read by itself ---- */

/* The next character of valid UTF-8; UINT32_MAX where it is not. */
static uint32_t next_char(ct_str *s)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)s->p;
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xC0 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    uint32_t c = n == 1 ? p[0] : n ? p[0] & (0xFFU >> (n + 1)) : 0;

    if (n == 0 || p[0] > 0xF4 || n > s->n)
        return UINT32_MAX;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return UINT32_MAX;
        c = c << 6 | (p[i] & 0x3FU);
    }
    *s = ct_str_from(*s, n);
    return c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000) ? UINT32_MAX : c;
}

static bool is_utf8(ct_str s)
{
    while (s.n)
        if (next_char(&s) == UINT32_MAX)
            return false;
    return true;
}

/* ---- narratives ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Are they the same but for white space? */
static bool same_words(ct_str a, ct_str b)
{
    for (;;) {
        while (a.n && is_blank(a.p[0]))
            a = ct_str_from(a, 1);
        while (b.n && is_blank(b.p[0]))
            b = ct_str_from(b, 1);
        if (a.n == 0 || b.n == 0)
            return a.n == b.n;
        if (a.p[0] != b.p[0])
            return false;
        a = ct_str_from(a, 1);
        b = ct_str_from(b, 1);
    }
}

static void check_narrative(ct_str xhtml)
{
    ct_buf text = {0};

    bag_narrative(&text, xhtml);
    must(text.n <= 3 * xhtml.n);
    must(!is_utf8(xhtml) || is_utf8(ct_buf_str(&text)));
    /* Without a `>` and an `&` there is no markup. */
    if (!memchr(xhtml.p, '>', xhtml.n) && !memchr(xhtml.p, '&', xhtml.n))
        must(same_words(xhtml, ct_buf_str(&text)));
    ct_buf_free(&text);
}

/* ---- base64 ---- */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode(ct_buf *to, ct_str bytes)
{
    for (size_t i = 0; i < bytes.n; i += 3) {
        const unsigned char *p = (const unsigned char *)bytes.p + i;
        size_t n = bytes.n - i < 3 ? bytes.n - i : 3;
        uint32_t bits =
            (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0) | (n > 2 ? p[2] : 0U);

        for (size_t d = 0; d < 4; d++)
            ct_buf_c(to, d <= n ? digits[bits >> (18 - 6 * d) & 63] : '=');
    }
}

/* RFC 4648, 4, without what stands for nothing; white space does not count. */
static bool is_base64(ct_str text)
{
    size_t n = 0, padding = 0;
    unsigned last = 0;

    for (size_t i = 0; i < text.n; i++) {
        const char *digit;

        if (is_blank(text.p[i]))
            continue;
        n++;
        if (text.p[i] == '=') {
            padding++;
            continue;
        }
        digit = text.p[i] ? strchr(digits, text.p[i]) : NULL;
        if (!digit || padding)
            return false;
        last = (unsigned)(digit - digits);
    }
    return n % 4 == 0 && padding <= 2 && (padding != 2 || (last & 15) == 0) &&
           (padding != 1 || (last & 3) == 0);
}

static void check_base64(ct_str text)
{
    ct_buf bytes = {0}, again = {0};
    bool ok = bag_base64(&bytes, text);

    must(ok == is_base64(text));
    if (ok) {
        encode(&again, ct_buf_str(&bytes));
        must(same_words(text, ct_buf_str(&again)));
    }
    ct_buf_free(&bytes);
    ct_buf_free(&again);
}

/* `data/attachments/`, the checksum, a suffix of letters and digits. */
static void check_name(ct_str name, ct_str hex)
{
    ct_str folder = CT_S("data/attachments/");

    must(ct_str_starts(name, folder));
    name = ct_str_from(name, folder.n);
    must(ct_str_starts(name, hex) && name.n > hex.n + 1 && name.p[hex.n] == '.');
    for (size_t i = hex.n + 1; i < name.n; i++)
        must(isalnum((unsigned char)name.p[i]));
}

static void check_attachments(void)
{
    static bag_attached found;

    bag_attached_find(&found, &state.chart, state.view_arena);
    for (size_t i = 0; i < found.n; i++) {
        const bag_attachment *a = &found.v[i];
        uint8_t digest[CT_SHA256_LEN];
        ct_buf hex = {0};

        must(a->record >= 1 && a->record <= state.chart.n);
        must(a->at + a->n <= found.bytes.n);
        if (a->corrupt) {
            must(a->n == 0);
            continue;
        }
        ct_sha256(ct_str_head(ct_str_from(ct_buf_str(&found.bytes), a->at), a->n), digest);
        must(memcmp(digest, a->digest256, sizeof(digest)) == 0);
        ct_hex(&hex, digest, sizeof(digest));
        check_name((ct_str){found.texts.p + a->name, a->nname}, ct_buf_str(&hex));
        ct_buf_free(&hex);
    }
}

/* ---- the page ---- */

/* Every tag there may be, and in which element; its name ends at a blank. */
static const struct {
    const char *tag, *within;
} tags[] = {{"h1 dir=\"auto\"", "body"},
            {"h2", "body"},
            {"h3", "body"},
            {"p dir=\"auto\"", "body"},
            {"table", "body"},
            {"table class=\"pairs\"", "body"},
            {"table class=\"pairs small\"", "body"},
            {"caption", "table"},
            {"thead", "table"},
            {"tbody", "table"},
            {"tr", "tbody"},
            {"tr", "thead"},
            {"th scope=\"row\"", "tr"},
            {"th scope=\"col\"", "tr"},
            {"td dir=\"auto\"", "tr"}};

typedef struct page {
    ct_str rest;
    ct_str open[DEPTH]; /* names of elements */
    size_t depth;
    unsigned ids; /* of records, a bit each */
    const bag_view *view;
    size_t block, cell; /* whose text comes next */
    bool titled;
} page;

static ct_str within(const page *p)
{
    return p->depth ? p->open[p->depth - 1] : CT_S("body");
}

static void push(page *p, ct_str name)
{
    must(p->depth < DEPTH);
    p->open[p->depth++] = name;
}

/* `h4 id="r12"` or `a href="#r12"`: the number, 0 where it is neither. */
static uint64_t number_in(ct_str tag, ct_str before)
{
    uint64_t number = 0;

    if (!ct_str_starts(tag, before) || !ct_str_ends(tag, CT_S("\"")))
        return 0;
    for (size_t i = before.n; i < tag.n - 1; i++) {
        must(isdigit((unsigned char)tag.p[i]));
        number = number * 10 + (uint64_t)(tag.p[i] - '0');
    }
    return number;
}

static void start_tag(page *p, ct_str tag)
{
    uint64_t id = number_in(tag, CT_S("h4 id=\"r")), link = number_in(tag, CT_S("a href=\"#r"));
    ct_str rest = tag, name = ct_str_cut(&rest, ' ');
    bool known = id || link;

    for (size_t i = 0; !known && i < CT_LEN(tags); i++)
        known = ct_str_is(tag, tags[i].tag) && ct_str_is(within(p), tags[i].within);
    must(known);
    must(id <= state.chart.n && (!id || ct_str_is(within(p), "body")));
    must(link <= state.chart.n && (!link || ct_str_is(within(p), "td")));
    must(!id || !(p->ids & 1U << id)); /* none twice */
    p->ids |= id ? 1U << id : 0;
    push(p, name);
}

/* What a text becomes on a page: HTML has few control characters, and no noncharacters. */
static uint32_t shown(uint32_t c)
{
    if (c < ' ' && c != '\n' && c != '\t')
        return 0x2400 + c;
    if (c == 127)
        return 0x2421;
    return (c >= 0x80 && c < 0xA0) || (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE
               ? 0xFFFD
               : c;
}

/* One character of the page's text. */
static uint32_t page_char(ct_str *text)
{
    static const struct {
        ct_str entity;
        char c;
    } known[] = {{{"&amp;", 5}, '&'}, {{"&lt;", 4}, '<'}, {{"&gt;", 4}, '>'}, {{"&quot;", 6}, '"'}};

    for (size_t i = 0; i < CT_LEN(known); i++)
        if (ct_str_starts(*text, known[i].entity)) {
            *text = ct_str_from(*text, known[i].entity.n);
            return (unsigned char)known[i].c;
        }
    must(text->p[0] != '&' && text->p[0] != '"' && text->p[0] != '>');
    return next_char(text);
}

static void next_cell(page *p)
{
    p->cell++;
    while (p->block < p->view->n && p->cell >= p->view->v[p->block].n) {
        p->block++;
        p->cell = 0;
    }
}

/* The text of an element is that of the next cell. */
static void check_text(page *p, ct_str text)
{
    ct_str cell;

    must(p->block < p->view->n);
    cell = p->view->v[p->block].cells[p->cell];
    while (text.n && cell.n)
        must(page_char(&text) == shown(next_char(&cell)));
    must(text.n == 0 && cell.n == 0);
    next_cell(p);
}

static bool holds_text(ct_str name)
{
    static const char *const without[] = {"table", "thead", "tbody", "tr", NULL};

    for (size_t i = 0; without[i]; i++)
        if (ct_str_is(name, without[i]))
            return false;
    return true;
}

/* Behind a start tag of an element that holds text: all up to its end tag, with one link at most.
 */
static void take_text(page *p)
{
    ct_str text = ct_str_cut(&p->rest, '<');

    must(p->rest.p != NULL);
    if (text.n == 0 && ct_str_starts(p->rest, CT_S("a href="))) {
        start_tag(p, ct_str_cut(&p->rest, '>'));
        text = ct_str_cut(&p->rest, '<');
        must(ct_str_is(ct_str_cut(&p->rest, '>'), "/a"));
        p->depth--;
        must(ct_str_is(ct_str_cut(&p->rest, '<'), ""));
    }
    check_text(p, text);
    must(p->rest.n && p->rest.p[0] == '/');
}

static void take_tag(page *p)
{
    ct_str tag = ct_str_cut(&p->rest, '>');

    must(p->rest.p != NULL);
    if (tag.n && tag.p[0] == '/') {
        must(p->depth > 0 && ct_str_eq(ct_str_from(tag, 1), within(p)));
        p->depth--;
        return;
    }
    start_tag(p, tag);
    if (holds_text(within(p))) {
        take_text(p);
        take_tag(p);
    }
}

static void check_html(const bag_view *view)
{
    page p = {.view = view};
    ct_buf html = {0};

    bag_html_put(&html, view);
    p.rest = ct_buf_str(&html);
    must(is_utf8(p.rest) && ct_str_starts(p.rest, state.head) && ct_str_ends(p.rest, state.foot));
    p.rest = ct_str_head(ct_str_from(p.rest, state.head.n), p.rest.n - state.head.n - state.foot.n);
    must(view->n && view->v[0].kind == BAG_TITLE && ct_str_starts(p.rest, CT_S("<title>")));
    p.rest = ct_str_from(p.rest, strlen("<title>"));
    check_text(&p, ct_str_cut(&p.rest, '<'));
    p.block = p.cell = 0; /* it stands in the heading again */
    must(ct_str_starts(p.rest, CT_S("/title>\n</head>\n<body>\n")));
    p.rest = ct_str_from(p.rest, strlen("/title>\n</head>\n<body>\n"));
    while (p.rest.n) {
        ct_str between = ct_str_cut(&p.rest, '<');

        must(same_words(between, CT_S("")));
        if (p.rest.p)
            take_tag(&p);
    }
    must(p.depth == 0 && p.block == view->n);
    must(p.ids == (2U << state.chart.n) - 2); /* each record has its place */
    ct_buf_free(&html);
}

/* ---- the PDF ---- */

/* No name of what would make a reader do something; fonts have names that start like that. */
static void check_still(ct_str between)
{
    static const char *const acts[] = {"JS",     "JavaScript", "AA",          "OpenAction",
                                       "URI",    "Launch",     "GoToR",       "SubmitForm",
                                       "Annots", "AcroForm",   "EmbeddedFile"};

    while (between.p) {
        ct_str rest, name;

        ct_str_cut(&between, '/');
        name = rest = between;
        while (rest.n && (isalnum((unsigned char)rest.p[0]) || rest.p[0] == '+'))
            rest = ct_str_from(rest, 1);
        name.n -= rest.n;
        for (size_t i = 0; i < CT_LEN(acts); i++)
            must(!ct_str_is(name, acts[i]));
    }
}

static uint64_t length_of(ct_str dictionary)
{
    size_t at = ct_str_find(dictionary, CT_S("/Length "));
    uint64_t n = 0;

    must(at != SIZE_MAX);
    for (at += strlen("/Length "); isdigit((unsigned char)dictionary.p[at]); at++)
        n = n * 10 + (uint64_t)(dictionary.p[at] - '0');
    return n;
}

static void check_pdf(const bag_view *view)
{
    ct_buf pdf = {0};
    ct_err err = {0};
    uint64_t missing = 0;
    ct_str rest;
    size_t at;

    must(bag_pdf_put(&pdf, view, state.fonts, &missing, &err));
    rest = ct_buf_str(&pdf);
    must(ct_str_starts(rest, CT_S("%PDF-1.7")) && ct_str_ends(rest, CT_S("%%EOF\n")));
    while ((at = ct_str_find(rest, CT_S(">>\nstream\n"))) != SIZE_MAX) {
        ct_str before = ct_str_head(rest, at);
        size_t object = before.n;
        uint64_t n;

        while (object && before.p[object - 1] != '<')
            object--;
        n = length_of(ct_str_from(before, object));
        check_still(before);
        rest = ct_str_from(rest, at + strlen(">>\nstream\n"));
        must(n < rest.n);
        rest = ct_str_from(rest, (size_t)n);
        must(ct_str_starts(rest, CT_S("\nendstream\nendobj\n")));
    }
    check_still(rest);
    ct_buf_free(&pdf);
}

/* ---- a chart of the input ---- */

static void put_member(ct_buf *line, const char *before, ct_str text, const char *behind)
{
    ct_buf_z(line, before);
    ct_put_string(line, text);
    ct_buf_z(line, behind);
}

static void put_base64(ct_buf *line, const char *media, ct_str bytes)
{
    state.base64.n = 0;
    encode(&state.base64, bytes);
    ct_buf_z(
        line,
        "{\"resourceType\":\"Media\",\"status\":\"completed\",\"content\":{\"contentType\":\"");
    ct_buf_z(line, media);
    put_member(line, "\",\"data\":", ct_buf_str(&state.base64), "}}");
}

/* The first byte of a piece says what it becomes; any other is a record as it stands. */
static void put_record(ct_buf *line, ct_str piece)
{
    ct_str text = ct_str_from(piece, piece.n ? 1 : 0);
    char kind = piece.n ? piece.p[0] : '{';

    line->n = 0;
    if (kind == '<') {
        check_narrative(piece);
        put_member(line,
                   "{\"resourceType\":\"Basic\",\"text\":{\"status\":\"generated\",\"div\":", piece,
                   "}}");
    } else if (kind == 'H') {
        check_narrative(text);
        put_base64(line, "text/html", text);
    } else if (kind == 'T') {
        put_base64(line, "text/plain; charset=UTF-8", text);
    } else if (kind == 'M') {
        put_member(line, "{\"resourceType\":\"Binary\",\"contentType\":", text,
                   ",\"data\":\"AAEC\"}");
    } else if (kind == '=') {
        check_base64(text);
        put_member(line, "{\"resourceType\":\"Binary\",\"data\":", text, "}");
    } else {
        ct_buf_put(line, piece);
    }
}

/* Pieces up to a record separator, a record up to the end of its line; those that are no resource
 * are left out. */
static void make_chart(ct_str input)
{
    ct_chart *c = &state.chart;

    *c = (ct_chart){.id = CT_S("p"), .records = state.records, .arena = state.chart_arena};
    ct_arena_reset(state.chart_arena);
    while (input.p && c->n < RECORDS) {
        ct_buf *line = &state.lines[c->n];
        ct_record *r = &state.records[c->n];
        ct_doc doc;
        ct_err err;

        put_record(line, ct_str_cut(&input, ct_str_starts(input, CT_S("{")) ? '\n' : '\x1E'));
        if (!ct_parse(state.parser, ct_buf_str(line), &doc, &err) ||
            !ct_resource_check(ct_model_r4(), &doc, &err))
            continue;
        *r = (ct_record){.line = ct_buf_str(line), .doc = ct_doc_keep(&doc, state.chart_arena)};
        r->type = ct_resource_type(&r->doc);
        c->has_patient |= c->n == 0 && ct_str_is(r->type, "Patient");
        c->n++;
    }
}

static void start(void)
{
    bag_view empty = {0};
    ct_buf html = {0};
    ct_err err = {0};

    state.parser = ct_parser_new(ct_model_names(ct_model_r4()));
    state.chart_arena = ct_arena_new();
    state.view_arena = ct_arena_new();
    must((state.topics = bag_topics_new(ct_model_r4(), true, &err)) != NULL);
    must((state.fonts = bag_fonts_open(&err)) != NULL);
    state.foot = CT_S("</body>\n</html>\n");
    bag_html_put(&html, &empty);
    must(ct_str_ends(ct_buf_str(&html), state.foot));
    state.head = ct_str_head(ct_buf_str(&html), html.n - state.foot.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    bag_view view = {0};

    if (!state.topics)
        start();
    make_chart((ct_str){(const char *)bytes, n});
    if (state.chart.n == 0)
        return 0;
    ct_arena_reset(state.view_arena);
    view.arena = state.view_arena;
    bag_view_chart(&view, state.topics, &state.chart);
    check_html(&view);
    if (state.runs++ % PDF_EVERY == 0)
        check_pdf(&view);
    check_attachments();
    bag_view_free(&view);
    return 0;
}
