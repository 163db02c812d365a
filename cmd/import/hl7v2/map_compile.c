/* Compiles the columns of a mapping row; map.h says what may stand in them. */
#include "cmd/import/hl7v2/map.h"

ct_str import_word(ct_str *rest)
{
    ct_str word;
    size_t n = 0;

    while (rest->n && *rest->p == ' ')
        *rest = ct_str_from(*rest, 1);
    if (rest->n && *rest->p == '"') {
        size_t close = ct_str_find(ct_str_from(*rest, 1), CT_S("\""));
        n = close < rest->n ? close + 2 : rest->n;
    } else {
        while (n < rest->n && rest->p[n] != ' ')
            n++;
    }
    word = ct_str_head(*rest, n);
    *rest = ct_str_from(*rest, n);
    return word;
}

static bool is_quoted(ct_str word)
{
    return word.n >= 2 && *word.p == '"' && word.p[word.n - 1] == '"';
}

static ct_str unquoted(ct_str word)
{
    return (ct_str){word.p + 1, word.n - 2};
}

/* ---- references ---- */

static bool small_number(ct_str text, uint64_t most, uint64_t *n)
{
    return ct_str_u64(text, n) && *n >= 1 && *n <= most;
}

/* `.4.1` behind a field or a data type's name. */
static bool compile_parts(import_compiler *c, ct_str text, import_ref *ref)
{
    for (size_t i = 0; text.p; i++) {
        uint64_t n;
        if (i == CT_LEN(ref->part) || !small_number(ct_str_cut(&text, '.'), UINT8_MAX, &n))
            return import_bad(c, "not a component");
        ref->part[i] = (uint8_t)n;
    }
    return true;
}

bool import_compile_ref(import_compiler *c, ct_str text, import_ref *ref)
{
    size_t dash = ct_str_find(text, CT_S("-")), dot = ct_str_find(text, CT_S("."));
    uint64_t field;

    *ref = (import_ref){0};
    if (ct_str_is(text, "-"))
        return true;
    if (ct_str_is(text, "$")) {
        ref->kind = REF_VALUE;
        return true;
    }
    if (text.n > 1 && *text.p == '@') {
        ref->kind = REF_SLOT;
        ref->slot = ct_str_from(text, 1);
        return true;
    }
    if (dash == 3) {
        ct_str rest = ct_str_from(text, 4), number = ct_str_cut(&rest, '.');
        if (!small_number(number, UINT16_MAX, &field))
            return import_bad(c, "not a field");
        ref->kind = REF_FIELD;
        ref->field = (uint16_t)field;
        ref->segment = import_segment_intern(c->maps, ct_str_head(text, 3));
        return compile_parts(c, rest, ref);
    }
    if (dot < text.n && c->type.n && ct_str_eq(ct_str_head(text, dot), c->type)) {
        ref->kind = REF_PART;
        return compile_parts(c, ct_str_from(text, dot + 1), ref);
    }
    return import_bad(c, "not a field, component, @Type, $ or -");
}

/* ---- paths ---- */

static ct_str full_url(import_compiler *c, ct_str name)
{
    if (name.n && *name.p == '=')
        return ct_str_from(name, 1);
    if (ct_str_find(name, CT_S("://")) < name.n)
        return name;
    return ct_arena_printf(c->maps->arena, "http://hl7.org/fhir/StructureDefinition/%.*s",
                           (int)name.n, name.p);
}

static bool compile_url(import_compiler *c, ct_str text, import_step *s)
{
    s->kind = STEP_URL;
    if (ct_str_starts(text, CT_S("+"))) {
        s->kind = STEP_NEW_URL;
        text = ct_str_from(text, 1);
    }
    s->name = full_url(c, text);
    return s->name.n || import_bad(c, "an empty url");
}

static bool compile_index(import_compiler *c, ct_str text, import_step *s)
{
    uint64_t n = 0;

    s->kind = ct_str_is(text, "+")   ? STEP_NEW
              : ct_str_is(text, "-") ? STEP_LAST
              : ct_str_is(text, "*") ? STEP_EACH
                                     : STEP_AT;
    if (s->kind == STEP_AT && !ct_str_u64(text, &n))
        return import_bad(c, "not an index");
    s->index = (size_t)n;
    return true;
}

bool import_compile_path(import_compiler *c, ct_str text, import_path *path)
{
    path->steps = ct_arena_alloc(c->maps->arena, text.n * sizeof *path->steps);
    path->n = 0;
    while (text.n) {
        import_step *s = &path->steps[path->n++];
        if (*text.p == '[' || *text.p == '{') {
            char close = *text.p == '[' ? ']' : '}';
            text = ct_str_from(text, 1);
            ct_str inside = ct_str_cut(&text, close);
            if (!text.p ||
                !(close == ']' ? compile_index(c, inside, s) : compile_url(c, inside, s)))
                return import_bad(c, "not a path");
            continue;
        }
        if (*text.p == '.')
            text = ct_str_from(text, 1);
        size_t n = 0;
        while (n < text.n && !memchr(".[{", text.p[n], 3))
            n++;
        *s = (import_step){.kind = STEP_MEMBER, .name = ct_str_head(text, n)};
        text = ct_str_from(text, n);
        if (!n)
            return import_bad(c, "not a path");
    }
    return path->n > 0 || import_bad(c, "not a path");
}

