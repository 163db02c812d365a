/* What a system can do to a program: stands between it and libc (LD_PRELOAD) and, from main() on,
 * makes one call fail, ends the process at it, or does less than it was asked for.
 *
 *     FAULT_CALL    read, pread, write, pwrite, open, fsync, rename, link, close, truncate,
 *                   temporary, folder, unlink, thread or memory: the kind of call that is counted
 *     FAULT_NTH     the call that it happens to, from 1
 *     FAULT_ERROR   EIO or ENOSPC: it fails so; KILL, TERM, INT or HUP: the signal comes there
 *     FAULT_ON      set: every later call of the kind fails, too
 *     FAULT_HIT     a file that is told "CALL PATH" when it happened
 *     FAULT_READ    at most so many bytes from a read
 *     FAULT_WRITE   at most so many bytes by a write
 *     FAULT_NAMED   set: files have names, as where there is no O_TMPFILE
 *     FAULT_WEAK    set: every third read or write is interrupted (or, on a pipe, would block)
 *
 * Closing what was only read from is not counted: its errors mean nothing. For Linux and glibc. */
#define _GNU_SOURCE
#undef _FILE_OFFSET_BITS /* both names of each call stand here, as libraries use either */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum call {
    READ,
    PREAD,
    WRITE,
    PWRITE,
    OPEN,
    FSYNC,
    RENAME,
    LINK,
    CLOSE,
    TRUNCATE,
    TEMPORARY,
    FOLDER,
    UNLINK,
    THREAD,
    MEMORY,
    CALLS
};

static const char *const call_names[CALLS] = {"read",      "pread",  "write",  "pwrite", "open",
                                              "fsync",     "rename", "link",   "close",  "truncate",
                                              "temporary", "folder", "unlink", "thread", "memory"};

static struct {
    bool armed; /* main() has begun */
    bool on, weak, named;
    enum call what;
    unsigned nth;
    int error, signal;
    size_t read_max, write_max; /* 0: any */
    const char *hit;
    _Atomic unsigned calls, weak_calls;
} fault = {.what = CALLS};

/* libc's own function of that name. A union, as C has no cast from an object pointer to a function.
 */
#define LIBC(type, name)                                                                           \
    static union {                                                                                 \
        void *object;                                                                              \
        type;                                                                                      \
    } libc;                                                                                        \
    if (!libc.object)                                                                              \
    libc.object = dlsym(RTLD_NEXT, name)

/* ---- the fault ---- */

