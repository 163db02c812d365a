/* A temporary file without a name. */
#include "cmd/archive/spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct bag_spool {
    FILE *file;
    uint64_t size;
    bool reading;
};

static bool failed(ct_err *err)
{
    return ct_fail_sys(err, errno, "cannot keep a manifest in $TMPDIR");
}

/* tmpfile(3) would not look at $TMPDIR. */
static FILE *unnamed_file(void)
{
    const char *folder = getenv("TMPDIR");
    ct_buf path = {0};
    FILE *file = NULL;
    int fd;

    ct_buf_printf(&path, "%s/chart-XXXXXX", folder && *folder ? folder : "/tmp");
    ct_buf_c(&path, '\0');
    fd = mkstemp(path.p);
    if (fd >= 0) {
        unlink(path.p);
        file = fdopen(fd, "w+");
        if (!file)
            close(fd);
    }
    ct_buf_free(&path);
    return file;
}

bag_spool *bag_spool_new(ct_err *err)
{
    FILE *file = unnamed_file();
    bag_spool *s;

    if (!file) {
        failed(err);
        return NULL;
    }
    s = ct_calloc(1, sizeof(*s));
    s->file = file;
    return s;
}

bool bag_spool_put(bag_spool *s, ct_str text, ct_err *err)
{
    if (text.n && fwrite(text.p, 1, text.n, s->file) != text.n)
        return failed(err);
    s->size += text.n;
    return true;
}

uint64_t bag_spool_size(const bag_spool *s)
{
    return s->size;
}

bool bag_spool_read(bag_spool *s, char *to, size_t cap, size_t *got, ct_err *err)
{
    if (!s->reading && (fflush(s->file) != 0 || fseek(s->file, 0, SEEK_SET) != 0))
        return failed(err);
    s->reading = true;
    *got = fread(to, 1, cap, s->file);
    return *got > 0 || !ferror(s->file) || failed(err);
}

void bag_spool_free(bag_spool *s)
{
    if (!s)
        return;
    fclose(s->file);
    free(s);
}
