/* deadline.h - many deadlines of few different lengths: one FIFO per length, so that setting one is
 * a pointer move.
 *
 * Deadlines of one length expire in the order they were set; only the heads are looked at, by one
 * timer. */
#ifndef NET_DEADLINE_H
#define NET_DEADLINE_H

#include "base/list.h"
#include "net/loop.h"

#include <stdint.h>

struct deadlines;
struct deadline;

/* Called exactly once for each setting that is neither replaced nor cleared, from the loop, never
 * inside deadline_set(); `d` is not set any more, and may be set again or freed. */
typedef void deadline_fn(struct deadline *d);

/* Embedded by its user, who clears it before it goes away. deadline_init() comes before any other
 * use; it need not be zeroed. */
struct deadline {
    struct list node;
    int64_t at; /* clock_now.msec */
    deadline_fn *expired;
};

int deadlines_create(struct deadlines **out, struct loop *loop);
void deadlines_destroy(struct deadlines *ds);

void deadline_init(struct deadline *d, deadline_fn *expired);

/* In `msec` from clock_now; replaces an earlier setting. Fires within 100 ms after it is due, never
 * before. Without memory for a new length the nearest longer FIFO is used. */
void deadline_set(struct deadlines *ds, struct deadline *d, int64_t msec);
void deadline_clear(struct deadline *d); /* legal when not set */

static inline bool deadline_is_set(const struct deadline *d)
{
    return !list_empty(&d->node);
}

#endif
