/* A page as PDF 1.7 (ISO 32000-1): its blocks become boxes of lines, sheet by sheet; behind them
 * the fonts, the sheets' own objects and the table of objects.
 */
#include "cmd/archive/readable/type.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

/* In hundredths of a point. As wide as A4, as high as US Letter. */
enum {
    SHEET_WIDTH = 59500,
    SHEET_HEIGHT = 79200,
    MARGIN = 4200,
    FOOT = 5400, /* where the text ends, above the footer */
    WIDTH = SHEET_WIDTH - 2 * MARGIN,
    PAD = 250, /* between the cells of a table */
    LABEL = 30 /* percent of the width that the labels of facts take */
};

/* Numbers of objects. Each font has as many as these. */
enum { CATALOG = 1, PAGES, INFO, FIRST_FONT };
enum { TYPE0, CID_FONT, DESCRIPTOR, FONT_FILE, TO_UNICODE, FONT_OBJECTS };
enum { FIRST_SHEET = FIRST_FONT + BAG_FONTS * FONT_OBJECTS, SHEET_OBJECTS = 3 };

typedef struct writer {
    ct_buf *to;
    size_t start; /* of the document in `to` */
    const bag_fonts *fonts;
    const bag_view *view;
    uint64_t *missing;
    bag_usage usage[BAG_FONTS];
    bag_lines_set cells[BAG_COLUMNS + 1];
    uint64_t *offsets; /* of objects, by number; 0: none */
    size_t noffsets;
    ct_buf body; /* of the sheet in the making */
    size_t nsheets;
    int y; /* the next line's upper end */
    /* the table in the making */
    int columns[BAG_COLUMNS + 1]; /* widths */
    const bag_block *heads;       /* its labels, to be set again on the next sheet */
} writer;

/* ---- objects ---- */

static void begin_object(writer *w, uint64_t number)
{
    if (number >= w->noffsets) {
        size_t n = (size_t)number + 256;

        w->offsets = ct_realloc(w->offsets, n, sizeof(*w->offsets));
        memset(w->offsets + w->noffsets, 0, (n - w->noffsets) * sizeof(*w->offsets));
        w->noffsets = n;
    }
    w->offsets[number] = w->to->n - w->start;
    ct_buf_printf(w->to, "%" PRIu64 " 0 obj\n", number);
}

static void end_object(writer *w)
{
    ct_buf_z(w->to, "\nendobj\n");
}

/* A stream, packed. `more` stands in its dictionary. */
static void put_stream(writer *w, uint64_t number, ct_str bytes, const char *more)
{
    uLongf n = compressBound(bytes.n);
    Bytef *packed = ct_alloc(n ? n : 1);

    if (compress2(packed, &n, (const Bytef *)bytes.p, bytes.n, 6) != Z_OK)
        ct_oom(); /* nothing else can be wrong */
    begin_object(w, number);
    ct_buf_printf(w->to, "<< /Length %lu /Filter /FlateDecode%s >>\nstream\n", (unsigned long)n,
                  more);
    ct_buf_put(w->to, (ct_str){(const char *)packed, n});
    ct_buf_z(w->to, "\nendstream");
    end_object(w);
    free(packed);
}

/* ---- sheets ---- */

/* The objects of sheet `i`: itself, its body, its footer. */
static uint64_t sheet_object(size_t i, int which)
{
    return FIRST_SHEET + (uint64_t)i * SHEET_OBJECTS + (uint64_t)which;
}

static void begin_sheet(writer *w)
{
    w->body.n = 0;
    w->y = SHEET_HEIGHT - MARGIN;
}

static void end_sheet(writer *w)
{
    put_stream(w, sheet_object(w->nsheets, 1), ct_buf_str(&w->body), "");
    w->nsheets++;
}

static void put_rule(writer *w, int y)
{
    ct_buf_printf(&w->body, "0.6 G 0.4 w %d %d.%02d m %d %d.%02d l S 0 G\n", MARGIN / 100, y / 100,
                  y % 100, (SHEET_WIDTH - MARGIN) / 100, y / 100, y % 100);
}

static int line_height(int size)
{
    return size * 125 / 100;
}

