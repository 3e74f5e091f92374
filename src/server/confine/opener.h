/* opener.h - a process that opens for a worker what its Landlock refuses although the configuration
 * names it. landlock(7); unix(7), SCM_RIGHTS. */
#ifndef SERVER_CONFINE_OPENER_H
#define SERVER_CONFINE_OPENER_H

#include "server/conf/cycle.h"
#include "server/confine/landlock.h"

/* Starts it, before this process has threads and enters Landlock: a child that ends with this
 * process. `names`: what may be read, with what is below, sorted by path. `seccomp`: whether it has
 * a filter of its own. 0 or -errno. */
int opener_start(const struct cycle *c, const struct grants *names, bool seccomp);

/* From now on, when it has opened something for the first time, `generation` is written to `fd`. */
void opener_tells(int fd, unsigned generation);

#endif
