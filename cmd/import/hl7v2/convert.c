/* Text of HL7 v2 to FHIR's primitive types. */
#include "cmd/import/hl7v2/convert.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits_at(ct_str s)
{
    size_t n = 0;
    while (n < s.n && is_digit(s.p[n]))
        n++;
    return n;
}

static unsigned number(const char *p, size_t n)
{
    unsigned value = 0;
    for (size_t i = 0; i < n; i++)
        value = value * 10 + (unsigned)(p[i] - '0');
    return value;
}

/* ---- dates and times ---- */

static unsigned days_in(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool clock_valid(const char *p, size_t n)
{
    return (n < 2 || number(p, 2) < 24) && (n < 4 || number(p + 2, 2) < 60) &&
           (n < 6 || number(p + 4, 2) < 60);
}

static bool calendar_valid(const char *p, size_t n)
{
    unsigned year = number(p, 4), month = n >= 6 ? number(p + 4, 2) : 1;

    if (year == 0 || month < 1 || month > 12)
        return false;
    return n < 8 || (number(p + 6, 2) >= 1 && number(p + 6, 2) <= days_in(year, month));
}

/* +hhmm or -hhmm, at most 14 hours (FHIR). */
static bool zone_at(ct_str s, char zone[7])
{
    if (s.n != 5 || (*s.p != '+' && *s.p != '-') || digits_at(ct_str_from(s, 1)) != 4 ||
        number(s.p + 1, 2) * 60 + number(s.p + 3, 2) > 14 * 60 || number(s.p + 3, 2) > 59)
        return false;
    memcpy(zone, (char[]){s.p[0], s.p[1], s.p[2], ':', s.p[3], s.p[4], '\0'}, 7);
    return true;
}

static ct_str cut_fraction(ct_str *s)
{
    ct_str fraction = CT_S("");

    if (s->n > 1 && *s->p == '.' && is_digit(s->p[1])) {
        fraction = ct_str_head(*s, 1 + digits_at(ct_str_from(*s, 1)));
        *s = ct_str_from(*s, fraction.n);
    }
    return fraction;
}

bool import_dtm_parse(ct_str text, import_dtm *d)
{
    ct_str s = ct_str_trim(text);
    size_t n = digits_at(s);

    *d = (import_dtm){0};
    if (n < 4 || n > 14 || n % 2 || !calendar_valid(s.p, n) ||
        (n > 8 && !clock_valid(s.p + 8, n - 8)))
        return false;
    memcpy(d->digits, s.p, n);
    d->n = n;
    s = ct_str_from(s, n);
    if (n == 14)
        d->fraction = cut_fraction(&s);
    if (s.n && !(d->zoned = zone_at(s, d->zone)))
        return false;
    return true;
}

void import_dtm_date(const import_dtm *d, ct_buf *b)
{
    ct_buf_put(b, (ct_str){d->digits, 4});
    for (size_t at = 4; at < 8 && at < d->n; at += 2) {
        ct_buf_c(b, '-');
        ct_buf_put(b, (ct_str){d->digits + at, 2});
    }
}

/* FHIR wants hours, minutes and seconds where there is a time at all; `n` of the digits are there.
 */
static void put_clock(ct_buf *b, const char *digits, size_t n)
{
    for (size_t at = 0; at < 6; at += 2) {
        if (at)
            ct_buf_c(b, ':');
        ct_buf_put(b, at < n ? (ct_str){digits + at, 2} : CT_S("00"));
    }
}

void import_dtm_datetime(const import_dtm *d, const char *zone, uint64_t *assumed, ct_buf *b)
{
    import_dtm_date(d, b);
    if (d->n <= 8)
        return;
    ct_buf_c(b, 'T');
    put_clock(b, d->digits + 8, d->n - 8);
    ct_buf_put(b, d->fraction);
    ct_buf_z(b, d->zoned ? d->zone : zone);
    *assumed += !d->zoned;
}

bool import_zone_parse(ct_str text, char zone[7])
{
    import_dtm d;
    char compact[6];

    if (text.n == 6 && text.p[3] == ':') { /* an option may have the colon */
        memcpy(compact, (char[]){text.p[0], text.p[1], text.p[2], text.p[4], text.p[5], '\0'}, 6);
        return zone_at(ct_str_z(compact), zone);
    }
    if (zone_at(text, zone))
        return true;
    if (!import_dtm_parse(text, &d) || !d.zoned)
        return false;
    memcpy(zone, d.zone, sizeof d.zone);
    return true;
}

/* Senders write the colons of other notations, too. */
static ct_str without_colons(ct_str s, char compact[6])
{
    if (s.n != 8 || s.p[2] != ':' || s.p[5] != ':')
        return s;
    memcpy(compact, (char[]){s.p[0], s.p[1], s.p[3], s.p[4], s.p[6], s.p[7]}, 6);
    return (ct_str){compact, 6};
}

bool import_time_put(ct_str text, ct_buf *b)
{
    char compact[6], zone[7];
    ct_str s = without_colons(ct_str_trim(text), compact);
    size_t n = digits_at(s);

    if ((n != 2 && n != 4 && n != 6) || !clock_valid(s.p, n))
        return false;
    put_clock(b, s.p, n);
    s = ct_str_from(s, n);
    if (n == 6)
        ct_buf_put(b, cut_fraction(&s));
    return s.n == 0 || zone_at(s, zone); /* FHIR's time has no zone */
}

/* ---- numbers ---- */

/* JSON allows no plus, no leading zeros, no bare point; all digits behind the point are kept. */
bool import_decimal_put(ct_str text, ct_buf *b)
{
    ct_str s = ct_str_trim(text);
    bool minus = s.n && *s.p == '-';

    if (s.n && (*s.p == '-' || *s.p == '+'))
        s = ct_str_from(s, 1);
    size_t whole = digits_at(s);
    ct_str rest = ct_str_from(s, whole);
    size_t behind = rest.n && *rest.p == '.' ? digits_at(ct_str_from(rest, 1)) : 0;
    if (whole + behind == 0 || rest.n != (rest.n ? 1 + behind : 0) || (rest.n && *rest.p != '.'))
        return false;
    size_t zeros = 0;
    while (zeros + 1 < whole && s.p[zeros] == '0')
        zeros++;
    ct_buf_z(b, minus ? "-" : "");
    ct_buf_put(b, whole ? (ct_str){s.p + zeros, whole - zeros} : CT_S("0"));
    if (behind)
        ct_buf_put(b, ct_str_head(rest, 1 + behind));
    return true;
}

bool import_integer_put(ct_str text, bool positive, ct_buf *b)
{
    ct_str s = ct_str_trim(text);
    uint64_t value;

    if (s.n && *s.p == '+')
        s = ct_str_from(s, 1);
    if (!ct_str_u64(s, &value) || value > INT32_MAX || (positive && value == 0))
        return false;
    ct_buf_u64(b, value);
    return true;
}

/* A duration as minutes, by the units of UCUM and of HL7's ISO+; false where it is not whole. */
bool import_minutes_put(ct_str number, ct_str unit, ct_buf *b)
{
    static const struct {
        const char *unit;
        uint64_t seconds;
    } units[] = {
        {"s", 1},     {"sec", 1},   {"min", 60},    {"h", 3600},
        {"hr", 3600}, {"d", 86400}, {"day", 86400}, {"wk", 604800},
    };
    uint64_t value;

    if (!ct_str_u64(ct_str_trim(number), &value) || value > 100000)
        return false;
    for (size_t i = 0; i < CT_LEN(units); i++)
        if (ct_str_is(unit, units[i].unit)) {
            value *= units[i].seconds;
            ct_buf_u64(b, value / 60);
            return value % 60 == 0 && value / 60 <= INT32_MAX;
        }
    return false;
}

/* ---- words ---- */

void import_code_put(ct_str text, ct_buf *b)
{
    ct_str s = ct_str_trim(text);

    for (size_t i = 0; i < s.n; i++) {
        bool space = strchr(" \t\r\n", s.p[i]) != NULL;
        if (!space)
            ct_buf_c(b, s.p[i]);
        else if (b->n && b->p[b->n - 1] != ' ')
            ct_buf_c(b, ' ');
    }
}

void import_uri_put(ct_str text, ct_buf *b)
{
    ct_str s = ct_str_trim(text);

    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ')
            ct_buf_printf(b, "%%%02X", (unsigned)(unsigned char)s.p[i]);
        else
            ct_buf_c(b, s.p[i]);
}

bool import_mime_put(ct_str text, ct_buf *b)
{
    ct_str s = ct_str_trim(text);

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (!((c >= 'a' && c <= 'z') || is_digit(c) || strchr("!#$&-^_.+", c)))
            return false;
        ct_buf_c(b, c);
    }
    return s.n > 0;
}

