/* links: import */
/* seeds: tests/data/bundle.json tests/import/json- */
/* FHIR JSON: any bytes are cut into values and unpacked, or refused; what is made is resources. */
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

static void empty(import_block *b)
{
    if (!b->arena) {
        b->arena = ct_arena_new();
        b->scratch = ct_arena_new();
    }
    ct_arena_reset(b->arena);
    b->text.n = b->lines.buf.n = 0;
    b->problems = NULL;
    b->end = &b->problems;
    b->batches = NULL;
    b->batches_end = &b->batches;
    ct_side_clear(&b->in);
    ct_side_clear(&b->lines.side);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static import_setup setup = {.zone = "+00:00"};
    static import_block block;
    ct_str text = {(const char *)data, size};
    import_scan scan = {0};

    if (!setup.model)
        setup.model = ct_model_r4();
    empty(&block);
    ct_buf_put(&block.text, text);
    block.last = true;
    if (import_fhir_cut(text, &scan) > size)
        abort();
    import_fhir_work(&setup, &block);
    check_lines(&setup, &block.lines.buf);
    return 0;
}
