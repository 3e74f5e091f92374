/* renewal.h - when the master starts new workers because what the old ones were granted has been
 * replaced. */
#ifndef SERVER_PROCESS_RENEWAL_H
#define SERVER_PROCESS_RENEWAL_H

#include "server/process/children.h"

struct renewal {
    int64_t due;   /* CLOCK_MONOTONIC, msec; 0: nothing is */
    int64_t last;  /* when it was done; 0: never */
    int64_t pause; /* the least between two, msec */
};

/* A worker has told (SIGIO): its paths lead to files that it may not open itself. */
void renewal_heard(struct renewal *r, const struct children *cs, int64_t now);

/* Msec until new workers are to be started, 0: now, which counts as done; -1: they are not. */
int64_t renewal_wait(struct renewal *r, const struct children *cs, int64_t now);

#endif
