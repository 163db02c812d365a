/* rot: damages bags by chance and looks whether every damage is found, and mended where parity
 * reaches.
 *
 *     rot ROUNDS SEED [CONTAINER]...       run by tests/soak/run, with chart-archive in PATH
 *
 * For each container (folder, tar, tar.gz, tar.zst, zip) and each round a bag with 5% parity is
 * damaged: a bit flipped, cut, made longer, a run overwritten, two files swapped, a manifest
 * edited, a file lost or added; in some rounds a bit of the parity file too. Then
 *
 * - `verify` without the parity file must not call it valid; where it does, the bag must unpack to
 * the very files that were put in (but for tag manifests, which are voluntary): those are counted
 * apart;
 * - `verify` with the parity file must not call it sound;
 * - `repair` must give the same bytes again where the damage is within the budget, which is counted
 * here by the format's own rules (chart-parity(5)), and keep the damaged bag; else it must change
 * nothing.
 *
 * Rounds are done by the batch, so that a program checks many bags. A round depends on the seed and
 * its number only. Each container is a line of TAP.
 */
#define _GNU_SOURCE
#include <archive.h>
#include <archive_entry.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BATCH = 50, CHARTS = 30, RECORDS = 12, NAME = 64, OPEN_FOLDERS = 16 };

extern char **environ;

_Noreturn static void die(const char *what)
{
    fprintf(stderr, "rot: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void *get(size_t n)
{
    void *p = calloc(1, n ? n : 1);

    if (!p)
        die("memory");
    return p;
}

/* A text that must fit. */
__attribute__((format(printf, 3, 4))) static void print(char *to, size_t cap, const char *format,
                                                        ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(to, cap, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= cap)
        die("a name is too long");
}

/* ---- chance: splitmix64 ---- */

static uint64_t chance;

static uint64_t draw(uint64_t below)
{
    uint64_t z = chance += 0x9e3779b97f4a7c15U;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return (z ^ z >> 31) % below;
}

/* ---- bags in memory: a container is one file without a path ---- */

typedef struct file {
    char *path;
    uint8_t *bytes;
    size_t n;
} file;

typedef struct tree {
    file *files; /* by path */
    size_t n;
} tree;

static uint8_t *slurp(const char *path, size_t *n)
{
    int fd = open(path, O_RDONLY);
    struct stat st;
    uint8_t *bytes;

    if (fd < 0 || fstat(fd, &st) != 0)
        die(path);
    *n = (size_t)st.st_size;
    bytes = get(*n);
    if (read(fd, bytes, *n) != (ssize_t)*n)
        die(path);
    close(fd);
    return bytes;
}

static void spill(const char *path, const uint8_t *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n || close(fd) != 0)
        die(path);
}

static file *add(tree *t, const char *path)
{
    t->files = realloc(t->files, (t->n + 1) * sizeof(*t->files));
    if (!t->files)
        die("memory");
    t->files[t->n] = (file){.path = strdup(path)};
    return &t->files[t->n++];
}

static void gather(tree *t, const char *root, const char *below)
{
    char path[512], name[512];
    DIR *dir;
    struct dirent *e;
    struct stat st;

    print(path, sizeof(path), "%s/%s", root, below);
    dir = opendir(path);
    if (!dir)
        die(path);
    while ((e = readdir(dir))) {
        if (e->d_name[0] == '.')
            continue;
        print(name, sizeof(name), "%s%s%s", below, *below ? "/" : "", e->d_name);
        print(path, sizeof(path), "%s/%s", root, name);
        if (lstat(path, &st) != 0)
            die(path);
        if (S_ISDIR(st.st_mode)) {
            gather(t, root, name);
        } else {
            file *f = add(t, name);

            f->bytes = slurp(path, &f->n);
        }
    }
    closedir(dir);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const file *)a)->path, ((const file *)b)->path);
}

static tree load(const char *path)
{
    tree t = {0};
    struct stat st;

    if (stat(path, &st) != 0)
        return t;
    if (S_ISDIR(st.st_mode)) {
        gather(&t, path, "");
        qsort(t.files, t.n, sizeof(*t.files), by_path);
    } else {
        file *f = add(&t, "");

        f->bytes = slurp(path, &f->n);
    }
    return t;
}

