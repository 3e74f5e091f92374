/* master.h - the master process: starts workers, listens to signals, never to clients.
 * https://nginx.org/en/docs/control.html */
#ifndef SERVER_PROCESS_MASTER_H
#define SERVER_PROCESS_MASTER_H

#include "server/conf/cycle.h"

struct master_start {
    struct cycle *cycle; /* read and bound; becomes the master's */
    char *const *argv;   /* for an upgrade of the binary */
    pid_t earlier;       /* the master that the sockets came from, or 0 */
    int started;         /* a byte is written when workers serve (the parent of a daemon waits); -1: nobody does */
};

/* Until a signal ends it; the exit code. */
int master_run(const struct master_start *start);

#endif
