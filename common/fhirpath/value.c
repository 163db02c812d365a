/* Items and their values: what a FHIR primitive or Quantity is worth to an operator, types, and how
 * an item is written.
 */
#include "common/fhirpath/internal.h"

ct_item ct_fp_item_bool(bool value)
{
    return (ct_item){.type = CT_I_BOOLEAN, .boolean = value};
}

ct_item ct_fp_item_int(int64_t value)
{
    return (ct_item){.type = CT_I_INTEGER, .integer = value};
}

ct_item ct_fp_item_string(ct_str s)
{
    return (ct_item){.type = CT_I_STRING, .text = s};
}

/* ---- from FHIR to System ---- */

static bool from_string(struct fp_run *r, const ct_item *in, ct_item *out)
{
    const ct_path *p = r->path;
    const ct_ftype *t = in->ftype;
    ct_str text = ct_text(in->doc, in->node, r->a);
    *out = ct_fp_item_string(text);
    ct_itype type = t == p->t_date                            ? CT_I_DATE
                    : t == p->t_datetime || t == p->t_instant ? CT_I_DATETIME
                    : t == p->t_time                          ? CT_I_TIME
                                                              : CT_I_STRING;
    if (type == CT_I_STRING || !t)
        return true;
    /* What is no date stays without a value: nothing can be decided about it. */
    out->type = type;
    if (type == CT_I_DATETIME)
        return ct_date_parse(text, &out->date);
    return ct_fp_date_parse(text, type, &out->date);
}

static bool from_number(struct fp_run *r, const ct_item *in, ct_item *out)
{
    const ct_path *p = r->path;
    const ct_ftype *t = in->ftype;
    struct fp_dec d;
    ct_str raw = ct_raw(in->doc, in->node);
    bool integer = t == p->t_integer || t == p->t_positive || t == p->t_unsigned ||
                   (!t && !memchr(raw.p, '.', raw.n));
    if (!ct_dec_parse(raw, &d))
        return false;
    if (integer) {
        *out = ct_fp_item_int(0);
        if (ct_dec_to_int(d, &out->integer))
            return true;
    }
    *out = (ct_item){.type = CT_I_DECIMAL, .text = raw};
    if (memchr(raw.p, 'e', raw.n) || memchr(raw.p, 'E', raw.n))
        out->text = ct_dec_text(r->a, d);
    return true;
}

static bool is_quantity(const ct_path *p, const ct_ftype *t)
{
    for (; t; t = t->base) {
        if (t == p->t_quantity && t)
            return true;
    }
    return false;
}

/* A Quantity with a comparator (`<5`) is no number; one in a system other than UCUM has a unit that
 * only its own system could compare. */
static bool from_quantity(struct fp_run *r, const ct_item *in, ct_item *out)
{
    const ct_path *p = r->path;
    ct_val value = ct_member_id(in->doc, in->node, p->id_value);
    ct_val code = ct_member_id(in->doc, in->node, p->id_code);
    ct_val system = ct_member_id(in->doc, in->node, p->id_system);
    if (value == CT_NONE || ct_type(in->doc, value) != CT_NUMBER ||
        ct_member_id(in->doc, in->node, p->id_comparator) != CT_NONE)
        return false;
    if (system != CT_NONE && !ct_is(in->doc, system, CT_S("http://unitsofmeasure.org")))
        return false;
    if (code == CT_NONE)
        code = ct_member_id(in->doc, in->node, p->id_unit);
    *out = (ct_item){.type = CT_I_QUANTITY, .text = ct_raw(in->doc, value), .unit = CT_S("1")};
    if (code != CT_NONE)
        out->unit = ct_text(in->doc, code, r->a);
    return true;
}

/* Does JSON spell a value of the primitive `t` by such a token? `"false"` is no boolean. */
static bool spells(const ct_path *p, const ct_ftype *t, ct_jtype token)
{
    if (!t || t->kind != CT_F_PRIMITIVE)
        return true;
    if (t == p->t_boolean)
        return token == CT_TRUE || token == CT_FALSE;
    if (t == p->t_integer || t == p->t_positive || t == p->t_unsigned || t == p->t_decimal)
        return token == CT_NUMBER;
    return token == CT_STRING;
}

