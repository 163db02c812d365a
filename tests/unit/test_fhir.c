/* The R4 model against the specification, references, and whose chart a record belongs to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/fhir/fhir.h"

/* ---- types ---- */

static const struct type_row {
    const char *name;
    int kind; /* -1: no such type */
    bool abstract;
    const char *base; /* NULL: none */
} type_table[] = {
    {"Patient", CT_F_RESOURCE, false, "DomainResource"},
    {"patient", -1, false, NULL},
    {"DomainResource", CT_F_RESOURCE, true, "Resource"},
    {"Resource", CT_F_RESOURCE, true, NULL},
    {"Bundle", CT_F_RESOURCE, false, "Resource"},
    {"Parameters", CT_F_RESOURCE, false, "Resource"},
    {"SubscriptionStatus", -1, false, NULL}, /* R4B */
    {"MetadataResource", -1, false, NULL},   /* logical */
    {"VisionPrescription", CT_F_RESOURCE, false, "DomainResource"},
    {"Element", CT_F_COMPLEX, true, NULL},
    {"BackboneElement", CT_F_COMPLEX, true, "Element"},
    {"HumanName", CT_F_COMPLEX, false, "Element"},
    {"Age", CT_F_COMPLEX, false, "Quantity"},
    {"SimpleQuantity", -1, false, NULL}, /* a profile */
    {"Dosage", CT_F_COMPLEX, false, "BackboneElement"},
    {"ElementDefinition", CT_F_COMPLEX, false, "BackboneElement"},
    {"string", CT_F_PRIMITIVE, false, "Element"},
    {"code", CT_F_PRIMITIVE, false, "string"},
    {"positiveInt", CT_F_PRIMITIVE, false, "integer"},
    {"xhtml", CT_F_PRIMITIVE, false, "Element"},
    {"System.String", -1, false, NULL},
    {"Patient.contact", CT_F_BACKBONE, false, "BackboneElement"},
    {"Patient.name", -1, false, NULL},
    {"Timing.repeat", CT_F_BACKBONE, false, "Element"},
    {"ElementDefinition.slicing.discriminator", CT_F_BACKBONE, false, "Element"},
    {"Questionnaire.item", CT_F_BACKBONE, false, "BackboneElement"},
    {"Questionnaire.item.item", -1, false, NULL},
    {"", -1, false, NULL},
};

static void knows_the_types(void **state)
{
    (void)state;
    const ct_model *m = ct_model_r4();
    for (size_t i = 0; i < CT_LEN(type_table); i++) {
        const struct type_row *row = &type_table[i];
        const ct_ftype *t = ct_model_type(m, ct_str_z(row->name));
        if (!t != (row->kind < 0))
            fail_msg("%s: %s", row->name, t ? "known" : "not known");
        if (!t)
            continue;
        if ((int)t->kind != row->kind || t->abstract != row->abstract)
            fail_msg("%s: kind %d, abstract %d", row->name, (int)t->kind, t->abstract);
        if (!t->base != !row->base || (t->base && !ct_str_is(t->base->name, row->base)))
            fail_msg("%s: wrong base", row->name);
    }
}

static void knows_the_bases(void **state)
{
    (void)state;
    const ct_model *m = ct_model_r4();
    assert_true(ct_ftype_is(ct_model_type(m, CT_S("Patient")), CT_S("Patient")));
    assert_true(ct_ftype_is(ct_model_type(m, CT_S("Patient")), CT_S("Resource")));
    assert_false(ct_ftype_is(ct_model_type(m, CT_S("Patient")), CT_S("Element")));
    assert_true(ct_ftype_is(ct_model_type(m, CT_S("Age")), CT_S("Quantity")));
    assert_false(ct_ftype_is(ct_model_type(m, CT_S("Quantity")), CT_S("Age")));
    assert_true(ct_ftype_is(ct_model_type(m, CT_S("Patient.contact")), CT_S("Element")));
    assert_false(ct_ftype_is(NULL, CT_S("Element")));
}

/* ---- elements ---- */

