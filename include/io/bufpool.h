/* bufpool.h - page-aligned read buffers of one worker, under a cap shared fairly by those that
 * wait. */
#ifndef IO_BUFPOOL_H
#define IO_BUFPOOL_H

#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bufpool;

int bufpool_create(struct bufpool **out, size_t cap); /* bytes */
void bufpool_destroy(struct bufpool *p);              /* all buffers are back */

struct bufpool_waiter { /* embedded; list_init() its node once */
    struct list node;
    size_t size;
    /* Once per wait, from bufpool_give() or bufpool_wait(): here is the buffer; or NULL, when there
     * is no memory and nobody holds any that could come back. Must not give any back in there. */
    void (*available)(struct bufpool_waiter *w, void *buffer);
};

/* Somebody that holds more than it needs at once, and can do without it until later. */
struct bufpool_holder { /* embedded; list_init() its node once */
    struct list node;
    /* Somebody has to wait: give back (bufpool_give) what is not being used. */
    void (*reclaim)(struct bufpool_holder *h);
};

/* `size` bytes, aligned to a page and (up to 2 MiB) to the next power of two of `size`, which is
 * what counts against the cap. NULL when that would pass the cap or there is no memory. A pool with
 * nothing lent always lends one buffer, however large. */
void *bufpool_take(struct bufpool *p, size_t size);
void bufpool_give(struct bufpool *p, void *buffer, size_t size);

/* In line, first come first served. Holders are asked to give back first, so that `available` may
 * be called in here. */
void bufpool_wait(struct bufpool *p, struct bufpool_waiter *w, size_t size);
void bufpool_unwait(struct bufpool_waiter *w); /* legal when not waiting */

/* May be asked once, perhaps in here; legal when it already may. */
void bufpool_hold(struct bufpool *p, struct bufpool_holder *h);
void bufpool_unhold(struct bufpool_holder *h); /* legal when it may not */

void bufpool_set_gauge(struct bufpool *p, uint64_t *lent); /* follows bufpool_lent() from now on; shared with others */

size_t bufpool_lent(const struct bufpool *p);
bool bufpool_is_crowded(const struct bufpool *p); /* a good part of the cap is lent: begin with little */
bool bufpool_is_short(const struct bufpool *p);   /* somebody waits: holders of more than one should not take more */

#endif
