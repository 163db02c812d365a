/* Is a stream in order? */
#include "common/stream/stream.h"

static bool disorder(const ct_entry *e, const char *file, ct_err *err, const char *text)
{
    ct_fail(err, CT_E_DATA, text);
    if (err) {
        err->file = file;
        err->line = e->number;
    }
    return false;
}

static bool compare(const ct_order *last, const ct_entry *e, const char *file, ct_err *err)
{
    ct_entry ahead = {.key = ct_buf_str(&last->key), .patient = last->patient};
    if (ct_entry_cmp(&ahead, e) <= 0)
        return true;
    if (!e->key.n)
        return disorder(e, file, err, "not sorted: it belongs to nobody and stands behind a chart");
    if (ct_str_eq(ahead.key, e->key))
        return disorder(e, file, err, "not sorted: a Patient that is not at the head of its chart");
    return disorder(e, file, err, "not sorted: its chart comes before that of the record ahead");
}

bool ct_order_next(ct_order *last, const ct_entry *e, const char *file, ct_err *err)
{
    if (last->any && !compare(last, e, file, err))
        return false;
    last->any = true;
    last->patient = e->patient;
    if (!ct_str_eq(ct_buf_str(&last->key), e->key)) {
        last->key.n = 0;
        ct_buf_put(&last->key, e->key);
    }
    return true;
}
