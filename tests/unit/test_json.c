/* Parsing, reading and writing JSON. test_json_WAY.c runs the same tests with another way of
 * scanning than this machine's best. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/json/parser.h"

#include <stdio.h>
#include <stdlib.h>

/* A text in memory of exactly its size, so that a sanitizer sees a read beyond its end. */
static char *exact(ct_str s)
{
    char *p = ct_alloc(s.n);
    if (s.n)
        memcpy(p, s.p, s.n);
    return p;
}

static void assert_str(ct_str s, const char *expected)
{
    if (!ct_str_is(s, expected))
        fail_msg("got %.*s, expected %s", (int)s.n, s.p, expected);
}

static ct_names *names_of(const char *const *list, size_t n)
{
    ct_names *names = ct_names_new();
    for (size_t i = 0; i < n; i++)
        assert_int_equal(ct_names_add(names, ct_str_z(list[i])), i + 1);
    return names;
}

static const char *const known[] = {
    "id",
    "name",
    "a",
    "b",
    "resourceType",
    "verificationStatus",
    "sixteen-of-bytes",
    "seventeen-of-byte",
    "thirty-two-bytes-32-thirty-two-b",
    "thirty-three-bytes-33-thirty-thre",
};

/* ---- what is JSON ---- */

static const struct text_row {
    ct_str text;
    ct_errkind kind;
    uint64_t offset; /* of the error */
    const char *why;
} text_table[] = {
#define GOOD(text)                                                                                 \
    {                                                                                              \
        {text, sizeof(text) - 1}, CT_OK, 0, NULL                                                   \
    }
#define BAD(text, offset, why)                                                                     \
    {                                                                                              \
        {text, sizeof(text) - 1}, CT_E_DATA, offset, why                                           \
    }
#define CUT(text)                                                                                  \
    {                                                                                              \
        {text, sizeof(text) - 1}, CT_E_CUT, sizeof(text) - 1, "unexpected end of text"             \
    }
    /* nothing, and what is around a value */
    CUT(""),
    CUT(" \t\r\n"),
    GOOD(" \t\r\n1\n"),
    BAD("\f1", 0, "expected a value"),
    BAD("1\v", 1, "more text after the value"),
    BAD("\xef\xbb\xbf{}", 0, "expected a value"),
    BAD("\xc2\xa0{}", 0, "expected a value"),
    BAD("1 2", 2, "more text after the value"),
    BAD("{}{}", 2, "more text after the value"),
    BAD("[] ,", 3, "more text after the value"),
    BAD("1\0", 1, "more text after the value"),
    BAD("\0", 0, "expected a value"),
    BAD("// note\n1", 0, "expected a value"),
    BAD("1/**/", 1, "more text after the value"),
    /* literals */
    GOOD("null"),
    GOOD("true"),
    GOOD("false"),
    GOOD("[true,false,null]"),
    CUT("t"),
    CUT("tru"),
    CUT("fals"),
    CUT("[nul"),
    BAD("trUe", 2, "expected a value"),
    BAD("True", 0, "expected a value"),
    BAD("nul]", 3, "expected a value"),
    BAD("truex", 4, "more text after the value"),
    BAD("[nullx]", 5, "expected ',' or ']'"),
    BAD("undefined", 0, "expected a value"),
    BAD("NaN", 0, "expected a value"),
    BAD("Infinity", 0, "expected a value"),
    /* numbers */
    GOOD("0"),
    GOOD("-0"),
    GOOD("1234567890"),
    GOOD("0.0"),
    GOOD("1.50"),
    GOOD("-0.0e-0"),
    GOOD("1e5"),
    GOOD("1E+05"),
    GOOD("1.5e-300"),
    GOOD("123456789012345678901234567890.123456789012345678901234567890e1000000"),
    GOOD("[0]"),
    GOOD("[-1,2.5]"),
    CUT("-"),
    CUT("1."),
    CUT("1e"),
    CUT("1e+"),
    CUT("-0."),
    CUT("[1"),
    BAD("+1", 0, "expected a value"),
    BAD(".5", 0, "expected a value"),
    BAD("-.5", 1, "expected a digit"),
    BAD("1.]", 2, "expected a digit"),
    BAD("1.e5", 2, "expected a digit"),
    BAD("1e ", 2, "expected a digit"),
    BAD("1e+-1", 3, "expected a digit"),
    BAD("00", 1, "number with a leading zero"),
    BAD("-01", 2, "number with a leading zero"),
    BAD("[012]", 2, "number with a leading zero"),
    BAD("0x10", 1, "more text after the value"),
    BAD("1_000", 1, "more text after the value"),
    BAD("- 1", 1, "expected a digit"),
    BAD("--1", 1, "expected a digit"),
    BAD("-a", 1, "expected a digit"),
    BAD("1 000", 2, "more text after the value"),
    /* strings */
    GOOD("\"\""),
    GOOD("\"a\""),
    GOOD("\"\x7f\""),
    GOOD("\"fifteen bytes..\""),
    GOOD("\"sixteen bytes...\""),
    GOOD("\"more than thirty-two bytes of plain text in a string\""),
    CUT("\""),
    CUT("\"a"),
    CUT("\"fifteen bytes.."),
    CUT("\"sixteen bytes..."),
    BAD("'a'", 0, "expected a value"),
    BAD("a", 0, "expected a value"),
    BAD("\"a\"b\"", 3, "more text after the value"),
    BAD("\"\n\"", 1, "control character in string"),
    BAD("\"tab\there\"", 4, "control character in string"),
    BAD("\"\0\"", 1, "control character in string"),
    BAD("\"\x1f\"", 1, "control character in string"),
    BAD("\"eighteen bytes....\x01\"", 19, "control character in string"),
    /* escapes */
    GOOD("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
    GOOD("\"\\u0000\""),
    GOOD("\"\\u00e9\\u00E9\\uabCD\""),
    GOOD("\"\\ud83d\\ude00\""),
    GOOD("\"\\uDBFF\\uDFFF\""),
    GOOD("\"\\ufffe\\uffff\""),
    CUT("\"\\"),
    CUT("\"\\u"),
    CUT("\"\\u12"),
    CUT("\"\\ud83d"),
    CUT("\"\\ud83d\\"),
    CUT("\"\\ud83d\\u"),
    CUT("\"\\ud83d\\ude"),
    BAD("\"\\a\"", 2, "invalid escape in string"),
    BAD("\"\\'\"", 2, "invalid escape in string"),
    BAD("\"\\0\"", 2, "invalid escape in string"),
    BAD("\"\\\0\"", 2, "invalid escape in string"),
    BAD("\"\\x41\"", 2, "invalid escape in string"),
    BAD("\"\\U0041\"", 2, "invalid escape in string"),
    BAD("\"\\\n\"", 2, "invalid escape in string"),
    BAD("\"\\u12\"", 5, "invalid escape in string"),
    BAD("\"\\u123g\"", 6, "invalid escape in string"),
    BAD("\"\\u 123\"", 3, "invalid escape in string"),
    BAD("\"\\u{41}\"", 3, "invalid escape in string"),
    BAD("\"\\ud83d\"", 7, "unpaired surrogate in string"),
    BAD("\"\\ud83dx\"", 7, "unpaired surrogate in string"),
    BAD("\"\\ud83d\\n\"", 8, "unpaired surrogate in string"),
    BAD("\"\\ud83d\\u0041\"", 9, "unpaired surrogate in string"),
    BAD("\"\\ud83d\\ud83d\"", 9, "unpaired surrogate in string"),
    BAD("\"\\ude00\"", 2, "unpaired surrogate in string"),
    BAD("\"\\ude00\\ud83d\"", 2, "unpaired surrogate in string"),
    /* UTF-8 */
    GOOD("\"\xc2\x80\xdf\xbf\""),
    GOOD("\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\""),
    GOOD("\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""),
    GOOD("{\"\xc3\xa9t\xc3\xa9\":\"\xd0\x9c\xd0\xbe\xd1\x81\xd0\xba\xd0\xb2\xd0\xb0 "
         "\xe2\x82\xac\"}"),
    CUT("\"\xc3"),
    CUT("\"\xe2\x82"),
    CUT("\"\xf0\x9f\x98"),
    BAD("\"\x80\"", 1, "invalid UTF-8 in string"),
    BAD("\"\xbf\"", 1, "invalid UTF-8 in string"),
    BAD("\"\xc0\xaf\"", 1, "invalid UTF-8 in string"),
    BAD("\"\xc1\xbf\"", 1, "invalid UTF-8 in string"),
    BAD("\"\xc3\"", 1, "invalid UTF-8 in string"),
    BAD("\"\xc3(\"", 1, "invalid UTF-8 in string"),
    BAD("\"\xe0\x9f\xbf\"", 1, "invalid UTF-8 in string"),
    BAD("\"\xe2\x82\"", 1, "invalid UTF-8 in string"),
    BAD("\"\xed\xa0\x80\"", 1, "invalid UTF-8 in string"),
    BAD("\"\xed\xbf\xbf\"", 1, "invalid UTF-8 in string"),
    BAD("\"\xf0\x8f\xbf\xbf\"", 1, "invalid UTF-8 in string"),
    BAD("\"\xf4\x90\x80\x80\"", 1, "invalid UTF-8 in string"),
    BAD("\"\xf5\x80\x80\x80\"", 1, "invalid UTF-8 in string"),
    BAD("\"\xff\"", 1, "invalid UTF-8 in string"),
    BAD("\"abc\xc3\xa9\xff\"", 6, "invalid UTF-8 in string"),
    BAD("\"caf\xe9\"", 4, "invalid UTF-8 in string"),
    BAD("\xe9", 0, "expected a value"),
    /* arrays */
    GOOD("[]"),
    GOOD("[ ]"),
    GOOD("[1]"),
    GOOD("[ 1 , 2 ]"),
    GOOD("[[],[[]],{}]"),
    CUT("["),
    CUT("[ "),
    CUT("[1,"),
    CUT("[[]"),
    CUT("[\"a\""),
    BAD("]", 0, "expected a value"),
    BAD("[,]", 1, "expected a value"),
    BAD("[1,]", 3, "expected a value"),
    BAD("[,1]", 1, "expected a value"),
    BAD("[1,,2]", 3, "expected a value"),
    BAD("[1 2]", 3, "expected ',' or ']'"),
    BAD("[1}", 2, "expected ',' or ']'"),
    BAD("[}", 1, "expected a value"),
    BAD("[1:2]", 2, "expected ',' or ']'"),
    BAD("[1]]", 3, "more text after the value"),
    BAD("[\"a\"\0]", 4, "expected ',' or ']'"),
    /* objects */
    GOOD("{}"),
    GOOD("{ }"),
    GOOD("{\"a\":1}"),
    GOOD(" { \"a\" : 1 , \"b\" : { } } "),
    GOOD("{\"\":1}"),
    GOOD("{\"\\u0000\":1}"),
    GOOD("{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":1}]}"),
    CUT("{"),
    CUT("{\""),
    CUT("{\"a"),
    CUT("{\"a\""),
    CUT("{\"a\":"),
    CUT("{\"a\":1"),
    CUT("{\"a\":1,"),
    CUT("{\"a\":{}"),
    BAD("}", 0, "expected a value"),
    BAD("{,}", 1, "expected a name in quotes"),
    BAD("{\"a\":1,}", 7, "expected a name in quotes"),
    BAD("{\"a\"}", 4, "expected ':'"),
    BAD("{\"a\",\"b\"}", 4, "expected ':'"),
    BAD("{\"a\":}", 5, "expected a value"),
    BAD("{\"a\"::1}", 5, "expected a value"),
    BAD("{\"a\":1]", 6, "expected ',' or '}'"),
    BAD("{\"a\":1 \"b\":2}", 7, "expected ',' or '}'"),
    BAD("{a:1}", 1, "expected a name in quotes"),
    BAD("{'a':1}", 1, "expected a name in quotes"),
    BAD("{1:1}", 1, "expected a name in quotes"),
    BAD("{null:1}", 1, "expected a name in quotes"),
    BAD("{]", 1, "expected a name in quotes"),
    BAD("{\"a\\x\":1}", 4, "invalid escape in string"),
    BAD("{\"\xff\":1}", 2, "invalid UTF-8 in string"),
    /* names that stand twice */
    BAD("{\"a\":1,\"a\":1}", 8, "name stands twice in its object"),
    BAD("{\"x\":1,\"x\":2}", 8, "name stands twice in its object"),
    BAD("{\"a\":1,\"\\u0061\":1}", 8, "name stands twice in its object"),
    BAD("{\"\\u0078\":1,\"x\":1}", 13, "name stands twice in its object"),
    BAD("{\"\\u0078\":1,\"\\u0078\":1}", 13, "name stands twice in its object"),
    BAD("{\"\":1,\"\":1}", 7, "name stands twice in its object"),
    BAD("{\"a\":{\"a\":1},\"a\":1}", 14, "name stands twice in its object"),
    BAD("{\"x\":{\"x\":1},\"x\":1}", 14, "name stands twice in its object"),
    BAD("[{\"b\":1,\"a\":[{\"y\":1,\"y\":2}]}]", 21, "name stands twice in its object"),
    BAD("{\"\xc3\xa9\":1,\"\\u00e9\":1}", 9, "name stands twice in its object"),
    GOOD("{\"a\":1,\"A\":1,\"x\":1,\"X\":1,\"\\u0079\":1,\"xy\":1}"),
    BAD("{\"a\":[{\"a\":1},{\"b\":1},{\"b\":1}],\"b\":{\"a\":1},\"a\":1}", 44,
        "name stands twice in its object"),
    BAD("[{\"a\":1},{\"b\":{\"a\":1},\"a\":1,\"b\":1}]", 29, "name stands twice in its object"),
    BAD("{\"verificationStatus\":1,\"a\":1,\"verificationStatus\":1}", 31,
        "name stands twice in its object"),
    GOOD("[{\"a\":1,\"b\":1},{\"a\":{\"b\":1},\"b\":{\"a\":1}},[{\"b\":1}],{\"b\":[{\"a\":1}]}]"),
    GOOD("{\"\\u00e9\":1,\"e\\u0301\":1}"),
    /* white space */
    GOOD("{\r\n  \"a\" :\t[\r\n          1,  2 ,\t\"x\"\t]\r\n ,\r\n\t\t\"b\"\n:\n\"y\"\n}\n"),
    GOOD("{\t\"a\"\t:\t\"x\"\t,\t\"b\"\t:\t[\t\"y\"\t,\t\"z\"\t]\t}\t"),
    BAD("{\"a\":1,\n         \n         x}", 27, "expected a name in quotes"),
    BAD("{\"a\"  1}", 6, "expected ':'"),
    CUT("{\"a\":  "),
    CUT("{\"a\":1\n        "),
    CUT("[1,\t"),
#undef GOOD
#undef BAD
#undef CUT
};

