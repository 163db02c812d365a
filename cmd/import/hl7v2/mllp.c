/* MLLP: frames in, acknowledgements out. */
#include "cmd/import/hl7v2/mllp.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { VT = 0x0b, FS = 0x1c, CR = 0x0d, READ = 1 << 16, FIELDS = 13 };

struct import_mllp {
    int in, ack;
    ct_buf text;  /* what was read and not given out */
    size_t given; /* of it: the message that the last call gave */
    bool ended;
};

import_mllp *import_mllp_new(int in, int ack)
{
    import_mllp *m = ct_calloc(1, sizeof *m);

    m->in = in;
    m->ack = ack;
    return m;
}

void import_mllp_free(import_mllp *m)
{
    if (!m)
        return;
    ct_buf_free(&m->text);
    free(m);
}

/* ---- frames ---- */

static bool read_more(import_mllp *m, ct_err *err)
{
    ssize_t n;

    do
        n = read(m->in, ct_buf_room(&m->text, READ), READ);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return ct_fail_sys(err, errno, "cannot read");
    m->text.n += (size_t)n;
    m->ended = n == 0;
    return true;
}

static void drop(import_mllp *m, size_t n)
{
    if (n == 0)
        return;
    memmove(m->text.p, m->text.p + n, m->text.n - n);
    m->text.n -= n;
}

static bool is_line_end(char c)
{
    return c == CR || c == '\n';
}

/* What stands before the next frame; true where it is more than line ends. */
static bool skip_to_frame(import_mllp *m)
{
    size_t n = 0;
    bool junk = false;

    for (; n < m->text.n && m->text.p[n] != VT; n++)
        junk = junk || !is_line_end(m->text.p[n]);
    if (n > 0)
        drop(m, n);
    return junk;
}

/* Where FS CR ends the frame; SIZE_MAX where not yet. An FS alone may be of the message. */
static size_t frame_end(const import_mllp *m, size_t from)
{
    for (size_t i = from; i + 1 < m->text.n; i++)
        if (m->text.p[i] == FS && m->text.p[i + 1] == CR)
            return i;
    return SIZE_MAX;
}

/* The frame that begins at the front of the text. */
static ct_got take_frame(import_mllp *m, ct_str *message, ct_err *err)
{
    size_t end, searched = 1;

    while ((end = frame_end(m, searched)) == SIZE_MAX) {
        searched = m->text.n > 2 ? m->text.n - 1 : 1;
        if (m->text.n > CT_JSON_MAX) {
            ct_fail(err, CT_E_LIMIT, "a message is too long");
            return CT_GOT_FATAL;
        }
        if (m->ended) {
            m->text.n = 0;
            ct_fail(err, CT_E_CUT, "the sender went away within a message, which was not answered");
            return CT_GOT_BAD;
        }
        if (!read_more(m, err))
            return CT_GOT_FATAL;
    }
    *message = (ct_str){m->text.p + 1, end - 1};
    m->given = end + 2;
    return CT_GOT_RECORD;
}

ct_got import_mllp_next(import_mllp *m, ct_str *message, ct_err *err)
{
    drop(m, m->given);
    m->given = 0;
    for (;;) {
        if (skip_to_frame(m)) {
            ct_fail(err, CT_E_DATA, "bytes that are in no frame");
            return CT_GOT_BAD;
        }
        if (m->text.n > 0)
            return take_frame(m, message, err);
        if (m->ended)
            return CT_GOT_END;
        if (!read_more(m, err))
            return CT_GOT_FATAL;
    }
}

/* ---- the header of a message, as far as an answer needs it ---- */

typedef struct header {
    char field, component;
    ct_str encoding;       /* MSH-2 */
    ct_str fields[FIELDS]; /* by number, from 3 */
} header;

static header read_header(ct_str message)
{
    header h = {.field = '|', .component = '^', .encoding = CT_S("^~\\&")};
    size_t end = 0;

    if (ct_str_starts(message, CT_S("\xef\xbb\xbf")))
        message = ct_str_from(message, 3);
    while (end < message.n && !is_line_end(message.p[end]))
        end++;
    ct_str rest = ct_str_head(message, end);
    if (!ct_str_starts(rest, CT_S("MSH")) || rest.n < 5)
        return h;
    h.field = rest.p[3];
    rest = ct_str_from(rest, 4);
    h.encoding = ct_str_cut(&rest, h.field);
    h.component = h.encoding.n ? h.encoding.p[0] : '^';
    for (size_t n = 3; n < FIELDS && rest.p; n++)
        h.fields[n] = ct_str_cut(&rest, h.field);
    return h;
}

ct_str import_mllp_control_id(ct_str message)
{
    return ct_str_trim(read_header(message).fields[10]);
}

/* ---- answers ---- */

/* HL7 table 0357, as far as we tell errors apart. */
static const char *error_code(const ct_err *refused)
{
    static const struct {
        const char *where, *code;
    } codes[] = {{"MSH-9", "200^Unsupported message type"},
                 {"MSH-12", "203^Unsupported version id"},
                 {"MSH-18", "102^Data type error"},
                 {"", "100^Segment sequence error"}};

    for (size_t i = 0; i < CT_LEN(codes); i++)
        if (strcmp(refused->where, codes[i].where) == 0)
            return codes[i].code;
    return strchr(refused->where, '-') ? "102^Data type error" : "100^Segment sequence error";
}

