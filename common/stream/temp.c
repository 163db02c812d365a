/* Temporary files without a name, so that nothing is left of them however the process ends. */
#define _GNU_SOURCE /* O_TMPFILE */
#include "common/stream/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- where files have a name for a moment ---- */

static const char stem[] = "chart.";

/* The process in a name `chart.PID.XXXXXX`, or 0. */
static pid_t owner_of(const char *name)
{
    ct_str rest = ct_str_z(name), pid;
    uint64_t value;
    if (!ct_str_starts(rest, ct_str_z(stem)))
        return 0;
    rest = ct_str_from(rest, sizeof stem - 1);
    pid = ct_str_cut(&rest, '.');
    if (rest.n != 6 || !ct_str_u64(pid, &value) || value == 0 || value > INT32_MAX)
        return 0;
    return (pid_t)value;
}

/* Only what this user's process left that is gone. (Were it taken for gone by mistake, because it
 * runs in a namespace of its own: its file is to lose the name anyway.) */
static void remove_stale(int folder, const char *name)
{
    struct stat st;
    pid_t pid = owner_of(name);
    if (pid && kill(pid, 0) < 0 && errno == ESRCH &&
        fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
        st.st_uid == geteuid() && st.st_nlink == 1)
        (void)unlinkat(folder, name, 0);
}

static void remove_all_stale(const char *path)
{
    DIR *d = opendir(path);
    if (!d)
        return;
    for (struct dirent *e; (e = readdir(d));)
        remove_stale(dirfd(d), e->d_name);
    closedir(d);
}

int ct_temp_named(const char *folder)
{
    ct_buf path = {0};
    remove_all_stale(folder);
    ct_buf_printf(&path, "%s/%s%jd.XXXXXX", folder, stem, (intmax_t)getpid());
    ct_buf_c(&path, '\0');
    bool entered = ct_cleanup_add(path.p); /* a signal may come while it has its name */
    int fd = mkstemp(path.p);
    int sys = errno;
    if (fd >= 0) {
        unlink(path.p);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    if (entered)
        ct_cleanup_drop(path.p);
    ct_buf_free(&path);
    errno = sys;
    return fd;
}

/* ---- where they have none from the start ---- */

static int make_nameless(const char *folder)
{
#ifdef O_TMPFILE
    int fd = open(folder, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd >= 0)
        return fd;
#endif
    return ct_temp_named(folder);
}

int ct_temp_open(ct_err *err)
{
    const char *folder = getenv("TMPDIR");
    int fd = make_nameless(folder && *folder ? folder : "/tmp");
    if (fd < 0)
        ct_fail_sys(err, errno, "temporary file: cannot create");
    return fd;
}
