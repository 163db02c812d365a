/* simdjson RUNS FILE lines|many: what parse.c does, by simdjson's DOM with the best kernel of this
 * machine, on one thread: line by line (`parse`), or the file as one stream (`parse_many`). */
#include "tests/bench/timing.h"

#include <cstring>
#include <simdjson.h>
#include <utility>

/* Each returns how many lines are records; an exception says that one is not. */
static size_t by_lines(simdjson::dom::parser &parser, const simdjson::padded_string &text)
{
    size_t records = 0;
    const char *end = text.data() + text.size();
    for (const char *at = text.data(); at < end; records++) {
        const char *stop = (const char *)memchr(at, '\n', (size_t)(end - at));
        size_t n = (size_t)((stop ? stop : end) - at);
        /* What stands behind the line is its padding: it is not copied. */
        simdjson::dom::element record = parser.parse(at, n, false);
        (void)record;
        at += n + 1;
    }
    return records;
}

static size_t by_stream(simdjson::dom::parser &parser, const simdjson::padded_string &text)
{
    size_t records = 0;
    simdjson::dom::document_stream stream = parser.parse_many(text, 1 << 20);
    for (auto record : stream) {
        simdjson::dom::element known = std::move(record);
        (void)known;
        records++;
    }
    return records;
}

int main(int argc, char **argv)
{
    timing runs[TIMING_RUNS];
    int n = argc == 4 ? timing_count(argv[1]) : 0;
    if (n == 0)
        return 2;
    try {
        simdjson::padded_string text = simdjson::padded_string::load(argv[2]);
        simdjson::dom::parser parser;
#ifdef SIMDJSON_THREADS_ENABLED
        parser.threaded = false;
#endif
        auto parse = strcmp(argv[3], "many") == 0 ? by_stream : by_lines;
        size_t records = parse(parser, text);
        for (int i = 0; i < n; i++) {
            timing start = timing_now();
            if (parse(parser, text) != records || records == 0)
                return 1;
            runs[i] = timing_since(start);
        }
    } catch (const simdjson::simdjson_error &e) {
        fprintf(stderr, "simdjson: %s\n", e.what());
        return 1;
    }
    timing_print(runs, n, 0);
    return 0;
}
