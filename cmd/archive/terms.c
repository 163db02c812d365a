#include "cmd/archive/terms.h"

#include <inttypes.h>
#include <stdlib.h>

void bag_terms_name(bag_terms *t, const char *name)
{
    t->names = ct_grow(t->names, t->n, sizeof(*t->names));
    t->names[t->n++] = name;
}

static void put_packs(const bag_schedule *s, bag_versions *v)
{
    for (size_t i = 0; i < s->npacks; i++) {
        const bag_pack *p = &s->packs[i];
        ct_str version =
            ct_arena_printf(s->arena, "%.*s, SHA-256 %s", (int)p->version.n, p->version.p, p->hash);

        bag_versions_add(v, "schedule", p->name, version);
    }
}

void bag_terms_load(bag_terms *t, const ct_date *today, bag_versions *v, bag_wrong_fn *wrong,
                    void *ctx)
{
    if (!t->n)
        return;
    t->schedule = bag_schedule_load(t->names, t->n, wrong, ctx);
    t->judge = bag_judge_new(t->schedule, today);
    put_packs(t->schedule, v);
}

bool bag_terms_database(bag_terms *t, ct_db *db, ct_err *err)
{
    return !t->judge || bag_judge_database(t->judge, db, err);
}

bag_term bag_terms_of(const bag_terms *t, const ct_chart *chart)
{
    bag_judgement j;

    if (!t->judge || !chart->id.n)
        return (bag_term){0};
    j = bag_judge_chart(t->judge, chart, NULL, chart->arena);
    return bag_term_of(&j);
}

void bag_terms_put(bag_terms *t, bool incomplete, bag_writer *w)
{
    const bag_class *class = t->bag.class;
    ct_buf after = {0};

    if (!t->bag.any)
        return;
    t->bag.undecided |= incomplete;
    if (class && (!t->bag.undecided || t->bag.until == BAG_NEVER)) {
        bag_writer_info(w, "Retention-Class", "%.*s", (int)class->name.n, class->name.p);
        bag_writer_info(w, "Retention-Authority", "%.*s", (int)class->authority.n,
                        class->authority.p);
    }
    bag_term_put(&after, &t->bag);
    bag_writer_info(w, "Destroy-After", "%.*s", (int)after.n, after.p);
    if (t->bag.held || bag_judge_watch(t->judge)) /* without a database it is not known */
        bag_writer_info(w, "Legal-Holds", "%" PRIu64, t->bag.held);
    t->bag = (bag_term){0};
    ct_buf_free(&after);
}

void bag_terms_free(bag_terms *t)
{
    bag_judge_free(t->judge);
    bag_schedule_free(t->schedule);
    free(t->names);
    *t = (bag_terms){0};
}
