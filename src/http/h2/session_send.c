/* session_send.c - the sending half of a connection of HTTP/2: frames gather in one buffer, the bytes of
 * bodies straight from their sources, and leave with one write. See session_private.h.
 *
 * nghttp2 says whose turn it is (RFC 9218) and asks a stream for bytes only when there is window for
 * them; the stream's source then writes behind the place where the frame's head will stand. What
 * the source has is not asked for twice: a frame that has begun is composed. */
#include "http/h2/session_private.h"

#include "base/clock.h"
#include "http/handle/turn.h"
#include "net/socket.h"

#include <errno.h>

enum {
    DATA_LEAST = 256,     /* bytes of a frame that earn the client WINDOW_UPDATE: windows of a byte do not */
    TURN_BYTES = 1 << 20, /* that a connection sends before others get their turn */
    /* To nghttp2, a stream that is one too many is a fault of the connection. So it knows of a higher
     * limit than the client, and stream.c refuses each stream for itself: RFC 9113, 5.1.2. Whoever has
     * more refused at once than this has gone past budget.h, too. */
    STREAMS_BEYOND = 2 * BUDGET_RESETS
};

/* ---- out ---- */

/* What gathered, as far as the transport takes it. `more` follows at once: the kernel may wait for it
 * with the end of this, which would be a segment of its own. False: it is broken. */
static bool push(struct h2_session *c, bool more)
{
    struct h2_output *out = c->out;

    if (!c->writable)
        return true;
    while (out && out->sent < out->len) {
        struct iovec piece = {out->data + out->sent, out->len - out->sent};
        ssize_t n = transport_send(&c->transport, &piece, 1, more);
        if (n == -EAGAIN) {
            c->writable = false;
            return true;
        }
        if (n < 0) {
            client_log_sending(&c->client, (int)n);
            c->broken = true;
            return false;
        }
        out->sent += (size_t)n;
        c->sent += (uint64_t)n;
        c->corked = more;
    }
    if (out)
        h2_output_give(c);
    return true;
}

/* What should have followed did not come: a stream waits for its window, or its source. */
static void uncork(struct h2_session *c)
{
    if (c->corked && !c->out)
        socket_push(c->transport.fd);
    c->corked = false;
}

static bool has_buffer(struct h2_session *c)
{
    if (c->out)
        return true;
    c->out = spare_take(&c->shared->outputs, sizeof *c->out, H2_OUT_SIZE);
    if (c->out)
        c->out->sent = c->out->len = 0;
    return c->out != NULL;
}

/* In a frame of settings: the value of the one with that number. */
static void put_setting(char *frame, size_t len, unsigned id, uint32_t value)
{
    const unsigned char bytes[] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                                   (unsigned char)(value >> 8), (unsigned char)value};

    for (size_t at = H2_FRAME_HEAD; at + 6 <= len; at += 6)
        if ((unsigned char)frame[at] == id >> 8 && (unsigned char)frame[at + 1] == (id & 0xff))
            memcpy(frame + at + 2, bytes, sizeof bytes);
}

bool h2_greet(struct h2_session *c)
{
    const uint32_t most = h2_streams_most(c);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, most + STREAMS_BEYOND},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, (uint32_t)c->client.address->dflt->base.h2->body_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)c->limits.list},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    const uint8_t *bytes;

    if (!has_buffer(c) ||
        nghttp2_submit_settings(c->nghttp2, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof *settings) != 0)
        return false;
    ssize_t n = nghttp2_session_mem_send(c->nghttp2, &bytes);
    if (n < 0)
        return false;
    memcpy(c->out->data, bytes, (size_t)n);
    c->out->len = (size_t)n;
    put_setting(c->out->data, c->out->len, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, most);
    return true;
}

/* Frames into the buffer until it is full, or there are none. False: no memory. */
static bool compose(struct h2_session *c)
{
    const uint8_t *bytes;
    ssize_t n;

    c->paused = false;
    while (c->out->len < H2_OUT_FULL && (n = nghttp2_session_mem_send(c->nghttp2, &bytes)) != 0) {
        if (n < 0)
            return false;
        memcpy(c->out->data + c->out->len, bytes, (size_t)n);
        c->out->len += (size_t)n;
    }
    return true;
}

/* Whether there may be more than what compose() came to. */
static bool has_more(const struct h2_session *c)
{
    return c->paused || c->out->len >= H2_OUT_FULL;
}

