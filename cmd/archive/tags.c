/* Reads a bag's tag files as they go by: the declaration, bag-info.txt, fetch.txt, the manifests.
 */
#include "cmd/archive/check_state.h"

#include <strings.h>

enum { DECLARATION_MAX = 4096, FIELD_MAX = 1 << 20 };

static const ct_str no_path = {"", 0};

static const char *tag_name(const bag_check *c)
{
    switch (c->kind) {
    case BAG_DECLARATION:
        return "bagit.txt";
    case BAG_INFO:
        return "bag-info.txt";
    case BAG_FETCH:
        return "fetch.txt";
    case BAG_MANIFEST:
        return bag_manifest_name(c->alg);
    case BAG_TAGMANIFEST:
        return bag_manifest_name(BAG_ALGS + c->alg);
    case BAG_PAYLOAD:
    case BAG_TAG:
        break;
    }
    return "file";
}

static void note(bag_check *c, bag_severity severity, uint64_t line, const char *reason,
                 ct_str path)
{
    bag_check_note(c, severity, tag_name(c), line, reason, path);
}

/* ---- manifests ---- */

static const char *wrong_place(const bag_check *c, ct_str path)
{
    bool payload = ct_str_starts(path, CT_S("data/"));
    bag_alg alg;

    if (c->kind == BAG_MANIFEST)
        return payload ? NULL : "lists a file that is not payload";
    if (payload)
        return "lists a payload file";
    return bag_kind_of(path, &alg) == BAG_TAGMANIFEST ? "lists a tag manifest" : NULL;
}

/* Files that a desktop leaves behind, and may change or take away again. */
static bool is_litter(ct_str path)
{
    static const char *const names[] = {".DS_Store", "Thumbs.db", "desktop.ini"};

    for (size_t i = 0; i < CT_LEN(names); i++) {
        ct_str name = ct_str_z(names[i]);

        if (ct_str_ends(path, name) && path.n > name.n && path.p[path.n - name.n - 1] == '/')
            return true;
    }
    return false;
}

static void note_looks(bag_check *c, const bag_entry *e, uint64_t line)
{
    if (is_litter(e->path))
        note(c, BAG_WARNING, line, "lists a file that the operating system makes", e->path);
    if (e->star && !c->star)
        note(c, BAG_WARNING, line, "paths have an asterisk before them", e->path);
    if (e->dot_slash && !c->dot_slash)
        note(c, BAG_WARNING, line, "paths start with ./", e->path);
    c->star |= e->star;
    c->dot_slash |= e->dot_slash;
}

static void listed_again(bag_check *c, int manifest, const bag_entry *e, ct_str digest,
                         uint64_t line)
{
    bool same = false;
    int result;

    bag_db_bind(c, c->get_listed, 1, e->path);
    sqlite3_bind_int(c->get_listed, 2, manifest);
    result = sqlite3_step(c->get_listed);
    if (result == SQLITE_ROW)
        same = ct_str_eq(bag_db_bytes(c->get_listed, 0), digest);
    sqlite3_reset(c->get_listed);
    if (result != SQLITE_ROW)
        bag_db_failed(c);
    else if (same)
        note(c, BAG_STRICT, line, "lists a file a second time", e->path);
    else
        note(c, BAG_INVALID, line, "lists a file again with another checksum", e->path);
}

static void manifest_line(void *ctx, ct_str line, uint64_t number)
{
    bag_check *c = ctx;
    int manifest = (c->kind == BAG_TAGMANIFEST ? BAG_ALGS : 0) + (int)c->alg;
    bag_entry e;
    ct_str digest = {(const char *)e.digest, bag_algorithms[c->alg].len};
    const char *wrong;
    bool clash;

    if (!bag_entry_parse(line, c->alg, &e)) {
        note(c, BAG_INVALID, number, "not a checksum and a path", no_path);
        return;
    }
    note_looks(c, &e, number);
    wrong = bag_path_unsafe(e.path);
    if (!wrong)
        wrong = wrong_place(c, e.path);
    if (wrong) {
        note(c, BAG_INVALID, number, wrong, e.path);
        return;
    }
    for (size_t i = 0; i < e.path.n; i++) {
        c->percent |= e.path.p[i] == '%';
        c->foreign |= (e.path.p[i] & 0x80) != 0;
    }
    bag_db_bind(c, c->add_listed, 1, e.path);
    sqlite3_bind_int(c->add_listed, 2, manifest);
    sqlite3_bind_int64(c->add_listed, 3, (sqlite3_int64)number);
    bag_db_bind(c, c->add_listed, 4, digest);
    bag_db_run(c, c->add_listed, &clash);
    if (clash)
        listed_again(c, manifest, &e, digest, number);
}

/* ---- fetch.txt ---- */

