/* session_receive.c - the receiving half of a connection of HTTP/2: bytes to nghttp2, and what it makes
 * of them to streams. See session_private.h. RFC 9113, sections 5.1, 6 and 8.1. */
#include "http/h2/session_private.h"

#include "base/clock.h"
#include "net/tls/tls.h"

#include <errno.h>
#include <stdio.h>

enum {
    TURN_READS = 16, /* before others get their turn */
    DATA_LEAST = 64  /* bytes in a DATA frame that are worth its head */
};

/* ---- what nghttp2 says ---- */

static struct text text_of_bytes(const uint8_t *at, size_t len)
{
    return (struct text){(const char *)at, len};
}

/* To be looked at when nghttp2 has returned. */
static void note(struct h2_stream *st)
{
    if (list_empty(&st->noted))
        list_append(&st->session->begun, &st->noted);
}

/* Counted here, not when it is sent: a client that reads nothing has it refused, too. */
static int refuse(struct h2_session *c, int32_t id)
{
    c->spent.resets++;
    c->worker->counters->http2.refused++;
    return nghttp2_submit_rst_stream(c->nghttp2, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
}

/* What nghttp2 passes over costs what frames cost that move nothing: HEADERS of streams that are closed
 * or were left out, DATA of these, which it does not tell of. */
static int on_begin_frame(nghttp2_session *ng, const nghttp2_frame_hd *head, void *user)
{
    struct h2_session *c = user;

    if (head->type == NGHTTP2_HEADERS && head->stream_id > c->highest)
        c->highest = head->stream_id;
    else if (head->type == NGHTTP2_HEADERS && !nghttp2_session_get_stream_user_data(ng, head->stream_id))
        c->spent.idle++;
    else if (head->type == NGHTTP2_DATA)
        c->datas++;
    return 0;
}

static int on_begin_headers(nghttp2_session *ng, const nghttp2_frame *frame, void *user)
{
    struct h2_session *c = user;

    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        struct h2_stream *st = h2_stream_begin(c, frame->hd.stream_id);
        c->block = st;
        if (!st)
            return refuse(c, frame->hd.stream_id);
        return nghttp2_session_set_stream_user_data(ng, frame->hd.stream_id, st);
    }
    c->block = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
    c->trailers = (struct fields){.limits = &c->limits, .trailers = true};
    return 0;
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                     const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
    struct h2_session *c = user;
    struct h2_stream *st = c->block;

    (void)ng, (void)flags;
    if (!st)
        return 0;
    fields_add(frame->headers.cat == NGHTTP2_HCAT_REQUEST ? &st->fields : &c->trailers, text_of_bytes(name, name_len),
               text_of_bytes(value, value_len));
    return 0;
}

/* Trailers end the request: RFC 9113, 8.1. */
static void take_trailers(struct h2_session *c, struct h2_stream *st, bool last)
{
    if (!last || c->trailers.malformed || c->trailers.status != 0)
        st->malformed = true;
}

static void take_block(struct h2_session *c, struct h2_stream *st, const nghttp2_frame *frame)
{
    bool last = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;

    st->ended |= last;
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        st->memory = fields_memory(&st->fields);
        c->memory += st->memory;
        st->state = H2_STREAM_BEGINS;
    } else {
        take_trailers(c, st, last);
    }
    if (st->request)
        st->request->received += frame->hd.length;
    note(st);
}

/* It counts for more than the field of the request, whichever comes first: RFC 9218, 7 */
static void note_update(struct h2_session *c, const nghttp2_ext_priority_update *update)
{
    struct h2_stream *st = nghttp2_session_get_stream_user_data(c->nghttp2, update->stream_id);
    struct priority p = {PRIORITY_USUAL, false};

    priority_parse(text_of_bytes(update->field_value, update->field_value_len), &p);
    if (update->stream_id == 0) {
        c->frames.misplaced = true;
    } else if (st) {
        st->prioritised = true;
        st->urgency = p.urgency;
    } else {
        unsigned i = c->updates++ % (sizeof c->updated / sizeof *c->updated);
        c->updated[i].id = update->stream_id;
        c->updated[i].urgency = p.urgency;
    }
}

