/* When did it happen? A record's clinically relevant dates against the range of a release, in three
 * answers: a date that is missing or too vague decides nothing.
 *
 * Days are compared as they were written, since the range is meant in the days of the place that
 * keeps the records.
 */
#include "release.h"

static ct_truth overlaps(const ct_span *s, release_range r)
{
    if (s->from.first > r.until || s->until.last < r.from)
        return CT_FALSE_;
    return s->from.last <= r.until && s->until.first >= r.from ? CT_TRUE_ : CT_UNDECIDED;
}

ct_truth release_within(const ct_times *when, release_range range)
{
    ct_truth within = when->n ? CT_FALSE_ : CT_UNDECIDED;

    if (when->timeless)
        return CT_TRUE_;
    /* One of several dates inside is enough. */
    for (size_t i = 0; i < when->n && within != CT_TRUE_; i++) {
        ct_truth one = overlaps(&when->v[i], range);

        if (one != CT_FALSE_)
            within = one;
    }
    return within;
}
