/* The Charlson index of a chart as FHIR R4 RiskAssessment; chart-classify(1) says why its elements
 * are used so. */
#include "cmd/classify/classify.h"

enum { ID_BYTES = 16 };

ct_str classify_assessment_id(ct_arena *a, ct_str patient)
{
    ct_buf seed = {0}, id = {0};
    uint8_t digest[CT_SHA256_LEN];
    ct_str text;

    ct_buf_put(&seed, CT_S("charlson\0"));
    ct_buf_put(&seed, patient);
    ct_sha256(ct_buf_str(&seed), digest);
    ct_buf_z(&id, "charlson-");
    ct_hex(&id, digest, ID_BYTES);
    text = ct_arena_copy(a, ct_buf_str(&id));
    ct_buf_free(&seed);
    ct_buf_free(&id);
    return text;
}

static ct_tree *object_of(ct_arena *a, const char *name, ct_str text)
{
    ct_tree *o = ct_tree_object(a);

    ct_tree_set(o, ct_str_z(name), ct_tree_string(a, text));
    return o;
}

static bool same_text(ct_tree *list, ct_str text)
{
    for (size_t i = 0; i < ct_tree_count(list); i++)
        if (ct_str_eq(ct_tree_text(ct_tree_item(list, i)), text))
            return true;
    return false;
}

/* The labels of what was looked at: a score must not tell more people than its reasons may. */
static ct_tree *security(const classify_case *k)
{
    ct_tree *list = ct_tree_array(k->arena);

    for (size_t i = 0; i < k->n; i++) {
        const ct_doc *doc = &k->chart->records[k->v[i].record].doc;
        ct_val labels = ct_at(doc, CT_ROOT, "meta.security"), c;

        if (k->v[i].ignored || labels == CT_NONE || ct_type(doc, labels) != CT_ARRAY)
            continue;
        for (c = ct_first(doc, labels); c != CT_NONE; c = ct_next(doc, labels, c)) {
            ct_buf text = {0};

            ct_put_compact(&text, doc, c);
            if (!same_text(list, ct_buf_str(&text)))
                ct_tree_push(list,
                             ct_tree_raw(k->arena, ct_arena_copy(k->arena, ct_buf_str(&text))));
            ct_buf_free(&text);
        }
    }
    return list;
}

/* The records that decided, each once. */
static ct_tree *basis(const classify_case *k)
{
    ct_tree *list = ct_tree_array(k->arena);
    size_t last = SIZE_MAX;

    for (size_t i = 0; i < k->n; i++) {
        const classify_diagnosis *d = &k->v[i];
        const ct_record *rec = &k->chart->records[d->record];
        ct_str id = ct_text_at(&rec->doc, CT_ROOT, "id", k->arena);

        if (d->ignored || !classify_counts(k, d->category) || d->record == last || id.n == 0)
            continue;
        last = d->record;
        ct_tree_push(list, object_of(k->arena, "reference",
                                     ct_arena_printf(k->arena, "%.*s/%.*s", (int)rec->type.n,
                                                     rec->type.p, (int)id.n, id.p)));
    }
    return list;
}

static ct_str rationale(const classify_case *k, int set)
{
    ct_buf b = {0};
    ct_str text;

    for (int c = 0; c < (int)k->tables->ncomorbidities; c++)
        if (classify_counts(k, c)) {
            ct_buf_z(&b, b.n ? "; " : "");
            ct_buf_put(&b, k->tables->comorbidities[c].name);
            ct_buf_printf(&b, " %d", k->tables->comorbidities[c].weights[set]);
        }
    if (b.n == 0)
        ct_buf_z(&b, "no comorbidity of the index");
    if (k->undecided)
        ct_buf_printf(&b, "; at least: %zu diagnos%s not decided", k->undecided,
                      k->undecided == 1 ? "is" : "es");
    text = ct_arena_copy(k->arena, ct_buf_str(&b));
    ct_buf_free(&b);
    return text;
}

