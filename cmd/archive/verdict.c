/* The end of a check: what the manifests list is held against the files that were there. */
#include "cmd/archive/check_state.h"

#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <strings.h>

static const ct_str no_path = {"", 0};

/* Before 1.0 some rules were looser; a bag that does not say is held to the last version. */
static unsigned version(const bag_check *c)
{
    return c->declaration.version ? c->declaration.version : 100;
}

/* ---- paths as they were meant ---- */

static bool is_utf8(const char *encoding)
{
    return strcasecmp(encoding, "UTF-8") == 0 || strcasecmp(encoding, "UTF8") == 0 ||
           strcasecmp(encoding, "US-ASCII") == 0 || strcasecmp(encoding, "ASCII") == 0 ||
           !*encoding;
}

typedef struct decoder {
    unsigned version;
    iconv_t cd; /* (iconv_t)-1 for UTF-8 */
} decoder;

/* Appends the text in UTF-8; false where it is none of the declared encoding. */
static bool recode(iconv_t cd, ct_str text, ct_buf *to)
{
    char *from = (char *)(uintptr_t)text.p; /* iconv(3) has no const */
    size_t left = text.n, room = 4 * text.n + 16, spare = room;
    char *at = ct_buf_room(to, room);

    iconv(cd, NULL, NULL, NULL, NULL);
    if (iconv(cd, &from, &left, &at, &spare) == (size_t)-1)
        return false;
    to->n += room - spare;
    return true;
}

static void sql_meant(sqlite3_context *ctx, int n, sqlite3_value **args)
{
    const decoder *d = sqlite3_user_data(ctx);
    ct_str path = {sqlite3_value_blob(args[0]), (size_t)sqlite3_value_bytes(args[0])};
    ct_buf decoded = {0}, utf8 = {0};
    bool ok = true;

    (void)n;
    bag_path_decode(&decoded, path, d->version);
    if (d->cd != (iconv_t)-1)
        ok = recode(d->cd, ct_buf_str(&decoded), &utf8);
    path = ct_buf_str(d->cd != (iconv_t)-1 && ok ? &utf8 : &decoded);
    sqlite3_result_blob64(ctx, path.p, path.n, SQLITE_TRANSIENT);
    ct_buf_free(&decoded);
    ct_buf_free(&utf8);
}

/* Decodes the paths of manifests and fetch.txt. Two that become one keep their own spelling, and
 * are then reported as missing. */
static bool decode_paths(bag_check *c)
{
    decoder d = {version(c), (iconv_t)-1};
    bool ok;

    if (c->foreign && !is_utf8(c->declaration.encoding)) {
        d.cd = iconv_open("UTF-8", c->declaration.encoding);
        if (d.cd == (iconv_t)-1)
            bag_check_note(c, BAG_INVALID, "bagit.txt", 2, "a character encoding that is not known",
                           no_path);
    }
    if (!c->percent && d.cd == (iconv_t)-1)
        return true;
    sqlite3_create_function(c->db, "meant", 1, SQLITE_UTF8, &d, sql_meant, NULL, NULL);
    ok = bag_db_exec(c, "UPDATE OR IGNORE listed SET path = meant(path);"
                        "UPDATE OR IGNORE fetch SET path = meant(path)");
    sqlite3_create_function(c->db, "meant", 1, SQLITE_UTF8, NULL, NULL, NULL, NULL);
    if (d.cd != (iconv_t)-1)
        iconv_close(d.cd);
    return ok;
}

/* ---- rules ---- */

static void find_missing(bag_check *c, int manifest)
{
    const char *name = bag_manifest_name(manifest);

    bag_db_note_rows(
        c,
        "SELECT line, path FROM listed WHERE manifest = ?1 AND path NOT IN"
        " (SELECT path FROM file) AND path NOT IN (SELECT path FROM fetch) ORDER BY line",
        manifest, BAG_INCOMPLETE, name, "the file is missing");
    if (c->has_fetch)
        bag_db_note_rows(
            c,
            "SELECT line, path FROM listed WHERE manifest = ?1 AND path NOT IN"
            " (SELECT path FROM file) AND path IN (SELECT path FROM fetch) ORDER BY line",
            manifest, BAG_INCOMPLETE, name, "the file must be fetched first (fetch.txt)");
}