bool ct_fp_value(struct fp_run *r, const ct_item *in, ct_item *out)
{
    if (in->type != CT_I_NODE) {
        *out = *in;
        return true;
    }
    ct_jtype token = ct_type(in->doc, in->node);
    if (!spells(r->path, in->ftype, token))
        return false;
    switch (token) {
    case CT_STRING:
        return from_string(r, in, out);
    case CT_NUMBER:
        return from_number(r, in, out);
    case CT_TRUE:
    case CT_FALSE:
        *out = ct_fp_item_bool(token == CT_TRUE);
        return true;
    case CT_OBJECT:
        return is_quantity(r->path, in->ftype) && from_quantity(r, in, out);
    default:
        return false;
    }
}

/* ---- one item where one is asked for ---- */

int ct_fp_single(struct fp_run *r, const struct fp_node *n, const struct fp_coll *c, ct_item *out)
{
    if (c->n == 0)
        return 0;
    if (c->n > 1) {
        ct_fp_fail(r, n, "several items where one is asked for");
        return -1;
    }
    if (ct_fp_value(r, &c->v[0], out))
        return 1;
    /* A primitive that has extensions but no value is as good as empty. */
    const ct_ftype *t = c->v[0].ftype;
    if (t && t->kind == CT_F_PRIMITIVE)
        return 0;
    ct_fp_fail(r, n, "a structure where a value is asked for");
    return -1;
}

int ct_fp_single_string(struct fp_run *r, const struct fp_node *n, const struct fp_coll *c,
                        ct_str *s)
{
    ct_item v;
    int got = ct_fp_single(r, n, c, &v);
    if (got <= 0)
        return got;
    /* A FHIR date is a string to string functions: as it is spelled. */
    bool date = v.type == CT_I_DATE || v.type == CT_I_DATETIME || v.type == CT_I_TIME;
    if (v.type == CT_I_STRING || (date && c->v[0].type == CT_I_NODE)) {
        *s = v.text;
        return 1;
    }
    ct_fp_fail(r, n, "no string where one is asked for");
    return -1;
}

int ct_fp_single_int(struct fp_run *r, const struct fp_node *n, const struct fp_coll *c,
                     int64_t *value)
{
    ct_item v;
    int got = ct_fp_single(r, n, c, &v);
    if (got <= 0)
        return got;
    if (v.type == CT_I_INTEGER) {
        *value = v.integer;
        return 1;
    }
    ct_fp_fail(r, n, "no integer where one is asked for");
    return -1;
}

/* ---- types ---- */

static const struct {
    const char *name;
    ct_itype type;
} system_types[] = {
    {"Boolean", CT_I_BOOLEAN}, {"Integer", CT_I_INTEGER},   {"Decimal", CT_I_DECIMAL},
    {"String", CT_I_STRING},   {"Date", CT_I_DATE},         {"DateTime", CT_I_DATETIME},
    {"Time", CT_I_TIME},       {"Quantity", CT_I_QUANTITY},
};

bool ct_fp_type_find(const ct_model *m, ct_str name, struct fp_type *type)
{
    bool fhir = ct_str_starts(name, CT_S("FHIR.")), system = ct_str_starts(name, CT_S("System."));
    *type = (struct fp_type){0};
    if (fhir || system)
        name = ct_str_from(name, fhir ? 5 : 7);
    const ct_ftype *t = ct_model_type(m, name);
    if (!system)
        type->fhir = t;
    for (size_t i = 0; !fhir && i < CT_LEN(system_types); i++) {
        if (ct_str_is(name, system_types[i].name)) {
            type->system = true;
            type->itype = system_types[i].type;
        }
    }
    type->nowhere = system && !type->system && t;
    return type->fhir || type->system;
}

bool ct_fp_is(const ct_item *item, const struct fp_type *type, bool exact)
{
    if (item->type != CT_I_NODE)
        return type->system && item->type == type->itype;
    const ct_ftype *t = item->ftype;
    if (!type->fhir || !t)
        return false;
    if (exact && type->fhir->kind == CT_F_PRIMITIVE)
        return t == type->fhir;
    while (t && t != type->fhir)
        t = t->base;
    return t != NULL;
}