static void check_text(ct_parser *p, const struct text_row *row)
{
    ct_doc doc;
    ct_err err = {0};
    char *text = exact(row->text);
    bool good = ct_parse(p, (ct_str){text, row->text.n}, &doc, &err);
    if (good != (row->kind == CT_OK))
        fail_msg("%s: %s", row->text.p, good ? "accepted" : err.text);
    if (!good && (err.kind != row->kind || err.offset != row->offset || strcmp(err.text, row->why)))
        fail_msg("%s: %s at %d, expected %s at %d", row->text.p, err.text, (int)err.offset,
                 row->why, (int)row->offset);
    assert_false(!good && ct_parse(p, (ct_str){text, row->text.n}, &doc, NULL));
    free(text);
}

static void texts(void **state)
{
    (void)state;
    ct_names *names = names_of(known, CT_LEN(known));
    ct_parser *with = ct_parser_new(names), *without = ct_parser_new(NULL);
    for (size_t i = 0; i < CT_LEN(text_table); i++) {
        check_text(with, &text_table[i]);
        check_text(without, &text_table[i]);
    }
    ct_parser_free(with);
    ct_parser_free(without);
    ct_parser_free(NULL);
    ct_names_free(names);
}

/* The texts of the table that hold no LF, as lines of one block, each between two good ones: with
 * each the answer is that of the text alone, and the line behind it is read. */