/* By the kernel's own calls, as everything else may be counted. */
static void tell(const char *path)
{
    char line[512];
    int n = snprintf(line, sizeof line, "%s %s\n", call_names[fault.what], path ? path : "-");
    long fd = syscall(SYS_openat, AT_FDCWD, fault.hit, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (n > 0 && fd >= 0)
        syscall(SYS_write, fd, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
    syscall(SYS_close, fd);
}

/* The signal ends the process, if not at once: nothing more is done by this thread. */
static void die(void)
{
    kill(getpid(), fault.signal);
    for (int i = 0; i < 50; i++)
        usleep(100000);
    _exit(99);
}

/* Does it happen to this call? Then errno is set. */
static bool strikes(enum call what, const char *path)
{
    if (!fault.armed || fault.what != what)
        return false;
    unsigned n = atomic_fetch_add(&fault.calls, 1) + 1;
    if (n < fault.nth || (n > fault.nth && !fault.on))
        return false;
    if (n == fault.nth && fault.hit)
        tell(path);
    if (fault.signal)
        die();
    errno = what == MEMORY ? ENOMEM : fault.error;
    return true;
}

static bool strikes_fd(enum call what, int fd)
{
    char link[32], path[256];
    int saved = errno;

    if (!fault.armed || fault.what != what)
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    errno = saved;
    return strikes(what, path);
}

static _Thread_local bool printing; /* for stdio, which gives up on any error */

/* Every third time; a pipe that does not block also says "not now". */
static bool is_weak(int fd)
{
    struct stat st;

    if (!fault.armed || !fault.weak || printing)
        return false;
    unsigned n = atomic_fetch_add(&fault.weak_calls, 1);
    if (n % 3 != 0)
        return false;
    errno = n % 2 && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) ? EAGAIN : EINTR;
    return true;
}

static size_t bounded(size_t n, size_t max)
{
    return fault.armed && max && n > max ? max : n;
}

/* ---- reading and writing ---- */

ssize_t read(int fd, void *to, size_t n)
{
    LIBC(ssize_t(*call)(int, void *, size_t), "read");
    if (strikes_fd(READ, fd) || is_weak(fd))
        return -1;
    return libc.call(fd, to, bounded(n, fault.read_max));
}

static ssize_t pread_any(int fd, void *to, size_t n, off64_t at)
{
    LIBC(ssize_t(*call)(int, void *, size_t, off64_t), "pread64");
    return strikes_fd(PREAD, fd) ? -1 : libc.call(fd, to, bounded(n, fault.read_max), at);
}

ssize_t pread(int fd, void *to, size_t n, off_t at)
{
    return pread_any(fd, to, n, at);
}

ssize_t pread64(int fd, void *to, size_t n, off64_t at)
{
    return pread_any(fd, to, n, at);
}

ssize_t write(int fd, const void *from, size_t n)
{
    LIBC(ssize_t(*call)(int, const void *, size_t), "write");
    /* What is said about it must be heard. */
    if (fd != STDERR_FILENO && (strikes_fd(WRITE, fd) || is_weak(fd)))
        return -1;
    return libc.call(fd, from, fd == STDERR_FILENO ? n : bounded(n, fault.write_max));
}

static ssize_t pwrite_any(int fd, const void *from, size_t n, off64_t at)
{
    LIBC(ssize_t(*call)(int, const void *, size_t, off64_t), "pwrite64");
    return strikes_fd(PWRITE, fd) ? -1 : libc.call(fd, from, bounded(n, fault.write_max), at);
}

ssize_t pwrite(int fd, const void *from, size_t n, off_t at)
{
    return pwrite_any(fd, from, n, at);
}

ssize_t pwrite64(int fd, const void *from, size_t n, off64_t at)
{
    return pwrite_any(fd, from, n, at);
}

/* ---- opening ---- */

static int open_any(int folder, const char *path, int flags, mode_t mode)
{
    LIBC(int (*call)(int, const char *, int, ...), "openat64");
    if (fault.named && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return strikes(OPEN, path) ? -1 : libc.call(folder, path, flags, mode);
}

/* The mode, where there is one. */
#define MODE(flags)                                                                                \
    mode_t mode = 0;                                                                               \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                         \
        va_list args;                                                                              \
        va_start(args, flags);                                                                     \
        mode = va_arg(args, mode_t);                                                               \
        va_end(args);                                                                              \
    }

int open(const char *path, int flags, ...)
{
    MODE(flags);
    return open_any(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE(flags);
    return open_any(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    MODE(flags);
    return open_any(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...)
{
    MODE(flags);
    return open_any(folder, path, flags, mode);
}

static int temporary(char *path)
{
    LIBC(int (*call)(char *), "mkstemp64");
    return strikes(TEMPORARY, path) ? -1 : libc.call(path);
}

int mkstemp(char *path)
{
    return temporary(path);
}

int mkstemp64(char *path)
{
    return temporary(path);
}

char *mkdtemp(char *path)
{
    LIBC(char *(*call)(char *), "mkdtemp");
    return strikes(TEMPORARY, path) ? NULL : libc.call(path);
}

int mkdir(const char *path, mode_t mode)
{
    LIBC(int (*call)(const char *, mode_t), "mkdir");
    return strikes(FOLDER, path) ? -1 : libc.call(path, mode);
}

int mkdirat(int folder, const char *path, mode_t mode)
{
    LIBC(int (*call)(int, const char *, mode_t), "mkdirat");
    return strikes(FOLDER, path) ? -1 : libc.call(folder, path, mode);
}

/* ---- ending ---- */

/* Nothing waits for the disk here: only the answer is looked at. */
int fsync(int fd)
{
    return strikes_fd(FSYNC, fd) ? -1 : 0;
}

int fdatasync(int fd)
{
    return strikes_fd(FSYNC, fd) ? -1 : 0;
}

void sync(void)
{
}

int rename(const char *from, const char *to)
{
    LIBC(int (*call)(const char *, const char *), "rename");
    return strikes(RENAME, from) ? -1 : libc.call(from, to);
}

int renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
    LIBC(int (*call)(int, const char *, int, const char *, unsigned), "renameat2");
    return strikes(RENAME, from) ? -1 : libc.call(a, from, b, to, flags);
}

int unlink(const char *path)
{
    LIBC(int (*call)(const char *), "unlink");
    return strikes(UNLINK, path) ? -1 : libc.call(path);
}

int rmdir(const char *path)
{
    LIBC(int (*call)(const char *), "rmdir");
    return strikes(UNLINK, path) ? -1 : libc.call(path);
}

/* libc's own calls of unlink and rmdir do not come by here. */
int remove(const char *path)
{
    LIBC(int (*call)(const char *), "remove");
    return strikes(UNLINK, path) ? -1 : libc.call(path);
}

int linkat(int a, const char *from, int b, const char *to, int flags)
{
    LIBC(int (*call)(int, const char *, int, const char *, int), "linkat");
    return strikes(LINK, to) ? -1 : libc.call(a, from, b, to, flags);
}

int ftruncate(int fd, off_t n)
{
    LIBC(int (*call)(int, off_t), "ftruncate");
    return strikes_fd(TRUNCATE, fd) ? -1 : libc.call(fd, n);
}

int ftruncate64(int fd, off64_t n)
{
    return ftruncate(fd, n);
}

int close(int fd)
{
    LIBC(int (*call)(int), "close");
    long flags = fault.what == CLOSE ? syscall(SYS_fcntl, fd, F_GETFL) : 0;
    bool struck = flags > 0 && (flags & O_ACCMODE) != O_RDONLY && strikes_fd(CLOSE, fd);
    int error = errno, result = libc.call(fd);

    if (struck)
        errno = error;
    return struck ? -1 : result;
}

/* ---- threads and memory ---- */

/* The path that is told is that of the program or library that asks. */
static bool strikes_memory(void *caller)
{
    Dl_info info;

    if (!fault.armed || fault.what != MEMORY)
        return false;
    return strikes(MEMORY, dladdr(caller, &info) && info.dli_fname ? info.dli_fname : NULL);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *arg)
{
    LIBC(int (*call)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *),
         "pthread_create");
    return strikes(THREAD, NULL) ? EAGAIN : libc.call(thread, attr, start, arg);
}

/* dlsym() would ask for memory itself. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t alignment, size_t n);

void *malloc(size_t n)
{
    return strikes_memory(__builtin_return_address(0)) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return strikes_memory(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return strikes_memory(__builtin_return_address(0)) ? NULL : __libc_realloc(p, n);
}

void *aligned_alloc(size_t alignment, size_t n)
{
    return strikes_memory(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, n);
}

int posix_memalign(void **p, size_t alignment, size_t n)
{
    int saved = errno;

    *p = strikes_memory(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, n);
    errno = saved;
    return *p ? 0 : ENOMEM;
}

/* ---- main ---- */

/* stdio calls write(2) inside libc, where nothing can stand between: stdout is given another end.
 * As stdio does, it goes on after a short write. */
static ssize_t print(void *cookie, const char *from, size_t n)
{
    size_t done = 0;

    (void)cookie;
    printing = true;
    while (done < n) {
        ssize_t more = write(STDOUT_FILENO, from + done, n - done);
        if (more < 0)
            break;
        done += (size_t)more;
    }
    printing = false;
    return done || n == 0 ? (ssize_t)done : -1;
}

static size_t number(const char *name)
{
    const char *text = getenv(name);
    return text ? strtoul(text, NULL, 10) : 0;
}

static bool is_set(const char *name)
{
    const char *text = getenv(name);
    return text && *text;
}

static void set_error(const char *name)
{
    static const struct {
        const char *name;
        int error, signal;
    } known[] = {{"EIO", EIO, 0},      {"ENOSPC", ENOSPC, 0}, {"KILL", 0, SIGKILL},
                 {"TERM", 0, SIGTERM}, {"INT", 0, SIGINT},    {"HUP", 0, SIGHUP}};

    for (size_t i = 0; name && i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i].name) == 0) {
            fault.error = known[i].error;
            fault.signal = known[i].signal;
        }
}

