/* session.c - the life of a connection of HTTP/2: read, act, send, wait; its deadlines, and its end.
 * See session_private.h. RFC 9113, sections 3.4, 5.4 and 6.8.
 *
 * Whatever happens, on_event() or one of its kin notes it and calls h2_run(), which reads what there
 * is, lets the streams go on, and sends what they have, all of it with as few calls as it takes. */
#include "http/h2/session_private.h"

#include "base/clock.h"
#include "net/socket.h"

#include <errno.h>
#include <stdlib.h>

enum {
    LOOKS = 16, /* at what its streams do, during the shortest of the timeouts */
    LOOK_LEAST = 50,
    LOOK_MOST = 5000,
    TURN_READS = 16,
    PREFACE = 24,
    LINGER_READ = 4096,
    NOTSENT_MOST = 128 * 1024 /* bytes that wait in the kernel: an urgent response waits behind these */
};

const struct http_conf *h2_conf_of(const struct h2_session *c)
{
    return c->client.address->dflt->base.http;
}

void h2_become(struct h2_session *c, enum connection_state state)
{
    uint64_t *states = c->worker->counters->states;

    states[c->state]--;
    states[state]++;
    c->state = state;
}

static bool owes(const struct h2_session *c)
{
    return c->out || c->transport.holds;
}

/* ---- the end ---- */

void h2_close(struct h2_session *c, const char *why)
{
    struct connections *all = c->all;
    bool clean = list_empty(&c->streams) && !c->out;

    if (log_wants(log_main, LEVEL_DEBUG))
        log_write(log_main, LEVEL_DEBUG, c->client.number, 0, "close of HTTP/2: %s", why);
    list_each (&c->streams, node, tmp) {
        h2_stream_end(container_of(node, struct h2_stream, node));
    }
    nghttp2_session_del(c->nghttp2);
    if (c->out)
        h2_output_give(c);
    deadline_clear(&c->deadline);
    deferred_clear(&c->next_turn);
    watch_destroy(c->watch);
    transport_close(&c->transport, clean);
    list_remove(&c->member.node);
    free(c->client.proxy);
    c->worker->counters->states[c->state]--;
    free(c);
    all->count--;
    all->gone(all->arg);
}

static void cut_streams(struct h2_session *c)
{
    list_each (&c->streams, node, tmp)
        h2_stream_cut(container_of(node, struct h2_stream, node));
}

/* The last byte is out: what still comes is thrown away, so that a reset does not overtake it. */
static void finish(struct h2_session *c)
{
    cut_streams(c);
    transport_finish(&c->transport);
    c->finished = true;
    c->lingering_end = clock_now.msec + h2_conf_of(c)->lingering_timeout;
    h2_become(c, CONN_LINGERING);
    deadline_set(c->worker->deadlines, &c->deadline, h2_conf_of(c)->lingering_timeout);
}

/* False: it is over. */
static bool linger(struct h2_session *c)
{
    char scratch[LINGER_READ];

    for (unsigned reads = 0; c->readable && reads < TURN_READS; reads++) {
        ssize_t n = transport_recv(&c->transport, scratch, sizeof scratch);
        if (n <= 0 && n != -EAGAIN)
            return false;
        if (n <= 0)
            c->readable = false;
    }
    if (c->lingering_end <= clock_now.msec)
        return false;
    if (c->readable)
        loop_defer(c->worker->loop, &c->next_turn);
    return true;
}

/* ---- leaving: GOAWAY ---- */

/* With the highest id, since requests may be under way; and the last one once the client has said that
 * it knows. RFC 9113, 6.8 */
static void notify(struct h2_session *c)
{
    if (c->notified)
        return;
    c->notified = true;
    c->notified_msec = clock_now.msec;
    nghttp2_submit_shutdown_notice(c->nghttp2);
    nghttp2_submit_ping(c->nghttp2, NGHTTP2_FLAG_NONE, NULL);
}

void h2_leave(struct h2_session *c)
{
    c->notified = true;
    if (c->leaving)
        return;
    c->leaving = true;
    nghttp2_submit_goaway(c->nghttp2, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(c->nghttp2),
                          NGHTTP2_NO_ERROR, NULL, 0);
}