static const struct element_row {
    const char *type, *name;
    const char *element; /* NULL: none */
    unsigned min, max;
    bool choice;
    size_t ntypes;
    const char *leads_to; /* the type that the name tells; NULL: none */
} element_table[] = {
    {"Patient", "contact", "contact", 0, CT_MANY, false, 1, "Patient.contact"},
    {"Patient.contact", "name", "name", 0, 1, false, 1, "HumanName"},
    {"Patient.contact", "modifierExtension", "modifierExtension", 0, CT_MANY, false, 1,
     "Extension"},
    {"Patient.contact", "id", "id", 0, 1, false, 1, "string"},
    {"Patient", "id", "id", 0, 1, false, 1, "id"},
    {"Patient", "meta", "meta", 0, 1, false, 1, "Meta"},
    {"Patient", "text", "text", 0, 1, false, 1, "Narrative"},
    {"Patient", "contained", "contained", 0, CT_MANY, false, 1, "Resource"},
    {"Patient", "birthDate", "birthDate", 0, 1, false, 1, "date"},
    {"Patient", "_birthDate", NULL, 0, 0, false, 0, NULL},
    {"Patient", "birthdate", NULL, 0, 0, false, 0, NULL},
    {"Patient", "resourceType", NULL, 0, 0, false, 0, NULL},
    {"Patient", "deceased", "deceased", 0, 1, true, 2, NULL},
    {"Patient", "deceasedBoolean", "deceased", 0, 1, true, 2, "boolean"},
    {"Patient", "deceasedDateTime", "deceased", 0, 1, true, 2, "dateTime"},
    {"Patient", "deceasedString", NULL, 0, 0, false, 0, NULL},
    {"Patient", "deceased[x]", NULL, 0, 0, false, 0, NULL},
    {"Observation", "value", "value", 0, 1, true, 11, NULL},
    {"Observation", "valueQuantity", "value", 0, 1, true, 11, "Quantity"},
    {"Observation", "valueCodeableConcept", "value", 0, 1, true, 11, "CodeableConcept"},
    {"Observation", "valueAge", NULL, 0, 0, false, 0, NULL},
    {"Observation", "valuequantity", NULL, 0, 0, false, 0, NULL},
    {"Observation", "status", "status", 1, 1, false, 1, "code"},
    {"Observation", "component", "component", 0, CT_MANY, false, 1, "Observation.component"},
    {"Observation.component", "referenceRange", "referenceRange", 0, CT_MANY, false, 1,
     "Observation.referenceRange"},
    {"Questionnaire.item", "item", "item", 0, CT_MANY, false, 1, "Questionnaire.item"},
    {"Bundle", "entry", "entry", 0, CT_MANY, false, 1, "Bundle.entry"},
    {"Bundle", "text", NULL, 0, 0, false, 0, NULL},
    {"Bundle.entry", "resource", "resource", 0, 1, false, 1, "Resource"},
    {"Bundle.entry", "link", "link", 0, CT_MANY, false, 1, "Bundle.link"},
    {"Extension", "url", "url", 1, 1, false, 1, "uri"},
    {"Extension", "valueReference", "value", 0, 1, true, 50, "Reference"},
    {"string", "value", "value", 0, 1, false, 0, NULL},
    {"code", "value", "value", 0, 1, false, 0, NULL},
    {"code", "extension", "extension", 0, CT_MANY, false, 1, "Extension"},
    {"xhtml", "extension", "extension", 0, 0, false, 1, "Extension"},
    {"Age", "value", "value", 0, 1, false, 1, "decimal"},
    {"ElementDefinition", "path", "path", 1, 1, false, 1, "string"},
    {"ElementDefinition", "min", "min", 0, 1, false, 1, "unsignedInt"},
    {"ElementDefinition", "minValueDate", "minValue", 0, 1, true, 9, "date"},
    {"ElementDefinition", "fixedDosage", "fixed", 0, 1, true, 50, "Dosage"},
    {"ElementDefinition", "type", "type", 0, CT_MANY, false, 1, "ElementDefinition.type"},
    {"Timing.repeat", "boundsPeriod", "bounds", 0, 1, true, 3, "Period"},
    {"Medication", "status", "status", 0, 1, false, 1, "code"},
    {"MedicationRequest", "medicationReference", "medication", 1, 1, true, 2, "Reference"},
};

