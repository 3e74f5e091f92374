/* stream.c - one request of a connection of HTTP/2, from its header block to its last frame. See
 * session_private.h. RFC 9113, sections 5.1 and 8. */
#include "http/h2/session_private.h"

#include "base/clock.h"
#include "http/core/route.h"
#include "http/core/target.h"
#include "http/handle/steps.h"
#include "http/limit/min_rate.h"
#include "http/log/account.h"
#include "http/respond/respond.h"
#include "http/tls/check.h"
#include "net/socket.h"

#include <errno.h>

enum {
    FORGET_MSEC = 1000,       /* ms without window, and what was read for it is given back */
    BODY_GRACE = 1000,        /* ms after the response in which its client may go on with the body */
    MEMORY_MOST = 1024 * 1024 /* bytes of fields on a connection */
};

/* ---- as a carrier ---- */

static struct h2_stream *stream_of(const struct request *r)
{
    return container_of(r->carrier, struct h2_stream, carrier);
}

/* May close the connection. */
static void resume(struct request *r)
{
    struct h2_stream *st = stream_of(r);
    struct h2_session *c = st->session;

    if (c->busy) {
        if (list_empty(&st->noted))
            list_append(&c->begun, &st->noted);
        return;
    }
    h2_stream_go_on(st);
    h2_run(c);
}

static int local_address(const struct request *r, struct address *out)
{
    return socket_local(stream_of(r)->session->transport.fd, out);
}

/* HTTP/2 adds none of its own. */
static struct text field(struct request *r, struct text name)
{
    (void)r, (void)name;
    return TEXT_NONE;
}

static int tcp_info(const struct request *r, struct tcp_info *out)
{
    return socket_tcp_info(stream_of(r)->session->transport.fd, out);
}

static const struct carrier_ops carrier_ops = {
    .resume = resume, .local = local_address, .field = field, .tcp_info = tcp_info};

/* ---- beginning and end ---- */

/* What its requests hold may come to so much; each is refused that could be more. */
static bool has_memory(const struct h2_session *c)
{
    size_t most = 4 * c->limits.list > MEMORY_MOST ? 4 * c->limits.list : MEMORY_MOST;

    return c->memory + c->limits.list <= most;
}

/* The worker's descriptors are for all of its connections: each has one stream, in any case. */
static bool has_room(const struct h2_session *c)
{
    return c->open_count == 0 ||
           (c->open_count < h2_streams_most(c) && c->shared->stream_count < c->shared->streams_most);
}

struct h2_stream *h2_stream_begin(struct h2_session *c, int32_t id)
{
    if (c->condemned || !has_room(c) || !has_memory(c))
        return NULL;
    struct h2_stream *st = spare_take(&c->shared->streams, 0, sizeof *st);
    if (!st)
        return NULL;
    memset(st, 0, sizeof *st);
    st->spare.cap = sizeof *st;
    st->session = c;
    st->id = id;
    st->urgency = PRIORITY_USUAL;
    st->carrier.ops = &carrier_ops;
    st->transport.ops = &h2_stream_transport;
    st->sink.transport = &st->transport;
    st->moved_msec = clock_now.msec;
    st->request = request_create(c->worker, &st->carrier, &c->client);
    if (!st->request) {
        spare_give(&c->shared->streams, &st->spare);
        return NULL;
    }
    st->fields.arena = &st->request->arena;
    st->fields.limits = &c->limits;
    list_init(&st->noted);
    list_append(&c->streams, &st->node);
    c->stream_count++;
    c->open_count++;
    route_begin(st->request);
    st->request->ordinal = ++c->requests;
    c->worker->counters->http2.requests++;
    c->worker->counters->http2.streams++;
    c->shared->stream_count++;
    st->request->start_msec = clock_now.msec;
    return st;
}

static void wake(struct h2_stream *st)
{
    if (st->deferred)
        nghttp2_session_resume_data(st->session->nghttp2, st->id);
    st->deferred = st->in_line = false;
    st->moved_msec = clock_now.msec;
}

/* The turn has come, or nobody waits for it any more. */
static void wake_line(struct h2_session *c)
{
    c->line_urgency = URGENCY_NONE;
    list_each (&c->streams, node, tmp) {
        struct h2_stream *st = container_of(node, struct h2_stream, node);
        if (st->in_line && !(st->request && st->request->paced))
            wake(st);
    }
}

static void drop_request(struct h2_stream *st)
{
    struct h2_session *c = st->session;
    struct request *r = st->request;
    const struct http_conf *h = r->location->http;

    st->request = NULL;
    if (st->in_line)
        wake_line(c);
    c->memory -= st->memory;
    st->memory = 0;
    c->last_conf = h;
    c->keepalive_msec = h->keepalive_timeout.msec;
    c->keepalive_min_msec = h->keepalive_min_timeout;
    steps_abandon(r);
    request_destroy(r);
}

/* What its line says where it was closed before it had a response. */
static int status_of_end(const struct h2_stream *st)
{
    return st->state <= H2_STREAM_BODY ? 400 : 499;
}

