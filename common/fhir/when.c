/* When did it happen? A record's clinically relevant dates, and how well they are known. */
#include "common/fhir/internal.h"

bool ct_days_parse(ct_str text, ct_days *days)
{
    ct_date d, next;

    if (!ct_date_parse(text, &d) || d.year == 0)
        return false;
    next = d;
    if (d.precision == CT_P_YEAR)
        next = (ct_date){.precision = CT_P_YEAR, .year = (int16_t)(d.year + 1)};
    else if (d.precision == CT_P_MONTH && d.month == 12)
        next = (ct_date){.precision = CT_P_MONTH, .year = (int16_t)(d.year + 1), .month = 1};
    else if (d.precision == CT_P_MONTH)
        next.month++;
    days->first = ct_date_days(&d);
    days->last = d.precision <= CT_P_MONTH ? ct_date_days(&next) - 1 : days->first;
    return true;
}

static const ct_days unknown_day = {INT64_MIN, INT64_MAX};
static const ct_days never = {INT64_MAX, INT64_MAX};

/* A record whose dates are looked for, and those that were found. */
struct search {
    const ct_type_node *type;
    const ct_doc *doc;
    ct_arena *a;
    ct_span *v;
    size_t n, cap;
};

static ct_days days_of(const struct search *s, ct_val v)
{
    ct_days d = unknown_day;

    if (v == CT_NONE || ct_type(s->doc, v) != CT_STRING)
        return unknown_day;
    return ct_days_parse(ct_text(s->doc, v, s->a), &d) ? d : unknown_day;
}

/* What starts before it ends bounds each other. */
static void add(struct search *s, ct_days from, ct_days until, bool lasts)
{
    if (from.last > until.last)
        from.last = until.last;
    if (until.first < from.first)
        until.first = from.first;
    if (s->n == s->cap) {
        ct_span *more = ct_arena_alloc(s->a, (s->cap ? 2 * s->cap : 4) * sizeof(*more));

        if (s->n)
            memcpy(more, s->v, s->n * sizeof(*more));
        s->v = more;
        s->cap = s->cap ? 2 * s->cap : 4;
    }
    s->v[s->n++] = (ct_span){from, until, lasts};
}

/* `PATH=CODE|CODE`: does the record say that what it tells of lasts? */
static bool lasts(const struct search *s)
{
    ct_str codes = s->type->ongoing;
    ct_str path = ct_arena_copy(s->a, ct_str_cut(&codes, '='));
    ct_val code = path.n ? ct_at(s->doc, CT_ROOT, path.p) : CT_NONE;

    while (code != CT_NONE && codes.p)
        if (ct_is(s->doc, code, ct_str_cut(&codes, '|')))
            return true;
    return false;
}

/* A time without an end goes on where `goes_on` says so, or else it is not known when it ended. */
static void add_open(struct search *s, ct_days from, bool goes_on)
{
    add(s, from, goes_on ? never : (ct_days){from.first, INT64_MAX}, goes_on);
}

/* A date, or a Period: no `start` means that it is not known. */
static void add_value(struct search *s, ct_val v)
{
    ct_val start, end;
    ct_days day;

    if (ct_type(s->doc, v) != CT_OBJECT) {
        day = days_of(s, v);
        add(s, day, day, false);
        return;
    }
    start = ct_member(s->doc, v, CT_S("start"));
    end = ct_member(s->doc, v, CT_S("end"));
    day = days_of(s, start);
    if (end != CT_NONE)
        add(s, day, days_of(s, end), false);
    else if (start == CT_NONE)
        add(s, unknown_day, unknown_day, false);
    else
        add_open(s, day, !s->type->ongoing.n || lasts(s));
}

/* All values at the dotted path, over every item of arrays on the way. */
static void add_path(struct search *s, ct_val v, ct_str path)
{
    ct_str step;

    if (v == CT_NONE)
        return;
    if (ct_type(s->doc, v) == CT_ARRAY) {
        for (ct_val i = ct_first(s->doc, v); i != CT_NONE; i = ct_next(s->doc, v, i))
            add_path(s, i, path);
        return;
    }
    if (!path.n) {
        add_value(s, v);
        return;
    }
    step = ct_str_cut(&path, '.');
    add_path(s, ct_member(s->doc, v, step), path);
}

/* `A..B`. */
static void add_from_to(struct search *s, ct_str from, ct_str to)
{
    ct_val start = ct_at(s->doc, CT_ROOT, ct_arena_copy(s->a, from).p);
    ct_val end = ct_at(s->doc, CT_ROOT, ct_arena_copy(s->a, to).p);

    if (start == CT_NONE)
        return;
    if (end != CT_NONE)
        add(s, days_of(s, start), days_of(s, end), false);
    else
        add_open(s, days_of(s, start), s->type->ongoing.n && lasts(s));
}

ct_times ct_times_of(const ct_model *m, ct_str type, const ct_doc *doc, ct_arena *a)
{
    struct search s = {.type = ct_index_find(&m->by_name, type), .doc = doc, .a = a};
    ct_str rest = s.type ? s.type->dates : CT_S("");
    ct_times when = {.known = rest.n > 0, .timeless = ct_str_is(rest, "-")};

    while (when.known && !when.timeless && rest.p && s.n == 0) {
        ct_str path = ct_str_cut(&rest, ' ');
        size_t dots = ct_str_find(path, CT_S(".."));

        if (dots == SIZE_MAX)
            add_path(&s, CT_ROOT, path);
        else
            add_from_to(&s, ct_str_head(path, dots), ct_str_from(path, dots + 2));
    }
    when.v = s.v;
    when.n = s.n;
    return when;
}
