/* master.c - the master process: a plain loop around sigtimedwait().
 *
 * TERM, INT: fast stop. QUIT: graceful stop. HUP: new configuration, new workers; the old ones
 * drain. USR1: reopen logs. WINCH: workers leave, the master stays. USR2: start a new binary on the
 * same sockets. IO: a worker says that what it was granted has been replaced, or a
 * file of the configuration has changed.
 * https://nginx.org/en/docs/control.html */
#include "server/process/master.h"

#include "base/log.h"
#include "base/title.h"
#include "net/tls/tls_tickets.h"
#include "server/process/children.h"
#include "server/process/daemon.h"
#include "server/process/notify.h"
#include "server/process/pid_file.h"
#include "server/process/renewal.h"
#include "server/process/signals.h"
#include "server/process/upgrade.h"
#include "server/process/watch.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KILL_MSEC = 3000 }; /* a fast stop that takes longer ends with SIGKILL; the log writer alone has 2 s of it */

/* STOPPING_SOON: drain_delay. */
enum stopping { NOT_STOPPING, STOPPING_SOON, STOPPING_GRACEFULLY, STOPPING_FAST };

struct master {
    struct cycle *cycle;
    const struct master_start *start;
    struct children children;
    struct upgrade upgrade;
    struct renewal renewal;
    struct watch watch;
    enum stopping stopping;
    int64_t kill_at;  /* CLOCK_MONOTONIC, msec; 0: not set */
    int64_t drain_at; /* likewise, while STOPPING_SOON */
    sigset_t waited;
};

static int64_t now_msec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- what the service manager is told ---- */

/* The service ends only with the last of its masters: the manager would kill what is left of a
 * service that stops. */
static void tell_stopping(struct master *m)
{
    if (!upgrade_is_running(&m->upgrade) && !upgrade_is_trial(&m->upgrade)) {
        notify_stopping();
        return;
    }
    if (upgrade_is_running(&m->upgrade))
        notify_main(m->upgrade.running); /* NotifyAccess=main has not let the new one say so */
}

/* The new binary is gone, and was the main process if it served at all. */
static void tell_taken_back(struct master *m)
{
    if (!m->stopping) {
        notify_ready();
        return;
    }
    notify_main(getpid());
    notify_stopping();
}

/* ---- what signals ask for ---- */

/* Balancers are told, and clients once their connections end. Where another binary has the sockets,
 * the server as such goes on. */
static void begin_to_stop(struct master *m)
{
    tell_stopping(m);
    if (!upgrade_is_running(&m->upgrade))
        scoreboard_say(m->children.scoreboard, READY_DRAINING);
}

static void stop(struct master *m, enum stopping how)
{
    if (how <= m->stopping)
        return;
    if (m->stopping == NOT_STOPPING)
        begin_to_stop(m);
    m->stopping = how;
    if (how == STOPPING_SOON)
        return;
    children_retire(&m->children, true);
    children_signal(&m->children, how == STOPPING_FAST ? SIGTERM : SIGQUIT);
    if (how == STOPPING_FAST)
        m->kill_at = now_msec() + KILL_MSEC;
    /* Clients are refused from now on, rather than queued for nobody. */
    sockets_close(&m->cycle->sockets, !upgrade_is_running(&m->upgrade));
}

/* A second QUIT does not wait any longer. */
static void stop_gracefully(struct master *m)
{
    int64_t delay = m->cycle->main->drain_delay;

    if (delay == 0 || m->stopping != NOT_STOPPING || upgrade_is_running(&m->upgrade)) {
        stop(m, STOPPING_GRACEFULLY);
        return;
    }
    log_notice(0, "draining begins in %lld ms, by drain_delay", (long long)delay);
    m->drain_at = now_msec() + delay;
    stop(m, STOPPING_SOON);
}

/* `leave`: the signal by which the old ones do. */
static void replace_workers(struct master *m, int leave)
{
    int rc = children_start(&m->children, m->cycle);

    scoreboard_say(m->children.scoreboard, rc < 0 ? READY_STALE : READY);
    if (rc < 0) {
        log_emerg(0, "no new worker process serves, the old ones stay");
        return;
    }
    children_retire(&m->children, false);
    children_signal_leaving(&m->children, leave);
}

