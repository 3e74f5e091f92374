/* connection_read.c - the receiving half of a connection: heads into requests, bodies thrown away. RFC 9112, sections 2 to 7. */
#include "http/connection_steps.h"

#include "base/clock.h"
#include "http/respond.h"
#include "http/route.h"
#include "http/service_private.h"
#include "http/static.h"
#include "http/uri.h"
#include "net/proxy_protocol.h"

#include <errno.h>
#include <sys/socket.h>

enum {
    FRAMING_MOST = 64 * 1024 /* chunk heads and trailers of one request body */
};

/* ---- receiving ---- */

/* More bytes into c->in, which has room. 1: got some; 0: nothing now; -1: no more will come (or broken). */
static int receive(struct connection *c)
{
    struct input *in = c->in;

    for (;;) {
        size_t room = in->spare.cap - in->len;
        ssize_t n = recv(c->sink.fd, in->data + in->len, room, 0);
        if (n > 0) {
            in->len += (size_t)n;
            /* Fewer than asked for: drained, and the edge for more is still to come. The end of the stream is not announced
             * again, so go on after a hang-up. */
            c->readable = (size_t)n == room || c->hung_up;
            c->unsure = !c->readable;
            return 1;
        }
        if (n < 0 && errno == EINTR)
            continue;
        c->readable = c->unsure = false;
        if (n < 0 && errno == EAGAIN)
            return 0;
        c->hung_up = true;
        return -1;
    }
}

/* Before waiting for the rest of something. A reset is not announced as a hang-up, and if it came with the last bytes, it is
 * not announced again: who then waits, waits for the timeout. */
static bool may_receive(const struct connection *c)
{
    return c->readable || c->unsure;
}

/* Nothing is left of the input: no buffer between requests. */
void connection_release_input(struct connection *c)
{
    if (c->in && c->in->at == c->in->len) {
        service_give_input(c->service, c->in);
        c->in = NULL;
    }
}

/* What is left in c->in moves to a new buffer of at least `cap` bytes; returns the old one. NULL: no memory. */
static struct input *replace_input(struct connection *c, size_t cap)
{
    struct input *old = c->in;
    size_t left = old->len - old->at;
    struct input *in = service_input(c->service, cap > left ? cap : left);
    if (!in)
        return NULL;
    memcpy(in->data, old->data + old->at, left);
    in->len = left;
    c->in = in;
    return old;
}

/* Room behind an incomplete head. 0, or the status that says it is too large. */
static int make_room(struct connection *c)
{
    const struct http_conf *h = c->address->dflt->base.http;
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
    service_give_input(c->service, old);
    return 0;
}

/* ---- from bytes to a request ---- */

static struct request *begin_request(struct connection *c)
{
    struct request *r = service_request(c->service);
    if (!r)
        return NULL;
    r->conn = c;
    c->request = r;
    c->requests++;
    c->service->counters->requests++;
    r->server = c->address->dflt;
    r->location = &r->server->base;
    r->start_msec = c->head_msec;
    r->out.method = IO_NONE;
    r->out.fields_end = &r->out.fields;
    return r;
}

/* For the log: as much of the request line as there is. */
static void take_line(struct connection *c)
{
    struct request *r = c->request;

    if (r->msg.line.at || !c->in || c->in->at == c->in->len)
        return;
    struct text line = {c->in->data + c->in->at, c->in->len - c->in->at};
    line.len = text_find(line, '\n');
    r->msg.line = text_ends(line, TEXT("\r")) ? (struct text){line.at, line.len - 1} : line;
}

bool connection_take_partial(struct connection *c)
{
    bool partial = !c->request && !c->proxy_awaited && c->in && c->in->at < c->in->len;
    struct request *r = partial ? begin_request(c) : NULL;

    if (!r)
        return false;
    r->received = c->in->len - c->in->at;
    take_line(c);
    return true;
}

/* The client went away before its head was complete. */
static enum next give_up_head(struct connection *c)
{
    if (connection_take_partial(c)) {
        connection_fail(c, 400);
        request_log(c->request, LEVEL_INFO, 0, "client prematurely closed connection");
    }
    return connection_gone(c, "the client closed");
}

/* A request that could not be understood, answered with `status`; then the connection ends. */
enum next connection_refuse(struct connection *c, int status)
{
    struct request *r = c->request ? c->request : begin_request(c);
    if (!r)
        return connection_no_memory(c);
    take_line(c);
    r->wants_close = true;
    r->lingers = true;
    r->head_only = r->head_only || (r->msg.line.at && text_starts(r->msg.line, TEXT("HEAD ")));
    respond_error(r, status);
    connection_become(c, CONN_HANDLING);
    return NEXT_STEP;
}

