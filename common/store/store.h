/* SQLite: what a department must be able to prove, and what it has to find again.
 *
 *     ledger     which records were disclosed, to whom and why
 *     custody    what happened to archived bags: entered, checked, held, destroyed
 *     catalogue  bags, their copies, the charts in them; holds; keys
 *
 * The first two are chains: tables to which rows are only ever added (triggers refuse the rest).
 * Every row carries the hash of the one before and its own: SHA-256, in lower-case hexadecimal,
 * over every column but `hash` that is not NULL, in the order of the table, each as
 *
 *     NAME:LENGTH:VALUE LF
 *
 * (LENGTH in bytes, numbers in decimal), so that anyone can recompute the chain. A row that is
 * changed, inserted or removed is detected; rows removed at the end are detected by the sequence
 * counter, and, where somebody tampered with that too, by a head hash that was kept elsewhere.
 *
 * Times are RFC 3339 in UTC, given by the store; days are YYYY-MM-DD. Text is UTF-8, empty where
 * there is none. A database that an older version made gets what it lacks when it is opened for
 * writing; opened for reading it answers as an empty one does.
 */
#ifndef CT_STORE_H
#define CT_STORE_H

#include "common/stream/stream.h"

typedef struct ct_db ct_db;

/* Opens (or makes, mode 0600, with its schema) the database. Durable: WAL, synchronous=FULL; waits
 * for other writers for up to 30 seconds. `path` is always a file's, whatever it is called. */
CT_USE ct_db *ct_db_open(const char *path, ct_err *err);
/* Opens an existing one for reading. */
CT_USE ct_db *ct_db_open_readonly(const char *path, ct_err *err);
/* Was it made by the call that opened it? */
bool ct_db_is_new(const ct_db *db);
/* Who runs this, as rows say it: the login name by the system's own tables, or `uid N`; an
 * environment can be set by anyone. */
ct_str ct_login_name(ct_arena *a);
/* Drops what was not committed. NULL is allowed. */
void ct_db_close(ct_db *db);
/* The time as rows have it. False where the system's clock gives none. */
enum { CT_NOW_MAX = 32 };
CT_USE bool ct_db_now(char at[CT_NOW_MAX], ct_err *err);

/* ---- the ledger ----
 *
 * A change of state is a row of its own:
 *
 *     begin    a disclosure: to whom, why, by which policy. Its `seq` is the disclosure's id
 *     patient  whose records are about to leave with it, how many and of which types
 *     end      it is over: `complete` or `failed`, with the count and SHA-256 of what left
 *
 * A disclosure without an end was interrupted (or is under way): what its patient rows name may
 * have been disclosed.
 */

/* One disclosure: what 45 CFR 164.528(b)(2) asks for, and what proves it. Text is UTF-8, empty
 * where there is none. */
typedef struct ct_disclosure {
    int64_t id;          /* given by ct_ledger_begin */
    ct_str when;         /* start, RFC 3339 UTC; given by the ledger */
    ct_str recipient;    /* name of the entity or person */
    ct_str address;      /* where known */
    ct_str purpose;      /* v3 ActReason code: TREAT, HPAYMT, HOPERAT … */
    ct_str purpose_text; /* brief statement, where given */
    ct_str policy;       /* name and hash of the policy that decided */
    ct_str user;         /* who ran it */
    ct_str status;       /* begun, complete, failed */
    ct_str completed;    /* RFC 3339 UTC, where complete or failed; given by the ledger */
    ct_str sha256;       /* hex, of the bytes that left */
    uint64_t records, bytes;
} ct_disclosure;

/* Entering. Begin and patient rows gather in a transaction that keeps other writers waiting, so
 * commit soon; nothing of a patient may leave before ct_ledger_commit returned true. Any failure
 * drops the whole transaction. */

/* Enters a disclosure (recipient, address, purpose, purpose_text, policy, user) and sets `d->id`.
 */
CT_USE bool ct_ledger_begin(ct_db *db, ct_disclosure *d, ct_err *err);
/* Enters a patient (id) whose records are about to leave: how many, and a description by type
 * ("3 Encounter, 12 Observation"). May be entered more than once: the counts add up. */
CT_USE bool ct_ledger_patient(ct_db *db, int64_t disclosure, ct_str patient, uint64_t records,
                              ct_str description, ct_err *err);
