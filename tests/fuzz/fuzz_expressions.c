/* Expressions made from bytes, each a choice in the grammar, on records: those of the file that
 * $FUZZ_RECORDS names, else a fixed one. Most of what is made compiles, so that it is the evaluator
 * that is looked at: a result must be JSON and the same when it is asked for twice, what is refused
 * or fails must say where. */
#include "common/fhirpath/fhirpath.h"

#include <stdio.h>
#include <stdlib.h>

enum { RECORDS_MAX = 512, SOURCE_MAX = 4096, DEPTH_MAX = 9 };

static const char fixed[] =
    "{\"resourceType\":\"Observation\",\"id\":\"o\",\"status\":\"final\",\"_status\":{\"id\":\"s\"}"
    ",\"code\":{\"coding\":[{\"code\":\"a\"},{\"code\":\"b\"}]},\"subject\":{\"reference\":\"#p\"},"
    "\"issued\":\"2020-03-04T10:00:00.5+01:00\",\"valueQuantity\":{\"value\":8.50,\"code\":\"kg\"},"
    "\"component\":[{\"valueString\":\"caf\\u00e9\"},{\"valueInteger\":7},{\"valueBoolean\":true}],"
    "\"contained\":[{\"resourceType\":\"Patient\",\"id\":\"p\",\"birthDate\":\"1961-02\"}]}";

/* ---- records ---- */

static struct {
    ct_buf text;
    ct_str lines[RECORDS_MAX];
    size_t n;
    ct_parser *parser; /* of the one that is looked at */
} records;

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void read_file(const char *path)
{
    FILE *in = fopen(path, "rb");
    size_t n;
    must(in != NULL);
    while ((n = fread(ct_buf_room(&records.text, 65536), 1, 65536, in)) > 0)
        records.text.n += n;
    must(!ferror(in));
    fclose(in);
}

static void read_records(const ct_model *m)
{
    const char *path = getenv("FUZZ_RECORDS");
    if (path)
        read_file(path);
    else
        ct_buf_z(&records.text, fixed);
    for (ct_str rest = ct_buf_str(&records.text); rest.p && records.n < RECORDS_MAX;) {
        ct_str line = ct_str_cut(&rest, '\n');
        if (line.n > 0)
            records.lines[records.n++] = line;
    }
    must(records.n > 0);
    records.parser = ct_parser_new(ct_model_names(m));
}

/* ---- expressions from bytes ---- */

struct maker {
    const uint8_t *p;
    size_t n;
    char source[SOURCE_MAX];
    size_t length;
    int depth;
};

/* The next choice of `of`; 0 once the bytes are used up. */
static size_t choose(struct maker *k, size_t of)
{
    if (k->n == 0)
        return 0;
    k->n--;
    return *k->p++ % of;
}

static void put(struct maker *k, const char *text)
{
    size_t n = strlen(text);
    if (k->length + n < SOURCE_MAX) {
        memcpy(k->source + k->length, text, n);
        k->length += n;
    }
}

#define ONE_OF(k, list) put(k, (list)[choose(k, CT_LEN(list))])

static void expression(struct maker *k);

static void literal(struct maker *k)
{
    static const char *const literals[] = {
        "1",
        "0",
        "-1",
        "2147483647",
        "1.50",
        "0.000000001",
        "99999999999999999999.5",
        "true",
        "false",
        "{}",
        "'a'",
        "''",
        "'caf\\u00e9'",
        "'2020-02-29'",
        "'12.5'",
        "'true'",
        "'1 \\'mg\\''",
        "@2020",
        "@2020-02",
        "@2020-02-29",
        "@2020-02-29T10:30:00.5+02:00",
        "@2020-02-29T10:30",
        "@T10:30",
        "@T23:59:59.999",
        "4 days",
        "1 year",
        "2.5 'mg'",
        "3 '[lb_av]'",
        "37 'Cel'",
        "98.6 '[degF]'",
        "50 '%'",
        "1 'bottle'",
        "5 'mmol/L'",
        "%ucum",
        "%sct",
        "today()",
        "now()",
    };
    ONE_OF(k, literals);
}

