/* json_same MEMBER VALUE <RECORD: does yajl see in RECORD's MEMBER the value that it sees in the
 * file VALUE, with the same spelling of numbers and order of members? RECORD must be one line. Exit
 * 0 yes, 1 no, 2 it cannot be read. */
#include "tests/helpers/seen.h"

#include <stdio.h>

static bool slurp(FILE *in, ct_buf *b)
{
    size_t n;
    while (in && (n = fread(ct_buf_room(b, 65536), 1, 65536, in)) > 0)
        b->n += n;
    return in && !ferror(in);
}

int main(int argc, char **argv)
{
    ct_buf line = {0}, text = {0};
    seen record = {0}, value = {0};
    FILE *in = argc == 3 ? fopen(argv[2], "rb") : NULL;
    int status = 2;
    if (slurp(stdin, &line) && slurp(in, &text) && seen_read(&record, ct_buf_str(&line)) &&
        seen_read(&value, ct_buf_str(&text))) {
        uint32_t v = seen_member(&record, 0, ct_str_z(argv[1]));
        bool one_line = ct_str_find(ct_buf_str(&line), CT_S("\n")) == line.n - 1;
        status = one_line && v != UINT32_MAX && seen_same(&record, v, &value, 0) ? 0 : 1;
    }
    if (in)
        fclose(in);
    seen_free(&record);
    seen_free(&value);
    ct_buf_free(&line);
    ct_buf_free(&text);
    return status;
}