ct_item ct_item_type(const ct_item *item)
{
    static const char *const names[] = {
        [CT_I_BOOLEAN] = "Boolean", [CT_I_INTEGER] = "Integer",   [CT_I_DECIMAL] = "Decimal",
        [CT_I_STRING] = "String",   [CT_I_DATE] = "Date",         [CT_I_DATETIME] = "DateTime",
        [CT_I_TIME] = "Time",       [CT_I_QUANTITY] = "Quantity", [CT_I_TYPE] = "TypeInfo",
    };
    if (item->type != CT_I_NODE)
        return (ct_item){
            .type = CT_I_TYPE, .text = ct_str_z(names[item->type]), .unit = CT_S("System")};
    return (ct_item){.type = CT_I_TYPE,
                     .text = item->ftype ? item->ftype->name : (ct_str){"", 0},
                     .unit = CT_S("FHIR")};
}

/* ---- writing ---- */

ct_str ct_fp_spell(ct_arena *a, const ct_item *v)
{
    bool calendar = false;
    switch (v->type) {
    case CT_I_BOOLEAN:
        return v->boolean ? CT_S("true") : CT_S("false");
    case CT_I_INTEGER:
        return ct_arena_printf(a, "%lld", (long long)v->integer);
    case CT_I_QUANTITY:
        if (ct_fp_time_unit(v->unit, &calendar) && calendar)
            return ct_arena_printf(a, "%.*s %.*s", (int)v->text.n, v->text.p, (int)v->unit.n,
                                   v->unit.p);
        return ct_arena_printf(a, "%.*s '%.*s'", (int)v->text.n, v->text.p, (int)v->unit.n,
                               v->unit.p);
    default:
        return v->text;
    }
}

ct_str ct_item_text(const ct_item *item, ct_arena *a)
{
    if (item->type != CT_I_NODE)
        return ct_fp_spell(a, item);
    ct_jtype t = ct_type(item->doc, item->node);
    return t == CT_OBJECT || t == CT_ARRAY ? (ct_str){"", 0} : ct_text(item->doc, item->node, a);
}

/* JSON has no zeros ahead of a number, FHIRPath's literals may. */
static void put_number(ct_buf *b, ct_str s)
{
    if (ct_str_starts(s, CT_S("-"))) {
        ct_buf_c(b, '-');
        s = ct_str_from(s, 1);
    }
    while (s.n > 1 && s.p[0] == '0' && s.p[1] >= '0' && s.p[1] <= '9')
        s = ct_str_from(s, 1);
    ct_buf_put(b, s);
}

/* A string cannot hold them as they are, so line ends are white space between tokens. */
static void put_node(ct_buf *b, const ct_item *item)
{
    ct_str raw = ct_raw(item->doc, item->node);
    bool broken = ct_type(item->doc, item->node) >= CT_ARRAY &&
                  (memchr(raw.p, '\n', raw.n) || memchr(raw.p, '\r', raw.n));
    if (broken)
        ct_put_compact(b, item->doc, item->node);
    else
        ct_buf_put(b, raw);
}

static void put_quantity(ct_buf *b, const ct_item *item)
{
    bool calendar;
    const struct fp_time_unit *u = ct_fp_time_unit(item->unit, &calendar);
    ct_str code = u ? ct_str_z(u->code) : item->unit;
    ct_buf_z(b, "{\"value\":");
    put_number(b, item->text);
    ct_buf_z(b, ",\"unit\":");
    ct_put_string(b, item->unit);
    ct_buf_z(b, ",\"system\":\"http://unitsofmeasure.org\",\"code\":");
    ct_put_string(b, code);
    ct_buf_c(b, '}');
}

void ct_item_put(ct_buf *b, const ct_item *item)
{
    switch (item->type) {
    case CT_I_NODE:
        put_node(b, item);
        break;
    case CT_I_BOOLEAN:
        ct_buf_z(b, item->boolean ? "true" : "false");
        break;
    case CT_I_INTEGER:
        ct_buf_printf(b, "%lld", (long long)item->integer);
        break;
    case CT_I_DECIMAL:
        put_number(b, item->text);
        break;
    case CT_I_QUANTITY:
        put_quantity(b, item);
        break;
    case CT_I_TYPE:
        ct_buf_z(b, "{\"namespace\":");
        ct_put_string(b, item->unit);
        ct_buf_z(b, ",\"name\":");
        ct_put_string(b, item->text);
        ct_buf_c(b, '}');
        break;
    case CT_I_DATETIME: /* FHIRPath's mark of a dateTime without a time is none of FHIR's */
        ct_put_string(b,
                      ct_str_head(item->text, item->text.n - ct_str_ends(item->text, CT_S("T"))));
        break;
    default:
        ct_put_string(b, item->text);
    }
}
