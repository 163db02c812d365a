/* Names that stand twice in one object. Known names are told apart by their ids: each is stamped
 * with the number of the round. Unknown ones are compared pairwise while they are few, else sorted,
 * so that no input makes this quadratic. */
#include "common/json/lex.h"

#include <stdlib.h>

enum { FEW = 8, FIRST_CAP = 16 };

typedef struct ct_unique_name unknown;

static ct_str name_of(const char *text, const ct_node *node)
{
    return (ct_str){text + node->key, node->keylen};
}

static uint32_t next_round(ct_unique *u)
{
    if (++u->round == 0) {
        memset(u->stamps, 0, (UINT16_MAX + 1) * sizeof *u->stamps);
        u->round = 1;
    }
    return u->round;
}

/* Collects the unknown names, decoded where they must be. */
static size_t collect(ct_unique *u, const char *text, const ct_node *tape, ct_val obj, ct_val stop)
{
    size_t n = 0, escaped = 0;
    for (ct_val v = obj + 1; v < stop; v = tape[v].next) {
        if (tape[v].name)
            continue;
        if (n == u->cap) {
            u->cap = u->cap ? 2 * u->cap : FIRST_CAP;
            u->unknown = ct_realloc(u->unknown, u->cap, sizeof *u->unknown);
        }
        u->unknown[n++] = (unknown){name_of(text, &tape[v]), v};
        if (tape[v].flags & CT_J_KEY_ESCAPED)
            escaped += tape[v].keylen;
    }
    if (escaped == 0)
        return n;
    u->decoded.n = 0;
    ct_buf_room(&u->decoded, escaped); /* once for all: what was decoded must not move */
    for (size_t i = 0; i < n; i++) {
        unknown *k = &u->unknown[i];
        if ((tape[k->node].flags & CT_J_KEY_ESCAPED) == 0)
            continue;
        char *to = ct_buf_room(&u->decoded, k->name.n);
        k->name = (ct_str){to, ct_unescape(to, k->name)};
        u->decoded.n += k->name.n;
    }
    return n;
}

static int by_name(const void *a, const void *b)
{
    const unknown *x = a, *y = b;
    int order = ct_str_cmp(x->name, y->name);
    return order ? order : (x->node > y->node) - (x->node < y->node);
}

static ct_val twice_unknown(ct_unique *u, size_t n)
{
    unknown *k = u->unknown;
    if (n > FEW) {
        qsort(k, n, sizeof *k, by_name);
        for (size_t i = 1; i < n; i++)
            if (ct_str_eq(k[i - 1].name, k[i].name))
                return k[i].node;
        return CT_NONE;
    }
    for (size_t i = 1; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (ct_str_eq(k[i].name, k[j].name))
                return k[i].node;
    return CT_NONE;
}

ct_val ct_unique_check(ct_unique *u, const char *text, const ct_node *tape, ct_val obj, ct_val stop)
{
    uint32_t round = next_round(u);
    size_t strange = 0;
    for (ct_val v = obj + 1; v < stop; v = tape[v].next) {
        uint16_t name = tape[v].name;
        strange += name == 0;
        if (name && u->stamps[name] == round)
            return v;
        u->stamps[name] = round;
    }
    if (strange < 2)
        return CT_NONE;
    return twice_unknown(u, collect(u, text, tape, obj, stop));
}

void ct_unique_free(ct_unique *u)
{
    free(u->stamps);
    free(u->unknown);
    ct_buf_free(&u->decoded);
}
