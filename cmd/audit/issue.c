/* Findings as FHIR R4 DetectedIssue: what chart-audit(1) says of its elements holds here. */
#include "cmd/audit/audit.h"

#include <inttypes.h>

enum { ID_BYTES = 16 };

/* The same finding on the same record has the same id on every run. */
static ct_str issue_id(ct_arena *a, const ct_chart *chart, const audit_finding *f, ct_str record)
{
    ct_buf seed = {0}, id = {0};
    uint8_t digest[CT_SHA256_LEN];
    ct_str text;

    ct_buf_put(&seed, f->rule->id);
    ct_buf_c(&seed, '\0');
    ct_buf_put(&seed, chart->id);
    ct_buf_c(&seed, '\0');
    if (f->rule->type.n)
        ct_buf_put(&seed, record);
    if (f->rule->type.n && ct_str_find(record, CT_S("/")) == SIZE_MAX) {
        ct_buf_c(&seed, '\0'); /* a record without id is told by its bytes */
        ct_buf_put(&seed, f->record->line);
    }
    ct_sha256(ct_buf_str(&seed), digest);
    ct_buf_z(&id, "audit-");
    ct_hex(&id, digest, ID_BYTES);
    text = ct_arena_copy(a, ct_buf_str(&id));
    ct_buf_free(&seed);
    ct_buf_free(&id);
    return text;
}

static ct_tree *text_of(ct_arena *a, ct_str s)
{
    ct_tree *o = ct_tree_object(a);

    ct_tree_set(o, CT_S("text"), ct_tree_string(a, s));
    return o;
}

static ct_tree *reference(ct_arena *a, ct_str s)
{
    ct_tree *o = ct_tree_object(a);

    ct_tree_set(o, CT_S("reference"), ct_tree_string(a, s));
    return o;
}

static ct_tree *rule_code(ct_arena *a, const audit_rule *rule)
{
    ct_tree *code = ct_tree_object(a), *codings = ct_tree_array(a), *coding = ct_tree_object(a);

    ct_tree_set(coding, CT_S("system"),
                ct_tree_string(a, ct_arena_printf(a, "urn:chartutils:rules:%.*s", (int)rule->pack.n,
                                                  rule->pack.p)));
    ct_tree_set(coding, CT_S("version"), ct_tree_string(a, rule->version));
    ct_tree_set(coding, CT_S("code"), ct_tree_string(a, rule->id));
    ct_tree_push(codings, coding);
    ct_tree_set(code, CT_S("coding"), codings);
    ct_tree_set(code, CT_S("text"), ct_tree_string(a, rule->message));
    return code;
}

/* What the finding is about: the record by its reference, or where it stands when it has no id. */
static ct_tree *implicated(ct_arena *a, const ct_chart *chart, const audit_finding *f,
                           ct_str record)
{
    ct_tree *list = ct_tree_array(a), *ref;

    if (!f->rule->type.n) {
        ref = reference(a, ct_arena_printf(a, "Patient/%.*s", (int)chart->id.n, chart->id.p));
    } else if (ct_str_find(record, CT_S("/")) != SIZE_MAX) {
        ref = reference(a, record);
    } else {
        ref = ct_tree_object(a);
        ct_tree_set(ref, CT_S("type"), ct_tree_string(a, record));
        ct_tree_set(ref, CT_S("display"),
                    ct_tree_string(
                        a, ct_arena_printf(a, "%s:%" PRIu64, f->record->file, f->record->number)));
    }
    ct_tree_push(list, ref);
    return list;
}

/* Who must mend it, by when. */
static ct_tree *mitigation(ct_arena *a, const audit_finding *f)
{
    ct_tree *list = ct_tree_array(a), *m = ct_tree_object(a);
    ct_buf text = {0};
    ct_ref ref;

    ct_buf_z(&text, "to be mended by ");
    ct_buf_put(&text, f->rule->role);
    if (f->due.precision) {
        ct_buf_z(&text, ", due ");
        audit_due_put(&text, f);
    }
    ct_tree_set(m, CT_S("action"), text_of(a, ct_arena_copy(a, ct_buf_str(&text))));
    if (f->owner.n && ct_ref_parse(f->owner, &ref) && ct_str_is(ref.type, "Practitioner"))
        ct_tree_set(m, CT_S("author"), reference(a, f->owner));
    ct_tree_push(list, m);
    ct_buf_free(&text);
    return list;
}

static ct_str detail(ct_arena *a, const audit_finding *f)
{
    const audit_rule *r = f->rule;

    if (!f->undecided)
        return ct_arena_printf(a, "%.*s (%.*s)", (int)r->message.n, r->message.p, (int)r->cite.n,
                               r->cite.p);
    return ct_arena_printf(a, "not decided: %.*s? %s%s%s (%.*s)", (int)r->message.n, r->message.p,
                           f->why, f->where[0] ? ", " : "", f->where, (int)r->cite.n, r->cite.p);
}

void audit_issue_put(ct_buf *b, const audit_report *r, const ct_chart *chart,
                     const audit_finding *f)
{
    static const char *const severities[AUDIT_SEVERITIES] = {"high", "moderate", "low"};
    ct_arena *a = chart->arena;
    ct_tree *o = ct_tree_object(a);
    ct_buf name = {0}, date = {0};
    ct_str record;

    audit_record_name(&name, f->record);
    record = ct_arena_copy(a, ct_buf_str(&name));
    ct_tree_set(o, CT_S("resourceType"), ct_tree_string(a, CT_S("DetectedIssue")));
    ct_tree_set(o, CT_S("id"), ct_tree_string(a, issue_id(a, chart, f, record)));
    ct_tree_set(o, CT_S("status"),
                ct_tree_string(a, f->undecided ? CT_S("preliminary") : CT_S("final")));
    ct_tree_set(o, CT_S("code"), rule_code(a, f->rule));
    ct_tree_set(o, CT_S("severity"), ct_tree_string(a, ct_str_z(severities[f->rule->severity])));
    if (chart->id.n)
        ct_tree_set(
            o, CT_S("patient"),
            reference(a, ct_arena_printf(a, "Patient/%.*s", (int)chart->id.n, chart->id.p)));
    if (r->dated) {
        ct_date_put(&date, &r->today);
        ct_tree_set(o, CT_S("identifiedDateTime"),
                    ct_tree_string(a, ct_arena_copy(a, ct_buf_str(&date))));
    }
    ct_tree_set(o, CT_S("implicated"), implicated(a, chart, f, record));
    ct_tree_set(o, CT_S("detail"), ct_tree_string(a, detail(a, f)));
    if (f->rule->link.n)
        ct_tree_set(o, CT_S("reference"), ct_tree_string(a, f->rule->link));
    ct_tree_set(o, CT_S("mitigation"), mitigation(a, f));
    ct_tree_write(b, o);
    ct_buf_free(&name);
    ct_buf_free(&date);
}