static void check_element(const struct element_row *row)
{
    const ct_ftype *t = ct_model_type(ct_model_r4(), ct_str_z(row->type)), *leads_to;
    assert_non_null(t);
    const ct_felement *e = ct_model_element(t, ct_str_z(row->name), &leads_to);
    assert_ptr_equal(ct_model_element(t, ct_str_z(row->name), NULL), e);
    if (!e != !row->element)
        fail_msg("%s, %s: %s", row->type, row->name, e ? "known" : "not known");
    if (!e)
        return;
    if (!ct_str_is(e->name, row->element) || e->min != row->min || e->max != row->max ||
        e->choice != row->choice || e->ntypes != row->ntypes)
        fail_msg("%s, %s: %u..%u, %zu types", row->type, row->name, e->min, e->max, e->ntypes);
    if (!leads_to != !row->leads_to || (leads_to && !ct_str_is(leads_to->name, row->leads_to)))
        fail_msg("%s, %s: wrong type", row->type, row->name);
    assert_int_equal(e->id, ct_names_find(ct_model_names(ct_model_r4()), e->name));
}

static void knows_the_elements(void **state)
{
    (void)state;
    for (size_t i = 0; i < CT_LEN(element_table); i++)
        check_element(&element_table[i]);
}

static size_t count(ct_str s, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == c;
    return n;
}

extern const ct_datafile ct_fhir_data[];

/* Every row of r4.tsv stands in the model with all of its types. */
static void holds_the_whole_table(void **state)
{
    (void)state;
    const ct_datafile *file = ct_datafile_find(ct_fhir_data, "r4.tsv");
    assert_non_null(file);
    ct_str rest = {file->text, file->n}, cols[5];
    size_t types = 0, elements = 0;
    const ct_ftype *t = NULL;
    for (size_t n; (n = ct_tsv_next(&rest, cols, 5, NULL));) {
        if (n == 4) {
            t = ct_model_type(ct_model_r4(), cols[0]);
            assert_true(t && !t->base == ct_str_is(cols[3], "-"));
            types++;
            continue;
        }
        assert_int_equal(n, 5);
        ct_str name = ct_str_from(cols[0], t->name.n + 1);
        if (ct_str_ends(name, CT_S("[x]")))
            name.n -= 3;
        const ct_felement *e = ct_model_element(t, name, NULL);
        size_t known = ct_str_starts(cols[3], CT_S("System.")) ? 0 : count(cols[3], ',') + 1;
        if (!e || e->ntypes != known)
            fail_msg("%.*s", (int)cols[0].n, cols[0].p);
        elements++;
    }
    assert_int_equal(types, 692);
    assert_true(elements > 4500);
}

/* Every path of r4-compartment.tsv leads to a reference. */
static void holds_the_whole_compartment(void **state)
{
    (void)state;
    const ct_datafile *file = ct_datafile_find(ct_fhir_data, "r4-compartment.tsv");
    assert_non_null(file);
    ct_str rest = {file->text, file->n}, cols[3];
    size_t rows = 0;
    for (; ct_tsv_next(&rest, cols, 3, NULL) == 3; rows++) {
        const ct_ftype *t = ct_model_type(ct_model_r4(), cols[0]);
        for (ct_str path = cols[1]; path.p && t;)
            ct_model_element(t, ct_str_cut(&path, '.'), &t);
        if (!t || !ct_str_is(t->name, "Reference"))
            fail_msg("%.*s.%.*s", (int)cols[0].n, cols[0].p, (int)cols[1].n, cols[1].p);
    }
    assert_int_equal(rows, 100);
}

static void keeps_the_order_of_the_specification(void **state)
{
    (void)state;
    static const char *const order[] = {
        "id",         "meta",      "implicitRules", "language",
        "text",       "contained", "extension",     "modifierExtension",
        "identifier", "active",    "name",          "telecom",
    };
    const ct_ftype *t = ct_model_type(ct_model_r4(), CT_S("Patient"));
    assert_int_equal(t->n, 24);
    for (size_t i = 0; i < CT_LEN(order); i++)
        assert_true(ct_str_is(t->elements[i].name, order[i]));
}

static const struct binding_row {
    const char *type, *name, *valueset; /* NULL: no required binding */
    size_t ncodes;
    const char *code; /* one of them */
} binding_table[] = {
    {"Patient", "gender", "http://hl7.org/fhir/ValueSet/administrative-gender", 4, "unknown"},
    {"Patient.contact", "gender", "http://hl7.org/fhir/ValueSet/administrative-gender", 4, "male"},
    {"Patient", "maritalStatus", NULL, 0, NULL},
    {"Observation", "status", "http://hl7.org/fhir/ValueSet/observation-status", 8,
     "entered-in-error"}, /* a child of `corrected`'s parent in the code system */
    {"Observation", "code", NULL, 0, NULL},
    {"Condition", "clinicalStatus", "http://hl7.org/fhir/ValueSet/condition-clinical", 6,
     "relapse"},
    {"Attachment", "contentType", "http://hl7.org/fhir/ValueSet/mimetypes", 0, NULL},
    {"Reference", "type", NULL, 0, NULL},
    {"Encounter", "status", "http://hl7.org/fhir/ValueSet/encounter-status", 9, "finished"},
    {"Timing.repeat", "when", "http://hl7.org/fhir/ValueSet/event-timing", 26, "MORN.early"},
    {"SupplyRequest", "status", "http://hl7.org/fhir/ValueSet/supplyrequest-status", 7,
     "suspended"},
};