/* Makes what was entered durable. A disclosure that was begun without a patient is refused. */
CT_USE bool ct_ledger_commit(ct_db *db, ct_err *err);
/* Ends it, durably: status `complete` or `failed`, sha256, records and bytes of what left. Once
 * only. */
CT_USE bool ct_ledger_end(ct_db *db, const ct_disclosure *d, ct_err *err);

/* Calls `each` for every disclosure that named the patient, oldest first, `since` (RFC 3339 or a
 * date, may be empty) and later, with the number and description of the patient's records. Slices
 * live during the call only. False stops it (which is no error). */
typedef bool ct_disclosure_fn(void *ctx, const ct_disclosure *d, uint64_t records,
                              ct_str description);
CT_USE bool ct_ledger_accounting(ct_db *db, ct_str patient, ct_str since, ct_disclosure_fn *each,
                                 void *ctx, ct_err *err);

/* Calls `each` for every patient whom a disclosure without an end names, in the order of
 * their ids; `patient` empty: all of them. Slices live during the call only. */
typedef bool ct_open_fn(void *ctx, ct_str patient, int64_t disclosure, ct_str since);
CT_USE bool ct_ledger_open(ct_db *db, ct_str patient, ct_open_fn *each, void *ctx, ct_err *err);

typedef struct ct_ledger_state {
    uint64_t rows, disclosures, unfinished;
    char head[2 * CT_SHA256_LEN + 1]; /* hash of the last row, hex; keep it elsewhere */
} ct_ledger_state;

/* Recomputes the chain: true where every row is as it was written; else CT_E_DATA, and `err->where`
 * names the first row that is not. `known_head` (may be empty) is a head that an earlier check
 * gave: it must still be in the chain. `state` may be NULL. */
CT_USE bool ct_ledger_check(ct_db *db, ct_str known_head, ct_ledger_state *state, ct_err *err);

/* ---- custody ---- */

/* What a row says happened. Only ct_custody_enter writes the last four; the functions of the
 * catalogue, of holds and of keys enter the others by themselves, in the transaction that makes
 * them true. */
typedef enum ct_act {
    CT_ACT_BAG,         /* a bag was entered: charts, records, bytes; `detail` its name */
    CT_ACT_COPY,        /* a copy was added */
    CT_ACT_CHECK,       /* a copy was checked: `result` */
    CT_ACT_GONE,        /* a copy is no more */
    CT_ACT_UNREACHABLE, /* a copy could not be reached */
    CT_ACT_HOLD,        /* a hold was placed: matter, reason, person, `sha256` of ct_hold */
    CT_ACT_RELEASE,     /* a hold was released: reason, person */
    CT_ACT_KEY,         /* a bag's key was kept */
    CT_ACT_SHRED,       /* a bag's key is gone */
    CT_ACT_DESTROYING,  /* a bag's destruction began: reason, person, witness */
    CT_ACT_DESTROYED,   /* it is over: `sha256` of the certificate */
    CT_ACT_FIND,        /* somebody looked for a patient: `detail` the fields, `result` how many */
    CT_ACT_EXTRACT,     /* charts were taken out of a bag */
    CT_ACT_REPAIR,      /* a copy was repaired */
    CT_ACT_CERTIFICATE, /* a certificate was written: `sha256` */
    CT_ACTS,
} ct_act;

/* A row of the log. */
typedef struct ct_custody {
    int64_t seq; /* given by the log */
    ct_str at;   /* given by the log */
    ct_act act;
    ct_str bag;  /* its hash, see ct_bag */
    ct_str copy; /* its path */
    int64_t hold;
    ct_str matter, reason;
    ct_str person, witness; /* who decided, as he was named */
    ct_str user;            /* who ran it; empty: ct_login_name */
    ct_str result;
    ct_str sha256;
    uint64_t charts, records, bytes;
    ct_str detail;
} ct_custody;

/* The act's name as the column `kind` has it. */
const char *ct_act_name(ct_act act);
/* Enters a row, durably. */
CT_USE bool ct_custody_enter(ct_db *db, const ct_custody *row, ct_err *err);
/* Calls `each` for the rows of a bag (empty: all rows), oldest first. Slices live during the call
 * only, and `each` must not write to the database; false stops it. */
typedef bool ct_custody_fn(void *ctx, const ct_custody *row);
CT_USE bool ct_custody_each(ct_db *db, ct_str bag, ct_custody_fn *each, void *ctx, ct_err *err);

