/* connection_linger.c - closing gently: what still comes is read and thrown away, and what the
 * kernel still holds for the client has an owner until the client has it. RFC 9112, 9.6. */
#include "http/h1/connection_private.h"

#include "base/clock.h"
#include "http/worker/worker.h"
#include "net/socket.h"

#include <errno.h>

enum {
    LINGER_READ = 4096,
    SENT_LEAST = 64 * 1024, /* of a connection that sent less it is not asked what the kernel holds */
    HELD_LEAST = 4096,      /* bytes that the kernel does not give up when memory is short: below its SOCK_MIN_SNDBUF */
    HELD_LOOK_MSEC = 1000   /* at least so often it is asked whether the client has them: nothing else tells */
};

/* Much of what was sent is still with the kernel. A socket that is closed then has nobody to
 * account for it, and the kernel resets it when TCP's memory is used up or there are too many of
 * its kind (tcp(7), tcp_mem and tcp_max_orphans): the client, reading all the time, would lose the
 * end. */
static bool holds_much(struct connection *c)
{
    if (c->sink.sent < SENT_LEAST)
        return false;
    size_t held = socket_held(c->transport.fd) + transport_unsent(&c->transport);
    c->in_kernel = held > HELD_LEAST ? held : 0;
    return c->in_kernel > 0;
}

static void linger_wait(struct connection *c)
{
    int64_t left = c->lingering_end - clock_now.msec;
    int64_t most = c->linger->lingering_timeout;

    if (c->in_kernel > 0)
        most = connection_look_msec(c->linger->send_timeout, HELD_LOOK_MSEC);

    connection_set_deadline(c, left < most ? left : most);
}

static void linger(struct connection *c)
{
    const struct http_conf *h = connection_conf(c);

    transport_finish(&c->transport);
    connection_become(c, CONN_LINGERING);
    c->linger = h;
    c->lingering_end = clock_now.msec + (c->in_kernel > 0 ? h->send_timeout : h->lingering_time);
    connection_drop_request(c);
    if (c->in) {
        input_give(c->worker, c->in);
        c->in = NULL;
    }
    linger_wait(c);
}

/* The same while it lingers: as long as the client takes some of it, its time begins anew. */
static bool still_holds_much(struct connection *c)
{
    size_t before = c->in_kernel;

    if (!holds_much(c))
        return false;
    if (c->in_kernel < before)
        c->lingering_end = connection_acked_msec(c) + c->linger->send_timeout;
    return true;
}

/* Whether the time is up. It is not while the client still takes what the kernel holds for it, nor
 * when it has just got the last of it and may be sending. */
static bool is_over(struct connection *c)
{
    if (c->in_kernel == 0)
        return true;
    if (!still_holds_much(c)) {
        if (!c->may_send)
            return true;
        c->lingering_end = clock_now.msec + c->linger->lingering_time;
    }
    if (c->lingering_end > clock_now.msec)
        return false;
    client_log(&c->client, LEVEL_INFO, ETIMEDOUT, "sending response to client", "client timed out");
    return true;
}

bool connection_linger_overdue(struct connection *c)
{
    if (is_over(c))
        return true;
    linger_wait(c);
    return false;
}

bool connection_linger_for_held(struct connection *c)
{
    if (connection_conf(c)->lingering_close == LINGERING_OFF || !holds_much(c))
        return false;
    c->may_send = true;
    linger(c);
    return true;
}

/* Reads and throws away. A client that sends no more may still read: an event tells when it has
 * all, or is gone. Who sends faster than it is read never lets it come to a wait: its time is over
 * all the same. */
enum next connection_linger_on(struct connection *c)
{
    char scratch[LINGER_READ];

    for (unsigned reads = 0; c->readable && reads < TURN_READS; reads++) {
        ssize_t n = transport_recv(&c->transport, scratch, sizeof scratch);
        bool ended = n <= 0 && n != -EAGAIN;
        if (ended && (n < 0 || c->in_kernel == 0 || !still_holds_much(c)))
            return connection_gone(c, "lingering is over");
        c->may_send &= !ended;
        if (n <= 0)
            c->readable = false;
    }
    if (c->lingering_end <= clock_now.msec && is_over(c))
        return connection_gone(c, "lingering_time");
    if (c->readable)
        return connection_yield(c);
    linger_wait(c);
    return NEXT_WAIT;
}

/* The last response is out. A client that wanted to go on may have sent its next request already;
 * closing with that unread would reset the connection, and take from the client what it has not
 * read yet. So may closing with much unsent. */
enum next connection_end(struct connection *c)
{
    const struct request *r = c->request;
    const struct http_conf *h = connection_conf(c);
    bool held = h->lingering_close != LINGERING_OFF && holds_much(c);

    c->may_send =
        (r && (c->reply.lingers || c->framing.keep_alive)) || (c->in && c->in->at < c->in->len) || c->readable;
    if (held || h->lingering_close == LINGERING_ALWAYS || (h->lingering_close == LINGERING_ON && c->may_send)) {
        linger(c);
        return NEXT_STEP;
    }
    return connection_gone(c, "done");
}