static void put_heads(writer *w);

static void next_sheet(writer *w)
{
    end_sheet(w);
    begin_sheet(w);
    if (w->heads)
        put_heads(w);
}

/* Goes on with a new sheet where less than `height` is left. */
static void want_room(writer *w, int height)
{
    if (w->y - height < FOOT)
        next_sheet(w);
}

/* ---- lines ---- */

static void show(writer *w, const bag_lines_set *s, size_t line, int size, int x, int width)
{
    bag_show_line(&w->body, s, &s->lines[line], w->fonts, w->usage, size, x, w->y - size, width);
}

/* `n` cells side by side, line by line, over as many sheets as it takes. */
static void put_cells(writer *w, size_t n, int size)
{
    size_t height = 1;

    for (size_t c = 0; c < n; c++)
        if (w->cells[c].nlines > height)
            height = w->cells[c].nlines;
    if (height <= 20)
        want_room(w, (int)height * line_height(size));
    for (size_t i = 0; i < height; i++) {
        int x = MARGIN;

        want_room(w, line_height(size));
        for (size_t c = 0; c < n; c++) {
            if (i < w->cells[c].nlines)
                show(w, &w->cells[c], i, size, x, w->columns[c] - PAD);
            x += w->columns[c];
        }
        w->y -= line_height(size);
    }
}

static void set_cell(writer *w, size_t at, ct_str text, bool bold, int size)
{
    bag_set_lines(&w->cells[at], w->fonts, text, bold, size, w->columns[at] - PAD, w->missing);
}

static void put_row(writer *w, const bag_block *b, bool bold, int size)
{
    for (uint32_t c = 0; c < b->n; c++)
        set_cell(w, c, b->cells[c], bold, size);
    put_cells(w, b->n, size);
    put_rule(w, w->y - 60);
    w->y -= 120;
}

/* ---- tables ---- */

enum { ROW_SIZE = 750 };

static void put_heads(writer *w)
{
    const bag_block *heads = w->heads;

    w->heads = NULL; /* they are not set again for themselves */
    put_row(w, heads, true, ROW_SIZE);
    w->heads = heads;
}

/* Columns get what they ask for where there is room; else what their words need, and of what is
 * left a share by what more they ask for. */
static void share_width(int *columns, const int *line, const int *word, size_t n)
{
    int64_t lines = 0, words = 0;

    for (size_t c = 0; c < n; c++) {
        lines += line[c];
        words += word[c];
    }
    for (size_t c = 0; c < n; c++) {
        if (lines <= WIDTH)
            columns[c] = line[c];
        else if (words >= WIDTH)
            columns[c] = (int)(WIDTH * (int64_t)word[c] / words);
        else
            columns[c] = word[c] + (int)((WIDTH - words) * (line[c] - word[c]) / (lines - words));
    }
}

static void size_columns(writer *w, size_t first)
{
    enum { WORD_ROOM = WIDTH / 4, LINE_ROOM = 2 * WIDTH, ROWS_SEEN = 500 };
    const bag_view *v = w->view;
    int line[BAG_COLUMNS + 1] = {0}, word[BAG_COLUMNS + 1] = {0};
    size_t n = v->v[first].n, rows = 0;

    for (size_t i = first; i < v->n && rows < ROWS_SEEN; i++, rows++) {
        if (i > first && v->v[i].kind != BAG_ROW)
            break;
        for (size_t c = 0; c < n; c++)
            bag_measure(&w->cells[0], w->fonts, v->v[i].cells[c], i == first, ROW_SIZE, &line[c],
                        &word[c]);
    }
    for (size_t c = 0; c < n; c++) {
        line[c] = (line[c] < LINE_ROOM ? line[c] : LINE_ROOM) + PAD + 50;
        word[c] = (word[c] < WORD_ROOM ? word[c] : WORD_ROOM) + PAD + 50;
    }
    share_width(w->columns, line, word, n);
}

static void put_pair(writer *w, const bag_block *b, int size)
{
    w->columns[0] = WIDTH / 100 * LABEL;
    w->columns[1] = WIDTH - w->columns[0];
    put_row(w, b, false, size);
}

