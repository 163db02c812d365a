/* The folder of an unfinished bag, when the program is interrupted: a signal handler must not walk
 * through folders, so a thread waits for the signals instead.
 */
#ifndef CHART_ARCHIVE_SWEEP_H
#define CHART_ARCHIVE_SWEEP_H

/* From here on SIGINT, SIGTERM, SIGHUP and SIGQUIT end the program by way of the sweeper. Before
 * any other thread is made. Without a thread to be had everything stays as it was. */
void bag_sweep_start(void);
/* The folder to remove then; NULL for none. Borrowed until it is set anew. */
void bag_sweep_set(const char *folder);

#endif
