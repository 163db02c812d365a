/* The headers of a zip held against each other. */
#include "cmd/archive/zip.h"
#include "cmd/archive/zip_directory.h"

#include <errno.h>
#include <fcntl.h>
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
