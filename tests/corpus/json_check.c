/* json_check FILE...: what the parser says of each file: `NAME accepted`, or `NAME cut|data|limit
 * OFFSET why`. */
#include "common/json/json.h"

#include <stdio.h>

static bool slurp(const char *path, ct_buf *b)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        return false;
    size_t n;
    while ((n = fread(ct_buf_room(b, 65536), 1, 65536, in)) > 0)
        b->n += n;
    bool good = !ferror(in);
    return fclose(in) == 0 && good;
}

int main(int argc, char **argv)
{
    static const char *const kinds[] = {
        [CT_E_DATA] = "data", [CT_E_CUT] = "cut", [CT_E_LIMIT] = "limit"};
    ct_parser *p = ct_parser_new(NULL);
    ct_buf text = {0};
    for (int i = 1; i < argc; i++) {
        const char *slash = strrchr(argv[i], '/'), *name = slash ? slash + 1 : argv[i];
        ct_doc doc;
        ct_err err;
        text.n = 0;
        if (!slurp(argv[i], &text)) {
            perror(argv[i]);
            return 2;
        }
        if (ct_parse(p, ct_buf_str(&text), &doc, &err))
            printf("%s accepted\n", name);
        else
            printf("%s %s %llu %s\n", name, kinds[err.kind], (unsigned long long)err.offset,
                   err.text);
    }
    ct_buf_free(&text);
    ct_parser_free(p);
    return 0;
}