static ct_tree *prediction(const classify_case *k, int set)
{
    ct_arena *a = k->arena;
    ct_tree *p = ct_tree_object(a);
    ct_str name = k->tables->sets[set];

    ct_tree_set(p, CT_S("outcome"),
                object_of(a, "text",
                          ct_arena_printf(a, "Charlson comorbidity index, weights of %.*s",
                                          (int)name.n, name.p)));
    ct_tree_set(p, CT_S("qualitativeRisk"),
                object_of(a, "text", ct_arena_printf(a, "%d", k->scores[set])));
    ct_tree_set(p, CT_S("rationale"), ct_tree_string(a, rationale(k, set)));
    return p;
}

/* No prediction where nothing at all could be decided: that is no score of 0. */
static ct_tree *predictions(const classify_case *k)
{
    ct_tree *list = ct_tree_array(k->arena);

    for (int set = 0; set < CLASSIFY_SETS && k->undecided < k->looked; set++)
        ct_tree_push(list, prediction(k, set));
    return list;
}

/* How many diagnoses were looked at, and why some were not decided. */
static ct_tree *note(const classify_case *k)
{
    size_t by[CLASSIFY_DOUBTS] = {0};
    ct_tree *list = ct_tree_array(k->arena);
    ct_buf b = {0};

    for (size_t i = 0; i < k->n; i++)
        if (!k->v[i].ignored && k->v[i].category == CLASSIFY_NO_CATEGORY)
            by[k->v[i].doubt]++;
    ct_buf_printf(&b, "%zu diagnos%s: %zu in a category that counts, %zu not decided", k->looked,
                  k->looked == 1 ? "is" : "es", k->counted, k->undecided);
    for (int d = CLASSIFY_DECIDED + 1; d < CLASSIFY_DOUBTS; d++)
        if (by[d])
            ct_buf_printf(&b, "; %s: %zu", classify_doubt_text((classify_doubt)d), by[d]);
    ct_tree_push(list, object_of(k->arena, "text", ct_arena_copy(k->arena, ct_buf_str(&b))));
    ct_buf_free(&b);
    return list;
}

static ct_str method(const classify_case *k)
{
    const classify_tables *t = k->tables;

    return ct_arena_printf(k->arena,
                           "ICD-10 coding algorithm charlson-quan2005 %.*s; charlson-weights %.*s; "
                           "icd10cm-blocks %.*s",
                           (int)t->coding_version.n, t->coding_version.p, (int)t->weights_version.n,
                           t->weights_version.p, (int)t->blocks.version.n, t->blocks.version.p);
}

void classify_assessment_put(const classify_case *k, ct_buf *out)
{
    ct_arena *a = k->arena;
    ct_str id = k->chart->id;
    ct_tree *o = ct_tree_object(a), *labels = security(k), *meta = ct_tree_object(a);

    ct_tree_set(o, CT_S("resourceType"), ct_tree_string(a, CT_S("RiskAssessment")));
    ct_tree_set(o, CT_S("id"), ct_tree_string(a, classify_assessment_id(a, id)));
    ct_tree_set(meta, CT_S("security"), labels);
    ct_tree_set(o, CT_S("meta"), meta); /* left out where there are no labels */
    ct_tree_set(o, CT_S("status"),
                ct_tree_string(a, k->undecided ? CT_S("preliminary") : CT_S("final")));
    ct_tree_set(o, CT_S("method"), object_of(a, "text", method(k)));
    ct_tree_set(o, CT_S("code"), object_of(a, "text", CT_S("Charlson comorbidity index")));
    ct_tree_set(o, CT_S("subject"),
                object_of(a, "reference", ct_arena_printf(a, "Patient/%.*s", (int)id.n, id.p)));
    ct_tree_set(o, CT_S("basis"), basis(k));
    ct_tree_set(o, CT_S("prediction"), predictions(k));
    ct_tree_set(o, CT_S("note"), note(k));
    ct_tree_write(out, o);
}
