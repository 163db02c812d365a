/* The dates that records cover. */
#include "cmd/archive/topics.h"

#include <stdlib.h>

/* A member of the record, or (`parent` not 0) of a member of it, that holds a date. */
struct bag_when {
    uint16_t parent, member;
};

/* ---- the table ---- */

static bool says_when(const ct_ftype *type)
{
    static const char *const types[] = {"date", "dateTime", "instant", "Period"};

    for (size_t i = 0; i < CT_LEN(types); i++)
        if (ct_str_is(type->name, types[i]))
            return true;
    return false;
}

static void add_when(bag_topic *topic, const ct_model *m, uint16_t parent, ct_str name)
{
    topic->when = ct_grow(topic->when, topic->nwhen, sizeof(*topic->when));
    topic->when[topic->nwhen++] = (struct bag_when){parent, ct_names_find(ct_model_names(m), name)};
}

/* An element by all names that it may have in JSON: `effectiveDateTime`, `effectivePeriod` … */
static bool add_element(bag_topic *topic, const ct_model *m, uint16_t parent, const ct_felement *e)
{
    bool any = false;

    for (size_t i = 0; i < e->ntypes; i++) {
        ct_buf name = {0};

        if (!says_when(e->types[i]))
            continue;
        ct_buf_put(&name, e->name);
        if (e->choice) {
            ct_buf_put(&name, e->types[i]->name);
            if (name.p[e->name.n] >= 'a')
                name.p[e->name.n] = (char)(name.p[e->name.n] - 'a' + 'A');
        }
        add_when(topic, m, parent, ct_buf_str(&name));
        ct_buf_free(&name);
        any = true;
    }
    return any;
}

bool bag_when_compile(bag_topic *topic, const ct_model *m, ct_err *err)
{
    for (ct_str list = topic->dates; list.p;) {
        ct_str last = ct_str_cut(&list, ','), first = ct_str_cut(&last, '.');
        const ct_felement *e = topic->type ? ct_model_element(topic->type, first, NULL) : NULL;
        uint16_t parent = 0;

        if (e && last.p) {
            parent = e->id;
            e = e->ntypes == 1 ? ct_model_element(e->types[0], last, NULL) : NULL;
        }
        if (!e || !add_element(topic, m, parent, e))
            return ct_fail(err, CT_E_USAGE, "an element that holds no date");
    }
    return true;
}

/* ---- records ---- */

/* The last day that the date can mean. */
static int64_t last_day(const ct_date *d)
{
    ct_date next = *d;

    if (d->precision >= CT_P_DAY)
        return ct_date_days(d);
    if (d->precision == CT_P_YEAR || d->month == 12) {
        next.year++;
        next.month = 1;
    } else {
        next.month++;
    }
    return ct_date_days(&next) - 1;
}

static void add_date(bag_span *s, const ct_doc *doc, ct_val v)
{
    ct_str raw = ct_raw(doc, v);
    bag_span day = {.any = true};
    ct_date d;

    /* No date has an escape in it. */
    if (raw.n < 2 || !ct_date_parse((ct_str){raw.p + 1, raw.n - 2}, &d))
        return;
    day.first = ct_date_days(&d);
    day.last = last_day(&d);
    bag_span_join(s, &day);
}

static void add_value(bag_span *s, const ct_doc *doc, ct_val v)
{
    static const char *const ends[] = {"start", "end"};

    if (v != CT_NONE && ct_type(doc, v) == CT_STRING)
        add_date(s, doc, v);
    for (size_t i = 0; v != CT_NONE && i < CT_LEN(ends); i++) {
        ct_val end = ct_member(doc, v, ct_str_z(ends[i]));

        if (end != CT_NONE && ct_type(doc, end) == CT_STRING)
            add_date(s, doc, end);
    }
}

void bag_span_add(bag_span *s, const bag_topic *topic, const ct_doc *doc)
{
    for (size_t i = 0; i < topic->nwhen; i++) {
        const struct bag_when *w = &topic->when[i];
        ct_val of = w->parent ? ct_member_id(doc, CT_ROOT, w->parent) : CT_ROOT;

        add_value(s, doc, ct_member_id(doc, of, w->member));
    }
}

void bag_span_join(bag_span *s, const bag_span *other)
{
    if (!other->any)
        return;
    if (!s->any || other->first < s->first)
        s->first = other->first;
    if (!s->any || other->last > s->last)
        s->last = other->last;
    s->any = true;
}

void bag_day_put(ct_buf *to, int64_t day)
{
    ct_date epoch = {.precision = CT_P_DAY, .year = 1970, .month = 1, .day = 1};
    ct_date d = ct_date_add_days(&epoch, day);

    ct_date_put(to, &d);
}
