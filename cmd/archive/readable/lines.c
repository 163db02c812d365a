/* Text in lines: characters to fonts, paragraphs to lines, lines to glyphs. Scripts that are
 * written from the right or join their letters are shaped by HarfBuzz in the order of FriBidi;
 * lines are broken by the widths of single letters before, which is near enough.
 */
#include "cmd/archive/readable/type.h"

#include <stdlib.h>

/* ---- characters ---- */

/* The next character of valid UTF-8. */
static uint32_t next_char(ct_str *s)
{
    const unsigned char *p = (const unsigned char *)s->p;
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    uint32_t c = n == 1 ? p[0] : p[0] & (0xFFU >> (n + 1));

    if (n > s->n)
        n = s->n;
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3FU);
    *s = ct_str_from(*s, n);
    return c;
}

static void add_char(bag_lines_set *s, uint32_t c, unsigned font, uint32_t glyph,
                     const bag_fonts *fonts)
{
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 256;
        s->chars = ct_realloc(s->chars, s->cap, sizeof(*s->chars));
        s->fonts = ct_realloc(s->fonts, s->cap, sizeof(*s->fonts));
        s->widths = ct_realloc(s->widths, s->cap, sizeof(*s->widths));
        s->levels = ct_realloc(s->levels, s->cap, sizeof(*s->levels));
    }
    s->chars[s->n] = c;
    s->fonts[s->n] = (uint8_t)font;
    s->widths[s->n] = (uint16_t)(c == '\n' ? 0 : bag_glyph_width(&fonts->v[font], glyph));
    s->n++;
}

/* Direction marks and the like have no glyph and need none. */
static bool is_mark(uint32_t c)
{
    return c == 0x00AD || (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2060 && c <= 0x206F) || (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF;
}

static bool add_from_fonts(bag_lines_set *s, uint32_t c, bool bold, const bag_fonts *fonts)
{
    for (unsigned i = 0; i < fonts->n; i++) {
        unsigned font = bold && i < 2 ? 1 - i : i;
        uint32_t glyph = fonts->v[font].face ? bag_glyph(&fonts->v[font], c) : 0;

        if (glyph) {
            add_char(s, c, font, glyph, fonts);
            return true;
        }
    }
    return false;
}

static void add_number(bag_lines_set *s, uint32_t c, bool bold, const bag_fonts *fonts)
{
    ct_buf b = {0};

    ct_buf_printf(&b, "[U+%04X]", (unsigned)c);
    for (size_t i = 0; i < b.n; i++)
        add_from_fonts(s, (unsigned char)b.p[i], bold, fonts);
    ct_buf_free(&b);
}

static void add_text(bag_lines_set *s, ct_str text, bool bold, const bag_fonts *fonts,
                     uint64_t *missing)
{
    while (text.n) {
        uint32_t c = next_char(&text);
        uint32_t shown = c < ' ' ? c + 0x2400 : c; /* pictures of control characters */

        if (c == '\n')
            add_char(s, c, bold ? BAG_BOLD : BAG_REGULAR, 0, fonts);
        else if (c == '\t' || c == 0xA0)
            add_from_fonts(s, ' ', bold, fonts);
        else if (c != '\r' && !is_mark(c) && !add_from_fonts(s, shown, bold, fonts)) {
            add_number(s, c, bold, fonts);
            if (missing)
                ++*missing;
        }
    }
}

/* ---- lines ---- */

static bool plain(const bag_lines_set *s, size_t start, size_t end)
{
    for (size_t i = start; i < end; i++)
        if (s->chars[i] >= BAG_COMMON && (s->chars[i] < 0x2010 || s->chars[i] > 0x205E))
            return false; /* but for dashes, quotation marks and the like */
    return true;
}

/* The direction of each character of a paragraph; true where it starts from the right. */
static bool set_levels(bag_lines_set *s, size_t start, size_t end)
{
    size_t n = end - start;
    FriBidiCharType *types;
    FriBidiBracketType *brackets;
    FriBidiParType base = FRIBIDI_PAR_ON;

    memset(s->levels + start, 0, n * sizeof(*s->levels));
    if (plain(s, start, end) || n > INT32_MAX)
        return false;
    types = ct_calloc(n, sizeof(*types));
    brackets = ct_calloc(n, sizeof(*brackets));
    fribidi_get_bidi_types(s->chars + start, (FriBidiStrIndex)n, types);
    fribidi_get_bracket_types(s->chars + start, (FriBidiStrIndex)n, types, brackets);
    if (fribidi_get_par_embedding_levels_ex(types, brackets, (FriBidiStrIndex)n, &base,
                                            s->levels + start) == 0)
        ct_oom();
    free(types);
    free(brackets);
    return FRIBIDI_IS_RTL(base);
}

/* May a line end behind the character? Behind a blank or a hyphen, and between ideographs. */
static bool may_break(uint32_t c)
{
    return c == ' ' || c == '-' || c == '/' || c == ',' || c == ';' ||
           (c >= 0x2E80 && c <= 0xD7FF) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0xFF00 && c <= 0xFF60) || (c >= 0x20000 && c <= 0x3FFFF);
}

