/* What must come out of edits, told from yajl's reading alone:
 *
 * - as a value: children that stay are in their order, with the same value or the new one;
 * additions come last;
 * - as bytes: a value in which nothing happened keeps its text; so does what stands between two
 * neighbours that stay, between a bracket and its neighbour that stays, and from a member's name to
 * its value. Where siblings went, of the white space around them nothing is left but what stood
 * before the first, then what stood behind the last, each perhaps cut on the side where they went.
 */
#include "tests/helpers/random_edit.h"

#include <stdlib.h>

enum { MAX_REQUESTS = 4096 };
#define NONE UINT32_MAX

/* What is to become of a value. */
typedef struct fate {
    bool removed, wiped;          /* wiped: all its children go */
    const edit_request *replaced; /* by this */
    uint32_t adds;                /* requests that add to it */
} fate;

struct random_edit {
    ct_parser *parser, *again;
    ct_edit *edit;
    ct_arena *arena;
    ct_doc doc;
    seen text, result, value;
    edit_request asked[MAX_REQUESTS];
    size_t n;
    fate *fates;
    size_t nfates;
    ct_buf out;
    size_t made, refused;
};

random_edit *random_edit_new(const ct_names *names)
{
    random_edit *e = ct_calloc(1, sizeof *e);
    e->parser = ct_parser_new(names);
    e->again = ct_parser_new(names);
    e->edit = ct_edit_new();
    e->arena = ct_arena_new();
    return e;
}

void random_edit_free(random_edit *e)
{
    ct_parser_free(e->parser);
    ct_parser_free(e->again);
    ct_edit_free(e->edit);
    ct_arena_free(e->arena);
    seen_free(&e->text);
    seen_free(&e->result);
    seen_free(&e->value);
    free(e->fates);
    ct_buf_free(&e->out);
    free(e);
}

size_t random_edit_made(const random_edit *e)
{
    return e->made;
}

size_t random_edit_refused(const random_edit *e)
{
    return e->refused;
}

/* ---- choosing ---- */

static void ask(random_edit *e, edit_request r)
{
    if (e->n < MAX_REQUESTS)
        e->asked[e->n++] = r;
}

static ct_str some_json(random_edit *e, dice *d)
{
    ct_buf b = {0};
    random_value(d, &b, (int)roll(d, 3), 3);
    ct_str json = ct_arena_copy(e->arena, ct_buf_str(&b));
    ct_buf_free(&b);
    return json;
}

/* Some children go, one by one or all of a container's; some are replaced, with all that is in
 * them. */
static void choose_losses(random_edit *e, dice *d, unsigned rate)
{
    const seen *s = &e->text;
    for (uint32_t v = 0; v < s->n && e->n < MAX_REQUESTS;) {
        uint32_t parent = s->v[v].parent;
        if (parent != NONE && (e->fates[parent].wiped || roll(d, rate) == 0)) {
            e->fates[v].removed = true;
            ask(e, (edit_request){.kind = EDIT_REMOVE, .v = v});
            v = s->v[v].next;
        } else if (roll(d, rate + (parent == NONE ? 50 : 0)) == 0) {
            ask(e, (edit_request){.kind = EDIT_REPLACE, .v = v, .json = some_json(e, d)});
            e->fates[v].replaced = &e->asked[e->n - 1];
            v = s->v[v].next;
        } else {
            e->fates[v].wiped = roll(d, 8) == 0 && roll(d, rate) < 2;
            v++;
        }
    }
}

/* Does a member of that name stay in, or come to, object `v`? One that goes may come back as a new
 * one. */
static bool taken(const random_edit *e, uint32_t v, ct_str name)
{
    for (uint32_t c = seen_first(&e->text, v); c != NONE; c = seen_next(&e->text, c))
        if (!e->fates[c].removed && ct_str_eq(e->text.v[c].name, name))
            return true;
    for (size_t i = e->n; i > 0 && e->asked[i - 1].kind == EDIT_ADD && e->asked[i - 1].v == v; i--)
        if (ct_str_eq(e->asked[i - 1].name, name))
            return true;
    return false;
}

static void choose_gains(random_edit *e, dice *d, unsigned rate)
{
    const seen *s = &e->text;
    for (uint32_t v = 0; v < s->n;) {
        if (e->fates[v].removed || e->fates[v].replaced) {
            v = s->v[v].next;
            continue;
        }
        bool container = s->v[v].type >= CT_ARRAY;
        for (unsigned n = container && roll(d, rate) == 0 ? 1 + roll(d, 3) : 0; n > 0; n--) {
            edit_request r = {.kind = EDIT_ADD, .v = v, .name = random_name(roll(d, RANDOM_NAMES))};
            uint32_t first = seen_first(s, v);
            if (first != NONE && roll(d, 3) == 0)
                r.name = s->v[first].name;
            r.json = some_json(e, d);
            if (s->v[v].type == CT_ARRAY || !taken(e, v, r.name))
                ask(e, r);
        }
        v++;
    }
}

