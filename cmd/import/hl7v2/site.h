/* A site's own mapping tables (--map): files that hold tables one behind the other,
 *
 *     file segments/ZPI-Patient.tsv
 *     ZPI-1	-	extension{...}.valueString	string
 *     more messages.tsv
 *     *	ZPI	@Patient valued	ZPI-Patient	add	-
 *
 * `file NAME` begins a table that is new, or takes the place of the shipped one of that name;
 * `more NAME` begins rows that come behind those of a shipped one.
 */
#ifndef CHART_IMPORT_SITE_H
#define CHART_IMPORT_SITE_H

#include "common/base/base.h"

typedef struct import_site import_site;

/* With the shipped tables, which it does not change and which must outlive it. */
import_site *import_site_new(const ct_datafile *shipped);
/* Adds a file; false with `err` filled where it cannot be read or is not one. `path` must outlive
 * the site. */
CT_USE bool import_site_add(import_site *s, const char *path, ct_err *err);
/* All tables, the shipped ones as they are changed; ended by one without a name. */
const ct_datafile *import_site_files(const import_site *s);
/* Makes an error in one of these tables one in the file that it came from. */
void import_site_locate(const import_site *s, ct_err *err);
void import_site_free(import_site *s);

#endif
