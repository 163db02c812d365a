/* The run on a connection: a message comes, its records are made safe, it is answered. */
#include "cmd/import/hl7v2/mllp.h"
#include "cmd/import/hl7v2/seen.h"
#include "cmd/import/import.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* A descriptor that is open already, or a file that is added to; -1 for no answers. */
static int open_ack(import_job *job)
{
    uint64_t number;

    if (!job->ack)
        return -1;
    if (ct_str_u64(ct_str_z(job->ack), &number)) {
        if (number > INT32_MAX || fcntl((int)number, F_GETFD) < 0)
            ct_cli_usage(job->c, "--ack: descriptor %s is not open", job->ack);
        return (int)number;
    }
    int fd = open(job->ack, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) {
        ct_err err = {0};
        ct_fail_sys(&err, errno, "cannot open");
        ct_cli_die(job->c, job->ack, &err);
    }
    return fd;
}

/* Was this very message, by its control id, taken in before? */
static bool is_resent(const import_seen *seen, ct_str message, uint8_t digest[CT_SHA256_LEN])
{
    ct_sha256(message, digest);
    return import_mllp_control_id(message).n && import_seen_has(seen, digest);
}

/* Its records are written and safe, or it is rejected: `refused` says why. */
static bool take_in(import_job *job, import_block *b, ct_str message, ct_err *refused, ct_err *err)
{
    import_block_empty(b);
    ct_buf_put(&b->text, message);
    import_hl7v2_work(&job->setup, b);
    if (b->problems)
        *refused = b->problems->err;
    else if (b->messages ==
             0) { /* a batch's header, say: told of here, as it is no problem of a feed */
        ct_fail(refused, CT_E_DATA, "no message in the frame");
        import_block_problem(b, refused, message, false);
    }
    import_job_done(job, b);
    return ct_out_sync(ct_cli_out(job->c), err);
}

/* Nothing comes of a message that is sent again but its answer. */
static void pass_over(import_job *job, ct_str message)
{
    ct_side_add(&job->c->tally.in, message, CT_S("message"));
    job->c->tally.consumed++;
}

static bool take_message(import_job *job, import_mllp *m, import_seen *seen, import_block *b,
                         ct_str message, ct_err *err)
{
    uint8_t digest[CT_SHA256_LEN];
    ct_err refused = {0};
    bool ok = true;

    if (!import_seen_lock(seen, err))
        return false;
    if (is_resent(seen, message, digest))
        pass_over(job, message);
    else
        ok = take_in(job, b, message, &refused, err) &&
             (refused.kind != CT_OK || import_seen_add(seen, digest, err));
    import_seen_unlock(seen);
    return ok && import_mllp_answer(m, message, refused.kind != CT_OK ? &refused : NULL, err);
}

static void run_frames(import_job *job, import_mllp *m, import_seen *seen, import_block *b)
{
    ct_err err = {0};
    ct_str message;
    ct_got got;

    while ((got = import_mllp_next(m, &message, &err)) != CT_GOT_END) {
        if (got == CT_GOT_RECORD && take_message(job, m, seen, b, message, &err))
            continue;
        ct_cli_error(job->c, got == CT_GOT_BAD ? CT_NO : CT_FAULT, b->file, &err);
        if (got != CT_GOT_BAD)
            return;
        err = (ct_err){0};
    }
}

void import_job_mllp(import_job *job)
{
    ct_cli *c = job->c;
    ct_err err = {0};
    import_block b = {.format = FORMAT_HL7V2, .file = "(standard input)"};
    import_seen *seen = import_seen_open(job->seen_path, &err);

    if (!seen || !import_job_maps(job, &err))
        ct_cli_die(c, NULL, &err);
    import_mllp *m = import_mllp_new(STDIN_FILENO, open_ack(job));
    b.in.off = b.lines.side.off = c->tally.in.off;
    job->line = 1;
    ct_cli_out(c);
    run_frames(job, m, seen, &b);
    import_mllp_free(m);
    import_seen_close(seen);
    import_block_free(&b);
}
