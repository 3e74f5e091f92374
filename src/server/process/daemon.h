/* daemon.h - into the background. https://nginx.org/en/docs/ngx_core_module.html#daemon */
#ifndef SERVER_PROCESS_DAEMON_H
#define SERVER_PROCESS_DAEMON_H

#include "base/log.h"

#include <stdbool.h>

/* Forks; returns in the child, which leads a session of its own, with standard input and output on
 * /dev/null. The parent exits with 0 once a byte is written to *started, or with 1 when the child
 * dies before. Logs. */
int daemon_start(int *started);

/* The start has gone well so far: nothing more is said to whoever made it. `background`: descriptor
 * 2 is the error log from now on. */
void daemon_settle(const struct log *log, bool background);

#endif
