/* connection_send.c - the sending half of a connection: head and body to the sink, small responses
 * gathered. */
#include "http/h1/connection_private.h"

#include "base/clock.h"
#include "http/h1/head.h"
#include "http/handle/file_response.h"
#include "http/handle/turn.h"
#include "http/limit/min_rate.h"
#include "http/log/account.h"
#include "net/socket.h"

#include <errno.h>

static struct text pending_output(const struct connection *c)
{
    return c->out ? (struct text){c->out->data, c->out->len} : TEXT("");
}

static void release_output(struct connection *c)
{
    if (c->out)
        output_give(c->worker, c->out);
    c->out = NULL;
}

/* The wait is over. False: it was too long for what came of it. */
static bool was_fast_enough(struct connection *c)
{
    if (connection_is_too_slow(c))
        return false;
    c->request->slowness.blocked_msec = 0;
    return true;
}

static enum next socket_broke(struct connection *c)
{
    client_log_sending(&c->client, c->sink.error);
    return connection_gone(c, "the client went away");
}

bool connection_push(struct connection *c)
{
    if (!c->out)
        return true;
    switch (sink_bytes(&c->sink, pending_output(c), &c->out->sent, false)) {
    case SINK_DONE:
        release_output(c);
        return true;
    case SINK_BLOCKED:
        c->writable = false;
        return true;
    default:
        return false;
    }
}

/* Sends what gathered in c->out. NEXT_STEP: it is all out. */
enum next connection_flush(struct connection *c)
{
    if (!connection_push(c))
        return socket_broke(c);
    return c->out ? connection_wait_to_send(c) : NEXT_STEP;
}

/* At least `room` bytes at the end of c->out, flushing or growing it. False: no memory. */
static bool output_room(struct connection *c, size_t room)
{
    struct output *out = c->out;

    if (out && out->spare.cap - out->len >= room)
        return true;
    if (!out) {
        c->out = output_take(c->worker, room > OUTPUT_SIZE ? room : OUTPUT_SIZE);
        return c->out != NULL;
    }
    /* Earlier responses are waiting in it: together they move to a larger one. */
    size_t used = out->len - out->sent;
    struct output *larger = output_take(c->worker, used + room);
    if (!larger)
        return false;
    memcpy(larger->data, out->data + out->sent, used);
    larger->len = used;
    output_give(c->worker, out);
    c->out = larger;
    return true;
}

bool connection_queue(struct connection *c, struct text bytes)
{
    if (!output_room(c, bytes.len))
        return false;
    memcpy(c->out->data + c->out->len, bytes.at, bytes.len);
    c->out->len += bytes.len;
    return true;
}

/* A small body follows its head at once. 0 or -errno. */
static int open_body(struct connection *c, struct request *r)
{
    struct response *o = &r->out;
    size_t room = c->out->spare.cap - c->out->len;
    int rc = response_open_body(r, room);

    if (rc < 0)
        return rc;
    if (o->file.source) {
        c->out->len += turn_copy(r, c->out->data + c->out->len, room);
        return 0;
    }
    if (o->body.len == 0)
        return 0;
    memcpy(c->out->data + c->out->len, o->body.at, o->body.len);
    c->out->len += o->body.len;
    return 0;
}

/* Not all of the responses to earlier requests has arrived. */
static bool owes_responses(const struct connection *c)
{
    return c->requests > 1 && (pending_output(c).len > 0 || socket_unsent(c->transport.fd) > 0);
}

/* 444. Responses to earlier requests are not lost with it: what is left of them is sent, and the
 * end is as gentle as any. */
static enum next end_silently(struct connection *c)
{
    bool resets = c->request->out.status == 444 && connection_conf(c)->reset_timedout_connection && !owes_responses(c);

    if (resets)
        socket_reset_on_close(c->transport.fd);
    if (resets || c->requests == 1)
        return connection_gone(c, "status 444");
    c->reply.close = true;
    connection_become(c, CONN_SENDING);
    return NEXT_STEP;
}

