/* connection_read.c - the receiving half of a connection: heads into requests, bodies thrown away.
 * RFC 9112, sections 2 to 7. */
#include "http/h1/connection_private.h"

#include "base/clock.h"
#include "http/core/route.h"
#include "http/h1/request_head.h"
#include "http/handle/steps.h"
#include "http/respond/respond.h"
#include "http/tls/check.h"
#include "net/proxy_protocol.h"
#include "net/tls/tls.h"

#include <errno.h>

enum {
    FRAMING_MOST = 64 * 1024 /* chunk heads and trailers of one request body */
};

/* ---- receiving ---- */

/* More bytes into c->in, which has room. 1: got some; 0: nothing now; -1: no more will come (or
 * broken). */
static int receive(struct connection *c)
{
    struct input *in = c->in;
    size_t room = in->spare.cap - in->len;
    ssize_t n = transport_recv(&c->transport, in->data + in->len, room);

    if (n > 0) {
        in->len += (size_t)n;
        /* Fewer than asked for: drained, and the edge for more is still to come. The end of the
         * stream is not announced again, so go on after a hang-up. */
        c->readable = (size_t)n == room || c->hung_up || c->transport.pending;
        c->unsure = !c->readable;
        return 1;
    }
    c->readable = c->unsure = false;
    if (n == -EAGAIN)
        return 0;
    if (n == -EPROTO)
        connection_log_trouble(c, "SSL_read");
    c->hung_up = true;
    return -1;
}

/* Before waiting for the rest of something. A reset is not announced as a hang-up, and if it came
 * with the last bytes, it is not announced again: who then waits, waits for the timeout. */
static bool may_receive(const struct connection *c)
{
    return c->readable || c->unsure;
}

/* Nothing is left of the input: no buffer between requests. */
void connection_release_input(struct connection *c)
{
    if (c->in && c->in->at == c->in->len) {
        input_give(c->worker, c->in);
        c->in = NULL;
    }
}

/* What is left in c->in moves to a new buffer of at least `cap` bytes; returns the old one. NULL:
 * no memory. */
static struct input *replace_input(struct connection *c, size_t cap)
{
    struct input *old = c->in;
    size_t left = old->len - old->at;
    struct input *in = input_take(c->worker, cap > left ? cap : left);
    if (!in)
        return NULL;
    memcpy(in->data, old->data + old->at, left);
    in->len = left;
    c->in = in;
    return old;
}

/* Room behind an incomplete head. 0, or the status that says it is too large. */
static int grow_input(struct connection *c)
{
    const struct http_conf *h = c->client.address->dflt->base.http;
    size_t large = (size_t)h->large_client_header_buffers.size;
    size_t most = large * (size_t)h->large_client_header_buffers.number;
    struct input *in = c->in;
    size_t head = in->len - in->at, line = head - c->scan.line_start;

    if (line > 0 && in->data[in->len - 1] == '\r') /* the line's end, as far as it has come */
        line--;
    if (line > large || head >= most)
        return c->scan.lines == 0 ? 414 : 431;
    if (in->len < in->spare.cap)
        return 0;
    if (in->at > 0) { /* answered requests lie before it */
        memmove(in->data, in->data + in->at, head);
        in->at = 0;
        in->len = head;
        return 0;
    }
    size_t cap = in->spare.cap < large ? large + 1 : 2 * in->spare.cap;
    struct input *old = replace_input(c, cap < most ? cap : most + 1);
    if (!old)
        return 500;
    input_give(c->worker, old);
    return 0;
}

/* ---- from bytes to a request ---- */

static struct request *begin_request(struct connection *c)
{
    struct request *r = request_create(c->worker, &c->carrier, &c->client);
    if (!r)
        return NULL;
    c->request = r;
    c->reply = (struct reply){0};
    route_begin(r);
    r->ordinal = ++c->requests;
    r->pipelined = c->pipelined;
    r->start_msec = c->head_msec;
    return r;
}

/* A request of whose head only a part came, or is understood. */
static struct request *begin_partly(struct connection *c)
{
    struct request *r = begin_request(c);

    if (r && c->in && c->in->at < c->in->len)
        r->received = request_take_known(r, (struct text){c->in->data + c->in->at, c->in->len - c->in->at});
    return r;
}

bool connection_take_partial(struct connection *c)
{
    bool partial = !c->request && !(c->awaited & OPENING_PROXY) && c->in && c->in->at < c->in->len;

    return partial && begin_partly(c);
}

/* The client went away before its head was complete. */
static enum next give_up_head(struct connection *c)
{
    if (connection_take_partial(c)) {
        connection_fail(c, 400);
        request_log_doing(c->request, LEVEL_INFO, 0, connection_reading_what(c),
                          "client prematurely closed connection");
    }
    return connection_gone(c, "the client closed");
}

