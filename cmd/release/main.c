/* chart-release: the part of the records that may go to a recipient, and the ledger of what went.
 *
 *     main.c        options
 *     policy.c      what a policy says         tables.c   the tables that are built in
 *     judge.c       may this record go         dates.c    did it happen in the range
 *     names.c       whom does it name          labels.c   how confidential is it
 *     chart.c       a chart, judged by a worker
 *     disclose.c    ledger first, then output  held.c     shared records wait for a chart
 *     accounting.c  whom were a patient's records disclosed to
 */
#include "release.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    OPT_TO = CT_OPT_OWN,
    OPT_ADDRESS,
    OPT_PURPOSE,
    OPT_PURPOSE_TEXT,
    OPT_PATIENT,
    OPT_POLICY,
    OPT_FROM,
    OPT_UNTIL,
    OPT_EXPLAIN,
    OPT_LIST,
    OPT_SHOW,
    OPT_ACCOUNTING,
    OPT_ALL,
    OPT_FORMAT,
    OPT_CHECK,
    OPT_HEAD,
};

static const ct_opt options[] = {
    {OPT_TO, "to", "NAME", "who receives the records"},
    {OPT_ADDRESS, "address", "TEXT", "the recipient's address, where known"},
    {OPT_PURPOSE, "purpose", "CODE", "why: TREAT, HPAYMT, HOPERAT, PATRQT, PUBHLTH, HRESCH ..."},
    {OPT_PURPOSE_TEXT, "purpose-text", "TEXT", "the same in words, for the accounting"},
    {OPT_PATIENT, "patient", "ID", "only this patient's chart; may be given again"},
    {OPT_POLICY, "policy", "NAME|FILE", "what may go (default: the purpose's own)"},
    {OPT_FROM, "from", "DATE", "only what happened on DATE or later"},
    {OPT_UNTIL, "until", "DATE", "only what happened on DATE or before"},
    {OPT_EXPLAIN, "explain", "FILE", "write what became of each record to FILE (TSV)"},
    {OPT_LIST, "list", NULL, "list the purposes and their policies"},
    {OPT_SHOW, "show-policy", "NAME", "print a policy that is built in"},
    {OPT_ACCOUNTING, "accounting", "ID", "print the accounting of disclosures of a patient"},
    {OPT_ALL, "all", NULL, "with --accounting: also those that need no accounting"},
    {OPT_FORMAT, "format", "FORMAT", "with --accounting: text, tsv or ndjson (AuditEvent)"},
    {OPT_CHECK, "check-ledger", NULL, "has the ledger been changed?"},
    {OPT_HEAD, "head", "HASH", "with --check-ledger: a head that must still be in it"},
    {0},
};

static const ct_command command = {
    .name = "release",
    .summary = "Writes the part of the records that may go to a recipient for a purpose; every\n"
               "disclosure is in the ledger before its first byte leaves.",
    .synopsis = "--to NAME --purpose CODE [OPTION]... [FILE]...\n"
                "--accounting ID [--from DATE] [--all] [--format FORMAT]\n"
                "--check-ledger [--head HASH]\n"
                "--list | --show-policy NAME",
    .common = CT_HAS_OUTPUT | CT_HAS_REJECT | CT_HAS_TALLY | CT_HAS_JOBS | CT_HAS_DB | CT_HAS_ASOF |
              CT_HAS_PROGRESS | CT_HAS_SORTED,
    .options = options,
    .examples =
        "  chart release --to 'Dr. Ames' --purpose TREAT --patient p1 charts.ndjson >p1.ndjson\n"
        "  chart release --to 'County Health' --purpose PUBHLTH --policy flu.policy <all\n"
        "  chart release --accounting p1\n",
};

typedef struct args {
    const char *policy, *purpose, *from, *until, *explain, *show;
    ct_disclosure d;
    ct_str *patients;
    size_t npatients;
    release_accounting_options accounting;
    bool list, check;
} args;

/* ---- options ---- */

static const char *once(ct_cli *c, const char *old, const char *name)
{
    if (old)
        ct_cli_usage(c, "--%s is given twice", name);
    return c->arg;
}

/* Text for the ledger, which people will read: one line, not empty. */
static ct_str line_of_text(ct_cli *c, ct_str old, const char *name)
{
    ct_str s = ct_str_z(once(c, old.p, name));

    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 127)
            ct_cli_usage(c, "--%s takes text without control characters", name);
    if (!ct_str_trim(s).n)
        ct_cli_usage(c, "--%s is empty", name);
    if (s.p[0] == '-')
        ct_cli_usage(c, "--%s takes text that does not begin as an option does", name);
    return s;
}

