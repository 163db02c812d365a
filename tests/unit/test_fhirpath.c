/* FHIRPath: expression by expression, on records of made-up people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/fhirpath/fhirpath.h"

/* ---- records ---- */

static const char patient[] =
    "{\"resourceType\":\"Patient\",\"id\":\"p1\",\"active\":true,"
    "\"identifier\":[{\"system\":\"urn:mrn\",\"value\":\"00042\"},{\"value\":\"x\"}],"
    "\"name\":[{\"use\":\"official\",\"family\":\"Brook\",\"given\":[\"Ada\",\"May\"]},"
    "{\"use\":\"usual\",\"given\":[\"Addy\"]}],"
    "\"gender\":\"female\",\"birthDate\":\"1961-02-03\","
    "\"_birthDate\":{\"id\":\"b\",\"extension\":[{\"url\":\"urn:t\",\"valueDateTime\":"
    "\"1961-02-03T04:05:00Z\"}]},"
    "\"_deceasedBoolean\":{\"extension\":[{\"url\":\"urn:why\",\"valueCode\":\"unknown\"}]},"
    "\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o\",\"name\":\"North\"}],"
    "\"managingOrganization\":{\"reference\":\"#o\"},"
    "\"generalPractitioner\":[{\"reference\":\"Practitioner/9\"}]}";

static const char observation[] =
    "{\"resourceType\":\"Observation\",\"id\":\"o1\",\"status\":\"final\","
    "\"code\":{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"29463-7\"},"
    "{\"system\":\"urn:own\",\"code\":\"wt\"}]},"
    "\"effectiveDateTime\":\"2020-03\",\"issued\":\"2020-03-04T10:00:00.5+01:00\","
    "\"valueQuantity\":{\"value\":81.50,\"unit\":\"kilo\",\"system\":\"http://unitsofmeasure.org\","
    "\"code\":\"kg\"},"
    "\"referenceRange\":[{\"low\":{\"value\":50,\"code\":\"kg\"}}],"
    "\"component\":[{\"code\":{\"text\":\"a\"},\"valueQuantity\":{\"value\":5,\"comparator\":\"<\"}"
    "},"
    "{\"code\":{\"text\":\"b\"},\"valueString\":\"caf\\u00e9 \\u2603\"},"
    "{\"code\":{\"text\":\"c\"},\"valueInteger\":7}]}";

static const char names_with_gaps[] =
    "{\"resourceType\":\"Patient\",\"name\":[{\"given\":[\"Ada\",null,\"May\"],"
    "\"_given\":[null,{\"extension\":[{\"url\":\"urn:gap\",\"valueBoolean\":true}]},{\"id\":\"m\"}]"
    "},"
    "{\"given\":[\"Eve\"],\"_given\":[null,{\"id\":\"late\"}]}],"
    "\"birthDate\":\"1961-13-45\"}";

static const char questionnaire[] =
    "{\"resourceType\":\"Questionnaire\",\"item\":[{\"linkId\":\"1\",\"item\":[{\"linkId\":\"1.1\"}"
    ","
    "{\"linkId\":\"1.2\",\"item\":[{\"linkId\":\"1.2.1\"}]}]},{\"linkId\":\"2\"}]}";

static const char practitioner[] =
    "{\"resourceType\":\"Practitioner\",\"id\":\"9\",\"active\":false}";

/* ---- running one ---- */

struct fixture {
    const ct_model *model;
    ct_arena *arena;
    ct_parser *parsers[2];
    ct_doc doc, other;
    bool resolves;
};

static const ct_doc *find(void *ctx, ct_str reference)
{
    struct fixture *f = ctx;
    return f->resolves && ct_str_is(reference, "Practitioner/9") ? &f->other : NULL;
}

static void start(struct fixture *f)
{
    ct_err err;
    f->model = ct_model_r4();
    f->arena = ct_arena_new();
    for (size_t i = 0; i < 2; i++)
        f->parsers[i] = ct_parser_new(ct_model_names(f->model));
    assert_true(ct_parse(f->parsers[1], ct_str_z(practitioner), &f->other, &err));
}

static void stop(struct fixture *f)
{
    for (size_t i = 0; i < 2; i++)
        ct_parser_free(f->parsers[i]);
    ct_arena_free(f->arena);
}

static ct_context context_of(struct fixture *f)
{
    return (ct_context){.model = f->model,
                        .arena = f->arena,
                        .doc = &f->doc,
                        .node = CT_ROOT,
                        .now = {.precision = CT_P_FRACTION,
                                .year = 2024,
                                .month = 2,
                                .day = 29,
                                .hour = 13,
                                .minute = 14,
                                .second = 15,
                                .zoned = true},
                        .resolve = find,
                        .resolve_ctx = f};
}

/* The result as JSON, items separated by blanks; "refused N" with the column; "error". */
static void answer(struct fixture *f, const char *source, const char *json, ct_buf *b)
{
    ct_err err = {0};
    ct_items items;
    ct_path *p = ct_path_compile(f->model, ct_str_z(source), &err);
    b->n = 0;
    if (!p) {
        ct_buf_printf(b, "refused %s", err.where + strlen("column "));
        return;
    }
    assert_true(ct_parse(f->parsers[0], ct_str_z(json), &f->doc, &err));
    ct_context c = context_of(f);
    if (!ct_path_eval(p, &c, &items, &err))
        ct_buf_z(b, err.kind == CT_E_LIMIT ? "limit" : "error");
    else
        for (size_t i = 0; i < items.n; i++) {
            if (i > 0)
                ct_buf_c(b, ' ');
            ct_item_put(b, &items.v[i]);
        }
    ct_path_free(p);
    ct_arena_reset(f->arena);
}

struct row {
    const char *source, *expected;
};

static void check(const struct row *rows, size_t n, const char *json)
{
    struct fixture f = {0};
    ct_buf b = {0};
    size_t wrong = 0;
    start(&f);
    for (size_t i = 0; i < n; i++) {
        answer(&f, rows[i].source, json, &b);
        ct_str got = ct_buf_str(&b);
        if (ct_str_is(got, rows[i].expected))
            continue;
        wrong++;
        print_error("%s\n  expected: %s\n  got:      %.*s\n", rows[i].source, rows[i].expected,
                    (int)got.n, got.p);
    }
    ct_buf_free(&b);
    stop(&f);
    assert_int_equal(wrong, 0);
}

#define CHECK(rows, json) check(rows, CT_LEN(rows), json)

/* ---- tables ---- */

static void paths(void **state)
{
    static const struct row rows[] = {
        {"Patient.name.given", "\"Ada\" \"May\" \"Addy\""},
        {"name.given", "\"Ada\" \"May\" \"Addy\""},
        {"`Patient`.`name`.given", "\"Ada\" \"May\" \"Addy\""},
        {"Resource.id", "\"p1\""},
        {"DomainResource.id", "\"p1\""},
        {"Encounter.status", ""},
        {"Encounter.status.empty()", ""},
        {"Patient.name[1].use", "\"usual\""},
        {"Patient.name[7].use", ""},
        {"Patient.name[-1].use", ""},
        {"Patient.name.given[2]", "\"Addy\""},
        {"Patient.name[0].given[1]", "\"May\""},
        {"Patient.name.suffix", ""},
        {"name.where(use = 'usual').given", "\"Addy\""},
        {"name.select(given.first() & ' ' & family)", "\"Ada Brook\" \"Addy \""},
        {"name.select($index)", "0 1"},
        {"$this.id", "\"p1\""},
        {"%resource.id = %rootResource.id", "true"},
        {"%context.id", "\"p1\""},
        {"contained.name", "\"North\""},
        {"contained.ofType(Organization).name", "\"North\""},
        {"contained.ofType(Patient).name", ""},
        {"Patient.contained.where($this is Organization).id", "\"o\""},
        {"children().ofType(HumanName).use", "\"official\" \"usual\""},
        {"descendants().where($this is code)", "\"female\" \"official\" \"usual\" \"unknown\""},
        {"Patient.birthDate.extension('urn:t').value", "\"1961-02-03T04:05:00Z\""},
        {"Patient.birthDate.extension.url", "\"urn:t\""},
        {"Patient.birthDate.id", "\"b\""},
        {"Patient.deceased.exists()", "true"},
        {"Patient.deceased.hasValue()", "false"},
        {"Patient.deceased.extension('urn:why').value", "\"unknown\""},
        {"Patient.deceased = true", ""},
        {"Patient.gender.hasValue()", "true"},
        {"Patient.gender.getValue()", "\"female\""},
        {"Patient.gender.extension('urn:none')", ""},
        {"identifier.where(system.empty()).value", "\"x\""},
        {"%`vs-administrative-gender`", "\"http://hl7.org/fhir/ValueSet/administrative-gender\""},
        {"%\"ext-x\"", "\"http://hl7.org/fhir/StructureDefinition/x\""},
        {"%sct & %loinc & %ucum",
         "\"http://snomed.info/scthttp://loinc.orghttp://unitsofmeasure.org\""},
        {"%chart", "error"},
    };
    (void)state;
    CHECK(rows, patient);
}

