/* The accounting of disclosures to a patient (45 CFR 164.528), and the proof that the ledger is
 * whole. */
#include "release.h"

#include <inttypes.h>

const char *const release_formats[] = {"text", "tsv", "ndjson", NULL};

enum { TEXT, TSV, NDJSON, ACCOUNTED_YEARS = 6 };

typedef struct account {
    ct_cli *c;
    const release_tables *tables;
    const release_accounting_options *o;
    ct_lines lines;
    ct_arena *arena;
    uint64_t listed, excluded; /* excluded ones are not listed unless all are wanted */
    bool (*put)(struct account *a, const ct_disclosure *d, const release_purpose *p,
                uint64_t records, ct_str description);
} account;

void release_put_plain(ct_buf *b, ct_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        /* U+0080 to U+009F are control characters too. */
        bool c1 = c == 0xc2 && i + 1 < s.n && (unsigned char)s.p[i + 1] < 0xa0;
        i += c1;
        ct_buf_c(b, c < ' ' || c == 127 || c1 ? ' ' : (char)c);
    }
}

static const char *state_text(const ct_disclosure *d)
{
    if (ct_str_is(d->status, "complete"))
        return "complete";
    return ct_str_is(d->status, "failed") ? "failed; may have been disclosed in part"
                                          : "begun; may have been disclosed";
}

static ct_str brief_purpose(const ct_disclosure *d, const release_purpose *p)
{
    return d->purpose_text.n ? d->purpose_text : p->display;
}

/* ---- text ---- */

static void put_field(ct_buf *b, const char *name, ct_str value)
{
    if (!value.n)
        return;
    ct_buf_printf(b, "%12s%-9s", "", name);
    release_put_plain(b, value);
    ct_buf_c(b, '\n');
}

static bool put_text(account *a, const ct_disclosure *d, const release_purpose *p, uint64_t records,
                     ct_str description)
{
    ct_buf *b = &a->lines.buf;

    release_put_plain(b, ct_str_head(d->when, 10));
    ct_buf_z(b, "  ");
    release_put_plain(b, d->recipient);
    ct_buf_c(b, '\n');
    put_field(b, "address", d->address);
    put_field(b, "what",
              ct_arena_printf(a->arena, "%" PRIu64 " records: %.*s", records, (int)description.n,
                              description.p));
    put_field(b, "purpose",
              ct_arena_printf(a->arena, "%.*s (%.*s)", (int)brief_purpose(d, p).n,
                              brief_purpose(d, p).p, (int)d->purpose.n, d->purpose.p));
    if (!ct_str_is(d->status, "complete"))
        put_field(b, "state", ct_str_z(state_text(d)));
    if (a->o->all && p->excluded.n)
        put_field(b, "excluded", p->excluded);
    return true;
}

static void put_text_head(account *a, ct_str since)
{
    ct_buf *b = &a->lines.buf;

    ct_buf_z(b, "Accounting of disclosures (45 CFR 164.528)\nPatient/");
    release_put_plain(b, a->o->patient);
    ct_buf_z(b, ", since ");
    release_put_plain(b, since);
    ct_buf_z(b, "\n\n");
}

static void put_text_end(account *a)
{
    ct_buf *b = &a->lines.buf;

    ct_buf_printf(b, "%s%" PRIu64 " disclosure%s", a->listed ? "\n" : "", a->listed,
                  a->listed == 1 ? "" : "s");
    if (!a->o->all && a->excluded)
        ct_buf_printf(b, "; without %" PRIu64 " that need no accounting (--all)", a->excluded);
    ct_buf_c(b, '\n');
}

/* ---- TSV ---- */

