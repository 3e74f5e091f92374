/* upgrade.c - starts a new binary that takes the listening sockets along, and notices when it
 * leaves again. */
#include "server/process/upgrade.h"

#include "base/log.h"
#include "net/tls/tls_tickets.h"
#include "server/process/pid_file.h"
#include "server/process/signals.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* False: there is no pid file, or its name is too long. */
static bool old_name(const struct cycle *cycle, char name[PATH_MAX])
{
    return cycle->main->pid && snprintf(name, PATH_MAX, "%s.oldbin", cycle->main->pid) < PATH_MAX;
}

void upgrade_init(struct upgrade *u, pid_t earlier)
{
    u->running = 0;
    u->named = false;
    u->earlier = earlier;
}

bool upgrade_is_running(const struct upgrade *u)
{
    return u->running > 0;
}

bool upgrade_is_trial(const struct upgrade *u)
{
    return u->earlier > 0 && getppid() == u->earlier;
}

/* In the forked process. */
_Noreturn static void run_new_binary(const struct cycle *cycle, char *const *argv, pid_t master)
{
    char *fds = sockets_pass_on(&cycle->sockets);
    char self[32];

    snprintf(self, sizeof self, "%d", (int)master);
    int rc = tls_tickets_pass_on();
    if (rc < 0)
        log_alert(rc, "the ticket keys could not be passed on, sessions end with the old binary");
    if (fds && setenv("SLUICE_FDS", fds, 1) == 0 && setenv("SLUICE_MASTER", self, 1) == 0) {
        signals_default();
        execvp(argv[0], argv);
    }
    log_alert(errno, "execvp() failed while executing new binary process \"%s\"", argv[0]);
    _exit(127);
}

/* The pid file names this process again. */
static void take_name_back(struct upgrade *u, const struct cycle *cycle)
{
    char oldbin[PATH_MAX];

    if (u->named && old_name(cycle, oldbin))
        pid_file_move(oldbin, cycle->main->pid, getpid());
    else
        pid_file_write(cycle->main->pid, getpid());
    u->named = false;
}

bool upgrade_start(struct upgrade *u, const struct cycle *cycle, char *const *argv)
{
    char oldbin[PATH_MAX];
    pid_t master = getpid(), pid;

    if (upgrade_is_running(u) || upgrade_is_trial(u)) {
        log_notice(0, "changing binary is not possible while another one is being changed");
        return false;
    }
    if (!old_name(cycle, oldbin) && cycle->main->pid)
        return false;
    log_notice(0, "changing binary");
    u->named = cycle->main->pid && pid_file_move(cycle->main->pid, oldbin, getpid()) == 0;
    pid = fork();
    if (pid == 0)
        run_new_binary(cycle, argv, master);
    if (pid < 0) {
        log_alert(errno, "fork() failed while spawning \"new binary process\"");
        take_name_back(u, cycle);
        return false;
    }
    log_notice(0, "start new binary process %d", (int)pid);
    u->running = pid;
    return true;
}

bool upgrade_reaped(struct upgrade *u, pid_t pid, int status, const struct cycle *cycle)
{
    if (pid != u->running)
        return false;
    if (WIFSIGNALED(status))
        log_alert(0, "new binary process %d exited on signal %d", (int)pid, WTERMSIG(status));
    else
        log_notice(0, "new binary process %d exited with code %d", (int)pid, WEXITSTATUS(status));
    u->running = 0;
    take_name_back(u, cycle);
    return true;
}

/* The name that the pid file of this process has with a configuration; false: none. */
static bool name_now(const struct upgrade *u, const struct cycle *cycle, char name[PATH_MAX])
{
    if (upgrade_is_running(u))
        return u->named && old_name(cycle, name);
    return cycle->main->pid && snprintf(name, PATH_MAX, "%s", cycle->main->pid) < PATH_MAX;
}

void upgrade_remove_pid_file(const struct upgrade *u, const struct cycle *cycle)
{
    char name[PATH_MAX];

    if (name_now(u, cycle, name))
        pid_file_remove(name);
}

void upgrade_move_pid_file(const struct upgrade *u, const struct cycle *old, const struct cycle *now)
{
    char from[PATH_MAX], to[PATH_MAX];

    bool had = name_now(u, old, from), has = name_now(u, now, to);

    if (had && has && strcmp(from, to) == 0)
        return;
    if (has && pid_file_write(to, getpid()) < 0)
        return;
    if (had && !(has && pid_file_is_same(from, to)))
        pid_file_remove(from);
}