static void choices(void **state)
{
    static const struct row rows[] = {
        {"Observation.value.unit", "\"kilo\""},
        {"Observation.value.ofType(Quantity).value", "81.50"},
        {"(Observation.value as Quantity).code", "\"kg\""},
        {"Observation.value.ofType(string)", ""},
        {"Observation.value is Quantity", "true"},
        {"Observation.value is string", "false"},
        {"Observation.value is System.Quantity", "false"},
        {"Observation.effective", "\"2020-03\""},
        {"Observation.valueQuantity.unit", "refused 13"},
        {"valueQuantity.unit", "\"kilo\""},
        {"Observation.component.value.ofType(integer)", "7"},
        {"Observation.component.value.ofType(string)", "\"caf\\u00e9 \\u2603\""},
        {"Observation.component[1].value.length()", "6"},
        {"Observation.component[1].value = 'caf\\u00e9 \\u2603'", "true"},
        {"Observation.referenceRange.low.value", "50"},
        {"Observation.component.count()", "3"},
        {"component.where(value is Quantity).code.text", "\"a\""},
        {"Observation.value > 80 'kg'", "true"},
        {"Observation.value = 81.5 'kg'", "true"},
        {"Observation.value > 80 'g'", "true"},
        {"Observation.value < 80000 'mg'", "false"},
        {"Observation.value > 80 'cm'", ""},
        {"Observation.value > 80 'bottles'", ""},
        {"Observation.component[0].value > 4", ""},
        {"Observation.component[0].value = 5 '1'", ""},
        {"Observation.value.value + 1", "82.50"},
        {"Observation.value * 2",
         "{\"value\":163.00,\"unit\":\"kg\",\"system\":\"http://unitsofmeasure.org\","
         "\"code\":\"kg\"}"},
        {"Observation.code.coding.where(system = %loinc).code", "\"29463-7\""},
        {"Observation.code.coding.system contains 'urn:own'", "true"},
        {"Observation.code.coding.exists(code = 'wt' and system.startsWith('urn:'))", "true"},
        {"Observation.issued > @2020-03-04T08:59:59Z", "true"},
        {"Observation.issued > @2020-03-04T09:00:00Z", "true"},
        {"Observation.issued > @2020-03-04T09:00:01Z", "false"},
        {"Observation.effective < @2020-04-01", "true"},
        {"Observation.effective < @2020-03-15", ""},
        {"Observation.effective = @2020-03", "true"},
        {"Observation.effective <= today()", "true"},
        {"Observation.issued.toString()", "\"2020-03-04T10:00:00.5+01:00\""},
        {"Observation.value.type().name", "\"Quantity\""},
        {"Observation.code.coding.first().type()", "{\"namespace\":\"FHIR\",\"name\":\"Coding\"}"},
    };
    (void)state;
    CHECK(rows, observation);
}

static void gaps(void **state)
{
    static const struct row rows[] = {
        {"Patient.name[0].given.count()", "3"},
        {"Patient.name[1].given.id", "\"late\""},
        {"Patient.name.given.select($this.hasValue())", "true false true true false"},
        {"Patient.name.given.extension('urn:gap').value", "true"},
        {"Patient.name.given[2].id", "\"m\""},
        {"Patient.name.given.join('+')", "\"Ada+May+Eve\""},
        {"Patient.name.given.ofType(Element).count()", "5"},
        {"Patient.name.given.where($this = 'May')", "\"May\""},
        {"Patient.birthDate.exists()", "true"},
        {"Patient.birthDate < today()", ""},
        {"Patient.birthDate = @1961-01-01", ""},
        {"Patient.birthDate = Patient.birthDate", ""},
        {"Patient.birthDate in Patient.birthDate", ""},
        {"Patient.birthDate.toString()", ""},
        {"Patient.birthDate.convertsToString()", "false"},
    };
    (void)state;
    CHECK(rows, names_with_gaps);
}

static void trees(void **state)
{
    static const struct row rows[] = {
        {"Questionnaire.repeat(item).linkId", "\"1\" \"2\" \"1.1\" \"1.2\" \"1.2.1\""},
        {"Questionnaire.descendants().linkId.count()", "5"},
        {"Questionnaire.children().linkId", "\"1\" \"2\""},
        {"repeat(item).where(linkId.matches('^1[.]')).linkId", "\"1.1\" \"1.2\" \"1.2.1\""},
        {"'x'.repeat('y')", "\"y\""},
        {"Questionnaire.repeat(itme)", "refused 22"},
    };
    (void)state;
    CHECK(rows, questionnaire);
}

static void literals(void **state)
{
    static const struct row rows[] = {
        {"1", "1"},
        {"1.50", "1.50"},
        {"-1.50", "-1.50"},
        {"007.50", "7.50"},
        {"'+007.50 \\'mg\\''.toQuantity().value", "7.50"},
        {"true", "true"},
        {"{}", ""},
        {"'a\\'b\\\\\\n\\u0041\\ud83d\\ude00'", "\"a'b\\\\\\nA\xF0\x9F\x98\x80\""},
        {"''", "\"\""},
        {"@2020", "\"2020\""},
        {"@2020-02-29", "\"2020-02-29\""},
        {"@2020-02-03T04", "\"2020-02-03T04\""},
        {"@2020-02-03T04:05:06.007+08:00", "\"2020-02-03T04:05:06.007+08:00\""},
        {"@T10:30", "\"10:30\""},
        {"4 days",
         "{\"value\":4,\"unit\":\"days\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"d\"}"},
        {"2147483647", "2147483647"},
        {"1 // comment", "1"},
        {"1 /* a\n comment */ + 1", "2"},
        {"(((7)))", "7"},
    };
    (void)state;
    CHECK(rows, patient);
}

static void refusals(void **state)
{
    static const struct row rows[] = {
        {"", "refused 1"},
        {"   ", "refused 4"},
        {"name.", "refused 6"},
        {"name given", "refused 6"},
        {"(name", "refused 6"},
        {"name)", "refused 5"},
        {"name[0", "refused 7"},
        {"{", "refused 2"},
        {"1 +", "refused 4"},
        {"1 + * 2", "refused 5"},
        {"1 = = 2", "refused 5"},
        {"'abc", "refused 1"},
        {"'a\\qb'", "refused 3"},
        {"'\\ud800'", "refused 2"},
        {"'\\u12'", "refused 2"},
        {"`abc", "refused 1"},
        {"/* no end", "refused 1"},
        {"# 1", "refused 1"},
        {"a ! b", "refused 3"},
        {"@20", "refused 1"},
        {"@2020-13", "refused 1"},
        {"@2021-02-29", "refused 1"},
        {"@2020-02-01T10:30+1", "refused 1"},
        {"@T10:30Z", "refused 8"},
        {"2147483649", "refused 1"},
        {"99999999999999999999999999999999999999", "refused 1"},
        {"%nothing", "refused 1"},
        {"%", "refused 1"},
        {"$that", "refused 1"},
        {"frobnicate()", "refused 1"},
        {"name.frobnicate()", "refused 6"},
        {"gender.memberOf('urn:vs')", "refused 17"},
        {"conformsTo('urn:profile')", "refused 12"},
        {"name.first(1)", "refused 6"},
        {"name.where()", "refused 6"},
        {"name.where(true, false)", "refused 6"},
        {"name.exists(,)", "refused 13"},
        {"name.exists(true,)", "refused 18"},
        {"name.is(Nothing)", "refused 9"},
        {"name is Nothing", "refused 6"},
        {"name is", "refused 8"},
        {"name is 1", "refused 9"},
        {"name.ofType(1)", "refused 13"},
        {"'a'.matches('(')", "refused 13"},
        {"'a'.matches('\\\\C')", "refused 13"},
        {"Patiend.name", "refused 1"},
        {"Patient.nam", "refused 9"},
        {"Patient.name.givn", "refused 14"},
        {"Patient.name.where(usse = 'x')", "refused 20"},
        {"Patient.name.where(use = 'x').giveen", "refused 31"},
        {"Patient.name.given.first().family", "refused 28"},
        {"Patient.name.exists().family", "refused 23"},
        {"Patient.birthDate.value", "refused 19"},
        {"Patient.deceasedBoolean", "refused 9"},
        {"Patient.contact.name.famly", "refused 22"},
        {"Observation.value.ofType(Quantity).unt", "refused 36"},
        {"Observation.value.untt", "refused 19"},
        {"(Patient.name | Patient.contact.name).famly", "refused 39"},
        {"nam", "refused 1"},
        {"name.where(iif(true, givn, family))", "refused 22"},
        {"'a'.length", "refused 5"},
        {"true.foo", "refused 6"},
        {"Patient.name.where(Patient.active)", "refused 20"},
        {"Patient.name.where(HumanName.use = 'old').exists()", "false"},
        {"Patient.contained.where(Organization.name = 'North').id", "\"o\""},
        {"Patient.birthDate > '2020-01-01'", "refused 19"},
        {"and", "refused 1"},
        {"1 and", "refused 6"},
    };
    (void)state;
    CHECK(rows, patient);
}

