/* Reads a bag from one end to the other. */
#include "cmd/archive/pass.h"
#include "cmd/archive/source.h"

#include <stdlib.h>

typedef struct run {
    bag_pass *pass;
    const bag_viewer *viewer; /* NULL: nobody looks */
    bag_source *source;
    bag_hasher *hasher;
    bag_check *check;
    unsigned algs;
    bool based;       /* the base folder is known, or guessed */
    bool shown;       /* the viewer has seen a file */
    ct_buf elsewhere; /* a folder with a bagit.txt that is not the base */
} run;

/* ---- the base folder ---- */

/* A container holds one folder, and in it the bag (RFC 8493, 4.2); some hold the bag itself. The
 * first file tells, or misleads; see `rerun_base`. */
static void guess_base(run *r, const bag_item *item)
{
    ct_buf *base = &r->pass->base;
    ct_str rest = item->path, top = ct_str_cut(&rest, '/');

    if (!rest.p && item->type == BAG_DIRECTORY)
        return; /* the base folder or data/: the next one tells */
    r->based = true;
    if (!rest.p || (ct_str_is(top, "data") && !ct_str_is(rest, "bagit.txt")))
        return;
    ct_buf_put(base, top);
    ct_buf_c(base, '/');
}

/* Remembers a bagit.txt at the top or one folder down that is not the base's. */
static void note_elsewhere(run *r, ct_str path)
{
    ct_str rest = path, top = ct_str_cut(&rest, '/');

    if (r->elsewhere.n || !ct_str_is(rest.p ? rest : top, "bagit.txt"))
        return;
    if (rest.p) {
        ct_buf_put(&r->elsewhere, top);
        ct_buf_c(&r->elsewhere, '/');
    } else {
        ct_buf_c(&r->elsewhere, '/'); /* the top itself */
    }
}

static void find_base(run *r, const bag_item *item)
{
    if (!r->based)
        guess_base(r, item);
    if (item->type == BAG_FILE)
        note_elsewhere(r, item->path);
}

/* The path from the base; false for what lies outside. */
static bool from_base(run *r, const bag_item *item, ct_str *path)
{
    ct_str base = ct_buf_str(&r->pass->base);

    if (base.n == 0 || ct_str_starts(item->path, base)) {
        *path = ct_str_from(item->path, base.n);
        return true;
    }
    *path = (ct_str){"", 0};
    return item->type == BAG_DIRECTORY && item->path.n + 1 == base.n &&
           ct_str_starts(base, item->path);
}

/* ---- files ---- */

static void note_item(run *r, const bag_item *item, const char *reason)
{
    bag_check_note(r->check, BAG_INVALID, "file", item->position, reason, item->path);
}

/* Reads the current file: to the hasher, the check and the viewer. */
static bool read_file(run *r, const bag_item *item, ct_str path, const bag_viewer *viewer,
                      ct_err *err)
{
    bool tag = !ct_str_starts(path, CT_S("data/")), damaged = false, ok = true;
    uint64_t size = 0;
    size_t got = 1;

    if (tag)
        bag_check_tag(r->check, path, (ct_str){"", 0});
    while (ok && got) {
        size_t cap;
        char *room = bag_hasher_room(r->hasher, &cap);
        ct_err e = {0};

        damaged = !bag_source_read(r->source, room, cap, &got, &e);
        if (damaged && e.kind == CT_E_IO) {
            *err = e;
            return false;
        }
        if (damaged)
            break;
        if (tag)
            bag_check_tag(r->check, path, (ct_str){room, got});
        if (viewer && viewer->bytes && got)
            ok = viewer->bytes(viewer->ctx, (ct_str){room, got}, err);
        bag_hasher_put(r->hasher, got);
        size += got;
    }
    if (tag)
        bag_check_tag_end(r->check);
    bag_hasher_end(r->hasher, path, size, item->position, damaged);
    return ok && (!viewer || !viewer->end || viewer->end(viewer->ctx, damaged, err));
}

