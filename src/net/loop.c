/* loop.c - turns of libevent with a clear end: callbacks, then deferred work, then the turn-end
 * hooks.
 *
 * Each turn is one event_base_loop(EVLOOP_ONCE). The clock is read by the first callback of a turn,
 * once. Before the loop waits for events, what was logged in the turn is written. */
#include "net/loop.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LIBEVENT_LEAST = 0x02010c00, /* 2.1.12: event_del() inside callbacks and EV_CLOSED as used here */
    SPARE_WATCHES = 256          /* freed ones kept for the next connections */
};

struct watch {
    struct event event;
    struct loop *loop;
    union {
        loop_io_fn *io;
        loop_fn *plain;
        struct watch *next_spare;
    };
    void *arg;
};

struct timer {
    struct event event;
    struct loop *loop;
    loop_fn *fn;
    void *arg;
};

struct loop {
    struct event_base *base;
    struct list deferred, hooks;
    struct watch *spare;
    unsigned spare_count;
    bool stopped;
    bool awake; /* something happened in this turn, and the clock was read */
};

/* Its warnings repeat what the calls return to us; after an error it ends the process. */
static void on_libevent_log(int severity, const char *message)
{
    if (severity >= EVENT_LOG_ERR)
        log_emerg(0, "libevent: %s", message);
}

/* Edge-triggered epoll is part of the contract, so no other back end will do. */
static struct event_base *open_base(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base;

    if (!config)
        return NULL;
    event_config_require_features(config, EV_FEATURE_ET | EV_FEATURE_O1 | EV_FEATURE_EARLY_CLOSE);
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
    base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

int loop_create(struct loop **out)
{
    struct loop *loop;

    if (event_get_version_number() < LIBEVENT_LEAST)
        return -ELIBBAD;
    event_set_log_callback(on_libevent_log);
    loop = calloc(1, sizeof *loop);
    if (!loop)
        return -ENOMEM;
    errno = 0;
    loop->base = open_base();
    if (!loop->base) {
        int error = errno;

        free(loop);
        return error ? -error : -ENOMEM;
    }
    list_init(&loop->deferred);
    list_init(&loop->hooks);
    clock_update();
    *out = loop;
    return 0;
}

void loop_destroy(struct loop *loop)
{
    if (!loop)
        return;
    while (loop->spare) {
        struct watch *w = loop->spare;

        loop->spare = w->next_spare;
        free(w);
    }
    event_base_free(loop->base);
    free(loop);
}

static inline void wake(struct loop *loop)
{
    if (loop->awake)
        return;
    loop->awake = true;
    clock_update();
}

/* What is queued while this runs belongs to the next turn. */
static void run_deferred(struct loop *loop)
{
    struct list now;

    list_init(&now);
    list_splice(&now, &loop->deferred);
    while (!list_empty(&now)) {
        struct deferred *d = container_of(now.next, struct deferred, node);

        list_remove(&d->node);
        d->fn(d->arg);
    }
}

/* A hook may clear itself or any other: each one is moved behind the mark before it runs. */
static void run_hooks(struct loop *loop)
{
    struct list done;

    list_init(&done);
    while (!list_empty(&loop->hooks)) {
        struct deferred *d = container_of(loop->hooks.next, struct deferred, node);

        list_remove(&d->node);
        list_append(&done, &d->node);
        d->fn(d->arg);
    }
    list_splice(&loop->hooks, &done);
}

void loop_run(struct loop *loop)
{
    loop->stopped = false;
    log_file_take_turns(true);
    while (!loop->stopped) {
        bool work_waits = !list_empty(&loop->deferred);

        log_file_end_turn();
        loop->awake = false;
        event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY | (work_waits ? EVLOOP_NONBLOCK : EVLOOP_ONCE));
        if (!list_empty(&loop->deferred)) {
            wake(loop);
            run_deferred(loop);
        }
        if (loop->awake)
            run_hooks(loop);
    }
    log_file_take_turns(false);
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}

static void on_io(evutil_socket_t fd, short events, void *arg)
{
    struct watch *w = arg;
    unsigned what = 0;

    (void)fd;
    if (events & EV_READ)
        what |= LOOP_READ;
    if (events & EV_WRITE)
        what |= LOOP_WRITE;
    if (events & EV_CLOSED)
        what |= LOOP_CLOSED;
    wake(w->loop);
    w->io(w->arg, what);
}

