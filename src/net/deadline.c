/* deadline.c - one FIFO per length of deadline, one timer for all.
 *
 * Lengths are rounded up to a step when a FIFO is chosen, so that computed lengths ("what is left
 * of keepalive_time") share FIFOs; each deadline keeps its exact time. The timer is never set later
 * when a head goes away: it fires, finds nothing due, and is set for the next head. */
#include "net/deadline.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>

enum {
    STEP_MSEC = 50,  /* two lengths within a step share a FIFO: one may fire that much late */
    GRACE_MSEC = 10, /* the timer aims past the head, so that neighbours share a wake-up */
    FIFOS_MOST = 64
};

struct fifo {
    int64_t length; /* msec, a multiple of the step */
    struct list deadlines;
};

struct deadlines {
    struct timer *timer;
    int64_t timer_at; /* clock_now.msec, INT64_MAX: not set */
    unsigned count;
    struct fifo *fifos[FIFOS_MOST];
};

static int64_t earliest(const struct deadlines *ds)
{
    int64_t at = INT64_MAX;

    for (unsigned i = 0; i < ds->count; i++) {
        const struct list *head = &ds->fifos[i]->deadlines;

        if (!list_empty(head)) {
            const struct deadline *d = container_of(head->next, struct deadline, node);

            if (d->at < at)
                at = d->at;
        }
    }
    return at;
}

static void arm(struct deadlines *ds, int64_t at)
{
    ds->timer_at = at;
    timer_set(ds->timer, at - clock_now.msec + GRACE_MSEC);
}

/* The callback of a deadline may set and clear any deadline, this one too: the head is read anew
 * each time. A deadline set in here lies at least 1 ms ahead, so the loop ends. */
static void expire(struct fifo *fifo, int64_t now)
{
    while (!list_empty(&fifo->deadlines)) {
        struct deadline *d = container_of(fifo->deadlines.next, struct deadline, node);

        if (d->at > now)
            return;
        list_remove(&d->node);
        d->expired(d);
    }
}

static void on_timer(void *arg)
{
    struct deadlines *ds = arg;
    int64_t next;

    /* What callbacks set meanwhile must not touch the timer: it is set once, below. */
    ds->timer_at = INT64_MIN;
    for (unsigned i = 0; i < ds->count; i++)
        expire(ds->fifos[i], clock_now.msec);
    next = earliest(ds);
    if (next == INT64_MAX)
        ds->timer_at = INT64_MAX;
    else
        arm(ds, next);
}

int deadlines_create(struct deadlines **out, struct loop *loop)
{
    struct deadlines *ds = calloc(1, sizeof *ds);

    if (!ds)
        return -ENOMEM;
    ds->timer = loop_timer(loop, on_timer, ds);
    if (!ds->timer) {
        free(ds);
        return -ENOMEM;
    }
    ds->timer_at = INT64_MAX;
    *out = ds;
    return 0;
}

void deadlines_destroy(struct deadlines *ds)
{
    if (!ds)
        return;
    timer_destroy(ds->timer);
    for (unsigned i = 0; i < ds->count; i++) {
        list_each (&ds->fifos[i]->deadlines, node, next)
            list_remove(node);
        free(ds->fifos[i]);
    }
    free(ds);
}

void deadline_init(struct deadline *d, deadline_fn *expired)
{
    list_init(&d->node);
    d->at = 0;
    d->expired = expired;
}

static struct fifo *fifo_create(struct deadlines *ds, int64_t length)
{
    struct fifo *fifo;

    if (ds->count == FIFOS_MOST)
        return NULL;
    fifo = malloc(sizeof *fifo);
    if (!fifo)
        return NULL;
    fifo->length = length;
    list_init(&fifo->deadlines);
    ds->fifos[ds->count++] = fifo;
    return fifo;
}

/* No FIFO of this length and none to be had: an empty one is given the length; else the nearest
 * longer one delays the deadline, which is better than losing it; else the longest. */
static struct fifo *fifo_instead(struct deadlines *ds, int64_t length)
{
    struct fifo *longer = NULL, *longest = NULL;

    for (unsigned i = 0; i < ds->count; i++) {
        struct fifo *f = ds->fifos[i];

        if (list_empty(&f->deadlines)) {
            f->length = length;
            return f;
        }
        if (f->length > length && (!longer || f->length < longer->length))
            longer = f;
        if (!longest || f->length > longest->length)
            longest = f;
    }
    return longer ? longer : longest;
}

static struct fifo *fifo_of(struct deadlines *ds, int64_t msec)
{
    int64_t length = (msec + STEP_MSEC - 1) / STEP_MSEC * STEP_MSEC;
    struct fifo *fifo;

    for (unsigned i = 0; i < ds->count; i++) {
        if (ds->fifos[i]->length == length)
            return ds->fifos[i];
    }
    fifo = fifo_create(ds, length);
    return fifo ? fifo : fifo_instead(ds, length);
}

void deadline_set(struct deadlines *ds, struct deadline *d, int64_t msec)
{
    const int64_t most = INT64_MAX / 4;
    struct fifo *fifo;

    if (msec < 1)
        msec = 1;
    if (msec > most)
        msec = most;
    list_remove(&d->node);
    d->at = clock_now.msec + msec;
    fifo = fifo_of(ds, msec);
    if (!fifo)
        return; /* no memory for the very first FIFO: nothing in this process will work */
    list_append(&fifo->deadlines, &d->node);
    if (d->at < ds->timer_at)
        arm(ds, d->at);
}

void deadline_clear(struct deadline *d)
{
    list_remove(&d->node);
}
