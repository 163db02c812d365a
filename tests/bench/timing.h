/* Clocks and medians of the benchmark's programs; C and C++. */
#ifndef BENCH_TIMING_H
#define BENCH_TIMING_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { TIMING_RUNS = 99 };

/* One run of something. */
typedef struct timing {
    double wall, cpu; /* seconds; cpu is user and system together */
} timing;

static inline double timing_cpu(const struct rusage *use)
{
    return (double)(use->ru_utime.tv_sec + use->ru_stime.tv_sec) +
           (double)(use->ru_utime.tv_usec + use->ru_stime.tv_usec) / 1e6;
}

static inline double timing_wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline timing timing_now(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    timing t = {timing_wall(), timing_cpu(&use)};
    return t;
}

static inline timing timing_since(timing start)
{
    timing now = timing_now();
    timing t = {now.wall - start.wall, now.cpu - start.cpu};
    return t;
}

static inline int timing_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline double timing_median(double *values, int n)
{
    qsort(values, (size_t)n, sizeof *values, timing_order);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* Prints what tests/bench/run reads: wall seconds, CPU seconds, and peak memory in MB (0: not
 * told). */
static inline void timing_print(const timing *runs, int n, double peak)
{
    double wall[TIMING_RUNS], cpu[TIMING_RUNS];
    for (int i = 0; i < n; i++) {
        wall[i] = runs[i].wall;
        cpu[i] = runs[i].cpu;
    }
    printf("%.4f\t%.4f\t%.1f\n", timing_median(wall, n), timing_median(cpu, n), peak);
}

/* A number of runs from the command line, 0 where it makes no sense. */
static inline int timing_count(const char *text)
{
    int n = atoi(text);
    return n > 0 && n <= TIMING_RUNS ? n : 0;
}

#endif
