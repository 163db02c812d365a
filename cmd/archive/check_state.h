/* What check.c, tags.c and verdict.c share. */
#ifndef CHART_ARCHIVE_CHECK_STATE_H
#define CHART_ARCHIVE_CHECK_STATE_H

#include "cmd/archive/check.h"

#include <sqlite3.h>

/* Manifests are numbered: a payload manifest by its algorithm, a tag manifest BAG_ALGS higher. */
enum { BAG_MANIFESTS = 2 * BAG_ALGS };

struct bag_check {
    sqlite3 *db;
    sqlite3_stmt *add_file, *add_listed, *get_listed, *add_fetch, *add_finding, *add_alias;
    ct_err failed; /* the first failure of the database */
    /* the tag file that is being read */
    bool in_tag;
    bag_kind kind;
    bag_alg alg;
    bag_lines lines;
    ct_buf text;         /* of bagit.txt */
    ct_buf field;        /* of bag-info.txt, unfolded */
    uint64_t field_line; /* where the field starts */
    bool star, dot_slash;
    /* what was seen */
    bool manifests[BAG_MANIFESTS];
    bool declared, payload, has_fetch, broken, to_unpack;
    bool percent, foreign; /* a listed path has a %, a byte over 127 */
    bag_declaration declaration;
    bool has_oxum;
    uint64_t oxum_line, oxum_bytes, oxum_files;
    uint64_t copies;      /* Readable-Copies and Attachment-Count */
    bag_profile *profile; /* may be NULL */
    const char *path;     /* of the bag, for the profile */
    bool folder;
    ct_unicode *unicode; /* NULL until a name needs it */
    bag_summary summary;
};

/* Runs a statement that gives no rows, and resets it. False where it failed; a constraint is no
 * failure: `*clash` tells. */
bool bag_db_run(bag_check *c, sqlite3_stmt *s, bool *clash);
sqlite3_stmt *bag_db_prepare(bag_check *c, const char *sql);
void bag_db_bind(bag_check *c, sqlite3_stmt *s, int at, ct_str bytes);
ct_str bag_db_bytes(sqlite3_stmt *s, int column);
/* Keeps the failure, for the end of the check; false. */
bool bag_db_failed(bag_check *c);
bool bag_db_exec(bag_check *c, const char *sql);

/* Notes a finding for every row (line, path) of a query; `?1` is `manifest`. */
void bag_db_note_rows(bag_check *c, const char *sql, int manifest, bag_severity severity,
                      const char *where, const char *reason);

const char *bag_manifest_name(int manifest);

/* A file's name as other systems may see it. */
void bag_alias_add(bag_check *c, ct_str path);
/* Lets listed paths find their files by such names, with a warning. False where the database
 * failed. */
CT_USE bool bag_alias_resolve(bag_check *c);
/* Notes the files that would be one. */
void bag_alias_clashes(bag_check *c, bag_severity severity);

#endif
