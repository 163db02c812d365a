/* The folder of an unfinished bag, when the program is interrupted: a signal handler must not walk
 * through folders, so a thread waits for the signals instead.
 */
#ifndef CHART_ARCHIVE_SWEEP_H
#define CHART_ARCHIVE_SWEEP_H

#include <stdbool.h>

/* From here on SIGINT, SIGTERM, SIGHUP and SIGQUIT end the program by way of the sweeper. Before
 * any other thread is made. Without a thread to be had everything stays as it was. */
void bag_sweep_start(void);
/* A folder to remove then, borrowed until it is dropped; a few of them. NULL may be dropped. */
void bag_sweep_add(const char *folder);
/* Makes one as mkdtemp(3) does (false: errno tells why) and adds it, in one step. */
bool bag_sweep_make(char *folder);
void bag_sweep_drop(const char *folder);

#endif