static void lines_of_a_block(void **state)
{
    (void)state;
    const ct_str good = CT_S("{\"a\":[1,\"x\\\"y\"],\"b\":{}}\r");
    ct_names *names = names_of(known, CT_LEN(known));
    ct_parser *p = ct_parser_new(names), *alone = ct_parser_new(names);
    ct_buf b = {0};
    for (size_t i = 0; i < CT_LEN(text_table); i++) {
        ct_buf_put(&b, good);
        ct_buf_c(&b, '\n');
        if (!memchr(text_table[i].text.p, '\n', text_table[i].text.n))
            ct_buf_put(&b, text_table[i].text);
        ct_buf_c(&b, '\n');
    }
    char *block = ct_calloc(b.n + CT_PARSE_SLACK, 1);
    memcpy(block, b.p, b.n);
    ct_parse_block(p, (ct_str){block, b.n});
    size_t lines = 0;
    for (ct_str line = {block, 0}; line.p < block + b.n; line.p += line.n + 1, lines++) {
        ct_doc doc, other;
        ct_err err = {0}, wanted = {0};
        bool ok = ct_parse_line(p, &line, &doc, &err);
        const char *lf = memchr(line.p, '\n', b.n - (size_t)(line.p - block));
        assert_ptr_equal(line.p + line.n, lf);
        assert_int_equal(ok, ct_parse(alone, line, &other, &wanted));
        assert_int_equal(err.kind, wanted.kind);
        assert_int_equal(err.offset, wanted.offset);
        if (ok) {
            assert_true(ct_str_eq(doc.text, line));
            assert_int_equal(doc.n, other.n);
            assert_memory_equal(doc.tape, other.tape, doc.n * sizeof *doc.tape);
        }
    }
    assert_int_equal(lines, 2 * CT_LEN(text_table));
    free(block);
    ct_buf_free(&b);
    ct_parser_free(p);
    ct_parser_free(alone);
    ct_names_free(names);
}

/* Lines like these in a block, the first of them so long that all that follows stands at another
 * place in the parts that are scanned. */
static void lines_at_every_place(void **state)
{
    (void)state;
    const ct_str lines =
        CT_S("{\"resourceType\":\"P\",\"x\":[{\"id\":\"\xc3\xa9\",\"\\u0061\":\"\\\"\"}],\"b\":1}\n"
             "[\t\"\",\r\"y\" ]\r\n");
    ct_names *names = names_of(known, CT_LEN(known));
    ct_parser *p = ct_parser_new(names), *alone = ct_parser_new(names);
    ct_buf b = {0};
    for (size_t at = 0; at <= lines.n; at++) {
        b.n = 0;
        ct_buf_c(&b, '"');
        memset(ct_buf_room(&b, CT_SCAN_PART), '-', CT_SCAN_PART - at);
        b.n += CT_SCAN_PART - at;
        ct_buf_z(&b, "\"\n");
        ct_buf_put(&b, lines);
        char *block = ct_calloc(b.n + CT_PARSE_SLACK, 1);
        memcpy(block, b.p, b.n);
        ct_parse_block(p, (ct_str){block, b.n});
        for (ct_str line = {block, 0}; line.p < block + b.n; line.p += line.n + 1) {
            ct_doc doc, other;
            assert_true(ct_parse_line(p, &line, &doc, NULL));
            assert_true(ct_parse(alone, line, &other, NULL));
            assert_int_equal(doc.n, other.n);
            assert_memory_equal(doc.tape, other.tape, doc.n * sizeof *doc.tape);
        }
        free(block);
    }
    ct_buf_free(&b);
    ct_parser_free(p);
    ct_parser_free(alone);
    ct_names_free(names);
}

/* Whatever stops a scan must be found at every distance from the start of a step and of the end. */
static void stops_at_every_place(void **state)
{
    (void)state;
    static const struct stop_row {
        const char *bytes;
        bool good;
    } stops[] = {
        {"\\n", true}, {"\xc3\xa9", true}, {"\x1f", false}, {"\xff", false},
        {" ", true},   {"\x7f", true},     {"\\q", false},  {"\xc3", false},
    };
    ct_parser *p = ct_parser_new(NULL);
    ct_buf b = {0};
    ct_doc doc;
    for (size_t i = 0; i < CT_LEN(stops); i++) {
        for (int ahead = 0; ahead < 40; ahead++) {
            for (int behind = 0; behind < 40; behind++) {
                b.n = 0;
                ct_buf_printf(&b, "\"%.*s%s%.*s\"", ahead,
                              "......................................!.", stops[i].bytes, behind,
                              "........................................");
                char *text = exact(ct_buf_str(&b));
                assert_int_equal(ct_parse(p, (ct_str){text, b.n}, &doc, NULL), stops[i].good);
                assert_false(ct_parse(p, (ct_str){text, b.n - 1}, &doc, NULL));
                free(text);
            }
        }
    }
    ct_buf_free(&b);
    ct_parser_free(p);
}