static bool put_tsv(account *a, const ct_disclosure *d, const release_purpose *p, uint64_t records,
                    ct_str description)
{
    const ct_str cols[] = {
        ct_arena_printf(a->arena, "%lld", (long long)d->id),
        d->when,
        d->recipient,
        d->address,
        ct_arena_printf(a->arena, "%" PRIu64, records),
        description,
        d->purpose,
        brief_purpose(d, p),
        d->status,
        p->excluded,
    };

    for (size_t i = 0; i < CT_LEN(cols); i++) {
        if (i)
            ct_buf_c(&a->lines.buf, '\t');
        release_put_plain(&a->lines.buf, cols[i]);
    }
    ct_buf_c(&a->lines.buf, '\n');
    return true;
}

/* ---- AuditEvent ---- */

typedef struct pair {
    const char *path;
    ct_str value;
} pair;

static bool put_pairs(ct_tree *t, ct_arena *a, const pair *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (pairs[i].value.n && !ct_tree_put(t, pairs[i].path, ct_tree_string(a, pairs[i].value)))
            return false;
    return true;
}

/* FHIR R4 AuditEvent: DICOM "Export" by whoever ran it, to the recipient, of the patient's records;
 * outcome 0 success, 4 not known to have ended. */
static bool put_ndjson(account *a, const ct_disclosure *d, const release_purpose *p,
                       uint64_t records, ct_str description)
{
    static const char dcm[] = "http://dicom.nema.org/resources/ontology/DCM";
    ct_tree *t = ct_tree_object(a->arena);
    ct_str no = CT_S("false"), yes = CT_S("true");
    bool whole = ct_str_is(d->status, "complete");
    const pair pairs[] = {
        {"resourceType", CT_S("AuditEvent")},
        {"id", ct_arena_printf(a->arena, "disclosure-%lld", (long long)d->id)},
        {"type.system", ct_str_z(dcm)},
        {"type.code", CT_S("110106")},
        {"type.display", CT_S("Export")},
        {"action", CT_S("R")},
        {"recorded", d->when},
        {"outcome", whole ? CT_S("0") : CT_S("4")},
        {"outcomeDesc", ct_str_z(state_text(d))},
        {"purposeOfEvent[0].coding[0].system",
         CT_S("http://terminology.hl7.org/CodeSystem/v3-ActReason")},
        {"purposeOfEvent[0].coding[0].code", d->purpose},
        {"purposeOfEvent[0].text", brief_purpose(d, p)},
        {"agent[0].type.coding[0].system", ct_str_z(dcm)},
        {"agent[0].type.coding[0].code", CT_S("110153")},
        {"agent[0].type.coding[0].display", CT_S("Source Role ID")},
        {"agent[0].name", d->user},
        {"agent[1].type.coding[0].system", ct_str_z(dcm)},
        {"agent[1].type.coding[0].code", CT_S("110152")},
        {"agent[1].type.coding[0].display", CT_S("Destination Role ID")},
        {"agent[1].name", d->recipient},
        {"agent[1].who.display", d->address},
        {"source.observer.display", CT_S("chart-release")},
        {"entity[0].what.reference",
         ct_arena_printf(a->arena, "Patient/%.*s", (int)a->o->patient.n, a->o->patient.p)},
        {"entity[0].type.system", CT_S("http://terminology.hl7.org/CodeSystem/audit-entity-type")},
        {"entity[0].type.code", CT_S("1")},
        {"entity[0].type.display", CT_S("Person")},
        {"entity[0].role.system", CT_S("http://terminology.hl7.org/CodeSystem/object-role")},
        {"entity[0].role.code", CT_S("1")},
        {"entity[0].role.display", CT_S("Patient")},
        {"entity[0].description", ct_arena_printf(a->arena, "%" PRIu64 " records: %.*s", records,
                                                  (int)description.n, description.p)},
    };

    const pair proof[] = {
        {"entity[0].detail[0].type", CT_S("sha256")},
        {"entity[0].detail[0].valueString", d->sha256},
    };

    if (!put_pairs(t, a->arena, pairs, CT_LEN(pairs)) ||
        (d->sha256.n && !put_pairs(t, a->arena, proof, CT_LEN(proof))) ||
        !ct_tree_put(t, "agent[0].requestor", ct_tree_raw(a->arena, yes)) ||
        !ct_tree_put(t, "agent[1].requestor", ct_tree_raw(a->arena, no)))
        return false;
    ct_tree_write(&a->lines.buf, t);
    ct_buf_c(&a->lines.buf, '\n');
    return true;
}

