/* A page as HTML 5. */
#include "cmd/archive/readable/view.h"

#include <inttypes.h>

static const char head[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"UTF-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<style>\n"
    "body { font: 11pt/1.35 sans-serif; color: #000; background: #fff; margin: 1.5em; }\n"
    "h1 { font-size: 1.5em; } h2 { font-size: 1.3em; border-bottom: 2px solid; }\n"
    "h3 { font-size: 1.1em; } h4, caption { font-size: 1em; font-weight: bold; text-align: left; "
    "}\n"
    "h4 { margin: 1.2em 0 0.3em; }\n"
    "table { border-collapse: collapse; width: 100%; margin-bottom: 0.8em; }\n"
    "th, td { text-align: left; vertical-align: top; padding: 0.1em 0.5em; border: 1px solid #999; "
    "overflow-wrap: anywhere; }\n"
    "td, p, dd { white-space: pre-wrap; unicode-bidi: plaintext; }\n"
    ".pairs th { width: 30%; font-weight: normal; color: #333; }\n"
    ".small { font-size: 0.85em; }\n"
    "@page { margin: 15mm; }\n"
    "@media print { body { font-size: 9pt; margin: 0; } a { color: #000; text-decoration: none; }\n"
    "h1, h2, h3, h4, caption { break-after: avoid; } tr { break-inside: avoid; }\n"
    "h2 ~ h2 { break-before: page; } }\n"
    "</style>\n";

typedef enum table { NO_TABLE, ROWS, FACTS, DETAILS } table;

typedef struct writer {
    ct_buf *to;
    table open;
    bool body; /* of ROWS, its head is closed */
    ct_str caption;
} writer;

/* ---- text ---- */

/* HTML has no control characters but white space, and no noncharacters. They are shown as pictures
 * of themselves (U+2400 and on), or as U+FFFD. */
static void put_control(ct_buf *to, unsigned c)
{
    if (c == 127)
        ct_buf_z(to, "\xE2\x90\xA1");
    else
        ct_buf_printf(to, "\xE2\x90%c", (int)(0x80 + c));
}

/* How many bytes of a character that HTML must not hold stand there: U+0080 to U+009F, U+FDD0 to
 * U+FDEF, and the last two of each plane. */
static size_t forbidden(ct_str s)
{
    const unsigned char *p = (const unsigned char *)s.p;

    if (s.n >= 2 && p[0] == 0xC2 && p[1] < 0xA0)
        return 2;
    if (s.n >= 3 && p[0] == 0xEF && p[1] == 0xB7 && p[2] >= 0x90 && p[2] <= 0xAF)
        return 3;
    if (s.n >= 3 && p[0] == 0xEF && p[1] == 0xBF && p[2] >= 0xBE)
        return 3;
    if (s.n >= 4 && p[0] >= 0xF0 && (p[1] & 0x0F) == 0x0F && p[2] == 0xBF && p[3] >= 0xBE)
        return 4;
    return 0;
}

static void put_text(ct_buf *to, ct_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        size_t bad = c >= 0x80 ? forbidden(ct_str_from(s, i)) : 0;

        if (bad) {
            ct_buf_z(to, "\xEF\xBF\xBD");
            i += bad - 1;
        } else if (c == '&') {
            ct_buf_z(to, "&amp;");
        } else if (c == '<') {
            ct_buf_z(to, "&lt;");
        } else if (c == '>') {
            ct_buf_z(to, "&gt;");
        } else if (c == '"') {
            ct_buf_z(to, "&quot;");
        } else if ((c < ' ' && c != '\n' && c != '\t') || c == 127) {
            put_control(to, c);
        } else {
            ct_buf_c(to, (char)c);
        }
    }
}

static void put_element(ct_buf *to, const char *open, ct_str text, const char *close)
{
    ct_buf_z(to, open);
    put_text(to, text);
    ct_buf_z(to, close);
}

/* ---- blocks ---- */