/* Every start of a good text but the whole is cut, unless it is whole by itself. */
static void every_start_is_cut(void **state)
{
    (void)state;
    ct_str whole =
        CT_S("{\"id\":\"a\\u00e9\\ud83d\\ude00\xc3\xa9\xf0\x9f\x98\x80\",\"name\":[-1.5e+10,true,"
             "{\"b\":null},false,[]],\"\\u0078\": {} }");
    ct_parser *p = ct_parser_new(NULL);
    ct_doc doc;
    ct_err err;
    assert_true(ct_parse(p, whole, &doc, &err));
    for (size_t n = 0; n < whole.n; n++) {
        char *text = exact(ct_str_head(whole, n));
        assert_false(ct_parse(p, (ct_str){text, n}, &doc, &err));
        assert_int_equal(err.kind, CT_E_CUT);
        assert_int_equal(err.offset, n);
        free(text);
    }
    ct_parser_free(p);
}

static void nested(ct_buf *b, int depth, const char *open, const char *close)
{
    b->n = 0;
    for (int i = 0; i < depth; i++)
        ct_buf_z(b, open);
    ct_buf_z(b, "1");
    for (int i = 0; i < depth; i++)
        ct_buf_z(b, close);
}

static void depth_is_bounded(void **state)
{
    (void)state;
    static const char *const ways[][2] = {{"[", "]"}, {"{\"a\":", "}"}, {"[{\"x\":", "}]"}};
    ct_parser *p = ct_parser_new(NULL);
    ct_buf b = {0};
    ct_doc doc;
    ct_err err;
    for (size_t i = 0; i < CT_LEN(ways); i++) {
        int levels = i == 2 ? CT_JSON_DEPTH / 2 : CT_JSON_DEPTH;
        nested(&b, levels, ways[i][0], ways[i][1]);
        assert_true(ct_parse(p, ct_buf_str(&b), &doc, &err));
        nested(&b, levels + 1, ways[i][0], ways[i][1]);
        assert_false(ct_parse(p, ct_buf_str(&b), &doc, &err));
        assert_int_equal(err.kind, CT_E_LIMIT);
        assert_int_equal(err.offset, (size_t)levels * strlen(ways[i][0]));
        nested(&b, 100000, ways[i][0], "");
        assert_false(ct_parse(p, ct_buf_str(&b), &doc, &err));
        assert_int_equal(err.kind, CT_E_LIMIT);
    }
    ct_buf_free(&b);
    ct_parser_free(p);
}

static void length_is_bounded(void **state)
{
    (void)state;
    ct_parser *p = ct_parser_new(NULL);
    ct_doc doc;
    ct_err err;
    assert_false(ct_parse(p, (ct_str){"", (size_t)CT_JSON_MAX + 1}, &doc, &err));
    assert_int_equal(err.kind, CT_E_LIMIT);
    ct_parser_free(p);
}

/* The array itself and its items: as many as may be, then one more. */
static void values_are_bounded(void **state)
{
    (void)state;
    ct_parser *p = ct_parser_new(NULL);
    size_t items = CT_JSON_NODES - 1;
    ct_buf b = {0};
    ct_doc doc;
    ct_err err;
    ct_buf_z(&b, "[0");
    memset(ct_buf_room(&b, 2 * items), '0', 2 * items);
    for (size_t i = 1; i < items; i++)
        b.p[2 * i] = ',';
    b.n = 2 * items;
    ct_buf_c(&b, ']');
    assert_true(ct_parse(p, ct_buf_str(&b), &doc, &err));
    assert_int_equal(doc.n, CT_JSON_NODES);
    b.n--;
    ct_buf_z(&b, ",0]");
    assert_false(ct_parse(p, ct_buf_str(&b), &doc, &err));
    assert_int_equal(err.kind, CT_E_LIMIT);
    ct_buf_free(&b);
    ct_parser_free(p);
}

/* An object of many names the table does not know, one of which may stand twice. */
static void strange_object(ct_buf *b, int n, int twice)
{
    b->n = 0;
    for (int i = 0; i < n; i++)
        ct_buf_printf(b, "%c\"%s%d\":%d", i ? ',' : '{', i % 3 ? "k" : "\\u006b", i, i);
    if (twice >= 0)
        ct_buf_printf(b, ",\"k%d\":0", twice);
    ct_buf_c(b, '}');
}

static void many_strange_names(void **state)
{
    (void)state;
    static const int sizes[] = {2, 7, 8, 9, 10, 100, 20000};
    ct_names *names = names_of(known, CT_LEN(known));
    ct_parser *p = ct_parser_new(names);
    ct_buf b = {0};
    ct_doc doc;
    ct_err err;
    for (size_t i = 0; i < CT_LEN(sizes); i++) {
        strange_object(&b, sizes[i], -1);
        assert_true(ct_parse(p, ct_buf_str(&b), &doc, &err));
        assert_int_equal(ct_count(&doc, CT_ROOT), sizes[i]);
        for (int k = 0; k < 3; k++) {
            strange_object(&b, sizes[i], k * (sizes[i] - 1) / 2);
            assert_false(ct_parse(p, ct_buf_str(&b), &doc, &err));
            assert_string_equal(err.text, "name stands twice in its object");
        }
    }
    ct_buf_free(&b);
    ct_parser_free(p);
    ct_names_free(names);
}

/* The tape grows as it must, is used again, and shrinks after a giant. */
static void tape_follows_the_text(void **state)
{
    (void)state;
    ct_parser *p = ct_parser_new(NULL);
    ct_buf b = {0};
    ct_doc doc;
    for (int i = 0; i < 600000; i++)
        ct_buf_z(&b, i ? ",1" : "[1");
    ct_buf_c(&b, ']');
    for (int round = 0; round < 3; round++) {
        assert_true(ct_parse(p, ct_buf_str(&b), &doc, NULL));
        assert_int_equal(doc.n, 600001);
        assert_int_equal(ct_count(&doc, CT_ROOT), 600000);
        assert_true(ct_parse(p, CT_S("[1,2]"), &doc, NULL));
        assert_int_equal(doc.n, 3);
    }
    ct_buf_free(&b);
    ct_parser_free(p);
}

/* ---- names ---- */

