/* single.c - master and worker in one process. A reload starts the new configuration beside the old
 * one, which drains.
 *
 * TERM, INT: at once. QUIT: when all is sent. HUP: reload. USR1: reopen logs. */
#include "server/process/single.h"

#include "base/log.h"
#include "base/title.h"
#include "net/loop.h"
#include "net/tls/tls_tickets.h"
#include "server/confine/privileges.h"
#include "server/confine/sandbox.h"
#include "server/process/control.h"
#include "server/process/daemon.h"
#include "server/process/notify.h"
#include "server/process/pid_file.h"
#include "server/process/readers.h"
#include "server/process/run.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* A configuration at work; all but the newest are draining. */
struct generation {
    struct list node;
    struct single *single;
    struct cycle *cycle;
    struct run *run;
};

struct single {
    struct loop *loop;
    struct list generations; /* oldest first */
    struct scoreboard *scoreboard;
    struct counters *counters;
    struct control control;
    struct timer *tickets; /* of tls_tickets_turn() */
    struct timer *drain;   /* drain_delay */
    pid_t earlier;         /* the master whose binary this one tries to replace, or 0 */
    enum { STAYING, LEAVING_SOON, LEAVING } leaving;
};

static struct generation *newest(const struct single *s)
{
    return container_of(s->generations.prev, struct generation, node);
}

static void generation_end(struct generation *g)
{
    list_remove(&g->node);
    run_destroy(g->run);
    cycle_destroy(g->cycle, true);
    free(g);
}

/* Takes the cycle over, also where it fails. */
static int generation_start(struct single *s, struct cycle *cycle)
{
    struct generation *g = calloc(1, sizeof *g);
    int rc = -ENOMEM;

    if (g) {
        list_init(&g->node);
        g->single = s;
        g->cycle = cycle;
        readers_try_here(s->scoreboard, cycle);
        rc = run_start(&g->run, s->loop,
                       &(struct run_options){.cycle = cycle, .scoreboard = s->scoreboard, .counters = s->counters});
    }
    if (rc < 0) {
        free(g);
        cycle_destroy(cycle, true);
        return rc;
    }
    list_append(&s->generations, &g->node);
    return 0;
}

static void on_generation_drained(void *arg)
{
    struct generation *g = arg;
    struct single *s = g->single;

    if (g != newest(s))
        generation_end(g);
    else
        loop_stop(s->loop);
}

/* The service goes on where the old binary does. */
static void tell_stopping(const struct single *s)
{
    if (s->earlier == 0 || getppid() != s->earlier)
        notify_stopping();
}

static void on_terminate(void *arg)
{
    struct single *s = arg;

    log_notice(0, "exiting");
    if (s->leaving == STAYING)
        tell_stopping(s);
    loop_stop(s->loop);
}

static void leave(void *arg)
{
    struct single *s = arg;

    if (s->leaving == LEAVING)
        return;
    s->leaving = LEAVING;
    log_notice(0, "gracefully shutting down");
    timer_clear(s->drain);
    run_drain(newest(s)->run, on_generation_drained, newest(s));
    run_limit(newest(s)->run);
}

/* A second one does not wait any longer. */
static void on_quit(void *arg)
{
    struct single *s = arg;
    int64_t delay = newest(s)->cycle->main->drain_delay;

    if (s->leaving == STAYING) {
        tell_stopping(s);
        scoreboard_say(s->scoreboard, READY_DRAINING);
    }
    if (s->leaving != STAYING || delay == 0) {
        leave(s);
        return;
    }
    s->leaving = LEAVING_SOON;
    log_notice(0, "draining begins in %lld ms, by drain_delay", (long long)delay);
    timer_set(s->drain, delay);
}

