/* ICD-10 codes: their form, and the chapter, block and comorbidity they belong to. */
#include "cmd/classify/classify.h"

#include <stdlib.h>

const char *classify_doubt_text(classify_doubt d)
{
    static const char *const texts[CLASSIFY_DOUBTS] = {
        [CLASSIFY_DECIDED] = "",
        [CLASSIFY_NO_ICD] = "no ICD-10 code",
        [CLASSIFY_BAD_FORM] = "not the form of an ICD-10 code",
        [CLASSIFY_UNKNOWN] = "no block has such a category",
        [CLASSIFY_OUT_OF_TABLE] = "no table holds for the date of service",
        [CLASSIFY_VAGUE_DATE] = "the date of service is too vague",
        [CLASSIFY_VAGUE_CODE] = "the code is too short",
        [CLASSIFY_NEW_CODE] = "the algorithm was made without such a code",
        [CLASSIFY_DIFFERENTIAL] = "one of several diagnoses that are possible",
        [CLASSIFY_UNVERIFIED] = "verification status that FHIR does not have",
    };

    return texts[d];
}

classify_system classify_system_of(ct_str uri)
{
    static const struct {
        const char *uri;
        classify_system system;
    } systems[] = {
        {"http://hl7.org/fhir/sid/icd-10-cm", CLASSIFY_ICD10CM},
        {"urn:oid:2.16.840.1.113883.6.90", CLASSIFY_ICD10CM},
        {"http://hl7.org/fhir/sid/icd-10", CLASSIFY_ICD10},
        {"urn:oid:2.16.840.1.113883.6.3", CLASSIFY_ICD10},
    };

    for (size_t i = 0; i < CT_LEN(systems); i++)
        if (ct_str_is(uri, systems[i].uri))
            return systems[i].system;
    return CLASSIFY_OTHER;
}

static bool upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A letter, a digit, a digit or letter, then up to four more behind an optional dot. */
bool classify_normalize(ct_str code, char to[8])
{
    size_t n = 0;

    for (size_t i = 0; i < code.n; i++) {
        char c = code.p[i];

        if (c == '.' && i == 3 && code.n > 4)
            continue;
        if (n == 7 || !(upper(c) || digit(c)) || (n == 0 && !upper(c)) || (n == 1 && !digit(c)))
            return false;
        to[n++] = c;
    }
    to[n] = '\0';
    return n >= 3;
}

/* -1 the row was not in use on that day, 1 it was, 0 cannot be told. */
static int in_use(const classify_range *r, const ct_date *service)
{
    int from = 0, to = 0;

    if (service->precision == CT_P_NONE)
        return r->to.precision == CT_P_NONE ? 1 : -1;
    if (r->from.precision)
        from = ct_date_cmp(service, &r->from);
    if (r->to.precision)
        to = ct_date_cmp(service, &r->to);
    if (from < 0 || to == 1)
        return -1;
    return from == CT_DATE_UNDECIDED || to == CT_DATE_UNDECIDED ? 0 : 1;
}

const classify_range *classify_range_of(const classify_ranges *r, const char *code,
                                        const ct_date *service, classify_doubt *doubt)
{
    ct_str category = {code, 3};
    const classify_range *found = NULL;
    bool known = false, perhaps = false;

    for (size_t i = 0; i < r->n; i++) {
        const classify_range *row = &r->v[i];
        bool exact = ct_str_eq(row->first, row->last);
        int use;

        if (memcmp(category.p, row->first.p, 3) < 0 || memcmp(category.p, row->last.p, 3) > 0)
            continue;
        known = true;
        use = in_use(row, service);
        perhaps |= use == 0;
        /* C7A sorts into C76-C80 but has a block of its own. */
        if (use == 1 && (!found || exact))
            found = row;
    }
    *doubt = found     ? CLASSIFY_DECIDED
             : perhaps ? CLASSIFY_VAGUE_DATE
             : known   ? CLASSIFY_OUT_OF_TABLE
                       : CLASSIFY_UNKNOWN;
    return found;
}

static int cmp_prefix(const void *key, const void *element)
{
    return strcmp(key, ((const classify_prefix *)element)->text);
}

/* Do prefixes of the table go on where the code ends? */
static bool goes_on(const classify_tables *t, const char *code)
{
    size_t n = strlen(code), low = 0, high = t->nprefixes;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(t->prefixes[middle].text, code) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < t->nprefixes && strncmp(t->prefixes[low].text, code, n) == 0;
}

int classify_category_of(const classify_tables *t, const char *code, classify_doubt *doubt)
{
    size_t n = strlen(code);
    char head[8], known[8];

    *doubt = CLASSIFY_DECIDED;
    for (size_t length = n < 5 ? n : 5; length >= 3; length--) {
        const classify_prefix *p;

        memcpy(head, code, length);
        head[length] = '\0';
        p = bsearch(head, t->prefixes, t->nprefixes, sizeof(*t->prefixes), cmp_prefix);
        if (p && p->category == CLASSIFY_NOT_TOLD)
            *doubt = CLASSIFY_NEW_CODE;
        if (p)
            return p->category == CLASSIFY_NOT_TOLD ? CLASSIFY_NO_CATEGORY : p->category;
    }
    /* X holds a place: E11.X says no more than E11. */
    memcpy(known, code, n + 1);
    while (n > 3 && known[n - 1] == 'X')
        known[--n] = '\0';
    if (goes_on(t, known))
        *doubt = CLASSIFY_VAGUE_CODE;
    return CLASSIFY_NO_CATEGORY;
}