static int (*program)(int, char **, char **);
int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
                      int (*init)(int, char **, char **), void (*fini)(void), void (*rtld)(void),
                      void *stack);

static int start(int argc, char **argv, char **env)
{
    const char *what = getenv("FAULT_CALL");

    for (enum call i = 0; what && i < CALLS; i++)
        if (strcmp(what, call_names[i]) == 0)
            fault.what = i;
    fault.nth = (unsigned)number("FAULT_NTH");
    fault.on = is_set("FAULT_ON");
    fault.weak = is_set("FAULT_WEAK");
    fault.named = is_set("FAULT_NAMED");
    fault.read_max = number("FAULT_READ");
    fault.write_max = number("FAULT_WRITE");
    fault.hit = getenv("FAULT_HIT");
    set_error(getenv("FAULT_ERROR"));
    if (fault.what == WRITE || fault.write_max) {
        FILE *other = fopencookie(NULL, "w", (cookie_io_functions_t){.write = print});
        if (other)
            stdout = other;
    }
    fault.armed = true;
    return program(argc, argv, env);
}

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
                      int (*init)(int, char **, char **), void (*fini)(void), void (*rtld)(void),
                      void *stack)
{
    LIBC(int (*call)(int (*)(int, char **, char **), int, char **, int (*)(int, char **, char **),
                     void (*)(void), void (*)(void), void *),
         "__libc_start_main");
    program = main;
    return libc.call(start, argc, argv, init, fini, rtld, stack);
}