static void knows_the_codes_of_required_bindings(void **state)
{
    (void)state;
    for (size_t i = 0; i < CT_LEN(binding_table); i++) {
        const struct binding_row *row = &binding_table[i];
        const ct_ftype *t = ct_model_type(ct_model_r4(), ct_str_z(row->type));
        const ct_felement *e = ct_model_element(t, ct_str_z(row->name), NULL);
        assert_non_null(e);
        if (!ct_str_is(e->valueset, row->valueset ? row->valueset : "") || e->ncodes != row->ncodes)
            fail_msg("%s, %s: %zu codes", row->type, row->name, e->ncodes);
        bool found = !row->code;
        for (size_t k = 0; k < e->ncodes; k++)
            found |= row->code && ct_str_is(e->codes[k], row->code);
        if (!found)
            fail_msg("%s, %s: code missing", row->type, row->name);
    }
}

static void interns_the_names_of_json(void **state)
{
    (void)state;
    static const char *const known[] = {
        "resourceType",
        "id",
        "_id",
        "birthDate",
        "_birthDate",
        "valueString",
        "_valueString",
        "valueQuantity",
        "div",
        "deceasedBoolean",
        "_deceasedBoolean",
        "fullUrl",
        "valueSampledData",
        "multipleBirthInteger",
    };
    static const char *const unknown[] = {"", "_telecom", "_valueQuantity", "resourcetype",
                                          "value[x]"};
    const ct_names *names = ct_model_names(ct_model_r4());
    for (size_t i = 0; i < CT_LEN(known); i++) {
        uint16_t id = ct_names_find(names, ct_str_z(known[i]));
        if (!id || !ct_str_is(ct_names_text(names, id), known[i]))
            fail_msg("%s is not known", known[i]);
    }
    for (size_t i = 0; i < CT_LEN(unknown); i++)
        if (ct_names_find(names, ct_str_z(unknown[i])))
            fail_msg("%s is known", unknown[i]);
}

/* ---- references ---- */

static const struct ref_row {
    const char *text;
    bool good;
    const char *type, *id;
    bool contained, absolute;
} ref_table[] = {
    {"Patient/p1", true, "Patient", "p1", false, false},
    {"Patient/", false, "", "", false, false},
    {"/p1", false, "", "", false, false},
    {"Patient", false, "", "", false, false},
    {"", false, "", "", false, false},
    {"p1", false, "", "", false, false},
    {"patient/p1", false, "", "", false, false},
    {"Pat1ent/p1", false, "", "", false, false},
    {"/Patient/p1", false, "", "", false, false},
    {"fhir/Patient/p1", false, "", "", false, false},
    {"Patient/p1/", false, "", "", false, false},
    {"Patient/p-1.A", true, "Patient", "p-1.A", false, false},
    {"Patient/p_1", true, "Patient", "p_1", false, false},
    {"Patient/p 1", false, "", "", false, false},
    {"Patient/p1\n", false, "", "", false, false},
    {"Patient/p1#name", false, "", "", false, false},
    {"Patient/p1/_history/3", true, "Patient", "p1", false, false},
    {"Patient/p1/_history/", false, "", "", false, false},
    {"Patient/_history/3", false, "", "", false, false},
    {"_history/3", false, "", "", false, false},
    {"Patient?identifier=urn:x|7", false, "", "", false, false},
    {"Patient/p1?x=y", false, "", "", false, false},
    {"http://example.org/fhir/Patient/p1", true, "Patient", "p1", false, true},
    {"https://example.org/Patient/p1", true, "Patient", "p1", false, true},
    {"https://example.org/r4/v/Patient/p1/_history/2", true, "Patient", "p1", false, true},
    {"http://Patient/p1", false, "", "", false, false},
    {"http:///Patient/p1", false, "", "", false, false},
    {"http://example.org/fhir/Patient?identifier=7", false, "", "", false, false},
    {"http://example.org/fhir/patients/p1", false, "", "", false, false},
    {"ftp://example.org/Patient/p1", false, "", "", false, false},
    {"urn:uuid:0b6ed0ba-4a27-4d4f-9f6b-3f0d4cd5a1c3", true, "",
     "0b6ed0ba-4a27-4d4f-9f6b-3f0d4cd5a1c3", false, false},
    {"urn:uuid:", false, "", "", false, false},
    {"urn:uuid:a/b", false, "", "", false, false},
    {"urn:oid:1.2.840.113", true, "", "1.2.840.113", false, false},
    {"urn:other:1", false, "", "", false, false},
    {"#p1", true, "", "p1", true, false},
    {"#", true, "", "", true, false},
    {"#p/1", false, "", "", false, false},
};

