/* A page (view.h) as PDF, its fonts with it, so that it prints the same in thirty years. For
 * anything that can be said in titles, headings, paragraphs, facts and tables:
 *
 *     bag_fonts *fonts = bag_fonts_open(&err);
 *     bag_view view = {.arena = arena};
 *     bag_view_text(&view, BAG_TITLE, CT_S("Certificate of destruction"));
 *     bag_view_pair(&view, BAG_FACT, CT_S("Method"), method);
 *     bag_pdf_put(&buf, &view, fonts, NULL, &err);
 *
 * lines.c sets lines, font.c takes out of the fonts what a document needs, pdf.c makes the pages.
 */
#ifndef CHART_ARCHIVE_READABLE_PDF_H
#define CHART_ARCHIVE_READABLE_PDF_H

#include "cmd/archive/readable/view.h"

typedef struct bag_fonts bag_fonts;

/* Opens the fonts of this system that fonts.tsv names. NULL where there is no regular or bold one,
 * or one cannot be used. Read-only afterwards, for any number of threads. */
CT_USE bag_fonts *bag_fonts_open(ct_err *err);
void bag_fonts_free(bag_fonts *f);

/* Appends the page as PDF 1.7, in sheets that fit both A4 and US Letter. The same page and fonts
 * give the same bytes: no date, no chance. A character that no font has is shown as its number,
 * [U+1F600], and counted in `*missing` (may be NULL). False where a font cannot be taken apart. */
CT_USE bool bag_pdf_put(ct_buf *to, const bag_view *view, const bag_fonts *fonts, uint64_t *missing,
                        ct_err *err);

#endif