static void names(void **state)
{
    (void)state;
    ct_names *t = ct_names_new();
    char text[3000][12];
    for (int i = 0; i < 3000; i++) {
        size_t n = (size_t)i % 11 + 1;
        memset(text[i], '_', n);
        for (int k = i, at = 0; k && (size_t)at < n; k /= 26, at++)
            text[i][at] = (char)('a' + k % 26);
        ct_str name = {text[i], n};
        uint16_t found = ct_names_find(t, name), id = ct_names_add(t, name);
        assert_true(found == 0 || found == id);
        assert_int_equal(ct_names_find(t, name), id);
        assert_true(ct_str_eq(ct_names_text(t, id), name));
        assert_int_equal(ct_names_find(t, ct_str_head(name, n - 1)) == id, false);
    }
    assert_str(ct_names_text(t, 0), "");
    assert_str(ct_names_text(t, UINT16_MAX), "");
    ct_parser *p = ct_parser_new(t);
    for (int i = 0; i < 3000; i++) {
        ct_doc doc;
        char object[64];
        int n = snprintf(object, sizeof object, "{\"%.*s\":\"long enough by far\"}", i % 11 + 1,
                         text[i]);
        assert_true(ct_parse(p, (ct_str){object, (size_t)n}, &doc, NULL));
        assert_int_equal(ct_name(&doc, 1), ct_names_find(t, ct_key(&doc, 1)));
        assert_int_not_equal(ct_name(&doc, 1), 0);
    }
    ct_parser_free(p);
    ct_names_free(t);
    ct_names_free(NULL);
}

static const struct near_row {
    const char *name;
    uint16_t id;
} near_table[] = {
    {"", 0},
    {"i", 0},
    {"id", 1},
    {"idx", 0},
    {"ID", 0},
    {"resourceTypes", 0},
    {"resourceType", 5},
    {"resourceTyp", 0},
    {"verificationStatus", 6},
    {"verificatIOnStatus", 0},
    {"verificationstatus", 0},
    {"verificationXStatus", 0},
    {"name", 2},
    {"names", 0},
    {"sixteen-of-bytes", 7},
    {"sixteen-of-byte", 0},
    {"sixteen-of-bytez", 0},
    {"sixteen-of-bytess", 0},
    {"seventeen-of-byte", 8},
    {"seventeen-of-byt", 0},
    {"zeventeen-of-byte", 0},
    {"sevenTeen-of-byte", 0},
    {"thirty-two-bytes-32-thirty-two-b", 9},
    {"thirty-two-bytes 32-thirty-two-b", 0},
    {"thirty-two-byteZ-32-thirty-two-b", 0},
    {"thirty-two-bytes-32-thirty-two", 0},
    {"thirty-three-bytes-33-thirty-thre", 10},
    {"thirty-three-bytes-33_thirty-thre", 0},
};

static void near_names(void **state)
{
    (void)state;
    ct_names *t = names_of(known, CT_LEN(known));
    ct_parser *p = ct_parser_new(t);
    ct_doc doc;
    ct_buf b = {0};
    for (size_t i = 0; i < CT_LEN(near_table); i++) {
        ct_str name = ct_str_z(near_table[i].name);
        char *copy = exact(name);
        assert_int_equal(ct_names_find(t, (ct_str){copy, name.n}), near_table[i].id);
        free(copy);
        /* close to the end of the text, and far from it */
        for (int far = 0; far < 2; far++) {
            b.n = 0;
            ct_buf_printf(&b, "{\"%s\":%s}", name.p, far ? "\"a value of some length\"" : "1");
            char *text = exact(ct_buf_str(&b));
            assert_true(ct_parse(p, (ct_str){text, b.n}, &doc, NULL));
            assert_int_equal(ct_name(&doc, 1), near_table[i].id);
            free(text);
        }
    }
    assert_int_equal(ct_names_add(t, CT_S("")), CT_LEN(known) + 1);
    assert_int_equal(ct_names_find(t, CT_S("")), CT_LEN(known) + 1);
    assert_true(ct_parse(p, CT_S("{\"\":\"a value of some length\"}"), &doc, NULL));
    assert_int_equal(ct_name(&doc, 1), CT_LEN(known) + 1);
    ct_buf_free(&b);
    ct_parser_free(p);
    ct_names_free(t);
}

static void table_is_full(void **state)
{
    (void)state;
    ct_names *t = ct_names_new();
    ct_arena *a = ct_arena_new();
    for (int i = 1; i <= UINT16_MAX; i++)
        assert_int_equal(ct_names_add(t, ct_arena_printf(a, "n%d", i)), i);
    assert_int_equal(ct_names_add(t, CT_S("one more")), 0);
    assert_int_equal(ct_names_add(t, CT_S("n777")), 777);
    assert_int_equal(ct_names_find(t, CT_S("one more")), 0);
    ct_arena_free(a);
    ct_names_free(t);
}

/* ---- reading ---- */

static const char chart[] = " {\"id\":\"p1\",\"name\":[{\"given\":[\"Anna\",\"M.\"],\"family\":"
                            "\"Li\\u00e9\\n\"},{\"family\":\"B\"}],"
                            "\"multiple\":[[],[[\"deep\"]]],\"n\":1.50,\"t\":true,\"z\":null,\"o\":"
                            "{},\"\\u0062\":\"\\\"\",\"last\":[ ]} ";

typedef struct fixture {
    ct_names *names;
    ct_parser *parser;
    ct_arena *arena;
    ct_doc doc;
} fixture;

static int open_chart(void **state)
{
    static fixture f;
    f.names = names_of(known, CT_LEN(known));
    f.parser = ct_parser_new(f.names);
    f.arena = ct_arena_new();
    *state = &f;
    return ct_parse(f.parser, CT_S(chart), &f.doc, NULL) ? 0 : -1;
}

static int close_chart(void **state)
{
    fixture *f = *state;
    ct_parser_free(f->parser);
    ct_names_free(f->names);
    ct_arena_free(f->arena);
    return 0;
}

static const struct at_row {
    const char *path;
    const char *raw;  /* NULL: none */
    const char *text; /* by ct_text_at */
} at_table[] = {
    {"id", "\"p1\"", "p1"},
    {"ID", NULL, ""},
    {"", NULL, ""},
    {"name.family", "\"Li\\u00e9\\n\"", "Li\xc3\xa9\n"},
    {"name.given", "[\"Anna\",\"M.\"]", "Anna"},
    {"name.given.x", NULL, ""},
    {"name.suffix", NULL, ""},
    {"name.", NULL, ""},
    {"n", "1.50", "1.50"},
    {"n.x", NULL, ""},
    {"t", "true", "true"},
    {"z", "null", "null"},
    {"o", "{}", ""},
    {"o.x", NULL, ""},
    {"b", "\"\\\"\"", "\""},
    {"last", "[ ]", ""},
    {"last.x", NULL, ""},
    {"multiple", "[[],[[\"deep\"]]]", ""},
};

static void at_paths(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < CT_LEN(at_table); i++) {
        ct_val v = ct_at(&f->doc, CT_ROOT, at_table[i].path);
        assert_int_equal(v != CT_NONE, at_table[i].raw != NULL);
        if (v != CT_NONE)
            assert_str(ct_raw(&f->doc, v), at_table[i].raw);
        assert_str(ct_text_at(&f->doc, CT_ROOT, at_table[i].path, f->arena), at_table[i].text);
    }
    assert_int_equal(ct_at(&f->doc, CT_NONE, "id"), CT_NONE);
}

