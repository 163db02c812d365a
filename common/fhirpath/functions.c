/* Every function: its name, how many arguments it takes, how they are looked at, what it gives.
 * What is not here is refused when an expression is compiled.
 */
#include "common/fhirpath/internal.h"

static const struct fp_function functions[] = {
    /* existence */
    {"empty", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_empty},
    {"exists", 0, 1, ARG_LAMBDA, GIVES_SYSTEM, ct_fn_exists},
    {"all", 1, 1, ARG_LAMBDA, GIVES_SYSTEM, ct_fn_all},
    {"allTrue", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_all_true},
    {"anyTrue", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_any_true},
    {"allFalse", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_all_false},
    {"anyFalse", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_any_false},
    {"count", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_count},
    {"distinct", 0, 0, ARG_PLAIN, GIVES_INPUT, ct_fn_distinct},
    {"isDistinct", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_is_distinct},
    {"subsetOf", 1, 1, ARG_PLAIN, GIVES_SYSTEM, ct_fn_subset_of},
    {"supersetOf", 1, 1, ARG_PLAIN, GIVES_SYSTEM, ct_fn_superset_of},
    {"not", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_not},
    {"hasValue", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_has_value},
    {"getValue", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_get_value},
    /* filters, projection, flow */
    {"where", 1, 1, ARG_LAMBDA, GIVES_INPUT, ct_fn_where},
    {"select", 1, 1, ARG_LAMBDA, GIVES_ARG, ct_fn_select},
    {"repeat", 1, 1, ARG_LAMBDA, GIVES_ANY | ORDER_NONE, ct_fn_repeat},
    {"repeatAll", 1, 1, ARG_LAMBDA, GIVES_ANY | ORDER_NONE, ct_fn_repeat_all},
    {"ofType", 1, 1, ARG_TYPE, GIVES_TYPE, ct_fn_of_type},
    {"is", 1, 1, ARG_TYPE, GIVES_SYSTEM, ct_fn_is},
    {"as", 1, 1, ARG_TYPE, GIVES_TYPE, ct_fn_as},
    {"iif", 2, 3, ARG_ALL, GIVES_ANY, ct_fn_iif},
    {"coalesce", 1, 8, ARG_PLAIN, GIVES_ANY, ct_fn_coalesce},
    {"defineVariable", 1, 2, ARG_DEFINE, GIVES_INPUT, ct_fn_define_variable},
    {"aggregate", 1, 2, ARG_LAMBDA, GIVES_ANY, ct_fn_aggregate},
    {"sort", 0, 8, ARG_ALL, GIVES_INPUT | ORDER_MADE, ct_fn_sort},
    /* subsets */
    {"first", 0, 0, ARG_PLAIN, GIVES_INPUT | ORDER_ASKED, ct_fn_first},
    {"last", 0, 0, ARG_PLAIN, GIVES_INPUT | ORDER_ASKED, ct_fn_last},
    {"tail", 0, 0, ARG_PLAIN, GIVES_INPUT | ORDER_ASKED, ct_fn_tail},
    {"skip", 1, 1, ARG_PLAIN, GIVES_INPUT | ORDER_ASKED, ct_fn_skip},
    {"take", 1, 1, ARG_PLAIN, GIVES_INPUT | ORDER_ASKED, ct_fn_take},
    {"single", 0, 0, ARG_PLAIN, GIVES_INPUT, ct_fn_single},
    {"intersect", 1, 1, ARG_PLAIN, GIVES_INPUT, ct_fn_intersect},
    {"exclude", 1, 1, ARG_PLAIN, GIVES_INPUT, ct_fn_exclude},
    {"union", 1, 1, ARG_PLAIN, GIVES_ANY, ct_fn_union},
    {"combine", 1, 1, ARG_PLAIN, GIVES_ANY, ct_fn_combine},
    /* the tree */
    {"children", 0, 0, ARG_PLAIN, GIVES_ANY | ORDER_NONE, ct_fn_children},
    {"descendants", 0, 0, ARG_PLAIN, GIVES_ANY | ORDER_NONE, ct_fn_descendants},
    {"extension", 1, 1, ARG_PLAIN, GIVES_EXTENSION, ct_fn_extension},
    {"resolve", 0, 0, ARG_PLAIN, GIVES_ANY, ct_fn_resolve},
    {"conformsTo", 1, 1, ARG_PROFILE, GIVES_SYSTEM, ct_fn_conforms_to},
    {"memberOf", 1, 1, ARG_CODES, GIVES_SYSTEM, ct_fn_member_of},
    {"htmlChecks", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_html_checks},
    {"type", 0, 0, ARG_PLAIN, GIVES_ANY, ct_fn_type},
    {"trace", 1, 2, ARG_SECOND, GIVES_INPUT, ct_fn_trace},
    {"now", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_now},
    {"today", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_today},
    {"timeOfDay", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_time_of_day},
    /* strings */
    {"length", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_length},
    {"startsWith", 1, 1, ARG_PLAIN, GIVES_SYSTEM, ct_fn_starts_with},
    {"endsWith", 1, 1, ARG_PLAIN, GIVES_SYSTEM, ct_fn_ends_with},
    {"contains", 1, 1, ARG_PLAIN, GIVES_SYSTEM, ct_fn_contains},
    {"indexOf", 1, 1, ARG_PLAIN, GIVES_SYSTEM, ct_fn_index_of},
    {"lastIndexOf", 1, 1, ARG_PLAIN, GIVES_SYSTEM, ct_fn_last_index_of},
    {"substring", 1, 2, ARG_PLAIN, GIVES_SYSTEM, ct_fn_substring},
    {"upper", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_upper},
    {"lower", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_lower},
    {"trim", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_trim},
    {"replace", 2, 2, ARG_PLAIN, GIVES_SYSTEM, ct_fn_replace},
    {"split", 1, 1, ARG_PLAIN, GIVES_SYSTEM, ct_fn_split},
    {"join", 0, 1, ARG_PLAIN, GIVES_SYSTEM, ct_fn_join},
    {"toChars", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_to_chars},
    {"matches", 1, 1, ARG_REGEX, GIVES_SYSTEM, ct_fn_matches},
    {"matchesFull", 1, 1, ARG_REGEX, GIVES_SYSTEM, ct_fn_matches_full},
    {"replaceMatches", 2, 2, ARG_REGEX, GIVES_SYSTEM, ct_fn_replace_matches},
    {"encode", 1, 1, ARG_PLAIN, GIVES_SYSTEM, ct_fn_encode},
    {"decode", 1, 1, ARG_PLAIN, GIVES_SYSTEM, ct_fn_decode},
    {"escape", 1, 1, ARG_PLAIN, GIVES_SYSTEM, ct_fn_escape},
    {"unescape", 1, 1, ARG_PLAIN, GIVES_SYSTEM, ct_fn_unescape},
    /* conversions */
    {"toBoolean", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_to_boolean},
    {"toInteger", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_to_integer},
    {"toDecimal", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_to_decimal},
    {"toString", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_to_string},
    {"toDate", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_to_date},
    {"toDateTime", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_to_datetime},
    {"toTime", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_to_time},
    {"toQuantity", 0, 1, ARG_PLAIN, GIVES_ANY, ct_fn_to_quantity},
    {"convertsToBoolean", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_converts},
    {"convertsToInteger", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_converts},
    {"convertsToDecimal", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_converts},
    {"convertsToString", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_converts},
    {"convertsToDate", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_converts},
    {"convertsToDateTime", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_converts},
    {"convertsToTime", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_converts},
    {"convertsToQuantity", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_converts},
    /* numbers */
    {"abs", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_abs},
    {"ceiling", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_ceiling},
    {"floor", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_floor},
    {"round", 0, 1, ARG_PLAIN, GIVES_SYSTEM, ct_fn_round},
    {"truncate", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_truncate},
    {"sqrt", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_sqrt},
    {"exp", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_exp},
    {"ln", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_ln},
    {"log", 1, 1, ARG_PLAIN, GIVES_SYSTEM, ct_fn_log},
    {"comparable", 1, 1, ARG_PLAIN, GIVES_SYSTEM, ct_fn_comparable},
    {"precision", 0, 0, ARG_PLAIN, GIVES_SYSTEM, ct_fn_precision},
    {"lowBoundary", 0, 1, ARG_PLAIN, GIVES_ANY, ct_fn_low_boundary},
    {"highBoundary", 0, 1, ARG_PLAIN, GIVES_ANY, ct_fn_high_boundary},
    {"power", 1, 1, ARG_PLAIN, GIVES_SYSTEM, ct_fn_power},
};

const struct fp_function *ct_fp_function(ct_str name)
{
    for (size_t i = 0; i < CT_LEN(functions); i++) {
        if (ct_str_is(name, functions[i].name))
            return &functions[i];
    }
    return NULL;
}

bool ct_fp_arg(struct fp_call *c, size_t i, struct fp_coll *out)
{
    *out = (struct fp_coll){0};
    return ct_fp_eval(c->r, c->n->args[i], c->s, out);
}

bool ct_fp_call_error(struct fp_call *c, const char *text)
{
    return ct_fp_fail(c->r, c->n, text);
}
