/* Base64 (RFC 4648, section 4) as FHIR holds it in base64Binary: white space is passed over. */
#ifndef CHART_ARCHIVE_BASE64_H
#define CHART_ARCHIVE_BASE64_H

#include "common/base/base.h"

/* Appends the bytes. False, and nothing appended, where the text is not base64: a character that is
 * none of its own, padding that is missing or misplaced, bits left over that are not zero. */
CT_USE bool bag_base64(ct_buf *to, ct_str text);

#endif