/* It brings next to nothing, its padding aside, and ends nothing. frames.c counts what is empty. */
static bool is_idle_data(const nghttp2_frame *frame)
{
    return frame->hd.length > 0 && frame->hd.length - frame->data.padlen < DATA_LEAST &&
           !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM);
}

static int on_frame(nghttp2_session *ng, const nghttp2_frame *frame, void *user)
{
    struct h2_session *c = user;
    struct h2_stream *st;

    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        st = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
        if (st)
            take_block(c, st, frame);
        return 0;
    case NGHTTP2_DATA:
        if (is_idle_data(frame))
            c->spent.idle++;
        st = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
        if (st && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) {
            st->ended = true;
            note(st);
        }
        return 0;
    case NGHTTP2_PRIORITY_UPDATE:
        note_update(c, (const nghttp2_ext_priority_update *)frame->ext.payload);
        return 0;
    case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) && c->notified)
            c->answered = true;
        return 0;
    default:
        return 0;
    }
}

static int on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *bytes, size_t len, void *user)
{
    struct h2_stream *st = nghttp2_session_get_stream_user_data(ng, id);

    (void)flags, (void)bytes, (void)user;
    if (!st)
        return 0;
    st->body += len;
    if (!st->request)
        return 0;
    st->moved_msec = clock_now.msec;
    st->request->received += len;
    note(st);
    return 0;
}

static int on_close(nghttp2_session *ng, int32_t id, uint32_t error, void *user)
{
    struct h2_session *c = user;
    struct h2_stream *st = nghttp2_session_get_stream_user_data(ng, id);

    if (!st)
        return 0;
    c->open_count--;
    if (st->state != H2_STREAM_SENT || (st->stopped && error != NGHTTP2_NO_ERROR)) {
        c->spent.resets++;
        c->worker->counters->http2.resets++;
    }
    list_remove(&st->noted);
    list_append(&c->over, &st->noted);
    return 0;
}

/* What was wrong with the client's bytes, where it was the connection's fault. */
static int on_error(nghttp2_session *ng, int code, const char *message, size_t len, void *user)
{
    struct h2_session *c = user;

    (void)ng, (void)code;
    snprintf(c->trouble, sizeof c->trouble, "%.*s", (int)len, message);
    return 0;
}

void h2_set_receive_callbacks(nghttp2_session_callbacks *cb)
{
    nghttp2_session_callbacks_set_on_begin_frame_callback(cb, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_close);
    nghttp2_session_callbacks_set_error_callback2(cb, on_error);
}

/* ---- bytes ---- */

static void log_trouble(struct h2_session *c, const char *what)
{
    char line[256];

    snprintf(line, sizeof line, "client sent invalid HTTP/2: %s", what);
    client_log(&c->client, LEVEL_INFO, 0, "reading HTTP/2 frames", line);
}

void h2_tell_error(struct h2_session *c, uint32_t error)
{
    char line[192];

    if (c->told)
        return;
    c->told = true;
    if (error == NGHTTP2_INTERNAL_ERROR) { /* no fault of the client's */
        log_write(log_main, LEVEL_CRIT, c->client.number, ENOMEM, "a connection is closed");
        return;
    }
    snprintf(line, sizeof line, "%s (%s)", c->trouble[0] ? c->trouble : "the connection ends",
             nghttp2_http2_strerror(error));
    log_trouble(c, line);
}

/* An incomplete frame has its time from its first byte on; of a body that comes, from the last one. */
static void time_partial(struct h2_session *c, uint64_t units)
{
    if (!frames_are_partial(&c->frames))
        c->partial_msec = 0;
    else if (c->partial_msec == 0 || c->frames.units != units || (c->frames.data && c->frames.left > 0))
        c->partial_msec = clock_now.msec;
}

