/* chart-tally: do the books of a pipeline's steps add up? Each step's own equation, and between two
 * steps that what one wrote is what the next one read. */
#include "common/cli/cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TALLY_MAX = 1 << 20 /* bytes of one tally file */ };

static const ct_command command = {
    .name = "tally",
    .summary =
        "Checks that the books of the steps of a pipeline add up. The files are what each step\n"
        "wrote by --tally, in the order of the pipeline.",
    .synopsis = "FILE...",
    .examples = "  chart import --tally 1 feed.hl7 | chart audit --pass --tally 2 >records\n"
                "  chart tally 1 2\n",
};

typedef struct side {
    uint64_t records;
    ct_str sum; /* hexadecimal */
} side;

/* What a tally file says. */
typedef struct step {
    const char *file;
    ct_str command;
    uint64_t status, created, rejected, withheld, consumed;
    side in, out;
} step;

static bool get_number(const ct_doc *d, const char *path, uint64_t *value, ct_err *err)
{
    ct_val v = ct_at(d, CT_ROOT, path);

    if (v == CT_NONE || ct_type(d, v) != CT_NUMBER || !ct_str_u64(ct_raw(d, v), value))
        return ct_fail_at(err, CT_E_DATA, "not a count", "%s", path);
    return true;
}

static bool get_text(const ct_doc *d, const char *path, ct_arena *a, ct_str *text, ct_err *err)
{
    ct_val v = ct_at(d, CT_ROOT, path);

    if (v == CT_NONE || ct_type(d, v) != CT_STRING)
        return ct_fail_at(err, CT_E_DATA, "not a text", "%s", path);
    *text = ct_arena_copy(a, ct_text(d, v, a));
    return true;
}

/* A word of the given characters, which a terminal can show. */
static bool get_word(const ct_doc *d, const char *path, const char *characters, size_t n,
                     ct_arena *a, ct_str *word, ct_err *err)
{
    if (!get_text(d, path, a, word, err))
        return false;
    if (strspn(word->p, characters) != word->n || word->n == 0 || (n && word->n != n))
        return ct_fail_at(err, CT_E_DATA, "not what a step writes", "%s", path);
    return true;
}

static bool get_side(const ct_doc *d, const char *name, ct_arena *a, side *s, ct_err *err)
{
    ct_str records = ct_arena_printf(a, "%s.records", name);
    ct_str sum = ct_arena_printf(a, "%s.sum", name);

    return get_number(d, records.p, &s->records, err) &&
           get_word(d, sum.p, "0123456789abcdef", 2 * CT_SHA256_LEN, a, &s->sum, err);
}

static bool get_status(const ct_doc *d, uint64_t *status, ct_err *err)
{
    if (!get_number(d, "status", status, err))
        return false;
    return *status <= CT_FAULT || ct_fail_at(err, CT_E_DATA, "not what a step writes", "status");
}

static bool read_step(const char *file, ct_arena *a, step *s, ct_err *err)
{
    ct_buf text = {0};
    ct_parser *p = ct_parser_new(NULL);
    ct_doc d;
    bool ok;

    s->file = file;
    ok = ct_slurp(file, TALLY_MAX, &text, err) && ct_parse(p, ct_buf_str(&text), &d, err) &&
         get_word(&d, "command", "abcdefghijklmnopqrstuvwxyz ", 0, a, &s->command, err) &&
         get_status(&d, &s->status, err) && get_number(&d, "created", &s->created, err) &&
         get_number(&d, "rejected", &s->rejected, err) &&
         get_number(&d, "withheld", &s->withheld, err) &&
         get_number(&d, "consumed", &s->consumed, err) && get_side(&d, "in", a, &s->in, err) &&
         get_side(&d, "out", a, &s->out, err);
    ct_parser_free(p);
    ct_buf_free(&text);
    return ok;
}

/* Both sides of the equation; false where one is beyond any count, and so no step's. */
static bool balanced(const step *s)
{
    const uint64_t counts[] = {s->in.records, s->created,  s->out.records,
                               s->rejected,   s->withheld, s->consumed};

    for (size_t i = 0; i < CT_LEN(counts); i++)
        if (counts[i] > UINT64_MAX / CT_LEN(counts))
            return false;
    return s->in.records + s->created == s->out.records + s->rejected + s->withheld + s->consumed;
}

static void print_step(const step *s)
{
    printf("%-16.*s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64
           " %10" PRIu64 "\n",
           (int)s->command.n, s->command.p, s->in.records, s->created, s->rejected, s->withheld,
           s->consumed, s->out.records);
}

static void check_step(ct_cli *c, const step *s)
{
    print_step(s);
    if (s->status == CT_FAULT)
        ct_cli_problem(c, CT_NO, "%s: the step ended with status 2", s->file);
    if (!balanced(s))
        ct_cli_problem(c, CT_NO, "%s: does not add up", s->file);
}

static void check_link(ct_cli *c, const step *from, const step *to)
{
    if (from->out.records != to->in.records)
        ct_cli_problem(c, CT_NO, "%s wrote %" PRIu64 " records, %s read %" PRIu64, from->file,
                       from->out.records, to->file, to->in.records);
    else if (!ct_str_eq(from->out.sum, to->in.sum))
        ct_cli_problem(c, CT_NO, "%s read other records than %s wrote", to->file, from->file);
}

/* All files, before anything is said. */
static step *read_steps(ct_cli *c, ct_arena *a)
{
    step *steps = ct_calloc(c->nargs, sizeof(*steps));
    ct_err err = {0};

    for (size_t i = 0; i < c->nargs; i++)
        if (!read_step(c->args[i], a, &steps[i], &err))
            ct_cli_die(c, c->args[i], &err);
    return steps;
}

static void check_steps(ct_cli *c, const step *steps)
{
    printf("%-16s %10s %10s %10s %10s %10s %10s\n", "step", "in", "created", "rejected", "withheld",
           "consumed", "out");
    for (size_t i = 0; i < c->nargs; i++) {
        check_step(c, &steps[i]);
        if (i > 0)
            check_link(c, &steps[i - 1], &steps[i]);
    }
    if (c->status == CT_DONE && !c->quiet)
        printf("the books add up\n");
    ct_cli_printed(c);
}

int main(int argc, char **argv)
{
    ct_cli c;
    ct_arena *a;
    step *steps;

    ct_cli_start(&c, &command, argc, argv);
    a = ct_arena_new();
    while (ct_cli_option(&c) != CT_CLI_DONE)
        ;
    if (c.nargs == 0)
        ct_cli_usage(&c, "name the tally files");
    steps = read_steps(&c, a);
    check_steps(&c, steps);
    free(steps);
    ct_arena_free(a);
    return ct_cli_finish(&c);
}
