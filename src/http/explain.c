/* explain.c - takes one request through the rooms of a service that listens nowhere, on a connection that leads nowhere.
 * Called by server/explain.c; explain_words.c puts the steps into words.
 *
 * The connection is in state CONN_CLOSED as soon as its head is read: callbacks may resume it, and it will not move by itself. */
#include "http/explain.h"

#include "base/clock.h"
#include "http/connection_steps.h"
#include "http/explain_words.h"
#include "http/static.h"
#include "http/uri.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

/* ---- a service and a connection ---- */

static int start_service(struct explain *e)
{
    const struct explain_options *o = e->options;
    unsigned count = o->http->address_count;
    int *fds = calloc(count + 1, sizeof *fds);
    if (!fds)
        return -ENOMEM;
    for (unsigned i = 0; i < count; i++)
        fds[i] = -1;
    const struct service_options options = {
        .loop = e->loop,
        .http = o->http,
        .io = o->io,
        .fds = fds,
        .connections = 1,
        .aio_requests = o->aio_requests,
    };
    int rc = service_start(&e->service, &options);
    free(fds);
    return rc;
}

static void on_deadline(struct deadline *d)
{
    (void)d; /* nobody is late */
}

static void on_nothing(void *arg)
{
    (void)arg;
}

/* The service owns it and closes it. */
static int open_connection(struct explain *e)
{
    struct connection *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    c->service = e->service;
    c->address = e->options->address;
    c->sink.fd = -1;
    c->number = ++e->service->next_number;
    c->start_msec = c->head_msec = clock_now.msec;
    c->peer.in4.sin_family = AF_INET;
    c->peer.in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (e->options->client.any.sa_family == AF_UNIX)
        c->peer.any.sa_family = AF_UNIX;
    else if (e->options->client.any.sa_family != AF_UNSPEC)
        memcpy(&c->peer, &e->options->client.in6, sizeof c->peer);
    deadline_init(&c->deadline, on_deadline);
    deferred_init(&c->next_turn, on_nothing, c);
    list_append(&e->service->connections, &c->node);
    e->service->count++;
    e->service->counters->states[c->state]++;
    e->conn = c;
    return 0;
}

/* ---- the head ---- */

/* As if it came in pieces of what the buffers take: these grow to their limits, and no further. */
static int read_head(struct explain *e)
{
    struct connection *c = e->conn;
    struct text left = e->options->head;
    enum next next = NEXT_WAIT;

    c->in = service_input(e->service, (size_t)c->address->dflt->base.http->client_header_buffer_size);
    while (next == NEXT_WAIT && left.len > 0 && c->in) {
        struct input *in = c->in;
        size_t room = in->spare.cap - in->len, n = left.len < room ? left.len : room;
        memcpy(in->data + in->len, left.at, n);
        in->len += n;
        left = text_from(left, n);
        next = connection_read_head(c);
    }
    if (next == NEXT_GONE)
        return -ENOMEM;
    if (next == NEXT_WAIT || !c->request)
        return c->in ? -EINVAL : -ENOMEM;
    connection_become(c, CONN_CLOSED);
    e->request = c->request;
    return 0;
}

/* The way has not begun, unless error_page leads somewhere. */
static bool was_refused(const struct request *r)
{
    return r->step == STEP_READY;
}

/* r->uri, unless error_page has already led elsewhere. */
static struct text first_uri(struct request *r)
{
    struct uri uri;
    size_t len = 0;

    if (r->redirects == 0 || uri_split(r->msg.target, &uri) != 0)
        return r->uri;
    char *path = arena_alloc(&r->arena, uri.path.len + 1);
    if (!path || uri_normalise(uri.path, r->conn->address->dflt->base.http->merge_slashes, path, &len) != 0)
        return r->uri;
    return (struct text){path, len};
}

/* ---- step by step ---- */

static void on_turn_end(void *arg)
{
    struct explain *e = arg;
    loop_stop(e->loop);
}

/* One turn of the loop: until something has happened. */
static void take_turn(struct explain *e)
{
    loop_run(e->loop);
}

/* One turn without waiting, at whose end what was prepared outside of the loop is submitted. */
static void take_turn_now(struct explain *e)
{
    loop_defer(e->loop, &e->nothing);
    loop_run(e->loop);
}

static void walk(struct explain *e)
{
    struct request *r = e->request;

    while (r->step != STEP_READY) {
        struct moment before = explain_moment(r);
        while (!static_step(r)) {
            do
                take_turn(e);
            while (r->lookup.open);
        }
        explain_step(e, &before);
    }
}

static void on_ready(void *arg)
{
    struct explain *e = arg;
    e->ready = true;
}

/* Some filesystems take O_DIRECT at open and refuse the first read: only a read tells which method it will be. */
static void read_first(struct explain *e)
{
    enum { SOME = 4096 };
    struct response *o = &e->request->out;
    struct source *s = o->file.source;
    bool parts = o->status == 206 && !o->content_range.at;
    struct chunk chunk;

    if (!s || s->method != IO_DIRECT)
        return;
    s->ready = on_ready;
    s->arg = e;
    for (int i = parts ? 0 : 1; i < 2; i++) { /* the first of the parts is text */
        enum pull answer;
        e->ready = false;
        while ((answer = s->ops->pull(s, SOME, &chunk)) == PULL_WAIT_DISK) {
            take_turn_now(e);
            while (!e->ready)
                take_turn(e);
            e->ready = false;
        }
        if (answer == PULL_FAILED)
            e->read_error = s->error;
        if (answer != PULL_READY)
            return;
        s->ops->consumed(s, chunk.len);
    }
}

/* Up to where the first byte would be sent. */
static int begin_response(struct explain *e, struct buffer *head)
{
    struct connection *c = e->conn;

    if (e->request->silent)
        return 0;
    if (connection_begin_response(c) != NEXT_STEP)
        return -ENOMEM;
    connection_become(c, CONN_CLOSED);
    buffer_add(head, c->out->data, e->request->head_len);
    return head->failed ? -ENOMEM : 0;
}

static int tell(struct explain *e, struct buffer *head)
{
    e->refused = was_refused(e->request);
    e->uri = first_uri(e->request);
    explain_opening(e);
    if (!e->refused)
        walk(e);
    int rc = begin_response(e, head);
    if (rc < 0)
        return rc;
    read_first(e);
    explain_outcome(e);
    return 0;
}

int explain_request(const struct explain_options *options, struct buffer *head)
{
    struct explain e = {.options = options};

    deferred_init(&e.turn_end, on_turn_end, &e);
    deferred_init(&e.nothing, on_nothing, &e);
    int rc = loop_create(&e.loop);
    if (rc < 0)
        return rc;
    loop_at_turn_end(e.loop, &e.turn_end);
    rc = start_service(&e);
    if (rc == 0)
        rc = open_connection(&e);
    if (rc == 0)
        rc = read_head(&e);
    if (rc == 0)
        rc = tell(&e, head);
    deferred_clear(&e.turn_end);
    service_destroy(e.service);
    loop_destroy(e.loop);
    return rc;
}