static struct text lower_host(struct request *r, struct text host)
{
    char *copy = arena_copy(&r->arena, host.at, host.len);
    if (!copy)
        return TEXT("");
    for (size_t i = 0; i < host.len; i++)
        copy[i] = text_lower(copy[i]);
    return (struct text){copy, host.len};
}

/* The host that is asked for: of an absolute-form, else of Host (which parse_head() has checked); none on HTTP/1.0. */
static struct text asked_host(struct request *r, const struct uri *uri)
{
    struct text host = uri->host.at ? uri->host : r->msg.host;

    return host.len > 0 ? lower_host(r, host) : TEXT("");
}

/* Target and Host to r->uri, r->args, r->host, r->server. 0 or a status. */
static int resolve_target(struct request *r)
{
    struct uri uri;
    int status = uri_split(r->msg.target, &uri);
    if (status != 0)
        return status;
    r->raw_uri = uri.raw;
    r->args = uri.args;
    r->host = asked_host(r, &uri);
    r->server = route_server(r->conn->address, r);
    r->location = &r->server->base;
    bool merge = r->conn->address->dflt->base.http->merge_slashes; /* the address' default server's, as in nginx */
    if (uri_is_plain(uri.path)) {
        r->uri = uri.path;
        return 0;
    }
    if (text_equal(uri.path, TEXT("*"))) {
        r->uri = uri.path;
        return r->msg.method == METHOD_OPTIONS ? 405 : 400;
    }
    char *path = arena_alloc(&r->arena, uri.path.len + 1);
    if (!path)
        return 500;
    size_t len;
    status = uri_normalise(uri.path, merge, path, &len);
    if (status == 0)
        r->uri = (struct text){path, len};
    return status;
}

/* The limits of make_room(), for a head that came so fast that it never had to ask. */
static int check_lines(const struct message *m, size_t head_len, const struct http_conf *h)
{
    size_t large = (size_t)h->large_client_header_buffers.size;

    if (head_len <= large)
        return 0;
    if (m->line.len > large)
        return 414;
    for (unsigned i = 0; i < m->count; i++) {
        const char *line = m->headers[i].name.at;
        const char *next = i + 1 < m->count ? m->headers[i + 1].name.at : m->line.at + head_len - 2;
        if ((size_t)(next - line) - 2 > large) /* without CRLF */
            return 431;
    }
    return head_len > large * (size_t)h->large_client_header_buffers.number ? 431 : 0;
}

/* Fields whose names one server takes for another's: X_Real_IP for X-Real-IP. None of them is one that frames the message. */
static void leave_out_odd(struct request *r, bool underscores)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < r->msg.count; i++) {
        const struct header *h = &r->msg.headers[i];
        if (parse_name_is_plain(h->name, underscores))
            r->msg.headers[kept++] = *h;
        else
            request_log(r, LEVEL_INFO, 0, "client sent invalid header line: \"%.*s: %.*s\"", TEXT_ARG(h->name),
                        TEXT_ARG(h->value));
    }
    r->msg.count = kept;
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
    const struct http_conf *h = r->location->http;
    int status = parse_head(&r->msg, in->data + in->at, len, (unsigned)h->max_headers, &r->arena);
    if (status != 0)
        return connection_refuse(c, status);
    bool odd_names = c->scan.odd_names && h->ignore_invalid_headers;
    in->at += len;
    c->scan = (struct scan){0};
    r->head_only = r->msg.method == METHOD_HEAD;
    status = resolve_target(r);
    if (status == 0)
        status = check_lines(&r->msg, len, c->address->dflt->base.http);
    if (status == 0 && r->server != c->address->dflt)
        status = check_lines(&r->msg, len, r->location->http);
    if (odd_names) /* after check_lines(), which measures from field to field */
        leave_out_odd(r, h->underscores_in_headers);
    if (status != 0)
        return connection_refuse(c, status);
    r->awaits_body = message_has_body(&r->msg);
    connection_become(c, CONN_HANDLING);
    return NEXT_STEP;
}

/* ---- request bodies: read and thrown away before the request is handled ---- */

