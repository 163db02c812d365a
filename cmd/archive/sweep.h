/* Unfinished bags, when the program is interrupted: a signal handler must not walk
 * through folders, so a thread waits for the signals instead.
 */
#ifndef CHART_ARCHIVE_SWEEP_H
#define CHART_ARCHIVE_SWEEP_H

#include <stdbool.h>

/* From here on SIGINT, SIGTERM, SIGHUP and SIGQUIT end the program by way of the sweeper. Before
 * any other thread is made. Without a thread to be had everything stays as it was. */
void bag_sweep_start(void);
/* Makes an unfinished file as mkstemp(3) does, or a folder as mkdtemp(3), which is removed then;
 * known from its first moment. The file, or the folder for reading; -1 where errno tells why. The
 * name is borrowed until it is dropped. */
int bag_sweep_make(char *name, bool folder);
/* It is finished, or gone. NULL is allowed. */
void bag_sweep_drop(const char *name);

#endif