static void shuffle(random_edit *e, dice *d)
{
    for (size_t i = e->n; i > 1; i--) {
        size_t j = roll(d, (unsigned)i);
        edit_request r = e->asked[i - 1];
        e->asked[i - 1] = e->asked[j];
        e->asked[j] = r;
    }
}

static void forget_fates(random_edit *e)
{
    if (e->nfates < e->text.n) {
        e->nfates = e->text.n;
        e->fates = ct_realloc(e->fates, e->nfates, sizeof *e->fates);
    }
    memset(e->fates, 0, e->text.n * sizeof *e->fates);
}

static void choose(random_edit *e, dice *d)
{
    unsigned rate = 2 + roll(d, roll(d, 2) ? 6 : 2 * e->text.n);
    e->n = 0;
    forget_fates(e);
    choose_losses(e, d, rate);
    choose_gains(e, d, rate);
    if (e->n && roll(d, 16) == 0) {
        /* One more, anywhere: it may well be about what goes. */
        uint32_t v = roll(d, e->text.n);
        edit_request r = {.kind = e->text.v[v].parent == NONE || roll(d, 2) ? EDIT_REPLACE
                                                                            : EDIT_REMOVE,
                          .v = v,
                          .json = CT_S("\"twice\"")};
        ask(e, r);
    }
    shuffle(e, d);
}

/* ---- what must come of it ---- */

static bool goes(const fate *f)
{
    return f->removed || f->replaced;
}

/* Fills the fates from the requests; false where one is about what another takes away. */
static bool foresee(random_edit *e)
{
    bool clash = false;
    forget_fates(e);
    for (size_t i = 0; i < e->n; i++) {
        const edit_request *r = &e->asked[i];
        fate *f = &e->fates[r->v];
        clash |= r->kind != EDIT_ADD && goes(f);
        if (r->kind == EDIT_REMOVE)
            f->removed = true;
        else if (r->kind == EDIT_REPLACE)
            f->replaced = r;
        else
            f->adds++;
    }
    for (size_t i = 0; i < e->n && !clash; i++) {
        uint32_t v = e->asked[i].v;
        for (uint32_t p = e->asked[i].kind == EDIT_ADD ? v : e->text.v[v].parent;
             p != NONE && !clash; p = e->text.v[p].parent)
            clash = goes(&e->fates[p]);
    }
    return !clash;
}

/* Is `got` what is left of `before` and `behind` around siblings that went? */
static bool is_rest(ct_str got, ct_str before, ct_str behind)
{
    size_t n = 0;
    while (n < got.n && n < before.n && got.p[n] == before.p[n])
        n++;
    for (size_t i = 0; i <= n; i++) /* the first i bytes are from `before` */
        if (got.n - i <= behind.n &&
            memcmp(got.p + i, behind.p + behind.n - (got.n - i), got.n - i) == 0)
            return true;
    return false;
}

/* A place between two children, or a bracket and a child, in the text and in the result. */
typedef struct walk {
    uint32_t v, w;     /* the container there and here */
    size_t kept, here; /* where what was compared last ends */
    size_t gone;       /* where the first of a run that went begins, else SIZE_MAX */
    size_t run;        /* where the last of them ends */
    uint32_t w_child;  /* the next child here */
    bool any;          /* does a child stay before this place? */
} walk;

/* What stands from the last thing compared to `to`, and in the result to `to_here`. */
static const char *judge_gap(const random_edit *e, const walk *k, size_t to, size_t to_here)
{
    ct_str got = seen_slice(&e->result, k->here, to_here);
    if (k->gone == SIZE_MAX)
        return ct_str_eq(got, seen_slice(&e->text, k->kept, to))
                   ? NULL
                   : "bytes between neighbours that stay differ";
    return is_rest(got, seen_slice(&e->text, k->kept, k->gone), seen_slice(&e->text, k->run, to))
               ? NULL
               : "bytes around what was removed are not those that stood there";
}

/* A value that stays where it is; its children are judged when their turn comes. */
static const char *judge_value(random_edit *e, uint32_t c, uint32_t w)
{
    const seen_node *was = &e->text.v[c], *is = &e->result.v[w];
    const edit_request *new = e->fates[c].replaced;
    if (!ct_str_eq(was->name, is->name))
        return "a name differs";
    if (!ct_str_eq(seen_slice(&e->text, was->head, was->at),
                   seen_slice(&e->result, is->head, is->at)))
        return "bytes from a name to its value differ";
    if (new)
        return !seen_read(&e->value, new->json)          ? "new text is no JSON"
               : !seen_same(&e->value, 0, &e->result, w) ? "a replaced value is not the new one"
               : !ct_str_eq(new->json, seen_raw(&e->result, w))
                   ? "the new text is not as it was given"
                   : NULL;
    if (was->type != is->type || !ct_str_eq(was->text, is->text))
        return "a value differs";
    if (was->type < CT_ARRAY && !ct_str_eq(seen_raw(&e->text, c), seen_raw(&e->result, w)))
        return "a scalar is spelled in another way";
    return NULL;
}

