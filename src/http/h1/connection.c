/* connection.c - the life of a connection: read a head, have it handled, send the response, again.
 * See connection.h.
 *
 * Events are edge-triggered and registered once, when the connection has to wait for the first time:
 * one that brings its request at once and ends after the response costs epoll nothing. Whatever
 * happens, on_event() or one of its kin notes it and calls run(), which takes one step after another
 * until it must wait or the connection is gone.
 *
 * Deadlines are set when a wait begins and not cleared when it ends: on_deadline() looks at the
 * state, so that a request costs one pointer move. */
#include "http/h1/connection.h"

#include "base/clock.h"
#include "http/h1/connection_private.h"
#include "http/h1/head.h"
#include "http/handle/steps.h"
#include "http/log/account.h"
#include "http/tls/certificate.h"
#include "net/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    TURN_REQUESTS = 64, /* pipelined requests answered before others get their turn */
    TURN_MSEC = 50      /* a deadline that passes while a connection waits for its turn is looked at again */
};

const struct http_conf *connection_conf(const struct connection *c)
{
    if (c->request && c->request->location)
        return c->request->location->http;
    return c->client.address->dflt->base.http;
}

static const char *state_name(enum connection_state state)
{
    static const char *const names[] = {"handshake", "idle",    "reading",   "body",
                                        "handling",  "sending", "lingering", "closed"};
    return names[state];
}

void connection_become(struct connection *c, enum connection_state state)
{
    uint64_t *states = c->worker->counters->states;

    states[c->state]--;
    states[state]++;
    c->state = state;
}

void connection_set_deadline(struct connection *c, int64_t msec)
{
    deadline_set(c->worker->deadlines, &c->deadline, msec);
}

/* ---- the end of a request and of a connection ---- */

void connection_drop_request(struct connection *c)
{
    struct request *r = c->request;
    if (!r)
        return;
    if (c->head)
        input_give(c->worker, c->head);
    c->head = NULL;
    c->request = NULL;
    steps_abandon(r);
    request_destroy(r);
}

/* What was copied of the body and is still behind its head in c->out was not sent. */
static void take_back(struct connection *c)
{
    struct sink_body *body = &c->request->out.file;
    size_t unsent = c->out ? c->out->len - c->out->sent : 0;

    if (body->copied > 0)
        body->sent -= unsent < body->copied ? unsent : body->copied;
}

void connection_close(struct connection *c, const char *why)
{
    struct connections *all = c->all;

    if (log_wants(log_main, LEVEL_DEBUG))
        log_write(log_main, LEVEL_DEBUG, c->client.number, 0, "close in state %s: %s", state_name(c->state), why);
    /* Every request has its line. One without a response has nginx's statuses for those that went
     * away: 400 for who did not send all of it, 499 for who did not wait. */
    bool clean = !c->request || c->request->complete;
    if (!clean)
        c->request->out.file.sent += c->transport.untold;
    if (c->request) {
        take_back(c);
        account_cut(c->request, c->state == CONN_BODY ? 400 : 499);
    }
    connection_drop_request(c);
    if (c->in)
        input_give(c->worker, c->in);
    if (c->out)
        output_give(c->worker, c->out);
    deadline_clear(&c->deadline);
    deferred_clear(&c->next_turn);
    if (c->certificates)
        certificate_leave(c->certificates);
    watch_destroy(c->watch);
    transport_close(&c->transport, clean);
    list_remove(&c->member.node);
    free(c->client.proxy);
    c->worker->counters->states[c->state]--;
    c->state = CONN_CLOSED;
    free(c);
    all->count--;
    all->gone(all->arg);
}

enum next connection_hand_over(struct connection *c)
{
    struct connections *all = c->all;
    const struct handover h = {
        .transport = &c->transport,
        .client = &c->client,
        .watch = c->watch,
        .bytes = c->in ? text_span(c->in->data + c->in->at, c->in->data + c->in->len) : TEXT_NONE,
        .hung_up = c->hung_up,
    };

