/* FHIR R4: the model as tables (types, elements, cardinalities, choice types, required bindings,
 * the patient compartment), and what every command needs of it: dates, references, whose chart a
 * record belongs to.
 *
 * The facts are in common/fhir/r4*.tsv, made by scripts/gen-fhir-r4 from HL7's
 * StructureDefinitions.
 */
#ifndef CT_FHIR_H
#define CT_FHIR_H

#include "common/json/json.h"

/* ---- the model ---- */

typedef struct ct_model ct_model;
typedef struct ct_ftype ct_ftype;
typedef struct ct_felement ct_felement;

enum { CT_MANY = UINT16_MAX };

typedef enum ct_fkind { CT_F_PRIMITIVE, CT_F_COMPLEX, CT_F_RESOURCE, CT_F_BACKBONE } ct_fkind;

/* A type: a primitive (`code`), a data type (`HumanName`), a resource (`Patient`) or a backbone
 * element, named by its path (`Patient.contact`). */
struct ct_ftype {
    ct_str name;
    ct_fkind kind;
    bool abstract;
    const ct_ftype *base;        /* NULL for Element and Resource */
    const ct_felement *elements; /* own and inherited, in the order of the specification */
    size_t n;
};

/* An element of a type. A choice (`value[x]`) is one element of which `choice` is set; `types` are
 * its alternatives, and its JSON names are `name` followed by the type (`valueQuantity`). */
struct ct_felement {
    ct_str name;       /* without [x] */
    uint16_t id;       /* of `name` in ct_model_names */
    uint16_t min, max; /* max: CT_MANY for * */
    bool choice;
    const ct_ftype *const *types; /* none for the `value` of a primitive: that is FHIRPath's own */
    size_t ntypes;
    const ct_str *codes; /* of a required binding whose value set is small and closed */
    size_t ncodes;       /* 0: any */
    ct_str valueset;     /* canonical of the required binding, or empty */
};

/* The R4 model, built at the first call, shared by all threads after that (call it once before
 * threads start). Never freed. */
const ct_model *ct_model_r4(void);
/* All element and member names of R4 (and primitives' `_name`), for ct_parser_new. */
const ct_names *ct_model_names(const ct_model *m);
/* NULL where R4 has no such type. */
const ct_ftype *ct_model_type(const ct_model *m, ct_str name);
/* The element of a type by FHIRPath name (`value`) or JSON name (`valueQuantity`, in which case
 * `*type` becomes that alternative). NULL where the type has none. `type` may be NULL. */
const ct_felement *ct_model_element(const ct_ftype *t, ct_str name, const ct_ftype **type);
/* The codes of a value set that is small and closed, without their systems. */
typedef struct ct_codeset {
    ct_str valueset; /* canonical, without a version */
    const ct_str *codes;
    size_t n;
} ct_codeset;

/* NULL where the model does not carry that value set. */
const ct_codeset *ct_model_codes(const ct_model *m, ct_str valueset);
/* Is `t` or one of its bases named so? */
bool ct_ftype_is(const ct_ftype *t, ct_str name);

/* ---- references ---- */

/* A literal reference taken apart; slices point into the text that was given. `type` is empty where
 * the text does not tell it (urn:uuid:…). */
typedef struct ct_ref {
    ct_str type, id;
    bool contained; /* #id */
    bool absolute;  /* http://server/…/Type/id */
} ct_ref;

/* FHIR R4 references: `Type/id`, `Type/id/_history/v`, absolute URLs that end so, `urn:uuid:id`,
 * `urn:oid:id`, `#id`. False for anything else (conditional references among them). */
CT_USE bool ct_ref_parse(ct_str text, ct_ref *ref);

/* ---- compartments and charts ---- */

/* Whose chart: the id of a Patient, empty for a record that belongs to nobody. */
typedef struct ct_owner {
    ct_str id;
    bool patient;  /* the record is the Patient itself */
    bool others;   /* it names other patients too, in elements of the patient compartment */
    bool unplaced; /* without an id, it is a Patient, or names its patient by something else: by an
                      identifier, a query, a display, or inside itself */
} ct_owner;

