/* run.h - one configuration at work in a loop: the HTTP service on a worker's sockets. What
 * worker.c has once, and single.c, which reloads in place, for a while twice. */
#ifndef SERVER_PROCESS_RUN_H
#define SERVER_PROCESS_RUN_H

#include "http/worker/scoreboard.h"
#include "net/loop.h"
#include "server/conf/cycle.h"

struct run;

struct run_options {
    struct cycle *cycle; /* stays the caller's and outlives it */
    unsigned worker;
    struct scoreboard *scoreboard;
    struct counters *counters; /* of this process, there; NULL: none */
};

/* Logs what fails. 0 or -errno. */
int run_start(struct run **out, struct loop *loop, const struct run_options *start);

/* Accepts no more, lets what is under way finish, then calls `drained`: exactly once, from the
 * loop, never in here; it may destroy this. The listening sockets of the cycle are closed in this
 * process. */
void run_drain(struct run *s, loop_fn *drained, void *arg);

/* What drains has worker_shutdown_timeout for it, from now on. */
void run_limit(struct run *s);

void run_destroy(struct run *s); /* at once; NULL is legal */

#endif