bool h2_send(struct h2_session *c)
{
    uint64_t end = c->sent + TURN_BYTES;
    bool more = true;

    c->share = 0;
    while (more && !c->failed) {
        if (c->out && c->out->len >= H2_OUT_FULL && !push(c, true))
            return false;
        if (c->out && c->out->len >= H2_OUT_FULL)
            break; /* the socket is full */
        if (c->sent >= end) {
            loop_defer(c->worker->loop, &c->next_turn);
            break;
        }
        if (!has_buffer(c) || !compose(c)) {
            c->failed = true;
            return false;
        }
        more = has_more(c);
    }
    c->unfinished = more;
    if (!push(c, false))
        return false;
    if (!more)
        uncork(c);
    return true;
}

/* ---- the body of a stream as a sink's transport ---- */

static struct h2_stream *stream_of(struct transport *t)
{
    return container_of(t, struct h2_stream, transport);
}

static char *place(const struct h2_session *c)
{
    return c->out->data + c->out->len + H2_FRAME_HEAD + c->filled;
}

static ssize_t stream_send(struct transport *t, const struct iovec *pieces, int count, bool more)
{
    struct h2_session *c = stream_of(t)->session;
    size_t total = 0;

    (void)more;
    for (int i = 0; i < count && c->filled < c->room; i++) {
        size_t room = c->room - c->filled, len = pieces[i].iov_len < room ? pieces[i].iov_len : room;
        memcpy(place(c), pieces[i].iov_base, len);
        c->filled += len;
        total += len;
    }
    return total > 0 ? (ssize_t)total : -EAGAIN;
}

static char *stream_place(struct transport *t, size_t *room)
{
    struct h2_session *c = stream_of(t)->session;

    *room = c->room - c->filled;
    return place(c);
}

static void stream_placed(struct transport *t, size_t n)
{
    stream_of(t)->session->filled += n;
}

const struct transport_ops h2_stream_transport = {.send = stream_send, .place = stream_place, .placed = stream_placed};

/* ---- DATA ---- */

/* A body in memory that no source was made for: it is short. True: that was all. */
static bool copy_body(struct h2_session *c, struct h2_stream *st)
{
    struct text left = text_from(st->request->out.body, st->body_at);
    size_t len = left.len < c->room ? left.len : c->room;

    memcpy(place(c), left.at, len);
    c->filled += len;
    st->body_at += len;
    return len == left.len;
}

static bool is_bulk(const struct request *r)
{
    return r->out.length >= BULK_LEAST;
}

/* Bytes that may go before it is others' turn: *cap. False: it waits for its own. A turn that one of
 * the large responses has is the connection's: which of them it is for, their priorities say. */
static bool has_turn(struct h2_session *c, struct h2_stream *st, uint64_t *cap)
{
    uint64_t share = 0;

    *cap = c->room;
    if (c->share == 0 || !is_bulk(st->request) || st->request->paced) {
        st->in_line = !turn_begin(st->request, &share);
        if (st->in_line && !st->request->paced && st->urgency < c->line_urgency)
            c->line_urgency = st->urgency;
        if (st->in_line)
            return false;
    }
    if (!is_bulk(st->request))
        return true;
    if (share > 0)
        c->share = share;
    if (c->share < *cap)
        *cap = c->share;
    return true;
}

/* Size decides among those that are equally urgent: what is less so waits with a large response for the
 * turn of that. */
static bool is_behind(const struct h2_session *c, struct h2_stream *st)
{
    st->in_line = st->urgency > c->line_urgency && !st->request->paced;
    return st->in_line;
}

static void use_share(struct h2_session *c, const struct h2_stream *st, uint64_t n)
{
    if (is_bulk(st->request))
        c->share -= n < c->share ? n : c->share;
}