/* Looks at the elements that R4's CompartmentDefinition for Patient names for the resource's type,
 * `subject`, `patient` and `beneficiary` before all others. Borrowed from the document (or decoded
 * into `a`). */
ct_owner ct_owner_of(const ct_model *m, const ct_doc *doc, ct_arena *a);
/* Calls `each` for every patient id that the record's compartment elements name, as often as they
 * do; for a Patient, its own. */
void ct_owners(const ct_model *m, const ct_doc *doc, ct_arena *a,
               void (*each)(void *ctx, ct_str id), void *ctx);

/* The resource's type as written, empty where there is none. */
ct_str ct_resource_type(const ct_doc *doc);
/* The document's type where it is a resource: an object whose resourceType R4 knows. Else NULL, and
 * why not in `err`. */
CT_USE const ct_ftype *ct_resource_check(const ct_model *m, const ct_doc *doc, ct_err *err);

/* ---- dates ---- */

typedef enum ct_precision {
    CT_P_NONE, /* not a date */
    CT_P_YEAR,
    CT_P_MONTH,
    CT_P_DAY,
    CT_P_HOUR, /* FHIRPath only */
    CT_P_MINUTE,
    CT_P_SECOND,
    CT_P_FRACTION,
} ct_precision;

/* A FHIR date, dateTime, instant or time, as precise as it was written. */
typedef struct ct_date {
    ct_precision precision;
    int16_t year; /* 0 for a time of day */
    uint8_t month, day, hour, minute, second;
    int32_t nanos;
    bool zoned;
    int16_t offset; /* minutes east of UTC where zoned */
} ct_date;

/* FHIR's date and dateTime (YYYY, YYYY-MM, YYYY-MM-DD, YYYY-MM-DDThh:mm:ss[.f…]zone; the zone may
 * be left out). Days are checked against the calendar. False, precision CT_P_NONE, for anything
 * else. */
CT_USE bool ct_date_parse(ct_str text, ct_date *d);
/* Compares as far as both are precise: <0, 0, >0, or 2 where that does not decide (2020 against
 * 2020-03, a zoned time against one without that some zone could put on either side). Seconds
 * without a fraction have .0; a day against a time is compared with the day as that is written. */
int ct_date_cmp(const ct_date *a, const ct_date *b);
enum { CT_DATE_UNDECIDED = 2 };
/* Days since 1970-01-01 of the date's first day (month and day 1 where not given). */
int64_t ct_date_days(const ct_date *d);
/* The date that is `days` after d, with day precision at least; CT_P_NONE outside
 * years 1 to 9999. */
ct_date ct_date_add_days(const ct_date *d, int64_t days);
void ct_date_put(ct_buf *b, const ct_date *d);

/* The first and the last day that a date may mean (a year or a month is all of its days), as days
 * since 1970-01-01. */
typedef struct ct_days {
    int64_t first, last;
} ct_days;

/* False where the text is no date. */
CT_USE bool ct_days_parse(ct_str text, ct_days *d);

/* ---- when it happened ---- */

/* A time of which a record tells: the day when it began and the day when it ended, each known to
 * lie between two days. INT64_MIN and INT64_MAX where that is not known. Days are those that were
 * written: a time's zone does not move it to another day. */
typedef struct ct_span {
    ct_days from, until;
    bool lasts; /* it had not ended: `until` is INT64_MAX twice */
} ct_span;

typedef struct ct_times {
    const ct_span *v;
    size_t n;      /* 0: the record has no date, or not `known`, or `timeless` */
    bool known;    /* common/fhir/when.tsv knows the type */
    bool timeless; /* the type has no date by its nature, as Patient */
} ct_times;

/* When what the record tells of happened: by the elements that common/fhir/when.tsv names for its
 * type. In `a`. */
ct_times ct_times_of(const ct_model *m, ct_str type, const ct_doc *doc, ct_arena *a);

#endif
