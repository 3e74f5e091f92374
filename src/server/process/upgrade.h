/* upgrade.h - a new binary on the sockets of the old: USR2.
 * https://nginx.org/en/docs/control.html#upgrade */
#ifndef SERVER_PROCESS_UPGRADE_H
#define SERVER_PROCESS_UPGRADE_H

#include "server/conf/cycle.h"

#include <sys/types.h>

struct upgrade {
    pid_t running; /* the new binary's master, or 0 */
    bool named;    /* while it runs: PIDFILE.oldbin names this process */
    pid_t earlier; /* the old binary's, which started us and handed its sockets over, or 0 */
};

void upgrade_init(struct upgrade *u, pid_t earlier);

/* Renames the pid file to *.oldbin and starts argv[0] with the listening sockets. Logs; false:
 * nothing was started. */
bool upgrade_start(struct upgrade *u, const struct cycle *cycle, char *const *argv);

/* True: `pid` was the new binary, which did not stay; our pid file has its old name again. Logs. */
bool upgrade_reaped(struct upgrade *u, pid_t pid, int status, const struct cycle *cycle);

/* This is the old binary, and a new one has the same sockets open: the files of unix: sockets must
 * stay. */
bool upgrade_is_running(const struct upgrade *u);

/* This is the new binary, and the old one is still there: it may go on. */
bool upgrade_is_trial(const struct upgrade *u);

/* At exit: the pid file, by the name it has now. */
void upgrade_remove_pid_file(const struct upgrade *u, const struct cycle *cycle);

/* The pid file follows the configuration. */
void upgrade_move_pid_file(const struct upgrade *u, const struct cycle *old, const struct cycle *now);

#endif
