/* parse RUNS FILE: parses and validates every line of FILE in memory, on one thread, and writes
 * nothing. Loading the file is not measured. Prints the medians as measure does; status 1 where a
 * line is refused. */
#include "common/fhir/fhir.h"
#include "tests/bench/timing.h"

enum { BLOCK = 64 * 1024 * 1024 };

/* With LF behind the last line, and room behind that. */
static ct_buf load(const char *path)
{
    ct_buf b = {0};
    FILE *in = fopen(path, "rb");
    size_t n;
    while (in && (n = fread(ct_buf_room(&b, 1 << 20), 1, 1 << 20, in)) > 0)
        b.n += n;
    if (in)
        fclose(in);
    if (b.n && b.p[b.n - 1] != '\n')
        ct_buf_c(&b, '\n');
    memset(ct_buf_room(&b, CT_PARSE_SLACK), 0, CT_PARSE_SLACK);
    return b;
}

/* How many lines of the block are records, SIZE_MAX where one is not. */
static size_t parse_block(ct_parser *p, ct_str block)
{
    size_t records = 0;
    ct_parse_block(p, block);
    for (ct_str line = {block.p, 0}; line.p < block.p + block.n; line.p += line.n + 1) {
        ct_doc doc;
        if (!ct_parse_line(p, &line, &doc, NULL))
            return SIZE_MAX;
        records++;
    }
    return records;
}

/* The same for a text of any length, cut into blocks. */
static size_t parse_all(ct_parser *p, ct_str text)
{
    size_t records = 0;
    while (text.n) {
        ct_str block = ct_str_head(text, text.n < BLOCK ? text.n : BLOCK);
        while (block.p[block.n - 1] != '\n')
            block.n++;
        size_t n = parse_block(p, block);
        if (n == SIZE_MAX)
            return n;
        records += n;
        text = ct_str_from(text, block.n);
    }
    return records;
}

int main(int argc, char **argv)
{
    timing runs[TIMING_RUNS];
    int n = argc == 3 ? timing_count(argv[1]) : 0;
    if (n == 0)
        return 2;
    ct_buf text = load(argv[2]);
    ct_parser *p = ct_parser_new(ct_model_names(ct_model_r4()));
    size_t records = parse_all(p, ct_buf_str(&text));
    for (int i = 0; i < n && records != SIZE_MAX; i++) {
        timing start = timing_now();
        records = parse_all(p, ct_buf_str(&text));
        runs[i] = timing_since(start);
    }
    bool good = records > 0 && records != SIZE_MAX;
    if (good)
        timing_print(runs, n, 0);
    else
        fputs("parse: it cannot be read\n", stderr);
    ct_parser_free(p);
    ct_buf_free(&text);
    return good ? 0 : 1;
}
