/* links: archive */
/* BagIt: a bag's tag files, in any order and split anywhere, up to the verdict; and the headers of
 * a zip. */
#include "cmd/archive/check.h"
#include "cmd/archive/zip.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void ignore(void *ctx, const bag_finding *f)
{
    (void)ctx;
    if (!f->where || !f->reason)
        abort();
}

static void add_file(bag_check *c, ct_str path, uint64_t position)
{
    bag_file file = {.position = position, .size = path.n};

    ct_buf_put(&file.path, path);
    bag_check_file(c, &file);
    ct_buf_free(&file.path);
}

/* Each piece up to a byte 0xFE is a tag file, its first byte which one; 0xFD stands between two
 * reads. */
static void judge(ct_str rest)
{
    static const char *const names[] = {
        "bagit.txt",           "bag-info.txt",        "fetch.txt", "manifest-md5.txt",
        "manifest-sha512.txt", "tagmanifest-md5.txt", "other.txt"};
    bag_check *c = bag_check_new(NULL);
    bag_summary summary;
    uint64_t position = 0;

    if (!c)
        abort();
    while (rest.p) {
        ct_str piece = ct_str_cut(&rest, (char)0xfe);
        ct_str name = ct_str_z(names[piece.n ? (uint8_t)piece.p[0] % CT_LEN(names) : 6]);

        piece = ct_str_from(piece, 1);
        add_file(c, name, ++position);
        add_file(c, ct_str_head(piece, 40), ++position);
        bag_check_tag(c, name, (ct_str){"", 0});
        while (piece.p)
            bag_check_tag(c, name, ct_str_cut(&piece, (char)0xfd));
        bag_check_tag_end(c);
    }
    if (!bag_check_end(c, false, ignore, NULL, &summary, NULL))
        abort();
    bag_check_free(c);
}

static void zip(const uint8_t *bytes, size_t n)
{
    char path[] = "/tmp/fuzz-zip-XXXXXX";
    int fd = mkstemp(path);
    uint64_t entry;
    ct_err err;

    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
        abort();
    (void)bag_zip_complaint(path, &entry, &err);
    (void)bag_zip_overlaps(fd);
    close(fd);
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n > 0 && bytes[0] == 'P')
        zip(bytes, n);
    else
        judge((ct_str){(const char *)bytes, n});
    return 0;
}