static void logic(void **state)
{
    static const struct row rows[] = {
        {"true and true", "true"},
        {"true and false", "false"},
        {"true and {}", ""},
        {"{} and false", "false"},
        {"{} and {}", ""},
        {"false or true", "true"},
        {"false or {}", ""},
        {"{} or true", "true"},
        {"true xor true", "false"},
        {"true xor {}", ""},
        {"false implies {}", "true"},
        {"true implies {}", ""},
        {"true implies false", "false"},
        {"{} implies true", "true"},
        {"{} implies false", ""},
        {"true.not()", "false"},
        {"{}.not()", ""},
        {"0.not()", "false"},
        {"'x' and true", "true"},
        {"(1 | 2) and true", "error"},
        {"false and (1 | 2)", "false"},
        {"true and false or true", "true"},
        {"false implies false and false", "true"},
        {"1 = 1 and 2 = 2", "true"},
        {"1 < 2 = true", "true"},
        {"iif(true, 1, 1 + 'a')", "1"},
        {"iif({}, 1, 2)", "2"},
        {"iif(false, 1)", ""},
        {"'a'.iif($this = 'a', 1, 2)", "1"},
        {"(1 | 2).iif(true, 1)", "error"},
        {"name.iif(true, 1)", "error"},
    };
    (void)state;
    CHECK(rows, patient);
}

static void comparison(void **state)
{
    static const struct row rows[] = {
        {"1 = 1.0", "true"},
        {"1 = '1'", "false"},
        {"1.10 = 1.1", "true"},
        {"1 != 2", "true"},
        {"{} = {}", ""},
        {"1 = {}", ""},
        {"(1 | 2) = (1 | 2)", "true"},
        {"(1 | 2) = (2 | 1)", "false"},
        {"(1 | 2) ~ (2 | 1)", "true"},
        {"1 ~ {}", "false"},
        {"{} ~ {}", "true"},
        {"'a B' ~ 'A\\tb '", "true"},
        {"'ab' !~ 'a b'", "true"},
        {"1.23 ~ 1.2", "true"},
        {"1.25 !~ 1.2", "true"},
        {"'abc' < 'abd'", "true"},
        {"'Z' < 'a'", "true"},
        {"1 < 'a'", "error"},
        {"(1 | 2) < 3", "error"},
        {"1 < {}", ""},
        {"true < false", "error"},
        {"0.1 + 0.2 = 0.3", "true"},
        {"100000000000000000000.5 > 100000000000000000000.4", "true"},
        {"0.000000000000000000000000000001 < 100000000000000000000.0", "true"},
        {"-0.000000000000000000000000000001 < -100000000000000000000.0", "false"},
        {"@2020 = @2020", "true"},
        {"@2020 = @2020-01", ""},
        {"@2020 = @2021-01", "false"},
        {"@2020-01 < @2020-02-01", "true"},
        {"@2020-02 < @2020-02-01", ""},
        {"@2020-02 ~ @2020-02-01", "false"},
        {"@2020-02-01 = @2020-02-01T00:00:00", ""},
        {"@2020-01-01T10:00:00 = @2020-01-01T10:00:00.0", "true"},
        {"@2020-01-01T10:00:00Z = @2020-01-01T11:00:00+01:00", "true"},
        {"@2020-01-01T10:00:00Z = @2020-01-01T10:00:00", ""},
        {"@2020-01-01T10:00:00Z < @2020-01-03T10:00:00", "true"},
        {"@T10:30 < @T10:30:00", ""},
        {"@T10:30 < @T10:31:00", "true"},
        {"@2020-01-01 = @T10:30", "false"},
        {"@2020-01-01 < @T10:30", "error"},
        {"1 week = 7 days", "true"},
        {"1 'wk' = 7 days", "true"},
        {"1 year = 1 'a'", ""},
        {"1 year = 12 months", "true"},
        {"1 year ~ 1 'a'", "true"},
        {"4 'g' ~ 4040 'mg'", "true"},
        {"4.0 'g' ~ 4040 'mg'", "true"},
        {"4.01 'g' ~ 4140 'mg'", "false"},
        {"4 'g' ~ 4 'm'", "false"},
        {"37 'Cel' = 98.6 '[degF]'", "true"},
        {"50 '%' = 0.5", "true"},
        {"1 'cm'.comparable(1 'm')", "true"},
        {"1 'cm'.comparable(1 's')", "false"},
        {"1 'cm'.comparable(1 'bottle')", "false"},
        {"1 'bottle'.comparable(2 'bottle')", "true"},
        {"1 'cm'.comparable({})", ""},
        {"1.comparable(1 'm')", "error"},
        {"2 years > 1 year", "true"},
        {"1 'kg' = 1 'g'", "false"},
        {"1 'kg' = 1 'm'", ""},
        {"1 'mg' < 2 'mg'", "true"},
        {"5 = 5 '1'", "true"},
        {"1 in (1 | 2)", "true"},
        {"3 in (1 | 2)", "false"},
        {"@2020 in (@2020-01 | @2019)", ""},
        {"@2020 in (@2020-01 | @2020)", "true"},
        {"1 in {}", "false"},
        {"{} in (1 | 2)", ""},
        {"(1 | 2) in (1 | 2)", "error"},
        {"(1 | 2) contains 2", "true"},
        {"name.first() = name.first()", "true"},
        {"name[0] = name[1]", "false"},
        {"name = name", "true"},
        {"name ~ name", "true"},
        {"birthDate = @1961-02-03", "true"},
        {"birthDate < @1961-02-04T00:00:00Z", "true"},
        {"gender = 'female'", "true"},
        {"name.given = 'Ada'", "false"},
        {"'Ada' in name.given", "true"},
    };
    (void)state;
    CHECK(rows, patient);
}

static void arithmetic(void **state)
{
    static const struct row rows[] = {
        {"1 + 2 * 3", "7"},
        {"(1 + 2) * 3", "9"},
        {"7 / 2", "3.5"},
        {"1 / 3", "0.3333333333333333"},
        {"2 / 3", "0.6666666666666667"},
        {"-2 / 3", "-0.6666666666666667"},
        {"1 / 0", ""},
        {"7 div 2", "3"},
        {"-7 div 2", "-3"},
        {"-7 mod 2", "-1"},
        {"2.2 mod 1.8", "0.4"},
        {"5 div 0", ""},
        {"5 mod 0", ""},
        {"1.5 + 1.50", "3.00"},
        {"1.8 - 1.2", "0.6"},
        {"1.2 * 1.8", "2.16"},
        {"2147483647 + 1", ""},
        {"2147483647 * 2.0", "4294967294.0"},
        {"-2147483648", "-2147483648"},
        {"1000000000000000000000000.0 * 1000000000000000000000000.0", ""},
        {"'a' + 'b'", "\"ab\""},
        {"'a' + {}", ""},
        {"'a' & {}", "\"a\""},
        {"'a' + 1", "error"},
        {"'a' - 'b'", "error"},
        {"-'a'", "error"},
        {"- - 1", "1"},
        {"-name.count()", "-2"},
        {"1 'mg' + 2 'mg' = 3 'mg'", "true"},
        {"1 'mg' + 2 'g' = 2001 'mg'", "true"},
        {"(1 'mg' + 2 'g').unit", "\"mg\""},
        {"(3 'm' - 1 'cm').unit", "\"cm\""},
        {"1 'mg' + 2 'm'", ""},
        {"1 'bottle' + 2 'bottle' = 3 'bottle'", "true"},
        {"1 'bottle' + 2 'g'", ""},
        {"1 'Cel' + 1 'K'", ""},
        {"(2 'cm' * 3 'm').unit", "\"cm.m\""},
        {"2 'cm' * 3 'm' = 0.06 'm2'", "true"},
        {"(4 'g' / 2 'dL').unit", "\"g/dL\""},
        {"4 'g' / (2 'm' * 1 's') = 2 'g/(m.s)'", "true"},
        {"4 'g' / 2 'mg'", "{\"value\":2000,\"unit\":\"1\",\"system\":\"http://"
                           "unitsofmeasure.org\",\"code\":\"1\"}"},
        {"6 'mg' / 1 day = 6 'mg/d'", "true"},
        {"2 'Cel' * 1 'm'", ""},
        {"3 'bottle' * 2 = 6 'bottle'", "true"},
        {"3 'bottle' * 2 'g'", ""},
        {"(98.6 '[degF]').toQuantity('Cel') = 37 'Cel'", "true"},
        {"(1 'g').toQuantity('m')", ""},
        {"(1 'g').toQuantity('mg').value", "1000"},
        {"1 'mg' + 2", "error"},
        {"6 'mg' / 2 = 3 'mg'", "true"},
        {"6 'mg' / 2 'mg' = 3", "true"},
        {"@2020-01-31 + 1 month", "\"2020-02-29\""},
        {"@2020-02-29 + 1 year", "\"2021-02-28\""},
        {"@2020-02-29 - 4 years", "\"2016-02-29\""},
        {"@2020-12-31 + 1 day", "\"2021-01-01\""},
        {"@2020-01-01 - 1 day", "\"2019-12-31\""},
        {"@2020-01-01 + 2 weeks", "\"2020-01-15\""},
        {"@2020-01-01 + 23 hours", "\"2020-01-01\""},
        {"@2020-01-01 + 24 hours", "\"2020-01-02\""},
        {"@2020 + 25 months", "\"2022\""},
        {"@2020-03 + 29 days", "\"2020-03\""},
        {"@2020-03 + 30 days", "\"2020-04\""},
        {"@2020-01-01 + 7.9 days", "\"2020-01-08\""},
        {"@2020-01-01 + 1 'mo'", "error"},
        {"@2020-01-01 + 1 'kg'", "error"},
        {"@2020-01-01 + 1", "error"},
        {"@2020-01-01 * 2 days", "error"},
        {"@2020-01-01T23:59:59Z + 1 second", "\"2020-01-02T00:00:00Z\""},
        {"@2020-01-01T00:00:00.000+10:00 - 1 millisecond", "\"2019-12-31T23:59:59.999+10:00\""},
        {"@T23:30 + 45 minutes", "\"00:15\""},
        {"@T00:15 - 45 minutes", "\"23:30\""},
        {"@9999-12-31 + 1 day", ""},
        {"@0001-01-01 - 1 day", ""},
        {"@2020-01-01 + 2000000000 years", ""},
        {"today()", "\"2024-02-29\""},
        {"now()", "\"2024-02-29T13:14:15.000Z\""},
        {"timeOfDay()", "\"13:14:15.000\""},
        {"today() - 1 year", "\"2023-02-28\""},
        {"birthDate + 18 years <= today()", "true"},
        {"today() < now()", ""},
    };
    (void)state;
    CHECK(rows, patient);
}

