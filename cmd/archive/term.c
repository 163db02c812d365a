/* The term of charts and of bags: until when they are kept. */
#include "cmd/archive/due.h"
#include "cmd/archive/topics.h"

bag_term bag_term_of(const bag_judgement *j)
{
    const bag_keeping *k = &j->keeping;

    return (bag_term){.any = true,
                      .undecided = k->undecided,
                      .until = k->until,
                      .class = k->longest ? k->longest->class : NULL,
                      .held = j->held};
}

void bag_term_join(bag_term *t, const bag_term *other)
{
    if (!other->any)
        return;
    if (!t->any || other->until > t->until) {
        t->until = other->until;
        t->class = other->class;
    }
    t->any = true;
    t->undecided |= other->undecided;
    t->held += other->held;
}

void bag_term_put(ct_buf *b, const bag_term *t)
{
    if (t->until == BAG_NEVER) /* whatever else may be found out */
        ct_buf_z(b, "never");
    else if (t->undecided)
        ct_buf_z(b, "undecided");
    else
        bag_day_put(b, t->until + 1);
}