/* Some clients give up when GOAWAY comes before their first response: it waits for that. */
static void leave_in_time(struct h2_session *c)
{
    const struct http_conf *h = c->last_conf ? c->last_conf : h2_conf_of(c);
    bool ends = c->all->draining || c->all->full || c->requests >= h->keepalive_requests ||
                h->keepalive_timeout.msec == 0 || clock_now.msec - c->client.since_msec >= h->keepalive_time;

    if (ends && c->requests > 0)
        notify(c);
    if (c->notified && !c->leaving &&
        (c->answered || (c->stream_count == 0 && clock_now.msec - c->notified_msec >= DRAIN_GRACE)))
        h2_leave(c);
}

/* ---- deadlines ---- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t look_msec(const struct h2_session *c)
{
    const struct http_conf *h = c->last_conf ? c->last_conf : h2_conf_of(c);
    int64_t look = least(h->send_timeout, least(h->client_body_timeout, h->client_header_timeout)) / LOOKS;

    return look < LOOK_LEAST ? LOOK_LEAST : least(look, LOOK_MOST);
}

static int64_t idle_timeout(const struct h2_session *c)
{
    int64_t grace = c->keepalive_min_msec > DRAIN_GRACE ? c->keepalive_min_msec : DRAIN_GRACE;
    int64_t timeout = c->requests > 0 ? c->keepalive_msec : h2_conf_of(c)->client_header_timeout;

    return c->all->draining || c->notified ? least(timeout, grace) : timeout;
}

static bool is_idle(const struct h2_session *c)
{
    return c->stream_count == 0 && !owes(c) && !frames_are_partial(&c->frames);
}

static void wait(struct h2_session *c)
{
    bool idle = is_idle(c);

    h2_become(c, c->stream_count > 0 || owes(c)   ? CONN_SENDING
                 : frames_are_partial(&c->frames) ? CONN_READING
                                                  : CONN_IDLE);
    if (idle == c->idle_timed && deadline_is_set(&c->deadline) && (!idle || c->idle_msec < clock_now.msec))
        return;
    c->idle_timed = idle;
    deadline_set(c->worker->deadlines, &c->deadline, idle ? idle_timeout(c) : look_msec(c));
}

/* What the client has acknowledged of all that was sent. */
uint64_t h2_taken(const struct h2_session *c)
{
    uint64_t unsent = transport_unsent(&c->transport) + socket_unsent(c->transport.fd);

    return unsent < c->sent ? c->sent - unsent : 0;
}

/* Where the socket takes nothing. */
static bool sending_is_overdue(struct h2_session *c)
{
    if (!owes(c) || c->writable) {
        c->taken_msec = clock_now.msec;
        return false;
    }
    uint64_t now = h2_taken(c);
    if (now > c->taken || c->taken_msec == 0)
        c->taken_msec = clock_now.msec;
    c->taken = now;
    return clock_now.msec - c->taken_msec >=
           (c->condemned ? h2_conf_of(c)->lingering_timeout : h2_conf_of(c)->send_timeout);
}

/* An incomplete frame or header block: bytes in drops buy no time. */
static bool frame_is_overdue(const struct h2_session *c)
{
    return c->partial_msec != 0 && clock_now.msec - c->partial_msec >= h2_conf_of(c)->client_header_timeout;
}

static void time_out(struct h2_session *c, const char *why)
{
    if (h2_conf_of(c)->reset_timedout_connection)
        socket_reset_on_close(c->transport.fd);
    h2_close(c, why);
}

/* nginx, too, calls it this error. */
static void time_out_frame(struct h2_session *c)
{
    client_log(&c->client, LEVEL_INFO, ETIMEDOUT, "reading HTTP/2 frames", "client timed out");
    if (h2_conf_of(c)->reset_timedout_connection || !c->writable) {
        time_out(c, "a frame did not come in time");
        return;
    }
    c->told = true;
    h2_condemn(c, NGHTTP2_PROTOCOL_ERROR, "");
    h2_run(c);
}

/* It waited for a request in vain. */
static void end_idle(struct h2_session *c)
{
    if (clock_now.msec - c->idle_msec < idle_timeout(c)) {
        c->idle_timed = false; /* it was set for less than what is known now */
        return;
    }
    if (c->requests == 0 && !c->all->draining)
        client_log(&c->client, LEVEL_INFO, ETIMEDOUT, "waiting for request", "client timed out");
    h2_leave(c);
}