/* ---- blocks ---- */

/* A heading keeps some room for what follows it. */
static void put_text(writer *w, ct_str text, bool bold, int size, int before, int keep)
{
    if (w->y < SHEET_HEIGHT - MARGIN)
        w->y -= before;
    want_room(w, line_height(size) + keep);
    w->columns[0] = WIDTH + PAD;
    set_cell(w, 0, text, bold, size);
    put_cells(w, 1, size);
    w->y -= 200;
}

static void put_block(writer *w, size_t i)
{
    const bag_block *b = &w->view->v[i];

    if (b->kind != BAG_ROW)
        w->heads = NULL;
    switch (b->kind) {
    case BAG_TITLE:
        put_text(w, b->cells[0], true, 1500, 0, 0);
        break;
    case BAG_PART:
        put_text(w, b->cells[0], true, 1200, 1200, 4000);
        break;
    case BAG_SECTION:
        put_text(w, b->cells[0], true, 1000, 700, 4000);
        break;
    case BAG_RECORD:
        put_text(w, b->cells[0], true, 850, 700, 2500);
        break;
    case BAG_CAPTION:
        put_text(w, b->cells[0], true, 800, 400, 2500);
        break;
    case BAG_TEXT:
        put_text(w, b->cells[0], false, 850, 200, 0);
        break;
    case BAG_FACT:
        put_pair(w, b, 900);
        break;
    case BAG_DETAIL:
        put_pair(w, b, 700);
        break;
    case BAG_COLUMNS_OF:
        size_columns(w, i);
        w->heads = b;
        put_heads(w);
        break;
    case BAG_ROW:
        put_row(w, b, false, ROW_SIZE);
        break;
    }
}

/* ---- what stands behind the sheets ---- */

static ct_str title_of(const bag_view *view)
{
    return view->n && view->v[0].kind == BAG_TITLE ? view->v[0].cells[0] : (ct_str){"", 0};
}

/* The title and the number of the sheet, of how many. */
static void put_footer(writer *w, size_t i)
{
    ct_buf number = {0};

    ct_buf_printf(&number, "%zu / %zu", i + 1, w->nsheets);
    w->body.n = 0;
    w->columns[0] = WIDTH * 85 / 100;
    w->columns[1] = WIDTH - w->columns[0];
    set_cell(w, 0, title_of(w->view), false, 700);
    set_cell(w, 1, ct_buf_str(&number), false, 700);
    w->y = FOOT - 1000;
    for (size_t c = 0; c < 2; c++)
        if (w->cells[c].nlines)
            show(w, &w->cells[c], 0, 700, c ? MARGIN + w->columns[0] : MARGIN, w->columns[c] - PAD);
    put_stream(w, sheet_object(i, 2), ct_buf_str(&w->body), "");
    ct_buf_free(&number);
}

static void put_sheet(writer *w, size_t i)
{
    begin_object(w, sheet_object(i, 0));
    ct_buf_printf(w->to,
                  "<< /Type /Page /Parent %d 0 R /Contents [%" PRIu64 " 0 R %" PRIu64 " 0 R] >>",
                  PAGES, sheet_object(i, 1), sheet_object(i, 2));
    end_object(w);
}

static uint64_t font_object(unsigned font, int which)
{
    return FIRST_FONT + (uint64_t)font * FONT_OBJECTS + (uint64_t)which;
}

static void put_utf16(ct_buf *to, uint32_t c)
{
    if (c >= 0x10000)
        ct_buf_printf(to, "%04X%04X", (unsigned)(0xD800 + ((c - 0x10000) >> 10)),
                      (unsigned)(0xDC00 + (c & 0x3FF)));
    else
        ct_buf_printf(to, "%04X", (unsigned)c);
}

