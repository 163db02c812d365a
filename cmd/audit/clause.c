/* The fields of a rule that have a grammar of their own: applies, holds, owner, due. */
#include "cmd/audit/audit.h"

void audit_wrong(struct audit_clause *c, const audit_text *t, size_t offset, ct_errkind kind,
                 const char *text)
{
    struct audit_piece place = audit_text_place(t, offset);
    ct_err err;

    ct_fail_at(&err, kind, text, "column %llu", (unsigned long long)place.column);
    err.file = c->file;
    err.line = place.line;
    c->failed = true;
    c->wrong(c->ctx, &err);
}

ct_path *audit_compile(struct audit_clause *c, const audit_text *t, size_t at)
{
    audit_text expr = audit_text_from(t, at);
    ct_path *p = NULL;
    ct_err err = {0};

    if (expr.text.n == 0)
        audit_wrong(c, &expr, 0, CT_E_DATA, "an expression is missing");
    else if (!(p = ct_path_compile_on(c->rules->model, c->on, ct_buf_str(&expr.text), &err)))
        audit_wrong(c, &expr, (size_t)err.offset, CT_E_DATA, err.text);
    audit_text_free(&expr);
    return p;
}

/* The word at byte `*at`, which moves behind it and the blanks that follow. */
static ct_str word(const audit_text *t, size_t *at)
{
    ct_str s = ct_str_from(ct_buf_str(&t->text), *at);
    size_t n = 0, blanks = 0;

    while (n < s.n && s.p[n] != ' ' && s.p[n] != '\t')
        n++;
    while (n + blanks < s.n && (s.p[n + blanks] == ' ' || s.p[n + blanks] == '\t'))
        blanks++;
    *at += n + blanks;
    return ct_str_head(s, n);
}

void audit_applies(struct audit_clause *c, const audit_text *t, audit_rule *r)
{
    size_t at = 0, where;
    ct_str type = word(t, &at);
    const ct_ftype *known = ct_model_type(c->rules->model, type);

    c->on = NULL;
    if (!ct_str_is(type, "chart")) {
        if (!known || known->kind != CT_F_RESOURCE || known->abstract) {
            audit_wrong(c, t, 0, CT_E_DATA, "neither a resource type of FHIR R4 nor chart");
            return;
        }
        r->type = known->name;
        c->on = known;
    }
    if (at >= t->text.n)
        return;
    where = at;
    if (!ct_str_is(word(t, &at), "where"))
        audit_wrong(c, t, where, CT_E_DATA, "where is missing");
    else
        r->guard = audit_compile(c, t, at);
}

static bool read_day(struct audit_clause *c, const audit_text *t, size_t *at, ct_date *d)
{
    size_t start = *at;

    if (ct_date_parse(word(t, at), d) && d->precision == CT_P_DAY)
        return true;
    audit_wrong(c, t, start, CT_E_DATA, "not a date, YYYY-MM-DD");
    return false;
}

void audit_read_holds(struct audit_clause *c, const audit_text *t, audit_holds *h)
{
    size_t at = 0, start = 0;
    ct_str w = word(t, &at);

    if (ct_str_is(w, "from")) {
        if (!read_day(c, t, &at, &h->from))
            return;
        start = at;
        w = word(t, &at);
    }
    if (ct_str_is(w, "to")) {
        if (!read_day(c, t, &at, &h->to))
            return;
        start = at;
        w = word(t, &at);
    }
    if (!ct_str_is(w, "at") || start == 0)
        audit_wrong(c, t, start, CT_E_DATA,
                    "not of the form: [from DATE] [to DATE] at DATE-OF-SERVICE");
    else
        h->at = audit_compile(c, t, at);
}

/* Hours in a unit, 0 for an unknown one. */
static int64_t unit_hours(ct_str unit)
{
    static const struct {
        const char *one, *many;
        int64_t hours;
    } units[] = {{"hour", "hours", 1}, {"day", "days", 24}, {"week", "weeks", 7 * 24}};

    for (size_t i = 0; i < CT_LEN(units); i++)
        if (ct_str_is(unit, units[i].one) || ct_str_is(unit, units[i].many))
            return units[i].hours;
    return 0;
}

void audit_read_due(struct audit_clause *c, const audit_text *t, audit_due *d)
{
    enum { NUMBER_MAX = 100000 };
    size_t at = 0;
    uint64_t n = 0;
    bool number = ct_str_u64(word(t, &at), &n) && n <= NUMBER_MAX;
    int64_t hours = unit_hours(word(t, &at));
    ct_str side = word(t, &at);
    bool before = ct_str_is(side, "before");

    if (!number || hours == 0 || (!before && !ct_str_is(side, "after"))) {
        audit_wrong(c, t, 0, CT_E_DATA, "not of the form: N hours|days|weeks after|before DATE");
        return;
    }
    d->hours = (int64_t)n * hours * (before ? -1 : 1);
    d->from = audit_compile(c, t, at);
}

void audit_read_owner(struct audit_clause *c, const audit_text *t, audit_rule *r)
{
    ct_str s = ct_buf_str(&t->text), rest = s;
    ct_str role = ct_str_trim(ct_str_cut(&rest, ':'));

    for (size_t i = 0; i < role.n; i++)
        if (!((role.p[i] >= 'a' && role.p[i] <= 'z') || role.p[i] == '-')) {
            audit_wrong(c, t, i, CT_E_DATA, "a role is one word in small letters");
            return;
        }
    if (role.n == 0)
        audit_wrong(c, t, 0, CT_E_DATA, "a role is missing");
    r->role = ct_arena_copy(c->rules->arena, role);
    if (rest.p)
        r->owner = audit_compile(c, t, (size_t)(rest.p - s.p));
}