static void start(struct maker *k)
{
    static const char *const starts[] = {
        "$this",         "%resource",   "%context", "id",        "code",
        "status",        "value",       "name",     "subject",   "identifier",
        "contained",     "Observation", "Patient",  "Resource",  "children()",
        "descendants()", "$index",      "$total",   "extension", "component",
        "meta",          "text",        "%v",       "period",    "birthDate",
        "item",          "entry",
    };
    ONE_OF(k, starts);
}

static void type_name(struct maker *k)
{
    static const char *const types[] = {"Quantity", "string",        "System.String",   "Coding",
                                        "code",     "FHIR.dateTime", "CodeableConcept", "boolean",
                                        "Resource", "Element",       "System.Integer"};
    ONE_OF(k, types);
}

static void step(struct maker *k)
{
    static const char *const steps[] = {
        ".code",   ".coding", ".value",  ".system",    ".id",       ".extension", ".given",
        ".family", ".start",  ".end",    ".reference", ".unit",     ".display",   ".text",
        ".`div`",  ".item",   ".linkId", ".answer",    ".resource", ".name",
    };
    ONE_OF(k, steps);
}

static void plain_call(struct maker *k)
{
    static const char *const calls[] = {
        ".empty()",
        ".exists()",
        ".not()",
        ".count()",
        ".distinct()",
        ".isDistinct()",
        ".first()",
        ".last()",
        ".tail()",
        ".single()",
        ".children()",
        ".descendants()",
        ".type()",
        ".length()",
        ".upper()",
        ".lower()",
        ".trim()",
        ".toChars()",
        ".toInteger()",
        ".toDecimal()",
        ".toString()",
        ".toDate()",
        ".toDateTime()",
        ".toTime()",
        ".toQuantity()",
        ".toBoolean()",
        ".convertsToQuantity()",
        ".convertsToDate()",
        ".abs()",
        ".ceiling()",
        ".floor()",
        ".round()",
        ".sqrt()",
        ".exp()",
        ".ln()",
        ".truncate()",
        ".precision()",
        ".lowBoundary()",
        ".highBoundary()",
        ".allTrue()",
        ".anyFalse()",
        ".hasValue()",
        ".getValue()",
        ".resolve()",
        ".htmlChecks()",
        ".sort()",
        ".join()",
        ".timeOfDay()",
        ".encode('hex')",
        ".decode('base64')",
        ".escape('json')",
        ".unescape('html')",
        ".matches('a.*b|(c+)+d')",
        ".replaceMatches('(.)', '$1$1')",
        ".split('')",
        ".defineVariable('v')",
        ".encode('urlbase64')",
        ".memberOf('http://hl7.org/fhir/ValueSet/observation-status')",
        ".conformsTo('http://hl7.org/fhir/StructureDefinition/Observation')",
    };
    ONE_OF(k, calls);
}

static void call_with(struct maker *k)
{
    static const char *const calls[] = {
        ".where(",
        ".select(",
        ".all(",
        ".exists(",
        ".repeat(",
        ".repeatAll(",
        ".aggregate(",
        ".skip(",
        ".take(",
        ".union(",
        ".combine(",
        ".intersect(",
        ".exclude(",
        ".subsetOf(",
        ".supersetOf(",
        ".startsWith(",
        ".endsWith(",
        ".contains(",
        ".indexOf(",
        ".lastIndexOf(",
        ".substring(",
        ".join(",
        ".split(",
        ".matches(",
        ".power(",
        ".log(",
        ".round(",
        ".lowBoundary(",
        ".highBoundary(",
        ".toQuantity(",
        ".comparable(",
        ".sort(",
        ".extension(",
        ".trace('t', ",
        ".memberOf(",
        ".conformsTo(",
        ".coalesce({}, ",
        ".iif(true, ",
        ".iif($this is string, ",
        ".replace('a', ",
        ".replaceMatches('a', ",
        ".defineVariable('v', ",
        ".defineVariable('w', ",
        "[",
    };
    size_t which = choose(k, CT_LEN(calls));
    put(k, calls[which]);
    expression(k);
    put(k, calls[which][0] == '[' ? "]" : ")");
}