static void takes_references_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < CT_LEN(ref_table); i++) {
        const struct ref_row *row = &ref_table[i];
        ct_ref ref;
        bool good = ct_ref_parse(ct_str_z(row->text), &ref);
        if (good != row->good)
            fail_msg("%s: %s", row->text, good ? "accepted" : "refused");
        if (good && (!ct_str_is(ref.type, row->type) || !ct_str_is(ref.id, row->id) ||
                     ref.contained != row->contained || ref.absolute != row->absolute))
            fail_msg("%s: %.*s, %.*s", row->text, (int)ref.type.n, ref.type.p, (int)ref.id.n,
                     ref.id.p);
    }
    ct_ref ref;
    assert_false(ct_ref_parse((ct_str){"Patient/p\0", 10}, &ref));
}

/* ---- owners ---- */

static const struct owner_row {
    const char *json, *id;
    bool patient, others;
} owner_table[] = {
    {"{'resourceType':'Patient','id':'p1'}", "p1", true, false},
    {"{'resourceType':'Patient'}", "", true, false},
    {"{'resourceType':'Patient','id':7}", "", true, false},
    {"{'resourceType':'Patient','id':'p1','link':[{'other':{'reference':'Patient/p2'}}]}", "p1",
     true, false},
    {"{'resourceType':'Practitioner','id':'d1'}", "", false, false},
    {"{'resourceType':'Observation','subject':{'reference':'Patient/p1'}}", "p1", false, false},
    {"{'resourceType':'Observation','subject':{'reference':'Patient\\/p1'}}", "p1", false, false},
    {"{'resourceType':'Observation','subject':{'reference':'Patient/p1/_history/2'}}", "p1", false,
     false},
    {"{'resourceType':'Observation','subject':{'reference':'http://h.example/Patient/p1'}}", "p1",
     false, false},
    {"{'resourceType':'Observation','subject':{'reference':'Group/g1'}}", "", false, false},
    {"{'resourceType':'Observation','subject':{'reference':'#p1'}}", "", false, false},
    {"{'resourceType':'Observation','subject':{'display':'someone'}}", "", false, false},
    {"{'resourceType':'Observation','subject':{'reference':['Patient/p1']}}", "", false, false},
    {"{'resourceType':'Observation','subject':'Patient/p1'}", "", false, false},
    {"{'resourceType':'Observation','subject':{'reference':'urn:uuid:u1'}}", "u1", false, false},
    {"{'resourceType':'Observation','subject':{'reference':'urn:uuid:u1','type':'Patient'}}", "u1",
     false, false},
    {"{'resourceType':'Observation','subject':{'reference':'urn:uuid:u1','type':'Device'}}", "",
     false, false},
    {"{'resourceType':'Observation','performer':[{'reference':'urn:uuid:u1'}]}", "", false, false},
    {"{'resourceType':'Observation','performer':[{'reference':'urn:uuid:u1','type':'Patient'}]}",
     "u1", false, false},
    {"{'resourceType':'Observation','performer':[{'reference':'Practitioner/d1'},"
     "{'reference':'Patient/p1'}]}",
     "p1", false, false},
    {"{'resourceType':'Observation','focus':[{'reference':'Patient/p1'}]}", "", false, false},
    {"{'resourceType':'Observation','performer':[{'reference':'Patient/p2'}],"
     "'subject':{'reference':'Patient/p1'}}",
     "p1", false, true},
    {"{'resourceType':'Observation','performer':[{'reference':'Patient/p1'}],"
     "'subject':{'reference':'Patient/p1'}}",
     "p1", false, false},
    {"{'resourceType':'ResearchSubject','individual':{'reference':'urn:uuid:u1'}}", "u1", false,
     false},
    {"{'resourceType':'Coverage','subscriber':{'reference':'Patient/p2'},"
     "'beneficiary':{'reference':'urn:uuid:p1'}}",
     "p1", false, true},
    {"{'resourceType':'Claim','payee':{'party':{'reference':'Patient/p1'}}}", "p1", false, false},
    {"{'resourceType':'Appointment','participant':[{'actor':{'reference':'Location/l1'}},"
     "{'actor':{'reference':'Patient/p1'}},{'status':'accepted'}]}",
     "p1", false, false},
    {"{'resourceType':'CarePlan','activity':[{'detail':{'performer':[{'reference':'Patient/"
     "p1'}]}}]}",
     "p1", false, false},
    {"{'resourceType':'Group','member':[{'entity':{'reference':'Patient/p1'}},"
     "{'entity':{'reference':'Patient/p2'}}]}",
     "p1", false, true},
    {"{'resourceType':'Task','focus':{'reference':'Patient/p2'},'for':{'reference':'Patient/p1'}}",
     "p1", false, true},
    {"{'resourceType':'Provenance','target':[{'reference':'Observation/o1'},"
     "{'reference':'Patient/p1'}]}",
     "p1", false, false},
    {"{'resourceType':'RelatedPerson','patient':{'reference':'Patient/p1'}}", "p1", false, false},
    {"{'resourceType':'Nothing','subject':{'reference':'Patient/p1'}}", "", false, false},
    {"{'subject':{'reference':'Patient/p1'}}", "", false, false},
    {"[{'reference':'Patient/p1'}]", "", false, false},
    {"'Patient/p1'", "", false, false},
};

