/* links: import */
/* seeds: tests/data/adt.hl7 tests/import/hl7v2- */
/* HL7 v2: any bytes are cut into messages, taken apart and mapped, or refused; what is made is
 * JSON. */
#include "cmd/import/hl7v2/map.h"
#include "cmd/import/hl7v2/memo.h"
#include "cmd/import/import.h"
#include "tests/helpers/seen.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every line that comes out must be a resource, and JSON by an independent reading. */
static void check_lines(const import_setup *setup, const ct_buf *lines)
{
    static ct_parser *parser;
    static seen yajl;
    ct_str rest = ct_buf_str(lines);
    ct_doc doc;
    ct_err err;

    if (!parser)
        parser = ct_parser_new(ct_model_names(setup->model));
    while (rest.n) {
        ct_str line = ct_str_cut(&rest, '\n');
        if (!ct_parse(parser, line, &doc, &err) || !ct_resource_check(setup->model, &doc, &err) ||
            !seen_read(&yajl, line))
            abort();
    }
}

static void take(const import_setup *setup, import_block *b, ct_str text)
{
    import_block_empty(b);
    b->lines.buf.n = 0;
    ct_side_clear(&b->in);
    ct_side_clear(&b->lines.side);
    ct_buf_put(&b->text, text);
    import_hl7v2_work(setup, b);
}

/* The books: what became of values, by their place. */
static uint64_t books(const import_block *b)
{
    uint64_t sum = b->assumed;
    for (const import_count *c = b->counts.all; c; c = c->next)
        sum += (c->place * 2 + 1) * (c->mapped * 1000003 + c->lost);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static import_setup setup = {.zone = "+00:00", .count_all = true};
    static import_block block;
    ct_str text = {(const char *)data, size};
    ct_err err;

    if (!setup.model) {
        setup.model = ct_model_r4();
        setup.maps = import_maps_load(ct_cmd_data, &err);
        if (!setup.maps)
            abort();
        setup.memos = import_memos_new(1);
    }
    if (import_hl7v2_cut(text) > size)
        abort();
    /* What is known from messages before makes no difference. */
    static import_block fresh;
    import_setup other = setup;
    other.memos = import_memos_new(1);
    take(&other, &fresh, text);
    import_memos_free(other.memos);
    for (int i = 0; i < 3; i++) {
        take(&setup, &block, text);
        if (!ct_str_eq(ct_buf_str(&block.lines.buf), ct_buf_str(&fresh.lines.buf)) ||
            books(&block) != books(&fresh))
            abort();
    }
    check_lines(&setup, &block.lines.buf);
    return 0;
}
