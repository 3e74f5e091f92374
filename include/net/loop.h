/* loop.h - the event loop of a process: descriptors, timers, signals, and "at the end of this
 * turn". epoll(7); https://libevent.org/doc/
 *
 * net/ is the only door to libevent. All of it belongs to one thread. */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct watch;
struct timer;

typedef void loop_fn(void *arg);

int loop_create(struct loop **out); /* 0 or -errno */
void loop_destroy(struct loop *loop);
void loop_run(struct loop *loop); /* until loop_stop(); updates clock_now once per turn */
void loop_stop(struct loop *loop);

enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_CLOSED = 4 /* the peer shut down or the connection broke */ };

typedef void loop_io_fn(void *arg, unsigned what);

/* Watches `fd` until watch_destroy(), which must come before close(fd). LOOP_CLOSED goes together
 * with LOOP_READ. `edge`: reported once per change (EPOLLET): read or write until EAGAIN. Legal to
 * destroy inside its own callback. NULL: no memory or no room in epoll (errno). */
struct watch *watch_create(struct loop *loop, int fd, unsigned what, bool edge, loop_io_fn *fn, void *arg);
struct watch *watch_signal(struct loop *loop, int signal, loop_fn *fn, void *arg);
/* From now on it tells `fn`. */
void watch_give(struct watch *w, loop_io_fn *fn, void *arg);
void watch_destroy(struct watch *w); /* NULL is legal */

/* A one-shot timer; set again at will. `fn` is called exactly once for each setting that is neither
 * replaced nor cleared, from the loop; it may set the timer again. NULL: no memory. */
struct timer *loop_timer(struct loop *loop, loop_fn *fn, void *arg);
void timer_set(struct timer *t, int64_t msec); /* from now; replaces an earlier setting */
void timer_clear(struct timer *t);
void timer_destroy(struct timer *t);

/* Work for the end of this turn (before the loop waits again), or for the next turn if queued
 * during that. Embedded by its user, who clears it before it goes away. `fn` is called exactly once
 * for each time that it was queued and not cleared, from the loop, never inside loop_defer(); it
 * may queue the work again, and free what it is embedded in. */
struct deferred {
    struct list node;
    loop_fn *fn;
    void *arg;
};

void deferred_init(struct deferred *d, loop_fn *fn, void *arg);
void loop_defer(struct loop *loop, struct deferred *d); /* once, however often called */
void deferred_clear(struct deferred *d);

/* Runs at the end of every turn in which something happened, after deferred work: batched
 * submissions. */
void loop_at_turn_end(struct loop *loop, struct deferred *d);

const char *loop_library(void); /* "libevent 2.1.12-stable", for -V */

#endif
