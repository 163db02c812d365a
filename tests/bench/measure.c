/* measure RUNS COMMAND: runs a shell command once to warm up, then RUNS times, its output thrown
 * away, and prints the median of its wall and CPU seconds and the peak memory of its largest
 * process. The command must end with 0, every part of a pipeline too: anything else is no
 * measurement, and is status 1. */
/* For wait4, which tells the use of one child and of those that it waited for. */
#define _DEFAULT_SOURCE
#include "tests/bench/timing.h"

#include <sys/wait.h>
#include <unistd.h>

/* The exit status, or -1. */
static int run(const char *command, timing *t, double *peak)
{
    struct rusage use;
    int status;
    double start = timing_wall();
    pid_t child = fork();

    if (child == 0) {
        if (!freopen("/dev/null", "w", stdout))
            _exit(127);
        /* POSIX's shell of 2008 tells of a pipeline's last command only. */
        execlp("bash", "bash", "-o", "pipefail", "-c", command, (char *)NULL);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &use) != child || !WIFEXITED(status))
        return -1;
    *t = (timing){timing_wall() - start, timing_cpu(&use)};
    if ((double)use.ru_maxrss / 1024 > *peak)
        *peak = (double)use.ru_maxrss / 1024;
    return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
    timing runs[TIMING_RUNS + 1];
    double peak = 0;
    int n = argc == 3 ? timing_count(argv[1]) : 0;

    if (n == 0)
        return 2;
    for (int i = 0; i <= n; i++) {
        int status = run(argv[2], &runs[i], &peak);
        if (status != 0) {
            fprintf(stderr, "measure: exit %d: %s\n", status, argv[2]);
            return 1;
        }
    }
    timing_print(runs + 1, n, peak);
    return 0;
}