typedef struct ct_custody_state {
    uint64_t rows;
    char head[2 * CT_SHA256_LEN + 1];
} ct_custody_state;

/* As ct_ledger_check. */
CT_USE bool ct_custody_check(ct_db *db, ct_str known_head, ct_custody_state *state, ct_err *err);

/* ---- the catalogue ----
 *
 * Nothing is ever taken out of it: of what was destroyed it says that it existed. Callbacks get
 * slices that live during the call only, must not write to the database, and stop the iteration by
 * false (which is no error).
 */

typedef enum ct_bag_status { CT_BAG_KEPT, CT_BAG_DESTROYING, CT_BAG_DESTROYED } ct_bag_status;

/* A bag, whatever its copies are called and packed in. */
typedef struct ct_bag {
    ct_str hash; /* SHA-256 of its tagmanifest-sha512.txt, hex: its identity */
    ct_str name;
    ct_str first, last;   /* days that its records cover */
    ct_str retention;     /* the class of the schedule that decided when it was made */
    ct_str authority;     /* its citation */
    ct_str destroy_after; /* day, `never` or `undecided` */
    uint64_t charts, records, bytes;
    /* given by the catalogue */
    ct_str entered;
    ct_bag_status status;
    uint64_t copies; /* that are not gone */
} ct_bag;

typedef enum ct_copy_state { CT_COPY_PRESENT, CT_COPY_GONE, CT_COPY_UNREACHABLE } ct_copy_state;

/* A copy of a bag. */
typedef struct ct_copy {
    ct_str path;    /* absolute */
    ct_str packing; /* folder, tar, tar.gz, tar.zst, zip */
    uint64_t size;  /* bytes of the container; of a folder, of its files */
    ct_str checked; /* empty: it never was */
    ct_str result;  /* of the last check */
    /* given by the catalogue */
    int64_t id;
    ct_str bag; /* hash */
    ct_str added;
    ct_copy_state state;
} ct_copy;

/* Another identifier of a patient than his id: a record number. */
typedef struct ct_number {
    ct_str system, value;
} ct_number;

/* Two Patient records that are about one person, as one of them says. */
typedef struct ct_link {
    ct_str patient, other;
} ct_link;

/* A chart in a bag. */
typedef struct ct_bagged {
    ct_str path;    /* in the bag */
    ct_str patient; /* id */
    ct_str born;    /* as precise as it is known */
    ct_str first, last;
    ct_str destroy_after;
    uint64_t records, bytes;
    const ct_str *names; /* as written, each name in one text: not given by ct_bag_charts */
    size_t nnames;
    const ct_number *numbers; /* likewise */
    size_t nnumbers;
    const ct_link *links; /* likewise */
    size_t nlinks;
} ct_bagged;

/* Entering a bag: gather its charts, then enter it with one copy. What is gathered is kept apart
 * (in a file without a name where there is much), keeps no other writer waiting, and takes memory
 * that does not grow with the bag. */

/* Starts to gather, from nothing. */
CT_USE bool ct_bag_gather(ct_db *db, ct_err *err);
CT_USE bool ct_bag_chart(ct_db *db, const ct_bagged *chart, ct_err *err);
/* For a chart that says nothing of it, known before it or after: when it may be destroyed. */
CT_USE bool ct_bag_chart_term(ct_db *db, ct_str path, ct_str destroy_after, ct_err *err);

/* Somebody else who has records in the file of the chart that is gathered next. */
CT_USE bool ct_bag_also(ct_db *db, ct_str patient, ct_err *err);

/* What is gathered from now on belongs to another bag. */
void ct_bag_next(ct_db *db);

typedef enum ct_entered {
    CT_ENTERED_BAG,    /* bag, charts and copy are new */
    CT_ENTERED_COPY,   /* the bag was known: only the copy was added */
    CT_ENTERED_NONE,   /* this copy was known too: nothing changed, but what was gone is present */
    CT_ENTERED_DOOMED, /* the bag is being or was destroyed: the copy is known, to be destroyed */
} ct_entered;

/* Enters the bag that was gathered first and is not entered yet, with all of its charts, durably,
 * or nothing; its charts are then forgotten. The copy counts as checked now where `copy->result`
 * says something. Another bag's copy of the same path is gone from there with this, which is no
 * destruction. A copy of a bag that was destroyed makes it one that is being destroyed again. */