static void store(const tree *t, const char *path)
{
    char name[512];

    if (t->n == 1 && !*t->files[0].path) {
        spill(path, t->files[0].bytes, t->files[0].n);
        return;
    }
    for (size_t i = 0; i < t->n; i++) {
        print(name, sizeof(name), "%s/%s", path, t->files[i].path);
        for (char *c = name + strlen(path); c && *c; c = strchr(c + 1, '/')) {
            *c = '\0';
            if (mkdir(name, 0700) != 0 && errno != EEXIST)
                die(name);
            *c = '/';
        }
        spill(name, t->files[i].bytes, t->files[i].n);
    }
}

static tree copy(const tree *t)
{
    tree c = {0};

    for (size_t i = 0; i < t->n; i++) {
        file *f = add(&c, t->files[i].path);

        f->n = t->files[i].n;
        f->bytes = get(f->n);
        memcpy(f->bytes, t->files[i].bytes, f->n);
    }
    return c;
}

static void drop(tree *t)
{
    for (size_t i = 0; i < t->n; i++) {
        free(t->files[i].path);
        free(t->files[i].bytes);
    }
    free(t->files);
    *t = (tree){0};
}

static bool same_file(const file *a, const file *b)
{
    return a->n == b->n && memcmp(a->bytes, b->bytes, a->n) == 0;
}

static bool same(const tree *a, const tree *b)
{
    bool is = a->n == b->n;

    for (size_t i = 0; is && i < a->n; i++)
        is = strcmp(a->files[i].path, b->files[i].path) == 0 &&
             same_file(&a->files[i], &b->files[i]);
    return is;
}

