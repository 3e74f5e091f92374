/* worker.h - the life of a worker process. https://nginx.org/en/docs/control.html */
#ifndef SERVER_PROCESS_WORKER_H
#define SERVER_PROCESS_WORKER_H

#include "server/conf/cycle.h"

enum { WORKER_FATAL = 2 }; /* exit code: starting another one would fail the same way */

struct worker_start {
    struct cycle *cycle;
    unsigned number; /* 0 .. cycle_workers() - 1 */
    struct scoreboard *scoreboard;
    struct counters *counters; /* of this worker, there */
    int master_alive;          /* end of a pipe: reads end-of-file when the master is gone */
    int outdated; /* end of a pipe: gets `generation` when what this worker was granted has been replaced */
    unsigned generation;
    int ready; /* gets a byte when the worker serves, and is closed; -1: nobody waits */
};

/* In the forked process; does not return. */
_Noreturn void worker_run(const struct worker_start *start);

#endif
