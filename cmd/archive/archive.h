/* chart-archive: what its subcommands share. */
#ifndef CHART_ARCHIVE_ARCHIVE_H
#define CHART_ARCHIVE_ARCHIVE_H

#include "cmd/archive/pass.h"
#include "cmd/archive/schedule.h"
#include "common/cli/cli.h"

/* The subcommands; argv[0] is the subcommand's name. */
int bag_create(int argc, char **argv);
int bag_verify(int argc, char **argv);
int bag_list(int argc, char **argv);
int bag_extract(int argc, char **argv);
int bag_fixity(int argc, char **argv);
int bag_destroy(int argc, char **argv);
int bag_due(int argc, char **argv);
int bag_hold(int argc, char **argv);
int bag_accession(int argc, char **argv);
int bag_find(int argc, char **argv);
int bag_parity_main(int argc, char **argv);
int bag_repair(int argc, char **argv);

/* The option of those that read an encrypted bag. */
enum { BAG_OPT_KEY_FILE = CT_OPT_OWN + 100 };
#define BAG_KEY_FILE_OPTION                                                                        \
    {                                                                                              \
        BAG_OPT_KEY_FILE, "key-file", "FILE",                                                      \
            "the key of an encrypted bag that the database lacks"                                  \
    }

typedef struct bag_report {
    ct_cli *cli;
    const char *name; /* of the bag */
} bag_report;

/* Says a finding on stderr; anything but a warning raises the status. A bag_finding_fn with a
 * bag_report. */
void bag_report_finding(void *report, const bag_finding *f);
/* ct_cli_progress with the ct_cli. */
void bag_progress(void *cli, uint64_t bytes);
/* Warns where a schedule was made without what federal law asks for at least. */
void bag_warn_floor(ct_cli *c, const bag_schedule *s);

/* The argument of --parity, else a usage error. */
unsigned bag_parity_percent(ct_cli *c);
/* Holds a bag against its parity file, where there is one, and says what is wrong. What to say of
 * it behind the bag's line: `, parity` or the like. */
const char *bag_parity_report(ct_cli *c, const char *path);

#endif
