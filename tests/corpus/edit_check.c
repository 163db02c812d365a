/* edit_check lines|whole ROUNDS FILE...: seeded edits of each record (a line, or a whole file; `-`
 * is stdin), ROUNDS times, judged as in tests/helpers/random_edit.h. For each file one line: `NAME
 * ok RECORDS EDITS`, or `NAME LINE SEED what is wrong`. */
#include "common/fhir/fhir.h"
#include "tests/helpers/random_edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

static bool whole(FILE *in, ct_buf *b)
{
    size_t n;
    b->n = 0;
    while ((n = fread(ct_buf_room(b, 65536), 1, 65536, in)) > 0)
        b->n += n;
    return b->n > 0 && !ferror(in);
}

static bool line(FILE *in, ct_buf *b)
{
    ssize_t n = getline(&b->p, &b->cap, in);
    b->n = n > 0 ? (size_t)n : 0;
    return n > 0;
}

/* Tells what it did; false where something is wrong. */
static bool check(random_edit *e, const char *path, bool lines, unsigned rounds)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *why = NULL;
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    size_t records = 0, before = random_edit_made(e);
    unsigned long long seed = 0;
    ct_buf text = {0};
    while (in && !why && (lines ? line(in, &text) : whole(in, &text))) {
        records++;
        for (unsigned i = 0; i < rounds && !why; i++)
            why = random_edit_try(e, ct_buf_str(&text), seed = records * rounds + i);
        if (!lines)
            break;
    }
    if (why || records == 0 || ferror(in))
        printf("%s %zu %llu %s\n", name, records, seed, why ? why : "it cannot be read");
    else
        printf("%s ok %zu %zu\n", name, records, random_edit_made(e) - before);
    ct_buf_free(&text);
    if (in)
        fclose(in);
    return !why && records > 0;
}

int main(int argc, char **argv)
{
    bool good = argc > 3;
    random_edit *e = random_edit_new(ct_model_names(ct_model_r4()));
    for (int i = 3; i < argc; i++)
        good &= check(e, argv[i], strcmp(argv[1], "lines") == 0, (unsigned)atoi(argv[2]));
    random_edit_free(e);
    return good ? 0 : 1;
}
