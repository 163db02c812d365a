/* parse RUNS FILE: parses and validates every line of FILE in memory, on one thread, and writes
 * nothing. Loading the file is not measured. Prints the medians as measure does; status 1 where a
 * line is refused. */
#include "common/fhir/fhir.h"
#include "tests/bench/timing.h"

static ct_buf load(const char *path)
{
    ct_buf b = {0};
    FILE *in = fopen(path, "rb");
    size_t n;
    while (in && (n = fread(ct_buf_room(&b, 1 << 20), 1, 1 << 20, in)) > 0)
        b.n += n;
    if (in)
        fclose(in);
    return b;
}

/* How many lines are records, SIZE_MAX where one is not. */
static size_t parse_all(ct_parser *p, ct_str text)
{
    size_t records = 0;
    while (text.n) {
        const char *end = memchr(text.p, '\n', text.n);
        ct_str line = ct_str_head(text, end ? (size_t)(end - text.p) : text.n);
        ct_doc doc;
        if (!ct_parse(p, line, &doc, NULL))
            return SIZE_MAX;
        records++;
        text = ct_str_from(text, line.n + 1);
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