static void collections(void **state)
{
    static const struct row rows[] = {
        {"name.exists()", "true"},
        {"name.empty()", "false"},
        {"photo.exists()", "false"},
        {"photo.empty()", "true"},
        {"name.exists(use = 'old')", "false"},
        {"name.all(given.exists())", "true"},
        {"name.all(family.exists())", "false"},
        {"{}.all(false)", "true"},
        {"name.count()", "2"},
        {"(true | false).allTrue()", "false"},
        {"(true | false).anyTrue()", "true"},
        {"(true | false).allFalse()", "false"},
        {"(true | false).anyFalse()", "true"},
        {"{}.allTrue()", "true"},
        {"('a').allTrue()", "error"},
        {"(1 | 2).first()", "1"},
        {"(1 | 2).last()", "2"},
        {"(1 | 2 | 3).tail()", "2 3"},
        {"(1 | 2 | 3).skip(2)", "3"},
        {"(1 | 2 | 3).skip(-1)", "1 2 3"},
        {"(1 | 2 | 3).take(2)", "1 2"},
        {"(1 | 2 | 3).take(0)", ""},
        {"(1 | 2).skip('a')", "error"},
        {"name.single()", "error"},
        {"name.first().single().use", "\"official\""},
        {"{}.single()", ""},
        {"1 | 1 | 2", "1 2"},
        {"1.combine(1)", "1 1"},
        {"1.combine(1).distinct()", "1"},
        {"1.combine(1).isDistinct()", "false"},
        {"(1 | 2).intersect(2 | 3)", "2"},
        {"(1 | 2).exclude(2 | 3)", "1"},
        {"(1 | 2).union(2 | 3)", "1 2 3"},
        {"1.subsetOf(1 | 2)", "true"},
        {"3.subsetOf(1 | 2)", "false"},
        {"(1 | 2).supersetOf(1)", "true"},
        {"{}.subsetOf({})", "true"},
        {"name.given.combine(name.family).count()", "4"},
        {"name.select(given | family).count()", "4"},
        {"(1 | 2 | 3).aggregate($this + $total, 0)", "6"},
        {"(3 | 1 | 2).aggregate(iif($total.empty() or $this < $total, $this, $total))", "1"},
        {"name.trace('n').count()", "2"},
        {"name.trace('n', given).count()", "2"},
        {"(1 | 2 | 3).where($this > 1)", "2 3"},
        {"(1 | 2 | 3).where($index = 1)", "2"},
        {"name.where((1 | 2))", "error"},
        {"(3 | 1 | 2).sort()", "1 2 3"},
        {"(3 | 1 | 2).sort(-$this)", "3 2 1"},
        {"('b' | 'a' | 'c').sort(-$this)", "\"c\" \"b\" \"a\""},
        {"name.sort(family).use", "\"usual\" \"official\""},
        {"name.sort(-family).use", "\"usual\" \"official\""},
        {"name.sort(-given.count()).use", "\"official\" \"usual\""},
        {"name.sort(given).use", "error"},
        {"(1 | 'a').sort()", "error"},
        {"{}.sort()", ""},
        {"(5 | 3 | 9 | 1 | 7 | 2).sort($this mod 2, $this)", "2 1 3 5 7 9"},
        {"1 is Integer", "true"},
        {"1 is Decimal", "false"},
        {"'a' is String", "true"},
        {"gender is code", "true"},
        {"gender is string", "true"},
        {"gender is String", "false"},
        {"gender.as(string)", ""},
        {"gender.as(code)", "\"female\""},
        {"name is HumanName", "error"},
        {"name.as(HumanName)", "error"},
        {"active.is(FHIR.boolean)", "true"},
        {"active.is(System.Boolean)", "false"},
        {"1.type().namespace & '.' & 1.type().name", "\"System.Integer\""},
    };
    (void)state;
    CHECK(rows, patient);
}

static void strings(void **state)
{
    static const struct row rows[] = {
        {"'h\xC3\xA9llo'.length()", "5"},
        {"'h\xC3\xA9llo'.substring(1, 2)", "\"\xC3\xA9l\""},
        {"'abc'.substring(3)", ""},
        {"'abc'.substring(-1)", ""},
        {"'abc'.substring(1, 0)", "\"\""},
        {"'abc'.substring(1, 99)", "\"bc\""},
        {"'h\xC3\xA9llo'.indexOf('l')", "2"},
        {"'abc'.indexOf('x')", "-1"},
        {"'abc'.startsWith('ab')", "true"},
        {"'abc'.endsWith('ab')", "false"},
        {"'abc'.contains('')", "true"},
        {"{}.contains('a')", ""},
        {"1.contains('a')", "error"},
        {"name.given.startsWith('A')", "error"},
        {"'\xC3\xA9tat \xC3\xBF \xD0\xB0\xD1\x8F'.upper()",
         "\"\xC3\x89TAT \xC3\xBF \xD0\x90\xD0\xAF\""},
        {"'\xC3\x89TAT \xC4\x8C'.lower()", "\"\xC3\xA9tat \xC4\x8D\""},
        {"' a b '.trim()", "\"a b\""},
        {"'a,b,,c'.split(',')", "\"a\" \"b\" \"\" \"c\""},
        {"name.given.join('-')", "\"Ada-May-Addy\""},
        {"{}.join(',')", ""},
        {"'ab'.toChars()", "\"a\" \"b\""},
        {"'banana'.replace('an', 'AN')", "\"bANANa\""},
        {"'ab'.replace('', '-')", "\"-a-b-\""},
        {"'ab'.replace('b', '')", "\"a\""},
        {"'abc'.matches('b')", "true"},
        {"'abc'.matches('^b')", "false"},
        {"'a\\nb'.matches('a.b')", "true"},
        {"'abc'.matchesFull('b')", "false"},
        {"'abc'.matchesFull('a|abc')", "true"},
        {"'abc'.matches({})", ""},
        {"'\xF0\x9F\x94\xA5\xF0\x9F\x94\xA5'.matches('^\xF0\x9F\x94\xA5{2}$')", "true"},
        {"'abc'.matches('(' & 'b)')", "true"},
        {"'abc'.matches('a' & 'b(')", "refused 19"},
        {"'abc'.matches(%resource.gender & '(')", "error"},
        {"'test'.encode('base64')", "\"dGVzdA==\""},
        {"'tes'.encode('base64')", "\"dGVz\""},
        {"'?>?>'.encode('urlbase64')", "\"Pz4_Pg==\""},
        {"'Pz4_Pg=='.decode('urlbase64')", "\"?>?>\""},
        {"'Pz4_Pg=='.decode('base64')", ""},
        {"'dGVzd'.decode('base64')", ""},
        {"'/w=='.decode('base64')", ""},
        {"'te'.encode('hex')", "\"7465\""},
        {"'746G'.decode('hex')", ""},
        {"'C3A9'.decode('hex')", "\"\xC3\xA9\""},
        {"'eda080'.decode('hex')", ""},
        {"'a'.encode('rot13')", "error"},
        {"'<a & \"b\">'.escape('html')", "\"&lt;a &amp; &quot;b&quot;&gt;\""},
        {"'&lt;&amp;lt;'.unescape('html')", "\"<&lt;\""},
        {"'a\\nb'.escape('json')", "\"a\\\\nb\""},
        {"'a\\\\nb'.unescape('json')", "\"a\\nb\""},
        {"gender.matches('^(fe)?male$')", "true"},
        {"'a1b22'.replaceMatches('[0-9]+', '#')", "\"a#b#\""},
        {"'2020-03'.replaceMatches('(\\\\d+)-(\\\\d+)', '$2/$1')", "\"03/2020\""},
        {"'ab'.replaceMatches('x*', '-')", "\"-a-b-\""},
        {"'ab'.replaceMatches('(?<n>a)', '${n}${n}$')", "\"aa$b\""},
        {"'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'.matches('(a+)+$')", "limit"},
    };
    (void)state;
    CHECK(rows, patient);
}

