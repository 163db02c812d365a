/* The Charlson index of a chart. */
#include "cmd/classify/classify.h"

bool classify_counts(const classify_case *k, int category)
{
    int graver;

    if (category == CLASSIFY_NO_CATEGORY || !k->has[category])
        return false;
    graver = k->tables->comorbidities[category].less_than;
    return graver == CLASSIFY_NO_CATEGORY || !k->has[graver];
}

void classify_score(classify_case *k)
{
    memset(k->has, 0, sizeof(k->has));
    memset(k->scores, 0, sizeof(k->scores));
    k->looked = k->counted = k->undecided = 0;
    for (size_t i = 0; i < k->n; i++) {
        const classify_diagnosis *d = &k->v[i];

        if (d->ignored)
            continue;
        k->looked++;
        if (d->category != CLASSIFY_NO_CATEGORY)
            k->has[d->category] = true;
        else if (d->doubt != CLASSIFY_DECIDED)
            k->undecided++;
    }
    for (size_t i = 0; i < k->n; i++)
        k->counted += !k->v[i].ignored && classify_counts(k, k->v[i].category);
    for (int c = 0; c < (int)k->tables->ncomorbidities; c++)
        for (int s = 0; s < CLASSIFY_SETS && classify_counts(k, c); s++)
            k->scores[s] += k->tables->comorbidities[c].weights[s];
}
