/* Where JSON values end, without parsing them: blocks are cut there, and the parser looks at one
 * value at a time. */
#include "cmd/import/fhir/fhir.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A line that begins with a brace behind one that ended with one: inside a value there must be a
 * comma between the two, so this is always between values. Returns the offset of the last such
 * line. */
static size_t last_boundary(ct_str text)
{
    for (size_t i = text.n; i-- > 1;) {
        if (text.p[i] != '{' || text.p[i - 1] != '\n')
            continue;
        size_t before = i - 1;
        while (before && is_space(text.p[before - 1]))
            before--;
        if (before && text.p[before - 1] == '}')
            return i;
    }
    return 0;
}

/* A line that begins with a brace where only a comma or the end can come. */
static bool impossible(ct_str text, size_t at, char before)
{
    return text.p[at] == '{' && at && text.p[at - 1] == '\n' && !memchr(",:[", before, 3);
}

/* Goes on to the end of the text, or of the first value where `one`. False where it stopped at a
 * place that no valid text has. */
static bool scan_on(ct_str text, import_scan *s, bool one)
{
    char before = 0; /* the last character that is no space */

    for (; s->at < text.n; s->at++) {
        char c = text.p[s->at];
        if (s->string) {
            if (c == '\n')
                return false;
            if (s->escape)
                s->escape = false;
            else if (c == '\\')
                s->escape = true;
            else if (c == '"')
                s->string = false;
            before = '"';
            continue;
        }
        if (c == '"')
            s->string = true;
        else if (c == '{' || c == '[') {
            if (one && (s->depth > CT_JSON_DEPTH || (s->depth && impossible(text, s->at, before))))
                return false;
            s->depth++;
        } else if ((c == '}' || c == ']') && s->depth && --s->depth == 0) {
            s->good = s->at + 1;
            if (one)
                return true;
        }
        if (!is_space(c))
            before = c;
    }
    return true;
}

size_t import_fhir_cut(ct_str text, import_scan *scan)
{
    size_t boundary = last_boundary(text);

    if (boundary)
        return boundary;
    if (!scan_on(text, scan, false))
        scan->string = false; /* broken: the worker says where */
    return scan->good;
}

size_t import_value_length(ct_str text)
{
    import_scan s = {0};

    return scan_on(text, &s, true) ? s.good : 0;
}