static void conversions(void **state)
{
    static const struct row rows[] = {
        {"'12'.toInteger()", "12"},
        {"'1.2'.toInteger()", ""},
        {"'2147483648'.toInteger()", ""},
        {"true.toInteger()", "1"},
        {"'1.20'.toDecimal()", "1.20"},
        {"'1e3'.toDecimal()", ""},
        {"'-0.5'.toDecimal()", "-0.5"},
        {"1.toDecimal().type().name", "\"Decimal\""},
        {"'T'.toBoolean()", "true"},
        {"'No'.toBoolean()", "false"},
        {"'maybe'.toBoolean()", ""},
        {"2.toBoolean()", ""},
        {"1.0.toBoolean()", "true"},
        {"1.50.toString()", "\"1.50\""},
        {"1 'mg'.toString()", "\"1 'mg'\""},
        {"2 days.toString()", "\"2 days\""},
        {"'2020-02-30'.toDate()", ""},
        {"'2020-02-28T10:00'.toDate()", "\"2020-02-28\""},
        {"'2020'.toDateTime() is DateTime", "true"},
        {"'10:30'.toTime()", "\"10:30\""},
        {"'25:00'.toTime()", ""},
        {"'5 \\'mg\\''.toQuantity() = 5 'mg'", "true"},
        {"'5 mg'.convertsToQuantity()", "false"},
        {"'3 weeks'.toQuantity().unit", "\"weeks\""},
        {"{}.convertsToInteger()", ""},
        {"'x'.convertsToInteger()", "false"},
        {"name.convertsToString()", "error"},
        {"name.first().convertsToString()", "false"},
        {"(1 | 2).toString()", "error"},
        {"identifier[0].value.toInteger()", "42"},
        {"birthDate.toDateTime() = @1961-02-03", "true"},
        {"(-5).abs()", "5"},
        {"(-5.5 'mg').abs() = 5.5 'mg'", "true"},
        {"1.1.ceiling()", "2"},
        {"(-1.1).ceiling()", "-1"},
        {"(-2.1).floor()", "-3"},
        {"(-1.56).truncate()", "-1"},
        {"3.14159.round(3)", "3.142"},
        {"2.5.round()", "3"},
        {"1.round(-1)", "error"},
        {"81.sqrt()", "9"},
        {"(-1).sqrt()", ""},
        {"0.exp()", "1"},
        {"1.ln()", "0"},
        {"0.ln()", ""},
        {"16.log(2)", "4"},
        {"2.power(10)", "1024"},
        {"2.5.power(2)", "6.25"},
        {"2.power(-1)", "0.5"},
        {"(-1).power(0.5)", ""},
        {"'a'.abs()", "error"},
        {"1.500.precision()", "3"},
        {"@2020-03.precision()", "6"},
        {"@T10:30.precision()", "4"},
        {"1.587.lowBoundary()", "1.58650000"},
        {"1.587.highBoundary(2)", "1.59"},
        {"(-1.587).lowBoundary(2)", "-1.59"},
        {"1.lowBoundary(0)", "0"},
        {"1.lowBoundary(32)", ""},
        {"1.5 'mg'.highBoundary(2).value", "1.55"},
        {"@2020.lowBoundary()", "\"2020-01-01\""},
        {"@2020-02.highBoundary()", "\"2020-02-29\""},
        {"@2021-02.highBoundary()", "\"2021-02-28\""},
        {"@2020-02.highBoundary(4)", "\"2020\""},
        {"@2020-02.highBoundary(5)", ""},
        {"@2020-02-03T04:05.lowBoundary()", "\"2020-02-03T04:05:00.000+14:00\""},
        {"@2020-02-03T04:05Z.highBoundary()", "\"2020-02-03T04:05:59.999Z\""},
        {"@T10:30.highBoundary()", "\"10:30:59.999\""},
        {"'a'.lowBoundary()", "error"},
        {"birthDate.lowBoundary() = @1961-02-03", "true"},
    };
    (void)state;
    CHECK(rows, patient);
}

/* ---- conditions ---- */

static void conditions(void **state)
{
    static const struct {
        const char *source;
        bool resolves;
        ct_truth expected;
        bool error;
    } rows[] = {
        {"Patient.name.exists()", false, CT_TRUE_, false},
        {"Patient.photo.exists()", false, CT_FALSE_, false},
        {"Patient.photo.title", false, CT_UNDECIDED, false},
        {"Patient.gender", false, CT_TRUE_, false},
        {"Patient.active", false, CT_TRUE_, false},
        {"Patient.name", false, CT_UNDECIDED, true},
        {"Encounter.status = 'finished'", false, CT_UNDECIDED, false},
        {"Patient.name.given < 1", false, CT_UNDECIDED, true},
        {"generalPractitioner.resolve().active", true, CT_FALSE_, false},
        {"generalPractitioner.resolve().active", false, CT_UNDECIDED, false},
        {"generalPractitioner.resolve() is Practitioner", true, CT_TRUE_, false},
        {"generalPractitioner.resolve().exists()", false, CT_UNDECIDED, false},
        {"generalPractitioner.resolve().empty()", false, CT_UNDECIDED, false},
        {"generalPractitioner.all(resolve().exists())", false, CT_UNDECIDED, false},
        {"generalPractitioner.resolve().exists() or true", false, CT_UNDECIDED, false},
        {"true or generalPractitioner.resolve().exists()", false, CT_TRUE_, false},
        {"managingOrganization.resolve().name = 'North'", false, CT_TRUE_, false},
        {"managingOrganization.resolve() is Organization", false, CT_TRUE_, false},
        {"'#none'.resolve().exists()", false, CT_UNDECIDED, false},
        {"'#'.resolve() is Patient", false, CT_TRUE_, false},
    };
    struct fixture f = {0};
    ct_err err;
    (void)state;
    start(&f);
    assert_true(ct_parse(f.parsers[0], ct_str_z(patient), &f.doc, &err));
    for (size_t i = 0; i < CT_LEN(rows); i++) {
        ct_path *p = ct_path_compile(f.model, ct_str_z(rows[i].source), &err);
        assert_non_null(p);
        f.resolves = rows[i].resolves;
        ct_context c = context_of(&f);
        ct_truth got = ct_path_test(p, &c, &err);
        if (got != rows[i].expected || (err.kind != CT_OK) != rows[i].error)
            fail_msg("%s: %d, error %d", rows[i].source, (int)got, (int)err.kind);
        ct_path_free(p);
    }
    stop(&f);
}

/* Elements that hold something, but not what their type is: true by being there would be wrong. */
static void no_values(void **state)
{
    static const char record[] =
        "{\"resourceType\":\"Patient\",\"active\":\"false\",\"_gender\":{\"extension\":[{\"url\":"
        "\"u\","
        "\"valueCode\":\"unknown\"}]},\"birthDate\":\"1960-13-45\",\"deceasedBoolean\":0,"
        "\"multipleBirthInteger\":\"2\",\"name\":[{\"family\":7,\"text\":\"A\"}],\"contact\":[{}]}";
    static const struct {
        const char *source;
        ct_truth expected;
    } rows[] = {
        {"active", CT_UNDECIDED},
        {"active = false", CT_UNDECIDED},
        {"active.not()", CT_UNDECIDED},
        {"active and true", CT_UNDECIDED},
        {"active or true", CT_TRUE_},
        {"active.hasValue()", CT_FALSE_},
        {"gender", CT_UNDECIDED},
        {"gender.exists()", CT_TRUE_},
        {"gender.hasValue()", CT_FALSE_},
        {"gender = 'male'", CT_UNDECIDED},
        {"gender in ('male' | 'female')", CT_UNDECIDED},
        {"birthDate", CT_UNDECIDED},
        {"birthDate.hasValue()", CT_FALSE_},
        {"birthDate < @2020-01-01", CT_UNDECIDED},
        {"deceased", CT_UNDECIDED},
        {"deceased = false", CT_UNDECIDED},
        {"multipleBirth = 2", CT_UNDECIDED},
        {"name.family = '7'", CT_UNDECIDED},
        {"name.where(family).exists()", CT_FALSE_},
        {"name.where(text).exists()", CT_TRUE_},
        {"contact", CT_TRUE_},
        {"iif(active, 'a', 'b') = 'b'", CT_TRUE_},
    };
    struct fixture f = {0};
    ct_err err;
    (void)state;
    start(&f);
    assert_true(ct_parse(f.parsers[0], ct_str_z(record), &f.doc, &err));
    for (size_t i = 0; i < CT_LEN(rows); i++) {
        ct_path *p = ct_path_compile(f.model, ct_str_z(rows[i].source), &err);
        assert_non_null(p);
        ct_context c = context_of(&f);
        ct_truth got = ct_path_test(p, &c, &err);
        if (got != rows[i].expected || err.kind != CT_OK)
            fail_msg("%s: %d, error %d", rows[i].source, (int)got, (int)err.kind);
        ct_path_free(p);
    }
    stop(&f);
}

