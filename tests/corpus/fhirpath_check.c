/* fhirpath_check: reads lines `FILE TAB EXPRESSION` (with ^A for a newline and ^B for a tab in it;
 * FILE may be empty) and says what each expression gives on that record, one line each:
 *
 *     refused TAB column N: why       by the compiler
 *     failed TAB column N: why        by evaluation
 *     gave [TAB type=text]...         the items of the result
 */
#include "common/fhirpath/fhirpath.h"

#include <stdio.h>
#include <stdlib.h>

struct checker {
    const ct_model *model;
    ct_parser *parser;
    ct_arena *arena;
    ct_buf text;
};

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

static void translate(char *s, const char *from, const char *to)
{
    for (; *s; s++) {
        const char *at = strchr(from, *s);
        if (at)
            *s = to[at - from];
    }
}

static const char *const system_types[] = {
    [CT_I_BOOLEAN] = "boolean", [CT_I_INTEGER] = "integer",   [CT_I_DECIMAL] = "decimal",
    [CT_I_STRING] = "string",   [CT_I_DATE] = "date",         [CT_I_DATETIME] = "dateTime",
    [CT_I_TIME] = "time",       [CT_I_QUANTITY] = "Quantity", [CT_I_TYPE] = "TypeInfo",
};

static void print_item(const ct_item *item, ct_arena *a)
{
    ct_str text = ct_item_text(item, a), type = {"", 0};
    if (item->type != CT_I_NODE)
        type = ct_str_z(system_types[item->type]);
    else if (item->ftype)
        type = item->ftype->name;
    printf("\t%.*s=", (int)type.n, type.p);
    for (size_t i = 0; i < text.n; i++)
        putchar(text.p[i] == '\n' ? '\1' : text.p[i] == '\t' ? '\2' : text.p[i]);
}

static void evaluate(struct checker *k, const ct_path *p, const ct_doc *doc)
{
    ct_context c = {
        .model = k->model,
        .arena = k->arena,
        .doc = doc,
        .node = CT_ROOT,
        .now = {.precision = CT_P_FRACTION, .year = 2024, .month = 6, .day = 1, .zoned = true},
    };
    ct_items items;
    ct_err err = {0};
    if (!ct_path_eval(p, &c, &items, &err)) {
        printf("failed\t%s: %s\n", err.where, err.text);
        return;
    }
    printf("gave");
    for (size_t i = 0; i < items.n; i++)
        print_item(&items.v[i], k->arena);
    putchar('\n');
}

static bool check(struct checker *k, const char *file, ct_str source)
{
    ct_doc doc;
    ct_err err = {0};
    k->text.n = 0;
    if (*file == '\0')
        ct_buf_z(&k->text, "{}");
    else if (!slurp(file, &k->text))
        return false;
    if (!ct_parse(k->parser, ct_buf_str(&k->text), &doc, &err))
        return false;
    ct_path *p = ct_path_compile(k->model, source, &err);
    if (p)
        evaluate(k, p, &doc);
    else
        printf("refused\t%s: %s\n", err.where, err.text);
    ct_path_free(p);
    ct_arena_reset(k->arena);
    return true;
}

int main(void)
{
    struct checker k = {.model = ct_model_r4(), .arena = ct_arena_new()};
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    bool good = true;
    k.parser = ct_parser_new(ct_model_names(k.model));
    while (good && (n = getline(&line, &cap, stdin)) > 0) {
        if (line[n - 1] == '\n')
            line[n - 1] = '\0';
        char *tab = strchr(line, '\t');
        if (tab)
            *tab = '\0';
        if (tab)
            translate(tab + 1, "\1\2", "\n\t");
        good = tab && check(&k, line, ct_str_z(tab + 1));
        if (!good)
            fprintf(stderr, "fhirpath_check: %s: cannot be read\n", line);
    }
    free(line);
    ct_buf_free(&k.text);
    ct_parser_free(k.parser);
    ct_arena_free(k.arena);
    return good && !ferror(stdin) && fflush(stdout) == 0 ? 0 : 1;
}
