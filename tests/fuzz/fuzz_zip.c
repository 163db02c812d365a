/* links: archive */
/* seeds: tests/fuzz/zip/ */
/* A zip, read in each way that is ours: its headers held against each other, all of its files, a
 * chart by the directory. */
#include "cmd/archive/lookup.h"
#include "cmd/archive/source.h"
#include "cmd/archive/zip.h"

#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { CHUNK = 4096, CHUNKS_MAX = 64 /* of a file that unpacks to more */ };

static char chunk[CHUNK];

static void read_all(bag_source *s)
{
    ct_err err = {0};
    bag_item item;
    uint64_t entry;

    while (bag_source_next(s, &item, &err) == BAG_GOT_ITEM) {
        size_t got = 1;

        for (int i = 0; i < CHUNKS_MAX && got; i++)
            if (!bag_source_read(s, chunk, CHUNK, &got, &err))
                break;
    }
    (void)bag_source_complaint(s, &entry, &err);
}

static void look_up(bag_lookup *l)
{
    static const char *const paths[] = {"data/charts/a.ndjson", "manifest-sha256.txt"};

    for (size_t i = 0; i < CT_LEN(paths); i++) {
        bag_spot spot;

        if (bag_lookup_find(l, ct_str_z(paths[i]), &spot) != BAG_FOUND)
            continue;
        (void)bag_lookup_read(l, &spot, spot.size / 2, chunk, spot.size < CHUNK ? 1 : CHUNK);
        (void)bag_lookup_read(l, &spot, 0, chunk, 1);
        bag_lookup_drop(l, &spot);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char path[] = "/tmp/fuzz-zip-XXXXXX";
    int fd = mkstemp(path);
    ct_err err = {0};
    uint64_t entry;
    bag_source *s;
    bag_lookup *l;

    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
        abort();
    (void)bag_zip_complaint(path, &entry, &err);
    (void)bag_zip_overlaps(fd);
    if ((s = bag_zip_source(path))) {
        read_all(s);
        bag_source_close(s);
    }
    if ((l = bag_lookup_open(path))) {
        look_up(l);
        bag_lookup_close(l);
    }
    close(fd);
    unlink(path);
    return 0;
}