    deadline_clear(&c->deadline);
    deferred_clear(&c->next_turn);
    list_remove(&c->member.node);
    c->worker->counters->states[c->state]--;
    all->http2(all, &h);
    if (c->in)
        input_give(c->worker, c->in);
    free(c);
    return NEXT_GONE;
}

enum next connection_gone(struct connection *c, const char *why)
{
    connection_close(c, why);
    return NEXT_GONE;
}

void connection_fail(struct connection *c, int status)
{
    struct request *r = c->request;

    if (r && (r->step != STEP_READY || c->state == CONN_BODY)) /* `return` answers only when the body has come */
        r->out.status = status;
}

static enum next gone_without(struct connection *c, int error)
{
    log_write(log_main, LEVEL_CRIT, c->client.number, error, "a connection is closed");
    connection_fail(c, 500);
    return connection_gone(c, "no memory");
}

enum next connection_no_memory(struct connection *c)
{
    return gone_without(c, ENOMEM);
}

/* ---- one step after another ---- */

static enum next handle(struct connection *c)
{
    struct request *r = c->request;

    if (r->awaits_body)
        return connection_find_limits(c);
    if (r->step != STEP_READY && !steps_run(r))
        return connection_push(c) ? NEXT_WAIT : connection_gone(c, "the client went away");
    return connection_begin_response(c);
}

enum next connection_yield(struct connection *c)
{
    if (!connection_push(c))
        return connection_gone(c, "the client went away");
    loop_defer(c->worker->loop, &c->next_turn);
    return NEXT_WAIT;
}

/* May close the connection: touch nothing of it afterwards. */
static enum next run(struct connection *c)
{
    unsigned heads = 0;
    enum next next = NEXT_STEP;

    deferred_clear(&c->next_turn); /* this is it */
    while (next == NEXT_STEP) {
        switch (c->state) {
        case CONN_HANDSHAKE:
            next = connection_handshake(c);
            break;
        case CONN_IDLE:
        case CONN_READING:
            next = heads++ < TURN_REQUESTS ? connection_read_head(c) : connection_yield(c);
            break;
        case CONN_BODY:
            next = connection_read_body(c);
            break;
        case CONN_HANDLING:
            next = handle(c);
            break;
        case CONN_SENDING:
            next = connection_send(c);
            break;
        case CONN_LINGERING:
            next = connection_linger_on(c);
            break;
        case CONN_CLOSED:
            return NEXT_GONE;
        }
    }
    return next;
}

/* ---- what happens to it ---- */

/* While it waits for anything but the client, nobody reads or writes, and a reset would be found at
 * the next byte only. A client that has ended its sending is still there for the response. */
static bool has_left(struct connection *c, unsigned what)
{
    return (what & LOOP_READ) && (c->state == CONN_HANDLING || c->state == CONN_SENDING) &&
           !transport_attend(&c->transport);
}

/* Bytes that waited in the transport go out; false: the socket is broken. */
static bool flush_transport(struct connection *c)
{
    int rc = transport_flush(&c->transport);

    if (rc == 0 && c->transport.pending)
        c->readable = true;
    return rc == 0 || rc == -EAGAIN;
}

static void on_event(void *arg, unsigned what)
{
    struct connection *c = arg;

    if (what & LOOP_CLOSED)
        c->hung_up = true;
    if (what & (LOOP_READ | LOOP_CLOSED))
        c->readable = true;
    bool unblocked = (what & LOOP_WRITE) && !c->writable;
    if (what & LOOP_WRITE)
        c->writable = true;

    if (has_left(c, what) || ((what & LOOP_WRITE) && c->transport.holds && !flush_transport(c)))
        connection_close(c, "the client went away");
    else if (unblocked && c->out && (c->state == CONN_HANDLING || c->state == CONN_BODY) && !connection_push(c))
        connection_close(c, "the client went away");
    else if (c->state == CONN_SENDING ? unblocked
                                      : c->state != CONN_HANDLING && (c->readable || c->state == CONN_HANDSHAKE))
        run(c);
}