static void typed(struct maker *k)
{
    static const char *const calls[] = {".is(", ".as(", ".ofType("};
    ONE_OF(k, calls);
    type_name(k);
    put(k, ")");
}

static void operation(struct maker *k)
{
    static const char *const operators[] = {
        " + ",  " - ",        " * ",   " / ",  " div ", " mod ",    " & ", " | ",
        " = ",  " != ",       " ~ ",   " !~ ", " < ",   " <= ",     " > ", " >= ",
        " in ", " contains ", " and ", " or ", " xor ", " implies "};
    put(k, "(");
    expression(k);
    ONE_OF(k, operators);
    expression(k);
    put(k, ")");
}

static void term(struct maker *k)
{
    switch (choose(k, 5)) {
    case 0:
        start(k);
        break;
    case 1:
        literal(k);
        break;
    case 2:
        operation(k);
        break;
    case 3:
        put(k, "-(");
        expression(k);
        put(k, ")");
        break;
    default:
        put(k, "(");
        expression(k);
        put(k, ")");
    }
}

static void expression(struct maker *k)
{
    if (++k->depth > DEPTH_MAX || k->n == 0)
        start(k);
    else
        term(k);
    for (size_t more = choose(k, 5); more > 0 && k->depth <= DEPTH_MAX; more--) {
        switch (choose(k, 4)) {
        case 0:
            step(k);
            break;
        case 1:
            plain_call(k);
            break;
        case 2:
            call_with(k);
            break;
        default:
            typed(k);
        }
    }
    k->depth--;
}

/* ---- evaluation ---- */

static bool evaluate(const ct_model *m, const ct_path *path, const ct_doc *doc, ct_buf *b)
{
    ct_arena *a = ct_arena_new();
    ct_parser *p = ct_parser_new(NULL);
    ct_context c = {
        .model = m,
        .arena = a,
        .doc = doc,
        .node = CT_ROOT,
        .now = {.precision = CT_P_SECOND, .year = 2024, .month = 2, .day = 29, .zoned = true}};
    ct_items items;
    ct_err err = {0};
    bool done = ct_path_eval(path, &c, &items, &err);
    must(done || (err.kind != CT_OK && ct_str_starts(ct_str_z(err.where), CT_S("column "))));
    for (size_t i = 0; done && i < items.n; i++) {
        size_t from = b->n;
        ct_doc item;
        ct_item_put(b, &items.v[i]);
        must(ct_parse(p, ct_str_from(ct_buf_str(b), from), &item, &err));
    }
    /* A condition that is told is what the items say. */
    ct_truth truth = ct_path_test(path, &c, &err);
    must(done || truth == CT_UNDECIDED);
    must(!done || items.n > 0 || truth == CT_UNDECIDED);
    ct_parser_free(p);
    ct_arena_free(a);
    return done;
}

static void check(const ct_model *m, const ct_path *path, ct_str record)
{
    ct_buf once = {0}, twice = {0};
    ct_doc doc;
    ct_err err;
    must(ct_parse(records.parser, record, &doc, &err));
    must(evaluate(m, path, &doc, &once) == evaluate(m, path, &doc, &twice));
    must(ct_str_eq(ct_buf_str(&once), ct_buf_str(&twice)));
    ct_buf_free(&once);
    ct_buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const ct_model *m = ct_model_r4();
    struct maker k = {.p = data, .n = size};
    ct_err err = {0};
    if (records.n == 0)
        read_records(m);
    size_t record = choose(&k, 256) * 256 + choose(&k, 256);
    expression(&k);
    ct_path *path = ct_path_compile(m, (ct_str){k.source, k.length}, &err);
    if (path)
        check(m, path, records.lines[record % records.n]);
    else
        must(err.offset <= k.length && ct_str_starts(ct_str_z(err.where), CT_S("column ")));
    ct_path_free(path);
    return 0;
}
