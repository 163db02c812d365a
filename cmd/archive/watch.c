#include "cmd/archive/watch.h"
#include "cmd/archive/due.h"

#include <inttypes.h>
#include <stdlib.h>

/* A patient who is listed by a hold, or named by a disclosure that is not over. */
struct listed {
    ct_str patient;
    size_t order; /* as it was read */
    bool hold;
    ct_str why;
};

struct bag_watch {
    ct_arena *arena;
    struct listed *v; /* by patient */
    size_t n, cap;
    struct condition {
        int64_t hold;
        ct_str matter;
        ct_path *path; /* NULL: it has a list */
    } * holds;
    size_t nholds;
    ct_err *err; /* while it is read */
};

/* ---- reading ---- */

static void add(bag_watch *w, ct_str patient, bool hold, ct_str why)
{
    if (w->n == w->cap) {
        w->cap = w->cap ? 2 * w->cap : 64;
        w->v = ct_realloc(w->v, w->cap, sizeof(*w->v));
    }
    w->v[w->n] = (struct listed){ct_arena_copy(w->arena, patient), w->n, hold, why};
    w->n++;
}

static bool take_hold(void *ctx, const ct_hold *h)
{
    bag_watch *w = ctx;
    struct condition c = {.hold = h->id, .matter = ct_arena_copy(w->arena, h->matter)};

    if (h->path.n && !(c.path = ct_path_compile(ct_model_r4(), h->path, w->err))) {
        ct_fail_at(w->err, CT_E_DATA, "its condition cannot be read", "hold %" PRId64, h->id);
        return false;
    }
    w->holds = ct_grow(w->holds, w->nholds, sizeof(*w->holds));
    w->holds[w->nholds++] = c;
    return true;
}

static ct_str why_held(const bag_watch *w, ct_str matter)
{
    return ct_arena_printf(w->arena, "legal hold: %.*s", (int)matter.n, matter.p);
}

struct list_reader {
    bag_watch *watch;
    ct_str why;
};

static bool take_patient(void *ctx, ct_str patient)
{
    struct list_reader *r = ctx;

    add(r->watch, patient, true, r->why);
    return true;
}

static bool read_lists(bag_watch *w, ct_db *db, ct_err *err)
{
    for (size_t i = 0; i < w->nholds; i++) {
        struct list_reader r = {w, why_held(w, w->holds[i].matter)};

        if (!w->holds[i].path && !ct_hold_patients(db, w->holds[i].hold, take_patient, &r, err))
            return false;
    }
    return true;
}

static bool take_open(void *ctx, ct_str patient, int64_t disclosure, ct_str since)
{
    bag_watch *w = ctx;

    (void)since;
    add(w, patient, false,
        ct_arena_printf(w->arena, "open: disclosure %" PRId64 " is not over", disclosure));
    return true;
}

struct kin_reader {
    bag_watch *watch;
    struct listed of; /* whose kin it is */
};

static bool take_kin(void *ctx, ct_str patient)
{
    struct kin_reader *r = ctx;

    add(r->watch, patient, r->of.hold, r->of.why);
    return true;
}

/* Who is one person with a patient that is listed is listed with him. */
static bool read_kin(bag_watch *w, ct_db *db, ct_err *err)
{
    size_t n = w->n;

    for (size_t i = 0; i < n; i++) {
        struct kin_reader r = {w, w->v[i]};

        if (!ct_kin(db, r.of.patient, take_kin, &r, err))
            return false;
    }
    return true;
}

static int by_patient(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;
    int order = ct_str_cmp(x->patient, y->patient);

    return order ? order : (x->order > y->order) - (x->order < y->order);
}

bag_watch *bag_watch_read(ct_db *db, ct_err *err)
{
    bag_watch *w = ct_calloc(1, sizeof(*w));

    *err = (ct_err){0};
    w->arena = ct_arena_new();
    w->err = err;
    if (ct_holds_check(db, NULL, err) && ct_holds(db, true, take_hold, w, err) &&
        err->kind == CT_OK && read_lists(w, db, err) &&
        ct_ledger_open(db, CT_S(""), take_open, w, err) && read_kin(w, db, err)) {
        w->err = NULL;
        if (w->n)
            qsort(w->v, w->n, sizeof(*w->v), by_patient);
        return w;
    }
    bag_watch_free(w);
    return NULL;
}

