/* A bag in a directory. No link is followed: what is not a file or a folder is told to the caller
 * and left alone, and every step is opened from the folder before it. */
#include "cmd/archive/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 64 };

typedef struct name {
    char *text;
    bag_type type;
} name;

/* A folder on the way down. */
typedef struct level {
    DIR *dir;
    name *names; /* files first, each kind by name */
    size_t n, at, cap;
    size_t path; /* bytes of the path that lead here */
} level;

typedef struct folder {
    bag_source base;
    level levels[DEPTH_MAX];
    size_t depth;
    ct_buf path;
    int file;
} folder;

/* Files, then the folder of what is nobody's (data/shared), then the others (data/charts). */
static int rank(const name *n)
{
    if (n->type != BAG_DIRECTORY)
        return 0;
    return strcmp(n->text, "shared") == 0 ? 1 : 2;
}

static int name_order(const void *left, const void *right)
{
    const name *a = left, *b = right;

    return rank(a) != rank(b) ? rank(a) - rank(b) : strcmp(a->text, b->text);
}

static void add_name(level *l, const char *text, bag_type type)
{
    size_t n = strlen(text) + 1;

    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 16;
        l->names = ct_realloc(l->names, l->cap, sizeof(*l->names));
    }
    l->names[l->n] = (name){ct_alloc(n), type};
    memcpy(l->names[l->n++].text, text, n);
}

static bool list_names(level *l, ct_err *err)
{
    const struct dirent *e;
    struct stat st;

    while (errno = 0, (e = readdir(l->dir)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (fstatat(dirfd(l->dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            return ct_fail_sys(err, errno, "cannot look at a file");
        add_name(l, e->d_name,
                 S_ISREG(st.st_mode)   ? BAG_FILE
                 : S_ISDIR(st.st_mode) ? BAG_DIRECTORY
                                       : BAG_OTHER);
    }
    if (errno)
        return ct_fail_sys(err, errno, "cannot read a folder");
    if (l->n)
        qsort(l->names, l->n, sizeof(*l->names), name_order);
    return true;
}

static void leave(folder *f)
{
    level *l = &f->levels[--f->depth];

    for (size_t i = 0; i < l->n; i++)
        free(l->names[i].text);
    free(l->names);
    if (l->dir)
        closedir(l->dir);
    *l = (level){0};
}

/* Takes over `fd`. */
static bool enter(folder *f, int fd, ct_err *err)
{
    level *l = &f->levels[f->depth++];

    *l = (level){.path = f->path.n, .dir = fdopendir(fd)};
    if (l->dir)
        return list_names(l, err);
    ct_fail_sys(err, errno, "cannot read a folder");
    close(fd);
    return false;
}

static bool open_item(folder *f, const level *l, const name *n, ct_err *err)
{
    int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (n->type == BAG_DIRECTORY ? O_DIRECTORY : 0);
    int fd;

    if (n->type == BAG_OTHER)
        return true;
    if (n->type == BAG_DIRECTORY && f->depth == DEPTH_MAX)
        return ct_fail(err, CT_E_LIMIT, "folders are nested too deeply");
    fd = openat(dirfd(l->dir), n->text, flags);
    if (fd < 0)
        return ct_fail_sys(err, errno, "cannot open a file of the bag");
    if (n->type == BAG_DIRECTORY)
        return enter(f, fd, err);
    f->file = fd;
    return true;
}

static void close_file(folder *f)
{
    if (f->file >= 0)
        close(f->file);
    f->file = -1;
}

static bag_got folder_next(bag_source *s, bag_item *item, ct_err *err)
{
    folder *f = (folder *)s;
    level *l;
    const name *n;

    *item = (bag_item){.path = {"", 0}};
    close_file(f);
    while (f->depth && f->levels[f->depth - 1].at == f->levels[f->depth - 1].n)
        leave(f);
    if (!f->depth)
        return BAG_GOT_END;
    l = &f->levels[f->depth - 1];
    n = &l->names[l->at++];
    f->path.n = l->path;
    if (f->path.n)
        ct_buf_c(&f->path, '/');
    ct_buf_z(&f->path, n->text);
    item->path = ct_buf_str(&f->path);
    item->type = n->type;
    return open_item(f, l, n, err) ? BAG_GOT_ITEM : BAG_GOT_DAMAGED;
}

static bool folder_read(bag_source *s, char *to, size_t cap, size_t *got, ct_err *err)
{
    folder *f = (folder *)s;
    ssize_t n;

    do
        n = read(f->file, to, cap);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return ct_fail_sys(err, errno, "cannot read");
    *got = (size_t)n;
    s->bytes += *got;
    return true;
}

static void folder_close(bag_source *s)
{
    folder *f = (folder *)s;

    close_file(f);
    while (f->depth)
        leave(f);
    ct_buf_free(&f->path);
    free(f);
}

bag_source *bag_folder_open(const char *path, ct_err *err)
{
    folder *f = ct_calloc(1, sizeof(*f));
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    f->base = (bag_source){
        .next = folder_next, .read = folder_read, .close = folder_close, .directory = true};
    f->file = -1;
    if (fd < 0)
        ct_fail_sys(err, errno, "cannot open");
    if (fd < 0 || !enter(f, fd, err)) {
        folder_close(&f->base);
        return NULL;
    }
    for (size_t i = 0; i < f->levels[0].n; i++) {
        bag_alg alg;

        bag_kind_of(ct_str_z(f->levels[0].names[i].text), &alg);
        if (alg != BAG_ALGS)
            f->base.algs |= 1U << alg;
    }
    return &f->base;
}
