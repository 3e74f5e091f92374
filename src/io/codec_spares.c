/* codec_spares.c - contexts of codecs that wait for their next user. See codec_spares.h and
 * filter.h.
 *
 * A context of deflate is about 270 KiB, which the allocator takes from the kernel and gives back
 * each time, with all the faults and zeroing of pages that this brings: about 50 us a response. */
#include "codec_spares.h"

#include "base/clock.h"
#include "io/filter.h"

#include <errno.h>
#include <stdlib.h>

enum { KEPT_MOST = CODEC_SPARES_MOST };

struct codec_spares {
    struct list kept; /* the one used last comes first */
    unsigned count;
    struct timer *idle;
    int64_t idle_msec;
    bool timed;
};

static void drop(struct codec_spares *spares, struct codec_spare *s)
{
    list_remove(&s->node);
    spares->count--;
    s->end(s);
}

static struct codec_spare *oldest(const struct codec_spares *spares)
{
    return list_empty(&spares->kept) ? NULL : container_of(spares->kept.prev, struct codec_spare, node);
}

static void on_idle(void *arg)
{
    struct codec_spares *spares = arg;
    struct codec_spare *s;

    spares->timed = false;
    while ((s = oldest(spares)) && clock_now.msec - s->since_msec >= spares->idle_msec)
        drop(spares, s);
    if (!s)
        return;
    spares->timed = true;
    timer_set(spares->idle, s->since_msec + spares->idle_msec - clock_now.msec);
}

struct codec_spare *codec_spares_take(struct codec_spares *spares, unsigned kind)
{
    if (!spares)
        return NULL;
    list_each (&spares->kept, node, next) {
        struct codec_spare *s = container_of(node, struct codec_spare, node);
        if (s->kind != kind)
            continue;
        list_remove(&s->node);
        spares->count--;
        return s;
    }
    return NULL;
}

void codec_spares_give(struct codec_spares *spares, struct codec_spare *s)
{
    if (!spares) {
        s->end(s);
        return;
    }
    if (spares->count == KEPT_MOST)
        drop(spares, oldest(spares));
    s->since_msec = clock_now.msec;
    list_prepend(&spares->kept, &s->node);
    spares->count++;
    if (spares->timed)
        return;
    spares->timed = true;
    timer_set(spares->idle, spares->idle_msec);
}

unsigned codec_spares_count(const struct codec_spares *spares)
{
    return spares->count;
}

int codec_spares_create(struct codec_spares **out, struct loop *loop, int64_t idle_msec)
{
    struct codec_spares *spares = calloc(1, sizeof *spares);
    if (!spares)
        return -ENOMEM;
    list_init(&spares->kept);
    spares->idle_msec = idle_msec;
    spares->idle = loop_timer(loop, on_idle, spares);
    if (!spares->idle) {
        free(spares);
        return -ENOMEM;
    }
    *out = spares;
    return 0;
}

void codec_spares_destroy(struct codec_spares *spares)
{
    if (!spares)
        return;
    while (oldest(spares))
        drop(spares, oldest(spares));
    timer_destroy(spares->idle);
    free(spares);
}
