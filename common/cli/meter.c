/* The progress line. */
#include "common/cli/internal.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { REDRAW_MS = 200, LATE_MS = 1000 /* short work shows nothing */ };

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void ct_cli_progress(ct_cli *c, uint64_t bytes)
{
    int64_t now;
    double seconds;

    if (c->progress < 0)
        c->progress = !c->quiet && isatty(STDERR_FILENO);
    if (!c->progress)
        return;
    now = now_ms();
    if (!c->meter_start)
        c->meter_start = now;
    if (now - c->meter_start < LATE_MS || now - c->meter_last < REDRAW_MS)
        return;
    seconds = (double)(now - c->meter_start) / 1000;
    fprintf(stderr, "\r%s: %.1f MB, %.1f MB/s\033[K", c->prog, (double)bytes / 1e6,
            (double)bytes / 1e6 / seconds);
    c->meter_last = now;
}

void ct_cli_meter_clear(const ct_cli *c)
{
    if (c->meter_last)
        fputs("\r\033[K", stderr);
}