/* Rejected is what this receiver does not take at all, an error is in the message. */
static const char *verdict(const ct_err *refused)
{
    if (!refused)
        return "AA";
    return strcmp(refused->where, "MSH-9") == 0 || strcmp(refused->where, "MSH-12") == 0 ||
                   refused->where[0] == '\0'
               ? "AR"
               : "AE";
}

/* `OBX[3]-5.1` as segment, its number and the field, components apart. */
static void put_location(ct_buf *b, const char *where, char component)
{
    ct_str rest = ct_str_z(where), segment, nth = CT_S("1");
    size_t dash = ct_str_find(rest, CT_S("-"));
    ct_str field = dash < rest.n ? ct_str_from(rest, dash + 1) : CT_S("");

    segment = rest.n ? ct_str_head(rest, dash) : CT_S("MSH");
    size_t bracket = ct_str_find(segment, CT_S("["));
    if (bracket < segment.n) {
        nth = ct_str_from(segment, bracket + 1);
        nth = ct_str_head(nth, nth.n - 1);
        segment = ct_str_head(segment, bracket);
    }
    ct_buf_put(b, segment);
    ct_buf_c(b, component);
    ct_buf_put(b, nth);
    if (!field.n)
        return;
    ct_buf_c(b, component);
    ct_buf_put(b, ct_str_cut(&field, '.'));
}

/* Our own words hold no delimiter that a sender might use but these. */
static void put_text(ct_buf *b, const char *text, const header *h)
{
    for (; *text; text++)
        ct_buf_c(b, *text == '^' ? h->component : *text == '|' ? h->field : *text);
}

static void put_error(ct_buf *b, const header *h, const ct_err *refused)
{
    bool since_25 = ct_str_cmp(h->fields[12], CT_S("2.5")) >= 0;

    put_text(b, since_25 ? "ERR||" : "ERR|", h);
    put_location(b, refused->where, h->component);
    if (since_25) {
        put_text(b, "|", h);
        put_text(b, error_code(refused), h);
        put_text(b, "^HL70357|E||||", h);
        put_text(b, refused->text, h);
    }
    ct_buf_c(b, CR);
}

static void put_time(ct_buf *b)
{
    time_t t = time(NULL);
    struct tm tm;
    char text[32] = "";

    if (localtime_r(&t, &tm))
        strftime(text, sizeof text, "%Y%m%d%H%M%S%z", &tm);
    ct_buf_z(b, text);
}

/* The same message gets the same number. */
static void put_number(ct_buf *b, ct_str message)
{
    uint8_t digest[CT_SHA256_LEN];

    ct_sha256(message, digest);
    ct_hex(b, digest, 10);
}

static void put_header(ct_buf *b, const header *h, ct_str message)
{
    static const uint8_t back[] = {5, 6, 3, 4}; /* the receiver answers the sender */
    ct_str type = h->fields[9];

    ct_buf_z(b, "MSH");
    ct_buf_c(b, h->field);
    ct_buf_put(b, h->encoding);
    for (size_t i = 0; i < CT_LEN(back); i++) {
        ct_buf_c(b, h->field);
        ct_buf_put(b, h->fields[back[i]]);
    }
    ct_buf_c(b, h->field);
    put_time(b);
    put_text(b, "||ACK", h);
    ct_str_cut(&type, h->component);
    ct_str event = type.p ? ct_str_cut(&type, h->component) : CT_S("");
    if (event.n) {
        ct_buf_c(b, h->component);
        ct_buf_put(b, event);
    }
    ct_buf_c(b, h->field);
    put_number(b, message);
    for (size_t i = 11; i <= 12; i++) {
        ct_buf_c(b, h->field);
        ct_buf_put(b, h->fields[i]);
    }
    ct_buf_c(b, CR);
}

static bool write_all(int fd, ct_str s, ct_err *err)
{
    while (s.n) {
        ssize_t n = write(fd, s.p, s.n);
        if (n < 0 && errno != EINTR)
            return ct_fail_sys(err, errno, "cannot write the acknowledgement");
        s = ct_str_from(s, n > 0 ? (size_t)n : 0);
    }
    return true;
}

bool import_mllp_answer(import_mllp *m, ct_str message, const ct_err *refused, ct_err *err)
{
    header h = read_header(message);
    ct_buf b = {0};

    if (m->ack < 0)
        return true;
    ct_buf_c(&b, VT);
    put_header(&b, &h, message);
    put_text(&b, "MSA|", &h);
    ct_buf_z(&b, verdict(refused));
    ct_buf_c(&b, h.field);
    ct_buf_put(&b, h.fields[10]);
    ct_buf_c(&b, CR);
    if (refused)
        put_error(&b, &h, refused);
    ct_buf_c(&b, FS);
    ct_buf_c(&b, CR);
    bool ok = write_all(m->ack, ct_buf_str(&b), err);
    ct_buf_free(&b);
    return ok;
}
