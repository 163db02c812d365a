#include "cmd/archive/copies.h"

bool bag_copies_any(const bag_copies_wanted *wanted)
{
    return wanted->html || wanted->pdf;
}

void bag_copies_make(bag_copies *c, const bag_copies_wanted *wanted, ct_chart *chart)
{
    if (!bag_copies_any(wanted))
        return;
    if (!c->view.arena)
        c->view.arena = ct_arena_new();
    bag_view_chart(&c->view, wanted->topics, chart);
    if (wanted->html) {
        c->html.n = 0;
        bag_html_put(&c->html, &c->view);
        bag_sums_take(&c->html_sums, ct_buf_str(&c->html));
    }
    c->missing = 0;
    if (wanted->pdf) {
        c->pdf.n = 0;
        if (!bag_pdf_put(&c->pdf, &c->view, wanted->fonts, &c->missing, &c->failed))
            c->pdf.n = 0;
        bag_sums_take(&c->pdf_sums, ct_buf_str(&c->pdf));
    }
    bag_view_clear(&c->view);
    ct_arena_reset(c->view.arena);
}

/* `data/charts/ID.ndjson` becomes `data/charts/ID.html`. */
static bool put_one(bag_writer *w, ct_str path, const char *suffix, const ct_buf *text,
                    const bag_sums *sums, ct_err *err)
{
    ct_buf name = {0};
    bool ok;

    ct_buf_put(&name, ct_str_head(path, path.n - strlen(".ndjson")));
    ct_buf_z(&name, suffix);
    ct_buf_c(&name, '\0');
    ok = bag_writer_payload(w, name.p, ct_buf_str(text), sums, &(bag_holds){.readable = true}, err);
    ct_buf_free(&name);
    return ok;
}

bool bag_copies_put(const bag_copies *c, const bag_copies_wanted *wanted, bag_writer *w,
                    ct_str path, ct_err *err)
{
    if (c->failed.kind != CT_OK) {
        *err = c->failed;
        return false;
    }
    return (!wanted->html || put_one(w, path, ".html", &c->html, &c->html_sums, err)) &&
           (!wanted->pdf || put_one(w, path, ".pdf", &c->pdf, &c->pdf_sums, err));
}

uint64_t bag_copies_bytes(const bag_copies *c)
{
    return c->html.n + c->pdf.n;
}

void bag_copies_free(bag_copies *c)
{
    if (c->view.arena)
        ct_arena_free(c->view.arena);
    bag_view_free(&c->view);
    ct_buf_free(&c->html);
    bag_sums_free(&c->html_sums);
    ct_buf_free(&c->pdf);
    bag_sums_free(&c->pdf_sums);
}
