/* A pipe between the pass over a bag and the reader of charts. */
#include "cmd/archive/flow.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct bag_flow {
    bag_pass pass;
    bag_identity identity;
    pthread_t thread;
    int ends[2]; /* for reading, for writing; -1: closed */
    char name[32];
    const char *names[1];
    ct_blocks *blocks;
    bool records; /* the current file holds records */
    char last;
    bag_check *check; /* by the thread */
    ct_err failed;    /* likewise */
};

/* ---- the thread: from the bag into the pipe ---- */

static bool put(bag_flow *f, ct_str bytes, ct_err *err)
{
    while (bytes.n) {
        ssize_t n = write(f->ends[1], bytes.p, bytes.n);

        if (n < 0 && errno != EINTR)
            return ct_fail_sys(err, errno, "cannot hand on the records of the bag");
        if (n > 0)
            bytes = ct_str_from(bytes, (size_t)n);
    }
    return true;
}

static bool flow_begin(void *ctx, ct_str path, ct_err *err)
{
    bag_flow *f = ctx;

    (void)err;
    bag_identity_begin(&f->identity, path);
    f->records = ct_str_starts(path, CT_S("data/")) && ct_str_ends(path, CT_S(".ndjson"));
    f->last = '\n';
    return true;
}

static bool flow_bytes(void *ctx, ct_str bytes, ct_err *err)
{
    bag_flow *f = ctx;

    bag_identity_bytes(&f->identity, bytes);
    if (!f->records || bytes.n == 0)
        return true;
    f->last = bytes.p[bytes.n - 1];
    return put(f, bytes, err);
}

static bool flow_end(void *ctx, bool damaged, ct_err *err)
{
    bag_flow *f = ctx;

    bag_identity_end(&f->identity, damaged);
    return f->last == '\n' || put(f, CT_S("\n"), err);
}

static void *run(void *ctx)
{
    bag_flow *f = ctx;
    sigset_t pipe_signal;

    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal,
                    NULL); /* a reader that has enough is no reason to die */
    f->check = bag_pass_run(&f->pass, &f->failed);
    close(f->ends[1]);
    f->ends[1] = -1;
    return NULL;
}

/* ---- the caller ---- */

static void flow_free(bag_flow *f)
{
    for (size_t i = 0; i < CT_LEN(f->ends); i++)
        if (f->ends[i] >= 0)
            close(f->ends[i]);
    bag_check_free(f->check);
    bag_identity_free(&f->identity);
    ct_buf_free(&f->pass.base);
    free(f);
}

bag_flow *bag_flow_open(const char *path, int jobs, const bag_keys *keys, ct_err *err)
{
    bag_flow *f = ct_calloc(1, sizeof(*f));

    f->pass =
        (bag_pass){.path = path,
                   .jobs = jobs,
                   .keys = keys,
                   .viewer = {.begin = flow_begin, .bytes = flow_bytes, .end = flow_end, .ctx = f}};
    f->ends[0] = f->ends[1] = -1;
    if (pipe(f->ends) != 0) {
        ct_fail_sys(err, errno, "cannot make a pipe");
        flow_free(f);
        return NULL;
    }
    for (size_t i = 0; i < CT_LEN(f->ends); i++)
        (void)fcntl(f->ends[i], F_SETFD, FD_CLOEXEC);
    snprintf(f->name, sizeof(f->name), "/dev/fd/%d", f->ends[0]);
    f->names[0] = f->name;
    f->blocks = ct_blocks_new(f->names, CT_LEN(f->names));
    if (pthread_create(&f->thread, NULL, run, f) == 0)
        return f;
    ct_fail_sys(err, EAGAIN, "cannot start a thread");
    ct_blocks_free(f->blocks);
    flow_free(f);
    return NULL;
}

ct_blocks *bag_flow_blocks(bag_flow *f)
{
    return f->blocks;
}

static void count_finding(void *ctx, const bag_finding *finding)
{
    (void)ctx;
    (void)finding;
}

/* What went by, judged. */
static bool sound(bag_flow *f, ct_err *err)
{
    bag_summary summary;

    if (!f->check) {
        *err = f->failed;
        return false;
    }
    if (!bag_check_end(f->check, false, count_finding, NULL, &summary, err))
        return false;
    return (summary.invalid == 0 && summary.incomplete == 0) ||
           ct_fail(err, CT_E_DATA, "the bag is not valid");
}

bool bag_flow_close(bag_flow *f, char *identity, uint64_t *foreign, ct_err *err)
{
    bool ok;

    ct_blocks_free(f->blocks);
    close(f->ends[0]);
    f->ends[0] = -1;
    pthread_join(f->thread, NULL);
    ok = sound(f, err) && bag_check_foreign(f->check, foreign, err);
    memcpy(identity, f->identity.hex, sizeof(f->identity.hex));
    flow_free(f);
    return ok;
}
