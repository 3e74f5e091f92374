/* privileges.h - what a worker gives up and takes on before it serves: user, limits, CPUs,
 * environment. credentials(7), capabilities(7). */
#ifndef SERVER_CONFINE_PRIVILEGES_H
#define SERVER_CONFINE_PRIVILEGES_H

#include "server/conf/main_conf.h"

/* In worker number `n`; logs. `drop_capabilities`: the bounding set too goes, which later takes
 * what the user has not. 0, or -errno: the worker must not run. */
int privileges_settle(const struct main_conf *conf, unsigned n, bool drop_capabilities);

/* Raises the soft limit of descriptors to the hard one, or sets what `worker_rlimit_nofile` says;
 * warns where worker_connections do not fit. */
void privileges_set_limits(const struct main_conf *conf);

#endif
