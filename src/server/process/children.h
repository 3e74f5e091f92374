/* children.h - the master's table of worker processes: started, told, reaped, started again.
 * fork(2), waitpid(2). */
#ifndef SERVER_PROCESS_CHILDREN_H
#define SERVER_PROCESS_CHILDREN_H

#include "http/worker/scoreboard.h"
#include "server/conf/cycle.h"

struct child {
    pid_t pid;       /* 0: dead, and to be started again at `respawn_at` */
    unsigned number; /* of the worker in its generation */
    int slot;        /* of the scoreboard */
    unsigned generation;
    bool leaving;                /* of an earlier configuration, or told to stop: not started again */
    int64_t started, respawn_at; /* CLOCK_MONOTONIC, msec */
};

struct children {
    struct child *at;
    unsigned count, cap;
    unsigned generation; /* of the newest workers: counts children_start() */
    int alive[2];        /* a pipe that nobody writes to; workers wait for its end */
    int outdated[2];     /* workers write their generation when others could open more; makes a SIGIO */
    int not_theirs;      /* a descriptor that workers close; -1: none */
    struct scoreboard *scoreboard;
};

int children_init(struct children *cs); /* 0 or -errno */
void children_fini(struct children *cs);

/* Starts cycle_workers() workers and waits (at most 5 s) until they serve or have failed. Logs. 0,
 * or -errno when none serves. */
int children_start(struct children *cs, struct cycle *cycle);

void children_signal(struct children *cs, int signal);  /* to all */
void children_retire(struct children *cs, bool newest); /* marks all as leaving, or all but the newest generation */
void children_signal_leaving(struct children *cs, int signal);

/* A process was reaped. False: it was none of the workers. Logs as nginx does. */
bool children_reaped(struct children *cs, pid_t pid, int status);

/* Starts dead ones again whose time has come; returns msec until the next one's, or -1. */
int64_t children_respawn(struct children *cs, struct cycle *cycle);

unsigned children_alive(const struct children *cs);
unsigned children_leaving(const struct children *cs); /* alive, and told to leave */
unsigned children_serving(const struct children *cs); /* alive, or to be started again, and not leaving */

#endif