/* ---- conditions ---- */

static bool find_table(import_compiler *c, ct_str name, const import_table **t)
{
    *t = NULL;
    if (ct_str_is(name, "$"))
        return true;
    *t = import_maps_table(c->maps, name);
    return *t || import_bad(c, "no such code table");
}

static void condition_words(const import_compiler *c, ct_str rest, import_condition *k)
{
    k->words = ct_arena_alloc(c->maps->arena, (rest.n / 2 + 1) * sizeof *k->words);
    for (ct_str w = import_word(&rest); w.n; w = import_word(&rest))
        k->words[k->nwords++] = is_quoted(w) ? unquoted(w) : w;
}

static bool compile_reads(import_compiler *c, ct_str type, import_test test, import_condition *k)
{
    static const struct {
        const char *type;
        import_valuekind kind;
    } types[] = {{"decimal", VALUE_DECIMAL},
                 {"positiveInt", VALUE_POSITIVE},
                 {"time", VALUE_TIME},
                 {"dateTime", VALUE_DATETIME}};

    k->test = test;
    for (size_t i = 0; i < CT_LEN(types); i++)
        if (ct_str_is(type, types[i].type)) {
            k->number = types[i].kind;
            return true;
        }
    return import_bad(c, "not a type that a text can be read as");
}

static bool compile_about_ref(import_compiler *c, ct_str op, ct_str rest, import_condition *k)
{
    static const struct {
        const char *op;
        import_test test;
    } plain[] = {{"valued", TEST_VALUED}, {"absent", TEST_ABSENT},   {"maps", TEST_MAPS},
                 {"single", TEST_SINGLE}, {"repeats", TEST_REPEATS}, {"first", TEST_FIRST}};
    ct_str word = rest;

    for (size_t i = 0; i < CT_LEN(plain); i++)
        if (ct_str_is(op, plain[i].op)) {
            k->test = plain[i].test;
            return true;
        }
    if (ct_str_is(op, "=") || ct_str_is(op, "!=")) {
        k->test = ct_str_is(op, "=") ? TEST_IS : TEST_IS_NOT;
        condition_words(c, rest, k);
        return k->nwords || import_bad(c, "nothing to compare with");
    }
    ct_str first = import_word(&word), second = import_word(&word);
    if (ct_str_is(op, "in")) {
        k->test = TEST_IN;
        return find_table(c, first, &k->table);
    }
    if (ct_str_is(op, "not") && ct_str_is(first, "in")) {
        k->test = TEST_NOT_IN;
        return find_table(c, second, &k->table);
    }
    if (ct_str_is(op, "reads"))
        return compile_reads(c, first, TEST_READS, k);
    if (ct_str_is(op, "not") && ct_str_is(first, "reads"))
        return compile_reads(c, second, TEST_NOT_READS, k);
    if (ct_str_is(op, "not") && ct_str_is(first, "maps")) {
        k->test = TEST_NOT_MAPS;
        return true;
    }
    if (ct_str_is(op, "longer")) {
        k->test = TEST_LONGER;
        return ct_str_u64(first, &k->number) || import_bad(c, "not a number");
    }
    if (ct_str_is(op, "differs") || ct_str_is(op, "same")) {
        k->test = ct_str_is(op, "same") ? TEST_SAME : TEST_DIFFERS;
        return import_compile_ref(c, first, &k->other);
    }
    return import_bad(c, "not a condition");
}

static bool compile_condition(import_compiler *c, ct_str text, import_condition *k)
{
    ct_str rest = text, word = import_word(&rest);

    if (ct_str_is(word, "kept")) {
        k->test = TEST_KEPT;
        return !rest.n || import_bad(c, "more behind a condition");
    }
    if (ct_str_is(word, "one")) {
        k->test = TEST_ONE;
        condition_words(c, rest, k);
        return k->nwords == 1 || import_bad(c, "no type to count");
    }
    if (ct_str_is(word, "unset") || ct_str_is(word, "set")) {
        k->test = *word.p == 'u' ? TEST_UNSET : TEST_SET;
        if (!import_compile_path(c, import_word(&rest), &k->path))
            return false;
        ct_str equal = import_word(&rest);
        condition_words(c, rest, k);
        bool compares = ct_str_is(equal, "=") && k->nwords && k->test == TEST_SET;
        return compares || !equal.n || import_bad(c, "more behind a condition");
    }
    if (ct_str_is(word, "group") || ct_str_is(word, "after")) {
        bool is = ct_str_is(import_word(&rest), "=");
        if (ct_str_is(word, "after"))
            k->test = is ? TEST_AFTER : TEST_NOT_AFTER;
        else
            k->test = is ? TEST_GROUP : TEST_NOT_GROUP;
        condition_words(c, rest, k);
        return k->nwords || import_bad(c, "no segment to compare with");
    }
    return import_compile_ref(c, word, &k->ref) &&
           compile_about_ref(c, import_word(&rest), rest, k);
}