static table table_of(bag_block_kind kind)
{
    switch (kind) {
    case BAG_COLUMNS_OF:
    case BAG_ROW:
        return ROWS;
    case BAG_FACT:
        return FACTS;
    case BAG_DETAIL:
        return DETAILS;
    default:
        return NO_TABLE;
    }
}

/* Closes the table that the block does not go on, and opens the one that it starts. */
static void change_table(writer *w, const bag_block *b)
{
    table next = table_of(b->kind);

    if (next == w->open && b->kind != BAG_COLUMNS_OF)
        return;
    if (w->open != NO_TABLE)
        ct_buf_z(w->to, "</tbody>\n</table>\n");
    if (next == ROWS)
        ct_buf_z(w->to, "<table>\n");
    else if (next != NO_TABLE)
        ct_buf_z(w->to, next == FACTS ? "<table class=\"pairs\">\n<tbody>\n"
                                      : "<table class=\"pairs small\">\n<tbody>\n");
    w->open = next;
}

static void put_pair(writer *w, const bag_block *b)
{
    put_element(w->to, "<tr><th scope=\"row\">", b->cells[0], "</th>");
    put_element(w->to, "<td dir=\"auto\">", b->cells[1], "</td></tr>\n");
}

static void put_columns(writer *w, const bag_block *b)
{
    if (w->caption.n)
        put_element(w->to, "<caption>", w->caption, "</caption>\n");
    w->caption.n = 0;
    ct_buf_z(w->to, "<thead><tr>");
    for (uint32_t i = 0; i < b->n; i++)
        put_element(w->to, "<th scope=\"col\">", b->cells[i], "</th>");
    ct_buf_z(w->to, "</tr></thead>\n<tbody>\n");
}

static void put_row(writer *w, const bag_block *b)
{
    ct_buf_z(w->to, "<tr>");
    for (uint32_t i = 0; i < b->n; i++) {
        bool link = i == 0 && b->number;

        ct_buf_z(w->to, "<td dir=\"auto\">");
        if (link)
            ct_buf_printf(w->to, "<a href=\"#r%" PRIu64 "\">", b->number);
        put_element(w->to, "", b->cells[i], link ? "</a></td>" : "</td>");
    }
    ct_buf_z(w->to, "</tr>\n");
}

static void put_title(writer *w, const bag_block *b)
{
    put_element(w->to, "<title>", b->cells[0], "</title>\n</head>\n<body>\n");
    put_element(w->to, "<h1 dir=\"auto\">", b->cells[0], "</h1>\n");
}

static void put_block(writer *w, const bag_block *b)
{
    change_table(w, b);
    switch (b->kind) {
    case BAG_TITLE:
        put_title(w, b);
        break;
    case BAG_PART:
        put_element(w->to, "<h2>", b->cells[0], "</h2>\n");
        break;
    case BAG_SECTION:
        put_element(w->to, "<h3>", b->cells[0], "</h3>\n");
        break;
    case BAG_RECORD:
        ct_buf_printf(w->to, "<h4 id=\"r%" PRIu64 "\">", b->number);
        put_element(w->to, "", b->cells[0], "</h4>\n");
        break;
    case BAG_CAPTION:
        w->caption = b->cells[0];
        break;
    case BAG_TEXT:
        put_element(w->to, "<p dir=\"auto\">", b->cells[0], "</p>\n");
        break;
    case BAG_FACT:
    case BAG_DETAIL:
        put_pair(w, b);
        break;
    case BAG_COLUMNS_OF:
        put_columns(w, b);
        break;
    case BAG_ROW:
        put_row(w, b);
        break;
    }
}

void bag_html_put(ct_buf *to, const bag_view *view)
{
    writer w = {.to = to};

    ct_buf_z(to, head);
    for (size_t i = 0; i < view->n; i++)
        put_block(&w, &view->v[i]);
    if (w.open != NO_TABLE)
        ct_buf_z(to, "</tbody>\n</table>\n");
    ct_buf_z(to, "</body>\n</html>\n");
}
