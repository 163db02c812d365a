/* ER7: segments, fields, repetitions, components, subcomponents. */
#include "cmd/import/hl7v2/er7.h"

#include <stdlib.h>

/* Bounds against messages made to use memory up: a field takes 16 bytes while it is looked at. */
enum { SEGMENTS_MAX = 1 << 20, FIELDS_MAX = 1 << 22 };

enum { CUTS_KEPT = 64 };

/* The next line that is not blank. */
static bool next_line(ct_str *rest, ct_str *line)
{
    while (rest->n) {
        size_t n = import_line_end(*rest, 0);
        *line = ct_str_head(*rest, n);
        *rest = ct_str_from(*rest, n < rest->n ? n + 1 : n);
        if (ct_str_trim(*line).n)
            return true;
    }
    return false;
}

static bool name_like(ct_str s)
{
    for (size_t i = 0; i < 3; i++)
        if (!((s.p[i] >= 'A' && s.p[i] <= 'Z') || (i && s.p[i] >= '0' && s.p[i] <= '9')))
            return false;
    return true;
}

/* ---- delimiters ---- */

static bool can_delimit(char c)
{
    return c > ' ' && c < 127 && !(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') &&
           !(c >= 'a' && c <= 'z');
}

static bool delimiters(import_er7 *m, ct_str msh, ct_err *err)
{
    char *const into[] = {&m->component, &m->repetition, &m->escape, &m->subcomponent};

    if (msh.n < 5 || !can_delimit(msh.p[3]))
        return ct_fail_at(err, CT_E_DATA, "not a field separator", "MSH-1");
    m->field = msh.p[3];
    for (size_t i = 0; 4 + i < msh.n && msh.p[4 + i] != m->field; i++) {
        char c = msh.p[4 + i];
        if (i > CT_LEN(into) || !can_delimit(c) || memchr(msh.p + 4, c, i))
            return ct_fail_at(err, CT_E_DATA, "not encoding characters", "MSH-2");
        if (i < CT_LEN(into))
            *into[i] = c;
    }
    if (!m->component)
        return ct_fail_at(err, CT_E_DATA, "not encoding characters", "MSH-2");
    return true;
}

/* ---- segments ---- */

static size_t count_parts(ct_str s, char separator)
{
    return 1 + import_count_char(s, separator);
}

/* fields[0] is the name. In MSH the separator itself counts as the first field. */
static void split_fields(const import_er7 *m, import_segment *s, ct_str line, ct_arena *a)
{
    bool msh = ct_str_is(s->name, "MSH");
    size_t n = count_parts(line, m->field) + msh, i = 0;

    s->fields = ct_arena_alloc(a, n * sizeof *s->fields);
    s->nfields = (uint32_t)n;
    for (ct_str rest = line; rest.p && i < n;) {
        s->fields[i++] = ct_str_cut(&rest, m->field);
        if (msh && i == 1)
            s->fields[i++] = (ct_str){line.p + 3, 1};
    }
}

static bool add_segment(import_er7 *m, ct_str line, ct_arena *a, import_segment_id *id, void *ctx,
                        ct_err *err)
{
    import_segment *s = &m->segments[m->n];

    if (line.n < 3 || !name_like(line) || (line.n > 3 && line.p[3] != m->field))
        return ct_fail_at(err, CT_E_DATA, "not a segment", "segment %zu", m->n + 1);
    *s = (import_segment){.name = ct_str_head(line, 3)};
    if (m->n && ct_str_is(s->name, "MSH"))
        return ct_fail_at(err, CT_E_DATA, "a second MSH", "segment %zu", m->n + 1);
    s->id = id(ctx, s->name);
    m->n++;
    split_fields(m, s, line, a);
    return true;
}

/* Ordinals of names, for diagnostics: by the ids, of which there are few; unknown names share one.
 */
static void number_segments(import_er7 *m, ct_arena *a)
{
    uint16_t most = 0;
    for (size_t i = 0; i < m->n; i++)
        most = m->segments[i].id > most ? m->segments[i].id : most;
    uint32_t *count = ct_arena_alloc(a, (most + 1u) * sizeof *count);
    for (size_t i = 0; i < m->n; i++)
        m->segments[i].ordinal = ++count[m->segments[i].id];
}

/* MSH-18 is needed before the text can be read, and its own field is ASCII in all of them. */
static ct_str charset_of(const import_er7 *m, ct_str msh)
{
    ct_str rest = msh, field = CT_S("");
    for (size_t i = 0; i < 18 && rest.p; i++)
        field = ct_str_cut(&rest, m->field);
    if (!rest.p && count_parts(msh, m->field) < 18)
        return CT_S("");
    size_t n = 0;
    while (n < field.n && field.p[n] != m->repetition)
        n++;
    return ct_str_trim(ct_str_head(field, n));
}

/* Beside the one in MSH-2. */
static bool has_escapes(const import_er7 *m, ct_str raw)
{
    const char *in_msh = m->escape ? memchr(raw.p, m->escape, raw.n) : NULL;
    return in_msh && memchr(in_msh + 1, m->escape, (size_t)(raw.p + raw.n - in_msh) - 1);
}

bool import_er7_parse(import_er7 *m, ct_str raw, ct_arena *a, import_segment_id *id, void *ctx,
                      ct_err *err)
{
    ct_str rest, line;
    size_t lines = 0;

    *m = (import_er7){0};
    while (raw.n && import_ends_line(*raw.p))
        raw = ct_str_from(raw, 1);
    if (ct_str_starts(raw, CT_S("\xef\xbb\xbf")))
        raw = ct_str_from(raw, 3);
    rest = raw;
    if (!next_line(&rest, &line) || line.n < 4 || !ct_str_starts(line, CT_S("MSH")))
        return ct_fail_at(err, CT_E_DATA, "no message header", "MSH");
    if (!delimiters(m, line, err))
        return false;
    if (!import_er7_charset(&raw, charset_of(m, line), &m->upper, a, err))
        return false;
    for (rest = raw; next_line(&rest, &line);)
        lines++;
    if (lines > SEGMENTS_MAX || count_parts(raw, m->field) > FIELDS_MAX)
        return ct_fail(err, CT_E_LIMIT, "too many segments or fields in one message");
    m->escapes = has_escapes(m, raw);
    m->segments = ct_arena_alloc(a, lines * sizeof *m->segments);
    m->text = raw;
    m->made = ct_arena_alloc(a, raw.n * sizeof *m->made);
    m->cuts = ct_arena_alloc(a, CUTS_KEPT * sizeof *m->cuts);
    for (rest = raw; next_line(&rest, &line);)
        if (!add_segment(m, line, a, id, ctx, err))
            return false;
    number_segments(m, a);
    return true;
}

/* ---- parts ---- */

import_part import_er7_field(const import_segment *s, size_t n)
{
    return (import_part){n < s->nfields ? s->fields[n] : CT_S(""), LEVEL_FIELD};
}

/* Parts are short: a plain loop is faster than searching for the separator. */
static ct_str search_nth(ct_str s, char separator, size_t n)
{
    size_t start = 0, end = 0;

    for (;; end++) {
        if (end < s.n && s.p[end] != separator)
            continue;
        if (--n == 0)
            return (ct_str){s.p + start, end - start};
        if (end == s.n)
            return CT_S("");
        start = end + 1;
    }
}

static bool is_null(ct_str s)
{
    return ct_str_is(s, "\"\"");
}

static bool is_solid(const import_er7 *m, char c)
{
    return c != ' ' && c != '\t' && c != m->component && c != m->subcomponent;
}

static bool part_valued(const import_er7 *m, ct_str s)
{
    size_t i = 0;

    while (i < s.n && !is_solid(m, s.p[i]))
        i++;
    return i < s.n && !is_null(s);
}

/* Without a separator the value is its own first part. */
static void cut(const import_er7 *m, import_cuts *c, ct_str s, char separator, import_level level)
{
    c->value = s;
    c->level = level;
    c->separator = separator;
    c->n = 0;
    c->valued = 0;
    for (size_t start = 0, i = 0; start <= s.n && c->n < IMPORT_PARTS; start = ++i) {
        while (i < s.n && (s.p[i] != separator || !separator))
            i++;
        c->end[c->n++] = (uint32_t)i;
        c->valued |= (uint32_t)part_valued(m, (ct_str){s.p + start, i - start}) << c->n;
    }
}

void import_er7_cut(const import_er7 *m, import_part p, import_cuts *cuts)
{
    const char separators[] = {[LEVEL_REPETITION] = m->component,
                               [LEVEL_COMPONENT] = m->subcomponent,
                               [LEVEL_SUBCOMPONENT] = '\0'};

    if (p.level == LEVEL_FIELD)
        p = import_er7_repetition(m, p, 1);
    cut(m, cuts, p.raw, separators[p.level],
        p.level == LEVEL_REPETITION ? LEVEL_COMPONENT : LEVEL_SUBCOMPONENT);
}

/* Mapping tables ask for the parts of a field one by one. A value that starts where another one
 * does is a part of it or has it as a part: they differ in the separator or in length. */
static import_part nth(const import_er7 *m, ct_str s, char separator, import_level level, size_t n)
{
    if (!separator)
        return (import_part){n == 1 ? s : CT_S(""), level};
    if (!s.n)
        return (import_part){s, level};
    if (n > IMPORT_PARTS)
        return (import_part){search_nth(s, separator, n), level};
    size_t place = (size_t)(s.p - m->text.p) * 2 + (separator == m->component);
    import_cuts *c = &m->cuts[place % CUTS_KEPT];
    if (c->value.p != s.p || c->value.n != s.n || c->separator != separator)
        cut(m, c, s, separator, level);
    return import_cuts_part(c, n);
}

bool import_er7_repeats(const import_er7 *m, import_part field)
{
    return m->repetition && field.raw.n && memchr(field.raw.p, m->repetition, field.raw.n);
}

import_part import_er7_repetition(const import_er7 *m, import_part field, size_t n)
{
    return nth(m, field.raw, m->repetition, LEVEL_REPETITION, n);
}

import_part import_er7_sub(const import_er7 *m, import_part p, size_t n)
{
    if (p.level == LEVEL_FIELD)
        p = import_er7_repetition(m, p, 1);
    if (p.level == LEVEL_REPETITION)
        return nth(m, p.raw, m->component, LEVEL_COMPONENT, n);
    if (p.level == LEVEL_COMPONENT)
        return nth(m, p.raw, m->subcomponent, LEVEL_SUBCOMPONENT, n);
    return n == 1 ? p : (import_part){CT_S(""), LEVEL_SUBCOMPONENT};
}

bool import_er7_valued(const import_er7 *m, import_part p)
{
    if (is_null(p.raw))
        return false;
    for (size_t i = 0; i < p.raw.n; i++)
        if (is_solid(m, p.raw.p[i]) && (p.level > LEVEL_FIELD || p.raw.p[i] != m->repetition))
            return true;
    return false;
}

/* No part holds a separator of those above it. */
import_part import_er7_leaf(const import_er7 *m, import_part p)
{
    size_t n = 0;

    if (p.level == LEVEL_SUBCOMPONENT)
        return p;
    while (n < p.raw.n && p.raw.p[n] != m->component && p.raw.p[n] != m->subcomponent &&
           p.raw.p[n] != m->repetition)
        n++;
    return (import_part){ct_str_head(p.raw, n), LEVEL_SUBCOMPONENT};
}

void import_er7_made(import_er7 *m, import_part p)
{
    if (p.raw.n)
        memset(m->made + (p.raw.p - m->text.p), true, p.raw.n);
}

bool import_er7_text(const import_er7 *m, import_part p, ct_arena *a, ct_str *text, ct_err *err)
{
    p = import_er7_leaf(m, p);
    if (is_null(p.raw)) {
        *text = CT_S("");
        return true;
    }
    *text = p.raw;
    return !m->escapes || import_er7_unescape(m, p.raw, a, text, err);
}

bool import_er7_whole(const import_er7 *m, import_part p, ct_arena *a, ct_str *text, ct_err *err)
{
    char separator = p.level == LEVEL_FIELD ? m->repetition : '\0';
    ct_buf b = {0};
    bool ok = true;

    for (ct_str rest = p.raw; rest.p && ok;) {
        ct_str raw = separator ? ct_str_cut(&rest, separator) : rest, part;
        if (!separator)
            rest.p = NULL;
        ok = import_er7_unescape(m, raw, a, &part, err);
        if (ok)
            ct_buf_put(&b, part);
        if (ok && rest.p)
            ct_buf_c(&b, '\n');
    }
    *text = ok ? ct_arena_copy(a, ct_buf_str(&b)) : CT_S("");
    ct_buf_free(&b);
    return ok;
}
