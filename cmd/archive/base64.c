#include "cmd/archive/base64.h"

/* The value of a digit; -1 for padding, -2 for white space, -3 for what is none. */
static int value_of(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '/')
        return c == '+' ? 62 : 63;
    if (c == '=')
        return -1;
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' ? -2 : -3;
}

static bool decode(ct_buf *to, ct_str text)
{
    uint32_t bits = 0;
    unsigned have = 0, digits = 0, padding = 0;
    char *at = ct_buf_room(to, text.n / 4 * 3 + 3);

    for (size_t i = 0; i < text.n; i++) {
        int v = value_of((unsigned char)text.p[i]);

        if (v == -2)
            continue;
        if (v == -3 || (v >= 0 && padding))
            return false;
        if (v == -1) {
            padding++;
            continue;
        }
        bits = (bits << 6 | (uint32_t)v) & 0xFFFFFF;
        have += 6;
        digits = (digits + 1) % 4;
        if (have >= 8) {
            have -= 8;
            *at++ = (char)(bits >> have);
            to->n++;
        }
    }
    return digits != 1 && padding == (digits ? 4 - digits : 0) && (bits & ((1U << have) - 1)) == 0;
}

bool bag_base64(ct_buf *to, ct_str text)
{
    size_t before = to->n;
    bool ok = decode(to, text);

    if (!ok)
        to->n = before;
    return ok;
}
