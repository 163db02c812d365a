/* A bag being written, into a folder or a tar or zip container. It takes its name only when it is
 * whole and synced; until then it stands beside it under a name that starts with a dot.
 */
#ifndef CHART_ARCHIVE_SINK_H
#define CHART_ARCHIVE_SINK_H

#include "cmd/archive/key.h"

typedef enum bag_packing { BAG_FOLDER, BAG_TAR, BAG_TAR_GZ, BAG_TAR_ZST, BAG_ZIP } bag_packing;

/* What the name asks for by its suffix. False where it cannot be told; `base` becomes what is left:
 * the name of the bag's base folder. */
CT_USE bool bag_packing_of(const char *out, bag_packing *packing, ct_str *base);

typedef struct bag_sink bag_sink;

#define BAG_NO_DATE INT64_MIN

/* How a bag is written. */
typedef struct bag_packing_opts {
    bool force;    /* replace a file, or a folder with a bag in it */
    int64_t mtime; /* of its files, seconds since 1970 UTC; in a folder BAG_NO_DATE leaves it to the
                      system */
    int jobs;      /* threads that pack */
    const bag_key *key; /* with which a zip is encrypted (key.h); borrowed; or NULL */
} bag_packing_opts;

/* Refuses an `out` that is there already, but for `force`. Nothing but the content, the names and
 * the date decides about the bytes of a container. */
CT_USE bag_sink *bag_sink_open(const char *out, const bag_packing_opts *opts, ct_err *err);
/* A folder that is there although nothing may be in it; `path` from the bag's base, as below. */
CT_USE bool bag_sink_folder(bag_sink *s, const char *path, ct_err *err);
/* A file of `size` bytes: all of them must be put before it ends. Never overwrites. */
CT_USE bool bag_sink_begin(bag_sink *s, const char *path, uint64_t size, ct_err *err);
CT_USE bool bag_sink_put(bag_sink *s, ct_str bytes, ct_err *err);
CT_USE bool bag_sink_end(bag_sink *s, ct_err *err);
/* Bytes written so far; in a compressed tar those that wait to be packed count as they are, unless
 * `exact` waits for them. */
CT_USE bool bag_sink_written(bag_sink *s, bool exact, uint64_t *bytes, ct_err *err);
/* What an encrypted bag is called in its label; before it is closed. */
void bag_sink_identity(bag_sink *s, const char *hex);
/* Syncs and renames. The sink is gone whatever the result. */
CT_USE bool bag_sink_close(bag_sink *s, ct_err *err);
/* Leaves nothing behind. NULL is allowed. */
void bag_sink_abandon(bag_sink *s);

/* ---- names ---- */

/* `dir/2019.zip` becomes `dir/.2019.zip.XXXXXX`, for mkstemp(3) or mkdtemp(3). Free it. */
char *bag_unfinished_name(const char *out);
/* Makes a change of names in the folder of `path` durable. */
CT_USE bool bag_sync_parent(const char *path, ct_err *err);

/* Some systems can exchange two names in one step; `*able` false where this one cannot. */
bool bag_exchange(const char *a, const char *b, bool *able);

/* ---- for the kinds ---- */

struct bag_sink {
    bool (*folder)(bag_sink *s, const char *path, ct_err *err);
    bool (*begin)(bag_sink *s, const char *path, uint64_t size, ct_err *err);
    bool (*put)(bag_sink *s, ct_str bytes, ct_err *err);
    bool (*end)(bag_sink *s, ct_err *err);
    bool (*written)(bag_sink *s, bool exact, uint64_t *bytes, ct_err *err);
    bool (*finish)(bag_sink *s, ct_err *err); /* all is on the disk, under the unfinished name */
    void (*discard)(
        bag_sink *s); /* closes what is open; removes the unfinished one unless it is gone */
    bag_packing packing;
    char *out;        /* final name, no slash at its end */
    char *unfinished; /* the name until then */
    bag_packing_opts opts;
    char identity[2 * CT_SHA256_LEN + 1];
};

/* They get `out`, `packing` and the rest in `like`, and make the unfinished file or folder. */
bag_sink *bag_folder_sink(const bag_sink *like, ct_err *err);
bag_sink *bag_zip_sink(const bag_sink *like, ct_str base, ct_err *err);
/* Also an encrypted bag. */
bag_sink *bag_tar_sink(const bag_sink *like, ct_str base, ct_err *err);
/* Syncs the folder in which something stands. */
CT_USE bool bag_sync_parent(const char *path, ct_err *err);
/* Removes a folder with all in it; says so where it could not. */
bool bag_tree_remove(const char *path);
/* All that is in a folder, on the disk. */
CT_USE bool bag_tree_sync(const char *path, ct_err *err);

#endif
