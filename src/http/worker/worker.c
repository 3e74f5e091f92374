/* worker.c - start and end of a worker's facilities, and its pools. See worker.h. */
#include "http/worker/worker.h"

#include <stdlib.h>
#include <sys/resource.h>

/* ---- pools ---- */

void *spare_alloc(size_t head, size_t cap)
{
    struct spare *b = malloc(head + cap);

    if (b)
        b->cap = cap;
    return b;
}

void spare_free(struct spare *b)
{
    free(b);
}

static void spares_free(struct spares *pool)
{
    while (pool->first) {
        struct spare *next = pool->first->next;
        free(pool->first);
        pool->first = next;
    }
}

/* ---- start and end ---- */

/* What descriptors are left for open_file_cache beside those of connections, logs and files that are
 * read from: a cache that takes all of them would leave none to serve anything else by. */
static size_t files_most(unsigned connections)
{
    enum { OTHERS = 64, SHARE_LEAST = 4 };
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return SIZE_MAX;
    size_t all = (size_t)limit.rlim_cur, taken = (size_t)connections + OTHERS, least = all / SHARE_LEAST;
    return all > taken + least ? all - taken : least;
}

int worker_init(struct worker *w, const struct worker_options *o)
{
    w->loop = o->loop;
    w->scoreboard = o->scoreboard;
    w->counters = o->counters ? o->counters : &w->own;
    tls_count_in(&w->counters->tls);
    w->inputs.usual = o->input_size;
    w->outputs.usual = o->output_size;
    w->requests.usual = o->request_size;
    bulk_init(&w->bulk, o->loop);
    int rc = deadlines_create(&w->deadlines, o->loop);
    if (rc == 0)
        rc = io_start(&w->io, o->loop, o->io, o->aio_requests);
    if (rc == 0)
        io_share(w->io, &w->counters->io, o->scoreboard ? scoreboard_io(o->scoreboard) : NULL);
    if (rc == 0 && o->scoreboard)
        io_share_admission(w->io, scoreboard_admission(o->scoreboard));
    if (rc == 0)
        rc = file_cache_create(&w->cache, io_pool(w->io, TEXT_NONE));
    if (rc == 0) {
        file_cache_share(w->cache, &w->counters->cache);
        file_cache_bound(w->cache, files_most(o->connections));
    }
    return rc;
}

void worker_fini(struct worker *w)
{
    tls_count_in(NULL);
    if (w->io) /* first: opens that nobody waits for any more still answer to the cache */
        io_stop(w->io);
    if (w->cache)
        file_cache_destroy(w->cache);
    while (w->parts) {
        struct worker_part *p = w->parts;
        w->parts = p->next;
        p->end(p);
    }
    if (w->deadlines)
        deadlines_destroy(w->deadlines);
    spares_free(&w->inputs);
    spares_free(&w->outputs);
    spares_free(&w->requests);
}

void worker_sum(const struct worker *w, struct counters *total)
{
    if (w->scoreboard)
        scoreboard_sum(w->scoreboard, total);
    else
        *total = *w->counters;
}
