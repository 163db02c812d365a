/* The syntax of BagIt's tag files and paths: RFC 8493 sections 2.1 and 2.2, and what its drafts
 * 0.93 to 0.97 had otherwise. */
#include "cmd/archive/bagit.h"

#include <stdlib.h>
#include <strings.h>

const bag_algorithm bag_algorithms[BAG_ALGS] = {
    [BAG_MD5] = {"md5", 16},       [BAG_SHA1] = {"sha1", 20},     [BAG_SHA224] = {"sha224", 28},
    [BAG_SHA256] = {"sha256", 32}, [BAG_SHA384] = {"sha384", 48}, [BAG_SHA512] = {"sha512", 64},
};

/* ---- files ---- */

/* RFC 8493 2.4: the name of an algorithm in lower case and without punctuation. */
static bag_alg algorithm(ct_str name)
{
    char plain[16];
    size_t n = 0;

    for (size_t i = 0; i < name.n && n < sizeof(plain) - 1; i++) {
        char c = name.p[i];

        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c != '-' && c != '_')
            plain[n++] = c;
    }
    plain[n] = '\0';
    for (int i = 0; i < BAG_ALGS; i++)
        if (strcmp(plain, bag_algorithms[i].name) == 0)
            return (bag_alg)i;
    return BAG_ALGS;
}

static bool between(ct_str s, ct_str prefix, ct_str suffix, ct_str *middle)
{
    if (s.n <= prefix.n + suffix.n || !ct_str_starts(s, prefix) || !ct_str_ends(s, suffix))
        return false;
    *middle = (ct_str){s.p + prefix.n, s.n - prefix.n - suffix.n};
    return true;
}

bag_kind bag_kind_of(ct_str path, bag_alg *alg)
{
    ct_str name;

    *alg = BAG_ALGS;
    if (ct_str_starts(path, CT_S("data/")))
        return BAG_PAYLOAD;
    if (ct_str_is(path, "bagit.txt"))
        return BAG_DECLARATION;
    if (ct_str_is(path, "bag-info.txt") || ct_str_is(path, "package-info.txt"))
        return BAG_INFO;
    if (ct_str_is(path, "fetch.txt"))
        return BAG_FETCH;
    if (path.n && memchr(path.p, '/', path.n))
        return BAG_TAG;
    if (between(path, CT_S("manifest-"), CT_S(".txt"), &name)) {
        *alg = algorithm(name);
        return BAG_MANIFEST;
    }
    if (between(path, CT_S("tagmanifest-"), CT_S(".txt"), &name)) {
        *alg = algorithm(name);
        return BAG_TAGMANIFEST;
    }
    return BAG_TAG;
}

/* ---- lines ---- */

static void keep_part(bag_lines *l, ct_str bytes)
{
    size_t room = BAG_LINE_MAX - l->part.n;

    if (bytes.n > room)
        l->too_long = true;
    ct_buf_put(&l->part, ct_str_head(bytes, room));
}

static void give_line(bag_lines *l, ct_str end, bag_line_fn *each, void *ctx)
{
    if (l->part.n) {
        keep_part(l, end);
        end = ct_buf_str(&l->part);
    }
    if (end.n > BAG_LINE_MAX)
        l->too_long = true;
    each(ctx, ct_str_head(end, BAG_LINE_MAX), ++l->number);
    l->part.n = 0;
}

void bag_lines_add(bag_lines *l, ct_str bytes, bag_line_fn *each, void *ctx)
{
    while (bytes.n) {
        size_t n = 0;

        if (l->after_cr && bytes.p[0] == '\n') {
            l->after_cr = false;
            bytes = ct_str_from(bytes, 1);
            continue;
        }
        l->after_cr = false;
        while (n < bytes.n && bytes.p[n] != '\n' && bytes.p[n] != '\r')
            n++;
        if (n == bytes.n) {
            keep_part(l, bytes);
            return;
        }
        give_line(l, ct_str_head(bytes, n), each, ctx);
        l->after_cr = bytes.p[n] == '\r';
        bytes = ct_str_from(bytes, n + 1);
    }
}