/* ---- the accounting ---- */

static bool each_disclosure(void *ctx, const ct_disclosure *d, uint64_t records, ct_str description)
{
    account *a = ctx;
    release_purpose p = {.code = d->purpose};

    ct_arena_reset(a->arena);
    release_purpose_find(a->tables, d->purpose, &p);
    if (p.excluded.n && !a->o->all) {
        a->excluded++;
        return true;
    }
    a->listed++;
    return a->put(a, d, &p, records, description);
}

/* The six years that 164.528(a)(1) goes back, or what was asked for; as RFC 3339 dates sort. */
static ct_str since(ct_cli *c, const release_accounting_options *o, ct_buf *b)
{
    ct_date d = c->as_of;

    d.year = (int16_t)(d.year - ACCOUNTED_YEARS);
    if (d.month == 2 && d.day == 29)
        d.day = 28;
    if (o->from)
        return ct_str_z(o->from);
    ct_date_put(b, &d);
    return ct_buf_str(b);
}

static ct_db *open_checked(ct_cli *c, const release_accounting_options *o, int broken,
                           ct_ledger_state *state)
{
    ct_err err = {0};
    ct_db *db = ct_db_open_readonly(c->db, &err);
    ct_str head = o->known_head ? ct_str_z(o->known_head) : CT_S("");

    if (!db)
        ct_cli_die(c, c->db, &err);
    else if (ct_ledger_check(db, head, state, &err))
        return db;
    ct_cli_error(c, err.kind == CT_E_DATA ? broken : CT_FAULT, c->db, &err);
    ct_db_close(db);
    return NULL;
}

static void list(account *a, ct_db *db, ct_str from)
{
    static const char heading[] = "disclosure\tdate\trecipient\taddress\trecords\tdescription\t"
                                  "purpose\tpurpose_text\tstatus\texcluded\n";
    ct_err err = {0};

    if (a->o->format == TEXT)
        put_text_head(a, from);
    if (a->o->format == TSV)
        ct_buf_z(&a->lines.buf, heading);
    if (!ct_ledger_accounting(db, a->o->patient, from, each_disclosure, a, &err))
        ct_cli_error(a->c, CT_FAULT, a->c->db, &err);
    if (a->o->format == TEXT)
        put_text_end(a);
}

void release_account(ct_cli *c, const release_tables *t, const release_accounting_options *o)
{
    account a = {.c = c, .tables = t, .o = o, .arena = ct_arena_new()};
    ct_db *db = open_checked(c, o, CT_FAULT, NULL);
    ct_buf from = {0};

    a.put = o->format == TEXT ? put_text : o->format == TSV ? put_tsv : put_ndjson;
    if (db) {
        list(&a, db, since(c, o, &from));
        ct_cli_lines(c, &a.lines);
        if (!a.listed && !a.excluded && c->status < CT_FAULT)
            ct_cli_problem(c, CT_NO,
                           "no disclosure of that patient's records since then is in the ledger");
    }
    ct_db_close(db);
    ct_buf_free(&from);
    ct_buf_free(&a.lines.buf);
    ct_arena_free(a.arena);
}

void release_check_ledger(ct_cli *c, const release_accounting_options *o)
{
    ct_ledger_state s;
    ct_db *db = open_checked(c, o, CT_NO, &s);
    ct_buf b = {0};

    if (!db)
        return;
    ct_buf_printf(&b, "whole: %" PRIu64 " rows, %" PRIu64 " disclosures, %" PRIu64 " not ended\n",
                  s.rows, s.disclosures, s.unfinished);
    if (s.rows)
        ct_buf_printf(&b, "head: %s\n", s.head);
    ct_out_put(ct_cli_out(c), ct_buf_str(&b));
    ct_buf_free(&b);
    ct_db_close(db);
}