static void contexts(void **state)
{
    static const struct row rows[] = {
        {"Patient.name", "Patient"},
        {"Encounter.status = 'x' implies Encounter.period.exists()", "Encounter"},
        {"(Patient.name | Person.name).family", ""},
        {"Patient.name.exists() or Observation.code.exists()", ""},
        {"name.given", ""},
        {"Resource.id", ""},
        {"HumanName.family", ""},
        {"%resource.id", ""},
        {"true or Patient.name.exists()", ""},
        {"-Patient.multipleBirth.ofType(integer)", "Patient"},
    };
    (void)state;
    for (size_t i = 0; i < CT_LEN(rows); i++) {
        ct_err err;
        ct_path *p = ct_path_compile(ct_model_r4(), ct_str_z(rows[i].source), &err);
        assert_non_null(p);
        if (!ct_str_is(ct_path_context(p), rows[i].expected))
            fail_msg("%s: not about %s", rows[i].source, rows[i].expected);
        ct_path_free(p);
    }
}

static void constants(void **state)
{
    static const struct {
        const char *source;
        bool expected;
    } rows[] = {
        {"false", true},
        {"1 = 2", true},
        {"{}", true},
        {"(1 | 2).empty() or 'a'.startsWith('b')", true},
        {"iif(true, false, 1 > 2)", false},
        {"active", false},
        {"false and active", false},
        {"Patient.active", false},
        {"$this = 1", false},
        {"%resource.id = '1'", false},
        {"%context.id = '1'", false},
        {"%chart.exists()", false},
        {"exists()", false},
        {"today() > @2030-01-01", false},
        {"iif(true, active)", false},
        {"'a'.startsWith(id)", false},
        {"-multipleBirth.ofType(integer) < 1", false},
    };
    (void)state;
    for (size_t i = 0; i < CT_LEN(rows); i++) {
        ct_err err;
        ct_path *p = ct_path_compile(ct_model_r4(), ct_str_z(rows[i].source), &err);
        assert_non_null(p);
        if (ct_path_is_constant(p) != rows[i].expected)
            fail_msg("%s: constant, or not", rows[i].source);
        ct_path_free(p);
    }
}

/* Where the type of the record is known, paths that start with an element are checked like others.
 */
static void known_start(void **state)
{
    static const struct {
        const char *type, *source, *column;
    } rows[] = {
        {"Patient", "name.given", NULL},
        {"Patient", "name.givn", "column 6"},
        {"Patient", "status", "column 1"},
        {"Patient", "Encounter.status", "column 1"},
        {"Patient", "Resource.id", NULL},
        {"Patient", "contained.where(Encounter.status = 'x')", NULL},
        {"Encounter", "status", NULL},
        {"Encounter", "period.start < today()", NULL},
        {"Encounter", "period.start < '2020'", "column 14"},
        {"Encounter", "'2020' = period.start", "column 8"},
        {"Encounter", "status = '2020'", NULL},
        {"Encounter", "diagnosis.exists(condition.resolve().code.exists())", NULL},
        {"Encounter", "diagnosis.exists(condition.code.exists())", "column 28"},
        {"Encounter", "%resource.statuss", "column 11"},
        {"Encounter", "%context.perid", "column 10"},
        {"HumanName", "family", NULL},
        {"HumanName", "%resource.status", NULL},
    };
    const ct_model *m = ct_model_r4();
    (void)state;
    for (size_t i = 0; i < CT_LEN(rows); i++) {
        ct_err err = {0};
        ct_path *p = ct_path_compile_on(m, ct_model_type(m, ct_str_z(rows[i].type)),
                                        ct_str_z(rows[i].source), &err);
        if (!p != (rows[i].column != NULL) || (!p && strcmp(err.where, rows[i].column) != 0))
            fail_msg("%s on %s: %s", rows[i].source, rows[i].type, err.where);
        ct_path_free(p);
    }
}

static void variables(void **state)
{
    static const struct row rows[] = {
        {"defineVariable('a', 1).select(%a + 1)", "2"},
        {"name.defineVariable('n', first()).given.where($this in %n.given)", "\"Ada\" \"May\""},
        {"name.defineVariable('n').count() = 2", "true"},
        {"name.defineVariable('n').select(%n.count())", "2 2"},
        {"name.select(defineVariable('g', given.count()).select(%g))", "2 1"},
        {"name.select(defineVariable('g', given.count()).given.select(%g))", "2 2 1"},
        {"defineVariable('a', 1).defineVariable('b', %a + 1).select(%a + %b)", "3"},
        {"(1 | 2).defineVariable('all')[1].select(%all.count())", "2"},
        {"(1 | 2).defineVariable('all').where($this = %all.first())", "1"},
        {"defineVariable('e', {}).select(%e.exists())", "false"},
        {"defineVariable('f', name.first().family).select(%f)", "\"Brook\""},
        {"defineVariable('p').select(%p.id)", "\"p1\""},
        {"defineVariable('p').select(%p)", patient},
        {"name.given.aggregate(defineVariable('t', $total).select(iif(%t.empty(), $this, %t & "
         "$this)))",
         "\"AdaMayAddy\""},
        {"Patient.defineVariable('n', name).select(%n.givn)", "refused 45"},
        /* what is defined ends with the operand or argument that it is in */
        {"defineVariable('a', 1).exists() and %a = 1", "refused 37"},
        {"select(defineVariable('a', 1)).select(%a)", "refused 39"},
        {"iif(defineVariable('a', true).exists(), %a, 1)", "refused 41"},
        {"%a.defineVariable('a', 1)", "refused 1"},
        {"defineVariable('a', %a)", "refused 21"},
        {"defineVariable('a', 1).defineVariable('a', 2)", "refused 39"},
        {"defineVariable('a', 1).select(defineVariable('a', 2))", "refused 46"},
        {"(select(defineVariable('a', 1)) | select(defineVariable('a', 2))).count()", "1"},
        {"defineVariable('context', 1)", "refused 16"},
        {"defineVariable('ucum', 1)", "refused 16"},
        {"defineVariable('vs-a', 1)", "refused 16"},
        {"defineVariable(id, 1)", "refused 16"},
        {"defineVariable('', 1)", "refused 16"},
        {"defineVariable()", "refused 1"},
    };
    (void)state;
    CHECK(rows, patient);
}

static void profiles_and_codes(void **state)
{
    static const struct row rows[] = {
        {"conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')", "true"},
        {"conformsTo('http://hl7.org/fhir/StructureDefinition/Patient|4.0.1')", "true"},
        {"conformsTo('http://hl7.org/fhir/StructureDefinition/DomainResource')", "true"},
        {"conformsTo('http://hl7.org/fhir/StructureDefinition/Person')", "false"},
        {"name[0].conformsTo('http://hl7.org/fhir/StructureDefinition/HumanName')", "true"},
        {"name.conformsTo('http://hl7.org/fhir/StructureDefinition/HumanName')", ""},
        {"photo.conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')", ""},
        {"conformsTo('http://hl7.org/fhir/StructureDefinition/Patient.contact')", "refused 12"},
        {"conformsTo('http://hl7.org/fhir/StructureDefinition/' & id)", "error"},
        {"conformsTo('http://hl7.org/fhir/StructureDefinition/' & 'Patient')", "true"},
        {"conformsTo({})", ""},
        {"gender.memberOf('http://hl7.org/fhir/ValueSet/administrative-gender')", "true"},
        {"gender.memberOf(%`vs-administrative-gender`)", "true"},
        {"gender.memberOf(%vs-administrative-gender)", "refused 17"},
        {"gender.memberOf('http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1')", "true"},
        {"'femail'.memberOf('http://hl7.org/fhir/ValueSet/administrative-gender')", "false"},
        {"gender.memberOf('http://hl7.org/fhir/ValueSet/' & 'name-use')", "false"},
        {"gender.memberOf('urn:' & id)", "error"},
        {"photo.memberOf('http://hl7.org/fhir/ValueSet/name-use')", ""},
        {"name.use.memberOf('http://hl7.org/fhir/ValueSet/name-use')", ""},
        {"active.memberOf('http://hl7.org/fhir/ValueSet/name-use')", "error"},
        {"name.select(use.memberOf('http://hl7.org/fhir/ValueSet/name-use'))", "true true"},
    };
    static const struct row codings[] = {
        /* A coding's system is not known to be the value set's. */
        {"code.memberOf('http://hl7.org/fhir/ValueSet/name-use')", "false"},
        {"code.coding[1].memberOf('http://hl7.org/fhir/ValueSet/name-use')", "false"},
        {"component[0].code.memberOf('http://hl7.org/fhir/ValueSet/name-use')", ""},
        {"category.memberOf('http://hl7.org/fhir/ValueSet/name-use')", ""},
    };
    (void)state;
    CHECK(rows, patient);
    CHECK(codings, "{\"resourceType\":\"Observation\",\"code\":{\"coding\":[{\"code\":\"1\"},"
                   "{\"code\":\"2\"}]},\"component\":[{\"code\":{\"text\":\"a\"}}],"
                   "\"category\":[{\"coding\":[{\"code\":\"usual\"}]}]}");
}