/* Which characters each glyph stands for, so that the text can be searched and copied. */
static void put_to_unicode(writer *w, unsigned font)
{
    const bag_usage *u = &w->usage[font];
    hb_codepoint_t glyph = HB_SET_VALUE_INVALID;
    ct_buf b = {0};

    ct_buf_z(&b, "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
                 "/CMapType 2 def\n/CMapName /U def\n"
                 "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n");
    while (hb_set_next(u->glyphs, &glyph)) {
        const uint32_t *text = u->text[glyph];

        if (!text[0])
            continue;
        ct_buf_printf(&b, "1 beginbfchar\n<%04X> <", (unsigned)glyph);
        for (size_t i = 0; i < BAG_CLUSTER && text[i]; i++)
            put_utf16(&b, text[i]);
        ct_buf_z(&b, ">\nendbfchar\n");
    }
    ct_buf_z(&b, "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n");
    put_stream(w, font_object(font, TO_UNICODE), ct_buf_str(&b), "");
    ct_buf_free(&b);
}

static void put_widths(writer *w, unsigned font)
{
    hb_codepoint_t glyph = HB_SET_VALUE_INVALID;

    ct_buf_z(w->to, "/W [");
    while (hb_set_next(w->usage[font].glyphs, &glyph))
        ct_buf_printf(w->to, "%u[%d]\n", (unsigned)glyph,
                      bag_glyph_width(&w->fonts->v[font], glyph));
    ct_buf_z(w->to, "]");
}

/* A name for the font as cut down: six letters of its checksum, as PDF asks for. */
static void font_name(ct_str file, char name[16])
{
    uint8_t digest[CT_SHA256_LEN];

    ct_sha256(file, digest);
    for (int i = 0; i < 6; i++)
        name[i] = (char)('A' + digest[i] % 26);
    memcpy(name + 6, "+Text", 6);
}

static bool put_font(writer *w, unsigned font, ct_err *err)
{
    const bag_font *f = &w->fonts->v[font];
    ct_buf file = {0};
    char name[16], length[32];
    hb_font_extents_t extents;

    if (!bag_font_cut(&file, f, &w->usage[font], err)) {
        ct_buf_free(&file);
        return false;
    }
    font_name(ct_buf_str(&file), name);
    snprintf(length, sizeof(length), " /Length1 %zu", file.n);
    put_stream(w, font_object(font, FONT_FILE), ct_buf_str(&file), length);
    ct_buf_free(&file);
    put_to_unicode(w, font);
    hb_font_get_h_extents(f->font, &extents);

    begin_object(w, font_object(font, TYPE0));
    ct_buf_printf(w->to,
                  "<< /Type /Font /Subtype /Type0 /BaseFont /%s /Encoding /Identity-H "
                  "/DescendantFonts [%" PRIu64 " 0 R] /ToUnicode %" PRIu64 " 0 R >>",
                  name, font_object(font, CID_FONT), font_object(font, TO_UNICODE));
    end_object(w);
    begin_object(w, font_object(font, CID_FONT));
    ct_buf_printf(w->to,
                  "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /%s /CIDToGIDMap /Identity "
                  "/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "
                  "/FontDescriptor %" PRIu64 " 0 R ",
                  name, font_object(font, DESCRIPTOR));
    put_widths(w, font);
    ct_buf_z(w->to, " >>");
    end_object(w);
    begin_object(w, font_object(font, DESCRIPTOR));
    ct_buf_printf(
        w->to,
        "<< /Type /FontDescriptor /FontName /%s /Flags 4 /FontBBox [-1000 -400 2000 1200] "
        "/ItalicAngle 0 /Ascent %d /Descent %d /CapHeight 730 /StemV %d /FontFile2 "
        "%" PRIu64 " 0 R >>",
        name, (int)(extents.ascender * 1000 / (int)f->upem),
        (int)(extents.descender * 1000 / (int)f->upem), font == BAG_BOLD ? 140 : 90,
        font_object(font, FONT_FILE));
    end_object(w);
    return true;
}

static bool put_fonts(writer *w, ct_err *err)
{
    bool ok = true;

    for (unsigned i = 0; ok && i < w->fonts->n; i++)
        ok = !w->usage[i].glyphs || put_font(w, i, err);
    return ok;
}

