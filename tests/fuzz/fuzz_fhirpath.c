/* Expressions on records: the text before the first NUL is an expression, what follows a record (a
 * fixed one where there is none). What compiles must evaluate or say where it failed; a result must
 * be JSON, and the same when it is asked for twice. */
#include "common/fhirpath/fhirpath.h"

#include <stdlib.h>

static const char sample[] =
    "{\"resourceType\":\"Observation\",\"id\":\"o\",\"status\":\"final\",\"_status\":{\"id\":\"s\"}"
    ","
    "\"contained\":[{\"resourceType\":\"Patient\",\"id\":\"p\",\"birthDate\":\"1961-02\"}],"
    "\"subject\":{\"reference\":\"#p\"},\"code\":{\"coding\":[{\"code\":\"a\"},{\"code\":\"b\"}]},"
    "\"issued\":\"2020-03-04T10:00:00.5+01:00\",\"valueQuantity\":{\"value\":8.50,\"unit\":\"kg\"},"
    "\"component\":[{\"valueString\":\"caf\\u00e9\"},{\"valueInteger\":7},{\"valueBoolean\":true}]"
    "}";

static void must(bool holds)
{
    if (!holds)
        abort();
}

static ct_context context_of(const ct_model *m, const ct_doc *doc, ct_arena *a)
{
    return (ct_context){
        .model = m,
        .arena = a,
        .doc = doc,
        .node = CT_ROOT,
        .now = {.precision = CT_P_DAY, .year = 2024, .month = 2, .day = 29},
    };
}

/* The result as text, each item checked to be JSON. */
static bool result(const ct_model *m, const ct_path *path, const ct_doc *doc, ct_buf *b)
{
    ct_arena *a = ct_arena_new();
    ct_parser *p = ct_parser_new(NULL);
    ct_context c = context_of(m, doc, a);
    ct_items items;
    ct_err err = {0};
    bool done = ct_path_eval(path, &c, &items, &err);
    must(done || (err.kind != CT_OK && ct_str_starts(ct_str_z(err.where), CT_S("column "))));
    for (size_t i = 0; done && i < items.n; i++) {
        size_t from = b->n;
        ct_doc item;
        ct_item_put(b, &items.v[i]);
        must(ct_parse(p, ct_str_from(ct_buf_str(b), from), &item, &err));
        ct_item_text(&items.v[i], a);
    }
    ct_parser_free(p);
    ct_arena_free(a);
    return done;
}

static void evaluate(const ct_model *m, const ct_path *path, ct_str record)
{
    ct_parser *p = ct_parser_new(ct_model_names(m));
    ct_doc doc;
    ct_err err;
    if (ct_parse(p, record, &doc, &err)) {
        ct_buf once = {0}, twice = {0};
        must(result(m, path, &doc, &once) == result(m, path, &doc, &twice));
        must(ct_str_eq(ct_buf_str(&once), ct_buf_str(&twice)));
        ct_buf_free(&once);
        ct_buf_free(&twice);
        ct_arena *a = ct_arena_new();
        ct_context c = context_of(m, &doc, a);
        ct_path_test(path, &c, &err);
        ct_arena_free(a);
    }
    ct_parser_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const ct_model *m = ct_model_r4();
    ct_str rest = {(const char *)data, size};
    ct_str source = ct_str_cut(&rest, '\0');
    ct_err err = {0};
    ct_path *path = ct_path_compile(m, source, &err);
    if (path)
        evaluate(m, path, rest.p ? rest : ct_str_z(sample));
    else
        must(err.offset <= source.n && ct_str_starts(ct_str_z(err.where), CT_S("column ")));
    ct_path_free(path);
    return 0;
}
