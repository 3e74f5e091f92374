/* worker.c - the life of a worker process: settle, serve, and leave when told to or when the master
 * is gone.
 *
 * QUIT: leave when all is sent. TERM, INT: at once. USR1: reopen logs. USR2, from the master: leave
 * when all is sent, however long that takes: the configuration has not changed, and no operator has
 * asked for it. https://nginx.org/en/docs/control.html */
#include "server/process/worker.h"

#include "base/log.h"
#include "base/title.h"
#include "http/worker/scoreboard.h"
#include "net/loop.h"
#include "server/confine/opener.h"
#include "server/confine/privileges.h"
#include "server/confine/sandbox.h"
#include "server/process/control.h"
#include "server/process/run.h"

#include <errno.h>
#include <stdlib.h>

struct worker {
    struct cycle *cycle;
    struct loop *loop;
    struct run *run;
    struct control control;
    struct watch *master; /* NULL once it is gone */
    int master_alive;
    bool leaving, limited;
};

static void on_terminate(void *arg)
{
    struct worker *w = arg;

    log_notice(0, "exiting");
    loop_stop(w->loop);
}

static void on_drained(void *arg)
{
    struct worker *w = arg;

    loop_stop(w->loop);
}

static void leave(void *arg)
{
    struct worker *w = arg;

    if (w->leaving)
        return;
    w->leaving = true;
    log_notice(0, "gracefully shutting down");
    title_set("sluice: worker process is shutting down");
    run_drain(w->run, on_drained, w);
}

static void on_quit(void *arg)
{
    struct worker *w = arg;

    leave(w);
    if (!w->limited)
        run_limit(w->run);
    w->limited = true;
}

/* Nothing is ever written to the pipe: readable means that its last writer, the master, is gone. */
static void on_master_gone(void *arg, unsigned what)
{
    struct worker *w = arg;

    (void)what;
    watch_destroy(w->master);
    w->master = NULL;
    log_alert(0, "the master process is gone");
    on_quit(w);
}

static int watch_all(struct worker *w)
{
    w->master = watch_create(w->loop, w->master_alive, LOOP_READ | LOOP_CLOSED, false, on_master_gone, w);
    if (!w->master)
        return -ENOMEM;
    return control_start(
        &w->control, w->loop,
        &(struct control_answers){.terminate = on_terminate, .quit = on_quit, .leave = leave, .arg = w});
}

static int start_all(struct worker *w, const struct worker_start *start)
{
    int rc;

    if (start->counters)
        log_file_count_drops(&start->counters->log_dropped);
    rc = log_file_writer_start();
    if (rc < 0) {
        log_emerg(rc, "the log writer could not be started");
        return rc;
    }
    rc = loop_create(&w->loop);
    if (rc == 0)
        rc = watch_all(w);
    if (rc < 0) {
        log_emerg(rc, "the event loop could not be started");
        return rc;
    }
    return run_start(&w->run, w->loop,
                     &(struct run_options){.cycle = start->cycle,
                                           .worker = start->number,
                                           .scoreboard = start->scoreboard,
                                           .counters = start->counters});
}

static void stop_all(struct worker *w)
{
    run_destroy(w->run);
    watch_destroy(w->master);
    control_end(&w->control);
    loop_destroy(w->loop);
}

void worker_run(const struct worker_start *start)
{
    struct worker w = {.cycle = start->cycle, .master_alive = start->master_alive};
    int rc = privileges_settle(w.cycle->main, start->number, sandbox_conf_of(w.cycle)->capabilities);

    if (rc == 0) {
        sandbox_enter(w.cycle, SANDBOX_WORKER, start->number == 0);
        opener_tells(start->outdated, start->generation);
        rc = start_all(&w, start);
    }
    if (rc == 0) {
        control_tell(start->ready);
        loop_run(w.loop);
    }
    stop_all(&w);
    if (rc == 0)
        log_notice(0, "exit");
    log_file_writer_stop();
    cycle_destroy(w.cycle, false);
    exit(rc < 0 ? WORKER_FATAL : 0);
}