static void narratives(void **state)
{
#define DIV(inside) "'<div xmlns=\"http://www.w3.org/1999/xhtml\">" inside "</div>'.htmlChecks()"
    static const struct row rows[] = {
        {DIV("text"), "true"},
        {DIV("<p class=\"a\">b<br/></p>"), "true"},
        {DIV("<table><tr><td colspan=\"2\" xml:lang=\"en\">b</td></tr></table>"), "true"},
        {DIV("<a href=\"#x\">b</a> &amp; &#160;"), "true"},
        {DIV("<img src=\"#x\" alt=\"\"/>"), "true"},
        {DIV(""), "false"},
        {DIV(" <p> </p> "), "false"},
        {DIV("<script>a</script>"), "false"},
        {DIV("<p onclick=\"x\">a</p>"), "false"},
        {DIV("<p href=\"x\">a</p>"), "false"},
        {DIV("<p xmlns=\"urn:other\">a</p>"), "false"},
        {DIV("<p>a"), "false"},
        {DIV("<?php a ?>a"), "false"},
        {DIV("&nbsp;a"), "false"},
        {"'<div>a</div>'.htmlChecks()", "false"},
        {"'<p xmlns=\"http://www.w3.org/1999/xhtml\">a</p>'.htmlChecks()", "false"},
        {"'<!DOCTYPE div [<!ENTITY a \"b\">]><div xmlns=\"http://www.w3.org/1999/xhtml\">&a;</div>'"
         ".htmlChecks()",
         "false"},
        {"''.htmlChecks()", "false"},
        {"'text'.htmlChecks()", "false"},
        {"{}.htmlChecks()", ""},
        {"1.htmlChecks()", "error"},
        {"text.`div`.htmlChecks()", "true"},
    };
    (void)state;
    CHECK(rows, "{\"resourceType\":\"Patient\",\"text\":{\"status\":\"generated\",\"div\":"
                "\"<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">a</div>\"}}");
#undef DIV
}

static void strictness(void **state)
{
    static const struct {
        const char *source, *column; /* where it is refused, NULL where it is not */
    } rows[] = {
        {"Patient.children().skip(1)", "column 20"},
        {"Patient.children().first()", "column 20"},
        {"Patient.descendants().id.last()", "column 26"},
        {"Patient.children().where(true)[0]", "column 31"},
        {"Questionnaire.repeat(item).take(2)", "column 28"},
        {"Questionnaire.repeat(item).defineVariable('a').select(%a.tail())", "column 58"},
        {"Patient.children().sort().first()", NULL},
        {"Patient.children().count()", NULL},
        {"Patient.name.first()", NULL},
        {"Patient.children().select(id.first())", "column 30"},
        {"iif('x', 1, 2)", "column 5"},
        {"name.where('x')", "column 12"},
        {"name.exists(1 + 1)", "column 15"},
        {"name.all(1)", "column 10"},
        {"active and 1", "column 12"},
        {"'a' or active", "column 1"},
        {"active implies 'x'", "column 16"},
        {"name.where(use = 'x') and active", NULL},
        {"iif(active, 1, 'x')", NULL},
        {"Patient.is(System.Patient)", "column 19"},
        {"Patient is System.Patient", "column 9"},
        {"Patient.is(FHIR.Patient)", NULL},
    };
    const ct_model *m = ct_model_r4();
    (void)state;
    for (size_t i = 0; i < CT_LEN(rows); i++) {
        ct_err err = {0};
        ct_path *lenient = ct_path_compile(m, ct_str_z(rows[i].source), &err);
        if (!lenient)
            fail_msg("%s: %s", rows[i].source, err.text);
        ct_path *p = ct_path_compile_strict(m, ct_str_z(rows[i].source), &err);
        if (!p != (rows[i].column != NULL) || (!p && strcmp(err.where, rows[i].column) != 0))
            fail_msg("%s: %s", rows[i].source, p ? "taken" : err.where);
        ct_path_free(lenient);
        ct_path_free(p);
    }
}

/* An evaluation may start at an element, which then has its type, and see the whole chart. */
static void places(void **state)
{
    struct fixture f = {0};
    ct_err err;
    ct_items items;
    (void)state;
    start(&f);
    assert_true(ct_parse(f.parsers[0], ct_str_z(patient), &f.doc, &err));
    ct_context c = context_of(&f);
    ct_item records[] = {{.type = CT_I_NODE,
                          .doc = &f.other,
                          .parent = CT_NONE,
                          .ftype = ct_model_type(f.model, CT_S("Practitioner"))}};
    ct_items chart = {records, 1};
    c.node = ct_at(&f.doc, CT_ROOT, "name");
    c.node = ct_first(&f.doc, c.node);
    c.chart = &chart;
    ct_path *p = ct_path_compile(
        f.model, CT_S("HumanName.family & ' ' & %resource.id & ' ' & %context.use"), &err);
    assert_non_null(p);
    assert_true(ct_path_eval(p, &c, &items, &err));
    assert_int_equal(items.n, 1);
    assert_true(ct_str_is(ct_item_text(&items.v[0], f.arena), "Brook p1 official"));
    ct_path_free(p);
    p = ct_path_compile(f.model, CT_S("%chart.ofType(Practitioner).id = '9'"), &err);
    assert_non_null(p);
    assert_int_equal(ct_path_test(p, &c, &err), CT_TRUE_);
    ct_path_free(p);
    stop(&f);
}

/* What does not vary inside of a lambda is evaluated once: never what does. */
static void kept_values(void **state)
{
    static const struct row rows[] = {
        {"(1 | 2 | 3).where($this in (2 | 3)).count()", "2"},
        {"(1 | 2 | 3).select($this + (10).combine(5).count())", "3 4 5"},
        {"(1 | 2).select((10 | 20).select($this + 1))", "11 21 11 21"},
        {"(1 | 2).select((10 | 20).where($index = 1))", "20 20"},
        {"(1 | 2 | 3).aggregate($total + $this, 0)", "6"},
        {"(1 | 2).aggregate($total + (1 | 2).select($this).count(), 0)", "4"},
        {"(1 | 2).aggregate((5).combine(6).select($this + $total).last(), 0)", "12"},
        {"(1 | 2).select(iif($this = 1, (7 | 8).count(), (9).count()))", "2 1"},
        {"(1 | 2).select((7).combine(8).combine($this))", "7 8 1 7 8 2"},
        {"(1 | 2).select((7 | 8).combine(9).tail())", "8 9 8 9"},
        {"name.given.select(%resource.id)", "\"p1\" \"p1\" \"p1\""},
        {"name.where(given.where($this = %resource.name.given.first()).exists()).count()", "1"},
    };
    (void)state;
    CHECK(rows, patient);
}

/* Grouped by type or not, %chart gives the same in the same order. */
static void chart_types(void **state)
{
    static const char *const sources[] = {
        "%chart.ofType(Practitioner).count() = 2",
        "%chart.ofType(Patient).id = 'p1'",
        "%chart.ofType(Encounter).empty()",
        "%chart.ofType(DomainResource).count() = 3",
        "%chart.ofType(DomainResource)[1] is Patient",
        "%chart.where($this is Patient).ofType(Patient).exists()",
    };
    struct fixture f = {0};
    ct_err err;
    (void)state;
    start(&f);
    assert_true(ct_parse(f.parsers[0], ct_str_z(patient), &f.doc, &err));
    ct_context c = context_of(&f);
    ct_item other = {.type = CT_I_NODE,
                     .doc = &f.other,
                     .parent = CT_NONE,
                     .ftype = ct_model_type(f.model, CT_S("Practitioner"))};
    ct_item self = {.type = CT_I_NODE,
                    .doc = &f.doc,
                    .parent = CT_NONE,
                    .ftype = ct_model_type(f.model, CT_S("Patient"))};
    ct_item records[] = {other, self, other};
    ct_items chart = {records, 3};
    c.chart = &chart;
    for (int grouped = 0; grouped < 2; grouped++) {
        if (grouped)
            c.chart_types = ct_items_by_type(&chart, f.arena, &c.nchart_types);
        for (size_t i = 0; i < CT_LEN(sources); i++) {
            ct_path *p = ct_path_compile(f.model, ct_str_z(sources[i]), &err);
            assert_non_null(p);
            if (ct_path_test(p, &c, &err) != CT_TRUE_)
                fail_msg("%s, grouped %d", sources[i], grouped);
            ct_path_free(p);
        }
    }
    assert_int_equal(c.nchart_types, 2);
    stop(&f);
}

/* ---- bounds ---- */

static ct_str repeated(ct_buf *b, const char *open, const char *middle, const char *close, size_t n)
{
    b->n = 0;
    for (size_t i = 0; i < n; i++)
        ct_buf_z(b, open);
    ct_buf_z(b, middle);
    for (size_t i = 0; i < n; i++)
        ct_buf_z(b, close);
    return ct_buf_str(b);
}