static void find_changed(bag_check *c, int manifest)
{
    char sql[160];

    snprintf(sql, sizeof(sql),
             "SELECT l.line, l.path FROM listed l JOIN file f ON f.path = l.path"
             " WHERE l.manifest = ?1 AND l.digest <> f.d%d ORDER BY l.line",
             manifest % BAG_ALGS);
    bag_db_note_rows(c, sql, manifest, BAG_INVALID, bag_manifest_name(manifest),
                     "the checksum does not match");
}

/* From 1.0 on every manifest lists all payload files; before, one was enough. */
static void find_unlisted(bag_check *c)
{
    char reason[64];

    if (version(c) < 100) {
        bag_db_note_rows(c,
                         "SELECT position, path FROM file WHERE payload AND path NOT IN"
                         " (SELECT path FROM listed WHERE manifest < ?1) ORDER BY position",
                         BAG_ALGS, BAG_INCOMPLETE, "file", "not listed in any manifest");
        return;
    }
    for (int m = 0; m < BAG_ALGS; m++) {
        if (!c->manifests[m])
            continue;
        snprintf(reason, sizeof(reason), "not listed in %s", bag_manifest_name(m));
        bag_db_note_rows(
            c,
            "SELECT position, path FROM file f WHERE payload AND NOT EXISTS (SELECT 1 FROM"
            " listed l WHERE l.path = f.path AND l.manifest = ?1) ORDER BY position",
            m, BAG_INCOMPLETE, "file", reason);
    }
}

static void check_oxum(bag_check *c)
{
    if (!c->has_oxum)
        return;
    if (c->oxum_bytes != c->summary.bytes || c->oxum_files != c->summary.files)
        bag_check_note(c, BAG_INVALID, "bag-info.txt", c->oxum_line,
                       "the Payload-Oxum does not match the payload", no_path);
}

static void check_parts(bag_check *c)
{
    bool any = false;

    if (!c->declared)
        bag_check_note(c, BAG_INCOMPLETE, "bagit.txt", 0, "the file is missing", no_path);
    for (int m = 0; m < BAG_ALGS; m++)
        any |= c->manifests[m];
    if (!any)
        bag_check_note(c, BAG_INCOMPLETE, "manifest", 0, "there is no payload manifest", no_path);
    if (!c->payload)
        bag_check_note(c, BAG_INCOMPLETE, "data", 0, "there is no payload folder", no_path);
}

static void check_fetch(bag_check *c)
{
    if (c->has_fetch)
        bag_db_note_rows(c,
                         "SELECT line, path FROM fetch WHERE path NOT IN"
                         " (SELECT path FROM listed WHERE manifest < ?1) ORDER BY line",
                         BAG_ALGS, BAG_INVALID, "fetch.txt",
                         "the file is not listed in a manifest");
}

/* A container can hold `x` and `x/y`, and so be unpacked nowhere. */
static void find_both(bag_check *c)
{
    bag_db_note_rows(c,
                     "SELECT position, path FROM file f WHERE EXISTS (SELECT 1 FROM file"
                     " WHERE path > CAST(f.path || '/' AS BLOB)"
                     " AND path < CAST(f.path || '0' AS BLOB)) ORDER BY position",
                     0, BAG_INVALID, "file", "the bag holds a folder of the same name");
}

static void check_profile(bag_check *c)
{
    bag_profile_facts facts = {.path = c->path,
                               .folder = c->folder,
                               .version = version(c),
                               .fetch = c->has_fetch,
                               .files = c->summary.files,
                               .bytes = c->summary.bytes};

    for (int i = 0; i < BAG_ALGS; i++) {
        facts.manifests |= c->manifests[i] ? 1U << i : 0;
        facts.tagmanifests |= c->manifests[BAG_ALGS + i] ? 1U << i : 0;
    }
    bag_profile_end(c->profile, &facts);
}

