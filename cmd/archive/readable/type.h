/* Setting type: what lines.c, font.c and pdf.c share. Lengths are hundredths of a point, widths of
 * glyphs thousandths of the size of the type.
 */
#ifndef CHART_ARCHIVE_READABLE_TYPE_H
#define CHART_ARCHIVE_READABLE_TYPE_H

#include "cmd/archive/readable/pdf.h"

#include <fribidi/fribidi.h>
#include <harfbuzz/hb.h>

/* ---- fonts (font.c) ---- */

enum { BAG_FONTS = 6, BAG_REGULAR = 0, BAG_BOLD = 1, BAG_CLUSTER = 4, BAG_COMMON = 0x300 };

typedef struct bag_font {
    hb_face_t *face;
    hb_font_t *font;
    unsigned upem, nglyphs;
    uint16_t common[BAG_COMMON]; /* glyphs of the characters below */
    uint16_t *widths;            /* of all glyphs */
} bag_font;

struct bag_fonts {
    bag_font v[BAG_FONTS]; /* regular, bold, fallbacks */
    unsigned n;
};

/* What a document uses of a font: glyphs, and the characters that each stands for. */
typedef struct bag_usage {
    hb_set_t *glyphs;
    uint32_t (*text)[BAG_CLUSTER]; /* by glyph; ends with 0 where shorter */
} bag_usage;

/* The glyph of a character, 0 for none. */
uint32_t bag_glyph(const bag_font *f, uint32_t c);
int bag_glyph_width(const bag_font *f, uint32_t glyph);
/* Notes that the glyph stands for `n` characters in the document. */
void bag_use(bag_usage *u, const bag_font *f, uint32_t glyph, const uint32_t *text, size_t n);
void bag_usage_free(bag_usage *u);
/* Appends a font file of the used glyphs only, which keep their numbers. */
CT_USE bool bag_font_cut(ct_buf *to, const bag_font *f, const bag_usage *u, ct_err *err);

/* ---- lines (lines.c) ---- */

typedef struct bag_line {
    size_t start, end;
    bool from_right; /* its paragraph is written from right to left */
} bag_line;

/* A text, broken into lines. All zero to begin with; used again for the next. */
typedef struct bag_lines_set {
    uint32_t *chars;
    uint8_t *fonts;
    uint16_t *widths;
    FriBidiLevel *levels;
    size_t n, cap;
    bag_line *lines;
    size_t nlines, lines_cap;
    ct_buf scratch;
} bag_lines_set;

/* Sets the text in lines of `width` at `size`. */
void bag_set_lines(bag_lines_set *s, const bag_fonts *fonts, ct_str text, bool bold, int size,
                   int width, uint64_t *missing);
/* The widest line, and the widest word, where it is not broken: for the columns of a table. */
void bag_measure(bag_lines_set *s, const bag_fonts *fonts, ct_str text, bool bold, int size,
                 int *line, int *word);
/* Appends the PDF operators that show a line in a box of `width` whose left end is at x, on the
 * base line y. */
void bag_show_line(ct_buf *to, const bag_lines_set *s, const bag_line *line, const bag_fonts *fonts,
                   bag_usage *usage, int size, int x, int y, int width);
void bag_lines_set_free(bag_lines_set *s);

#endif