/* The tables write ' for " to stay readable. */
static ct_str json_text(ct_arena *a, const char *quoted)
{
    ct_str s = ct_arena_copy(a, ct_str_z(quoted));
    for (char *p = (char *)(uintptr_t)s.p; *p; p++)
        if (*p == '\'')
            *p = '"';
    return s;
}

static void finds_the_owner(void **state)
{
    (void)state;
    const ct_model *m = ct_model_r4();
    ct_parser *p = ct_parser_new(ct_model_names(m));
    ct_arena *a = ct_arena_new();
    for (size_t i = 0; i < CT_LEN(owner_table); i++) {
        const struct owner_row *row = &owner_table[i];
        ct_doc doc;
        assert_true(ct_parse(p, json_text(a, row->json), &doc, NULL));
        ct_owner owner = ct_owner_of(m, &doc, a);
        if (!ct_str_is(owner.id, row->id) || owner.patient != row->patient ||
            owner.others != row->others)
            fail_msg("%s: %.*s, patient %d, others %d", row->json, (int)owner.id.n, owner.id.p,
                     owner.patient, owner.others);
    }
    ct_arena_free(a);
    ct_parser_free(p);
}

static void knows_what_is_unplaced(void **state)
{
    (void)state;
    static const char *const unplaced[] = {
        "{'resourceType':'Patient'}",
        "{'resourceType':'Observation','subject':{'identifier':{'value':'1'}}}",
        "{'resourceType':'Observation','subject':{'reference':'Patient?identifier=1'}}",
        "{'resourceType':'Observation','subject':{'reference':'#p1'}}",
        "{'resourceType':'Observation','subject':{'display':'someone'}}",
        "{'resourceType':'Coverage','beneficiary':{'type':'Patient','display':'someone'}}",
    };
    static const char *const placed[] = {
        "{'resourceType':'Patient','id':'p1'}",
        "{'resourceType':'Practitioner','id':'d1'}",
        "{'resourceType':'Observation'}",
        "{'resourceType':'Observation','subject':{'reference':'Group/g1'}}",
        "{'resourceType':'Observation','subject':{'type':'Group','display':'some'}}",
        "{'resourceType':'Observation','subject':{'reference':'Patient/p1'},"
        "'performer':[{'display':'someone'}]}",
        "{'resourceType':'AuditEvent','agent':[{'who':{'identifier':{'value':'1'}}}]}",
    };
    const ct_model *m = ct_model_r4();
    ct_parser *p = ct_parser_new(ct_model_names(m));
    ct_arena *a = ct_arena_new();
    ct_doc doc;
    for (size_t i = 0; i < CT_LEN(unplaced); i++) {
        assert_true(ct_parse(p, json_text(a, unplaced[i]), &doc, NULL));
        assert_true(ct_owner_of(m, &doc, a).unplaced);
    }
    for (size_t i = 0; i < CT_LEN(placed); i++) {
        assert_true(ct_parse(p, json_text(a, placed[i]), &doc, NULL));
        assert_false(ct_owner_of(m, &doc, a).unplaced);
    }
    ct_arena_free(a);
    ct_parser_free(p);
}

