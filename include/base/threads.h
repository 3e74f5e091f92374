/* threads.h - a pool of threads for calls that may block (cold open, cold read, directory listing).
 * pthreads(7), eventfd(2).
 *
 * Jobs run on a pool thread; `done` runs on the thread that calls pool_reap(), which the loop does
 * when pool_eventfd() becomes readable. Every accepted job gets exactly one `done`. */
#ifndef BASE_THREADS_H
#define BASE_THREADS_H

#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>

struct pool;

struct job {
    struct list node;
    void (*run)(struct job *job);  /* on a pool thread; touches only what the job owns */
    void (*done)(struct job *job); /* on the reaping thread, exactly once; may free the job */
    bool patient;                  /* takes long, and nobody stands still for it alone: others go before it */
};

/* Threads are started on the first submit, so that an unused pool costs nothing. `threads`: 1..;
 * `max_queue`: jobs that may wait for a thread, 0: each must find one free. 0 or -errno. All
 * signals are blocked in the threads. */
int pool_create(struct pool **out, const char *name, unsigned threads, size_t max_queue);

/* Waits for running jobs; queued ones are dropped without `run`, and with `done`. */
void pool_destroy(struct pool *p);

/* 0, or -EAGAIN when the queue is full. Never blocks. */
int pool_submit(struct pool *p, struct job *job);

/* At the end of the queue, however long that is: for those who have no line of their own to wait
 * in, and of whom there are no more than connections. 0, or -EAGAIN when no thread can be started
 * at all. */
int pool_append(struct pool *p, struct job *job);

/* Instead of waking a thread inside of pool_submit() and pool_append(), `later` is called, by whom
 * pool_wake() must be called before the submitting thread waits for anything: the jobs of a turn of the loop
 * cost it one wake-up. */
typedef void pool_later_fn(void *arg);
void pool_wake_later(struct pool *p, pool_later_fn *later, void *arg);
void pool_wake(struct pool *p); /* nothing where nobody is to be woken */

int pool_eventfd(const struct pool *p);
void pool_reap(struct pool *p);
size_t pool_waiting(const struct pool *p);

#endif
