/* Where sorted records go: one output, or with --shard one of several by the patient's id. */
#include "cmd/sort/sort.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- names of shards ---- */

/* Where %d stands in the template of -o; SIZE_MAX where it does not stand there just once. */
static size_t number_place(ct_str template)
{
    size_t first = ct_str_find(template, CT_S("%d"));

    if (first == SIZE_MAX || ct_str_find(ct_str_from(template, first + 2), CT_S("%d")) != SIZE_MAX)
        return SIZE_MAX;
    return first;
}

/* Numbers from 0, all of one width, so that the names sort. */
static char *shard_name(ct_str template, size_t place, size_t i, size_t n)
{
    ct_buf b = {0};
    int width = snprintf(NULL, 0, "%zu", n - 1);

    ct_buf_put(&b, ct_str_head(template, place));
    ct_buf_printf(&b, "%0*zu", width, i);
    ct_buf_put(&b, ct_str_from(template, place + 2));
    ct_buf_c(&b, '\0');
    return b.p;
}

static void name_shards(sort_run *s)
{
    ct_str template = ct_str_z(s->cli.output ? s->cli.output : "");
    size_t place = number_place(template);

    if (place == SIZE_MAX)
        ct_cli_usage(&s->cli, "--shard needs --output with one %%d for the number, as part-%%d");
    s->names = ct_calloc(s->nshards, sizeof(char *));
    for (size_t i = 0; i < s->nshards; i++) {
        s->names[i] = shard_name(template, place, i, s->nshards);
        ct_cli_apart(&s->cli, "shard", s->names[i]);
    }
}

void sort_open(sort_run *s)
{
    ct_err err = {0};

    if (!s->nshards) {
        ct_cli_out(&s->cli);
        return;
    }
    name_shards(s);
    s->outs = ct_calloc(s->nshards, sizeof(ct_out *));
    for (size_t i = 0; i < s->nshards; i++)
        if (!(s->outs[i] = ct_out_open(s->names[i], &err))) {
            ct_cli_error(&s->cli, CT_FAULT, s->names[i], &err);
            sort_close(s);
            exit(ct_cli_finish(&s->cli));
        }
}

/* ---- records ---- */

/* The same on every machine and at any time, and easy to find for other programs: the first 64 bits
 * of the id's SHA-256, highest byte first, modulo the number of shards. */
static size_t shard_of(ct_str id, size_t n)
{
    uint8_t digest[CT_SHA256_LEN];
    uint64_t x = 0;

    ct_sha256(id, digest);
    for (size_t i = 0; i < sizeof(x); i++)
        x = x << 8 | digest[i];
    return (size_t)(x % n);
}

static bool put_line(sort_run *s, ct_out *out, const ct_entry *e)
{
    ct_side_add(&s->cli.tally.out, e->line, s->kinds[e->tag]);
    return ct_out_put(out, e->line) && ct_out_put(out, CT_S("\n"));
}

/* Each shard must be whole by itself: what belongs to nobody goes to all, as copies. */
static bool put_shared(sort_run *s, const ct_entry *e)
{
    for (size_t i = 0; i < s->nshards; i++)
        if (!put_line(s, s->outs[i], e))
            return false;
    s->cli.tally.created += s->nshards - 1;
    return true;
}

static bool put_in_shard(sort_run *s, const ct_entry *e)
{
    if (!e->key.n)
        return put_shared(s, e);
    if (!ct_str_eq(ct_buf_str(&s->chart), e->key)) {
        s->chart.n = 0;
        ct_buf_put(&s->chart, e->key);
        s->shard = shard_of(e->key, s->nshards);
    }
    return put_line(s, s->outs[s->shard], e);
}

bool sort_put(sort_run *s, const ct_entry *e)
{
    return s->nshards ? put_in_shard(s, e) : put_line(s, s->cli.out, e);
}

/* ---- the end ---- */

/* An output that failed tells why when it is closed, and never gets its name; the others do not,
 * either, where the status is a fault. */
static void close_shard(sort_run *s, size_t i)
{
    ct_err err = {0};
    bool whole = s->cli.status < CT_FAULT;

    if (!whole && (!s->outs[i] || ct_out_put(s->outs[i], (ct_str){0})))
        ct_out_abandon(s->outs[i]);
    else if (!ct_out_close(s->outs[i], &err))
        ct_cli_error(&s->cli, CT_FAULT, s->names[i], &err);
}

void sort_close(sort_run *s)
{
    for (size_t i = 0; i < s->nshards; i++) {
        close_shard(s, i);
        free(s->names[i]);
    }
    free(s->names);
    free(s->outs);
    ct_buf_free(&s->chart);
}