/* A request that could not be understood, answered with `status`; then the connection ends. */
enum next connection_refuse(struct connection *c, int status)
{
    struct request *r = c->request ? c->request : begin_partly(c);
    if (!r)
        return connection_no_memory(c);
    c->reply.close = c->reply.lingers = true;
    respond_refusal(r, status);
    connection_become(c, CONN_HANDLING);
    return NEXT_STEP;
}

/* A complete head lies at c->in->at. */
static enum next take_head(struct connection *c)
{
    struct input *in = c->in;
    size_t len = c->scan.at;
    struct request *r = begin_request(c);
    if (!r)
        return connection_no_memory(c);
    r->received = len;
    c->head_timed = c->idle_timed = false;
    int status = request_take_head(r, &c->framing, (struct text){in->data + in->at, len}, c->scan.odd_names);
    if (status == 0 && c->client.address->tls)
        status = tls_check(r);
    if (status != 0)
        return connection_refuse(c, status);
    in->at += len;
    c->scan = (struct scan){0};
    r->awaits_body = has_body(&r->msg, &c->framing);
    connection_become(c, CONN_HANDLING);
    return NEXT_STEP;
}

/* ---- request bodies: read and thrown away before the request is handled ---- */

/* For the next bytes, and for all of them: what is thrown away is what lingering_time is about. The
 * end is set once, so that the many lengths of what is left of it make no FIFOs. */
static void set_body_deadline(struct connection *c)
{
    int64_t timeout = c->request->location->http->client_body_timeout;
    int64_t left = c->lingering_end - clock_now.msec;

    if (timeout < left)
        connection_set_deadline(c, timeout);
    else if (c->deadline.at != c->lingering_end)
        connection_set_deadline(c, left);
}

static enum next begin_body(struct connection *c)
{
    struct request *r = c->request;

    r->awaits_body = false;
    /* The head must stay where it is; the body goes through a buffer of its own. */
    c->head = replace_input(c, (size_t)r->location->http->client_header_buffer_size);
    c->body = arena_alloc(&r->arena, sizeof *c->body);
    if (!c->head || !c->body || body_begin(c->body, &r->msg, &c->framing, &r->arena) < 0)
        return connection_refuse(c, 500);
    if (c->framing.expect_continue && c->in->len == 0 && !connection_queue(c, TEXT("HTTP/1.1 100 Continue\r\n\r\n")))
        return connection_refuse(c, 500);
    connection_become(c, CONN_BODY);
    c->lingering_end = clock_now.msec + r->location->http->lingering_time;
    set_body_deadline(c);
    return NEXT_STEP;
}

/* The body takes too long. What it is answered with does not depend on it; the rest is for the
 * lingering close. */
static enum next leave_body(struct connection *c)
{
    struct request *r = c->request;

    request_log(r, LEVEL_INFO, 0, "client sends its body for longer than lingering_time");
    c->reply.close = true;
    c->reply.lingers = true;
    connection_become(c, CONN_HANDLING);
    return NEXT_STEP;
}

/* Whoever is refused for asking too much may not hold the connection with a body; and nobody reads
 * what 444 says. */
static void end_before_body(struct connection *c)
{
    struct request *r = c->request;
    bool limited = r->limits.req == LIMIT_REJECTED || r->limits.conn == LIMIT_REJECTED;

    if (!limited && !r->silent)
        return;
    r->awaits_body = false;
    c->reply.close = true;
    c->reply.lingers = true;
}

/* How long a body may be, the location says; and it is read under that location's limits, so that
 * many slow ones count as many. */
enum next connection_find_limits(struct connection *c)
{
    struct request *r = c->request;

    while (r->awaits_body && r->step <= STEP_LIMIT) {
        if (!steps_one(r))
            return connection_push(c) ? NEXT_WAIT : connection_gone(c, "the client went away");
        end_before_body(c);
    }
    return r->awaits_body ? begin_body(c) : NEXT_STEP; /* refused: a response is on its way already */
}

/* The client went away before its body was complete. */
static enum next give_up_body(struct connection *c)
{
    connection_push(c); /* what it asked for before */
    connection_fail(c, 400);
    request_log_doing(c->request, LEVEL_INFO, 0, connection_reading_what(c), "client prematurely closed connection");
    return connection_gone(c, "the client closed while it sent a body");
}

enum next connection_read_body(struct connection *c)
{
    struct request *r = c->request;
    struct input *in = c->in;

