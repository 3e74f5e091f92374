/* bufpool.c - read buffers cut from huge pages, a cap, and a line of those for whom nothing is
 * left.
 *
 * Somebody waiting is served before anybody who already holds a buffer; and holders of spare ones
 * (read ahead for a client that stopped taking) are asked to give them back, so that no client can
 * keep the others waiting for more than its one buffer. */
#include "io/bufpool.h"

#include "buddy.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { SLABS_KEPT = 4 }; /* unused ones, against mapping and faulting the same memory again and again */

struct slab {
    struct list node;
    struct buddy buddy;
};

struct bufpool {
    struct list slabs, waiters, holders;
    size_t cap, lent;
    unsigned unused; /* slabs */
    uint64_t *gauge; /* of `lent`, or NULL */
};

int bufpool_create(struct bufpool **out, size_t cap)
{
    struct bufpool *p = calloc(1, sizeof *p);
    if (!p)
        return -ENOMEM;
    list_init(&p->slabs);
    list_init(&p->waiters);
    list_init(&p->holders);
    p->cap = cap;
    *out = p;
    return 0;
}

static void slab_close(struct slab *s)
{
    list_remove(&s->node);
    buddy_close(&s->buddy);
    free(s);
}

void bufpool_destroy(struct bufpool *p)
{
    if (!p)
        return;
    list_each (&p->slabs, node, next) {
        slab_close(container_of(node, struct slab, node));
    }
    free(p);
}

static unsigned order_of(size_t size)
{
    unsigned order = 0;

    while (((size_t)BUDDY_PAGE << order) < size)
        order++;
    return order;
}

/* What a buffer of `size` counts: what it takes up. 0: absurdly large. */
static size_t charge(size_t size)
{
    if (size <= BUDDY_SIZE)
        return (size_t)BUDDY_PAGE << order_of(size);
    return size > SIZE_MAX / 2 ? 0 : (size + BUDDY_SIZE - 1) & ~((size_t)BUDDY_SIZE - 1);
}

static void *take_piece(struct bufpool *p, unsigned order)
{
    list_each (&p->slabs, node, next) {
        struct slab *s = container_of(node, struct slab, node);
        bool was_unused = buddy_is_whole(&s->buddy);
        void *piece = buddy_take(&s->buddy, order);
        if (!piece)
            continue;
        p->unused -= was_unused;
        return piece;
    }

    struct slab *s = malloc(sizeof *s);
    if (!s)
        return NULL;
    if (buddy_open(&s->buddy) < 0) {
        free(s);
        return NULL;
    }
    list_append(&p->slabs, &s->node);
    return buddy_take(&s->buddy, order);
}

static void *take_large(size_t size)
{
    void *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (area == MAP_FAILED)
        return NULL;
    (void)madvise(area, size, MADV_HUGEPAGE);
    return area;
}

static void *take(struct bufpool *p, size_t size)
{
    size_t bytes = charge(size);

    if (bytes == 0 || (p->lent > 0 && (bytes > p->cap || p->lent > p->cap - bytes)))
        return NULL;
    void *buffer = bytes <= BUDDY_SIZE ? take_piece(p, order_of(size)) : take_large(bytes);
    if (buffer && p->gauge)
        *p->gauge += bytes;
    if (buffer)
        p->lent += bytes;
    return buffer;
}

void *bufpool_take(struct bufpool *p, size_t size)
{
    return list_empty(&p->waiters) ? take(p, size) : NULL;
}

static void serve(struct bufpool *p)
{
    while (!list_empty(&p->waiters)) {
        struct bufpool_waiter *w = container_of(p->waiters.next, struct bufpool_waiter, node);
        void *buffer = take(p, w->size);
        if (!buffer && p->lent > 0)
            return; /* what is lent will come back */
        list_remove(&w->node);
        w->available(w, buffer);
    }
}

static void give_piece(struct bufpool *p, char *piece, unsigned order)
{
    list_each (&p->slabs, node, next) {
        struct slab *s = container_of(node, struct slab, node);
        if (piece < s->buddy.base || piece >= s->buddy.base + BUDDY_SIZE)
            continue;
        buddy_give(&s->buddy, piece, order);
        if (!buddy_is_whole(&s->buddy))
            return;
        if (p->unused >= SLABS_KEPT)
            slab_close(s);
        else
            p->unused++;
        return;
    }
}

void bufpool_give(struct bufpool *p, void *buffer, size_t size)
{
    size_t bytes = charge(size);

    if (bytes <= BUDDY_SIZE)
        give_piece(p, buffer, order_of(size));
    else
        munmap(buffer, bytes);
    p->lent -= bytes;
    if (p->gauge)
        *p->gauge -= bytes;
    serve(p);
}

void bufpool_wait(struct bufpool *p, struct bufpool_waiter *w, size_t size)
{
    w->size = size;
    list_append(&p->waiters, &w->node);
    while (!list_empty(&w->node) && !list_empty(&p->holders)) {
        struct bufpool_holder *h = container_of(p->holders.next, struct bufpool_holder, node);
        list_remove(&h->node);
        h->reclaim(h);
    }
}

void bufpool_unwait(struct bufpool_waiter *w)
{
    list_remove(&w->node);
}

void bufpool_hold(struct bufpool *p, struct bufpool_holder *h)
{
    if (!list_empty(&p->waiters))
        h->reclaim(h);
    else if (list_empty(&h->node))
        list_append(&p->holders, &h->node);
}

void bufpool_unhold(struct bufpool_holder *h)
{
    list_remove(&h->node);
}

void bufpool_set_gauge(struct bufpool *p, uint64_t *lent)
{
    p->gauge = lent;
}

size_t bufpool_lent(const struct bufpool *p)
{
    return p->lent;
}

bool bufpool_is_crowded(const struct bufpool *p)
{
    return p->lent > p->cap / 4;
}

bool bufpool_is_short(const struct bufpool *p)
{
    return !list_empty(&p->waiters);
}