static void renew(struct master *m)
{
    log_notice(0, "paths of the configuration lead to other files now, new workers are granted these");
    replace_workers(m, SIGUSR2);
}

/* Workers have no use for the descriptor. */
static void watch_cycle(struct master *m)
{
    watch_start(&m->watch, m->cycle);
    m->children.not_theirs = m->watch.on ? m->watch.fd : -1;
}

static void reload(struct master *m)
{
    struct cycle *old = m->cycle, *now;

    notify_reloading();
    log_notice(0, "reconfiguring");
    watch_cycle(m);
    if (cycle_read(&now, old->source) == 0) {
        if (cycle_bind(now, &old->sockets) == 0) {
            sockets_settle(&now->sockets, now->http, &old->sockets);
            log_main = now->log;
            log_stderr_move(log_main);
            upgrade_move_pid_file(&m->upgrade, old, now);
            m->cycle = now;
            cycle_destroy(old, !upgrade_is_running(&m->upgrade));
            watch_add(&m->watch, now);
            watch_compare(&m->watch, now, now_msec());
            m->children.not_theirs = m->watch.on ? m->watch.fd : -1;
            replace_workers(m, SIGQUIT);
        } else {
            cycle_destroy(now, true);
        }
    }
    notify_ready();
}

/* While another binary has the sockets, this one serves no more than it did. */
static void reload_changed(struct master *m)
{
    if (upgrade_is_running(&m->upgrade))
        return;
    log_notice(0, "files of the configuration have changed");
    reload(m);
}

/* Reopened by root, the files are given to the user of the workers, who must open them too. */
static void reopen_logs(struct master *m)
{
    const struct user_conf *user = &m->cycle->main->user;
    int rc;

    log_notice(0, "reopening logs");
    rc = log_file_reopen_all();
    if (rc < 0)
        log_emerg(rc, "a log could not be reopened, the old one stays in use");
    if (user->name && geteuid() == 0) {
        rc = log_file_chown_all(user->uid, (gid_t)-1);
        if (rc < 0)
            log_emerg(rc, "a log could not be given to user \"%s\"", user->name);
    }
    children_signal(&m->children, SIGUSR1);
}

static void retire_workers(struct master *m)
{
    children_retire(&m->children, true);
    children_signal(&m->children, SIGQUIT);
}

static void change_binary(struct master *m)
{
    upgrade_start(&m->upgrade, m->cycle, m->start->argv);
}

/* While a new binary tries itself out, HUP brings the workers of the old one back as they were. */
static void on_hup(struct master *m)
{
    if (!upgrade_is_running(&m->upgrade) || children_serving(&m->children) > 0) {
        reload(m);
        return;
    }
    children_start(&m->children, m->cycle);
    notify_ready();
}

static void on_child(struct master *m)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (children_reaped(&m->children, pid, status))
            continue;
        if (!upgrade_reaped(&m->upgrade, pid, status, m->cycle))
            continue;
        tell_taken_back(m);
        if (children_serving(&m->children) == 0 && !m->stopping)
            children_start(&m->children, m->cycle);
    }
}

static void on_signal(struct master *m, const siginfo_t *info)
{
    switch (info->si_signo) {
    case SIGTERM:
    case SIGINT:
        signals_log(info, ", exiting");
        stop(m, STOPPING_FAST);
        return;
    case SIGQUIT:
        signals_log(info, ", shutting down");
        stop_gracefully(m);
        return;
    case SIGCHLD:
        on_child(m);
        return;
    case SIGIO:
        renewal_heard(&m->renewal, &m->children, now_msec());
        watch_heard(&m->watch, now_msec());
        return;
    case SIGWINCH:
        if (info->si_code > 0)
            return; /* from the kernel: a terminal was resized */
        signals_log(info, "");
        if (!m->stopping)
            retire_workers(m);
        return;
    default:
        break;
    }
    signals_log(info, "");
    if (info->si_signo == SIGUSR1 && m->stopping <= STOPPING_SOON)
        reopen_logs(m);
    else if (m->stopping)
        return;
    else if (info->si_signo == SIGHUP)
        on_hup(m);
    else if (info->si_signo == SIGUSR2)
        change_binary(m);
}

