/* connection_wait.c - waiting for a client to take what is sent: send_timeout, and when it is time
 * to look at send_min_rate.
 *
 * The kernel tells of room only when a third of its buffer is free, which a slow client may need
 * minutes for. So it is asked from time to time what the client has acknowledged, and the time that
 * a client may take nothing counts from when it last took something. */
#include "http/h1/connection_private.h"

#include "base/clock.h"
#include "http/limit/min_rate.h"
#include "net/socket.h"

#include <errno.h>
#include <netinet/tcp.h>

enum {
    LOOKS = 16, /* during a timeout */
    LOOK_LEAST = 50,
    LOOK_MOST = 5000
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t connection_look_msec(int64_t timeout, int64_t most)
{
    int64_t look = timeout / LOOKS;

    return look < LOOK_LEAST ? LOOK_LEAST : least(look, most);
}

/* No earlier than the client took the last of what it has: answers to probes of its full window
 * count, too. Not known of what is no TCP. */
int64_t connection_acked_msec(const struct connection *c)
{
    struct tcp_info info;

    return socket_tcp_info(c->transport.fd, &info) < 0 ? clock_now.msec : clock_now.msec - info.tcpi_last_ack_recv;
}

/* What the client has acknowledged of all that was ever sent on the connection. */
static uint64_t taken(const struct connection *c)
{
    uint64_t unsent = transport_unsent(&c->transport) + socket_unsent(c->transport.fd);

    return unsent < c->sink.sent ? c->sink.sent - unsent : 0;
}

bool connection_is_too_slow(struct connection *c)
{
    if (!min_rate_is_missed(c->request, taken(c)))
        return false;
    socket_reset_on_close(c->transport.fd); /* or what it would not take stays in the kernel's memory */
    return true;
}

static void look(struct connection *c)
{
    uint64_t before = c->taken;

    c->taken = taken(c);
    if (c->taken <= before)
        return;
    int64_t acked = connection_acked_msec(c);
    if (acked > c->taken_msec)
        c->taken_msec = acked;
}

static void wait_on(struct connection *c)
{
    const struct min_rate *m = c->request ? c->request->location->min_rate : NULL;
    int64_t timeout = connection_conf(c)->send_timeout, left = c->taken_msec + timeout - clock_now.msec;

    connection_set_deadline(c, least(left, connection_look_msec(m ? least(timeout, m->msec) : timeout, LOOK_MOST)));
}

enum next connection_wait_to_send(struct connection *c)
{
    c->writable = false;
    connection_become(c, CONN_SENDING);
    if (c->sink.sent != c->waited_sent || c->taken_msec == 0) { /* the kernel has taken some since the last wait */
        c->waited_sent = c->sink.sent;
        c->taken_msec = clock_now.msec;
        c->taken = taken(c);
    } else {
        look(c);
    }
    if (c->request && c->request->location->min_rate)
        min_rate_wait(c->request, c->taken);
    wait_on(c);
    return NEXT_WAIT;
}

static void log_timeout(struct connection *c)
{
    static const char doing[] = "sending response to client", what[] = "client timed out";

    if (c->request)
        request_log_doing(c->request, LEVEL_INFO, ETIMEDOUT, doing, what);
    else
        client_log(&c->client, LEVEL_INFO, ETIMEDOUT, doing, what);
}

const char *connection_send_overdue(struct connection *c)
{
    look(c);
    if (clock_now.msec - c->taken_msec >= connection_conf(c)->send_timeout) {
        log_timeout(c);
        return "send_timeout";
    }
    if (c->request && c->request->slowness.blocked_msec != 0 && connection_is_too_slow(c))
        return "send_min_rate";
    wait_on(c);
    return NULL;
}
