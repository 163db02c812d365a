/* The progress line. */
#include "common/cli/internal.h"

#include <inttypes.h>
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

static void put_bytes(double bytes)
{
    if (bytes < 1e9)
        fprintf(stderr, "%.1f MB", bytes / 1e6);
    else
        fprintf(stderr, "%.2f GB", bytes / 1e9);
}

/* What is left of the time, where so much of all is done. */
static void put_left(double seconds, uint64_t done, uint64_t all)
{
    uint64_t left;

    if (!done || done > all)
        return;
    left = (uint64_t)(seconds * (double)(all - done) / (double)done + 0.5);
    if (left >= 3600)
        fprintf(stderr, ", %" PRIu64 ":%02d:%02d left", left / 3600, (int)(left / 60 % 60),
                (int)(left % 60));
    else
        fprintf(stderr, ", %d:%02d left", (int)(left / 60), (int)(left % 60));
}

/* On the way in: bytes, records, rate. */
static void draw_in(const ct_progress *p, double seconds)
{
    put_bytes((double)p->bytes);
    if (p->records)
        fprintf(stderr, ", %" PRIu64 " records", p->records);
    fputs(", ", stderr);
    put_bytes(seconds > 0 ? (double)p->bytes / seconds : 0);
    fputs("/s", stderr);
    put_left(seconds, p->stored, p->total);
}

/* On the way out of what is all read. */
static void draw_out(const ct_progress *p, double seconds)
{
    fprintf(stderr, "%" PRIu64 " of %" PRIu64 " records", p->out, p->records);
    put_left(seconds, p->out, p->records);
}

void ct_cli_progress(void *cli, const ct_progress *p)
{
    ct_cli *c = cli;
    int64_t now;

    if (c->progress < 0)
        c->progress = !c->quiet && isatty(STDERR_FILENO);
    if (!c->progress)
        return;
    now = now_ms();
    if (!c->meter_start)
        c->meter_start = now;
    if (p->out && !c->meter_out)
        c->meter_out = now;
    if (now - c->meter_start < LATE_MS || now - c->meter_last < REDRAW_MS)
        return;
    fprintf(stderr, "\r%s: ", c->prog);
    if (p->out)
        draw_out(p, (double)(now - c->meter_out) / 1000);
    else
        draw_in(p, (double)(now - c->meter_start) / 1000);
    fputs("\033[K", stderr);
    c->meter_last = now;
}

void ct_cli_meter_clear(const ct_cli *c)
{
    if (c->meter_last)
        fputs("\r\033[K", stderr);
}