static void add_line(bag_lines_set *s, size_t start, size_t end, bool from_right)
{
    if (s->nlines == s->lines_cap) {
        s->lines_cap = s->lines_cap ? 2 * s->lines_cap : 16;
        s->lines = ct_realloc(s->lines, s->lines_cap, sizeof(*s->lines));
    }
    s->lines[s->nlines++] = (bag_line){start, end, from_right};
}

static void break_paragraph(bag_lines_set *s, size_t start, size_t end, int64_t room)
{
    bool from_right = set_levels(s, start, end);
    size_t line = start, last = start; /* where it may be broken last */
    int64_t width = 0;

    for (size_t i = start; i < end; i++) {
        width += s->widths[i];
        if (width > room && s->chars[i] != ' ' && i > line) {
            size_t at = last > line ? last : i;

            add_line(s, line, at, from_right);
            line = last = at;
            width = 0;
            for (size_t k = at; k <= i; k++)
                width += s->widths[k];
        }
        if (may_break(s->chars[i]))
            last = i + 1;
    }
    add_line(s, line, end, from_right);
}

void bag_set_lines(bag_lines_set *s, const bag_fonts *fonts, ct_str text, bool bold, int size,
                   int width, uint64_t *missing)
{
    s->n = s->nlines = 0;
    add_text(s, text, bold, fonts, missing);
    for (size_t start = 0, end; start <= s->n && s->n; start = end + 1) {
        for (end = start; end < s->n && s->chars[end] != '\n'; end++)
            ;
        break_paragraph(s, start, end, (int64_t)width * 1000 / size);
    }
}

void bag_measure(bag_lines_set *s, const bag_fonts *fonts, ct_str text, bool bold, int size,
                 int *line, int *word)
{
    int64_t in_line = 0, in_word = 0;

    s->n = 0;
    add_text(s, ct_str_head(text, 4096), bold, fonts, NULL);
    for (size_t i = 0; i < s->n; i++) {
        in_line = s->chars[i] == '\n' ? 0 : in_line + s->widths[i];
        in_word += s->widths[i];
        if (in_line * size / 1000 > *line)
            *line = (int)(in_line * size / 1000);
        if (s->chars[i] != ' ' && in_word * size / 1000 > *word)
            *word = (int)(in_word * size / 1000);
        if (s->chars[i] == '\n' || may_break(s->chars[i]))
            in_word = 0;
    }
}

void bag_lines_set_free(bag_lines_set *s)
{
    free(s->chars);
    free(s->fonts);
    free(s->widths);
    free(s->levels);
    free(s->lines);
    *s = (bag_lines_set){0};
}

/* ---- glyphs ---- */

/* A part of a line in one font and one direction. */
typedef struct run {
    size_t start, end;
    FriBidiLevel level;
    uint8_t font;
} run;

typedef struct shower {
    ct_buf *to;
    const bag_lines_set *s;
    const bag_fonts *fonts;
    bag_usage *usage;
    int64_t width; /* so far, in thousandths */
} shower;

static size_t find_runs(const bag_lines_set *s, const bag_line *line, size_t end, run **runs)
{
    size_t n = 0, cap = 0;

    *runs = NULL;
    for (size_t i = line->start; i < end; i++) {
        if (n && (*runs)[n - 1].font == s->fonts[i] && (*runs)[n - 1].level == s->levels[i]) {
            (*runs)[n - 1].end = i + 1;
            continue;
        }
        if (n == cap) {
            cap = cap ? 2 * cap : 8;
            *runs = ct_realloc(*runs, cap, sizeof(**runs));
        }
        (*runs)[n++] = (run){i, i + 1, s->levels[i], s->fonts[i]};
    }
    return n;
}

/* UAX #9, L2: from the highest level down to the lowest odd one, turn what is on it or above. */
static void order_runs(run *runs, size_t n)
{
    int highest = 0;

    for (size_t i = 0; i < n; i++)
        if (runs[i].level > highest)
            highest = runs[i].level;
    for (int level = highest; level > 0; level--)
        for (size_t i = 0; i < n; i++) {
            size_t end = i;

            while (end < n && runs[end].level >= level)
                end++;
            for (size_t a = i, b = end; a + 1 < b; a++, b--) {
                run swap = runs[a];

                runs[a] = runs[b - 1];
                runs[b - 1] = swap;
            }
            if (end > i)
                i = end;
        }
}

static void put_hex(ct_buf *to, uint32_t glyph)
{
    static const char digits[] = "0123456789ABCDEF";
    char *at = ct_buf_room(to, 4);

    for (int i = 0; i < 4; i++)
        at[i] = digits[glyph >> (12 - 4 * i) & 15];
    to->n += 4;
}