/* ---- the loop ---- */

/* Of two times until something is due; -1: nothing is. */
static int64_t sooner(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* Starts the workers whose time has come; msec until the next time, or -1. */
static int64_t start_due_workers(struct master *m)
{
    int64_t wait = renewal_wait(&m->renewal, &m->children, now_msec());

    if (wait == 0) {
        renew(m);
        wait = -1;
    }
    return sooner(wait, children_respawn(&m->children, m->cycle));
}

/* Reads what has changed when that has settled; msec until then, or -1. */
static int64_t reload_when_settled(struct master *m)
{
    int64_t wait = watch_wait(&m->watch, now_msec());

    if (wait != 0)
        return wait;
    reload_changed(m);
    return -1;
}

/* msec until the drain begins, or -1: it has. */
static int64_t wait_for_drain(struct master *m)
{
    int64_t left = m->drain_at - now_msec();

    if (left > 0)
        return left;
    stop(m, STOPPING_GRACEFULLY);
    return -1;
}

/* Does what is due; msec until the next time that something is, or -1. */
static int64_t do_what_is_due(struct master *m)
{
    int64_t left = m->kill_at - now_msec();

    if (m->stopping == STOPPING_SOON && (left = wait_for_drain(m)) > 0)
        return sooner(left, sooner(children_respawn(&m->children, m->cycle), tls_tickets_turn()));
    if (m->stopping == NOT_STOPPING)
        return sooner(reload_when_settled(m), sooner(start_due_workers(m), tls_tickets_turn()));
    if (m->kill_at == 0)
        return -1;
    if (left > 0)
        return left;
    children_signal(&m->children, SIGKILL);
    m->kill_at = 0;
    return -1;
}

static void wait_for_signals(struct master *m)
{
    while (!m->stopping || children_alive(&m->children) > 0) {
        int64_t msec = do_what_is_due(m);
        struct timespec most = {.tv_sec = (time_t)(msec / 1000), .tv_nsec = (long)(msec % 1000) * 1000000L};
        siginfo_t info;

        if (sigtimedwait(&m->waited, &info, msec < 0 ? NULL : &most) > 0)
            on_signal(m, &info);
    }
}

/* What has failed to start is about to end by itself; the rest is told to. */
static void end_all(struct master *m)
{
    int status;
    pid_t pid;

    children_retire(&m->children, true);
    children_signal(&m->children, SIGTERM);
    while (children_alive(&m->children) > 0 && (pid = waitpid(-1, &status, 0)) > 0)
        children_reaped(&m->children, pid, status);
}

static int start_up(struct master *m)
{
    int rc = children_init(&m->children);

    if (rc < 0) {
        log_emerg(rc, "pipe2() failed");
        return rc;
    }
    rc = pid_file_write(m->cycle->main->pid, getpid());
    if (rc < 0)
        return rc;
    daemon_settle(m->cycle->log, m->cycle->main->daemon);
    title_set("sluice: master process %s", title_command());
    watch_cycle(m);
    watch_compare(&m->watch, m->cycle, now_msec());
    if (children_start(&m->children, m->cycle) == 0)
        return 0;
    log_emerg(0, "no worker process could be started");
    end_all(m);
    pid_file_remove(m->cycle->main->pid);
    return -ECHILD;
}

int master_run(const struct master_start *start)
{
    struct master m = {.cycle = start->cycle, .start = start};
    int rc;

    upgrade_init(&m.upgrade, start->earlier);
    signals_block(&m.waited);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1); /* an opener outlives its worker, and not every init collects what ended */
    rc = start_up(&m);
    if (rc == 0) {
        if (start->started >= 0) {
            if (write(start->started, "", 1) != 1)
                log_alert(errno, "the starting process could not be told");
            close(start->started);
        }
        notify_ready();
        wait_for_signals(&m);
        upgrade_remove_pid_file(&m.upgrade, m.cycle);
        log_notice(0, "exit");
    }
    watch_stop(&m.watch);
    children_fini(&m.children);
    cycle_destroy(m.cycle, !upgrade_is_running(&m.upgrade));
    return rc < 0 ? 1 : 0;
}