static void on_deadline(struct deadline *d)
{
    struct h2_session *c = container_of(d, struct h2_session, deadline);

    if (c->finished) {
        h2_close(c, "lingering_timeout");
        return;
    }
    if (!c->condemned && frame_is_overdue(c)) {
        time_out_frame(c);
        return;
    }
    if (sending_is_overdue(c)) {
        client_log(&c->client, LEVEL_INFO, ETIMEDOUT, "sending to client", "client timed out");
        time_out(c, "send_timeout");
        return;
    }
    if (is_idle(c))
        end_idle(c);
    list_each (&c->streams, node, tmp)
        h2_stream_look(container_of(node, struct h2_stream, node));
    h2_run(c);
}

/* ---- one turn ---- */

/* What happened while nghttp2 was called. */
static void settle(struct h2_session *c)
{
    if (!list_empty(&c->begun))
        h2_become(c, CONN_SENDING);
    while (!list_empty(&c->begun)) {
        struct h2_stream *st = container_of(c->begun.next, struct h2_stream, noted);
        list_remove(&st->noted);
        h2_stream_go_on(st);
    }
    while (!list_empty(&c->over))
        h2_stream_end(container_of(c->over.next, struct h2_stream, noted));
    if (c->condemned)
        cut_streams(c);
}

/* The client has ended, and opens no window any more: what is still to come without it? */
static bool can_go_on(struct h2_session *c)
{
    list_each (&c->streams, node, tmp) {
        const struct h2_stream *st = container_of(node, struct h2_stream, node);
        bool waits = st->state == H2_STREAM_LIMITS || st->state == H2_STREAM_HANDLING ||
                     (st->state == H2_STREAM_SENDING && st->deferred);
        if (st->request && waits)
            return true;
    }
    return c->unfinished || !list_empty(&c->begun);
}

static bool is_done(struct h2_session *c)
{
    if (owes(c))
        return false;
    if (!nghttp2_session_want_read(c->nghttp2) && !nghttp2_session_want_write(c->nghttp2))
        return true;
    return (c->stream_count == 0 && c->leaving) || (c->hung_up && !can_go_on(c));
}

static void watch(struct h2_session *c);

void h2_run(struct h2_session *c)
{
    if (c->busy) {
        loop_defer(c->worker->loop, &c->next_turn);
        return;
    }
    deferred_clear(&c->next_turn); /* this is it */
    if (c->finished) {
        if (!linger(c))
            h2_close(c, "lingering is over");
        return;
    }
    c->busy = true;
    bool lives = h2_receive(c);
    settle(c);
    leave_in_time(c);
    lives = h2_send(c) && lives;
    settle(c);
    c->busy = false;
    if (c->broken) {
        h2_close(c, "the client went away");
    } else if (!lives) {
        h2_close(c, "HTTP/2 cannot go on");
    } else if (is_done(c)) {
        if (c->hung_up)
            h2_close(c, "the client closed");
        else
            finish(c);
    } else {
        wait(c);
        watch(c);
    }
}

/* ---- what happens to it ---- */

static void on_event(void *arg, unsigned what)
{
    struct h2_session *c = arg;

    if (what & (LOOP_READ | LOOP_CLOSED))
        c->readable = true;
    if (what & LOOP_CLOSED)
        c->ends = true;
    if (what & LOOP_WRITE)
        c->writable = true;
    if (c->transport.holds && (what & LOOP_WRITE)) {
        int rc = transport_flush(&c->transport);
        if (rc < 0 && rc != -EAGAIN) {
            h2_close(c, "the client went away");
            return;
        }
        c->readable = c->readable || c->transport.pending;
    }
    h2_run(c);
}

static void on_next_turn(void *arg)
{
    h2_run(arg);
}

/* Once it has to wait for the first time. May close it. */
static void watch(struct h2_session *c)
{
    if (c->watch)
        return;
    c->watch = watch_create(c->worker->loop, c->transport.fd, LOOP_READ | LOOP_WRITE | LOOP_CLOSED, true, on_event, c);
    if (!c->watch) {
        log_write(log_main, LEVEL_CRIT, c->client.number, errno, "a connection is closed");
        h2_close(c, "no memory");
    }
}