static void on_signal(evutil_socket_t signal, short events, void *arg)
{
    struct watch *w = arg;

    (void)signal;
    (void)events;
    wake(w->loop);
    w->plain(w->arg);
}

static struct watch *watch_alloc(struct loop *loop, void *arg)
{
    struct watch *w = loop->spare;

    if (w) {
        loop->spare = w->next_spare;
        loop->spare_count--;
    } else {
        w = malloc(sizeof *w);
        if (!w)
            return NULL;
    }
    w->loop = loop;
    w->arg = arg;
    return w;
}

static void watch_free(struct watch *w)
{
    struct loop *loop = w->loop;

    if (loop->spare_count >= SPARE_WATCHES) {
        free(w);
        return;
    }
    w->next_spare = loop->spare;
    loop->spare = w;
    loop->spare_count++;
}

struct watch *watch_create(struct loop *loop, int fd, unsigned what, bool edge, loop_io_fn *fn, void *arg)
{
    struct watch *w = watch_alloc(loop, arg);
    int events = EV_PERSIST;

    if (!w)
        return NULL;
    w->io = fn;
    if (what & LOOP_READ)
        events |= EV_READ;
    if (what & LOOP_WRITE)
        events |= EV_WRITE;
    if (what & LOOP_CLOSED)
        events |= EV_CLOSED;
    if (edge)
        events |= EV_ET;
    if (event_assign(&w->event, loop->base, fd, (short)events, on_io, w) < 0 || event_add(&w->event, NULL) < 0) {
        int error = errno;

        watch_free(w);
        errno = error;
        return NULL;
    }
    return w;
}

struct watch *watch_signal(struct loop *loop, int signal, loop_fn *fn, void *arg)
{
    struct watch *w = watch_alloc(loop, arg);

    if (!w)
        return NULL;
    w->plain = fn;
    if (evsignal_assign(&w->event, loop->base, signal, on_signal, w) < 0 || evsignal_add(&w->event, NULL) < 0) {
        watch_free(w);
        return NULL;
    }
    return w;
}

/* event_del() also takes the event off the list of those whose callbacks are still to come in this
 * turn, and libevent reads nothing of a persistent event after its callback: both make it safe to
 * reuse the memory at once. */
void watch_give(struct watch *w, loop_io_fn *fn, void *arg)
{
    w->io = fn;
    w->arg = arg;
}

void watch_destroy(struct watch *w)
{
    if (!w)
        return;
    event_del(&w->event);
    watch_free(w);
}

static void on_timer(evutil_socket_t fd, short events, void *arg)
{
    struct timer *t = arg;

    (void)fd;
    (void)events;
    wake(t->loop);
    t->fn(t->arg);
}

struct timer *loop_timer(struct loop *loop, loop_fn *fn, void *arg)
{
    struct timer *t = malloc(sizeof *t);

    if (!t)
        return NULL;
    t->loop = loop;
    t->fn = fn;
    t->arg = arg;
    if (evtimer_assign(&t->event, loop->base, on_timer, t) < 0) {
        free(t);
        return NULL;
    }
    return t;
}

void timer_set(struct timer *t, int64_t msec)
{
    struct timeval delay;

    if (msec < 0)
        msec = 0;
    delay.tv_sec = (time_t)(msec / 1000);
    delay.tv_usec = (suseconds_t)(msec % 1000 * 1000);
    event_add(&t->event, &delay);
}

void timer_clear(struct timer *t)
{
    event_del(&t->event);
}

void timer_destroy(struct timer *t)
{
    if (!t)
        return;
    event_del(&t->event);
    free(t);
}

void deferred_init(struct deferred *d, loop_fn *fn, void *arg)
{
    list_init(&d->node);
    d->fn = fn;
    d->arg = arg;
}

void loop_defer(struct loop *loop, struct deferred *d)
{
    if (list_empty(&d->node))
        list_append(&loop->deferred, &d->node);
}

void deferred_clear(struct deferred *d)
{
    list_remove(&d->node);
}

void loop_at_turn_end(struct loop *loop, struct deferred *d)
{
    if (list_empty(&d->node))
        list_append(&loop->hooks, &d->node);
}

const char *loop_library(void)
{
    static char text[64];

    snprintf(text, sizeof text, "libevent %s", event_get_version());
    return text;
}