static void nesting(void **state)
{
    static const struct {
        const char *open, *middle, *close;
        size_t n;
        ct_errkind expected;
    } rows[] = {
        {"(", "1", ")", 200, CT_OK},
        {"(", "1", ")", 10000, CT_E_LIMIT},
        {"(", "1", "", 100000, CT_E_LIMIT},
        {"-", "1", "", 10000, CT_E_LIMIT},
        {"name.where(", "true", ")", 10000, CT_E_LIMIT},
        {"a[", "0", "]", 10000, CT_E_LIMIT},
        {"1 implies ", "1", "", 10000, CT_E_LIMIT},
        {"", "id", ".extension", 900, CT_OK},
        {"", "id", ".extension", 10000, CT_E_LIMIT},
        {"", "1", " + 1", 900, CT_OK},
        {"", "1", " + 1", 100000, CT_E_LIMIT},
        {"", "id", "[0]", 100000, CT_E_LIMIT},
        {"", "{}", ".not()", 900, CT_OK},
        {" ", "1", " ", 1000000, CT_E_LIMIT},
    };
    struct fixture f = {0};
    ct_buf b = {0};
    (void)state;
    start(&f);
    for (size_t i = 0; i < CT_LEN(rows); i++) {
        ct_err err = {0};
        ct_items items;
        ct_path *p = ct_path_compile(
            f.model, repeated(&b, rows[i].open, rows[i].middle, rows[i].close, rows[i].n), &err);
        if (err.kind != rows[i].expected || !p != (rows[i].expected != CT_OK))
            fail_msg("%s… %s…: %d", rows[i].open, rows[i].close, (int)err.kind);
        if (!p)
            continue;
        assert_true(ct_parse(f.parsers[0], ct_str_z(patient), &f.doc, &err));
        ct_context c = context_of(&f);
        assert_true(ct_path_eval(p, &c, &items, &err));
        ct_path_free(p);
    }
    ct_buf_free(&b);
    stop(&f);
}

/* A chart of many records is no reason to give up; sets of many items are told as sets of few are.
 */
static void large_sets(void **state)
{
    static const struct row rows[] = {
        {"item.linkId.distinct().count()", "9000"},
        {"item.linkId.isDistinct()", "true"},
        {"item.distinct().count()", "9000"},
        {"(item | item).count()", "9000"},
        {"item.combine(item).isDistinct()", "false"},
        {"item.prefix.distinct().count()", "10"},
        {"item.linkId.subsetOf(item.linkId)", "true"},
        {"item.linkId.subsetOf(item.prefix)", "false"},
        {"item.linkId.intersect(item.prefix).count()", "10"},
        {"item.linkId.exclude(item.prefix).count()", "8990"},
        {"item.maxLength.distinct().count()", "100"},
        {"item.maxLength.combine(item.maxLength.select($this + 0.0)).distinct().count()", "100"},
        {"item.select(maxLength.toString().toQuantity()).distinct().count()", "100"},
        {"Questionnaire.descendants().linkId.distinct().count()", "9000"},
        {"(item.maxLength.select(1 'd' * $this) | 2 weeks).count()", "100"},
        {"(item.maxLength.select(1 'g' * $this) | 2000 'mg' | 2 'kg').count()", "101"},
        {"(item.maxLength.select(1 '%' * $this) | 0.5 | 2).count()", "101"},
        {"item.maxLength.select(@2020-01-01 + (1 'd' * $this)).distinct().count()", "100"},
    };
    ct_buf b = {0};
    (void)state;
    ct_buf_z(&b, "{\"resourceType\":\"Questionnaire\",\"item\":[");
    for (int i = 0; i < 9000; i++)
        ct_buf_printf(&b, "%s{\"linkId\":\"%d\",\"prefix\":\"%d\",\"maxLength\":%d}", i ? "," : "",
                      i, i % 10, i % 100);
    ct_buf_z(&b, "]}");
    ct_buf_c(&b, '\0');
    CHECK(rows, b.p);
    ct_buf_free(&b);
}

/* Work that grows out of bounds ends with an error, soon and in bounded memory. */
static void budgets(void **state)
{
    static const struct row rows[] = {
        {"'x'.repeat($this & 'x').count()", "limit"},
        {"1.repeat($this + 1).where($this > 0).count()", "limit"},
        {"('0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9').aggregate("
         "$total & $total & $total & $total & $total & $total & $total & $total, 'abcdefgh')",
         "limit"},
        {"%resource.descendants().select(%resource.descendants().select(%resource.descendants()"
         ".select(%resource.descendants()))).count()",
         "limit"},
    };
    (void)state;
    CHECK(rows, patient);
}

/* What was computed is printed as JSON spells it, whatever its literal looked like. */
static void spellings(void **state)
{
    static const struct row rows[] = {
        {"true", "true"},
        {"007", "7"},
        {"007.50", "7.50"},
        {"00.0", "0.0"},
        {"0.50", "0.50"},
        {"-00.5", "-0.5"},
        {"010.0 'mg'", "{\"value\":10.0,\"unit\":\"mg\",\"system\":\"http://"
                       "unitsofmeasure.org\",\"code\":\"mg\"}"},
        {"2 weeks", "{\"value\":2,\"unit\":\"weeks\",\"system\":\"http://"
                    "unitsofmeasure.org\",\"code\":\"wk\"}"},
        {"'a\"b\\n'", "\"a\\\"b\\n\""},
        {"@2020-02", "\"2020-02\""},
        {"@2020-02T", "\"2020-02\""},
        {"@2020-02-03T04:05:06.70Z", "\"2020-02-03T04:05:06.70Z\""},
        {"@T04:05", "\"04:05\""},
        {"1.type()", "{\"namespace\":\"System\",\"name\":\"Integer\"}"},
    };
    (void)state;
    CHECK(rows, patient);
}

/* A node's text is kept, but never a line's end in it. */
static void node_texts(void **state)
{
    static const struct row rows[] = {
        {"name[0]", "{ \"family\" :\t\"B r\\u006f\" }"},
        {"name[1]", "{\"family\":\"a b\",\"given\":[\"x\",\"y\"]}"},
        {"name[2]", "{\"family\":\"c\"}"},
        {"multipleBirth", "2"},
    };
    (void)state;
    CHECK(rows, "{\"resourceType\":\"Patient\",\n\"name\":[{ \"family\" :\t\"B r\\u006f\" },"
                "{\"family\": \"a b\",\n \"given\": [\"x\", \"y\"]},{\"family\":\r\"c\" }],"
                "\"multipleBirthInteger\": 2\n}");
}

/* "FHIR.HumanName" for the first item that `source` gives for the observation. */
static void type_name(const char *source, const char *expected)
{
    struct fixture f = {0};
    ct_buf b = {0};
    ct_items items;
    ct_err err = {0};
    start(&f);
    ct_path *p = ct_path_compile(f.model, ct_str_z(source), &err);
    assert_non_null(p);
    assert_true(ct_parse(f.parsers[0], ct_str_z(observation), &f.doc, &err));
    ct_context c = context_of(&f);
    assert_true(ct_path_eval(p, &c, &items, &err));
    assert_true(items.n > 0);
    ct_item type = ct_item_type(&items.v[0]);
    ct_buf_put(&b, type.unit);
    ct_buf_c(&b, '.');
    ct_buf_put(&b, type.text);
    ct_buf_c(&b, '\0');
    assert_string_equal(b.p, expected);
    ct_buf_free(&b);
    ct_path_free(p);
    stop(&f);
}

static void item_types(void **state)
{
    (void)state;
    type_name("$this", "FHIR.Observation");
    type_name("value", "FHIR.Quantity");
    type_name("component", "FHIR.Observation.component");
    type_name("issued", "FHIR.instant");
    type_name("value.value + 1", "System.Decimal");
    type_name("3 'mg'", "System.Quantity");
    type_name("now()", "System.DateTime");
    type_name("id.type()", "System.TypeInfo");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),       cmocka_unit_test(choices),
        cmocka_unit_test(gaps),        cmocka_unit_test(trees),
        cmocka_unit_test(literals),    cmocka_unit_test(refusals),
        cmocka_unit_test(logic),       cmocka_unit_test(comparison),
        cmocka_unit_test(arithmetic),  cmocka_unit_test(collections),
        cmocka_unit_test(strings),     cmocka_unit_test(conversions),
        cmocka_unit_test(conditions),  cmocka_unit_test(no_values),
        cmocka_unit_test(kept_values), cmocka_unit_test(chart_types),
        cmocka_unit_test(contexts),    cmocka_unit_test(known_start),
        cmocka_unit_test(places),      cmocka_unit_test(nesting),
        cmocka_unit_test(budgets),     cmocka_unit_test(large_sets),
        cmocka_unit_test(spellings),   cmocka_unit_test(node_texts),
        cmocka_unit_test(constants),   cmocka_unit_test(item_types),
        cmocka_unit_test(variables),   cmocka_unit_test(profiles_and_codes),
        cmocka_unit_test(narratives),  cmocka_unit_test(strictness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
