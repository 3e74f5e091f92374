/* daemon.h - into the background. */
#ifndef SERVER_DAEMON_H
#define SERVER_DAEMON_H

#include <stdbool.h>

/* Forks; returns in the child, which leads a session of its own, with the standard streams on /dev/null (stderr stays with
 * `keep_stderr`). The parent exits with 0 once a byte is written to *started, or with 1 when the child dies before. Logs. */
int daemon_start(int *started, bool keep_stderr);

#endif
