/* The fields of a rule that have a grammar of their own: holds, owner, due. */
#include "cmd/audit/audit.h"

static void wrong(struct audit_clause *c, const ct_placed *t, size_t offset, const char *text)
{
    ct_stanza_wrong(c->stanza, t, offset, CT_E_DATA, text);
}

static bool read_day(struct audit_clause *c, const ct_placed *t, size_t *at, ct_date *d)
{
    size_t start = *at;

    if (ct_date_parse(ct_placed_word(t, at), d) && d->precision == CT_P_DAY)
        return true;
    wrong(c, t, start, "not a date, YYYY-MM-DD");
    return false;
}

void audit_read_holds(struct audit_clause *c, const ct_placed *t, audit_holds *h)
{
    size_t at = 0, start = 0;
    ct_str w = ct_placed_word(t, &at);

    if (ct_str_is(w, "from")) {
        if (!read_day(c, t, &at, &h->from))
            return;
        start = at;
        w = ct_placed_word(t, &at);
    }
    if (ct_str_is(w, "to")) {
        if (!read_day(c, t, &at, &h->to))
            return;
        start = at;
        w = ct_placed_word(t, &at);
    }
    if (!ct_str_is(w, "at") || start == 0)
        wrong(c, t, start, "not of the form: [from DATE] [to DATE] at DATE-OF-SERVICE");
    else
        h->at = ct_stanza_compile(c->stanza, t, at, c->on);
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

void audit_read_due(struct audit_clause *c, const ct_placed *t, audit_due *d)
{
    enum { NUMBER_MAX = 100000 };
    size_t at = 0;
    uint64_t n = 0;
    bool number = ct_str_u64(ct_placed_word(t, &at), &n) && n <= NUMBER_MAX;
    int64_t hours = unit_hours(ct_placed_word(t, &at));
    ct_str side = ct_placed_word(t, &at);
    bool before = ct_str_is(side, "before");

    if (!number || hours == 0 || (!before && !ct_str_is(side, "after"))) {
        wrong(c, t, 0, "not of the form: N hours|days|weeks after|before DATE");
        return;
    }
    d->hours = (int64_t)n * hours * (before ? -1 : 1);
    d->from = ct_stanza_compile(c->stanza, t, at, c->on);
}

void audit_read_owner(struct audit_clause *c, const ct_placed *t, audit_rule *r)
{
    ct_str s = ct_buf_str(&t->text), rest = s;
    ct_str role = ct_str_trim(ct_str_cut(&rest, ':'));

    for (size_t i = 0; i < role.n; i++)
        if (!((role.p[i] >= 'a' && role.p[i] <= 'z') || role.p[i] == '-')) {
            wrong(c, t, i, "a role is one word in small letters");
            return;
        }
    if (role.n == 0)
        wrong(c, t, 0, "a role is missing");
    r->role = ct_arena_copy(c->rules->arena, role);
    if (rest.p)
        r->owner = ct_stanza_compile(c->stanza, t, (size_t)(rest.p - s.p), c->on);
}