bool import_compile_when(import_compiler *c, ct_str text, import_condition **list, size_t *n,
                         bool *finally)
{
    ct_str joint = CT_S(" and ");

    *n = 0;
    *finally = false;
    *list = ct_arena_alloc(c->maps->arena, (text.n / joint.n + 1) * sizeof **list);
    if (ct_str_is(text, "-"))
        return true;
    while (text.n) {
        size_t end = ct_str_find(text, joint);
        ct_str one = end < text.n ? ct_str_head(text, end) : text;
        text = end < text.n ? ct_str_from(text, end + joint.n) : CT_S("");
        if (ct_str_is(one, "finally"))
            *finally = true;
        else if (!compile_condition(c, one, &(*list)[(*n)++]))
            return false;
    }
    return true;
}

/* ---- values ---- */

static const struct {
    const char *word;
    import_valuekind kind;
} functions[] = {
    {"string", VALUE_STRING},   {"text", VALUE_TEXT},       {"code", VALUE_CODE},
    {"coding", VALUE_CODING},   {"uri", VALUE_URI},         {"system", VALUE_SYSTEM},
    {"boolean", VALUE_BOOLEAN}, {"integer", VALUE_INTEGER}, {"positiveInt", VALUE_POSITIVE},
    {"decimal", VALUE_DECIMAL}, {"date", VALUE_DATE},       {"dateTime", VALUE_DATETIME},
    {"instant", VALUE_INSTANT}, {"time", VALUE_TIME},       {"ref", VALUE_REF},
    {"labels", VALUE_LABELS},   {"join", VALUE_JOIN},       {"words", VALUE_WORDS},
    {"mime", VALUE_MIME},       {"minutes", VALUE_MINUTES}, {"base64", VALUE_BASE64},
    {"line", VALUE_LINE},       {"source", VALUE_SOURCE},   {"targets", VALUE_TARGETS},
    {"key", VALUE_KEY},         {"derived", VALUE_DERIVED}, {"require", VALUE_REQUIRE},
    {"refuse", VALUE_REFUSE},
};

static bool compile_term(import_compiler *c, ct_str word, import_term *t)
{
    *t = (import_term){0};
    if (is_quoted(word)) {
        t->kind = TERM_TEXT;
        t->text = unquoted(word);
        return true;
    }
    if (ct_str_ends(word, CT_S("?"))) {
        t->optional = true;
        word.n--;
    }
    if (ct_str_starts(word, CT_S("hd:")) || ct_str_starts(word, CT_S("ei:"))) {
        t->kind = *word.p == 'h' ? TERM_HD : TERM_EI;
        word = ct_str_from(word, 3);
    }
    return import_compile_ref(c, word, &t->ref);
}

static bool compile_arguments(import_compiler *c, ct_str rest, import_row *row)
{
    switch (row->value) {
    case VALUE_CODE:
    case VALUE_CODING:
    case VALUE_MAP:
        row->caller_table = ct_str_is(rest, "$");
        return !rest.n || find_table(c, rest, &row->table);
    case VALUE_REF:
        return !rest.n || (row->map = import_maps_map(c->maps, rest)) ||
               import_bad(c, "no such map");
    case VALUE_REFUSE:
        if (!is_quoted(rest))
            return import_bad(c, "a refusal needs a reason");
        row->text = ct_arena_copy(c->maps->arena, unquoted(rest));
        return true;
    default:
        break;
    }
    row->terms = ct_arena_alloc(c->maps->arena, (rest.n / 2 + 1) * sizeof *row->terms);
    for (ct_str w = import_word(&rest); w.n; w = import_word(&rest))
        if (!compile_term(c, w, &row->terms[row->nterms++]))
            return false;
    return true;
}

bool import_compile_value(import_compiler *c, ct_str text, import_row *row)
{
    row->plus = ct_str_starts(text, CT_S("plus "));
    text = ct_str_from(text, row->plus ? 5 : 0);
    size_t of = ct_str_find(text, CT_S(" of "));
    ct_str rest = text, word = import_word(&rest);

    if (is_quoted(word) || ct_str_is(word, "true") || ct_str_is(word, "false") ||
        ct_str_is(word, "1")) {
        row->value = VALUE_CONSTANT;
        row->json = !is_quoted(word);
        row->text = row->json ? word : unquoted(word);
        return !rest.n || import_bad(c, "more behind a constant");
    }
    if (of < text.n && *word.p != '"' && !ct_str_is(word, "refuse")) {
        if (!import_compile_ref(c, ct_str_from(text, of + 4), &row->of))
            return false;
        rest = ct_str_from(ct_str_head(text, of), word.n);
    }
    rest = ct_str_trim(rest);
    for (size_t i = 0; i < CT_LEN(functions); i++)
        if (ct_str_is(word, functions[i].word)) {
            row->value = functions[i].kind;
            return compile_arguments(c, rest, row);
        }
    row->value = VALUE_MAP;
    row->map = import_maps_map(c->maps, word);
    return row->map ? compile_arguments(c, rest, row) : import_bad(c, "no such map or function");
}