static void judge(bag_check *c, bool partial)
{
    if (!c->broken && !bag_alias_resolve(c))
        return;
    if (!c->broken)
        check_parts(c);
    for (int m = 0; m < BAG_MANIFESTS; m++) {
        if (!c->manifests[m])
            continue;
        if (!c->broken && (m >= BAG_ALGS || !partial))
            find_missing(c, m);
        find_changed(c, m);
    }
    if (c->broken)
        return;
    find_unlisted(c);
    find_both(c);
    check_fetch(c);
    bag_alias_clashes(c, c->to_unpack ? BAG_INVALID : BAG_WARNING);
    if (!partial)
        check_oxum(c);
    if (!partial && c->profile)
        check_profile(c);
}

/* ---- the answer ---- */

static void count(bag_summary *s, bag_severity severity)
{
    if (severity == BAG_WARNING)
        s->warnings++;
    else if (severity == BAG_PROFILE)
        s->unlike_profile++;
    else if (severity == BAG_INCOMPLETE)
        s->incomplete++;
    else
        s->invalid++;
}

static void give_findings(bag_check *c, bag_finding_fn *each, void *ctx)
{
    sqlite3_stmt *s = bag_db_prepare(c, "SELECT severity, place, line, reason, path FROM finding"
                                        " ORDER BY rowid");

    while (s && sqlite3_step(s) == SQLITE_ROW) {
        bag_finding f = {
            .severity = (bag_severity)sqlite3_column_int(s, 0),
            .where = (const char *)sqlite3_column_text(s, 1),
            .line = (uint64_t)sqlite3_column_int64(s, 2),
            .reason = (const char *)sqlite3_column_text(s, 3),
            .path = bag_db_bytes(s, 4),
        };

        if (f.severity == BAG_STRICT)
            f.severity = version(c) < 100 ? BAG_WARNING : BAG_INVALID;
        count(&c->summary, f.severity);
        each(ctx, &f);
    }
    if (s && sqlite3_finalize(s) != SQLITE_OK && c->failed.kind == CT_OK)
        ct_fail(&c->failed, CT_E_IO, "cannot read notes in $TMPDIR");
}

bool bag_check_end(bag_check *c, bool partial, bag_finding_fn *each, void *ctx,
                   bag_summary *summary, ct_err *err)
{
    c->summary.version = c->declaration.version;
    for (int m = 0; m < BAG_ALGS; m++)
        c->summary.algs |= c->manifests[m] ? 1U << m : 0;
    if (c->failed.kind == CT_OK && decode_paths(c))
        judge(c, partial);
    if (c->failed.kind == CT_OK)
        give_findings(c, each, ctx);
    *summary = c->summary;
    if (c->failed.kind == CT_OK)
        return true;
    if (err)
        *err = c->failed;
    return false;
}

/* ---- what is no record ---- */

/* Column d3 is the SHA-256. A readable copy is known by the records beside it. */
bool bag_check_foreign(bag_check *c, uint64_t *n, ct_err *err)
{
    static const char sql[] =
        "SELECT count(*) FROM (SELECT CAST(path AS TEXT) AS name, lower(hex(d3)) AS sha256"
        " FROM file WHERE payload)"
        " WHERE NOT (name GLOB '*.ndjson'"
        " OR coalesce(name GLOB 'data/attachments/' || sha256 || '.*', 0)"
        " OR (name GLOB '*.html' OR name GLOB '*.pdf') AND EXISTS (SELECT 1 FROM file r"
        " WHERE r.path IN (CAST(substr(name, 1, length(name) - 4) || 'ndjson' AS BLOB),"
        " CAST(substr(name, 1, length(name) - 3) || 'ndjson' AS BLOB))))";
    sqlite3_stmt *s = bag_db_prepare(c, sql);
    bool ok = s && sqlite3_step(s) == SQLITE_ROW;

    *n = ok ? (uint64_t)sqlite3_column_int64(s, 0) : 0;
    sqlite3_finalize(s);
    return ok || ct_fail(err, CT_E_IO, "cannot read notes in $TMPDIR");
}
