/* Literal references (http://hl7.org/fhir/R4/references.html#literal), taken apart.
 *
 * The specification holds ids to 64 letters, digits, hyphens and dots. Real systems do not, and a
 * reference to a patient that is not understood would put a record outside that patient's chart: an
 * id may be anything here that cannot be mistaken for another part of a URL. */
#include "common/fhir/fhir.h"

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_type(ct_str s)
{
    if (!s.n || s.p[0] < 'A' || s.p[0] > 'Z')
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (!is_letter(s.p[i]))
            return false;
    return true;
}

static bool is_id(ct_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f || strchr("/?#|", s.p[i]))
            return false;
    return s.n > 0;
}

/* Takes the last part of a path off `*path`, with the slash before it; all of it where there is no
 * slash, leaving `path->p` NULL. */
static ct_str cut_last(ct_str *path)
{
    size_t n = path->n;
    while (n && path->p[n - 1] != '/')
        n--;
    ct_str last = ct_str_from(*path, n);
    *path = n ? ct_str_head(*path, n - 1) : (ct_str){NULL, 0};
    return last;
}

/* `path` is what stands before /Type/id: empty for a relative reference. */
static bool type_and_id(ct_str *path, ct_ref *ref)
{
    ref->id = cut_last(path);
    if (!path->p)
        return false;
    ref->type = cut_last(path);
    if (path->p && ct_str_is(ref->type, "_history")) {
        if (!is_id(ref->id))
            return false;
        ref->id = cut_last(path);
        if (!path->p)
            return false;
        ref->type = cut_last(path);
    }
    return is_type(ref->type) && is_id(ref->id);
}

bool ct_ref_parse(ct_str text, ct_ref *ref)
{
    static const char *const urns[] = {"urn:uuid:", "urn:oid:"};
    static const char *const urls[] = {"https://", "http://"};
    *ref = (ct_ref){0};
    if (text.n && text.p[0] == '#') {
        /* A bare # is the resource that contains the one that says so. */
        ref->contained = true;
        ref->id = ct_str_from(text, 1);
        return !ref->id.n || is_id(ref->id);
    }
    for (size_t i = 0; i < CT_LEN(urns); i++)
        if (ct_str_starts(text, ct_str_z(urns[i]))) {
            ref->id = ct_str_from(text, strlen(urns[i]));
            return is_id(ref->id);
        }
    for (size_t i = 0; i < CT_LEN(urls) && !ref->absolute; i++)
        if (ct_str_starts(text, ct_str_z(urls[i]))) {
            ref->absolute = true;
            text = ct_str_from(text, strlen(urls[i]));
        }
    ct_str before = text;
    return type_and_id(&before, ref) && (ref->absolute ? before.n > 0 : !before.p);
}