static const char *judge_children(random_edit *e, walk *k)
{
    const char *why = NULL;
    for (uint32_t c = seen_first(&e->text, k->v); c != NONE; c = seen_next(&e->text, c)) {
        const seen_node *was = &e->text.v[c];
        if (e->fates[c].removed) {
            if (k->gone == SIZE_MAX)
                k->gone = was->head;
            k->run = was->end;
            continue;
        }
        if (k->w_child == NONE)
            return "a child is missing";
        const seen_node *is = &e->result.v[k->w_child];
        if ((why = judge_gap(e, k, was->head, is->head)) || (why = judge_value(e, c, k->w_child)))
            return why;
        k->kept = was->end;
        k->here = is->end;
        k->gone = SIZE_MAX;
        k->any = true;
        k->w_child = seen_next(&e->result, k->w_child);
    }
    return NULL;
}

static const char *judge_added(random_edit *e, const edit_request *r, const walk *k)
{
    if (k->w_child == NONE)
        return "an addition is missing";
    const seen_node *is = &e->result.v[k->w_child];
    bool member = e->text.v[k->v].type == CT_OBJECT;
    if (member && !ct_str_eq(is->name, r->name))
        return "an added member has another name";
    if (!seen_read(&e->value, r->json) || !seen_same(&e->value, 0, &e->result, k->w_child))
        return "an added value is not the one that was given";
    return ct_str_eq(seen_raw(&e->result, k->w_child), r->json)
               ? NULL
               : "an added text is not as it was given";
}

/* Additions come behind the last child, in the order they were asked for, with a comma and nothing
 * else. */
static const char *judge_adds(random_edit *e, walk *k)
{
    uint32_t left = e->fates[k->v].adds;
    for (size_t i = 0; left > 0 && i < e->n; i++) {
        const edit_request *r = &e->asked[i];
        if (r->kind != EDIT_ADD || r->v != k->v)
            continue;
        const char *why = judge_added(e, r, k);
        if (why)
            return why;
        const seen_node *is = &e->result.v[k->w_child];
        ct_str got = seen_slice(&e->result, k->here, is->head);
        if (k->any && (got.n == 0 || got.p[got.n - 1] != ','))
            return "no comma ahead of an addition";
        got.n -= k->any;
        if (!is_rest(got, k->gone == SIZE_MAX ? CT_S("") : seen_slice(&e->text, k->kept, k->gone),
                     CT_S("")))
            return "something else stands ahead of an addition";
        k->gone = SIZE_MAX;
        k->any = true;
        k->here = is->end;
        k->w_child = seen_next(&e->result, k->w_child);
        left--;
    }
    return NULL;
}

static const char *judge_container(random_edit *e, uint32_t v, uint32_t w)
{
    const seen_node *was = &e->text.v[v], *is = &e->result.v[w];
    walk k = {.v = v, .w = w, .kept = was->at + 1, .here = is->at + 1, .gone = SIZE_MAX};
    k.w_child = seen_first(&e->result, w);
    const char *why = judge_children(e, &k);
    if (!why && e->fates[v].adds) {
        why = judge_adds(e, &k);
        /* What stood behind the last child stands behind the last addition. */
        uint32_t last = NONE;
        for (uint32_t c = seen_first(&e->text, v); c != NONE; c = seen_next(&e->text, c))
            last = c;
        k.kept = last == NONE ? was->at + 1 : e->text.v[last].end;
    }
    if (!why && k.w_child != NONE)
        why = "a child too many";
    return why ? why : judge_gap(e, &k, was->end - 1, is->end - 1);
}

/* Goes through text and result together, container by container. */
static const char *judge_tree(random_edit *e)
{
    const seen *s = &e->text, *t = &e->result;
    const char *why = judge_value(e, 0, 0);
    if (!ct_str_eq(seen_slice(s, 0, s->v[0].at), seen_slice(t, 0, t->v[0].at)) ||
        !ct_str_eq(ct_str_from(s->json, s->v[0].end), ct_str_from(t->json, t->v[0].end)))
        why = "bytes around the text differ";
    uint32_t w = 0;
    for (uint32_t v = 0; !why && v < s->n;) {
        if (e->fates[v].removed) {
            v = s->v[v].next;
            continue;
        }
        if (!e->fates[v].replaced && s->v[v].type >= CT_ARRAY)
            why = judge_container(e, v, w);
        /* In the result additions follow the last child that stays: they are passed over with their
         * container. */
        uint32_t next = e->fates[v].replaced ? s->v[v].next : v + 1;
        w = e->fates[v].replaced ? t->v[w].next : w + 1;
        while (next < s->n && e->fates[next].removed)
            next = s->v[next].next;
        for (uint32_t up = v; up != NONE && s->v[up].next <= next; up = s->v[up].parent)
            for (uint32_t i = e->fates[up].replaced ? 0 : e->fates[up].adds;
                 !why && i > 0 && w < t->n; i--)
                w = t->v[w].next;
        v = next;
    }
    return why;
}

