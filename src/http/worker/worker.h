/* worker.h - what one worker process has for its requests: facilities and pools, no connections.
 * Made and ended by service.c; all of it belongs to the thread of the loop.
 * https://nginx.org/en/docs/ngx_core_module.html#worker_processes */
#ifndef HTTP_WORKER_WORKER_H
#define HTTP_WORKER_WORKER_H

#include "file/cache.h"
#include "http/worker/bulk.h"
#include "http/worker/scoreboard.h"
#include "io/io.h"
#include "net/deadline.h"
#include "net/loop.h"

#include <stddef.h>

struct auth;          /* auth.h */
struct certificates;  /* certificate.h */
struct listing_jobs;  /* listing_job.h */
struct layout_jobs;   /* layout_job.h */
struct h2_worker;     /* of the connections of HTTP/2 */
struct content_cache; /* content_cache.h */

/* What a pooled piece of memory begins with while nobody uses it. */
struct spare {
    struct spare *next; /* in the pool */
    size_t cap;         /* bytes behind its head */
};

/* Pieces of the usual size, kept for their next user. */
struct spares {
    struct spare *first;
    unsigned count;
    size_t usual; /* cap of those that are kept */
};

enum { SPARES_MOST = 256 /* pieces of a size kept for the next ones */ };

/* The slow halves of those below: the heap's. */
void *spare_alloc(size_t head, size_t cap);
void spare_free(struct spare *b);

/* `head` bytes and `cap` more, not zeroed; NULL: no memory. */
static inline void *spare_take(struct spares *pool, size_t head, size_t cap)
{
    struct spare *b = pool->first;

    if (!b || cap != pool->usual)
        return spare_alloc(head, cap);
    pool->first = b->next;
    pool->count--;
    return b;
}

/* One that is not of the usual size goes back to the heap. */
static inline void spare_give(struct spares *pool, struct spare *b)
{
    if (b->cap != pool->usual || pool->count >= SPARES_MOST) {
        spare_free(b);
        return;
    }
    b->next = pool->first;
    pool->first = b;
    pool->count++;
}

/* What a room keeps for the requests of a worker, made when the first one needs it. Embedded. */
struct worker_part {
    struct worker_part *next;
    void (*end)(struct worker_part *p); /* no thread of the worker's io runs any more; frees it */
};

struct worker {
    struct loop *loop;
    struct io *io;
    struct file_cache *cache;
    struct deadlines *deadlines;
    struct scoreboard *scoreboard; /* or NULL */
    struct counters own, *counters;
    struct bulk bulk;
    struct auth *auth;                   /* NULL: nobody has asked for a password yet */
    struct h2_worker *h2;                /* NULL: nobody has come with HTTP/2 yet */
    struct certificates *certificates;   /* the same for certificates with variables in their names */
    struct listing_jobs *listings;       /* the same for listings */
    struct layout_jobs *layouts;         /* for image layouts */
    struct content_cache *content_cache; /* and for content that was changed */
    struct worker_part *parts;           /* ended with the worker, the newest first */
    struct spares inputs, outputs, requests;
};

struct worker_options {
    struct loop *loop;
    const struct io_main_conf *io;
    unsigned aio_requests;         /* worker_aio_requests */
    unsigned connections;          /* worker_connections */
    struct scoreboard *scoreboard; /* NULL: counts for itself */
    struct counters *counters;     /* of this worker, there; NULL: counts for itself */
    size_t input_size;             /* usual client_header_buffer_size */
    size_t output_size;            /* bytes of a usual output buffer */
    size_t request_size;           /* bytes of a usual request, its arena included */
};

/* `w` is zeroed. 0 or -errno, with worker_fini() legal in both cases. */
int worker_init(struct worker *w, const struct worker_options *options);
void worker_fini(struct worker *w); /* its parts too; no request is left */

/* From now on `p` is one of them. */
static inline void worker_keep(struct worker *w, struct worker_part *p, void (*end)(struct worker_part *p))
{
    *p = (struct worker_part){w->parts, end};
    w->parts = p;
}

/* What all workers count; this one alone where there is no scoreboard. */
void worker_sum(const struct worker *w, struct counters *total);

#endif