/* Composes the head behind what is still to be sent. */
enum next connection_begin_response(struct connection *c)
{
    struct request *r = c->request;

    if (r->silent)
        return end_silently(c);
    c->reply.close |= c->all->draining || c->all->full;
    if (c->nodelay != r->location->http->tcp_nodelay) {
        c->nodelay = r->location->http->tcp_nodelay;
        socket_nodelay(c->transport.fd, c->nodelay);
    }
    if (reply_begin(&c->reply, r, &c->framing) < 0)
        return connection_no_memory(c);
    /* A file may have to wait for the disk: earlier responses do not wait with it. */
    if (r->out.file.source && !connection_push(c))
        return connection_gone(c, "the client went away");
    if (!output_room(c, head_bound(r)))
        return connection_no_memory(c);
    c->sink.closing = c->reply.close;
    r->head_len = head_compose(r, &c->reply, c->out->data + c->out->len);
    c->out->len += r->head_len;
    if (open_body(c, r) < 0)
        return connection_no_memory(c);
    connection_become(c, CONN_SENDING);
    return NEXT_STEP;
}

/* The response is with the kernel, or waits in c->out behind others. */
static enum next end_response(struct connection *c)
{
    struct request *r = c->request;

    account_complete(r);
    if (c->reply.close)
        return connection_end(c);
    c->keepalive_msec = r->location->http->keepalive_timeout.msec;
    c->keepalive_min_msec = r->location->http->keepalive_min_timeout;
    connection_drop_request(c);
    connection_release_input(c);
    c->pipelined = c->in != NULL;
    c->head_msec = clock_now.msec;
    connection_become(c, c->in ? CONN_READING : CONN_IDLE);
    return NEXT_STEP;
}

/* The next request is here already, and small answers to both may travel together. */
static bool may_gather(const struct connection *c)
{
    const struct request *r = c->request;

    return r->out.file.left == 0 && !c->reply.close && c->in && c->in->at < c->in->len &&
           c->out->len < OUTPUT_SIZE / 2 && c->out->sent == 0;
}

/* A head that waits for the first bytes of its file needs no room for more. */
static void shrink_output(struct connection *c)
{
    struct output *old = c->out;

    if (!old || old->spare.cap < OUTPUT_SIZE)
        return;
    size_t used = old->len - old->sent;
    struct output *small = used < OUTPUT_SIZE / 4 ? output_take(c->worker, used) : NULL;
    if (!small)
        return;
    memcpy(small->data, old->data + old->sent, used);
    small->len = used;
    output_give(c->worker, old);
    c->out = small;
}

enum next connection_send(struct connection *c)
{
    struct request *r = c->request;

    if (!r) { /* only earlier responses were left */
        enum next next = connection_flush(c);
        if (next == NEXT_STEP)
            connection_become(c, c->in ? CONN_READING : CONN_IDLE);
        return next;
    }
    if (may_gather(c))
        return end_response(c);

    if (r->slowness.blocked_msec != 0 && !was_fast_enough(c))
        return connection_gone(c, "send_min_rate");
    uint64_t cap = 0;
    size_t none = 0;
    if (!turn_begin(r, &cap))
        return NEXT_WAIT;
    switch (turn_send(r, &c->sink, pending_output(c), c->out ? &c->out->sent : &none, cap)) {
    case SINK_DONE:
        release_output(c);
        return end_response(c);
    case SINK_BLOCKED:
        source_rest(r->out.file.source);
        return connection_wait_to_send(c);
    case SINK_TURN:
        if (!turn_queue(r))
            loop_defer(c->worker->loop, &c->next_turn);
        return NEXT_WAIT;
    case SINK_WAIT_DISK:
        deadline_clear(&c->deadline); /* of an earlier wait: this one is not the client's */
        shrink_output(c);
        return NEXT_WAIT;
    case SINK_SOURCE_FAILED:
        turn_log_failure(r);
        return connection_gone(c, "the file could not be read");
    case SINK_FAILED:
        break;
    }
    return socket_broke(c);
}
