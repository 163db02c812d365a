/* The headers of a zip held against each other. */
#include "cmd/archive/zip.h"
#include "cmd/archive/zip_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const char *complaint(bag_zip *z, uint64_t *number)
{
    const char *why = NULL;
    bag_zip_entry e;
    uint64_t data;

    if (!bag_zip_rewind(z))
        return "its directory is cut or corrupt";
    while (!why && *number < bag_zip_count(z)) {
        ++*number;
        why =
            bag_zip_next(z, &e) ? bag_zip_compare(z, &e, &data) : "its directory is cut or corrupt";
    }
    if (!why && !bag_zip_at_end(z)) {
        *number = 0;
        why = "its directory is longer than it says";
    }
    return why;
}

const char *bag_zip_complaint(const char *path, uint64_t *number, ct_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bag_zip *z;
    const char *why;

    *number = 0;
    if (fd < 0) {
        ct_fail_sys(err, errno, "cannot read");
        return NULL;
    }
    z = bag_zip_open(fd);
    why = complaint(z, number);
    if (bag_zip_failed(z)) {
        ct_fail_sys(err, bag_zip_failed(z), "cannot read");
        why = NULL;
    }
    bag_zip_close(z);
    close(fd);
    return why;
}

/* ---- files that share bytes ---- */

static int by_start(const void *left, const void *right)
{
    const bag_zip_span *a = left, *b = right;

    return (a->start > b->start) - (a->start < b->start);
}

/* Files stand in the directory as they stand before it, but in zips that were changed. */
static bool in_order(bag_zip *z)
{
    bag_zip_entry e;
    uint64_t end = 0;

    for (uint64_t i = bag_zip_count(z); i-- > 0;) {
        bag_zip_span span;

        if (!bag_zip_next(z, &e))
            return true;
        span = bag_zip_span_of(&e);
        if (span.start < end)
            return false;
        end = span.end;
    }
    return true;
}

static bool any_shared(bag_zip *z)
{
    bag_zip_span *spans = NULL;
    size_t n = 0, cap = 0;
    bag_zip_entry e;
    bool shared = false;

    for (uint64_t i = bag_zip_count(z); i-- > 0 && bag_zip_next(z, &e); n++) {
        if (n == cap) {
            cap = cap ? 2 * cap : 64;
            spans = ct_realloc(spans, cap, sizeof(*spans));
        }
        spans[n] = bag_zip_span_of(&e);
    }
    if (n)
        qsort(spans, n, sizeof(*spans), by_start);
    for (size_t i = 1; i < n && !shared; i++)
        shared = spans[i].start < spans[i - 1].end;
    free(spans);
    return shared;
}

bool bag_zip_overlaps(int fd)
{
    bag_zip *z = bag_zip_open(fd);
    bool shared = bag_zip_rewind(z) && !in_order(z) && bag_zip_rewind(z) && any_shared(z);

    bag_zip_close(z);
    return shared;
}