static void fetch_line(void *ctx, ct_str line, uint64_t number)
{
    bag_check *c = ctx;
    ct_str url, path;
    const char *wrong;
    bool clash;

    if (!bag_fetch_parse(line, &url, &path)) {
        note(c, BAG_INVALID, number, "not an address, a length and a path", no_path);
        return;
    }
    wrong = bag_path_unsafe(path);
    if (!wrong && !ct_str_starts(path, CT_S("data/")))
        wrong = "names a file that is not payload";
    if (!wrong)
        wrong = bag_url_unsafe(url);
    if (wrong) {
        note(c, BAG_INVALID, number, wrong, path);
        return;
    }
    c->has_fetch = true;
    bag_db_bind(c, c->add_fetch, 1, path);
    sqlite3_bind_int64(c->add_fetch, 2, (sqlite3_int64)number);
    bag_db_run(c, c->add_fetch, &clash);
    if (clash)
        note(c, BAG_INVALID, number, "names a file a second time", path);
}

/* ---- bag-info.txt ---- */

static bool label_is(ct_str label, const char *name)
{
    return label.n == strlen(name) && strncasecmp(label.p, name, label.n) == 0;
}

static void take_oxum(bag_check *c, ct_str value)
{
    if (c->has_oxum)
        note(c, BAG_INVALID, c->field_line, "a second Payload-Oxum", no_path);
    else if (!bag_oxum_parse(value, &c->oxum_bytes, &c->oxum_files))
        note(c, BAG_INVALID, c->field_line, "the Payload-Oxum is not two numbers", no_path);
    else
        c->has_oxum = true;
    c->oxum_line = c->field_line;
}

static void end_field(bag_check *c)
{
    ct_str value = ct_buf_str(&c->field), label;

    if (c->field.n == 0)
        return;
    label = ct_str_trim(ct_str_cut(&value, ':'));
    if (c->profile && value.p)
        bag_profile_info(c->profile, label, value, c->field_line);
    if (!value.p) {
        note(c, BAG_STRICT, c->field_line, "not a label and a value", no_path);
    } else if (label_is(label, "Payload-Oxum")) {
        take_oxum(c, value);
    } else if (label_is(label, "Readable-Copies") || label_is(label, "Attachment-Count")) {
        uint64_t n;

        if (ct_str_u64(ct_str_trim(value), &n) && n <= UINT32_MAX)
            c->copies += n;
    }
    c->field.n = 0;
}

static void info_line(void *ctx, ct_str line, uint64_t number)
{
    bag_check *c = ctx;
    bool folded = line.n && (line.p[0] == ' ' || line.p[0] == '\t');

    if (!folded)
        end_field(c);
    if (c->field.n == 0)
        c->field_line = number;
    ct_buf_put(&c->field, ct_str_head(line, FIELD_MAX - c->field.n));
}

/* ---- all of them ---- */

static bag_line_fn *line_reader(const bag_check *c)
{
    switch (c->kind) {
    case BAG_INFO:
        return info_line;
    case BAG_FETCH:
        return fetch_line;
    case BAG_MANIFEST:
    case BAG_TAGMANIFEST:
        return c->alg == BAG_ALGS ? NULL : manifest_line;
    case BAG_DECLARATION:
    case BAG_PAYLOAD:
    case BAG_TAG:
        break;
    }
    return NULL;
}

static void start_tag(bag_check *c, ct_str path)
{
    c->in_tag = true;
    c->star = c->dot_slash = false;
    c->kind = bag_kind_of(path, &c->alg);
    if (c->kind != BAG_MANIFEST && c->kind != BAG_TAGMANIFEST)
        return;
    if (c->alg == BAG_ALGS) {
        bag_check_note(c, BAG_INVALID, "manifest", 0,
                       "its kind of checksum is not known, so nothing can be said", path);
        c->kind = BAG_TAG;
        return;
    }
    c->manifests[(c->kind == BAG_TAGMANIFEST ? BAG_ALGS : 0) + (int)c->alg] = true;
}

void bag_check_tag(bag_check *c, ct_str path, ct_str bytes)
{
    bag_line_fn *reader;

    if (!c->in_tag)
        start_tag(c, path);
    reader = line_reader(c);
    if (reader)
        bag_lines_add(&c->lines, bytes, reader, c);
    else if (c->kind == BAG_DECLARATION)
        ct_buf_put(&c->text, ct_str_head(bytes, DECLARATION_MAX - c->text.n));
}

void bag_check_tag_end(bag_check *c)
{
    bag_line_fn *reader = line_reader(c);
    const char *wrong = NULL;

    if (reader) {
        if (c->lines.too_long)
            note(c, BAG_INVALID, c->lines.number + 1, "has a line that is too long", no_path);
        bag_lines_end(&c->lines, reader, c);
    }
    if (c->kind == BAG_INFO)
        end_field(c);
    if (c->kind == BAG_DECLARATION) {
        wrong = bag_declaration_parse(ct_buf_str(&c->text), &c->declaration);
        c->declared = true;
        c->text.n = 0;
    }
    if (wrong)
        note(c, BAG_INVALID, 0, wrong, no_path);
    c->in_tag = false;
}
