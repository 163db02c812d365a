/* MLLP, HL7's Minimal Lower Layer Protocol (release 1): a message stands between VT and FS CR, and
 * each is answered by an acknowledgement (HL7 v2, chapter 2, original mode) framed likewise.
 */
#ifndef CHART_IMPORT_MLLP_H
#define CHART_IMPORT_MLLP_H

#include "common/stream/stream.h"

typedef struct import_mllp import_mllp;

/* Reads from the descriptor `in` and answers on `ack`, -1 for nowhere. Neither is closed. */
import_mllp *import_mllp_new(int in, int ack);
/* The next message, valid until the next call. CT_GOT_BAD: bytes that stand in no frame, or a frame
 * that the end of the input cuts; it goes on. */
ct_got import_mllp_next(import_mllp *m, ct_str *message, ct_err *err);
/* Answers a message: AA, or AE or AR with what refused it. False where that cannot be written. */
CT_USE bool import_mllp_answer(import_mllp *m, ct_str message, const ct_err *refused, ct_err *err);
/* The message's control id (MSH-10), empty where it has none. */
ct_str import_mllp_control_id(ct_str message);
void import_mllp_free(import_mllp *m);

#endif