static ct_str patient_id(ct_cli *c, const char *name)
{
    ct_str id = ct_str_z(c->arg);
    ct_ref ref;

    /* An id, or a reference as records have it: Patient/p1, urn:uuid:... */
    if (ct_ref_parse(id, &ref) && !ref.contained && (!ref.type.n || ct_str_is(ref.type, "Patient")))
        id = ref.id;
    if (!id.n || ct_str_find(id, CT_S("/")) != SIZE_MAX)
        ct_cli_usage(c, "--%s takes a Patient's id", name);
    return id;
}

static void add_patient(ct_cli *c, args *a)
{
    ct_str id = patient_id(c, "patient");

    for (size_t i = 0; i < a->npatients; i++)
        if (ct_str_eq(a->patients[i], id))
            return;
    a->patients = ct_grow(a->patients, a->npatients, sizeof *a->patients);
    a->patients[a->npatients++] = id;
}

static void read_option(ct_cli *c, int opt, args *a)
{
    switch (opt) {
    case OPT_TO:
        a->d.recipient = line_of_text(c, a->d.recipient, "to");
        break;
    case OPT_ADDRESS:
        a->d.address = line_of_text(c, a->d.address, "address");
        break;
    case OPT_PURPOSE:
        a->purpose = once(c, a->purpose, "purpose");
        break;
    case OPT_PURPOSE_TEXT:
        a->d.purpose_text = line_of_text(c, a->d.purpose_text, "purpose-text");
        break;
    case OPT_PATIENT:
        add_patient(c, a);
        break;
    case OPT_POLICY:
        a->policy = once(c, a->policy, "policy");
        break;
    case OPT_FROM:
        a->from = once(c, a->from, "from");
        break;
    case OPT_UNTIL:
        a->until = once(c, a->until, "until");
        break;
    case OPT_EXPLAIN:
        a->explain = once(c, a->explain, "explain");
        break;
    case OPT_SHOW:
        a->show = once(c, a->show, "show-policy");
        break;
    case OPT_LIST:
        a->list = true;
        break;
    case OPT_ACCOUNTING:
        if (a->accounting.patient.p)
            ct_cli_usage(c, "--accounting is given twice");
        a->accounting.patient = patient_id(c, "accounting");
        break;
    case OPT_ALL:
        a->accounting.all = true;
        break;
    case OPT_FORMAT:
        a->accounting.format = ct_cli_word(c, release_formats);
        break;
    case OPT_CHECK:
        a->check = true;
        break;
    case OPT_HEAD:
        a->accounting.known_head = once(c, a->accounting.known_head, "head");
        break;
    }
}

/* ---- a release ---- */

static void narrow(ct_cli *c, const args *a, release_range *range)
{
    ct_days days;

    if (a->from && !ct_days_parse(ct_str_z(a->from), &days))
        ct_cli_usage(c, "--from takes a date");
    if (a->from && days.first > range->from)
        range->from = days.first;
    if (a->until && !ct_days_parse(ct_str_z(a->until), &days))
        ct_cli_usage(c, "--until takes a date");
    if (a->until && days.last < range->until)
        range->until = days.last;
    if (range->from > range->until)
        ct_cli_usage(c, "no day lies between --from and --until and the dates of the policy");
}

static release_policy *choose_policy(ct_cli *c, const args *a, const release_tables *t,
                                     ct_arena *arena)
{
    release_purpose purpose;
    release_policy *p;
    ct_err err;

    if (!release_purpose_find(t, ct_str_z(a->purpose), &purpose))
        ct_cli_usage(c, "--purpose takes a purpose of use; chart release --list shows them");
    p = release_policy_load(t, a->policy ? a->policy : ct_arena_copy(arena, purpose.policy).p,
                            &err);
    if (!p)
        ct_cli_die(c, NULL, &err);
    else if (!release_policy_serves(p, purpose.code)) {
        const char *name = ct_arena_copy(arena, p->name).p;
        release_policy_free(p);
        ct_cli_usage(c, "the policy %s is not for the purpose %s", name, a->purpose);
    }
    return p;
}

