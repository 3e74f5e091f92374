/* bulk.c - the line of large responses and its rounds. See bulk.h. */
#include "http/worker/bulk.h"

enum {
    /* Bytes of a round. Alone: large calls cost a third less than small ones, and 2 MiB are copied
     * in 0.4 ms. Beside small answers it is as many bytes as those had, within bounds. `make bench
     * BENCH=hotset` and BENCH=streams measured it. */
    ROUND_ALONE = 2 << 20,
    ROUND_MOST = 512 * 1024,
    CRUMB = 64 * 1024,      /* less is not worth a call: it is saved up */
    SMALL_LEAST = 16 * 1024 /* what a small answer counts for at least: it costs about as much as these bytes */
};

static void serve(struct bulk *b)
{
    b->serving = true;
    while (b->left >= CRUMB && !list_empty(&b->line)) {
        struct deferred *next = container_of(b->line.next, struct deferred, node);
        deferred_clear(next); /* it is its turn: who has more to send goes to the end */
        b->now = next;
        next->fn(next->arg);
    }
    b->now = NULL;
    b->serving = false;
}

static void on_round(void *arg)
{
    struct bulk *b = arg;

    if (b->small == 0)
        b->left = ROUND_ALONE;
    else
        b->left += b->small < ROUND_MOST ? b->small : ROUND_MOST;
    b->small = 0;
    serve(b);
    if (!list_empty(&b->line))
        loop_defer(b->loop, &b->round);
    else
        b->left = 0;
}

void bulk_init(struct bulk *b, struct loop *loop)
{
    list_init(&b->line);
    deferred_init(&b->round, on_round, b);
    b->loop = loop;
}

void bulk_queue(struct bulk *b, struct deferred *turn)
{
    if (!list_empty(&turn->node))
        return;
    list_append(&b->line, &turn->node);
    if (!b->serving)
        loop_defer(b->loop, &b->round);
}

uint64_t bulk_share(struct bulk *b, struct deferred *turn)
{
    if (b->now != turn) {
        bulk_queue(b, turn);
        return 0;
    }
    b->now = NULL;
    return b->left;
}

void bulk_used(struct bulk *b, uint64_t n)
{
    b->left -= n < b->left ? n : b->left;
}

void bulk_small_sent(struct bulk *b, uint64_t n)
{
    b->small += n > SMALL_LEAST ? n : SMALL_LEAST;
}