static void members(void **state)
{
    fixture *f = *state;
    const ct_doc *d = &f->doc;
    assert_int_equal(ct_member_id(d, CT_ROOT, 1), ct_member(d, CT_ROOT, CT_S("id")));
    ct_val b = ct_member_id(d, CT_ROOT, ct_names_find(f->names, CT_S("b")));
    assert_str(ct_raw(d, b), "\"\\\"\"");
    assert_str(ct_key(d, b), "\\u0062");
    assert_int_equal(ct_member(d, CT_ROOT, CT_S("b")), b);
    assert_int_equal(ct_member(d, CT_ROOT, CT_S("\\u0062")), CT_NONE);
    assert_int_equal(ct_member_id(d, CT_ROOT, 0), CT_NONE);
    assert_int_equal(ct_member_id(d, CT_NONE, 1), CT_NONE);
    assert_int_equal(ct_member_id(d, ct_at(d, CT_ROOT, "name"), 1), CT_NONE);
    assert_int_equal(ct_member(d, CT_NONE, CT_S("id")), CT_NONE);
    assert_int_equal(ct_member(d, ct_at(d, CT_ROOT, "id"), CT_S("id")), CT_NONE);
    assert_int_equal(ct_count(d, CT_ROOT), 9);
    assert_int_equal(ct_count(d, ct_at(d, CT_ROOT, "name")), 2);
    assert_int_equal(ct_count(d, ct_at(d, CT_ROOT, "last")), 0);
    assert_int_equal(ct_count(d, ct_at(d, CT_ROOT, "id")), 0);
    assert_int_equal(ct_first(d, ct_at(d, CT_ROOT, "last")), CT_NONE);
    assert_true(ct_str_eq(ct_raw(d, CT_ROOT), ct_str_trim(CT_S(chart))));
}

static void strings_are(void **state)
{
    fixture *f = *state;
    const ct_doc *d = &f->doc;
    ct_val family = ct_at(d, CT_ROOT, "name.family");
    assert_true(ct_is(d, ct_at(d, CT_ROOT, "id"), CT_S("p1")));
    assert_false(ct_is(d, ct_at(d, CT_ROOT, "id"), CT_S("p")));
    assert_false(ct_is(d, ct_at(d, CT_ROOT, "id"), CT_S("p11")));
    assert_true(ct_is(d, family, CT_S("Li\xc3\xa9\n")));
    assert_false(ct_is(d, family, CT_S("Li\xc3\xa9")));
    assert_false(ct_is(d, family, CT_S("Li\xc3\xa9\n\n")));
    assert_false(ct_is(d, family, CT_S("")));
    assert_false(ct_is(d, ct_at(d, CT_ROOT, "t"), CT_S("true")));
    assert_false(ct_is(d, CT_NONE, CT_S("")));
    assert_str(ct_text(d, CT_NONE, f->arena), "");
}

static void kept_documents(void **state)
{
    fixture *f = *state;
    ct_doc kept = ct_doc_keep(&f->doc, f->arena), other;
    assert_true(ct_parse(f->parser, CT_S("[0,[0],{\"id\":0}]"), &other, NULL));
    assert_str(ct_text_at(&kept, CT_ROOT, "name.given", f->arena), "Anna");
    assert_int_equal(ct_type(&kept, ct_at(&kept, CT_ROOT, "z")), CT_NULL);
    assert_int_equal(ct_type(&kept, ct_at(&kept, CT_ROOT, "t")), CT_TRUE);
    assert_true(ct_parse(f->parser, CT_S(chart), &f->doc, NULL));
}

static const struct unescape_row {
    const char *raw;
    ct_str text;
} unescape_table[] = {
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", {"\"\\/\b\f\n\r\t", 8}},
    {"\"\\u0000a\"", {"\0a", 2}},
    {"\"\\u007f\\u0080\\u07ff\\u0800\"", {"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80", 8}},
    {"\"\\uFFFF\\ufffd\"", {"\xef\xbf\xbf\xef\xbf\xbd", 6}},
    {"\"\\uD800\\uDC00\\udbff\\udfff\"", {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8}},
    {"\"\\u0041\\u004a\\u005a\"", {"AJZ", 3}},
    {"\"x\\ty\xc3\xa9z\\\\\"", {"x\ty\xc3\xa9z\\", 7}},
};

static void unescaping(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < CT_LEN(unescape_table); i++) {
        const struct unescape_row *row = &unescape_table[i];
        ct_doc d;
        assert_true(ct_parse(f->parser, ct_str_z(row->raw), &d, NULL));
        assert_true(ct_str_eq(ct_text(&d, CT_ROOT, f->arena), row->text));
        assert_true(ct_is(&d, CT_ROOT, row->text));
        assert_false(ct_is(&d, CT_ROOT, ct_str_from(row->text, 1)));
        assert_false(ct_is(&d, CT_ROOT, ct_str_head(row->text, row->text.n - 1)));
    }
    assert_true(ct_parse(f->parser, CT_S(chart), &f->doc, NULL));
}

/* ---- writing ---- */