CT_USE bool ct_bag_enter(ct_db *db, const ct_bag *bag, const ct_copy *copy, ct_entered *entered,
                         ct_err *err);

/* Which bags; zero is all of them. */
typedef struct ct_bag_query {
    ct_str hash;    /* or its beginning */
    ct_str name;    /* exactly */
    ct_str path;    /* of one of its copies, exactly; gone ones count while it is being destroyed */
    bool by_status; /* only those of `status` */
    ct_bag_status status;
} ct_bag_query;

typedef bool ct_bag_fn(void *ctx, const ct_bag *bag);
/* In the order of their entry. */
CT_USE bool ct_bags(ct_db *db, const ct_bag_query *q, ct_bag_fn *each, void *ctx, ct_err *err);

/* Which copies; zero is all of them. */
typedef struct ct_copy_query {
    ct_str bag;        /* hash */
    ct_str path;       /* exactly */
    bool with_gone;    /* those that are gone too */
    bool kept;         /* only those of bags whose destruction has not begun */
    bool oldest_first; /* by the last check, those never checked before all; else as added */
    uint64_t limit;    /* at most so many; 0: all */
} ct_copy_query;

typedef bool ct_copy_fn(void *ctx, const ct_copy *copy);
CT_USE bool ct_copies(ct_db *db, const ct_copy_query *q, ct_copy_fn *each, void *ctx, ct_err *err);

/* How many copies there are that are not gone: fixity checks a share of them. */
CT_USE bool ct_copies_count(ct_db *db, uint64_t *n, ct_err *err);
/* Notes a check of a copy, durably: `result` a constant text (`valid`, `not valid` …). Of a copy
 * that is gone nothing is noted. */
CT_USE bool ct_copy_checked(ct_db *db, int64_t copy, ct_str result, ct_err *err);
/* Notes that a copy cannot be reached, durably; of one that is gone nothing is noted. `reason` may
 * be empty. */
CT_USE bool ct_copy_unreachable(ct_db *db, int64_t copy, ct_str reason, ct_err *err);

typedef bool ct_chart_fn(void *ctx, const ct_bag *bag, const ct_bagged *chart);
/* The charts of a bag in the order of their paths; of `bag` only the hash is set. */
CT_USE bool ct_bag_charts(ct_db *db, ct_str bag, ct_chart_fn *each, void *ctx, ct_err *err);

/* ---- whose they are (kin.c) ---- */

typedef bool ct_patient_fn(void *ctx, ct_str patient);
/* Everybody whom a bag is about, some of them more than once: who has records in it, and who is
 * linked with them, in any step and direction, as far as the catalogue knows of links. */
CT_USE bool ct_bag_people(ct_db *db, ct_str bag, ct_patient_fn *each, void *ctx, ct_err *err);
/* Who is linked with a patient, in any step and direction, as far as the catalogue knows of links;
 * not the patient. */
CT_USE bool ct_kin(ct_db *db, ct_str patient, ct_patient_fn *each, void *ctx, ct_err *err);
/* The bags, but for those that were destroyed, that hold a later chart of one of the bag's people:
 * with a later last day, or with one that is not known where either is not. */
CT_USE bool ct_bag_later(ct_db *db, ct_str bag, ct_bag_fn *each, void *ctx, ct_err *err);

/* Whom to look for; everything that is given must fit. */
typedef struct ct_chart_query {
    ct_str name;           /* each of its words must begin a word of one of the chart's names; upper
                              and lower case and accents do not count */
    ct_str number, system; /* an identifier's value, and (may be empty) its system */
    ct_str patient;        /* id */
    ct_str born;           /* YYYY, YYYY-MM or YYYY-MM-DD: as far as both are precise */
    ct_str from, to;       /* days: a record of the chart lies between them, both included */
    bool destroyed;        /* in bags that were destroyed too */
    uint64_t limit;        /* at most so many; 0: all */
} ct_chart_query;

/* Finds charts, in the order of entry. Nothing to look for is CT_E_USAGE, so is a name without a
 * letter or digit. */
CT_USE bool ct_charts_find(ct_db *db, const ct_chart_query *q, ct_chart_fn *each, void *ctx,
                           ct_err *err);

