/* The table of a command's options: its own and the common ones. */
#include "common/cli/internal.h"

/* `has` 0: every command's. */
static const struct {
    unsigned has;
    ct_opt opt;
} common_options[] = {
    {CT_HAS_OUTPUT, {'o', "output", "FILE", "write to FILE, which appears only when it is whole"}},
    {CT_HAS_JOBS, {'j', "jobs", "N", "use N threads (default: the cores)"}},
    {CT_HAS_REJECT, {OPT_REJECT, "reject", "FILE", "keep what could not be read, with the reason"}},
    {CT_HAS_TALLY, {OPT_TALLY, "tally", "FILE", "write the books of this run (JSON)"}},
    {CT_HAS_DB, {OPT_DB, "db", "FILE", "the database (default: $CHART_DB, else charts.db)"}},
    {CT_HAS_ASOF, {OPT_ASOF, "as-of", "DATE", "take DATE (YYYY-MM-DD) for today"}},
    {CT_HAS_SORTED, {OPT_SORTED, "sorted", NULL, "the input is as sort leaves it: do not sort it"}},
    {CT_HAS_PROGRESS, {OPT_PROGRESS, "progress", NULL, "show progress, terminal or not"}},
    {CT_HAS_PROGRESS, {OPT_NO_PROGRESS, "no-progress", NULL, "never show progress"}},
    {0, {'q', "quiet", NULL, "say nothing but errors"}},
    {0, {OPT_SHOW_VALUES, "show-values", NULL, "let messages hold values of records"}},
    {0, {'h', "help", NULL, "this help"}},
    {0, {'V', "version", NULL, "the version"}},
    {0, {OPT_COMPLETION, "completion", NULL, NULL}},
};

void ct_cli_table_build(ct_cli *c)
{
    struct ct_optstate *s = ct_calloc(1, sizeof(*s));
    const ct_opt *own = c->command->options;

    for (; own && own->id && s->n < OPTIONS_MAX; own++)
        s->table[s->n++] = *own;
    for (size_t i = 0; i < CT_LEN(common_options) && s->n < OPTIONS_MAX; i++)
        if (!common_options[i].has || (common_options[i].has & c->command->common))
            s->table[s->n++] = common_options[i].opt;
    c->opts = s;
}
