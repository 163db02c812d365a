/* Filling the error object. */
#include "common/base/base.h"

#include <stdarg.h>
#include <stdio.h>

bool ct_fail(ct_err *e, ct_errkind kind, const char *text)
{
    if (e)
        *e = (ct_err){.kind = kind, .text = text};
    return false;
}

bool ct_fail_sys(ct_err *e, int sys, const char *text)
{
    if (e)
        *e = (ct_err){.kind = CT_E_IO, .sys = sys, .text = text};
    return false;
}

bool ct_fail_at(ct_err *e, ct_errkind kind, const char *text, const char *where, ...)
{
    if (!e)
        return false;
    char place[sizeof e->where]; /* `where` may be formatted from what *e holds already */
    va_list args;
    va_start(args, where);
    vsnprintf(place, sizeof place, where, args);
    va_end(args);
    *e = (ct_err){.kind = kind, .text = text};
    memcpy(e->where, place, sizeof place);
    return false;
}
