/* watch.h - reload_on_change: the master hears that a file of its configuration has changed.
 * inotify(7) */
#ifndef SERVER_PROCESS_WATCH_H
#define SERVER_PROCESS_WATCH_H

#include "server/conf/cycle.h"

#include <stdint.h>

struct watched;

/* All zero: watches nothing. */
struct watch {
    bool on;
    int fd; /* inotify; SIGIO says that it can be read */
    struct watched *at;
    unsigned count, cap;
    int64_t first, due; /* CLOCK_MONOTONIC, msec: of the first change and of what follows from it; 0: none */
};

/* Watches what `c` was read from, as its paths lead now, and nothing else any more. Before the files
 * are read: a change after that is heard. */
void watch_start(struct watch *w, const struct cycle *c);

/* Watches what `c` was read from, too. */
void watch_add(struct watch *w, const struct cycle *c);

/* `c` has just been read, and is watched since: what has changed between the two counts as heard. */
void watch_compare(struct watch *w, const struct cycle *c, int64_t now);

/* SIGIO. */
void watch_heard(struct watch *w, int64_t now);

/* Msec until what has changed is to be read, 0: now, which counts as done; -1: nothing has. */
int64_t watch_wait(struct watch *w, int64_t now);

void watch_stop(struct watch *w);

#endif
