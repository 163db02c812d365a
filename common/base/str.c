/* Slices: compare, search, take apart. */
#include "common/base/base.h"

int ct_str_cmp(ct_str a, ct_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

bool ct_str_starts(ct_str s, ct_str prefix)
{
    return s.n >= prefix.n && ct_str_eq(ct_str_head(s, prefix.n), prefix);
}

bool ct_str_ends(ct_str s, ct_str suffix)
{
    return s.n >= suffix.n && ct_str_eq(ct_str_from(s, s.n - suffix.n), suffix);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

ct_str ct_str_trim(ct_str s)
{
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    while (s.n && is_space(*s.p)) {
        s.p++;
        s.n--;
    }
    return s;
}

ct_str ct_str_cut(ct_str *rest, char sep)
{
    ct_str head = *rest;
    const char *at = rest->n ? memchr(rest->p, sep, rest->n) : NULL;
    if (!at) {
        *rest = (ct_str){NULL, 0};
        return head;
    }
    head.n = (size_t)(at - head.p);
    *rest = ct_str_from(*rest, head.n + 1);
    return head;
}

size_t ct_str_find(ct_str s, ct_str needle)
{
    if (needle.n == 0)
        return 0;
    size_t at = 0;
    while (s.n - at >= needle.n) {
        const char *hit = memchr(s.p + at, needle.p[0], s.n - at - needle.n + 1);
        if (!hit)
            break;
        at = (size_t)(hit - s.p);
        if (memcmp(hit, needle.p, needle.n) == 0)
            return at;
        at++;
    }
    return SIZE_MAX;
}

bool ct_str_u64(ct_str s, uint64_t *value)
{
    uint64_t sum = 0;
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        unsigned digit = (unsigned)(s.p[i] - '0');
        if (sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return true;
}