/* Also the first one: begin(). What has happened since the connection was accepted is told once it
 * is watched. */
static void on_next_turn(void *arg)
{
    struct connection *c = arg;

    if (run(c) != NEXT_WAIT || c->watch)
        return;
    c->watch = watch_create(c->worker->loop, c->transport.fd, LOOP_READ | LOOP_WRITE | LOOP_CLOSED, true, on_event, c);
    if (!c->watch)
        gone_without(c, errno); /* ENOSPC: fs.epoll.max_user_watches */
}

/* What the client has sent is read without being announced: mostly it is there by now. */
static void begin(struct connection *c)
{
    c->readable = true;
    if (c->client.address->tls && !(c->awaited & OPENING_PROXY))
        connection_await_handshake(c);
    else
        connection_wait_for_head(c);
    loop_defer(c->worker->loop, &c->next_turn);
}

/* ---- as a carrier ---- */

static void resume(struct request *r)
{
    run(connection_of(r));
}

static int local_address(const struct request *r, struct address *out)
{
    return socket_local(connection_of(r)->transport.fd, out);
}

static struct text field(struct request *r, struct text name)
{
    return head_field(r, &connection_of(r)->reply, name);
}

static int tcp_info(const struct request *r, struct tcp_info *out)
{
    return socket_tcp_info(connection_of(r)->transport.fd, out);
}

static const struct carrier_ops carrier_ops = {
    .resume = resume, .local = local_address, .field = field, .tcp_info = tcp_info};

/* Closes the connection. */
static void time_out(struct connection *c, const char *why)
{
    if (connection_conf(c)->reset_timedout_connection)
        socket_reset_on_close(c->transport.fd);
    connection_close(c, why);
}

const char *connection_reading_what(const struct connection *c)
{
    if (c->state == CONN_BODY)
        return "reading client request body";
    return c->scan.lines == 0 ? "reading client request line" : "reading client request headers";
}

/* 408, RFC 9110, 15.5.9: the client may still hear it. May close the connection. */
static void request_timeout(struct connection *c)
{
    if (c->awaited & OPENING_PROXY) { /* no client yet that could be answered */
        client_log(&c->client, LEVEL_INFO, ETIMEDOUT, "reading PROXY protocol", "client timed out");
        connection_close(c, "the PROXY protocol header did not come in time");
        return;
    }
    connection_take_partial(c);
    if (c->request)
        request_log_doing(c->request, LEVEL_INFO, ETIMEDOUT, connection_reading_what(c), "client timed out");
    if (connection_conf(c)->reset_timedout_connection) {
        connection_fail(c, 408);
        time_out(c, "the request did not come in time");
        return;
    }
    if (connection_refuse(c, 408) == NEXT_STEP)
        run(c);
}

/* Between requests the server is the one that ends the wait: no line, as in nginx. May close the
 * connection. */
static void idle_timeout(struct connection *c)
{
    if (connection_linger_for_held(c))
        return;
    if (c->requests == 0 && !c->all->draining)
        client_log(&c->client, LEVEL_INFO, ETIMEDOUT, "waiting for request", "client timed out");
    connection_close(c, "idle for too long");
}

/* May close the connection. */
static void send_timeout(struct connection *c)
{
    const char *why = c->writable ? NULL : connection_send_overdue(c);

    if (why)
        time_out(c, why);
}

static void on_deadline(struct deadline *d)
{
    struct connection *c = container_of(d, struct connection, deadline);

    if (!list_empty(&c->next_turn.node) || (c->request && !list_empty(&c->request->turn.node))) {
        connection_set_deadline(c, TURN_MSEC); /* it only waits for its turn */
        return;
    }
    switch (c->state) {
    case CONN_HANDSHAKE:
        connection_handshake_timeout(c);
        return;
    case CONN_IDLE:
        idle_timeout(c);
        return;
    case CONN_BODY:
        if (clock_now.msec >= c->lingering_end)
            run(c);
        else
            request_timeout(c);
        return;
    case CONN_READING:
        request_timeout(c);
        return;
    case CONN_SENDING:
        send_timeout(c);
        return;
    case CONN_LINGERING:
        if (connection_linger_overdue(c))
            connection_close(c, "lingering_timeout");
        return;
    case CONN_HANDLING:
    case CONN_CLOSED:
        return; /* left over from a wait that ended */
    }
}

