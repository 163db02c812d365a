/* The wording of a certificate of destruction. */
#include "cmd/archive/certificate.h"

#include <inttypes.h>

#define LINE "________________________________________"

static const char normal_course[] =
    "The records described here were kept for as long as the retention schedule asks. No legal "
    "hold, open disclosure or open request stood against their destruction when it began. What is "
    "listed here as overwritten was destroyed in the normal course of business.";
static const char begun_only[] =
    "The destruction has begun and is not complete: what is not listed as gone may still exist. "
    "It is taken up again by running the destruction again.";
static const char reach[] =
    "This is about the copies listed here. It does not reach backups, snapshots and copies that "
    "the catalogue does not know, nor blocks that a solid-state disk or a copy-on-write file "
    "system keeps aside.";
static const char hearsay[] =
    "What is listed as said to be gone was not overwritten by this program: that it is gone is the "
    "word of those who are named, given at the time that is listed.";
static const char keyless[] =
    "An encrypted copy that remains can be read by whoever has the key: a backup of the database "
    "that is older than this, or a file that the key was written to, may still hold it.";

static ct_str keep(bag_view *view, ct_buf *b)
{
    ct_str kept = ct_arena_copy(view->arena, ct_buf_str(b));

    b->n = 0;
    return kept;
}

static void fact(bag_view *view, const char *label, ct_str text)
{
    if (text.n)
        bag_view_pair(view, BAG_FACT, ct_str_z(label), text);
}

static void put_certificate(bag_view *view, const bag_certificate *c, ct_buf *b)
{
    ct_buf_printf(b, "%" PRId64, c->number);
    fact(view, "Number", keep(view, b));
    fact(view, "Begun", c->began);
    fact(view, "Completed", c->completed.n ? c->completed : CT_S("not yet"));
}

static void put_records(bag_view *view, const bag_certificate *c, ct_buf *b)
{
    bag_view_text(view, BAG_PART, CT_S("Records"));
    fact(view, "Bag", c->name);
    ct_buf_printf(b, "charts of %" PRIu64 " patients: %" PRIu64 " records, %" PRIu64 " bytes",
                  c->charts, c->records, c->bytes);
    fact(view, "Contents", keep(view, b));
    if (c->from.n) {
        ct_buf_put(b, c->from);
        ct_buf_z(b, " to ");
        ct_buf_put(b, c->to);
    }
    fact(view, "Dates covered", b->n ? keep(view, b) : CT_S("not known"));
    for (size_t i = 0; i < c->nreasons; i++)
        fact(view, "Reason", c->reasons[i]);
    fact(view, "Retention class", c->retention_class);
    fact(view, "Authority", c->authority);
    fact(view, "Due for destruction", c->destroy_after);
    fact(view, "SHA-256 of what is gone", c->identity);
    bag_view_text(view, BAG_TEXT,
                  CT_S("The SHA-256 is that of the bag's tagmanifest-sha512.txt, which holds the "
                       "checksums of the manifests of all its files."));
}

static void put_copies(bag_view *view, const bag_certificate *c)
{
    const ct_str columns[] = {CT_S("Copy"), CT_S("When"), CT_S("Outcome")};
    bool said = false;

    bag_view_text(view, BAG_PART, CT_S("Method and copies"));
    fact(
        view, "Method",
        CT_S("overwritten and removed: each file of a copy overwritten once with zeros, synced and "
             "removed (NIST SP 800-88 Rev. 1, Clear)"));
    if (c->encrypted)
        fact(view, "Key",
             c->key_gone ? CT_S("overwritten and removed in the database") : CT_S("NOT DESTROYED"));
    if (c->key_file)
        fact(view, "Key", CT_S("in a file, which was not destroyed by this program"));
    bag_view_add(view, BAG_COLUMNS_OF, 0, columns, CT_LEN(columns));
    for (size_t i = 0; i < c->nfates; i++) {
        const bag_fate *f = &c->fates[i];
        ct_str *cells = ct_arena_alloc(view->arena, CT_LEN(columns) * sizeof(*cells));

        cells[0] = f->place;
        cells[1] = f->gone ? f->when : CT_S("NOT DESTROYED");
        cells[2] = f->outcome;
        bag_view_add(view, BAG_ROW, 0, cells, CT_LEN(columns));
        said |= f->gone && !f->overwritten;
    }
    if (said)
        bag_view_text(view, BAG_TEXT, ct_str_z(hearsay));
    bag_view_text(view, BAG_TEXT, ct_str_z(reach));
    if (c->encrypted || c->key_file)
        bag_view_text(view, BAG_TEXT, ct_str_z(keyless));
}

static void put_statement(bag_view *view, const bag_certificate *c)
{
    bag_view_text(view, BAG_PART, CT_S("Statement"));
    bag_view_text(view, BAG_TEXT, ct_str_z(normal_course));
    if (!c->completed.n)
        bag_view_text(view, BAG_TEXT, ct_str_z(begun_only));
    bag_view_text(view, BAG_PART, CT_S("Signatures"));
    for (size_t i = 0; i < c->npeople; i++) {
        fact(view, "Destroyed by", c->people[i].by);
        fact(view, "Signature and date", CT_S(LINE));
        fact(view, "Witnessed by", c->people[i].witness);
        fact(view, "Signature and date", CT_S(LINE));
    }
}

void bag_certificate_view(bag_view *view, const bag_certificate *c)
{
    ct_buf b = {0};

    bag_view_text(view, BAG_TITLE, CT_S("Certificate of destruction of health records"));
    put_certificate(view, c, &b);
    put_records(view, c, &b);
    put_copies(view, c);
    put_statement(view, c);
    ct_buf_free(&b);
}
