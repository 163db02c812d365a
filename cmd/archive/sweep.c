/* Waits for signals and cleans up. State is global, as signals are. */
#include "cmd/archive/sweep.h"
#include "cmd/archive/sink.h"
#include "common/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { TRIES = 20, FOLDERS_MAX = 4 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *unfinished[FOLDERS_MAX];
static sigset_t awaited;

/* The other threads go on writing into it for a moment; what they made meanwhile goes next time. */
static void sweep(void)
{
    pthread_mutex_lock(&lock); /* kept: nobody finishes it any more */
    for (size_t f = 0; f < FOLDERS_MAX; f++)
        for (int i = 0; unfinished[f] && i < TRIES && access(unfinished[f], F_OK) == 0; i++)
            bag_tree_remove(unfinished[f]);
    ct_out_cleanup();
}

/* The other threads would tell that what they write to is gone. */
static void be_quiet(void)
{
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (nowhere >= 0)
        dup2(nowhere, STDERR_FILENO);
}

static void *wait_for_signal(void *arg)
{
    sigset_t one;
    int sig;

    (void)arg;
    if (sigwait(&awaited, &sig) != 0)
        return NULL;
    be_quiet();
    sweep();
    signal(sig, SIG_DFL);
    sigemptyset(&one);
    sigaddset(&one, sig);
    pthread_sigmask(SIG_UNBLOCK, &one, NULL);
    raise(sig);
    return NULL;
}

void bag_sweep_start(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction act;
    sigset_t before;
    pthread_t thread;

    sigemptyset(&awaited);
    for (size_t i = 0; i < CT_LEN(signals); i++)
        /* What the parent ignores (nohup) stays ignored. */
        if (sigaction(signals[i], NULL, &act) == 0 && act.sa_handler != SIG_IGN)
            sigaddset(&awaited, signals[i]);
    ct_cli_at_oom(sweep);
    pthread_sigmask(SIG_BLOCK, &awaited, &before);
    if (pthread_create(&thread, NULL, wait_for_signal, NULL) == 0)
        pthread_detach(thread);
    else
        pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* With the lock held. */
static bool replace(const char *folder, const char *by)
{
    for (size_t f = 0; f < FOLDERS_MAX; f++)
        if (unfinished[f] == folder) {
            unfinished[f] = by;
            return true;
        }
    return false;
}

static int make_file(char *name)
{
    int fd = -1;

    errno = EMFILE;
    if (ct_cleanup_add(name) && (fd = mkstemp(name)) < 0)
        ct_cleanup_drop(name);
    return fd;
}

static bool make_folder(char *name)
{
    if (!mkdtemp(name))
        return false;
    if (replace(NULL, name))
        return true;
    rmdir(name);
    errno = EMFILE;
    return false;
}

int bag_sweep_make(char *name, bool folder)
{
    int fd = -1;
    bool made = false;

    pthread_mutex_lock(&lock); /* or the signal could come when it is there and not known */
    if (folder)
        made = make_folder(name);
    else
        fd = make_file(name);
    pthread_mutex_unlock(&lock);
    if (made)
        fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (made && fd < 0) {
        rmdir(name);
        bag_sweep_drop(name);
    }
    return fd;
}

void bag_sweep_drop(const char *name)
{
    if (!name)
        return;
    ct_cleanup_drop(name);
    pthread_mutex_lock(&lock);
    replace(name, NULL);
    pthread_mutex_unlock(&lock);
}