/* The tree of sheets; what they have in common stands in it. */
static void put_pages(writer *w)
{
    begin_object(w, PAGES);
    ct_buf_printf(w->to, "<< /Type /Pages /MediaBox [0 0 %d %d] /Resources << /Font <<",
                  SHEET_WIDTH / 100, SHEET_HEIGHT / 100);
    for (unsigned i = 0; i < w->fonts->n; i++)
        if (w->usage[i].glyphs)
            ct_buf_printf(w->to, " /F%u %" PRIu64 " 0 R", i, font_object(i, TYPE0));
    ct_buf_printf(w->to, " >> >> /Count %zu /Kids [", w->nsheets);
    for (size_t i = 0; i < w->nsheets; i++)
        ct_buf_printf(w->to, "%" PRIu64 " 0 R\n", sheet_object(i, 0));
    ct_buf_z(w->to, "] >>");
    end_object(w);
}

static void put_info(writer *w)
{
    ct_str title = title_of(w->view);

    begin_object(w, CATALOG);
    ct_buf_printf(w->to,
                  "<< /Type /Catalog /Pages %d 0 R /Lang (en) "
                  "/ViewerPreferences << /DisplayDocTitle true >> >>",
                  PAGES);
    end_object(w);
    begin_object(w, INFO);
    ct_buf_z(w->to, "<< /Producer (chartutils) /Title <FEFF");
    for (size_t i = 0; i < title.n;) {
        unsigned char c = (unsigned char)title.p[i];
        size_t n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
        uint32_t point = n == 1 ? c : c & (0xFFU >> (n + 1));

        for (size_t k = 1; k < n && i + k < title.n; k++)
            point = point << 6 | ((unsigned char)title.p[i + k] & 0x3FU);
        put_utf16(w->to, point);
        i += n;
    }
    ct_buf_z(w->to, "> >>");
    end_object(w);
}

/* The table of objects, and where the document starts. The identifier is a checksum of the rest. */
static void put_trailer(writer *w)
{
    uint64_t last = sheet_object(w->nsheets, 0), table = w->to->n - w->start;
    uint8_t digest[CT_SHA256_LEN];
    ct_buf id = {0};

    ct_sha256(ct_str_from(ct_buf_str(w->to), w->start), digest);
    ct_hex(&id, digest, 16);
    ct_buf_printf(w->to, "xref\n0 %" PRIu64 "\n0000000000 65535 f \n", last);
    for (uint64_t i = 1; i < last; i++) {
        bool there = i < w->noffsets && w->offsets[i];

        ct_buf_printf(w->to, "%010" PRIu64 " %05d %c \n", there ? w->offsets[i] : 0,
                      there ? 0 : 65535, there ? 'n' : 'f');
    }
    ct_buf_printf(w->to,
                  "trailer\n<< /Size %" PRIu64 " /Root %d 0 R /Info %d 0 R /ID [<%.*s> <%.*s>] "
                  ">>\nstartxref\n%" PRIu64 "\n%%%%EOF\n",
                  last, CATALOG, INFO, (int)id.n, id.p, (int)id.n, id.p, table);
    ct_buf_free(&id);
}

static void writer_free(writer *w)
{
    for (size_t i = 0; i < CT_LEN(w->cells); i++)
        bag_lines_set_free(&w->cells[i]);
    for (size_t i = 0; i < BAG_FONTS; i++)
        bag_usage_free(&w->usage[i]);
    ct_buf_free(&w->body);
    free(w->offsets);
}

bool bag_pdf_put(ct_buf *to, const bag_view *view, const bag_fonts *fonts, uint64_t *missing,
                 ct_err *err)
{
    writer w = {.to = to, .start = to->n, .fonts = fonts, .view = view, .missing = missing};
    bool ok;

    ct_buf_z(to, "%PDF-1.7\n%\xE2\xE3\xCF\xD3\n");
    begin_sheet(&w);
    for (size_t i = 0; i < view->n; i++)
        put_block(&w, i);
    end_sheet(&w);
    w.missing = NULL; /* a footer says nothing new */
    for (size_t i = 0; i < w.nsheets; i++) {
        put_footer(&w, i);
        put_sheet(&w, i);
    }
    ok = put_fonts(&w, err);
    put_pages(&w);
    put_info(&w);
    put_trailer(&w);
    writer_free(&w);
    return ok;
}