/* Also one whose PROXY protocol header is still to come, to which it is CONN_READING. */
static bool awaits_all(const struct connection *c)
{
    return c->state == CONN_IDLE || ((c->awaited & OPENING_PROXY) && !c->in);
}

static struct connection *connection_of_member(const struct member *m)
{
    return container_of(m, struct connection, member);
}

static bool is_idle(const struct member *m)
{
    const struct connection *c = connection_of_member(m);

    return (awaits_all(c) || c->state == CONN_HANDSHAKE) && !c->readable && !socket_has_input(c->transport.fd);
}

/* Its deadline was set when it became idle. */
static int64_t idle_since(const struct member *m)
{
    const struct connection *c = connection_of_member(m);

    return c->deadline.at - connection_idle_timeout(c);
}

int64_t connection_idle_timeout(const struct connection *c)
{
    return c->requests > 0 ? c->keepalive_msec : c->client.address->dflt->base.http->client_header_timeout;
}

int64_t connection_drain_grace(const struct connection *c)
{
    return c->keepalive_min_msec > DRAIN_GRACE ? c->keepalive_min_msec : DRAIN_GRACE;
}

static void close_member(struct member *m, const char *why)
{
    connection_close(connection_of_member(m), why);
}

static void stop(struct member *m)
{
    struct connection *c = connection_of_member(m);

    connection_fail(c, 503);
    connection_close(c, "the worker stops");
}

/* An idle connection closes, unless a request comes within seconds; others after their response. */
static void drain(struct member *m)
{
    struct connection *c = connection_of_member(m);
    int64_t grace = connection_drain_grace(c);
    if (awaits_all(c) && connection_idle_timeout(c) > grace)
        connection_set_deadline(c, grace);
}

static const struct member_ops member_ops = {
    .is_idle = is_idle, .idle_since = idle_since, .close = close_member, .stop = stop, .drain = drain};

static void refuse(int fd)
{
    log_write(log_main, LEVEL_CRIT, 0, ENOMEM, "a new connection is closed");
    close(fd);
}

/* On an address for TLS it is told by what the handshake agrees on. */
static unsigned char opening_of(const struct connections *all, const struct http_address *address)
{
    bool http2 = all->http2 && !address->tls && (address->http2 || address->dflt->base.http->http2);

    return (unsigned char)((address->proxy_protocol ? OPENING_PROXY : 0) | (http2 ? OPENING_HTTP2 : 0));
}

void connection_open(struct connections *all, const struct http_address *address, int fd, const struct address *peer)
{
    struct connection *c = calloc(1, sizeof *c);
    if (!c) {
        refuse(fd);
        return;
    }
    c->all = all;
    c->worker = all->worker;
    c->client.address = address;
    c->carrier.ops = &carrier_ops;
    transport_plain(&c->transport, fd);
    c->sink.transport = &c->transport;
    c->carrier.takes_files = transport_takes_files(&c->transport);
    c->client.number = ++all->numbered;
    c->client.since_msec = clock_now.msec;
    c->state = CONN_IDLE;
    c->writable = true;
    c->nodelay = true;
    c->awaited = opening_of(all, address);
    c->client.scheme = &scheme_http;
    peer_set(&c->client.peer, peer);
    deadline_init(&c->deadline, on_deadline);
    deferred_init(&c->next_turn, on_next_turn, c);
    c->member.ops = &member_ops;
    c->member.client = &c->client;
    list_append(&all->list, &c->member.node);
    all->count++;
    c->worker->counters->handled++;
    c->worker->counters->states[CONN_IDLE]++;
    begin(c);
}
