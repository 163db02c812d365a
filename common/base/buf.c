/* Buffers that grow. */
#include "common/base/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_CAP = 256 };

char *ct_buf_grow(ct_buf *b, size_t n)
{
    if (n > SIZE_MAX / 2 - b->n)
        ct_oom();
    size_t cap = b->cap ? b->cap : FIRST_CAP;
    while (cap < b->n + n)
        cap = cap > SIZE_MAX / 4 ? b->n + n : cap * 2;
    b->p = ct_realloc(b->p, cap, 1);
    b->cap = cap;
    return b->p + b->n;
}

void ct_buf_z(ct_buf *b, const char *z)
{
    ct_buf_put(b, ct_str_z(z));
}

void ct_buf_u64(ct_buf *b, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    ct_buf_put(b, (ct_str){digits + at, sizeof digits - at});
}

void ct_buf_printf(ct_buf *b, const char *format, ...)
{
    size_t room = 128;
    for (int pass = 0; pass < 2; pass++) {
        char *to = ct_buf_room(b, room);
        va_list args;
        va_start(args, format);
        int n = vsnprintf(to, room, format, args);
        va_end(args);
        if (n < 0) /* beyond INT_MAX: nothing a caller of printf can have meant */
            return;
        if ((size_t)n < room) {
            b->n += (size_t)n;
            return;
        }
        room = (size_t)n + 1;
    }
}

void ct_buf_free(ct_buf *b)
{
    free(b->p);
    *b = (ct_buf){0};
}