/* From the source. *ended: that was all. 0 or the code of nghttp2 for why there is nothing. */
static int pull_body(struct h2_session *c, struct h2_stream *st, bool *ended)
{
    struct request *r = st->request;
    uint64_t cap;
    size_t none = 0;

    if (!has_turn(c, st, &cap))
        return NGHTTP2_ERR_DEFERRED;
    enum sink_result result = turn_send(r, &st->sink, TEXT(""), &none, cap);
    use_share(c, st, c->filled);
    switch (result) {
    case SINK_DONE:
        *ended = true;
        return 0;
    case SINK_BLOCKED:
    case SINK_TURN:
        return 0;
    case SINK_WAIT_DISK:
        return c->filled > 0 ? 0 : NGHTTP2_ERR_DEFERRED;
    case SINK_SOURCE_FAILED:
    case SINK_FAILED:
        break;
    }
    turn_log_failure(r);
    st->failed = true;
    return c->filled > 0 ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* Of a DATA frame. Over TLS it fills a record with its head. */
static size_t payload_most(const struct h2_session *c)
{
    return c->transport.tls ? H2_PAYLOAD : H2_FRAME_MOST;
}

/* Bytes that a DATA frame may have, which nghttp2 allows `length`; 0: it does not fit into the buffer. */
static size_t space(const struct h2_session *c, const struct h2_stream *st, size_t length)
{
    size_t most = (size_t)st->request->location->h2->chunk_size;
    size_t payload = payload_most(c) < length ? payload_most(c) : length;

    if (c->out->len + H2_FRAME_HEAD + payload > H2_OUT_SIZE)
        return 0;
    return payload < most ? payload : most;
}

static ssize_t on_read(nghttp2_session *ng, int32_t id, uint8_t *buf, size_t length, uint32_t *flags,
                       nghttp2_data_source *source, void *user)
{
    struct h2_session *c = user;
    struct h2_stream *st = source->ptr;
    bool ended = false;
    int rc = 0;

    (void)ng, (void)id, (void)buf;
    if (!st->request || st->failed)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    c->filled = 0;
    c->room = space(c, st, length);
    if (c->room == 0 || c->out->len >= H2_OUT_FULL) {
        c->paused = true;
        return NGHTTP2_ERR_PAUSE;
    }
    if (is_behind(c, st))
        rc = NGHTTP2_ERR_DEFERRED;
    else if (st->request->out.file.source)
        rc = pull_body(c, st, &ended);
    else
        ended = copy_body(c, st);
    st->deferred = rc == NGHTTP2_ERR_DEFERRED;
    if (rc < 0)
        return rc;
    st->moved_msec = clock_now.msec;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY | (ended ? NGHTTP2_DATA_FLAG_EOF : 0u);
    int trailers = ended ? h2_submit_trailers(st) : 0;
    if (trailers < 0)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (trailers > 0)
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    return (ssize_t)c->filled;
}

/* The frame's head in front of what on_read() left behind it. */
static int on_send_data(nghttp2_session *ng, nghttp2_frame *frame, const uint8_t *head, size_t length,
                        nghttp2_data_source *source, void *user)
{
    struct h2_session *c = user;

    (void)ng, (void)source;
    memcpy(c->out->data + c->out->len, head, H2_FRAME_HEAD);
    c->out->len += H2_FRAME_HEAD + length;
    c->spent.data += length >= DATA_LEAST || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM);
    return 0;
}

static ssize_t on_length(nghttp2_session *ng, uint8_t type, int32_t id, int32_t window, int32_t stream_window,
                         uint32_t frame_most, void *user)
{
    size_t most = payload_most(user) < frame_most ? payload_most(user) : frame_most;

    (void)ng, (void)type, (void)id;
    if (most > (size_t)window)
        most = (size_t)window;
    return (ssize_t)(most > (size_t)stream_window ? (size_t)stream_window : most);
}

/* ---- what is composed ---- */

/* Its last frame is in the buffer: the request ends when nghttp2 has returned. */
static void complete(struct h2_stream *st)
{
    st->state = H2_STREAM_SENT;
    st->moved_msec = clock_now.msec;
    if (list_empty(&st->noted))
        list_append(&st->session->begun, &st->noted);
}

static int on_composed(nghttp2_session *ng, const nghttp2_frame *frame, void *user)
{
    struct h2_session *c = user;
    struct h2_stream *st;

    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        st = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
        if (!st || !st->request)
            break;
        st->request->head_len += H2_FRAME_HEAD + (frame->hd.type == NGHTTP2_HEADERS ? frame->hd.length : 0);
        if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
            complete(st);
        break;
    case NGHTTP2_GOAWAY:
        if (frame->goaway.error_code != NGHTTP2_NO_ERROR) {
            c->condemned = true;
            h2_tell_error(c, frame->goaway.error_code);
        }
        break;
    default:
        break;
    }
    return 0;
}

void h2_set_send_callbacks(nghttp2_session_callbacks *cb)
{
    nghttp2_session_callbacks_set_send_data_callback(cb, on_send_data);
    nghttp2_session_callbacks_set_data_source_read_length_callback(cb, on_length);
    nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_composed);
}

int h2_submit(struct h2_stream *st, const nghttp2_nv *fields, size_t count)
{
    const nghttp2_data_provider body = {.source.ptr = st, .read_callback = on_read};

    return nghttp2_submit_response(st->session->nghttp2, st->id, fields, count, st->bodied ? &body : NULL);
}
