/* Decimals as FHIR means them: exact, base ten. A 128-bit coefficient holds the 36 digits that any
 * sum of clinical numbers needs; what does not fit is an overflow, never a rounded value.
 */
#include <math.h>
#include <stdio.h>

#include "common/fhirpath/internal.h"

typedef unsigned __int128 u128;

enum { DIGITS_MAX = 36, SCALE_MAX = FP_SCALE_MAX, PLACES_DIVIDED = 16, PLACES_LEAST = 8 };

static u128 magnitude(__int128 v)
{
    return v < 0 ? (u128)-v : (u128)v;
}

/* 10^36, the first coefficient that is too large. */
static u128 limit(void)
{
    return (u128)1000000000000000000 * 1000000000000000000;
}

static bool fits(__int128 v)
{
    return magnitude(v) < limit();
}

static bool scale_up(__int128 *c, int places)
{
    for (; places > 0; places--) {
        if (magnitude(*c) >= limit() / 10)
            return *c == 0;
        *c *= 10;
    }
    return true;
}

/* Without trailing zeros behind the point, down to `least` places. */
static struct fp_dec strip(struct fp_dec d, int least)
{
    while (d.scale > least && d.c % 10 == 0) {
        d.c /= 10;
        d.scale--;
    }
    return d;
}

/* ---- text ---- */

/* The exponent behind the digits, bounded so that nothing overflows. */
static bool parse_exponent(ct_str s, size_t *i, int *exponent)
{
    bool minus = false;
    int v = 0;
    if (*i == s.n || (s.p[*i] != 'e' && s.p[*i] != 'E'))
        return true;
    ++*i;
    if (*i < s.n && (s.p[*i] == '-' || s.p[*i] == '+'))
        minus = s.p[(*i)++] == '-';
    size_t from = *i;
    for (; *i < s.n && s.p[*i] >= '0' && s.p[*i] <= '9'; ++*i) {
        if (v < 1000)
            v = v * 10 + (s.p[*i] - '0');
    }
    *exponent = minus ? -v : v;
    return *i > from;
}

bool ct_dec_parse(ct_str s, struct fp_dec *d)
{
    size_t i = 0, digits = 0;
    bool minus = false, point = false;
    int exponent = 0;
    *d = (struct fp_dec){0, 0};
    if (i < s.n && (s.p[i] == '-' || s.p[i] == '+'))
        minus = s.p[i++] == '-';
    for (; i < s.n; i++) {
        if (s.p[i] == '.' && !point && digits > 0) {
            point = true;
            continue;
        }
        if (s.p[i] < '0' || s.p[i] > '9')
            break;
        if (magnitude(d->c) >= limit() / 10 || d->scale >= SCALE_MAX)
            return false;
        d->c = d->c * 10 + (s.p[i] - '0');
        d->scale += point;
        digits++;
    }
    if (digits == 0 || s.p[i - 1] == '.' || !parse_exponent(s, &i, &exponent) || i != s.n)
        return false;
    if (minus)
        d->c = -d->c;
    d->scale -= exponent;
    if (d->scale < 0) {
        if (!scale_up(&d->c, -d->scale))
            return false;
        d->scale = 0;
    }
    *d = d->scale > SCALE_MAX ? strip(*d, SCALE_MAX) : *d;
    return d->scale <= SCALE_MAX;
}

struct fp_dec ct_dec_int(int64_t v)
{
    return (struct fp_dec){v, 0};
}

ct_str ct_dec_text(ct_arena *a, struct fp_dec d)
{
    char text[DIGITS_MAX + 48];
    size_t at = sizeof text;
    u128 c = magnitude(d.c);
    for (int place = 0; c > 0 || place <= d.scale; place++) {
        if (place == d.scale && place > 0)
            text[--at] = '.';
        text[--at] = (char)('0' + (int)(c % 10));
        c /= 10;
    }
    if (d.c < 0)
        text[--at] = '-';
    return ct_arena_copy(a, (ct_str){text + at, sizeof text - at});
}

/* ---- arithmetic ---- */

/* Brings both to the same scale. */
static bool align(struct fp_dec *a, struct fp_dec *b)
{
    struct fp_dec *low = a->scale < b->scale ? a : b;
    int scale = a->scale < b->scale ? b->scale : a->scale;
    if (scale_up(&low->c, scale - low->scale)) {
        low->scale = scale;
        return true;
    }
    return false;
}

bool ct_dec_add(struct fp_dec a, struct fp_dec b, struct fp_dec *out)
{
    if (!align(&a, &b))
        return false;
    *out = (struct fp_dec){a.c + b.c, a.scale};
    return fits(out->c);
}