/* Its block came, and was not looked at: it is, for the log. */
static void take_known(struct h2_stream *st)
{
    struct request *r = st->request;

    if (st->state > H2_STREAM_BEGINS)
        return;
    if (fields_finish(&st->fields, &r->msg) == 0 && !st->fields.malformed)
        target_resolve(r);
}

void h2_stream_cut(struct h2_stream *st)
{
    if (!st->request)
        return;
    take_known(st);
    if (st->state == H2_STREAM_SENT)
        account_complete(st->request);
    else
        account_cut(st->request, status_of_end(st));
    drop_request(st);
}

void h2_stream_end(struct h2_stream *st)
{
    struct h2_session *c = st->session;

    h2_stream_cut(st);
    if (c->block == st)
        c->block = NULL;
    list_remove(&st->noted);
    list_remove(&st->node);
    c->stream_count--;
    c->worker->counters->http2.streams--;
    c->shared->stream_count--;
    c->idle_msec = clock_now.msec;
    spare_give(&c->shared->streams, &st->spare);
}

void h2_stream_reset(struct h2_stream *st, int status, uint32_t error)
{
    if (st->request) {
        account_cut(st->request, status);
        drop_request(st);
    }
    st->state = H2_STREAM_SENT;
    st->stopped = true;
    nghttp2_submit_rst_stream(st->session->nghttp2, NGHTTP2_FLAG_NONE, st->id, error);
}

/* ---- the response ---- */

static void handle(struct h2_stream *st)
{
    struct request *r = st->request;

    st->state = H2_STREAM_HANDLING;
    if (r->step != STEP_READY && !steps_run(r))
        return;
    if (r->silent) {
        account_complete(r);
        h2_stream_reset(st, 444, NGHTTP2_CANCEL);
    } else if (h2_respond(st) < 0) {
        log_write(log_main, LEVEL_CRIT, st->session->client.number, ENOMEM, "a stream is closed");
        h2_stream_reset(st, 500, NGHTTP2_INTERNAL_ERROR);
    }
}

static void refuse(struct h2_stream *st, int status)
{
    st->request->awaits_body = false;
    respond_refusal(st->request, status);
    handle(st);
}

/* ---- a body, which is thrown away ---- */

static bool is_malformed(const struct h2_stream *st)
{
    const struct message *m = &st->request->msg;

    return st->malformed || (m->has_length && (st->body > m->length || (st->ended && st->body != m->length)));
}

static void end_malformed(struct h2_stream *st, const char *why)
{
    st->request->out.status = 400;
    request_log_doing(st->request, LEVEL_INFO, 0, "reading client request", "%s", why);
    h2_stream_reset(st, 400, NGHTTP2_PROTOCOL_ERROR);
}

static void take_body(struct h2_stream *st)
{
    struct request *r = st->request;
    int64_t most = r->location->http->client_max_body_size;

    if (is_malformed(st)) {
        end_malformed(st, "client sent a body that does not fit its Content-Length, or malformed trailers");
        return;
    }
    if (most > 0 && (st->body > (uint64_t)most || r->msg.length > (uint64_t)most)) {
        refuse(st, 413);
        return;
    }
    if (!st->ended)
        return;
    r->awaits_body = false;
    handle(st);
}

/* How long a body may be, the location says; see h1/connection_read.c. */
static void find_limits(struct h2_stream *st)
{
    struct request *r = st->request;

    while (r->awaits_body && r->step <= STEP_LIMIT) {
        if (!steps_one(r))
            return;
        if (r->limits.req == LIMIT_REJECTED || r->limits.conn == LIMIT_REJECTED || r->silent)
            r->awaits_body = false;
    }
    if (!r->awaits_body) {
        handle(st);
        return;
    }
    st->state = H2_STREAM_BODY;
    st->moved_msec = clock_now.msec;
    if (!st->ended && st->body == 0 && text_equal_nocase(r->msg.fields[FIELD_EXPECT], TEXT("100-continue")))
        h2_submit_continue(st);
    take_body(st);
}

/* ---- the header block ---- */

/* The limits of the server that is asked for, where these are smaller than those of the address'
 * default server, which hold while a block is read. */
static int check_sizes(const struct request *r)
{
    const struct http_conf *h = r->location->http;
    size_t large = (size_t)h->large_client_header_buffers.size, list = 0;

    if (r->server == r->client->address->dflt)
        return 0;
    if (r->msg.line.len > large)
        return 414;
    for (unsigned i = 0; i < r->msg.count; i++) {
        size_t len = r->msg.headers[i].name.len + r->msg.headers[i].value.len;
        list += len + 32;
        if (len > large)
            return 431;
    }
    return list > large * (size_t)h->large_client_header_buffers.number ? 431 : 0;
}

void h2_set_priority(struct h2_stream *st, const struct priority *p)
{
    const nghttp2_extpri e = {.urgency = p->urgency, .inc = p->incremental};

    st->urgency = p->urgency;
    nghttp2_session_change_extpri_stream_priority(st->session->nghttp2, st->id, (nghttp2_extpri *)(uintptr_t)&e, 0);
}

