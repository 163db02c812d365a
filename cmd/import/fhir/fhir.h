/* FHIR JSON: the pieces of its worker. */
#ifndef CHART_IMPORT_FHIR_H
#define CHART_IMPORT_FHIR_H

#include "cmd/import/import.h"

typedef struct import_fhir_tools {
    ct_parser *parser, *inner; /* of a value; of a resource in a Bundle that must be changed */
    ct_edit *edit;
    ct_buf compact, edited;
    uint16_t resource_type, reference, id, entry, resource, full_url; /* ids of names */
} import_fhir_tools;

/* The length of the JSON value at the front of `text`; 0 where it does not end there. */
size_t import_value_length(ct_str text);

/* Writes a resource that stands alone, or the resources of a Bundle. `line` is the value's, in the
 * block. False, with the reason, where it is none. */
CT_USE bool import_resource_put(const import_setup *setup, import_block *b, const ct_doc *doc,
                                uint64_t line, ct_err *err);
/* The model's own name of the resource's type: empty where it is no resource of R4. */
ct_str import_resource_kind(const import_setup *setup, import_block *b, const ct_doc *doc,
                            ct_val v);
/* Writes `v` as a record that nothing changes but white space. */
void import_record_put(import_block *b, const ct_doc *doc, ct_val v, ct_str kind);
/* Writes the resources of a Bundle, in order. */
void import_bundle_put(const import_setup *setup, import_block *b, const ct_doc *doc,
                       uint64_t line);

#endif