static void show_plain(shower *w, const run *r)
{
    const bag_font *f = &w->fonts->v[r->font];

    ct_buf_c(w->to, '<');
    for (size_t i = r->start; i < r->end; i++) {
        uint32_t glyph = bag_glyph(f, w->s->chars[i]);

        bag_use(&w->usage[r->font], f, glyph, &w->s->chars[i], 1);
        put_hex(w->to, glyph);
        w->width += w->s->widths[i];
    }
    ct_buf_z(w->to, ">");
}

/* How many characters the glyph stands for: up to where the next cluster begins. */
static size_t cluster_size(const hb_glyph_info_t *info, unsigned n, unsigned at, size_t end)
{
    size_t next = end;

    for (unsigned i = 0; i < n && n < 4096; i++)
        if (info[i].cluster > info[at].cluster && info[i].cluster < next)
            next = info[i].cluster;
    return n < 4096 ? next - info[at].cluster : 1;
}

/* Moves the pen by thousandths; TJ's numbers go against the direction of writing. */
static void put_move(ct_buf *to, int64_t by)
{
    if (by)
        ct_buf_printf(to, ">%lld<", (long long)-by);
}

/* A bracket that is written from the right is the glyph of its mirror image, and stands for that
 * elsewhere. */
static void note_use(shower *w, const run *r, uint32_t glyph, const uint32_t *text, size_t n)
{
    const bag_font *f = &w->fonts->v[r->font];
    FriBidiChar mirror;

    if (n == 1 && (r->level & 1) && fribidi_get_mirror_char(*text, &mirror) &&
        bag_glyph(f, mirror) == glyph)
        text = &mirror;
    bag_use(&w->usage[r->font], f, glyph, text, n);
}

static void show_shaped(shower *w, const run *r)
{
    const bag_font *f = &w->fonts->v[r->font];
    hb_buffer_t *b = hb_buffer_create();
    hb_glyph_info_t *info;
    hb_glyph_position_t *at;
    unsigned n;
    int64_t scale = f->upem;

    hb_buffer_add_codepoints(b, w->s->chars, (int)w->s->n, (unsigned)r->start,
                             (int)(r->end - r->start));
    hb_buffer_set_direction(b, r->level & 1 ? HB_DIRECTION_RTL : HB_DIRECTION_LTR);
    hb_buffer_guess_segment_properties(b);
    hb_buffer_set_language(b, hb_language_from_string("und", -1)); /* not that of the locale */
    hb_shape(f->font, b, NULL, 0);
    if (!hb_buffer_allocation_successful(b))
        ct_oom();
    info = hb_buffer_get_glyph_infos(b, &n);
    at = hb_buffer_get_glyph_positions(b, &n);
    ct_buf_c(w->to, '<');
    for (unsigned i = 0; i < n; i++) {
        int64_t aside = at[i].x_offset * 1000 / scale, advance = at[i].x_advance * 1000 / scale;

        note_use(w, r, info[i].codepoint, &w->s->chars[info[i].cluster],
                 cluster_size(info, n, i, r->end));
        put_move(w->to, aside);
        put_hex(w->to, info[i].codepoint);
        put_move(w->to, advance - aside - bag_glyph_width(f, info[i].codepoint));
        w->width += advance;
    }
    ct_buf_c(w->to, '>');
    hb_buffer_destroy(b);
}

static void put_length(ct_buf *to, int length)
{
    ct_buf_printf(to, "%d.%02d ", length / 100, length % 100);
}

void bag_show_line(ct_buf *to, const bag_lines_set *s, const bag_line *line, const bag_fonts *fonts,
                   bag_usage *usage, int size, int x, int y, int width)
{
    ct_buf parts = {0};
    shower w = {&parts, s, fonts, usage, 0};
    size_t end = line->end, n;
    run *runs;

    while (end > line->start && s->chars[end - 1] == ' ')
        end--;
    n = find_runs(s, line, end, &runs);
    order_runs(runs, n);
    for (size_t i = 0; i < n; i++) {
        ct_buf_printf(&parts, "/F%d ", runs[i].font);
        put_length(&parts, size);
        ct_buf_z(&parts, "Tf [");
        if (plain(s, runs[i].start, runs[i].end) && !(runs[i].level & 1))
            show_plain(&w, &runs[i]);
        else
            show_shaped(&w, &runs[i]);
        ct_buf_z(&parts, "] TJ\n");
    }
    if (line->from_right && w.width * size / 1000 < width)
        x += width - (int)(w.width * size / 1000);
    if (n) {
        ct_buf_z(to, "BT ");
        put_length(to, x);
        put_length(to, y);
        ct_buf_z(to, "Td\n");
        ct_buf_put(to, ct_buf_str(&parts));
        ct_buf_z(to, "ET\n");
    }
    ct_buf_free(&parts);
    free(runs);
}
