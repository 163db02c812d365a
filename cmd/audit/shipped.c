/* The rule packs that the program carries: `core` is all of them, else rules/NAME.rules. */
#include "cmd/audit/audit.h"

extern const ct_datafile ct_cmd_data[];

static bool in_pack(const ct_datafile *f, const char *name)
{
    ct_str file = ct_str_z(f->name), start = CT_S("rules/"), end = CT_S(".rules");

    return strcmp(name, "core") == 0 ||
           ct_str_is((ct_str){file.p + start.n, file.n - start.n - end.n}, name);
}

bool audit_shipped_parse(audit_rules *r, const char *name, audit_wrong_fn *wrong, void *ctx)
{
    bool found = false;

    for (const ct_datafile *f = ct_cmd_data; f->name; f++)
        if (in_pack(f, name)) {
            audit_rules_parse(r, f->name, (ct_str){f->text, f->n}, wrong, ctx);
            found = true;
        }
    return found;
}

bool audit_shipped_put(ct_buf *b, const char *name)
{
    bool found = false;

    for (const ct_datafile *f = ct_cmd_data; f->name; f++)
        if (in_pack(f, name)) {
            ct_buf_put(b, (ct_str){f->text, f->n});
            found = true;
        }
    return found;
}