bool ct_dec_mul(struct fp_dec a, struct fp_dec b, struct fp_dec *out)
{
    if (a.scale + b.scale > SCALE_MAX || (b.c != 0 && magnitude(a.c) >= limit() / magnitude(b.c))) {
        a = strip(a, 0);
        b = strip(b, 0);
    }
    if (a.scale + b.scale > SCALE_MAX || (b.c != 0 && magnitude(a.c) >= limit() / magnitude(b.c)))
        return false;
    *out = (struct fp_dec){a.c * b.c, a.scale + b.scale};
    return true;
}

bool ct_dec_div(struct fp_dec a, struct fp_dec b, struct fp_dec *out)
{
    int places = PLACES_DIVIDED;
    if (b.c == 0)
        return false;
    a = strip(a, 0);
    b = strip(b, 0);
    __int128 up = a.c;
    /* a/b to `places`: a.c * 10^(places + b.scale - a.scale) / b.c */
    while (places >= PLACES_LEAST) {
        int shift = places + b.scale - a.scale;
        up = a.c;
        __int128 down = b.c;
        if (shift >= 0 ? scale_up(&up, shift) : scale_up(&down, -shift)) {
            __int128 q = up / down, rest = up % down;
            if (magnitude(rest) * 2 >= magnitude(down))
                q += (up < 0) == (down < 0) ? 1 : -1;
            *out = strip((struct fp_dec){q, places}, 0);
            return fits(q);
        }
        places--;
    }
    return false;
}

bool ct_dec_cmp(struct fp_dec a, struct fp_dec b, int *cmp)
{
    a = strip(a, 0);
    b = strip(b, 0);
    if (!align(&a, &b)) {
        /* Too far apart to be brought together: the one with the higher scale is the smaller. */
        int sign_a = (a.c > 0) - (a.c < 0), sign_b = (b.c > 0) - (b.c < 0);
        *cmp = sign_a != sign_b ? (sign_a > sign_b ? 1 : -1) : a.scale < b.scale ? sign_a : -sign_a;
        return true;
    }
    *cmp = (a.c > b.c) - (a.c < b.c);
    return true;
}

bool ct_dec_quotient(struct fp_dec a, struct fp_dec b, struct fp_dec *out)
{
    if (b.c == 0 || !align(&a, &b))
        return false;
    *out = (struct fp_dec){a.c / b.c, 0};
    return true;
}

bool ct_dec_round(struct fp_dec d, int places, enum fp_round mode, struct fp_dec *out)
{
    __int128 unit = 1;
    if (places < 0 || places > SCALE_MAX)
        return false;
    *out = d;
    if (d.scale <= places)
        return true;
    for (int i = places; i < d.scale; i++)
        unit *= 10;
    __int128 q = d.c / unit, rest = d.c % unit;
    if (mode == ROUND_HALF && magnitude(rest) * 2 >= magnitude(unit))
        q += d.c < 0 ? -1 : 1;
    else if (mode == ROUND_FLOOR && rest < 0)
        q--;
    else if (mode == ROUND_CEILING && rest > 0)
        q++;
    *out = (struct fp_dec){q, places};
    return true;
}

bool ct_dec_to_int(struct fp_dec d, int64_t *value)
{
    d = strip(d, 0);
    if (d.scale != 0 || d.c > INT64_MAX || d.c < INT64_MIN)
        return false;
    *value = (int64_t)d.c;
    return true;
}

double ct_dec_double(struct fp_dec d)
{
    return (double)((long double)d.c / powl(10.0L, d.scale));
}

bool ct_dec_from_double(ct_arena *a, double v, ct_str *text)
{
    char buf[64];
    struct fp_dec d;
    if (!isfinite(v))
        return false;
    int n = snprintf(buf, sizeof buf, "%.15g", v);
    if (n <= 0 || (size_t)n >= sizeof buf || !ct_dec_parse((ct_str){buf, (size_t)n}, &d))
        return false;
    *text = ct_dec_text(a, d);
    return true;
}

int ct_dec_places(struct fp_dec d)
{
    return strip(d, 0).scale;
}

bool ct_dec_of(const ct_item *value, struct fp_dec *d)
{
    if (value->type == CT_I_INTEGER) {
        *d = ct_dec_int(value->integer);
        return true;
    }
    return (value->type == CT_I_DECIMAL || value->type == CT_I_QUANTITY) &&
           ct_dec_parse(value->text, d);
}