static const struct put_row {
    ct_str s;
    const char *json;
} put_table[] = {
    {{"", 0}, "\"\""},
    {{NULL, 0}, "\"\""},
    {{"plain text, longer than one step of the scan", 44},
     "\"plain text, longer than one step of the scan\""},
    {{"\"\\/\b\f\n\r\t", 8}, "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
    {{"\0\x01\x1f\x7f", 4}, "\"\\u0000\\u0001\\u001f\x7f\""},
    {{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9}, "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
    {{"caf\xe9", 4}, "\"caf\xef\xbf\xbd\""},
    {{"\xc3", 1}, "\"\xef\xbf\xbd\""},
    {{"\xed\xa0\x80", 3}, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    {{"a\xff\"b", 4}, "\"a\xef\xbf\xbd\\\"b\""},
};

static void put_strings(void **state)
{
    fixture *f = *state;
    ct_buf b = {0};
    for (size_t i = 0; i < CT_LEN(put_table); i++) {
        ct_doc d;
        b.n = 0;
        ct_put_string(&b, put_table[i].s);
        assert_str(ct_buf_str(&b), put_table[i].json);
        assert_true(ct_parse(f->parser, ct_buf_str(&b), &d, NULL));
    }
    ct_buf_free(&b);
    assert_true(ct_parse(f->parser, CT_S(chart), &f->doc, NULL));
}

static void assert_tree(const ct_tree *t, const char *json)
{
    ct_buf b = {0};
    ct_tree_write(&b, t);
    assert_str(ct_buf_str(&b), json);
    ct_buf_free(&b);
}

/* One character at every place of strings of every length up to a few words, as a string and as a
 * member's name: short ones are looked at by words that overlap. */
static void put_lengths(void **state)
{
    static const struct {
        char c;
        const char *json;
    } odd[] = {
        {'"', "\\\""}, {'\\', "\\\\"}, {'\x1f', "\\u001f"}, {'\xff', "\xef\xbf\xbd"}, {'x', "x"}};
    const char *plain = "abcdefghijklmnopqrstuvwxyz";
    fixture *f = *state;

    for (size_t n = 1; n <= 26; n++)
        for (size_t at = 0; at < n; at++)
            for (size_t i = 0; i < CT_LEN(odd); i++) {
                ct_str s = ct_arena_copy(f->arena, (ct_str){plain, n});
                ((char *)s.p)[at] = odd[i].c;
                ct_str json = ct_arena_printf(f->arena, "{\"%.*s%s%s\":\"%.*s%s%s\"}", (int)at,
                                              plain, odd[i].json, ct_str_from(s, at + 1).p, (int)at,
                                              plain, odd[i].json, ct_str_from(s, at + 1).p);
                ct_tree *t = ct_tree_object(f->arena);
                ct_tree_set(t, s, ct_tree_view(f->arena, s));
                assert_tree(t, json.p);
            }
}

static const char *const compact_table[][2] = {
    {"1", "1"},
    {" [ ] ", "[]"},
    {"{ \"a b\" : [ 1 , true,\n\t{ } ] }", "{\"a b\":[1,true,{}]}"},
    {"[\" \\\" \", \"\\\\\" , \" \"]", "[\" \\\" \",\"\\\\\",\" \"]"},
    {"{\"\\\\ \" : \"\xc3\xa9 \\u0020\" }", "{\"\\\\ \":\"\xc3\xa9 \\u0020\"}"},
    {"[1.50 , -0]", "[1.50,-0]"},
};

static void compacting(void **state)
{
    fixture *f = *state;
    ct_buf b = {0};
    for (size_t i = 0; i < CT_LEN(compact_table); i++) {
        ct_doc d;
        b.n = 0;
        assert_true(ct_parse(f->parser, ct_str_z(compact_table[i][0]), &d, NULL));
        ct_put_compact(&b, &d, CT_ROOT);
        assert_str(ct_buf_str(&b), compact_table[i][1]);
    }
    b.n = 0;
    assert_true(ct_parse(f->parser, CT_S(chart), &f->doc, NULL));
    ct_put_compact(&b, &f->doc, ct_at(&f->doc, CT_ROOT, "last"));
    assert_str(ct_buf_str(&b), "[]");
    ct_buf_free(&b);
}

/* ---- trees ---- */

static const struct tree_row {
    const char *path; /* what is put there is its number in the table */
    bool good;
    const char *json; /* the whole tree after that; NULL: as before */
} tree_table[] = {
    {"a", true, "{\"a\":0}"},
    {"a", true, "{\"a\":1}"},
    {"a.b", false, NULL},
    {"a[0]", false, NULL},
    {"b.c", true, "{\"a\":1,\"b\":{\"c\":4}}"},
    {"b[0]", false, NULL},
    {"l[1]", false, NULL},
    {"l[0]", true, "{\"a\":1,\"b\":{\"c\":4},\"l\":[7]}"},
    {"l[+]", true, "{\"a\":1,\"b\":{\"c\":4},\"l\":[7,8]}"},
    {"l[-]", true, "{\"a\":1,\"b\":{\"c\":4},\"l\":[7,9]}"},
    {"l[3]", false, NULL},
    {"l[2].x[-].y[+]", true, "{\"a\":1,\"b\":{\"c\":4},\"l\":[7,9,{\"x\":[{\"y\":[11]}]}]}"},
    {"l[-].x[-].y[+]", true, "{\"a\":1,\"b\":{\"c\":4},\"l\":[7,9,{\"x\":[{\"y\":[11,12]}]}]}"},
    {"l.x", false, NULL},
    {"l[x]", false, NULL},
    {"l[", false, NULL},
    {"l[]", false, NULL},
    {"l[-1]", false, NULL},
    {"l[99999999999999999999]", false, NULL},
    {"", false, NULL},
    {".", false, NULL},
    {"b.", false, NULL},
    {"b..c", false, NULL},
    {"[0]", false, NULL},
    {"b.c", true, "{\"a\":1,\"b\":{\"c\":24},\"l\":[7,9,{\"x\":[{\"y\":[11,12]}]}]}"},
    {"l[2]", true, "{\"a\":1,\"b\":{\"c\":24},\"l\":[7,9,25]}"},
};

/* An object of paths and texts, NULL behind the last. */
static ct_tree *tree_of(ct_arena *a, const char *const *list)
{
    ct_tree *root = ct_tree_object(a);

    for (; *list; list += 2)
        assert_true(ct_tree_put(root, list[0], ct_tree_string(a, ct_str_z(list[1]))));
    return root;
}

static void tree_completes(void **state)
{
    static const struct row {
        const char *whole[9], *part[9], *json;
    } rows[] = {
        {{"a", "1"}, {"b", "2"}, "{\"a\":\"1\",\"b\":\"2\"}"},
        {{"a", "1"}, {"a", "2"}, "{\"a\":\"1\"}"},
        {{"a.x", "1"}, {"a.x", "1", "a.y", "2"}, "{\"a\":{\"x\":\"1\",\"y\":\"2\"}}"},
        {{"a.x", "1"}, {"a.x", "3", "a.y", "2"}, "{\"a\":{\"x\":\"1\"}}"},
        {{"a[+]", "1"}, {"a[+]", "1"}, "{\"a\":[\"1\"]}"},
        {{"a[+]", "1"}, {"a[+]", "2"}, "{\"a\":[\"1\",\"2\"]}"},
        {{"a[0].x", "1"}, {"a[0].x", "1", "a[0].y", "2"}, "{\"a\":[{\"x\":\"1\",\"y\":\"2\"}]}"},
        {{"a[0].x", "1", "a[0].y", "2"}, {"a[0].y", "2"}, "{\"a\":[{\"x\":\"1\",\"y\":\"2\"}]}"},
        {{"a[0].x", "1"}, {"a.x", "2"}, "{\"a\":[{\"x\":\"1\"}]}"},
    };
    ct_arena *a = ct_arena_new();

    (void)state;
    for (size_t i = 0; i < CT_LEN(rows); i++) {
        ct_tree *whole = tree_of(a, rows[i].whole);
        ct_tree_complete(whole, tree_of(a, rows[i].part));
        assert_tree(whole, rows[i].json);
    }
    ct_arena_free(a);
}

static void tree_paths(void **state)
{
    (void)state;
    ct_arena *a = ct_arena_new();
    ct_tree *root = ct_tree_object(a);
    const char *now = "{}";
    for (size_t i = 0; i < CT_LEN(tree_table); i++) {
        ct_tree *value = ct_tree_raw(a, ct_arena_printf(a, "%zu", i));
        if (ct_tree_put(root, tree_table[i].path, value) != tree_table[i].good)
            fail_msg("%s", tree_table[i].path);
        now = tree_table[i].json ? tree_table[i].json : now;
        assert_tree(root, now);
        if (tree_table[i].good && !strchr(tree_table[i].path, '+'))
            assert_ptr_equal(ct_tree_find(root, tree_table[i].path), value);
    }
    assert_ptr_equal(ct_tree_find(root, ""), root);
    assert_null(ct_tree_find(root, "nowhere"));
    assert_null(ct_tree_find(root, "l[+]"));
    assert_null(ct_tree_find(root, "l[3]"));
    assert_null(ct_tree_find(root, "l["));
    assert_null(ct_tree_find(root, "a.b"));
    ct_tree *list = ct_tree_array(a);
    assert_true(ct_tree_put(list, "[+].x", ct_tree_string(a, CT_S("\""))));
    assert_true(ct_tree_put(list, "[0].y", ct_tree_raw(a, CT_S("null"))));
    assert_tree(list, "[{\"x\":\"\\\"\",\"y\":null}]");
    ct_arena_free(a);
}

/* What is like a kept tree reads as it and is written as it, and changes without changing it. */
static void tree_like_another(void **state)
{
    (void)state;
    static const char json[] = "{\"a\":{\"b\":[\"x\",{\"c\":1}]},\"d\":\"y\"}";
    const char *const parts[] = {"a.b[0]", "x", "d", "y", NULL};
    ct_arena *from = ct_arena_new(), *to = ct_arena_new(), *a = ct_arena_new();
    ct_tree *made = tree_of(from, parts);
    assert_true(ct_tree_put(made, "a.b[1].c", ct_tree_raw(from, CT_S("1"))));
    const ct_tree *kept = ct_tree_copy(to, made);
    ct_arena_free(from);
    assert_tree(kept, json);

    ct_tree *like = ct_tree_like(a, kept, ct_str_z(json));
    assert_int_equal(ct_tree_type(like), CT_OBJECT);
    assert_int_equal(ct_tree_count(like), 2);
    assert_int_equal(ct_tree_size(like), strlen(json));
    assert_false(ct_tree_empty(like));
    assert_tree(like, json);
    assert_str(ct_tree_text(ct_tree_get(like, CT_S("d"))), "y");
    assert_tree(like, json);
    assert_int_equal(ct_tree_size(like), strlen(json));
    assert_true(ct_tree_put(like, "a.b[1].c", ct_tree_raw(a, CT_S("2"))));
    assert_true(ct_tree_put(like, "a.b[+]", ct_tree_string(a, CT_S("z"))));
    ct_tree_set(like, CT_S("d"), ct_tree_string(a, CT_S("w")));
    assert_tree(like, "{\"a\":{\"b\":[\"x\",{\"c\":2},\"z\"]},\"d\":\"w\"}");
    assert_tree(ct_tree_copy(a, like), "{\"a\":{\"b\":[\"x\",{\"c\":2},\"z\"]},\"d\":\"w\"}");

    ct_tree *part = ct_tree_like(a, kept, ct_str_z(json));
    ct_tree_complete(like, part);
    assert_tree(like, "{\"a\":{\"b\":[\"x\",{\"c\":2},\"z\"]},\"d\":\"w\"}");
    ct_tree *whole = ct_tree_like(a, kept, ct_str_z(json));
    ct_tree_complete(whole, tree_of(a, (const char *const[]){"e", "v", NULL}));
    assert_tree(whole, "{\"a\":{\"b\":[\"x\",{\"c\":1}]},\"d\":\"y\",\"e\":\"v\"}");
    assert_tree(kept, json);
    ct_arena_free(a);
    ct_arena_free(to);
}

static void trees(void **state)
{
    (void)state;
    ct_arena *a = ct_arena_new();
    ct_tree *root = ct_tree_object(a), *list = ct_tree_array(a);
    assert_true(ct_tree_empty(root));
    assert_tree(root, "{}");
    assert_tree(list, "[]");
    for (int i = 0; i < 10; i++) {
        ct_tree_push(list, ct_tree_object(a));
        ct_tree_set(root, ct_arena_printf(a, "m%d", i), ct_tree_array(a));
    }
    ct_tree_set(root, CT_S("m5"), list);
    assert_true(ct_tree_empty(root));
    assert_tree(root, "{}");
    ct_tree_push(list, ct_tree_string(a, CT_S("")));
    ct_tree_set(root, CT_S("m7"), ct_tree_raw(a, CT_S("1.50")));
    assert_false(ct_tree_empty(root));
    assert_tree(root, "{\"m5\":[\"\"],\"m7\":1.50}");
    assert_int_equal(ct_tree_count(root), 10);
    assert_int_equal(ct_tree_count(list), 11);
    assert_null(ct_tree_item(list, 11));
    assert_null(ct_tree_get(list, CT_S("m5")));
    assert_ptr_equal(ct_tree_get(root, CT_S("m5")), list);
    assert_int_equal(ct_tree_type(list), CT_ARRAY);
    assert_int_equal(ct_tree_type(ct_tree_get(root, CT_S("m7"))), CT_NUMBER);
    assert_int_equal(ct_tree_type(ct_tree_item(list, 10)), CT_STRING);
    assert_str(ct_tree_text(ct_tree_get(root, CT_S("m7"))), "1.50");
    assert_str(ct_tree_text(root), "");
    ct_arena_free(a);
}

#ifdef SCAN_WAY
/* False where this machine has no such way. */
static bool scan_by(const char *name)
{
    for (const ct_scan_way *w = ct_scan_ways; w->name; w++)
        if (strcmp(w->name, name) == 0 && w->there())
            return setenv("CHART_SIMD", name, 1) == 0 && ct_scan_best() == w->scan;
    return false;
}
#endif

int main(void)
{
#ifdef SCAN_WAY
    if (!scan_by(SCAN_WAY)) {
        puts("ok 1 - all # skip: not on this machine");
        return 0;
    }
#endif
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(lines_of_a_block),
        cmocka_unit_test(lines_at_every_place),
        cmocka_unit_test(stops_at_every_place),
        cmocka_unit_test(every_start_is_cut),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(length_is_bounded),
        cmocka_unit_test(values_are_bounded),
        cmocka_unit_test(many_strange_names),
        cmocka_unit_test(tape_follows_the_text),
        cmocka_unit_test(names),
        cmocka_unit_test(near_names),
        cmocka_unit_test(table_is_full),
        cmocka_unit_test_setup_teardown(at_paths, open_chart, close_chart),
        cmocka_unit_test_setup_teardown(members, open_chart, close_chart),
        cmocka_unit_test_setup_teardown(strings_are, open_chart, close_chart),
        cmocka_unit_test_setup_teardown(kept_documents, open_chart, close_chart),
        cmocka_unit_test_setup_teardown(unescaping, open_chart, close_chart),
        cmocka_unit_test_setup_teardown(put_strings, open_chart, close_chart),
        cmocka_unit_test_setup_teardown(put_lengths, open_chart, close_chart),
        cmocka_unit_test_setup_teardown(compacting, open_chart, close_chart),
        cmocka_unit_test(tree_paths),
        cmocka_unit_test(tree_completes),
        cmocka_unit_test(trees),
        cmocka_unit_test(tree_like_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