static file *find(const tree *t, const char *path)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->files[i].path, path) == 0)
            return &t->files[i];
    return NULL;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static void wipe(const char *path)
{
    if (nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        die(path);
}

/* ---- programs ---- */

/* Runs it with its output in the file `out`. Returns the exit status, 128 and more for a crash. */
static int run(const char *const argv[])
{
    posix_spawn_file_actions_t acts;
    pid_t pid;
    int status;

    posix_spawn_file_actions_init(&acts);
    posix_spawn_file_actions_addopen(&acts, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&acts, 1, "out", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&acts, 2, "err", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (posix_spawnp(&pid, argv[0], &acts, NULL, (char *const *)(uintptr_t)argv, environ) != 0)
        die(argv[0]);
    posix_spawn_file_actions_destroy(&acts);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            die("wait");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* chart-archive COMMAND [OPTION] and the bags of a batch. */
static int run_batch(const char *command, const char *option, char (*bags)[NAME], size_t n)
{
    const char *argv[BATCH + 8] = {"chart-archive", command, "-j", "1", "--no-progress"};
    size_t at = 5;

    if (option)
        argv[at++] = option;
    for (size_t i = 0; i < n; i++)
        argv[at++] = bags[i];
    argv[at] = NULL;
    return run(argv);
}

/* What was said of a bag on stdout behind its name, the last of it; empty for nothing. */
static void said(const char *out, const char *bag, char *to, size_t cap)
{
    size_t n = strlen(bag);

    *to = '\0';
    for (const char *line = out; *line; line = strchr(line, '\n') + 1) {
        const char *end = strchr(line, '\n');

        if (!end)
            break;
        if (strncmp(line, bag, n) == 0 && line[n] == ':')
            snprintf(to, cap, "%.*s", (int)(end - line - (ptrdiff_t)n - 2), line + n + 2);
    }
}

static char *output(void)
{
    size_t n;
    uint8_t *bytes = slurp("out", &n);
    char *text = get(n + 1);

    memcpy(text, bytes, n);
    free(bytes);
    return text;
}

/* ---- damage ---- */

typedef struct container {
    const char *suffix;
    bool folder;
    tree whole, parity; /* the bag and its parity file */
    tree files;         /* the bag unpacked */
} container;

typedef enum damage {
    FLIPPED,
    CUT,
    LONGER,
    OVERWRITTEN,
    SWAPPED,
    EDITED,
    LOST,
    ADDED,
    DAMAGES,
} damage;

static const char *const damage_names[DAMAGES] = {"flipped", "cut",    "longer", "overwritten",
                                                  "swapped", "edited", "lost",   "added"};

/* Of 100 rounds, so many of each. */
static const unsigned shares[2][DAMAGES] = {
    {72, 8, 3, 5, 6, 6, 0, 0},  /* in a container */
    {60, 8, 4, 4, 10, 8, 4, 2}, /* in a folder */
};

static damage draw_damage(bool folder)
{
    unsigned at = (unsigned)draw(100), sum = 0;

    for (int d = 0; d < DAMAGES; d++)
        if (at < (sum += shares[folder][d]))
            return (damage)d;
    return FLIPPED;
}

/* A file by chance; large ones are hit more often. */
static file *draw_file(tree *t)
{
    uint64_t all = 0, at;

    for (size_t i = 0; i < t->n; i++)
        all += t->files[i].n;
    at = draw(all);
    for (size_t i = 0; i < t->n; i++) {
        if (at < t->files[i].n)
            return &t->files[i];
        at -= t->files[i].n;
    }
    return &t->files[0];
}

static void flip(file *f)
{
    f->bytes[draw(f->n)] ^= (uint8_t)(1U << draw(8));
}

static void lengthen(file *f)
{
    size_t more = 1 + draw(2000);
    uint8_t *bytes = get(f->n + more);

    memcpy(bytes, f->bytes, f->n);
    for (size_t i = 0; i < more; i++)
        bytes[f->n + i] = (uint8_t)draw(256);
    free(f->bytes);
    f->bytes = bytes;
    f->n += more;
}

/* A row of bytes, of which at least one is another. */
static void overwrite(file *f)
{
    size_t at = draw(f->n), n = 1 + draw(f->n / 12 + 1);

    f->bytes[at] ^= 1;
    for (size_t i = at + 1; i < at + n && i < f->n; i++)
        f->bytes[i] = (uint8_t)draw(256);
}

static void swap(tree *t)
{
    file *a = draw_file(t), *b = draw_file(t), other;

    while (same_file(a, b))
        b = &t->files[draw(t->n)];
    other = *a;
    a->bytes = b->bytes;
    a->n = b->n;
    b->bytes = other.bytes;
    b->n = other.n;
}

/* Another digit, or a line less, in a manifest. */
static void edit(tree *t)
{
    static const char *const manifests[] = {"manifest-sha256.txt", "manifest-sha512.txt",
                                            "tagmanifest-sha256.txt", "tagmanifest-sha512.txt"};
    file *f = find(t, manifests[draw(4)]);
    size_t at = draw(f->n);

    while (at && f->bytes[at - 1] != '\n')
        at--;
    if (draw(2)) {
        f->bytes[at] = f->bytes[at] == '0' ? '1' : '0';
    } else {
        uint8_t *end = memchr(f->bytes + at, '\n', f->n - at);
        size_t line = (size_t)(end + 1 - (f->bytes + at));

        memmove(f->bytes + at, end + 1, f->n - at - line);
        f->n -= line;
    }
}

static void take_out(tree *t, file *f)
{
    free(f->path);
    free(f->bytes);
    memmove(f, f + 1, (size_t)(t->files + t->n - f - 1) * sizeof(*f));
    t->n--;
}

static void add_file(tree *t)
{
    file *f = add(t, "data/charts/~added.ndjson");

    f->bytes = get(5);
    f->n = 5;
    memcpy(f->bytes, "added", 5);
    qsort(t->files, t->n, sizeof(*t->files), by_path);
}

/* Packs files as `base/…`. */
static tree pack(const tree *files, const char *suffix)
{
    struct archive *a = archive_write_new();
    struct archive_entry *e = archive_entry_new();
    size_t cap = 16 * 1024 * 1024, used = 0;
    uint8_t *room = get(cap);
    char path[512];
    tree t = {0};
    file *f;

    if (strcmp(suffix, ".zip") == 0)
        archive_write_set_format_zip(a);
    else
        archive_write_set_format_pax_restricted(a);
    if (strcmp(suffix, ".tar.gz") == 0)
        archive_write_add_filter_gzip(a);
    if (strcmp(suffix, ".tar.zst") == 0)
        archive_write_add_filter_zstd(a);
    archive_write_set_bytes_in_last_block(a, 1);
    archive_write_open_memory(a, room, cap, &used);
    for (size_t i = 0; i < files->n; i++) {
        archive_entry_clear(e);
        print(path, sizeof(path), "b/%s", files->files[i].path);
        archive_entry_set_pathname(e, path);
        archive_entry_set_filetype(e, AE_IFREG);
        archive_entry_set_perm(e, 0600);
        archive_entry_set_size(e, (la_int64_t)files->files[i].n);
        if (archive_write_header(a, e) != ARCHIVE_OK ||
            archive_write_data(a, files->files[i].bytes, files->files[i].n) !=
                (la_ssize_t)files->files[i].n)
            die("packing");
    }
    if (archive_write_close(a) != ARCHIVE_OK)
        die("packing");
    archive_entry_free(e);
    archive_write_free(a);
    f = add(&t, "");
    f->bytes = room;
    f->n = used;
    return t;
}

/* A damaged copy of the bag. */
static tree spoil(const container *c, damage d)
{
    bool inside = d == SWAPPED || d == EDITED;
    tree t = copy(inside ? &c->files : &c->whole), packed;
    file *f = draw_file(&t);

    switch (d) {
    case FLIPPED:
        flip(f);
        break;
    case CUT:
        f->n = draw(2) ? draw(f->n) : f->n - 1 - draw(f->n / 25 + 1);
        break;
    case LONGER:
        lengthen(f);
        break;
    case OVERWRITTEN:
        overwrite(f);
        break;
    case SWAPPED:
        swap(&t);
        break;
    case EDITED:
        edit(&t);
        break;
    case LOST:
        take_out(&t, f);
        break;
    default:
        add_file(&t);
    }
    if (!inside || c->folder)
        return t;
    packed = pack(&t, c->suffix);
    drop(&t);
    return packed;
}

/* ---- the budget, by chart-parity(5) ---- */

static uint64_t number(const uint8_t *from, int bytes)
{
    uint64_t n = 0;

    while (bytes-- > 0)
        n = n << 8 | from[bytes];
    return n;
}

/* Where a file that was swapped is now; else the file of that name, or NULL. */
static const file *whereabouts(const tree *t, const file *was)
{
    const file *now = find(t, was->path);

    if (now && same_file(now, was))
        return now;
    for (size_t i = 0; i < t->n; i++)
        if (same_file(&t->files[i], was))
            return &t->files[i];
    return now;
}

/* Marks the blocks that are not what they were. */
static void mark_lost(const container *c, const tree *t, uint64_t block, uint8_t *lost)
{
    uint64_t at = 0;

    for (size_t i = 0; i < c->whole.n; i++) {
        const file *was = &c->whole.files[i], *now = whereabouts(t, was);

        for (size_t j = 0; j < was->n; j++, at++)
            if ((now && j < now->n ? now->bytes[j] : 0) != was->bytes[j])
                lost[at / block] = 1;
    }
}

/* Can it be mended? */
static bool within_budget(const container *c, const tree *t, const tree *parity)
{
    const uint8_t *head = c->parity.files[0].bytes;
    uint64_t block = number(head + 12, 4), blocks = number(head + 24, 8);
    uint64_t stripes = number(head + 32, 8), most = number(head + 42, 2);
    uint64_t pages = (number(head + 56, 8) + 4063) / 4064, rows = 512 + pages * 4096;
    uint8_t *lost = get(blocks), *of = get(stripes);
    bool within = true;

    mark_lost(c, t, block, lost);
    for (uint64_t i = 0; i < blocks; i++)
        of[i % stripes] += lost[i];
    for (uint64_t i = 0; i < most * stripes; i++)
        of[i % stripes] += memcmp(parity->files[0].bytes + rows + i * block,
                                  c->parity.files[0].bytes + rows + i * block, block) != 0;
    for (uint64_t i = 0; i < blocks; i++)
        within &= !lost[i] || of[i % stripes] <= most;
    free(lost);
    free(of);
    return within;
}

/* ---- rounds ---- */

typedef struct tally {
    uint64_t of[DAMAGES];
    uint64_t rounds, unchanged, mended, beyond, wrong;
} tally;

typedef struct attempt {
    uint64_t number;
    damage d;
    tree bag, parity;
    bool mendable, parity_hit;
} attempt;

static void complain(const container *c, const attempt *a, tally *sum, const char *what)
{
    printf("# %s, round %" PRIu64 " (%s): %s\n", c->folder ? "folder" : c->suffix + 1, a->number,
           damage_names[a->d], what);
    sum->wrong++;
}

static void begin(const container *c, attempt *a, uint64_t seed, uint64_t number)
{
    chance = seed * 1000003 + number;
    draw(2);
    *a = (attempt){.number = number, .d = draw_damage(c->folder)};
    a->bag = spoil(c, a->d);
    a->parity = copy(&c->parity);
    a->parity_hit = draw(10) == 0;
    if (a->parity_hit)
        flip(&a->parity.files[0]);
    a->mendable = within_budget(c, &a->bag, &a->parity);
}

/* Tag manifests are voluntary: a line of one can be gone, or all of it, and the bag is valid. */
static void leave_out_tagmanifests(tree *t)
{
    for (size_t i = t->n; i-- > 0;)
        if (strncmp(t->files[i].path, "tagmanifest-", 12) == 0)
            take_out(t, &t->files[i]);
}

/* Does the bag unpack to the files that were put in? */
static bool unpacks_whole(const container *c, const char *bag)
{
    const char *argv[] = {"chart-archive", "extract", "-C", "unpacked", bag, NULL};
    tree t, wanted;
    bool is;

    wipe("unpacked");
    if (mkdir("unpacked", 0700) != 0)
        die("unpacked");
    if (!c->folder && run(argv) != 0)
        return false;
    t = load(c->folder ? bag : "unpacked/b");
    wanted = copy(&c->files);
    leave_out_tagmanifests(&t);
    leave_out_tagmanifests(&wanted);
    is = same(&t, &wanted);
    drop(&t);
    drop(&wanted);
    return is;
}

/* Without parity files. */
static void verify_bare(const container *c, attempt *all, char (*bags)[NAME], size_t n, tally *sum)
{
    int status = run_batch("verify", "-q", bags, n);
    char *out = output(), line[512];

    for (size_t i = 0; i < n; i++) {
        said(out, bags[i], line, sizeof(line));
        if (status > 2)
            complain(c, &all[i], sum, "verify crashed");
        else if (strncmp(line, "valid", 5) == 0 && !unpacks_whole(c, bags[i]))
            complain(c, &all[i], sum, "verify did not notice");
        else if (strncmp(line, "valid", 5) == 0)
            sum->unchanged++;
    }
    free(out);
}

static void verify_all(const container *c, attempt *all, char (*bags)[NAME], size_t n, tally *sum)
{
    int status = run_batch("verify", "-q", bags, n);
    char *out = output(), line[512];

    for (size_t i = 0; i < n; i++) {
        said(out, bags[i], line, sizeof(line));
        if (status == 0 || status > 2)
            complain(c, &all[i], sum, "verify with parity: wrong exit status");
        else if (strncmp(line, "valid", 5) == 0 && !strstr(line, "parity damaged"))
            complain(c, &all[i], sum, "verify with parity did not notice");
    }
    free(out);
}

static bool file_is(const char *path, const tree *wanted)
{
    tree t = load(path);
    bool is = same(&t, wanted);

    drop(&t);
    return is;
}

static void repair_all(const container *c, attempt *all, char (*bags)[NAME], size_t n, tally *sum)
{
    int status = run_batch("repair", NULL, bags, n);
    char sidecar[NAME + 16], kept[NAME + 16];

    for (size_t i = 0; i < n; i++) {
        bool mended = file_is(bags[i], &c->whole);

        print(sidecar, sizeof(sidecar), "%s.parity", bags[i]);
        print(kept, sizeof(kept), "%s.damaged", bags[i]);
        if (status > 1)
            complain(c, &all[i], sum, "repair crashed or could not");
        else if (all[i].mendable && !mended)
            complain(c, &all[i], sum, "was not repaired");
        else if (mended && (!file_is(sidecar, &c->parity) || !file_is(kept, &all[i].bag)))
            complain(c, &all[i], sum, "the parity file or the damaged bag is not what it must be");
        else if (!mended && (!file_is(bags[i], &all[i].bag) || access(kept, F_OK) == 0))
            complain(c, &all[i], sum, "was changed although it could not be repaired");
        sum->mended += mended;
        sum->beyond += !mended;
    }
}

static void batch(const container *c, uint64_t seed, uint64_t first, size_t n, tally *sum)
{
    attempt *all = get(n * sizeof(*all));
    char bags[BATCH][NAME], sidecar[NAME + 16];

    if (mkdir("r", 0700) != 0)
        die("r");
    for (size_t i = 0; i < n; i++) {
        begin(c, &all[i], seed, first + i);
        sum->of[all[i].d]++;
        print(bags[i], NAME, "r/%zu%s", i, c->suffix);
        store(&all[i].bag, bags[i]);
    }
    verify_bare(c, all, bags, n, sum);
    for (size_t i = 0; i < n; i++) {
        print(sidecar, sizeof(sidecar), "%s.parity", bags[i]);
        store(&all[i].parity, sidecar);
    }
    verify_all(c, all, bags, n, sum);
    repair_all(c, all, bags, n, sum);
    for (size_t i = 0; i < n; i++) {
        drop(&all[i].bag);
        drop(&all[i].parity);
    }
    free(all);
    wipe("r");
    sum->rounds += n;
}

/* ---- containers ---- */

static void write_charts(void)
{
    FILE *f = fopen("charts.ndjson", "w");

    if (!f)
        die("charts.ndjson");
    for (int i = 0; i < CHARTS; i++) {
        fprintf(f, "{\"resourceType\":\"Patient\",\"id\":\"p%d\"}\n", i);
        for (int k = 0; k < RECORDS; k++)
            fprintf(f,
                    "{\"resourceType\":\"Observation\",\"id\":\"o%d-%d\",\"status\":\"final\","
                    "\"code\":{\"text\":\"%d\"},\"subject\":{\"reference\":\"Patient/p%d\"}}\n",
                    i, k, (i * 7919 + k * 104729) % 100003, i);
    }
    if (fclose(f) != 0)
        die("charts.ndjson");
}

static void make(container *c)
{
    char bag[NAME], parity[NAME + 16];
    const char *create[] = {"chart-archive", "create", "-q", "--as-of",       "2026-01-31",
                            "--parity",      "5%",     bag,  "charts.ndjson", NULL};
    const char *extract[] = {"chart-archive", "extract", "-C", "files", bag, NULL};

    print(bag, sizeof(bag), "b%s", c->suffix);
    print(parity, sizeof(parity), "%s.parity", bag);
    wipe("files");
    if (mkdir("files", 0700) != 0 || run(create) != 0 || run(extract) != 0)
        die("the bag cannot be made or unpacked");
    c->whole = load(bag);
    c->parity = load(parity);
    c->files = load("files/b");
}

/* What is not damaged must pass, packed anew as well, or finding damage would mean nothing. */
static bool control(const container *c)
{
    char bags[1][NAME];
    tree again = c->folder ? copy(&c->files) : pack(&c->files, c->suffix);
    bool ok;

    print(bags[0], NAME, "b%s", c->suffix);
    ok = run_batch("verify", "-q", bags, 1) == 0;
    print(bags[0], NAME, "again%s", c->suffix);
    store(&again, bags[0]);
    ok = ok && run_batch("verify", "-q", bags, 1) == 0;
    drop(&again);
    return ok;
}

static bool rot(const char *suffix, uint64_t rounds, uint64_t seed)
{
    container c = {.suffix = suffix, .folder = !*suffix};
    const char *name = c.folder ? "folder" : suffix + 1;
    tally sum = {0};

    make(&c);
    if (!control(&c)) {
        printf("not ok - rot/%s: a bag that is whole is not valid\n", name);
        return false;
    }
    for (uint64_t at = 0; at < rounds; at += BATCH)
        batch(&c, seed, at, rounds - at < BATCH ? (size_t)(rounds - at) : BATCH, &sum);
    printf("# %s: seed %" PRIu64 ", %" PRIu64 " rounds:", name, seed, sum.rounds);
    for (int d = 0; d < DAMAGES; d++)
        if (sum.of[d])
            printf(" %" PRIu64 " %s", sum.of[d], damage_names[d]);
    printf("; %" PRIu64 " changed no content; %" PRIu64 " repaired, %" PRIu64 " beyond repair\n",
           sum.unchanged, sum.mended, sum.beyond);
    printf("%s - rot/%s\n", sum.wrong ? "not ok" : "ok", name);
    fflush(stdout);
    drop(&c.whole);
    drop(&c.parity);
    drop(&c.files);
    return sum.wrong == 0;
}

int main(int argc, char **argv)
{
    static const char *const suffixes[] = {"", ".tar", ".tar.gz", ".tar.zst", ".zip"};
    uint64_t rounds = argc > 2 ? strtoull(argv[1], NULL, 10) : 0;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    bool ok = rounds > 0;

    if (!ok)
        fputs("usage: rot ROUNDS SEED [CONTAINER]...\n", stderr);
    if (ok)
        write_charts();
    for (size_t i = 0; rounds && i < sizeof(suffixes) / sizeof(*suffixes); i++) {
        bool wanted = argc == 3;

        for (int k = 3; k < argc; k++)
            wanted |= strcmp(argv[k], *suffixes[i] ? suffixes[i] + 1 : "folder") == 0;
        ok &= !wanted || rot(suffixes[i], rounds, seed);
    }
    return ok ? 0 : rounds ? 1 : 2;
}
