/* run.c - starts the HTTP service on the sockets of one worker, and ends it: at once, or when it
 * has drained. */
#include "server/process/run.h"

#include "base/log.h"
#include "http/service.h"

#include <errno.h>
#include <stdlib.h>

struct run {
    struct loop *loop;
    struct cycle *cycle;
    struct service *service; /* NULL: there is no http { } */
    struct timer *limit;     /* worker_shutdown_timeout */
    struct deferred unlisten, over;
    loop_fn *drained;
    void *arg;
};

/* The sockets that are this worker's, in the form that the service takes: the first of an address,
 * and further ones. */
struct hand {
    int *fds;
    int *extra_fds;
    unsigned *extra_address;
    unsigned extra_count;
};

static void hand_free(struct hand *h)
{
    free(h->fds);
    free(h->extra_fds);
    free(h->extra_address);
}

static int hand_fill(struct hand *h, const struct cycle *c, unsigned worker)
{
    const struct sockets *s = &c->sockets;
    unsigned addresses = c->http->address_count;

    h->extra_count = 0;
    h->fds = calloc(addresses + 1, sizeof *h->fds);
    h->extra_fds = calloc(s->count + 1, sizeof *h->extra_fds);
    h->extra_address = calloc(s->count + 1, sizeof *h->extra_address);
    if (!h->fds || !h->extra_fds || !h->extra_address)
        return -ENOMEM;
    for (unsigned i = 0; i < addresses; i++)
        h->fds[i] = -1;
    for (unsigned i = 0; i < s->count; i++) {
        const struct bound *b = &s->at[i];

        if (b->worker != worker && b->worker != SOCKET_SHARED)
            continue;
        if (h->fds[b->index] < 0) {
            h->fds[b->index] = b->fd;
            continue;
        }
        h->extra_fds[h->extra_count] = b->fd;
        h->extra_address[h->extra_count++] = b->index;
    }
    return 0;
}

static int start_service(struct run *s, const struct run_options *start)
{
    const struct cycle *c = s->cycle;
    struct hand hand;
    int rc = hand_fill(&hand, c, start->worker);

    if (rc == 0) {
        const struct service_options options = {
            .loop = s->loop,
            .http = c->http,
            .io = c->io,
            .fds = hand.fds,
            .extra_count = hand.extra_count,
            .extra_fds = hand.extra_fds,
            .extra_address = hand.extra_address,
            .connections = (unsigned)c->events->connections,
            .aio_requests = (unsigned)c->events->aio_requests,
            .multi_accept = c->events->multi_accept,
            .scoreboard = start->scoreboard,
            .counters = start->counters,
        };

        rc = service_start(&s->service, &options);
    }
    hand_free(&hand);
    return rc;
}

static void on_over(void *arg)
{
    struct run *s = arg;

    timer_clear(s->limit);
    s->drained(s->arg); /* may free s */
}

static void on_drained(void *arg)
{
    struct run *s = arg;

    loop_defer(s->loop, &s->over);
}

static void on_limit(void *arg)
{
    struct run *s = arg;

    log_notice(0, "worker_shutdown_timeout is over, %u connections are closed",
               s->service ? service_connections(s->service) : 0);
    loop_defer(s->loop, &s->over);
}

/* While this process holds them open, clients would still be queued on sockets that nobody accepts
 * from. */
static void on_unlisten(void *arg)
{
    struct run *s = arg;

    sockets_close(&s->cycle->sockets, false);
}

int run_start(struct run **out, struct loop *loop, const struct run_options *start)
{
    struct run *s = calloc(1, sizeof *s);
    int rc = -ENOMEM;

    if (s) {
        s->loop = loop;
        s->cycle = start->cycle;
        deferred_init(&s->unlisten, on_unlisten, s);
        deferred_init(&s->over, on_over, s);
        s->limit = loop_timer(loop, on_limit, s);
        rc = !s->limit ? -ENOMEM : start->cycle->http ? start_service(s, start) : 0;
    }
    if (rc < 0) {
        log_emerg(rc, "the worker could not start serving");
        run_destroy(s);
        return rc;
    }
    *out = s;
    return 0;
}

void run_drain(struct run *s, loop_fn *drained, void *arg)
{
    s->drained = drained;
    s->arg = arg;
    loop_defer(s->loop, &s->unlisten);
    if (!s->service) {
        loop_defer(s->loop, &s->over);
        return;
    }
    service_drain(s->service, on_drained, s);
}

void run_limit(struct run *s)
{
    int64_t most = s->cycle->main->shutdown_timeout;

    if (most > 0 && s->service)
        timer_set(s->limit, most);
}

void run_destroy(struct run *s)
{
    if (!s)
        return;
    deferred_clear(&s->unlisten);
    deferred_clear(&s->over);
    timer_destroy(s->limit);
    if (s->service)
        service_destroy(s->service);
    free(s);
}
