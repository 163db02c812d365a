/* links: cmd/archive/schedule.c cmd/archive/period.c cmd/archive/keep.c */
/* seeds: cmd/archive/schedules/us-ny.retention cmd/archive/schedules/federal.retention */
/* Files of retention schedules: what is wrong is told with its place, and nothing else is; what is
 * right is asked about a chart, which is never kept for less than what the class counts from. */
#include "cmd/archive/schedule.h"

#include <stdlib.h>

enum { FILE_MAX = 16 * 1024 };

/* The schedule that is looked at stands for the one that is built in; blank lines fill it up. */
static char file[FILE_MAX];
const ct_datafile ct_cmd_data[] = {{"schedules/federal.retention", file, sizeof(file)},
                                   {"schedules/majority.tsv", "US-A\t18\tx\n", 10},
                                   {NULL, NULL, 0}};

static const char records[] =
    "{\"resourceType\":\"Patient\",\"id\":\"p\",\"birthDate\":\"2004-02-29\"}\n"
    "{\"resourceType\":\"Encounter\",\"id\":\"e\",\"status\":\"finished\",\"class\":{\"code\":"
    "\"IMP\"},\"subject\":{\"reference\":\"Patient/p\"},\"period\":{\"start\":\"2020\",\"end\":"
    "\"2020-02-29\"}}\n"
    "{\"resourceType\":\"Consent\",\"id\":\"c\",\"status\":\"inactive\",\"patient\":{\"reference\":"
    "\"Patient/p\"},\"dateTime\":\"2020-01\"}\n";

static struct {
    ct_chart chart;
    ct_record records[3];
    ct_arena *arena, *scratch;
    size_t wrong;
} state;

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void make_chart(void)
{
    ct_parser *parser = ct_parser_new(ct_model_names(ct_model_r4()));
    ct_str rest = CT_S(records);

    state.arena = ct_arena_new();
    state.scratch = ct_arena_new();
    state.chart = (ct_chart){.id = CT_S("p"),
                             .records = state.records,
                             .n = 3,
                             .has_patient = true,
                             .arena = state.scratch};
    for (size_t i = 0; i < 3; i++) {
        ct_doc doc;
        ct_err err;

        state.records[i].line = ct_str_cut(&rest, '\n');
        must(ct_parse(parser, state.records[i].line, &doc, &err));
        state.records[i].doc = ct_doc_keep(&doc, state.arena);
        state.records[i].type = ct_resource_type(&state.records[i].doc);
    }
    ct_parser_free(parser);
}

static void on_wrong(void *ctx, const ct_err *err)
{
    (void)ctx;
    must(err->kind != CT_OK && err->text && err->line > 0 && err->where[0]);
    state.wrong++;
}

static void keep(const bag_schedule *s)
{
    const ct_date today = {.precision = CT_P_DAY, .year = 2026, .month = 1, .day = 31};
    bag_keeping k = bag_keep(s, &state.chart, &today, state.scratch);

    must(k.n == s->n);
    for (size_t i = 0; i < k.n; i++) {
        must(k.v[i].applies != CT_UNDECIDED || k.v[i].why);
        must(k.v[i].applies == CT_FALSE_ || k.v[i].dated || k.v[i].why);
        must(!k.v[i].dated || k.v[i].until >= k.v[i].from);
        must(!k.v[i].dated || k.v[i].until <= k.until);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bag_schedule *s;

    if (!state.arena)
        make_chart();
    memset(file, '\n', sizeof(file));
    memcpy(file, data, size < sizeof(file) ? size : sizeof(file));
    state.wrong = 0;
    s = bag_schedule_load(NULL, 0, on_wrong, NULL);
    must(s->npacks > 0);
    if (state.wrong == 0)
        keep(s);
    ct_arena_reset(state.scratch);
    bag_schedule_free(s);
    return 0;
}
