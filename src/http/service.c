/* service.c - HTTP in one worker: acceptors, room for new connections, start and end. See
 * service.h. */
#include "http/service.h"

#include "base/clock.h"
#include "http/h1/connection.h"
#include "http/h2/h2.h"
#include "http/worker/worker.h"
#include "net/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ROOM_MOST = 32,   /* idle connections closed at a time where a new one needs room */
    ROOM_MSEC = 100,  /* after a search that found fewer, do not search again for this long:
                         a search looks at each connection */
    YOUNG_MSEC = 1000 /* connections younger than this are not closed to make room */
};

/* A worker with what it accepts. */
struct service {
    struct worker worker;
    struct acceptor **acceptors;
    struct accepting *accepting;
    unsigned acceptor_count;
    struct connections connections; /* while they are full, nothing is accepted */
    unsigned most;                  /* connections */
    struct deadline room;           /* while they are full: idle ones are looked for again */
    int64_t no_room_until;          /* clock_now.msec; too few were idle to look for them before that */
    int64_t made_room_sec;          /* clock_now; when it was last said that idle connections make room */
    int64_t full_sec;               /* the same: that there is no room */
    loop_fn *drained;
    void *drained_arg;
};

/* One listening descriptor. */
struct accepting {
    struct service *service;
    const struct http_address *address;
};

/* ---- accepting ---- */

static void set_accepting(struct service *s, bool on)
{
    s->connections.full = !on;
    for (unsigned i = 0; i < s->acceptor_count; i++)
        if (on)
            acceptor_resume(s->acceptors[i]);
        else
            acceptor_pause(s->acceptors[i]);
}

/* The address that the client came to, where one of several on the same socket. */
static const struct http_address *address_of(const struct http_address *socket, int fd)
{
    struct address local;

    if (socket->inside_count == 0 || socket_local(fd, &local) < 0)
        return socket;
    for (unsigned i = 0; i < socket->inside_count; i++)
        if (address_equal(&socket->inside[i].address, &local))
            return &socket->inside[i];
    return socket;
}

/* Idle connections, longest idle first. */
struct idle {
    struct member *at[ROOM_MOST];
    unsigned count, most;
};

static void idle_add(struct idle *idle, struct member *m)
{
    unsigned i = idle->count;
    int64_t since = m->ops->idle_since(m);

    if (i == idle->most && idle->at[i - 1]->ops->idle_since(idle->at[i - 1]) <= since)
        return;
    if (!m->ops->is_idle(m))
        return;
    for (i -= i == idle->most; i > 0 && idle->at[i - 1]->ops->idle_since(idle->at[i - 1]) > since; i--)
        idle->at[i] = idle->at[i - 1];
    idle->at[i] = m;
    idle->count += idle->count < idle->most;
}

/* As in nginx: so that nobody keeps others out by connecting alone. Only those that came before
 * `until`, and not `newest`. */
static void close_idle(struct service *s, int64_t until, const struct member *newest)
{
    struct idle idle = {.most = s->connections.count / 8 < 1           ? 1
                                : s->connections.count / 8 < ROOM_MOST ? s->connections.count / 8
                                                                       : ROOM_MOST};

    list_each (&s->connections.list, node, tmp) {
        struct member *m = container_of(node, struct member, node);
        if (m != newest && m->client->since_msec <= until)
            idle_add(&idle, m);
    }
    if (idle.count < idle.most)
        s->no_room_until = clock_now.msec + ROOM_MSEC;
    if (idle.count > 0 && clock_now.sec != s->made_room_sec) {
        s->made_room_sec = clock_now.sec;
        log_warn(0, "%u worker_connections are not enough, reusing connections", s->most);
    }
    for (unsigned i = 0; i < idle.count; i++)
        idle.at[i]->ops->close(idle.at[i], "another connection needs its place");
}

/* Nothing is accepted until a connection has ended. */
static void wait_for_room(struct service *s)
{
    if (clock_now.sec != s->full_sec) {
        s->full_sec = clock_now.sec;
        log_alert(0, "%u worker_connections are not enough", s->most);
    }
    set_accepting(s, false);
    deadline_set(s->worker.deadlines, &s->room, ROOM_MSEC);
}

/* Some may have become idle meanwhile. Who has only just come is about to ask. */
static void on_room(struct deadline *d)
{
    struct service *s = container_of(d, struct service, room);

    if (!s->connections.full || s->connections.draining)
        return;
    close_idle(s, clock_now.msec - YOUNG_MSEC, NULL);
    if (s->connections.full)
        deadline_set(s->worker.deadlines, d, ROOM_MSEC);
}

void service_take(struct service *s, const struct http_address *address, int fd, const struct address *peer)
{
    connection_open(&s->connections, address, fd, peer);
}

