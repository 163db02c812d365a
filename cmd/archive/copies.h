/* The readable copies that `create` puts beside a file of records: made by the threads that work on
 * the charts.
 */
#ifndef CHART_ARCHIVE_COPIES_H
#define CHART_ARCHIVE_COPIES_H

#include "cmd/archive/readable/pdf.h"
#include "cmd/archive/writer.h"

typedef struct bag_copies_wanted {
    bool html, pdf;
    const bag_fonts *fonts;   /* where pdf is wanted */
    const bag_topics *topics; /* with columns where any is wanted */
} bag_copies_wanted;

bool bag_copies_any(const bag_copies_wanted *wanted);

/* One file's copies; all zero to begin with, used again for the next file. */
typedef struct bag_copies {
    bag_view view;
    ct_buf html, pdf;
    bag_sums html_sums, pdf_sums;
    uint64_t missing; /* characters that no font had */
    ct_err failed;    /* a font that cannot be used */
} bag_copies;

/* Makes them; the chart is parsed. On any thread. */
void bag_copies_make(bag_copies *c, const bag_copies_wanted *wanted, ct_chart *chart);
/* Bytes of all of them. */
uint64_t bag_copies_bytes(const bag_copies *c);
/* Puts them into the bag, beside `path`, which ends in `.ndjson`. */
CT_USE bool bag_copies_put(const bag_copies *c, const bag_copies_wanted *wanted, bag_writer *w,
                           ct_str path, ct_err *err);
void bag_copies_free(bag_copies *c);

#endif
