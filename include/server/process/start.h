/* start.h - from the command line to a running server: configuration, test, signal, daemon.
 * https://nginx.org/en/docs/switches.html, https://nginx.org/en/docs/control.html */
#ifndef SERVER_PROCESS_START_H
#define SERVER_PROCESS_START_H

#include "server/conf/cycle.h"
#include "server/conf/options.h"

/* Which configuration the options mean; the texts live as long as the process. 0, or -errno,
 * logged. */
int start_source(struct cycle_source *source, const struct options *options);

/* The configuration is bound and in force: sockets settle, and messages go where it says.
 * `inherited` is closed. */
void start_take_force(struct cycle *c, struct sockets *inherited);

/* Each returns the exit code. */
int start_test(const struct options *options);   /* -t, -T */
int start_signal(const struct options *options); /* -s */
int start_run(const struct options *options, char *const *argv);

#endif