/* ---- data ---- */

static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void import_base64_put(ct_str bytes, ct_buf *b)
{
    for (size_t i = 0; i < bytes.n; i += 3) {
        uint32_t three = 0;
        size_t n = bytes.n - i < 3 ? bytes.n - i : 3;
        for (size_t k = 0; k < 3; k++)
            three = three << 8 | (k < n ? (unsigned char)bytes.p[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            ct_buf_c(b, k <= n ? base64_alphabet[three >> (18 - 6 * k) & 63] : '=');
    }
}

/* As it came, without the line breaks that senders put in. */
static bool put_checked_base64(ct_str data, ct_buf *b)
{
    size_t n = 0, pad = 0;

    for (size_t i = 0; i < data.n; i++) {
        char c = data.p[i];
        if (strchr(" \t\r\n", c) && c)
            continue;
        if (c == '=' ? ++pad > 2 : pad || !c || !strchr(base64_alphabet, c))
            return false;
        ct_buf_c(b, c);
        n++;
    }
    return n % 4 == 0;
}

static bool put_hex_as_base64(ct_str data, ct_buf *b)
{
    ct_buf bytes = {0};
    bool ok = data.n % 2 == 0;

    for (size_t i = 0; ok && i < data.n; i += 2) {
        static const char hex[] = "0123456789abcdefABCDEF";
        const char *high = data.p[i] ? strchr(hex, data.p[i]) : NULL;
        const char *low = data.p[i + 1] ? strchr(hex, data.p[i + 1]) : NULL;
        if (!(ok = high && low))
            break;
        size_t h = (size_t)(high - hex), l = (size_t)(low - hex);
        ct_buf_c(&bytes, (char)((h > 15 ? h - 6 : h) << 4 | (l > 15 ? l - 6 : l)));
    }
    if (ok)
        import_base64_put(ct_buf_str(&bytes), b);
    ct_buf_free(&bytes);
    return ok;
}

bool import_data_put(ct_str data, ct_str encoding, ct_buf *b)
{
    if (ct_str_is(encoding, "Base64") || ct_str_is(encoding, "BASE64") ||
        ct_str_is(encoding, "base64"))
        return put_checked_base64(data, b);
    if (ct_str_is(encoding, "Hex") || ct_str_is(encoding, "HEX"))
        return put_hex_as_base64(ct_str_trim(data), b);
    import_base64_put(data, b);
    return true;
}
