/* A readable page as a list of headings, paragraphs and lines of tables, whatever it is about and
 * whatever it is written as: one model, and a writer for each format.
 *
 *     chart.c      a chart's records as a page
 *     leaves.c     every element of a record
 *     words.c      the data types of FHIR in words; narrative.c the text of XHTML
 *     html.c       a page as HTML
 *     pdf.c        a page as PDF
 *     text.c       a page as plain text
 */
#ifndef CHART_ARCHIVE_READABLE_VIEW_H
#define CHART_ARCHIVE_READABLE_VIEW_H

#include "cmd/archive/topics.h"
#include "common/stream/stream.h"

/* ---- the model ---- */

typedef enum bag_block_kind {
    BAG_TITLE, /* of the page: once, first */
    BAG_PART,  /* headings, each below the one before */
    BAG_SECTION,
    BAG_RECORD,     /* with a number: the place that rows of that number point to */
    BAG_TEXT,       /* a paragraph; its line breaks count */
    BAG_FACT,       /* a label and what it is; neighbours make a table */
    BAG_DETAIL,     /* the same in small print */
    BAG_CAPTION,    /* of the table that follows */
    BAG_COLUMNS_OF, /* starts a table: the labels of its columns */
    BAG_ROW, /* of the table; with a number: of that record, which stands in the first cell */
} bag_block_kind;

typedef struct bag_block {
    bag_block_kind kind;
    uint32_t n;          /* cells */
    uint64_t number;     /* 0: none */
    const ct_str *cells; /* UTF-8, any characters, unescaped */
} bag_block;

/* All zero is an empty page; the texts live in `arena`, which is the caller's. */
typedef struct bag_view {
    bag_block *v;
    size_t n, cap;
    ct_arena *arena;
} bag_view;

/* Adds a block of `n` cells, whose texts must live as long as the page. */
void bag_view_add(bag_view *view, bag_block_kind kind, uint64_t number, const ct_str *cells,
                  size_t n);
/* The same of one cell and of two. */
void bag_view_text(bag_view *view, bag_block_kind kind, ct_str text);
void bag_view_pair(bag_view *view, bag_block_kind kind, ct_str label, ct_str text);
/* Empties the page, keeping its room; the arena is left alone. */
void bag_view_clear(bag_view *view);
void bag_view_free(bag_view *view);

/* ---- what it shows ---- */

/* Fills an empty page with a chart: whose it is, then its records kind by kind in words, then every
 * element of every record. Record N of the page is line N of the chart. `topics` has its columns;
 * the chart is parsed. */
void bag_view_chart(bag_view *view, const bag_topics *topics, ct_chart *chart);

/* Adds a BAG_DETAIL for every element of the record, and the text of what is attached as text. */
void bag_view_leaves(bag_view *view, const ct_record *rec);

/* Appends a value (of R4's `type`, NULL where that is not known) in words, as a person would note
 * it down: not all that it says. `chart` (may be NULL) resolves references. */
void bag_words(ct_buf *to, const ct_doc *doc, ct_val v, const ct_ftype *type, ct_chart *chart,
               ct_arena *a);
/* Appends a name of FHIR in words: `serviceProvider` as `Service provider`. */
void bag_name_words(ct_buf *to, ct_str name, bool capital);
/* Appends the text of XHTML (or HTML): its characters, line breaks where it has blocks, no markup.
 * Scripts and styles have no text. */
void bag_narrative(ct_buf *to, ct_str xhtml);

/* ---- as what it is written ---- */

/* Appends the page as HTML 5: one file that needs no other, without scripts; nothing in the page's
 * texts is taken for markup. The same page gives the same bytes. */
void bag_html_put(ct_buf *to, const bag_view *view);
/* Appends the page as plain text in lines of 78 characters; control characters become `?`. */
void bag_text_put(ct_buf *to, const bag_view *view);

#endif