/* ---- one round ---- */

const char *random_edit_judge(random_edit *e, ct_str result)
{
    ct_doc doc;
    if (!seen_read(&e->result, result))
        return "yajl cannot read what became of it";
    const char *why = judge_tree(e);
    if (!why && !ct_parse(e->again, result, &doc, NULL))
        why = "ct_parse cannot read what became of it";
    return why ? why : seen_differs(&e->result, &doc, e->arena);
}

static void make_requests(random_edit *e)
{
    ct_edit_start(e->edit, &e->doc);
    for (size_t i = 0; i < e->n; i++) {
        const edit_request *r = &e->asked[i];
        if (r->kind == EDIT_REMOVE)
            ct_edit_remove(e->edit, e->text.v[r->v].parent, r->v);
        else if (r->kind == EDIT_REPLACE)
            ct_edit_replace(e->edit, r->v, r->json);
        else if (e->text.v[r->v].type == CT_OBJECT)
            ct_edit_add_member(e->edit, r->v, r->name, r->json);
        else
            ct_edit_add_item(e->edit, r->v, r->json);
    }
}

static const char *run(random_edit *e)
{
    ct_err err = {0};
    bool possible = foresee(e);
    make_requests(e);
    e->out.n = 0;
    ct_buf_z(&e->out, "ahead");
    bool done = ct_edit_apply(e->edit, &e->out, &err);
    ct_str result = ct_str_from(ct_buf_str(&e->out), 5);
    if (!ct_str_starts(ct_buf_str(&e->out), CT_S("ahead")))
        return "what the buffer held is gone";
    if (done != possible)
        return done ? "edits that overlap were made" : "edits that do not overlap were refused";
    if (!done)
        return err.kind == CT_E_USAGE && result.n == 0 ? NULL : "a refusal that leaves something";
    return random_edit_judge(e, result);
}

/* Leaves out one request after the other as long as the same thing is wrong. */
static void cut_down(random_edit *e, const char *why)
{
    for (size_t i = 0; i < e->n;) {
        edit_request r = e->asked[i];
        memmove(&e->asked[i], &e->asked[i + 1], (e->n - i - 1) * sizeof r);
        e->n--;
        const char *now = run(e);
        if (now && strcmp(now, why) == 0)
            continue;
        memmove(&e->asked[i + 1], &e->asked[i], (e->n - i) * sizeof r);
        e->asked[i++] = r;
        e->n++;
    }
    run(e);
}

const char *random_edit_try(random_edit *e, ct_str text, uint64_t seed)
{
    dice d = {seed};
    ct_arena_reset(e->arena);
    e->n = 0;
    e->out.n = 0;
    if (!seen_read(&e->text, text))
        return "yajl cannot read the text";
    if (!ct_parse(e->parser, text, &e->doc, NULL))
        return "ct_parse cannot read the text";
    const char *why = seen_differs(&e->text, &e->doc, e->arena);
    if (why)
        return why;
    choose(e, &d);
    why = run(e);
    if (why)
        cut_down(e, why);
    else if (e->out.n > 5)
        e->made += e->n;
    else
        e->refused++;
    return why;
}

/* On one line, with line ends and other control characters shown as C escapes. */
static void show(FILE *out, const char *label, ct_str s)
{
    fputs(label, out);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < ' ' || c == 0x7f)
            fprintf(out, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\%03o", c);
        else
            fputc(c, out);
    }
}

void random_edit_show(const random_edit *e, FILE *out)
{
    static const char *const verbs[] = {"remove", "replace", "add to"};
    show(out, "# text:   ", e->text.json);
    for (size_t i = 0; i < e->n; i++) {
        const edit_request *r = &e->asked[i];
        fprintf(out, "\n# %s value %u", verbs[r->kind], r->v);
        show(out, ": ", seen_raw(&e->text, r->v));
        if (r->kind == EDIT_ADD && e->text.v[r->v].type == CT_OBJECT)
            show(out, "\n#   name ", r->name);
        if (r->kind != EDIT_REMOVE)
            show(out, "\n#   new  ", r->json);
    }
    if (e->out.n > 5)
        show(out, "\n# result: ", ct_str_from(ct_buf_str(&e->out), 5));
    fputc('\n', out);
}
