/* measure LABEL BYTES COMMAND: runs a shell command five times with its output thrown away and
 * prints the median of the wall seconds, the MB/s over BYTES, and the peak memory of its largest
 * process. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 5 };

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The exit status, or -1. */
static int run(const char *command)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        if (!freopen("/dev/null", "w", stdout))
            _exit(127);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    double wall[RUNS], start;
    struct rusage use;

    if (argc != 4)
        return 2;
    for (int i = 0; i < RUNS; i++) {
        int status;

        start = seconds();
        status = run(argv[3]);
        /* 1 is an answer (findings); anything above is no measurement. */
        if (status < 0 || status > 1) {
            printf("%-34s failed (%d)\n", argv[1], status);
            return 1;
        }
        wall[i] = seconds() - start;
    }
    qsort(wall, RUNS, sizeof(wall[0]), by_value);
    getrusage(RUSAGE_CHILDREN, &use);
    printf("%-34s %8.2f s %9.1f MB/s %8.1f MB\n", argv[1], wall[RUNS / 2],
           strtod(argv[2], NULL) / 1e6 / wall[RUNS / 2], (double)use.ru_maxrss / 1024);
    return 0;
}
