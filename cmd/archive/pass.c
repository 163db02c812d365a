/* Reads a bag from one end to the other. */
#include "cmd/archive/pass.h"
#include "cmd/archive/resume.h"
#include "cmd/archive/source.h"

#include <stdlib.h>

typedef struct run {
    bag_pass *pass;
    const bag_viewer *viewer; /* NULL: nobody looks */
    bag_source *source;
    bag_hasher *hasher;
    bag_check *check;
    bag_resume *resume; /* may be NULL */
    unsigned algs;
} run;

/* ---- the base folder ---- */

/* `bagit.txt` or `FOLDER/bagit.txt`: the base is what stands before it. */
static bool is_declaration(const bag_item *item, ct_str *base)
{
    ct_str rest = item->path, top = ct_str_cut(&rest, '/');

    *base = rest.p ? (ct_str){top.p, top.n + 1} : (ct_str){top.p, 0};
    return item->type == BAG_FILE && ct_str_is(rest.p ? rest : top, "bagit.txt");
}

/* Looks through the names of a container: for the base folder, and for the manifests in it. */
static bool scan(run *r, bag_source *s, ct_err *err)
{
    ct_buf *base = &r->pass->base;
    bool found = false, first = true;
    bag_item item;
    bag_got got;

    while ((got = bag_source_next(s, &item, err)) == BAG_GOT_ITEM) {
        ct_str before, rest = item.path, top = ct_str_cut(&rest, '/');
        bag_alg alg;

        if (is_declaration(&item, &before) && (!found || before.n == 0)) {
            found = true;
            base->n = 0;
            ct_buf_put(base, before);
            if (first)
                return true; /* as our own bags start */
        }
        bag_kind_of(rest.p ? rest : top, &alg);
        if (alg != BAG_ALGS)
            r->algs |= 1U << alg;
        first &= item.type == BAG_DIRECTORY;
    }
    return got == BAG_GOT_END || err->kind != CT_E_IO; /* damage shows again later */
}

/* A container holds one folder, and in it the bag (RFC 8493, 4.2); some hold the bag itself. Where
 * its first file is not the bag's declaration all the names are read to find out. */
static bool find_base(run *r, ct_err *err)
{
    ct_err e = {0};
    bag_source *s = bag_source_open(r->pass->path, r->pass->keys, err);
    bool ok = s != NULL;

    if (ok && !bag_source_is_directory(s) && !scan(r, s, &e)) {
        *err = e;
        ok = false;
    }
    bag_source_close(s);
    return ok;
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

/* Goes on behind a payload file that was read before the pass was stopped. */
static bool read_before(run *r, const bag_item *item, ct_str path)
{
    bag_file file = {.position = item->position};
    bool before = r->resume && bag_resume_get(r->resume, path, item->position, &file);

    if (before) {
        ct_buf_put(&file.path, path);
        bag_check_file(r->check, &file);
        ct_buf_free(&file.path);
    }
    return before;
}

/* A file has gone by, with its checksums. */
static void take_digests(void *ctx, const bag_file *file)
{
    run *r = ctx;

    if (r->resume && ct_str_starts(ct_buf_str(&file->path), CT_S("data/")))
        bag_resume_put(r->resume, file);
    bag_check_file(r->check, file);
}

static bool take_file(run *r, const bag_item *item, ct_str path, ct_err *err)
{
    bool payload = ct_str_starts(path, CT_S("data/"));
    const bag_viewer *viewer = r->viewer;

    if (payload && viewer && viewer->want && !viewer->want(viewer->ctx, path))
        return true;
    if (payload && read_before(r, item, path))
        return true;
    if (!payload && viewer && viewer->payload_only)
        viewer = NULL;
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

static bool close_notes(run *r, bool done, ct_err *err)
{
    bag_resume *notes = r->resume;

    r->resume = NULL;
    return bag_resume_close(notes, done, err);
}

static void close_run(run *r)
{
    (void)!close_notes(r, false, NULL);
    bag_hasher_free(r->hasher);
    bag_check_free(r->check);
    bag_source_close(r->source);
    r->hasher = NULL;
    r->check = NULL;
    r->source = NULL;
}

/* A container that tells different readers different things is not valid, whatever this one sees.
 */
static bool note_complaint(run *r, ct_err *err)
{
    uint64_t entry;
    ct_err e = {0};
    const char *why = bag_source_complaint(r->source, &entry, &e);

    if (why)
        bag_check_note(r->check, BAG_INVALID, "container", entry, why, (ct_str){"", 0});
    if (e.kind != CT_OK)
        *err = e;
    return e.kind == CT_OK;
}

static bool run_once(run *r, ct_err *err)
{
    bag_pass *p = r->pass;

    r->source = bag_source_open(p->path, p->keys, err);
    if (!r->source)
        return false;
    if (!r->algs && !p->no_checksums)
        r->algs = bag_source_algs(r->source);
    if (p->resume) {
        r->resume = bag_resume_open(p->resume, p->path, r->algs, err);
        if (!r->resume)
            return false;
    }
    r->check = bag_check_new(err);
    if (r->check && p->profile)
        bag_check_profile(r->check, p->profile, p->path, bag_source_is_directory(r->source));
    if (r->check)
        r->hasher = bag_hasher_new(r->algs, p->jobs, take_digests, r, err);
    if (!r->hasher || !read_items(r, err))
        return false;
    bag_hasher_flush(r->hasher);
    return (!bag_check_whole(r->check) || note_complaint(r, err)) && close_notes(r, true, err);
}

/* Does the bag have checksums that were not taken? Then they are taken next. */
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
    bool ok = find_base(&r, err) && run_once(&r, err);

    while (ok && rerun_algs(&r)) {
        close_run(&r);
        ok = run_once(&r, err);
    }
    check = ok ? r.check : NULL;
    if (ok)
        r.check = NULL;
    close_run(&r);
    return check;
}
