/* Text of HL7 v2 to FHIR's primitive types. */
#ifndef CHART_IMPORT_CONVERT_H
#define CHART_IMPORT_CONVERT_H

#include "common/base/base.h"

/* A DTM (HL7 v2 data type): YYYY[MM[DD[HH[MM[SS[.S…]]]]]][+/-ZZZZ]. */
typedef struct import_dtm {
    char digits[15]; /* as many as were given, NUL behind */
    size_t n;
    ct_str fraction; /* with its point, or empty */
    bool zoned;
    char zone[7]; /* +hh:mm */
} import_dtm;

CT_USE bool import_dtm_parse(ct_str text, import_dtm *d);
/* `zone` (+hh:mm) is for a time without one; `*assumed` is counted up where it was used. */
void import_dtm_date(const import_dtm *d, ct_buf *b);
void import_dtm_datetime(const import_dtm *d, const char *zone, uint64_t *assumed, ct_buf *b);
/* The zone of an MSH-7 or an option: false where the text has none. */
CT_USE bool import_zone_parse(ct_str text, char zone[7]);

/* These append JSON or text to `b` and say whether the text was what they want. */
CT_USE bool import_time_put(ct_str text, ct_buf *b);
CT_USE bool import_decimal_put(ct_str text, ct_buf *b);
CT_USE bool import_integer_put(ct_str text, bool positive, ct_buf *b);
CT_USE bool import_minutes_put(ct_str number, ct_str unit, ct_buf *b);
/* Without spaces at the ends, one space where there were more. */
void import_code_put(ct_str text, ct_buf *b);
void import_uri_put(ct_str text, ct_buf *b);
/* Half a MIME type: lower case; false where it cannot be one. */
CT_USE bool import_mime_put(ct_str text, ct_buf *b);
void import_base64_put(ct_str bytes, ct_buf *b);
/* Data in an encoding of table 0299 (A, Base64, Hex) to base64. */
CT_USE bool import_data_put(ct_str data, ct_str encoding, ct_buf *b);

#endif