void bag_watch_free(bag_watch *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->nholds; i++)
        ct_path_free(w->holds[i].path);
    free(w->holds);
    free(w->v);
    ct_arena_free(w->arena);
    free(w);
}

/* ---- asking ---- */

/* The first of those listed that are not before the patient. */
static size_t lower_bound(const bag_watch *w, ct_str patient)
{
    size_t from = 0, to = w->n;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (ct_str_cmp(w->v[middle].patient, patient) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

void bag_watch_patient(const bag_watch *w, ct_str patient, bag_stop_fn *each, void *ctx)
{
    for (size_t i = lower_bound(w, patient); i < w->n && ct_str_eq(w->v[i].patient, patient); i++)
        each(ctx, w->v[i].hold, w->v[i].why);
}

/* A record that is one person's with another one's is held with that. */
static void watch_links(const bag_watch *w, const ct_chart *chart, ct_arena *a, bag_stop_fn *each,
                        void *ctx)
{
    const ct_doc *doc = &chart->records[0].doc;
    ct_val links = chart->has_patient ? ct_member(doc, CT_ROOT, CT_S("link")) : CT_NONE;

    if (links == CT_NONE || ct_type(doc, links) != CT_ARRAY)
        return;
    for (ct_val l = ct_first(doc, links); l != CT_NONE; l = ct_next(doc, links, l)) {
        ct_ref ref;

        if (ct_ref_parse(ct_text_at(doc, l, "other.reference", a), &ref) &&
            !ct_str_eq(ref.id, chart->id))
            bag_watch_patient(w, ref.id, each, ctx);
    }
}

/* What another patient's record says too stands in this chart: it is held with that. */
struct others {
    const bag_watch *watch;
    ct_str chart;
    bag_stop_fn *each;
    void *ctx;
};

static void watch_other(void *ctx, ct_str patient)
{
    struct others *o = ctx;

    if (!ct_str_eq(patient, o->chart))
        bag_watch_patient(o->watch, patient, o->each, o->ctx);
}

static void watch_others(const bag_watch *w, const ct_chart *chart, ct_arena *a, bag_stop_fn *each,
                         void *ctx)
{
    struct others o = {w, chart->id, each, ctx};

    for (size_t i = 0; w->n && i < chart->n; i++)
        ct_owners(ct_model_r4(), &chart->records[i].doc, a, watch_other, &o);
}

static void watch_condition(const struct condition *h, ct_context *c, bag_stop_fn *each, void *ctx)
{
    const char *why;
    char where[32];
    ct_truth truth = bag_chart_test(h->path, c, &why, where);

    if (truth == CT_TRUE_)
        each(ctx, true,
             ct_arena_printf(c->arena, "legal hold: %.*s", (int)h->matter.n, h->matter.p));
    else if (truth == CT_UNDECIDED)
        each(ctx, true,
             ct_arena_printf(c->arena, "legal hold: %.*s: %s%s%s", (int)h->matter.n, h->matter.p,
                             why, where[0] ? ", " : "", where));
}

void bag_watch_chart(const bag_watch *w, const ct_chart *chart, ct_context *c, bag_stop_fn *each,
                     void *ctx)
{
    bag_watch_patient(w, chart->id, each, ctx);
    watch_links(w, chart, c->arena, each, ctx);
    watch_others(w, chart, c->arena, each, ctx);
    for (size_t i = 0; i < w->nholds; i++)
        if (w->holds[i].path)
            watch_condition(&w->holds[i], c, each, ctx);
}

void bag_watch_conditions(const bag_watch *w, ct_arena *a, bag_stop_fn *each, void *ctx)
{
    for (size_t i = 0; i < w->nholds; i++)
        if (w->holds[i].path)
            each(ctx, true,
                 ct_arena_printf(a,
                                 "legal hold: %.*s: its condition has to be asked of the records",
                                 (int)w->holds[i].matter.n, w->holds[i].matter.p));
}