    for (unsigned reads = 0;; reads++) {
        ssize_t n = body_take(c->body, in->data + in->at, in->len - in->at);
        if (n < 0)
            return connection_refuse(c, 400);
        in->at += (size_t)n;
        r->received += (uint64_t)n;
        int64_t most = r->location->http->client_max_body_size;
        if ((most > 0 && c->body->seen > (uint64_t)most) || c->body->framing > FRAMING_MOST)
            return connection_refuse(c, 413);
        if (c->body->done) {
            connection_become(c, CONN_HANDLING);
            return NEXT_STEP;
        }
        if (in->at == in->len)
            in->at = in->len = 0;
        if (in->len == in->spare.cap)
            return connection_refuse(c, 400); /* a chunk head that fills the whole buffer */
        if (clock_now.msec >= c->lingering_end)
            return leave_body(c);
        if (!may_receive(c))
            return connection_push(c) ? NEXT_WAIT : connection_gone(c, "the client went away");
        if (reads == TURN_READS)
            return connection_yield(c);
        int got = receive(c);
        if (got < 0)
            return give_up_body(c);
        if (got > 0)
            set_body_deadline(c);
    }
}

/* ---- the next head ---- */

/* Malformed from its first byte: a client that means TLS gets a line that says so. */
static enum next refuse_bytes(struct connection *c)
{
    struct input *in = c->in;

    if (c->requests == 0 && c->scan.lines == 0 && tls_begins((unsigned char)in->data[in->at]))
        client_log(&c->client, LEVEL_INFO, 0, "reading client request line",
                   "client sent a TLS handshake to an address without \"ssl\"");
    return connection_refuse(c, 400);
}

/* The head of the first request, and what is before it, has client_header_timeout once, from when
 * the connection came: as in nginx. A worker that drains gave it less for the time without a
 * request. */
static bool first_is_timed(const struct connection *c)
{
    return c->requests == 0 && deadline_is_set(&c->deadline) && !c->all->draining;
}

/* Nothing more to read now: whatever gathered goes out, and the clock starts. */
enum next connection_wait_for_head(struct connection *c)
{
    const struct http_conf *h = c->client.address->dflt->base.http;
    enum next next = connection_flush(c);

    if (next != NEXT_STEP)
        return next;
    connection_release_input(c);
    if (c->in || (c->awaited & OPENING_PROXY)) {
        if (!c->head_timed && !first_is_timed(c)) /* for the whole head, not for each read */
            connection_set_deadline(c, h->client_header_timeout);
        c->head_timed = true;
        connection_become(c, CONN_READING);
        return NEXT_WAIT;
    }
    connection_become(c, CONN_IDLE);
    c->head_timed = false;
    if (c->idle_timed) /* empty lines are no request, and buy no time */
        return NEXT_WAIT;
    c->idle_timed = true;
    if (first_is_timed(c))
        return NEXT_WAIT;
    int64_t timeout = connection_idle_timeout(c);
    if (c->all->draining && timeout > connection_drain_grace(c))
        timeout = connection_drain_grace(c);
    connection_set_deadline(c, timeout);
    return NEXT_WAIT;
}

/* Looks for a head in what is there; receives if it must. */
enum next connection_read_head(struct connection *c)
{
    for (;;) {
        struct input *in = c->in;
        if (c->awaited && in && in->at < in->len) {
            enum next next = connection_take_opening(c);
            if (next != NEXT_STEP || c->state == CONN_HANDSHAKE)
                return next;
        }
        if (in && !c->awaited)
            in->at += parse_skip_empty(&c->scan, in->data + in->at, in->len - in->at);
        if (in && in->at < in->len && !c->awaited) {
            enum scan_result seen = parse_scan(&c->scan, in->data + in->at, in->len - in->at);
            if (seen == SCAN_COMPLETE)
                return take_head(c);
            if (seen == SCAN_BAD)
                return refuse_bytes(c);
            int status = grow_input(c);
            if (status != 0)
                return connection_refuse(c, status);
            in = c->in;
        }
        bool partly = in && in->at < in->len;
        if (partly ? !may_receive(c) : !c->readable)
            return connection_wait_for_head(c);
        if (!in) {
            size_t size = (size_t)c->client.address->dflt->base.http->client_header_buffer_size;
            c->in = input_take(c->worker,
                               (c->awaited & OPENING_PROXY) && size < PROXY_PROTOCOL_MOST ? PROXY_PROTOCOL_MOST : size);
            if (!c->in)
                return connection_no_memory(c);
            c->head_msec = clock_now.msec;
        } else if (in->at == in->len) {
            in->at = in->len = 0;
        }
        if (receive(c) < 0) {
            enum next next = connection_flush(c); /* what it asked for before it closed */
            return next == NEXT_STEP ? give_up_head(c) : next;
        }
    }
}