static bool is_within_budget(struct h2_session *c)
{
    uint64_t all_idle = c->frames.idle + c->spent.idle + (c->frames.datas - c->datas);
    uint64_t resets = c->spent.resets - c->counted.resets, idle = all_idle - c->counted.idle,
             requests = c->requests - c->counted.requests, data = c->spent.data - c->counted.data;

    c->counted.resets = c->spent.resets;
    c->counted.idle = all_idle;
    c->counted.requests = c->requests;
    c->counted.data = c->spent.data;
    return budget_spend(&c->budget, clock_now.msec, resets, idle, requests, data);
}

void h2_condemn(struct h2_session *c, uint32_t error, const char *trouble)
{
    if (c->condemned)
        return;
    c->condemned = true;
    if (error == NGHTTP2_ENHANCE_YOUR_CALM)
        c->worker->counters->http2.calmed++;
    snprintf(c->trouble, sizeof c->trouble, "%s", trouble);
    h2_tell_error(c, error);
    nghttp2_session_terminate_session(c->nghttp2, error);
}

/* RFC 9113, 10.5 */
static void calm(struct h2_session *c)
{
    h2_condemn(c, NGHTTP2_ENHANCE_YOUR_CALM,
               c->budget.resets < 0 ? "too many streams that end early" : "too many frames that move nothing");
}

/* nghttp2 takes no more. */
static bool give_up(struct h2_session *c, int error)
{
    switch (error) {
    case NGHTTP2_ERR_BAD_CLIENT_MAGIC:
        log_trouble(c, "no preface");
        c->failed = true;
        return false;
    case NGHTTP2_ERR_NOMEM:
        h2_condemn(c, NGHTTP2_INTERNAL_ERROR, nghttp2_strerror(error));
        return true;
    default: /* answers that wait, CONTINUATION without end */
        h2_condemn(c, NGHTTP2_ENHANCE_YOUR_CALM, nghttp2_strerror(error));
        return true;
    }
}

bool h2_take(struct h2_session *c, const char *bytes, size_t len)
{
    uint64_t units = c->frames.units;
    ssize_t n = nghttp2_session_mem_recv(c->nghttp2, (const uint8_t *)bytes, len);

    if (n < 0)
        return give_up(c, (int)n);
    frames_add(&c->frames, bytes, len);
    time_partial(c, units);
    if (c->frames.misplaced) /* nghttp2 lets it pass: RFC 9113, 6.3; RFC 9218, 7.1 */
        h2_condemn(c, NGHTTP2_PROTOCOL_ERROR, "a priority of stream 0");
    if (!is_within_budget(c))
        calm(c);
    return true;
}

static void log_broken(struct h2_session *c)
{
    char trouble[256], line[320];

    tls_trouble(c->transport.tls, trouble, sizeof trouble);
    snprintf(line, sizeof line, "SSL_read() failed (SSL: %s)", trouble);
    client_log(&c->client, LEVEL_INFO, 0, "reading from client", line);
}

static void take_end(struct h2_session *c, ssize_t n)
{
    c->readable = false;
    c->hung_up = true;
    c->broken = n < 0;
    if (n == -EPROTO)
        log_broken(c);
}

bool h2_receive(struct h2_session *c)
{
    struct h2_worker *s = c->shared;

    for (unsigned reads = 0; c->readable && !c->hung_up && !c->failed && !c->condemned; reads++) {
        if (reads == TURN_READS) {
            loop_defer(c->worker->loop, &c->next_turn);
            break;
        }
        ssize_t n = transport_recv(&c->transport, s->input, s->input_size);
        if (n > 0) {
            /* Fewer than asked for: drained, and the edge for more is still to come. */
            c->readable = (size_t)n == s->input_size || c->transport.pending || c->ends;
            if (!h2_take(c, s->input, (size_t)n))
                return false;
        } else if (n == -EAGAIN) {
            c->readable = false;
        } else {
            take_end(c, n);
        }
    }
    return !c->failed;
}
