/* A set of rules: lookup, selection, and the rules of one resource type. */
#include "cmd/audit/audit.h"

#include <stdlib.h>

audit_rules *audit_rules_new(const ct_model *m)
{
    audit_rules *r = ct_calloc(1, sizeof(*r));

    r->model = m;
    r->arena = ct_arena_new();
    return r;
}

static void free_rule(audit_rule *rule)
{
    ct_path_free(rule->guard);
    ct_path_free(rule->require);
    ct_path_free(rule->owner);
    ct_path_free(rule->due.from);
    ct_path_free(rule->holds.at);
}

static void free_groups(audit_rules *r)
{
    for (size_t i = 0; i < r->ngroups; i++)
        free(r->groups[i].rules);
    free(r->groups);
    r->groups = NULL;
    r->ngroups = 0;
}

void audit_rules_free(audit_rules *r)
{
    for (size_t i = 0; i < r->n; i++)
        free_rule(&r->v[i]);
    free_groups(r);
    free(r->v);
    ct_arena_free(r->arena);
    free(r);
}

const audit_rule *audit_rules_find(const audit_rules *r, ct_str id)
{
    for (size_t i = 0; i < r->n; i++)
        if (ct_str_eq(r->v[i].id, id))
            return &r->v[i];
    return NULL;
}

static bool listed(ct_str id, const ct_str *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (ct_str_eq(id, list[i]))
            return true;
    return false;
}

void audit_rules_select(audit_rules *r, const ct_str *only, size_t nonly, const ct_str *except,
                        size_t nexcept)
{
    size_t kept = 0;

    for (size_t i = 0; i < r->n; i++) {
        if ((nonly && !listed(r->v[i].id, only, nonly)) || listed(r->v[i].id, except, nexcept))
            free_rule(&r->v[i]);
        else
            r->v[kept++] = r->v[i];
    }
    r->n = kept;
}

static struct audit_group *group_for(audit_rules *r, ct_str type)
{
    for (size_t i = 0; i < r->ngroups; i++)
        if (ct_str_eq(r->groups[i].type, type))
            return &r->groups[i];
    r->groups = ct_grow(r->groups, r->ngroups, sizeof(*r->groups));
    r->groups[r->ngroups] = (struct audit_group){.type = type};
    return &r->groups[r->ngroups++];
}

void audit_rules_index(audit_rules *r)
{
    free_groups(r);
    for (uint32_t i = 0; i < r->n; i++) {
        struct audit_group *g = group_for(r, r->v[i].type);

        g->rules = ct_grow(g->rules, g->n, sizeof(*g->rules));
        g->rules[g->n++] = i;
    }
}

const struct audit_group *audit_rules_of(const audit_rules *r, ct_str type)
{
    for (size_t i = 0; i < r->ngroups; i++)
        if (ct_str_eq(r->groups[i].type, type))
            return &r->groups[i];
    return NULL;
}