/* ---- as service.c sees it ---- */

static struct h2_session *session_of(const struct member *m)
{
    return container_of(m, struct h2_session, member);
}

static bool member_is_idle(const struct member *m)
{
    const struct h2_session *c = session_of(m);

    return is_idle(c) && !c->readable && !c->finished && !socket_has_input(c->transport.fd);
}

static int64_t member_idle_since(const struct member *m)
{
    return session_of(m)->idle_msec;
}

static void member_close(struct member *m, const char *why)
{
    struct h2_session *c = session_of(m);

    if (!c->finished) {
        h2_leave(c);
        c->busy = true;
        h2_send(c);
        c->busy = false;
    }
    h2_close(c, why);
}

static void member_stop(struct member *m)
{
    struct h2_session *c = session_of(m);

    list_each (&c->streams, node, tmp) {
        struct h2_stream *st = container_of(node, struct h2_stream, node);
        if (st->request && st->request->step != STEP_READY)
            st->request->out.status = 503;
    }
    member_close(m, "the worker stops");
}

static void member_drain(struct member *m)
{
    struct h2_session *c = session_of(m);

    c->idle_timed = false;
    if (!c->finished)
        loop_defer(c->worker->loop, &c->next_turn);
}

static const struct member_ops member_ops = {.is_idle = member_is_idle,
                                             .idle_since = member_idle_since,
                                             .close = member_close,
                                             .stop = member_stop,
                                             .drain = member_drain};

/* ---- the beginning ---- */

static void set_limits(struct h2_session *c)
{
    const struct http_conf *h = h2_conf_of(c);
    size_t large = (size_t)h->large_client_header_buffers.size;

    c->limits = (struct fields_limits){
        .field = large,
        .list = large * (size_t)h->large_client_header_buffers.number,
        .count = (unsigned)h->max_headers,
        .ignores = h->ignore_invalid_headers,
        .underscores = h->underscores_in_headers,
    };
}

static struct h2_session *create(struct connections *all, const struct handover *h)
{
    struct h2_session *c = calloc(1, sizeof *c);
    struct h2_worker *shared = h2_worker_of(all->worker, h->client->address);

    if (!c || !shared ||
        nghttp2_session_server_new3(&c->nghttp2, shared->callbacks, c, shared->option, &shared->memory.functions) !=
            0) {
        free(c);
        return NULL;
    }
    c->all = all;
    c->worker = all->worker;
    c->shared = shared;
    c->client = *h->client;
    c->member = (struct member){.ops = &member_ops, .client = &c->client};
    transport_move(&c->transport, h->transport);
    list_init(&c->streams);
    list_init(&c->begun);
    list_init(&c->over);
    deadline_init(&c->deadline, on_deadline);
    deferred_init(&c->next_turn, on_next_turn, c);
    return c;
}

static void begin(struct h2_session *c, const struct handover *h)
{
    set_limits(c);
    budget_init(&c->budget, clock_now.msec);
    c->worker->counters->http2.connections++;
    c->frames.left = PREFACE;
    c->line_urgency = URGENCY_NONE;
    c->readable = c->writable = true;
    c->ends = h->hung_up;
    c->idle_msec = c->client.since_msec;
    c->state = CONN_IDLE;
    c->worker->counters->states[CONN_IDLE]++;
    c->watch = h->watch;
    if (c->watch)
        watch_give(c->watch, on_event, c);
    list_append(&c->all->list, &c->member.node);
    socket_unsent_most(c->transport.fd, NOTSENT_MOST);
    if (!h2_greet(c) || (h->bytes.len > 0 && !h2_take(c, h->bytes.at, h->bytes.len)))
        c->failed = true;
    loop_defer(c->worker->loop, &c->next_turn);
}

static void take(struct connections *all, const struct handover *h)
{
    struct h2_session *c = create(all, h);

    if (c) {
        begin(c, h);
        return;
    }
    log_write(log_main, LEVEL_CRIT, h->client->number, ENOMEM, "a connection is closed");
    watch_destroy(h->watch);
    transport_close(h->transport, false);
    free(h->client->proxy);
    all->count--;
    all->gone(all->arg);
}

handover_fn *h2_handover(void)
{
    return take;
}
