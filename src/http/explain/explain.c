/* explain.c - takes one request through the rooms of a worker of its own, as a carrier that sends
 * nothing. Called by server/explain/explain.c; explain_words.c puts the steps into words. */
#include "http/explain/explain.h"

#include "base/clock.h"
#include "http/core/route.h"
#include "http/explain/explain_private.h"
#include "http/h1/connection.h"
#include "http/h1/head.h"
#include "http/h1/request_head.h"
#include "http/handle/file_response.h"
#include "http/handle/steps.h"
#include "http/respond/respond.h"
#include "http/syntax/uri.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

/* ---- the carrier ---- */

/* walk() looks for itself whether the request can go on. */
static void resume(struct request *r)
{
    (void)r;
}

static int no_address(const struct request *r, struct address *out)
{
    (void)r, (void)out;
    return -ENOTCONN;
}

static struct text field(struct request *r, struct text name)
{
    struct explain *e = container_of(r->carrier, struct explain, carrier);

    return head_field(r, &e->reply, name);
}

static int no_tcp_info(const struct request *r, struct tcp_info *out)
{
    (void)r, (void)out;
    return -ENOTCONN;
}

static const struct carrier_ops carrier_ops = {
    .resume = resume, .local = no_address, .field = field, .tcp_info = no_tcp_info};

static void on_nothing(void *arg)
{
    (void)arg;
}

static int start_worker(struct explain *e)
{
    const struct worker_options options = {
        .loop = e->loop,
        .io = e->options->io,
        .aio_requests = e->options->aio_requests,
        .request_size = REQUEST_SPACE,
    };
    int rc = worker_init(&e->worker, &options);
    if (rc == 0 && e->options->admission)
        io_share_admission(e->worker.io, e->options->admission);
    return rc;
}

/* This machine's own address of the family that is listened on. */
static void set_local_peer(union peer *peer, sa_family_t family)
{
    memset(peer, 0, sizeof *peer);
    peer->any.sa_family = family;
    if (family == AF_INET)
        peer->in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else if (family == AF_INET6)
        peer->in6.sin6_addr = in6addr_loopback;
}

static void make_client(struct explain *e)
{
    struct client *c = &e->client;

    *c = (struct client){.address = e->options->address, .number = 1};
    c->scheme = c->address->tls && !e->options->plain ? &scheme_https : &scheme_http;
    c->plain_on_tls = c->address->tls && e->options->plain;
    c->since_msec = clock_now.msec;
    if (e->options->client.any.sa_family != AF_UNSPEC)
        peer_set(&c->peer, &e->options->client);
    else
        set_local_peer(&c->peer, c->address->address.any.sa_family);
}

/* ---- the head ---- */

/* 0, the status that it is refused with, or -errno. */
static int take_head(struct explain *e)
{
    struct request *r = e->request;
    struct text head = e->options->head;
    struct scan scan = {0};

    head = text_from(head, parse_skip_empty(&scan, head.at, head.len));
    r->msg.line = (struct text){head.at, text_find(head, '\r')};
    switch (parse_scan(&scan, head.at, head.len)) {
    case SCAN_BAD:
        return 400;
    case SCAN_MORE:
        return -EINVAL;
    case SCAN_COMPLETE:
        break;
    }
    r->received = scan.at;
    int status = request_take_head(r, &e->framing, (struct text){head.at, scan.at}, scan.odd_names);
    return status == 0 && e->client.plain_on_tls ? 497 : status;
}

static int read_head(struct explain *e)
{
    struct request *r = e->request = request_create(&e->worker, &e->carrier, &e->client);
    if (!r)
        return -ENOMEM;
    route_begin(r);
    r->ordinal = 1;
    r->start_msec = clock_now.msec;
    int status = take_head(e);
    e->is_http2 = explain_as_http2(e);
    e->carrier.takes_files = !e->options->address->tls && !e->is_http2;
    e->reply.close = status > 0;
    if (status > 0)
        respond_refusal(r, status);
    return status < 0 ? status : 0;
}

/* No step was taken, unless error_page leads somewhere. */
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
    if (!path || uri_normalise(uri.path, r->client->address->dflt->base.http->merge_slashes, path, &len) != 0)
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

static void take_step(struct explain *e)
{
    struct request *r = e->request;

    while (!steps_one(r)) {
        do
            take_turn(e);
        while (r->lookup.open);
    }
}

static void walk(struct explain *e)
{
    struct request *r = e->request;

    while (r->step != STEP_READY) {
        struct moment before = explain_moment(r);
        do
            take_step(e);
        while (r->step == STEP_FIELDS); /* of what the step before decided */
        explain_step(e, &before);
    }
}

static void on_ready(void *arg)
{
    struct explain *e = arg;
    e->ready = true;
}

/* Some filesystems take O_DIRECT at open and refuse the first read: only a read tells which method
 * it will be. */
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
    struct request *r = e->request;

    if (r->silent)
        return 0;
    char *bytes = reply_begin(&e->reply, r, &e->framing) == 0 ? arena_alloc(&r->arena, head_bound(r)) : NULL;
    if (!bytes)
        return -ENOMEM;
    r->head_len = head_compose(r, &e->reply, bytes);
    if (e->is_http2)
        explain_http2_head((struct text){bytes, r->head_len}, head);
    else
        buffer_add(head, bytes, r->head_len);
    if (response_open_body(r, OUTPUT_SIZE - r->head_len) < 0 || head->failed)
        return -ENOMEM;
    return 0;
}

static int tell(struct explain *e, struct buffer *head)
{
    while (e->request->step == STEP_FIELDS)
        take_step(e);
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
    e.carrier.ops = &carrier_ops;
    int rc = loop_create(&e.loop);
    if (rc < 0)
        return rc;
    loop_at_turn_end(e.loop, &e.turn_end);
    make_client(&e);
    rc = start_worker(&e);
    if (rc == 0)
        rc = read_head(&e);
    if (rc == 0)
        rc = tell(&e, head);
    deferred_clear(&e.turn_end);
    if (e.request) {
        steps_abandon(e.request);
        request_destroy(e.request);
    }
    worker_fini(&e.worker);
    loop_destroy(e.loop);
    return rc;
}
