/* Fonts: which there are, and as much of them as a document uses. */
#include "cmd/archive/readable/type.h"

#include <harfbuzz/hb-subset.h>
#include <stdlib.h>
#include <unistd.h>

extern const ct_datafile ct_cmd_data[];

/* What is asked for each character of each page. */
static void note_glyphs(bag_font *f)
{
    f->widths = ct_calloc(f->nglyphs ? f->nglyphs : 1, sizeof(*f->widths));
    for (unsigned i = 0; f->upem && i < f->nglyphs; i++) {
        int64_t width = hb_font_get_glyph_h_advance(f->font, i);

        f->widths[i] = (uint16_t)((width * 1000 + f->upem / 2) / f->upem);
    }
    for (uint32_t c = 0; c < BAG_COMMON; c++) {
        hb_codepoint_t glyph;

        if (hb_font_get_nominal_glyph(f->font, c, &glyph))
            f->common[c] = (uint16_t)glyph;
    }
}

static bool open_font(bag_fonts *fonts, unsigned at, const char *path, ct_err *err)
{
    bag_font *f = &fonts->v[at];
    hb_blob_t *file = hb_blob_create_from_file_or_fail(path), *outlines;
    bool truetype;

    if (!file)
        return ct_fail(err, CT_E_IO, "a font cannot be read");
    f->face = hb_face_create(file, 0);
    hb_blob_destroy(file);
    outlines = hb_face_reference_table(f->face, HB_TAG('g', 'l', 'y', 'f'));
    truetype = hb_blob_get_length(outlines) > 0;
    hb_blob_destroy(outlines);
    f->upem = hb_face_get_upem(f->face);
    f->nglyphs = hb_face_get_glyph_count(f->face);
    f->font = hb_font_create(f->face);
    hb_font_make_immutable(f->font);
    if (fonts->n <= at)
        fonts->n = at + 1;
    note_glyphs(f);
    return (truetype && f->upem && f->nglyphs && f->nglyphs <= UINT16_MAX + 1) ||
           ct_fail(err, CT_E_DATA, "a font is not TrueType");
}

static bool open_row(bag_fonts *fonts, ct_str role, const char *path, ct_err *err)
{
    bool fallback = ct_str_is(role, "fallback");
    unsigned at = fallback ? (fonts->n > 2 ? fonts->n : 2) : ct_str_is(role, "bold");

    if (at >= BAG_FONTS || fonts->v[at].face || access(path, R_OK) != 0)
        return true;
    return open_font(fonts, at, path, err);
}

bag_fonts *bag_fonts_open(ct_err *err)
{
    const ct_datafile *file = ct_datafile_find(ct_cmd_data, "readable/fonts.tsv");
    ct_str rest = {file->text, file->n}, cols[2];
    bag_fonts *fonts = ct_calloc(1, sizeof(*fonts));
    ct_buf path = {0};
    bool ok = true;

    while (ok && ct_tsv_next(&rest, cols, 2, NULL) == 2) {
        path.n = 0;
        ct_buf_put(&path, cols[1]);
        ct_buf_c(&path, '\0');
        ok = open_row(fonts, cols[0], path.p, err);
    }
    ct_buf_free(&path);
    if (ok && (!fonts->v[BAG_REGULAR].face || !fonts->v[BAG_BOLD].face))
        ok = ct_fail(err, CT_E_IO, "the DejaVu Sans fonts are not installed");
    if (ok)
        return fonts;
    bag_fonts_free(fonts);
    return NULL;
}

void bag_fonts_free(bag_fonts *f)
{
    if (!f)
        return;
    for (unsigned i = 0; i < f->n; i++) {
        hb_font_destroy(f->v[i].font);
        hb_face_destroy(f->v[i].face);
        free(f->v[i].widths);
    }
    free(f);
}

uint32_t bag_glyph(const bag_font *f, uint32_t c)
{
    hb_codepoint_t glyph;

    if (c < BAG_COMMON)
        return f->common[c];
    return hb_font_get_nominal_glyph(f->font, c, &glyph) ? glyph : 0;
}

int bag_glyph_width(const bag_font *f, uint32_t glyph)
{
    return glyph < f->nglyphs ? f->widths[glyph] : 0;
}

void bag_use(bag_usage *u, const bag_font *f, uint32_t glyph, const uint32_t *text, size_t n)
{
    if (!u->glyphs) {
        u->glyphs = hb_set_create();
        u->text = ct_calloc(f->nglyphs, sizeof(*u->text));
    }
    if (glyph < f->nglyphs && u->text[glyph][0])
        return; /* noted before */
    hb_set_add(u->glyphs, glyph);
    if (glyph < f->nglyphs)
        memcpy(u->text[glyph], text, (n < BAG_CLUSTER ? n : BAG_CLUSTER) * sizeof(*text));
}

void bag_usage_free(bag_usage *u)
{
    hb_set_destroy(u->glyphs);
    free(u->text);
    *u = (bag_usage){0};
}

bool bag_font_cut(ct_buf *to, const bag_font *f, const bag_usage *u, ct_err *err)
{
    hb_subset_input_t *input = hb_subset_input_create_or_fail();
    hb_face_t *cut;
    hb_blob_t *blob;
    const char *bytes;
    unsigned n;

    if (!input)
        ct_oom();
    hb_set_union(hb_subset_input_glyph_set(input), u->glyphs);
    hb_subset_input_set_flags(input, HB_SUBSET_FLAGS_RETAIN_GIDS | HB_SUBSET_FLAGS_NO_HINTING);
    cut = hb_subset_or_fail(f->face, input);
    hb_subset_input_destroy(input);
    if (!cut)
        return ct_fail(err, CT_E_DATA, "a font cannot be taken apart");
    blob = hb_face_reference_blob(cut);
    bytes = hb_blob_get_data(blob, &n);
    ct_buf_put(to, (ct_str){bytes, n});
    hb_blob_destroy(blob);
    hb_face_destroy(cut);
    return n > 0 || ct_fail(err, CT_E_DATA, "a font cannot be taken apart");
}