static int check(struct h2_stream *st, int status)
{
    struct request *r = st->request;
    int resolved = target_resolve(r);

    if (status == 0)
        status = resolved;
    if (status == 0)
        status = check_sizes(r);
    if (status == 0)
        status = target_check_method(r);
    return status == 0 ? tls_check(r) : status;
}

/* RFC 9218, 5 and 7 */
static void prioritise(struct h2_stream *st)
{
    struct h2_session *c = st->session;
    struct priority p = {PRIORITY_USUAL, false};

    for (size_t i = 0; i < sizeof c->updated / sizeof *c->updated; i++) {
        if (c->updated[i].id != st->id)
            continue;
        st->prioritised = true;
        st->urgency = c->updated[i].urgency;
    }
    if (st->prioritised || !st->fields.priority.at || !priority_parse(st->fields.priority, &p))
        return;
    st->prioritised = true;
    h2_set_priority(st, &p);
}

static void start(struct h2_stream *st)
{
    struct request *r = st->request;
    int status = fields_finish(&st->fields, &r->msg);

    r->head_only = r->msg.method == METHOD_HEAD;
    st->state = H2_STREAM_LIMITS;
    if (st->fields.malformed || (status == 0 && is_malformed(st))) {
        if (!st->fields.malformed)
            target_resolve(r);
        end_malformed(st, "client sent a malformed request");
        return;
    }
    status = check(st, status);
    prioritise(st);
    if (st->fields.odd)
        request_log(r, LEVEL_INFO, 0, "client sent invalid header line: \"%.*s\"", TEXT_ARG(st->fields.odd_name));
    r->awaits_body = !st->ended || st->body > 0;
    if (status != 0)
        refuse(st, status);
    else if (r->awaits_body)
        find_limits(st);
    else
        handle(st);
}

/* ---- going on ---- */

/* A turn among large responses is for the most urgent one of the connection's. */
static void go_on_sending(struct h2_stream *st)
{
    bool in_line = st->in_line;

    wake(st);
    if (in_line)
        wake_line(st->session);
}

void h2_stream_go_on(struct h2_stream *st)
{
    if (!st->request)
        return;
    switch (st->state) {
    case H2_STREAM_HEAD:
        return;
    case H2_STREAM_SENT:
        account_complete(st->request);
        drop_request(st);
        return;
    case H2_STREAM_BEGINS:
        start(st);
        return;
    case H2_STREAM_LIMITS:
        find_limits(st);
        return;
    case H2_STREAM_BODY:
        take_body(st);
        return;
    case H2_STREAM_HANDLING:
        handle(st);
        return;
    case H2_STREAM_SENDING:
        go_on_sending(st);
        return;
    }
}

static void time_out_body(struct h2_stream *st)
{
    request_log_doing(st->request, LEVEL_INFO, ETIMEDOUT, "reading client request body", "client timed out");
    refuse(st, 408);
}

/* Its window is closed, and the client does not open it. */
static void time_out_sending(struct h2_stream *st)
{
    request_log_doing(st->request, LEVEL_INFO, ETIMEDOUT, "sending response to client", "client timed out");
    h2_stream_reset(st, 499, NGHTTP2_CANCEL);
}

/* The client may go on sending a body for which it has the response: RFC 9113, 8.1. Some clients lose
 * the response when they are told so in the same breath. */
static void stop_body(struct h2_stream *st)
{
    st->stopped = true;
    nghttp2_submit_rst_stream(st->session->nghttp2, NGHTTP2_FLAG_NONE, st->id, NGHTTP2_NO_ERROR);
}

/* Of the connection, of which this stream has its part; what others keep it from does not count. */
static bool is_too_slow(struct h2_stream *st)
{
    struct request *r = st->request;

    if (!r->location->min_rate)
        return false;
    if (st->state != H2_STREAM_SENDING || st->deferred) {
        r->slowness.blocked_msec = 0;
        return false;
    }
    if (r->slowness.blocked_msec != 0)
        return min_rate_is_missed(r, h2_taken(st->session));
    min_rate_wait(r, h2_taken(st->session));
    return false;
}

void h2_stream_look(struct h2_stream *st)
{
    int64_t waited = clock_now.msec - st->moved_msec;

    if (!st->request && !st->ended && !st->stopped && waited >= BODY_GRACE)
        stop_body(st);
    if (!st->request)
        return;
    const struct http_conf *h = st->request->location->http;
    if (st->state == H2_STREAM_SENDING && !st->deferred && waited >= FORGET_MSEC)
        source_forget(st->request->out.file.source);
    if (st->state == H2_STREAM_BODY && waited >= h->client_body_timeout)
        time_out_body(st);
    else if (st->state == H2_STREAM_SENDING && !st->deferred && st->session->writable && waited >= h->send_timeout)
        time_out_sending(st);
    else if (is_too_slow(st))
        h2_stream_reset(st, 499, NGHTTP2_CANCEL);
}