static void on_accepted(void *arg, int fd, const struct address *peer)
{
    struct accepting *a = arg;
    struct service *s = a->service;

    s->worker.counters->accepted++;
    service_take(s, address_of(a->address, fd), fd, peer);
    if (s->connections.count < s->most || s->connections.full)
        return;
    if (clock_now.msec >= s->no_room_until)
        close_idle(s, clock_now.msec, container_of(s->connections.list.prev, struct member, node));
    if (s->connections.count >= s->most)
        wait_for_room(s);
}

static void on_accept_failed(void *arg, int error)
{
    (void)arg;
    log_write(log_main, LEVEL_CRIT, 0, error, "accept4() failed");
}

static void on_connection_gone(void *arg)
{
    struct service *s = arg;

    if (s->connections.full && !s->connections.draining && s->connections.count < s->most)
        set_accepting(s, true);
    if (s->connections.draining && s->connections.count == 0 && s->drained) {
        loop_fn *drained = s->drained;
        s->drained = NULL;
        drained(s->drained_arg);
    }
}

static int accept_from(struct service *s, const struct service_options *o, const struct http_address *address, int fd)
{
    struct accepting *a = &s->accepting[s->acceptor_count];
    *a = (struct accepting){s, address};
    struct acceptor_options options = {
        .multi = o->multi_accept,
        .listen_fd = fd,
        .accepted = on_accepted,
        .arg = a,
        .failed = on_accept_failed,
    };
    int rc = acceptor_create(&s->acceptors[s->acceptor_count], s->worker.loop, &options);
    if (rc == 0)
        s->acceptor_count++;
    return rc;
}

static int start_accepting(struct service *s, const struct service_options *o)
{
    unsigned most = o->http->address_count + o->extra_count;
    int rc = 0;

    s->acceptors = calloc(most + 1, sizeof(struct acceptor *));
    s->accepting = calloc(most + 1, sizeof *s->accepting);
    if (!s->acceptors || !s->accepting)
        return -ENOMEM;
    for (unsigned i = 0; i < o->http->address_count && rc == 0; i++)
        if (o->fds[i] >= 0)
            rc = accept_from(s, o, &o->http->addresses[i], o->fds[i]);
    for (unsigned i = 0; i < o->extra_count && rc == 0; i++)
        rc = accept_from(s, o, &o->http->addresses[o->extra_address[i]], o->extra_fds[i]);
    return rc;
}

/* ---- start and end ---- */

int service_start(struct service **out, const struct service_options *o)
{
    struct service *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->most = o->connections > 0 ? o->connections : 1;
    s->connections =
        (struct connections){.worker = &s->worker, .http2 = h2_handover(), .gone = on_connection_gone, .arg = s};
    list_init(&s->connections.list);
    deadline_init(&s->room, on_room);
    const struct worker_options options = {
        .loop = o->loop,
        .io = o->io,
        .aio_requests = o->aio_requests,
        .connections = s->most,
        .scoreboard = o->scoreboard,
        .counters = o->counters,
        .input_size =
            o->http->address_count > 0 ? (size_t)o->http->addresses[0].dflt->base.http->client_header_buffer_size : 0,
        .output_size = OUTPUT_SIZE,
        .request_size = REQUEST_SPACE,
    };
    int rc = worker_init(&s->worker, &options);
    if (rc == 0)
        rc = start_accepting(s, o);
    if (rc < 0) {
        service_destroy(s);
        return rc;
    }
    *out = s;
    return 0;
}

static void stop_accepting(struct service *s)
{
    for (unsigned i = 0; i < s->acceptor_count; i++)
        acceptor_destroy(s->acceptors[i]);
    s->acceptor_count = 0;
}

void service_drain(struct service *s, loop_fn *drained, void *arg)
{
    s->connections.draining = true;
    s->drained = drained;
    s->drained_arg = arg;
    for (unsigned i = 0; i < s->acceptor_count; i++)
        acceptor_drain(s->acceptors[i]);
    stop_accepting(s);
    list_each (&s->connections.list, node, tmp) {
        struct member *m = container_of(node, struct member, node);
        m->ops->drain(m);
    }
    if (s->connections.count == 0) {
        s->drained = NULL;
        drained(arg);
    }
}

void service_destroy(struct service *s)
{
    if (!s)
        return;
    s->drained = NULL;
    stop_accepting(s);
    list_each (&s->connections.list, node, tmp) {
        struct member *m = container_of(node, struct member, node);
        m->ops->stop(m);
    }
    free(s->acceptors);
    free(s->accepting);
    worker_fini(&s->worker);
    free(s);
}

unsigned service_connections(const struct service *s)
{
    return s->connections.count;
}