/* What the tally names lives in `arena`. */
static void release(ct_cli *c, args *a, const release_tables *t, ct_arena *arena)
{
    release_policy *p;

    if (!a->d.recipient.n)
        ct_cli_usage(c, "say who receives the records: --to NAME");
    ct_cli_apart(c, "db", c->db);
    ct_cli_apart(c, "explain", a->explain);
    if (!a->purpose)
        ct_cli_usage(c, "say what for: --purpose CODE");
    p = choose_policy(c, a, t, arena);
    release_request r = {.model = ct_model_r4(),
                         .names = release_names_load(ct_model_r4()),
                         .tables = t,
                         .policy = p,
                         .range = p->range,
                         .patients = a->patients,
                         .npatients = a->npatients,
                         .today = c->as_of};
    narrow(c, a, &r.range);
    a->d.purpose = ct_str_z(a->purpose);
    a->d.user = ct_login_name(arena);
    a->d.policy = ct_arena_printf(arena, "%.*s %.*s sha256:%s", (int)p->name.n, p->name.p,
                                  (int)p->version.n, p->version.p, p->hash);
    ct_cli_table(c, "policy", a->d.policy.p);
    release_disclose(c, &r, &a->d, a->explain);
    release_policy_free(p);
}

/* ---- what else it does ---- */

static void list_purposes(ct_cli *c, const release_tables *t)
{
    ct_buf b = {0};

    ct_buf_z(&b, "purpose\tpolicy\texcluded\tmeaning\n");
    for (size_t i = 0; i < t->purposes.n; i++) {
        const ct_str *row = t->purposes.rows[i];
        ct_buf_printf(&b, "%.*s\t%.*s\t%.*s\t%.*s\n", (int)row[0].n, row[0].p, (int)row[2].n,
                      row[2].p, (int)row[1].n, row[1].p, (int)row[3].n, row[3].p);
    }
    ct_out_put(ct_cli_out(c), ct_buf_str(&b));
    ct_buf_free(&b);
}

static void show_policy(ct_cli *c, const char *name)
{
    ct_buf path = {0};
    const ct_datafile *f;

    ct_buf_printf(&path, "policies/%s.policy", name);
    ct_buf_c(&path, '\0');
    f = ct_datafile_find(ct_cmd_data, path.p);
    ct_buf_free(&path);
    if (!f)
        ct_cli_usage(c, "--show-policy takes the name of a policy that is built in");
    else
        ct_out_put(ct_cli_out(c), (ct_str){f->text, f->n});
}

static void check_accounting(ct_cli *c, args *a)
{
    ct_days days;

    if (a->from && !ct_days_parse(ct_str_z(a->from), &days))
        ct_cli_usage(c, "--from takes a date");
    a->accounting.from = a->from;
    if (a->d.recipient.p || a->purpose || a->policy || a->npatients || a->until)
        ct_cli_usage(c, "--accounting goes with --from, --all and --format only");
    if (c->nargs)
        ct_cli_usage(c, "--accounting reads the ledger, no files");
}

static void run(ct_cli *c, args *a, const release_tables *t, ct_arena *arena)
{
    bool accounting = a->accounting.patient.p != NULL;

    if (accounting + a->check + a->list + (a->show != NULL) > 1)
        ct_cli_usage(c, "one of --accounting, --check-ledger, --list, --show-policy at a time");
    if (a->accounting.known_head && !a->check)
        ct_cli_usage(c, "--head goes with --check-ledger");
    if ((a->accounting.all || a->accounting.format) && !accounting)
        ct_cli_usage(c, "--all and --format go with --accounting");
    if (a->list) {
        list_purposes(c, t);
    } else if (a->show) {
        show_policy(c, a->show);
    } else if (a->check) {
        release_check_ledger(c, &a->accounting);
    } else if (accounting) {
        check_accounting(c, a);
        release_account(c, t, &a->accounting);
    } else {
        release(c, a, t, arena);
    }
}

int main(int argc, char **argv)
{
    ct_cli c;
    args a = {0};
    int opt, status;
    ct_arena *arena;
    release_tables tables;

    ct_cli_start(&c, &command, argc, argv);
    arena = ct_arena_new();
    while ((opt = ct_cli_option(&c)) != CT_CLI_DONE)
        read_option(&c, opt, &a);
    tables = release_tables_load(arena);
    run(&c, &a, &tables, arena);
    status = ct_cli_finish(&c);
    free(a.patients);
    ct_arena_free(arena);
    return status;
}