/* For the next bytes, and for all of them: what is thrown away is what lingering_time is about. The end is set once, so that
 * the many lengths of what is left of it make no FIFOs. */
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
    r->held = replace_input(c, (size_t)r->location->http->client_header_buffer_size);
    if (!r->held || body_begin(&r->body, &r->msg, &r->arena) < 0)
        return connection_refuse(c, 500);
    if (r->msg.expect_continue && c->in->len == 0 && !connection_queue(c, TEXT("HTTP/1.1 100 Continue\r\n\r\n")))
        return connection_refuse(c, 500);
    connection_become(c, CONN_BODY);
    c->lingering_end = clock_now.msec + r->location->http->lingering_time;
    set_body_deadline(c);
    return NEXT_STEP;
}

/* The body takes too long. What it is answered with does not depend on it; the rest is for the lingering close. */
static enum next leave_body(struct connection *c)
{
    struct request *r = c->request;

    request_log(r, LEVEL_INFO, 0, "client sends its body for longer than lingering_time");
    r->wants_close = true;
    r->lingers = true;
    connection_become(c, CONN_HANDLING);
    return NEXT_STEP;
}

/* Whoever is refused for asking too much may not hold the connection with a body; and nobody reads what 444 says. */
static void end_before_body(struct request *r)
{
    bool limited = r->limits.req == LIMIT_REJECTED || r->limits.conn == LIMIT_REJECTED;

    if (!limited && !r->silent)
        return;
    r->awaits_body = false;
    r->wants_close = true;
    r->lingers = true;
}

/* How long a body may be, the location says; and it is read under that location's limits, so that many slow ones count as many. */
enum next connection_find_limits(struct connection *c)
{
    struct request *r = c->request;

    while (r->awaits_body && r->step <= STEP_LIMIT) {
        if (!static_step(r))
            return connection_push(c) ? NEXT_WAIT : connection_gone(c, "the client went away");
        end_before_body(r);
    }
    return r->awaits_body ? begin_body(c) : NEXT_STEP; /* refused: a response is on its way already */
}

enum next connection_read_body(struct connection *c)
{
    struct request *r = c->request;
    struct input *in = c->in;

    for (unsigned reads = 0;; reads++) {
        ssize_t n = body_take(&r->body, in->data + in->at, in->len - in->at);
        if (n < 0)
            return connection_refuse(c, 400);
        in->at += (size_t)n;
        r->received += (uint64_t)n;
        int64_t most = r->location->http->client_max_body_size;
        if ((most > 0 && r->body.seen > (uint64_t)most) || r->body.framing > FRAMING_MOST)
            return connection_refuse(c, 413);
        if (r->body.done) {
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
        if (got < 0) {
            connection_push(c); /* what it asked for before */
            return connection_gone(c, "the client closed while it sent a body");
        }
        if (got > 0)
            set_body_deadline(c);
    }
}

/* ---- the next head ---- */

/* Nothing more to read now: whatever gathered goes out, and the clock starts. */
enum next connection_wait_for_head(struct connection *c)
{
    const struct http_conf *h = c->address->dflt->base.http;
    enum next next = connection_flush(c);

    if (next != NEXT_STEP)
        return next;
    connection_release_input(c);
    if (c->in || c->proxy_awaited) {
        if (!c->head_timed) /* for the whole head, not for each read */
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
    int64_t timeout = connection_idle_timeout(c);
    if (c->service->draining && timeout > connection_drain_grace(c))
        timeout = connection_drain_grace(c);
    connection_set_deadline(c, timeout);
    return NEXT_WAIT;
}

/* Looks for a head in what is there; receives if it must. */
enum next connection_read_head(struct connection *c)
{
    for (;;) {
        struct input *in = c->in;
        if (c->proxy_awaited && in && in->at < in->len && !connection_take_proxy(c))
            return connection_gone(c, "broken PROXY protocol header");
        if (in && !c->proxy_awaited)
            in->at += parse_skip_empty(&c->scan, in->data + in->at, in->len - in->at);
        if (in && in->at < in->len && !c->proxy_awaited) {
            enum scan_result seen = parse_scan(&c->scan, in->data + in->at, in->len - in->at);
            if (seen == SCAN_COMPLETE)
                return take_head(c);
            if (seen == SCAN_BAD)
                return connection_refuse(c, 400);
            int status = make_room(c);
            if (status != 0)
                return connection_refuse(c, status);
            in = c->in;
        }
        bool partly = in && in->at < in->len;
        if (partly ? !may_receive(c) : !c->readable)
            return connection_wait_for_head(c);
        if (!in) {
            size_t size = (size_t)c->address->dflt->base.http->client_header_buffer_size;
            c->in =
                service_input(c->service, c->proxy_awaited && size < PROXY_PROTOCOL_MOST ? PROXY_PROTOCOL_MOST : size);
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
