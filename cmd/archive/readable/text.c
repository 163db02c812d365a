/* A page as plain text, in lines that fit a terminal, a mail and a printer. */
#include "cmd/archive/readable/view.h"

enum { WIDTH = 78, LABEL = 24, GAP = 2, INDENT = 4 };

/* Characters, not bytes. */
static size_t width_of(ct_str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

static void put_spaces(ct_buf *to, size_t n)
{
    while (n--)
        ct_buf_c(to, ' ');
}

/* A word as it may stand on a terminal. */
static void put_word(ct_buf *to, ct_str word)
{
    for (size_t i = 0; i < word.n; i++) {
        unsigned char c = (unsigned char)word.p[i];

        ct_buf_c(to, c < ' ' || c == 127 ? '?' : (char)c);
    }
}

/* Appends words from column `at` on, broken into lines that start at `indent`; a word that is
 * longer than a line is not broken: it may be a path. */
static void put_wrapped(ct_buf *to, ct_str text, size_t at, size_t indent)
{
    bool first = true;

    while (text.n) {
        ct_str word = ct_str_cut(&text, ' ');
        size_t n = width_of(word);

        if (n == 0)
            continue;
        if (!first && at + 1 + n > WIDTH) {
            ct_buf_c(to, '\n');
            put_spaces(to, indent);
            at = indent;
        } else if (!first) {
            ct_buf_c(to, ' ');
            at++;
        }
        put_word(to, word);
        at += n;
        first = false;
    }
    ct_buf_c(to, '\n');
}

static void put_lines(ct_buf *to, ct_str text, size_t indent)
{
    do {
        ct_str line = ct_str_cut(&text, '\n');

        put_spaces(to, indent);
        put_wrapped(to, line, indent, indent);
    } while (text.p);
}

/* A blank line, but not a second one. */
static void put_gap(ct_buf *to)
{
    if (to->n >= 2 && to->p[to->n - 2] != '\n')
        ct_buf_c(to, '\n');
}

static void put_heading(ct_buf *to, ct_str text, char under)
{
    size_t n = width_of(text);

    put_gap(to);
    put_word(to, text);
    ct_buf_c(to, '\n');
    while (n--)
        ct_buf_c(to, under);
    ct_buf_z(to, "\n\n");
}

static void put_fact(ct_buf *to, ct_str label, ct_str text)
{
    size_t n = width_of(label);

    put_word(to, label);
    put_spaces(to, n < LABEL ? LABEL - n : GAP);
    put_wrapped(to, text, n < LABEL ? LABEL : n + GAP, LABEL);
}

/* A row of a table: its first cell, and the others below it, each by the label of its column. */
static void put_row(ct_buf *to, const bag_block *row, const bag_block *columns)
{
    put_lines(to, row->cells[0], 0);
    for (uint32_t i = 1; i < row->n; i++) {
        if (row->cells[i].n == 0)
            continue;
        put_spaces(to, INDENT);
        if (columns && i < columns->n) {
            put_word(to, columns->cells[i]);
            ct_buf_z(to, ": ");
        }
        put_wrapped(to, row->cells[i],
                    INDENT + (columns && i < columns->n ? width_of(columns->cells[i]) + 2 : 0),
                    2 * INDENT);
    }
}

void bag_text_put(ct_buf *to, const bag_view *view)
{
    const bag_block *columns = NULL;

    for (size_t i = 0; i < view->n; i++) {
        const bag_block *b = &view->v[i];

        switch (b->kind) {
        case BAG_TITLE:
            put_word(to, b->cells[0]);
            ct_buf_c(to, '\n');
            break;
        case BAG_PART:
            put_heading(to, b->cells[0], '=');
            break;
        case BAG_SECTION:
        case BAG_RECORD:
        case BAG_CAPTION:
            put_heading(to, b->cells[0], '-');
            break;
        case BAG_FACT:
        case BAG_DETAIL:
            put_fact(to, b->cells[0], b->cells[1]);
            break;
        case BAG_TEXT:
            put_gap(to);
            put_lines(to, b->cells[0], 0);
            break;
        case BAG_COLUMNS_OF:
            columns = b;
            put_gap(to);
            break;
        case BAG_ROW:
            put_row(to, b, columns);
            break;
        }
    }
}