static void reload(struct single *s)
{
    struct generation *old = newest(s);
    struct log *old_log = log_main;
    struct cycle *now;

    log_notice(0, "reconfiguring");
    if (cycle_read(&now, old->cycle->source) < 0)
        return;
    if (cycle_bind(now, &old->cycle->sockets) < 0) {
        cycle_destroy(now, true);
        return;
    }
    sockets_settle(&now->sockets, now->http, &old->cycle->sockets);
    log_main = now->log;
    log_stderr_move(log_main);
    if (generation_start(s, now) == 0) {
        run_drain(old->run, on_generation_drained, old);
        run_limit(old->run);
        return;
    }
    /* The sockets went with the new configuration; without them there is nothing left to do. */
    log_main = old_log;
    log_emerg(0, "reconfiguring failed, exiting");
    loop_stop(s->loop);
}

/* Nothing is due while no configuration needs it; a reload asks again. */
static void on_tickets_due(void *arg)
{
    struct single *s = arg;
    int64_t msec = tls_tickets_turn();

    if (msec >= 0)
        timer_set(s->tickets, msec);
}

static void on_hup(void *arg)
{
    struct single *s = arg;

    if (s->leaving)
        return;
    notify_reloading();
    reload(s);
    on_tickets_due(s);
    notify_ready();
}

static int open_scoreboard(struct single *s)
{
    int rc = scoreboard_create(&s->scoreboard);

    if (rc < 0)
        return rc;
    s->counters = scoreboard_counters(s->scoreboard, scoreboard_take(s->scoreboard));
    log_file_count_drops(&s->counters->log_dropped);
    return 0;
}

static int open_loop(struct single *s)
{
    int rc = open_scoreboard(s);

    if (rc == 0)
        rc = log_file_writer_start();
    if (rc == 0)
        rc = loop_create(&s->loop);
    if (rc == 0 &&
        (!(s->tickets = loop_timer(s->loop, on_tickets_due, s)) || !(s->drain = loop_timer(s->loop, leave, s))))
        rc = -ENOMEM;
    if (rc == 0)
        rc = control_start(
            &s->control, s->loop,
            &(struct control_answers){.terminate = on_terminate, .quit = on_quit, .reload = on_hup, .arg = s});
    if (rc < 0)
        log_emerg(rc, "the event loop could not be started");
    return rc;
}

static void tell_started(const struct single_start *start)
{
    control_tell(start->started);
    notify_ready();
    if (start->serving)
        start->serving(start->arg);
}

/* While the log writer runs: requests at work are logged, and nobody waits for a disk with that. */
static void stop_serving(struct single *s)
{
    list_each (&s->generations, node, tmp) {
        struct generation *g = container_of(node, struct generation, node);
        run_destroy(g->run);
        g->run = NULL;
    }
}

static void end_all(struct single *s)
{
    while (!list_empty(&s->generations))
        generation_end(newest(s));
    control_end(&s->control);
    timer_destroy(s->tickets);
    timer_destroy(s->drain);
    loop_destroy(s->loop);
    log_file_count_drops(NULL);
    scoreboard_destroy(s->scoreboard);
}

int single_run(const struct single_start *start)
{
    struct single s = {.earlier = start->earlier};
    char *pid_path = start->pid_file && start->cycle->main->pid ? strdup(start->cycle->main->pid) : NULL;
    int rc;

    list_init(&s.generations);
    privileges_set_limits(start->cycle->main);
    if (start->pid_file)
        title_set("sluice: single process %s", title_command());
    sandbox_enter(start->cycle, start->cycle->source->file ? SANDBOX_SINGLE : SANDBOX_QUICK, true);
    rc = open_loop(&s);
    if (rc == 0)
        rc = generation_start(&s, start->cycle);
    else
        cycle_destroy(start->cycle, true);
    if (rc == 0 && pid_path)
        rc = pid_file_write(pid_path, getpid());
    if (rc == 0) {
        daemon_settle(log_main, start->cycle->main->daemon);
        on_tickets_due(&s);
        tell_started(start);
        loop_run(s.loop);
        log_notice(0, "exit");
        if (pid_path)
            pid_file_remove(pid_path);
    }
    stop_serving(&s);
    log_file_writer_stop();
    end_all(&s);
    free(pid_path);
    return rc < 0 ? 1 : 0;
}