static bool take_file(run *r, const bag_item *item, ct_str path, ct_err *err)
{
    bool payload = ct_str_starts(path, CT_S("data/"));
    const bag_viewer *viewer = r->viewer;

    if (payload && viewer && viewer->want && !viewer->want(viewer->ctx, path))
        return true;
    if (!payload && viewer && viewer->payload_only)
        viewer = NULL;
    r->shown |= viewer != NULL;
    if (viewer && viewer->begin && !viewer->begin(viewer->ctx, path, err))
        return false;
    return read_file(r, item, path, viewer, err);
}

static bool take_item(run *r, const bag_item *item, ct_err *err)
{
    ct_str path;
    const char *unsafe = bag_path_unsafe(item->path);

    if (item->type == BAG_DIRECTORY && item->path.n == 0)
        return true; /* "./" */
    if (unsafe) {
        note_item(r, item, unsafe);
        return true;
    }
    if (!bag_source_is_directory(r->source))
        find_base(r, item);
    if (!from_base(r, item, &path)) {
        note_item(r, item, "outside the bag's folder");
        return true;
    }
    if (item->type == BAG_DIRECTORY) {
        if (ct_str_is(path, "data"))
            bag_check_payload(r->check);
        return true;
    }
    if (item->type == BAG_OTHER) {
        note_item(r, item, "neither a file nor a folder, but a link or the like");
        return true;
    }
    return take_file(r, item, path, err);
}

static bool read_items(run *r, ct_err *err)
{
    for (;;) {
        bag_item item;
        ct_err e = {0};

        switch (bag_source_next(r->source, &item, &e)) {
        case BAG_GOT_END:
            return true;
        case BAG_GOT_DAMAGED:
            if (e.kind == CT_E_IO) {
                *err = e;
                return false;
            }
            bag_check_broken(r->check, e.text);
            return true;
        case BAG_GOT_ITEM:
            break;
        }
        if (!take_item(r, &item, err))
            return false;
        if (r->pass->progress)
            r->pass->progress(r->pass->progress_ctx, bag_source_bytes(r->source));
    }
}

/* ---- runs ---- */

static void close_run(run *r)
{
    bag_hasher_free(r->hasher);
    bag_check_free(r->check);
    bag_source_close(r->source);
    r->hasher = NULL;
    r->check = NULL;
    r->source = NULL;
}

static bool run_once(run *r, ct_err *err)
{
    bag_pass *p = r->pass;

    r->source = bag_source_open(p->path, err);
    if (!r->source)
        return false;
    if (!r->algs && !p->no_checksums)
        r->algs = bag_source_algs(r->source);
    r->check = bag_check_new(err);
    if (r->check)
        r->hasher = bag_hasher_new(r->algs, p->jobs, bag_check_file, r->check, err);
    if (!r->hasher || !read_items(r, err))
        return false;
    bag_hasher_flush(r->hasher);
    return true;
}

/* Was the base folder guessed wrong? Then the next run knows it. */
static bool rerun_base(run *r, ct_err *err, bool *failed)
{
    ct_str other = ct_buf_str(&r->elsewhere);

    if (bag_check_declared(r->check) || other.n == 0)
        return false;
    *failed = r->shown && !ct_fail(err, CT_E_DATA, "cannot tell which of its folders is the bag");
    r->pass->base.n = 0;
    if (!ct_str_is(other, "/"))
        ct_buf_put(&r->pass->base, other);
    r->based = true;
    r->elsewhere.n = 0;
    return true;
}

static bool rerun_algs(run *r)
{
    unsigned missing = bag_check_algs(r->check) & ~r->algs;

    if (!missing || r->pass->no_checksums)
        return false;
    r->algs = bag_check_algs(r->check);
    r->viewer = NULL;
    return true;
}

bag_check *bag_pass_run(bag_pass *p, ct_err *err)
{
    run r = {.pass = p, .viewer = &p->viewer};
    bag_check *check;
    bool ok = run_once(&r, err), failed = false;

    while (ok && (rerun_base(&r, err, &failed) || rerun_algs(&r))) {
        close_run(&r);
        ok = !failed && run_once(&r, err);
    }
    check = ok ? r.check : NULL;
    if (ok)
        r.check = NULL;
    close_run(&r);
    ct_buf_free(&r.elsewhere);
    return check;
}