static void join(void *ctx, ct_str id)
{
    ct_buf_put(ctx, id);
    ct_buf_c(ctx, ' ');
}

static void names_every_owner(void **state)
{
    (void)state;
    const ct_model *m = ct_model_r4();
    ct_parser *p = ct_parser_new(ct_model_names(m));
    ct_arena *a = ct_arena_new();
    ct_doc doc;
    ct_buf b = {0};
    ct_str text =
        json_text(a, "{'resourceType':'Group','member':[{'entity':{'reference':'Patient/p1'}},"
                     "{'entity':{'reference':'Device/d1'}},"
                     "{'entity':{'reference':'Patient/p2'}}]}");
    assert_true(ct_parse(p, text, &doc, NULL));
    ct_owners(m, &doc, a, join, &b);
    assert_true(ct_str_is(ct_buf_str(&b), "p1 p2 "));
    ct_buf_free(&b);
    ct_arena_free(a);
    ct_parser_free(p);
}

/* ---- resources ---- */

static const struct resource_row {
    const char *json, *type;
    const char *why; /* NULL: it is a resource */
} resource_table[] = {
    {"{'resourceType':'Patient'}", "Patient", NULL},
    {"{'id':'x','resourceType':'Bundle'}", "Bundle", NULL},
    {"[]", "", "not a JSON object"},
    {"'Patient'", "", "not a JSON object"},
    {"{}", "", "no resourceType"},
    {"{'resourcetype':'Patient'}", "", "no resourceType"},
    {"{'resourceType':null}", "", "resourceType is not text"},
    {"{'resourceType':['Patient']}", "", "resourceType is not text"},
    {"{'resourceType':''}", "", "not an R4 resource type"},
    {"{'resourceType':'patient'}", "patient", "not an R4 resource type"},
    {"{'resourceType':'DomainResource'}", "DomainResource", "not an R4 resource type"},
    {"{'resourceType':'HumanName'}", "HumanName", "not an R4 resource type"},
    {"{'resourceType':'Patient.contact'}", "Patient.contact", "not an R4 resource type"},
    {"{'resourceType':'ActorDefinition'}", "ActorDefinition", "not an R4 resource type"},
};

static void tells_resources(void **state)
{
    (void)state;
    const ct_model *m = ct_model_r4();
    ct_parser *p = ct_parser_new(ct_model_names(m));
    ct_arena *a = ct_arena_new();
    for (size_t i = 0; i < CT_LEN(resource_table); i++) {
        const struct resource_row *row = &resource_table[i];
        ct_doc doc;
        ct_err err = {0};
        assert_true(ct_parse(p, json_text(a, row->json), &doc, NULL));
        if (!ct_str_is(ct_resource_type(&doc), row->type))
            fail_msg("%s: wrong type", row->json);
        bool good = ct_resource_check(m, &doc, &err);
        if (good != !row->why || (row->why && strcmp(err.text, row->why) != 0))
            fail_msg("%s: %s", row->json, good ? "accepted" : err.text);
        assert_int_equal(err.kind, good ? CT_OK : CT_E_DATA);
    }
    ct_arena_free(a);
    ct_parser_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_types),
        cmocka_unit_test(knows_the_bases),
        cmocka_unit_test(knows_the_elements),
        cmocka_unit_test(holds_the_whole_table),
        cmocka_unit_test(holds_the_whole_compartment),
        cmocka_unit_test(keeps_the_order_of_the_specification),
        cmocka_unit_test(knows_the_codes_of_required_bindings),
        cmocka_unit_test(interns_the_names_of_json),
        cmocka_unit_test(takes_references_apart),
        cmocka_unit_test(finds_the_owner),
        cmocka_unit_test(knows_what_is_unplaced),
        cmocka_unit_test(names_every_owner),
        cmocka_unit_test(tells_resources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
