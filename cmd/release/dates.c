/* When did it happen? A record's clinically relevant dates against the range of a release, in three
 * answers: a date that is missing or too vague decides nothing.
 *
 * Days are compared as they were written: a time's zone does not move it to another day, since the
 * range is meant in the days of the place that keeps the records.
 */
#include "release.h"

bool release_days(ct_str text, int64_t *first, int64_t *last)
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
    *first = ct_date_days(&d);
    *last = d.precision <= CT_P_MONTH ? ct_date_days(&next) - 1 : *first;
    return true;
}

/* A day that is known to lie between two days. */
typedef struct day {
    int64_t first, last;
} day;

static const day unknown_day = {INT64_MIN, INT64_MAX};
static const day never = {INT64_MAX, INT64_MAX};

static day day_of(const ct_doc *doc, ct_val v, ct_arena *a)
{
    day d = unknown_day;

    if (v == CT_NONE || ct_type(doc, v) != CT_STRING)
        return unknown_day;
    return release_days(ct_text(doc, v, a), &d.first, &d.last) ? d : unknown_day;
}

static ct_truth overlaps(day start, day end, release_range r)
{
    /* What starts before it ends bounds each other. */
    if (start.last > end.last)
        start.last = end.last;
    if (end.first < start.first)
        end.first = start.first;
    if (start.first > r.until || end.last < r.from)
        return CT_FALSE_;
    return start.last <= r.until && end.first >= r.from ? CT_TRUE_ : CT_UNDECIDED;
}

/* `PATH=CODE|CODE`: does the record say that what it tells of lasts? */
static bool lasts(const ct_doc *doc, ct_str ongoing, ct_arena *a)
{
    ct_str codes = ongoing;
    ct_str path = ct_arena_copy(a, ct_str_cut(&codes, '='));
    ct_val code = path.n ? ct_at(doc, CT_ROOT, path.p) : CT_NONE;

    while (code != CT_NONE && codes.p)
        if (ct_is(doc, code, ct_str_cut(&codes, '|')))
            return true;
    return false;
}

/* What ends a Period that has no `end`: it goes on, unless the type has words for that and the
 * record does not use them. */
static day open_end(const release_type *t, const ct_doc *doc, day start, ct_arena *a)
{
    return !t->ongoing.n || lasts(doc, t->ongoing, a) ? never : (day){start.first, INT64_MAX};
}

/* A date, or a Period: no `start` means that it is not known. */
static ct_truth value_within(const release_type *t, const ct_doc *doc, ct_val v, release_range r,
                             ct_arena *a)
{
    if (ct_type(doc, v) == CT_OBJECT) {
        ct_val start = ct_member(doc, v, CT_S("start")), end = ct_member(doc, v, CT_S("end"));
        if (start == CT_NONE && end == CT_NONE)
            return CT_UNDECIDED;
        day first = day_of(doc, start, a);
        return overlaps(first, end == CT_NONE ? open_end(t, doc, first, a) : day_of(doc, end, a),
                        r);
    }
    day d = day_of(doc, v, a);
    return overlaps(d, d, r);
}

/* One of several dates inside is enough. */
static ct_truth either(ct_truth x, ct_truth y)
{
    if (x == CT_TRUE_ || y == CT_TRUE_)
        return CT_TRUE_;
    return x == CT_UNDECIDED || y == CT_UNDECIDED ? CT_UNDECIDED : CT_FALSE_;
}

/* All values at the dotted path, over every item of arrays on the way. `*n` counts them. */
static ct_truth path_within(const release_type *t, const ct_doc *doc, ct_val v, ct_str path,
                            release_range r, ct_arena *a, size_t *n)
{
    ct_truth truth = CT_FALSE_;

    if (v == CT_NONE)
        return truth;
    if (ct_type(doc, v) == CT_ARRAY) {
        for (ct_val i = ct_first(doc, v); i != CT_NONE; i = ct_next(doc, v, i))
            truth = either(truth, path_within(t, doc, i, path, r, a, n));
        return truth;
    }
    if (!path.n) {
        ++*n;
        return value_within(t, doc, v, r, a);
    }
    ct_str step = ct_str_cut(&path, '.');
    return path_within(t, doc, ct_member(doc, v, step), path, r, a, n);
}

/* `A..B`. */
static ct_truth span_within(const release_type *t, const ct_doc *doc, ct_str from, ct_str to,
                            release_range r, ct_arena *a, size_t *n)
{
    ct_val start = ct_at(doc, CT_ROOT, ct_arena_copy(a, from).p);
    ct_val end = ct_at(doc, CT_ROOT, ct_arena_copy(a, to).p);
    day first = day_of(doc, start, a), last;

    if (start == CT_NONE)
        return CT_FALSE_;
    ++*n;
    if (end != CT_NONE)
        last = day_of(doc, end, a);
    else
        last = t->ongoing.n ? open_end(t, doc, first, a) : (day){first.first, INT64_MAX};
    return overlaps(first, last, r);
}

ct_truth release_within(const release_type *t, const ct_doc *doc, release_range range, ct_arena *a)
{
    ct_str rest = t->dates;

    if (ct_str_is(t->dates, "-"))
        return CT_TRUE_;
    while (rest.p) {
        ct_str path = ct_str_cut(&rest, ' ');
        size_t dots = ct_str_find(path, CT_S("..")), n = 0;
        ct_truth truth;

        if (dots == SIZE_MAX)
            truth = path_within(t, doc, CT_ROOT, path, range, a, &n);
        else
            truth = span_within(t, doc, ct_str_head(path, dots), ct_str_from(path, dots + 2), range,
                                a, &n);
        if (n)
            return truth;
    }
    return CT_UNDECIDED;
}
