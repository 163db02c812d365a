/* ct_work_run: every unit is worked once and comes out in order, however the run ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/stream/stream.h"

#include <stdio.h>
#include <time.h>

enum { UNITS = 500, SLOTS = 16 };

typedef struct slot {
    int unit;
    uint64_t result;
} slot;

typedef struct run {
    int units;   /* that fill gives */
    ct_got last; /* what it says then */
    int stop_at; /* unit at which done says false, or -1 */
    int slow;    /* every how many units work takes long; 0: never */
    int filled, done;
    bool in_order;
    bool slots_busy[SLOTS];
    slot *slots;
} run;

static uint64_t answer(int unit)
{
    return (uint64_t)unit * 2654435761u + 1;
}

static ct_got fill(void *ctx, void *to, ct_err *err)
{
    run *r = ctx;
    slot *s = to;
    if (r->filled == r->units) {
        if (r->last == CT_GOT_FATAL)
            ct_fail(err, CT_E_CUT, "cut");
        return r->last;
    }
    assert_false(r->slots_busy[s - r->slots]);
    r->slots_busy[s - r->slots] = true;
    *s = (slot){.unit = r->filled++};
    return CT_GOT_RECORD;
}

static void work(void *ctx, void *in)
{
    const run *r = ctx;
    slot *s = in;
    if (r->slow && s->unit % r->slow == 0)
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    s->result += answer(s->unit);
}

static bool done(void *ctx, void *in)
{
    run *r = ctx;
    slot *s = in;
    r->in_order = r->in_order && s->unit == r->done && s->result == answer(s->unit);
    r->slots_busy[s - r->slots] = false;
    return r->done++ != r->stop_at;
}

/* ---- waiting for input ---- */

typedef struct slow_input {
    run r;
    int idle, stop_at; /* idle: how often; at which it says false, or -1 */
    bool waited;       /* it was asked whether it is ready, and said no */
    bool none_left;    /* all that was filled was done whenever it was idle */
} slow_input;

static bool never_ready(void *ctx)
{
    slow_input *s = ctx;
    s->waited = true;
    return false;
}

static bool idle(void *ctx)
{
    slow_input *s = ctx;
    s->none_left = s->none_left && s->r.done == s->r.filled;
    return s->idle++ != s->stop_at;
}

/* Where input must be waited for, what was read is done before. */
static void test_waiting(void **state)
{
    (void)state;
    static const struct {
        int jobs, stop_at, done, idle;
    } rows[] = {{1, -1, 20, 21}, {3, -1, 20, 21}, {1, 5, 5, 6}, {3, 5, 5, 6}};
    for (size_t i = 0; i < CT_LEN(rows); i++) {
        slot slots[SLOTS];
        void *ring[SLOTS];
        for (size_t k = 0; k < SLOTS; k++)
            ring[k] = &slots[k];
        slow_input s = {.r = {.units = 20, .last = CT_GOT_END, .stop_at = -1, .slow = 3},
                        .stop_at = rows[i].stop_at,
                        .none_left = true};
        s.r.slots = slots;
        ct_work w = {.jobs = rows[i].jobs,
                     .slots = ring,
                     .nslots = SLOTS,
                     .fill = fill,
                     .work = work,
                     .done = done,
                     .ctx = &s,
                     .ready = never_ready,
                     .idle = idle};
        ct_err err = {0};
        assert_int_equal(ct_work_run(&w, &err), rows[i].stop_at < 0);
        assert_int_equal(s.r.done, rows[i].done);
        assert_int_equal(s.idle, rows[i].idle);
        assert_true(s.waited && s.none_left);
    }
}

static void test_runs(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int jobs;
        size_t nslots;
        int units;
        ct_got last;
        int stop_at, slow;
        bool ok;
        int done;
    } rows[] = {
        {"nothing to do, alone", 1, 1, 0, CT_GOT_END, -1, 0, true, 0},
        {"nothing to do", 2, 8, 0, CT_GOT_END, -1, 0, true, 0},
        {"fatal at once", 2, 8, 0, CT_GOT_FATAL, -1, 0, false, 0},
        {"one unit", 4, 16, 1, CT_GOT_END, -1, 0, true, 1},
        {"alone", 1, 1, UNITS, CT_GOT_END, -1, 0, true, UNITS},
        {"alone, fatal", 1, 4, UNITS, CT_GOT_FATAL, -1, 0, false, UNITS},
        {"alone, stopped", 1, 4, UNITS, CT_GOT_END, 7, 0, false, 8},
        {"two threads", 2, 8, UNITS, CT_GOT_END, -1, 0, true, UNITS},
        {"as many slots as threads", 3, 3, UNITS, CT_GOT_END, -1, 7, true, UNITS},
        {"fewer slots than threads", 4, 2, UNITS, CT_GOT_END, -1, 7, true, UNITS},
        {"one slot", 2, 1, UNITS, CT_GOT_END, -1, 0, true, UNITS},
        {"some are slow", 4, 16, UNITS, CT_GOT_END, -1, 13, true, UNITS},
        {"the first is slow", 4, 16, UNITS, CT_GOT_END, -1, UNITS, true, UNITS},
        {"fatal: what was filled is done", 4, 16, 101, CT_GOT_FATAL, -1, 10, false, 101},
        {"stopped at the first", 4, 16, UNITS, CT_GOT_END, 0, 5, false, 1},
        {"stopped in the middle", 4, 16, UNITS, CT_GOT_END, 250, 9, false, 251},
        {"stopped at the last", 2, 8, UNITS, CT_GOT_END, UNITS - 1, 0, false, UNITS},
        {"more threads than units", 16, 16, 3, CT_GOT_END, -1, 1, true, 3},
    };
    for (size_t i = 0; i < CT_LEN(rows); i++) {
        slot slots[SLOTS];
        void *ring[SLOTS];
        for (size_t k = 0; k < SLOTS; k++)
            ring[k] = &slots[k];
        run r = {.units = rows[i].units,
                 .last = rows[i].last,
                 .stop_at = rows[i].stop_at,
                 .slow = rows[i].slow,
                 .in_order = true,
                 .slots = slots};
        ct_work w = {.jobs = rows[i].jobs,
                     .slots = ring,
                     .nslots = rows[i].nslots,
                     .fill = fill,
                     .work = work,
                     .done = done,
                     .ctx = &r};
        ct_err err = {0};
        bool ok = ct_work_run(&w, &err);
        if (ok != rows[i].ok || r.done != rows[i].done || !r.in_order)
            fail_msg("%s: ok %d, done %d, in order %d", rows[i].name, ok, r.done, r.in_order);
        assert_int_equal(err.kind, rows[i].last == CT_GOT_FATAL ? CT_E_CUT : CT_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_runs), cmocka_unit_test(test_waiting)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