/* ---- holds ----
 *
 * A hold forbids destruction, of listed patients' charts or of those that a FHIRPath condition
 * takes in. It is never deleted but released.
 */

typedef struct ct_hold {
    ct_str matter, why, by;
    ct_str path; /* FHIRPath; empty: a list of patients */
    /* given by the store */
    int64_t id;
    ct_str placed;
    uint64_t patients; /* in the list */
    ct_str sha256;     /* of matter, why, by, path and the patients in order, each with a LF */
    ct_str released, released_by, released_why; /* empty while it is active */
} ct_hold;

/* Places a hold on patients (n ids; twice the same is once) or by `hold->path`, one of both, and
 * sets hold->id; durably, with its row of custody. */
CT_USE bool ct_hold_place(ct_db *db, ct_hold *hold, const ct_str *patients, size_t n, ct_err *err);
/* Releases it. CT_E_USAGE where there is no such hold or it was released before. */
CT_USE bool ct_hold_release(ct_db *db, int64_t hold, ct_str by, ct_str why, ct_err *err);

typedef bool ct_hold_fn(void *ctx, const ct_hold *hold);
/* Calls `each` for every hold, in the order of placing; `active`: only those not released. */
CT_USE bool ct_holds(ct_db *db, bool active, ct_hold_fn *each, void *ctx, ct_err *err);
/* Calls `each` for the active holds whose list names the patient. FHIRPath ones are the caller's to
 * evaluate. */
CT_USE bool ct_held(ct_db *db, ct_str patient, ct_hold_fn *each, void *ctx, ct_err *err);
/* The patients of a hold's list. */
CT_USE bool ct_hold_patients(ct_db *db, int64_t hold, ct_patient_fn *each, void *ctx, ct_err *err);
/* Are the holds what custody says was placed and released? Else CT_E_DATA, and err->where names
 * the first that is not. Who destroys asks this first. `mark` (may be NULL) is the last row of
 * custody about a hold, for ct_bag_destroying. */
CT_USE bool ct_holds_check(ct_db *db, int64_t *mark, ct_err *err);

/* ---- destruction ---- */

/* Who destroys, before whose eyes, and why. */
typedef struct ct_destruction {
    ct_str by, witness, why;
    int64_t mark; /* what ct_holds_check gave before the charts were looked at */
} ct_destruction;

/* Does no hold stand against it that the catalogue can tell of: an active one that lists one of its
 * patients, or any active one that was placed since `mark`? Else CT_E_USAGE. */
CT_USE bool ct_bag_unheld(ct_db *db, ct_str bag, int64_t mark, ct_err *err);
/* kept -> destroying, durably, before anything is removed; or going on with what was begun. Either
 * is a row of custody. Refused (CT_E_USAGE) where it is not ct_bag_unheld since `d->mark`, and
 * where the bag was destroyed before. */
CT_USE bool ct_bag_destroying(ct_db *db, ct_str bag, const ct_destruction *d, ct_err *err);
/* A copy of a bag that is being destroyed is gone, by the word of the two people, durably. */
CT_USE bool ct_copy_gone(ct_db *db, int64_t copy, const ct_destruction *d, ct_str how, ct_err *err);
/* destroying -> destroyed, durably. Refused while its key is there, or one of its copies is not
 * known to be gone by ct_copy_gone. `certificate` is the SHA-256 of the certificate. */
CT_USE bool ct_bag_destroyed(ct_db *db, ct_str bag, const ct_destruction *d, ct_str certificate,
                             ct_err *err);

/* ---- keys ---- */

/* Keeps the key (text) of a bag, durably. The bag need not be entered yet; a bag that has another
 * key already is refused. */
CT_USE bool ct_key_put(ct_db *db, ct_str bag, ct_str key, ct_err *err);
/* Appends the key; `*found` is false where there is none. */
CT_USE bool ct_key_get(ct_db *db, ct_str bag, ct_buf *key, bool *found, ct_err *err);
/* Destroys the key: when this returns true its bytes are neither in the database nor in the log
 * beside it, which is verified by looking. Needs a moment without readers (waits for 30 seconds).
 * Where it fails after the key's removal (`-wal` in use), call it again: without a key it makes
 * sure of the files all the same. What a file system keeps of overwritten blocks, and backups, are
 * out of its reach. */
CT_USE bool ct_key_shred(ct_db *db, ct_str bag, ct_err *err);

#endif
