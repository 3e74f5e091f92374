/* signals.h - the signals that mean something to the processes of sluice.
 * https://nginx.org/en/docs/control.html */
#ifndef SERVER_PROCESS_SIGNALS_H
#define SERVER_PROCESS_SIGNALS_H

#include <signal.h>

/* Blocks what the master waits for with sigtimedwait(); ignores SIGPIPE. */
void signals_block(sigset_t *waited);

/* In a forked child that is to run something else: nothing is blocked or ignored. */
void signals_default(void);

/* In a worker, when its loop watches what it wants to hear: unblocks all; ignores the terminal's
 * SIGHUP, and SIGPIPE. */
void signals_unblock(void);

/* Notes on the error log that `info` arrived, as nginx words it; `then` is what follows from it, or
 * "". */
void signals_log(const siginfo_t *info, const char *then);

#endif