void bag_lines_end(bag_lines *l, bag_line_fn *each, void *ctx)
{
    if (l->part.n)
        give_line(l, (ct_str){"", 0}, each, ctx);
    ct_buf_free(&l->part);
    *l = (bag_lines){0};
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

static size_t blanks(ct_str s, size_t at)
{
    while (at < s.n && blank(s.p[at]))
        at++;
    return at;
}

bool bag_entry_parse(ct_str line, bag_alg alg, bag_entry *e)
{
    size_t len = bag_algorithms[alg].len, at = 2 * len;

    *e = (bag_entry){0};
    if (line.n <= at + 1 || !blank(line.p[at]))
        return false;
    for (size_t i = 0; i < len; i++) {
        int high = hex_value(line.p[2 * i]), low = hex_value(line.p[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        e->digest[i] = (uint8_t)(high << 4 | low);
    }
    e->path = ct_str_from(line, blanks(line, at));
    if (ct_str_starts(e->path, CT_S("*"))) {
        e->star = true;
        e->path = ct_str_from(e->path, 1);
    }
    while (ct_str_starts(e->path, CT_S("./"))) {
        e->dot_slash = true;
        e->path = ct_str_from(e->path, 2);
    }
    return e->path.n > 0;
}

bool bag_fetch_parse(ct_str line, ct_str *url, ct_str *path)
{
    size_t at = 0;
    ct_str length;
    uint64_t bytes;

    while (at < line.n && !blank(line.p[at]))
        at++;
    if (at == 0 || at == line.n)
        return false;
    *url = ct_str_head(line, at);
    at = blanks(line, at);
    length = ct_str_from(line, at);
    while (at < line.n && !blank(line.p[at]))
        at++;
    length.n -= line.n - at;
    if (!ct_str_is(length, "-") && !ct_str_u64(length, &bytes))
        return false;
    *path = ct_str_from(line, blanks(line, at));
    return path->n > 0;
}

const char *bag_url_unsafe(ct_str url)
{
    static const char *const schemes[] = {"https", "http", "ftps", "ftp", "sftp"};

    for (size_t i = 0; i < CT_LEN(schemes); i++) {
        size_t n = strlen(schemes[i]);

        if (url.n > n + 3 && strncasecmp(url.p, schemes[i], n) == 0 &&
            memcmp(url.p + n, "://", 3) == 0)
            return NULL;
    }
    return "an address that is none of http, https, ftp, ftps, sftp";
}

bool bag_oxum_parse(ct_str text, uint64_t *bytes, uint64_t *files)
{
    ct_str rest = ct_str_trim(text);
    ct_str octets = ct_str_cut(&rest, '.');

    return rest.p && ct_str_u64(octets, bytes) && ct_str_u64(rest, files);
}

/* Takes a line off the text; `*rest` has p NULL behind the last one. */
static ct_str take_line(ct_str *rest)
{
    size_t n = 0;
    ct_str line;

    while (n < rest->n && rest->p[n] != '\n' && rest->p[n] != '\r')
        n++;
    line = ct_str_head(*rest, n);
    if (n + 1 < rest->n && rest->p[n] == '\r' && rest->p[n + 1] == '\n')
        n++;
    *rest = n + 1 < rest->n ? ct_str_from(*rest, n + 1) : (ct_str){NULL, 0};
    return line;
}

static bool labelled(ct_str line, const char *label, ct_str *value)
{
    ct_str name = ct_str_z(label);

    if (!ct_str_starts(line, name) || line.n == name.n || line.p[name.n] != ':')
        return false;
    *value = ct_str_trim(ct_str_from(line, name.n + 1));
    return value->n > 0;
}

const char *bag_declaration_parse(ct_str text, bag_declaration *d)
{
    static const struct {
        const char *text;
        unsigned number;
    } versions[] = {{"1.0", 100}, {"0.97", 97}, {"0.96", 96},
                    {"0.95", 95}, {"0.94", 94}, {"0.93", 93}};
    ct_str rest = text, value;

    *d = (bag_declaration){0};
    if (ct_str_starts(text, CT_S("\xef\xbb\xbf")))
        return "starts with a byte order mark";
    if (!labelled(take_line(&rest), "BagIt-Version", &value))
        return "the first line is not BagIt-Version";
    for (size_t i = 0; i < CT_LEN(versions); i++)
        if (ct_str_is(value, versions[i].text))
            d->version = versions[i].number;
    if (d->version == 0)
        return "a version of BagIt that is not known";
    if (!rest.p || !labelled(take_line(&rest), "Tag-File-Character-Encoding", &value))
        return "the second line is not Tag-File-Character-Encoding";
    if (value.n >= sizeof(d->encoding))
        return "a character encoding that is not known";
    memcpy(d->encoding, value.p, value.n);
    return rest.p ? "has more than two lines" : NULL;
}

/* ---- paths ---- */

void bag_path_decode(ct_buf *to, ct_str path, unsigned version)
{
    for (size_t i = 0; i < path.n; i++) {
        int high = i + 2 < path.n ? hex_value(path.p[i + 1]) : -1;
        int low = i + 2 < path.n ? hex_value(path.p[i + 2]) : -1;
        int c = path.p[i] == '%' && high >= 0 && low >= 0 ? high << 4 | low : -1;

        if (c == '\n' || c == '\r' || (c == '%' && version >= 100)) {
            ct_buf_c(to, (char)c);
            i += 2;
        } else {
            ct_buf_c(to, path.p[i]);
        }
    }
}

/* `..`, also where a backslash separates steps, as it does where the bag may be copied to. */
static bool leads_up(ct_str step)
{
    while (step.p)
        if (ct_str_is(ct_str_cut(&step, '\\'), ".."))
            return true;
    return false;
}

const char *bag_path_unsafe(ct_str path)
{
    ct_str rest = path;

    if (path.n == 0)
        return "an empty path";
    if (path.p[0] == '/' || path.p[0] == '\\')
        return "an absolute path";
    if (path.p[0] == '~')
        return "a path into a home folder";
    if (memchr(path.p, '\0', path.n))
        return "a path with a NUL";
    if (path.n > 1 && path.p[1] == ':' && (path.p[0] | 32) >= 'a' && (path.p[0] | 32) <= 'z')
        return "an absolute path";
    while (rest.p) {
        ct_str step = ct_str_cut(&rest, '/');

        if (leads_up(step))
            return "a path out of the bag";
        if (step.n == 0 || ct_str_is(step, "."))
            return "a path with an empty step";
    }
    return NULL;
}
