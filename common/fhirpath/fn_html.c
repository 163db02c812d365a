/* htmlChecks(): is a narrative what FHIR allows of XHTML (narrative.html, txt-1 and txt-2)?
 * Elements and attributes are those of xhtml.tsv, in one div, with something to read in it.
 */
#include <expat.h>
#include <limits.h>
#include <pthread.h>

#include "common/fhirpath/internal.h"

extern const ct_datafile ct_fhirpath_data[];

enum { ELEMENT, ATTRIBUTES, COLUMNS };

/* A namespace and the blank that expat puts between it and a name. */
#define XHTML CT_S("http://www.w3.org/1999/xhtml ")
#define XML   CT_S("http://www.w3.org/XML/1998/namespace ")

/* ---- what is allowed ---- */

static struct {
    struct {
        ct_str element, attributes;
    } rows[64]; /* the first is of every element */
    size_t n;
} allowed;

/* The table comes with the program. */
static void load(void)
{
    const ct_datafile *file = ct_datafile_find(ct_fhirpath_data, "xhtml.tsv");
    ct_str rest = {file->text, file->n}, cols[COLUMNS];
    for (size_t n;
         allowed.n < CT_LEN(allowed.rows) && (n = ct_tsv_next(&rest, cols, COLUMNS, NULL));
         allowed.n++) {
        allowed.rows[allowed.n].element = cols[ELEMENT];
        allowed.rows[allowed.n].attributes = n > ATTRIBUTES ? cols[ATTRIBUTES] : (ct_str){0};
    }
}

/* The row of an element, 0 for none. */
static size_t find_element(ct_str name)
{
    for (size_t i = 1; i < allowed.n; i++) {
        if (ct_str_eq(allowed.rows[i].element, name))
            return i;
    }
    return 0;
}

static bool lists(size_t row, ct_str attribute)
{
    for (ct_str list = allowed.rows[row].attributes; list.p;) {
        if (ct_str_eq(ct_str_cut(&list, ' '), attribute))
            return true;
    }
    return false;
}

/* ---- one narrative ---- */

struct narrative {
    XML_Parser parser;
    size_t depth;
    bool wrong, readable;
};

static void refuse(struct narrative *h)
{
    h->wrong = true;
    XML_StopParser(h->parser, XML_FALSE);
}

/* Attributes of XML's own namespace (xml:lang) are known by their name. */
static ct_str attribute_name(const XML_Char *name)
{
    ct_str s = ct_str_z(name);
    return ct_str_starts(s, XML) ? ct_str_from(s, XML.n) : s;
}

static void XMLCALL on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    struct narrative *h = ctx;
    ct_str element = ct_str_z(name);
    size_t row = ct_str_starts(element, XHTML) ? find_element(ct_str_from(element, XHTML.n)) : 0;
    if (row == 0 || (h->depth++ == 0 && !ct_str_is(allowed.rows[row].element, "div"))) {
        refuse(h);
        return;
    }
    for (; *attributes; attributes += 2) {
        ct_str attribute = attribute_name(*attributes);
        if (!lists(0, attribute) && !lists(row, attribute))
            refuse(h);
    }
    h->readable |= ct_str_is(allowed.rows[row].element, "img");
}

static void XMLCALL on_text(void *ctx, const XML_Char *text, int n)
{
    struct narrative *h = ctx;
    h->readable |= ct_str_trim((ct_str){text, (size_t)n}).n > 0;
}

static void XMLCALL on_doctype(void *ctx, const XML_Char *name, const XML_Char *system,
                               const XML_Char *public, int subset)
{
    (void)name;
    (void)system;
    (void)public;
    (void)subset;
    refuse(ctx);
}

static void XMLCALL on_instruction(void *ctx, const XML_Char *target, const XML_Char *data)
{
    (void)target;
    (void)data;
    refuse(ctx);
}

/* Without a document type there are no entities but XML's own, so nothing grows. */
static bool is_narrative(ct_str html)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct narrative h = {.parser = XML_ParserCreateNS("UTF-8", ' ')};
    if (!h.parser)
        ct_oom();
    pthread_once(&once, load);
    XML_SetUserData(h.parser, &h);
    XML_SetStartElementHandler(h.parser, on_start);
    XML_SetCharacterDataHandler(h.parser, on_text);
    XML_SetStartDoctypeDeclHandler(h.parser, on_doctype);
    XML_SetProcessingInstructionHandler(h.parser, on_instruction);
    bool whole = html.n <= INT_MAX && XML_Parse(h.parser, html.p, (int)html.n, 1) == XML_STATUS_OK;
    if (XML_GetErrorCode(h.parser) == XML_ERROR_NO_MEMORY)
        ct_oom();
    XML_ParserFree(h.parser);
    return whole && !h.wrong && h.readable;
}

bool ct_fn_html_checks(struct fp_call *c)
{
    ct_str html;
    int got = ct_fp_single_string(c->r, c->n, c->in, &html);
    if (got <= 0 || !ct_fp_spend_text(c->r, c->n, html.n))
        return got == 0;
    ct_fp_bool(c->r, c->out, is_narrative(html));
    return true;
}
