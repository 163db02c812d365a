/* links: archive */
/* BagIt: a bag's tag files, in any order and split anywhere, up to the verdict. */
#include "cmd/archive/check.h"

#include <stdio.h>
#include <stdlib.h>

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

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    judge((ct_str){(const char *)bytes, n});
    return 0;
}
